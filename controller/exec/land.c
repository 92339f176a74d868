#include "exec/internal.h"

#include <string.h>

void exec_note(struct exec *exec, const struct item *item, bool applies, const struct object *object)
{
	struct outcome outcome = { .operation = item->operation, .applies = applies, .object = object };
	g_array_append_val(exec->outcomes, outcome);
}

void item_set_state(struct exec *exec, struct item *item, enum op_state state, const char *code, const char *text)
{
	exec->counts[item->operation.state]--;
	operation_enter(&item->operation, state, exec->options.wall(exec->options.data), code, arena_strdup(exec->arena, text));
	exec->counts[state]++;
}

/* Unique for ever without asking anybody: the wall clock, pushed on where several are born within a microsecond. */
static const char *new_id(struct exec *exec, const char *revision)
{
	guint64 number = (guint64) exec->options.wall(exec->options.data);
	if (number <= exec->last_number)
		number = exec->last_number + 1;
	exec->last_number = number;
	int length = 0;
	while (length < 8 && g_ascii_isalnum(revision[length]))
		length++;
	return arena_printf(exec->arena, "%.*s-%" G_GUINT64_FORMAT, length, revision, number);
}

static const char *revision_of(const struct exec *exec)
{
	return exec->plan->revision ? exec->plan->revision : "none";
}

static struct operation *begin_operation(struct exec *exec, struct item *item)
{
	const struct step *step = item->step;
	item->operation = (struct operation) {
		.key = step->key,
		.site = step->site,
		.revision = revision_of(exec),
		.action = step->action,
		.cause = step->cause,
		.incarnation = step->incarnation,
		.step = step,
	};
	item->tried = true;
	return &item->operation;
}

void item_starts(struct exec *exec, struct item *item)
{
	const struct memory *memory = memory_get(exec->memories, item->step);
	if (item->tried && item->operation.state == OP_STARTING)
		return; /* the journal failed last time */
	if (item->tried) {
		item_set_state(exec, item, OP_STARTING, NULL, NULL);
		item->operation.wanted = item->operation.seen = NULL;
		item->operation.attempt++;
		if (strcmp(item->operation.revision, revision_of(exec)) || (memory && memory->closed)) {
			/* taken over from an operation of an older revision, or of a plan that was given up: this try is a new one's */
			item->operation.revision = revision_of(exec);
			item->operation.id = new_id(exec, item->operation.revision);
		}
	} else {
		struct operation *operation = begin_operation(exec, item);
		operation->id = new_id(exec, operation->revision);
		operation->attempt = memory ? memory->attempt + 1 : 1;
		operation->state = OP_STARTING;
		operation->wall_us = exec->options.wall(exec->options.data);
		exec->counts[OP_STARTING]++;
	}
	if (exec->options.progress)
		exec->options.progress(&item->operation, exec->options.data);
}

void item_recall(struct exec *exec, struct item *item, const struct memory *memory, enum op_state state)
{
	struct operation *operation = begin_operation(exec, item);
	operation->id = arena_strdup(exec->arena, memory->id);
	operation->revision = arena_strdup(exec->arena, memory->revision);
	operation->attempt = memory->attempt;
	operation->state = state;
	operation->wall_us = memory->wall_us;
	operation->error_code = memory->code;
	operation->error = arena_strdup(exec->arena, memory->text);
	exec->counts[state]++;
}

void item_make_ready(struct exec *exec, struct item *item)
{
	item->place = ITEM_READY;
	exec->n_ready++;
	queue_push(&item->lane->ready, item);
}

static gint64 delay_us(struct exec *exec, unsigned failures)
{
	return retry_delay_us(failures, exec->options.backoff_min_us, exec->options.backoff_max_us,
			      exec->options.random(exec->options.data));
}

static void remember_until(struct exec *exec, struct item *item, bool for_good, const struct object *want, gint64 due_us)
{
	struct memory *memory = memory_make(exec->memories, item->step);
	memory->for_good = for_good;
	memory->due_us = due_us;
	job_digest(want, memory->wanted);
	seen_digest(item->step->observed, memory->seen);
	memory_write(memory, &item->operation);
	item->due_us = due_us;
}

static void remember(struct exec *exec, struct item *item, bool for_good, const struct object *want, gint64 now_us)
{
	struct memory *memory = memory_make(exec->memories, item->step);
	memory->failures++;
	remember_until(exec, item, for_good, want, now_us + delay_us(exec, memory->failures));
}

