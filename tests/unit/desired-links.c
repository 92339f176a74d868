/* Virtual links and what is plugged into them: CIDRs, pools, gateways, MTUs, external connection points, fixed addresses. */
#include "desired_case.h"

#include "desired/internal.h"

#define WEB { "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "" }) }
#define EDGE(properties) { "service.yaml", service_text("        descriptor: /web.yaml\n" properties) }
#define NS(properties) { "service.yaml", service_text("        descriptor: /ns.yaml\n" properties) }
#define VNF(name, requirements) \
	"    " name ":\n      type: t.Web\n      properties: { vnf_profile: { min_number_of_instances: 1, " \
		    "max_number_of_instances: 2 } }\n" \
	"      requirements: [ " requirements " ]\n"

/* An NSD with the link "lan" of @protocol and @vnfs. */
static char *ns(const char *layers, const char *protocol, const char *vnfs)
{
	g_autofree char *lan = link_text("lan", layers, protocol);
	g_autofree char *nodes = g_strdup_printf("%s%s", lan, vnfs);

	return nsd_text("web.yaml", NULL, nodes, NULL);
}

static struct made *with_link(const char *layers, const char *protocol, const char *service)
{
	return MAKE(WEB, { "ns.yaml", ns(layers, protocol, VNF("web", "virtual_link: lan")) },
		    { "service.yaml", service_text(service) });
}

#define SERVICE "        descriptor: /ns.yaml\n"

/* --- CIDRs -------------------------------------------------------------------------------------------------------------- */

static void test_given(void)
{
	auto_ptr(made) made = with_link("ipv4", IPV4("10.1.0.0/24",
						     ", ip_allocation_pools: [ { start_ip_address: 10.1.0.10, end_ip_address: "
						     "10.1.0.20 } ]"), SERVICE);
	const struct object *lan = made_object(made, "link/edge.lan"), *vnfc = made_object(made, "vnfc/edge.web.vdu.0");

	assert_clean(made);
	assert_field(lan, "cidr", "10.1.0.0/24");
	assert_field(lan, "gateway", "10.1.0.1");
	assert_field(lan, "pools", "[10.1.0.10-10.1.0.20]");
	assert_field(lan, "mtu", "1500");
	assert_field(lan, "state", "up");
	assert_origin(lan, "cidr", "ns.yaml", 25);
	assert_origin(lan, "mtu", "ns.yaml", 17);
	assert_field(vnfc, "cp.port.link", "link/edge.lan");
	assert_field(vnfc, "cp.port.cidr", "10.1.0.0/24");
	assert_field(vnfc, "cp.port.pools", "[10.1.0.10-10.1.0.20]");
	assert_origin(vnfc, "cp.port.cidr", "ns.yaml", 25);
}

static void test_picked(void)
{
	auto_ptr(made) made = with_link("ipv4", NULL, SERVICE);
	auto_ptr(made) again = with_link("ipv4", NULL, SERVICE);
	const struct object *lan = made_object(made, "link/edge.lan");
	const char *cidr = object_string(lan, "cidr", "");

	assert_clean(made);
	g_assert_true(g_str_has_prefix(cidr, "10.") && g_str_has_suffix(cidr, ".0/24"));
	g_assert_cmpstr(cidr, ==, object_string(made_object(again, "link/edge.lan"), "cidr", NULL));
	assert_origin(lan, "cidr", "ns.yaml", 17);
	auto_ptr(made) v6 = with_link("ipv6", NULL, SERVICE);
	g_assert_true(g_str_has_prefix(object_string(made_object(v6, "link/edge.lan"), "cidr", ""), "fd"));
}

/* A CIDR that somebody gave is never picked for another link of the service. */
static void test_probed(void)
{
	auto_ptr(arena) arena = arena_new();
	struct cidr wanted = cidr_pick("link/edge.lan", false, 0), next = cidr_pick("link/edge.lan", false, 1);
	g_autofree char *protocol = g_strdup_printf(IPV4("%s", ""), cidr_text(arena, &wanted));
	g_autofree char *lan = link_text("lan", "ipv4", NULL), *wan = link_text("wan", "ipv4", protocol);
	g_autofree char *nodes = g_strconcat(lan, wan, VNF("web", "virtual_link: lan"), NULL);
	auto_ptr(made) made = MAKE(WEB, { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) }, NS(""));

	assert_clean(made);
	assert_field(made_object(made, "link/edge.lan"), "cidr", cidr_text(arena, &next));
}

