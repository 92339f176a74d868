#include "http/server/internal.h"

#include "base/clock.h"
#include "base/error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	DISCARD_MAX_BYTES = 1024 * 1024,    /* of a body that is too large, before the connection is cut instead of answered */
	EVICT_AFTER_US = G_USEC_PER_SEC / 2, /* with every connection taken, those idle for longer make room */
};

static void notify_connection(void *data, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = data;
	struct connection *connection = *context;
	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		connection = g_new0(struct connection, 1);
		connection->server = server;
		connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		connection->next = server->connections;
		connection->link = &server->connections;
		if (connection->next)
			connection->next->link = &connection->next;
		server->connections = connection;
		server->n_connections++;
		connection_enter(connection, RECEIVING);
		*context = connection;
		break;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		*connection->link = connection->next;
		if (connection->next)
			connection->next->link = connection->link;
		server->n_connections--;
		server->again = true;
		g_free(connection);
		*context = NULL;
		break;
	}
}

static void exchange_free(struct exchange *exchange)
{
	if (exchange->link) {
		*exchange->link = exchange->next;
		if (exchange->next)
			exchange->next->link = exchange->link;
	}
	if (exchange->stream)
		stream_forget(exchange->stream);
	if (exchange->body)
		g_byte_array_unref(exchange->body);
	for (size_t i = 0; i < exchange->n_params; i++) {
		g_free(exchange->params[i].name);
		g_free(exchange->params[i].value);
	}
	for (size_t i = 0; i < exchange->n_headers; i++) {
		g_free(exchange->headers[i].name);
		g_free(exchange->headers[i].value);
	}
	g_free(exchange->path);
	g_free(exchange->accept);
	g_free(exchange->content_type);
	g_free(exchange);
}

static void notify_completed(void *data, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *request;
	if (!exchange)
		return;
	*request = NULL;
	connection_enter(exchange->connection, RECEIVING);
	exchange_free(exchange);
}

static enum MHD_Result refuse(struct exchange *exchange, unsigned status)
{
	const char *text = status == MHD_HTTP_CONTENT_TOO_LARGE ? "the request's body is too large\n"
			   : status == MHD_HTTP_URI_TOO_LONG    ? "the request's path or query is too long\n"
								: "the request is malformed\n";
	http_respond_text(&exchange->request, status, "%s", text);
	return MHD_YES;
}

