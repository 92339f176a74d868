/* Answers: whole ones, and streams. */
#include "http/server/internal.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

void connection_enter(struct connection *connection, int state)
{
	connection->state = state;
	connection->since_us = clock_monotonic_us();
}

void connection_cut(struct connection *connection)
{
	connection->cut = true;
	shutdown(connection->fd, SHUT_RDWR);
}

/* Hands @response to libmicrohttpd, wakes the connection, and gives up the exchange: the end of the request frees it. */
static void queue(struct exchange *exchange, unsigned status, const char *content_type, struct MHD_Response *response)
{
	g_assert(!exchange->answered);
	exchange->answered = true;
	if (exchange->link) {
		*exchange->link = exchange->next;
		if (exchange->next)
			exchange->next->link = exchange->link;
		exchange->link = NULL;
	}
	if (content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	for (size_t i = 0; i < exchange->n_headers; i++)
		MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value);
	MHD_add_response_header(response, MHD_HTTP_HEADER_X_CONTENT_TYPE_OPTIONS, "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	connection_enter(exchange->connection, exchange->stream ? STREAMING : SENDING);
	if (MHD_queue_response(exchange->mhd, status, response) == MHD_NO)
		connection_cut(exchange->connection);
	MHD_destroy_response(response);
	if (exchange->suspended) {
		exchange->suspended = false;
		MHD_resume_connection(exchange->mhd);
		exchange->server->again = true;
	}
}

void http_answer_header(struct http_request *request, const char *name, const char *value)
{
	struct exchange *exchange = (struct exchange *) request;
	g_assert(exchange->n_headers < HTTP_ANSWER_HEADERS_MAX);
	exchange->headers[exchange->n_headers].name = g_strdup(name);
	exchange->headers[exchange->n_headers++].value = g_strdup(value);
}

void http_respond(struct http_request *request, unsigned status, const char *content_type, const void *bytes, size_t length)
{
	void *copied = length ? g_memdup2(bytes, length) : g_strdup("");
	queue((struct exchange *) request, status, content_type,
	      MHD_create_response_from_buffer_with_free_callback(length, copied, g_free));
}

void http_respond_text(struct http_request *request, unsigned status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	http_respond(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void stream_free(struct http_stream *stream)
{
	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	g_byte_array_unref(stream->waiting);
	g_free(stream);
}

void stream_forget(struct http_stream *stream)
{
	stream->reader_gone = true;
	stream->connection = NULL;
	stream->mhd = NULL;
	if (stream->writer_gone)
		stream_free(stream);
}

static ssize_t stream_read(void *data, uint64_t position, char *buffer, size_t max)
{
	struct http_stream *stream = data;
	if (stream->waiting->len == 0) {
		if (stream->writer_gone)
			return MHD_CONTENT_READER_END_OF_STREAM;
		stream->suspended = true;
		MHD_suspend_connection(stream->mhd);
		return 0;
	}
	size_t length = MIN(max, stream->waiting->len);
	memcpy(buffer, stream->waiting->data, length);
	g_byte_array_remove_range(stream->waiting, 0, (guint) length);
	return (ssize_t) length;
}

static void stream_wake(struct http_stream *stream)
{
	if (stream->suspended) {
		stream->suspended = false;
		MHD_resume_connection(stream->mhd);
		stream->server->again = true;
	}
}

struct http_stream *http_respond_stream(struct http_request *request, unsigned status, const char *content_type)
{
	struct exchange *exchange = (struct exchange *) request;
	struct http_server *server = exchange->server;
	struct http_stream *stream = g_new0(struct http_stream, 1);
	stream->server = server;
	stream->connection = exchange->connection;
	stream->mhd = exchange->mhd;
	stream->waiting = g_byte_array_new();
	stream->next = server->streams;
	stream->link = &server->streams;
	if (stream->next)
		stream->next->link = &stream->next;
	server->streams = stream;
	exchange->stream = stream;
	queue(exchange, status, content_type,
	      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, stream_read, stream, NULL));
	return stream;
}

bool http_stream_write(struct http_stream *stream, const void *bytes, size_t length)
{
	if (stream->reader_gone || stream->waiting->len + length > HTTP_STREAM_MAX_BYTES)
		return false;
	g_byte_array_append(stream->waiting, bytes, (guint) length);
	stream_wake(stream);
	return true;
}

bool http_stream_is_open(const struct http_stream *stream)
{
	if (stream->reader_gone)
		return false;
	struct pollfd look = { .fd = stream->connection->fd, .events = POLLRDHUP };
	return poll(&look, 1, 0) <= 0 || !(look.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void http_stream_end(struct http_stream *stream)
{
	stream->writer_gone = true;
	if (stream->reader_gone)
		stream_free(stream);
	else
		stream_wake(stream);
}

unsigned http_status_of(enum pleach_error code)
{
	switch (code) {
	case PLEACH_ERROR_INVALID:
		return 400;
	case PLEACH_ERROR_AUTH:
		return 403;
	case PLEACH_ERROR_NOT_FOUND:
		return 404;
	case PLEACH_ERROR_CONFLICT:
		return 409;
	case PLEACH_ERROR_UNSUPPORTED:
		return 501;
	case PLEACH_ERROR_RETRY:
	case PLEACH_ERROR_CANCELLED:
		return 503;
	case PLEACH_ERROR_TIMEOUT:
		return 504;
	case PLEACH_ERROR_PERMANENT:
		return 500;
	}
	g_assert_not_reached();
}
