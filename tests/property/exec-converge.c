/* For networks by chance: applying plan(desired, observed) to the world gives desired; the second plan is empty; every revision follows
 * from the one before; removal goes backwards; nothing of strangers is touched; the limits hold.
 */
#include "loop.h"

#include "model/key.h"

#include <string.h>

enum { SEEDS = 25, REVISIONS = 5, ROUNDS_MAX = 12 };

static guint32 first_seed(void)
{
	const char *text = g_getenv("PLEACH_TEST_SEED");
	guint32 seed = text ? (guint32) g_ascii_strtoull(text, NULL, 10) : 1;
	g_test_message("seeds from %u on (PLEACH_TEST_SEED)", seed);
	return seed;
}

static void must_converge(struct loop *loop, const struct network *network, guint32 seed, unsigned revision)
{
	if (!loop_converge(loop, network, ROUNDS_MAX)) {
		for (size_t i = 0; i < loop->plan->n_steps; i++) {
			const struct operation *operation = exec_operation(loop->exec, i);
			const struct step *step = &loop->plan->steps[i];
			g_printerr("%s %s %u: %s %s\n", action_name(step->action), step->key, step->incarnation,
				   operation ? op_state_name(operation->state) : "-", operation && operation->error ? operation->error : "");
			for (size_t k = 0; k < step->n_changes; k++)
				g_printerr("    %s\n", step->changes[k].path);
		}
		g_error("seed %u, revision %u: does not converge", seed, revision);
	}
	loop_check(loop, network);
}

static void test_revisions(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		loop->max_parallel = seed % 4; /* 0: the drivers' own */
		for (unsigned revision = 0; revision < REVISIONS; revision++) {
			auto_ptr(network) network = loop_network(seed, revision, 1 + seed % 4);
			must_converge(loop, network, seed, revision);
			g_assert_cmpuint(loop->plan->n_steps, ==, 0);
			g_assert_cmpuint(loop->plan->n_unplanned, ==, 0);
			loop_crash(loop);
		}
		auto_ptr(network) nothing = loop_network_empty();
		must_converge(loop, nothing, seed, REVISIONS);
		g_assert_cmpuint(g_hash_table_size(loop->applied), ==, 0);
		struct fake_counts counts = fake_world_counts(loop->world);
		g_assert_cmpuint(counts.created, >=, counts.removed);
		loop_crash(loop);
	}
}

/* Without a database the network is found again, and nothing has to be done. */
static void test_database_lost(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		auto_ptr(network) network = loop_network(seed, 0, 3);
		must_converge(loop, network, seed, 0);
		size_t acts = loop_acts(loop);
		loop_crash(loop);
		g_hash_table_remove_all(loop->applied);
		must_converge(loop, network, seed, 0);
		g_assert_cmpuint(loop_acts(loop), ==, acts);
		/* and can be taken away without it */
		auto_ptr(network) nothing = loop_network_empty();
		loop_crash(loop);
		g_hash_table_remove_all(loop->applied);
		must_converge(loop, nothing, seed, 1);
		loop_crash(loop);
	}
}

/* --- drift --------------------------------------------------------------------------------------------------------------- */

static void disturb(struct loop *loop, GRand *random, const struct network *network)
{
	const struct object *object = network->objects.items[g_rand_int_range(random, 0, (gint32) network->objects.n)];
	const char *key = object->key, *site = object->site;
	int how = g_rand_int_range(random, 0, 6);
	if (key_is_kind(key, "link")) {
		if (how < 3)
			fake_world_delete_link(loop->world, site, key);
		else
			fake_world_set_mtu(loop->world, site, key, NULL, 1280);
	} else if (key_is_kind(key, "vnfc")) {
		if (how == 0)
			fake_world_kill_vnfc(loop->world, site, key, "signal 9 (Killed)");
		else if (how == 1)
			fake_world_lose_vnfc(loop->world, site, key);
		else if (how == 2)
			fake_world_delete_cp(loop->world, site, key, "cp0");
		else if (how == 3)
			fake_world_set_address(loop->world, site, key, "cp0", "192.0.2.1");
		else if (how == 4)
			fake_world_set_mtu(loop->world, site, key, "cp0", 1281);
		else
			fake_world_set_memory(loop->world, site, key, 4096);
	} else {
		if (how < 3)
			fake_world_fail_nf(loop->world, site, key, "signal 9 (Killed)");
		else
			fake_world_write_file(loop->world, site, key, "/etc/main.conf", how == 3 ? NULL : "edited\n");
	}
}

static void test_drift(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		g_autoptr(GRand) random = g_rand_new_with_seed(seed);
		auto_ptr(network) network = loop_network(seed, 0, 3);
		must_converge(loop, network, seed, 0);
		for (unsigned round = 0; round < 6; round++) {
			for (int i = g_rand_int_range(random, 1, 4); i > 0; i--)
				disturb(loop, random, network);
			must_converge(loop, network, seed, round);
		}
		loop_crash(loop);
	}
}

