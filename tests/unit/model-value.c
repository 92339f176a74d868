#include "model/expr.h"
#include "model/value.h"

#include <math.h>
#include <string.h>

#define HELLO_SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static struct arena *arena;

static const struct value *text(const char *string)
{
	return value_string(arena, string);
}

static const struct value *pending(const char *key)
{
	return value_pending(arena, expr_attribute(arena, key, "cp.a.addresses", (const char *const[]) { "0" }, 1));
}

static const struct value *list2(const struct value *a, const struct value *b)
{
	return value_list(arena, (const struct value *const[]) { a, b }, 2);
}

static const struct value *map2(const char *key_a, const struct value *a, const char *key_b, const struct value *b)
{
	return value_map(arena, (const char *const[]) { key_a, key_b }, (const struct value *const[]) { a, b }, 2);
}

static char *digest(const struct value *value)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	value_hash(value, sum);
	return g_strdup(g_checksum_get_string(sum));
}

static void check_equal(const struct value *a, const struct value *b, bool equal)
{
	g_test_message("%s and %s", value_text(arena, a), value_text(arena, b));
	g_assert_true(value_equal(a, b) == equal);
	g_assert_true(value_equal(b, a) == equal);
	g_autofree char *left = digest(a), *right = digest(b);
	g_assert_true((strcmp(left, right) == 0) == equal);
}

static void test_equal(void)
{
	check_equal(value_integer(arena, 1), value_float(arena, 1.0), true);
	check_equal(value_integer(arena, 0), value_float(arena, -0.0), true);
	check_equal(value_integer(arena, (1LL << 53) + 1), value_float(arena, 0x1p53), false);
	check_equal(value_integer(arena, G_MAXINT64), value_float(arena, 0x1p63), false);
	check_equal(value_integer(arena, G_MININT64), value_float(arena, -0x1p63), true);
	check_equal(value_float(arena, 0.5), value_float(arena, 0.5), true);
	check_equal(value_integer(arena, 1), value_bool(true), false);
	check_equal(value_integer(arena, 1), text("1"), false);
	check_equal(text("hello"), value_digest(arena, HELLO_SHA256), true);
	check_equal(text("hello "), value_digest(arena, HELLO_SHA256), false);
	check_equal(text("hello"), value_secret(arena, "hello", NULL), false);
	check_equal(value_secret(arena, "db", "user"), value_secret(arena, "db", "password"), false);
	check_equal(pending("vnfc/a.0"), pending("vnfc/a.0"), true);
	check_equal(pending("vnfc/a.0"), pending("vnfc/a.1"), false);
	check_equal(&value_absent, &value_absent, true);
	check_equal(&value_absent, &value_null, false);
	check_equal(list2(text("a"), text("b")), list2(text("a"), text("b")), true);
	check_equal(list2(text("a"), text("b")), list2(text("b"), text("a")), false);
	check_equal(list2(text("ab"), text("")), list2(text("a"), text("b")), false);
	check_equal(map2("x", text("a"), "y", text("b")), map2("y", text("b"), "x", text("a")), true);
	check_equal(map2("x", text("a"), "y", text("b")), map2("x", text("a"), "z", text("b")), false);
	check_equal(list2(text("x"), value_digest(arena, HELLO_SHA256)), list2(text("x"), text("hello")), true);
	g_assert_false(value_equal(&value_unknown, &value_unknown));
	g_assert_false(value_equal(list2(&value_unknown, text("a")), list2(&value_unknown, text("a"))));
}

/* Templates of one name but of other text are other values. */
static void test_pending_text(void)
{
	const struct expr *scope = expr_map(arena, NULL, NULL, 0);
	const struct value *a = value_pending(arena, expr_template(arena, "x.cfg", "one", scope));
	check_equal(a, value_pending(arena, expr_template(arena, "x.cfg", "one", scope)), true);
	check_equal(a, value_pending(arena, expr_template(arena, "x.cfg", "two", scope)), false);
	check_equal(a, value_copy(arena, a), true);
}

