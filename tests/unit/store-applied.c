/* Last applied: what goes in comes out, field by field, with the commit that asked for each value; also when it is damaged. */
#include "store/encode.h"
#include "store/store.h"

#include "base/file.h"
#include "model/key.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define COMMIT_1 "1111111111111111111111111111111111111111"
#define COMMIT_2 "2222222222222222222222222222222222222222"

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

static struct store *open_store(const char *folder)
{
	g_autoptr(GError) error = NULL;
	struct store *store = store_open(folder, &error);
	g_assert_no_error(error);
	return store;
}

static const struct origin here = { "net/edge.yaml", 12, 9 };

static const struct object *a_vnfc(struct arena *arena, const char *key, gint64 mtu)
{
	struct object_builder *builder = object_builder_new(arena, key, "berlin", here);
	const char *const addresses[] = { "10.0.0.5", "fd00::5" };
	object_set_string(builder, "state", "running", here);
	object_set_int(builder, "mem_bytes", G_GINT64_CONSTANT(8) << 30, (struct origin) { "vnfd/fw.yaml", 3, 1 });
	object_set_int(builder, "vcpus", -1, ORIGIN_NONE);
	object_set_string(builder, "cp.lan.link", "link/edge.lan", here);
	object_set_int(builder, "cp.lan.mtu", mtu, here);
	object_set(builder, "cp.lan.addresses", value_string_list(arena, addresses, 2), here);
	object_set_string(builder, "hostname", "h\xc3\xa4 \"quoted\"\nline", here);
	object_set(builder, "label.vdu", value_secret(arena, "name", "key"), here);
	object_depends_on(builder, "link/edge.lan");
	object_set_incarnation(builder, 7);
	object_set_descriptor(builder, "fw-1.0");
	return object_build(builder);
}

static void put(struct store *store, const struct object *object, const char *key, const char *commit)
{
	g_autoptr(GError) error = NULL;
	g_assert_true(store_begin(store, &error));
	g_assert_true(store_put_applied(store, key, object, commit, &error));
	g_assert_true(store_commit(store, &error));
	g_assert_no_error(error);
}

static struct objects last(struct store *store, struct arena *arena)
{
	g_autoptr(GError) error = NULL;
	struct objects objects = { 0 };
	store_last_applied(store, arena, &objects, &error);
	g_assert_no_error(error);
	return objects;
}

static void assert_same(const struct object *a, const struct object *b)
{
	g_autoptr(json_t) x = object_to_json(a), y = object_to_json(b);
	g_autofree char *text_x = json_text(x, 1), *text_y = json_text(y, 1);
	g_assert_cmpstr(text_x, ==, text_y);
	g_assert_cmpuint(a->incarnation, ==, b->incarnation);
	g_assert_cmpuint(a->n_depends, ==, b->n_depends);
	for (size_t i = 0; i < a->n_fields; i++)
		g_assert_true(a->fields[i].spec == b->fields[i].spec);
}

static void test_round_trip(void)
{
	char *folder = new_folder();
	auto_ptr(arena) arena = arena_new();
	const struct object *object = a_vnfc(arena, "vnfc/edge.fw.vdu.0", 1500);
	{
		auto_ptr(store) store = open_store(folder);
		g_assert_cmpuint(last(store, arena).n, ==, 0);
		put(store, object, object->key, COMMIT_1);
		put(store, a_vnfc(arena, "vnfc/edge.b.vdu.0", 1400), "vnfc/edge.b.vdu.0", COMMIT_1);
	}
	auto_ptr(store) store = open_store(folder);
	struct objects objects = last(store, arena);
	g_assert_cmpuint(objects.n, ==, 2);
	g_assert_cmpstr(objects.items[0]->key, ==, "vnfc/edge.b.vdu.0");
	assert_same(objects_find(objects, object->key), object);
	put(store, NULL, object->key, COMMIT_2);
	put(store, NULL, "vnfc/never.there", COMMIT_2);
	g_assert_cmpuint(last(store, arena).n, ==, 1);
	drop_folder(folder);
}

static const char *commit_of(const GArray *fields, const char *path)
{
	for (size_t i = 0; i < fields->len; i++)
		if (g_str_equal(g_array_index(fields, struct store_field, i).path, path))
			return g_array_index(fields, struct store_field, i).revision;
	return NULL;
}

