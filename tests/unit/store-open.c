/* The file itself: who may open it, which schema it has, and what becomes of it when the controller is killed or
 * the disk lies. */
#include "store/migrate.h"
#include "store/store.h"

#include "base/file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *new_folder(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = g_dir_make_tmp("pleach-store-XXXXXX", &error);
	g_assert_no_error(error);
	return folder;
}

static void drop_folder(char *folder)
{
	g_assert_true(file_remove_tree(folder, NULL));
	g_free(folder);
}

static void assert_refused(const char *folder, enum pleach_error code, const char *says)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(store_open(folder, &error));
	g_assert_error(error, PLEACH_ERROR, (int) code);
	if (!strstr(error->message, says))
		g_error("\"%s\" does not say \"%s\"", error->message, says);
}

static void sql(const char *folder, const char *text)
{
	g_autofree char *path = g_build_filename(folder, "pleach.db", NULL);
	sqlite3 *db = NULL;
	g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
	char *why = NULL;
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		g_error("%s: %s", text, why);
	sqlite3_close(db);
}

static void test_made(void)
{
	char *folder = new_folder();
	g_autofree char *deep = g_build_filename(folder, "a", "b", NULL), *file = g_build_filename(deep, "pleach.db", NULL);
	g_autoptr(GError) error = NULL;
	auto_ptr(store) store = store_open(deep, &error);
	g_assert_no_error(error);
	g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
	drop_folder(folder);
}

static void test_second_opener(void)
{
	char *folder = new_folder();
	int told[2], wait_for[2];
	g_assert_cmpint(pipe2(told, O_CLOEXEC) | pipe2(wait_for, O_CLOEXEC), ==, 0);
	pid_t child = fork();
	if (!child) {
		struct store *store = store_open(folder, NULL);
		bool owned = store && store_set_owner(store, "0123456789abcdef", NULL);
		char byte = owned;
		close(wait_for[1]);
		if (write(told[1], &byte, 1) == 1 && read(wait_for[0], &byte, 1) >= 0)
			_exit(0);
		_exit(1);
	}
	char byte = 0;
	g_assert_cmpint(read(told[0], &byte, 1), ==, 1);
	g_assert_cmpint(byte, ==, 1);
	g_autofree char *pid = g_strdup_printf("pid %d (owner 0123456789abcdef)", (int) child);
	assert_refused(folder, PLEACH_ERROR_CONFLICT, pid);
	close(wait_for[1]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	/* Its lock went with it. */
	g_autoptr(GError) error = NULL;
	auto_ptr(store) store = store_open(folder, &error);
	g_assert_no_error(error);
	close(told[0]);
	close(told[1]);
	close(wait_for[0]);
	drop_folder(folder);
}

static void test_newer_schema(void)
{
	char *folder = new_folder();
	store_close(store_open(folder, NULL));
	sql(folder, "PRAGMA user_version = 99");
	assert_refused(folder, PLEACH_ERROR_INVALID, "newer version");
	/* And it is as it was. */
	sql(folder, "SELECT count(*) FROM applied");
	drop_folder(folder);
}

static void test_foreign(void)
{
	char *folder = new_folder();
	sql(folder, "CREATE TABLE music (song TEXT)");
	assert_refused(folder, PLEACH_ERROR_INVALID, "another program");
	drop_folder(folder);
}

#define FIRST { "001-first.sql", "CREATE TABLE one (a TEXT); INSERT INTO one VALUES ('kept')" }
#define SECOND { "002-second.sql", "ALTER TABLE one ADD COLUMN b TEXT" }

static const struct schema schemas[] = {
	FIRST,
	SECOND,
	{ "003-third.sql", "CREATE TABLE two (a TEXT); INSERT INTO two SELECT a FROM one" },
	{ NULL, NULL },
};
static const struct schema one_schema[] = { FIRST, { NULL, NULL } };
static const struct schema broken_schemas[] = {
	FIRST,
	SECOND,
	{ "003-third.sql", "CREATE TABLE two (a TEXT); SELECT nonsense" },
	{ NULL, NULL },
};

static bool migrate(const char *folder, const struct schema *to, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "pleach.db", NULL);
	struct store store = { .path = path };
	g_assert_cmpint(sqlite3_open(path, &store.db), ==, SQLITE_OK);
	bool done = store_migrate(&store, to, error);
	sqlite3_close(store.db);
	return done;
}

