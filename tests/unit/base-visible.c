#include "base/visible.h"

#include <glib.h>

static void test_visible(void)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
		{ "", "" },
		{ "plain\tü\nnext\n", "plain\tü\nnext\n" },
		{ "\033]0;title\007\033[2J", "\\x1b]0;title\\x07\\x1b[2J" },
		{ "over\rwritten\b\177", "over\\x0dwritten\\x08\\x7f" },
		{ "\xc2\x9b" "31m", "\\x9b31m" }, /* the same in one character */
		{ "cut \xc3", "cut \xef\xbf\xbd" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *shown = visible(cases[i].text);
		g_assert_cmpstr(shown, ==, cases[i].shown);
	}
}

static void test_plain(void)
{
	g_assert_true(visible_is_plain("vnfd/fire wall-é.yaml"));
	g_assert_true(visible_is_plain(""));
	g_assert_false(visible_is_plain("a\nb"));
	g_assert_false(visible_is_plain("a\tb"));
	g_assert_false(visible_is_plain("\x1b[2J"));
	g_assert_false(visible_is_plain("\x7f"));
	g_assert_false(visible_is_plain("\xff"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/base/visible", test_visible);
	g_test_add_func("/base/visible/plain", test_plain);
	return g_test_run();
}
