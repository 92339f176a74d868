#include "model/object.h"

#include "base/error.h"
#include "model/key.h"
#include "model/network.h"

#include <string.h>

static struct arena *arena;

static const struct origin here = { "a.yaml", 3, 7 };

static const struct value *look(const char *key, const char *path, void *data)
{
	return strcmp(key, "vnfc/b.0") == 0 ? value_string_list(arena, (const char *const[]) { "10.0.0.9" }, 1) : &value_absent;
}

static const struct object *sample(void)
{
	struct object_builder *builder = object_builder_new(arena, "vnfc/a.0", "berlin", here);
	object_set_string(builder, "state", "running", here);
	object_set_int(builder, "vcpus", 1, here);
	object_set_int(builder, "cp.lan.mtu", 1400, here);
	object_set_string(builder, "cp.lan-2.link", "link/a.x", here);
	object_set_int(builder, "cp.lan-2.mtu", 1400, here);
	object_set_string(builder, "cp.lan.link", "link/a.lan", here);
	object_set_int(builder, "pid", 77, ORIGIN_NONE);
	object_set_string(builder, "hostname", NULL, here);
	object_set_int(builder, "vcpus", 2, here);
	object_set_int(builder, "mem_bytes", 1, here);
	object_set(builder, "mem_bytes", &value_absent, here);
	object_depends_on(builder, "link/a.x");
	object_depends_on(builder, "link/a.lan");
	object_depends_on(builder, "link/a.x");
	object_set_incarnation(builder, 4);
	object_set_descriptor(builder, "web");
	return object_build(builder);
}

static void test_build(void)
{
	static const char *const paths[] = { "cp.lan-2.link", "cp.lan-2.mtu", "cp.lan.link", "cp.lan.mtu", "pid", "state",
			"vcpus" };
	const struct object *object = sample();
	g_assert_cmpuint(object->n_fields, ==, G_N_ELEMENTS(paths));
	for (size_t i = 0; i < object->n_fields; i++)
		g_assert_cmpstr(object->fields[i].path, ==, paths[i]);
	g_assert_cmpint(object_int(object, "vcpus", 0), ==, 2);
	g_assert_cmpint(object_int(object, "mem_bytes", -1), ==, -1);
	g_assert_cmpint(object_int(object, "state", -1), ==, -1);
	g_assert_cmpstr(object_string(object, "state", NULL), ==, "running");
	g_assert_cmpstr(object_string(object, "vcpus", "no"), ==, "no");
	g_assert_true(object_value(object, "hostname") == &value_absent);
	g_assert_null(object_field(object, "cp.lan.cidr"));
	g_assert_cmpuint(object_field(object, "cp.lan.mtu")->origin.line, ==, 3);
	g_assert_cmpuint(object->n_depends, ==, 2);
	g_assert_cmpstr(object->depends[0], ==, "link/a.lan");
	g_assert_true(object->kind == &kind_vnfc);
	g_assert_cmpuint(object->incarnation, ==, 4);
}

static void test_elements(void)
{
	size_t n;
	const char *const *names = object_elements(arena, sample(), "cp", &n);
	g_assert_cmpuint(n, ==, 2);
	g_assert_cmpstr(names[0], ==, "lan");
	g_assert_cmpstr(names[1], ==, "lan-2");
	object_elements(arena, sample(), "label", &n);
	g_assert_cmpuint(n, ==, 0);
}

static void test_kinds(void)
{
	g_assert_true(kind_of_key("link") == &kind_link && kind_of_key("nf/a.0") == &kind_nf);
	g_assert_null(kind_of_key("vnf/a.0"));
	g_assert_null(kind_of_key("vnfcx/a.0"));
	g_assert_null(kind_of_key(""));
	g_assert_cmpstr(kind_spec(&kind_vnfc, "cp.lan.mtu")->pattern, ==, "cp.*.mtu");
	g_assert_null(kind_spec(&kind_vnfc, "cp.lan"));
	g_assert_null(kind_spec(&kind_vnfc, "cp..mtu"));
	g_assert_null(kind_spec(&kind_vnfc, "cp.a b.mtu"));
	g_assert_null(kind_spec(&kind_vnfc, "cp.lan.mtu.x"));
	g_assert_cmpint(kind_cost(&kind_vnfc, "vcpus", NULL), ==, COST_IN_PLACE);
	const struct cap_override overrides[] = { { "vnfc", "vcpus", COST_RESTART }, { "vnfc", "cp.*.mtu", COST_REPLACE } };
	const struct caps caps = { "x", 1, overrides, G_N_ELEMENTS(overrides), false };
	g_assert_cmpint(kind_cost(&kind_vnfc, "vcpus", &caps), ==, COST_RESTART);
	g_assert_cmpint(kind_cost(&kind_vnfc, "cp.lan.mtu", &caps), ==, COST_REPLACE);
	g_assert_cmpint(kind_cost(&kind_vnfc, "pids", &caps), ==, COST_IN_PLACE);
	g_assert_cmpint(kind_cost(&kind_link, "mtu", &caps), ==, COST_IN_PLACE);
	g_assert_cmpstr(cost_name(COST_METADATA), ==, "metadata");
	g_assert_cmpstr(cost_name(COST_REPLACE), ==, "replace");
	g_assert_true(kind_link.rank < kind_vnfc.rank && kind_vnfc.rank < kind_nf.rank);
	g_assert_cmpstr(kind_nf.host, ==, "vnfc");
}

