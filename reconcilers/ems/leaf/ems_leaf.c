#include "ems/leaf/ems_leaf.h"

#include "base/clock.h"
#include "ems/leaf/ask.h"
#include "ems/leaf/translate.h"

#include <string.h>

enum { MAX_PARALLEL = 64, UPGRADE_MS = 5000, CANCEL_MS = 1000, LINE_MAX_BYTES = 64 * 1024 };

struct ems {
	char *site, *name;
	bool upgrades;
	GMutex lock;
	GHashTable *not_upgraded; /* keys of VNFCs whose leaf did not become ours: not tried again by this handle */
};

static const struct caps leaf_caps = { .driver = "leaf", .max_parallel = MAX_PARALLEL };

static bool check_option(const char *name, const struct value *value, bool *ret_upgrades)
{
	const char *text = value->type == VALUE_STRING ? value->string : "";
	*ret_upgrades = strcmp(text, "no") != 0;
	return strcmp(name, "upgrade") == 0 && (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0);
}

/* What a site says of this driver and it cannot keep is a fault, never silence. */
static bool check_ref(const struct site *site, const struct driver_ref *which, bool *ret_upgrades, GError **error)
{
	const char *what = which->endpoint ? "an endpoint" : which->credential ? "a credential" : NULL;
	const struct value *options = which->options;
	*ret_upgrades = true;
	for (size_t i = 0; !what && options && options->type == VALUE_MAP && i < options->map.n; i++)
		if (!check_option(options->map.keys[i], options->map.items[i], ret_upgrades))
			what = "options other than \"upgrade\", which is yes or no";
	if (what)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "EMS \"%s\" of site %s: driver \"leaf\" has no far side of its own and takes no endpoint or credential, and of "
			    "options \"upgrade\" alone, but was given %s", which->name, site->name, what);
	return !what;
}

static struct ems *leaf_open(const struct site *site, const struct driver_ref *which, GError **error)
{
	bool upgrades = true;
	if (!check_ref(site, which, &upgrades, error))
		return NULL;
	struct ems *ems = g_new0(struct ems, 1);
	ems->site = g_strdup(site->name);
	ems->name = g_strdup(which->name);
	ems->upgrades = upgrades;
	ems->not_upgraded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_mutex_init(&ems->lock);
	return ems;
}

static void leaf_close(struct ems *ems)
{
	g_hash_table_unref(ems->not_upgraded);
	g_mutex_clear(&ems->lock);
	g_free(ems->site);
	g_free(ems->name);
	g_free(ems);
}

static bool wrap(bool ok, const struct access *access, GError **error)
{
	if (!ok)
		g_prefix_error(error, "leaf of %s: ", access->key);
	return ok;
}

/* --- observe ---------------------------------------------------------------------------------------------------------------- */

static bool observe(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key,
		    struct arena *arena, const struct nf **ret, GError **error)
{
	auto_ptr(http_client) client = leaf_connect(access, error);
	const struct leaf_status *status = client ? leaf_get_status(client, call, -1, arena, error) : NULL;
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

/* --- ensure ----------------------------------------------------------------------------------------------------------------- */

static bool is_given_up(struct ems *ems, const char *key, bool add)
{
	g_mutex_lock(&ems->lock);
	bool found = g_hash_table_contains(ems->not_upgraded, key);
	if (add)
		g_hash_table_add(ems->not_upgraded, g_strdup(key));
	g_mutex_unlock(&ems->lock);
	return found;
}

/* A leaf of another version becomes ours, where it can. Where it cannot, it goes on serving as what it is: that is no failure. */
static bool renew(struct ems *ems, struct http_client *client, const struct call *call, const struct access *access,
		  const struct leaf_status *status, GError **error)
{
	if (!ems->upgrades || status->protocol < LEAF_PROTOCOL_VERSION || strcmp(status->version, PLEACH_VERSION) == 0 ||
	    status->change.id || is_given_up(ems, access->key, false))
		return true;
	struct call part = *call;
	g_autoptr(GError) fault = NULL;
	part.deadline_us = MIN(call->deadline_us, clock_monotonic_us() + UPGRADE_MS * 1000);
	if (leaf_upgrade(client, &part, &fault))
		return true;
	if (call_is_over(call, error))
		return false;
	if (pleach_error_code(fault) != PLEACH_ERROR_RETRY)
		is_given_up(ems, access->key, true);
	return true;
}

/* A leaf that knows no changes: its state is looked at until it is as wanted. */
static const struct leaf_status *follow_state(struct http_client *client, const struct call *call, const struct leaf_nf *wanted,
					      const struct leaf_status *status, struct arena **scratch, GError **error)
{
	for (;;) {
		switch (status ? translate_verdict(wanted, status, error) : VERDICT_FAILED) {
		case VERDICT_DONE:
			return status;
		case VERDICT_FAILED:
			return NULL;
		case VERDICT_WAIT:
			break;
		}
		if (!leaf_nap(call, error))
			return NULL;
		/* Each look in an arena of its own: a slow start is looked at hundreds of times. */
		arena_unref(*scratch);
		*scratch = arena_new();
		status = leaf_get_status(client, call, -1, *scratch, error);
	}
}

/* It says that it is done: then what it shows is what was wanted. */
static bool is_done(const struct leaf_nf *wanted, const struct leaf_status *status, GError **error)
{
	switch (translate_verdict(wanted, status, error)) {
	case VERDICT_DONE:
		return true;
	case VERDICT_FAILED:
		return false;
	case VERDICT_WAIT:
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "it says that it is done, and is %s", leaf_state_name(status->nf->state));
		return false;
	}
	g_assert_not_reached();
}

