/* The YAML reader: positions, styles, sharing, merges; every bound; and texts made to hurt it, which must end quickly. */
#include "tosca/yaml.h"

#include <glib.h>
#include <string.h>

/* Generous for a loaded machine with sanitizers; what libyaml alone makes of these texts takes seconds to minutes. */
enum { QUICK_MS = 2000 };

struct reading {
	struct arena *arena;
	struct diags *diags;
	const struct ynode *root;
};

static struct reading read_bytes(const char *text, size_t length)
{
	struct reading reading = { arena_new(), diags_new(), NULL };
	gint64 start = g_get_monotonic_time();
	reading.root = yaml_read(reading.arena, "f.yaml", text, length, reading.diags);
	g_assert_cmpint((g_get_monotonic_time() - start) / 1000, <, QUICK_MS);
	return reading;
}

static void done(struct reading *reading)
{
	diags_free(reading->diags);
	arena_unref(reading->arena);
}

static void assert_code(const char *text, size_t length, const char *code, unsigned line, unsigned column)
{
	struct reading reading = read_bytes(text, length);
	diags_sort(reading.diags);
	g_assert_cmpuint(diags_count(reading.diags), >, 0);
	const struct diag *diag = diags_get(reading.diags, 0);
	g_assert_cmpstr(diag->code, ==, code);
	if (line)
		g_assert_cmpuint(diag->origin.line, ==, line);
	if (column)
		g_assert_cmpuint(diag->origin.column, ==, column);
	done(&reading);
}

static void test_positions(void)
{
	static const char text[] = "a: plain\n\"b\": 'quoted'\nc:\n  - x\n  - { d: [ 1, 2 ] }\ne: |\n  block\n";
	struct reading reading = read_bytes(text, strlen(text));
	g_assert_cmpuint(diags_count(reading.diags), ==, 0);
	g_assert_cmpuint(reading.root->mapping.n, ==, 4);
	const struct ynode *a = ynode_get(reading.root, "a"), *b = ynode_get(reading.root, "b"), *c =
		ynode_get(reading.root, "c");
	g_assert_true(a->plain);
	g_assert_cmpstr(a->scalar.text, ==, "plain");
	g_assert_cmpuint(a->origin.line, ==, 1);
	g_assert_cmpuint(a->origin.column, ==, 4);
	g_assert_false(b->plain);
	g_assert_cmpuint(ynode_entry(reading.root, "b")->origin.line, ==, 2);
	g_assert_cmpuint(c->sequence.n, ==, 2);
	const struct ynode *d = ynode_get(c->sequence.items[1], "d");
	g_assert_cmpuint(d->origin.line, ==, 5);
	g_assert_cmpuint(d->origin.column, ==, 10);
	g_assert_cmpstr(d->sequence.items[1]->scalar.text, ==, "2");
	g_assert_cmpstr(ynode_get(reading.root, "e")->scalar.text, ==, "block\n");
	g_assert_null(ynode_get(reading.root, "f"));
	g_assert_null(ynode_get(NULL, "f"));
	done(&reading);
}

static void test_nulls(void)
{
	static const char list[] = "- \n- ~\n- null\n- ''\n- 'null'\n- nullo\n- !!str null\n- []\n";
	static const bool wanted[] = { true, true, true, false, false, false, false, false };
	struct reading reading = read_bytes(list, strlen(list));
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		g_assert_cmpint(ynode_is_null(reading.root->sequence.items[i]), ==, wanted[i]);
	done(&reading);
	reading = read_bytes("", 0);
	g_assert_true(ynode_is_null(reading.root));
	done(&reading);
}

static void test_anchors_are_shared(void)
{
	static const char text[] = "a: &x { k: v }\nb: *x\nc: [ *x, *x ]\n";
	struct reading reading = read_bytes(text, strlen(text));
	const struct ynode *a = ynode_get(reading.root, "a");
	g_assert_true(a == ynode_get(reading.root, "b"));
	g_assert_true(a == ynode_get(reading.root, "c")->sequence.items[1]);
	g_assert_cmpuint(a->weight, ==, 2);
	g_assert_cmpuint(reading.root->weight, ==, 1 + 2 + 2 + (1 + 2 + 2));
	done(&reading);
}

