/* Rounds: order, limits, failures and what they block, retry, cancel, pending values, replacing. */
#include "mock.h"

static void test_empty_plan(void)
{
	struct mock *mock = mock_new();
	mock_start(mock);
	g_assert_true(exec_is_done(mock->exec));
	g_assert_true(exec_succeeded(mock->exec));
	mock_turn(mock);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, -1);
	g_assert_cmpint(exec_next_look(mock->exec), ==, -1);
	g_assert_cmpstr(mock->journal->str, ==, "");
	mock_free(mock);
}

static void test_dependencies(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", AFTER(0));
	mock_step(mock, ACTION_CREATE, "nf/a.b.0", AFTER(0, 1));
	mock_start(mock);
	g_assert_false(exec_is_done(mock->exec));
	g_assert_null(exec_operation(mock->exec, 0));
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpstr(mock->acts->str, ==, "create link/a.b 1;create vnfc/a.b.0 1;create nf/a.b.0 1;");
	g_assert_cmpuint(exec_count(mock->exec, OP_COMPLETED), ==, 3);
	/* an outcome and what it makes ready share a transaction */
	g_assert_cmpstr(mock->journal->str, ==,
			"begin;link/a.b PROCESSING 1;commit;"
			"begin;link/a.b COMPLETED 1;applied link/a.b;vnfc/a.b.0 PROCESSING 1;commit;"
			"begin;vnfc/a.b.0 COMPLETED 1;applied vnfc/a.b.0;nf/a.b.0 PROCESSING 1;commit;"
			"begin;nf/a.b.0 COMPLETED 1;applied nf/a.b.0;commit;");
	g_assert_cmpstr(mock->told->str, ==,
			"link/a.b STARTING;link/a.b PROCESSING;vnfc/a.b.0 STARTING;link/a.b COMPLETED;vnfc/a.b.0 PROCESSING;"
			"nf/a.b.0 STARTING;vnfc/a.b.0 COMPLETED;nf/a.b.0 PROCESSING;nf/a.b.0 COMPLETED;");
	mock_free(mock);
}

static void test_removals_first_and_one_transaction(void)
{
	struct mock *mock = mock_new();
	mock->options.max_parallel_per_site = 1;
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "link/a.c", NULL);
	mock_step(mock, ACTION_REMOVE, "link/z.z", NULL);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpstr(mock->acts->str, ==, "remove link/z.z 1;create link/a.b 1;create link/a.c 1;");
	mock_free(mock);

	mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_REMOVE, "vnfc/a.c.0", NULL);
	mock_start(mock);
	mock_finish(mock);
	g_assert_true(g_str_has_prefix(mock->journal->str, "begin;vnfc/a.c.0 PROCESSING 1;link/a.b PROCESSING 1;commit;"));
	g_assert_nonnull(strstr(mock->journal->str, "gone vnfc/a.c.0;gone nf/a.c.0;")); /* what lived inside it is gone too */
	mock_free(mock);
}

static void test_limits(void)
{
	static const unsigned limits[] = { 1, 2, 0 };
	for (size_t l = 0; l < G_N_ELEMENTS(limits); l++) {
		struct mock *mock = mock_new();
		mock->options.max_parallel_per_site = limits[l];
		for (int i = 0; i < 20; i++)
			mock_step(mock, ACTION_CREATE, arena_printf(mock->arena, "link/a.n%d", i), NULL);
		mock_start(mock);
		exec_run(mock->exec, mock->now_us);
		unsigned expected = limits[l] ? limits[l] : mock_caps.max_parallel;
		g_assert_cmpuint(exec_count(mock->exec, OP_PROCESSING), ==, expected);
		mock_finish(mock);
		g_assert_cmpuint(mock->most_under_way, <=, expected);
		g_assert_true(exec_succeeded(mock->exec));
		g_assert_cmpuint(g_hash_table_size(mock->ids), ==, 20);
		mock_free(mock);
	}
}

