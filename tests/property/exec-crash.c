/* The controller is killed at every place where it can be: before a record, between the record and the act, in the middle of the act,
 * between the act and its outcome. What was in memory is thrown away; a new one looks, plans and converges. Nothing is leaked, nothing
 * is made twice, nothing of strangers is touched, and nothing acts that is not written down.
 */
#include "loop.h"

#include "model/key.h"

enum { SEEDS = 6, ROUNDS_MAX = 12 };

static guint32 first_seed(void)
{
	const char *text = g_getenv("PLEACH_TEST_SEED");
	guint32 seed = text ? (guint32) g_ascii_strtoull(text, NULL, 10) : 1;
	g_test_message("seeds from %u on (PLEACH_TEST_SEED)", seed);
	return seed;
}

enum death {
	BEFORE_RECORD, /* acts of the transaction before may have ended: their outcomes are lost too */
	BEFORE_ACT,    /* it is written down, and never begun */
	WITHIN_ACT,    /* it is written down, and half done */
	N_DEATHS,
};

static const char *const death_names[] = { "before the record", "before the act", "within the act" };

struct scenario {
	const char *name;
	/* Brings the world to where it starts; then what is to be reached. */
	struct network *(*prepare)(struct loop *loop, guint32 seed);
};

static struct network *from_nothing(struct loop *loop, guint32 seed)
{
	return loop_network(seed, 0, 3);
}

static struct network *to_next_revision(struct loop *loop, guint32 seed)
{
	auto_ptr(network) before = loop_network(seed, 0, 3);
	g_assert_true(loop_converge(loop, before, ROUNDS_MAX));
	loop_crash(loop);
	return loop_network(seed, 1, 3);
}

static struct network *to_nothing(struct loop *loop, guint32 seed)
{
	auto_ptr(network) before = loop_network(seed, 0, 3);
	g_assert_true(loop_converge(loop, before, ROUNDS_MAX));
	loop_crash(loop);
	return loop_network_empty();
}

/* Every second VNFC has died: the next incarnations take their places. */
static struct network *to_recovery(struct loop *loop, guint32 seed)
{
	struct network *network = loop_network(seed, 0, 3);
	g_assert_true(loop_converge(loop, network, ROUNDS_MAX));
	for (size_t i = 0; i < network->objects.n; i += 2) {
		const struct object *object = network->objects.items[i];
		if (key_is_kind(object->key, "vnfc"))
			fake_world_kill_vnfc(loop->world, object->site, object->key, "signal 9 (Killed)");
		else if (key_is_kind(object->key, "link"))
			fake_world_delete_link(loop->world, object->site, object->key);
	}
	loop_crash(loop);
	return network;
}

/* How many VNFCs are to be made in the end, by the plan of a world that nobody disturbs. */
static struct fake_counts undisturbed(const struct scenario *scenario, guint32 seed, size_t *ret_commits)
{
	auto_ptr(loop) loop = loop_new(seed);
	loop->replaces = seed % 2;
	auto_ptr(network) network = scenario->prepare(loop, seed);
	fake_world_reset_counts(loop->world);
	size_t before = loop->commits;
	g_assert_true(loop_converge(loop, network, ROUNDS_MAX));
	loop_check(loop, network);
	*ret_commits = loop->commits - before;
	struct fake_counts counts = fake_world_counts(loop->world);
	loop_crash(loop);
	return counts;
}

