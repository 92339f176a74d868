/* The look: sites in parallel, blind ones, chunks, leftovers, strangers, and looks at some keys only. */
#include "loop.h"

#include "base/clock.h"
#include "exec/internal.h"
#include "exec/look.h"

#include <poll.h>
#include <string.h>

static const char *const cp_lan[] = { "lan=link/a.net", NULL };

static struct network *two_sites(void)
{
	static const char *const cp_wan[] = { "wan=link/b.net", NULL };
	struct loop_builder builder;
	loop_builder_init(&builder);
	loop_add_link(&builder, "link/a.net", "berlin", "10.1.0.0/24", 1500);
	loop_add_vnfc(&builder, "vnfc/a.x.0", "berlin", 1 << 26, NULL, cp_lan);
	loop_add_nf(&builder, "nf/a.x.0", "berlin", "text", NULL, NULL);
	loop_add_link(&builder, "link/b.net", "paris", "10.2.0.0/24", 1500);
	loop_add_vnfc(&builder, "vnfc/b.x.0", "paris", 1 << 26, NULL, cp_wan);
	loop_add_nf(&builder, "nf/b.x.0", "paris", "text", NULL, NULL);
	return loop_build(&builder, "0123456789");
}

static void converge(struct loop *loop, const struct network *network)
{
	g_assert_true(loop_converge(loop, network, 10));
	loop_check(loop, network);
}

static const struct object *seen(struct loop *loop, const char *key)
{
	return objects_find(loop->observed->objects, key);
}

static void test_all(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = two_sites();
	loop_observe(loop, network);
	g_assert_cmpuint(loop->observed->objects.n, ==, 0);
	converge(loop, network);
	g_assert_cmpuint(loop->observed->objects.n, ==, 6);
	g_assert_cmpuint(loop->observed->n_accesses, ==, 2);
	g_assert_nonnull(observed_access(loop->observed, "vnfc/a.x.0"));
	g_assert_cmpuint(loop->observed->blind.n, ==, 0);
	g_assert_cmpint(loop->observed->wall_us, >, 0);
	g_assert_cmpint(value_equal(object_value(seen(loop, "nf/a.x.0"), "config.main.content"),
				    object_value(objects_find(network->objects, "nf/a.x.0"), "config.main.content")), ==, true);
}

/* A site that cannot be looked at is not an empty one. */
static void test_blind_site(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = two_sites();
	converge(loop, network);
	fake_world_fault(loop->world, &(struct fake_fault) { .call = FAKE_OBSERVE, .nth = 1, .times = 0, .how = FAKE_BEFORE,
							     .code = PLEACH_ERROR_AUTH, .text = "who are you?" });
	loop_observe(loop, network);
	g_assert_cmpuint(loop->observed->blind.n, ==, 2);
	g_assert_cmpstr(loop->observed->blind.sites[0], ==, "berlin");
	g_assert_nonnull(strstr(loop->observed->blind.reasons[1], "who are you?"));
	g_assert_true(observed_is_blind(loop->observed, "paris"));
	g_assert_cmpuint(loop->observed->objects.n, ==, 6);
	const struct object *desired = objects_find(network->objects, "vnfc/b.x.0"), *object = seen(loop, "vnfc/b.x.0");
	for (size_t i = 0; i < desired->n_fields; i++)
		g_assert_cmpint(object_value(object, desired->fields[i].path)->type, ==, VALUE_UNKNOWN);
	/* what was applied is unknown too, although nobody desires it any more */
	auto_ptr(network) nothing = loop_network_empty();
	loop_observe(loop, nothing);
	g_assert_cmpuint(loop->observed->objects.n, ==, 6);
	g_assert_cmpuint(seen(loop, "vnfc/b.x.0")->incarnation, ==, 1);
	loop_plan(loop, nothing);
	g_assert_cmpuint(loop->plan->n_steps, ==, 0); /* nothing is planned on what is not known */
	fake_world_heal(loop->world);
}

static void test_unreachable_ems(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = two_sites();
	converge(loop, network);
	fake_world_fault(loop->world, &(struct fake_fault) { .call = FAKE_OBSERVE_NF, .key = "nf/a.x.0", .how = FAKE_BEFORE,
							     .code = PLEACH_ERROR_RETRY });
	loop_observe(loop, network);
	const struct object *nf = seen(loop, "nf/a.x.0");
	g_assert_nonnull(nf);
	g_assert_cmpint(object_value(nf, "state")->type, ==, VALUE_UNKNOWN);
	g_assert_cmpint(object_value(nf, "config.main.content")->type, ==, VALUE_UNKNOWN);
	g_assert_cmpstr(object_string(seen(loop, "nf/b.x.0"), "state", ""), ==, "started");
	loop_plan(loop, network);
	g_assert_cmpuint(loop->plan->n_steps, ==, 0);
}