static bool is_too_large(const struct exchange *exchange)
{
	const char *length = MHD_lookup_connection_value(exchange->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	return length && g_ascii_strtoull(length, NULL, 10) > exchange->server->body_max_bytes;
}

static enum MHD_Result begin(struct http_server *server, struct MHD_Connection *mhd, const char *method, const char *raw_path,
			     void **request)
{
	struct exchange *exchange = g_new0(struct exchange, 1);
	exchange->server = server;
	exchange->mhd = mhd;
	exchange->connection = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	*request = exchange;
	unsigned status = exchange_parse(exchange, method, raw_path);
	if (!status && is_too_large(exchange))
		status = MHD_HTTP_CONTENT_TOO_LARGE;
	return status ? refuse(exchange, status) : MHD_YES;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *upload, size_t *length)
{
	if (!exchange->body)
		exchange->body = g_byte_array_new();
	if (exchange->body->len + *length <= exchange->server->body_max_bytes && !exchange->discarded)
		g_byte_array_append(exchange->body, (const guint8 *) upload, (guint) *length);
	else
		exchange->discarded += *length;
	*length = 0;
	return exchange->discarded > DISCARD_MAX_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result handle(struct exchange *exchange)
{
	struct http_server *server = exchange->server;
	if (exchange->discarded)
		return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE);
	if (exchange->body) {
		exchange->request.body_length = exchange->body->len;
		g_byte_array_append(exchange->body, (const guint8 *) "", 1);
		exchange->request.body = (const char *) exchange->body->data;
	}
	connection_enter(exchange->connection, HANDLING);
	server->handler(&exchange->request, server->data);
	if (!exchange->answered) {
		exchange->next = server->waiting;
		exchange->link = &server->waiting;
		if (exchange->next)
			exchange->next->link = &exchange->next;
		server->waiting = exchange;
		exchange->suspended = true;
		MHD_suspend_connection(exchange->mhd);
	}
	return MHD_YES;
}

static enum MHD_Result on_access(void *data, struct MHD_Connection *mhd, const char *raw_path, const char *method,
				 const char *version, const char *upload, size_t *upload_length, void **request)
{
	struct exchange *exchange = *request;
	if (!exchange)
		return begin(data, mhd, method, raw_path, request);
	if (*upload_length > 0)
		return take_body(exchange, upload, upload_length);
	return exchange->answered ? MHD_YES : handle(exchange);
}

/* Paths and parameters are decoded by us, who refuse what is malformed instead of guessing. */
static size_t leave_escaped(void *data, struct MHD_Connection *mhd, char *text)
{
	return strlen(text);
}

struct http_server *http_server_new(const struct http_server_options *options, GError **error)
{
	struct http_server *server = g_new0(struct http_server, 1);
	server->handler = options->handler;
	server->data = options->data;
	server->body_max_bytes = options->body_max_bytes ? options->body_max_bytes : HTTP_BODY_MAX_BYTES;
	server->connections_max = options->connections_max ? options->connections_max : HTTP_CONNECTIONS_MAX;
	unsigned receive_ms = options->receive_timeout_ms, send_ms = options->send_timeout_ms;
	server->receive_timeout_us = 1000 * (gint64) (receive_ms ? receive_ms : HTTP_RECEIVE_TIMEOUT_MS);
	server->send_timeout_us = 1000 * (gint64) (send_ms ? send_ms : HTTP_SEND_TIMEOUT_MS);
	fcntl(options->listen_fd, F_SETFL, fcntl(options->listen_fd, F_GETFL) | O_NONBLOCK);
	server->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, server,
				       MHD_OPTION_LISTEN_SOCKET, options->listen_fd,
				       MHD_OPTION_CONNECTION_LIMIT, server->connections_max,
				       MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HTTP_HEADER_MAX_BYTES,
				       MHD_OPTION_STRICT_FOR_CLIENT, 1,
				       MHD_OPTION_NOTIFY_CONNECTION, notify_connection, server,
				       MHD_OPTION_NOTIFY_COMPLETED, notify_completed, server,
				       MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_END);
	const union MHD_DaemonInfo *info = server->mhd ? MHD_get_daemon_info(server->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info || info->epoll_fd < 0) {
		g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "the HTTP server cannot start on its socket");
		if (server->mhd)
			MHD_stop_daemon(server->mhd);
		else
			close(options->listen_fd);
		g_free(server);
		return NULL;
	}
	server->epoll_fd = info->epoll_fd;
	return server;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	/* libmicrohttpd wants no connection suspended when it stops. */
	while (server->waiting)
		http_respond_text(&server->waiting->request, MHD_HTTP_SERVICE_UNAVAILABLE, "the server is ending\n");
	for (struct http_stream *stream = server->streams, *next; stream; stream = next) {
		next = stream->next;
		http_stream_end(stream);
	}
	MHD_run(server->mhd);
	MHD_stop_daemon(server->mhd);
	g_free(server);
}

int http_server_fd(const struct http_server *server)
{
	return server->epoll_fd;
}

/* When @connection has had its time; -1: never. */
static gint64 deadline_of(const struct http_server *server, const struct connection *connection)
{
	if (connection->cut)
		return -1;
	switch (connection->state) {
	case RECEIVING:
		return connection->since_us + (server->n_connections >= server->connections_max
						       ? MIN(EVICT_AFTER_US, server->receive_timeout_us)
						       : server->receive_timeout_us);
	case SENDING:
		return connection->since_us + server->send_timeout_us;
	case HANDLING:
	case STREAMING:
		return -1;
	}
	g_assert_not_reached();
}

int http_server_timeout_ms(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG of_mhd_ms;
	if (server->again)
		return 0;
	gint64 left_ms = MHD_get_timeout(server->mhd, &of_mhd_ms) == MHD_YES ? (gint64) MIN(of_mhd_ms, G_MAXINT) : -1;
	gint64 now_us = clock_monotonic_us();
	for (const struct connection *connection = server->connections; connection; connection = connection->next) {
		gint64 deadline_us = deadline_of(server, connection);
		if (deadline_us < 0)
			continue;
		gint64 ms = (MAX(deadline_us - now_us, 0) + 999) / 1000;
		left_ms = left_ms < 0 ? ms : MIN(left_ms, ms);
	}
	return (int) left_ms;
}

void http_server_run(struct http_server *server)
{
	server->again = false;
	MHD_run(server->mhd);
	gint64 now_us = clock_monotonic_us();
	for (struct connection *connection = server->connections; connection; connection = connection->next) {
		gint64 deadline_us = deadline_of(server, connection);
		if (deadline_us >= 0 && deadline_us <= now_us) {
			connection_cut(connection);
			server->again = true;
		}
	}
}

unsigned http_server_connections(const struct http_server *server)
{
	return server->n_connections;
}