static void test_migration(void)
{
	char *folder = new_folder();
	g_autofree char *copy = g_build_filename(folder, "pleach.db.before-1", NULL);
	g_autoptr(GError) error = NULL;
	g_assert_true(migrate(folder, one_schema, &error));
	g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS)); /* there was nothing to lose */

	/* One that fails half-way changes nothing; the copy is there. */
	g_assert_false(migrate(folder, broken_schemas, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_nonnull(strstr(error->message, "003-third.sql"));
	g_clear_error(&error);
	sql(folder, "CREATE TABLE two (probe TEXT); DROP TABLE two");
	g_assert_true(g_file_test(copy, G_FILE_TEST_EXISTS));

	g_assert_true(migrate(folder, schemas, &error));
	g_assert_no_error(error);
	sql(folder, "INSERT INTO two SELECT a FROM one WHERE b IS NULL");
	g_assert_true(migrate(folder, schemas, &error));
	g_assert_false(migrate(folder, one_schema, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);

	/* The copy is a whole database of the old schema. */
	g_autofree char *path = g_build_filename(folder, "pleach.db", NULL);
	g_assert_cmpint(g_rename(copy, path), ==, 0);
	g_assert_true(migrate(folder, one_schema, &error));
	drop_folder(folder);
}

extern const struct schema store_schema_texts[];

/* What the first version wrote down is read by this one. */
static void test_first_version(void)
{
	char *folder = new_folder();
	const struct schema first[] = { store_schema_texts[0], { NULL, NULL } };
	g_autoptr(GError) error = NULL;
	g_assert_true(migrate(folder, first, &error));
	sql(folder, "INSERT INTO revision (id, summary, state, wall_us) VALUES ('abc', 'Before', 'converged', 7);"
		    "INSERT INTO operation (id, key, action, cause, incarnation, attempt, state, begun_us, wall_us) "
		    "VALUES ('abc-1', 'link/a.b', 'create', 'intent', 1, 1, 'PROCESSING', 7, 8);"
		    "INSERT INTO event (wall_us, key, kind, text, line, \"column\") VALUES (9, 'link/a.b', 'drift', 'gone', 3, 1)");
	auto_ptr(arena) arena = arena_new();
	struct store *store = store_open(folder, &error);
	g_assert_no_error(error);
	g_autoptr(GArray) revisions = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_assert_true(store_revisions(store, arena, 10, revisions, &error));
	g_assert_cmpuint(revisions->len, ==, 1);
	g_assert_cmpstr(g_array_index(revisions, struct store_revision, 0).summary, ==, "Before");
	g_assert_true(store_events(store, arena, "link/a.b", NULL, 0, 10, events, &error));
	g_assert_cmpuint(events->len, ==, 1);
	g_assert_cmpstr(g_array_index(events, struct store_event, 0).text, ==, "gone");
	g_autoptr(GPtrArray) interrupted = store_interrupted(store, 10, &error);
	g_assert_cmpuint(interrupted->len, ==, 1);
	store_close(store);
	drop_folder(folder);
}

/* In a folder that everybody may look into. */
static void test_private(void)
{
	char *folder = new_folder();
	const struct schema first[] = { store_schema_texts[0], { NULL, NULL } };
	g_autoptr(GError) error = NULL;
	g_assert_true(migrate(folder, first, &error));
	g_assert_cmpint(g_chmod(folder, 0755), ==, 0);
	store_close(store_open(folder, &error));
	g_assert_no_error(error);
	static const char *const names[] = { "pleach.db", "pleach.db.before-1" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		GStatBuf status;
		g_assert_cmpint(g_stat(path, &status), ==, 0);
		g_assert_cmpint(status.st_mode & 0777, ==, 0600);
	}
	drop_folder(folder);
}

/* Killed in the middle of a transaction after one that was committed: the one is there, the other never was. */
static void test_killed(void)
{
	char *folder = new_folder();
	int told[2];
	g_assert_cmpint(pipe2(told, O_CLOEXEC), ==, 0);
	pid_t child = fork();
	if (!child) {
		struct store *store = store_open(folder, NULL);
		struct store_event event = { .wall_us = 1, .key = "vnfc/a", .kind = "drift", .text = "committed" };
		if (!store || !store_begin(store, NULL) || !store_put_event(store, &event, NULL) || !store_commit(store, NULL))
			_exit(1);
		event.text = "never";
		if (!store_begin(store, NULL))
			_exit(1);
		for (int i = 0; i < 20000; i++) /* more than the cache: pages are in the log already */
			if (!store_put_event(store, &event, NULL))
				_exit(1);
		if (write(told[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	char byte;
	g_assert_cmpint(read(told[0], &byte, 1), ==, 1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(told[0]);

	g_autoptr(GError) error = NULL;
	auto_ptr(arena) arena = arena_new();
	auto_ptr(store) store = store_open(folder, &error);
	g_assert_no_error(error);
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_assert_true(store_events(store, arena, NULL, NULL, 0, 100, events, &error));
	g_assert_cmpuint(events->len, ==, 1);
	g_assert_cmpstr(g_array_index(events, struct store_event, 0).text, ==, "committed");
	drop_folder(folder);
}

static void test_corrupt(void)
{
	char *folder = new_folder();
	g_autofree char *path = g_build_filename(folder, "pleach.db", NULL);
	g_autofree char *noise = g_malloc(65536);
	memset(noise, 'x', 65536);
	g_assert_true(file_write(path, noise, 65536, 0600, NULL));
	assert_refused(folder, PLEACH_ERROR_PERMANENT, "move it away");
	assert_refused(folder, PLEACH_ERROR_PERMANENT, "start again");

	/* Its head is well, its body is not. */
	g_assert_cmpint(g_unlink(path), ==, 0);
	store_close(store_open(folder, NULL));
	g_autoptr(GError) error = NULL;
	size_t length = 0;
	g_autofree char *whole = file_read(path, 64 << 20, &length, &error);
	g_assert_no_error(error);
	memset(whole + 4096, 'x', length - 4096);
	g_assert_true(file_write(path, whole, length, 0600, NULL));
	auto_ptr(store) store = store_open(folder, &error);
	g_assert_no_error(error);
	auto_ptr(arena) arena = arena_new();
	struct objects objects;
	g_assert_false(store_last_applied(store, arena, &objects, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_nonnull(strstr(error->message, "move it away"));
	drop_folder(folder);
}

static void test_damaged_rows(void)
{
	char *folder = new_folder();
	store_close(store_open(folder, NULL));
	sql(folder, "INSERT INTO applied VALUES ('vnfc/a.b', x'01ff'); INSERT INTO site VALUES ('s', '{');"
		    "INSERT INTO operation (id, key, action, cause, incarnation, attempt, state, begun_us, wall_us) "
		    "VALUES ('x', 'vnfc/a.b', 'dance', 'intent', 1, 1, 'COMPLETED', 1, 1)");
	g_autoptr(GError) error = NULL;
	auto_ptr(store) store = store_open(folder, &error);
	g_assert_no_error(error);
	auto_ptr(arena) arena = arena_new();
	struct objects objects;
	g_assert_false(store_last_applied(store, arena, &objects, &error));
	g_assert_nonnull(strstr(error->message, "vnfc/a.b"));
	g_clear_error(&error);
	g_autoptr(GPtrArray) sites = g_ptr_array_new();
	g_assert_false(store_sites(store, arena, sites, &error));
	g_assert_nonnull(strstr(error->message, "site s"));
	g_clear_error(&error);
	g_autoptr(GArray) operations = g_array_new(FALSE, FALSE, sizeof(struct operation));
	g_assert_false(store_operations(store, arena, NULL, 10, operations, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	drop_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/open/made", test_made);
	g_test_add_func("/store/open/second-opener", test_second_opener);
	g_test_add_func("/store/open/newer-schema", test_newer_schema);
	g_test_add_func("/store/open/foreign", test_foreign);
	g_test_add_func("/store/open/migration", test_migration);
	g_test_add_func("/store/open/killed", test_killed);
	g_test_add_func("/store/open/corrupt", test_corrupt);
	g_test_add_func("/store/open/damaged-rows", test_damaged_rows);
	g_test_add_func("/store/open/first-version", test_first_version);
	g_test_add_func("/store/open/private", test_private);
	return g_test_run();
}
