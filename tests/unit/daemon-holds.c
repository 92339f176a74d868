/* Holds: suspended, resumed, expired, over a restart; a revision that would empty a site, approved. */
#include "daemon/holds.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#include <stdint.h>
#include <string.h>

struct fixture {
	char *folder;
	struct store *store;
	struct holds *holds;
	struct arena *arena;
	unsigned changes;
};

static void changed(void *data)
{
	((struct fixture *) data)->changes++;
}

static void open_all(struct fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	fixture->store = store_open(fixture->folder, &error);
	g_assert_no_error(error);
	fixture->holds = holds_new(fixture->store, &error);
	g_assert_no_error(error);
	holds_on_change(fixture->holds, changed, fixture);
}

static void close_all(struct fixture *fixture)
{
	g_clear_pointer(&fixture->holds, holds_free);
	g_clear_pointer(&fixture->store, store_close);
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("pleach-holds-XXXXXX", NULL);
	fixture->arena = arena_new();
	open_all(fixture);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	close_all(fixture);
	arena_unref(fixture->arena);
	g_assert_true(file_remove_tree(fixture->folder, NULL));
	g_free(fixture->folder);
}

/* "KEY@SITE …" */
static struct objects objects_of(struct arena *arena, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	for (size_t i = 0; words[i] && *words[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(words[i], "@", 2);
		struct object_builder *builder = object_builder_new(arena, parts[0], parts[1], ORIGIN_NONE);
		g_ptr_array_add(objects, (gpointer) (uintptr_t) object_build(builder));
	}
	return objects_sorted(arena, (const struct object *const *) objects->pdata, objects->len);
}

/* Why @key is held, with what is desired, was applied, and is there. */
static const char *why(struct fixture *fixture, const char *key, const char *desired, const char *last, const char *observed)
{
	struct arena *arena = fixture->arena;
	const struct network network = { .arena = arena, .revision = "0123456789abcdef0123", .objects = objects_of(arena, desired) };
	const struct observed seen = { .arena = arena, .objects = objects_of(arena, observed) };
	auto_ptr(holds_check) check = holds_check_new(fixture->holds, &network, objects_of(arena, last), &seen);
	return holds_check_reason(check, key, arena);
}

static const char *why_faulty(struct fixture *fixture, const char *key, const char *faulty, const char *observed)
{
	struct arena *arena = fixture->arena;
	const struct network network = {
		.arena = arena, .revision = "0123456789abcdef0123", .faulty_services = &faulty, .n_faulty_services = 1,
	};
	const struct observed seen = { .arena = arena, .objects = objects_of(arena, observed) };
	auto_ptr(holds_check) check = holds_check_new(fixture->holds, &network, (struct objects) { 0 }, &seen);
	return holds_check_reason(check, key, arena);
}

static bool suspend(struct fixture *fixture, const char *target, const char *reason, gint64 for_us, GError **error)
{
	gint64 now_us = clock_wall_us();
	const struct store_hold hold = { .target = target, .who = "anna", .reason = reason, .since_us = now_us,
					 .until_us = for_us ? now_us + for_us : 0 };
	return holds_suspend(fixture->holds, &hold, error);
}

static void test_operator(struct fixture *fixture, gconstpointer data)
{
	static const char all[] = "link/edge.lan@s vnfc/edge.fw.0@s";
	g_autoptr(GError) error = NULL;
	g_assert_null(why(fixture, "vnfc/edge.fw.0", all, "", ""));
	g_assert_true(suspend(fixture, "edge", "racks", 0, &error));
	g_assert_cmpuint(fixture->changes, ==, 1);
	g_assert_cmpstr(why(fixture, "vnfc/edge.fw.0", all, "", ""), ==, "suspended by anna: racks");
	close_all(fixture);
	open_all(fixture);
	g_assert_cmpstr(why(fixture, "vnfc/edge.fw.0", all, "", ""), ==, "suspended by anna: racks");
	g_assert_false(holds_resume(fixture->holds, "core", "bert", clock_wall_us(), &error));
	g_assert_cmpstr(error->message, ==, "core is not suspended; suspended: edge");
	g_clear_error(&error);
	g_assert_true(holds_resume(fixture->holds, "edge", "bert", clock_wall_us(), &error));
	g_assert_null(why(fixture, "vnfc/edge.fw.0", all, "", ""));
	g_assert_true(suspend(fixture, "site/s", "window", 0, &error));
	g_assert_nonnull(why(fixture, "vnfc/edge.fw.0", all, "", ""));
	g_assert_null(why(fixture, "vnfc/edge.fw.0", "vnfc/edge.fw.0@t", "", ""));
}

static void test_wrong(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *long_reason = g_strnfill(HOLD_REASON_MAX_BYTES + 1, 'x'), *long_target = g_strnfill(HOLD_TARGET_MAX_BYTES + 1, 'x');
	const char *const targets[] = { "", "a b", long_target, "edge", "edge" }, *const reasons[] = { "r", "r", "r", "", long_reason };
	for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_false(suspend(fixture, targets[i], reasons[i], 0, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
	g_autoptr(GError) error = NULL;
	g_assert_false(suspend(fixture, "edge", "r", -1, &error));
	g_assert_cmpuint(fixture->changes, ==, 0);
}

static void test_expiry(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_assert_true(suspend(fixture, "edge", "racks", 30 * 1000, &error));
	g_assert_true(suspend(fixture, "core", "racks", 20 * 1000, &error));
	g_assert_nonnull(why(fixture, "vnfc/edge.fw.0", "", "", ""));
	unsigned before = fixture->changes;
	size_t n = 2;
	while (n) { /* each when it is due, or both at once where this process had to wait */
		g_assert_cmpint(holds_one_expires(fixture->holds), ==, true);
		g_main_context_iteration(NULL, TRUE);
		holds_list(fixture->holds, fixture->arena, &n);
	}
	g_assert_cmpuint(fixture->changes, >, before);
	g_assert_false(holds_one_expires(fixture->holds));
	g_assert_null(why(fixture, "vnfc/edge.fw.0", "", "", ""));
	/* Also while nobody was there. */
	g_assert_true(suspend(fixture, "edge", "racks", 10 * 1000, &error));
	close_all(fixture);
	g_usleep(15 * 1000);
	open_all(fixture);
	g_assert_null(why(fixture, "vnfc/edge.fw.0", "", "", ""));
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	g_assert_true(store_events(fixture->store, fixture->arena, NULL, EVENT_EXPIRED, 0, 10, events, &error));
	g_assert_cmpuint(events->len, ==, 3);
}

static void test_danger(struct fixture *fixture, gconstpointer data)
{
	static const char wanted[] = "vnfc/a.b.0@t", there[] = "link/x.y@s vnfc/x.y.0@s vnfc/a.b.0@t";
	const char *reason = why(fixture, "vnfc/x.y.0", wanted, "", there);
	g_assert_cmpstr(reason, ==, "this revision would remove everything on site s (2 objects); `pleach approve 0123456789ab` lets it");
	/* What was applied counts where it cannot be seen, once. */
	reason = why(fixture, "link/x.y", "", "link/x.y@s link/x.z@s", "link/x.y@s");
	g_assert_true(reason && strstr(reason, "(2 objects)"));
	/* One that stays, and what only moves to another site, is no danger; nor is what is not there at all. */
	g_assert_null(why(fixture, "vnfc/x.y.0", "link/x.y@s", "", there));
	g_assert_null(why(fixture, "vnfc/x.y.0", "link/x.y@t vnfc/x.y.0@t", "", there));
	g_assert_null(why(fixture, "vnfc/x.y.0", "", "", ""));
	/* What is faulty stays as it is, so that the rest of its site may go; a name that only begins like it is another. */
	g_assert_null(why_faulty(fixture, "vnfc/x.y.0", "b.", "vnfc/b.vdu.0@s vnfc/x.y.0@s"));
	g_assert_null(why_faulty(fixture, "vnfc/x.y.0", "", "vnfc/b.vdu.0@s vnfc/x.y.0@s"));
	g_assert_nonnull(why_faulty(fixture, "vnfc/x.y.0", "b.", "vnfc/bb.vdu.0@s vnfc/x.y.0@s"));
	g_autoptr(GError) error = NULL;
	g_assert_true(holds_approve(fixture->holds, "0123456789abcdef0123", "anna", 1, &error));
	g_assert_null(why(fixture, "vnfc/x.y.0", wanted, "", there));
	g_assert_true(holds_approve(fixture->holds, "fff", "anna", 1, &error));
	g_assert_cmpuint(fixture->changes, ==, 2);
}

static void test_approved_all(struct fixture *fixture, gconstpointer data)
{
	g_assert_nonnull(why(fixture, "vnfc/x.y.0", "", "", "vnfc/x.y.0@s"));
	holds_approve_all(fixture->holds);
	g_assert_null(why(fixture, "vnfc/x.y.0", "", "", "vnfc/x.y.0@s"));
}

#define TEST(name) g_test_add("/daemon/holds/" #name, struct fixture, NULL, set_up, test_##name, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	TEST(operator);
	TEST(wrong);
	TEST(expiry);
	TEST(danger);
	TEST(approved_all);
	return g_test_run();
}