static void test_commit_per_field(void)
{
	char *folder = new_folder();
	auto_ptr(arena) arena = arena_new();
	auto_ptr(store) store = open_store(folder);
	const char *key = "vnfc/edge.fw.vdu.0";
	put(store, a_vnfc(arena, key, 1500), key, COMMIT_1);
	put(store, a_vnfc(arena, key, 1400), key, COMMIT_2);
	g_autoptr(GArray) fields = g_array_new(FALSE, FALSE, sizeof(struct store_field));
	g_assert_true(store_applied_fields(store, arena, key, fields, NULL));
	g_assert_cmpuint(fields->len, ==, 8);
	g_assert_cmpstr(commit_of(fields, "cp.lan.mtu"), ==, COMMIT_2);
	g_assert_cmpstr(commit_of(fields, "cp.lan.addresses"), ==, COMMIT_1);
	g_assert_cmpstr(commit_of(fields, "vcpus"), ==, COMMIT_1);
	/* Taken away and put there again: asked for anew. */
	put(store, NULL, key, COMMIT_2);
	put(store, a_vnfc(arena, key, 1400), key, COMMIT_1);
	g_array_set_size(fields, 0);
	g_assert_true(store_applied_fields(store, arena, key, fields, NULL));
	g_assert_cmpstr(commit_of(fields, "cp.lan.mtu"), ==, COMMIT_1);
	g_array_set_size(fields, 0);
	g_assert_true(store_applied_fields(store, arena, "vnfc/none", fields, NULL));
	g_assert_cmpuint(fields->len, ==, 0);
	drop_folder(folder);
}

/* Every value there can be, nested, through the encoding alone. */
static void test_values(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct value *leaves[] = {
		&value_unknown, &value_null, value_bool(true), value_bool(false), value_integer(arena, G_MININT64),
		value_integer(arena, G_MAXINT64), value_integer(arena, 0), value_float(arena, -0.125),
		value_string(arena, ""), value_string(arena, "x"),
		value_digest(arena, "ab"), value_secret(arena, "n", NULL),
	};
	const char *const keys[] = { "b", "a" };
	const struct value *const two[] = { leaves[4], leaves[8] };
	const struct value *list = value_list(arena, leaves, G_N_ELEMENTS(leaves)), *map = value_map(arena, keys, two, 2);
	const struct value *const both[] = { list, map, value_list(arena, NULL, 0) };
	const struct value *whole = value_list(arena, both, 3);
	struct object_builder *builder = object_builder_new(arena, "nf/a.b", "s", here);
	object_set(builder, "command", whole, here);
	const struct object *object = object_build(builder);
	const char *revisions[] = { COMMIT_1, COMMIT_1 };
	g_autoptr(GByteArray) bytes = object_encode(object, revisions);
	auto_ptr(decoder) decoder = decoder_new(arena);
	const struct object *back = object_decode(decoder, "nf/a.b", bytes->data, bytes->len, NULL);
	g_assert_nonnull(back);
	assert_same(back, object);
	g_assert_cmpint(back->fields[0].value->list.items[0]->list.items[4]->integer, ==, G_MININT64);
}

