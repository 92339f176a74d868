/* Network functions: commands, states, configuration files and templates, and what this version does not keep of them. */
#include "desired_case.h"

#include "desired/internal.h"
#include "model/nf.h"

#define EDGE(properties) { "service.yaml", service_text("        descriptor: /web.yaml\n" properties) }
#define WITH(...) { "web.yaml", vnfd_text((struct vnfd_parts) { __VA_ARGS__ }) }
#define TYPE(properties) \
	.types = "  t.Nf:\n    derived_from: pleach.nodes.NetworkFunction\n    properties:\n" properties, .nf_type = "t.Nf"
#define TEMPLATE(file) "      artifacts:\n        config: { type: pleach.artifacts.Template, file: " file ", deploy_path: " \
													  "/etc/a.conf }\n"
#define ARTIFACT(name, type, file, path) "        " name ": { type: " type ", file: " file ", deploy_path: '" path "' }\n"

static void test_fields(void)
{
	auto_ptr(made) made = MAKE(WITH(.nf = "command: [ cat, -n ], stateful: false"), EDGE(""));
	const struct object *nf = made_object(made, "nf/edge.vdu.0");

	assert_clean(made);
	assert_field(nf, "command", "[cat, -n]");
	assert_field(nf, "state", "started");
	assert_field(nf, "ems", "leaf");
	assert_field(nf, "stateful", "false");
	assert_origin(nf, "command", "web.yaml", 37);
	assert_origin(nf, "state", "web.yaml", 35); /* a built-in default: the node */
}

static void test_states(void)
{
	auto_ptr(made) own = MAKE(WITH(.nf = "command: [ cat ], desired_state: stopped"), EDGE(""));
	auto_ptr(made) by_vnf = MAKE(WITH(.nf = "command: [ cat ], desired_state: stopped"),
				     EDGE("        states: { edge: started }\n"));
	auto_ptr(made) by_nf = MAKE(WITH(0), EDGE("        states: { edge: started, edge.nf: stopped }\n"));
	auto_ptr(made) bare = MAKE(WITH(0), EDGE("        states: { nf: stopped }\n"));
	auto_ptr(made) unknown = MAKE(WITH(0), EDGE("        states: { edge.fn: stopped }\n"));

	assert_field(made_object(own, "nf/edge.vdu.0"), "state", "stopped");
	assert_origin(made_object(own, "nf/edge.vdu.0"), "state", "web.yaml", 37);
	assert_field(made_object(by_vnf, "nf/edge.vdu.0"), "state", "started");
	assert_origin(made_object(by_vnf, "nf/edge.vdu.0"), "state", "service.yaml", 9);
	assert_field(made_object(by_nf, "nf/edge.vdu.0"), "state", "stopped");
	assert_field(made_object(bare, "nf/edge.vdu.0"), "state", "stopped");
	assert_fault(unknown, "unknown-nf", "service.yaml", 9);
	g_assert_nonnull(strstr(made_find(unknown, "unknown-nf")->hint, "edge.nf"));
}

static void test_command_faults(void)
{
	g_autofree char *word = g_strnfill(DESIRED_MAX_COMMAND_BYTES, 'x');
	g_autofree char *long_command = g_strdup_printf("command: [ %s ]", word);
	g_autoptr(GString) many = g_string_new("command: [ a");
	for (unsigned i = 0; i < DESIRED_MAX_COMMAND_WORDS; i++)
		g_string_append(many, ", a");
	g_string_append(many, " ]");
	auto_ptr(made) empty = MAKE(WITH(.nf = "command: []"), EDGE(""));
	auto_ptr(made) nameless = MAKE(WITH(.nf = "command: [ '', a ]"), EDGE(""));
	auto_ptr(made) bytes = MAKE(WITH(.nf = long_command), EDGE(""));
	auto_ptr(made) words = MAKE(WITH(.nf = many->str), EDGE(""));

	assert_fault(empty, "empty-command", "web.yaml", 0);
	assert_fault(nameless, "empty-command", "web.yaml", 0);
	assert_fault(bytes, "command-too-long", "web.yaml", 0);
	assert_fault(words, "command-too-long", "web.yaml", 0);
}

