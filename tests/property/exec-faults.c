/* Faults by chance and on demand: things that fail, that succeed unseen, that are half done; cancelling at any time. In the end the
 * network is as it should be.
 */
#include "loop.h"

#include "base/clock.h"
#include "model/key.h"

#include <string.h>

enum { SEEDS = 12, ROUNDS_MAX = 60 };

static guint32 first_seed(void)
{
	const char *text = g_getenv("PLEACH_TEST_SEED");
	guint32 seed = text ? (guint32) g_ascii_strtoull(text, NULL, 10) : 1;
	g_test_message("seeds from %u on (PLEACH_TEST_SEED)", seed);
	return seed;
}

static void test_by_chance(void)
{
	guint32 from = first_seed();
	size_t failures = 0;
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		for (unsigned revision = 0; revision < 3; revision++) {
			auto_ptr(network) network = loop_network(seed, revision, 3);
			fake_world_reset_counts(loop->world); /* what was taken away before may come again */
			fake_world_random_faults(loop->world, 300, seed);
			size_t records = loop->records;
			if (!loop_converge(loop, network, ROUNDS_MAX))
				g_error("seed %u: does not converge through faults", seed);
			failures += loop->records - records;
			loop_check(loop, network);
			g_assert_cmpuint(fake_world_counts(loop->world).twice, ==, 0);
			loop_crash(loop); /* heals */
		}
		auto_ptr(network) nothing = loop_network_empty();
		fake_world_random_faults(loop->world, 300, seed);
		g_assert_true(loop_converge(loop, nothing, ROUNDS_MAX));
		loop_check(loop, nothing);
		loop_crash(loop);
	}
	g_assert_cmpuint(failures, >, 0);
}

/* Every single call, in turn, fails in every way once. */
static void test_each_call_once(void)
{
	static const enum pleach_error codes[] = { PLEACH_ERROR_RETRY, PLEACH_ERROR_TIMEOUT, PLEACH_ERROR_CONFLICT,
						   PLEACH_ERROR_NOT_FOUND, PLEACH_ERROR_AUTH, PLEACH_ERROR_CANCELLED };
	auto_ptr(network) network = loop_network(2, 0, 2);
	auto_ptr(network) next = loop_network(2, 1, 2);
	for (enum fake_call which = FAKE_ENSURE_LINK; which < FAKE_N_CALLS; which++)
		for (unsigned nth = 1; nth <= 4; nth++)
			for (enum fake_how how = FAKE_BEFORE; how < FAKE_HANG; how++)
				for (size_t c = 0; c < G_N_ELEMENTS(codes); c++) {
					auto_ptr(loop) loop = loop_new(nth);
					fake_world_fault(loop->world, &(struct fake_fault) { .call = which, .nth = nth, .times = 1,
											     .how = how, .code = codes[c] });
					g_assert_true(loop_converge(loop, network, 8));
					loop_check(loop, network);
					g_assert_true(loop_converge(loop, next, 8));
					loop_check(loop, next);
					g_assert_cmpuint(fake_world_counts(loop->world).twice, ==, 0);
					loop_crash(loop);
				}
}

/* An object that cannot be made blocks what depends on it, and nothing else. */
static void test_blocks_only_dependents(void)
{
	auto_ptr(network) network = loop_network(2, 0, 3);
	for (size_t bad = 0; bad < network->objects.n; bad++) {
		const struct object *failing = network->objects.items[bad];
		auto_ptr(arena) arena = arena_new();
		auto_ptr(loop) loop = loop_new((guint32) bad);
		fake_world_fault(loop->world, &(struct fake_fault) { .call = FAKE_N_CALLS, .key = failing->key, .how = FAKE_BEFORE,
								     .code = PLEACH_ERROR_PERMANENT });
		loop_observe(loop, network);
		loop_plan(loop, network);
		g_assert_true(loop_round(loop));
		/* the closure of what waits for it, by the plan's own order */
		g_autofree bool *blocked = g_new0(bool, loop->plan->n_steps);
		for (size_t i = 0; i < loop->plan->n_steps; i++) {
			const struct step *step = &loop->plan->steps[i];
			blocked[i] = !strcmp(step->key, failing->key);
			for (size_t a = 0; a < step->n_after; a++)
				blocked[i] = blocked[i] || blocked[step->after[a]];
			const struct operation *operation = exec_operation(loop->exec, i);
			if (!blocked[i])
				g_assert_true(operation && operation->state == OP_COMPLETED);
			else if (!strcmp(step->key, failing->key))
				g_assert_true(operation && operation->state == OP_FAILED);
			else
				g_assert_null(operation);
		}
		/* and with the cause gone, all comes; a new controller has no grudges */
		loop_crash(loop);
		g_assert_true(loop_converge(loop, network, 8));
		loop_check(loop, network);
		loop_crash(loop);
	}
}

