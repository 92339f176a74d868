#include "exec/internal.h"

#include "base/log.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	TIMEOUT_MS_DEFAULT = 60 * 1000,
	BACKOFF_MIN_MS_DEFAULT = 500,
	BACKOFF_MAX_MS_DEFAULT = 60 * 1000,
};

struct exec *exec_new(const struct exec_options *options)
{
	const struct journal *journal = &options->journal;
	g_assert(options->registry && options->pool && options->lookup && options->random && options->wall);
	g_assert(journal->begin && journal->record && journal->applied && journal->commit);
	struct exec *exec = g_new0(struct exec, 1);
	exec->options = *options;
	if (!exec->options.timeout_us)
		exec->options.timeout_us = TIMEOUT_MS_DEFAULT * G_GINT64_CONSTANT(1000);
	if (!exec->options.backoff_min_us)
		exec->options.backoff_min_us = BACKOFF_MIN_MS_DEFAULT * G_GINT64_CONSTANT(1000);
	if (!exec->options.backoff_max_us)
		exec->options.backoff_max_us = BACKOFF_MAX_MS_DEFAULT * G_GINT64_CONSTANT(1000);
	exec->lookup = exec_lookup(exec);
	exec->memories = memories_new();
	exec->repairs = repairs_new();
	exec->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (exec->cancel_fd < 0)
		log_error("no descriptor for cancelling: %s; what is under way will run to its end", g_strerror(errno));
	pthread_mutex_init(&exec->access_mutex, NULL);
	return exec;
}

void exec_free(struct exec *exec)
{
	if (!exec)
		return;
	g_assert(!exec->plan || exec->n_flying == exec->landed->len);
	exec_drop_plan(exec);
	g_hash_table_unref(exec->memories);
	g_hash_table_unref(exec->repairs);
	if (exec->cancel_fd >= 0)
		close(exec->cancel_fd);
	pthread_mutex_destroy(&exec->access_mutex);
	g_free(exec);
}

void exec_start(struct exec *exec, struct plan *plan, struct observed *observed, gint64 now_us)
{
	g_assert(!exec->plan || exec->n_flying == 0);
	struct plan *next_plan = plan_ref(plan);
	struct observed *next_observed = observed_ref(observed);
	exec_drop_plan(exec);
	exec->plan = next_plan;
	exec->observed = next_observed;
	eventfd_t count;
	if (exec->cancel_fd >= 0)
		(void) eventfd_read(exec->cancel_fd, &count);
	exec->cancelled = false;
	memories_keep(exec->memories, plan);
	repairs_age(exec->repairs, exec->memories, now_us);
	exec_take_apart(exec);
	exec->dirty = true;
}

/* --- choosing what to start ---------------------------------------------------------------------------------------------- */

static void wake_sleepers(struct exec *exec, gint64 now_us)
{
	for (struct item *item; (item = queue_first(&exec->sleeping)) && item->due_us <= now_us;)
		item_make_ready(exec, queue_pop(&exec->sleeping));
}

/* The lane whose first item is the first of the site's, among those that may still start something. */
static struct lane *best_lane(const struct exec_site *site)
{
	struct lane *best = NULL;
	if (site->flying >= site->limit)
		return NULL;
	for (guint i = 0; i < site->lanes->len; i++) {
		struct lane *lane = site->lanes->pdata[i];
		const struct item *first = lane->flying < lane->limit ? queue_first(&lane->ready) : NULL;
		if (first && (!best || item_order_ready(first, queue_first(&best->ready)) < 0))
			best = lane;
	}
	return best;
}

/* Did this very thing fail before? Then it sleeps, or is FAILED still. */
static bool is_held(struct exec *exec, struct item *item, const char *wanted, const char *seen, gint64 now_us)
{
	const struct memory *memory = memory_get(exec->memories, item->step);
	if (!memory)
		return false;
	if (strcmp(memory->wanted, wanted)) { /* the operator wants something else now: at once, from the beginning */
		memory_drop(exec->memories, item->step);
		return false;
	}
	if (item->tries)
		return false;
	if (memory->for_good && !strcmp(memory->seen, seen)) {
		item_recall(exec, item, memory, OP_FAILED);
		item->place = ITEM_ENDED;
		return true;
	}
	if (memory->due_us <= now_us)
		return false;
	if (!item->tried)
		item_recall(exec, item, memory, OP_FAILED_TEMP);
	item->due_us = memory->due_us;
	item->place = ITEM_SLEEPING;
	queue_push(&exec->sleeping, item);
	return true;
}