static void test_merge(void)
{
	static const char text[] = "p: &p { a: 1, b: 2 }\nq: &q { b: 3, c: 4 }\nr:\n  b: own\n  <<: [ *p, *q ]\n  d: 5\n";
	struct reading reading = read_bytes(text, strlen(text));
	g_assert_cmpuint(diags_count(reading.diags), ==, 0);
	const struct ynode *r = ynode_get(reading.root, "r");
	g_assert_cmpuint(r->mapping.n, ==, 4);
	g_assert_cmpstr(ynode_get(r, "b")->scalar.text, ==, "own");
	g_assert_cmpstr(ynode_get(r, "a")->scalar.text, ==, "1");
	g_assert_cmpuint(ynode_entry(r, "c")->origin.line, ==, 2);
	done(&reading);
	assert_code("r: { <<: text }", 15, "yaml-merge", 1, 10);
	/* A quoted one is an ordinary key. */
	reading = read_bytes("r: { '<<': text }", 17);
	g_assert_cmpstr(ynode_get(ynode_get(reading.root, "r"), "<<")->scalar.text, ==, "text");
	done(&reading);
}

static void test_duplicates(void)
{
	static const char text[] = "a: 1\nb: 2\na: 3\n";
	struct reading reading = read_bytes(text, strlen(text));
	g_assert_cmpuint(diags_count(reading.diags), ==, 1);
	const struct diag *diag = diags_get(reading.diags, 0);
	g_assert_cmpstr(diag->code, ==, "duplicate-key");
	g_assert_cmpuint(diag->origin.line, ==, 3);
	g_assert_cmpuint(g_array_index(diag->notes, struct diag_note, 0).origin.line, ==, 1);
	g_assert_cmpstr(ynode_get(reading.root, "a")->scalar.text, ==, "1");
	done(&reading);
	/* Beyond the size from which keys are hashed. */
	g_autoptr(GString) many = g_string_new(NULL);
	for (unsigned i = 0; i < 1000; i++)
		g_string_append_printf(many, "k%u: v\n", i);
	g_string_append(many, "k7: again\nk999: again\n");
	reading = read_bytes(many->str, many->len);
	g_assert_cmpuint(diags_errors(reading.diags), ==, 2);
	done(&reading);
}

static void test_documents(void)
{
	static const char two[] = "a: 1\n---\nb: 2\n";
	struct reading reading = read_bytes(two, strlen(two));
	g_assert_cmpstr(diags_get(reading.diags, 0)->code, ==, "yaml-several-documents");
	g_assert_cmpuint(diags_errors(reading.diags), ==, 0);
	g_assert_nonnull(ynode_get(reading.root, "a"));
	g_assert_null(ynode_get(reading.root, "b"));
	done(&reading);
	static const char marked[] = "%YAML 1.1\n---\na: 1\n...\n";
	reading = read_bytes(marked, strlen(marked));
	g_assert_cmpuint(diags_count(reading.diags), ==, 0);
	done(&reading);
}

static void test_bytes(void)
{
	assert_code("a: \xff\n", 5, "yaml-not-utf8", 1, 4);
	assert_code("a: b\nc: \0d\n", 11, "yaml-not-utf8", 2, 4);
	assert_code("\xff\xfe" "a\0", 4, "yaml-not-utf8", 1, 1);
	assert_code("a: \"\\0\"\n", 8, "yaml-control-character", 1, 4);
	static const char bom[] = "\xef\xbb\xbf" "a: b\n";
	struct reading reading = read_bytes(bom, strlen(bom));
	g_assert_nonnull(ynode_get(reading.root, "a"));
	g_assert_cmpuint(ynode_entry(reading.root, "a")->origin.column, ==, 1);
	done(&reading);
}

/* --- bounds -------------------------------------------------------------------------------------------------------- */

static char *repeat(const char *what, size_t n, const char *after)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++)
		g_string_append(text, what);
	g_string_append(text, after);
	return g_string_free(text, FALSE);
}

static void assert_fine(const char *text)
{
	struct reading reading = read_bytes(text, strlen(text));
	g_assert_cmpuint(diags_count(reading.diags), ==, 0);
	g_assert_nonnull(reading.root);
	done(&reading);
}

