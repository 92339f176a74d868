/* Opening and closing: one process per state folder, one connection, one transaction at a time. */
#include "store/internal.h"

#include "base/file.h"
#include "store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Compiled in from schemas/store. */
extern const struct schema store_schema_texts[];

/* Of the log, until a commit itself has to carry it over into the database: store_tidy() should have come before. A page has 4 KiB. */
#define LOG_MAX_PAGES 8192

enum {
	BUSY_TIMEOUT_MS = 2000, /* of somebody who looks into the database with another tool */
	LOCK_TEXT_MAX = 256,
};

/* "123 OWNER" as it stands in the lock. */
static bool in_use(int fd, const char *folder, GError **error)
{
	char text[LOCK_TEXT_MAX + 1];
	ssize_t n = pread(fd, text, LOCK_TEXT_MAX, 0);
	text[MAX(n, 0)] = 0;
	g_auto(GStrv) words = g_strsplit(g_strstrip(text), " ", 2);
	const char *pid = words[0] && *words[0] ? words[0] : "unknown";
	if (words[0] && words[1])
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in use by pid %s (owner %s)",
			    folder, pid, words[1]);
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in use by pid %s", folder, pid);
	return false;
}

static bool write_lock(int fd, const char *owner, GError **error)
{
	g_autofree char *text = g_strdup_printf("%d%s%.200s\n", (int) getpid(), owner ? " " : "", owner ? owner : "");
	size_t length = strlen(text);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, length, 0) != (ssize_t) length)
		return pleach_error_errno(error, errno, "the lock of the state folder");
	return true;
}

/* The kernel drops the lock with the process, however it ends; the file stays. */
static bool take_lock(struct store *store, const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "lock", NULL);
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0)
		return pleach_error_errno(error, errno, "%s", path);
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? in_use(store->lock_fd, folder, error) :
					      pleach_error_errno(error, errno, "%s", path);
	return write_lock(store->lock_fd, NULL, error);
}

/* FULL: a commit is on disk when it returns (one fdatasync of the log, with all that was written to it before). NORMAL: whole or not
 * at all, and on disk with the next of the others. */
static bool set_durable(const struct store *store, bool durable, GError **error)
{
	const char *text = durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
	return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK || store_error(store, "setting how to write", error);
}

/* Whoever made the folder: what is in it is not for every user of this machine. The log and its index get the mode of the database. */
static bool make_private(const char *path, GError **error)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool made = fd >= 0 && fchmod(fd, 0600) == 0;
	int errnum = errno;
	if (fd >= 0)
		close(fd);
	return made || pleach_error_errno(error, errnum, "%s", path);
}

static bool open_database(struct store *store, GError **error)
{
	if (!make_private(store->path, error))
		return false;
	int result = sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
				     NULL);
	if (result != SQLITE_OK) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: cannot be opened: %s", store->path,
			    store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(result));
		return false;
	}
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA trusted_schema = OFF;"
				       "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;"
				       "PRAGMA wal_autocheckpoint = " G_STRINGIFY(LOG_MAX_PAGES);
	if (sqlite3_exec(store->db, settings, NULL, NULL, NULL) != SQLITE_OK)
		return store_error(store, "opening", error);
	return set_durable(store, true, error) && store_migrate(store, store_schema_texts, error) && set_durable(store, false, error);
}

struct store *store_open(const char *state_folder, GError **error)
{
	if (!file_make_folder(state_folder, 0700, error))
		return NULL;
	auto_ptr(store) store = g_new0(struct store, 1);
	store->path = g_build_filename(state_folder, "pleach.db", NULL);
	store->lock_fd = -1;
	/* The first row of each kind prunes: many short runs are no way round the bounds. */
	store->operations = store->revisions = store->events = STORE_PRUNE_EVERY - 1;
	store_set_bounds(store, &(struct store_bounds) { 0 });
	if (!take_lock(store, state_folder, error) || !open_database(store, error))
		return NULL;
	return g_steal_pointer(&store);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->in_transaction)
		store_rollback(store);
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	g_free(store->path);
	g_free(store->owner);
	g_free(store);
}

bool store_set_owner(struct store *store, const char *owner, GError **error)
{
	if (g_strcmp0(store->owner, owner) == 0)
		return true;
	g_free(store->owner);
	store->owner = g_strdup(owner);
	return write_lock(store->lock_fd, owner, error);
}

void store_set_bounds(struct store *store, const struct store_bounds *bounds)
{
	store->bounds = (struct store_bounds) {
		.operations = bounds->operations ? bounds->operations : STORE_OPERATIONS_KEPT,
		.events = bounds->events ? bounds->events : STORE_EVENTS_KEPT,
		.revisions = bounds->revisions ? bounds->revisions : STORE_REVISIONS_KEPT,
	};
}

bool store_begin(struct store *store, GError **error)
{
	if (store->in_transaction)
		store_rollback(store);
	sqlite3_stmt *statement = set_durable(store, true, error) ? statement_use(store, STATEMENT_BEGIN, error) : NULL;
	store->in_transaction = statement && statement_run(store, statement, "begin", error);
	return store->in_transaction;
}

bool store_commit(struct store *store, GError **error)
{
	g_assert(store->in_transaction);
	sqlite3_stmt *statement = statement_use(store, STATEMENT_COMMIT, error);
	bool committed = statement && statement_run(store, statement, "commit", error);
	if (!committed)
		store_rollback(store);
	store->in_transaction = false;
	set_durable(store, false, NULL);
	store_tell_added(store);
	return committed;
}

void store_tidy(struct store *store)
{
	/* What cannot be carried over now, because somebody reads, waits for the next time. */
	sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void store_rollback(struct store *store)
{
	/* Some failures have rolled back already. */
	sqlite3_stmt *statement = sqlite3_get_autocommit(store->db) ? NULL : statement_use(store, STATEMENT_ROLLBACK, NULL);
	if (statement)
		statement_run(store, statement, "rollback", NULL);
	store->in_transaction = false;
}
