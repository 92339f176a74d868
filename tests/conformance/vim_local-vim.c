/* The VIM suite against the local VIM: real namespaces, bridges, processes. As whoever runs it; as root a second time as
 * somebody who is not. */
#include "conformance_vim.h"
#include "vim/local/vim_local.h"

#include "base/clock.h"
#include "base/file.h"

#include <glib/gstdio.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AS_USER "PLEACH_TEST_AS_USER"

enum { OTHER_ID = 54321, CLEAN_MS = 30000 };

struct local {
	struct site sites[2];
	size_t n_sites;
	char *runtime;
};

static bool may_make_namespaces(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static const struct site *site_of(struct vim_bench *bench, const char *owner, char **ret_why)
{
	struct local *local = bench->data;
	if (!may_make_namespaces()) {
		*ret_why = g_strdup("user namespaces may not be made here");
		return NULL;
	}
	if (!local->runtime) {
		local->runtime = g_strdup("/tmp/pleach-vim-XXXXXX");
		g_assert_nonnull(g_mkdtemp(local->runtime));
		g_setenv("PLEACH_RUNTIME_DIR", local->runtime, TRUE);
	}
	g_assert_cmpuint(local->n_sites, <, G_N_ELEMENTS(local->sites));
	struct site *site = &local->sites[local->n_sites++];
	*site = (struct site) { .name = "berlin", .owner = owner, .vim = { .name = "vim", .driver = "local" } };
	return site;
}

static void end(struct vim_bench *bench)
{
	struct local *local = bench->data;
	for (size_t i = 0; i < local->n_sites; i++) {
		g_autoptr(GError) error = NULL;
		struct call call = { .deadline_us = clock_monotonic_us() + CLEAN_MS * 1000, .cancel_fd = -1 };
		struct vim *vim = vim_local_ops.open(&local->sites[i], &error);
		g_assert_no_error(error);
		vim_local_ops.clean(vim, &call, &error);
		g_assert_no_error(error);
		vim_local_ops.close(vim);
	}
	local->n_sites = 0;
	/* The keeper's guard takes even the runtime folder away, when it was the last. */
	for (int i = 0; i < 200 && g_file_test(local->runtime, G_FILE_TEST_EXISTS); i++) {
		rmdir(local->runtime);
		g_usleep(5000);
	}
	g_assert_false(g_file_test(local->runtime, G_FILE_TEST_EXISTS));
	g_clear_pointer(&local->runtime, g_free);
}

/* --- behind its back
 * -------------------------------------------------------------------------------------------------------------- */

/* In the namespaces of process @pid. */
static bool run_in(gint64 pid, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool run_in(gint64 pid, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *command = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *line = g_strdup_printf("nsenter -t %" G_GINT64_FORMAT " -U -n %s %s", pid,
						geteuid() == 0 ? "" : "--preserve-credentials", command);
	g_autofree char *words = NULL;
	int status = -1;
	bool ok = g_spawn_command_line_sync(line, NULL, &words, &status, NULL) && status == 0;
	if (!ok)
		g_test_message("%s: %s", line, words ? words : "");
	return ok;
}

static gint64 keeper_pid(struct vim_bench *bench)
{
	g_autoptr(GPtrArray) sites = g_ptr_array_new_with_free_func((GDestroyNotify) vim_site_free);
	g_assert_true(bench->ops->list(sites, NULL));
	g_assert_cmpuint(sites->len, ==, 1);
	const struct vim_site *site = sites->pdata[0];
	g_assert_cmpstr(site->owner, ==, "tests");
	g_assert_cmpstr(site->site, ==, "berlin");
	return site->pid;
}

static bool kill_vnfc(struct vim_bench *bench, const struct vnfc *vnfc)
{
	return kill((pid_t) vnfc->pid, SIGKILL) == 0;
}

static bool delete_cp(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp)
{
	return run_in(vnfc->pid, "ip link delete %s", cp);
}

static bool set_address(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp, const char *from, const char *to,
	const char *cidr)
{
	const char *prefix = strchr(cidr, '/');
	return run_in(vnfc->pid, "ip address delete %s%s dev %s", from, prefix, cp) &&
	       run_in(vnfc->pid, "ip address add %s%s dev %s", to, prefix, cp);
}

static bool set_cp_mtu(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp, unsigned mtu)
{
	return run_in(vnfc->pid, "ip link set %s mtu %u", cp, mtu);
}

static bool set_memory(struct vim_bench *bench, const struct vnfc *vnfc, gint64 mem_bytes)
{
	g_autofree char *path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/cgroup", vnfc->pid), *text = NULL;
	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i]; i++) {
		const char *v1 = strstr(lines[i], ":memory:"), *v2 = g_str_has_prefix(lines[i], "0::") ? lines[i] : NULL;
		if (!v1 && !v2)
			continue;
		g_autofree char *file = v1 ? g_strdup_printf("/sys/fs/cgroup/memory%s/memory.limit_in_bytes",
			v1 + strlen(":memory:"))
					   : g_strdup_printf("/sys/fs/cgroup%s/memory.max", v2 ? v2 + strlen("0::") : NULL);
		g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, mem_bytes);
		FILE *out = g_file_test(file, G_FILE_TEST_EXISTS) ? fopen(file, "we") : NULL;
		if (!out)
			continue;
		bool ok = fputs(number, out) >= 0;
		return (fclose(out) == 0) & ok;
	}
	return false;
}

