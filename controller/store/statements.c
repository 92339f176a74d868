/* The statements, and the few words of sqlite3 that everything here is said in. */
#include "store/internal.h"

#include <string.h>

#define REVISION_COLUMNS \
	"wall_us, id, summary, state, reason, author_us, seen_us, converged_us, creates, changes, replaces, removes, repairs"
#define EVENT_COLUMNS "id, wall_us, key, kind, revision, text, file, line, \"column\", state, duration_us"

/* A root that is NULL matches nothing. '/' follows '.' in the order of bytes, so that what is below a key is one range of the index. */
#define AT(n) "(key = ?" #n " OR (key > ?" #n " || '.' AND key < ?" #n " || '/'))"
#define IN_SCOPE(first) IN_SCOPE_##first
#define IN_SCOPE_2 "(" AT(2) " OR " AT(3) " OR " AT(4) " OR " AT(5) ")"
#define IN_SCOPE_5 "(" AT(5) " OR " AT(6) " OR " AT(7) " OR " AT(8) ")"
#define ASKED "(?1 IS NULL OR instr(?1, ',' || kind || ',') > 0) AND wall_us >= ?2 AND id > ?3"

#define VIB_COLUMNS "key, site, ems, driver, transport, package, incarnation, state, health, reason, state_since_us, health_since_us, " \
		    "restarts, failures, last_failure, last_failure_us, fate, held, crossed"

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
		"error_code, error, wanted, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12, ?13, ?14) "
		"ON CONFLICT (id) DO UPDATE SET attempt = excluded.attempt, "
		"state = excluded.state, wall_us = excluded.wall_us, error_code = excluded.error_code, error = excluded.error, "
		"wanted = excluded.wanted, seen = excluded.seen",
	[STATEMENT_OPERATION_PRUNE] = "DELETE FROM operation WHERE number <= (SELECT max(number) FROM operation) - ?1 "
				      "AND state NOT IN ('STARTING', 'PROCESSING')",
	[STATEMENT_OPERATIONS_OF_KEY] =
		"SELECT id, key, site, revision, action, cause, incarnation, attempt, state, wall_us, error_code, error, wanted, seen "
		"FROM operation "
		"WHERE key = ?1 ORDER BY number DESC LIMIT ?2",
	[STATEMENT_OPERATIONS] =
		"SELECT id, key, site, revision, action, cause, incarnation, attempt, state, wall_us, error_code, error, wanted, seen "
		"FROM operation "
		"ORDER BY number DESC LIMIT ?2",
	/* Of each key, or leftover of one, whatever was tried last. */
	[STATEMENT_FAILED] =
		"SELECT id, key, site, revision, action, cause, incarnation, attempt, state, wall_us, error_code, error, wanted, seen "
		"FROM operation AS one WHERE state = 'FAILED' AND wanted IS NOT NULL AND NOT EXISTS (SELECT 1 FROM operation AS other "
		"WHERE other.key = one.key AND other.number > one.number "
		"AND (one.action = 'clean') = (other.action = 'clean')) ORDER BY number",
	[STATEMENT_UNDER_WAY] = "SELECT DISTINCT key FROM operation WHERE state IN ('STARTING', 'PROCESSING') ORDER BY key",
	[STATEMENT_INTERRUPT] = "UPDATE operation SET state = 'CANCELLED', wall_us = ?1, error_code = 'cancelled', "
				"error = 'interrupted' WHERE state IN ('STARTING', 'PROCESSING')",
	/* A commit that comes again is the newest again. */
	[STATEMENT_REVISION_PUT] =
		"INSERT INTO revision (number, id, summary, state, reason, wall_us, author_us, seen_us, converged_us) "
		"VALUES ((SELECT coalesce(max(number), 0) + 1 FROM revision), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) "
		"DO UPDATE SET number = excluded.number, summary = coalesce(excluded.summary, summary), state = excluded.state, "
		"reason = excluded.reason, wall_us = excluded.wall_us, author_us = excluded.author_us, seen_us = excluded.seen_us, "
		"converged_us = iif(excluded.seen_us = seen_us AND converged_us > 0, converged_us, excluded.converged_us)",
	[STATEMENT_REVISION_PRUNE] = "DELETE FROM revision WHERE number <= "
				     "(SELECT number FROM revision ORDER BY number DESC LIMIT 1 OFFSET ?1)",
	[STATEMENT_REVISIONS] = "SELECT " REVISION_COLUMNS " FROM revision ORDER BY number DESC LIMIT ?1",
	[STATEMENT_REVISION_GET] = "SELECT " REVISION_COLUMNS " FROM revision WHERE id = ?1",
	[STATEMENT_REVISION_COUNT] = "UPDATE revision SET creates = creates + (?2 = 'create'), changes = changes + (?2 IN ('change', 'restart')), "
				     "replaces = replaces + (?2 = 'replace'), removes = removes + (?2 IN ('remove', 'clean')), "
				     "repairs = repairs + (?2 = 'repair') WHERE id = ?1",
	/* What is counted with the revision, counted here for some keys only. */
	[STATEMENT_REVISIONS_OF] =
		"SELECT r.wall_us, o.revision, r.summary, r.state, r.reason, r.author_us, r.seen_us, r.converged_us, "
		"o.creates, o.changes, o.replaces, o.removes, o.repairs FROM (SELECT revision, max(number) AS newest, "
		"sum(what = 'create') AS creates, sum(what IN ('change', 'restart')) AS changes, sum(what = 'replace') AS replaces, "
		"sum(what IN ('remove', 'clean')) AS removes, sum(what = 'repair') AS repairs FROM "
		"(SELECT revision, number, iif(cause IN ('drift', 'intent+drift') AND action <> 'clean', 'repair', action) AS what "
		"FROM operation WHERE state = 'COMPLETED' AND " IN_SCOPE(2) ") GROUP BY revision ORDER BY newest DESC LIMIT ?1) o "
		"LEFT JOIN revision r ON r.id = o.revision ORDER BY o.newest DESC",
	[STATEMENT_EVENT_PUT] = "INSERT INTO event (wall_us, key, kind, revision, text, file, line, \"column\", state, duration_us) "
				"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[STATEMENT_EVENT_PRUNE] = "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?1",
	[STATEMENT_EVENTS_OF_KEY] =
		"SELECT " EVENT_COLUMNS " FROM event WHERE key = ?1 AND (?2 IS NULL OR kind = ?2) AND wall_us >= ?3 ORDER BY id DESC LIMIT ?4",
	[STATEMENT_EVENTS] = "SELECT " EVENT_COLUMNS " FROM event "
			     "WHERE (?2 IS NULL OR kind = ?2) AND wall_us >= ?3 ORDER BY id DESC LIMIT ?4",
	[STATEMENT_QUERY_NEWEST] = "SELECT " EVENT_COLUMNS " FROM event WHERE " ASKED " ORDER BY id DESC LIMIT ?4",
	/* "+": by the index of keys, and then sorted; else all events would be walked through for a key that has few. */
	[STATEMENT_QUERY_NEWEST_OF] = "SELECT " EVENT_COLUMNS " FROM event WHERE " ASKED " AND " IN_SCOPE(5) " ORDER BY +id DESC LIMIT ?4",
	[STATEMENT_QUERY_AFTER] = "SELECT " EVENT_COLUMNS " FROM event WHERE " ASKED " ORDER BY id LIMIT ?4",
	[STATEMENT_QUERY_AFTER_OF] = "SELECT " EVENT_COLUMNS " FROM event WHERE " ASKED " AND " IN_SCOPE(5) " ORDER BY id LIMIT ?4",
	[STATEMENT_HOLD_PUT] = "INSERT INTO hold (target, who, reason, since_us, until_us) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (target) "
			       "DO UPDATE SET who = excluded.who, reason = excluded.reason, since_us = excluded.since_us, "
			       "until_us = excluded.until_us",
	[STATEMENT_HOLD_DROP] = "DELETE FROM hold WHERE target = ?1",
	[STATEMENT_HOLDS] = "SELECT target, who, reason, since_us, until_us FROM hold ORDER BY target",
	[STATEMENT_HOLD_NUMBER] = "SELECT count(*) FROM hold WHERE target <> ?1",
	[STATEMENT_APPROVAL_PUT] = "INSERT INTO approval (revision, who, wall_us) VALUES (?1, ?2, ?3) ON CONFLICT (revision) DO NOTHING",
	/* Those of revisions that are forgotten. */
	[STATEMENT_APPROVAL_PRUNE] = "DELETE FROM approval WHERE revision NOT IN (SELECT id FROM revision)",
	[STATEMENT_APPROVAL_GET] = "SELECT who FROM approval WHERE revision = ?1",
	[STATEMENT_VIB_PUT] = "INSERT OR REPLACE INTO vib (" VIB_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
			      "?14, ?15, ?16, ?17, ?18, ?19)",
	[STATEMENT_VIB_DROP] = "DELETE FROM vib WHERE key = ?1",
	[STATEMENT_VIB_ALL] = "SELECT " VIB_COLUMNS " FROM vib ORDER BY key",
	[STATEMENT_CURE_PUT] = "INSERT OR IGNORE INTO cure (id, path, kind, wanted, wall_us) VALUES (?1, ?2, ?3, ?4, ?5)",
	[STATEMENT_CURE_PRUNE] = "DELETE FROM cure WHERE wall_us < ?1",
	[STATEMENT_CURES] = "SELECT id, path, kind, wanted, wall_us FROM cure WHERE wall_us >= ?1 ORDER BY path, wall_us, id",
	[STATEMENT_SAMPLE_PUT] = "INSERT INTO sample (key, wall_us, json) VALUES (?1, ?2, ?3)",
	[STATEMENT_SAMPLE_DROP] = "DELETE FROM sample WHERE key = ?1",
	[STATEMENT_SAMPLE_PRUNE] = "DELETE FROM sample WHERE id IN (SELECT id FROM sample ORDER BY id LIMIT ?1) AND "
				   "(wall_us < ?2 OR id <= (SELECT max(id) FROM sample) - ?3)",
	[STATEMENT_SAMPLES] = "SELECT json FROM sample WHERE key = ?1 AND wall_us >= ?2 ORDER BY id DESC LIMIT ?3",
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

void bind_scope(sqlite3_stmt *statement, int index, const struct store_scope *scope)
{
	for (int i = 0; i < STORE_SCOPE_MAX; i++)
		bind_text(statement, index + i, scope->roots[i]);
}

const char *column_text(struct arena *arena, sqlite3_stmt *statement, int column)
{
	return arena_strdup(arena, (const char *) sqlite3_column_text(statement, column));
}
