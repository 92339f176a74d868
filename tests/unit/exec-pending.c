/* Values that are known only at run time: resolved just before the act, against what acts returned and what was observed. */
#include "mock.h"

static const struct expr *memory_of(struct mock *mock, const char *key)
{
	return expr_attribute(mock->arena, key, "mem_bytes", NULL, 0);
}

/* A VNFC whose memory is that of another: absurd, but short. */
static const struct object *wants_memory_of(struct mock *mock, const char *key, const char *of)
{
	struct object_builder *builder = object_builder_new(mock->arena, key, "berlin", ORIGIN_NONE);
	object_set(builder, "mem_bytes", value_pending(mock->arena, memory_of(mock, of)), ORIGIN_NONE);
	return object_build(builder);
}

static void test_resolved_from_acts(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", NULL);
	mock_step(mock, ACTION_CREATE, "vnfc/a.c.0", AFTER(0))->desired = wants_memory_of(mock, "vnfc/a.c.0", "vnfc/a.b.0");
	mock_start(mock);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	auto_ptr(observed) observed = exec_observed(mock->exec);
	g_assert_cmpint(object_int(objects_find(observed->objects, "vnfc/a.c.0"), "mem_bytes", 0), ==, 1400);
	mock_free(mock);
}

/* What the act returned counts, not what was there before. */
static void test_acts_over_observed(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CHANGE, "vnfc/a.b.0", NULL); /* from 1500 to 1400 */
	mock_step(mock, ACTION_CREATE, "vnfc/a.c.0", AFTER(0))->desired = wants_memory_of(mock, "vnfc/a.c.0", "vnfc/a.b.0");
	mock_start(mock);
	mock_finish(mock);
	auto_ptr(observed) observed = exec_observed(mock->exec);
	g_assert_cmpint(object_int(objects_find(observed->objects, "vnfc/a.c.0"), "mem_bytes", 0), ==, 1400);
	mock_free(mock);
}

static void test_resolved_from_observed(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CHANGE, "vnfc/a.b.0", NULL);
	mock_fail(mock, "vnfc/a.b.0", PLEACH_ERROR_PERMANENT, 1);
	mock_step(mock, ACTION_CREATE, "vnfc/a.c.0", NULL)->desired = wants_memory_of(mock, "vnfc/a.c.0", "vnfc/a.b.0");
	mock->options.max_parallel_per_site = 1;
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 1), ==, OP_COMPLETED);
	auto_ptr(observed) observed = exec_observed(mock->exec);
	g_assert_cmpint(object_int(objects_find(observed->objects, "vnfc/a.c.0"), "mem_bytes", 0), ==, 1500);
	mock_free(mock);
}

/* No step makes it known at first; an act that nobody ordered before it does. */
static void test_waits_for_any_act(void)
{
	struct mock *mock = mock_new();
	mock->options.max_parallel_per_site = 1;
	mock_step(mock, ACTION_CREATE, "vnfc/a.a.0", NULL)->desired = wants_memory_of(mock, "vnfc/a.a.0", "vnfc/a.b.0");
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", NULL);
	mock_start(mock);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_cmpstr(mock->acts->str, ==, "create vnfc/a.b.0 1;create vnfc/a.a.0 1;");
	g_assert_null(strstr(mock->journal->str, "FAILED"));
	mock_free(mock);
}

/* It never comes to be known in this round: the owner has to look again; what does not depend on it is done. */
static void test_never_known(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "vnfc/a.a.0", NULL)->desired = wants_memory_of(mock, "vnfc/a.a.0", "vnfc/z.z.9");
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", NULL);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED_TEMP);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error, ==, "mem_bytes waits for vnfc/z.z.9");
	g_assert_cmpint(mock_state(mock, 1), ==, OP_COMPLETED);
	g_assert_cmpstr(mock->acts->str, ==, "create vnfc/a.b.0 1;");
	g_assert_cmpint(exec_next_look(mock->exec), >, mock->now_us);
	mock_free(mock);
}

static void test_fault(void)
{
	struct mock *mock = mock_new();
	struct object_builder *builder = object_builder_new(mock->arena, "nf/a.a.0", "berlin", ORIGIN_NONE);
	const struct expr *scope = expr_value(mock->arena, value_map(mock->arena, NULL, NULL, 0));
	const struct expr *template = expr_template(mock->arena, "a.conf", "{{nobody}}", scope);
	object_set(builder, "config.a.content", value_pending(mock->arena, template), ORIGIN_NONE);
	mock_step(mock, ACTION_CREATE, "nf/a.a.0", NULL)->desired = object_build(builder);
	mock_step(mock, ACTION_CREATE, "link/a.b", AFTER(0));
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED);
	g_assert_cmpstr(exec_operation(mock->exec, 0)->error_code, ==, "invalid");
	g_assert_nonnull(strstr(exec_operation(mock->exec, 0)->error, "nobody"));
	g_assert_null(exec_operation(mock->exec, 1));
	g_assert_cmpstr(mock->acts->str, ==, "");
	g_assert_nonnull(strstr(mock->journal->str, "nf/a.a.0 FAILED 1;"));
	/* the same fault in the next plan is not written down again */
	size_t length = mock->journal->len;
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_FAILED);
	g_assert_cmpuint(mock->journal->len, ==, length);
	mock_free(mock);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/pending/acts", test_resolved_from_acts);
	g_test_add_func("/exec/pending/acts-over-observed", test_acts_over_observed);
	g_test_add_func("/exec/pending/observed", test_resolved_from_observed);
	g_test_add_func("/exec/pending/any-act", test_waits_for_any_act);
	g_test_add_func("/exec/pending/never", test_never_known);
	g_test_add_func("/exec/pending/fault", test_fault);
	return g_test_run();
}