/* A VNFC and its NF are one thing to the far side; so are two incarnations of one key. */
static void test_one_at_a_time_per_vnfc(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CHANGE, "vnfc/a.b.0", NULL);
	mock_step(mock, ACTION_CHANGE, "nf/a.b.0", NULL);
	mock_step(mock, ACTION_CLEAN, "vnfc/a.b.0", NULL);
	mock_start(mock);
	exec_run(mock->exec, mock->now_us);
	g_assert_cmpuint(exec_count(mock->exec, OP_PROCESSING), ==, 1);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpuint(mock->most_under_way, ==, 1);
	g_assert_true(g_str_has_prefix(mock->acts->str, "remove vnfc/a.b.0 1;"));
	mock_free(mock);
}

/* An NF that will not go does not keep its VNFC; one whose VNFC stays is insisted on. */
static void test_host_goes_without(void)
{
	static const enum pleach_error codes[] = { PLEACH_ERROR_RETRY, PLEACH_ERROR_PERMANENT };
	for (size_t c = 0; c < G_N_ELEMENTS(codes); c++) {
		struct mock *mock = mock_new();
		mock_step(mock, ACTION_REMOVE, "nf/a.b.0", NULL);
		mock_step(mock, ACTION_REMOVE, "vnfc/a.b.0", AFTER(0));
		mock_step(mock, ACTION_REMOVE, "nf/a.c.0", NULL);
		mock_fail(mock, "nf/a.b.0", codes[c], 100);
		mock_fail(mock, "nf/a.c.0", codes[c], 100);
		mock_start(mock);
		mock_finish(mock);
		g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
		g_assert_cmpint(mock_state(mock, 1), ==, OP_COMPLETED);
		g_assert_cmpint(mock_state(mock, 2), ==, c ? OP_FAILED : OP_FAILED_TEMP);
		unsigned tries = 0;
		for (const char *at = mock->acts->str; (at = strstr(at, "remove nf/a.b.0")); at++)
			tries++;
		g_assert_cmpuint(tries, ==, c ? 1 : EXEC_FAREWELLS);
		g_assert_nonnull(strstr(mock->journal->str, "gone vnfc/a.b.0;gone nf/a.b.0;"));
		mock_free(mock);
	}
}

static void test_failure_blocks_only_dependents(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "link/a.c", NULL);
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", AFTER(0));
	mock_step(mock, ACTION_CREATE, "vnfc/a.c.0", AFTER(1));
	mock_fail(mock, "link/a.b", PLEACH_ERROR_PERMANENT, 1);
	mock_start(mock);
	mock_finish(mock);
	g_assert_false(exec_succeeded(mock->exec));
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error_code, ==, "permanent");
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error, ==, "the far side said no");
	g_assert_null(exec_operation(mock->exec, 2));
	g_assert_cmpint(mock_state(mock, 3), ==, OP_COMPLETED);
	g_assert_cmpint(exec_next_look(mock->exec), ==, -1);
	mock_free(mock);
}

static void test_retry_with_backoff(void)
{
	struct mock *mock = mock_new();
	mock->random = G_MAXUINT32; /* the longest waits */
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_fail(mock, "link/a.b", PLEACH_ERROR_RETRY, 2);
	mock_start(mock);
	mock_turn(mock);
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, mock->now_us + 1000 * 1000);
	mock->now_us += 1000 * 1000 - 1;
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	mock->now_us++;
	mock_turn(mock);
	mock_turn(mock);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, mock->now_us + 2000 * 1000);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, 3);
	g_assert_cmpuint(g_hash_table_size(mock->ids), ==, 1); /* the same operation, tried again */
	mock_free(mock);
}

/* After some tries the owner has to look; the back-off goes on in the next round. */
static void test_round_ends(void)
{
	struct mock *mock = mock_new();
	mock->random = G_MAXUINT32;
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_fail(mock, "link/a.b", PLEACH_ERROR_CONFLICT, 1000);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, EXEC_TRIES_PER_ROUND);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, -1);
	gint64 look_us = exec_next_look(mock->exec);
	g_assert_cmpint(look_us, ==, mock->now_us + 4000 * 1000);
	mock_start(mock);
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP); /* not before its time */
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, EXEC_TRIES_PER_ROUND);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, look_us);
	mock_finish(mock);
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, 2 * EXEC_TRIES_PER_ROUND);
	g_assert_cmpint(exec_next_look(mock->exec), ==, mock->now_us + 8000 * 1000); /* capped */
	exec_forget(mock->exec, "link/a.b");
	g_assert_cmpint(exec_next_look(mock->exec), ==, -1);
	mock_start(mock);
	mock_turn(mock);
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, 1);
	mock_finish(mock);
	mock_free(mock);
}