static void test_layer2(void)
{
	auto_ptr(made) made = with_link("ethernet", NULL, SERVICE);

	assert_clean(made);
	g_assert_null(object_field(made_object(made, "link/edge.lan"), "cidr"));
	g_assert_null(object_field(made_object(made, "link/edge.lan"), "gateway"));
	g_assert_null(object_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.port.cidr"));
	/* A connection point without IP on a link with it. */
	auto_ptr(made) bare = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "",
										 .cp = "layer_protocols: [ ethernet ]" }) },
				   { "ns.yaml", ns("ipv4", IPV4("10.1.0.0/24", ""), VNF("web", "virtual_link: lan")) }, NS(""));
	assert_clean(bare);
	assert_field(made_object(bare, "link/edge.lan"), "cidr", "10.1.0.0/24");
	g_assert_null(object_field(made_object(bare, "vnfc/edge.web.vdu.0"), "cp.port.cidr"));
}

static void test_host_bits(void)
{
	auto_ptr(made) made = with_link("ipv4", IPV4("10.1.0.7/24", ""), SERVICE);

	assert_clean(made);
	assert_warning(made, "host-bits", "10.1.0.0/24");
	assert_field(made_object(made, "link/edge.lan"), "cidr", "10.1.0.0/24");
}

static void test_two_families(void)
{
	auto_ptr(made) made = with_link("ipv4, ipv6",
					IPV4("10.1.0.0/24",
					     "") "\n            - { associated_layer_protocol: ipv6, l3_protocol_data: { "
						 "ip_version: ipv6, cidr: 'fd00:1::/64' } }",
					SERVICE);

	assert_clean(made);
	assert_field(made_object(made, "link/edge.lan"), "cidr", "10.1.0.0/24");
	assert_warning(made, "not-kept", "fd00:1::/64");
}

static void test_link_faults(void)
{
	static const struct {
		const char *protocol, *code;
	} cases[] = {
		{ IPV4("10.1.0.0/33", ""), "bad-cidr" },
		{ IPV4("10.1.0.0", ""), "bad-cidr" },
		{ IPV4("10.1.0.0/31", ""), "bad-cidr" },
		{ IPV4("'fd00::/64'", ""), "bad-cidr" },
		{ IPV4("10.1.0.0/24", "") "\n            - " IPV4("10.2.0.0/24", ""), "two-cidrs" },
		{ IPV4("10.1.0.0/24", ", ip_allocation_pools: [ { start_ip_address: 10.1.0.20, end_ip_address: 10.1.0.10 } ]"),
		  "bad-pool" },
		{ IPV4("10.1.0.0/24", ", ip_allocation_pools: [ { start_ip_address: 10.1.0.20, end_ip_address: 10.1.1.10 } ]"),
		  "bad-pool" },
		{ IPV4("10.1.0.0/24", ", ip_allocation_pools: [ { start_ip_address: x, end_ip_address: 10.1.1.10 } ]"),
		  "bad-pool" },
		{ "{ associated_layer_protocol: ethernet, l2_protocol_data: { mtu: 67 } }", "mtu-range" },
		{ "{ associated_layer_protocol: ethernet, l2_protocol_data: { mtu: 65522 } }", "mtu-range" },
		{ "{ associated_layer_protocol: ethernet, l2_protocol_data: { mtu: 1400 } }\n            - { "
		  "associated_layer_protocol: ethernet, " "l2_protocol_data: { mtu: 1500 } }",
		  "two-mtus" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		auto_ptr(made) made = with_link("ipv4", cases[i].protocol, SERVICE);
		assert_fault(made, cases[i].code, "ns.yaml", 0);
	}
}

/* A fault is said once; every service that meets it is left alone. */
static void test_said_once(void)
{
	char *other = g_strdup(HEAD "topology_template:\n  node_templates:\n    other:\n      type: pleach.nodes.NetworkService\n"
				    "      properties: { descriptor: /ns.yaml }\n");
	auto_ptr(made) made = MAKE(WEB, { "ns.yaml", ns("ipv4", IPV4("10.1.0.0/33", ""), VNF("web", "virtual_link: lan")) },
				   NS(""), { "other.yaml", other });

	g_assert_cmpuint(made_count(made, "bad-cidr"), ==, 1);
	g_assert_cmpuint(made->network->n_faulty_services, ==, 2);
	g_assert_cmpuint(made->network->objects.n, ==, 0);
}

static void test_mtu(void)
{
	static const char *const good[] = { "68", "1400", "65521" };

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autofree char *protocol = g_strdup_printf("{ associated_layer_protocol: ethernet, l2_protocol_data: { mtu: %s "
							    "} }", good[i]);
		auto_ptr(made) made = with_link("ipv4", protocol, SERVICE);
		assert_clean(made);
		assert_field(made_object(made, "link/edge.lan"), "mtu", good[i]);
		assert_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.port.mtu", good[i]);
	}
	auto_ptr(made) v6 = with_link("ipv6",
				      "{ associated_layer_protocol: ipv6, l3_protocol_data: { ip_version: ipv6, cidr: "
				      "'fd00::/64' }, l2_protocol_data: { mtu: 1279 } }", SERVICE);
	assert_fault(v6, "mtu-range", "ns.yaml", 0);
}