static void test_host(void)
{
	const char *second = "    other:\n      type: pleach.nodes.NetworkFunction\n      properties: { command: [ cat ] }\n     "
			     " requirements: [ host: vdu ]\n";
	auto_ptr(made) two = MAKE(WITH(.nodes = second), EDGE(""));

	assert_fault(two, "two-nfs", "web.yaml", 39);
	g_assert_cmpuint(g_array_index(made_find(two, "two-nfs")->notes, struct diag_note, 0).origin.line, ==, 35);
	auto_ptr(made) none = MAKE(WITH(.nf = "", .nodes = "    lost:\n      type: pleach.nodes.NetworkFunction\n      "
							   "properties: { command: [ cat ] }\n"), EDGE(""));
	g_assert_cmpuint(none->network->n_faulty_services, ==, 1);
	auto_ptr(made) port = MAKE(WITH(.nf = "", .nodes = "    lost:\n      type: pleach.nodes.NetworkFunction\n      "
							   "properties: { command: [ cat ] }\n"
							   "      requirements: [ host: web ]\n"),
				   EDGE(""));
	g_assert_cmpuint(port->network->n_faulty_services, ==, 1);
}

static void test_ems(void)
{
	auto_ptr(made) made = MAKE(WITH(.nf = "command: [ cat ], ems: laef"), EDGE(""));

	assert_fault(made, "unknown-ems", "web.yaml", 0);
	g_assert_nonnull(strstr(made_find(made, "unknown-ems")->hint, "leaf"));
}

/* --- files -------------------------------------------------------------------------------------------------------------- */

static void test_files(void)
{
	auto_ptr(made) made = MAKE(WITH(.nf_rest = "      artifacts:\n" ARTIFACT("a", "tosca.artifacts.File", "plain.conf",
										 "/etc/plain.conf")
							"        b: { type: pleach.artifacts.Template, file: t.conf, "
							"deploy_path: /etc/t.conf, properties: { mode: '0600' } }\n",
					TYPE("      size: { type: scalar-unit.size }\n"), .nf = "command: [ cat ], size: 2 kB"),
				   { "plain.conf", g_strdup("{{not a template}}\n") }, { "t.conf", g_strdup("size {{size}}\n") },
				   EDGE(""));
	const struct object *nf = made_object(made, "nf/edge.vdu.0");

	assert_clean(made);
	g_assert_cmpstr(object_string(nf, "config.a.content", NULL), ==, "{{not a template}}\n");
	g_assert_cmpstr(object_string(nf, "config.b.content", NULL), ==, "size 2000\n");
	assert_field(nf, "config.a.mode", "\"0644\"");
	assert_field(nf, "config.b.mode", "\"0600\"");
	assert_field(nf, "config.b.path", "/etc/t.conf");
}

/* In templates sizes are bytes, rates bit/s, frequencies hertz, times seconds. */
static void test_units(void)
{
	auto_ptr(made) made = MAKE(WITH(.nf_rest = TEMPLATE("t.conf"),
					TYPE("      size: { type: scalar-unit.size }\n      rate: { type: scalar-unit.bitrate }\n"
					     "      wait: { type: scalar-unit.time }\n      rest: { type: scalar-unit.time }\n"
					     "      clock: { type: scalar-unit.frequency }\n"),
					.nf = "command: [ cat ], size: 1 KiB, rate: 50 Mbps, wait: 500 ms, rest: 2 m, clock: 1 kHz"),
				   { "t.conf", g_strdup("{{size}} {{rate}} {{wait}} {{rest}} {{clock}}") }, EDGE(""));

	assert_clean(made);
	g_assert_cmpstr(object_string(made_object(made, "nf/edge.vdu.0"), "config.config.content", NULL), ==,
			"1024 50000000 0.5 120 1000");
}

static void test_pending_ports(void)
{
	auto_ptr(made) made = MAKE(WITH(.min = 2, .max = 2, .nf_rest = TEMPLATE("t.conf")),
				   { "t.conf", g_strdup("{{ports.port.port_name}} {{ports.port.mac_address}} "
							"{{ports.port.addresses.0}}\n") }, EDGE(""));

	assert_clean(made);
	const struct value *first = object_value(made_object(made, "nf/edge.vdu.0"), "config.config.content");
	const struct value *second = object_value(made_object(made, "nf/edge.vdu.1"), "config.config.content");
	g_assert_cmpint(first->type, ==, VALUE_PENDING);
	g_assert_false(value_equal(first, second));
	auto_ptr(arena) arena = arena_new();
	struct service service = { 0 };
	struct run run = { .arena = arena };
	service.run = &run;
	service.layer2 = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GError) error = NULL;
	const struct value *text = value_eval(arena, first, values_placeholder, &service, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text->string, ==, "eth0 02:00:00:00:00:01 192.0.2.1\n");
	g_hash_table_unref(service.layer2);
}

