/* What dies again and again is made again later and later; what kept well, or is wanted otherwise, at once. */
#include "mock.h"

static const char vnfc[] = "vnfc/a.b.0";

static struct mock *mock_with_repair(enum action action)
{
	struct mock *mock = mock_new();
	mock->random = G_MAXUINT32; /* the longest waits */
	mock_step(mock, action, vnfc, NULL)->cause = CAUSE_DRIFT;
	return mock;
}

static size_t acts(const struct mock *mock)
{
	size_t n = 0;
	for (const char *at = mock->acts->str; (at = strchr(at, ';')); at++)
		n++;
	return n;
}

/* It has died once more; how long until it is made again? */
static gint64 pause_s(struct mock *mock)
{
	gint64 from_us = mock->now_us;
	size_t before = acts(mock);
	mock_start(mock);
	mock_turn(mock);
	if (acts(mock) == before) {
		g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
		g_assert_cmpint(exec_next_wakeup(mock->exec), >, mock->now_us);
		g_assert_cmpint(exec_next_look(mock->exec), ==, exec_next_wakeup(mock->exec));
	}
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpuint(acts(mock), ==, before + 1);
	g_assert_cmpint(exec_next_look(mock->exec), ==, -1);
	return (mock->now_us - from_us) / G_USEC_PER_SEC;
}

static void died_after_s(struct mock *mock, gint64 s)
{
	mock->now_us += s * G_USEC_PER_SEC;
}

static void test_back_off(void)
{
	static const enum action actions[] = { ACTION_REPLACE, ACTION_CREATE };
	static const gint64 expected_s[] = { 0, 1, 2, 4, 8, 8, 8 }; /* doubling up to the maximum */
	for (size_t a = 0; a < G_N_ELEMENTS(actions); a++) {
		struct mock *mock = mock_with_repair(actions[a]);
		for (size_t i = 0; i < G_N_ELEMENTS(expected_s); i++) {
			g_assert_cmpint(pause_s(mock), ==, expected_s[i]);
			died_after_s(mock, i % 2 ? 3 : EXEC_WELL_S - 1);
		}
		mock_free(mock);
	}
}

static void test_tells_why(void)
{
	struct mock *mock = mock_with_repair(ACTION_REPLACE);
	g_assert_cmpint(pause_s(mock), ==, 0);
	died_after_s(mock, 3);
	g_string_truncate(mock->journal, 0);
	g_string_truncate(mock->told, 0);
	mock_start(mock);
	mock_turn(mock);
	const struct operation *operation = exec_operation(mock->exec, 0);
	g_assert_cmpstr(operation->error, ==, "has to be replaced again 3.0 s after it was made; next try in 1.0 s");
	g_assert_cmpstr(operation->error_code, ==, "retry");
	g_assert_cmpuint(operation->attempt, ==, 1);
	g_assert_cmpstr(mock->journal->str, ==, "begin;vnfc/a.b.0 FAILED_TEMP 1;commit;");
	g_assert_cmpstr(mock->told->str, ==, "vnfc/a.b.0 STARTING;vnfc/a.b.0 FAILED_TEMP;");
	/* not a moment too soon, and then as the next attempt of the same operation */
	mock->now_us += G_USEC_PER_SEC - 1;
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	mock->now_us++;
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, 2);
	g_assert_cmpuint(g_hash_table_size(mock->ids), ==, 2);
	mock_free(mock);
}

/* A look in between, and a plan made anew, do not start the wait anew. */
static void test_waits_over_rounds(void)
{
	struct mock *mock = mock_with_repair(ACTION_REPLACE);
	g_assert_cmpint(pause_s(mock), ==, 0);
	mock_start(mock);
	mock_turn(mock);
	gint64 due_us = exec_next_wakeup(mock->exec);
	for (int i = 0; i < 3; i++) {
		mock->now_us += G_USEC_PER_SEC / 5;
		exec_cancel(mock->exec);
		mock_turn(mock);
		g_assert_true(exec_is_done(mock->exec));
		g_assert_cmpint(exec_next_look(mock->exec), ==, due_us);
		mock_start(mock);
		mock_turn(mock);
		g_assert_cmpint(exec_next_wakeup(mock->exec), ==, due_us);
	}
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpint(mock->now_us, ==, due_us);
	g_assert_cmpint(pause_s(mock), ==, 2);
	mock_free(mock);
}