static void test_reserved_name(void)
{
	auto_ptr(made) made = MAKE(WEB, { "ns.yaml", ns("ipv4", NULL, VNF("router", "virtual_link: lan")) }, NS(""));

	assert_fault(made, "reserved-name", "ns.yaml", 0);
}

static void test_room(void)
{
	auto_ptr(made) full = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .min = 5, .max = 5 }) },
				   { "ns.yaml", ns("ipv4", IPV4("10.1.0.0/29", ""), VNF("web", "virtual_link: lan")) }, NS(""));
	auto_ptr(made) over = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .min = 6, .max = 6 }) },
				   { "ns.yaml", ns("ipv4", IPV4("10.1.0.0/29", ""), VNF("web", "virtual_link: lan")) }, NS(""));

	assert_clean(full);
	assert_fault(over, "cidr-too-small", "ns.yaml", 0);
}

/* --- who is on which link ----------------------------------------------------------------------------------------------- */

#define INSIDE(more) \
	"    inner:\n      type: tosca.nodes.nfv.VnfVirtualLink\n      properties:\n        connectivity_type: { " \
	"layer_protocols: [ ipv4 ] }\n" \
	"        vl_profile:\n          max_bitrate_requirements: { root: 0 }\n          min_bitrate_requirements: { root: 0 " \
	"}\n" more
#define EXT(name) \
	"    " name ":\n      type: tosca.nodes.nfv.VnfExtCp\n      properties: { layer_protocols: [ ipv4 ] }\n" \
	"      requirements: [ internal_virtual_link: inner ]\n"
#define CP(name, requirements) \
	"    " name ":\n      type: tosca.nodes.nfv.VduCp\n      properties: { layer_protocols: [ ipv4 ] }\n" \
	"      requirements: [ " requirements " ]\n"

static void test_inner_link(void)
{
	const struct vnfd_parts parts = { .nf = "", .nodes = INSIDE("") CP("back", "virtual_binding: vdu, virtual_link: inner") };
	auto_ptr(made) alone = MAKE({ "web.yaml", vnfd_text(parts) }, EDGE(""));

	assert_clean(alone);
	made_object(alone, "link/edge.inner");
	made_object(alone, "link/edge.port");
	assert_field(made_object(alone, "vnfc/edge.vdu.0"), "cp.back.link", "link/edge.inner");
	/* Each instance of the VNF has its own. */
	g_autofree char *lan = link_text("lan", "ipv4", NULL);
	g_autofree char *nodes = g_strconcat(lan,
					     "    web:\n      type: t.Web\n      properties: { vnf_profile: { "
					     "min_number_of_instances: 2, max_number_of_instances: 2 } }\n"
					     "      requirements: [ virtual_link: lan ]\n",
					     NULL);
	auto_ptr(made) inside = MAKE({ "web.yaml", vnfd_text(parts) }, { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) },
				     NS(""));
	assert_clean(inside);
	assert_field(made_object(inside, "vnfc/edge.web.vdu.0"), "cp.back.link", "link/edge.web.inner");
	assert_field(made_object(inside, "vnfc/edge.web.1.vdu.0"), "cp.back.link", "link/edge.web.1.inner");
	assert_field(made_object(inside, "vnfc/edge.web.1.vdu.0"), "cp.port.link", "link/edge.lan");
}