static void test_digest(void)
{
	const struct object *a = sample();
	struct object_builder *builder = object_builder_new(arena, a->key, a->site, ORIGIN_NONE);
	for (size_t i = 0; i < a->n_fields; i++)
		object_set(builder, a->fields[i].path, a->fields[i].value, ORIGIN_NONE);
	object_set_int(builder, "pid", 78, ORIGIN_NONE); /* volatile */
	object_set(builder, "vcpus", value_float(arena, 2.0), ORIGIN_NONE);
	const struct object *b = object_build(builder);
	g_assert_cmpstr(object_digest(arena, a), ==, object_digest(arena, b));
	g_assert_cmpuint(strlen(object_digest(arena, a)), ==, 64);
	builder = object_builder_new(arena, a->key, a->site, ORIGIN_NONE);
	object_set_int(builder, "vcpus", 3, ORIGIN_NONE);
	g_assert_cmpstr(object_digest(arena, a), !=, object_digest(arena, object_build(builder)));
}

static void test_eval(void)
{
	const struct object *known = sample();
	g_assert_true(object_eval(arena, known, look, NULL, NULL) == known);
	const struct expr *address = expr_attribute(arena, "vnfc/b.0", "cp.x.addresses", (const char *const[]) { "0" }, 1);
	const struct expr *other = expr_attribute(arena, "vnfc/c.0", "cp.x.addresses", NULL, 0);
	struct object_builder *builder = object_builder_new(arena, "nf/a.0", "berlin", here);
	object_set(builder, "config.x.content", value_pending(arena, expr_concat(arena, &address, 1)), here);
	object_set(builder, "command", value_pending(arena, other), here);
	const struct object *object = object_build(builder);
	const struct object *evaluated = object_eval(arena, object, look, NULL, NULL);
	g_assert_true(evaluated != object);
	g_assert_cmpstr(object_string(evaluated, "config.x.content", NULL), ==, "10.0.0.9");
	g_assert_cmpint(object_value(evaluated, "command")->type, ==, VALUE_PENDING);
	g_assert_true(object_eval(arena, evaluated, look, NULL, NULL) == evaluated);

	const struct expr *faulty = expr_attribute(arena, "vnfc/b.0", "cp.x.addresses", (const char *const[]) { "7" }, 1);
	builder = object_builder_new(arena, "nf/a.0", "berlin", here);
	object_set(builder, "state", value_pending(arena, faulty), here);
	g_autoptr(GError) error = NULL;
	g_assert_null(object_eval(arena, object_build(builder), look, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_true(g_str_has_prefix(error->message, "nf/a.0: state: get_attribute("));
}

static void test_json(void)
{
	const struct object *object = sample();
	g_autoptr(json_t) json = object_to_json(object);
	g_autoptr(GError) error = NULL;
	const struct object *back = object_from_json(arena, json, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(object_digest(arena, back), ==, object_digest(arena, object));
	g_assert_cmpuint(back->incarnation, ==, 4);
	g_assert_cmpstr(back->descriptor, ==, "web");
	g_assert_cmpuint(back->n_depends, ==, 2);
	g_assert_cmpuint(object_field(back, "cp.lan.mtu")->origin.column, ==, 7);
	g_assert_false(origin_is_set(object_field(back, "pid")->origin));
	g_autoptr(json_t) again = object_to_json(back);
	g_assert_true(json_equal(json, again));
}

static void refuses(const char *text, const char *message)
{
	g_autoptr(json_t) json = json_loads(text, JSON_DECODE_ANY, NULL);
	g_autoptr(GError) error = NULL;
	g_assert_nonnull(json);
	g_assert_null(object_from_json(arena, json, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void test_json_hostile(void)
{
	refuses("3", "object: \"key\" is not a key");
	refuses("{}", "object: \"key\" is not a key");
	refuses("{\"key\":\"vnfc/a..b\"}", "object: \"key\" is not a key");
	refuses("{\"key\":\"dragon/a\",\"site\":\"x\"}", "dragon/a: unknown kind of object");
	refuses("{\"key\":\"link/a\"}", "link/a: \"site\" is not a name of 1 to 255 bytes");
	refuses("{\"key\":\"link/a\",\"site\":\"\"}", "link/a: \"site\" is not a name of 1 to 255 bytes");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":[]}", "link/a: \"fields\" is not an object");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{\"what\":{\"value\":1}}}",
			"link/a: a link has no field \"what\"");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{\"mtu\":1}}", "link/a: field \"mtu\" has no value");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{\"mtu\":{\"value\":{\"$x\":1}}}}",
		"link/a: field \"mtu\": \"$x\" is not a tag of a value");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{\"mtu\":{\"value\":1,\"origin\":{\"line\":1}}}}",
		"link/a: field \"mtu\": its origin names no file");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{},\"incarnation\":-1}",
		"link/a: \"incarnation\" is not a number from 0 to 2147483647");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{},\"incarnation\":4294967297}",
		"link/a: \"incarnation\" is not a number from 0 to 2147483647");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{},\"depends\":[\"x\"]}",
			"link/a: \"depends\" holds what is not a key");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{},\"depends\":{}}",
		"link/a: \"depends\" is not an array of at most 4096 keys");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{},\"descriptor\":7}", "link/a: \"descriptor\" is not a string");
	refuses("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{},\"origin\":{\"file\":\"f\",\"line\":\"x\"}}",
		"link/a: \"line\" is not a number from 0 to 2147483647");
}