static void assert_refused(const char *text, const char *code)
{
	assert_code(text, strlen(text), code, 0, 0);
}

static void test_depth(void)
{
	g_autofree char *opened = repeat("[ ", YAML_MAX_DEPTH, "");
	g_autofree char *closed = repeat("] ", YAML_MAX_DEPTH, "");
	g_autofree char *fits = g_strconcat(opened, closed, NULL);
	assert_fine(fits);
	g_autofree char *deeper = g_strconcat("[", fits, "]", NULL);
	assert_refused(deeper, "yaml-too-deep");
	g_autoptr(GString) block = g_string_new(NULL);
	for (int i = 0; i < YAML_MAX_DEPTH + 1; i++)
		g_string_append_printf(block, "%*sa:\n", i, "");
	assert_refused(block->str, "yaml-too-deep");
}

/* Brackets that open nothing. */
static void test_brackets_in_text(void)
{
	g_autofree char *brackets = repeat("[{", 400, "");
	g_autofree char *comment = g_strconcat("a: b # ", brackets, "\n", NULL);
	g_autofree char *single = g_strconcat("a: 'it''s ", brackets, "'\n", NULL);
	g_autofree char *quoted = g_strconcat("a: \"\\\" ", brackets, "\"\n", NULL);
	g_autofree char *plain = g_strconcat("a: x", brackets, "\n", NULL);
	g_autofree char *block = g_strconcat("a: |\n  ", brackets, "\n\n  ", brackets, "\nb: c\n", NULL);
	g_autofree char *item = g_strconcat("- - >-\n   ", brackets, "\n- b\n", NULL);
	assert_fine(comment);
	assert_fine(single);
	assert_fine(quoted);
	assert_fine(plain);
	assert_fine(block);
	assert_fine(item);
}

static void test_flow_depth(void)
{
	unsigned line, column;
	g_assert_cmpuint(yaml_flow_depth("a: [ [ 1 ], { b: [ ] } ]", 24, 1, &line, &column), ==, 3);
	g_assert_cmpuint(line, ==, 1);
	g_assert_cmpuint(column, ==, 6);
	g_assert_cmpuint(yaml_flow_depth("a: [ b ]\nc: [ d ]\n", 18, 1, &line, &column), ==, 1);
	g_assert_cmpuint(line, ==, 0);
}

static void test_size(void)
{
	g_autofree char *large = g_malloc(YAML_MAX_BYTES + 2);
	memset(large, 'a', YAML_MAX_BYTES + 1);
	assert_code(large, YAML_MAX_BYTES + 1, "yaml-too-large", 0, 0);
	large[YAML_MAX_SCALAR + 1] = 0;
	assert_code(large, YAML_MAX_SCALAR + 1, "yaml-too-large", 1, 1);
	struct reading reading = read_bytes(large, YAML_MAX_SCALAR);
	g_assert_cmpuint(reading.root->scalar.length, ==, YAML_MAX_SCALAR);
	done(&reading);
}

static void test_nodes(void)
{
	g_autofree char *many = repeat("-\n", YAML_MAX_NODES + 1, "");
	struct reading reading = read_bytes(many, strlen(many));
	g_assert_null(reading.root);
	g_assert_cmpstr(diags_get(reading.diags, 0)->code, ==, "yaml-too-large");
	done(&reading);
}

/* --- texts made to hurt -------------------------------------------------------------------------------------------- */

static void test_flow_attacks(void)
{
	static const char *const units[] = { "[", "{a: ", "[[", "{", "- [", "? [", "[\n", "{a: \n", "!x [", "&a [", "a: [", "- ",
					    "? ", "- ? " };
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		g_autofree char *text = repeat(units[i], 100000, "");
		struct reading reading = read_bytes(text, strlen(text));
		g_assert_null(reading.root);
		g_assert_cmpuint(diags_errors(reading.diags), >, 0);
		done(&reading);
	}
}

/* What the scan of raw bytes takes for a quoted scalar or a block, and libyaml does not: the depth of events is the second fence.
 * */