static void test_template_faults(void)
{
	auto_ptr(made) syntax = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf", g_strdup("a\n {{#ports}}\n") }, EDGE(""));
	auto_ptr(made) unknown = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf",
									     g_strdup("{{ports.port.addresses.0}}\n "
										      "{{nobody}}\n") }, EDGE(""));
	auto_ptr(made) second = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf", g_strdup("{{ports.port.addresses.1}}\n") },
				     EDGE(""));
	auto_ptr(made) bare = MAKE(WITH(.nf_rest = TEMPLATE("t.conf"), .cp = "layer_protocols: [ ethernet ]"),
				   { "t.conf", g_strdup("{{ports.port.addresses.0}}\n") }, EDGE(""));
	auto_ptr(made) absent = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), EDGE(""));

	assert_fault(syntax, "bad-template", "t.conf", 0);
	assert_fault(unknown, "bad-template", "t.conf", 2);
	assert_fault(second, "bad-template", "t.conf", 1);
	assert_fault(bare, "bad-template", "t.conf", 1);
	g_assert_cmpuint(absent->network->n_faulty_services, ==, 1);
}

static void test_paths(void)
{
	static const char *const bad[] = { "etc/a", "/etc/../a", "/etc/./a", "/etc//a", "/etc/", "/", "/etc/a\\tb", "/.." };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *rest = g_strdup_printf("      artifacts:\n        c: { type: tosca.artifacts.File, file: "
							"t.conf, deploy_path: \"%s\" }\n", bad[i]);
		auto_ptr(made) made = MAKE(WITH(.nf_rest = rest), { "t.conf", g_strdup("x") }, EDGE(""));
		assert_fault(made, "bad-deploy-path", "web.yaml", 0);
	}
	auto_ptr(made) none = MAKE(WITH(.nf_rest = "      artifacts:\n        c: { type: pleach.artifacts.Template, file: t.conf }\n"),
				   { "t.conf", g_strdup("x") }, EDGE(""));
	assert_fault(none, "bad-deploy-path", "web.yaml", 0);
	auto_ptr(made) same = MAKE(WITH(.nf_rest = "      artifacts:\n" ARTIFACT("a", "tosca.artifacts.File", "t.conf", "/etc/x")
							   ARTIFACT("b", "pleach.artifacts.Template", "t.conf", "/etc/x")),
				   { "t.conf", g_strdup("x") }, EDGE(""));
	assert_fault(same, "duplicate-deploy-path", "web.yaml", 0);
}

static void test_file_bounds(void)
{
	auto_ptr(made) most = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf", g_strnfill(NF_CONFIG_MAX_BYTES, 'x') },
				   EDGE(""));
	auto_ptr(made) over = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf", g_strnfill(NF_CONFIG_MAX_BYTES + 1, 'x') },
				   EDGE(""));
	auto_ptr(made) binary = MAKE(WITH(.nf_rest = TEMPLATE("t.conf")), { "t.conf", g_strdup("\xff\xfe") }, EDGE(""));
	g_autofree char *deep = g_strnfill(DESIRED_MAX_DEPLOY_PATH, 'x');
	g_autofree char *rest = g_strdup_printf("      artifacts:\n        c: { type: tosca.artifacts.File, file: t.conf, "
						"deploy_path: /%s }\n", deep);
	auto_ptr(made) path = MAKE(WITH(.nf_rest = rest), { "t.conf", g_strdup("x") }, EDGE(""));
	g_autoptr(GString) files = g_string_new("      artifacts:\n");
	for (unsigned i = 0; i <= NF_CONFIG_MAX_FILES; i++)
		g_string_append_printf(files, "        f%u: { type: tosca.artifacts.File, file: t.conf, deploy_path: /etc/f%u "
					      "}\n", i, i);
	auto_ptr(made) many = MAKE(WITH(.nf_rest = files->str), { "t.conf", g_strdup("x") }, EDGE(""));

	assert_clean(most);
	assert_fault(over, "file-too-large", "web.yaml", 0);
	assert_fault(binary, "not-text", "web.yaml", 0);
	assert_fault(path, "bad-deploy-path", "web.yaml", 0);
	assert_fault(many, "too-many-files", "web.yaml", 0);
}

/* --- what is not kept --------------------------------------------------------------------------------------------------- */