/* A VnfExtCp with an internal virtual link is on the same segment as the external link. */
static void test_external_cp(void)
{
	const struct vnfd_parts parts = {
		.nf = "",
		.type_rest = "    requirements:\n      - virtual_link_out: { capability: tosca.capabilities.nfv.VirtualLinkable "
			     "}\n",
		.mapping_requirements = "virtual_link: [ port, virtual_link ], virtual_link_out: [ ext, external_virtual_link ]",
		.nodes = INSIDE("") EXT("ext") CP("back", "virtual_binding: vdu, virtual_link: inner"),
	};
	g_autofree char *lan = link_text("lan", "ipv4", IPV4("10.1.0.0/24", "")),
	*wan = link_text("wan", "ipv4", IPV4("10.2.0.0/24", ""));
	g_autofree char *nodes = g_strconcat(lan, wan, VNF("web", "virtual_link: lan, virtual_link_out: wan"), NULL);
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text(parts) }, { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) },
				   NS("        connection_points: { web.ext: { addresses: [ 10.2.0.9 ] } }\n"));

	assert_clean(made);
	assert_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.back.link", "link/edge.wan");
	assert_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.back.addresses", "[10.2.0.9]");
	g_assert_null(objects_find(made->network->objects, "link/edge.web.inner"));
	auto_ptr(made) alone = MAKE({ "web.yaml", vnfd_text(parts) }, EDGE(""));
	assert_clean(alone);
	made_object(alone, "link/edge.inner");
}

static void test_connected_twice(void)
{
	const struct vnfd_parts parts = {
		.nf = "",
		.type_rest = "    requirements:\n      - virtual_link_a: { capability: tosca.capabilities.nfv.VirtualLinkable }\n"
			     "      - virtual_link_b: { capability: tosca.capabilities.nfv.VirtualLinkable }\n",
		.mapping_requirements = "virtual_link: [ port, virtual_link ], virtual_link_a: [ one, external_virtual_link ], "
					"virtual_link_b: [ two, external_virtual_link ]",
		.nodes = INSIDE("") EXT("one") EXT("two") CP("back", "virtual_binding: vdu, virtual_link: inner"),
	};
	g_autofree char *lan = link_text("lan", "ipv4", NULL), *wan = link_text("wan", "ipv4", NULL);
	g_autofree char *nodes = g_strconcat(lan, wan, VNF("web", "virtual_link_a: lan, virtual_link_b: wan"), NULL);
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text(parts) }, { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) },
				   NS(""));
	auto_ptr(made) exposed = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) {
						    .nf = "",
						    .mapping_requirements =
							    "virtual_link: [ port, virtual_link ], virtual_link_1: [ back, "
							    "virtual_link ]",
						    .nodes = INSIDE("") CP("back", "virtual_binding: vdu, virtual_link: inner"),
					    }) },
				      EDGE(""));

	assert_fault(made, "connected-twice", "ns.yaml", 0);
	assert_fault(exposed, "connected-twice", "web.yaml", 0);
}

