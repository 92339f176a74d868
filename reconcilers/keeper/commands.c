#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int vnfc_netns(const struct vnfc *vnfc, GError **error)
{
	char path[64];
	g_snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) vnfc->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		pleach_error_errno(error, errno, "open the network namespace of process %d", (int) vnfc->pid);
	return fd;
}

/* The instance that a command or a connection is for; NULL and the job answered when there is none that runs. */
static struct vnfc *running(struct keeper *keeper, struct job *job)
{
	struct vnfc *vnfc = vnfc_find(keeper, job->request.key, 0);
	if (vnfc && vnfc->phase == VNFC_RUNNING)
		return vnfc;
	job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s does not run here%s%s", job->request.key,
				  vnfc && vnfc->exit ? ": " : "", vnfc && vnfc->exit ? vnfc->exit : ""));
	return NULL;
}

/* --- exec ----------------------------------------------------------------------------------------------------------------- */

/* The caller went, or its deadline passed: the command goes with it. */
static void stop_command(struct job *job, bool is_timeout)
{
	kill(-GPOINTER_TO_INT(job->data), SIGKILL); /* it leads a session of its own: what it started goes too */
	if (!is_timeout)
		return;
	g_hash_table_remove(job->keeper->commands, job->data);
	job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "the command did not end in time and was killed"));
}

/* When the VNF's memory is over, a command goes before the VNF's own first process. Where that cannot be said, the kernel chooses. */
static void go_first(pid_t pid)
{
	static const char score[] = "500";
	char path[64];
	g_snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int) pid);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, score, strlen(score)) < 0)
		g_debug("%s: %s", path, g_strerror(errno));
	close(fd);
}

void commands_exec(struct keeper *keeper, struct job *job)
{
	struct vnfc *vnfc = running(keeper, job);
	if (!vnfc)
		return;
	if (job->n_fds != 3) {
		job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_INVALID, "exec wants three descriptors, %zu came",
			job->n_fds));
		return;
	}
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/",
		lang[] = "LANG=C.UTF-8";
	const struct keeper_strings *argv = &job->request.argv;
	char **args = ARENA_ARRAY(job->arena, char *, argv->n + 1);
	for (size_t i = 0; i < argv->n; i++)
		args[i] = arena_strdup(job->arena, argv->items[i]);
	char *term = job->request.term ? arena_printf(job->arena, "TERM=%s", job->request.term) : NULL;
	char *envp[] = { path, home, lang, term, NULL };
	struct spawn_command command = {
		.fds = { job->fds[0], job->fds[1], job->fds[2] }, .argv = args, .envp = envp, .nofile = keeper->nofile,
		.pid_fd = pidfd_open(vnfc->pid, 0), .into = -1, .tasks = { -1, -1, -1 },
	};
	GError *error = NULL;
	pid_t pid = -1;
	if (command.pid_fd < 0)
		pleach_error_errno(&error, errno, "open process %d", (int) vnfc->pid);
	else if (cgroup_doors(keeper->cgroups, vnfc->name, &command.into, command.tasks, &error))
		pid = spawn_command(&command, &error);
	const int fds[] = { command.pid_fd, command.into, command.tasks[0], command.tasks[1], command.tasks[2] };
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (pid < 0) {
		g_prefix_error(&error, "%s: %s: ", job->request.key, argv->items[0]);
		job_fail(job, error);
		return;
	}
	go_first(pid);
	job->data = GINT_TO_POINTER(pid);
	job->give_up = stop_command;
	g_hash_table_insert(keeper->commands, job->data, job);
}

void commands_reaped(struct keeper *keeper, pid_t pid, int status)
{
	struct job *job = g_hash_table_lookup(keeper->commands, GINT_TO_POINTER(pid));
	if (!job)
		return;
	g_hash_table_remove(keeper->commands, GINT_TO_POINTER(pid));
	int shell = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	job_reply(job, &(struct keeper_reply) { .ok = true, .status = shell }, -1);
}

/* --- connect -------------------------------------------------------------------------------------------------------------- */

struct dial {
	struct job *job;
	int fd;
	struct loop_source *source;
};