static void test_json_bounds(void)
{
	g_autoptr(GString) many = g_string_new("{\"key\":\"vnfc/a\",\"site\":\"x\",\"fields\":{\"label.x\":{\"value\":1}");
	for (int i = 0; i < OBJECT_FIELDS_MAX; i++)
		g_string_append_printf(many, ",\"label.l%d\":{\"value\":1}", i);
	g_string_append(many, "}}");
	refuses(many->str, "vnfc/a: more than 4096 fields");
	g_autofree char *open = g_strnfill(VALUE_DEPTH_MAX + 1, '['), *shut = g_strnfill(VALUE_DEPTH_MAX + 1, ']');
	g_autofree char *deep = g_strdup_printf("{\"key\":\"link/a\",\"site\":\"x\",\"fields\":{\"mtu\":{\"value\":%s1%s}}}",
			open, shut);
	refuses(deep, "link/a: field \"mtu\": lists and maps are nested more than 32 deep");
	g_autofree char *site = g_strnfill(SITE_NAME_MAX + 1, 's');
	g_autofree char *wide = g_strdup_printf("{\"key\":\"link/a\",\"site\":\"%s\",\"fields\":{}}", site);
	refuses(wide, "link/a: \"site\" is not a name of 1 to 255 bytes");
}

static void test_objects(void)
{
	const struct object *items[3];
	static const char *const keys[] = { "vnfc/b", "link/z", "vnfc/a" };
	for (size_t i = 0; i < 3; i++)
		items[i] = object_build(object_builder_new(arena, keys[i], "x", ORIGIN_NONE));
	struct objects objects = objects_sorted(arena, items, 3);
	g_assert_cmpstr(objects.items[0]->key, ==, "link/z");
	g_assert_true(objects_find(objects, "vnfc/b") == items[0]);
	g_assert_null(objects_find(objects, "vnfc/c"));
	g_assert_null(objects_find((struct objects) { NULL, 0 }, "vnfc/c"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/object/build", test_build);
	g_test_add_func("/object/elements", test_elements);
	g_test_add_func("/object/kinds", test_kinds);
	g_test_add_func("/object/digest", test_digest);
	g_test_add_func("/object/eval", test_eval);
	g_test_add_func("/object/json", test_json);
	g_test_add_func("/object/json-hostile", test_json_hostile);
	g_test_add_func("/object/json-bounds", test_json_bounds);
	g_test_add_func("/object/objects", test_objects);
	arena = arena_new();
	int status = g_test_run();
	arena_unref(arena);
	return status;
}
