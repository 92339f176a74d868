#include "daemon/backend.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/permits.h"
#include "model/key.h"

#include <string.h>

enum {
	EVENTS_MAX = 100,
	OPERATIONS_MAX = 50,
	RELATED_MAX = 500,
	RECENT_S = 10 * 60, /* repairs as old as this are still told of by `drift` */
};

static const struct operation *operation_of(const char *key, void *data)
{
	const struct cycle_view *now = data;
	const struct step *step = now->plan ? plan_step(now->plan, key) : NULL;
	return step ? exec_operation(now->exec, (size_t) (step - now->plan->steps)) : NULL;
}

static bool read_repairs(gint64 wall_us, struct arena *arena, GArray *ret, const struct cycle_view *now, GError **error)
{
	const struct store_query query = {
		.kinds = "," EVENT_DRIFT "," EVENT_REPAIRED ",", .since_wall_us = wall_us - RECENT_S * G_USEC_PER_SEC,
		.after_id = -1, .limit = EVENTS_MAX,
	};
	return store_query(now->store, arena, &query, ret, error);
}

/* All but operations, which are told by themselves; of a VNF those of its parts. */
static bool read_events_of(const char *key, struct arena *arena, GArray *ret, const struct cycle_view *now, GError **error)
{
	static const char kinds[] = "," EVENT_DRIFT "," EVENT_REPAIRED "," EVENT_ENDED "," EVENT_SUSPENDED "," EVENT_RESUMED "," EVENT_EXPIRED
				    "," EVENT_HELD "," EVENT_FAULT "," EVENT_HEALED "," EVENT_LIMIT "," EVENT_CURE "," EVENT_THRESHOLD ",";
	struct store_query query = { .scope = { { key } }, .kinds = kinds, .after_id = -1, .limit = EVENTS_MAX };
	if (key_is_kind(key, "vnf")) {
		query.scope.roots[1] = arena_printf(arena, "vnfc/%s", key_path(key));
		query.scope.roots[2] = arena_printf(arena, "nf/%s", key_path(key));
	}
	return store_query(now->store, arena, &query, ret, error);
}

/* What became of the whole service, and who asked for each field of the object: the causes of its state may be there. */
static bool read_causes(const char *key, struct arena *arena, struct report_input *ret, const struct cycle_view *now, GError **error)
{
	static const char kinds[] = "," EVENT_DRIFT "," EVENT_REPAIRED "," EVENT_ENDED "," EVENT_FAULT "," EVENT_CURE "," EVENT_BLIND "," EVENT_BACK ",";
	const struct object *object = now->network ? objects_find(now->network->objects, key) : NULL;
	const char *site = object ? object->site : NULL, *service = key_service(arena, key);
	const struct store_query query = {
		.scope = { { arena_printf(arena, "vnfc/%s", service), arena_printf(arena, "nf/%s", service),
			     arena_printf(arena, "link/%s", service), site ? arena_printf(arena, "site/%s", site) : NULL } },
		.kinds = kinds, .after_id = -1, .limit = RELATED_MAX,
	};
	g_autoptr(GArray) related = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(struct store_field));
	g_autoptr(GArray) revisions = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
	if (!store_query(now->store, arena, &query, related, error) || !store_applied_fields(now->store, arena, key, fields, error))
		return false;
	for (guint i = 0; i < fields->len; i++) {
		const char *commit = g_array_index(fields, struct store_field, i).revision;
		struct store_revision revision;
		if (!commit || !g_hash_table_add(known, (gpointer) (guintptr) commit))
			continue;
		if (!store_revision(now->store, arena, commit, &revision, error))
			return false;
		if (revision.commit)
			g_array_append_val(revisions, revision);
	}
	ret->related = arena_memdup(arena, related->data, related->len * sizeof(struct store_event));
	ret->n_related = related->len;
	ret->fields = arena_memdup(arena, fields->data, fields->len * sizeof(struct store_field));
	ret->n_fields = fields->len;
	ret->revisions = arena_memdup(arena, revisions->data, revisions->len * sizeof(struct store_revision));
	ret->n_revisions = revisions->len;
	return true;
}

