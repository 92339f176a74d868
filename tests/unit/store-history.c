/* Operations, revisions, events: written, read newest first, closed after a crash, bounded. */
#include "store/store.h"

#include "base/file.h"

#include <string.h>

struct fixture {
	char *folder;
	struct store *store;
	struct arena *arena;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	fixture->folder = g_dir_make_tmp("pleach-store-XXXXXX", &error);
	fixture->store = store_open(fixture->folder, &error);
	fixture->arena = arena_new();
	g_assert_no_error(error);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	store_close(fixture->store);
	arena_unref(fixture->arena);
	g_assert_true(file_remove_tree(fixture->folder, NULL));
	g_free(fixture->folder);
}

static void put_operation(struct store *store, const char *id, const char *key, enum op_state state, gint64 wall_us,
			  const char *why)
{
	const struct operation operation = { .id = id, .key = key, .site = "local", .revision = "abc", .action = ACTION_REPLACE,

					     .cause = CAUSE_DRIFT, .incarnation = 3, .attempt = 2,
					     .state = state, .wall_us = wall_us,
					     .error_code = why ? "retry" : NULL, .error = why };
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_operation(store, &operation, &error));
	g_assert_no_error(error);
}

static GArray *operations(struct fixture *fixture, const char *key, size_t limit)
{
	g_autoptr(GError) error = NULL;
	GArray *list = g_array_new(FALSE, FALSE, sizeof(struct operation));
	store_operations(fixture->store, fixture->arena, key, limit, list, &error);
	g_assert_no_error(error);
	return list;
}

static void test_operations(struct fixture *fixture, gconstpointer data)
{
	put_operation(fixture->store, "abc-1", "vnfc/a", OP_PROCESSING, 10, NULL);
	put_operation(fixture->store, "abc-2", "vnfc/b", OP_PROCESSING, 11, NULL);
	put_operation(fixture->store, "abc-1", "vnfc/a", OP_FAILED_TEMP, 12, "far side: \xff no");
	put_operation(fixture->store, "abc-3", "vnfc/a", OP_COMPLETED, 13, NULL);
	g_autoptr(GArray) of_a = operations(fixture, "vnfc/a", 10), one = operations(fixture, "vnfc/a", 1),
			  all = operations(fixture, NULL, 10);
	g_assert_cmpuint(of_a->len, ==, 2);
	g_assert_cmpuint(one->len, ==, 1);
	g_assert_cmpuint(all->len, ==, 3);
	g_assert_cmpstr(g_array_index(one, struct operation, 0).id, ==, "abc-3");
	const struct operation *failed = &g_array_index(of_a, struct operation, 1);
	g_assert_cmpint(failed->state, ==, OP_FAILED_TEMP);
	g_assert_cmpint(failed->action, ==, ACTION_REPLACE);
	g_assert_cmpint(failed->cause, ==, CAUSE_DRIFT);
	g_assert_cmpuint(failed->incarnation, ==, 3);
	g_assert_cmpuint(failed->attempt, ==, 2);
	g_assert_cmpint(failed->wall_us, ==, 12);
	g_assert_cmpstr(failed->error_code, ==, "retry");
	g_assert_true(g_utf8_validate(failed->error, -1, NULL));
	g_assert_true(g_str_has_prefix(failed->error, "far side: "));
}

