#include "model/expr.h"
#include "model/mustache.h"

#include "base/error.h"

#include <string.h>

static struct arena *arena;

/* The scope as JSON: shorter to read. */
static const struct value *scope_of(const char *json)
{
	g_autoptr(json_t) parsed = json_loads(json, 0, NULL);
	g_assert_nonnull(parsed);
	return value_from_json(arena, parsed);
}

static void renders(const char *scope, const char *template, const char *expected)
{
	g_autoptr(GError) error = NULL;
	const struct value *waits_for = NULL;
	const char *text = mustache_render(arena, "t", template, scope_of(scope), &waits_for, &error);
	g_assert_no_error(error);
	g_assert_null(waits_for);
	g_assert_cmpstr(text, ==, expected);
}

static void test_variables(void)
{
	renders("{}", "no tags { } }} {", "no tags { } }} {");
	renders("{\"x\":\"<&\\\">\"}", "{{x}} {{{x}}} {{&x}} {{ x }} {{{ x }}} {{& x }}", "<&\"> <&\"> <&\"> <&\"> <&\"> <&\">");
	renders("{\"i\":-7,\"f\":1.21,\"b\":true,\"n\":null,\"big\":9007199254740993}", "{{i}} {{f}} {{b}} [{{n}}] {{big}}",
		"-7 1.21 true [] 9007199254740993");
	renders("{\"a\":{\"b\":{\"c\":\"deep\"}}}", "{{a.b.c}}", "deep");
	renders("{\"l\":[\"x\",\"y\"],\"p\":{\"q\":[{\"r\":1}]}}", "{{l.1}} {{p.q.0.r}}", "y 1");
	/* A variable alone on its line stays in it. */
	renders("{\"x\":\"v\"}", "  {{x}}\n", "  v\n");
	renders("{\"naïve\":\"yes\"}", "{{naïve}}", "yes");
}

