/* Events by key, kind, time and number; revisions with what they changed; holds and approvals; bounds that are kept. */
#include "store/store.h"

#include "base/file.h"

#include <string.h>

struct fixture {
	char *folder;
	struct store *store;
	struct arena *arena;
	size_t told;
};

static void added(void *data)
{
	((struct fixture *) data)->told++;
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	fixture->folder = g_dir_make_tmp("pleach-store-XXXXXX", &error);
	fixture->store = store_open(fixture->folder, &error);
	fixture->arena = arena_new();
	g_assert_no_error(error);
	store_watch_events(fixture->store, added, fixture);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	store_close(fixture->store);
	arena_unref(fixture->arena);
	g_assert_true(file_remove_tree(fixture->folder, NULL));
	g_free(fixture->folder);
}

static void put(struct fixture *fixture, const char *key, const char *kind, gint64 wall_us)
{
	const struct store_event event = { .wall_us = wall_us, .key = key, .kind = kind, .text = "text", .state = "COMPLETED",
					   .duration_us = 1500 };
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_event(fixture->store, &event, &error));
}

/* The keys that are found, with their times: "vnfc/a.b@3 …". */
static char *found(struct fixture *fixture, const struct store_query *query)
{
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_autoptr(GString) out = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	store_query(fixture->store, fixture->arena, query, events, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < events->len; i++) {
		const struct store_event *event = &g_array_index(events, struct store_event, i);
		g_string_append_printf(out, "%s%s@%d", i ? " " : "", event->key ? event->key : "-", (int) event->wall_us);
		g_assert_cmpstr(event->state, ==, "COMPLETED");
		g_assert_cmpint(event->duration_us, ==, 1500);
	}
	return arena_strdup(fixture->arena, out->str);
}

static void test_query(struct fixture *fixture, gconstpointer data)
{
	put(fixture, "vnfc/edge.fw.vdu.0", EVENT_DRIFT, 1);
	put(fixture, "nf/edge.fw.vdu.0", EVENT_OPERATION, 2);
	put(fixture, "vnfc/edge2.fw.vdu.0", EVENT_DRIFT, 3);
	put(fixture, "vnfc/edge", EVENT_REPAIRED, 4);
	put(fixture, "vnfc/edge-x.y", EVENT_DRIFT, 5);
	put(fixture, NULL, EVENT_REVISION, 6);
	g_assert_cmpuint(fixture->told, ==, 6);
	const struct store_query all = { .after_id = -1, .limit = 100 };
	g_assert_cmpstr(found(fixture, &all), ==, "-@6 vnfc/edge-x.y@5 vnfc/edge@4 vnfc/edge2.fw.vdu.0@3 nf/edge.fw.vdu.0@2 vnfc/edge.fw.vdu.0@1");
	const struct store_query service = { .scope = { { "vnfc/edge", "nf/edge" } }, .after_id = -1, .limit = 100 };
	g_assert_cmpstr(found(fixture, &service), ==, "vnfc/edge@4 nf/edge.fw.vdu.0@2 vnfc/edge.fw.vdu.0@1");
	const struct store_query kinds = { .kinds = ",drift,repaired,", .since_wall_us = 2, .after_id = -1, .limit = 2 };
	g_assert_cmpstr(found(fixture, &kinds), ==, "vnfc/edge-x.y@5 vnfc/edge@4");
	const struct store_query after = { .scope = { { "vnfc/edge" } }, .after_id = 1, .limit = 100 };
	g_assert_cmpstr(found(fixture, &after), ==, "vnfc/edge@4");
	const struct store_query after_all = { .after_id = 4, .limit = 1 };
	g_assert_cmpstr(found(fixture, &after_all), ==, "vnfc/edge-x.y@5");
}

/* Told once for all that comes with a transaction, and only when it can be read. */
static void test_batches(struct fixture *fixture, gconstpointer data)
{
	const struct store_event events[] = {
		{ .wall_us = 1, .kind = EVENT_DRIFT, .key = "vnfc/a", .state = "COMPLETED", .duration_us = 1500 },
		{ .wall_us = 2, .kind = EVENT_DRIFT, .key = "vnfc/b", .state = "COMPLETED", .duration_us = 1500 },
	};
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_events(fixture->store, events, 2, &error));
	g_assert_cmpuint(fixture->told, ==, 1);
	g_assert_true(store_put_events(fixture->store, events, 0, &error));
	g_assert_true(store_begin(fixture->store, &error));
	g_assert_true(store_put_events(fixture->store, events, 2, &error));
	g_assert_cmpuint(fixture->told, ==, 1);
	g_assert_true(store_commit(fixture->store, &error));
	g_assert_cmpuint(fixture->told, ==, 2);
	g_assert_true(store_begin(fixture->store, &error));
	g_assert_true(store_put_events(fixture->store, events, 1, &error));
	store_rollback(fixture->store);
	const struct store_query all = { .after_id = -1, .limit = 100 };
	g_assert_cmpstr(found(fixture, &all), ==, "vnfc/b@2 vnfc/a@1 vnfc/b@2 vnfc/a@1");
}