/* A failure goes on where the repairs were. */
static void test_failure_between(void)
{
	struct mock *mock = mock_with_repair(ACTION_REPLACE);
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	mock_fail(mock, vnfc, PLEACH_ERROR_RETRY, 1);
	gint64 from_us = mock->now_us;
	mock_start(mock);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpint(mock->now_us - from_us, ==, (2 + 4) * G_USEC_PER_SEC);
	mock_free(mock);
}

static void test_starts_anew(void)
{
	struct mock *mock = mock_with_repair(ACTION_REPLACE);
	struct step *step = &g_array_index(mock->steps, struct step, 0);
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	/* it kept well for a minute */
	died_after_s(mock, EXEC_WELL_S);
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	/* the operator asks */
	exec_forget(mock->exec, vnfc);
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	exec_forget(mock->exec, NULL);
	g_assert_cmpint(pause_s(mock), ==, 0);
	/* something else is desired */
	step->desired = mock_object(mock, vnfc, 0, 1300);
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	/* … also while it waits */
	mock_start(mock);
	mock_turn(mock);
	exec_cancel(mock->exec);
	mock_turn(mock);
	step->desired = mock_object(mock, vnfc, 0, 1200);
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	mock_free(mock);
}

/* What is put right in place is so at once for a while, and then later and later, for whatever reason it is done. */
static void test_in_place(void)
{
	static const struct {
		enum action action;
		enum cause cause;
	} cases[] = { { ACTION_CHANGE, CAUSE_DRIFT }, { ACTION_RESTART, CAUSE_UNATTRIBUTED }, { ACTION_CHANGE, CAUSE_INTENT } };
	for (size_t c = 0; c < G_N_ELEMENTS(cases); c++) {
		struct mock *mock = mock_new();
		mock->random = G_MAXUINT32;
		mock_step(mock, cases[c].action, vnfc, NULL)->cause = cases[c].cause;
		for (int i = 0; i < EXEC_REPAIRS_AT_ONCE; i++)
			g_assert_cmpint(pause_s(mock), ==, 0);
		for (gint64 expected_s = 1; expected_s <= 8; expected_s *= 2)
			g_assert_cmpint(pause_s(mock), ==, expected_s);
		/* it kept well; the operator asks; something else is desired */
		died_after_s(mock, EXEC_WELL_S);
		for (int i = 0; i < EXEC_REPAIRS_AT_ONCE; i++)
			g_assert_cmpint(pause_s(mock), ==, 0);
		g_assert_cmpint(pause_s(mock), ==, 1);
		exec_forget(mock->exec, vnfc);
		g_assert_cmpint(pause_s(mock), ==, 0);
		for (int i = 1; i < EXEC_REPAIRS_AT_ONCE; i++)
			pause_s(mock);
		g_assert_cmpint(pause_s(mock), ==, 1);
		g_array_index(mock->steps, struct step, 0).desired = mock_object(mock, vnfc, 0, 1300);
		g_assert_cmpint(pause_s(mock), ==, 0);
		mock_free(mock);
	}
}

/* Its reason names the field that does not stay. */
static void test_in_place_tells_why(void)
{
	struct mock *mock = mock_with_repair(ACTION_CHANGE);
	const struct field_change changes[] = { { .path = "cp.lan.mtu" }, { .path = "state" } };
	struct step *step = &g_array_index(mock->steps, struct step, 0);
	step->changes = changes;
	step->n_changes = G_N_ELEMENTS(changes);
	for (int i = 0; i < EXEC_REPAIRS_AT_ONCE; i++)
		g_assert_cmpint(pause_s(mock), ==, 0);
	died_after_s(mock, 2);
	mock_start(mock);
	mock_turn(mock);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error, ==, "cp.lan.mtu (and 1 more) was put right 5 times, and is not as it "
			"should be 2.0 s after the last time; next try in 1.0 s");
	mock_finish(mock);
	mock_free(mock);
}

