/* The driver "leaf" meets a leaf of another version: it becomes ours, and the network function does not notice. */
#include "base/clock.h"
#include "ems/leaf/ems_leaf.h"
#include "leaf_process.h"
#include "leafproto/leafproto.h"

#define NF_KEY "nf/a.0"

enum { CALL_MS = 20000 };

static const char *const command[] = { "sleep", "1000", NULL };

struct other {
	char *folder, *program;
	struct leaf_process leaf;
};

/* A leaf that differs in nothing but what it calls itself. False, and the test skipped, where that cannot be made. */
static bool start_other(struct other *other)
{
	const char *ours = PLEACH_VERSION;
	gsize length = 0;
	char *bytes = NULL;
	unsigned changed = 0;
	if (leaf_process_missing())
		return false;
	g_assert_true(g_file_get_contents(BINARY_DIR "/bin/pleach-leaf", &bytes, &length, NULL));
	for (gsize i = 0; i + strlen(ours) < length; i++)
		if (memcmp(bytes + i, ours, strlen(ours) + 1) == 0) {
			bytes[i] = '9';
			changed++;
		}
	other->folder = g_dir_make_tmp("pleach-other-XXXXXX", NULL);
	other->program = g_build_filename(other->folder, "pleach-leaf", NULL);
	g_assert_true(g_file_set_contents_full(other->program, bytes, (gssize) length, 0, 0755, NULL));
	g_free(bytes);
	g_assert_cmpuint(changed, >, 0);
	leaf_process_start_program(&other->leaf, other->program);
	return true;
}

static void end_other(struct other *other)
{
	g_assert_cmpint(leaf_process_end(&other->leaf), ==, 0);
	file_remove_tree(other->folder, NULL);
	g_free(other->folder);
	g_free(other->program);
}

static char *version_of(struct other *other)
{
	auto_ptr(arena) arena = arena_new();
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&other->leaf, "GET", "/v1/status", NULL, &http);
	const struct leaf_status *status = leaf_status_decode(arena, text, strlen(text), NULL);
	g_assert_nonnull(status);
	return g_strdup(status->version);
}

static gint64 ensure(struct ems *ems, struct other *other, unsigned incarnation)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct access access = { .key = "vnfc/a.0", .transport = "unix", .address = other->leaf.socket };
	const struct nf want = { .key = NF_KEY, .site = "local", .incarnation = incarnation, .state = NF_STARTED, .command = command,
				 .n_command = 2 };
	const struct nf *got = NULL;
	struct call call = { .deadline_us = clock_monotonic_us() + CALL_MS * 1000, .cancel_fd = -1 };
	bool ok = ems_leaf_ops.ensure_nf(ems, &call, &access, &want, NULL, arena, &got, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	return got->pid;
}

static struct ems *open_ems(struct arena *arena, const char *upgrade)
{
	const struct site site = { .name = "local" };
	const char *const names[] = { "upgrade" };
	const struct value *const values[] = { value_string(arena, upgrade) };
	struct driver_ref which = { .name = "leaf", .driver = "leaf", .options = value_map(arena, names, values, 1) };
	struct ems *ems = ems_leaf_ops.open(&site, &which, NULL);
	g_assert_nonnull(ems);
	return ems;
}

static void test_upgrade(void)
{
	struct other other = { 0 };
	if (!start_other(&other))
		return;
	g_setenv("PLEACH_LIBEXEC", BINARY_DIR "/bin", TRUE);
	auto_ptr(arena) arena = arena_new();
	struct ems *not = open_ems(arena, "no"), *ems = open_ems(arena, "yes");
	gint64 pid = ensure(not, &other, 1);
	g_autofree char *before = version_of(&other);
	g_assert_cmpstr(before, !=, PLEACH_VERSION);
	g_assert_cmpint(ensure(ems, &other, 2), ==, pid);
	g_autofree char *after = version_of(&other);
	g_assert_cmpstr(after, ==, PLEACH_VERSION);
	g_assert_true(leaf_process_lives((pid_t) pid));
	ems_leaf_ops.close(not);
	ems_leaf_ops.close(ems);
	end_other(&other);
}

/* What it is sent is no leaf: it goes on as it is, and so does everything else. */
static void test_no_upgrade(void)
{
	struct other other = { 0 };
	if (!start_other(&other))
		return;
	g_autofree char *libexec = g_build_filename(other.folder, "libexec", NULL), *bad = g_build_filename(libexec, "pleach-leaf", NULL);
	g_assert_cmpint(g_mkdir(libexec, 0755), ==, 0);
	g_assert_true(g_file_set_contents_full(bad, "#!/bin/sh\n", -1, 0, 0755, NULL));
	g_setenv("PLEACH_LIBEXEC", libexec, TRUE);
	auto_ptr(arena) arena = arena_new();
	struct ems *ems = open_ems(arena, "yes");
	gint64 pid = ensure(ems, &other, 1);
	g_assert_cmpint(ensure(ems, &other, 2), ==, pid);
	g_autofree char *after = version_of(&other);
	g_assert_cmpstr(after, !=, PLEACH_VERSION);
	ems_leaf_ops.close(ems);
	end_other(&other);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ems_leaf/upgrade/becomes-ours", test_upgrade);
	g_test_add_func("/ems_leaf/upgrade/stays-as-it-is", test_no_upgrade);
	return g_test_run();
}
