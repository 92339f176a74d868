/* pleach-bench leaf: what the agent in each VNF costs: from exec until it serves, its resident memory, its size on disk.
 *
 * Held against a bare fork and exec of a program that does nothing, until it has ended.
 */
#include "bench.h"

#include "base/error.h"
#include "base/file.h"
#include "base/program.h"
#include "http/server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_N = 200, LISTEN_FD = 3, READY_FD = 4, READY_TIMEOUT_MS = 10000, TEXT_MAX = 16 * 1024 };

struct agent {
	char *program, *folder, *own;
	int listen_fd;
	gint64 rss_kib, anonymous_kib; /* of the last one */
};

static gint64 field_kib(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at ? g_ascii_strtoll(at + strlen(name), NULL, 10) : -1;
}

static void read_memory(struct agent *agent, pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/smaps_rollup", (int) pid);
	g_autofree char *text = file_read(path, TEXT_MAX, NULL, NULL);
	agent->rss_kib = text ? field_kib(text, "\nRss:") : -1;
	agent->anonymous_kib = text ? field_kib(text, "\nAnonymous:") : -1;
}

static G_NORETURN void become_agent(const struct agent *agent, int ready_fd)
{
	/* Out of the way first: either may stand where the other is to be. */
	int listen_fd = fcntl(agent->listen_fd, F_DUPFD, READY_FD + 1), ready = fcntl(ready_fd, F_DUPFD, READY_FD + 1);
	dup2(listen_fd, LISTEN_FD);
	dup2(ready, READY_FD);
	execl(agent->program, "pleach-leaf", "--listen-fd", "3", "--folder", agent->own, NULL);
	_exit(127);
}

static bool wait_ready(int fd, GError **error)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	char byte;
	if (poll(&waiting, 1, READY_TIMEOUT_MS) == 1 && read(fd, &byte, 1) == 1)
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "pleach-leaf did not begin to serve");
	return false;
}

static bool start_once(struct agent *agent, double *ret_ms, GError **error)
{
	int ready[2];
	if (pipe2(ready, O_CLOEXEC) != 0)
		return pleach_error_errno(error, errno, "pipe");
	double began = bench_now_ms();
	pid_t pid = fork();
	if (pid == 0)
		become_agent(agent, ready[1]);
	close(ready[1]);
	bool good = pid > 0 && wait_ready(ready[0], error);
	*ret_ms = bench_now_ms() - began;
	close(ready[0]);
	if (good)
		read_memory(agent, pid);
	if (pid > 0) {
		kill(pid, SIGTERM);
		waitpid(pid, NULL, 0);
	}
	return good || (pid < 0 && pleach_error_errno(error, errno, "fork"));
}

static double bare_once(void)
{
	double began = bench_now_ms();
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	return bench_now_ms() - began;
}

static bool measure(const struct bench_options *options, struct agent *agent, GError **error)
{
	size_t n = options->n ? options->n : DEFAULT_N;
	struct bench_case one;
	bench_case_init(&one, "leaf", "from fork to serving", n);
	g_autoptr(GArray) bare = g_array_new(FALSE, FALSE, sizeof(double));
	for (size_t i = 0; i < n; i++) {
		double ms = 0, bare_ms = bare_once();
		if (!start_once(agent, &ms, error))
			return false;
		bench_case_add(&one, ms);
		g_array_append_val(bare, bare_ms);
	}
	GStatBuf st;
	bench_case_more(&one, "size_bytes", json_integer(g_stat(agent->program, &st) == 0 ? st.st_size : -1));
	bench_case_more(&one, "rss_kib", json_integer(agent->rss_kib));
	bench_case_more(&one, "anonymous_kib", json_integer(agent->anonymous_kib));
	one.yardstick = "fork and exec of a program that does nothing, until it has ended";
	one.yardstick_ms = bench_percentile(bare, 50);
	bench_case_report(&one, options);
	return true;
}

bool bench_leaf(const struct bench_options *options)
{
	g_autoptr(GError) error = NULL;
	struct agent agent = { .program = program_find("pleach-leaf"), .folder = g_dir_make_tmp("pleach-bench-XXXXXX", &error), .listen_fd = -1 };
	bool good = false;
	if (!agent.program)
		g_set_error(&error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "the program pleach-leaf is not found");
	else if (agent.folder) {
		g_autofree char *where = g_strconcat("unix:", agent.folder, "/leaf.sock", NULL);
		agent.own = g_build_filename(agent.folder, "own", NULL);
		agent.listen_fd = http_listen(where, 0600, &error);
		good = agent.listen_fd >= 0 && measure(options, &agent, &error);
	}
	if (!good)
		g_printerr("pleach-bench: leaf: %s\n", error->message);
	if (agent.listen_fd >= 0)
		close(agent.listen_fd);
	if (agent.folder)
		file_remove_tree(agent.folder, NULL);
	g_free(agent.program);
	g_free(agent.folder);
	g_free(agent.own);
	return good;
}
