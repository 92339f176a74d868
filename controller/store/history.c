/* What happened: operations and revisions; each bounded. */
#include "store/internal.h"

#include <string.h>

bool prune(struct store *store, unsigned *added, enum statement which, unsigned keep, GError **error)
{
	if (++*added < STORE_PRUNE_EVERY)
		return true;
	*added = 0;
	sqlite3_stmt *statement = statement_use(store, which, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, keep);
	return statement_run(store, statement, "what is old", error);
}

/* --- operations --------------------------------------------------------------------------------------------------------- */

bool store_put_operation(struct store *store, const struct operation *operation, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_OPERATION_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, operation->id);
	bind_text(statement, 2, operation->key);
	bind_text(statement, 3, operation->site);
	bind_text(statement, 4, operation->revision);
	bind_text(statement, 5, action_name(operation->action));
	bind_text(statement, 6, cause_name(operation->cause));
	sqlite3_bind_int64(statement, 7, operation->incarnation);
	sqlite3_bind_int64(statement, 8, operation->attempt);
	bind_text(statement, 9, op_state_name(operation->state));
	sqlite3_bind_int64(statement, 10, operation->wall_us);
	bind_text(statement, 11, operation->error_code);
	bind_text(statement, 12, operation->error);
	bind_text(statement, 13, operation->wanted);
	bind_text(statement, 14, operation->seen);
	return statement_run(store, statement, "operations", error) &&
	       prune(store, &store->operations, STATEMENT_OPERATION_PRUNE, store->bounds.operations, error);
}

/* The value whose name stands in @column; @count when there is none. */
static unsigned by_name(sqlite3_stmt *statement, int column, const char *(*name_of)(unsigned), unsigned count)
{
	const char *name = (const char *) sqlite3_column_text(statement, column);
	unsigned i = 0;
	while (i < count && g_strcmp0(name, name_of(i)))
		i++;
	return i;
}

static const char *name_of_action(unsigned i)
{
	return action_name((enum action) i);
}

static const char *name_of_cause(unsigned i)
{
	return cause_name((enum cause) i);
}

static const char *name_of_state(unsigned i)
{
	return op_state_name((enum op_state) i);
}

static bool get_operation(struct arena *arena, sqlite3_stmt *statement, struct operation *ret)
{
	unsigned action = by_name(statement, 4, name_of_action, ACTION_CLEAN + 1);
	unsigned cause = by_name(statement, 5, name_of_cause, CAUSE_UNATTRIBUTED + 1);
	unsigned state = by_name(statement, 8, name_of_state, OP_CANCELLED + 1);
	*ret = (struct operation) {
		.id = column_text(arena, statement, 0),
		.key = column_text(arena, statement, 1),
		.site = column_text(arena, statement, 2),
		.revision = column_text(arena, statement, 3),
		.action = (enum action) action,
		.cause = (enum cause) cause,
		.incarnation = (unsigned) sqlite3_column_int64(statement, 6),
		.attempt = (unsigned) sqlite3_column_int64(statement, 7),
		.state = (enum op_state) state,
		.wall_us = sqlite3_column_int64(statement, 9),
		.error_code = column_text(arena, statement, 10),
		.error = column_text(arena, statement, 11),
		.wanted = column_text(arena, statement, 12),
		.seen = column_text(arena, statement, 13),
	};
	return action <= ACTION_CLEAN && cause <= CAUSE_UNATTRIBUTED && state <= OP_CANCELLED;
}

static bool get_operations(struct store *store, sqlite3_stmt *statement, struct arena *arena, GArray *ret, GError **error)
{
	bool good = true;
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW && good; result = sqlite3_step(statement)) {
		struct operation operation;
		good = get_operation(arena, statement, &operation);
		if (good)
			g_array_append_val(ret, operation);
	}
	if (!statement_done(store, statement, good ? result : SQLITE_DONE, "operations", error))
		return false;
	return good || store_error_corrupt(store, "operations", error);
}

bool store_operations(struct store *store, struct arena *arena, const char *key, size_t limit, GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, key ? STATEMENT_OPERATIONS_OF_KEY : STATEMENT_OPERATIONS, error);
	if (!statement)
		return false;
	if (key)
		bind_text(statement, 1, key);
	sqlite3_bind_int64(statement, 2, (sqlite3_int64) MIN(limit, G_MAXINT));
	return get_operations(store, statement, arena, ret, error);
}

bool store_failed(struct store *store, struct arena *arena, GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_FAILED, error);
	return statement && get_operations(store, statement, arena, ret, error);
}

