/* The world in memory itself: faults come when they are asked for, addresses are given as the VIMs give them, and what it counts is so. */
#include "fake/world.h"

#include "base/clock.h"
#include "model/world.h"

#include <poll.h>
#include <string.h>

struct scene {
	struct fake_world *world;
	struct site site;
	struct vim *vim;
	struct arena *arena;
};

static void begin(struct scene *scene)
{
	g_autoptr(GError) error = NULL;
	*scene = (struct scene) { .world = fake_world_new("unit"), .arena = arena_new() };
	scene->site = (struct site) { .name = "berlin", .owner = "acme", .vim = { .driver = "fake", .endpoint = "unit" } };
	scene->vim = fake_vim_ops.open(&scene->site, &error);
	g_assert_no_error(error);
}

static void end(struct scene *scene)
{
	fake_vim_ops.close(scene->vim);
	fake_world_free(scene->world);
	arena_unref(scene->arena);
}

static struct call soon(void)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + G_USEC_PER_SEC, .cancel_fd = -1 };
}

static bool make_link(struct scene *scene, const char *key, GError **error)
{
	const struct link link = { .key = key, .incarnation = 1, .cidr = "10.1.0.0/24", .gateway = "10.1.0.1", .mtu = 1500, .up = true };
	const struct call call = soon();
	return fake_vim_ops.ensure_link(scene->vim, &call, &link, error);
}

static const struct vnfc *make_vnfc(struct scene *scene, const char *key, struct cp cp, GError **error)
{
	cp.name = "lan";
	cp.link = "link/a.b";
	const struct vnfc want = { .key = key, .incarnation = 1, .cps = &cp, .n_cps = 1 };
	const struct vnfc *got = NULL;
	const struct call call = soon();
	return fake_vim_ops.ensure_vnfc(scene->vim, &call, &want, scene->arena, &got, NULL, error) ? got : NULL;
}

static void test_nth(void)
{
	struct scene scene;
	begin(&scene);
	fake_world_fault(scene.world, &(struct fake_fault) { .call = FAKE_ENSURE_LINK, .key = "link/a.b", .nth = 2, .times = 2,
							     .how = FAKE_BEFORE, .code = PLEACH_ERROR_AUTH, .text = "no" });
	for (unsigned i = 1; i <= 5; i++) {
		g_autoptr(GError) error = NULL;
		bool hit = i == 2 || i == 3;
		g_assert_true(make_link(&scene, "link/a.c", NULL)); /* another key does not count */
		g_assert_true(make_link(&scene, "link/a.b", &error) == !hit);
		if (hit) {
			g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH);
			g_assert_nonnull(strstr(error->message, "ensure_link link/a.b: no"));
		}
	}
	g_assert_cmpuint(fake_world_counts(scene.world).created, ==, 2);
	g_assert_cmpuint(fake_world_counts(scene.world).calls[FAKE_ENSURE_LINK], ==, 10);
	end(&scene);
}

