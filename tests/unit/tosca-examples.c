/* Whole repositories: those of examples/, and, where the reference material lies beside the checkout, that too. */
#include "tosca/tosca.h"

#include <string.h>

static void assert_loads(const char *folder, size_t at_least)
{
	auto_ptr(diags) diags = diags_new();
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, diags, &error);
	g_assert_no_error(error);
	auto_ptr(tosca) tosca = tosca_load(snapshot, NULL, diags);
	g_autoptr(GString) text = g_string_new(NULL);
	diags_sort(diags);
	for (size_t i = 0; i < diags_count(diags); i++)
		diag_print(diags_get(diags, i), tosca_source, tosca, text);
	if (diags_errors(diags))
		g_test_message("%s", text->str);
	g_assert_cmpuint(diags_errors(diags), ==, 0);
	g_assert_cmpuint(tosca_count(tosca), >=, at_least);
	for (size_t i = 0; i < tosca_count(tosca); i++)
		g_assert_false(tosca_template(tosca, i)->faulty);
}

static void test_example(gconstpointer data)
{
	g_autofree char *own = g_build_filename(SOURCE_DIR, "examples", data, NULL);
	g_autofree char *shared = g_build_filename(SOURCE_DIR, "../shared/language", data, NULL);
	bool found = false;
	const char *const folders[] = { own, shared };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		if (!g_file_test(folders[i], G_FILE_TEST_IS_DIR))
			continue;
		found = true;
		assert_loads(folders[i], !strcmp(data, "network") ? 9 : 2);
	}
	if (!found)
		g_test_skip("neither in examples/ nor beside the checkout");
}

/* What a network service of the example says, to the last value. */
static void test_values(void)
{
	g_autofree char *own = g_build_filename(SOURCE_DIR, "examples/network", NULL);
	g_autofree char *shared = g_build_filename(SOURCE_DIR, "../shared/language/network", NULL);
	const char *folder = g_file_test(own, G_FILE_TEST_IS_DIR) ? own : shared;
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		g_test_skip("examples/network is not there");
		return;
	}
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, diags, NULL);
	auto_ptr(tosca) tosca = tosca_load(snapshot, NULL, diags);
	auto_ptr(arena) arena = arena_new();
	const struct tnamed_list none = { 0 };
	const struct ttemplate *services = tosca_find(tosca, "services/edge.yaml", ORIGIN_NONE, diags);
	const struct tnode *edge = ttopology_node(tosca_instantiate(tosca, services, none, ORIGIN_NONE, arena, diags), "edge");
	const struct tvalue *given = tnode_property(edge, "inputs");
	struct tnamed items[8];
	for (size_t i = 0; i < given->map.n; i++)
		items[i] = (struct tnamed) { given->map.keys[i], given->map.items[i], given->map.items[i]->origin };
	const struct tnamed_list inputs = { items, given->map.n };
	const struct ttemplate *nsd = tosca_find(tosca, tvalue_string(tnode_property(edge, "descriptor"), ""), edge->origin,
						 diags);
	const struct ttopology *ns = tosca_instantiate(tosca, nsd, inputs, edge->origin, arena, diags);
	g_assert_cmpuint(diags_errors(diags), ==, 0);
	g_assert_cmpint(tvalue_int(tnode_property(ttopology_node(ns, "shaper"), "rate"), 0), ==, 50000000);
	const struct tnode *balancer = ttopology_node(ns, "load_balancer");
	g_assert_cmpint(tnode_property(balancer, "backends")->type, ==, TV_FUNCTION);
	g_assert_cmpstr(tnode_property(balancer, "backends")->function.args[0]->string, ==, "web");
	g_assert_cmpstr(tvalue_string(tnamed_get(ns->policies[0].properties, "destination_ip_address_prefix"), NULL), ==,
			"10.10.2.100/32");
	const struct trequirement *positions = ttopology_node(ns, "web_path")->requirements;
	g_assert_cmpstr(positions[0].node->name, ==, "position_firewall");
	g_assert_cmpstr(positions[2].node->name, ==, "position_load_balancer");
	const struct ttemplate *vnfd = tosca_substitute(tosca, nsd, ttopology_node(ns, "firewall"), diags);
	g_assert_cmpstr(vnfd->file, ==, "vnfd/firewall/Definitions/firewall.yaml");
	const struct ttopology *vnf = tosca_instantiate(tosca, vnfd, none, edge->origin, arena, diags);
	const struct tnode *filter = ttopology_node(vnf, "filter");
	g_assert_cmpstr(filter->artifacts[0].file, ==, "vnfd/firewall/Files/ruleset.nft");
	g_assert_cmpstr(tnode_operation(filter, "Standard", "reload")->file, ==, "vnfd/firewall/Scripts/load.sh");
	g_assert_cmpstr(tnode_requirement(filter, "host")->node->name, ==, "vdu");
}

/* The standard's own files, shipped beside a template, go before ours. */
static void test_standard_files(void)
{
	g_autofree char *folder = g_build_filename(SOURCE_DIR, "../shared/reference/sol001-4.4.1", NULL);
	if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
		g_test_skip("the standard's type files are not beside the checkout");
		return;
	}
	static const char *const names[] = { "common", "vnfd", "nsd", "pnfd" };
	char *texts[G_N_ELEMENTS(names)];
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *file = g_strdup_printf("%s/etsi_nfv_sol001_%s_types.yaml", folder, names[i]);
		g_assert_true(g_file_get_contents(file, &texts[i], NULL, NULL));
	}
	auto_ptr(snapshot) snapshot = snapshot_of(
		"etsi_nfv_sol001_common_types.yaml", texts[0], "etsi_nfv_sol001_vnfd_types.yaml", texts[1],
		"etsi_nfv_sol001_nsd_types.yaml", texts[2], "etsi_nfv_sol001_pnfd_types.yaml", texts[3], "vnfd.yaml",
		"tosca_definitions_version: tosca_simple_yaml_1_3\n"
		"imports: [ etsi_nfv_sol001_nsd_types.yaml, pleach_types.yaml ]\n"
		"topology_template:\n  node_templates:\n"
		"    nf: { type: pleach.nodes.NetworkFunction, requirements: [ host: vdu ] }\n    vdu:\n"
		"      type: tosca.nodes.nfv.Vdu.Compute\n"
		"      properties: { name: a, description: b, vdu_profile: { min_number_of_instances: 1,\n"
		"        max_number_of_instances: 1 } }\n"
		"      capabilities: { virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 },\n"
		"        virtual_memory: { virtual_mem_size: 1 GiB } } } }\n",
		NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		g_free(texts[i]);
	auto_ptr(diags) diags = diags_new();
	tosca_unref(tosca_load(snapshot, NULL, diags));
	for (size_t i = 0; i < diags_count(diags); i++)
		g_test_message("%s:%u: %s", diags_get(diags, i)->origin.file, diags_get(diags, i)->origin.line,
			       diags_get(diags, i)->text);
	g_assert_cmpuint(diags_count(diags), ==, 0);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_data_func("/tosca/examples/smallest", "smallest", test_example);
	g_test_add_data_func("/tosca/examples/network", "network", test_example);
	g_test_add_func("/tosca/examples/values", test_values);
	g_test_add_func("/tosca/examples/standard-files", test_standard_files);
	return g_test_run();
}