static void test_unknown_outcome_wants_a_look(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_fail(mock, "link/a.b", PLEACH_ERROR_TIMEOUT, 1);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, 1);
	g_assert_cmpint(exec_next_look(mock->exec), >, mock->now_us);
	mock_free(mock);
}

/* What failed for good is not tried again until something changes. */
static void test_held(void)
{
	struct mock *mock = mock_new();
	struct step *step = mock_step(mock, ACTION_CHANGE, "link/a.b", NULL);
	mock_fail(mock, "link/a.b", PLEACH_ERROR_INVALID, 1000);
	mock_start(mock);
	mock_finish(mock);
	g_autofree char *id = g_strdup(exec_operation(mock->exec, 0)->id);
	size_t length = mock->journal->len;
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->id, ==, id);
	g_assert_cmpuint(mock->journal->len, ==, length);
	g_assert_cmpstr(mock->acts->str, ==, "change link/a.b 1;");
	/* observed changed: again, but not at once */
	step->observed = mock_object(mock, "link/a.b", 1, 1501);
	mock_start(mock);
	mock_turn(mock);
	g_assert_cmpstr(mock->acts->str, ==, "change link/a.b 1;");
	mock_finish(mock);
	g_assert_cmpstr(mock->acts->str, ==, "change link/a.b 1;change link/a.b 1;");
	/* desired changed: at once */
	step->desired = mock_object(mock, "link/a.b", 0, 1300);
	mock_start(mock);
	mock_turn(mock);
	g_assert_cmpstr(mock->acts->str, ==, "change link/a.b 1;change link/a.b 1;change link/a.b 1;");
	mock_finish(mock);
	exec_forget(mock->exec, NULL);
	mock_start(mock);
	mock_finish(mock);
	g_assert_true(g_str_has_suffix(mock->acts->str, "change link/a.b 1;change link/a.b 1;change link/a.b 1;change link/a.b 1;"));
	mock_free(mock);
}

/* What a former life tried in vain is not tried again by the next one, as long as it would be the same. */
static void test_held_over_a_restart(void)
{
	struct mock *before = mock_new();
	mock_step(before, ACTION_CHANGE, "link/a.b", NULL);
	mock_fail(before, "link/a.b", PLEACH_ERROR_PERMANENT, 1000);
	mock_start(before);
	mock_finish(before);
	const struct operation *failed = exec_operation(before->exec, 0);
	g_assert_cmpuint(strlen(failed->wanted), ==, 64);
	struct operation kept = { .id = "abc-1", .key = "link/a.b", .site = "local", .revision = "abc", .action = ACTION_CHANGE,
				  .state = OP_FAILED, .attempt = 1, .error_code = "permanent", .error = "taken back" };
	g_autofree char *wanted = g_strdup(failed->wanted), *seen = g_strdup(failed->seen);
	kept.wanted = wanted;
	kept.seen = seen;
	mock_free(before);
	struct mock *mock = mock_new();
	struct step *step = mock_step(mock, ACTION_CHANGE, "link/a.b", NULL);
	mock->exec = exec_new(&mock->options);
	exec_remember(mock->exec, &kept);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpstr(mock->acts->str, ==, "");
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error, ==, "taken back");
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error_code, ==, "permanent");
	step->desired = mock_object(mock, "link/a.b", 0, 1300);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpstr(mock->acts->str, ==, "change link/a.b 1;");
	mock_free(mock);
}

