/* get_attribute: own ports, other VNFs' through substitution mappings; lists gather all instances, single values cannot. */
#include "desired_case.h"

#include "desired/internal.h"

#define OUTPUT(value) \
	.type_rest = "    attributes:\n      addresses: { type: list, entry_schema: { type: string } }\n" \
		     "      address: { type: string }\n", \
	.mapping_rest = "    attributes: { addresses: [ all ], address: [ first ] }\n", \
	.rest = "  outputs:\n    all: { value: " value " }\n" \
		"    first: { value: { get_attribute: [ nf, ports, port, addresses, 0 ] } }\n"
#define ADDRESSES "{ get_attribute: [ nf, ports, port, addresses ] }"
#define TYPE(properties) \
	.types = "  t.Nf:\n    derived_from: pleach.nodes.NetworkFunction\n    properties:\n" properties, .nf_type = "t.Nf"
#define TEMPLATE "      artifacts:\n        config: { type: pleach.artifacts.Template, file: t.conf, deploy_path: /etc/a.conf }\n"
#define BACKENDS "{ type: list, entry_schema: { type: string } }"

/* "front" reads what "back" shows. */
static char *front(const char *nf_properties)
{
	g_autofree char *nf = g_strdup_printf("command: [ cat ], %s", nf_properties);

	return vnfd_text((struct vnfd_parts) {
		.type = "t.Front",
		.type_properties = "      backends: " BACKENDS "\n",
		.inputs = "    backends: " BACKENDS "\n",
		.mapping_properties = ", backends: [ backends ]",
		.vnf_properties = ", backends: { get_input: backends }",
		TYPE("      backends: " BACKENDS "\n"),
		.nf = nf,
		.nf_rest = TEMPLATE,
	});
}

static char *ns(int instances, const char *backends)
{
	g_autofree char *lan = link_text("lan", "ipv4", IPV4("10.1.0.0/24", ""));
	g_autofree char *nodes = g_strdup_printf(
		"%s    back:\n      type: t.Web\n      properties: { vnf_profile: { min_number_of_instances: %d, "
		"max_number_of_instances: %d } }\n" "      requirements: [ virtual_link: lan ]\n"
		"    front:\n      type: t.Front\n      properties: { backends: %s, vnf_profile: { min_number_of_instances: 1, "
		"max_number_of_instances: 1 } }\n" "      requirements: [ virtual_link: lan ]\n",
		lan, instances, instances, backends);

	return nsd_text("web.yaml, front.yaml", NULL, nodes, NULL);
}

#define SERVICE { "service.yaml", service_text("        descriptor: /ns.yaml\n") }
#define LIST_OF "{{#backends}}\n{{.}}\n{{/backends}}\n"

/* Every address says whose it is. */
static const struct value *look(const char *key, const char *path, void *data)
{
	struct arena *arena = data;
	const char *address = arena_printf(arena, "at-%s", key);

	return g_str_has_suffix(path, ".addresses") ? value_string_list(arena, &address, 1) : &value_absent;
}

static void assert_content(const struct made *made, const char *key, const char *expected)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct value *content = object_value(made_object(made, key), "config.config.content");
	const struct value *text = value_eval(arena, content, look, arena, &error);

	g_assert_no_error(error);
	g_assert_cmpint(text->type, ==, VALUE_STRING);
	g_assert_cmpstr(text->string, ==, expected);
}

static void test_gather(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES), .min = 2, .max = 2 }) },
				   { "front.yaml", front("backends: { get_input: backends }") },
				   { "ns.yaml", ns(2, "{ get_attribute: [ back, addresses ] }") },
				   { "t.conf", g_strdup(LIST_OF) }, SERVICE);

	assert_clean(made);
	g_assert_cmpint(object_value(made_object(made, "nf/edge.front.vdu.0"), "config.config.content")->type, ==, VALUE_PENDING);
	assert_content(made, "nf/edge.front.vdu.0",
		       "at-vnfc/edge.back.vdu.0\nat-vnfc/edge.back.vdu.1\n"
		       "at-vnfc/edge.back.1.vdu.0\nat-vnfc/edge.back.1.vdu.1\n");
}

static void test_one(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
				   { "front.yaml", front("backends: { get_input: backends }") },
				   { "ns.yaml", ns(1, "{ get_attribute: [ back, addresses ] }") },
				   { "t.conf", g_strdup("{{backends.0}}\n") }, SERVICE);

	assert_clean(made);
	assert_content(made, "nf/edge.front.vdu.0", "at-vnfc/edge.back.vdu.0\n");
}