void item_fails(struct exec *exec, struct item *item, const GError *error, const struct object *want, gint64 now_us)
{
	enum pleach_error code = pleach_error_code(error);
	const char *name = pleach_error_name(code);
	item->tries++;
	if (retry_of(code) == RETRY_NEVER) {
		item_set_state(exec, item, OP_FAILED, name, error->message);
		remember(exec, item, true, want, now_us);
		const struct memory *memory = memory_get(exec->memories, item->step);
		item->operation.wanted = arena_strdup(exec->arena, memory->wanted);
		item->operation.seen = arena_strdup(exec->arena, memory->seen);
		item->place = ITEM_ENDED;
	} else if (exec->cancelled) {
		item_set_state(exec, item, OP_CANCELLED, name, error->message);
		if (code != PLEACH_ERROR_CANCELLED)
			remember(exec, item, false, want, now_us);
		item->place = ITEM_ENDED;
	} else {
		item_set_state(exec, item, OP_FAILED_TEMP, name, error->message);
		remember(exec, item, false, want, now_us);
		if (retry_of(code) == RETRY_LATER && item->tries < EXEC_TRIES_PER_ROUND) {
			item->place = ITEM_SLEEPING;
			queue_push(&exec->sleeping, item);
		} else {
			item->place = ITEM_ENDED;
		}
	}
	exec_note(exec, item, false, NULL);
}

/* Of what did not last: "config.main.content" and how many more; where the step has no fields to name, the object itself. */
static const char *what_came_back(struct exec *exec, const struct step *step)
{
	if (!step->n_changes)
		return "";
	const char *more = step->n_changes > 1 ? arena_printf(exec->arena, " (and %zu more)", step->n_changes - 1) : "";
	return arena_printf(exec->arena, "%s%s ", step->changes[0].path, more);
}

static const char *again_text(struct exec *exec, const struct step *step, const struct repair *repair, double since_s, double wait_s)
{
	switch (step->action) {
	case ACTION_CREATE:
		return arena_printf(exec->arena, "is gone again %.1f s after it was made; next try in %.1f s", since_s, wait_s);
	case ACTION_REPLACE:
		return arena_printf(exec->arena, "has to be replaced again %.1f s after it was made; next try in %.1f s", since_s, wait_s);
	case ACTION_CHANGE:
	case ACTION_RESTART:
		return arena_printf(exec->arena, "%swas put right %u times, and is not as it should be %.1f s after the last time; "
				    "next try in %.1f s", what_came_back(exec, step), repair->count, since_s, wait_s);
	case ACTION_REMOVE:
	case ACTION_CLEAN:
		break;
	}
	g_assert_not_reached();
}

void item_comes_again(struct exec *exec, struct item *item, const struct repair *repair, const struct object *want, gint64 now_us)
{
	unsigned too_many = repairs_too_many(repair, item->step);
	gint64 wait_us = delay_us(exec, too_many);
	const char *text = again_text(exec, item->step, repair, (double) (now_us - repair->done_us) / G_USEC_PER_SEC,
				      (double) wait_us / G_USEC_PER_SEC);
	struct memory *memory = memory_make(exec->memories, item->step);
	memory->failures = too_many; /* the back-off of a failure that follows goes on from here */
	memory->attempt = repair->count - 1; /* the one that did not last is meant */
	item_starts(exec, item);
	item_set_state(exec, item, OP_FAILED_TEMP, pleach_error_name(PLEACH_ERROR_RETRY), text);
	remember_until(exec, item, false, want, now_us + wait_us);
	item->place = ITEM_SLEEPING;
	queue_push(&exec->sleeping, item);
	exec_note(exec, item, false, NULL);
}

/* --- an act has ended ---------------------------------------------------------------------------------------------------- */

void item_let_go(struct exec *exec, struct item *item)
{
	item->lane->flying--;
	item->lane->site->flying--;
	exec->n_flying--;
	g_hash_table_remove(exec->locks, item->lock);
	for (struct item *next = g_steal_pointer(&item->next_locked); next;) {
		struct item *locked = next;
		next = g_steal_pointer(&locked->next_locked);
		item_make_ready(exec, locked);
	}
}

static void note_left(struct exec *exec, const char *key, const char *site, unsigned incarnation, bool there)
{
	struct left *left = ARENA_NEW(exec->arena, struct left);
	*left = (struct left) { key, site, incarnation, there };
	g_ptr_array_add(exec->left, left);
}

static void set_access(struct exec *exec, const char *key, const struct access *access)
{
	pthread_mutex_lock(&exec->access_mutex);
	g_hash_table_insert(exec->accesses, UNCONST(key), UNCONST(access));
	pthread_mutex_unlock(&exec->access_mutex);
}

static void is_gone(struct exec *exec, const char *key)
{
	g_hash_table_insert(exec->got, UNCONST(key), UNCONST(&object_gone));
	set_access(exec, key, NULL);
}

