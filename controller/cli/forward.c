/* pleach forward: a port of a VNF of the local VIM, carried to this host. */
#include "cli/verbs.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 * 1024, CONNECT_TIMEOUT_S = 10, CONNECTIONS_MAX = 256 };

static const char INSIDE_HOST[] = "127.0.0.1"; /* in the VNFC, where none is said */

struct forward {
	GMainLoop *loop;
	struct cli_target target;
	char *to_host;
	unsigned to_port;
	unsigned n_connections;
};

/* One direction of one connection; the two share the connection. */
struct connection {
	struct forward *forward;
	int fds[2];
	unsigned open_directions;
};

struct direction {
	struct connection *connection;
	int from, to;
	char *data;
	size_t length, written;
};

static void connection_unref(struct connection *connection)
{
	if (--connection->open_directions > 0)
		return;
	close(connection->fds[0]);
	close(connection->fds[1]);
	connection->forward->n_connections--;
	g_free(connection);
}

static void direction_end(struct direction *direction)
{
	shutdown(direction->to, SHUT_WR);
	connection_unref(direction->connection);
	g_free(direction->data);
	g_free(direction);
}

static gboolean can_read(int fd, GIOCondition condition, gpointer data);

static gboolean can_write(int fd, GIOCondition condition, gpointer data)
{
	struct direction *direction = data;
	ssize_t n = send(direction->to, direction->data + direction->written, direction->length - direction->written,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n < 0) {
		shutdown(direction->from, SHUT_RD);
		direction_end(direction);
		return G_SOURCE_REMOVE;
	}
	direction->written += (size_t) n;
	if (direction->written < direction->length)
		return G_SOURCE_CONTINUE;
	g_unix_fd_add(direction->from, G_IO_IN | G_IO_HUP, can_read, direction);
	return G_SOURCE_REMOVE;
}

static gboolean can_read(int fd, GIOCondition condition, gpointer data)
{
	struct direction *direction = data;
	ssize_t n = recv(direction->from, direction->data, CHUNK_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		direction_end(direction);
		return G_SOURCE_REMOVE;
	}
	direction->length = (size_t) n;
	direction->written = 0;
	g_unix_fd_add(direction->to, G_IO_OUT | G_IO_HUP | G_IO_ERR, can_write, direction);
	return G_SOURCE_REMOVE;
}

static void start_direction(struct connection *connection, int from, int to)
{
	struct direction *direction = g_new0(struct direction, 1);
	*direction = (struct direction) { .connection = connection, .from = from, .to = to, .data = g_malloc(CHUNK_BYTES) };
	g_unix_fd_add(from, G_IO_IN | G_IO_HUP, can_read, direction);
}

static gboolean accept_one(int fd, GIOCondition condition, gpointer data)
{
	struct forward *forward = data;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		return G_SOURCE_CONTINUE;
	int inside = -1;
	g_autoptr(GError) error = NULL;
	const struct call call = { .deadline_us = clock_monotonic_us() + CONNECT_TIMEOUT_S * G_USEC_PER_SEC, .cancel_fd = -1 };
	if (forward->n_connections >= CONNECTIONS_MAX)
		fprintf(stderr, "pleach: %d connections are open already; one more is refused\n", CONNECTIONS_MAX);
	else if (!forward->target.ops->connect(forward->target.vim, &call, forward->target.vnfc_key, forward->to_host, forward->to_port,
					       &inside, &error))
		fprintf(stderr, "pleach: %s%s\n", error->message,
			strcmp(forward->to_host, INSIDE_HOST) ? "" : " (where the software listens elsewhere: PORT:ADDRESS:PORT)");
	if (inside < 0) {
		close(client);
		return G_SOURCE_CONTINUE;
	}
	struct connection *connection = g_new0(struct connection, 1);
	*connection = (struct connection) { .forward = forward, .fds = { client, inside }, .open_directions = 2 };
	forward->n_connections++;
	start_direction(connection, client, inside);
	start_direction(connection, inside, client);
	return G_SOURCE_CONTINUE;
}

static bool is_port(const char *text, unsigned min, guint64 *ret)
{
	return g_ascii_string_to_unsigned(text, 10, min, G_MAXUINT16, ret, NULL);
}