/* What the operator asked for, and what is put right in place once, waits for nothing. */
static void test_other_steps(void)
{
	static const struct {
		enum action action;
		enum cause cause;
		gint64 second_s;
	} cases[] = {
		{ ACTION_REPLACE, CAUSE_INTENT, 0 },       { ACTION_CREATE, CAUSE_INTENT, 0 },  { ACTION_CHANGE, CAUSE_DRIFT, 0 },
		{ ACTION_RESTART, CAUSE_DRIFT, 0 },        { ACTION_REMOVE, CAUSE_DRIFT, 0 },   { ACTION_CLEAN, CAUSE_UNATTRIBUTED, 0 },
		{ ACTION_REPLACE, CAUSE_INTENT_DRIFT, 1 }, { ACTION_CREATE, CAUSE_UNATTRIBUTED, 1 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct mock *mock = mock_new();
		mock->random = G_MAXUINT32;
		mock_step(mock, cases[i].action, vnfc, NULL)->cause = cases[i].cause;
		g_assert_cmpint(pause_s(mock), ==, 0);
		g_assert_cmpint(pause_s(mock), ==, cases[i].second_s);
		mock_free(mock);
	}
}

/* The NF that is made with its VNFC waits once, not twice; one that is gone by itself waits by itself. */
static void test_host_and_hosted(void)
{
	struct mock *mock = mock_with_repair(ACTION_CREATE);
	mock_step(mock, ACTION_CREATE, "nf/a.b.0", AFTER(0))->cause = CAUSE_DRIFT;
	for (gint64 expected_s = 0; expected_s <= 2; expected_s++) {
		gint64 from_us = mock->now_us;
		mock_start(mock);
		mock_finish(mock);
		g_assert_true(exec_succeeded(mock->exec));
		g_assert_cmpint(mock->now_us - from_us, ==, expected_s * G_USEC_PER_SEC);
	}
	mock_free(mock);
	mock = mock_new();
	mock->random = G_MAXUINT32;
	mock_step(mock, ACTION_CREATE, "nf/a.b.0", NULL)->cause = CAUSE_DRIFT;
	g_assert_cmpint(pause_s(mock), ==, 0);
	g_assert_cmpint(pause_s(mock), ==, 1);
	mock_free(mock);
}

/* One that waits holds up nobody else. */
static void test_others_go_on(void)
{
	struct mock *mock = mock_with_repair(ACTION_CREATE);
	g_assert_cmpint(pause_s(mock), ==, 0);
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.1", NULL)->cause = CAUSE_DRIFT;
	mock_start(mock);
	mock_turn(mock);
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_cmpint(mock_state(mock, 1), ==, OP_COMPLETED);
	mock_finish(mock);
	mock_free(mock);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/repairs/back-off", test_back_off);
	g_test_add_func("/exec/repairs/tells-why", test_tells_why);
	g_test_add_func("/exec/repairs/over-rounds", test_waits_over_rounds);
	g_test_add_func("/exec/repairs/failure-between", test_failure_between);
	g_test_add_func("/exec/repairs/starts-anew", test_starts_anew);
	g_test_add_func("/exec/repairs/in-place", test_in_place);
	g_test_add_func("/exec/repairs/in-place-tells-why", test_in_place_tells_why);
	g_test_add_func("/exec/repairs/other-steps", test_other_steps);
	g_test_add_func("/exec/repairs/host-and-hosted", test_host_and_hosted);
	g_test_add_func("/exec/repairs/others-go-on", test_others_go_on);
	return g_test_run();
}