/* Both the outer link and the one within the VNF say a CIDR: they are one segment. */
static void test_merge(void)
{
#define PROFILE(cidr) "          virtual_link_protocol_data:\n            - " IPV4(cidr, "") "\n"
	const struct vnfd_parts parts = {
		.nf = "",
		.mapping_requirements = "virtual_link_1: [ port, virtual_link ], virtual_link: [ ext, external_virtual_link ]",
		.nodes = INSIDE(PROFILE("10.7.0.0/24")) EXT("ext") CP("back", "virtual_binding: vdu, virtual_link: inner"),
	};
	const char *on_lan = VNF("web", "virtual_link: lan");
	auto_ptr(made) taken = MAKE({ "web.yaml", vnfd_text(parts) }, { "ns.yaml", ns("ipv4", NULL, on_lan) }, NS(""));
	auto_ptr(made) both = MAKE({ "web.yaml", vnfd_text(parts) }, { "ns.yaml", ns("ipv4", IPV4("10.8.0.0/24", ""), on_lan) },
				   NS(""));

	assert_clean(taken);
	assert_field(made_object(taken, "link/edge.lan"), "cidr", "10.7.0.0/24");
	assert_origin(made_object(taken, "link/edge.lan"), "cidr", "web.yaml", 0);
	assert_fault(both, "two-cidrs", "web.yaml", 0);
}

static void test_unconnected(void)
{
	auto_ptr(made) made = MAKE(WEB, { "ns.yaml", ns("ipv4", NULL,
							"    web:\n      type: t.Web\n      properties: { vnf_profile: { "
							"min_number_of_instances: 1, "
								      "max_number_of_instances: 2 } }\n") },
				   NS(""));

	assert_clean(made);
	assert_warning(made, "unconnected", "port");
	assert_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.port.link", "link/edge.web.port");
}

static void test_through_forwarding(void)
{
	auto_ptr(made) made = MAKE(WEB, { "ns.yaml", ns("ipv4", NULL,
							"    pass:\n      type: tosca.nodes.nfv.Forwarding\n      requirements: "
							"[ virtual_link: lan ]\n"
								      VNF("web", "virtual_link: pass")) },
				   NS(""));

	assert_clean(made);
	assert_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.port.link", "link/edge.lan");
}

static void test_order(void)
{
	const char *all = "virtual_link: [ port, virtual_link ], virtual_link_1: [ last, virtual_link ], virtual_link_2: [ "
			  "first, virtual_link ]";
	const char *nodes = "    last:\n      type: tosca.nodes.nfv.VduCp\n      properties: { layer_protocols: [ ipv4 ] }\n     "
			    " requirements: [ virtual_binding: vdu ]\n"
			    "    first:\n      type: tosca.nodes.nfv.VduCp\n      properties: { layer_protocols: [ ipv4 ], "
			    "order: 0 }\n" "      requirements: [ virtual_binding: vdu ]\n";
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "",
										 .cp = "layer_protocols: [ ipv4 ], order: 4",
										 .nodes = nodes, .mapping_requirements = all }) },
										 EDGE(""));
	const struct object *vnfc = made_object(made, "vnfc/edge.vdu.0");

	assert_clean(made);
	assert_field(vnfc, "cp.first.order", "0");
	assert_field(vnfc, "cp.port.order", "4");
	assert_field(vnfc, "cp.last.order", "5");
	auto_ptr(made) same = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "",
										 .cp = "layer_protocols: [ ipv4 ], order: 0",
										 .nodes = nodes, .mapping_requirements = all }) },
										 EDGE(""));
	assert_fault(same, "duplicate-order", "web.yaml", 0);
}

static void test_cp_bounds(void)
{
	g_autoptr(GString) nodes = g_string_new(INSIDE(""));

	for (unsigned i = 1; i < DESIRED_MAX_CPS_PER_VNFC; i++)
		g_string_append_printf(nodes, CP("p%u", "virtual_binding: vdu, virtual_link: inner"), i);
	auto_ptr(made) most = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .nodes = nodes->str }) }, EDGE(""));
	g_string_append(nodes, CP("more", "virtual_binding: vdu, virtual_link: inner"));
	auto_ptr(made) over = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .nodes = nodes->str }) }, EDGE(""));
	assert_clean(most);
	assert_fault(over, "too-many-connection-points", "web.yaml", 0);
	const struct vnfd_parts loose = { .nf = "", .nodes = INSIDE("") CP("loose", "virtual_link: inner") };
	auto_ptr(made) unbound = MAKE({ "web.yaml", vnfd_text(loose) }, EDGE(""));
	assert_fault(unbound, "unbound-connection-point", "web.yaml", 0);
}

/* --- fixed addresses ---------------------------------------------------------------------------------------------------- */

#define FIXED(what) SERVICE "        connection_points: { web.port: { " what " } }\n"

