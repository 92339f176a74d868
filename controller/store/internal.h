/* What the files of store/ share: the open database, its prepared statements, and sqlite's errors in our words. */
#pragma once

#include "base/error.h"
#include "store/store.h"

#include <sqlite3.h>

/* Every statement that is used more than once, prepared when first needed and kept; their texts are in statements.c. */
enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_APPLIED_GET,
	STATEMENT_APPLIED_PUT,
	STATEMENT_APPLIED_DROP,
	STATEMENT_APPLIED_ALL,
	STATEMENT_SITE_PUT,
	STATEMENT_SITE_DROP,
	STATEMENT_SITE_ALL,
	STATEMENT_OPERATION_PUT,
	STATEMENT_OPERATION_PRUNE,
	STATEMENT_OPERATIONS_OF_KEY,
	STATEMENT_OPERATIONS,
	STATEMENT_FAILED,
	STATEMENT_UNDER_WAY,
	STATEMENT_INTERRUPT,
	STATEMENT_REVISION_PUT,
	STATEMENT_REVISION_PRUNE,
	STATEMENT_REVISIONS,
	STATEMENT_EVENT_PUT,
	STATEMENT_EVENT_PRUNE,
	STATEMENT_EVENTS_OF_KEY,
	STATEMENT_EVENTS,
	STATEMENT_QUERY_NEWEST,
	STATEMENT_QUERY_NEWEST_OF,
	STATEMENT_QUERY_AFTER,
	STATEMENT_QUERY_AFTER_OF,
	STATEMENT_REVISION_GET,
	STATEMENT_REVISION_COUNT,
	STATEMENT_REVISIONS_OF,
	STATEMENT_HOLD_PUT,
	STATEMENT_HOLD_DROP,
	STATEMENT_HOLDS,
	STATEMENT_HOLD_NUMBER,
	STATEMENT_APPROVAL_PUT,
	STATEMENT_APPROVAL_PRUNE,
	STATEMENT_APPROVAL_GET,
	STATEMENT_VIB_PUT,
	STATEMENT_VIB_DROP,
	STATEMENT_VIB_ALL,
	STATEMENT_CURE_PUT,
	STATEMENT_CURE_PRUNE,
	STATEMENT_CURES,
	STATEMENT_SAMPLE_PUT,
	STATEMENT_SAMPLE_DROP,
	STATEMENT_SAMPLE_PRUNE,
	STATEMENT_SAMPLES,
	STATEMENT_COUNT,
};

struct store {
	char *path;     /* of the database */
	char *owner;    /* as it stands in the lock; NULL: not set yet */
	sqlite3 *db;
	int lock_fd;
	bool in_transaction;
	struct store_bounds bounds; /* none is 0 */
	unsigned operations, revisions, events; /* added since they were last pruned */
	void (*added)(void *data); /* or NULL */
	void *added_data;
	bool has_added; /* events that @added was not told of */
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Sets @error from the database's last failure: "PATH: DOING: sqlite's words", and what to do about it where something can be
 * done. Always false. */
bool store_error(const struct store *store, const char *doing, GError **error);

/* The same for rows that are not what this program writes. Always false. */
bool store_error_corrupt(const struct store *store, const char *doing, GError **error);

/* Ready for binding and stepping; NULL and @error when it cannot be prepared. Give it back with statement_done(). */
sqlite3_stmt *statement_use(struct store *store, enum statement which, GError **error);

/* Resets; true when @result (of the last step) is SQLITE_DONE, else @error. */
bool statement_done(struct store *store, sqlite3_stmt *statement, int result, const char *doing, GError **error);

/* Steps once and gives it back, for what returns no rows. */
bool statement_run(struct store *store, sqlite3_stmt *statement, const char *doing, GError **error);

/* NULL binds NULL. What is not UTF-8 is made so; what is longer than STORE_TEXT_MAX_BYTES is cut. */
void bind_text(sqlite3_stmt *statement, int index, const char *text);

/* Drops what is older than the last @keep rows; now and then, in the transaction that added a row: @added counts since the last time. */
bool prune(struct store *store, unsigned *added, enum statement which, unsigned keep, GError **error);

/* Tells of events that were added, once they can be read. */
void store_tell_added(struct store *store);

/* Binds the roots from ?@index on; the first one is not NULL. */
void bind_scope(sqlite3_stmt *statement, int index, const struct store_scope *scope);

/* NULL gives NULL. */
const char *column_text(struct arena *arena, sqlite3_stmt *statement, int column);