/* Cancelled after so many acts; then a newer plan is carried out. */
static void test_cancel_anywhere(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		fake_world_random_faults(loop->world, 100, seed);
		for (unsigned revision = 0; revision < 6; revision++) {
			auto_ptr(network) network = loop_network(seed, revision, 3);
			loop_observe(loop, network);
			loop_plan(loop, network);
			exec_start(loop->exec, loop->plan, loop->observed, loop->now_us);
			for (unsigned turn = 0; turn < 1 + (seed + revision) % 6 && !exec_is_done(loop->exec); turn++)
				loop_turn(loop);
			exec_cancel(loop->exec);
			size_t acts = loop_acts(loop);
			while (!exec_is_done(loop->exec))
				loop_turn(loop);
			g_assert_cmpuint(loop_acts(loop), <=, acts + 8); /* what was in flight may just have begun */
			g_assert_cmpuint(exec_count(loop->exec, OP_PROCESSING), ==, 0);
			g_assert_cmpuint(exec_count(loop->exec, OP_STARTING), ==, 0);
		}
		auto_ptr(network) last = loop_network(seed, 6, 3);
		g_assert_true(loop_converge(loop, last, ROUNDS_MAX));
		loop_check(loop, last);
		loop_crash(loop);
	}
}

/* A call that hangs is ended by cancelling, at once. */
static void test_cancel_hanging(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = loop_network(2, 0, 2);
	fake_world_fault(loop->world, &(struct fake_fault) { .call = FAKE_ENSURE_LINK, .times = 0, .how = FAKE_HANG });
	loop_observe(loop, network);
	loop_plan(loop, network);
	exec_start(loop->exec, loop->plan, loop->observed, loop->now_us);
	exec_run(loop->exec, loop->now_us);
	g_assert_cmpuint(exec_count(loop->exec, OP_PROCESSING), >, 0);
	gint64 from_us = clock_monotonic_us();
	exec_cancel(loop->exec);
	while (!exec_is_done(loop->exec))
		loop_turn(loop);
	g_assert_cmpint(clock_monotonic_us() - from_us, <, 5 * G_USEC_PER_SEC);
	g_assert_cmpuint(exec_count(loop->exec, OP_CANCELLED), >, 0);
	fake_world_heal(loop->world);
	g_assert_true(loop_converge(loop, network, 8));
	loop_check(loop, network);
	loop_crash(loop);
}

/* A call that hangs ends at its deadline, and is tried again after a look. */
static void test_deadline(void)
{
	auto_ptr(loop) loop = loop_new(1);
	loop->timeout_us = 20 * 1000;
	auto_ptr(network) network = loop_network(2, 0, 1);
	fake_world_fault(loop->world, &(struct fake_fault) { .call = FAKE_ENSURE_LINK, .nth = 1, .times = 1, .how = FAKE_HANG });
	g_assert_true(loop_converge(loop, network, 8));
	loop_check(loop, network);
	loop_crash(loop);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/faults/by-chance", test_by_chance);
	g_test_add_func("/exec/faults/each-call", test_each_call_once);
	g_test_add_func("/exec/faults/blocks-only-dependents", test_blocks_only_dependents);
	g_test_add_func("/exec/faults/cancel-anywhere", test_cancel_anywhere);
	g_test_add_func("/exec/faults/cancel-hanging", test_cancel_hanging);
	g_test_add_func("/exec/faults/deadline", test_deadline);
	return g_test_run();
}