static bool close_under_way(struct store *store, gint64 wall_us, GPtrArray *keys, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_UNDER_WAY, error);
	if (!statement)
		return false;
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement))
		g_ptr_array_add(keys, g_strdup((const char *) sqlite3_column_text(statement, 0)));
	if (!statement_done(store, statement, result, "operations under way", error))
		return false;
	statement = keys->len ? statement_use(store, STATEMENT_INTERRUPT, error) : NULL;
	if (!statement)
		return !keys->len;
	sqlite3_bind_int64(statement, 1, wall_us);
	return statement_run(store, statement, "operations under way", error);
}

GPtrArray *store_interrupted(struct store *store, gint64 wall_us, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	if (!store_begin(store, error))
		return NULL;
	if (!close_under_way(store, wall_us, keys, error)) {
		store_rollback(store);
		return NULL;
	}
	return store_commit(store, error) ? g_steal_pointer(&keys) : NULL;
}

/* --- revisions ---------------------------------------------------------------------------------------------------------- */

bool store_put_revision(struct store *store, const struct store_revision *revision, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_REVISION_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, revision->commit);
	bind_text(statement, 2, revision->summary);
	bind_text(statement, 3, revision->state);
	bind_text(statement, 4, revision->reason);
	sqlite3_bind_int64(statement, 5, revision->wall_us);
	sqlite3_bind_int64(statement, 6, revision->author_us);
	sqlite3_bind_int64(statement, 7, revision->seen_us);
	sqlite3_bind_int64(statement, 8, revision->converged_us);
	return statement_run(store, statement, "revisions", error) &&
	       prune(store, &store->revisions, STATEMENT_REVISION_PRUNE, store->bounds.revisions, error);
}

/* Which of the counts of its revision an operation goes to. */
static const char *what_counts(const struct operation *operation)
{
	switch (operation->cause) {
	case CAUSE_DRIFT:
	case CAUSE_INTENT_DRIFT:
		return operation->action == ACTION_CLEAN ? action_name(operation->action) : "repair";
	case CAUSE_INTENT:
	case CAUSE_UNATTRIBUTED:
		return action_name(operation->action);
	}
	g_assert_not_reached();
}

bool store_count_operation(struct store *store, const struct operation *operation, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_REVISION_COUNT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, operation->revision);
	bind_text(statement, 2, what_counts(operation));
	return statement_run(store, statement, "revisions", error);
}

static bool get_revisions(struct store *store, struct arena *arena, sqlite3_stmt *statement, GArray *ret, GError **error)
{
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		struct store_revision revision = {
			.wall_us = sqlite3_column_int64(statement, 0),
			.commit = column_text(arena, statement, 1),
			.summary = column_text(arena, statement, 2),
			.state = column_text(arena, statement, 3),
			.reason = column_text(arena, statement, 4),
			.author_us = sqlite3_column_int64(statement, 5),
			.seen_us = sqlite3_column_int64(statement, 6),
			.converged_us = sqlite3_column_int64(statement, 7),
			.creates = sqlite3_column_int64(statement, 8),
			.changes = sqlite3_column_int64(statement, 9),
			.replaces = sqlite3_column_int64(statement, 10),
			.removes = sqlite3_column_int64(statement, 11),
			.repairs = sqlite3_column_int64(statement, 12),
		};
		g_array_append_val(ret, revision);
	}
	return statement_done(store, statement, result, "revisions", error);
}

bool store_revisions(struct store *store, struct arena *arena, size_t limit, GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_REVISIONS, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64) MIN(limit, G_MAXINT));
	return get_revisions(store, arena, statement, ret, error);
}

bool store_revision(struct store *store, struct arena *arena, const char *commit, struct store_revision *ret, GError **error)
{
	*ret = (struct store_revision) { 0 };
	sqlite3_stmt *statement = statement_use(store, STATEMENT_REVISION_GET, error);
	if (!statement)
		return false;
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	bind_text(statement, 1, commit);
	if (!get_revisions(store, arena, statement, found, error))
		return false;
	if (found->len)
		*ret = g_array_index(found, struct store_revision, 0);
	return true;
}

bool store_revisions_of(struct store *store, struct arena *arena, const struct store_scope *scope, size_t limit, GArray *ret,
			GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_REVISIONS_OF, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64) MIN(limit, G_MAXINT));
	bind_scope(statement, 2, scope);
	return get_revisions(store, arena, statement, ret, error);
}
