/* Files, imports, packages, the cache, and how a node finds the template that it stands for. */
#include "tosca/tosca.h"

#include <stdio.h>
#include <string.h>

#define V "tosca_definitions_version: tosca_simple_yaml_1_3\n"

static const struct tnamed_list none;

static void assert_no_findings(const struct diags *diags)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < diags_count(diags); i++)
		diag_print(diags_get(diags, i), NULL, NULL, text);
	g_assert_cmpstr(text->str, ==, "");
}

static bool has_code(const struct diags *diags, const char *code)
{
	for (size_t i = 0; i < diags_count(diags); i++)
		if (!strcmp(diags_get(diags, i)->code, code))
			return true;
	return false;
}

static struct tosca *load_clean(struct snapshot *snapshot, struct tosca_cache *cache)
{
	auto_ptr(diags) diags = diags_new();
	struct tosca *tosca = tosca_load(snapshot, cache, diags);
	assert_no_findings(diags);
	return tosca;
}

/* The built-in profile has no fault in it. */
static void test_profile(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", V "imports: [ pleach_types.yaml ]\ntopology_template: {}\n", NULL);
	auto_ptr(tosca) tosca = load_clean(snapshot, NULL);
	g_assert_cmpuint(tosca_count(tosca), ==, 1);
	size_t n = 0;
	for (; tosca_profile_name(n); n++) {
		g_assert_nonnull(tosca_profile_text(tosca_profile_name(n)));
		/* Each by itself, as a file of a repository: then its findings are shown. */
		auto_ptr(snapshot) alone = snapshot_of(tosca_profile_name(n), tosca_profile_text(tosca_profile_name(n)), NULL);
		tosca_unref(load_clean(alone, NULL));
	}
	g_assert_cmpuint(n, ==, 6);
	g_assert_null(tosca_profile_text("nothing.yaml"));
	g_autoptr(GBytes) bytes = tosca_source("pleach:pleach_types.yaml", tosca);
	g_assert_nonnull(bytes);
	g_assert_null(tosca_source("pleach:nothing.yaml", tosca));
}

/* What is built in cannot be replaced, nor taken for a file of the repository. */
static void test_reserved_paths(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of(
		"pleach:a.yaml", V "topology_template: {}\n", "pleach:pleach_types.yaml", V "node_types: {}\n", "b.yaml",
		V "imports: [ pleach_types.yaml ]\ntopology_template: {}\n", "pleach:c/TOSCA-Metadata/TOSCA.meta",
		"Entry-Definitions: d.yaml\n", "pleach:c/d.yaml", V "topology_template: {}\n", NULL);
	auto_ptr(diags) diags = diags_new();
	auto_ptr(tosca) tosca = tosca_load(snapshot, NULL, diags);
	g_assert_cmpuint(tosca_count(tosca), ==, 1);
	g_assert_cmpuint(diags_errors(diags), ==, 3);
	g_assert_true(has_code(diags, "reserved-path"));
	auto_ptr(snapshot) importer = snapshot_of("a.yaml", V "imports: [ 'pleach:b.yaml' ]\ntopology_template: {}\n", "pleach:b.yaml",
						  V "node_types: {}\n", NULL);
	auto_ptr(diags) of_import = diags_new();
	auto_ptr(tosca) imports = tosca_load(importer, NULL, of_import);
	g_assert_true(has_code(of_import, "missing-import"));
}

static void test_import_forms(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of(
		"nsd/a.yaml", V "imports:\n  - ../types/b.yaml\n  - file: /types/c.yaml\n  - d: { file: ./d.yml }\n"
		"  - e: e.yaml\n"
				"topology_template:\n  node_templates:\n    b: { type: example.B }\n    c: { type: example.C }\n"
				"    d: { type: example.D }\n    e: { type: example.E }\n",
		"types/b.yaml", V "node_types: { example.B: {} }\n", "types/c.yaml", V "node_types: { example.C: {} }\n"
		"", "nsd/d.yml",
		V "node_types: { example.D: {} }\n", "nsd/e.yaml", V "imports: [ f.yaml ]\n", "nsd/f.yaml",
			V "node_types: { example.E: {} }\n", NULL);
	auto_ptr(tosca) tosca = load_clean(snapshot, NULL);
	g_assert_cmpuint(tosca_count(tosca), ==, 1);
	g_assert_cmpstr(tosca_template(tosca, 0)->file, ==, "nsd/a.yaml");
}

