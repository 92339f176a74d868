#include "base/error.h"
#include "base/json.h"

#include <string.h>

static json_t *parse(const char *text, GError **error)
{
	return json_parse(text, strlen(text), 1000, "t.json", error);
}

static void refused(const char *text, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) json = parse(text, &error);
	g_assert_null(json);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	if (!strstr(error->message, words))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
}

static void test_parse(void)
{
	refused("{\"a\": 1, \"a\": 2}", "duplicate");
	refused("{} x", "t.json");
	refused("", "line 1");
	refused("\"a\\u0000b\"", "t.json");
	refused("\"\xff\"", "t.json");
	refused("{\"a\": }", "column");
	refused("99999999999999999999", "t.json");
	g_autoptr(GString) deep = g_string_new(NULL);
	for (int i = 0; i < 3000; i++)
		g_string_append_c(deep, '[');
	g_autoptr(GError) error = NULL;
	g_assert_null(json_parse(deep->str, deep->len, 10000, "t.json", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_null(json_parse("[1]", 3, 2, "t.json", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_autoptr(json_t) exact = json_parse("[1]", 3, 3, "t.json", &error);
	g_assert_no_error(error);
	g_assert_true(json_is_array(exact));
}

static void test_text(void)
{
	g_autoptr(json_t) json = parse("{\"b\": [1, 2.5, null, true], \"a\": \"x\\n\xc3\xa9\"}", NULL);
	g_autofree char *line = json_text(json, 0);
	g_assert_cmpstr(line, ==, "{\"a\":\"x\\n\xc3\xa9\",\"b\":[1,2.5,null,true]}");
	g_autofree char *lines = json_text(json, 2);
	g_assert_nonnull(strstr(lines, "{\n  \"a\": "));
	g_autoptr(json_t) scalar = json_integer(7);
	g_autofree char *seven = json_text(scalar, 0);
	g_assert_cmpstr(seven, ==, "7");
}

static void test_members(void)
{
	g_autoptr(json_t) json = parse("{\"s\": \"x\", \"i\": 3, \"b\": true, \"a\": [], \"o\": {}, \"n\": null}", NULL);
	const char *string;
	gint64 integer;
	bool boolean;
	json_t *inner;
	g_autoptr(GError) error = NULL;
	g_assert_true(json_get_string(json, "s", &string, "reply", NULL));
	g_assert_cmpstr(string, ==, "x");
	g_assert_true(json_get_int(json, "i", &integer, "reply", NULL));
	g_assert_cmpint(integer, ==, 3);
	g_assert_true(json_get_bool(json, "b", &boolean, "reply", NULL));
	g_assert_true(boolean);
	g_assert_true(json_get_array(json, "a", &inner, "reply", NULL));
	g_assert_true(json_get_object(json, "o", &inner, "reply", NULL));
	g_assert_false(json_get_int(json, "s", &integer, "reply", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_cmpstr(error->message, ==, "reply: member \"s\" is not an integer");
	g_clear_error(&error);
	g_assert_false(json_get_string(json, "none", &string, "reply", &error));
	g_assert_cmpstr(error->message, ==, "reply: member \"none\" is missing");
	g_clear_error(&error);
	g_autoptr(json_t) list = json_array();
	g_assert_false(json_get_string(list, "s", &string, "reply", &error));
	g_assert_cmpstr(error->message, ==, "reply: not a JSON object");
	g_assert_cmpstr(json_opt_string(json, "n", "else"), ==, "else");
	g_assert_cmpstr(json_opt_string(json, "s", "else"), ==, "x");
	g_assert_cmpint(json_opt_int(json, "none", 9), ==, 9);
	g_assert_true(json_opt_bool(json, "none", true));
	g_assert_cmpint(json_opt_int(list, "i", 4), ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/parse", test_parse);
	g_test_add_func("/json/text", test_text);
	g_test_add_func("/json/members", test_members);
	return g_test_run();
}