/* [HOST:]PORT:[ADDRESS:]PORT; of three parts the one of the first two that is no number says which of both is meant. */
static bool parse(const char *text, char **ret_host, char **ret_port, char **ret_to_host, unsigned *ret_to_port)
{
	g_auto(GStrv) parts = g_strsplit(text, ":", -1);
	guint n = g_strv_length(parts);
	if (n < 2 || n > 4 || g_strv_contains((const char *const *) parts, ""))
		return false;
	guint64 to_port, port;
	guint at = n == 2 || (n == 3 && is_port(parts[0], 0, &port)) ? 0 : 1; /* the first PORT */
	if (!is_port(parts[n - 1], 1, &to_port) || !is_port(parts[at], 0, &port))
		return false;
	*ret_host = g_strdup(at ? parts[0] : "127.0.0.1");
	*ret_port = g_strdup(parts[at]);
	*ret_to_host = g_strdup(n - 2 > at ? parts[n - 2] : INSIDE_HOST);
	*ret_to_port = (unsigned) to_port;
	return true;
}

static int listen_on(const char *host, const char *port, GError **error)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int fault = getaddrinfo(host, port, &hints, &found);
	if (fault) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s:%s: %s", host, port, gai_strerror(fault));
		return -1;
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
		pleach_error_errno(error, errno, "cannot listen on %s:%s", host, port);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static unsigned bound_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	if (getsockname(fd, (struct sockaddr *) &address, &length) != 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *) &address)->sin6_port :
						     ((struct sockaddr_in *) &address)->sin_port);
}

static gboolean stop(gpointer data)
{
	g_main_loop_quit(((struct forward *) data)->loop);
	return G_SOURCE_CONTINUE;
}

static int serve(struct forward *forward, const char *host, const char *port)
{
	g_autoptr(GError) error = NULL;
	int fd = listen_on(host, port, &error);
	if (fd < 0)
		return cli_fail(error);
	printf("%s:%u -> %s, %s:%u; Ctrl-C ends it\n", host, bound_port(fd), forward->target.vnfc_key, forward->to_host, forward->to_port);
	fflush(stdout);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	forward->loop = loop;
	g_unix_signal_add(SIGINT, stop, forward);
	g_unix_signal_add(SIGTERM, stop, forward);
	g_unix_fd_add(fd, G_IO_IN, accept_one, forward);
	g_main_loop_run(loop);
	close(fd);
	return EXIT_OK;
}

static char *option_owner;

static const GOptionEntry options[] = {
	{ "owner", 0, 0, G_OPTION_ARG_STRING, &option_owner, "of this owner, where several have such a VNFC", "NAME" },
	{ NULL },
};

static int run(const struct cli *cli, int argc, char **argv)
{
	struct forward forward = { 0 };
	g_autofree char *host = NULL, *port = NULL, *to_host = NULL;
	if (argc != 3 || !parse(argv[2], &host, &port, &to_host, &forward.to_port))
		return cli_usage("forward: say which VNFC and which ports: pleach forward KEY [HOST:]PORT:[ADDRESS:]PORT");
	forward.to_host = to_host;
	g_autoptr(GError) error = NULL;
	if (!cli_target_open(cli, argv[1], option_owner, &forward.target, &error))
		return cli_fail(error);
	int status = EXIT_FAULT;
	if (forward.target.ops->connect)
		status = serve(&forward, host, port);
	else
		fprintf(stderr, "pleach: the VIM driver %s cannot reach into a VNFC\n", forward.target.ops->name);
	cli_target_close(&forward.target);
	return status;
}

const struct command command_forward = {
	.name = "forward",
	.arguments = "KEY [HOST:]PORT:[ADDRESS:]PORT",
	.summary = "carry a port of a VNF to this host",
	.details = "The first PORT is this host's (0: any free one), the second the VNF's, at ADDRESS as seen from inside it\n"
		   "(default 127.0.0.1). Runs until Ctrl-C.\n\nExit status: 0 ended by Ctrl-C, 1 could not be done.",
	.options = options,
	.run = run,
};
