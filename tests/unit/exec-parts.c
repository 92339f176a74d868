/* The pure parts of exec/: the states, the back-off, the queue, what is remembered of failures. */
#include "exec/internal.h"

#include <string.h>

static void test_states(void)
{
	static const enum op_state all[] = { OP_STARTING, OP_PROCESSING, OP_COMPLETED, OP_FAILED_TEMP, OP_FAILED, OP_CANCELLED };
	static const struct {
		enum op_state from, to;
	} allowed[] = {
		{ OP_STARTING, OP_PROCESSING },    { OP_STARTING, OP_FAILED_TEMP },   { OP_STARTING, OP_FAILED },
		{ OP_STARTING, OP_CANCELLED },     { OP_PROCESSING, OP_COMPLETED },   { OP_PROCESSING, OP_FAILED_TEMP },
		{ OP_PROCESSING, OP_FAILED },      { OP_PROCESSING, OP_CANCELLED },   { OP_FAILED_TEMP, OP_STARTING },
		{ OP_FAILED_TEMP, OP_CANCELLED },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
			bool may = false;
			for (size_t a = 0; a < G_N_ELEMENTS(allowed); a++)
				may = may || (allowed[a].from == all[i] && allowed[a].to == all[k]);
			g_assert_true(operation_may_become(all[i], all[k]) == may);
		}
	struct operation operation = { .state = OP_STARTING };
	operation_enter(&operation, OP_PROCESSING, 7, NULL, NULL);
	operation_enter(&operation, OP_FAILED_TEMP, 8, "retry", "busy");
	g_assert_cmpint(operation.wall_us, ==, 8);
	g_assert_cmpstr(operation.error, ==, "busy");
	operation_enter(&operation, OP_STARTING, 9, NULL, NULL);
	g_assert_null(operation.error);
}

