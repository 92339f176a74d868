/* Values: what each type makes of what was written, where it came from, and what is left to run time. */
#include "tosca/tosca.h"

#include <string.h>

static struct tosca_cache *cache;

struct loaded {
	struct diags *diags;
	struct arena *arena;
	struct tosca *tosca;
	const struct ttopology *topology;
};

#define VERSION "tosca_definitions_version: tosca_simple_yaml_1_3\n"

static void print_findings(const struct loaded *loaded)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < diags_count(loaded->diags); i++)
		diag_print(diags_get(loaded->diags, i), tosca_source, loaded->tosca, text);
	if (text->len)
		g_test_message("%s", text->str);
}

static struct loaded load(const char *text, struct tnamed_list inputs)
{
	struct loaded loaded = { .diags = diags_new(), .arena = arena_new() };
	g_autofree char *whole = g_strconcat(VERSION, text, NULL);
	auto_ptr(snapshot) snapshot = snapshot_of("t.yaml", whole, "files/run.sh", "exit 0\n", NULL);
	loaded.tosca = tosca_load(snapshot, cache, loaded.diags);
	g_assert_cmpuint(tosca_count(loaded.tosca), ==, 1);
	const struct origin from = { "t.yaml", 1, 1 };
	loaded.topology = tosca_instantiate(loaded.tosca, tosca_template(loaded.tosca, 0), inputs, from, loaded.arena,
					    loaded.diags);
	print_findings(&loaded);
	return loaded;
}

static void unload(struct loaded *loaded)
{
	/* Values outlive the tosca that made them. */
	tosca_unref(loaded->tosca);
	for (size_t i = 0; i < loaded->topology->n_nodes; i++)
		g_assert_nonnull(loaded->topology->nodes[i].name);
	arena_unref(loaded->arena);
	diags_free(loaded->diags);
}

static const struct tvalue *value_of(const struct loaded *loaded, const char *property)
{
	const struct tvalue *value = tnode_property(ttopology_node(loaded->topology, "n"), property);
	g_assert_nonnull(value);
	return value;
}

#define NODE(properties, values) \
	"data_types:\n" \
	"  example.Port: { derived_from: integer, constraints: [ in_range: [ 1, 65535 ] ] }\n" \
	"  example.Web: { derived_from: example.Port, constraints: [ valid_values: [ 80, 443 ] ] }\n" \
	"  example.Pair: { properties: { left: { type: integer, default: 7 }, right: { type: string, required: false } } }\n" \
	"node_types:\n  example.N:\n    properties:\n" properties "topology_template:\n  node_templates:\n" \
	"    n:\n      type: example.N\n      properties:\n" values

static const struct tnamed_list none;

static void test_scalars(void)
{
	struct loaded l = load(NODE("      text: { type: string }\n      version: { type: version }\n"
			"      mac: { type: string }\n"
				    "      when: { type: timestamp }\n      on: { type: boolean }\n"
				    "      count: { type: integer }\n"
				    "      hex: { type: integer }\n      octal: { type: integer }\n      part: { type: float }\n"
				    "      whole: { type: float }\n      dscp: { type: string }\n      no: { type: string }\n",
				    "        text: 1.0\n        version: 1.10\n        mac: 02:00:00:00:00:01\n"
				    "        when: 2026-11-20T12:00:00Z\n"
				    "        on: True\n        count: -12\n        hex: 0xff\n        octal: 0o17\n"
				    "        part: 2.5\n"
				    "        whole: 3\n        dscp: 001010\n        no: no\n"),
			       none);
	g_assert_cmpuint(diags_count(l.diags), ==, 0);
	g_assert_cmpstr(tvalue_string(value_of(&l, "text"), NULL), ==, "1.0");
	g_assert_cmpstr(tvalue_string(value_of(&l, "version"), NULL), ==, "1.10");
	g_assert_cmpstr(tvalue_string(value_of(&l, "mac"), NULL), ==, "02:00:00:00:00:01");
	g_assert_cmpstr(tvalue_string(value_of(&l, "dscp"), NULL), ==, "001010");
	g_assert_cmpstr(tvalue_string(value_of(&l, "no"), NULL), ==, "no");
	g_assert_true(tvalue_bool(value_of(&l, "on"), false));
	g_assert_cmpint(tvalue_int(value_of(&l, "count"), 0), ==, -12);
	g_assert_cmpint(tvalue_int(value_of(&l, "hex"), 0), ==, 255);
	g_assert_cmpint(tvalue_int(value_of(&l, "octal"), 0), ==, 15);
	g_assert_cmpfloat(value_of(&l, "part")->number, ==, 2.5);
	g_assert_cmpfloat(value_of(&l, "whole")->number, ==, 3);
	g_assert_cmpuint(value_of(&l, "text")->origin.column, ==, 15);
	unload(&l);
}