static void test_order(void)
{
	const struct value *ordered[] = {
		&value_absent, &value_null, value_bool(false), value_bool(true), value_float(arena, -1.5), value_integer(arena,
				2),
		value_float(arena, 2.5), value_integer(arena, (1LL << 53) + 1), value_float(arena, 1e300), value_float(arena,
				(double) NAN),
		text("a"), text("b"), list2(text("a"), text("a")), list2(text("a"), text("b")),
	};
	for (size_t i = 0; i < G_N_ELEMENTS(ordered); i++) {
		for (size_t j = 0; j < G_N_ELEMENTS(ordered); j++) {
			int order = value_compare(ordered[i], ordered[j]);
			g_assert_cmpint(order < 0 ? -1 : order > 0, ==, i < j ? -1 : i > j);
		}
	}
}

static void test_known(void)
{
	g_assert_true(value_is_known(&value_null));
	g_assert_true(value_is_known(list2(text("a"), value_digest(arena, HELLO_SHA256))));
	g_assert_false(value_is_known(&value_absent));
	g_assert_false(value_is_known(&value_unknown));
	g_assert_false(value_is_known(list2(text("a"), map2("x", text("a"), "y", pending("vnfc/a.0")))));
}

static void test_map(void)
{
	const struct value *map = map2("b", text("1"), "a", text("2"));
	g_assert_cmpstr(map->map.keys[0], ==, "a");
	g_assert_cmpstr(value_map_get(map, "b")->string, ==, "1");
	g_assert_true(value_map_get(map, "c") == &value_absent);
	g_assert_true(value_map_get(text("x"), "c") == &value_absent);
	const struct value *twice = map2("a", text("first"), "a", text("last"));
	g_assert_cmpuint(twice->map.n, ==, 1);
	g_assert_cmpstr(value_map_get(twice, "a")->string, ==, "last");
}