/* What lived inside it is gone with it, and so is the record of it. */
static void hosted_are_gone(struct exec *exec, const struct job *job)
{
	const struct registry *registry = exec->options.registry;
	for (size_t i = 0; i < registry->n_kinds; i++) {
		const struct kind *kind = registry->kinds[i]->kind;
		if (kind->host && !strcmp(kind->host, job->kind->kind->name))
			is_gone(exec, key_of_kind(exec->arena, job->item->step->key, kind->name));
	}
}

static void keep_got(struct exec *exec, const struct job *job)
{
	const struct step *step = job->item->step;
	const struct object *got = job->got ? job->got : job->want;
	got = object_copy(exec->arena, got);
	g_hash_table_insert(exec->got, UNCONST(step->key), UNCONST(got));
	if (job->access)
		set_access(exec, step->key, access_copy(exec->arena, job->access));
}

static void apply(struct exec *exec, struct job *job)
{
	struct item *item = job->item;
	const struct step *step = item->step;
	switch (step->action) {
	case ACTION_REPLACE:
		if (step->observed) /* of a move, on the site that it leaves */
			note_left(exec, step->key, step->observed->site, step->observed->incarnation, !step->interrupts);
		G_GNUC_FALLTHROUGH;
	case ACTION_CREATE:
	case ACTION_CHANGE:
	case ACTION_RESTART:
		keep_got(exec, job);
		exec_note(exec, item, true, object_copy(exec->arena, job_applied(job->arena, job->want, job->got)));
		return;
	case ACTION_REMOVE:
		is_gone(exec, step->key);
		hosted_are_gone(exec, job);
		note_left(exec, step->key, step->site, step->incarnation, false);
		exec_note(exec, item, true, NULL);
		return;
	case ACTION_CLEAN:
		note_left(exec, step->key, step->site, step->incarnation, false);
		exec_note(exec, item, false, NULL);
		return;
	}
	g_assert_not_reached();
}

static void release_dependents(struct exec *exec, const struct item *item)
{
	for (size_t i = exec->dependents_from[item->index]; i < exec->dependents_from[item->index + 1]; i++) {
		struct item *dependent = &exec->items[exec->dependents[i]];
		g_assert(dependent->waits > 0);
		if (--dependent->waits == 0 && !dependent->step->held)
			item_make_ready(exec, dependent);
	}
	/* what came to be known may be what they wait for */
	for (guint i = 0; i < exec->pending->len; i++)
		item_make_ready(exec, exec->pending->pdata[i]);
	g_ptr_array_set_size(exec->pending, 0);
}

/* It would not go in good order, and need not: its host goes, and takes it along. */
static bool is_left_to_its_host(const struct exec *exec, const struct job *job)
{
	const struct item *item = job->item;
	const char *host = job->kind->kind->host;
	bool enough = item->operation.attempt >= EXEC_FAREWELLS || retry_of(pleach_error_code(job->error)) == RETRY_NEVER;
	if (!host || !enough || item->step->action != ACTION_REMOVE || exec->cancelled)
		return false;
	const char *host_key = key_of_kind(job->arena, item->step->key, host);
	bool goes = false;
	for (size_t i = exec->dependents_from[item->index]; i < exec->dependents_from[item->index + 1] && !goes; i++) {
		const struct step *next = exec->items[exec->dependents[i]].step;
		goes = next->action == ACTION_REMOVE && strcmp(next->key, host_key) == 0;
	}
	return goes;
}

static void leave_to_its_host(struct exec *exec, struct job *job, gint64 now_us)
{
	struct item *item = job->item;
	g_autoptr(GError) error = g_error_new(PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s; it ends with its host, which goes now", job->error->message);
	item->tries = EXEC_TRIES_PER_ROUND; /* should its host stay, it is tried again in a later round */
	item_fails(exec, item, error, NULL, now_us);
	release_dependents(exec, item);
}

void exec_land(struct exec *exec, struct job *job, gint64 now_us)
{
	struct item *item = job->item;
	item_let_go(exec, item);
	if (job->ok) {
		item_set_state(exec, item, OP_COMPLETED, NULL, NULL);
		item->place = ITEM_ENDED;
		memory_drop(exec->memories, item->step);
		repairs_count(exec->repairs, exec->plan, item->step, now_us);
		apply(exec, job);
		release_dependents(exec, item);
	} else {
		if (!job->error)
			g_set_error(&job->error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: failed without saying why", item->step->key);
		if (job->removed_first) {
			is_gone(exec, item->step->key);
			hosted_are_gone(exec, job);
			note_left(exec, item->step->key, job->remove_first->site, job->remove_first->incarnation, false);
		}
		if (is_left_to_its_host(exec, job))
			leave_to_its_host(exec, job, now_us);
		else
			item_fails(exec, item, job->error, item->step->desired ? job->want : NULL, now_us);
	}
	job_free(job);
}