static void kill_at(const struct scenario *scenario, guint32 seed, enum death death, size_t commit, const struct fake_counts *expected)
{
	auto_ptr(loop) loop = loop_new(seed);
	loop->replaces = seed % 2;
	auto_ptr(network) network = scenario->prepare(loop, seed);
	fake_world_add_stranger(loop->world, "berlin", "bridge br0", NULL);
	fake_world_reset_counts(loop->world);
	size_t at = loop->commits + commit;
	if (death == BEFORE_RECORD)
		loop->dies_at = at;
	else
		loop->refuses_acts_at = at;
	loop->half_acts = death == WITHIN_ACT;
	bool reached = loop_converge(loop, network, ROUNDS_MAX);
	/* the last transaction may hold outcomes only; then there was nothing left to kill */
	if (reached)
		loop_check(loop, network);
	loop_crash(loop);
	if (!loop_converge(loop, network, ROUNDS_MAX)) {
		for (size_t i = 0; i < loop->plan->n_steps; i++)
			g_printerr("left: %s %s %u\n", action_name(loop->plan->steps[i].action), loop->plan->steps[i].key,
				   loop->plan->steps[i].incarnation);
		g_error("%s, seed %u, killed %s %zu: does not converge", scenario->name, seed, death_names[death], commit);
	}
	loop_check(loop, network);
	g_assert_cmpuint(loop->observed->n_strangers, ==, 1);
	struct fake_counts counts = fake_world_counts(loop->world);
	g_assert_cmpuint(counts.twice, ==, 0);
	/* half done things are finished or replaced; but where whole acts are lost or kept, not one thing more is made */
	if (death != WITHIN_ACT)
		g_assert_cmpuint(counts.created, ==, expected->created);
	if (death != WITHIN_ACT)
		g_assert_cmpuint(counts.removed, ==, expected->removed);
	loop_crash(loop);
}

static void test_scenario(gconstpointer data)
{
	const struct scenario *scenario = data;
	guint32 from = first_seed();
	size_t kills = 0;
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		size_t commits = 0;
		struct fake_counts expected = undisturbed(scenario, seed, &commits);
		for (size_t commit = 1; commit <= commits; commit++)
			for (enum death death = 0; death < N_DEATHS; death++, kills++)
				kill_at(scenario, seed, death, commit, &expected);
	}
	g_test_message("%s: killed %zu times", scenario->name, kills);
	g_assert_cmpuint(kills, >, SEEDS * N_DEATHS);
}

/* Killed, and killed again while it recovers, and again. */
static void test_killed_again_and_again(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		for (unsigned revision = 0; revision < 3; revision++) {
			auto_ptr(network) network = loop_network(seed, revision, 3);
			fake_world_reset_counts(loop->world); /* what was taken away before may come again */
			for (unsigned turn = 0; turn < 12; turn++) {
				if (turn % 3 == 0)
					loop->dies_at = loop->commits + 1 + turn % 4;
				else
					loop->refuses_acts_at = loop->commits + 1 + turn % 2;
				loop->half_acts = turn % 3 == 2;
				loop_converge(loop, network, ROUNDS_MAX);
				loop_crash(loop);
			}
			g_assert_true(loop_converge(loop, network, ROUNDS_MAX));
			loop_check(loop, network);
			g_assert_cmpuint(fake_world_counts(loop->world).twice, ==, 0);
			loop_crash(loop);
		}
	}
}

/* With the database lost in the crash as well. */
static void test_killed_without_database(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(network) network = loop_network(seed, 0, 3);
		for (size_t commit = 1; commit <= 6; commit++) {
			auto_ptr(loop) loop = loop_new(seed);
			loop->replaces = seed % 2;
			loop->refuses_acts_at = commit;
			loop->half_acts = commit % 2;
			loop_converge(loop, network, ROUNDS_MAX);
			loop_crash(loop);
			g_hash_table_remove_all(loop->applied);
			g_hash_table_remove_all(loop->operations);
			g_assert_true(loop_converge(loop, network, ROUNDS_MAX));
			loop_check(loop, network);
			loop_crash(loop);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct scenario scenarios[] = {
		{ "from-nothing", from_nothing },
		{ "next-revision", to_next_revision },
		{ "to-nothing", to_nothing },
		{ "recovery", to_recovery },
	};
	g_test_init(&argc, &argv, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(scenarios); i++) {
		g_autofree char *path = g_strdup_printf("/exec/crash/%s", scenarios[i].name);
		g_test_add_data_func(path, &scenarios[i], test_scenario);
	}
	g_test_add_func("/exec/crash/again-and-again", test_killed_again_and_again);
	g_test_add_func("/exec/crash/without-database", test_killed_without_database);
	return g_test_run();
}