static void test_none(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
				   { "front.yaml", front("backends: { get_input: backends }") },
				   { "ns.yaml", ns(0, "{ get_attribute: [ back, addresses ] }") },
				   { "t.conf", g_strdup("[" LIST_OF "]") }, SERVICE);

	assert_clean(made);
	g_assert_cmpint(object_value(made_object(made, "nf/edge.front.vdu.0"), "config.config.content")->type, ==, VALUE_STRING);
}

/* A list of single values gathers them, too. */
static void test_items(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
				   { "front.yaml", front("backends: { get_input: backends }") },
				   { "ns.yaml", ns(2, "{ get_attribute: [ back, address ] }") },
				   { "t.conf", g_strdup(LIST_OF) }, SERVICE);

	assert_clean(made);
	assert_content(made, "nf/edge.front.vdu.0", "at-vnfc/edge.back.vdu.0\nat-vnfc/edge.back.1.vdu.0\n");
}

static void test_scalar_reader(void)
{
	auto_ptr(made) one = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
				  { "front.yaml", front("backends: { get_input: backends }") },
				  { "ns.yaml", ns(1, "[ { concat: [ http://, { get_attribute: [ back, address ] } ] } ]") },
				  { "t.conf", g_strdup(LIST_OF) }, SERVICE);
	auto_ptr(made) two = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
				  { "front.yaml", front("backends: { get_input: backends }") },
				  { "ns.yaml", ns(2, "[ { concat: [ http://, { get_attribute: [ back, address ] } ] } ]") },
				  { "t.conf", g_strdup(LIST_OF) }, SERVICE);

	assert_clean(one);
	assert_content(one, "nf/edge.front.vdu.0", "http://at-vnfc/edge.back.vdu.0\n");
	assert_fault(two, "several-instances", "ns.yaml", 0);
}

/* A property that is one value, as its type says: a finding, whether the template prints it or not. With one instance it is that one's. */
static void test_scalar_property(void)
{
	static const char *const templates[] = { "{{backend}}\n", "nothing\n" };

	for (size_t i = 0; i < G_N_ELEMENTS(templates); i++)
		for (int instances = 1; instances <= 2; instances++) {
			char *vnfd = vnfd_text((struct vnfd_parts) {
				.type = "t.Front",
				.type_properties = "      backends: { type: string }\n",
				.inputs = "    backends: { type: string }\n",
				.mapping_properties = ", backends: [ backends ]",
				.vnf_properties = ", backends: { get_input: backends }",
				TYPE("      backend: { type: string }\n"),
				.nf = "command: [ cat ], backend: { get_input: backends }",
				.nf_rest = TEMPLATE,
			});
			auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
						   { "front.yaml", vnfd }, { "ns.yaml", ns(instances, "{ get_attribute: [ back, address ] }") },
						   { "t.conf", g_strdup(templates[i]) }, SERVICE);
			if (instances == 2) {
				assert_fault(made, "several-instances", "ns.yaml", 0);
				continue;
			}
			assert_clean(made);
			assert_content(made, "nf/edge.front.vdu.0", i ? "nothing\n" : "at-vnfc/edge.back.vdu.0\n");
		}
}

static void test_join(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { OUTPUT(ADDRESSES) }) },
				   { "front.yaml", front("backends: { get_input: backends }") },
				   { "ns.yaml", ns(2,
						   "[ { join: [ [ first, { get_attribute: [ back, addresses ] } ], ';' ] } ]") },
				   { "t.conf", g_strdup(LIST_OF) }, SERVICE);

	assert_clean(made);
	assert_content(made, "nf/edge.front.vdu.0", "first;at-vnfc/edge.back.vdu.0;at-vnfc/edge.back.1.vdu.0\n");
}

/* A VNF is not asked for what its VNFD does not show. */
static void test_not_shown(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) {
						 .type_rest =
							 "    attributes:\n      addresses: { type: list, entry_schema: { type: "
							 "string } }\n",
					 }) },
				   { "front.yaml", front("backends: { get_input: backends }") },
				   { "ns.yaml", ns(2, "{ get_attribute: [ back, addresses ] }") },
				   { "t.conf", g_strdup(LIST_OF) }, SERVICE);

	assert_fault(made, "unknown-attribute", "ns.yaml", 0);
}

