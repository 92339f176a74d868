#include "base/clock.h"
#include "contract/reconciler.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static struct call call_for(gint64 ms)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + ms * 1000, .cancel_fd = -1 };
}

static void test_left(void)
{
	struct call call = call_for(1000);
	g_assert_cmpint(call_left_ms(&call), >, 500);
	g_assert_cmpint(call_left_ms(&call), <=, 1000);
	call.deadline_us = clock_monotonic_us() - 1;
	g_assert_cmpint(call_left_ms(&call), ==, 0);
	call.deadline_us = clock_monotonic_us() + 600; /* less than a millisecond is not none */
	g_assert_cmpint(call_left_ms(&call), <=, 1);
	call.deadline_us = G_MAXINT64;
	g_assert_cmpint(call_left_ms(&call), ==, G_MAXINT);
}

static void test_over(void)
{
	g_autoptr(GError) error = NULL;
	struct call call = call_for(10000);
	g_assert_false(call_is_over(&call, &error));
	g_assert_no_error(error);
	call.deadline_us = 0;
	g_assert_true(call_is_over(&call, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_clear_error(&error);
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	call = call_for(10000);
	call.cancel_fd = fds[0];
	g_assert_false(call_is_over(&call, &error));
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
	g_assert_true(call_is_over(&call, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	close(fds[0]);
	close(fds[1]);
}

static void test_wait(void)
{
	g_autoptr(GError) error = NULL;
	int data[2], cancel[2];
	g_assert_cmpint(pipe(data), ==, 0);
	g_assert_cmpint(pipe(cancel), ==, 0);
	struct call call = call_for(50);
	call.cancel_fd = cancel[0];
	gint64 begin_us = clock_monotonic_us();
	g_assert_false(call_wait(&call, data[0], POLLIN, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_assert_cmpint(clock_monotonic_us() - begin_us, >=, 50 * 1000);
	g_clear_error(&error);

	call = call_for(10000);
	call.cancel_fd = cancel[0];
	g_assert_cmpint(write(data[1], "x", 1), ==, 1);
	g_assert_true(call_wait(&call, data[0], POLLIN, &error));
	g_assert_no_error(error);
	/* something to read, and told to stop: it stops */
	g_assert_cmpint(write(cancel[1], "x", 1), ==, 1);
	g_assert_false(call_wait(&call, data[0], POLLIN, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	g_clear_error(&error);
	/* a far side that hung up is something that happened */
	close(data[1]);
	call.cancel_fd = -1;
	g_assert_true(call_wait(&call, data[0], POLLIN, &error));
	close(data[0]);
	close(cancel[0]);
	close(cancel[1]);
}

/* A far side that floods: there is always something to read. */
static void test_flood(void)
{
	g_autoptr(GError) error = NULL;
	int data[2], cancel[2];
	g_assert_cmpint(pipe(data), ==, 0);
	g_assert_cmpint(pipe(cancel), ==, 0);
	g_assert_cmpint(write(data[1], "x", 1), ==, 1);
	struct call call = call_for(20);
	gint64 begin_us = clock_monotonic_us();
	while (call_wait(&call, data[0], POLLIN, &error))
		g_assert_cmpint(clock_monotonic_us() - begin_us, <, 5 * 1000 * 1000);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_clear_error(&error);
	call.cancel_fd = cancel[0];
	g_assert_cmpint(write(cancel[1], "x", 1), ==, 1);
	g_assert_false(call_wait(&call, data[0], POLLIN, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	for (size_t i = 0; i < 2; i++) {
		close(data[i]);
		close(cancel[i]);
	}
}

static void test_registry(void)
{
	static const struct kind_ops links = { .kind = &kind_link }, vnfcs = { .kind = &kind_vnfc };
	static const struct kind_ops *const kinds[] = { &links, &vnfcs };
	static const struct vim_ops local = { .name = "local" };
	static const struct vim_ops *const vims[] = { &local };
	static const struct ems_ops leaf = { .name = "leaf" };
	static const struct ems_ops *const emss[] = { &leaf };
	const struct registry registry = { kinds, 2, vims, 1, emss, 1 };
	g_assert_true(registry_kind(&registry, "vnfc") == &vnfcs);
	g_assert_true(registry_kind(&registry, "vnfc/edge.fw.vdu.0") == &vnfcs);
	g_assert_true(registry_kind(&registry, "link/edge.lan") == &links);
	g_assert_null(registry_kind(&registry, "vnf/edge.fw"));
	g_assert_null(registry_kind(&registry, "vnfcs/x"));
	g_assert_null(registry_kind(&registry, ""));
	g_assert_true(registry_vim(&registry, "local") == &local);
	g_assert_null(registry_vim(&registry, "loca"));
	g_assert_true(registry_ems(&registry, "leaf") == &leaf);
	g_assert_null(registry_ems(&registry, "ssh"));
	g_assert_cmpstr(act_name(ACT_CREATE), ==, "create");
	g_assert_cmpstr(act_name(ACT_CHANGE), ==, "change");
	g_assert_cmpstr(act_name(ACT_REMOVE), ==, "remove");
}

static void test_look(void)
{
	static const char *const keys[] = { "nf/a.0", "nf/b.0", "nf/c.0" };
	struct look look = { .keys = keys, .n_keys = 3 };
	g_assert_true(look_has(&look, "nf/a.0"));
	g_assert_true(look_has(&look, "nf/b.0"));
	g_assert_true(look_has(&look, "nf/c.0"));
	g_assert_false(look_has(&look, "nf/b"));
	g_assert_false(look_has(&look, "nf/d.0"));
	look.n_keys = 0;
	g_assert_false(look_has(&look, "nf/a.0"));
	look.keys = NULL;
	g_assert_true(look_has(&look, "nf/d.0"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/contract/call/left", test_left);
	g_test_add_func("/contract/call/over", test_over);
	g_test_add_func("/contract/call/wait", test_wait);
	g_test_add_func("/contract/call/flood", test_flood);
	g_test_add_func("/contract/registry", test_registry);
	g_test_add_func("/contract/look", test_look);
	return g_test_run();
}