/* More NFs than go into one chunk: each is asked once, and all are there. */
static void test_chunks(void)
{
	enum { N = 2 * LOOK_CHUNK + 5 };
	auto_ptr(loop) loop = loop_new(1);
	struct loop_builder builder;
	loop_builder_init(&builder);
	loop_add_link(&builder, "link/a.net", "berlin", "10.1.0.0/24", 1500);
	for (int i = 0; i < N; i++) {
		g_autofree char *vnfc = g_strdup_printf("vnfc/a.x.%d", i), *nf = g_strdup_printf("nf/a.x.%d", i);
		loop_add_vnfc(&builder, vnfc, "berlin", 1 << 26, NULL, cp_lan);
		loop_add_nf(&builder, nf, "berlin", "text", NULL, NULL);
	}
	auto_ptr(network) network = loop_build(&builder, "0123456789");
	converge(loop, network);
	fake_world_reset_counts(loop->world);
	loop_observe(loop, network);
	g_assert_cmpuint(fake_world_counts(loop->world).calls[FAKE_OBSERVE_NF], ==, N);
	g_assert_cmpuint(fake_world_counts(loop->world).calls[FAKE_OBSERVE], ==, 2);
	g_assert_cmpuint(loop->observed->objects.n, ==, 2 * N + 1);
	/* the same at once, on this thread */
	auto_ptr(arena) arena = arena_new();
	const struct observe_input input = {
		.registry = &loop->registry, .lookup = &loop->lookup, .desired = network, .last = loop_last(loop, arena),
		.cancel_fd = -1, .deadline_us = clock_monotonic_us() + 10 * G_USEC_PER_SEC,
	};
	auto_ptr(observed) now = observe_now(&input);
	g_assert_cmpuint(now->objects.n, ==, 2 * N + 1);
	for (size_t i = 0; i < now->objects.n; i++)
		g_assert_cmpstr(object_digest(arena, now->objects.items[i]), ==, object_digest(arena, loop->observed->objects.items[i]));
}

static void ensure_incarnation(struct loop *loop, const struct network *network, unsigned incarnation)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct vim_ops *ops = NULL;
	struct vim *vim = loop->lookup.vim(&loop->lookup, "berlin", &ops, &error);
	const struct call call = { .deadline_us = clock_monotonic_us() + G_USEC_PER_SEC, .cancel_fd = -1 };
	struct vnfc *vnfc = (struct vnfc *) (guintptr) vnfc_from_object(arena, objects_find(network->objects, "vnfc/a.x.0"), &error);
	vnfc->incarnation = incarnation;
	g_assert_true(ops->ensure_vnfc(vim, &call, vnfc, arena, NULL, NULL, &error));
}

/* The highest that runs is the object; the others are leftovers, and are cleaned away. */
static void test_leftovers(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = two_sites();
	converge(loop, network);
	ensure_incarnation(loop, network, 2);
	ensure_incarnation(loop, network, 3);
	loop_observe(loop, network);
	g_assert_cmpuint(seen(loop, "vnfc/a.x.0")->incarnation, ==, 3);
	g_assert_cmpuint(loop->observed->n_leftovers, ==, 2);
	g_assert_cmpuint(loop->observed->leftovers[0].incarnation, ==, 1);
	g_assert_cmpuint(loop->observed->leftovers[1].incarnation, ==, 2);
	fake_world_kill_vnfc(loop->world, "berlin", "vnfc/a.x.0", "signal 9 (Killed)"); /* the third */
	loop_observe(loop, network);
	g_assert_cmpuint(seen(loop, "vnfc/a.x.0")->incarnation, ==, 2);
	g_assert_cmpuint(loop->observed->leftovers[1].incarnation, ==, 3);
	fake_world_kill_vnfc(loop->world, "berlin", "vnfc/a.x.0", "signal 9 (Killed)");
	fake_world_kill_vnfc(loop->world, "berlin", "vnfc/a.x.0", "signal 9 (Killed)");
	loop_observe(loop, network);
	g_assert_cmpuint(seen(loop, "vnfc/a.x.0")->incarnation, ==, 3); /* none runs: the highest */
	g_assert_cmpuint(loop->observed->n_leftovers, ==, 2);
	g_assert_null(observed_access(loop->observed, "vnfc/a.x.0"));
	loop->act_violations = 0; /* the calls above were the test's own */
	converge(loop, network);
	g_assert_cmpuint(fake_world_incarnations(loop->world, "berlin", "vnfc/a.x.0"), ==, 1);
}