/* The change that our request began has come to its end; what is there then is what was wanted. */
static const struct leaf_status *follow_change(struct http_client *client, const struct call *call, const struct leaf_nf *wanted,
					       const struct leaf_status *status, struct arena **scratch, GError **error)
{
	gint64 id = status ? MAX(status->change.id, status->result.id) : 0;
	for (;;) {
		switch (status ? translate_change(id, wanted, status, error) : VERDICT_FAILED) {
		case VERDICT_DONE:
			return is_done(wanted, status, error) ? status : NULL;
		case VERDICT_FAILED:
			return NULL;
		case VERDICT_WAIT:
			break;
		}
		gint64 seq = status->seq;
		if (call_is_over(call, error))
			return NULL;
		arena_unref(*scratch);
		*scratch = arena_new();
		status = leaf_get_status(client, call, seq, *scratch, error);
	}
}

/* Nobody waits for it any more: what is half done is not left to itself. As well as it goes. */
static void cancel_change(struct http_client *client, gint64 id)
{
	const struct call call = { .deadline_us = clock_monotonic_us() + CANCEL_MS * 1000, .cancel_fd = -1 };
	g_autofree char *path = g_strdup_printf("/v1/nf/cancel?id=%" G_GINT64_FORMAT, id);
	struct http_call request = { .method = "POST", .path = path, .body = "" };
	auto_http_reply reply = { 0 };
	if (id > 0)
		leaf_ask(client, &call, &request, &reply, NULL);
}

/* Puts it; another change that is under way is waited for. */
static const struct leaf_status *put(struct http_client *client, const struct call *call, const char *body, size_t length,
				     struct arena **scratch, GError **error)
{
	for (;;) {
		struct http_call request = { .method = "PUT", .path = "/v1/nf", .body = body, .body_length = length };
		g_autoptr(GError) fault = NULL;
		const struct leaf_status *status = leaf_ask_status(client, call, &request, *scratch, &fault);
		if (status)
			return status;
		bool busy = pleach_error_code(fault) == PLEACH_ERROR_RETRY && !call_is_over(call, NULL);
		status = busy ? leaf_get_status(client, call, -1, *scratch, NULL) : NULL;
		if (!status || status->change.id == 0) {
			g_propagate_error(error, g_steal_pointer(&fault));
			return NULL;
		}
		for (gint64 id = status->change.id; status && status->change.id == id; ) {
			gint64 seq = status->seq;
			arena_unref(*scratch);
			*scratch = arena_new();
			status = call_is_over(call, error) ? NULL : leaf_get_status(client, call, seq, *scratch, error);
		}
		if (!status)
			return NULL;
	}
}

static bool ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
		   const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	size_t length = 0;
	auto_ptr(arena) scratch = arena_new();
	const struct leaf_nf *wanted = translate_wanted(arena, want, error);
	if (!wanted || !leaf_nf_check(wanted, error))
		return false;
	auto_ptr(http_client) client = leaf_connect(access, error);
	const struct leaf_status *status = client ? leaf_get_status(client, call, -1, scratch, error) : NULL;
	if (!status || !renew(ems, client, call, access, status, error))
		return false;
	bool follows = status->protocol >= LEAF_PROTOCOL_VERSION;
	if (follows && want->package && !leaf_push_package(client, call, status, want->package, package, error))
		return false;
	g_autofree char *body = leaf_nf_encode(wanted, status->protocol, &length, error);
	if (!body)
		return false;
	status = put(client, call, body, length, &scratch, error);
	translate_wipe(body, length);
	gint64 id = status ? MAX(status->change.id, status->result.id) : 0;
	status = follows ? follow_change(client, call, wanted, status, &scratch, error)
			 : follow_state(client, call, wanted, status, &scratch, error);
	if (!status) {
		if (error && g_error_matches(*error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED))
			cancel_change(client, id);
		return false;
	}
	arena_adopt(arena, scratch);
	if (ret_got)
		*ret_got = translate_observed(arena, status->nf, ems->site, ems->name);
	return true;
}

static bool leaf_ensure(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	if (ret_got)
		*ret_got = NULL;
	return wrap(ensure(ems, call, access, want, package, arena, ret_got, error), access, error);
}