/* --- own ports ---------------------------------------------------------------------------------------------------------- */

#define EDGE { "service.yaml", service_text("        descriptor: /web.yaml\n") }

static void test_self(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .min = 2, .max = 2,
										 TYPE("      listen: { type: string }\n"),
										 .nf = "command: [ cat, { get_attribute: [ SELF, "
										       "ports, port, addresses, 0 ] } ], "
										       "listen: { get_attribute: [ SELF, ports, "
										       "port, addresses, 0 ] }",
										 .nf_rest = TEMPLATE }) },
				   { "t.conf", g_strdup("{{listen}}\n") }, EDGE);

	assert_clean(made);
	assert_content(made, "nf/edge.vdu.0", "at-vnfc/edge.vdu.0\n");
	assert_content(made, "nf/edge.vdu.1", "at-vnfc/edge.vdu.1\n");
	const struct value *command = object_value(made_object(made, "nf/edge.vdu.1"), "command");
	g_assert_cmpint(command->type, ==, VALUE_LIST);
	g_assert_cmpint(command->list.items[1]->type, ==, VALUE_PENDING);
	g_assert_cmpstr(command->list.items[1]->expr->key, ==, "vnfc/edge.vdu.1");
}

static void test_list_as_word(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "command: [ cat, { get_attribute: [ SELF, "
										       "ports, port, addresses ] } ]" }) }, EDGE);

	assert_fault(made, "several-instances", "web.yaml", 0);
}

static void test_unknown_port(void)
{
	auto_ptr(made) port = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "command: [ cat, { get_attribute: [ SELF, "
										       "ports, prot, port_name ] } ]" }) }, EDGE);
	auto_ptr(made) field = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "command: [ cat, { get_attribute: [ "
											"SELF, ports, port, colour ] } ]" }) },
											EDGE);

	assert_fault(port, "unknown-connection-point", "web.yaml", 0);
	g_assert_nonnull(strstr(made_find(port, "unknown-connection-point")->hint, "port"));
	assert_fault(field, "unknown-attribute", "web.yaml", 0);
}

/* --- network functions of the NSD --------------------------------------------------------------------------------------- */

static void test_nsd_nf(void)
{
	g_autofree char *lan = link_text("lan", "ipv4", IPV4("10.1.0.0/24", ""));
	g_autofree char *nodes = g_strconcat(
		lan,
		"    box:\n      type: t.Web\n      properties: { vnf_profile: { min_number_of_instances: 2, "
		"max_number_of_instances: 2 } }\n" "      requirements: [ virtual_link: lan ]\n"
		"    agent:\n      type: pleach.nodes.NetworkFunction\n      properties: { command: [ cat ] }\n      "
		"requirements: [ host: box ]\n" TEMPLATE, NULL);
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "" }) },
				   { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) },
				   { "t.conf", g_strdup("{{ports.port.addresses.0}}\n") },
				   { "service.yaml",
				     service_text("        descriptor: /ns.yaml\n        states: { box.agent: stopped }\n") });

	assert_clean(made);
	assert_content(made, "nf/edge.box.1.vdu.0", "at-vnfc/edge.box.1.vdu.0\n");
	assert_field(made_object(made, "nf/edge.box.vdu.0"), "state", "stopped");
	auto_ptr(made) second = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { 0 }) },
				     { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) },
				     { "t.conf", g_strdup("x") }, SERVICE);
	assert_fault(second, "two-nfs", "ns.yaml", 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/attributes/gather", test_gather);
	g_test_add_func("/desired/attributes/one", test_one);
	g_test_add_func("/desired/attributes/none", test_none);
	g_test_add_func("/desired/attributes/items", test_items);
	g_test_add_func("/desired/attributes/scalar-reader", test_scalar_reader);
	g_test_add_func("/desired/attributes/scalar-property", test_scalar_property);
	g_test_add_func("/desired/attributes/join", test_join);
	g_test_add_func("/desired/attributes/not-shown", test_not_shown);
	g_test_add_func("/desired/attributes/self", test_self);
	g_test_add_func("/desired/attributes/list-as-word", test_list_as_word);
	g_test_add_func("/desired/attributes/unknown-port", test_unknown_port);
	g_test_add_func("/desired/attributes/nsd-nf", test_nsd_nf);
	return g_test_run();
}