static void test_fixed(void)
{
	auto_ptr(made) made = with_link("ipv4", IPV4("10.1.0.0/24", ""),
					FIXED("addresses: [ 10.1.0.9/24 ], mac_addresses: [ '02:00:0A:00:00:01' ]"));
	const struct object *vnfc = made_object(made, "vnfc/edge.web.vdu.0");

	assert_clean(made);
	assert_field(vnfc, "cp.port.addresses", "[10.1.0.9]");
	assert_field(vnfc, "cp.port.mac_address", "02:00:0a:00:00:01");
	assert_origin(vnfc, "cp.port.addresses", "service.yaml", 9);
	assert_origin(vnfc, "cp.port.mac_address", "service.yaml", 9);
}

static void test_fixed_faults(void)
{
	static const struct {
		const char *what, *code;
	} cases[] = {
		{ FIXED("addresses: [ 10.2.0.9 ]"), "bad-address" },
		{ FIXED("addresses: [ 10.1.0.9/23 ]"), "bad-address" },
		{ FIXED("addresses: [ 10.1.0.0 ]"), "bad-address" },
		{ FIXED("addresses: [ 10.1.0.255 ]"), "bad-address" },
		{ FIXED("addresses: [ 10.1.0.1 ]"), "bad-address" },
		{ FIXED("addresses: [ 'fd00::5' ]"), "bad-address" },
		{ FIXED("addresses: [ nonsense ]"), "bad-address" },
		{ FIXED("addresses: [ 10.1.0.9, 10.1.0.10 ]"), "instances-mismatch" },
		{ FIXED("mac_addresses: [ ]"), "instances-mismatch" },
		{ FIXED("mac_addresses: [ '01:00:5e:00:00:01' ]"), "bad-mac-address" },
		{ SERVICE "        connection_points: { web.prot: { addresses: [ 10.1.0.9 ] } }\n", "unknown-connection-point" },
		{ SERVICE "        connection_points: { nobody.port: { addresses: [ 10.1.0.9 ] } }\n",
		  "unknown-connection-point" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		auto_ptr(made) made = with_link("ipv4", IPV4("10.1.0.0/24", ""), cases[i].what);
		assert_fault(made, cases[i].code, "service.yaml", 9);
	}
}

static void test_several(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .nf = "", .min = 2, .max = 2 }) },
				   { "ns.yaml", ns("ipv4", IPV4("10.1.0.0/24", ""),
						   "    web:\n      type: t.Web\n      properties: { vnf_profile: { "
						   "min_number_of_instances: 2, max_number_of_instances: 2 } }\n"
						   "      requirements: [ virtual_link: lan ]\n") },
				   { "service.yaml",
				     service_text(FIXED("addresses: [ 10.1.0.11, 10.1.0.12, 10.1.0.13, 10.1.0.14 ]")) });

	assert_clean(made);
	assert_field(made_object(made, "vnfc/edge.web.vdu.0"), "cp.port.addresses", "[10.1.0.11]");
	assert_field(made_object(made, "vnfc/edge.web.vdu.1"), "cp.port.addresses", "[10.1.0.12]");
	assert_field(made_object(made, "vnfc/edge.web.1.vdu.0"), "cp.port.addresses", "[10.1.0.13]");
	assert_field(made_object(made, "vnfc/edge.web.1.vdu.1"), "cp.port.addresses", "[10.1.0.14]");
}

static void test_twice(void)
{
	char *nsd = ns("ipv4", IPV4("10.1.0.0/24", ""), VNF("web", "virtual_link: lan") VNF("www", "virtual_link: lan"));
	auto_ptr(made) address = MAKE(WEB, { "ns.yaml", g_strdup(nsd) },
				      NS("        connection_points:\n          web.port: { addresses: [ 10.1.0.9 ] }\n          "
					 "www.port: { addresses: [ 10.1.0.9/24 ] }\n"));
	auto_ptr(made) mac = MAKE(WEB, { "ns.yaml", nsd },
				  NS("        connection_points:\n          web.port: { mac_addresses: [ '02:00:00:00:00:0a' ] "
				     "}\n" "          www.port: { mac_addresses: [ '02:00:00:00:00:0A' ] }\n"));

	assert_fault(address, "duplicate-address", "service.yaml", 11);
	g_assert_cmpuint(g_array_index(made_find(address, "duplicate-address")->notes, struct diag_note, 0).origin.line, ==, 10);
	assert_fault(mac, "duplicate-address", "service.yaml", 11);
}

