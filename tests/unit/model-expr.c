#include "model/expr.h"

#include "base/error.h"

#include <string.h>

static struct arena *arena;

/* What is observed: two instances; of the second nothing is known, of the third it could not be seen. */
static const struct value *look(const char *key, const char *path, void *data)
{
	g_assert_true(data == &arena);
	if (strcmp(path, "addresses") != 0)
		return &value_absent;
	if (strcmp(key, "vnfc/a") == 0)
		return value_string_list(arena, (const char *const[]) { "10.0.0.1", "10.0.0.2" }, 2);
	if (strcmp(key, "vnfc/none") == 0)
		return value_list(arena, NULL, 0);
	return strcmp(key, "vnfc/blind") == 0 ? &value_unknown : &value_absent;
}

static const struct expr *text(const char *string)
{
	return expr_value(arena, value_string(arena, string));
}

static const struct expr *addresses(const char *key, const char *index)
{
	return expr_attribute(arena, key, "addresses", &index, index ? 1 : 0);
}

#define ITEMS(...) \
	(const struct expr *const[]) { __VA_ARGS__ }, \
		sizeof((const struct expr *const[]) { __VA_ARGS__ }) / sizeof(const struct expr *)

static void gives(const struct expr *expr, const char *expected)
{
	g_autoptr(GError) error = NULL;
	const struct value *value = expr_eval(arena, expr, look, &arena, &error);
	g_assert_no_error(error);
	g_assert_true(value_is_known(value));
	g_assert_cmpstr(value_text(arena, value), ==, expected);
}

