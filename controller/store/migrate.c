#include "store/migrate.h"

#include <glib/gstdio.h>
#include <errno.h>
#include <stdlib.h>

/* "Plch": says that the file is ours, to us and to file(1). */
enum { APPLICATION_ID = 0x506c6368 };

static bool run(const struct store *store, const char *sql, const char *doing, GError **error)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK || store_error(store, doing, error);
}

static bool get_int(const struct store *store, const char *sql, int *ret, GError **error)
{
	sqlite3_stmt *statement = NULL;
	bool found = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) == SQLITE_OK &&
		     sqlite3_step(statement) == SQLITE_ROW;
	if (found)
		*ret = sqlite3_column_int(statement, 0);
	else
		store_error(store, "its header", error);
	sqlite3_finalize(statement);
	return found;
}

/* A whole copy, also of what is still in the write-ahead log; in place only when it is complete. */
static bool copy_before(const struct store *store, int version, GError **error)
{
	g_autofree char *copy = g_strdup_printf("%s.before-%d", store->path, version), *part = g_strconcat(copy, ".part", NULL);
	g_unlink(part);
	sqlite3_stmt *statement = NULL;
	bool copied = sqlite3_prepare_v2(store->db, "VACUUM INTO ?1", -1, &statement, NULL) == SQLITE_OK &&
		      sqlite3_bind_text(statement, 1, part, -1, SQLITE_STATIC) == SQLITE_OK &&
		      sqlite3_step(statement) == SQLITE_DONE;
	if (!copied)
		store_error(store, "the copy before a new schema", error);
	sqlite3_finalize(statement);
	if (copied && (g_chmod(part, 0600) < 0 || g_rename(part, copy) < 0))
		return pleach_error_errno(error, errno, "%s", copy);
	return copied;
}

static bool apply(const struct store *store, const struct schema *schema, int version, GError **error)
{
	g_autofree char *doing = g_strconcat("schema ", schema->name, NULL);
	g_autofree char *mark = g_strdup_printf("PRAGMA user_version = %d; PRAGMA application_id = %d", version, APPLICATION_ID);
	return run(store, schema->text, doing, error) && run(store, mark, doing, error);
}

static bool is_ours(const struct store *store, int version, GError **error)
{
	int application = 0, tables = 0;
	if (!get_int(store, "PRAGMA application_id", &application, error) ||
	    !get_int(store, "SELECT count(*) FROM sqlite_schema", &tables, error))
		return false;
	if (application == APPLICATION_ID || (!version && !tables && !application))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s is another program's database: move it away", store->path);
	return false;
}

bool store_migrate(const struct store *store, const struct schema *schemas, GError **error)
{
	int version = 0, newest = 0;
	for (; schemas[newest].name; newest++)
		g_assert(atoi(schemas[newest].name) == newest + 1);
	if (!get_int(store, "PRAGMA user_version", &version, error) || !is_ours(store, version, error))
		return false;
	if (version > newest) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "%s was written by a newer version of this program (schema %d, this one knows %d): "
			    "run that one, or move the file away; what is in the network is found again without it",
			    store->path, version, newest);
		return false;
	}
	if (version == newest)
		return true;
	if (version > 0 && !copy_before(store, version, error))
		return false;
	bool migrated = run(store, "BEGIN EXCLUSIVE", "a new schema", error);
	for (int i = version; i < newest && migrated; i++)
		migrated = apply(store, &schemas[i], i + 1, error);
	if (migrated)
		migrated = run(store, "COMMIT", "a new schema", error);
	if (!migrated && !sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return migrated;
}
