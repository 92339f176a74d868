#include "ems/leaf/ask.h"

#include "base/clock.h"

#include <string.h>

enum { NAP_MS = 20, LOOK_MS = 5000, PROMPT_MS = 2 };

struct http_client *leaf_connect(const struct access *access, GError **error)
{
	if (strcmp(access->transport, "unix") != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED,
			    "%s: driver \"leaf\" reaches a VNFC over \"unix\", not over \"%s\"",
			    access->key, access->transport);
		return NULL;
	}
	g_autofree char *endpoint = g_strconcat("unix:", access->address, NULL);
	return http_client_new(endpoint, error);
}

static void blame_leaf(GError **error)
{
	if (error && *error && pleach_error_code(*error) == PLEACH_ERROR_INVALID)
		(*error)->code = PLEACH_ERROR_RETRY;
}

bool leaf_ask(struct http_client *client, const struct call *call, struct http_call *request, struct http_reply *reply, GError **error)
{
	request->deadline_us = call->deadline_us;
	request->cancel_fd = call->cancel_fd;
	request->reply_max_bytes = LEAF_REPLY_MAX_BYTES;
	if (!http_client_call(client, request, reply, error)) {
		blame_leaf(error);
		return false;
	}
	if (reply->status == 200)
		return true;
	leaf_refusal_decode(reply->status, reply->bytes, reply->length, error);
	http_reply_clear(reply);
	return false;
}

const struct leaf_status *leaf_ask_status(struct http_client *client, const struct call *call, struct http_call *request,
					  struct arena *arena, GError **error)
{
	auto_http_reply reply = { 0 };
	if (!leaf_ask(client, call, request, &reply, error))
		return NULL;
	const struct leaf_status *status = leaf_status_decode(arena, reply.bytes, reply.length, error);
	if (!status)
		blame_leaf(error);
	return status;
}

const struct leaf_status *leaf_get_status(struct http_client *client, const struct call *call, gint64 after, struct arena *arena,
					  GError **error)
{
	int wait_ms = MIN(call_left_ms(call), LOOK_MS);
	g_autofree char *path = after < 0 ? g_strdup("/v1/status")
		: g_strdup_printf("/v1/status?wait_ms=%d&after=%" G_GINT64_FORMAT, wait_ms, after);
	struct http_call request = { .path = path };
	gint64 begin_us = clock_monotonic_us();
	const struct leaf_status *status = leaf_ask_status(client, call, &request, arena, error);
	/* One that does not wait when it is asked to is not asked again and again. */
	bool prompt = clock_monotonic_us() - begin_us < PROMPT_MS * 1000;
	if (status && after >= 0 && prompt && status->seq <= after && !leaf_nap(call, error))
		return NULL;
	return status;
}

bool leaf_nap(const struct call *call, GError **error)
{
	struct call until = *call;
	until.deadline_us = MIN(call->deadline_us, clock_monotonic_us() + NAP_MS * 1000);
	g_autoptr(GError) over = NULL;
	call_wait(&until, -1, 0, &over);
	return !call_is_over(call, error);
}
