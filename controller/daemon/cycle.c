#include "daemon/cycle.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/attempts.h"
#include "daemon/journal.h"
#include "daemon/reason.h"
#include "daemon/sites.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	LOOK_TIMEOUT_S = 20,
	PARTIAL_LOOKS_MAX = 256, /* then a full one, so that what is carried over does not pile up */
};

static const char *const phase_names[] = {
	[CYCLE_IDLE] = "idle",
	[CYCLE_LOADING] = "loading",
	[CYCLE_OBSERVING] = "observing",
	[CYCLE_PLANNING] = "planning",
	[CYCLE_EXECUTING] = "executing",
};

static const char *const verdict_names[] = {
	[CYCLE_UNDECIDED] = "undecided",
	[CYCLE_CONVERGED] = "converged",
	[CYCLE_WORKING] = "working",
	[CYCLE_STUCK] = "stuck",
};

const char *cycle_phase_name(enum cycle_phase phase)
{
	return phase_names[phase];
}

const char *cycle_verdict_name(enum cycle_verdict verdict)
{
	return verdict_names[verdict];
}

struct load_job {
	struct cycle *cycle;
	struct revision *revision;
	GError *error;
};

struct plan_job {
	struct cycle *cycle;
	struct plan_input input;
	struct arena *last_arena;
	struct plan *plan;
};

struct look_job {
	struct cycle *cycle;
	struct observe_input input;
	struct arena *arena;
	struct observed *before;
};

struct cycle {
	struct cycle_options options;
	struct cycle_view now;
	struct tosca_cache *cache;
	struct journal_keeper *journal;
	struct drift_record *drift;
	struct sites *sites;
	int cancel_fd; /* of looks */

	char *noted; /* what the store was last told of the revision: a state's time is when it began */
	bool stopping;
	bool quiet;  /* the look under way was asked for by nothing but a timer, and the network had converged */
	/* what the next turn begins with */
	bool want_load, want_look, want_plan;
	GHashTable *want_keys; /* set of keys to look at */

	struct network *nothing; /* destroy: the desired network with its objects taken away */
	unsigned partial_looks;
	bool begun;      /* in the round under way, any operation at all */
	bool unfinished; /* the round left failures, and they were not looked at yet */

	guint pool_source, wakeup_source, resync_source, retry_source;
};

static void advance(struct cycle *cycle);
static void interrupt_waiting(struct cycle *cycle);

static void tell(struct cycle *cycle)
{
	if (cycle->options.changed)
		cycle->options.changed(cycle->options.data);
}

static void enter(struct cycle *cycle, enum cycle_phase phase, enum cycle_verdict verdict)
{
	cycle->now.phase = phase;
	cycle->now.verdict = verdict;
	if (phase == CYCLE_IDLE)
		cycle->now.rested_us = clock_monotonic_us();
	tell(cycle);
}

static void note_revision(struct cycle *cycle, const char *state, const char *reason)
{
	if (!cycle->now.revision)
		return;
	g_autofree char *noted = g_strjoin("\n", snapshot_revision(cycle->now.revision->snapshot), state, reason, NULL);
	if (g_strcmp0(noted, cycle->noted) == 0)
		return;
	g_free(cycle->noted);
	cycle->noted = g_steal_pointer(&noted);
	const struct store_revision revision = {
		.wall_us = clock_wall_us(),
		.commit = snapshot_revision(cycle->now.revision->snapshot),
		.summary = snapshot_summary(cycle->now.revision->snapshot),
		.state = state,
		.reason = reason,
	};
	g_autoptr(GError) error = NULL;
	if (!store_put_revision(cycle->options.store, &revision, &error))
		log_error("store: revision: %s", error->message);
}

/* --- loading ---------------------------------------------------------------------------------------------------------------- */

static void load_work(void *data)
{
	struct load_job *job = data;
	job->revision = revision_load(&job->cycle->options.source, job->cycle->cache, &job->error);
}

static void take_revision(struct cycle *cycle, struct revision *revision)
{
	const char *former = cycle->now.revision ? snapshot_revision(cycle->now.revision->snapshot) : NULL;
	if (former && !g_str_equal(former, snapshot_revision(revision->snapshot)) && cycle->now.verdict != CYCLE_CONVERGED)
		note_revision(cycle, "superseded", NULL);
	sites_check_drivers(cycle->options.registry, revision);
	g_clear_pointer(&cycle->now.revision, revision_unref);
	g_clear_pointer(&cycle->nothing, network_unref);
	cycle->now.revision = revision;
	if (cycle->options.destroy)
		cycle->nothing = network_emptied(revision->network);
	cycle->now.network = cycle->nothing ? cycle->nothing : revision->network;
	sites_take(cycle->sites, cycle->now.network);
	note_revision(cycle, "applying", NULL);
}