static struct network *on_one_site(const char *site)
{
	struct loop_builder builder;
	loop_builder_init(&builder);
	loop_add_link(&builder, "link/a.net", site, "10.1.0.0/24", 1500);
	loop_add_vnfc(&builder, "vnfc/a.x.0", site, 1 << 26, NULL, cp_lan);
	return loop_build(&builder, site);
}

/* On two sites at once: the object is where it is desired, the other is a leftover there. */
static void test_on_two_sites(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) berlin = on_one_site("berlin");
	auto_ptr(network) paris = on_one_site("paris");
	converge(loop, berlin);
	auto_ptr(arena) arena = arena_new();
	const struct vim_ops *ops = NULL;
	struct vim *vim = loop->lookup.vim(&loop->lookup, "paris", &ops, NULL);
	const struct call call = { .deadline_us = clock_monotonic_us() + G_USEC_PER_SEC, .cancel_fd = -1 };
	for (size_t i = 0; i < paris->objects.n; i++) {
		const struct object *object = object_with_incarnation(arena, paris->objects.items[i], 1);
		if (i == 0)
			g_assert_true(ops->ensure_link(vim, &call, link_from_object(arena, object, NULL), NULL));
		else
			g_assert_true(ops->ensure_vnfc(vim, &call, vnfc_from_object(arena, object, NULL), arena, NULL, NULL, NULL));
	}
	for (int turn = 0; turn < 2; turn++) {
		loop_observe(loop, turn ? paris : berlin);
		g_assert_cmpstr(seen(loop, "vnfc/a.x.0")->site, ==, turn ? "paris" : "berlin");
		g_assert_cmpuint(loop->observed->n_leftovers, ==, 2);
		g_assert_cmpstr(loop->observed->leftovers[0].key, ==, "link/a.net");
		g_assert_cmpstr(loop->observed->leftovers[1].site, ==, turn ? "berlin" : "paris");
		g_assert_cmpuint(loop->observed->n_accesses, ==, 1);
	}
	loop->act_violations = 0; /* the calls above were the test's own */
	converge(loop, paris);
}

static void test_strangers(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(network) network = two_sites();
	converge(loop, network);
	fake_world_add_stranger(loop->world, "paris", "bridge br0", NULL);
	fake_world_add_stranger(loop->world, "berlin", "vnfc web", NULL);
	loop_observe(loop, network);
	g_assert_cmpuint(loop->observed->n_strangers, ==, 2);
	g_assert_cmpstr(loop->observed->strangers[0].site, ==, "berlin");
	g_assert_cmpstr(loop->observed->strangers[1].what, ==, "bridge br0");
	g_assert_null(loop->observed->strangers[1].owner);
	g_assert_cmpuint(loop->observed->objects.n, ==, 6);
	loop_plan(loop, network);
	g_assert_cmpuint(loop->plan->n_steps, ==, 0);
}

static struct observed *look_at(struct loop *loop, const struct network *network, struct arena *arena, const char *const *keys)
{
	const struct observe_input input = {
		.registry = &loop->registry, .lookup = &loop->lookup, .desired = network, .last = loop_last(loop, arena),
		.before = loop->observed, .keys = keys, .n_keys = g_strv_length((char **) (guintptr) keys),
		.cancel_fd = -1, .deadline_us = clock_monotonic_us() + 10 * G_USEC_PER_SEC,
	};
	return observe_now(&input);
}

static size_t asked_nfs(struct loop *loop)
{
	return fake_world_counts(loop->world).calls[FAKE_OBSERVE_NF];
}