static void fault(struct exec *exec, struct item *item, const GError *error, gint64 now_us)
{
	char wanted[DIGEST_SIZE];
	job_digest(item->step->desired, wanted);
	const struct memory *memory = memory_get(exec->memories, item->step);
	if (memory && memory->for_good && !strcmp(memory->wanted, wanted) && !g_strcmp0(memory->text, error->message)) {
		item_recall(exec, item, memory, OP_FAILED);
		item->place = ITEM_ENDED;
		return;
	}
	item_starts(exec, item);
	item_fails(exec, item, error, item->step->desired, now_us);
}

static void take_off(struct exec *exec, struct job *job, gint64 now_us)
{
	struct item *item = job->item;
	item_starts(exec, item);
	item->place = ITEM_FLYING;
	item->lane->flying++;
	item->lane->site->flying++;
	exec->n_flying++;
	g_hash_table_insert(exec->locks, UNCONST(item->lock), item);
	job->call = (struct call) {
		.deadline_us = now_us + exec->options.timeout_us,
		.cancel_fd = exec->cancel_fd,
		.operation = item->operation.id,
		.lookup = &exec->lookup,
	};
}

static void try_to_start(struct exec *exec, struct item *item, gint64 now_us, GPtrArray *starts)
{
	struct item *holder = g_hash_table_lookup(exec->locks, item->lock);
	if (holder) {
		item->place = ITEM_LOCKED;
		item->next_locked = holder->next_locked;
		holder->next_locked = item;
		return;
	}
	g_autoptr(GError) error = NULL;
	g_autofree char *waits_for = NULL;
	struct job *job = NULL;
	switch (job_make(exec, item, &job, &waits_for, &error)) {
	case JOB_FAULT:
		fault(exec, item, error, now_us);
		return;
	case JOB_PENDING:
		item->place = ITEM_PENDING;
		item->waits_for = arena_strdup(exec->arena, waits_for);
		g_ptr_array_add(exec->pending, item);
		return;
	case JOB_READY:
		break;
	}
	const struct memory *memory = memory_get(exec->memories, item->step);
	const struct repair *repair = memory ? NULL : repairs_again(exec->repairs, exec->plan, item->step, now_us);
	if (repair) {
		item_comes_again(exec, item, repair, job->want, now_us);
		job_free(job);
		return;
	}
	if (memory) {
		char wanted[DIGEST_SIZE], seen[DIGEST_SIZE];
		job_digest(item->step->desired ? job->want : NULL, wanted);
		seen_digest(item->step->observed, seen);
		if (is_held(exec, item, wanted, seen, now_us)) {
			job_free(job);
			return;
		}
	}
	take_off(exec, job, now_us);
	g_ptr_array_add(starts, job);
}