static void test_sections(void)
{
	renders("{\"b\":true}", "\"{{#b}}shown{{/b}}\"", "\"shown\"");
	renders("{\"b\":false}", "\"{{#b}}shown{{/b}}\"", "\"\"");
	renders("{\"n\":null}", "{{#n}}x{{/n}}{{^n}}null is false{{/n}}", "null is false");
	renders("{\"s\":\"\",\"z\":0}", "{{#s}}a{{/s}}{{#z}}b{{/z}}", "ab");
	renders("{\"m\":{\"name\":\"Joe\"}}", "{{#m}}Hi {{name}}.{{/m}}", "Hi Joe.");
	renders("{\"l\":[1,2,3]}", "{{#l}}({{.}}){{/l}}", "(1)(2)(3)");
	renders("{\"l\":[]}", "{{#l}}x{{/l}}{{^l}}empty{{/l}}", "empty");
	renders("{\"l\":[[1,2],[3]]}", "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "(12)(3)");
	renders("{\"s\":\"text\"}", "{{#s}}{{.}}!{{/s}}", "text!");
	renders("{\"l\":[{\"n\":1},{\"n\":2}],\"x\":\"outer\"}", "{{#l}}{{n}}{{x}} {{/l}}", "1outer 2outer ");
	renders("{\"a\":{\"n\":\"inner\"},\"n\":\"outer\"}", "{{#a}}{{n}}{{/a}} {{n}}", "inner outer");
	renders("{\"a\":{\"b\":{\"l\":[\"x\"]}}}", "{{#a.b.l}}{{.}}{{/a.b.l}}", "x");
	renders("{\"t\":true,\"two\":\"second\"}", "{{#t}}\n* first\n{{/t}}\n* {{two}}\n{{#t}}\n* third\n{{/t}}\n",
			"* first\n* second\n* third\n");
	renders("{\"b\":true}", "| A {{#b}}B {{#b}}C{{/b}} D{{/b}} E |", "| A B C D E |");
	renders("{\"b\":false}", "{{^b}}1{{^b}}2{{/b}}{{/b}}", "12");
}

static void test_standalone(void)
{
	static const char scope[] = "{\"b\":true,\"f\":false}";
	renders(scope, "| This Is\n{{#b}}\n|\n{{/b}}\n| A Line", "| This Is\n|\n| A Line");
	renders(scope, "| This Is\n  {{#b}}\n|\n  {{/b}}\n| A Line", "| This Is\n|\n| A Line");
	renders(scope, "|\r\n{{#b}}\r\n{{/b}}\r\n|", "|\r\n|");
	renders(scope, "  {{#b}}\n#{{/b}}\n/", "#\n/");
	renders(scope, "#{{#b}}\n/\n  {{/b}}", "#\n/\n");
	renders(scope, " {{#b}}YES{{/b}}\n {{#b}}GOOD{{/b}}\n", " YES\n GOOD\n");
	renders(scope, " | {{#b}}\t|\t{{/b}} | \n", " | \t|\t | \n");
	renders(scope, " | {{#b}} {{! Important Whitespace }}\n {{/b}} | \n", " |  \n  | \n");
	renders(scope, "| This Is\n{{^f}}\n|\n{{/f}}\n| A Line", "| This Is\n|\n| A Line");
	renders(scope, "a\n\t {{#f}} \t\nx\n{{/f}}\nb\n", "a\nb\n");
	renders(scope, "{{#b}}{{/b}}\nx", "\nx"); /* two tags on one line: neither is alone */
}

static void test_comments(void)
{
	renders("{}", "12345{{! Comment Block! }}67890", "1234567890");
	renders("{}", "12345{{!\n  multi\n  line\n}}67890\n", "1234567890\n");
	renders("{}", "Begin.\n{{! Comment Block! }}\nEnd.\n", "Begin.\nEnd.\n");
	renders("{}", "Begin.\n  {{! Indented }}\nEnd.\n", "Begin.\nEnd.\n");
	renders("{}", "|\r\n{{! Standalone Comment }}\r\n|", "|\r\n|");
	renders("{}", "  {{! I'm Still Standalone }}\n!", "!");
	renders("{}", "!\n  {{! I'm Still Standalone }}", "!\n");
	renders("{}", "Begin.\n{{!\nSomething's going on here...\n}}\nEnd.\n", "Begin.\nEnd.\n");
	renders("{}", "  12 {{! 34 }}\n", "  12 \n");
	renders("{}", "{{!{{# not a tag >}}x", "x");
}

static void test_faults(void)
{
	static const struct {
		const char *scope, *template, *fault;
	} cases[] = {
		{ "{}", "a\n  {{x}}", "t:2:3: \"x\" is not known here: there is no \"x\"" },
		{ "{}", "{{#x}}{{/x}}", "t:1:1: \"x\" is not known here: there is no \"x\"" },
		{ "{}", "{{^x}}{{/x}}", "t:1:1: \"x\" is not known here: there is no \"x\"" },
		{ "{\"a\":{\"b\":{}},\"c\":1}", "{{#a}}{{b.c}}{{/a}}", "t:1:7: \"b.c\" is not known here: there is no \"c\"" },
		{ "{\"a\":1}", "{{a.b}}", "t:1:1: \"a.b\": there is nothing below what \"b\" follows" },
		{ "{\"l\":[1]}", "é{{l.1}}", "t:1:2: \"l.1\": the list has 1 item, counted from 0" },
		{ "{\"l\":[1]}", "{{l.x}}", "t:1:1: \"l.x\": the list has 1 item, counted from 0" },
		{ "{\"l\":[1]}", "{{l}}", "t:1:1: \"l\" is a list: that cannot be printed" },
		{ "{\"m\":{}}", "{{m}}", "t:1:1: \"m\" is a map: that cannot be printed" },
		{ "{\"d\":{\"$digest\":\"sha256:0000000000000000000000000000000000000000000000000000000000000000\"}}", "{{d}}",
		  "t:1:1: \"d\" is a digest: that cannot be printed" },
		{ "{\"s\":\"\uE000\"}", "{{s}}", "t:1:1: \"s\" has a character U+E000 or U+E001: those stand for secrets" },
		{ "{}", "{{#a}}", "t:1:1: section \"a\" is not closed" },
		{ "{}", "x{{/a}}", "t:1:2: section \"a\" is closed, but was not opened" },
		{ "{}", "{{#a}}\n{{#b}}{{/a}}{{/b}}", "t:2:7: section \"a\" is closed where \"b\" (line 2) is open" },
		{ "{}", "{{x", "t:1:1: the tag is not closed by \"}}\"" },
		{ "{}", "{{{x}}", "t:1:1: the tag is not closed by \"}}}\"" },
		{ "{}", "{{}}", "t:1:1: the tag has no name" },
		{ "{}", "{{# }}", "t:1:1: the tag has no name" },
		{ "{}", "{{a b}}", "t:1:1: \"a b\" is not a name" },
		{ "{}", "{{a..b}}", "t:1:1: \"a..b\" has an empty part between its dots" },
		{ "{}", "{{.a}}", "t:1:1: \".a\" has an empty part between its dots" },
		{ "{}", "{{a.}}", "t:1:1: \"a.\" has an empty part between its dots" },
		{ "{}", "{{>part}}", "t:1:1: partials (\"{{>\") are not part of Pleach's templates" },
		{ "{}", "{{=<% %>=}}", "t:1:1: changed delimiters (\"{{=\") are not part of Pleach's templates" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		const struct value *waits_for = NULL;
		g_assert_null(mustache_render(arena, "t", cases[i].template, scope_of(cases[i].scope), &waits_for, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		g_assert_cmpstr(error->message, ==, cases[i].fault);
		g_assert_null(waits_for);
	}
}

static void test_check(void)
{
	unsigned line = 0, column = 0;
	g_autoptr(GError) error = NULL;
	g_assert_true(mustache_check("{{#a}}{{b}}{{/a}}", &line, &column, &error));
	g_assert_false(mustache_check("one\ntwo {{#a}}\n", &line, &column, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_cmpuint(line, ==, 2);
	g_assert_cmpuint(column, ==, 5);
}

static void test_waiting(void)
{
	const struct value *address = value_pending(arena, expr_attribute(arena, "vnfc/a.0", "cp.x.addresses", NULL, 0));
	const struct value *scope = value_map(arena, (const char *const[]) { "a", "b", "u" },
					      (const struct value *const[]) { address, value_bool(false), &value_unknown }, 3);
	static const char *const using[] = { "{{a}}", "{{a.0}}", "{{#a}}{{/a}}", "{{^a}}{{/a}}", "{{#a}}{{nonsense}}{{/a}}" };
	for (size_t i = 0; i < G_N_ELEMENTS(using); i++) {
		g_autoptr(GError) error = NULL;
		const struct value *waits_for = NULL;
		g_assert_null(mustache_render(arena, "t", using[i], scope, &waits_for, &error));
		g_assert_no_error(error);
		g_assert_true(waits_for == address);
	}
	const struct value *waits_for = NULL;
	g_assert_cmpstr(mustache_render(arena, "t", "{{#b}}{{a}}{{/b}}ok", scope, &waits_for, NULL), ==, "ok");
	g_assert_null(mustache_render(arena, "t", "{{u}}", scope, &waits_for, NULL));
	g_assert_true(waits_for == &value_unknown);
}

static void expect_fault(const char *template, const struct value *scope, const char *part)
{
	g_autoptr(GError) error = NULL;
	const struct value *waits_for = NULL;
	g_assert_null(mustache_render(arena, "t", template, scope, &waits_for, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, part));
}

static void test_bounds(void)
{
	g_autoptr(GString) json = g_string_new("{\"l\":[0");
	for (int i = 1; i < 1000; i++)
		g_string_append_printf(json, ",%d", i);
	g_string_append(json, "]}");
	const struct value *scope = scope_of(json->str);
	/* 1000 to the third of nothing, and of something. */
	expect_fault("{{#l}}{{#l}}{{#l}}{{/l}}{{/l}}{{/l}}", scope, "rendering takes more than 250000 steps");
	expect_fault("{{#l}}{{#l}}{{/l}}{{/l}}", scope, "rendering takes more than 250000 steps");
	g_autofree char *name = g_strnfill(32 * 1024, 'n');
	g_autofree char *long_json = g_strdup_printf("{\"%s\":false,%s", name, json->str + 1);
	g_autofree char *long_name = g_strdup_printf("{{#l}}{{#%s}}{{/%s}}{{/l}}", name, name);
	expect_fault(long_name, scope_of(long_json), "rendering takes more than 250000 steps");
	g_autofree char *wide = g_strnfill(2000, 'x');
	g_autofree char *template = g_strdup_printf("{{#l}}%s{{/l}}", wide);
	expect_fault(template, scope, "the rendered text is larger than 1048576 bytes");
	for (int depth = MUSTACHE_DEPTH_MAX; depth <= MUSTACHE_DEPTH_MAX + 1; depth++) {
		g_autoptr(GString) nested = g_string_new(NULL);
		for (int i = 0; i < depth; i++)
			g_string_append(nested, "{{#b}}");
		g_string_append_c(nested, 'x');
		for (int i = 0; i < depth; i++)
			g_string_append(nested, "{{/b}}");
		if (depth <= MUSTACHE_DEPTH_MAX)
			renders("{\"b\":true}", nested->str, "x");
		else
			expect_fault(nested->str, scope_of("{\"b\":true}"), "sections are nested more than 32 deep");
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mustache/variables", test_variables);
	g_test_add_func("/mustache/sections", test_sections);
	g_test_add_func("/mustache/standalone", test_standalone);
	g_test_add_func("/mustache/comments", test_comments);
	g_test_add_func("/mustache/faults", test_faults);
	g_test_add_func("/mustache/check", test_check);
	g_test_add_func("/mustache/waiting", test_waiting);
	g_test_add_func("/mustache/bounds", test_bounds);
	arena = arena_new();
	int status = g_test_run();
	arena_unref(arena);
	return status;
}
