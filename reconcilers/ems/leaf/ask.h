/* Within ems/leaf/ only: one request to a leaf, and what it answers, checked. */
#pragma once

#include "contract/ems.h"
#include "http/client/client.h"
#include "leafproto/leafproto.h"

struct http_client *leaf_connect(const struct access *access, GError **error);

/* Fills in deadline and cancellation; a refusal is the error that it tells. A leaf that answers nonsense has not told us that our request
 * was wrong: RETRY. */
bool leaf_ask(struct http_client *client, const struct call *call, struct http_call *request, struct http_reply *reply, GError **error);

const struct leaf_status *leaf_ask_status(struct http_client *client, const struct call *call, struct http_call *request,
					  struct arena *arena, GError **error);

/* What is; @after -1: now, else once its seq is past that, or some seconds are over. */
const struct leaf_status *leaf_get_status(struct http_client *client, const struct call *call, gint64 after, struct arena *arena,
					  GError **error);

/* Between two looks. False when the call is over. */
bool leaf_nap(const struct call *call, GError **error);

/* The package @digest is there, whole; what is missing is sent. */
bool leaf_push_package(struct http_client *client, const struct call *call, const struct leaf_status *status, const char *digest,
		       const struct package *package, GError **error);

/* The leaf goes on as our own version of itself; its network function does not notice. */
bool leaf_upgrade(struct http_client *client, const struct call *call, GError **error);