static void test_interrupted(struct fixture *fixture, gconstpointer data)
{
	put_operation(fixture->store, "abc-1", "vnfc/b", OP_PROCESSING, 10, NULL);
	put_operation(fixture->store, "abc-2", "vnfc/a", OP_PROCESSING, 10, NULL);
	put_operation(fixture->store, "abc-3", "vnfc/a", OP_STARTING, 10, NULL);
	put_operation(fixture->store, "abc-4", "vnfc/c", OP_COMPLETED, 10, NULL);
	put_operation(fixture->store, "abc-5", "vnfc/d", OP_FAILED_TEMP, 10, "no");
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) keys = store_interrupted(fixture->store, 20, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(keys->len, ==, 2);
	g_assert_cmpstr(g_ptr_array_index(keys, 0), ==, "vnfc/a");
	g_assert_cmpstr(g_ptr_array_index(keys, 1), ==, "vnfc/b");
	g_autoptr(GArray) of_b = operations(fixture, "vnfc/b", 1), of_d = operations(fixture, "vnfc/d", 1);
	const struct operation *closed = &g_array_index(of_b, struct operation, 0);
	g_assert_cmpint(closed->state, ==, OP_CANCELLED);
	g_assert_cmpint(closed->wall_us, ==, 20);
	g_assert_cmpstr(closed->error, ==, "interrupted");
	g_assert_cmpstr(closed->error_code, ==, "cancelled");
	g_assert_cmpint(g_array_index(of_d, struct operation, 0).state, ==, OP_FAILED_TEMP);
	g_autoptr(GPtrArray) again = store_interrupted(fixture->store, 30, &error);
	g_assert_cmpuint(again->len, ==, 0);
}

static void put_failed(struct store *store, const char *id, const char *key, enum op_state state, enum action action)
{
	const struct operation operation = { .id = id, .key = key, .site = "local", .revision = "abc", .action = action, .attempt = 1,
					     .state = state, .wall_us = 1, .error_code = "permanent", .error = "no",
					     .wanted = state == OP_FAILED ? "w" : NULL, .seen = state == OP_FAILED ? "s" : NULL };
	g_assert_true(store_put_operation(store, &operation, NULL));
}

/* Only what was the last word on its key. */
static void test_failed(struct fixture *fixture, gconstpointer data)
{
	put_failed(fixture->store, "abc-1", "nf/a.0", OP_FAILED, ACTION_CHANGE);
	put_failed(fixture->store, "abc-2", "nf/a.0", OP_COMPLETED, ACTION_CHANGE);
	put_failed(fixture->store, "abc-3", "nf/b.0", OP_FAILED, ACTION_CHANGE);
	put_failed(fixture->store, "abc-4", "nf/c.0", OP_FAILED_TEMP, ACTION_CREATE);
	put_failed(fixture->store, "abc-5", "nf/b.0", OP_COMPLETED, ACTION_CLEAN); /* a leftover's is another matter */
	g_autoptr(GArray) failed = g_array_new(FALSE, FALSE, sizeof(struct operation));
	g_assert_true(store_failed(fixture->store, fixture->arena, failed, NULL));
	g_assert_cmpuint(failed->len, ==, 1);
	const struct operation *operation = &g_array_index(failed, struct operation, 0);
	g_assert_cmpstr(operation->key, ==, "nf/b.0");
	g_assert_cmpstr(operation->wanted, ==, "w");
	g_assert_cmpstr(operation->seen, ==, "s");
}

static void put_revision(struct store *store, const char *commit, const char *summary, const char *state, gint64 wall_us)
{
	const struct store_revision revision = { .commit = commit, .summary = summary, .state = state, .wall_us = wall_us };
	g_assert_true(store_put_revision(store, &revision, NULL));
}

static void test_revisions(struct fixture *fixture, gconstpointer data)
{
	put_revision(fixture->store, "aaa", "first", "applying", 1);
	put_revision(fixture->store, "bbb", "second", "applying", 2);
	put_revision(fixture->store, "bbb", NULL, "converged", 3);
	put_revision(fixture->store, "aaa", NULL, "converged", 4); /* taken back */
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_assert_true(store_revisions(fixture->store, fixture->arena, 10, list, NULL));
	g_assert_cmpuint(list->len, ==, 2);
	const struct store_revision *newest = &g_array_index(list, struct store_revision, 0);
	g_assert_cmpstr(newest->commit, ==, "aaa");
	g_assert_cmpstr(newest->summary, ==, "first");
	g_assert_cmpstr(newest->state, ==, "converged");
	g_assert_cmpint(newest->wall_us, ==, 4);
	g_assert_null(newest->reason);
}