static void test_not_kept(void)
{
	auto_ptr(made) made = MAKE(
		WITH(.nf = "command: [ cat ]",
		     .vdu_properties = ", boot_data: { content_or_file_data: { data: { a: b } } }",
		     .compute = ", compute_requirements: { pids: '77', gpu: 'yes' }",
		     .vnf_properties = ", configurable_properties: { is_autoheal_enabled: false }",
		     .nodes = "    vip:\n      type: tosca.nodes.nfv.VipCp\n      properties: { layer_protocols: [ ipv4 ], "
			      "vip_function: load_balance, dedicated_ip_address: true }\n"
			      "      requirements: [ target: port ]\n"
			      "    disk:\n      type: tosca.nodes.nfv.Vdu.VirtualBlockStorage\n      properties: { "
			      "virtual_block_storage_data: { size_of_storage: 1 GB } }\n",
		     .mapping_requirements = "virtual_link: [ port, virtual_link ], virtual_link_1: [ vip, virtual_link ]",
		     .rest = "  policies:\n    - apart: { type: tosca.policies.nfv.AntiAffinityRule, targets: [ vdu ], "
			     "properties: { scope: nfvi_node } }\n"),
		EDGE(""));

	static const char *const parts[] = { "boot_data", "\"gpu\"", "\"vip\"", "\"disk\"",
					     "\"apart\"" };
	assert_clean(made);
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		assert_warning(made, "not-kept", parts[i]);
	g_assert_cmpuint(made_count(made, "not-kept"), ==, G_N_ELEMENTS(parts));
	assert_field(made_object(made, "vnfc/edge.vdu.0"), "pids", "77");
}

static void test_pids(void)
{
	static const char *const bad[] = { "0", "many", "4194305", "-1" };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *compute = g_strdup_printf(", compute_requirements: { pids: '%s' }", bad[i]);
		auto_ptr(made) made = MAKE(WITH(.compute = compute), EDGE(""));
		assert_fault(made, "bad-pids", "web.yaml", 0);
	}
}

/* Said once, however many instances and services use the descriptor. */
static void test_once(void)
{
	auto_ptr(made) made = MAKE(WITH(.min = 5, .max = 5, .vdu_properties = ", boot_data: { content_or_file_data: { data: { a: b } } }"),
				   EDGE(""),
				   { "other.yaml", g_strdup(HEAD "topology_template:\n  node_templates:\n    other:\n      type: "
								 "pleach.nodes.NetworkService\n"
								 "      properties: { descriptor: /web.yaml }\n") });

	assert_clean(made);
	g_assert_cmpuint(made_count(made, "not-kept"), ==, 1);
}

static void test_hostname(void)
{
	g_autofree char *name = g_strnfill(80, 'n');
	auto_ptr(made) made = MAKE(WITH(0), { "s.yaml",
					      g_strdup_printf(HEAD "topology_template:\n  node_templates:\n    %s:\n      type: "
								   "pleach.nodes.NetworkService\n"
								       "      properties: { descriptor: /web.yaml }\n", name) });
	g_autofree char *key = g_strdup_printf("vnfc/%s.vdu.0", name);

	assert_clean(made);
	g_assert_cmpuint(strlen(object_string(made_object(made, key), "hostname", "")), ==, DESIRED_MAX_HOSTNAME);
	g_autofree char *longer = g_strnfill(520, 'n');
	auto_ptr(made) over = MAKE(WITH(0), { "s.yaml",
					      g_strdup_printf(HEAD "topology_template:\n  node_templates:\n    %s:\n      type: "
								   "pleach.nodes.NetworkService\n"
								       "      properties: { descriptor: /web.yaml }\n",
								       longer) });
	g_assert_nonnull(made_find(over, "key-too-long"));
	g_assert_cmpuint(over->network->objects.n, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/nf/fields", test_fields);
	g_test_add_func("/desired/nf/states", test_states);
	g_test_add_func("/desired/nf/command-faults", test_command_faults);
	g_test_add_func("/desired/nf/host", test_host);
	g_test_add_func("/desired/nf/ems", test_ems);
	g_test_add_func("/desired/nf/files", test_files);
	g_test_add_func("/desired/nf/units", test_units);
	g_test_add_func("/desired/nf/pending-ports", test_pending_ports);
	g_test_add_func("/desired/nf/template-faults", test_template_faults);
	g_test_add_func("/desired/nf/paths", test_paths);
	g_test_add_func("/desired/nf/file-bounds", test_file_bounds);
	g_test_add_func("/desired/nf/not-kept", test_not_kept);
	g_test_add_func("/desired/nf/once", test_once);
	g_test_add_func("/desired/vnfc/pids", test_pids);
	g_test_add_func("/desired/vnfc/hostname", test_hostname);
	return g_test_run();
}
