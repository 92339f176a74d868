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
	struct monitors *monitors;
	GPtrArray *applied; /* struct applied, of the open transaction */
	GHashTable *begun;  /* id of an operation under way → gint64 *: when it began */
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
		.wall_us = operation->wall_us, .key = operation->key, .kind = EVENT_REPAIRED, .revision = operation->revision,
		.text = action_name(operation->action),
	};
	return store_put_event(keeper->store, &event, error);
}

/* "replace (drift), attempt 2: the far side's words" */
static bool record_event(const struct journal_keeper *keeper, const struct operation *operation, GError **error)
{
	const gint64 *begun_us = g_hash_table_lookup(keeper->begun, operation->id);
	g_autofree char *attempt = operation->attempt > 1 ? g_strdup_printf(", attempt %u", operation->attempt) : g_strdup("");
	g_autofree char *text = g_strdup_printf("%s (%s)%s%s%s", action_name(operation->action), cause_name(operation->cause), attempt,
						operation->error ? ": " : "", operation->error ? operation->error : "");
	const struct store_event event = {
		.wall_us = operation->wall_us, .key = operation->key, .kind = EVENT_OPERATION, .revision = operation->revision,
		.text = text, .state = op_state_name(operation->state),
		.duration_us = begun_us && operation->state != OP_PROCESSING ? operation->wall_us - *begun_us : 0,
	};
	if (operation->state == OP_PROCESSING)
		g_hash_table_insert(keeper->begun, g_strdup(operation->id), g_memdup2(&operation->wall_us, sizeof(gint64)));
	else
		g_hash_table_remove(keeper->begun, operation->id);
	return store_put_event(keeper->store, &event, error);
}

static bool count(const struct journal_keeper *keeper, const struct operation *operation, GError **error)
{
	return operation->state != OP_COMPLETED || store_count_operation(keeper->store, operation, error);
}

static bool record(void *data, const struct operation *operation)
{
	const struct journal_keeper *keeper = data;
	GError *error = NULL;
	return (store_put_operation(keeper->store, operation, &error) && record_event(keeper, operation, &error) &&
		monitors_record(keeper->monitors, operation, &error) &&
		record_repair(keeper, operation, &error) && count(keeper, operation, &error)) ||
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

struct journal_keeper *journal_keeper_new(struct store *store, struct last *last, struct monitors *monitors)
{
	struct journal_keeper *keeper = g_new0(struct journal_keeper, 1);
	*keeper = (struct journal_keeper) {
		.store = store, .last = last, .monitors = monitors, .applied = g_ptr_array_new_with_free_func(applied_free),
		.begun = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
	};
	return keeper;
}

void journal_keeper_free(struct journal_keeper *keeper)
{
	if (!keeper)
		return;
	g_ptr_array_unref(keeper->applied);
	g_hash_table_unref(keeper->begun);
	g_free(keeper);
}

struct journal journal_of(struct journal_keeper *keeper)
{
	return (struct journal) {
		.begin = begin, .record = record, .applied = put_applied, .commit = commit, .rollback = rollback, .data = keeper,
	};
}