/* --- remove ----------------------------------------------------------------------------------------------------------------- */

static bool remove_nf(const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	auto_ptr(http_client) client = leaf_connect(access, error);
	if (!client)
		return false;
	g_autofree char *key = http_encode(nf_key);
	g_autofree char *path = g_strconcat("/v1/nf?key=", key, NULL);
	struct http_call request = { .method = "DELETE", .path = path };
	auto_ptr(arena) arena = arena_new();
	const struct leaf_status *status = leaf_ask_status(client, call, &request, arena, error);
	gint64 id = status ? MAX(status->change.id, status->result.id) : 0;
	while (status && status->nf) {
		if (strcmp(status->nf->key, nf_key) != 0)
			return true;
		if (status->protocol >= LEAF_PROTOCOL_VERSION && translate_removal(id, status, error) == VERDICT_FAILED)
			return false;
		gint64 after = status->protocol >= LEAF_PROTOCOL_VERSION ? status->seq : -1;
		if (after < 0 ? !leaf_nap(call, error) : call_is_over(call, error))
			return false;
		arena_unref(arena);
		arena = arena_new();
		status = leaf_get_status(client, call, after, arena, error);
	}
	return status != NULL;
}

static bool leaf_remove(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	return wrap(remove_nf(call, access, nf_key, error), access, error);
}

/* --- log and metrics -------------------------------------------------------------------------------------------------------- */

struct listener {
	ems_log_fn each;
	void *data;
	GString *line; /* not yet whole: a character may be cut in two */
	bool enough;
};

static bool pass_on(struct listener *listener, size_t length)
{
	g_autofree char *text = g_utf8_make_valid(listener->line->str, (gssize) length);
	g_string_erase(listener->line, 0, (gssize) length);
	if (*text && !listener->each(text, strlen(text), listener->data))
		listener->enough = true;
	return !listener->enough;
}

static bool hear(const void *bytes, size_t length, void *data)
{
	struct listener *listener = data;
	g_string_append_len(listener->line, bytes, (gssize) length);
	const char *end = g_strrstr_len(listener->line->str, (gssize) listener->line->len, "\n");
	if (end)
		return pass_on(listener, (size_t) (end - listener->line->str) + 1);
	return listener->line->len < LINE_MAX_BYTES || pass_on(listener, listener->line->len);
}

static bool read_log(const struct call *call, const struct access *access, unsigned lines, bool follow, struct listener *listener,
		     GError **error)
{
	auto_http_reply reply = { 0 };
	auto_ptr(http_client) client = leaf_connect(access, error);
	g_autofree char *path = g_strdup_printf("/v1/nf/log?lines=%u%s", CLAMP(lines, 1U, (unsigned) LEAF_LOG_MAX_LINES),
						follow ? "&follow=true" : "");
	struct http_call request = { .path = path, .accept = "text/plain", .take = follow ? hear : NULL, .data = listener };
	g_autoptr(GError) fault = NULL;
	if (!client)
		return false;
	if (leaf_ask(client, call, &request, &reply, &fault)) {
		g_string_append_len(listener->line, reply.bytes, (gssize) reply.length);
		pass_on(listener, listener->line->len);
		return true;
	}
	enum pleach_error code = pleach_error_code(fault);
	if (follow && (listener->enough || code == PLEACH_ERROR_TIMEOUT || code == PLEACH_ERROR_CANCELLED))
		return true;
	g_propagate_error(error, g_steal_pointer(&fault));
	return false;
}

static bool leaf_log(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, unsigned lines, bool follow,
		     ems_log_fn each, void *data, GError **error)
{
	g_autoptr(GString) line = g_string_new(NULL);
	struct listener listener = { .each = each, .data = data, .line = line };
	return wrap(read_log(call, access, lines, follow, &listener, error), access, error);
}

static bool measure(const struct call *call, const struct access *access, struct arena *arena, const struct sample **ret, GError **error)
{
	auto_http_reply reply = { 0 };
	auto_ptr(http_client) client = leaf_connect(access, error);
	struct http_call request = { .path = "/v1/metrics" };
	g_autoptr(GError) fault = NULL;
	if (!client)
		return false;
	if (!leaf_ask(client, call, &request, &reply, &fault)) {
		if (pleach_error_code(fault) == PLEACH_ERROR_NOT_FOUND)
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "it is older than metrics are");
		else
			g_propagate_error(error, g_steal_pointer(&fault));
		return false;
	}
	const struct leaf_metrics *metrics = leaf_metrics_decode(arena, reply.bytes, reply.length, error);
	if (!metrics && error && *error)
		(*error)->code = PLEACH_ERROR_RETRY;
	*ret = metrics ? translate_metrics(arena, metrics) : NULL;
	return metrics;
}

static bool leaf_measure(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			 const struct sample **ret, GError **error)
{
	return wrap(measure(call, access, arena, ret, error), access, error);
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
	.measure = leaf_measure,
};