/* Of a VNFD alone there is no place to write a CIDR but the address. */
static void test_cidr_by_address(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE("        connection_points: { port: { addresses: [ 10.5.0.9/24 ] } }\n"));
	auto_ptr(made) named = MAKE(WEB, EDGE("        connection_points: { edge.port: { addresses: [ 10.5.0.9/24 ] } }\n"));
	auto_ptr(made) plain = MAKE(WEB, EDGE("        connection_points: { port: { addresses: [ 192.168.1.9 ] } }\n"));
	auto_ptr(made) both = MAKE(WEB, EDGE("        connection_points: { port: { addresses: [ 10.5.0.9/24 ] }, edge.port: { } "
					     "}\n"));

	assert_clean(made);
	assert_field(made_object(made, "link/edge.port"), "cidr", "10.5.0.0/24");
	assert_origin(made_object(made, "link/edge.port"), "cidr", "service.yaml", 9);
	assert_clean(named);
	assert_fault(plain, "bad-address", "service.yaml", 9);
	assert_fault(both, "duplicate-connection-point", "service.yaml", 9);
}

static void test_overlap(void)
{
	g_autofree char *lan = link_text("lan", "ipv4", IPV4("10.1.0.0/16", "")),
	*wan = link_text("wan", "ipv4", IPV4("10.1.2.0/24", ""));
	g_autofree char *nodes = g_strconcat(lan, wan, VNF("web", "virtual_link: lan, virtual_link_b: wan"), NULL);
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) {
						 .nf = "",
						 .type_rest =
							 "    requirements:\n      - virtual_link_b: { capability: "
							 "tosca.capabilities.nfv.VirtualLinkable }\n",
						 .mapping_requirements =
							 "virtual_link: [ port, virtual_link ], virtual_link_b: [ back, "
							 "virtual_link ]",
						 .nodes = CP("back", "virtual_binding: vdu"),
					 }) },
				   { "ns.yaml", nsd_text("web.yaml", NULL, nodes, NULL) }, NS(""));

	assert_fault(made, "overlapping-cidrs", "ns.yaml", 0);
}

/* --- Saps --------------------------------------------------------------------------------------------------------------- */

#define SAP(name) \
	"    " name ":\n      type: tosca.nodes.nfv.Sap\n      properties: { layer_protocols: [ ipv4 ] }\n      " \
	"requirements: [ internal_virtual_link: lan ]\n"
#define NETWORKS "{ office: { name: eth0, vlan: 210, cidr: 10.9.0.0/24, gateway: 10.9.0.254 }, yard: { name: br0, cidr: 10.8.0.0/24 } }"

static char *sap_service(const char *points)
{
	g_autofree char *properties = g_strdup_printf(SERVICE "        connection_points: %s\n", points);

	return service_text(properties);
}

/* A service whose Saps "outside" and "other" are on the link "lan", which has @protocol. */
static struct made *with_sap(const char *protocol, const char *networks, const char *points)
{
	return MAKE(WEB, { "ns.yaml", ns("ipv4", protocol, SAP("outside") SAP("other") VNF("web", "virtual_link: lan")) },
		    { "site.yaml", g_strconcat(HEAD "topology_template:\n  node_templates:\n    b:\n      type: pleach.nodes.Site\n      "
					       "properties: { networks: ", networks, " }\n", NULL) },
		    { "service.yaml", sap_service(points) });
}