/* A file of the repository goes before the built-in one of that name. */
static void test_shipped_profile(void)
{
	auto_ptr(snapshot) snapshot =
		snapshot_of("a.yaml", V "imports: [ etsi_nfv_sol001_vnfd_types.yaml ]\ntopology_template:\n  node_templates:\n"
							      "    a: { type: tosca.nodes.nfv.VNF }\n",
						  "etsi_nfv_sol001_vnfd_types.yaml", V "node_types: { tosca.nodes.nfv.VNF: {} "
						  "}\n", NULL);
	tosca_unref(load_clean(snapshot, NULL));
}

static char *chain_file(unsigned i, unsigned last)
{
	return i == last ? g_strdup(V "node_types: { example.A: {} }\n") : g_strdup_printf(V "imports: [ f%03u.yaml ]\n", i + 1);
}

static bool chain_is_refused(unsigned length)
{
	/* In the order of their names the first one imports all others. */
	g_autofree char *folder = g_dir_make_tmp("tosca-load-XXXXXX", NULL);
	for (unsigned i = 0; i <= length; i++) {
		g_autofree char *text = chain_file(i, length);
		g_autofree char *path = g_strdup_printf("%s/f%03u.yaml", folder, i);
		g_assert_true(g_file_set_contents(path, text, -1, NULL));
	}
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, diags, NULL);
	g_assert_nonnull(snapshot);
	auto_ptr(tosca) tosca = tosca_load(snapshot, NULL, diags);
	for (unsigned i = 0; i <= length; i++) {
		g_autofree char *path = g_strdup_printf("%s/f%03u.yaml", folder, i);
		g_assert_cmpint(remove(path), ==, 0);
	}
	g_assert_cmpint(remove(folder), ==, 0);
	return has_code(diags, "imports-too-deep");
}

static void test_import_depth(void)
{
	g_assert_false(chain_is_refused(31));
	g_assert_true(chain_is_refused(32));
}

static void test_import_count(void)
{
	g_autoptr(GString) text = g_string_new(V "imports:\n");
	for (unsigned i = 0; i < 257; i++)
		g_string_append(text, "  - pleach_types.yaml\n");
	auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", text->str, NULL);
	auto_ptr(diags) diags = diags_new();
	tosca_unref(tosca_load(snapshot, NULL, diags));
	g_assert_true(has_code(diags, "too-many"));
}

static void test_inheritance_depth(void)
{
	for (unsigned n = 63; n <= 5000; n += 4937) {
		g_autoptr(GString) text = g_string_new(V "node_types:\n  example.T0: {}\n");
		for (unsigned i = 1; i < n; i++)
			g_string_append_printf(text, "  example.T%u: { derived_from: example.T%u }\n", i, i - 1);
		auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", text->str, NULL);
		auto_ptr(diags) diags = diags_new();
		tosca_unref(tosca_load(snapshot, NULL, diags));
		g_assert_cmpint(has_code(diags, "inheritance-too-deep"), ==, n > 64);
	}
}

static void test_definition_count(void)
{
	g_autoptr(GString) text = g_string_new(V "node_types:\n  example.T:\n    properties:\n");
	for (unsigned i = 0; i < 513; i++)
		g_string_append_printf(text, "      p%u: { type: string }\n", i);
	auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", text->str, NULL);
	auto_ptr(diags) diags = diags_new();
	tosca_unref(tosca_load(snapshot, NULL, diags));
	g_assert_true(has_code(diags, "too-many"));
}

/* --- bounds: what small texts could grow to --------------------------------------------------------------------------- */

enum { QUICK_MS = 10000 };