static void test_forbidden_transition(void)
{
	if (g_test_subprocess()) {
		struct operation operation = { .state = OP_COMPLETED };
		operation_enter(&operation, OP_PROCESSING, 0, NULL, NULL);
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*operation_may_become*");
}

static void test_retry_classes(void)
{
	static const struct {
		enum pleach_error code;
		enum retry retry;
	} cases[] = {
		{ PLEACH_ERROR_RETRY, RETRY_LATER },          { PLEACH_ERROR_CONFLICT, RETRY_LATER },
		{ PLEACH_ERROR_NOT_FOUND, RETRY_LATER },      { PLEACH_ERROR_AUTH, RETRY_LATER },
		{ PLEACH_ERROR_TIMEOUT, RETRY_AFTER_LOOK },   { PLEACH_ERROR_CANCELLED, RETRY_AFTER_LOOK },
		{ PLEACH_ERROR_PERMANENT, RETRY_NEVER },      { PLEACH_ERROR_UNSUPPORTED, RETRY_NEVER },
		{ PLEACH_ERROR_INVALID, RETRY_NEVER },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(retry_of(cases[i].code), ==, cases[i].retry);
}

static void test_backoff(void)
{
	enum { MIN_US = 500 * 1000, MAX_US = 60 * 1000 * 1000 };
	/* doubles from the minimum, half of it by chance */
	gint64 full_us = MIN_US;
	for (unsigned failures = 1; failures < 100; failures++) {
		g_assert_cmpint(retry_delay_us(failures, MIN_US, MAX_US, 0), ==, full_us - full_us / 2);
		g_assert_cmpint(retry_delay_us(failures, MIN_US, MAX_US, G_MAXUINT32), ==, full_us);
		gint64 middle_us = retry_delay_us(failures, MIN_US, MAX_US, G_MAXUINT32 / 2);
		g_assert_cmpint(ABS(middle_us - full_us * 3 / 4), <=, 2);
		full_us = MIN(full_us * 2, MAX_US);
	}
	g_assert_cmpint(retry_delay_us(G_MAXUINT, MIN_US, MAX_US, G_MAXUINT32), ==, MAX_US);
	g_assert_cmpint(retry_delay_us(60, 1, G_MAXINT64, G_MAXUINT32), >, 0); /* does not overflow */
	g_assert_cmpint(retry_delay_us(200, 1, G_MAXINT64, 0), >, 0);
	g_assert_cmpint(retry_delay_us(3, MAX_US, MIN_US, G_MAXUINT32), ==, MIN_US); /* the cap wins */
}

static void test_jitter_spreads(void)
{
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	gint64 least = G_MAXINT64, most = 0;
	for (int i = 0; i < 1000; i++) {
		gint64 delay_us = retry_delay_us(1, 1000000, 8000000, g_rand_int(random));
		g_assert_cmpint(delay_us, >=, 500000);
		g_assert_cmpint(delay_us, <=, 1000000);
		least = MIN(least, delay_us);
		most = MAX(most, delay_us);
	}
	g_assert_cmpint(least, <, 520000);
	g_assert_cmpint(most, >, 980000);
}

static void test_ready_order(void)
{
	static const struct step make = { .action = ACTION_CREATE }, take = { .action = ACTION_REMOVE }, clean = { .action = ACTION_CLEAN };
	struct item items[] = {
		{ .step = &make, .index = 0 }, { .step = &take, .index = 1 },  { .step = &make, .index = 2 },
		{ .step = &take, .index = 3 }, { .step = &clean, .index = 4 },
	};
	static const size_t expected[] = { 1, 3, 4, 0, 2 };
	struct queue queue;
	queue_init(&queue, item_order_ready);
	g_assert_null(queue_first(&queue));
	g_assert_null(queue_pop(&queue));
	for (size_t i = G_N_ELEMENTS(items); i > 0; i--)
		queue_push(&queue, &items[i - 1]);
	for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
		g_assert_cmpuint(queue_first(&queue)->index, ==, expected[i]);
		g_assert_cmpuint(queue_pop(&queue)->index, ==, expected[i]);
	}
	g_assert_null(queue_pop(&queue));
	queue_clear(&queue);
}

static void test_due_order(void)
{
	enum { N = 1000 };
	static const struct step step = { .action = ACTION_CREATE };
	g_autofree struct item *items = g_new0(struct item, N);
	g_autoptr(GRand) random = g_rand_new_with_seed(11);
	struct queue queue;
	queue_init(&queue, item_order_due);
	for (size_t i = 0; i < N; i++) {
		items[i] = (struct item) { .step = &step, .index = i, .due_us = g_rand_int_range(random, 0, 50) };
		queue_push(&queue, &items[i]);
	}
	const struct item *before = NULL;
	for (size_t i = 0; i < N; i++) {
		const struct item *item = queue_pop(&queue);
		if (before) {
			g_assert_cmpint(before->due_us, <=, item->due_us);
			g_assert_true(before->due_us < item->due_us || before->index < item->index);
		}
		before = item;
	}
	queue_clear(&queue);
}

static void test_memory(void)
{
	g_autoptr(GHashTable) memories = memories_new();
	const struct step steps[] = {
		{ .key = "vnfc/a.b.0", .action = ACTION_CREATE, .incarnation = 2 },
		{ .key = "vnfc/a.b.0", .action = ACTION_CLEAN, .incarnation = 1 },
		{ .key = "vnfc/a.b.1", .action = ACTION_CREATE, .incarnation = 1 },
	};
	g_assert_null(memory_get(memories, &steps[0]));
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
		memory_make(memories, &steps[i])->failures = (unsigned) i + 1;
	/* a leftover has its own */
	g_assert_cmpuint(memory_get(memories, &steps[0])->failures, ==, 1);
	g_assert_cmpuint(memory_get(memories, &steps[1])->failures, ==, 2);
	g_assert_true(memory_make(memories, &steps[1]) == memory_get(memories, &steps[1]));
	memory_drop(memories, &steps[1]);
	g_assert_null(memory_get(memories, &steps[1]));
	g_assert_nonnull(memory_get(memories, &steps[0]));
	memory_make(memories, &steps[1]);
	memories_forget(memories, "vnfc/a.b.0");
	g_assert_cmpuint(g_hash_table_size(memories), ==, 1);
	g_assert_nonnull(memory_get(memories, &steps[2]));
	const struct plan without = { .steps = steps, .n_steps = 2 };
	memories_keep(memories, &without);
	g_assert_cmpuint(g_hash_table_size(memories), ==, 0);
	memory_make(memories, &steps[0]);
	memories_forget(memories, NULL);
	g_assert_cmpuint(g_hash_table_size(memories), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/states", test_states);
	g_test_add_func("/exec/states/forbidden", test_forbidden_transition);
	g_test_add_func("/exec/retry/classes", test_retry_classes);
	g_test_add_func("/exec/retry/backoff", test_backoff);
	g_test_add_func("/exec/retry/jitter", test_jitter_spreads);
	g_test_add_func("/exec/queue/ready", test_ready_order);
	g_test_add_func("/exec/queue/due", test_due_order);
	g_test_add_func("/exec/memory", test_memory);
	return g_test_run();
}