static void test_sap(void)
{
	auto_ptr(made) made = with_sap(NULL, NETWORKS, "{ outside: { network: office } }");
	auto_ptr(made) pools = with_sap(IPV4("10.9.0.0/24", ", ip_allocation_pools: [ { start_ip_address: 10.9.0.10, end_ip_address: "
						     "10.9.0.20 } ]"), NETWORKS, "{ outside: { network: office } }");
	auto_ptr(made) none = with_sap(NULL, NETWORKS, "{}");
	auto_ptr(made) fixed = with_sap(NULL, NETWORKS, "{ outside: { network: yard, addresses: [ 10.8.0.7 ] } }");
	const struct object *lan = made_object(made, "link/edge.lan");

	assert_clean(made);
	assert_field(lan, "network", "eth0");
	assert_field(lan, "vlan", "210");
	assert_field(lan, "cidr", "10.9.0.0/24");
	assert_field(lan, "gateway", "10.9.0.254");
	assert_origin(lan, "network", "service.yaml", 0);
	assert_origin(lan, "cidr", "site.yaml", 0);
	assert_warning(made, "shared-network", "link/edge.lan shares");
	assert_clean(pools);
	g_assert_null(made_find(pools, "shared-network"));
	g_assert_null(object_field(made_object(none, "link/edge.lan"), "network"));
	assert_field(made_object(fixed, "link/edge.lan"), "network", "br0");
	g_assert_null(object_field(made_object(fixed, "link/edge.lan"), "vlan"));
	assert_warning(fixed, "not-kept", "Sap \"outside\"");
}

static void test_sap_faults(void)
{
	auto_ptr(made) unknown = with_sap(NULL, NETWORKS, "{ outside: { network: offices } }");
	auto_ptr(made) other_cidr = with_sap(IPV4("10.1.0.0/24", ""), NETWORKS, "{ outside: { network: office } }");
	auto_ptr(made) two = with_sap(NULL, NETWORKS, "{ outside: { network: office }, other: { network: yard } }");
	auto_ptr(made) no_cidr = with_sap(NULL, "{ office: { name: eth0, cidr: here } }", "{ outside: { network: office } }");
	auto_ptr(made) no_gateway = with_sap(NULL, "{ office: { name: eth0, cidr: 10.9.0.0/24, gateway: 10.7.0.1 } }",
					     "{ outside: { network: office } }");

	assert_fault(unknown, "unknown-network", "service.yaml", 9);
	g_assert_nonnull(strstr(made_find(unknown, "unknown-network")->hint, "office"));
	assert_fault(other_cidr, "two-cidrs", "ns.yaml", 0);
	assert_fault(two, "connected-twice", "service.yaml", 9);
	assert_fault(no_cidr, "bad-cidr", "site.yaml", 0);
	assert_fault(no_gateway, "bad-gateway", "site.yaml", 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/links/given", test_given);
	g_test_add_func("/desired/links/picked", test_picked);
	g_test_add_func("/desired/links/probed", test_probed);
	g_test_add_func("/desired/links/layer2", test_layer2);
	g_test_add_func("/desired/links/host-bits", test_host_bits);
	g_test_add_func("/desired/links/two-families", test_two_families);
	g_test_add_func("/desired/links/faults", test_link_faults);
	g_test_add_func("/desired/links/said-once", test_said_once);
	g_test_add_func("/desired/links/mtu", test_mtu);
	g_test_add_func("/desired/links/reserved-name", test_reserved_name);
	g_test_add_func("/desired/links/room", test_room);
	g_test_add_func("/desired/links/inner", test_inner_link);
	g_test_add_func("/desired/links/external-cp", test_external_cp);
	g_test_add_func("/desired/links/connected-twice", test_connected_twice);
	g_test_add_func("/desired/links/merge", test_merge);
	g_test_add_func("/desired/links/unconnected", test_unconnected);
	g_test_add_func("/desired/links/forwarding", test_through_forwarding);
	g_test_add_func("/desired/cps/order", test_order);
	g_test_add_func("/desired/cps/bounds", test_cp_bounds);
	g_test_add_func("/desired/cps/fixed", test_fixed);
	g_test_add_func("/desired/cps/fixed-faults", test_fixed_faults);
	g_test_add_func("/desired/cps/several", test_several);
	g_test_add_func("/desired/cps/twice", test_twice);
	g_test_add_func("/desired/cps/cidr-by-address", test_cidr_by_address);
	g_test_add_func("/desired/cps/overlap", test_overlap);
	g_test_add_func("/desired/saps/attached", test_sap);
	g_test_add_func("/desired/saps/faults", test_sap_faults);
	return g_test_run();
}