static void assert_too_many(const char *text, const char *of_what)
{
	auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", text, NULL);
	auto_ptr(diags) diags = diags_new();
	gint64 start = g_get_monotonic_time();
	auto_ptr(tosca) tosca = tosca_load(snapshot, NULL, diags);
	auto_ptr(arena) arena = arena_new();
	for (size_t i = 0; i < tosca_count(tosca); i++)
		tosca_instantiate(tosca, tosca_template(tosca, i), none, ORIGIN_NONE, arena, diags);
	g_assert_cmpint((g_get_monotonic_time() - start) / 1000, <, QUICK_MS);
	bool found = false;
	for (size_t i = 0; i < diags_count(diags); i++)
		found = found || strstr(diags_get(diags, i)->text, of_what);
	g_assert_true(found);
}

static void append_many(GString *text, unsigned n, const char *before, const char *after)
{
	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(text, "%s%u%s", before, i, after);
}

static void test_type_count(void)
{
	g_autoptr(GString) text = g_string_new(V "data_types:\n");
	append_many(text, 2001, "  example.T", ": {}\n");
	assert_too_many(text->str, "more than 2000 types");
}

static void test_constraint_counts(void)
{
	g_autoptr(GString) text = g_string_new(V "data_types:\n  example.T:\n    derived_from: integer\n    constraints:\n");
	append_many(text, 65, "      - greater_than: ", "\n");
	assert_too_many(text->str, "constraints: more than 64");
	g_string_assign(text, V "data_types:\n  example.T:\n    derived_from: integer\n    constraints: [ valid_values: [");
	append_many(text, 1025, " ", ",");
	g_string_append(text, " ] ]\n");
	assert_too_many(text->str, "valid_values: more than 1024");
}

/* Each node has 500 defaults. */
static void test_part_count(void)
{
	g_autoptr(GString) text = g_string_new(V "node_types:\n  example.T:\n    properties:\n");
	append_many(text, 500, "      p", ": { type: integer, default: 1 }\n");
	g_string_append(text, "topology_template:\n  node_templates:\n");
	append_many(text, 2100, "    n", ": { type: example.T }\n");
	assert_too_many(text->str, "more than 1000000 parts");
}

/* Each interface has the 500 operations of its type, and one more. */
static void test_unit_bytes(void)
{
	g_autoptr(GString) text = g_string_new(V "interface_types:\n  example.I:\n    operations:\n");
	append_many(text, 500, "      o", ": {}\n");
	g_string_append(text, "node_types:\n");
	for (unsigned i = 0; i < 20; i++) {
		g_string_append_printf(text, "  example.T%u:\n    interfaces:\n", i);
		append_many(text, 500, "      i", ": { type: example.I, operations: { x: {} } }\n");
	}
	assert_too_many(text->str, "larger than 256 MiB");
}

