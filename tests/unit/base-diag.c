#include "base/diag.h"

#include <string.h>

static const char source_text[] = "tosca_definitions_version: tosca_simple_yaml_1_3\n"
				  "\n"
				  "  type: tosca.nodes.nfv.Vdu.Compte\n"
				  "\tkey:\tvalue\r\n"
				  "名前: x\n"
				  "last";

static GBytes *source(const char *file, void *data)
{
	return strcmp(file, "fw.yaml") == 0 ? g_bytes_new_static(source_text, strlen(source_text)) : NULL;
}

static struct origin at(const char *file, unsigned line, unsigned column)
{
	return (struct origin) { file, line, column };
}

static void prints(struct origin origin, const char *expected)
{
	auto_ptr(diags) diags = diags_new();
	diags_error(diags, "code", origin, "text");
	g_autoptr(GString) out = g_string_new(NULL);
	diag_print(diags_get(diags, 0), source, NULL, out);
	g_assert_cmpstr(out->str, ==, expected);
}

static void test_print(void)
{
	auto_ptr(diags) diags = diags_new();
	struct diag *diag = diags_error(diags, "unknown-type", at("fw.yaml", 3, 9), "node type \"%s\" is not defined",
					"x\033y\nz");
	diag_hint(diags, diag, "did you mean \"%s\"?", "y");
	diag_note(diags, diag, at("fw.yaml", 1, 1), "first");
	diag_note(diags, diag, ORIGIN_NONE, "second");
	g_autoptr(GString) out = g_string_new(NULL);
	diag_print(diags_get(diags, 0), source, NULL, out);
	g_assert_cmpstr(out->str, ==,
			"fw.yaml:3:9: error[unknown-type]: node type \"x\\x1by\n    z\" is not defined\n"
			"    3 |   type: tosca.nodes.nfv.Vdu.Compte\n"
			"      |         ^\n"
			"  hint: did you mean \"y\"?\n"
			"  note: fw.yaml:1:1: first\n"
			"  note: second\n");
}

static void test_excerpts(void)
{
	prints(ORIGIN_NONE, "error[code]: text\n");
	prints(at("fw.yaml", 0, 0), "fw.yaml: error[code]: text\n");
	prints(at("other.yaml", 3, 1), "other.yaml:3:1: error[code]: text\n");
	prints(at("fw.yaml", 4, 7), "fw.yaml:4:7: error[code]: text\n    4 |     key:    value\n      |             ^\n");
	prints(at("fw.yaml", 4, 0), "fw.yaml:4: error[code]: text\n    4 |     key:    value\n");
	prints(at("fw.yaml", 5, 3), "fw.yaml:5:3: error[code]: text\n    5 | 名前: x\n      |     ^\n");
	prints(at("fw.yaml", 6, 5), "fw.yaml:6:5: error[code]: text\n    6 | last\n      |     ^\n");
	prints(at("fw.yaml", 6, 500), "fw.yaml:6:500: error[code]: text\n    6 | last\n      |     ^\n");
	prints(at("fw.yaml", 7, 1), "fw.yaml:7:1: error[code]: text\n");
	prints(at("fw.yaml", 1000, 1), "fw.yaml:1000:1: error[code]: text\n");
}

static GBytes *long_line(const char *file, void *data)
{
	char *text = g_strnfill(5000, 'x');
	text[3000] = '!';
	return g_bytes_new_take(text, 5000);
}

static void test_long_line(void)
{
	auto_ptr(diags) diags = diags_new();
	diags_error(diags, "code", at("fw.yaml", 1, 3001), "text");
	g_autoptr(GString) out = g_string_new(NULL);
	diag_print(diags_get(diags, 0), long_line, NULL, out);
	g_auto(GStrv) lines = g_strsplit(out->str, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 4);
	g_assert_cmpint(g_utf8_strlen(lines[1], -1), <=, 110);
	const char *mark = strchr(lines[1], '!'), *caret = strchr(lines[2], '^');
	g_assert_cmpint(g_utf8_pointer_to_offset(lines[1], mark), ==, caret - lines[2]);
	g_assert_true(g_str_has_suffix(lines[1], "…"));
}

static void test_bounds(void)
{
	auto_ptr(diags) diags = diags_new();
	for (int i = 0; i < DIAGS_MAX + 10; i++) {
		struct diag *diag = diags_error(diags, "code", at("f", (unsigned) i + 1, 1), "number %d", i);
		diag_hint(diags, diag, "hint");
		diag_note(diags, diag, ORIGIN_NONE, "note");
	}
	diags_warning(diags, "w", ORIGIN_NONE, "w");
	g_assert_cmpuint(diags_count(diags), ==, DIAGS_MAX);
	g_assert_cmpuint(diags_errors(diags), ==, DIAGS_MAX + 10);
	g_assert_cmpuint(diags_warnings(diags), ==, 1);
	auto_ptr(diags) into = diags_new();
	diags_error(into, "code", at("f", 1, 1), "number 0");
	diags_append(into, diags);
	g_assert_cmpuint(diags_errors(into), ==, DIAGS_MAX + 11);
	diags_sort(into);
	g_assert_cmpuint(diags_errors(into), ==, DIAGS_MAX + 10);
	g_assert_cmpuint(diags_count(into), ==, DIAGS_MAX - 1);
}

static void test_sort(void)
{
	auto_ptr(diags) diags = diags_new();
	diags_error(diags, "b", at("b", 1, 1), "5");
	diags_warning(diags, "b", at("a", 2, 1), "3");
	diags_error(diags, "b", at("a", 2, 1), "2");
	diags_error(diags, "b", at("a", 10, 1), "4");
	diags_error(diags, "b", at("a", 1, 9), "1");
	diags_error(diags, "z", ORIGIN_NONE, "0");
	diags_error(diags, "b", at("a", 2, 1), "2");
	diags_sort(diags);
	g_assert_cmpuint(diags_count(diags), ==, 6);
	for (guint i = 0; i < 6; i++)
		g_assert_cmpint(diags_get(diags, i)->text[0], ==, '0' + (int) i);
}

static void test_did_you_mean(void)
{
	static const char *const words[] = { "tosca.nodes.nfv.Vdu.Compute", "tosca.nodes.nfv.VduCp", "mtu", "cidr", "ab" };
	struct {
		const char *word, *expected;
	} cases[] = {
		{ "tosca.nodes.nfv.Vdu.Compte", words[0] }, { "tosca.nodes.nfv.vducp", words[1] }, { "mut", "mtu" },
		{ "cdir", "cidr" }, { "xyz", NULL }, { "", NULL }, { "q", NULL }, { "abc", "ab" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(diag_did_you_mean(cases[i].word, words, G_N_ELEMENTS(words)), ==, cases[i].expected);
	g_autofree char *endless = g_strnfill(100000, 'x');
	const char *const same[] = { endless };
	g_assert_null(diag_did_you_mean(endless, same, 1));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/diag/print", test_print);
	g_test_add_func("/diag/excerpts", test_excerpts);
	g_test_add_func("/diag/long-line", test_long_line);
	g_test_add_func("/diag/bounds", test_bounds);
	g_test_add_func("/diag/sort", test_sort);
	g_test_add_func("/diag/did-you-mean", test_did_you_mean);
	return g_test_run();
}