static void test_print(void)
{
	const struct {
		const struct value *value;
		const char *text;
	} cases[] = {
		{ &value_absent, "none" },
		{ &value_unknown, "unknown" },
		{ &value_null, "null" },
		{ value_bool(true), "true" },
		{ value_integer(arena, -5), "-5" },
		{ value_float(arena, 0.1), "0.1" },
		{ value_float(arena, 1e21), "1000000000000000000000" },
		{ value_float(arena, 1e-7), "0.0000001" },
		{ text("10.0.0.0/24"), "10.0.0.0/24" },
		{ text("02:00:00:00:00:01"), "02:00:00:00:00:01" },
		{ text("two words"), "two words" },
		{ text(""), "\"\"" },
		{ text(" x"), "\" x\"" },
		{ text("none"), "\"none\"" },
		{ text("0644"), "\"0644\"" },
		{ text("a, b"), "\"a, b\"" },
		{ text("say \"x\"\t\x01"), "\"say \\\"x\\\"\\t\\x01\"" },
		{ text("one\ntwo\n"), "text of 2 lines, sha256:c3f9c8c2…" },
		{ text("one\n"), "text of 1 line, sha256:2c8b08da…" },
		{ value_digest(arena, HELLO_SHA256), "sha256:2cf24dba…" },
		{ value_secret(arena, "db", "user"), "secret:db#user" },
		{ pending("vnfc/a.0"), "known after vnfc/a.0" },
		{ list2(text("a"), value_integer(arena, 1)), "[a, 1]" },
		{ map2("b", text("1"), "a", list2(text("x"), text("y"))), "{a: [x, y], b: \"1\"}" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(value_text(arena, cases[i].value), ==, cases[i].text);
	g_assert_true(g_utf8_validate(value_text(arena, text("\xff")), -1, NULL));
}

static void test_json(void)
{
	const struct {
		const struct value *value;
		const char *json;
	} cases[] = {
		{ &value_absent, "{\"$absent\":true}" },
		{ &value_unknown, "{\"$unknown\":true}" },
		{ &value_null, "null" },
		{ value_bool(false), "false" },
		{ value_integer(arena, G_MAXINT64), "9223372036854775807" },
		{ value_float(arena, 1.0), "1.0" },
		{ value_float(arena, (double) NAN), "{\"$float\":\"nan\"}" },
		{ value_float(arena, (double) -INFINITY), "{\"$float\":\"-inf\"}" },
		{ text("a\nb"), "\"a\\nb\"" },
		{ text("\xff\xfe"), "{\"$bytes\":\"//4=\"}" },
		{ value_digest(arena, HELLO_SHA256), "{\"$digest\":\"sha256:" HELLO_SHA256 "\"}" },
		{ value_secret(arena, "db", "user"), "{\"$secret\":\"db#user\"}" },
		{ list2(text("a"), &value_null), "[\"a\",null]" },
		{ map2("$digest", text("x"), "$$", text("y")), "{\"$$$\":\"y\",\"$$digest\":\"x\"}" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(json_t) json = value_to_json(cases[i].value);
		g_autofree char *written = json_text(json, 0);
		g_strchomp(written);
		g_autofree char *compact = g_strdup(cases[i].json);
		g_autoptr(json_t) expected = json_loads(compact, JSON_DECODE_ANY, NULL);
		g_test_message("%s", written);
		g_assert_true(json_equal(json, expected));
		const struct value *back = value_from_json(arena, json);
		g_assert_cmpint(value_compare(back, cases[i].value), ==, 0);
		g_assert_cmpint(back->type, ==, cases[i].value->type);
	}
	g_autoptr(json_t) json = value_to_json(pending("vnfc/a.0"));
	g_assert_cmpstr(json_string_value(json_object_get(json, "$pending")), ==, "get_attribute(vnfc/a.0, cp.a.addresses, 0)");
	g_assert_cmpint(value_from_json(arena, json)->type, ==, VALUE_UNKNOWN);
}

static void test_json_hostile(void)
{
	static const char *const bad[] = {
		"{\"$absent\":1}", "{\"$what\":true}", "{\"$digest\":\"sha256:12\"}", "{\"$digest\":\"md5:" HELLO_SHA256 "\"}",
		"{\"$digest\":\"sha256:" HELLO_SHA256 "\",\"x\":1}",
		"{\"$secret\":\"\"}", "{\"$bytes\":\"AAAA\"}", "{\"$float\":\"1\"}", "{\"$\":1}",
		"[[{\"$unknown\":false}]]",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(json_t) json = json_loads(bad[i], 0, NULL);
		g_assert_nonnull(json);
		g_assert_true(value_from_json(arena, json) == &value_unknown);
	}
	for (int depth = VALUE_DEPTH_MAX; depth <= VALUE_DEPTH_MAX + 1; depth++) {
		g_autoptr(GString) nested = g_string_new(NULL);
		for (int i = 0; i < depth; i++)
			g_string_append_c(nested, '[');
		g_string_append_c(nested, '1');
		for (int i = 0; i < depth; i++)
			g_string_append_c(nested, ']');
		g_autoptr(json_t) json = json_loads(nested->str, 0, NULL);
		g_assert_true((value_from_json(arena, json) == &value_unknown) == (depth > VALUE_DEPTH_MAX));
	}
}

static void test_copy(void)
{
	const struct value *value = map2("x", list2(text("a"), pending("vnfc/a.0")), "y", value_float(arena, 2.5));
	auto_ptr(arena) other = arena_new();
	const struct value *copy = value_copy(other, value);
	g_assert_true(copy != value && value_equal(copy, value));
	g_assert_true(value_copy(other, &value_unknown) == &value_unknown);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/value/equal", test_equal);
	g_test_add_func("/value/pending-text", test_pending_text);
	g_test_add_func("/value/order", test_order);
	g_test_add_func("/value/known", test_known);
	g_test_add_func("/value/map", test_map);
	g_test_add_func("/value/print", test_print);
	g_test_add_func("/value/json", test_json);
	g_test_add_func("/value/json-hostile", test_json_hostile);
	g_test_add_func("/value/copy", test_copy);
	arena = arena_new();
	int status = g_test_run();
	arena_unref(arena);
	return status;
}
