/* The EMS suite against the world in memory. */
#include "conformance_ems.h"
#include "fake/world.h"

#include "base/clock.h"

#include <string.h>

#define VNFC_KEY "vnfc/edge.fw.vdu.0"
#define NF_KEY "nf/edge.fw.vdu.0"

struct memory {
	struct fake_world *world;
	struct arena *arena;
	struct site site;
	struct vim *vim;
};

static const struct access *vnfc_new(struct ems_bench *bench, char **ret_why)
{
	struct memory *memory = bench->data;
	memory->world = fake_world_new(NULL);
	fake_world_lack_program(memory->world, "no-such-program-at-all");
	memory->arena = arena_new();
	memory->site = (struct site) { .name = "berlin", .owner = "tests", .vim = { .name = "vim", .driver = "fake" } };
	g_autoptr(GError) error = NULL;
	memory->vim = fake_vim_ops.open(&memory->site, &error);
	g_assert_no_error(error);
	const struct vnfc want = { .key = VNFC_KEY, .site = "berlin", .incarnation = 1 };
	const struct call call = { .deadline_us = clock_monotonic_us() + G_USEC_PER_SEC, .cancel_fd = -1 };
	const struct access *access = NULL;
	fake_vim_ops.ensure_vnfc(memory->vim, &call, &want, memory->arena, NULL, &access, &error);
	g_assert_no_error(error);
	return access;
}

static void vnfc_free(struct ems_bench *bench)
{
	struct memory *memory = bench->data;
	fake_vim_ops.close(memory->vim);
	fake_world_free(memory->world);
	arena_unref(memory->arena);
}

static char *path_of(struct ems_bench *bench, const char *name)
{
	return g_strdup_printf("/etc/%s", name);
}

static void write_content(struct ems_bench *bench, const char *path, const char *content)
{
	struct memory *memory = bench->data;
	g_assert_true(fake_world_write_file(memory->world, "berlin", NF_KEY, path, content));
}

static char *read_content(struct ems_bench *bench, const char *path)
{
	struct memory *memory = bench->data;
	return fake_world_read_file(memory->world, "berlin", NF_KEY, path);
}

static void kill_process(struct ems_bench *bench, gint64 pid)
{
	struct memory *memory = bench->data;
	const struct nf *nf = fake_world_nf(memory->world, "berlin", NF_KEY, memory->arena);
	g_assert_cmpint(nf->pid, ==, pid);
	g_assert_true(fake_world_fail_nf(memory->world, "berlin", NF_KEY, "signal 9 (Killed)"));
}

static void kill_vnfc(struct ems_bench *bench)
{
	struct memory *memory = bench->data;
	g_assert_true(fake_world_kill_vnfc(memory->world, "berlin", VNFC_KEY, "signal 9 (Killed)"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	struct memory memory = { 0 };
	struct ems_bench bench = {
		.ops = &fake_ems_ops,
		.vnfc_new = vnfc_new,
		.vnfc_free = vnfc_free,
		.path = path_of,
		.write_file = write_content,
		.read_file = read_content,
		.kill_process = kill_process,
		.kill_vnfc = kill_vnfc,
		.no_scripts = true,
		.data = &memory,
	};
	conformance_ems_add(&bench);
	return g_test_run();
}
