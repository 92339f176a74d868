#include "ems/leaf/ems_leaf.h"

#include "base/clock.h"
#include "ems/leaf/translate.h"
#include "http/client/client.h"

#include <string.h>

enum { POLL_MS = 20, MAX_PARALLEL = 64 };

struct ems {
	char *site, *name;
};

static const struct caps leaf_caps = { .driver = "leaf", .max_parallel = MAX_PARALLEL };

/* What a site says of this driver and it cannot keep is a fault, never silence. */
static bool check_ref(const struct site *site, const struct driver_ref *which, GError **error)
{
	const char *what = which->endpoint ? "an endpoint" : which->credential ? "a credential" : NULL;
	if (which->options && which->options->type == VALUE_MAP && which->options->map.n > 0)
		what = "options";
	if (what)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "EMS \"%s\" of site %s: driver \"leaf\" has no far side of its own and takes no endpoint, credential "
			    "or options, but was given %s", which->name, site->name, what);
	return !what;
}

static struct ems *leaf_open(const struct site *site, const struct driver_ref *which, GError **error)
{
	if (!check_ref(site, which, error))
		return NULL;
	struct ems *ems = g_new0(struct ems, 1);
	ems->site = g_strdup(site->name);
	ems->name = g_strdup(which->name);
	return ems;
}

static void leaf_close(struct ems *ems)
{
	g_free(ems->site);
	g_free(ems->name);
	g_free(ems);
}

/* --- one request ---------------------------------------------------------------------------------------------------------- */

static struct http_client *connect_to(const struct access *access, GError **error)
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

/* A leaf that answers nonsense has not told us that our request was wrong: it may answer better the next time. */
static void blame_leaf(GError **error)
{
	if (error && *error && pleach_error_code(*error) == PLEACH_ERROR_INVALID)
		(*error)->code = PLEACH_ERROR_RETRY;
}

static bool ask(struct http_client *client, const struct call *call, struct http_call *request, struct http_reply *reply,
		GError **error)
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

static const struct leaf_status *ask_status(struct http_client *client, const struct call *call, struct http_call *request,
					    struct arena *arena, GError **error)
{
	auto_http_reply reply = { 0 };
	if (!ask(client, call, request, &reply, error))
		return NULL;
	const struct leaf_status *status = leaf_status_decode(arena, reply.bytes, reply.length, error);
	if (!status)
		blame_leaf(error);
	return status;
}

static const struct leaf_status *get_status(struct http_client *client, const struct call *call, struct arena *arena,
					    GError **error)
{
	struct http_call request = { .path = "/v1/status" };
	return ask_status(client, call, &request, arena, error);
}

/* Between two looks. False when the call is over. */
static bool nap(const struct call *call, GError **error)
{
	struct call until = *call;
	until.deadline_us = MIN(call->deadline_us, clock_monotonic_us() + POLL_MS * 1000);
	g_autoptr(GError) over = NULL;
	call_wait(&until, -1, 0, &over);
	return !call_is_over(call, error);
}

static bool wrap(bool ok, const struct access *access, GError **error)
{
	if (!ok)
		g_prefix_error(error, "leaf of %s: ", access->key);
	return ok;
}

/* --- the driver ----------------------------------------------------------------------------------------------------------- */

static bool observe(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key,
		    struct arena *arena, const struct nf **ret, GError **error)
{
	auto_ptr(http_client) client = connect_to(access, error);
	const struct leaf_status *status = client ? get_status(client, call, arena, error) : NULL;
	*ret = NULL;
	if (!status)
		return false;
	if (!status->nf)
		return true;
	if (strcmp(status->nf->key, nf_key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is there, not %s", status->nf->key, nf_key);
		return false;
	}
	*ret = translate_observed(arena, status->nf, ems->site, ems->name);
	return true;
}

static bool leaf_observe(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key,
			 struct arena *arena, const struct nf **ret, GError **error)
{
	return wrap(observe(ems, call, access, nf_key, arena, ret, error), access, error);
}

static bool ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
		   struct arena *arena, const struct nf **ret_got, GError **error)
{
	size_t length = 0;
	const struct leaf_nf *wanted = translate_wanted(arena, want, error);
	g_autofree char *body = wanted ? leaf_nf_encode(wanted, &length, error) : NULL;
	auto_ptr(http_client) client = body ? connect_to(access, error) : NULL;
	if (!client)
		return false;
	struct http_call request = { .method = "PUT", .path = "/v1/nf", .body = body, .body_length = length };
	auto_ptr(arena) scratch = arena_new();
	const struct leaf_status *status = ask_status(client, call, &request, scratch, error);
	for (;;) {
		if (!status)
			return false;
		switch (translate_verdict(wanted, status, error)) {
		case VERDICT_DONE:
			arena_adopt(arena, scratch);
			if (ret_got)
				*ret_got = translate_observed(arena, status->nf, ems->site, ems->name);
			return true;
		case VERDICT_FAILED:
			return false;
		case VERDICT_WAIT:
			break;
		}
		if (!nap(call, error))
			return false;
		/* Each look in an arena of its own: a slow start is looked at hundreds of times. */
		arena_unref(scratch);
		scratch = arena_new();
		status = get_status(client, call, scratch, error);
	}
}

static bool leaf_ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			struct arena *arena, const struct nf **ret_got, GError **error)
{
	if (ret_got)
		*ret_got = NULL;
	return wrap(ensure(ems, call, access, want, arena, ret_got, error), access, error);
}

static bool remove_nf(const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	auto_ptr(http_client) client = connect_to(access, error);
	if (!client)
		return false;
	g_autofree char *key = http_encode(nf_key);
	g_autofree char *path = g_strconcat("/v1/nf?key=", key, NULL);
	struct http_call request = { .method = "DELETE", .path = path };
	auto_ptr(arena) arena = arena_new();
	const struct leaf_status *status = ask_status(client, call, &request, arena, error);
	while (status && status->nf) {
		if (strcmp(status->nf->key, nf_key) != 0)
			return true;
		if (!nap(call, error))
			return false;
		arena_unref(arena);
		arena = arena_new();
		status = get_status(client, call, arena, error);
	}
	return status != NULL;
}

static bool leaf_remove(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	return wrap(remove_nf(call, access, nf_key, error), access, error);
}

static char *leaf_log(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, unsigned lines,
		      GError **error)
{
	auto_http_reply reply = { 0 };
	auto_ptr(http_client) client = connect_to(access, error);
	g_autofree char *path = g_strdup_printf("/v1/nf/log?lines=%u", CLAMP(lines, 1U, (unsigned) LEAF_LOG_MAX_LINES));
	struct http_call request = { .path = path, .accept = "text/plain" };
	if (!wrap(client && ask(client, call, &request, &reply, error), access, error))
		return NULL;
	return g_utf8_make_valid(reply.bytes, (gssize) reply.length);
}

const struct ems_ops ems_leaf_ops = {
	.name = "leaf",
	.caps = &leaf_caps,
	.open = leaf_open,
	.close = leaf_close,
	.observe = leaf_observe,
	.ensure_nf = leaf_ensure,
	.remove_nf = leaf_remove,
	.log = leaf_log,
};