/* Nothing else goes on that could still make it known: the owner has to look, and to plan again. */
static void give_up_pending(struct exec *exec, gint64 now_us)
{
	for (guint i = 0; i < exec->pending->len; i++) {
		struct item *item = exec->pending->pdata[i];
		g_autoptr(GError) error = g_error_new(PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s", item->waits_for);
		item->tries = EXEC_TRIES_PER_ROUND;
		item_starts(exec, item);
		item_fails(exec, item, error, item->step->desired, now_us);
	}
	g_ptr_array_set_size(exec->pending, 0);
}

static void choose(struct exec *exec, gint64 now_us, GPtrArray *starts)
{
	wake_sleepers(exec, now_us);
	for (guint i = 0; i < exec->sites->len; i++)
		for (struct lane *lane; (lane = best_lane(exec->sites->pdata[i]));) {
			exec->n_ready--;
			try_to_start(exec, queue_pop(&lane->ready), now_us, starts);
		}
	if (!exec->n_flying && !exec->n_ready && !queue_first(&exec->sleeping))
		give_up_pending(exec, now_us);
}

/* --- the journal --------------------------------------------------------------------------------------------------------- */

static bool write_outcome(struct exec *exec, const struct outcome *outcome)
{
	const struct journal *journal = &exec->options.journal;
	const struct operation *operation = &outcome->operation;
	if (!journal->record(journal->data, operation))
		return false;
	if (!outcome->applies)
		return true;
	if (!journal->applied(journal->data, operation->key, outcome->object, operation))
		return false;
	if (outcome->object)
		return true;
	/* the record of what lived inside it goes with it */
	const struct registry *registry = exec->options.registry;
	const struct kind *kind = kind_of_key(operation->key);
	for (size_t i = 0; kind && i < registry->n_kinds; i++) {
		const struct kind *hosted = registry->kinds[i]->kind;
		if (hosted->host && !strcmp(hosted->host, kind->name)
		    && !journal->applied(journal->data, key_of_kind(exec->arena, operation->key, hosted->name), NULL, operation))
			return false;
	}
	return true;
}

static bool write_all(struct exec *exec, const GPtrArray *starts, gint64 wall_us)
{
	const struct journal *journal = &exec->options.journal;
	for (guint i = 0; i < exec->outcomes->len; i++)
		if (!write_outcome(exec, &g_array_index(exec->outcomes, struct outcome, i)))
			return false;
	for (guint i = 0; i < starts->len; i++) {
		const struct job *job = starts->pdata[i];
		struct operation operation = job->item->operation;
		operation_enter(&operation, OP_PROCESSING, wall_us, NULL, NULL);
		if (!journal->record(journal->data, &operation))
			return false;
	}
	return journal->commit(journal->data);
}

static bool write_down(struct exec *exec, const GPtrArray *starts, gint64 wall_us)
{
	const struct journal *journal = &exec->options.journal;
	if (!journal->begin(journal->data))
		return false;
	if (write_all(exec, starts, wall_us))
		return true;
	if (journal->rollback)
		journal->rollback(journal->data);
	return false;
}

static void journal_is_broken(struct exec *exec, const GPtrArray *starts, gint64 now_us)
{
	for (guint i = 0; i < starts->len; i++) {
		struct job *job = starts->pdata[i];
		item_let_go(exec, job->item);
		item_make_ready(exec, job->item);
		job_free(job);
	}
	exec->journal_failed = true;
	exec->journal_failures++;
	exec->journal_due_us = now_us + retry_delay_us(exec->journal_failures, exec->options.backoff_min_us,
						       exec->options.backoff_max_us, exec->options.random(exec->options.data));
}

static void tell(struct exec *exec)
{
	/* telling may look at this exec, so the list is taken off first */
	g_autoptr(GArray) outcomes = g_steal_pointer(&exec->outcomes);
	exec->outcomes = g_array_new(FALSE, TRUE, sizeof(struct outcome));
	for (guint i = 0; exec->options.progress && i < outcomes->len; i++)
		exec->options.progress(&g_array_index(outcomes, struct outcome, i).operation, exec->options.data);
}

static void job_is_done(void *data)
{
	struct job *job = data;
	g_ptr_array_add(job->exec->landed, job);
	job->exec->dirty = true;
}

static void submit(struct exec *exec, const GPtrArray *starts, gint64 wall_us)
{
	for (guint i = 0; i < starts->len; i++) {
		struct job *job = starts->pdata[i];
		struct item *item = job->item;
		exec->counts[item->operation.state]--;
		operation_enter(&item->operation, OP_PROCESSING, wall_us, NULL, NULL);
		exec->counts[OP_PROCESSING]++;
		if (exec->options.progress)
			exec->options.progress(&item->operation, exec->options.data);
		pool_submit(exec->options.pool, job_work, job_is_done, job);
	}
}

void exec_run(struct exec *exec, gint64 now_us)
{
	if (!exec->plan)
		return;
	for (guint i = 0; i < exec->landed->len; i++)
		exec_land(exec, exec->landed->pdata[i], now_us);
	g_ptr_array_set_size(exec->landed, 0);
	exec->dirty = false;
	if (exec->journal_failed && now_us < exec->journal_due_us)
		return;
	g_autoptr(GPtrArray) starts = g_ptr_array_new();
	if (!exec->cancelled)
		choose(exec, now_us, starts);
	if (!starts->len && !exec->outcomes->len)
		return;
	gint64 wall_us = exec->options.wall(exec->options.data);
	if (!write_down(exec, starts, wall_us)) {
		journal_is_broken(exec, starts, now_us);
		return;
	}
	exec->journal_failed = false;
	exec->journal_failures = 0;
	tell(exec);
	submit(exec, starts, wall_us);
}

/* --- asking and telling -------------------------------------------------------------------------------------------------- */

gint64 exec_next_wakeup(const struct exec *exec)
{
	if (!exec->plan)
		return -1;
	if (exec->journal_failed && (exec->outcomes->len || (!exec->cancelled && exec->n_ready)))
		return exec->journal_due_us;
	if (exec->dirty)
		return 0;
	const struct item *sleeper = exec->cancelled ? NULL : queue_first(&exec->sleeping);
	return sleeper ? sleeper->due_us : -1;
}

static bool is_waiting(const struct item *item)
{
	switch (item->place) {
	case ITEM_READY:
	case ITEM_LOCKED:
	case ITEM_SLEEPING:
	case ITEM_PENDING:
		return true;
	case ITEM_WAITING:
	case ITEM_FLYING:
	case ITEM_ENDED:
		return false;
	}
	g_assert_not_reached();
}

static void give_up(struct exec *exec, struct item *item)
{
	struct memory *memory = memory_get(exec->memories, item->step);
	item_set_state(exec, item, OP_CANCELLED, pleach_error_name(PLEACH_ERROR_CANCELLED), "its plan was given up");
	if (memory)
		memory->closed = true;
	exec_note(exec, item, false, NULL);
}

void exec_cancel(struct exec *exec)
{
	if (!exec->plan || exec->cancelled)
		return;
	exec->cancelled = true;
	exec->dirty = true;
	if (exec->cancel_fd >= 0)
		(void) eventfd_write(exec->cancel_fd, 1);
	for (size_t i = 0; i < exec->n_items; i++)
		if (exec->items[i].tried && is_waiting(&exec->items[i]))
			give_up(exec, &exec->items[i]);
}

bool exec_journal_failed(const struct exec *exec)
{
	return exec->journal_failed;
}

gint64 exec_next_look(const struct exec *exec)
{
	gint64 next_us = -1;
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, exec->memories);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct memory *memory = value;
		if (!memory->for_good && !memory->held && (next_us < 0 || memory->due_us < next_us))
			next_us = memory->due_us;
	}
	return next_us;
}