static void test_cancel(void)
{
	struct mock *mock = mock_new();
	mock->waits_for_cancel = true;
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", AFTER(0));
	mock_step(mock, ACTION_CREATE, "link/a.c", NULL);
	mock_fail(mock, "link/a.c", PLEACH_ERROR_RETRY, 1);
	mock_start(mock);
	exec_run(mock->exec, mock->now_us);
	while (pool_pending(mock->pool) > 1) { /* link/a.c has failed; link/a.b hangs */
		struct pollfd ready = { .fd = pool_fd(mock->pool), .events = POLLIN };
		poll(&ready, 1, 1000);
		pool_dispatch(mock->pool);
	}
	exec_run(mock->exec, mock->now_us);
	g_assert_cmpint(mock_state(mock, 2), ==, OP_FAILED_TEMP);
	exec_cancel(mock->exec);
	g_assert_cmpint(mock_state(mock, 2), ==, OP_CANCELLED);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_PROCESSING);
	g_assert_false(exec_is_done(mock->exec));
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_CANCELLED);
	g_assert_null(exec_operation(mock->exec, 1));
	g_assert_false(exec_succeeded(mock->exec));
	g_assert_nonnull(strstr(mock->journal->str, "link/a.b CANCELLED 1;"));
	g_assert_nonnull(strstr(mock->journal->str, "link/a.c CANCELLED 1;"));
	/* the next plan is not cancelled */
	mock->waits_for_cancel = false;
	mock_start(mock);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	mock_free(mock);
}

/* Cancelled between two tries: the operation is closed, the next plan's is another one, and the back-off goes on. */
static void test_cancel_between_tries(void)
{
	struct mock *mock = mock_new();
	mock->random = G_MAXUINT32;
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_fail(mock, "link/a.b", PLEACH_ERROR_RETRY, 1);
	mock_start(mock);
	mock_turn(mock);
	mock_turn(mock);
	gint64 due_us = exec_next_wakeup(mock->exec);
	exec_cancel(mock->exec);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, 0); /* there is something to write down */
	mock_finish(mock);
	g_assert_true(exec_is_done(mock->exec));
	g_assert_cmpint(mock_state(mock, 0), ==, OP_CANCELLED);
	mock_start(mock);
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, due_us);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpuint(exec_operation(mock->exec, 0)->attempt, ==, 2);
	g_assert_cmpuint(g_hash_table_size(mock->ids), ==, 2);
	g_assert_cmpint(exec_next_look(mock->exec), ==, -1);
	mock_free(mock);
}

static void test_deadline(void)
{
	struct mock *mock = mock_new();
	mock->waits_for_cancel = true;
	mock->options.timeout_us = 50 * 1000;
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_start(mock);
	mock->now_us = clock_monotonic_us();
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error_code, ==, "timeout");
	mock_free(mock);
}

static void test_replace(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_REPLACE, "vnfc/a.b.0", NULL)->interrupts = true;
	mock_step(mock, ACTION_REPLACE, "vnfc/a.b.1", NULL);
	mock->options.max_parallel_per_site = 1;
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpstr(mock->acts->str, ==, "remove vnfc/a.b.0 1;create vnfc/a.b.0 2;create vnfc/a.b.1 2;");
	auto_ptr(observed) observed = exec_observed(mock->exec);
	g_assert_cmpuint(observed->objects.n, ==, 2);
	g_assert_cmpuint(objects_find(observed->objects, "vnfc/a.b.0")->incarnation, ==, 2);
	g_assert_cmpuint(observed->n_leftovers, ==, 1);
	g_assert_cmpstr(observed->leftovers[0].key, ==, "vnfc/a.b.1");
	g_assert_cmpuint(observed->leftovers[0].incarnation, ==, 1);
	mock_free(mock);
}

/* A move leaves the old one behind on the site that it leaves. */
static void test_replace_elsewhere(void)
{
	struct mock *mock = mock_new();
	struct step *step = mock_step(mock, ACTION_REPLACE, "vnfc/a.b.0", NULL);
	step->site = "paris";
	struct object *desired = arena_memdup(mock->arena, step->desired, sizeof(*desired));
	desired->site = "paris";
	step->desired = desired;
	mock_start(mock);
	mock_finish(mock);
	auto_ptr(observed) observed = exec_observed(mock->exec);
	g_assert_cmpuint(observed->objects.n, ==, 1);
	g_assert_cmpstr(observed->objects.items[0]->site, ==, "paris");
	g_assert_cmpuint(observed->n_leftovers, ==, 1);
	g_assert_cmpstr(observed->leftovers[0].site, ==, "berlin");
	mock_free(mock);
}

