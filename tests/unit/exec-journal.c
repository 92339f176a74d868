/* Nothing happens before it is written down; and when it cannot be written, nothing happens. */
#include "mock.h"

static void test_begin_fails(void)
{
	struct mock *mock = mock_new();
	mock->begin_fails = 2;
	mock->random = G_MAXUINT32;
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "link/a.c", NULL);
	mock_start(mock);
	mock_turn(mock);
	g_assert_true(exec_journal_failed(mock->exec));
	g_assert_cmpstr(mock->acts->str, ==, "");
	g_assert_cmpuint(exec_count(mock->exec, OP_PROCESSING), ==, 0);
	g_assert_cmpuint(exec_count(mock->exec, OP_STARTING), ==, 2);
	g_assert_cmpuint(mock->rollbacks, ==, 0); /* nothing had begun */
	g_assert_false(exec_is_done(mock->exec));
	g_assert_cmpint(exec_next_wakeup(mock->exec), ==, mock->now_us + 1000 * 1000);
	mock_turn(mock); /* not before its time */
	g_assert_cmpuint(mock->begins, ==, 1);
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_false(exec_journal_failed(mock->exec));
	g_assert_cmpuint(mock->begins, ==, 4);
	/* tried once only as far as the journal knows, and told once of starting */
	g_assert_true(g_str_has_prefix(mock->journal->str, "begin;link/a.b PROCESSING 1;link/a.c PROCESSING 1;commit;"));
	g_assert_true(g_str_has_prefix(mock->told->str, "link/a.b STARTING;link/a.c STARTING;link/a.b PROCESSING;"));
	mock_free(mock);
}

static void test_record_or_commit_fails(void)
{
	for (int which = 0; which < 2; which++) {
		struct mock *mock = mock_new();
		*(which ? &mock->commit_fails : &mock->record_fails) = 1;
		mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
		mock_start(mock);
		mock_turn(mock);
		g_assert_cmpuint(mock->rollbacks, ==, 1);
		g_assert_cmpstr(mock->acts->str, ==, "");
		g_assert_true(exec_journal_failed(mock->exec));
		mock_finish(mock);
		g_assert_true(exec_succeeded(mock->exec));
		g_assert_cmpstr(mock->acts->str, ==, "create link/a.b 1;");
		mock_free(mock);
	}
}

/* An outcome that could not be written is kept, and nothing that follows from it is begun. */
static void test_outcome_is_kept(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "vnfc/a.b.0", AFTER(0));
	mock_start(mock);
	mock_turn(mock);
	mock->commit_fails = 1;
	mock_turn(mock);
	g_assert_cmpint(mock_state(mock, 0), ==, OP_COMPLETED);
	g_assert_cmpstr(mock->acts->str, ==, "create link/a.b 1;");
	g_assert_false(exec_is_done(mock->exec));
	mock_finish(mock);
	g_assert_true(exec_succeeded(mock->exec));
	g_assert_nonnull(strstr(mock->journal->str,
				"rollback;begin;link/a.b COMPLETED 1;applied link/a.b;vnfc/a.b.0 PROCESSING 1;commit;"));
	mock_free(mock);
}

static void test_cancel_with_broken_journal(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_step(mock, ACTION_CREATE, "link/a.c", NULL);
	mock->begin_fails = 1;
	mock_start(mock);
	mock_turn(mock);
	exec_cancel(mock->exec);
	g_assert_cmpuint(exec_count(mock->exec, OP_CANCELLED), ==, 2);
	mock_finish(mock);
	g_assert_cmpstr(mock->acts->str, ==, "");
	g_assert_true(exec_is_done(mock->exec));
	g_assert_false(exec_succeeded(mock->exec));
	mock_free(mock);
}

/* An outcome that was not written when the controller goes is lost to memory, not to the world: freeing is fine. */
static void test_free_with_unwritten_outcome(void)
{
	struct mock *mock = mock_new();
	mock_step(mock, ACTION_CREATE, "link/a.b", NULL);
	mock_start(mock);
	mock_turn(mock);
	mock->begin_fails = 100;
	mock_turn(mock);
	g_assert_false(exec_is_done(mock->exec));
	mock_free(mock);
}

static void test_ids_are_unique(void)
{
	struct mock *mock = mock_new();
	for (int i = 0; i < 50; i++)
		mock_step(mock, ACTION_CREATE, arena_printf(mock->arena, "link/a.n%d", i), NULL);
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpuint(g_hash_table_size(mock->ids), ==, 50);
	g_assert_true(g_hash_table_contains(mock->ids, "01234567-1000"));
	/* another controller, a little later */
	exec_free(mock->exec);
	mock->exec = NULL;
	mock->wall_us = 2000;
	mock_start(mock);
	mock_finish(mock);
	g_assert_cmpuint(g_hash_table_size(mock->ids), ==, 100);
	mock_free(mock);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/journal/begin", test_begin_fails);
	g_test_add_func("/exec/journal/record-commit", test_record_or_commit_fails);
	g_test_add_func("/exec/journal/outcome", test_outcome_is_kept);
	g_test_add_func("/exec/journal/cancel", test_cancel_with_broken_journal);
	g_test_add_func("/exec/journal/free", test_free_with_unwritten_outcome);
	g_test_add_func("/exec/journal/ids", test_ids_are_unique);
	return g_test_run();
}
