/* pleach-leaf: the agent inside a VNF, its PID 1 on the local VIM.
 *
 * One thread, one poll(): signals, what the network function prints, what it answers, HTTP, and the next time of the supervisor or of
 * those who wait. It has to be serving a few milliseconds after its exec, so nothing is done here that is not needed: no locale, no
 * main loop of GLib's, no logging.
 *
 * Exit status: 0 told to end; 1 cannot begin; 64 wrong usage.
 */
#include "base/clock.h"
#include "leaf/api.h"
#include "leaf/upgrade.h"

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

#define FOLDER "/var/lib/pleach"

enum {
	FIRST_INHERITED_FD = 3,
	READY_FD = 4,
	CONNECTIONS_MAX = 16,
	SOCKET_MODE = 0600,
	USAGE = 64,
	UMASK = 022,
	POLL_FAILED_WAIT_US = 10000,
	LAST_ANSWERS = 4, /* turns of the server, for the last answers to leave */
};

static const char help[] =
	"Usage: pleach-leaf --listen-fd N | --listen unix:PATH  [--folder DIR]\n"
	"The agent inside a VNF: keeps its network function as it was last asked to.\n"
	"\n"
	"  --listen-fd N        serve HTTP on the listening socket that is descriptor N;\n"
	"                       when descriptor 4 is a pipe, 'R' is written to it once serving,\n"
	"                       and '!' when the state or the health of the network function changes\n"
	"  --listen unix:PATH   serve HTTP on a unix socket made at PATH\n"
	"  --folder DIR         for packages (/var/lib/pleach)\n"
	"  --resume N           go on from what a former program left at descriptor N\n"
	"  --try N              only read that: exit status 0 when we could go on\n"
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

/* The keeper waits at the other end; without one, descriptor 4 is not there or is nobody's business. It stays ours, as the doorbell: -1
 * where there is none. */
