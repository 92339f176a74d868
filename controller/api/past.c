/* Routes over what happened: events, also as a stream, and history. */
#include "api/internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include <string.h>

enum {
	FOLLOWER_LOOK_S = 10, /* is a reader still there, while nothing happens? */
	FOLLOW_PIECE = 500,   /* events at once */
};

struct follower {
	struct http_stream *stream;
	struct report_style style;
	struct arena *arena; /* of @query's texts */
	struct store_query query;
};

/* --- what is asked for -------------------------------------------------------------------------------------------------- */

/* A whole key, or a path: then what is below it, of every kind. What hosts something is asked for with it. */
static struct store_scope scope_of(struct arena *arena, const char *text)
{
	struct store_scope scope = { { NULL } };
	const char *slash = text ? strchr(text, '/') : NULL;
	static const char *const kinds[] = { "link", "vnfc", "nf", "vnf" };
	size_t n = 0;
	if (!text)
		return scope;
	bool is_vnf = g_str_has_prefix(text, "vnf/"), is_vnfc = g_str_has_prefix(text, "vnfc/");
	if (slash && !is_vnf && !is_vnfc) {
		scope.roots[0] = arena_strdup(arena, text);
		return scope;
	}
	const char *path = slash ? slash + 1 : text;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		bool part = is_vnfc ? g_str_equal(kinds[i], "vnfc") || g_str_equal(kinds[i], "nf") : true;
		if (part)
			scope.roots[n++] = arena_printf(arena, "%s/%s", kinds[i], path);
	}
	return scope;
}

gint64 api_since(const char *text)
{
	if (!text)
		return 0;
	gint64 at_us = clock_parse_rfc3339(text);
	if (at_us >= 0)
		return at_us;
	gint64 ago_ms = clock_parse_duration_ms(text);
	return ago_ms < 0 ? -1 : clock_wall_us() - ago_ms * 1000;
}

static const char *const kinds_known[] = {
	EVENT_REVISION, EVENT_OPERATION, EVENT_DRIFT, EVENT_REPAIRED, EVENT_ENDED, EVENT_SOURCE, EVENT_BLIND, EVENT_BACK, EVENT_SUSPENDED,
	EVENT_RESUMED, EVENT_EXPIRED, EVENT_APPROVED, EVENT_HELD, EVENT_FAULT, EVENT_HEALED, EVENT_CURE, EVENT_LIMIT,
	EVENT_THRESHOLD, NULL,
};

/* ",drift,repaired," of "drift,repaired". NULL and @error: one of them is no kind. */
static const char *kinds_of(struct arena *arena, const char *text, GError **error)
{
	g_auto(GStrv) kinds = g_strsplit(text, ",", -1);
	for (size_t i = 0; kinds[i]; i++) {
		if (g_strv_contains(kinds_known, g_strstrip(kinds[i])))
			continue;
		g_autofree char *all = g_strjoinv(", ", (char **) (guintptr) kinds_known);
		pleach_error_invalid(error, "\"%.40s\" is no kind of event: %s", kinds[i], all);
		return NULL;
	}
	g_autofree char *joined = g_strjoinv(",", kinds);
	return arena_printf(arena, ",%s,", joined);
}

unsigned api_number(const struct visit *visit, const char *name, unsigned max, unsigned fallback)
{
	const char *text = http_request_param(visit->request, name);
	guint64 number = fallback;
	if (!text || g_ascii_string_to_unsigned(text, 10, 1, max, &number, NULL))
		return (unsigned) number;
	g_autofree char *wrong = g_strdup_printf("%s: a number from 1 to %u is wanted", name, max);
	api_refuse(visit->request, 400, pleach_error_name(PLEACH_ERROR_INVALID), wrong);
	return 0;
}

static bool parse_query(const struct visit *visit, unsigned fallback, struct store_query *ret)
{
	const char *kinds = http_request_param(visit->request, "kind");
	g_autoptr(GError) error = NULL;
	*ret = (struct store_query) {
		.scope = scope_of(visit->arena, http_request_param(visit->request, "key")),
		.since_wall_us = api_since(http_request_param(visit->request, "since")),
		.kinds = kinds ? kinds_of(visit->arena, kinds, &error) : NULL,
		.after_id = -1,
	};
	if (ret->since_wall_us < 0)
		pleach_error_invalid(&error, "since: a time (2026-11-20T11:52:03Z) or how long ago (90s, 1h) is wanted");
	if (error) {
		api_refuse_error(visit->request, error);
		return false;
	}
	ret->limit = api_number(visit, "n", API_EVENTS_MAX, fallback);
	return ret->limit > 0;
}

/* False: refused already. */
static bool ask(const struct visit *visit, const struct store_query *query, GArray *events)
{
	g_autoptr(GError) error = NULL;
	if (visit->api->backend.events(query, visit->arena, events, &error, visit->api->backend.data))
		return true;
	api_refuse_error(visit->request, error);
	return false;
}

/* Nothing is known of @text, and it is not there either: the nearest is named. False: refused already. */
static bool check_known(const struct visit *visit, const char *text)
{
	struct report_input input = api_snapshot(visit, API_OBJECT, NULL);
	g_autoptr(GError) error = NULL;
	if (g_str_has_prefix(text, "site/") || report_resolve(&input, visit->arena, text, NULL, &error) ||
	    pleach_error_code(error) != PLEACH_ERROR_NOT_FOUND)
		return true;
	api_refuse_error(visit->request, error);
	return false;
}

/* --- following ---------------------------------------------------------------------------------------------------------- */

static void follower_free(gpointer data)
{
	struct follower *follower = data;
	http_stream_end(follower->stream);
	arena_unref(follower->arena);
	g_free(follower);
}

