/* What is held: nothing is done to it, whatever else happens and whatever the revisions say; what is not held comes to rest beside it; and
 * when the hold is taken away, all converges.
 */
#include "loop.h"

#include "model/key.h"

#include <string.h>

enum { SEEDS = 25, REVISIONS = 4, ROUNDS_MAX = 12 };

static guint32 hold_seed;

/* Some services whole, and some objects one by one. */
static const char *some_are_held(const char *key, struct arena *arena, void *data)
{
	g_autofree char *service = g_strndup(key_path(key), strcspn(key_path(key), "."));
	bool held = (g_str_hash(service) ^ hold_seed) % 4 == 0 || (g_str_hash(key) ^ (hold_seed * 31)) % 7 == 0;
	return held ? arena_printf(arena, "seed %u", hold_seed) : NULL;
}

static void watch(struct loop *loop, const struct fake_event *event, void *data)
{
	if (event->ends || event->call == FAKE_OBSERVE || event->call == FAKE_OBSERVE_NF || !event->key || !loop->held)
		return;
	auto_ptr(arena) arena = arena_new();
	g_assert_null(some_are_held(event->key, arena, loop));
}

static void disturb(struct loop *loop, GRand *random, const struct network *network)
{
	const struct object *object = network->objects.items[g_rand_int_range(random, 0, (gint32) network->objects.n)];
	int how = g_rand_int_range(random, 0, 3);
	if (key_is_kind(object->key, "link"))
		fake_world_set_mtu(loop->world, object->site, object->key, NULL, 1280);
	else if (key_is_kind(object->key, "nf"))
		fake_world_fail_nf(loop->world, object->site, object->key, "signal 9 (Killed)");
	else if (how == 0)
		fake_world_kill_vnfc(loop->world, object->site, object->key, "signal 9 (Killed)");
	else if (how == 1)
		fake_world_lose_vnfc(loop->world, object->site, object->key);
	else
		fake_world_set_mtu(loop->world, object->site, object->key, "cp0", 1281);
}

static void check_held(const struct plan *plan, struct loop *loop)
{
	auto_ptr(arena) arena = arena_new();
	size_t n_held = 0;
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (some_are_held(step->key, arena, loop))
			g_assert_nonnull(step->held);
		for (size_t a = 0; a < step->n_after; a++)
			if (plan->steps[step->after[a]].held)
				g_assert_nonnull(step->held);
		n_held += step->held != NULL;
		if (step->held && loop->exec)
			g_assert_true(!exec_operation(loop->exec, i));
	}
	g_assert_cmpuint(n_held, ==, plan->n_held);
}

/* Until only held steps are left. */
static void must_rest(struct loop *loop, const struct network *network)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		loop_observe(loop, network);
		loop_plan(loop, network);
		g_assert_true(loop_round(loop));
		check_held(loop->plan, loop);
		if (loop->plan->n_held == loop->plan->n_steps) {
			g_assert_true(exec_is_done(loop->exec) && exec_succeeded(loop->exec));
			g_assert_cmpint(exec_next_look(loop->exec), ==, -1);
			return;
		}
		gint64 look_us = exec_next_look(loop->exec);
		loop->now_us = MAX(loop->now_us, look_us);
	}
	g_error("seed %u: does not come to rest", hold_seed);
}

static void test_held(void)
{
	size_t n_held = 0;
	for (hold_seed = 1; hold_seed <= SEEDS; hold_seed++) {
		g_autoptr(GRand) random = g_rand_new_with_seed(hold_seed);
		auto_ptr(loop) loop = loop_new(hold_seed);
		loop->replaces = hold_seed % 2;
		loop->on_act = watch;
		for (unsigned revision = 0; revision < REVISIONS; revision++) {
			auto_ptr(network) network = loop_network(hold_seed, revision, 3);
			loop->held = some_are_held;
			must_rest(loop, network);
			for (int i = 0; i < 3 && network->objects.n; i++)
				disturb(loop, random, network);
			must_rest(loop, network);
			n_held += loop->plan->n_held;
			loop->held = NULL;
			g_assert_true(loop_converge(loop, network, ROUNDS_MAX));
			loop_check(loop, network);
			loop_crash(loop);
		}
		auto_ptr(network) nothing = loop_network_empty();
		loop->held = some_are_held;
		must_rest(loop, nothing);
		loop->held = NULL;
		g_assert_true(loop_converge(loop, nothing, ROUNDS_MAX));
		loop_check(loop, nothing);
		loop_crash(loop);
	}
	g_assert_cmpuint(n_held, >, 0);
}

/* What failed and is held then waits for no time; what is not held any more is tried again. */
static void test_failed_then_held(void)
{
	hold_seed = 1;
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = loop_network(1, 0, 3);
	auto_ptr(arena) arena = arena_new();
	const char *key = NULL;
	for (size_t i = 0; i < network->objects.n && !key; i++)
		if (some_are_held(network->objects.items[i]->key, arena, loop) && key_is_kind(network->objects.items[i]->key, "link"))
			key = network->objects.items[i]->key;
	g_assert_nonnull(key);
	const struct fake_fault fault = { .call = FAKE_ENSURE_LINK, .key = key, .how = FAKE_BEFORE, .code = PLEACH_ERROR_RETRY };
	fake_world_fault(loop->world, &fault);
	g_assert_false(loop_converge(loop, network, 2));
	g_assert_cmpint(exec_next_look(loop->exec), >, 0);
	loop->held = some_are_held;
	must_rest(loop, network);
	fake_world_heal(loop->world);
	loop->held = NULL;
	g_assert_true(loop_converge(loop, network, ROUNDS_MAX));
	loop_check(loop, network);
	loop_crash(loop);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/held/never-acted-on", test_held);
	g_test_add_func("/exec/held/failed-before", test_failed_then_held);
	return g_test_run();
}
