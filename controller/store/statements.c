/* The statements, and the few words of sqlite3 that everything here is said in. */
#include "store/internal.h"

#include <string.h>

static const char *const texts[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_APPLIED_GET] = "SELECT object FROM applied WHERE key = ?1",
	[STATEMENT_APPLIED_PUT] = "INSERT INTO applied (key, object) VALUES (?1, ?2) "
				  "ON CONFLICT (key) DO UPDATE SET object = excluded.object",
	[STATEMENT_APPLIED_DROP] = "DELETE FROM applied WHERE key = ?1",
	[STATEMENT_APPLIED_ALL] = "SELECT key, object FROM applied",
	/* One that is there already as it is writes nothing. */
	[STATEMENT_SITE_PUT] = "INSERT INTO site (name, json) VALUES (?1, ?2) "
			       "ON CONFLICT (name) DO UPDATE SET json = excluded.json WHERE json <> excluded.json",
	[STATEMENT_SITE_DROP] = "DELETE FROM site WHERE name = ?1",
	[STATEMENT_SITE_ALL] = "SELECT name, json FROM site ORDER BY name",
	[STATEMENT_OPERATION_PUT] =
		"INSERT INTO operation (id, key, site, revision, action, cause, incarnation, attempt, state, begun_us, wall_us, "
		"error_code, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12) "
		"ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt, "
		"state = excluded.state, wall_us = excluded.wall_us, error_code = excluded.error_code, error = excluded.error",
	[STATEMENT_OPERATION_PRUNE] = "DELETE FROM operation WHERE number <= (SELECT max(number) FROM operation) - ?1 "
				      "AND state NOT IN ('STARTING', 'PROCESSING')",
	[STATEMENT_OPERATIONS_OF_KEY] =
		"SELECT id, key, site, revision, action, cause, incarnation, attempt, state, wall_us, error_code, error "
		"FROM operation "
		"WHERE key = ?1 ORDER BY number DESC LIMIT ?2",
	[STATEMENT_OPERATIONS] =
		"SELECT id, key, site, revision, action, cause, incarnation, attempt, state, wall_us, error_code, error "
		"FROM operation "
		"ORDER BY number DESC LIMIT ?2",
	[STATEMENT_UNDER_WAY] = "SELECT DISTINCT key FROM operation WHERE state IN ('STARTING', 'PROCESSING') ORDER BY key",
	[STATEMENT_INTERRUPT] = "UPDATE operation SET state = 'CANCELLED', wall_us = ?1, error_code = 'cancelled', "
				"error = 'interrupted' WHERE state IN ('STARTING', 'PROCESSING')",
	/* A commit that comes again is the newest again. */
	[STATEMENT_REVISION_PUT] =
		"INSERT INTO revision (number, id, summary, state, reason, wall_us) "
		"VALUES ((SELECT coalesce(max(number), 0) + 1 FROM revision), ?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET "
		"number = excluded.number, summary = coalesce(excluded.summary, summary), state = excluded.state, "
		"reason = excluded.reason, wall_us = excluded.wall_us",
	[STATEMENT_REVISION_PRUNE] = "DELETE FROM revision WHERE number <= "
				     "(SELECT number FROM revision ORDER BY number DESC LIMIT 1 OFFSET ?1)",
	[STATEMENT_REVISIONS] = "SELECT wall_us, id, summary, state, reason FROM revision ORDER BY number DESC LIMIT ?1",
	[STATEMENT_EVENT_PUT] = "INSERT INTO event (wall_us, key, kind, revision, text, file, line, \"column\") "
				"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_EVENT_PRUNE] = "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1",
	[STATEMENT_EVENTS_OF_KEY] =
		"SELECT id, wall_us, key, kind, revision, text, file, line, \"column\" FROM event "
		"WHERE key = ?1 AND (?2 IS NULL OR kind = ?2) AND wall_us >= ?3 ORDER BY id DESC LIMIT ?4",
	[STATEMENT_EVENTS] = "SELECT id, wall_us, key, kind, revision, text, file, line, \"column\" FROM event "
			     "WHERE (?2 IS NULL OR kind = ?2) AND wall_us >= ?3 ORDER BY id DESC LIMIT ?4",
};

#define START_ANEW "move it away and start again: what is in the network is found again without it"

bool store_error(const struct store *store, const char *doing, GError **error)
{
	int code = sqlite3_errcode(store->db) & 0xff;
	const char *words = sqlite3_errmsg(store->db);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s is damaged (%s: %s): " START_ANEW, store->path,
			    doing, words);
	else if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_BUSY || code == SQLITE_LOCKED ||
		 code == SQLITE_NOMEM)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: %s: %s", store->path, doing, words);
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: %s: %s", store->path, doing, words);
	return false;
}

bool store_error_corrupt(const struct store *store, const char *doing, GError **error)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s is damaged (%s: not what was written): " START_ANEW,
		    store->path, doing);
	return false;
}

sqlite3_stmt *statement_use(struct store *store, enum statement which, GError **error)
{
	sqlite3_stmt **statement = &store->statements[which];
	if (!*statement &&
	    sqlite3_prepare_v3(store->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		store_error(store, texts[which], error);
		return NULL;
	}
	return *statement;
}

bool statement_done(struct store *store, sqlite3_stmt *statement, int result, const char *doing, GError **error)
{
	bool done = result == SQLITE_DONE || store_error(store, doing, error);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return done;
}

bool statement_run(struct store *store, sqlite3_stmt *statement, const char *doing, GError **error)
{
	return statement_done(store, statement, sqlite3_step(statement), doing, error);
}

void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	if (!text) {
		sqlite3_bind_null(statement, index);
		return;
	}
	size_t length = strlen(text);
	const char *end = NULL;
	if (length <= STORE_TEXT_MAX_BYTES && g_utf8_validate(text, (gssize) length, &end)) {
		sqlite3_bind_text(statement, index, text, (int) length, SQLITE_TRANSIENT);
		return;
	}
	g_autofree char *start = g_strndup(text, STORE_TEXT_MAX_BYTES);
	/* The cut may have gone through a character. */
	if (length > STORE_TEXT_MAX_BYTES && !g_utf8_validate(start, -1, &end) && strlen(end) < 4)
		start[end - start] = 0;
	g_autofree char *valid = g_utf8_make_valid(start, -1);
	sqlite3_bind_text(statement, index, valid, -1, SQLITE_TRANSIENT);
}

const char *column_text(struct arena *arena, sqlite3_stmt *statement, int column)
{
	return arena_strdup(arena, (const char *) sqlite3_column_text(statement, column));
}