static void test_some_keys(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(arena) arena = arena_new();
	auto_ptr(network) network = two_sites();
	converge(loop, network);
	fake_world_add_stranger(loop->world, "paris", "bridge br0", NULL);
	loop_observe(loop, network);
	fake_world_set_memory(loop->world, "berlin", "vnfc/a.x.0", 7);
	fake_world_set_memory(loop->world, "paris", "vnfc/b.x.0", 7);
	fake_world_reset_counts(loop->world);
	auto_ptr(observed) some = look_at(loop, network, arena, (const char *const[]) { "link/a.net", NULL });
	g_assert_cmpuint(some->objects.n, ==, 6);
	g_assert_cmpint(object_int(objects_find(some->objects, "vnfc/a.x.0"), "mem_bytes", 0), ==, 7); /* its VIM was asked anyway */
	g_assert_cmpint(object_int(objects_find(some->objects, "vnfc/b.x.0"), "mem_bytes", 0), ==, 1 << 26);
	g_assert_cmpuint(some->n_strangers, ==, 1);
	g_assert_cmpuint(some->n_accesses, ==, 2);
	g_assert_cmpuint(fake_world_counts(loop->world).calls[FAKE_OBSERVE], ==, 1);
	g_assert_cmpuint(asked_nfs(loop), ==, 0);
	/* a VNFC brings its NF */
	auto_ptr(observed) vnfc = look_at(loop, network, arena, (const char *const[]) { "vnfc/a.x.0", NULL });
	g_assert_cmpuint(asked_nfs(loop), ==, 1);
	auto_ptr(observed) nf = look_at(loop, network, arena, (const char *const[]) { "nf/b.x.0", NULL });
	g_assert_cmpuint(asked_nfs(loop), ==, 2);
	g_assert_cmpint(object_int(objects_find(nf->objects, "vnfc/b.x.0"), "mem_bytes", 0), ==, 7);
	/* a key that nobody knows may be anywhere */
	fake_world_reset_counts(loop->world);
	auto_ptr(observed) unknown = look_at(loop, network, arena, (const char *const[]) { "vnfc/zz.0", NULL });
	g_assert_cmpuint(fake_world_counts(loop->world).calls[FAKE_OBSERVE], ==, 2);
	g_assert_cmpuint(unknown->objects.n, ==, 6);
}

/* What lived in a VNFC that is gone, or another now, is not carried over. */
static void test_some_keys_and_lost_hosts(void)
{
	auto_ptr(loop) loop = loop_new(1);
	auto_ptr(arena) arena = arena_new();
	auto_ptr(network) network = two_sites();
	converge(loop, network);
	fake_world_kill_vnfc(loop->world, "berlin", "vnfc/a.x.0", "exit status 1");
	auto_ptr(observed) killed = look_at(loop, network, arena, (const char *const[]) { "link/a.net", NULL });
	g_assert_cmpstr(object_string(objects_find(killed->objects, "vnfc/a.x.0"), "state", ""), ==, "failed");
	g_assert_null(objects_find(killed->objects, "nf/a.x.0"));
	g_assert_null(observed_access(killed, "vnfc/a.x.0"));
	fake_world_lose_vnfc(loop->world, "berlin", "vnfc/a.x.0");
	auto_ptr(observed) lost = look_at(loop, network, arena, (const char *const[]) { "link/a.net", NULL });
	g_assert_cmpuint(lost->objects.n, ==, 4);
	g_assert_null(objects_find(lost->objects, "nf/a.x.0"));
	g_assert_nonnull(objects_find(lost->objects, "nf/b.x.0"));
}

static void test_no_site_at_all(void)
{
	struct arena *arena = arena_new();
	struct network *network = ARENA_NEW(arena, struct network);
	network->arena = arena;
	auto_ptr(loop) loop = loop_new(1);
	const struct observe_input input = { .registry = &loop->registry, .lookup = &loop->lookup, .desired = network, .cancel_fd = -1 };
	auto_ptr(observed) observed = observe_now(&input);
	g_assert_cmpuint(observed->objects.n, ==, 0);
	network_unref(network);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/exec/observe/all", test_all);
	g_test_add_func("/exec/observe/blind", test_blind_site);
	g_test_add_func("/exec/observe/unreachable-ems", test_unreachable_ems);
	g_test_add_func("/exec/observe/chunks", test_chunks);
	g_test_add_func("/exec/observe/leftovers", test_leftovers);
	g_test_add_func("/exec/observe/two-sites", test_on_two_sites);
	g_test_add_func("/exec/observe/strangers", test_strangers);
	g_test_add_func("/exec/observe/some-keys", test_some_keys);
	g_test_add_func("/exec/observe/lost-hosts", test_some_keys_and_lost_hosts);
	g_test_add_func("/exec/observe/no-site", test_no_site_at_all);
	return g_test_run();
}