/* Cut anywhere, or with any byte changed: refused or read as something well-formed, never worse. */
static void test_damaged(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct object *object = a_vnfc(arena, "vnfc/a.b", 1500);
	const char *revisions[16];
	for (size_t i = 0; i < G_N_ELEMENTS(revisions); i++)
		revisions[i] = COMMIT_1;
	g_autoptr(GByteArray) bytes = object_encode(object, revisions);
	for (size_t n = 0; n < bytes->len; n++) {
		auto_ptr(arena) scratch = arena_new();
		auto_ptr(decoder) decoder = decoder_new(scratch);
		g_autofree guint8 *cut = g_memdup2(bytes->data, MAX(n, 1));
		g_assert_null(object_decode(decoder, "vnfc/a.b", cut, n, NULL));
	}
	for (size_t i = 0; i < bytes->len; i++) {
		for (unsigned flip = 1; flip < 256; flip = flip * 2 + 1) {
			auto_ptr(arena) scratch = arena_new();
			auto_ptr(decoder) decoder = decoder_new(scratch);
			g_autofree guint8 *other = g_memdup2(bytes->data, bytes->len);
			other[i] ^= (guint8) flip;
			const struct object *read = object_decode(decoder, "vnfc/a.b", other, bytes->len, NULL);
			if (read)
				json_decref(object_to_json(read));
		}
	}
	auto_ptr(decoder) decoder = decoder_new(arena);
	g_assert_null(object_decode(decoder, "nonsense", bytes->data, bytes->len, NULL));
	g_assert_null(object_decode(decoder, "nokind/a.b", bytes->data, bytes->len, NULL));
	g_assert_null(object_decode(decoder, "vnfc/a.b", "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 11, NULL));
}

static gint64 log_bytes(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "pleach.db-wal", NULL);
	struct stat st;
	g_assert_cmpint(stat(path, &st), ==, 0);
	return st.st_size;
}

static void test_sites(void)
{
	char *folder = new_folder();
	auto_ptr(arena) arena = arena_new();
	auto_ptr(store) store = open_store(folder);
	const struct driver_ref leaf = { .name = "leaf", .driver = "leaf", .options = value_map(arena, NULL, NULL, 0) };
	struct site berlin = { .name = "berlin", .owner = "me",
			       .vim = { .name = "vim", .driver = "local", .options = leaf.options },
			       .ems = &leaf, .n_ems = 1, .steering = "route", .capacity_vnfs = 5, .origin = here };
	struct site aachen = berlin;
	aachen.name = "aachen";
	g_autoptr(GError) error = NULL;
	g_assert_true(store_put_site(store, &berlin, &error));
	g_assert_true(store_put_site(store, &aachen, &error));
	/* What is there as it is writes nothing: it is said at every commit. */
	gint64 before = log_bytes(folder);
	g_assert_true(store_put_site(store, &berlin, &error));
	g_assert_cmpint(log_bytes(folder), ==, before);
	berlin.capacity_vnfs = 6;
	g_assert_true(store_put_site(store, &berlin, &error));
	g_assert_cmpint(log_bytes(folder), >, before);
	g_autoptr(GPtrArray) sites = g_ptr_array_new();
	g_assert_true(store_sites(store, arena, sites, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(sites->len, ==, 2);
	const struct site *first = g_ptr_array_index(sites, 0), *second = g_ptr_array_index(sites, 1);
	g_assert_cmpstr(first->name, ==, "aachen");
	g_assert_cmpstr(second->owner, ==, "me");
	g_assert_cmpint(second->capacity_vnfs, ==, 6);
	g_assert_true(store_drop_site(store, "berlin", &error));
	g_ptr_array_set_size(sites, 0);
	g_assert_true(store_sites(store, arena, sites, &error));
	g_assert_cmpuint(sites->len, ==, 1);
	drop_folder(folder);
}

/* A rolled back transaction, and what was never committed, leave nothing. */
static void test_rollback(void)
{
	char *folder = new_folder();
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	{
		auto_ptr(store) store = open_store(folder);
		g_assert_true(store_begin(store, &error));
		g_assert_true(store_put_applied(store, "vnfc/a.b", a_vnfc(arena, "vnfc/a.b", 1), COMMIT_1, &error));
		store_rollback(store);
		g_assert_cmpuint(last(store, arena).n, ==, 0);
		g_assert_true(store_begin(store, &error));
		g_assert_true(store_put_applied(store, "vnfc/a.b", a_vnfc(arena, "vnfc/a.b", 1), COMMIT_1, &error));
	}
	auto_ptr(store) store = open_store(folder);
	g_assert_cmpuint(last(store, arena).n, ==, 0);
	/* Left open: the next begin drops it. */
	g_assert_true(store_begin(store, &error));
	g_assert_true(store_put_applied(store, "vnfc/a.b", a_vnfc(arena, "vnfc/a.b", 1), COMMIT_1, &error));
	g_assert_true(store_begin(store, &error));
	g_assert_true(store_commit(store, &error));
	g_assert_cmpuint(last(store, arena).n, ==, 0);
	g_assert_no_error(error);
	drop_folder(folder);
}

static void test_thirty_thousand(void)
{
	enum { OBJECTS = 30000 };
	char *folder = new_folder();
	auto_ptr(arena) arena = arena_new();
	auto_ptr(store) store = open_store(folder);
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	g_assert_true(store_begin(store, &error));
	for (int i = 0; i < OBJECTS; i++) {
		auto_ptr(arena) scratch = arena_new();
		const char *key = arena_printf(scratch, "vnfc/edge.n%d.vdu.0", i);
		g_assert_true(store_put_applied(store, key, a_vnfc(scratch, key, 1500 + i % 7), COMMIT_1, &error));
	}
	g_assert_true(store_commit(store, &error));
	gint64 middle = g_get_monotonic_time();
	g_assert_cmpuint(last(store, arena).n, ==, OBJECTS);
	gint64 end = g_get_monotonic_time();
	g_test_message("30,000 objects: written in %.0f ms, read in %.0f ms", (double) (middle - start) / 1e3,
		       (double) (end - middle) / 1e3);
	/* 0.3 s without sanitizers on a machine with nothing else to do. */
	g_assert_cmpint(end - middle, <, 3 * G_USEC_PER_SEC);
	drop_folder(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/applied/round-trip", test_round_trip);
	g_test_add_func("/store/applied/commit-per-field", test_commit_per_field);
	g_test_add_func("/store/applied/values", test_values);
	g_test_add_func("/store/applied/damaged", test_damaged);
	g_test_add_func("/store/applied/sites", test_sites);
	g_test_add_func("/store/applied/rollback", test_rollback);
	g_test_add_func("/store/applied/thirty-thousand", test_thirty_thousand);
	return g_test_run();
}
