/* What one repository may ask for, and no more. */
#include "desired_case.h"

#include "desired/internal.h"

#define SERVICES(text) { "services.yaml", text }

/* @n services of /web.yaml. */
static char *services(unsigned n)
{
	GString *text = g_string_new(HEAD "topology_template:\n  node_templates:\n");

	for (unsigned i = 0; i < n; i++)
		g_string_append_printf(text, "    s%05u: { type: pleach.nodes.NetworkService, properties: { descriptor: "
					     "/web.yaml } }\n", i);
	return g_string_free(text, FALSE);
}

static void test_services(void)
{
	/* A VDU without instances: the services themselves are what counts. */
	const char *empty = HEAD "node_types:\n  t.Bare: { derived_from: tosca.nodes.nfv.VNF }\ntopology_template:\n  "
				 "node_templates:\n"
				 "    vdu:\n      type: tosca.nodes.nfv.Vdu.Compute\n      properties: { name: b, description: "
				 "b,\n" "        vdu_profile: { min_number_of_instances: 0, max_number_of_instances: 0 } }\n"
				 "      capabilities:\n        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: "
				 "1 },\n" "          virtual_memory: { virtual_mem_size: 1 MB } } }\n";
	auto_ptr(made) most = MAKE({ "web.yaml", g_strdup(empty) }, SERVICES(services(DESIRED_MAX_SERVICES)));
	auto_ptr(made) over = MAKE({ "web.yaml", g_strdup(empty) }, SERVICES(services(DESIRED_MAX_SERVICES + 1)));

	assert_clean(most);
	g_assert_cmpuint(made_count(over, "too-many-services"), ==, 1);
	g_assert_cmpuint(over->network->n_faulty_services, ==, 1);
	g_assert_cmpstr(over->network->faulty_services[0], ==, "s10000.");
}

/* All services together. None of them is made here: their CIDRs are too small, but they are counted before that is found. */
static void test_all_instances(void)
{
	const struct vnfd_parts parts = { .nf = "", .min = DESIRED_MAX_VNFCS_PER_SERVICE, .max = DESIRED_MAX_VNFCS_PER_SERVICE };
	const unsigned n = DESIRED_MAX_VNFCS / DESIRED_MAX_VNFCS_PER_SERVICE;
	auto_ptr(made) most = MAKE({ "web.yaml", vnfd_text(parts) }, SERVICES(services(n)));
	auto_ptr(made) over = MAKE({ "web.yaml", vnfd_text(parts) }, SERVICES(services(n + 1)));

	g_assert_null(made_find(most, "too-many-instances"));
	g_assert_cmpuint(made_count(over, "too-many-instances"), ==, 1);
}

static void test_links(void)
{
	const struct vnfd_parts parts = {
		.nf = "",
		.nodes = "    inner:\n      type: tosca.nodes.nfv.VnfVirtualLink\n      properties:\n"
			 "        connectivity_type: { layer_protocols: [ ethernet ] }\n"
			 "        vl_profile: { max_bitrate_requirements: { root: 0 }, min_bitrate_requirements: { root: 0 } }\n",
	};
	const unsigned n[] = { DESIRED_MAX_LINKS_PER_SERVICE / 2, DESIRED_MAX_LINKS_PER_SERVICE / 2 + 1 };

	for (size_t i = 0; i < G_N_ELEMENTS(n); i++) {
		g_autofree char *nodes = g_strdup_printf(
			"    web:\n      type: t.Web\n      properties: { vnf_profile: { min_number_of_instances: %u, "
			"max_number_of_instances: %u } }\n",
			n[i], n[i]);
		auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text(parts) },
					   { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) },
					   { "service.yaml", service_text("        descriptor: /ns.yaml\n") });
		if (i == 0)
			assert_clean(made);
		else
			assert_fault(made, "too-many-links", "service.yaml", 5);
	}
}

static void test_sites(void)
{
	GString *text = g_string_new(HEAD "topology_template:\n  node_templates:\n");

	for (unsigned i = 0; i <= DESIRED_MAX_SITES; i++)
		g_string_append_printf(text, "    site%04u: { type: pleach.nodes.Site }\n", i);
	auto_ptr(made) made = MAKE({ "sites.yaml", g_string_free(text, FALSE) });

	g_assert_cmpuint(made_count(made, "too-many-sites"), ==, 1);
}

/* An attribute that is shown by way of itself. */
static void test_attribute_loop(void)
{
	const struct vnfd_parts parts = {
		.type_rest = "    attributes:\n      addresses: { type: list, entry_schema: { type: string } }\n",
		.mapping_rest = "    attributes: { addresses: [ all ] }\n",
		.nf = "command: [ cat, { get_attribute: [ web, addresses, 0 ] } ]",
		.rest = "  outputs:\n    all: { value: { get_attribute: [ web, addresses ] } }\n",
	};
	auto_ptr(made) made =
		MAKE({ "web.yaml", vnfd_text(parts) }, { "service.yaml", service_text("        descriptor: /web.yaml\n") });

	assert_fault(made, "attribute-loop", "web.yaml", 0);
}

static void test_name(void)
{
	g_autofree char *name = g_strnfill(65, 'p');
	g_autofree char *nodes = g_strdup_printf(
		"    %s:\n      type: tosca.nodes.nfv.VduCp\n      properties: { layer_protocols: [ ipv4 ] }\n      "
		"requirements: [ virtual_binding: vdu ]\n", name);
	g_autofree char *mapping = g_strdup_printf("virtual_link: [ port, virtual_link ], virtual_link_1: [ %s, virtual_link ]",
						   name);
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nodes = nodes,
										 .mapping_requirements = mapping }) },
				   { "service.yaml", service_text("        descriptor: /web.yaml\n") });

	assert_fault(made, "name-too-long", "web.yaml", 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/bounds/services", test_services);
	g_test_add_func("/desired/bounds/instances", test_all_instances);
	g_test_add_func("/desired/bounds/links", test_links);
	g_test_add_func("/desired/bounds/sites", test_sites);
	g_test_add_func("/desired/bounds/attribute-loop", test_attribute_loop);
	g_test_add_func("/desired/bounds/name", test_name);
	return g_test_run();
}
