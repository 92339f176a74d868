/* pleach-leaf: the agent inside a VNF, its PID 1 on the local VIM.
 *
 * One thread, one poll(): signals, what the network function prints, HTTP, and the supervisor's next time. It has to be serving a
 * few milliseconds after its exec, so nothing is done here that is not needed: no locale, no main loop of GLib's, no logging.
 *
 * Exit status: 0 told to end; 1 cannot begin; 64 wrong usage.
 */
#include "base/clock.h"
#include "leaf/api.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FIRST_INHERITED_FD = 3,
	READY_FD = 4,
	CONNECTIONS_MAX = 16,
	SOCKET_MODE = 0600,
	USAGE = 64,
	UMASK = 022,
	POLL_FAILED_WAIT_US = 10000,
};

static const char help[] =
	"Usage: pleach-leaf --listen-fd N | --listen unix:PATH\n"
	"The agent inside a VNF: keeps its network function as it was last asked to.\n"
	"\n"
	"  --listen-fd N        serve HTTP on the listening socket that is descriptor N;\n"
	"                       when descriptor 4 is a pipe, one byte is written to it once serving\n"
	"  --listen unix:PATH   serve HTTP on a unix socket made at PATH\n"
	"  --help, --version\n"
	"\n"
	"Told to end by SIGTERM, it ends the network function and exits with status 0.\n";

static int wrong_usage(const char *text)
{
	fprintf(stderr, "pleach-leaf: %s\nTry \"pleach-leaf --help\".\n", text);
	return USAGE;
}

static int fail(const GError *fault)
{
	fprintf(stderr, "pleach-leaf: %s\n", fault->message);
	return EXIT_FAILURE;
}

/* SIGCHLD, and what asks us to end, come through a descriptor; a reader of HTTP that went away is no reason to die. A terminal
 * that hangs up ends us where we were started by hand; the first process of a namespace has none. */
static int watch_signals(GError **error)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (getpid() != 1)
		sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		pleach_error_errno(error, errno, "cannot watch signals");
	return fd;
}

/* The keeper waits at the other end; without one, descriptor 4 is not there or is nobody's business. */
static void tell_ready(void)
{
	struct stat st;
	if (fstat(READY_FD, &st) != 0 || !S_ISFIFO(st.st_mode))
		return;
	while (write(READY_FD, "R", 1) < 0 && errno == EINTR)
		;
	close(READY_FD);
}

static void take_signals(int fd, struct supervisor *supervisor)
{
	struct signalfd_siginfo info;
	while (read(fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			supervisor_end(supervisor, clock_monotonic_us());
	/* Several children may stand behind one SIGCHLD. */
	supervisor_reap(supervisor, clock_monotonic_us());
}

static int wait_ms(const struct supervisor *supervisor, struct http_server *server)
{
	gint64 next_us = supervisor_next_us(supervisor);
	int server_ms = http_server_timeout_ms(server);
	if (next_us < 0)
		return server_ms;
	gint64 left_ms = MAX((next_us - clock_monotonic_us() + 999) / 1000, 0);
	return server_ms < 0 ? (int) left_ms : (int) MIN(left_ms, server_ms);
}

static void serve(struct supervisor *supervisor, struct http_server *server, int signal_fd)
{
	struct pollfd fds[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = supervisor_output_fd(supervisor), .events = POLLIN },
		{ .fd = http_server_fd(server), .events = POLLIN },
	};
	while (!supervisor_has_ended(supervisor)) {
		if (poll(fds, G_N_ELEMENTS(fds), wait_ms(supervisor, server)) < 0 && errno != EINTR)
			g_usleep(POLL_FAILED_WAIT_US); /* the kernel has no memory: it may have some soon, and we must not end */
		if (fds[1].revents)
			supervisor_read(supervisor);
		if (fds[0].revents)
			take_signals(signal_fd, supervisor);
		http_server_run(server);
		supervisor_run(supervisor, clock_monotonic_us());
	}
}

static int run(int listen_fd)
{
	g_autoptr(GError) fault = NULL;
	int signal_fd = watch_signals(&fault);
	if (signal_fd < 0)
		return fail(fault);
	auto_ptr(supervisor) supervisor = supervisor_new(clock_monotonic_us(), &fault);
	if (!supervisor)
		return fail(fault);
	struct http_server_options options = {
		.listen_fd = listen_fd,
		.handler = api_handle,
		.data = supervisor,
		.body_max_bytes = LEAF_REQUEST_MAX_BYTES,
		.connections_max = CONNECTIONS_MAX,
	};
	auto_ptr(http_server) server = http_server_new(&options, &fault);
	if (!server)
		return fail(fault);
	tell_ready();
	serve(supervisor, server, signal_fd);
	return EXIT_SUCCESS;
}

static int inherited_socket(const char *number, GError **error)
{
	guint64 fd = 0;
	int listening = 0;
	socklen_t size = sizeof(listening);
	if (!g_ascii_string_to_unsigned(number, 10, FIRST_INHERITED_FD, G_MAXINT, &fd, NULL) || (int) fd == READY_FD ||
	    getsockopt((int) fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "descriptor \"%s\" is no listening socket", number);
		return -1;
	}
	fcntl((int) fd, F_SETFL, fcntl((int) fd, F_GETFL) | O_NONBLOCK);
	return (int) fd;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) fault = NULL;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(help, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("pleach-leaf " PLEACH_VERSION) < 0;
	if (argc != 3)
		return wrong_usage("it wants --listen-fd N or --listen unix:PATH");
	umask(UMASK);
	/* Whatever we were given, the network function is not. */
	close_range(FIRST_INHERITED_FD, ~0U, CLOSE_RANGE_CLOEXEC);
	/* Orphans of what runs here come to us, also when we are not the first process of a namespace. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (strcmp(argv[1], "--listen-fd") == 0) {
		int fd = inherited_socket(argv[2], &fault);
		return fd < 0 ? wrong_usage(fault->message) : run(fd);
	}
	if (strcmp(argv[1], "--listen") != 0)
		return wrong_usage("it wants --listen-fd N or --listen unix:PATH");
	if (!g_str_has_prefix(argv[2], "unix:"))
		return wrong_usage("the address is not unix:PATH");
	int fd = http_listen(argv[2], SOCKET_MODE, &fault);
	if (fd < 0)
		return fail(fault);
	int status = run(fd);
	unlink(argv[2] + strlen("unix:"));
	return status;
}
