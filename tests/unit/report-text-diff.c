/* Textual diffs. */
#include "report/text_diff.h"

#include <string.h>

static char *diff(const char *from, const char *to)
{
	g_autoptr(GPtrArray) lines = text_diff(from, to);
	g_ptr_array_add(lines, NULL);
	return g_strjoinv("\n", (char **) lines->pdata);
}

static void test_small(void)
{
	g_autofree char *none = diff("a\nb\n", "a\nb\n"), *change = diff("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nX\ne\nf\n");
	g_autofree char *add = diff("", "a\n"), *remove = diff("a\nb\n", "b"), *swap = diff("1\n2\n3\n", "2\n1\n3\n");
	g_assert_cmpstr(none, ==, "");
	g_assert_cmpstr(change, ==, "@@ line 2\n  b\n  c\n- d\n+ X\n  e\n  f");
	g_assert_cmpstr(add, ==, "@@ line 1\n+ a");
	g_assert_cmpstr(remove, ==, "@@ line 1\n- a\n  b");
	g_assert_cmpstr(swap, ==, "@@ line 1\n- 1\n  2\n+ 1\n  3");
}

static void test_parts(void)
{
	g_autofree char *text = diff("1\n2\n3\n4\n5\n6\n7\n8\n", "X\n2\n3\n4\n5\n6\n7\nY\n");
	g_assert_cmpstr(text, ==, "@@ line 1\n- 1\n+ X\n  2\n  3\n@@ line 6\n  6\n  7\n- 8\n+ Y");
}

/* Whatever the texts: bounded in length, and in work. */
static void test_bounds(void)
{
	g_autoptr(GString) from = g_string_new(NULL);
	g_autoptr(GString) to = g_string_new(NULL);
	for (int i = 0; i < 3000; i++) {
		g_string_append_printf(from, "old %d\n", i);
		g_string_append_printf(to, "new %d\n", i);
	}
	g_autoptr(GPtrArray) lines = text_diff(from->str, to->str);
	g_assert_cmpuint(lines->len, ==, TEXT_DIFF_MAX_LINES + 1);
	g_assert_cmpstr(lines->pdata[lines->len - 1], ==, "… and 5941 more changed lines");
	g_autofree char *wide = g_strnfill(TEXT_DIFF_MAX_WIDTH + 1, 'x'), *cut = diff("", wide);
	g_assert_true(g_str_has_suffix(cut, "x…"));
	g_autofree char *bad = diff("a\n", "\xff\n");
	g_assert_true(g_utf8_validate(bad, -1, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/text-diff/small", test_small);
	g_test_add_func("/report/text-diff/parts", test_parts);
	g_test_add_func("/report/text-diff/bounds", test_bounds);
	return g_test_run();
}