static void test_before_after_half(void)
{
	static const struct {
		enum fake_how how;
		bool there, up;
	} cases[] = { { FAKE_BEFORE, false, false }, { FAKE_AFTER, true, true }, { FAKE_HALF, true, false } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct scene scene;
		begin(&scene);
		fake_world_fault(scene.world, &(struct fake_fault) { .call = FAKE_N_CALLS, .nth = 1, .times = 1, .how = cases[i].how,
								     .code = PLEACH_ERROR_TIMEOUT });
		g_autoptr(GError) error = NULL;
		g_assert_false(make_link(&scene, "link/a.b", &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
		const struct link *link = fake_world_link(scene.world, "berlin", "link/a.b", scene.arena);
		g_assert_true((link != NULL) == cases[i].there);
		g_assert_true((link && link->up) == cases[i].up);
		g_autoptr(GPtrArray) leaks = fake_world_leaks(scene.world, "acme", NULL);
		g_assert_cmpuint(leaks->len, ==, cases[i].there);
		const char *const keep[] = { "link/a.b", NULL };
		g_autoptr(GPtrArray) wanted = fake_world_leaks(scene.world, "acme", keep);
		g_assert_cmpuint(wanted->len, ==, cases[i].how == FAKE_HALF);
		g_assert_true(make_link(&scene, "link/a.b", NULL)); /* whatever happened, the next call ends it well */
		g_assert_true(fake_world_link(scene.world, "berlin", "link/a.b", scene.arena)->up);
		end(&scene);
	}
}

static void test_hang(void)
{
	struct scene scene;
	begin(&scene);
	fake_world_fault(scene.world, &(struct fake_fault) { .call = FAKE_ENSURE_LINK, .how = FAKE_HANG });
	const struct link link = { .key = "link/a.b", .incarnation = 1 };
	struct call call = { .deadline_us = clock_monotonic_us() + 30 * 1000, .cancel_fd = -1 };
	g_autoptr(GError) error = NULL;
	g_assert_false(fake_vim_ops.ensure_link(scene.vim, &call, &link, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	fake_world_heal(scene.world);
	g_assert_true(make_link(&scene, "link/a.b", NULL));
	end(&scene);
}

static void test_random_faults_are_reproducible(void)
{
	GString *outcomes[2];
	for (int run = 0; run < 2; run++) {
		struct scene scene;
		begin(&scene);
		outcomes[run] = g_string_new(NULL);
		fake_world_random_faults(scene.world, 500, 42);
		for (int i = 0; i < 64; i++)
			g_string_append_c(outcomes[run], make_link(&scene, "link/a.b", NULL) ? '+' : '-');
		end(&scene);
	}
	g_assert_cmpstr(outcomes[0]->str, ==, outcomes[1]->str);
	g_assert_nonnull(strchr(outcomes[0]->str, '+'));
	g_assert_nonnull(strchr(outcomes[0]->str, '-'));
	g_string_free(outcomes[0], TRUE);
	g_string_free(outcomes[1], TRUE);
}

static void test_full_pool(void)
{
	struct scene scene;
	begin(&scene);
	g_assert_true(make_link(&scene, "link/a.b", NULL));
	static const char *const pools[] = { "10.1.0.1-10.1.0.2", "10.1.0.9-10.1.0.9" }; /* the first of all is the gateway's */
	const struct cp cp = { .cidr = "10.1.0.0/24", .pools = pools, .n_pools = 2 };
	g_autoptr(GError) error = NULL;
	const struct vnfc *one = make_vnfc(&scene, "vnfc/a.x.0", cp, &error), *two = make_vnfc(&scene, "vnfc/a.x.1", cp, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(one->cps[0].addresses[0], !=, two->cps[0].addresses[0]);
	for (int i = 0; i < 2; i++) {
		const char *address = (i ? two : one)->cps[0].addresses[0];
		g_assert_true(!strcmp(address, "10.1.0.2") || !strcmp(address, "10.1.0.9"));
	}
	g_assert_null(make_vnfc(&scene, "vnfc/a.x.2", cp, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
	g_assert_null(fake_world_vnfc(scene.world, "berlin", "vnfc/a.x.2", scene.arena));
	end(&scene);
}

static void test_ipv6(void)
{
	struct scene scene;
	begin(&scene);
	g_assert_true(make_link(&scene, "link/a.b", NULL));
	const struct vnfc *got = make_vnfc(&scene, "vnfc/a.x.0", (struct cp) { .cidr = "2001:db8::/64" }, NULL);
	g_assert_true(g_str_has_prefix(got->cps[0].addresses[0], "2001:db8::"));
	end(&scene);
}

static void test_no_world(void)
{
	const struct site site = { .name = "berlin", .owner = "acme", .vim = { .driver = "fake", .endpoint = "nowhere" } };
	g_autoptr(GError) error = NULL;
	g_assert_null(fake_vim_ops.open(&site, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
}

static void test_snapshot(void)
{
	struct scene scene;
	begin(&scene);
	g_assert_true(make_link(&scene, "link/a.b", NULL));
	g_assert_nonnull(make_vnfc(&scene, "vnfc/a.x.0", (struct cp) { .cidr = "10.1.0.0/24", .mtu = 1500 }, NULL));
	fake_world_add_stranger(scene.world, "berlin", "bridge br0", NULL);
	g_autoptr(json_t) json = fake_world_to_json(scene.world, "acme", (struct objects) { 0 });
	auto_ptr(observed) observed = NULL;
	struct objects last;
	g_autoptr(GError) error = NULL;
	g_assert_true(world_from_json(json, &observed, &last, &error));
	g_assert_cmpuint(observed->objects.n, ==, 2);
	g_assert_cmpuint(observed->n_strangers, ==, 1);
	g_assert_cmpuint(last.n, ==, 0);
	const struct vnfc *vnfc = fake_world_vnfc(scene.world, "berlin", "vnfc/a.x.0", scene.arena);
	const char *digest = object_digest(scene.arena, vnfc_to_object(scene.arena, vnfc));
	g_assert_cmpstr(object_digest(scene.arena, objects_find(observed->objects, "vnfc/a.x.0")), ==, digest);
	end(&scene);
}

static void test_watch(void)
{
	struct scene scene;
	begin(&scene);
	g_assert_true(make_link(&scene, "link/a.b", NULL));
	struct pollfd ready = { .fd = fake_vim_ops.watch_fd(scene.vim), .events = POLLIN };
	g_assert_cmpint(poll(&ready, 1, 0), ==, 0);
	g_assert_true(fake_world_set_mtu(scene.world, "berlin", "link/a.b", NULL, 1280));
	g_assert_cmpint(poll(&ready, 1, 0), ==, 1);
	g_autoptr(GPtrArray) keys = fake_vim_ops.watch_read(scene.vim);
	g_assert_cmpuint(keys->len, ==, 1);
	g_assert_cmpstr(keys->pdata[0], ==, "link/a.b");
	g_assert_cmpint(poll(&ready, 1, 0), ==, 0);
	fake_world_add_stranger(scene.world, "berlin", "bridge br0", NULL);
	g_assert_null(fake_vim_ops.watch_read(scene.vim)); /* anything */
	g_assert_false(fake_world_set_mtu(scene.world, "berlin", "link/a.z", NULL, 1280));
	end(&scene);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/fake/faults/nth", test_nth);
	g_test_add_func("/fake/faults/how", test_before_after_half);
	g_test_add_func("/fake/faults/hang", test_hang);
	g_test_add_func("/fake/faults/random", test_random_faults_are_reproducible);
	g_test_add_func("/fake/addresses/full", test_full_pool);
	g_test_add_func("/fake/addresses/ipv6", test_ipv6);
	g_test_add_func("/fake/no-world", test_no_world);
	g_test_add_func("/fake/snapshot", test_snapshot);
	g_test_add_func("/fake/watch", test_watch);
	return g_test_run();
}