static void no_watch(const char *site, struct vim *vim, const struct vim_ops *ops, int fd, void *data)
{
	(*(size_t *) data)++;
}

/* Is what we know of the network kept up to date by events, so that a new commit can be planned on it at once? */
static bool observation_is_current(struct cycle *cycle)
{
	if (!cycle->now.observed || cycle->now.observed->blind.n > 0)
		return false;
	size_t watched = 0;
	drivers_each_watch(cycle->now.drivers, no_watch, &watched);
	const struct network *network = cycle->now.network;
	return network && watched >= network->n_sites;
}

static void load_done(void *data)
{
	g_autofree struct load_job *job = data;
	struct cycle *cycle = job->cycle;
	g_clear_pointer(&cycle->now.load_error, g_free);
	cycle->now.refused = false;
	if (job->revision && sites_lock_owners(cycle->sites, job->revision->network, &job->error))
		take_revision(cycle, job->revision);
	else {
		cycle->now.refused = job->revision != NULL;
		g_clear_pointer(&job->revision, revision_unref);
		cycle->now.load_error = g_strdup(job->error->message);
		g_error_free(job->error);
	}
	if (cycle->now.revision) {
		if (observation_is_current(cycle))
			cycle->want_plan = true;
		else
			cycle->want_look = true;
	}
	enter(cycle, CYCLE_IDLE, cycle->now.revision ? CYCLE_WORKING : CYCLE_STUCK);
	advance(cycle);
}

static void start_load(struct cycle *cycle)
{
	cycle->want_load = false;
	cycle->now.commit_seen_us = clock_monotonic_us();
	enter(cycle, CYCLE_LOADING, CYCLE_WORKING);
	struct load_job *job = g_new0(struct load_job, 1);
	job->cycle = cycle;
	pool_submit(cycle->now.pool, load_work, load_done, job);
}

/* --- looking ---------------------------------------------------------------------------------------------------------------- */