static void put_revision(struct fixture *fixture, const char *commit, const char *state, gint64 wall_us, gint64 seen_us, gint64 converged_us)
{
	const struct store_revision revision = { .wall_us = wall_us, .commit = commit, .summary = "sum", .state = state, .author_us = 7,
						 .seen_us = seen_us, .converged_us = converged_us };
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_revision(fixture->store, &revision, &error));
}

static void operate(struct fixture *fixture, const char *id, const char *key, const char *revision, enum action action, enum cause cause)
{
	const struct operation operation = { .id = id, .key = key, .site = "local", .revision = revision, .action = action, .cause = cause,
					     .incarnation = 1, .attempt = 1, .state = OP_COMPLETED, .wall_us = 9 };
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_operation(fixture->store, &operation, &error) && store_count_operation(fixture->store, &operation, &error));
}

static void check_revision(const struct store_revision *revision, const char *commit, gint64 creates, gint64 changes, gint64 repairs)
{
	g_assert_cmpstr(revision->commit, ==, commit);
	g_assert_cmpint(revision->creates, ==, creates);
	g_assert_cmpint(revision->changes, ==, changes);
	g_assert_cmpint(revision->repairs, ==, repairs);
}

static void test_revisions(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	put_revision(fixture, "aaaa", "applying", 10, 10, 0);
	operate(fixture, "a-1", "link/edge.lan", "aaaa", ACTION_CREATE, CAUSE_INTENT);
	operate(fixture, "a-2", "vnfc/edge.fw.0", "aaaa", ACTION_CREATE, CAUSE_INTENT);
	put_revision(fixture, "aaaa", "converged", 12, 10, 12);
	put_revision(fixture, "bbbb", "applying", 20, 20, 0);
	operate(fixture, "b-1", "vnfc/edge.fw.0", "bbbb", ACTION_RESTART, CAUSE_INTENT);
	put_revision(fixture, "bbbb", "converged", 21, 20, 21);
	operate(fixture, "b-2", "vnfc/edge.fw.0", "bbbb", ACTION_REPLACE, CAUSE_DRIFT);
	put_revision(fixture, "bbbb", "converged", 30, 20, 30);
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_assert_true(store_revisions(fixture->store, fixture->arena, 10, all, &error));
	g_assert_cmpuint(all->len, ==, 2);
	const struct store_revision *newest = &g_array_index(all, struct store_revision, 0);
	check_revision(newest, "bbbb", 0, 1, 1);
	check_revision(&g_array_index(all, struct store_revision, 1), "aaaa", 2, 0, 0);
	g_assert_cmpint(newest->converged_us, ==, 21); /* the first time */
	g_assert_cmpint(newest->author_us, ==, 7);
	const struct store_scope vnfc = { { "vnfc/edge" } }, link = { { "link/edge.lan" } };
	g_autoptr(GArray) some = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_assert_true(store_revisions_of(fixture->store, fixture->arena, &vnfc, 10, some, &error));
	g_assert_true(store_revisions_of(fixture->store, fixture->arena, &link, 10, some, &error));
	g_assert_cmpuint(some->len, ==, 3);
	check_revision(&g_array_index(some, struct store_revision, 0), "bbbb", 0, 1, 1);
	check_revision(&g_array_index(some, struct store_revision, 1), "aaaa", 1, 0, 0);
	check_revision(&g_array_index(some, struct store_revision, 2), "aaaa", 1, 0, 0);
	/* A commit that comes again begins anew. */
	put_revision(fixture, "aaaa", "applying", 40, 40, 0);
	struct store_revision again;
	g_assert_true(store_revision(fixture->store, fixture->arena, "aaaa", &again, &error));
	g_assert_cmpint(again.seen_us, ==, 40);
	g_assert_cmpint(again.converged_us, ==, 0);
	g_assert_true(store_revision(fixture->store, fixture->arena, "cccc", &again, &error));
	g_assert_null(again.commit);
}

/* However many come, so many are kept, and those that are added between two prunings. */
static void test_bounds(struct fixture *fixture, gconstpointer data)
{
	enum { KEPT = 50, ADDED = 3 * STORE_PRUNE_EVERY };
	const struct store_bounds bounds = { .operations = KEPT, .events = KEPT, .revisions = KEPT };
	store_set_bounds(fixture->store, &bounds);
	g_autoptr(GError) error = NULL;
	g_assert_true(store_begin(fixture->store, &error));
	for (int i = 0; i < ADDED; i++) {
		g_autofree char *id = g_strdup_printf("id-%d", i);
		put(fixture, "vnfc/a", EVENT_DRIFT, i);
		operate(fixture, id, "vnfc/a", id, ACTION_CREATE, CAUSE_INTENT);
		put_revision(fixture, id, "converged", i, i, i);
	}
	g_assert_true(store_commit(fixture->store, &error));
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_autoptr(GArray) operations = g_array_new(FALSE, FALSE, sizeof(struct operation));
	g_autoptr(GArray) revisions = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	g_assert_true(store_events(fixture->store, fixture->arena, NULL, NULL, 0, ADDED, events, &error));
	g_assert_true(store_operations(fixture->store, fixture->arena, NULL, ADDED, operations, &error));
	g_assert_true(store_revisions(fixture->store, fixture->arena, ADDED, revisions, &error));
	const guint lengths[] = { events->len, operations->len, revisions->len };
	for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
		g_assert_cmpuint(lengths[i], >=, KEPT);
		g_assert_cmpuint(lengths[i], <, KEPT + STORE_PRUNE_EVERY);
	}
	g_assert_cmpint(g_array_index(events, struct store_event, 0).wall_us, ==, ADDED - 1);
}

