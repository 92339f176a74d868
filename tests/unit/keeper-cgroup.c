/* Real control groups, under names of their own. */
#include "keeper/cgroup.h"

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

static struct cgroups *prepare(void)
{
	g_autofree char *name = g_strdup_printf("test-%d", (int) getpid());
	struct cgroups *cgroups = cgroups_prepare(name);
	if (!cgroups_finding(cgroups))
		return cgroups;
	g_test_skip(cgroups_finding(cgroups));
	cgroups_remove(cgroups);
	cgroups_free(cgroups);
	return NULL;
}

static void test_limits(void)
{
	auto_ptr(cgroups) cgroups = prepare();
	if (!cgroups)
		return;
	g_autoptr(GError) error = NULL;
	const struct cgroup_limits want = { 2, (64 << 20) + 100, 17 }, none = { 0 };
	struct cgroup_limits got;
	g_assert_true(cgroup_create(cgroups, "1", &error));
	g_assert_true(cgroup_create(cgroups, "1", &error)); /* one that is there already is as good */
	g_assert_true(cgroup_limit(cgroups, "1", &want, &error));
	cgroup_read(cgroups, "1", &want, &got);
	g_assert_cmpint(got.vcpus, ==, 2);
	g_assert_cmpint(got.mem_bytes, ==, want.mem_bytes); /* though the kernel counts in pages */
	g_assert_cmpint(got.pids, ==, 17);
	cgroup_read(cgroups, "1", &none, &got);
	g_assert_cmpint(got.mem_bytes, ==, 64 << 20);
	g_assert_true(cgroup_limit(cgroups, "1", &none, &error));
	cgroup_read(cgroups, "1", &none, &got);
	g_assert_cmpint(got.vcpus, ==, 0);
	g_assert_cmpint(got.mem_bytes, ==, 0);
	g_assert_cmpint(got.pids, ==, 0);
	g_assert_false(cgroup_oom(cgroups, "1"));
	cgroup_remove(cgroups, "1");
	cgroup_read(cgroups, "1", &none, &got);
	g_assert_cmpint(got.pids, ==, -1);
	g_assert_false(cgroup_limit(cgroups, "1", &want, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_assert_true(cgroup_create(cgroups, "2", NULL));
	cgroups_remove(cgroups); /* with what is in it */
	cgroup_read(cgroups, "2", &none, &got);
	g_assert_cmpint(got.pids, ==, -1);
}

/* Sites come and go beside each other: the folder above them, which goes with the last, never fails the next. */
static void *come_and_go(void *data)
{
	enum { ROUNDS = 200 };
	size_t *lacks = data;
	for (int i = 0; i < ROUNDS; i++) {
		g_autofree char *name = g_strdup_printf("test-%d-%p", (int) getpid(), data);
		auto_ptr(cgroups) cgroups = cgroups_prepare(name);
		*lacks += cgroups_finding(cgroups) != NULL;
		cgroups_remove(cgroups);
	}
	return NULL;
}

static void test_neighbours(void)
{
	auto_ptr(cgroups) first = prepare();
	if (!first)
		return;
	cgroups_remove(first);
	size_t lacks[2] = { 0 };
	GThread *other = g_thread_new("other", come_and_go, &lacks[0]);
	come_and_go(&lacks[1]);
	g_thread_join(other);
	g_assert_cmpuint(lacks[0] + lacks[1], ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keeper/cgroup/limits", test_limits);
	g_test_add_func("/keeper/cgroup/neighbours", test_neighbours);
	return g_test_run();
}