/* Reports read while the main loop stands still; the arrays live in the arena. */
static void add_history(enum api_report report, const char *key, struct arena *arena, struct report_input *ret,
			const struct cycle_view *now)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_autoptr(GArray) operations = g_array_new(FALSE, FALSE, sizeof(struct operation));
	bool good = true;
	if (report == API_DRIFT)
		good = read_repairs(ret->wall_us, arena, events, now, &error);
	else if (report == API_EXPLAIN && key)
		good = read_events_of(key, arena, events, now, &error) &&
		       store_operations(now->store, arena, key, OPERATIONS_MAX, operations, &error) &&
		       read_causes(key, arena, ret, now, &error);
	if (!good)
		log_error("store: %s", error->message);
	ret->events = arena_memdup(arena, events->data, events->len * sizeof(struct store_event));
	ret->n_events = events->len;
	ret->operations = arena_memdup(arena, operations->data, operations->len * sizeof(struct operation));
	ret->n_operations = operations->len;
}

static void add_revision_state(struct arena *arena, struct report_input *ret, const struct cycle_view *now)
{
	if (!now->revision)
		return;
	ret->commit = snapshot_revision(now->revision->snapshot);
	ret->summary = snapshot_summary(now->revision->snapshot);
	ret->repository = snapshot_root_commit(now->revision->snapshot);
	g_autoptr(GArray) revisions = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	if (!store_revisions(now->store, arena, 1, revisions, NULL) || revisions->len == 0)
		return;
	const struct store_revision *newest = &g_array_index(revisions, struct store_revision, 0);
	if (!g_str_equal(newest->commit, ret->commit))
		return;
	ret->state = newest->state;
	ret->state_since_wall_us = newest->wall_us;
	if (newest->reason && !g_str_equal(newest->state, "converged"))
		ret->trouble = newest->reason;
}

/* The first fault with its place, and how many more there are. That a descriptor is faulty follows from another fault, which says
 * more. */
static const char *faults_text(struct arena *arena, const struct diags *diags)
{
	const struct diag *first = NULL;
	bool follows = true;
	for (size_t i = 0; i < diags_count(diags) && follows; i++) {
		const struct diag *diag = diags_get(diags, i);
		if (diag->severity != SEVERITY_ERROR)
			continue;
		follows = g_str_equal(diag->code, "faulty-descriptor");
		if (!first || !follows)
			first = diag;
	}
	if (!first)
		return "faults in the descriptors: `pleach validate` shows them";
	size_t more = diags_errors(diags) - 1;
	const char *others = more ? arena_printf(arena, " (and %zu more fault%s: `pleach validate` shows them)", more, more == 1 ? "" : "s")
				  : "";
	if (!first->origin.file)
		return arena_printf(arena, "%s%s", first->text, others);
	return arena_printf(arena, "%s:%u:%u: %s%s", first->origin.file, first->origin.line, first->origin.column, first->text, others);
}

static bool recent_of(const char *nf_key, const struct sample **ret_before, const struct sample **ret_now, void *data)
{
	const struct cycle_view *now = data;
	return monitors_recent(now->monitors, nf_key, ret_before, ret_now);
}

static void fill_input(enum api_report report, const char *key, struct arena *arena, struct report_input *ret,
		       const struct cycle_view *now, bool at_rest)
{
	struct arena *last_arena = NULL;
	ret->wall_us = clock_wall_us();
	ret->desired = now->network;
	ret->last = last_view(now->last, &last_arena);
	arena_adopt(arena, last_arena);
	arena_unref(last_arena);
	ret->observed = now->observed;
	ret->plan = now->plan;
	ret->operation = operation_of;
	ret->data = (void *) (guintptr) now;
	add_revision_state(arena, ret, now);
	if (now->load_error)
		ret->trouble = now->load_error;
	else if (now->revision && diags_errors(now->revision->diags) > 0)
		ret->trouble = faults_text(arena, now->revision->diags);
	if (exec_journal_failed(now->exec))
		ret->trouble = "the store cannot be written, so nothing is begun; the log says why (is the disk full?)";
	if (report == API_NF || report == API_SITES)
		ret->vib = monitors_vib(now->monitors, arena, &ret->n_vib);
	ret->recent = recent_of;
	ret->holds = holds_list(now->holds, arena, &ret->n_holds);
	ret->unsettled = !at_rest || now->load_error;
	add_history(report, key, arena, ret, now);
}