/* A pattern that takes too many steps is given up after the first value. */
static void test_costly_pattern(void)
{
	g_autoptr(GString) text = g_string_new(V "data_types:\n"
			"  example.T: { derived_from: string, constraints: [ pattern: '(a+)+[bc]' ] }\n"
						 "node_types:\n"
						 "  example.N: { properties: { p: { type: list, entry_schema: example.T } } }\n"
						 "topology_template:\n  node_templates:\n    n:\n      type: example.N\n"
						 "      properties:\n        p:\n");
	for (unsigned i = 0; i < 5000; i++)
		g_string_append(text, "          - aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	assert_too_many(text->str, "takes too many steps");
}

/* Texts that double, or that are many: bounded by what they are long. */
static void test_text_growth(void)
{
	g_autofree char *long_text = g_strnfill(500 * 1024, 'x');
	g_autoptr(GString) text = g_string_new(V "node_types:\n  example.N: { properties: { p: { type: string } } }\n"
			"topology_template:\n"
						 "  node_templates:\n");
	g_string_append_printf(text, "    first: { type: example.N, properties: { p: %s } }\n", long_text);
	size_t length = text->len;
	append_many(text, 1000, "    n",
		    ": { type: example.N, properties: { p: { concat: [ { get_property: [ first, p ] }, y ] } } }\n");
	assert_too_many(text->str, "more than 1000000 parts");
	g_string_truncate(text, length);
	g_string_append(text, "    z: { type: example.N, properties: { p: { concat: [ { get_property: [ first, p ] },\n"
			      "      { get_property: [ first, p ] }, { get_property: [ first, p ] } ] } } }\n");
	assert_too_many(text->str, "longer than 1 MiB");
}

/* Quadratic in names, were they not looked up by hash. */
static void test_many_faults(void)
{
	g_autoptr(GString) text = g_string_new(V "imports: [ pleach_types.yaml ]\ntopology_template:\n  node_templates:\n");
	append_many(text, 20000, "    n", ": { type: pleach.nodes.Site, requirements: [ dependency: nobody ] }\n");
	g_string_append(text, "  policies:\n");
	append_many(text, 20000, "    - p", ": { type: pleach.policies.Drift, targets: [ nobody ], properties: { mode: report } "
			"}\n");
	assert_too_many(text->str, "nobody");
}

/* --- packages ------------------------------------------------------------------------------------------------------ */

#define VNFD(name, id) \
	V "imports: [ etsi_nfv_sol001_vnfd_types.yaml ]\nnode_types:\n  " name ":\n    derived_from: tosca.nodes.nfv.VNF\n" \
			"    properties:\n" \
	  "      descriptor_id: { type: string, default: " id " }\n      descriptor_version: { type: string, default: '1.0' }\n" \
	  "      provider: { type: string, default: me }\n      product_name: { type: string, default: x }\n" \
	  "      software_version: { type: string, default: '1' }\n      flavour_description: { type: string, default: one }\n" \
	  "      vnfm_info: { type: list, entry_schema: { type: string }, default: [ '0:pleach' ] }\n" \
	  "      flavour_id: { type: string, default: simple }\n" \
	  "topology_template:\n  substitution_mappings: { node_type: " name ", properties: { flavour_id: simple } }\n"

static void test_package(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of("fw/TOSCA-Metadata/TOSCA.meta",
						  "TOSCA-Meta-File-Version: 1.0\r\nCSAR-Version: 1.1\r\n"
						  "entry-definitions:  Definitions/fw.yaml \r\n",
						  "fw/Definitions/fw.yaml", VNFD("example.Fw", "id-fw"),
						  "fw/Definitions/other.yaml", V "topology_template: { nonsense: 1 }\n", "nsd.yaml",
						  V "imports: [ fw ]\ntopology_template:\n  node_templates:\n"
						    "    fw: { type: example.Fw }\n", NULL);
	auto_ptr(tosca) tosca = load_clean(snapshot, NULL);
	g_assert_cmpuint(tosca_count(tosca), ==, 2);
	const struct origin from = { "s.yaml", 1, 1 };
	auto_ptr(diags) diags = diags_new();
	static const char *const names[] = { "/fw", "fw", "fw/", "/fw/Definitions/fw.yaml",
					    "fw/Definitions/../Definitions/fw.yaml", "id-fw" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct ttemplate *found = tosca_find(tosca, names[i], from, diags);
		g_assert_nonnull(found);
		g_assert_cmpstr(found->file, ==, "fw/Definitions/fw.yaml");
		g_assert_cmpstr(found->substitutes, ==, "example.Fw");
	}
	assert_no_findings(diags);
	g_assert_null(tosca_find(tosca, "../fw", from, diags));
	g_assert_null(tosca_find(tosca, "fw/Definitions/other.yaml", from, diags));
	g_assert_cmpuint(diags_errors(diags), ==, 2);
}

/* --- substitution -------------------------------------------------------------------------------------------------- */

static void test_substitute(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of(
		"a/fw.yaml", VNFD("example.Fw", "id-a"), "b/web.yaml", VNFD("example.Web", "id-b"), "nsd.yaml",
		V "imports: [ a/fw.yaml, b/web.yaml, etsi_nfv_sol001_nsd_types.yaml ]\ntopology_template:\n  node_templates:\n"
				"    fw: { type: example.Fw }\n"
		  "    web:\n      type: tosca.nodes.nfv.VNF\n"
		  "      properties: { descriptor_id: id-b, descriptor_version: '1', provider: me, product_name: p,\n"
		  "        software_version: '1', vnfm_info: [ '0:x' ], flavour_id: simple, flavour_description: d }\n"
		  "    sap: { type: tosca.nodes.nfv.Sap, properties: { layer_protocols: [ ipv4 ] }, requirements: [ "
		  "internal_virtual_link: fwd ] }\n"
		  "    fwd: { type: tosca.nodes.nfv.Forwarding, requirements: [ virtual_link: fwd ] }\n",
		NULL);
	auto_ptr(tosca) tosca = load_clean(snapshot, NULL);
	auto_ptr(diags) diags = diags_new();
	auto_ptr(arena) arena = arena_new();
	const struct origin from = { "s.yaml", 1, 1 };
	const struct ttemplate *nsd = tosca_find(tosca, "nsd.yaml", from, diags);
	const struct ttopology *topology = tosca_instantiate(tosca, nsd, none, from, arena, diags);
	g_assert_cmpstr(tosca_substitute(tosca, nsd, ttopology_node(topology, "fw"), diags)->file, ==, "a/fw.yaml");
	g_assert_cmpstr(tosca_substitute(tosca, nsd, ttopology_node(topology, "web"), diags)->file, ==, "b/web.yaml");
	g_assert_null(tosca_substitute(tosca, nsd, ttopology_node(topology, "sap"), diags));
	g_assert_null(ttopology_node(topology, "nobody"));
	assert_no_findings(diags);
	g_assert_cmpstr(nsd->descriptor_id, ==, NULL);
}

/* --- the cache ----------------------------------------------------------------------------------------------------- */

static const struct ttemplate *template_at(const struct tosca *tosca, const char *file)
{
	auto_ptr(diags) diags = diags_new();
	return tosca_find(tosca, file, ORIGIN_NONE, diags);
}

static void test_cache(void)
{
	auto_ptr(tosca_cache) cache = tosca_cache_new();
	static const char types[] = V "node_types: { example.A: { properties: { p: { type: integer, default: 1 } } } }\n";
	static const char changed[] = V "node_types: { example.A: { properties: { p: { type: integer, default: 2 } } } }\n";
	static const char user[] =
		V "imports: [ types.yaml ]\ntopology_template: { node_templates: { a: { type: example.A } } }\n";
	static const char other[] = V "topology_template: {}\n";
	auto_ptr(snapshot) first = snapshot_of("types.yaml", types, "user.yaml", user, "other.yaml", other, NULL);
	auto_ptr(snapshot) second = snapshot_of("types.yaml", changed, "user.yaml", user, "other.yaml", other, NULL);
	auto_ptr(tosca) a = load_clean(first, cache);
	auto_ptr(tosca) b = load_clean(first, cache);
	auto_ptr(tosca) c = load_clean(second, cache);
	/* What did not change is not read again; what imports a changed file is. */
	g_assert_true(template_at(a, "user.yaml") == template_at(b, "user.yaml"));
	g_assert_true(template_at(a, "other.yaml") == template_at(c, "other.yaml"));
	g_assert_false(template_at(a, "user.yaml") == template_at(c, "user.yaml"));
	auto_ptr(arena) arena = arena_new();
	auto_ptr(diags) diags = diags_new();
	const struct ttopology *old = tosca_instantiate(a, template_at(a, "user.yaml"), none, ORIGIN_NONE, arena, diags);
	const struct ttopology *new = tosca_instantiate(c, template_at(c, "user.yaml"), none, ORIGIN_NONE, arena, diags);
	g_assert_cmpint(tvalue_int(tnode_property(&old->nodes[0], "p"), 0), ==, 1);
	g_assert_cmpint(tvalue_int(tnode_property(&new->nodes[0], "p"), 0), ==, 2);
}

/* The same text, but a file that it names comes or goes; an import that was built in is now shipped. */
static void test_cache_sees_other_files(void)
{
	auto_ptr(tosca_cache) cache = tosca_cache_new();
	static const char text[] =
		V "imports: [ pleach_types.yaml ]\ntopology_template:\n  node_templates:\n    a:\n      type: pleach.nodes.Site\n"
				     "      artifacts: { x: x.cfg }\n";
	auto_ptr(snapshot) without = snapshot_of("a.yaml", text, NULL);
	auto_ptr(snapshot) with = snapshot_of("a.yaml", text, "x.cfg", "x", NULL);
	auto_ptr(snapshot) shadowed = snapshot_of("a.yaml", text, "x.cfg", "x", "pleach_types.yaml", V, NULL);
	for (unsigned round = 0; round < 2; round++) {
		auto_ptr(diags) missing = diags_new();
		tosca_unref(tosca_load(without, cache, missing));
		g_assert_true(has_code(missing, "missing-file"));
		tosca_unref(load_clean(with, cache));
		auto_ptr(diags) unknown = diags_new();
		tosca_unref(tosca_load(shadowed, cache, unknown));
		g_assert_true(has_code(unknown, "unknown-type"));
	}
}

static void test_unused_units_leave_the_cache(void)
{
	auto_ptr(tosca_cache) cache = tosca_cache_new();
	for (unsigned i = 0; i < 50; i++) {
		g_autofree char *text = g_strdup_printf(V "description: revision %u\ntopology_template: {}\n", i);
		auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", text, NULL);
		auto_ptr(tosca) tosca = load_clean(snapshot, cache);
		g_assert_cmpuint(tosca_count(tosca), ==, 1);
	}
	g_assert_cmpuint(tosca_cache_count(cache), >=, 1);
	g_assert_cmpuint(tosca_cache_count(cache), <, 10);
}

static void test_faulty(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of("bad.yaml", V "node_types: { example.A: { derived_from: nobody } }\n",
						  "user.yaml",
						  V "imports: [ bad.yaml ]\ntopology_template: {}\n", "good.yaml",
							  V "topology_template: {}\n", NULL);
	auto_ptr(diags) diags = diags_new();
	auto_ptr(tosca) tosca = tosca_load(snapshot, NULL, diags);
	g_assert_true(template_at(tosca, "user.yaml")->faulty);
	g_assert_false(template_at(tosca, "good.yaml")->faulty);
	g_assert_cmpuint(diags_errors(diags), ==, 1);
	auto_ptr(arena) arena = arena_new();
	g_assert_true(tosca_instantiate(tosca, template_at(tosca, "user.yaml"), none, ORIGIN_NONE, arena, diags)->faulty);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tosca/load/profile", test_profile);
	g_test_add_func("/tosca/load/reserved-paths", test_reserved_paths);
	g_test_add_func("/tosca/load/import-forms", test_import_forms);
	g_test_add_func("/tosca/load/shipped-profile", test_shipped_profile);
	g_test_add_func("/tosca/load/import-depth", test_import_depth);
	g_test_add_func("/tosca/load/import-count", test_import_count);
	g_test_add_func("/tosca/load/inheritance-depth", test_inheritance_depth);
	g_test_add_func("/tosca/load/definition-count", test_definition_count);
	g_test_add_func("/tosca/load/type-count", test_type_count);
	g_test_add_func("/tosca/load/constraint-counts", test_constraint_counts);
	g_test_add_func("/tosca/load/part-count", test_part_count);
	g_test_add_func("/tosca/load/unit-bytes", test_unit_bytes);
	g_test_add_func("/tosca/load/costly-pattern", test_costly_pattern);
	g_test_add_func("/tosca/load/text-growth", test_text_growth);
	g_test_add_func("/tosca/load/many-faults", test_many_faults);
	g_test_add_func("/tosca/load/package", test_package);
	g_test_add_func("/tosca/load/substitute", test_substitute);
	g_test_add_func("/tosca/load/cache", test_cache);
	g_test_add_func("/tosca/load/cache-sees-other-files", test_cache_sees_other_files);
	g_test_add_func("/tosca/load/unused-units-leave-the-cache", test_unused_units_leave_the_cache);
	g_test_add_func("/tosca/load/faulty", test_faulty);
	return g_test_run();
}
