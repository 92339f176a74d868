/* The fake world's NFs: a package that does not become healthy is taken back, an unhealthy NF is started anew. */
#include "base/clock.h"
#include "fake/world.h"

#include <string.h>

#define VNFC_KEY "vnfc/edge.fw.vdu.0"
#define NF_KEY "nf/edge.fw.vdu.0"

struct fixture {
	struct fake_world *world;
	struct arena *arena;
	struct site site;
	struct vim *vim;
	struct ems *ems;
	const struct access *access;
	struct call call;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	static const struct driver_ref which = { .name = "agent", .driver = "fake" };
	g_autoptr(GError) error = NULL;
	fixture->world = fake_world_new(NULL);
	fixture->arena = arena_new();
	fixture->site = (struct site) { .name = "berlin", .owner = "tests", .vim = { .name = "vim", .driver = "fake" } };
	fixture->call = (struct call) { .deadline_us = clock_monotonic_us() + 10 * G_USEC_PER_SEC, .cancel_fd = -1 };
	fixture->vim = fake_vim_ops.open(&fixture->site, &error);
	fixture->ems = fake_ems_ops.open(&fixture->site, &which, &error);
	g_assert_no_error(error);
	const struct vnfc want = { .key = VNFC_KEY, .site = "berlin", .incarnation = 1 };
	g_assert_true(fake_vim_ops.ensure_vnfc(fixture->vim, &fixture->call, &want, fixture->arena, NULL, &fixture->access, &error));
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	fake_ems_ops.close(fixture->ems);
	fake_vim_ops.close(fixture->vim);
	fake_world_free(fixture->world);
	arena_unref(fixture->arena);
}

static const struct nf *ensure(struct fixture *fixture, const char *package, GError **error)
{
	static const char *const command[] = { "sleep", "1000" };
	const struct nf want = { .key = NF_KEY, .site = "berlin", .incarnation = 1, .state = NF_STARTED, .ems = "agent", .command = command,
				 .n_command = 2, .package = package, .health_check = { .type = NF_CHECK_PROCESS, .failures = 1 } };
	const struct nf *got = NULL;
	bool good = fake_ems_ops.ensure_nf(fixture->ems, &fixture->call, fixture->access, &want, NULL, fixture->arena, &got, error);
	g_assert_true(good == (got != NULL));
	return got;
}

static void test_refused(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	fake_world_refuse_package(fixture->world, "bb", "it feels sick");
	g_assert_nonnull(ensure(fixture, "aa", &error));
	g_assert_null(ensure(fixture, "bb", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_nonnull(strstr(error->message, "taken back"));
	g_assert_nonnull(strstr(error->message, "it feels sick"));
	const struct nf *nf = fake_world_nf(fixture->world, "berlin", NF_KEY, fixture->arena);
	g_assert_cmpstr(nf->package, ==, "aa");
	g_assert_cmpint(nf->state, ==, NF_STARTED);
	g_assert_cmpint(nf->health, ==, NF_HEALTHY);
}

static void test_refused_first(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	fake_world_refuse_package(fixture->world, "bb", "it feels sick");
	g_assert_null(ensure(fixture, "bb", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_cmpint(fake_world_nf(fixture->world, "berlin", NF_KEY, fixture->arena)->state, ==, NF_FAILED);
}

static void test_sick(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	gint64 pid = ensure(fixture, "aa", &error)->pid;
	g_assert_true(fake_world_sicken_nf(fixture->world, "berlin", NF_KEY, "port 80 does not answer"));
	const struct nf *nf = fake_world_nf(fixture->world, "berlin", NF_KEY, fixture->arena);
	g_assert_cmpint(nf->health, ==, NF_UNHEALTHY);
	g_assert_cmpstr(nf->reason, ==, "port 80 does not answer");
	nf = ensure(fixture, "aa", &error);
	g_assert_cmpint(nf->health, ==, NF_HEALTHY);
	g_assert_cmpint(nf->pid, !=, pid);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/fake/nf/refused", struct fixture, NULL, set_up, test_refused, tear_down);
	g_test_add("/fake/nf/refused-first", struct fixture, NULL, set_up, test_refused_first, tear_down);
	g_test_add("/fake/nf/sick", struct fixture, NULL, set_up, test_sick, tear_down);
	return g_test_run();
}