static void snapshot(enum api_report report, const char *key, struct arena *arena, struct report_input *ret, void *data)
{
	const struct backend *backend = data;
	if (report == API_STATUS && backend->refresh)
		backend->refresh(backend->data);
	fill_input(report, key, arena, ret, cycle_view(backend->cycle), cycle_is_at_rest(backend->cycle));
	const struct cycle_view *now = cycle_view(backend->cycle);
	char since[CLOCK_TEXT_SIZE];
	if (now->load_error && ret->trouble == now->load_error && backend->load_error_wall_us)
		ret->trouble = arena_printf(arena, "%s (since %s)", now->load_error, clock_rfc3339(backend->load_error_wall_us, since));
	ret->unsettled |= backend->awaited;
	ret->stays = cycle_stays(backend->cycle) && !backend->awaited && (now->verdict != CYCLE_UNDECIDED || backend->source_trouble);
	if (report == API_STATUS && backend->source_trouble)
		ret->trouble = ret->trouble ? arena_printf(arena, "%s; %s", backend->source_trouble, ret->trouble) : backend->source_trouble;
}

static bool sync_now(const char *key, GError **error, void *data)
{
	const struct backend *backend = data;
	if (backend->fetch)
		backend->fetch(backend->data);
	monitors_asked(cycle_view(backend->cycle)->monitors, key);
	cycle_sync(backend->cycle, key);
	return true;
}

/* --- the EMS ------------------------------------------------------------------------------------------------------------ */

static void read_log(const char *key, unsigned lines, bool follow, struct api_reply *reply, void *data)
{
	const struct backend *backend = data;
	logs_read(backend->logs, key, lines, follow, reply);
}

static bool read_samples(const char *nf_key, gint64 since_wall_us, struct arena *arena, GPtrArray *ret, GError **error, void *data)
{
	const struct backend *backend = data;
	return store_samples(cycle_view(backend->cycle)->store, arena, nf_key, since_wall_us, MONITORS_RING, ret, error);
}

static bool may(gint64 uid, const char *verb, const char *key, GError **error, void *data)
{
	const struct backend *backend = data;
	return permits_allow(cycle_view(backend->cycle)->network, uid, verb, key, error);
}

/* --- the past, and holds ------------------------------------------------------------------------------------------------ */

static const struct cycle_view *now_of(const void *data)
{
	const struct backend *backend = data;
	return cycle_view(backend->cycle);
}

static bool read_events(const struct store_query *query, struct arena *arena, GArray *ret, GError **error, void *data)
{
	return store_query(now_of(data)->store, arena, query, ret, error);
}

static bool read_history(const struct store_scope *scope, size_t limit, struct arena *arena, GArray *ret, GError **error, void *data)
{
	struct store *store = now_of(data)->store;
	return scope->roots[0] ? store_revisions_of(store, arena, scope, limit, ret, error)
			       : store_revisions(store, arena, limit, ret, error);
}

static bool suspend(const struct store_hold *hold, GError **error, void *data)
{
	return holds_suspend(now_of(data)->holds, hold, error);
}

static bool resume(const char *target, const char *who, GError **error, void *data)
{
	return holds_resume(now_of(data)->holds, target, who, clock_wall_us(), error);
}

static const char *approve(const char *revision, const char *who, GError **error, void *data)
{
	enum { SHORTEST = 4 };
	const struct cycle_view *now = now_of(data);
	const char *kept = now->revision ? snapshot_revision(now->revision->snapshot) : NULL;
	if (strlen(revision) < SHORTEST)
		pleach_error_invalid(error, "say which commit, with %d digits of it or more", SHORTEST);
	else if (!kept || !g_str_has_prefix(kept, revision))
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "commit %.40s is not the one that is kept: that is %.12s", revision,
			    kept ? kept : "none yet");
	else if (holds_approve(now->holds, kept, who, clock_wall_us(), error))
		return kept;
	return NULL;
}

struct api_backend backend_of(struct backend *backend)
{
	return (struct api_backend) {
		.snapshot = snapshot, .sync = sync_now, .log = read_log, .samples = read_samples, .may = may, .events = read_events, .history = read_history,
		.suspend = suspend, .resume = resume, .approve = approve, .data = backend,
	};
}