static void put_event(struct store *store, const char *key, const char *kind, const char *text, gint64 wall_us)
{
	const struct store_event event = { .key = key, .kind = kind, .text = text, .revision = "abc", .wall_us = wall_us,
					   .origin = { "net/edge.yaml", 4, 2 } };
	g_assert_true(store_put_event(store, &event, NULL));
}

static size_t count_events(struct fixture *fixture, const char *key, const char *kind, gint64 since, size_t limit,
			   struct store_event *ret_newest)
{
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_assert_true(store_events(fixture->store, fixture->arena, key, kind, since, limit, list, NULL));
	if (ret_newest && list->len)
		*ret_newest = g_array_index(list, struct store_event, 0);
	return list->len;
}

static void test_events(struct fixture *fixture, gconstpointer data)
{
	put_event(fixture->store, "vnfc/a", "drift", "mtu", 10);
	put_event(fixture->store, "vnfc/a", "repaired", "mtu", 20);
	put_event(fixture->store, "vnfc/b", "drift", "gone", 30);
	put_event(fixture->store, NULL, "drift", NULL, 40);
	struct store_event newest;
	g_assert_cmpuint(count_events(fixture, NULL, NULL, 0, 10, NULL), ==, 4);
	g_assert_cmpuint(count_events(fixture, "vnfc/a", NULL, 0, 10, &newest), ==, 2);
	g_assert_cmpstr(newest.kind, ==, "repaired");
	g_assert_cmpstr(newest.origin.file, ==, "net/edge.yaml");
	g_assert_cmpuint(newest.origin.line, ==, 4);
	g_assert_cmpuint(count_events(fixture, NULL, "drift", 0, 10, NULL), ==, 3);
	g_assert_cmpuint(count_events(fixture, "vnfc/a", "drift", 0, 10, NULL), ==, 1);
	g_assert_cmpuint(count_events(fixture, NULL, NULL, 20, 10, NULL), ==, 3);
	g_assert_cmpuint(count_events(fixture, NULL, NULL, 0, 2, &newest), ==, 2);
	g_assert_cmpint(newest.wall_us, ==, 40);
}

/* A far side that talks without end does not fill the disk; what is cut stays text. */
static void test_long_text(struct fixture *fixture, gconstpointer data)
{
	GString *text = g_string_new("x");
	while (text->len < 2 * STORE_TEXT_MAX_BYTES)
		g_string_append(text, "\xe2\x82\xac");
	put_event(fixture->store, "vnfc/a", "ended", text->str, 1);
	g_string_free(text, TRUE);
	struct store_event event;
	g_assert_cmpuint(count_events(fixture, "vnfc/a", NULL, 0, 1, &event), ==, 1);
	g_assert_cmpuint(strlen(event.text), <=, STORE_TEXT_MAX_BYTES);
	g_assert_cmpuint(strlen(event.text), >, STORE_TEXT_MAX_BYTES - 4);
	g_assert_true(g_utf8_validate(event.text, -1, NULL));
	g_assert_true(g_str_has_suffix(event.text, "\xe2\x82\xac"));
}

