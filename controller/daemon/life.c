/* How the cycle begins and ends, and what it hangs on the main loop. */
#include "daemon/cycle_state.h"

#include "base/clock.h"
#include "base/log.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* --- what comes by itself --------------------------------------------------------------------------------------------------- */

static gboolean pool_ready(int fd, GIOCondition condition, gpointer data)
{
	struct cycle *cycle = data;
	pool_dispatch(cycle->now.pool);
	if (cycle->now.phase == CYCLE_EXECUTING)
		cycle_run_exec(cycle);
	/* A hint that came meanwhile does not wait for those that only wait for their next try. */
	if (cycle->want_look || g_hash_table_size(cycle->want_keys) > 0)
		cycle_interrupt_waiting(cycle);
	return G_SOURCE_CONTINUE;
}

static gboolean resync_due(gpointer data)
{
	struct cycle *cycle = data;
	if (cycle_is_at_rest(cycle))
		store_tidy(cycle->options.store);
	cycle_look_again(cycle, NULL);
	return G_SOURCE_CONTINUE;
}

void cycle_set_resync(struct cycle *cycle, unsigned resync_s)
{
	g_clear_handle_id(&cycle->resync_source, g_source_remove);
	if (resync_s)
		cycle->resync_source = g_timeout_add_seconds(resync_s, resync_due, cycle);
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

/* What was tried and taken back before this process began is not tried again because it began. */
static void remember_failures(struct cycle *cycle)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GArray) failed = g_array_new(FALSE, FALSE, sizeof(struct operation));
	g_autoptr(GError) error = NULL;
	if (!store_failed(cycle->options.store, arena, failed, &error))
		log_error("store: %s", error->message);
	for (guint i = 0; i < failed->len; i++)
		exec_remember(cycle->now.exec, &g_array_index(failed, struct operation, i));
}

struct cycle *cycle_new(const struct cycle_options *options, GError **error)
{
	auto_ptr(last) last = last_new(options->store, error);
	auto_ptr(holds) holds = last ? holds_new(options->store, error) : NULL;
	if (!holds)
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
	cycle->memory = revision_memory_new();
	cycle->chronicle = chronicle_new(options->store);
	cycle->now.holds = g_steal_pointer(&holds);
	holds_on_change(cycle->now.holds, cycle_holds_changed, cycle);
	cycle->sites = sites_new(options->store, cycle->now.last, cycle->now.drivers);
	cycle->want_keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const struct monitors_options monitors_options = {
		.store = options->store, .drivers = cycle->now.drivers, .pool = cycle->now.pool, .sample_s = options->sample_s,
		.due = cycle_cure_due, .data = cycle,
	};
	cycle->now.monitors = monitors_new(&monitors_options);
	cycle->journal = journal_keeper_new(options->store, cycle->now.last, cycle->now.monitors);
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
	remember_failures(cycle);
	cycle->pool_source = g_unix_fd_add(pool_fd(cycle->now.pool), G_IO_IN, pool_ready, cycle);
	cycle_set_resync(cycle, options->resync_s);
	return cycle;
}

void cycle_stop(struct cycle *cycle)
{
	cycle->stopping = true;
	monitors_stop(cycle->now.monitors);
	g_clear_handle_id(&cycle->retry_source, g_source_remove);
	g_clear_handle_id(&cycle->resync_source, g_source_remove);
	guint64 one = 1;
	if (write(cycle->cancel_fd, &one, sizeof(one)) != sizeof(one))
		log_warning("cannot cancel the look under way: %s", g_strerror(errno));
	if (cycle->now.phase == CYCLE_EXECUTING) {
		exec_cancel(cycle->now.exec);
		cycle_run_exec(cycle);
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
	monitors_free(cycle->now.monitors);
	sites_free(cycle->sites);
	drivers_free(cycle->now.drivers);
	journal_keeper_free(cycle->journal);
	holds_free(cycle->now.holds);
	chronicle_free(cycle->chronicle);
	revision_memory_free(cycle->memory);
	last_free(cycle->now.last);
	g_hash_table_unref(cycle->want_keys);
	g_free(cycle->now.load_error);
	close(cycle->cancel_fd);
	g_free(cycle);
}

bool cycle_is_at_rest(const struct cycle *cycle)
{
	bool wants = cycle->want_load || cycle->want_look || cycle->want_plan || g_hash_table_size(cycle->want_keys) > 0;
	bool quiet = cycle->quiet && (cycle->now.phase == CYCLE_OBSERVING || cycle->now.phase == CYCLE_PLANNING);
	return (cycle->now.phase == CYCLE_IDLE || quiet) && (cycle->stopping || !cycle->now.revision || !wants);
}

bool cycle_stays(const struct cycle *cycle)
{
	const struct cycle_view *now = &cycle->now;
	if (!cycle_is_at_rest(cycle) || now->refused || monitors_awaits_cure(now->monitors))
		return false;
	switch (now->verdict) {
	case CYCLE_UNDECIDED:
		return true;
	case CYCLE_WORKING:
		return false;
	case CYCLE_HELD:
		if (holds_one_expires(now->holds))
			return false;
		G_GNUC_FALLTHROUGH;
	case CYCLE_CONVERGED:
	case CYCLE_STUCK:
		/* What a faulty descriptor leaves open stays so; what could not be looked at may be seen again. */
		return exec_next_look(now->exec) < 0 &&
		       (!now->plan || now->plan->n_open == 0 || (now->revision && diags_errors(now->revision->diags) > 0));
	}
	g_assert_not_reached();
}

const struct cycle_view *cycle_view(const struct cycle *cycle)
{
	return &cycle->now;
}