static int tell_ready(void)
{
	struct stat st;
	if (fstat(READY_FD, &st) != 0 || !S_ISFIFO(st.st_mode))
		return -1;
	fcntl(READY_FD, F_SETFL, O_WRONLY | O_NONBLOCK);
	while (write(READY_FD, "R", 1) < 0 && errno == EINTR)
		;
	return READY_FD;
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

static int wait_ms(const struct supervisor *supervisor, const struct api *api, struct http_server *server)
{
	gint64 now_us = clock_monotonic_us(), next_us = supervisor_next_us(supervisor, now_us), api_us = api_next_us(api);
	int server_ms = http_server_timeout_ms(server);
	if (next_us < 0 || (api_us >= 0 && api_us < next_us))
		next_us = api_us;
	if (next_us < 0)
		return server_ms;
	gint64 left_ms = CLAMP((next_us - now_us + 999) / 1000, 0, G_MAXINT);
	return server_ms < 0 ? (int) left_ms : (int) MIN(left_ms, server_ms);
}

/* Until the VNF is to end (-1), or to go on as another program (its descriptor). */
static int serve(struct supervisor *supervisor, struct api *api, struct http_server *server, int signal_fd)
{
	struct pollfd fds[2 + SUPERVISOR_FDS];
	int program_fd = -1;
	while (!supervisor_has_ended(supervisor) && program_fd < 0) {
		fds[0] = (struct pollfd) { .fd = signal_fd, .events = POLLIN };
		fds[1] = (struct pollfd) { .fd = http_server_fd(server), .events = POLLIN };
		supervisor_fds(supervisor, fds + 2);
		if (poll(fds, G_N_ELEMENTS(fds), wait_ms(supervisor, api, server)) < 0 && errno != EINTR)
			g_usleep(POLL_FAILED_WAIT_US); /* the kernel has no memory: it may have some soon, and we must not end */
		supervisor_read(supervisor);
		take_signals(signal_fd, supervisor);
		http_server_run(server);
		supervisor_run(supervisor, clock_monotonic_us());
		api_run(api, clock_monotonic_us());
		program_fd = api_take_program(api);
	}
	return program_fd;
}

static struct http_server *start_server(struct api *api, int listen_fd, GError **error)
{
	struct http_server_options options = {
		.listen_fd = fcntl(listen_fd, F_DUPFD_CLOEXEC, FIRST_INHERITED_FD),
		.handler = api_handle,
		.data = api,
		.body_max_bytes = LEAF_REQUEST_MAX_BYTES,
		.connections_max = CONNECTIONS_MAX,
	};
	return http_server_new(&options, error);
}

/* Serves until the end. */
static int run(struct supervisor *supervisor, bool tells, int listen_fd, int signal_fd, GError **error)
{
	for (;; tells = false) {
		auto_ptr(api) api = api_new(supervisor);
		auto_ptr(http_server) server = start_server(api, listen_fd, error);
		if (!server)
			return EXIT_FAILURE;
		if (tells)
			supervisor_set_bell(supervisor, tell_ready());
		int program_fd = serve(supervisor, api, server, signal_fd);
		api_close(api);
		for (int i = 0; i < LAST_ANSWERS; i++)
			http_server_run(server);
		http_server_free(g_steal_pointer(&server));
		if (program_fd < 0)
			return EXIT_SUCCESS;
		/* Only when it failed do we come back, and serve on as we are. */
		g_autoptr(GError) fault = NULL;
		upgrade_go(supervisor, program_fd, listen_fd, &fault);
		close(program_fd);
	}
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

struct arguments {
	const char *listen_fd, *listen, *folder, *resume, *attempt;
};

static bool parse_arguments(int argc, char **argv, struct arguments *ret)
{
	const struct {
		const char *name, **value;
	} options[] = { { "--listen-fd", &ret->listen_fd }, { "--listen", &ret->listen }, { "--folder", &ret->folder },
			{ "--resume", &ret->resume }, { "--try", &ret->attempt } };
	for (int i = 1; i < argc; i += 2) {
		bool known = false;
		for (size_t k = 0; k < G_N_ELEMENTS(options) && !known; k++)
			if (strcmp(argv[i], options[k].name) == 0 && i + 1 < argc) {
				*options[k].value = argv[i + 1];
				known = true;
			}
		if (!known)
			return false;
	}
	return (ret->listen_fd != NULL) + (ret->listen != NULL) + (ret->attempt != NULL) == 1;
}

static struct supervisor *resume(const char *number, GError **error)
{
	guint64 fd = 0;
	if (g_ascii_string_to_unsigned(number, 10, FIRST_INHERITED_FD, G_MAXINT, &fd, NULL))
		return upgrade_resume((int) fd, error);
	pleach_error_invalid(error, "\"%s\" is no descriptor", number);
	return NULL;
}

static int attempt(const char *number)
{
	g_autoptr(GError) fault = NULL;
	auto_ptr(supervisor) supervisor = resume(number, &fault);
	return supervisor ? EXIT_SUCCESS : fail(fault);
}

static int live(const struct arguments *arguments, int listen_fd)
{
	const char *folder = arguments->folder ? arguments->folder : FOLDER;
	g_autoptr(GError) fault = NULL;
	int signal_fd = watch_signals(&fault);
	if (signal_fd < 0)
		return fail(fault);
	auto_ptr(supervisor) supervisor = arguments->resume ? resume(arguments->resume, &fault)
							    : supervisor_new(folder, clock_monotonic_us(), &fault);
	if (!supervisor)
		return fail(fault);
	bool tells = arguments->listen_fd && !arguments->resume;
	int status = run(supervisor, tells, listen_fd, signal_fd, &fault);
	supervisor_end_strays(supervisor);
	return status == EXIT_SUCCESS ? status : fail(fault);
}

int main(int argc, char **argv)
{
	g_autoptr(GError) fault = NULL;
	struct arguments arguments = { 0 };
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(help, stdout) < 0;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("pleach-leaf " PLEACH_VERSION) < 0;
	if (!parse_arguments(argc, argv, &arguments))
		return wrong_usage("it wants --listen-fd N or --listen unix:PATH");
	umask(UMASK);
	/* Whatever we were given, the network function is not. */
	close_range(FIRST_INHERITED_FD, ~0U, CLOSE_RANGE_CLOEXEC);
	if (arguments.attempt)
		return attempt(arguments.attempt);
	/* Orphans of what runs here come to us, also when we are not the first process of a namespace. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (arguments.listen_fd) {
		int fd = inherited_socket(arguments.listen_fd, &fault);
		return fd < 0 ? wrong_usage(fault->message) : live(&arguments, fd);
	}
	if (!g_str_has_prefix(arguments.listen, "unix:"))
		return wrong_usage("the address is not unix:PATH");
	int fd = http_listen(arguments.listen, SOCKET_MODE, &fault);
	if (fd < 0)
		return fail(fault);
	int status = live(&arguments, fd);
	unlink(arguments.listen + strlen("unix:"));
	return status;
}