static void test_retention(struct fixture *fixture, gconstpointer data)
{
	enum { MORE = 2 * STORE_PRUNE_EVERY };
	g_assert_true(store_begin(fixture->store, NULL));
	put_operation(fixture->store, "open", "vnfc/open", OP_PROCESSING, 1, NULL);
	for (int i = 0; i < STORE_EVENTS_KEPT + MORE; i++) {
		char id[32];
		g_snprintf(id, sizeof id, "r-%d", i);
		put_event(fixture->store, "vnfc/a", "drift", "x", i);
		put_operation(fixture->store, id, "vnfc/a", OP_COMPLETED, i, NULL);
		if (i < STORE_REVISIONS_KEPT + MORE)
			put_revision(fixture->store, id, NULL, "converged", i);
	}
	g_assert_true(store_commit(fixture->store, NULL));
	struct store_event newest;
	size_t events = count_events(fixture, NULL, NULL, 0, G_MAXSIZE, &newest);
	g_assert_cmpint(newest.wall_us, ==, STORE_EVENTS_KEPT + MORE - 1);
	g_assert_cmpuint(events, >=, STORE_EVENTS_KEPT);
	g_assert_cmpuint(events, <, STORE_EVENTS_KEPT + STORE_PRUNE_EVERY);
	g_autoptr(GArray) kept = operations(fixture, NULL, G_MAXSIZE), open = operations(fixture, "vnfc/open", 1);
	g_assert_cmpuint(kept->len, >=, STORE_OPERATIONS_KEPT);
	g_assert_cmpuint(kept->len, <, STORE_OPERATIONS_KEPT + STORE_PRUNE_EVERY);
	g_assert_cmpuint(open->len, ==, 1); /* as old as it is: nobody has said how it ended */
	g_autoptr(GArray) revisions = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_assert_true(store_revisions(fixture->store, fixture->arena, G_MAXSIZE, revisions, NULL));
	g_assert_cmpuint(revisions->len, >=, STORE_REVISIONS_KEPT);
	g_assert_cmpuint(revisions->len, <, STORE_REVISIONS_KEPT + STORE_PRUNE_EVERY);
}

/* Runs that are each too short to prune twice stay within the bounds too. */
static void test_short_runs(struct fixture *fixture, gconstpointer data)
{
	g_assert_true(store_begin(fixture->store, NULL));
	for (int i = 0; i < STORE_EVENTS_KEPT; i++)
		put_event(fixture->store, "vnfc/a", "drift", "x", i);
	g_assert_true(store_commit(fixture->store, NULL));
	for (int run = 0; run < 3; run++) {
		store_close(fixture->store);
		fixture->store = store_open(fixture->folder, NULL);
		g_assert_true(store_begin(fixture->store, NULL));
		for (int i = 0; i < STORE_PRUNE_EVERY / 2; i++)
			put_event(fixture->store, "vnfc/a", "drift", "x", i);
		g_assert_true(store_commit(fixture->store, NULL));
	}
	g_assert_cmpuint(count_events(fixture, NULL, NULL, 0, G_MAXSIZE, NULL), <, STORE_EVENTS_KEPT + STORE_PRUNE_EVERY);
}

/* What one turn of the loop costs: a transaction that is on disk when it returns. */
static void test_commit_cost(struct fixture *fixture, gconstpointer data)
{
	enum { TURNS = 200 };
	gint64 start = g_get_monotonic_time();
	for (int i = 0; i < TURNS; i++) {
		char id[32];
		g_snprintf(id, sizeof id, "r-%d", i);
		g_assert_true(store_begin(fixture->store, NULL));
		put_operation(fixture->store, id, "vnfc/a", OP_PROCESSING, i, NULL);
		g_assert_true(store_commit(fixture->store, NULL));
	}
	g_test_message("%.3f ms per transaction", (double) (g_get_monotonic_time() - start) / 1e3 / TURNS);
	g_autoptr(GArray) kept = operations(fixture, "vnfc/a", G_MAXSIZE);
	g_assert_cmpuint(kept->len, ==, TURNS);
}

#define ADD(path, function) g_test_add(path, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("/store/history/operations", test_operations);
	ADD("/store/history/interrupted", test_interrupted);
	ADD("/store/history/failed", test_failed);
	ADD("/store/history/revisions", test_revisions);
	ADD("/store/history/events", test_events);
	ADD("/store/history/long-text", test_long_text);
	ADD("/store/history/retention", test_retention);
	ADD("/store/history/short-runs", test_short_runs);
	ADD("/store/history/commit-cost", test_commit_cost);
	return g_test_run();
}
