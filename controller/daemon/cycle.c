#include "daemon/cycle_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/attempts.h"
#include "daemon/planning.h"
#include "daemon/reason.h"

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
	[CYCLE_HELD] = "held",
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

struct look_job {
	struct cycle *cycle;
	struct observe_input input;
	struct arena *arena;
	struct observed *before;
};

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

/* --- loading ---------------------------------------------------------------------------------------------------------------- */

static void load_work(void *data)
{
	struct load_job *job = data;
	job->revision = revision_load(&job->cycle->options.source, job->cycle->memory, &job->error);
}

static void take_revision(struct cycle *cycle, struct revision *revision)
{
	sites_check_drivers(cycle->options.registry, revision);
	g_clear_pointer(&cycle->now.revision, revision_unref);
	g_clear_pointer(&cycle->nothing, network_unref);
	cycle->now.revision = revision;
	if (cycle->options.destroy)
		cycle->nothing = network_emptied(revision->network);
	cycle->now.network = cycle->nothing ? cycle->nothing : revision->network;
	sites_take(cycle->sites, cycle->now.network);
	drivers_set_network(cycle->now.drivers, cycle->now.network);
	chronicle_takes(cycle->chronicle, revision);
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
		chronicle_refuses(cycle->chronicle, job->error->message);
		g_error_free(job->error);
	}
	if (cycle->now.revision) {
		if (observation_is_current(cycle))
			cycle->want_plan = true;
		else
			cycle->want_look = true;
	}
	enter(cycle, CYCLE_IDLE, cycle->now.revision ? CYCLE_WORKING : CYCLE_STUCK);
	cycle_advance(cycle);
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

/* Nothing was left to be done, and so it counts while it is looked at again. */
bool cycle_rests(const struct cycle *cycle)
{
	return cycle->now.verdict == CYCLE_CONVERGED || cycle->now.verdict == CYCLE_HELD;
}

/* --- looking ---------------------------------------------------------------------------------------------------------------- */

static void look_done(struct observed *observed, void *data)
{
	g_autofree struct look_job *job = data;
	struct cycle *cycle = job->cycle;
	chronicle_observed(cycle->chronicle, cycle->now.observed, observed);
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
	cycle_advance(cycle);
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
	enter(cycle, CYCLE_OBSERVING, cycle_rests(cycle) ? cycle->now.verdict : CYCLE_WORKING);
	struct look_job *job = g_new0(struct look_job, 1);
	job->cycle = cycle;
	struct arena *last_arena;
	struct objects last = last_view(cycle->now.last, &last_arena);
	job->arena = arena_new();
	arena_adopt(job->arena, last_arena);
	arena_unref(last_arena);
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

static gboolean retry_due(gpointer data)
{
	struct cycle *cycle = data;
	cycle->retry_source = 0;
	cycle->want_look = true;
	cycle_advance(cycle);
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

/* Nothing more can be done until something changes. */
static void settle(struct cycle *cycle)
{
	const struct plan *plan = cycle->now.plan;
	bool done = plan->n_steps == 0 && plan->n_open == 0, held = plan->n_steps == plan->n_held && plan->n_open == 0;
	bool faulty = diags_errors(cycle->now.revision->diags) > 0;
	if (done) {
		chronicle_state(cycle->chronicle, faulty ? "faulty" : "converged", NULL);
	} else {
		g_autofree char *reason = reason_of(&cycle->now);
		chronicle_state(cycle->chronicle, held ? "held" : faulty && plan->n_steps == 0 ? "faulty" : "failed", reason);
	}
	cycle->quiet = false;
	enter(cycle, CYCLE_IDLE, done ? CYCLE_CONVERGED : held ? CYCLE_HELD : CYCLE_STUCK);
	if (!done)
		retry_later(cycle);
}

static void plan_done(struct plan *plan, struct faults *faults, void *data)
{
	struct cycle *cycle = data;
	g_clear_pointer(&cycle->now.plan, plan_unref);
	cycle->now.plan = plan;
	monitors_planned(cycle->now.monitors, cycle->now.network, cycle->now.observed, faults);
	chronicle_planned(cycle->chronicle, cycle->now.plan);
	cycle->now.phase = CYCLE_IDLE;
	/* A plan that is wanted again is an old one: what it may do has changed since. */
	if (cycle->want_load || cycle->want_plan || cycle->stopping) {
		cycle_advance(cycle);
		return;
	}
	bool approved = !cycle->options.approve || cycle->options.approve(cycle->now.plan, cycle->options.data);
	if (cycle->now.plan->n_steps == 0 || !approved) {
		settle(cycle);
		cycle_advance(cycle);
		return;
	}
	bool all_held = cycle->now.plan->n_held == cycle->now.plan->n_steps;
	if (!all_held)
		enter(cycle, CYCLE_EXECUTING, CYCLE_WORKING);
	cycle->begun = false;
	monitors_begin(cycle->now.monitors, cycle->now.exec);
	exec_start(cycle->now.exec, cycle->now.plan, cycle->now.observed, clock_monotonic_us());
	if (all_held) {
		settle(cycle);
		cycle_advance(cycle);
	} else
		cycle_run_exec(cycle);
}

static void start_plan(struct cycle *cycle)
{
	cycle->want_plan = false;
	enter(cycle, CYCLE_PLANNING, cycle_rests(cycle) ? cycle->now.verdict : CYCLE_WORKING);
	planning_start(&cycle->now, plan_done, cycle);
}

/* --- executing -------------------------------------------------------------------------------------------------------------- */

static gboolean wakeup_due(gpointer data)
{
	struct cycle *cycle = data;
	cycle->wakeup_source = 0;
	cycle_run_exec(cycle);
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
	else if (!cycle->want_load && !cycle->want_plan && !cycle->stopping)
		settle(cycle);
	cycle_advance(cycle);
}

void cycle_run_exec(struct cycle *cycle)
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

/* --- the turn --------------------------------------------------------------------------------------------------------------- */

void cycle_advance(struct cycle *cycle)
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
void cycle_interrupt_waiting(struct cycle *cycle)
{
	if (cycle->now.phase == CYCLE_EXECUTING && exec_count(cycle->now.exec, OP_PROCESSING) == 0) {
		exec_cancel(cycle->now.exec);
		cycle_run_exec(cycle);
	}
}
