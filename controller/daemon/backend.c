#include "daemon/backend.h"

#include "base/clock.h"
#include "base/log.h"
#include "model/key.h"

enum {
	EVENTS_MAX = 100,
	OPERATIONS_MAX = 50,
	RECENT_S = 10 * 60, /* repairs as old as this are still told of by `drift` */
	LOG_TIMEOUT_S = 10,
};

static const struct operation *operation_of(const char *key, void *data)
{
	const struct cycle_view *now = data;
	const struct step *step = now->plan ? plan_step(now->plan, key) : NULL;
	return step ? exec_operation(now->exec, (size_t) (step - now->plan->steps)) : NULL;
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
		good = store_events(now->store, arena, NULL, NULL, ret->wall_us - RECENT_S * G_USEC_PER_SEC, EVENTS_MAX, events, &error);
	else if (report == API_EXPLAIN && key)
		good = store_events(now->store, arena, key, NULL, 0, EVENTS_MAX, events, &error) &&
		       store_operations(now->store, arena, key, OPERATIONS_MAX, operations, &error);
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
	ret->unsettled = !at_rest || now->load_error;
	add_history(report, key, arena, ret, now);
}

static void snapshot(enum api_report report, const char *key, struct arena *arena, struct report_input *ret, void *data)
{
	const struct backend *backend = data;
	if (report == API_STATUS && backend->refresh)
		backend->refresh(backend->data);
	fill_input(report, key, arena, ret, cycle_view(backend->cycle), cycle_is_at_rest(backend->cycle));
	if (report == API_STATUS && !ret->trouble)
		ret->trouble = backend->source_trouble;
}

static bool sync_now(const char *key, GError **error, void *data)
{
	const struct backend *backend = data;
	cycle_sync(backend->cycle);
	return true;
}

/* --- logs: the EMS is asked on a worker ------------------------------------------------------------------------------------- */

struct log_job {
	struct api_reply *reply;
	struct arena *arena;
	struct observed *observed;
	const struct lookup *lookup;
	char *key, *site, *ems_name;
	unsigned lines;
	char *text;
	GError *error;
};

static void log_work(void *data)
{
	struct log_job *job = data;
	const struct call call = {
		.deadline_us = clock_monotonic_us() + LOG_TIMEOUT_S * G_USEC_PER_SEC, .cancel_fd = -1, .lookup = job->lookup,
	};
	const char *vnfc_key = key_of_kind(job->arena, job->key, "vnfc");
	const struct access *access = observed_access(job->observed, vnfc_key);
	const struct ems_ops *ops;
	struct ems *ems = job->lookup->ems(job->lookup, job->site, job->ems_name, &ops, &job->error);
	if (ems && !access)
		g_set_error(&job->error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s does not run: its log went with it", vnfc_key);
	else if (ems && !ops->log)
		g_set_error(&job->error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "EMS driver %s keeps no logs", ops->name);
	else if (ems)
		job->text = ops->log(ems, &call, access, job->key, job->lines, &job->error);
}

static void log_done(void *data)
{
	struct log_job *job = data;
	if (job->text)
		api_reply_text(job->reply, job->text);
	else
		api_reply_error(job->reply, job->error);
	g_clear_error(&job->error);
	g_clear_pointer(&job->observed, observed_unref);
	arena_unref(job->arena);
	g_free(job->text);
	g_free(job->key);
	g_free(job->site);
	g_free(job->ems_name);
	g_free(job);
}

static void read_log(const char *key, unsigned lines, struct api_reply *reply, void *data)
{
	const struct backend *backend = data;
	const struct cycle_view *now = cycle_view(backend->cycle);
	const struct object *nf = now->network ? objects_find(now->network->objects, key) : NULL;
	if (!nf)
		nf = last_find(now->last, key);
	if (!nf || !now->observed) {
		g_autoptr(GError) error = g_error_new(PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s is not known, or not looked at yet", key);
		api_reply_error(reply, error);
		return;
	}
	struct log_job *job = g_new0(struct log_job, 1);
	*job = (struct log_job) {
		.reply = reply,
		.arena = arena_new(),
		.observed = observed_ref(now->observed),
		.lookup = drivers_lookup(now->drivers),
		.key = g_strdup(key),
		.site = g_strdup(nf->site),
		.ems_name = g_strdup(object_string(nf, "ems", "leaf")),
		.lines = lines,
	};
	pool_submit(now->pool, log_work, log_done, job);
}

struct api_backend backend_of(struct backend *backend)
{
	return (struct api_backend) { .snapshot = snapshot, .sync = sync_now, .log = read_log, .data = backend };
}