static bool delete_link(struct vim_bench *bench, const struct link *link)
{
	return run_in(keeper_pid(bench), "ip link delete %s", link->device);
}

static bool add_stranger(struct vim_bench *bench, const char *name, const char *instead_of)
{
	if (!instead_of)
		return run_in(keeper_pid(bench), "ip link add %s type bridge", name);
	/* Its name is what the keeper would choose for that link. */
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, (const guchar *) "bridge", sizeof("bridge"));
	g_checksum_update(sum, (const guchar *) instead_of, (gssize) strlen(instead_of) + 1);
	g_checksum_update(sum, (const guchar *) "0", 1);
	g_autofree char *taken = g_strdup_printf("pl%.12s", g_checksum_get_string(sum));
	g_checksum_free(sum);
	return run_in(keeper_pid(bench), "ip link add %s type bridge", taken);
}

/* --- as somebody else
 * ------------------------------------------------------------------------------------------------------------- */

static void test_as_user(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL), *setpriv = g_find_program_in_path("setpriv");
	g_autofree char *id = g_strdup_printf("%d", OTHER_ID), *output = NULL, *words = NULL;
	g_autofree char *reuid = g_strdup_printf("--reuid=%s", id), *regid = g_strdup_printf("--regid=%s", id);
	if (!setpriv) {
		g_test_skip("there is no setpriv");
		return;
	}
	char *probe[] = { setpriv, reuid, regid, (char[]) { "--clear-groups" }, (char[]) { "test" }, (char[]) { "-x" }, self,
		NULL };
	char *argv[] = { setpriv, reuid, regid, (char[]) { "--clear-groups" }, self, NULL };
	int status = -1;
	g_autoptr(GError) error = NULL;
	if (!g_spawn_sync(NULL, probe, NULL, 0, NULL, NULL, NULL, NULL, &status, &error) || status != 0) {
		g_test_skip("an ordinary user cannot run this program from where it lies");
		return;
	}
	g_auto(GStrv) env = g_environ_setenv(g_get_environ(), AS_USER, "1", TRUE);
	g_assert_true(g_spawn_sync("/tmp", argv, env, 0, NULL, NULL, &output, &words, &status, &error));
	if (status != 0)
		g_test_message("%s\n%s", output, words);
	g_assert_cmpint(status, ==, 0);
	g_assert_nonnull(strstr(output, "/conformance/vim/local/create"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_setenv("PLEACH_LIBEXEC", BINARY_DIR "/bin", TRUE);
	struct local local = { .n_sites = 0 };
	struct vim_bench bench = {
		.ops = &vim_local_ops, .site = site_of, .end = end, .kill = kill_vnfc, .delete_cp = delete_cp,
			.set_address = set_address,
		.set_cp_mtu = set_cp_mtu, .set_memory = set_memory, .delete_link = delete_link, .add_stranger = add_stranger,
			.data = &local,
	};
	conformance_vim_add(&bench);
	if (geteuid() == 0 && !g_getenv(AS_USER))
		g_test_add_func("/conformance/vim/local/as-user", test_as_user);
	return g_test_run();
}
