#include "leaf/output.h"

#include <string.h>

static void feed(struct output *output, const char *text)
{
	output_feed(output, OUTPUT_NF, text, strlen(text));
}

static void test_lines(void)
{
	auto_ptr(output) output = output_new();
	feed(output, "one\ntw");
	feed(output, "o\r\nthree");
	output_note(output, "noted");
	g_autofree char *all = output_tail(output, 100);
	g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 5);
	g_assert_true(g_str_has_suffix(lines[0], "Z one"));
	g_assert_true(g_str_has_suffix(lines[1], "Z two"));
	g_assert_true(g_str_has_suffix(lines[2], "Z three"));
	g_assert_true(g_str_has_suffix(lines[3], "Z -- noted"));
	g_autofree char *last = output_tail(output, 1);
	g_assert_true(g_str_has_suffix(last, "Z -- noted\n"));
	g_assert_null(strstr(last, "three"));
}

static void test_safe_to_print(void)
{
	auto_ptr(output) output = output_new();
	const char bytes[] = "a\x1b[2Jb\0c\td\xff\n";
	output_feed(output, OUTPUT_NF, bytes, sizeof(bytes) - 1);
	g_autofree char *all = output_tail(output, 1);
	g_assert_nonnull(strstr(all, " a.[2Jb.c\td\xef\xbf\xbd\n"));
}

static void test_bound(void)
{
	auto_ptr(output) output = output_new();
	for (int i = 0; i < 100000; i++) {
		g_autofree char *line = g_strdup_printf("line %d\n", i);
		feed(output, line);
		g_assert_cmpuint(output_size(output), <=, OUTPUT_MAX_BYTES);
	}
	g_autofree char *endless = g_strnfill(3 * OUTPUT_MAX_BYTES, 'x');
	feed(output, endless);
	g_assert_cmpuint(output_size(output), <=, OUTPUT_MAX_BYTES);
	feed(output, "\n");
	output_begin(output);
	for (int i = 0; i < 1000000; i++)
		feed(output, "\n");
	g_assert_cmpuint(output_size(output), <=, OUTPUT_MAX_BYTES);
	feed(output, "the end\n");
	g_autofree char *words = output_last_words(output);
	g_assert_cmpstr(words, ==, "the end");
}

static void test_long_line_is_broken(void)
{
	auto_ptr(output) output = output_new();
	g_autofree char *line = g_strnfill(OUTPUT_LINE_MAX_BYTES + 10, 'x');
	feed(output, line);
	feed(output, "\n");
	g_autofree char *all = output_tail(output, 100);
	g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 3);
	g_assert_true(g_str_has_suffix(lines[1], "Z xxxxxxxxxxx"));
}

static void test_last_words(void)
{
	auto_ptr(output) output = output_new();
	g_assert_null(output_last_words(output));
	feed(output, "of the former one\nunended");
	output_begin(output);
	output_note(output, "started");
	g_assert_null(output_last_words(output));
	feed(output, "1\n2\n3\n4\n5\n6\n");
	output_note(output, "ours");
	g_autofree char *five = output_last_words(output);
	g_assert_cmpstr(five, ==, "2 / 3 / 4 / 5 / 6");
	feed(output, "un\nended");
	g_autofree char *unended = output_last_words(output);
	g_assert_cmpstr(unended, ==, "3 / 4 / 5 / 6 / un / ended");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/leaf/output/lines", test_lines);
	g_test_add_func("/leaf/output/safe-to-print", test_safe_to_print);
	g_test_add_func("/leaf/output/bound", test_bound);
	g_test_add_func("/leaf/output/long-line-is-broken", test_long_line_is_broken);
	g_test_add_func("/leaf/output/last-words", test_last_words);
	return g_test_run();
}