static void faults(const struct expr *expr, const char *message)
{
	g_autoptr(GError) error = NULL;
	g_assert_null(expr_eval(arena, expr, look, &arena, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, message);
}

static void note(const char *key, void *data)
{
	GString *keys = data;
	g_string_append_printf(keys, "%s ", key);
}

static void waits(const struct expr *expr, const char *keys)
{
	g_autoptr(GError) error = NULL;
	const struct value *value = expr_eval(arena, expr, look, &arena, &error);
	g_assert_no_error(error);
	g_assert_cmpint(value->type, ==, VALUE_PENDING);
	g_assert_true(value_equal(value, value_pending(arena, expr)));
	g_autoptr(GString) got = g_string_new(NULL);
	expr_waits_for(expr, look, &arena, note, got);
	g_assert_cmpstr(got->str, ==, keys);
}

static void test_known(void)
{
	gives(text("x"), "x");
	gives(addresses("vnfc/a", NULL), "[10.0.0.1, 10.0.0.2]");
	gives(addresses("vnfc/a", "1"), "10.0.0.2");
	gives(expr_concat(arena, ITEMS(text("http://"), addresses("vnfc/a", "0"), text(":"), expr_value(arena,
			value_integer(arena, 80)))),
	      "http://10.0.0.1:80");
	gives(expr_join(arena, " ", ITEMS(addresses("vnfc/a", NULL), text("x"))), "10.0.0.1 10.0.0.2 x");
	gives(expr_token(arena, text("a::b::c"), "::", 2), "c");
	gives(expr_token(arena, text("a::b::c"), "::", 0), "a");
	gives(expr_token(arena, text("abc"), ":", 0), "abc");
	gives(expr_list(arena, false, ITEMS(text("x"), addresses("vnfc/a", NULL))), "[x, [10.0.0.1, 10.0.0.2]]");
	gives(expr_list(arena, true, ITEMS(text("x"), addresses("vnfc/a", NULL))), "[x, 10.0.0.1, 10.0.0.2]");
	gives(expr_map(arena, (const char *const[]) { "b", "a" }, ITEMS(text("1st"), addresses("vnfc/a", "0"))),
			"{a: 10.0.0.1, b: 1st}");
	/* What is absent for good takes no part in lists and maps. */
	gives(expr_list(arena, false, ITEMS(text("x"), expr_value(arena, &value_absent))), "[x]");
	gives(expr_map(arena, (const char *const[]) { "a" }, ITEMS(expr_value(arena, &value_absent))), "{}");
}

static void test_waiting(void)
{
	waits(addresses("vnfc/b", "0"), "vnfc/b ");
	waits(addresses("vnfc/blind", NULL), "vnfc/blind ");
	waits(expr_concat(arena, ITEMS(addresses("vnfc/c", "0"), addresses("vnfc/a", "0"), addresses("vnfc/b", "0"))),
			"vnfc/b vnfc/c ");
	waits(expr_join(arena, ",", ITEMS(addresses("vnfc/b", NULL), addresses("vnfc/b", NULL))), "vnfc/b ");
	waits(expr_token(arena, addresses("vnfc/b", "0"), ".", 0), "vnfc/b ");
	waits(expr_list(arena, true, ITEMS(addresses("vnfc/a", NULL), addresses("vnfc/b", NULL))), "vnfc/b ");
	waits(expr_map(arena, (const char *const[]) { "a" }, ITEMS(addresses("vnfc/b", NULL))), "vnfc/b ");
}

static const struct expr *template(const char *mustache)
{
	const struct expr *ports = expr_map(arena, (const char *const[]) { "lan", "wan" },
					    ITEMS(addresses("vnfc/b", NULL), addresses("vnfc/c", NULL)));
	const struct expr *gathered = expr_list(arena, true, ITEMS(addresses("vnfc/a", NULL), addresses("vnfc/d", NULL)));
	const struct expr *scope = expr_map(arena, (const char *const[]) { "ports", "known", "gathered" },
					    ITEMS(ports, addresses("vnfc/a", NULL), gathered));
	return expr_template(arena, "x.cfg", mustache, scope);
}

/* Only what a template uses counts. */
static void test_template(void)
{
	gives(template("{{known.0}}"), "10.0.0.1");
	gives(template("{{#known}}{{.}};{{/known}}"), "10.0.0.1;10.0.0.2;");
	waits(template("{{ports.lan.0}}"), "vnfc/b ");
	waits(template("{{known.0}} {{ports.wan.0}} {{ports.lan.0}}"), "vnfc/b vnfc/c ");
	waits(template("{{#gathered}}{{.}}{{/gathered}}"), "vnfc/d ");
	waits(expr_concat(arena, ITEMS(template("{{ports.lan.0}}"), addresses("vnfc/e", NULL))), "vnfc/b vnfc/e ");
	faults(template("{{known.0}}\n {{nothing}}"), "x.cfg:2:2: \"nothing\" is not known here: there is no \"nothing\"");
	waits(expr_template(arena, "x.cfg", "", addresses("vnfc/b", NULL)), "vnfc/b ");
	faults(expr_template(arena, "x.cfg", "", text("x")), "template(x.cfg): its scope is not a map");
}

static void test_faults(void)
{
	faults(addresses("vnfc/a", "2"), "get_attribute(vnfc/a, addresses, 2): index 2: the list has 2 items, counted from 0");
	faults(addresses("vnfc/a", "x"), "get_attribute(vnfc/a, addresses, x): index x: the list has 2 items, counted from 0");
	faults(addresses("vnfc/none", "0"), "get_attribute(vnfc/none, addresses, 0): index 0: the list is empty");
	faults(expr_attribute(arena, "vnfc/a", "addresses", (const char *const[]) { "0", "x" }, 2),
	       "get_attribute(vnfc/a, addresses, 0, x): \"x\": what is before it is neither a list nor a map");
	faults(expr_concat(arena, ITEMS(addresses("vnfc/a", NULL))),
	       "concat(get_attribute(vnfc/a, addresses)): [10.0.0.1, 10.0.0.2] cannot be joined into a text");
	faults(expr_token(arena, text("a:b"), ":", 2), "token(a:b, \":\", 2): there is no piece 2");
	faults(expr_token(arena, text("a:b"), ":", -1), "token(a:b, \":\", -1): there is no piece -1");
	faults(expr_token(arena, text("a:b"), "", 0), "token(a:b, \"\", 0): the separator is empty");
	faults(expr_token(arena, expr_value(arena, value_integer(arena, 1)), ".", 0),
			"token(1, \".\", 0): only a string can be split");
	/* A fault counts, though something else is still waited for. */
	faults(expr_concat(arena, ITEMS(addresses("vnfc/b", NULL), addresses("vnfc/a", "9"))),
	       "get_attribute(vnfc/a, addresses, 9): index 9: the list has 2 items, counted from 0");
}

/* Pending values within known ones, evaluated where they are. */
static void test_value(void)
{
	const struct value *now = value_pending(arena, addresses("vnfc/a", "0"));
	const struct value *later = value_pending(arena, addresses("vnfc/b", "0"));
	const struct value *list = value_list(arena, (const struct value *const[]) { now, later }, 2);
	const struct value *map = value_map(arena, (const char *const[]) { "x" }, &list, 1);
	g_autoptr(GString) keys = g_string_new(NULL);
	const struct value *got = value_eval_waits(arena, map, look, &arena, note, keys, NULL);
	g_assert_cmpstr(keys->str, ==, "vnfc/b ");
	g_assert_cmpstr(value_text(arena, got), ==, "{x: [10.0.0.1, known after vnfc/b]}");
	g_assert_true(value_eval(arena, later, look, &arena, NULL) == later);
	g_assert_true(value_eval(arena, &value_unknown, look, &arena, NULL) == &value_unknown);
	const struct value *known = value_string(arena, "x");
	g_assert_true(value_eval(arena, known, look, &arena, NULL) == known);
	/* An expression whose value is itself one. */
	gives(expr_concat(arena, ITEMS(expr_value(arena, now), text("!"))), "10.0.0.1!");
	waits(expr_concat(arena, ITEMS(expr_value(arena, later))), "vnfc/b ");
}

static void count(const char *key, const char *path, void *data)
{
	g_string_append_printf(data, "%s:%s ", key, path);
}

static void test_attributes(void)
{
	g_autoptr(GString) got = g_string_new(NULL);
	expr_attributes(template("unused"), count, got);
	g_assert_cmpstr(got->str, ==, "vnfc/b:addresses vnfc/c:addresses vnfc/a:addresses vnfc/a:addresses vnfc/d:addresses ");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/expr/known", test_known);
	g_test_add_func("/expr/waiting", test_waiting);
	g_test_add_func("/expr/template", test_template);
	g_test_add_func("/expr/faults", test_faults);
	g_test_add_func("/expr/value", test_value);
	g_test_add_func("/expr/attributes", test_attributes);
	arena = arena_new();
	int status = g_test_run();
	arena_unref(arena);
	return status;
}