/* A recovered instance has the addresses that it had. */
static void test_recovered_keeps_addresses(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		auto_ptr(arena) arena = arena_new();
		auto_ptr(network) network = loop_network(seed, 0, 2);
		must_converge(loop, network, seed, 0);
		for (size_t i = 0; i < network->objects.n; i++) {
			const struct object *object = network->objects.items[i];
			if (!key_is_kind(object->key, "vnfc"))
				continue;
			const struct vnfc *before = fake_world_vnfc(loop->world, object->site, object->key, arena);
			if (i % 2)
				fake_world_kill_vnfc(loop->world, object->site, object->key, "exit status 1");
			else
				fake_world_lose_vnfc(loop->world, object->site, object->key);
			must_converge(loop, network, seed, 0);
			const struct vnfc *after = fake_world_vnfc(loop->world, object->site, object->key, arena);
			g_assert_cmpint(before->pid, !=, after->pid);
			for (size_t k = 0; k < before->n_cps; k++)
				g_assert_cmpstr(before->cps[k].addresses[0], ==, after->cps[k].addresses[0]);
		}
		loop_crash(loop);
	}
}

static struct network *with_neighbour(const char *neighbours_address)
{
	static const char *const cps[] = { "lan=link/a.net", NULL };
	struct loop_builder builder;
	loop_builder_init(&builder);
	loop_add_link(&builder, "link/a.net", "berlin", "10.1.0.0/24", 1500);
	if (neighbours_address)
		loop_add_vnfc(&builder, "vnfc/a.a.0", "berlin", 1 << 26, neighbours_address, cps);
	loop_add_vnfc(&builder, "vnfc/a.x.0", "berlin", 1 << 26, NULL, cps);
	return loop_build(&builder, neighbours_address ? "aaaaaaaaaa" : "bbbbbbbbbb");
}

static const char *address_of_x(struct loop *loop, struct arena *arena)
{
	return fake_world_vnfc(loop->world, "berlin", "vnfc/a.x.0", arena)->cps[0].addresses[0];
}

/* … also where it would get another one if it came anew; with the record of it, or, with the database lost, by what stands there. */
static void test_recovered_keeps_later_address(void)
{
	for (int without_database = 0; without_database < 2; without_database++) {
		auto_ptr(arena) arena = arena_new();
		auto_ptr(network) alone = with_neighbour(NULL);
		auto_ptr(loop) first = loop_new(1);
		must_converge(first, alone, 1, 0);
		const char *favourite = address_of_x(first, arena);
		loop_crash(first);
		g_clear_pointer(&first, loop_free);

		auto_ptr(loop) loop = loop_new(1);
		loop->max_parallel = 1;
		auto_ptr(network) both = with_neighbour(favourite);
		must_converge(loop, both, 1, 0);
		const char *second = address_of_x(loop, arena);
		g_assert_cmpstr(second, !=, favourite);
		must_converge(loop, alone, 1, 1);
		g_assert_cmpstr(address_of_x(loop, arena), ==, second);
		if (without_database)
			g_hash_table_remove_all(loop->applied);
		fake_world_kill_vnfc(loop->world, "berlin", "vnfc/a.x.0", "exit status 1");
		must_converge(loop, alone, 1, 1);
		g_assert_cmpstr(address_of_x(loop, arena), ==, second);
		loop_crash(loop);
	}
}

static struct network *all_on(const char *site)
{
	static const char *const cps[] = { "lan=link/a.net", NULL };
	struct loop_builder builder;
	loop_builder_init(&builder);
	loop_add_link(&builder, "link/a.net", site, "10.1.0.0/24", 1500);
	loop_add_vnfc(&builder, "vnfc/a.x.0", site, 1 << 26, NULL, cps);
	loop_add_nf(&builder, "nf/a.x.0", site, "text", NULL, NULL);
	return loop_build(&builder, site);
}

/* A service that moves to another site is made there and taken away here. */
static void test_moves_to_another_site(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) berlin = all_on("berlin");
	auto_ptr(network) paris = all_on("paris");
	must_converge(loop, berlin, 1, 0);
	must_converge(loop, paris, 1, 1);
	g_assert_cmpuint(fake_world_incarnations(loop->world, "berlin", "vnfc/a.x.0"), ==, 0);
	g_assert_cmpuint(fake_world_incarnations(loop->world, "berlin", "link/a.net"), ==, 0);
	must_converge(loop, berlin, 1, 2);
	loop_crash(loop);
}

/* --- order --------------------------------------------------------------------------------------------------------------- */

struct order {
	pthread_mutex_t mutex;
	GHashTable *gone; /* keys whose removal has ended */
	struct network *network;
	bool ends_backwards;
};