/* The name that lives as long as the program. */
static const char *lasting_name(const char *code)
{
	for (unsigned i = PLEACH_ERROR_RETRY; i <= PLEACH_ERROR_INVALID; i++)
		if (g_strcmp0(pleach_error_name((enum pleach_error) i), code) == 0)
			return pleach_error_name((enum pleach_error) i);
	return pleach_error_name(PLEACH_ERROR_PERMANENT);
}

void exec_remember(struct exec *exec, const struct operation *operation)
{
	const struct step step = { .key = operation->key, .action = operation->action, .incarnation = operation->incarnation };
	struct memory *memory = memory_make(exec->memories, &step);
	memory->failures = 1;
	memory->for_good = true;
	g_strlcpy(memory->wanted, operation->wanted ? operation->wanted : "", DIGEST_SIZE);
	g_strlcpy(memory->seen, operation->seen ? operation->seen : "", DIGEST_SIZE);
	memory_write(memory, operation);
	memory->code = lasting_name(operation->error_code);
}

void exec_forget(struct exec *exec, const char *key)
{
	memories_forget(exec->memories, key);
	memories_forget(exec->repairs, key);
}

bool exec_is_done(const struct exec *exec)
{
	if (!exec->plan)
		return true;
	if (exec->n_flying || exec->outcomes->len)
		return false;
	return exec->cancelled || (!exec->n_ready && !queue_first(&exec->sleeping) && !exec->pending->len);
}

bool exec_succeeded(const struct exec *exec)
{
	return exec_is_done(exec) && exec->counts[OP_COMPLETED] + (exec->plan ? exec->plan->n_held : 0) == exec->n_items;
}

size_t exec_count(const struct exec *exec, enum op_state state)
{
	return exec->counts[state];
}

const struct operation *exec_operation(const struct exec *exec, size_t step)
{
	return step < exec->n_items && exec->items[step].tried ? &exec->items[step].operation : NULL;
}