GPtrArray *api_followers_new(void)
{
	return g_ptr_array_new_with_free_func(follower_free);
}

/* False: the reader is gone. */
static bool write_events(struct follower *follower, const GArray *events, bool newest_first)
{
	for (guint i = 0; i < events->len; i++) {
		const struct store_event *event = &g_array_index(events, struct store_event, newest_first ? events->len - 1 - i : i);
		g_autofree char *line = report_event_line(event, &follower->style);
		follower->query.after_id = MAX(follower->query.after_id, event->id);
		if (!http_stream_write(follower->stream, line, strlen(line)))
			return false;
	}
	return true;
}

/* What has come since; false: the reader is gone, or nothing can be read. */
static bool go_on(struct api *api, struct follower *follower)
{
	for (;;) {
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
		g_autoptr(GError) error = NULL;
		if (!api->backend.events(&follower->query, arena, events, &error, api->backend.data)) {
			log_error("events: %s", error->message);
			return false;
		}
		if (!write_events(follower, events, false))
			return false;
		if (events->len < FOLLOW_PIECE)
			return http_stream_is_open(follower->stream);
	}
}

void api_events_added(struct api *api)
{
	for (guint i = api->followers->len; i-- > 0;)
		if (!go_on(api, g_ptr_array_index(api->followers, i)))
			g_ptr_array_remove_index_fast(api->followers, i);
}

static gboolean look_at_followers(gpointer data)
{
	struct api *api = data;
	for (guint i = api->followers->len; i-- > 0;)
		if (!http_stream_is_open(((const struct follower *) g_ptr_array_index(api->followers, i))->stream))
			g_ptr_array_remove_index_fast(api->followers, i);
	if (api->followers->len)
		return G_SOURCE_CONTINUE;
	api->followers_source = 0;
	return G_SOURCE_REMOVE;
}

void api_end_followers(struct api *api)
{
	g_clear_handle_id(&api->followers_source, g_source_remove);
	g_clear_pointer(&api->followers, g_ptr_array_unref);
}

/* The last few that there are, and then those that come. */
static void follow(const struct visit *visit, const struct store_query *query)
{
	struct api *api = visit->api;
	look_at_followers(api);
	if (api->followers->len >= API_FOLLOWERS_MAX) {
		api_refuse(visit->request, 503, pleach_error_name(PLEACH_ERROR_RETRY), "too many follow the events already");
		return;
	}
	g_autoptr(GArray) last = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_autoptr(GArray) newest = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	const struct store_query any = { .after_id = -1, .limit = 1 };
	if (!ask(visit, query, last) || !ask(visit, &any, newest))
		return;
	struct follower *follower = g_new0(struct follower, 1);
	follower->arena = arena_new();
	follower->style = api_style(visit, false);
	follower->query = *query;
	for (size_t i = 0; i < STORE_SCOPE_MAX; i++)
		follower->query.scope.roots[i] = arena_strdup(follower->arena, query->scope.roots[i]);
	follower->query.kinds = arena_strdup(follower->arena, query->kinds);
	follower->query.limit = FOLLOW_PIECE;
	follower->query.after_id = newest->len ? g_array_index(newest, struct store_event, 0).id : 0;
	http_answer_header(visit->request, API_EXIT_HEADER, "0");
	follower->stream = http_respond_stream(visit->request, 200, follower->style.format == REPORT_JSON ? "application/x-ndjson"
												   : "text/plain; charset=utf-8");
	g_ptr_array_add(api->followers, follower);
	if (!write_events(follower, last, true))
		g_ptr_array_remove_index_fast(api->followers, api->followers->len - 1);
	else if (!api->followers_source)
		api->followers_source = g_timeout_add_seconds(FOLLOWER_LOOK_S, look_at_followers, api);
}

/* --- routes ------------------------------------------------------------------------------------------------------------- */

void api_get_events(const struct visit *visit)
{
	bool follows = g_strcmp0(http_request_param(visit->request, "follow"), "1") == 0;
	const char *key = http_request_param(visit->request, "key");
	struct store_query query;
	if (!parse_query(visit, follows ? API_FOLLOW_DEFAULT : API_EVENTS_DEFAULT, &query))
		return;
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	if (!follows && !ask(visit, &query, events))
		return;
	if (key && !events->len && !check_known(visit, key))
		return;
	if (follows) {
		follow(visit, &query);
		return;
	}
	const struct report_style style = api_style(visit, false);
	const struct report_input input = {
		.events = (const struct store_event *) (const void *) events->data, .n_events = events->len,
	};
	api_answer_report(visit, &style, report_events(&input, &style), REPORT_NOTHING);
}

void api_get_history(const struct visit *visit)
{
	const char *key = http_request_param(visit->request, "key");
	const struct store_scope scope = scope_of(visit->arena, key);
	unsigned limit = api_number(visit, "n", API_HISTORY_MAX, API_HISTORY_DEFAULT);
	if (!limit)
		return;
	g_autoptr(GArray) revisions = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_autoptr(GError) error = NULL;
	if (!visit->api->backend.history(&scope, limit, visit->arena, revisions, &error, visit->api->backend.data)) {
		api_refuse_error(visit->request, error);
		return;
	}
	if (key && !revisions->len && !check_known(visit, key))
		return;
	const struct report_style style = api_style(visit, false);
	const struct report_input input = {
		.wall_us = clock_wall_us(),
		.revisions = (const struct store_revision *) (const void *) revisions->data, .n_revisions = revisions->len,
	};
	api_answer_report(visit, &style, report_history(&input, key, &style), REPORT_NOTHING);
}