static void watch_order(struct loop *loop, const struct fake_event *event, void *data)
{
	struct order *order = data;
	const struct object *object = event->key ? objects_find(order->network->objects, event->key) : NULL;
	if (!object)
		return;
	pthread_mutex_lock(&order->mutex);
	if (event->ends && event->good && event->call == FAKE_REMOVE)
		g_hash_table_add(order->gone, g_strdup(event->key));
	/* a link may go only after every VNFC that was on it */
	if (!event->ends && event->call == FAKE_REMOVE && key_is_kind(event->key, "link"))
		for (size_t i = 0; i < order->network->objects.n; i++) {
			const struct object *other = order->network->objects.items[i];
			if (key_is_kind(other->key, "vnfc") && g_strv_contains(other->depends, event->key)
			    && !g_hash_table_contains(order->gone, other->key))
				order->ends_backwards = false;
		}
	pthread_mutex_unlock(&order->mutex);
}

static void test_removal_order(void)
{
	guint32 from = first_seed();
	for (guint32 seed = from; seed < from + SEEDS; seed++) {
		auto_ptr(loop) loop = loop_new(seed);
		loop->replaces = seed % 2;
		auto_ptr(network) network = loop_network(seed, 0, 4);
		auto_ptr(network) nothing = loop_network_empty();
		must_converge(loop, network, seed, 0);
		struct order order = { .network = network, .ends_backwards = true };
		pthread_mutex_init(&order.mutex, NULL);
		order.gone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
		loop->on_act = watch_order;
		loop->data = &order;
		loop_observe(loop, nothing);
		loop_plan(loop, nothing);
		g_assert_true(loop_round(loop));
		g_assert_true(exec_succeeded(loop->exec)); /* backwards, so that nothing was in the way: no retry, no conflict */
		g_assert_true(order.ends_backwards);
		loop->on_act = NULL;
		loop_check(loop, nothing);
		g_hash_table_unref(order.gone);
		pthread_mutex_destroy(&order.mutex);
		loop_crash(loop);
	}
}

/* --- limits, strangers --------------------------------------------------------------------------------------------------- */

static void test_limits(void)
{
	for (unsigned limit = 1; limit <= 3; limit++) {
		auto_ptr(loop) loop = loop_new(limit);
		loop->max_parallel = limit;
		fake_world_set_latency(loop->world, 300);
		auto_ptr(network) network = loop_network(7, 0, 6);
		must_converge(loop, network, 7, 0);
		g_assert_cmpuint(fake_world_counts(loop->world).most_at_once, <=, limit);
		loop_crash(loop);
	}
}

static void test_strangers(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = loop_network(3, 0, 3);
	auto_ptr(network) nothing = loop_network_empty();
	fake_world_add_stranger(loop->world, "berlin", "bridge pl0123456789ab", NULL);
	fake_world_add_stranger(loop->world, "paris", "vnfc web (owner nobody)", NULL);
	must_converge(loop, network, 3, 0);
	must_converge(loop, nothing, 3, 0);
	g_assert_cmpuint(loop->observed->n_strangers, ==, 2);
	loop_crash(loop);
}

/* A stranger stands in the way of a link: only what needs that link waits; when it is gone, all comes. */
static void test_stranger_in_the_way(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = loop_network(3, 0, 3);
	fake_world_add_stranger(loop->world, "berlin", "bridge", "link/s0.net0");
	fake_world_add_stranger(loop->world, "paris", "bridge", "link/s0.net0");
	g_assert_false(loop_converge(loop, network, 3));
	auto_ptr(arena) arena = arena_new();
	for (size_t i = 0; i < network->objects.n; i++) {
		const struct object *object = network->objects.items[i];
		bool is_there = key_is_kind(object->key, "link") ? fake_world_link(loop->world, object->site, object->key, arena) != NULL
			       : key_is_kind(object->key, "vnfc") ? fake_world_vnfc(loop->world, object->site, object->key, arena) != NULL
								  : true;
		bool blocked = !strcmp(object->key, "link/s0.net0") || g_strv_contains(object->depends, "link/s0.net0");
		g_assert_true(is_there == !blocked);
	}
	fake_world_drop_strangers(loop->world);
	must_converge(loop, network, 3, 0);
	loop_crash(loop);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/converge/revisions", test_revisions);
	g_test_add_func("/exec/converge/database-lost", test_database_lost);
	g_test_add_func("/exec/converge/drift", test_drift);
	g_test_add_func("/exec/converge/recovered", test_recovered_keeps_addresses);
	g_test_add_func("/exec/converge/recovered-later", test_recovered_keeps_later_address);
	g_test_add_func("/exec/converge/moves", test_moves_to_another_site);
	g_test_add_func("/exec/converge/removal-order", test_removal_order);
	g_test_add_func("/exec/converge/limits", test_limits);
	g_test_add_func("/exec/converge/strangers", test_strangers);
	g_test_add_func("/exec/converge/stranger-in-the-way", test_stranger_in_the_way);
	return g_test_run();
}
