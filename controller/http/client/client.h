/* An HTTP client over libcurl: one far side per handle, bounded in time and size. It knows nothing of NFV.
 *
 * A handle may be used by several threads at once; each call has a connection of its own, and connections are kept and used
 * again. A call blocks its thread until the answer is there, its deadline passes, or its cancel descriptor becomes readable.
 *
 * What comes back is hostile: the head and the body are bounded, redirects are not followed, nothing but HTTP is spoken.
 */
#pragma once

#include "base/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	HTTP_REPLY_MAX_BYTES = 4 * 1024 * 1024, /* the default */
	HTTP_REPLY_HEAD_MAX_BYTES = 64 * 1024,
};

struct http_client;

/* @endpoint: "unix:/PATH", "http://HOST:PORT[/PREFIX]", "https://…". INVALID when it is none of these. Does not connect yet. */
struct http_client *http_client_new(const char *endpoint, GError **error);
void http_client_free(struct http_client *client); /* no call may be under way */
AUTO_DEFINE(http_client, http_client_free)

struct http_call {
	const char *method; /* NULL: "GET" */
	const char *path;   /* begins with '/'; encoded already (http_encode), query too */
	const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
	const void *body;           /* or NULL: none */
	size_t body_length;
	const char *content_type; /* of the body; NULL: "application/json" */
	const char *accept;       /* NULL: "application/json" */
	gint64 deadline_us;       /* clock_monotonic_us(); 0: 30 s from now */
	int cancel_fd;            /* readable: stop; -1: cannot be cancelled */
	size_t reply_max_bytes;   /* 0: HTTP_REPLY_MAX_BYTES; not counted where @take is set */
	/* Takes pieces of the body of a 2xx answer as they come; false stops the call (CANCELLED). NULL: the body is gathered. */
	bool (*take)(const void *bytes, size_t length, void *data);
	void *data;
};

struct http_reply {
	unsigned status;    /* any: a status that the caller does not like is not an error here */
	char *content_type; /* "" where there is none */
	char *bytes;        /* NUL-terminated besides; never NULL */
	size_t length;
	char *head;         /* its lines, for http_reply_header() */
};

void http_reply_clear(struct http_reply *reply);
#define auto_http_reply __attribute__((cleanup(http_reply_clear))) struct http_reply

/* False and @error when there is no whole answer: RETRY (refused, reset, dropped in the middle, no such socket), TIMEOUT,
 * CANCELLED, INVALID (too large, or not HTTP), AUTH (our TLS certificate is refused), PERMANENT (the far side's is not to be
 * trusted). @ret is cleared then. */
bool http_client_call(struct http_client *client, const struct http_call *call, struct http_reply *ret, GError **error);

/* A header of the answer; NULL where there is none. Owned by the caller. */
char *http_reply_header(const struct http_reply *reply, const char *name);

/* Is it a 2xx? Else false with the far side's words in @error, "GET /v1/x: 404 Not Found: TEXT", and a code that fits: 401, 403
 * AUTH; 404, 410 NOT_FOUND; 409, 412 CONFLICT; 408, 429, 5xx RETRY; 501, 505 UNSUPPORTED; else INVALID. */
bool http_reply_is_good(const struct http_reply *reply, const struct http_call *call, GError **error);

/* @text percent-encoded for a path segment or a query value. Owned by the caller. */
char *http_encode(const char *text);