static void test_hidden_flow_attacks(void)
{
	static const char *const heads[] = { "a: b 'c\n", "a: \"\n  b\"c 'd\n", "a: | b\n", "%X '\n---\n",
					    "a: b\n  # c\n  'd: e\n", "'a': &b 'c\n" };
	for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
		g_autofree char *flow = repeat("[", 50000, "");
		g_autofree char *text = g_strconcat(heads[i], "b: ", flow, NULL);
		struct reading reading = read_bytes(text, strlen(text));
		g_assert_null(reading.root);
		done(&reading);
	}
}

static void test_alias_bomb(void)
{
	g_autoptr(GString) text = g_string_new("a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n");
	for (int i = 1; i < 10; i++)
		g_string_append_printf(text, "a%d: &a%d [ *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d ]\n", i, i,
				       i - 1, i - 1,
				       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	assert_refused(text->str, "yaml-too-large");
}

static void test_alias_depth(void)
{
	g_autoptr(GString) text = g_string_new("- &a0 [ x ]\n");
	for (int i = 1; i < 5000; i++)
		g_string_append_printf(text, "- &a%d [ *a%d ]\n", i, i - 1);
	assert_refused(text->str, "yaml-too-deep");
}

static void test_alias_cycles(void)
{
	assert_refused("&a [ *a ]", "yaml-alias-cycle");
	assert_refused("a: &x { b: { c: *x } }", "yaml-alias-cycle");
	assert_refused("a: &x\n  <<: *x\n", "yaml-alias-cycle");
	assert_refused("a: *x\n", "yaml-unknown-anchor");
}

static void test_alias_count(void)
{
	g_autofree char *many = repeat("- *a\n", YAML_MAX_ALIASES + 1, "");
	g_autofree char *text = g_strconcat("- &a x\n", many, NULL);
	assert_refused(text, "yaml-too-large");
}

static void test_merge_bomb(void)
{
	g_autoptr(GString) text = g_string_new("base: &b {");
	for (int i = 0; i < 2000; i++)
		g_string_append_printf(text, " k%d: v,", i);
	g_string_append(text, " }\n");
	for (int i = 0; i < 2000; i++)
		g_string_append_printf(text, "m%d: { <<: *b }\n", i);
	assert_refused(text->str, "yaml-too-large");
}

static void test_many_anchors(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (int i = 0; i < 50000; i++)
		g_string_append_printf(text, "- &a%d [ x ]\n", i);
	assert_fine(text->str);
}

static void test_keys(void)
{
	assert_refused("? [ a ]\n: b\n", "yaml-key");
	assert_refused("a: &x b\n*x : c\n", "yaml-key");
	assert_refused("{ [ a ]: b }", "yaml-key");
	assert_refused("a: !custom b", "yaml-tag");
	assert_refused("a: !custom [ b ]", "yaml-tag");
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tosca/yaml/positions", test_positions);
	g_test_add_func("/tosca/yaml/nulls", test_nulls);
	g_test_add_func("/tosca/yaml/anchors-are-shared", test_anchors_are_shared);
	g_test_add_func("/tosca/yaml/merge", test_merge);
	g_test_add_func("/tosca/yaml/duplicates", test_duplicates);
	g_test_add_func("/tosca/yaml/documents", test_documents);
	g_test_add_func("/tosca/yaml/bytes", test_bytes);
	g_test_add_func("/tosca/yaml/depth", test_depth);
	g_test_add_func("/tosca/yaml/brackets-in-text", test_brackets_in_text);
	g_test_add_func("/tosca/yaml/flow-depth", test_flow_depth);
	g_test_add_func("/tosca/yaml/size", test_size);
	g_test_add_func("/tosca/yaml/nodes", test_nodes);
	g_test_add_func("/tosca/yaml/flow-attacks", test_flow_attacks);
	g_test_add_func("/tosca/yaml/hidden-flow-attacks", test_hidden_flow_attacks);
	g_test_add_func("/tosca/yaml/alias-bomb", test_alias_bomb);
	g_test_add_func("/tosca/yaml/alias-depth", test_alias_depth);
	g_test_add_func("/tosca/yaml/alias-cycles", test_alias_cycles);
	g_test_add_func("/tosca/yaml/alias-count", test_alias_count);
	g_test_add_func("/tosca/yaml/merge-bomb", test_merge_bomb);
	g_test_add_func("/tosca/yaml/many-anchors", test_many_anchors);
	g_test_add_func("/tosca/yaml/keys", test_keys);
	return g_test_run();
}