static void test_holds(struct fixture *fixture, gconstpointer data)
{
	const struct store_hold first = { "edge", "anna", "racks", 1, 0 }, second = { "**", "bert", "no hands", 2, 9 };
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_hold(fixture->store, &first, &error) && store_put_hold(fixture->store, &second, &error));
	const struct store_hold again = { "edge", "carl", "cables", 3, 8 };
	g_assert_true(store_put_hold(fixture->store, &again, &error));
	store_close(fixture->store);
	fixture->store = store_open(fixture->folder, &error);
	g_autoptr(GArray) holds = g_array_new(FALSE, FALSE, sizeof(struct store_hold));
	g_assert_true(store_holds(fixture->store, fixture->arena, holds, &error));
	g_assert_cmpuint(holds->len, ==, 2);
	const struct store_hold *edge = &g_array_index(holds, struct store_hold, 1);
	g_assert_cmpstr(edge->target, ==, "edge");
	g_assert_cmpstr(edge->who, ==, "carl");
	g_assert_cmpint(edge->until_us, ==, 8);
	g_assert_true(store_drop_hold(fixture->store, "edge", &error) && store_drop_hold(fixture->store, "edge", &error));
	for (int i = 0; i < STORE_HOLDS_MAX - 1; i++) {
		g_autofree char *target = g_strdup_printf("s%d", i);
		const struct store_hold more = { target, "x", "y", 1, 0 };
		g_assert_true(store_put_hold(fixture->store, &more, &error));
	}
	g_assert_true(store_put_hold(fixture->store, &second, &error)); /* it is one of them */
	g_assert_false(store_put_hold(fixture->store, &first, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
}

static void test_approvals(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	const char *who = "x";
	put_revision(fixture, "aaaa", "held", 1, 1, 0);
	g_assert_true(store_approval(fixture->store, fixture->arena, "aaaa", &who, &error));
	g_assert_null(who);
	g_assert_true(store_put_approval(fixture->store, "aaaa", "anna", 1, &error) && store_put_approval(fixture->store, "aaaa", "bert", 2, &error));
	g_assert_true(store_approval(fixture->store, fixture->arena, "aaaa", &who, &error));
	g_assert_cmpstr(who, ==, "anna");
	g_assert_true(store_approval(fixture->store, fixture->arena, "aaab", &who, &error));
	g_assert_null(who);
}

static void test_is_about(void)
{
	static const struct {
		const char *target, *key;
		bool is;
	} cases[] = {
		{ "edge", "vnfc/edge.fw.vdu.0", true }, { "edge", "link/edge.lan", true }, { "edge", "vnfc/edge2.fw.vdu.0", false },
		{ "edge.fw", "nf/edge.fw.vdu.0", true }, { "edge.fw", "link/edge.lan", false }, { "vnf/edge.fw", "vnfc/edge.fw.vdu.0", true },
		{ "vnf/edge.fw", "nf/edge.fw.1.vdu.0", true }, { "vnf/edge.fw", "link/edge.fw.port", false },
		{ "vnfc/edge.fw.vdu.0", "nf/edge.fw.vdu.0", true }, { "nf/edge.fw.vdu.0", "vnfc/edge.fw.vdu.0", false },
		{ "vnfc/edge.fw.vdu.0", "vnfc/edge.fw.vdu.01", false }, { "**", "link/a.b", true }, { "edge.*.vdu.0", "vnfc/edge.fw.vdu.0", true },
		{ "nf/**", "nf/a.b.c", true }, { "nf/**", "vnfc/a.b.c", false }, { "site/s", "vnfc/a.b.c", true }, { "site/t", "vnfc/a.b.c", false },
		{ "site/s", "site/s", true }, { "**", "site/s", true }, { "s", "site/s", false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct store_hold hold = { .target = cases[i].target };
		g_test_message("%s %s", cases[i].target, cases[i].key);
		g_assert_cmpint(store_hold_is_about(&hold, cases[i].key, "s"), ==, cases[i].is);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/store/past/query", struct fixture, NULL, set_up, test_query, tear_down);
	g_test_add("/store/past/batches", struct fixture, NULL, set_up, test_batches, tear_down);
	g_test_add("/store/past/revisions", struct fixture, NULL, set_up, test_revisions, tear_down);
	g_test_add("/store/past/bounds", struct fixture, NULL, set_up, test_bounds, tear_down);
	g_test_add("/store/past/holds", struct fixture, NULL, set_up, test_holds, tear_down);
	g_test_add("/store/past/approvals", struct fixture, NULL, set_up, test_approvals, tear_down);
	g_test_add_func("/store/past/is-about", test_is_about);
	return g_test_run();
}