static void test_units(void)
{
	struct loaded l = load(NODE("      a: { type: scalar-unit.size }\n      b: { type: scalar-unit.size }\n"
			"      c: { type: scalar-unit.size }\n"
				    "      d: { type: scalar-unit.time }\n      e: { type: scalar-unit.bitrate }\n"
				    "      f: { type: scalar-unit.bitrate }\n"
				    "      g: { type: scalar-unit.frequency }\n      h: { type: scalar-unit.time }\n"
				    "      i: { type: scalar-unit.size }\n",
				    "        a: 64 MiB\n        b: 64MB\n        c: 1.5 GiB\n        d: 100 ms\n"
				    "        e: 50 Mbps\n        f: 1 KiBps\n"
				    "        g: 2.4 GHz\n        h: 2 h\n        i: 4 gib\n"),
			       none);
	g_assert_cmpuint(diags_count(l.diags), ==, 0);
	g_assert_cmpint(tvalue_int(value_of(&l, "a"), 0), ==, 67108864);
	g_assert_cmpint(tvalue_int(value_of(&l, "b"), 0), ==, 64000000);
	g_assert_cmpint(tvalue_int(value_of(&l, "c"), 0), ==, 1610612736);
	g_assert_cmpfloat(value_of(&l, "d")->number, ==, 0.1);
	g_assert_cmpint(tvalue_int(value_of(&l, "e"), 0), ==, 50000000);
	g_assert_cmpint(tvalue_int(value_of(&l, "f"), 0), ==, 8192);
	g_assert_cmpfloat(value_of(&l, "g")->number, ==, 2.4e9);
	g_assert_cmpfloat(value_of(&l, "h")->number, ==, 7200);
	g_assert_cmpint(tvalue_int(value_of(&l, "i"), 0), ==, G_GINT64_CONSTANT(4294967296));
	unload(&l);
}

static void test_collections(void)
{
	struct loaded l = load(NODE("      list: { type: list, entry_schema: { type: example.Port } }\n"
			"      map: { type: map, entry_schema: integer }\n"
				    "      range: { type: range }\n      open: { type: range }\n"
				    "      pair: { type: example.Pair }\n"
				    "      rest: { type: map }\n      web: { type: example.Web }\n"
				    "      later: { type: example.Pair, default: { right: r } }\n",
				    "        list: [ 80, 8080 ]\n        map: { b: 1, a: 2 }\n        range: [ 1, 9 ]\n"
				    "        open: [ 1, UNBOUNDED ]\n"
				    "        pair: {}\n        rest: { a: 1.0, b: '1', c: true, d: [ x ], e: 010 }\n"
				    "        web: 443\n"),
			       none);
	g_assert_cmpuint(diags_count(l.diags), ==, 0);
	const struct tvalue *list = value_of(&l, "list");
	g_assert_cmpuint(list->list.n, ==, 2);
	g_assert_cmpint(list->list.items[1]->integer, ==, 8080);
	g_assert_cmpstr(list->list.items[1]->data_type, ==, "example.Port");
	g_assert_cmpstr(value_of(&l, "map")->map.keys[0], ==, "b");
	g_assert_cmpint(tvalue_int(value_of(&l, "range")->list.items[1], 0), ==, 9);
	g_assert_cmpstr(tvalue_string(value_of(&l, "open")->list.items[1], NULL), ==, "UNBOUNDED");
	const struct tvalue *pair = value_of(&l, "pair");
	g_assert_cmpstr(pair->data_type, ==, "example.Pair");
	g_assert_cmpint(tvalue_int(tvalue_get(pair, "left"), 0), ==, 7);
	g_assert_true(tvalue_get(pair, "left")->is_default);
	g_assert_null(tvalue_get(pair, "right"));
	const struct tvalue *rest = value_of(&l, "rest");
	g_assert_cmpint(tvalue_get(rest, "a")->type, ==, TV_FLOAT);
	g_assert_cmpstr(tvalue_get(rest, "a")->text, ==, "1.0");
	g_assert_cmpint(tvalue_get(rest, "b")->type, ==, TV_STRING);
	g_assert_cmpint(tvalue_get(rest, "c")->type, ==, TV_BOOL);
	g_assert_cmpint(tvalue_int(tvalue_get(rest, "e"), 0), ==, 10);
	g_assert_cmpint(tvalue_int(value_of(&l, "web"), 0), ==, 443);
	const struct tvalue *later = value_of(&l, "later");
	g_assert_true(later->is_default);
	g_assert_cmpint(tvalue_int(tvalue_get(later, "left"), 0), ==, 7);
	g_assert_cmpuint(later->origin.line, ==, 16);
	unload(&l);
}