static void dial_free(struct dial *dial)
{
	loop_remove(dial->source);
	close(dial->fd);
	g_free(dial);
}

static void dial_gives_up(struct job *job, bool is_timeout)
{
	dial_free(job->data);
	job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "connect to %s port %u in %s: no answer", job->request.host,
				  job->request.port, job->request.key));
}

static void dialled(struct dial *dial, int errnum)
{
	struct job *job = dial->job;
	job->give_up = NULL;
	if (!errnum) {
		/* Whoever gets it expects an ordinary descriptor. */
		fcntl(dial->fd, F_SETFL, fcntl(dial->fd, F_GETFL) & ~O_NONBLOCK);
		job_reply(job, &(struct keeper_reply) { .ok = true }, dial->fd);
	} else {
		g_autoptr(GError) error = NULL;
		pleach_error_errno(&error, errnum, "connect to %s port %u in %s", job->request.host, job->request.port,
			job->request.key);
		if (errnum == ECONNREFUSED)
			error->code = PLEACH_ERROR_RETRY;
		job_fail(job, g_steal_pointer(&error));
	}
	dial_free(dial);
}

static void on_dial(void *data, uint32_t events)
{
	struct dial *dial = data;
	int errnum = 0;
	socklen_t size = sizeof(errnum);
	if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &errnum, &size) < 0)
		errnum = errno;
	dialled(dial, errnum);
}

/* A socket of the VNFC's network namespace. */
static int socket_in(const struct vnfc *vnfc, int family, GError **error)
{
	int netns = vnfc_netns(vnfc, error);
	if (netns < 0)
		return -1;
	int fd = -1, errnum = 0;
	if (setns(netns, CLONE_NEWNET) == 0) {
		fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		errnum = errno;
		if (setns(vnfc->keeper->netns_fd, CLONE_NEWNET) < 0)
			g_error("cannot go back to the site's network namespace");
	} else {
		errnum = errno;
	}
	close(netns);
	if (fd < 0)
		pleach_error_errno(error, errnum, "create a socket in %s", vnfc->want.key);
	return fd;
}

static bool address_of(const struct keeper_request *request, struct sockaddr_storage *ret, socklen_t *ret_size, GError **error)
{
	struct nl_addr addr;
	const char *host = strcmp(request->host, "localhost") == 0 ? "127.0.0.1" : request->host;
	memset(ret, 0, sizeof(*ret));
	if (strchr(host, '/') || !nl_addr_parse(host, &addr)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "\"%s\" is no IP address", request->host);
		return false;
	}
	ret->ss_family = addr.family;
	if (addr.family == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *) ret;
		in->sin_port = htons((guint16) request->port);
		memcpy(&in->sin_addr, addr.bytes, sizeof(in->sin_addr));
		*ret_size = sizeof(*in);
	} else {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) ret;
		in6->sin6_port = htons((guint16) request->port);
		memcpy(&in6->sin6_addr, addr.bytes, sizeof(in6->sin6_addr));
		*ret_size = sizeof(*in6);
	}
	return true;
}

void commands_connect(struct keeper *keeper, struct job *job)
{
	struct vnfc *vnfc = running(keeper, job);
	if (!vnfc)
		return;
	GError *error = NULL;
	struct sockaddr_storage address;
	socklen_t size;
	int fd = address_of(&job->request, &address, &size, &error) ? socket_in(vnfc, address.ss_family, &error) : -1;
	if (fd < 0) {
		job_fail(job, error);
		return;
	}
	struct dial *dial = g_new0(struct dial, 1);
	*dial = (struct dial) { job, fd, NULL };
	int errnum = connect(fd, (struct sockaddr *) &address, size) == 0 ? 0 : errno;
	if (errnum != EINPROGRESS) {
		dialled(dial, errnum);
		return;
	}
	dial->source = loop_add(keeper->loop, fd, EPOLLOUT, on_dial, dial, &error);
	if (!dial->source) {
		dial_free(dial);
		job_fail(job, error);
		return;
	}
	job->data = dial;
	job->give_up = dial_gives_up;
}