/* The old one went, the new one did not come: then nothing is there. */
static void test_replace_fails_half_way(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_REPLACE, "vnfc/a.b.0", NULL)->interrupts = true;
	mock_fail_act(mock, "vnfc/a.b.0", ACT_CREATE, PLEACH_ERROR_TIMEOUT);
	mock_step(mock, ACTION_REPLACE, "vnfc/a.b.1", NULL)->interrupts = true;
	mock_fail_act(mock, "vnfc/a.b.1", ACT_REMOVE, PLEACH_ERROR_TIMEOUT);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_true(g_str_has_prefix(exec_operation(mock->exec, 1)->error, "removing incarnation 1 first: "));
	auto_ptr(observed) observed = exec_observed(mock->exec);
	g_assert_cmpuint(observed->objects.n, ==, 1);
	g_assert_cmpstr(observed->objects.items[0]->key, ==, "vnfc/a.b.1");
	g_assert_cmpuint(observed->objects.items[0]->incarnation, ==, 1);
	mock_free(mock);
}

static void test_observed(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_REMOVE, "vnfc/a.b.0", NULL);
	mock_step(mock, ACTION_CHANGE, "link/a.c", NULL);
	mock_step(mock, ACTION_CHANGE, "link/a.d", NULL);
	mock_fail(mock, "link/a.d", PLEACH_ERROR_PERMANENT, 1);
	mock_start(mock);
	mock_finish(mock);
	for (int i = 0; i < 40; i++) { /* results of results of results */
		auto_ptr(observed) observed = exec_observed(mock->exec);
		g_assert_cmpuint(observed->objects.n, ==, 3);
		g_assert_cmpint(object_int(objects_find(observed->objects, "link/a.b"), "mtu", 0), ==, 1400);
		g_assert_cmpint(object_int(objects_find(observed->objects, "link/a.c"), "mtu", 0), ==, 1400);
		g_assert_cmpint(object_int(objects_find(observed->objects, "link/a.d"), "mtu", 0), ==, 1500);
		struct arena *arena = arena_new();
		struct plan *plan = ARENA_NEW(arena, struct plan);
		plan->arena = arena;
		exec_start(mock->exec, plan, observed, mock->now_us);
		plan_unref(plan);
	}
	mock_free(mock);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/run/empty", test_empty_plan);
	g_test_add_func("/exec/run/dependencies", test_dependencies);
	g_test_add_func("/exec/run/removals-first", test_removals_first_and_one_transaction);
	g_test_add_func("/exec/run/limits", test_limits);
	g_test_add_func("/exec/run/one-at-a-time", test_one_at_a_time_per_vnfc);
	g_test_add_func("/exec/run/failure", test_failure_blocks_only_dependents);
	g_test_add_func("/exec/run/host-goes-without", test_host_goes_without);
	g_test_add_func("/exec/run/retry", test_retry_with_backoff);
	g_test_add_func("/exec/run/round-ends", test_round_ends);
	g_test_add_func("/exec/run/unknown-outcome", test_unknown_outcome_wants_a_look);
	g_test_add_func("/exec/run/held", test_held);
	g_test_add_func("/exec/run/held-over-a-restart", test_held_over_a_restart);
	g_test_add_func("/exec/run/cancel", test_cancel);
	g_test_add_func("/exec/run/cancel-between-tries", test_cancel_between_tries);
	g_test_add_func("/exec/run/deadline", test_deadline);
	g_test_add_func("/exec/run/replace", test_replace);
	g_test_add_func("/exec/run/replace-elsewhere", test_replace_elsewhere);
	g_test_add_func("/exec/run/replace-half-way", test_replace_fails_half_way);
	g_test_add_func("/exec/run/observed", test_observed);
	return g_test_run();
}