/* --- functions ----------------------------------------------------------------------------------------------------- */

#define FUNCTIONS \
	"node_types:\n" \
	"  example.Host: { properties: { name: { type: string, default: h } } }\n" \
	"  example.N:\n    properties:\n      a: { type: string, required: false }\n" \
	"      b: { type: string, required: false }\n" \
	"      c: { type: integer, required: false }\n      d: { type: list, required: false, entry_schema: { type: string } " \
	"}\n" \
	"      e: { type: map, required: false }\n    attributes: { addresses: { type: list } }\n" \
	"    capabilities: { cap: { type: tosca.capabilities.Compute } }\n" \
	"    requirements: [ host: { capability: tosca.capabilities.Node, occurrences: [ 0, 1 ] } ]\n" \
	"topology_template:\n  inputs:\n    vip: { type: string }\n    port: { type: integer, default: 80 }\n" \
	"    nested: { type: map, entry_schema: { type: map }, default: { x: { y: deep } } }\n" \
	"    maybe: { type: string, required: false }\n" \
	"  node_templates:\n    h: { type: example.Host }\n"

static struct tnamed_list vip(const char *address)
{
	static struct tvalue value;
	static struct tnamed named;
	value = (struct tvalue) { .type = TV_STRING, .string = address, .text = address };
	named = (struct tnamed) { "vip", &value, { "s.yaml", 3, 4 } };
	return (struct tnamed_list) { &named, 1 };
}

static void test_functions(void)
{
	struct loaded l = load(FUNCTIONS "    n:\n      type: example.N\n      requirements: [ host: h ]\n"
					 "      capabilities: { cap: { properties: { name: from-capability } } }\n"
					 "      properties:\n"
					 "        a: { concat: [ { get_input: vip }, ':', { get_input: port } ] }\n"
					 "        b: { get_property: [ HOST, name ] }\n        c: { get_input: port }\n"
					 "        d: [ { get_input: vip }, { get_input: [ nested, x, y ] }, { get_property: [ "
					 "SELF, a ] },\n"
					 "             { token: [ a.b.c, '.', 1 ] }, { join: [ [ p, q ], '-' ] }, { "
					 "get_property: [ n, cap, name ] },\n"
					 "             { get_property: [ SELF, host, name ] } ]\n"
					 "        e: { deep: [ { k: { get_input: port } } ] }\n",
			       vip("10.0.0.1"));
	g_assert_cmpuint(diags_count(l.diags), ==, 0);
	g_assert_cmpstr(tvalue_string(value_of(&l, "a"), NULL), ==, "10.0.0.1:80");
	g_assert_cmpstr(tvalue_string(value_of(&l, "b"), NULL), ==, "h");
	g_assert_cmpint(tvalue_int(value_of(&l, "c"), 0), ==, 80);
	static const char *const wanted[] = { "10.0.0.1", "deep", "10.0.0.1:80", "b", "p-q", "from-capability", "h" };
	const struct tvalue *d = value_of(&l, "d");
	g_assert_cmpuint(d->list.n, ==, G_N_ELEMENTS(wanted));
	for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
		g_assert_cmpstr(tvalue_string(d->list.items[i], NULL), ==, wanted[i]);
	const struct tvalue *deep = tvalue_get(value_of(&l, "e"), "deep");
	g_assert_cmpint(tvalue_int(tvalue_get(deep->list.items[0], "k"), 0), ==, 80);
	g_assert_cmpuint(l.topology->inputs.n, ==, 3);
	g_assert_cmpstr(tvalue_string(tnamed_get(l.topology->inputs, "vip"), NULL), ==, "10.0.0.1");
	unload(&l);
}

