/* An HTTP/1.1 server over libmicrohttpd that lives inside somebody else's loop. It knows nothing of NFV.
 *
 * One thread owns it: the one that calls http_server_run(). It has no thread and no loop of its own, so that a small program (an
 * agent in a VNF) can serve with poll() alone, and the controller from its main loop:
 *
 *     poll(http_server_fd(), POLLIN, http_server_timeout_ms()) ─► http_server_run() ─► handler(request) ─► http_respond()
 *
 * The handler is called once for each request, when it has come in whole and within its limits. It answers at once, or keeps the
 * request and answers later, on the same thread: the connection waits. Clients are hostile: what is too large, too slow,
 * malformed or one too many is refused here and never reaches the handler.
 *
 * How it is abused: answering twice, or never (the connection then waits until http_server_free()); calling from another thread;
 * polling the descriptor without the time-out (some of what is ready shows only there); blocking in the handler.
 */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	HTTP_BODY_MAX_BYTES = 4 * 1024 * 1024,
	HTTP_HEADER_MAX_BYTES = 32 * 1024, /* request line, headers and query together */
	HTTP_PATH_MAX_BYTES = 4 * 1024,    /* decoded */
	HTTP_PARAMS_MAX = 64,
	HTTP_ANSWER_HEADERS_MAX = 8,
	HTTP_CONNECTIONS_MAX = 128,
	HTTP_RECEIVE_TIMEOUT_MS = 10 * 1000, /* for a request to come in whole, however busily it drips */
	HTTP_SEND_TIMEOUT_MS = 30 * 1000,    /* for an answer to be taken, streams aside */
	HTTP_STREAM_MAX_BYTES = 1024 * 1024, /* waiting to be taken by one reader of a stream */
};

/* One request. All texts are valid UTF-8 without NUL and live until it is answered. */
struct http_request {
	const char *method;       /* "GET" */
	const char *path;         /* percent-decoded, begins with '/', without the query */
	const char *accept;       /* the Accept header, or "" */
	const char *content_type; /* or "" */
	const char *body;         /* NUL-terminated besides; never NULL */
	size_t body_length;
	struct {
		bool known; /* a local client, over a unix socket: who it is, as the kernel says */
		uid_t uid;
		gid_t gid;
		pid_t pid;
	} peer;
	void *data; /* the handler's own */
};

/* A query parameter, decoded; NULL where there is none. The first of several. */
const char *http_request_param(const struct http_request *request, const char *name);
const char *http_request_header(const struct http_request *request, const char *name); /* NULL where there is none */

/* Does the client prefer @content_type ("application/json") to @other in its Accept header? No header or a wildcard: no. */
bool http_request_prefers(const struct http_request *request, const char *content_type, const char *other);

typedef void (*http_handler_fn)(struct http_request *request, void *data);

struct http_server_options {
	int listen_fd; /* listening, unix or TCP; owned by the server from now on, also when http_server_new() fails */
	http_handler_fn handler;
	void *data;
	/* 0: the constants above */
	size_t body_max_bytes;
	unsigned connections_max;
	unsigned receive_timeout_ms, send_timeout_ms;
};

struct http_server;

struct http_server *http_server_new(const struct http_server_options *options, GError **error);

/* Requests that are not answered yet get 503, streams end; then all connections are closed. Their pointers are dead. */
void http_server_free(struct http_server *server);
AUTO_DEFINE(http_server, http_server_free)

int http_server_fd(const struct http_server *server);       /* readable when http_server_run() has something to do */
int http_server_timeout_ms(struct http_server *server);     /* and after so many milliseconds too; -1: never */
void http_server_run(struct http_server *server);           /* never blocks */
unsigned http_server_connections(const struct http_server *server);

/* A header of the answer to come, besides Content-Type; HTTP_ANSWER_HEADERS_MAX at most. */
void http_answer_header(struct http_request *request, const char *name, const char *value);

/* Answers and ends @request. The bytes are copied. */
void http_respond(struct http_request *request, unsigned status, const char *content_type, const void *bytes, size_t length);
/* "text/plain; charset=utf-8". */
void http_respond_text(struct http_request *request, unsigned status, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The status that fits an error: INVALID 400, AUTH 403, NOT_FOUND 404, CONFLICT 409, UNSUPPORTED 501, RETRY and CANCELLED 503, TIMEOUT 504,
 * else 500. */
unsigned http_status_of(enum pleach_error code);

/* An answer that comes piece by piece (chunked). @request is ended by this. */
struct http_stream;
struct http_stream *http_respond_stream(struct http_request *request, unsigned status, const char *content_type);
/* False: the reader is gone, or takes nothing and HTTP_STREAM_MAX_BYTES wait: end it. */
bool http_stream_write(struct http_stream *stream, const void *bytes, size_t length);
bool http_stream_is_open(const struct http_stream *stream); /* asks the kernel: use it while there is nothing to write */
void http_stream_end(struct http_stream *stream);           /* what waits is still sent; frees the stream */

/* A listening socket (close-on-exec, non-blocking) at "unix:PATH" (made with @mode, in place of a dead one; CONFLICT when
 * somebody answers there) or "HOST:PORT" ("[::1]:8080"; port 0: any). -1 on failure. INVALID: no such address, or a path of more
 * bytes than a unix socket's can have (107). */
int http_listen(const char *where, mode_t mode, GError **error);
