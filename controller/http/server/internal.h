/* What the files of this folder share. */
#pragma once

#include "http/server/server.h"

#include <microhttpd.h>

struct connection {
	struct http_server *server;
	struct connection *next, **link; /* in the server's list; link NULL: not in it */
	int fd;
	enum {
		RECEIVING, /* waiting for a whole request, or for the next one */
		HANDLING,  /* the handler has it */
		SENDING,
		STREAMING,
	} state;
	gint64 since_us; /* in this state */
	bool cut;        /* shut down by us; libmicrohttpd has yet to notice */
};

struct http_stream {
	struct http_server *server;
	struct connection *connection;
	struct MHD_Connection *mhd;
	GByteArray *waiting;
	bool suspended; /* nothing waits: libmicrohttpd sleeps on it */
	bool reader_gone, writer_gone;
	struct http_stream *next, **link;
};

/* A request and what belongs to it while it is under way. */
struct exchange {
	struct http_request request; /* first: handlers hold a pointer to it */
	struct http_server *server;
	struct connection *connection;
	struct MHD_Connection *mhd;
	GByteArray *body;
	size_t discarded; /* bytes of a body that is too large, read and dropped so that the client can read the refusal */
	char *path;
	char *accept, *content_type;
	struct {
		char *name, *value;
	} params[HTTP_PARAMS_MAX];
	size_t n_params;
	struct {
		char *name, *value;
	} headers[HTTP_ANSWER_HEADERS_MAX]; /* of the answer */
	size_t n_headers;
	bool in_handler; /* inside the call of the handler: not suspended */
	bool suspended;
	bool answered;
	struct http_stream *stream;
	struct exchange *next, **link; /* of those that wait for their answer */
};

struct http_server {
	struct MHD_Daemon *mhd;
	int epoll_fd;
	http_handler_fn handler;
	void *data;
	size_t body_max_bytes;
	unsigned connections_max, n_connections;
	gint64 receive_timeout_us, send_timeout_us;
	struct connection *connections;
	struct exchange *waiting;
	struct http_stream *streams;
	/* libmicrohttpd has something to do that its descriptor does not show: a connection that was resumed, room for the next
	 * one after one closed. */
	bool again;
};

/* parse.c: everything that is made from the client's bytes. */

/* Percent-decoded; NULL when it is malformed, holds NUL, or is not UTF-8. */
char *http_decode(const char *text);

/* Fills path, params, accept and peer of @exchange; 0, or the status to refuse it with. */
unsigned exchange_parse(struct exchange *exchange, const char *method, const char *raw_path);

/* answer.c */
void connection_enter(struct connection *connection, int state);
void connection_cut(struct connection *connection); /* libmicrohttpd notices, and closes it */
void stream_forget(struct http_stream *stream); /* its connection is over */