static void look_done(struct observed *observed, void *data)
{
	g_autofree struct look_job *job = data;
	struct cycle *cycle = job->cycle;
	g_clear_pointer(&cycle->now.observed, observed_unref);
	cycle->now.observed = observed;
	drivers_set_observed(cycle->now.drivers, observed);
	if (cycle->unfinished)
		attempts_record(cycle->options.store, cycle->now.last, cycle->now.plan, cycle->now.exec, observed);
	cycle->unfinished = false;
	cycle->want_plan = true;
	g_clear_pointer(&job->before, observed_unref);
	arena_unref(job->arena);
	enter(cycle, CYCLE_IDLE, CYCLE_WORKING);
	advance(cycle);
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

static void take_keys(struct cycle *cycle, struct look_job *job)
{
	bool all = cycle->want_look || !cycle->now.observed || cycle->partial_looks >= PARTIAL_LOOKS_MAX;
	cycle->partial_looks = all ? 0 : cycle->partial_looks + 1;
	if (!all) {
		guint n = 0;
		g_autofree gpointer *keys = g_hash_table_get_keys_as_array(cycle->want_keys, &n);
		const char **sorted = ARENA_ARRAY(job->arena, const char *, n);
		for (guint i = 0; i < n; i++)
			sorted[i] = arena_strdup(job->arena, keys[i]);
		qsort(sorted, n, sizeof(*sorted), by_text);
		job->input.keys = sorted;
		job->input.n_keys = n;
		job->before = observed_ref(cycle->now.observed);
		job->input.before = job->before;
	}
	cycle->want_look = false;
	g_hash_table_remove_all(cycle->want_keys);
}

static void start_look(struct cycle *cycle)
{
	enter(cycle, CYCLE_OBSERVING, cycle->now.verdict == CYCLE_CONVERGED ? CYCLE_CONVERGED : CYCLE_WORKING);
	struct look_job *job = g_new0(struct look_job, 1);
	job->cycle = cycle;
	struct arena *last_arena;
	struct objects last = last_view(cycle->now.last, &last_arena);
	job->arena = last_arena;
	job->input = (struct observe_input) {
		.registry = cycle->options.registry,
		.pool = cycle->now.pool,
		.lookup = drivers_lookup(cycle->now.drivers),
		.desired = cycle->now.network,
		.last = last,
		.cancel_fd = cycle->cancel_fd,
		.deadline_us = clock_monotonic_us() + LOOK_TIMEOUT_S * G_USEC_PER_SEC,
		.wall_us = clock_wall_us(),
	};
	job->input.more_sites = sites_all(cycle->sites, cycle->now.network, job->arena, &job->input.n_more_sites);
	take_keys(cycle, job);
	observe_start(&job->input, look_done, job);
}

/* --- planning --------------------------------------------------------------------------------------------------------------- */

static void plan_work(void *data)
{
	struct plan_job *job = data;
	job->plan = plan_make(&job->input);
}

static gboolean retry_due(gpointer data)
{
	struct cycle *cycle = data;
	cycle->retry_source = 0;
	cycle->want_look = true;
	advance(cycle);
	return G_SOURCE_REMOVE;
}

/* What failed for a time is looked at and planned again when its back-off is over. */
static void retry_later(struct cycle *cycle)
{
	gint64 at_us = exec_next_look(cycle->now.exec);
	if (at_us < 0 || cycle->retry_source || cycle->stopping)
		return;
	cycle->retry_source = g_timeout_add((guint) (MAX(at_us - clock_monotonic_us(), 0) / 1000 + 1), retry_due, cycle);
}

static void settle(struct cycle *cycle)
{
	const struct plan *plan = cycle->now.plan;
	bool done = plan->n_steps == 0 && plan->n_open == 0;
	if (done) {
		bool faulty = diags_errors(cycle->now.revision->diags) > 0;
		note_revision(cycle, faulty ? "faulty" : "converged", NULL);
	} else {
		g_autofree char *reason = reason_of(&cycle->now);
		note_revision(cycle, "failed", reason);
	}
	cycle->quiet = false;
	enter(cycle, CYCLE_IDLE, done ? CYCLE_CONVERGED : CYCLE_STUCK);
	if (!done)
		retry_later(cycle);
}

static void run_exec(struct cycle *cycle);

static void plan_done(void *data)
{
	g_autofree struct plan_job *job = data;
	struct cycle *cycle = job->cycle;
	g_clear_pointer(&cycle->now.plan, plan_unref);
	cycle->now.plan = job->plan;
	arena_unref(job->last_arena);
	drift_record_update(cycle->drift, cycle->options.store, cycle->now.plan, clock_wall_us());
	cycle->now.phase = CYCLE_IDLE;
	if (cycle->want_load || cycle->stopping) {
		advance(cycle);
		return;
	}
	bool approved = !cycle->options.approve || cycle->options.approve(cycle->now.plan, cycle->options.data);
	if (cycle->now.plan->n_steps == 0 || !approved) {
		settle(cycle);
		advance(cycle);
		return;
	}
	enter(cycle, CYCLE_EXECUTING, CYCLE_WORKING);
	cycle->begun = false;
	exec_start(cycle->now.exec, cycle->now.plan, cycle->now.observed, clock_monotonic_us());
	run_exec(cycle);
}

static void start_plan(struct cycle *cycle)
{
	cycle->want_plan = false;
	enter(cycle, CYCLE_PLANNING, cycle->now.verdict == CYCLE_CONVERGED ? CYCLE_CONVERGED : CYCLE_WORKING);
	struct plan_job *job = g_new0(struct plan_job, 1);
	job->cycle = cycle;
	job->input = (struct plan_input) {
		.desired = cycle->now.network,
		.last = last_view(cycle->now.last, &job->last_arena),
		.observed = cycle->now.observed,
		.caps = drivers_caps,
		.data = cycle->now.drivers,
	};
	job->input.last_arena = job->last_arena;
	pool_submit(cycle->now.pool, plan_work, plan_done, job);
}

/* --- executing -------------------------------------------------------------------------------------------------------------- */

static gboolean wakeup_due(gpointer data)
{
	struct cycle *cycle = data;
	cycle->wakeup_source = 0;
	run_exec(cycle);
	return G_SOURCE_REMOVE;
}

/* What was cut short, or failed in a way that leaves open what happened, is looked at before it is planned again. */
static void look_at_unfinished(struct cycle *cycle)
{
	for (size_t i = 0; i < cycle->now.plan->n_steps; i++) {
		const struct operation *operation = exec_operation(cycle->now.exec, i);
		if (operation && operation->state != OP_COMPLETED)
			g_hash_table_add(cycle->want_keys, g_strdup(operation->key));
	}
}

static void exec_ended(struct cycle *cycle)
{
	g_clear_handle_id(&cycle->wakeup_source, g_source_remove);
	g_clear_pointer(&cycle->now.observed, observed_unref);
	cycle->now.observed = exec_observed(cycle->now.exec);
	drivers_set_observed(cycle->now.drivers, cycle->now.observed);
	bool succeeded = exec_succeeded(cycle->now.exec);
	size_t completed = exec_count(cycle->now.exec, OP_COMPLETED);
	if (cycle->begun && !succeeded) {
		look_at_unfinished(cycle);
		cycle->unfinished = true;
	}
	cycle->now.phase = CYCLE_IDLE;
	if (succeeded || completed)
		cycle->want_plan = true;
	else if (!cycle->want_load && !cycle->stopping)
		settle(cycle);
	advance(cycle);
}

static void run_exec(struct cycle *cycle)
{
	gint64 now_us = clock_monotonic_us();
	exec_run(cycle->now.exec, now_us);
	if (exec_is_done(cycle->now.exec)) {
		exec_ended(cycle);
		return;
	}
	g_clear_handle_id(&cycle->wakeup_source, g_source_remove);
	gint64 at_us = exec_next_wakeup(cycle->now.exec);
	if (at_us >= 0)
		cycle->wakeup_source = g_timeout_add((guint) (MAX(at_us - now_us, 0) / 1000 + 1), wakeup_due, cycle);
}

static gboolean pool_ready(int fd, GIOCondition condition, gpointer data)
{
	struct cycle *cycle = data;
	pool_dispatch(cycle->now.pool);
	if (cycle->now.phase == CYCLE_EXECUTING)
		run_exec(cycle);
	/* A hint that came meanwhile does not wait for those that only wait for their next try. */
	if (cycle->want_look || g_hash_table_size(cycle->want_keys) > 0)
		interrupt_waiting(cycle);
	return G_SOURCE_CONTINUE;
}

/* --- the turn --------------------------------------------------------------------------------------------------------------- */

static void advance(struct cycle *cycle)
{
	if (cycle->now.phase != CYCLE_IDLE || cycle->stopping)
		return;
	if (cycle->want_load)
		start_load(cycle);
	else if (cycle->now.revision && (cycle->want_look || g_hash_table_size(cycle->want_keys) > 0))
		start_look(cycle);
	else if (cycle->now.revision && cycle->want_plan)
		start_plan(cycle);
}

/* A hint while operations wait for their next try: what they wait for may just have come. */
static void interrupt_waiting(struct cycle *cycle)
{
	if (cycle->now.phase == CYCLE_EXECUTING && exec_count(cycle->now.exec, OP_PROCESSING) == 0) {
		exec_cancel(cycle->now.exec);
		run_exec(cycle);
	}
}

void cycle_load(struct cycle *cycle)
{
	cycle->want_load = true;
	if (cycle->now.phase == CYCLE_EXECUTING) {
		exec_cancel(cycle->now.exec);
		run_exec(cycle);
	} else
		advance(cycle);
}

void cycle_look(struct cycle *cycle, GPtrArray *keys)
{
	for (guint i = 0; keys && i < keys->len; i++)
		g_hash_table_add(cycle->want_keys, g_strdup(g_ptr_array_index(keys, i)));
	if (!keys)
		cycle->want_look = true;
	interrupt_waiting(cycle);
	advance(cycle);
}

void cycle_sync(struct cycle *cycle)
{
	exec_forget(cycle->now.exec, NULL);
	cycle->want_look = true;
	interrupt_waiting(cycle);
	advance(cycle);
}

void cycle_look_again(struct cycle *cycle, GPtrArray *keys)
{
	cycle->quiet = cycle->now.verdict == CYCLE_CONVERGED && cycle_is_at_rest(cycle);
	cycle_look(cycle, keys);
}

static gboolean resync_due(gpointer data)
{
	struct cycle *cycle = data;
	if (cycle_is_at_rest(cycle))
		store_tidy(cycle->options.store);
	cycle_look_again(cycle, NULL);
	return G_SOURCE_CONTINUE;
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static void operation_changed(const struct operation *operation, void *data)
{
	struct cycle *cycle = data;
	cycle->begun |= operation->state == OP_PROCESSING;
	if (cycle->options.operation)
		cycle->options.operation(operation, cycle->options.data);
}

static guint32 random_number(void *data)
{
	return g_random_int();
}

static gint64 wall_now(void *data)
{
	return clock_wall_us();
}

struct cycle *cycle_new(const struct cycle_options *options, GError **error)
{
	auto_ptr(last) last = last_new(options->store, error);
	if (!last)
		return NULL;
	int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel_fd < 0) {
		pleach_error_errno(error, errno, "eventfd");
		return NULL;
	}
	struct cycle *cycle = g_new0(struct cycle, 1);
	cycle->options = *options;
	cycle->now.store = options->store;
	cycle->cancel_fd = cancel_fd;
	cycle->now.last = g_steal_pointer(&last);
	cycle->now.pool = pool_new(options->threads ? options->threads : MAX(g_get_num_processors() * 2, 4));
	cycle->now.drivers = drivers_new(options->registry, options->secrets_folder);
	cycle->cache = tosca_cache_new();
	cycle->drift = drift_record_new();
	cycle->sites = sites_new(options->store, cycle->now.last, cycle->now.drivers);
	cycle->want_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	cycle->journal = journal_keeper_new(options->store, cycle->now.last);
	const struct exec_options exec_options = {
		.registry = options->registry,
		.pool = cycle->now.pool,
		.lookup = drivers_lookup(cycle->now.drivers),
		.journal = journal_of(cycle->journal),
		.random = random_number,
		.wall = wall_now,
		.progress = operation_changed,
		.data = cycle,
	};
	cycle->now.exec = exec_new(&exec_options);
	cycle->pool_source = g_unix_fd_add(pool_fd(cycle->now.pool), G_IO_IN, pool_ready, cycle);
	if (options->resync_s)
		cycle->resync_source = g_timeout_add_seconds(options->resync_s, resync_due, cycle);
	return cycle;
}

void cycle_stop(struct cycle *cycle)
{
	cycle->stopping = true;
	g_clear_handle_id(&cycle->retry_source, g_source_remove);
	g_clear_handle_id(&cycle->resync_source, g_source_remove);
	guint64 one = 1;
	if (write(cycle->cancel_fd, &one, sizeof(one)) != sizeof(one))
		log_warning("cannot cancel the look under way: %s", g_strerror(errno));
	if (cycle->now.phase == CYCLE_EXECUTING) {
		exec_cancel(cycle->now.exec);
		run_exec(cycle);
	}
}

void cycle_free(struct cycle *cycle)
{
	if (!cycle)
		return;
	cycle->stopping = true;
	pool_free(cycle->now.pool);
	g_clear_handle_id(&cycle->pool_source, g_source_remove);
	g_clear_handle_id(&cycle->wakeup_source, g_source_remove);
	g_clear_handle_id(&cycle->retry_source, g_source_remove);
	g_clear_handle_id(&cycle->resync_source, g_source_remove);
	exec_free(cycle->now.exec);
	g_clear_pointer(&cycle->now.plan, plan_unref);
	g_clear_pointer(&cycle->now.observed, observed_unref);
	g_clear_pointer(&cycle->nothing, network_unref);
	g_clear_pointer(&cycle->now.revision, revision_unref);
	sites_free(cycle->sites);
	drivers_free(cycle->now.drivers);
	journal_keeper_free(cycle->journal);
	drift_record_free(cycle->drift);
	tosca_cache_free(cycle->cache);
	last_free(cycle->now.last);
	g_hash_table_unref(cycle->want_keys);
	g_free(cycle->now.load_error);
	g_free(cycle->noted);
	close(cycle->cancel_fd);
	g_free(cycle);
}

bool cycle_is_at_rest(const struct cycle *cycle)
{
	bool wants = cycle->want_load || cycle->want_look || cycle->want_plan || g_hash_table_size(cycle->want_keys) > 0;
	bool quiet = cycle->quiet && (cycle->now.phase == CYCLE_OBSERVING || cycle->now.phase == CYCLE_PLANNING);
	return (cycle->now.phase == CYCLE_IDLE || quiet) && (cycle->stopping || !cycle->now.revision || !wants);
}

const struct cycle_view *cycle_view(const struct cycle *cycle)
{
	return &cycle->now;
}