static void test_run_time(void)
{
	struct loaded l = load(FUNCTIONS "    n:\n      type: example.N\n      requirements: [ host: h ]\n      properties:\n"
					 "        a: { concat: [ 'http://', { get_attribute: [ SELF, addresses, 0 ] }, ':', { "
					 "get_input: port } ] }\n"
					 "        b: { get_attribute: [ HOST, state ] }\n"
					 "        d: { get_attribute: [ n, addresses ] }\n"
					 "        c: { get_attribute: [ SELF, c2, 1 ] }\n"
					 "        e: { k: { get_property: [ SELF, d, 3 ] } }\n",
			       vip("x"));
	g_assert_cmpuint(diags_errors(l.diags), ==, 1); /* c2 */
	const struct tvalue *a = value_of(&l, "a");
	g_assert_cmpint(a->type, ==, TV_FUNCTION);
	g_assert_cmpstr(a->function.name, ==, "concat");
	g_assert_cmpuint(a->function.n, ==, 4);
	const struct tvalue *inner = a->function.args[1];
	g_assert_cmpstr(inner->function.name, ==, "get_attribute");
	g_assert_cmpstr(tvalue_string(inner->function.args[0], NULL), ==, "n");
	g_assert_cmpint(tvalue_int(inner->function.args[2], -1), ==, 0);
	g_assert_cmpint(tvalue_int(a->function.args[3], -1), ==, 80);
	g_assert_cmpstr(tvalue_string(value_of(&l, "b")->function.args[0], NULL), ==, "h");
	g_assert_cmpint(value_of(&l, "d")->type, ==, TV_FUNCTION);
	const struct tvalue *part = tvalue_get(value_of(&l, "e"), "k");
	g_assert_cmpuint(part->function.n, ==, 3);
	g_assert_cmpint(tvalue_int(part->function.args[2], -1), ==, 3);
	unload(&l);
}

/* An input that nobody gave and nobody must give: what takes it is not given either. */
static void test_absent(void)
{
	struct loaded l = load(FUNCTIONS "    n:\n      type: example.N\n      properties:\n        a: { get_input: maybe }\n"
			"        b: { get_input: vip }\n",
			       vip("x"));
	g_assert_cmpuint(diags_count(l.diags), ==, 0);
	const struct tnode *n = ttopology_node(l.topology, "n");
	g_assert_null(tnode_property(n, "a"));
	g_assert_cmpuint(n->properties.n, ==, 1);
	unload(&l);
}

static void test_operation_inputs(void)
{
	struct loaded l = load("interface_types:\n  example.I:\n    inputs: { WHO: { type: string, default: world } }\n"
			"    operations:\n"
			       "      go: { inputs: { HOW: { type: integer, default: 3 } } }\n"
			       "node_types:\n  example.N:\n"
			       "    properties: { rate: { type: scalar-unit.bitrate, default: 1 Mbps } }\n"
			       "    interfaces: { Extra: { type: example.I } }\n"
			       "topology_template:\n  node_templates:\n    n:\n      type: example.N\n      interfaces:\n"
			       "        Extra:\n"
			       "          inputs: { RATE: { get_property: [ SELF, rate ] }, ALL: 1 }\n          operations:\n"
			       "            go: { implementation: { primary: files/run.sh, timeout: 10 }, inputs: { ALL: 2, ME: "
			       "{ get_attribute: [ SELF, state ] } } }\n"
			       "        Standard:\n          start: files/run.sh\n",
			       none);
	g_assert_cmpuint(diags_count(l.diags), ==, 0);
	const struct toperation *go = tnode_operation(ttopology_node(l.topology, "n"), "Extra", "go");
	g_assert_cmpstr(go->file, ==, "files/run.sh");
	g_assert_cmpfloat(go->timeout_s, ==, 10);
	g_assert_cmpint(tvalue_int(tnamed_get(go->inputs, "RATE"), 0), ==, 1000000);
	g_assert_cmpint(tvalue_int(tnamed_get(go->inputs, "ALL"), 0), ==, 2);
	g_assert_cmpint(tvalue_int(tnamed_get(go->inputs, "HOW"), 0), ==, 3);
	g_assert_cmpstr(tvalue_string(tnamed_get(go->inputs, "WHO"), NULL), ==, "world");
	g_assert_cmpint(tnamed_get(go->inputs, "ME")->type, ==, TV_FUNCTION);
	const struct toperation *start = tnode_operation(ttopology_node(l.topology, "n"), "Standard", "start");
	g_assert_cmpstr(start->file, ==, "files/run.sh");
	g_assert_null(tnode_operation(ttopology_node(l.topology, "n"), "Standard", "stop"));
	unload(&l);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	cache = tosca_cache_new();
	g_test_add_func("/tosca/values/scalars", test_scalars);
	g_test_add_func("/tosca/values/units", test_units);
	g_test_add_func("/tosca/values/collections", test_collections);
	g_test_add_func("/tosca/values/functions", test_functions);
	g_test_add_func("/tosca/values/run-time", test_run_time);
	g_test_add_func("/tosca/values/absent", test_absent);
	g_test_add_func("/tosca/values/operation-inputs", test_operation_inputs);
	int status = g_test_run();
	tosca_cache_free(cache);
	return status;
}
