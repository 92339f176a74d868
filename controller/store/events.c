/* Events: bounded, asked for by key, kind, time and number. */
#include "store/internal.h"

void store_watch_events(struct store *store, void (*added)(void *data), void *data)
{
	store->added = added;
	store->added_data = data;
}

void store_tell_added(struct store *store)
{
	if (!store->has_added || store->in_transaction)
		return;
	store->has_added = false;
	if (store->added)
		store->added(store->added_data);
}

static bool put_event(struct store *store, const struct store_event *event, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_EVENT_PUT, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, event->wall_us);
	bind_text(statement, 2, event->key);
	bind_text(statement, 3, event->kind);
	bind_text(statement, 4, event->revision);
	bind_text(statement, 5, event->text);
	bind_text(statement, 6, event->origin.file);
	sqlite3_bind_int64(statement, 7, event->origin.line);
	sqlite3_bind_int64(statement, 8, event->origin.column);
	bind_text(statement, 9, event->state);
	if (event->duration_us > 0)
		sqlite3_bind_int64(statement, 10, event->duration_us);
	store->has_added = true;
	return statement_run(store, statement, "events", error) &&
	       prune(store, &store->events, STATEMENT_EVENT_PRUNE, store->bounds.events, error);
}

bool store_put_event(struct store *store, const struct store_event *event, GError **error)
{
	bool put = put_event(store, event, error);
	store_tell_added(store);
	return put;
}

bool store_put_events(struct store *store, const struct store_event *events, size_t n, GError **error)
{
	if (n == 1 || store->in_transaction) {
		for (size_t i = 0; i < n; i++)
			if (!store_put_event(store, &events[i], error))
				return false;
		return true;
	}
	sqlite3_stmt *statement = n ? statement_use(store, STATEMENT_BEGIN, error) : NULL;
	if (!statement || !statement_run(store, statement, "begin", error))
		return !n;
	bool put = true;
	for (size_t i = 0; i < n && put; i++)
		put = put_event(store, &events[i], error);
	statement = put ? statement_use(store, STATEMENT_COMMIT, error) : NULL;
	put = statement && statement_run(store, statement, "commit", error);
	if (!put)
		store_rollback(store);
	store_tell_added(store);
	return put;
}

static bool get_events(struct store *store, struct arena *arena, sqlite3_stmt *statement, GArray *ret, GError **error)
{
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		struct store_event event = {
			.id = sqlite3_column_int64(statement, 0),
			.wall_us = sqlite3_column_int64(statement, 1),
			.key = column_text(arena, statement, 2),
			.kind = column_text(arena, statement, 3),
			.revision = column_text(arena, statement, 4),
			.text = column_text(arena, statement, 5),
			.origin = {
				.file = column_text(arena, statement, 6),
				.line = (unsigned) sqlite3_column_int64(statement, 7),
				.column = (unsigned) sqlite3_column_int64(statement, 8),
			},
			.state = column_text(arena, statement, 9),
			.duration_us = sqlite3_column_int64(statement, 10),
		};
		g_array_append_val(ret, event);
	}
	return statement_done(store, statement, result, "events", error);
}

bool store_events(struct store *store, struct arena *arena, const char *key, const char *kind, gint64 since_wall_us, size_t limit,
		  GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, key ? STATEMENT_EVENTS_OF_KEY : STATEMENT_EVENTS, error);
	if (!statement)
		return false;
	if (key)
		bind_text(statement, 1, key);
	bind_text(statement, 2, kind);
	sqlite3_bind_int64(statement, 3, since_wall_us);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64) MIN(limit, G_MAXINT));
	return get_events(store, arena, statement, ret, error);
}

bool store_query(struct store *store, struct arena *arena, const struct store_query *query, GArray *ret, GError **error)
{
	bool newest = query->after_id < 0, all = !query->scope.roots[0];
	sqlite3_stmt *statement = statement_use(store, newest ? all ? STATEMENT_QUERY_NEWEST : STATEMENT_QUERY_NEWEST_OF
						       : all  ? STATEMENT_QUERY_AFTER
							      : STATEMENT_QUERY_AFTER_OF, error);
	if (!statement)
		return false;
	bind_text(statement, 1, query->kinds);
	sqlite3_bind_int64(statement, 2, query->since_wall_us);
	sqlite3_bind_int64(statement, 3, query->after_id);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64) MIN(query->limit, G_MAXINT));
	if (!all)
		bind_scope(statement, 5, &query->scope);
	return get_events(store, arena, statement, ret, error);
}
