#include "model/key.h"

#include <string.h>

static void test_segments(void)
{
	auto_ptr(arena) arena = arena_new();
	g_assert_cmpstr(key_segment(arena, "web-1_A"), ==, "web-1_A");
	g_assert_cmpstr(key_segment(arena, "a.b/c d%"), ==, "a%2Eb%2Fc%20d%25");
	g_assert_cmpstr(key_segment(arena, "é"), ==, "%C3%A9");
	g_assert_cmpstr(key_segment_text(arena, "a%2Eb%2Fc%20d%25"), ==, "a.b/c d%");
	g_assert_cmpstr(key_segment_text(arena, "%C3%A9"), ==, "é");
	g_assert_cmpstr(key_segment_text(arena, "100%"), ==, "100%");
	g_assert_cmpstr(key_make(arena, "vnfc", "edge", "fw.1", "vdu", "0", NULL), ==, "vnfc/edge.fw%2E1.vdu.0");
	g_assert_cmpstr(key_make(arena, "link", "a", NULL), ==, "link/a");
}

static void test_valid(void)
{
	static const char *const good[] = { "link/a", "vnfc/edge.web.vdu.0", "x/A-b_c.%2E.%C3%A9" };
	static const char *const bad[] = {
		"", "/", "a", "/a", "link/", "link/.", "link/a.", "link/.a", "link/a..b",
		"link/a/b", "Link/a", "li nk/a", "link/a b", "link/%",
		"link/%2", "link/%2e", /* lower case */ "link/%41", /* needs no encoding */ "link/%00", "link/a\n", "link/%zz",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		g_assert_true(key_is_valid(good[i]));
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(key_is_valid(bad[i]));
	g_assert_false(key_is_valid(NULL));
}

static void test_length(void)
{
	char key[KEY_MAX + 2] = "link/";
	memset(key + 5, 'a', KEY_MAX - 5);
	g_assert_true(key_is_valid(key));
	key[KEY_MAX] = 'a';
	g_assert_false(key_is_valid(key));
}

static void test_parts(void)
{
	auto_ptr(arena) arena = arena_new();
	g_assert_true(key_is_kind("vnfc/a.b", "vnfc"));
	g_assert_false(key_is_kind("vnfc/a.b", "vnf"));
	g_assert_false(key_is_kind("vnf/a.b", "vnfc"));
	g_assert_cmpstr(key_path("vnfc/a.b"), ==, "a.b");
	g_assert_cmpstr(key_service(arena, "vnfc/edge.fw.0"), ==, "edge");
	g_assert_cmpstr(key_service(arena, "link/edge"), ==, "edge");
	g_assert_cmpstr(key_of_kind(arena, "nf/edge.fw.vdu.0", "vnfc"), ==, "vnfc/edge.fw.vdu.0");
}

static void test_patterns(void)
{
	static const struct {
		const char *key, *pattern;
		bool matches;
	} cases[] = {
		{ "vnfc/edge.web.0", "vnfc/edge.web.0", true },
		{ "vnfc/edge.web.0", "vnfc/edge.web", false },
		{ "vnfc/edge.web.0", "edge.web.0", true },
		{ "vnfc/edge.web.0", "link/edge.web.0", false },
		{ "vnfc/edge.web.0", "*/edge.web.0", true },
		{ "vnfc/edge.web.0", "vnf*/edge.web.0", true },
		{ "vnfc/edge.web.0", "vnfc/edge.*.0", true },
		{ "vnfc/edge.web.0", "vnfc/*", false },
		{ "vnfc/edge.web.0", "vnfc/**", true },
		{ "vnfc/edge.web.0", "**", true },
		{ "vnfc/edge.web.0", "*", false },
		{ "vnfc/edge.web.0", "*.*.*", true },
		{ "vnfc/edge.web.0", "edge.**", true },
		{ "vnfc/edge", "edge.**", true },
		{ "vnfc/edge", "**.edge", true },
		{ "vnfc/edge.web.0", "**.0", true },
		{ "vnfc/edge.web.0", "**.1", false },
		{ "vnfc/edge.web.0", "edge.w*b.0", true },
		{ "vnfc/edge.web.0", "edge.w*x.0", false },
		{ "vnfc/edge.web.0", "e**e.web.0", true }, /* within a segment two stars are one */
		{ "vnfc/a.b.c.b.d", "a.**.b.d", true },
		{ "vnfc/a.b.c.b.d", "a.**.c.d", false },
		{ "vnfc/a.b", "a.**.b", true },
		{ "vnfc/a", "a.*", false },
		{ "vnfc/a", "", false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s %s", cases[i].key, cases[i].pattern);
		g_assert_true(key_matches(cases[i].key, cases[i].pattern) == cases[i].matches);
	}
	g_assert_true(key_path_matches("cp.lan.mtu", "cp.*.mtu"));
}

/* A pattern of many stars must not take exponential time: this would run for years. */
static void test_hostile_pattern(void)
{
	char key[KEY_MAX] = "vnfc/";
	memset(key + 5, 'a', 400);
	g_autoptr(GString) stars = g_string_new(NULL), segments = g_string_new(NULL);
	for (int i = 0; i < 200; i++) {
		g_string_append(stars, "*a");
		g_string_append(segments, "**.a.");
	}
	g_string_append(stars, "b");
	g_string_append(segments, "b");
	g_assert_false(key_matches(key, stars->str));
	for (int i = 0; i < 200; i++)
		key[6 + 2 * i] = '.';
	key[5 + 399] = 'a';
	g_assert_false(key_matches(key, segments->str));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/key/segments", test_segments);
	g_test_add_func("/key/valid", test_valid);
	g_test_add_func("/key/length", test_length);
	g_test_add_func("/key/parts", test_parts);
	g_test_add_func("/key/patterns", test_patterns);
	g_test_add_func("/key/hostile-pattern", test_hostile_pattern);
	return g_test_run();
}
