#include "daemon/journal.h"

#include "base/clock.h"
#include "base/log.h"

static bool report_failure(const char *what, GError *error)
{
	log_error("store: %s: %s", what, error->message);
	g_error_free(error);
	return false;
}

/* What a transaction says is applied counts in memory when it is on disk. */
struct applied {
	char *key;
	struct arena *arena;
	const struct object *object; /* NULL: gone */
};

static void applied_free(gpointer data)
{
	struct applied *applied = data;
	arena_unref(applied->arena);
	g_free(applied->key);
	g_free(applied);
}

struct journal_keeper {
	struct store *store;
	struct last *last;
	GPtrArray *applied; /* struct applied, of the open transaction */
};

static bool begin(void *data)
{
	const struct journal_keeper *keeper = data;
	GError *error = NULL;
	return store_begin(keeper->store, &error) || report_failure("begin", error);
}

static bool commit(void *data)
{
	const struct journal_keeper *keeper = data;
	GError *error = NULL;
	if (!store_commit(keeper->store, &error))
		return report_failure("commit", error);
	for (guint i = 0; i < keeper->applied->len; i++) {
		const struct applied *applied = g_ptr_array_index(keeper->applied, i);
		last_put(keeper->last, applied->key, applied->object);
	}
	g_ptr_array_set_size(keeper->applied, 0);
	return true;
}

static void rollback(void *data)
{
	const struct journal_keeper *keeper = data;
	store_rollback(keeper->store);
	g_ptr_array_set_size(keeper->applied, 0);
}

/* A step that was there because of drift, and that completed: the drift was put right. */
static bool record_repair(const struct journal_keeper *keeper, const struct operation *operation, GError **error)
{
	if (operation->state != OP_COMPLETED || (operation->cause != CAUSE_DRIFT && operation->cause != CAUSE_INTENT_DRIFT))
		return true;
	const struct store_event event = {
		.wall_us = operation->wall_us, .key = operation->key, .kind = "repaired", .revision = operation->revision,
		.text = action_name(operation->action),
	};
	return store_put_event(keeper->store, &event, error);
}

static bool record(void *data, const struct operation *operation)
{
	const struct journal_keeper *keeper = data;
	GError *error = NULL;
	return (store_put_operation(keeper->store, operation, &error) && record_repair(keeper, operation, &error)) ||
	       report_failure("operation", error);
}

static bool put_applied(void *data, const char *key, const struct object *object, const struct operation *operation)
{
	const struct journal_keeper *keeper = data;
	GError *error = NULL;
	if (!store_put_applied(keeper->store, key, object, operation->revision, &error))
		return report_failure("last applied", error);
	struct applied *applied = g_new0(struct applied, 1);
	*applied = (struct applied) { .key = g_strdup(key), .arena = arena_new() };
	if (object)
		applied->object = object_copy(applied->arena, object);
	g_ptr_array_add(keeper->applied, applied);
	return true;
}

struct journal_keeper *journal_keeper_new(struct store *store, struct last *last)
{
	struct journal_keeper *keeper = g_new0(struct journal_keeper, 1);
	*keeper = (struct journal_keeper) { .store = store, .last = last, .applied = g_ptr_array_new_with_free_func(applied_free) };
	return keeper;
}

void journal_keeper_free(struct journal_keeper *keeper)
{
	if (!keeper)
		return;
	g_ptr_array_unref(keeper->applied);
	g_free(keeper);
}

struct journal journal_of(struct journal_keeper *keeper)
{
	return (struct journal) {
		.begin = begin, .record = record, .applied = put_applied, .commit = commit, .rollback = rollback, .data = keeper,
	};
}

/* --- drift ----------------------------------------------------------------------------------------------------------------- */

struct drift_record {
	GHashTable *seen; /* "KEY PATH", set */
};

struct drift_record *drift_record_new(void)
{
	struct drift_record *record = g_new0(struct drift_record, 1);
	record->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	return record;
}

void drift_record_free(struct drift_record *record)
{
	if (!record)
		return;
	g_hash_table_unref(record->seen);
	g_free(record);
}

static bool is_drift(enum cause cause)
{
	return cause == CAUSE_DRIFT || cause == CAUSE_INTENT_DRIFT;
}

/* In the far side's own words: of a VNFC how it ended, of an NF its last words. */
static const char *why_ended(const struct object *observed)
{
	return object_string(observed, "exit", object_string(observed, "reason", NULL));
}

static void put_drift(struct store *store, const struct step *step, const struct field_change *change, const char *revision,
		      gint64 wall_us)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (change) {
		g_string_append_printf(text, "%s is ", change->path);
		value_print(change->observed, text);
		g_string_append(text, ", should be ");
		value_print(change->desired, text);
		const char *why = g_str_equal(change->path, "state") && step->observed ? why_ended(step->observed) : NULL;
		if (why)
			g_string_append_printf(text, ": %s", why);
	} else
		g_string_append(text, step->observed ? "is not as it was made" : "is gone");
	const struct store_event event = {
		.wall_us = wall_us, .key = step->key, .kind = "drift", .revision = revision, .text = text->str,
		.origin = change ? change->origin : step->desired ? step->desired->origin : ORIGIN_NONE,
	};
	GError *error = NULL;
	if (!store_put_event(store, &event, &error))
		report_failure("event", error);
	log_warning("drift: %s: %s (%s:%u)", step->key, text->str, event.origin.file ? event.origin.file : "-", event.origin.line);
}

static void update_one(struct drift_record *record, GHashTable *now, struct store *store, const struct step *step,
		       const struct field_change *change, const char *revision, gint64 wall_us)
{
	char *name = g_strconcat(step->key, " ", change ? change->path : "", NULL);
	if (!g_hash_table_contains(record->seen, name))
		put_drift(store, step, change, revision, wall_us);
	g_hash_table_add(now, name);
}

void drift_record_update(struct drift_record *record, struct store *store, const struct plan *plan, gint64 wall_us)
{
	GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (step->action == ACTION_CREATE && is_drift(step->cause))
			update_one(record, now, store, step, NULL, plan->revision, wall_us);
		else
			for (size_t j = 0; j < step->n_changes; j++)
				if (is_drift(step->changes[j].cause))
					update_one(record, now, store, step, &step->changes[j], plan->revision, wall_us);
	}
	g_hash_table_unref(record->seen);
	record->seen = now;
}
