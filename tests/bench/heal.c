/* pleach-bench heal: killed → traffic again. The NF's process, and the VNFC's first process, are killed with SIGKILL, again
 * and again, and each time it is measured how long it takes until a TCP connection inside the VNF is answered.
 *
 * The real loop in this process, with keeper and leaf. Held against a bare fork and exec of the same program until it answers.
 */
#include "bare.h"
#include "bench.h"
#include "lab.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "daemon/cycle.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_N = 50, PORT = 80, BARE_PORT = 18090, ROUND_TIMEOUT_S = 60, LOOK_MS = 1, TEXT_MAX = 4096 };

static const char vnfc_key[] = "vnfc/s0.vdu.0", site_name[] = "local";

/* --- inside the VNF --------------------------------------------------------------------------------------------------------- */

static bool answers(const struct cycle_view *now)
{
	const struct lookup *lookup = drivers_lookup(now->drivers);
	const struct vim_ops *ops;
	const struct call call = { .deadline_us = clock_monotonic_us() + G_USEC_PER_SEC, .cancel_fd = -1, .lookup = lookup };
	struct vim *vim = lookup->vim(lookup, site_name, &ops, NULL);
	int fd = -1;
	if (!vim || !ops->connect || !ops->connect(vim, &call, vnfc_key, "127.0.0.1", PORT, &fd, NULL))
		return false;
	close(fd);
	return true;
}

static pid_t vnfc_pid(const struct cycle_view *now)
{
	const struct object *vnfc = now->observed ? objects_find(now->observed->objects, vnfc_key) : NULL;
	return vnfc ? (pid_t) object_int(vnfc, "pid", 0) : 0;
}

/* As the host sees it: the first child of the VNFC's first process. */
static pid_t nf_pid(const struct cycle_view *now)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int) vnfc_pid(now), (int) vnfc_pid(now));
	g_autofree char *text = file_read(path, TEXT_MAX, NULL, NULL);
	return text ? (pid_t) g_ascii_strtoll(text, NULL, 10) : 0;
}

/* --- a round ---------------------------------------------------------------------------------------------------------------- */

static gboolean tick(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

/* Turns the loop until @done says so; false: it took too long. */
static bool turn_until(struct lab *lab, bool (*done)(const struct cycle_view *now, struct lab *lab))
{
	gint64 until_us = clock_monotonic_us() + ROUND_TIMEOUT_S * G_USEC_PER_SEC;
	guint source = g_timeout_add(LOOK_MS, tick, NULL);
	bool good = done(cycle_view(lab_cycle(lab)), lab);
	while (!good && clock_monotonic_us() < until_us) {
		g_main_context_iteration(NULL, TRUE);
		good = done(cycle_view(lab_cycle(lab)), lab);
	}
	g_source_remove(source);
	return good;
}

static bool is_back(const struct cycle_view *now, struct lab *lab)
{
	return answers(now);
}

static bool rests(const struct cycle_view *now, struct lab *lab)
{
	return cycle_is_at_rest(lab_cycle(lab)) && now->verdict == CYCLE_CONVERGED && answers(now);
}

static bool is_gone(pid_t pid)
{
	return kill(pid, 0) != 0 && errno == ESRCH;
}

static bool kill_and_wait(struct lab *lab, pid_t pid, double *ret_ms, GError **error)
{
	/* The limits of the fault monitor are for operators: here it may go on for ever. */
	monitors_asked(cycle_view(lab_cycle(lab))->monitors, NULL);
	double from_ms = bench_now_ms();
	if (pid <= 1 || kill(pid, SIGKILL) != 0)
		return pleach_error_errno(error, errno, "kill %d", (int) pid);
	while (!is_gone(pid))
		g_main_context_iteration(NULL, FALSE);
	if (!turn_until(lab, is_back)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "nothing answered for %d s", ROUND_TIMEOUT_S);
		return false;
	}
	*ret_ms = bench_now_ms() - from_ms;
	if (turn_until(lab, rests))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "it did not converge again in %d s", ROUND_TIMEOUT_S);
	return false;
}

static bool measure(struct lab *lab, const char *name, pid_t (*whom)(const struct cycle_view *now), size_t n, const GArray *bare,
		    const struct bench_options *options, GError **error)
{
	struct bench_case one;
	bench_case_init(&one, "heal", name, n);
	for (size_t i = 0; i < n; i++) {
		double ms = 0;
		if (!kill_and_wait(lab, whom(cycle_view(lab_cycle(lab))), &ms, error))
			return false;
		bench_case_add(&one, ms);
	}
	one.yardstick = "bare fork and exec of the same program, until it answers";
	one.yardstick_ms = bench_percentile(bare, 50);
	bench_case_more(&one, "yardstick_p99_ms", json_real(bench_percentile(bare, 99)));
	bench_case_report(&one, options);
	return true;
}

/* --- the yardstick ---------------------------------------------------------------------------------------------------------- */

static bool bare_answers(void)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(BARE_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static bool bare_round(const char *config, double *ret_ms, GError **error)
{
	double from_ms = bench_now_ms();
	gint64 until_us = clock_monotonic_us() + ROUND_TIMEOUT_S * G_USEC_PER_SEC;
	pid_t child = fork();
	if (child == 0) {
		execl("/usr/sbin/haproxy", "haproxy", "-q", "-db", "-f", config, (char *) NULL);
		_exit(127);
	}
	bool good = child > 0;
	while (good && !bare_answers()) {
		good = clock_monotonic_us() < until_us && waitpid(child, NULL, WNOHANG) == 0;
		g_usleep(200);
	}
	*ret_ms = bench_now_ms() - from_ms;
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	if (!good)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "haproxy does not run bare on port %d", BARE_PORT);
	return good;
}

static GArray *bare_times(size_t n, GError **error)
{
	g_autoptr(GArray) ms = g_array_new(FALSE, FALSE, sizeof(double));
	g_autofree char *config = g_strdup_printf(LAB_HAPROXY_FORMAT, BARE_PORT), *path = NULL;
	int fd = g_file_open_tmp("plh.XXXXXX", &path, error);
	bool good = fd >= 0 && file_write(path, config, strlen(config), 0600, error);
	for (size_t i = 0; good && i < n; i++) {
		double each;
		good = bare_round(path, &each, error);
		g_array_append_val(ms, each);
	}
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return good ? g_steal_pointer(&ms) : NULL;
}

bool bench_heal(const struct bench_options *options)
{
	g_autoptr(GError) error = NULL;
	size_t n = options->n ? options->n : DEFAULT_N;
	double seen_ms, answered_ms;
	g_autoptr(GArray) bare = bare_times(n, &error);
	auto_ptr(lab) lab = bare ? lab_new_nf(&error) : NULL;
	if (lab && lab_step(lab, 0, &seen_ms, &answered_ms, &error) && measure(lab, "NF killed", nf_pid, n, bare, options, &error) &&
	    measure(lab, "VNFC killed", vnfc_pid, n, bare, options, &error))
		return true;
	g_printerr("pleach-bench: heal: %s\n", error->message);
	return false;
}
