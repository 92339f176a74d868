/* How many instances: the service's scale, the NSD's target levels, its instantiation level, the VNFD's default level, initial
 * delta, minimum, from strongest. */
#include "desired_case.h"

#include "desired/internal.h"

#define EDGE(properties) { "service.yaml", service_text("        descriptor: /web.yaml\n" properties) }
#define NS(properties) { "service.yaml", service_text("        descriptor: /ns.yaml\n" properties) }

#define INITIAL "    - initial: { type: tosca.policies.nfv.VduInitialDelta, targets: [ vdu ], properties: { initial_delta: { " \
		"number_of_instances: 2 } } }\n"
#define ASPECTS \
	"    - aspects: { type: tosca.policies.nfv.ScalingAspects, properties: { aspects: { more: { name: more, description: " \
	"more, max_scale_level: 3, " \
	"step_deltas: [ one ] } } } }\n" \
	"    - steps: { type: tosca.policies.nfv.VduScalingAspectDeltas, targets: [ vdu ], properties: { aspect: more, deltas: " \
	"{ one: { " \
	"number_of_instances: 2 } } } }\n"
#define LEVELS \
	"    - levels: { type: tosca.policies.nfv.InstantiationLevels, properties: { levels: { small: { description: s, " \
	"scale_info: { more: { " \
	"scale_level: 1 } } }, large: { description: l } }, default_level: small } }\n"
#define VDU_LEVELS \
	"    - per_level: { type: tosca.policies.nfv.VduInstantiationLevels, targets: [ vdu ], properties: { levels: { small: " \
	"{ number_of_instances: 3 }, " \
	"large: { number_of_instances: 5 } } } }\n"

static char *scaled(const char *policies)
{
	g_autofree char *rest = g_strdup_printf("  policies:\n%s", policies);

	return vnfd_text((struct vnfd_parts) { .min = 1, .max = 9, .rest = rest, .nf = "" });
}

static size_t count(const struct made *made, const char *prefix)
{
	size_t n = 0;

	for (size_t i = 0; i < made->network->objects.n; i++)
		n += g_str_has_prefix(made->network->objects.items[i]->key, prefix) ? 1 : 0;
	return n;
}

static void assert_count(char *vnfd, char *service, size_t expected)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd }, { "service.yaml", service });

	assert_clean(made);
	g_assert_cmpuint(count(made, "vnfc/"), ==, expected);
}

#define SERVICE(more) service_text("        descriptor: /web.yaml\n" more)

static void test_ladder(void)
{
	assert_count(scaled("    []\n"), SERVICE(""), 1);
	assert_count(scaled(INITIAL), SERVICE(""), 2);
	assert_count(scaled(INITIAL ASPECTS), SERVICE(""), 2);
	assert_count(scaled(INITIAL ASPECTS LEVELS), SERVICE(""),
		     4);                                   /* scale_info of small: one step */
	assert_count(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS), SERVICE(""),
		     3);                        /* small says so for this VDU */
	assert_count(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS), SERVICE("        instantiation_level: large\n"), 5);
	assert_count(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS),
		     SERVICE("        instantiation_level: large\n        scale: { more: 2 }\n"), 6);
	assert_count(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS), SERVICE("        scale: { edge: 0 }\n"), 2);
	assert_count(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS), SERVICE("        scale: { web.more: 3 }\n"), 8);
	assert_count(scaled(ASPECTS), SERVICE("        scale: { edge.more: 1 }\n"), 3); /* no initial delta: from the minimum */
}

static void test_steps(void)
{
	static const char aspects[] =
		"    - aspects: { type: tosca.policies.nfv.ScalingAspects, properties: { aspects: { more: { name: more, "
		"description: more, max_scale_level: 2, " "step_deltas: [ big, small ] } } } }\n"
		"    - steps: { type: tosca.policies.nfv.VduScalingAspectDeltas, targets: [ vdu ], properties: { aspect: more, "
		"deltas: { big: { " "number_of_instances: 3 }, small: { number_of_instances: 1 } } } }\n";

	assert_count(scaled(aspects), SERVICE("        scale: { more: 1 }\n"), 4);
	assert_count(scaled(aspects), SERVICE("        scale: { more: 2 }\n"), 5);
	auto_ptr(made) made = MAKE({ "web.yaml", scaled("    - aspects: { type: tosca.policies.nfv.ScalingAspects, properties: { "
							"aspects: { more: { name: more, "
							"description: more, max_scale_level: 2, step_deltas: [ other ] } } } }\n"
							"    - steps: { type: tosca.policies.nfv.VduScalingAspectDeltas, "
							"targets: [ vdu ], properties: { "
							"aspect: more, deltas: { big: { number_of_instances: 3 } } } }\n") },
				   EDGE("        scale: { more: 1 }\n"));
	assert_fault(made, "unknown-delta", "web.yaml", 0);
}

static void test_highest_index(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .min = 3, .max = 3 }) }, EDGE(""));

	assert_clean(made);
	made_object(made, "vnfc/edge.vdu.0");
	made_object(made, "vnfc/edge.vdu.2");
	made_object(made, "nf/edge.vdu.1");
	g_assert_cmpuint(count(made, "link/"), ==, 1);
}

static void test_faults(void)
{
	auto_ptr(made) aspect = MAKE({ "web.yaml", scaled(ASPECTS) }, EDGE("        scale: { web.mor: 1 }\n"));
	auto_ptr(made) none = MAKE({ "web.yaml", scaled("    []\n") }, EDGE("        scale: { web: 1 }\n"));
	auto_ptr(made) high = MAKE({ "web.yaml", scaled(ASPECTS) }, EDGE("        scale: { more: 4 }\n"));
	auto_ptr(made) beyond = MAKE({ "web.yaml", scaled(LEVELS "    - per: { type: tosca.policies.nfv.VduInstantiationLevels, "
								 "targets: [ vdu ], properties: { "
								 "levels: { small: { number_of_instances: 10 } } } }\n") },
				     EDGE(""));
	auto_ptr(made) level = MAKE({ "web.yaml", scaled(LEVELS) }, EDGE("        instantiation_level: smal\n"));

	assert_fault(aspect, "unknown-aspect", "service.yaml", 9);
	g_assert_nonnull(strstr(made_find(aspect, "unknown-aspect")->hint, "more"));
	assert_fault(none, "unknown-aspect", "service.yaml", 9);
	assert_fault(high, "scale-range", "service.yaml", 9);
	assert_fault(beyond, "scale-range", "web.yaml", 0);
	assert_fault(level, "unknown-level", "service.yaml", 9);
	g_assert_nonnull(strstr(made_find(level, "unknown-level")->hint, "small"));
}

/* --- in an NSD ---------------------------------------------------------------------------------------------------------- */

static char *ns(const char *profile, const char *policies)
{
	g_autofree char *lan = link_text("lan", "ipv4", IPV4("10.1.0.0/24", ""));
	g_autofree char *nodes = g_strdup_printf("%s    web:\n      type: t.Web\n      properties: { vnf_profile: { %s } }\n     "
						 " requirements: [ virtual_link: lan ]\n", lan, profile);
	g_autofree char *rest = g_strdup_printf("  policies:\n%s", policies);

	return nsd_text("web.yaml", NULL, nodes, rest);
}

#define NS_LEVELS \
	"    - levels: { type: tosca.policies.nfv.NsInstantiationLevels, properties: { ns_levels: { normal: { description: n " \
	"}, sale: { description: s } }, " \
	"default_level: normal } }\n" \
	"    - mapping: { type: tosca.policies.nfv.VnfToInstantiationLevelMapping, targets: [ web ], properties: { " \
	"number_of_instances: { normal: 2, sale: 4 } } }\n"
#define BOUNDS "min_number_of_instances: 1, max_number_of_instances: 4"

static void assert_ns(char *vnfd, char *nsd, char *service, size_t expected)
{
	auto_ptr(made) made = MAKE({ "web.yaml", vnfd }, { "ns.yaml", nsd }, { "service.yaml", service });

	assert_clean(made);
	if (count(made, "vnfc/") != expected)
		made_print(made);
	g_assert_cmpuint(count(made, "vnfc/"), ==, expected);
}

#define NS_SERVICE(more) service_text("        descriptor: /ns.yaml\n" more)

static void test_nsd(void)
{
	assert_ns(scaled("    []\n"), ns(BOUNDS, "    []\n"), NS_SERVICE(""), 1);
	assert_ns(scaled("    []\n"), ns(BOUNDS, NS_LEVELS), NS_SERVICE(""), 2);
	assert_ns(scaled("    []\n"), ns(BOUNDS, NS_LEVELS), NS_SERVICE("        instantiation_level: sale\n"), 4);
	/* The level of the VNF: named by the NSD, then by its targets, then by the service. */
	assert_ns(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS), ns("instantiation_level: large, " BOUNDS, "    []\n"),
		  NS_SERVICE(""), 5);
	assert_ns(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS),
		  ns("instantiation_level: large, target_vnf_scale_level_info: { more: { scale_level: 2 } }, " BOUNDS,
		     "    []\n"), NS_SERVICE(""), 6);
	assert_ns(scaled(INITIAL ASPECTS LEVELS VDU_LEVELS),
		  ns("instantiation_level: large, target_vnf_scale_level_info: { more: { scale_level: 2 } }, " BOUNDS,
		     "    []\n"),
		  NS_SERVICE("        scale: { web.more: 3 }\n"), 8);
	assert_ns(scaled(INITIAL ASPECTS), ns(BOUNDS, NS_LEVELS), NS_SERVICE("        scale: { web: 1 }\n"), 8);
}

/* An NSD with aspects and no levels starts at level 0. */
static void test_nsd_aspects(void)
{
	assert_ns(scaled("    []\n"),
		  ns(BOUNDS, "    - a: { type: tosca.policies.nfv.NsScalingAspects, properties: { aspects: { s: { name: s, "
			     "description: s, ns_scale_levels: { 0: { description: " "x } } } } } }\n"
			     "    - m: { type: tosca.policies.nfv.VnfToLevelMapping, targets: [ web ], properties: { aspect: s, "
			     "number_of_instances: { 0: 3, 1: 4 } } }\n"),
		  NS_SERVICE(""), 3);
}

static void test_nsd_keys(void)
{
	auto_ptr(made) made = MAKE({ "web.yaml", scaled("    []\n") }, { "ns.yaml", ns(BOUNDS, NS_LEVELS) }, NS(""));

	assert_clean(made);
	made_object(made, "vnfc/edge.web.vdu.0");
	made_object(made, "vnfc/edge.web.1.vdu.0");
	made_object(made, "link/edge.lan");
	g_assert_cmpuint(made->network->objects.n, ==, 3);
	g_assert_cmpstr(made_object(made, "link/edge.lan")->descriptor, ==, "id-of-ns");
	g_assert_cmpstr(made_object(made, "vnfc/edge.web.1.vdu.0")->descriptor, ==, "id-of-t.Web");
}

static void test_nsd_faults(void)
{
	auto_ptr(made) vnf = MAKE({ "web.yaml", scaled(ASPECTS) }, { "ns.yaml", ns(BOUNDS, "    []\n") },
				  NS("        scale: { wbe.more: 1 }\n"));
	auto_ptr(made) range = MAKE({ "web.yaml", scaled("    []\n") },
				    { "ns.yaml", ns("min_number_of_instances: 1, max_number_of_instances: 1", NS_LEVELS) },
				    NS(""));
	auto_ptr(made) level = MAKE({ "web.yaml", scaled("    []\n") }, { "ns.yaml", ns(BOUNDS, NS_LEVELS) },
				    NS("        instantiation_level: rush\n"));

	assert_fault(vnf, "unknown-vnf", "service.yaml", 9);
	g_assert_nonnull(strstr(made_find(vnf, "unknown-vnf")->hint, "web"));
	assert_fault(range, "scale-range", "ns.yaml", 0);
	assert_fault(level, "unknown-level", "service.yaml", 9);
}

static void test_bounds(void)
{
	auto_ptr(made) most = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .min = DESIRED_MAX_VNFCS_PER_SERVICE,
										 .max = DESIRED_MAX_VNFCS_PER_SERVICE,
										 .cp = "layer_protocols: [ ethernet ]" }) },
				   EDGE(""));
	auto_ptr(made) more = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .min = DESIRED_MAX_VNFCS_PER_SERVICE + 1,
										 .max = DESIRED_MAX_VNFCS_PER_SERVICE + 1 }) },
				   EDGE(""));

	assert_clean(most);
	g_assert_cmpuint(count(most, "vnfc/"), ==, DESIRED_MAX_VNFCS_PER_SERVICE);
	assert_fault(more, "too-many-instances", "service.yaml", 5);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/scale/ladder", test_ladder);
	g_test_add_func("/desired/scale/steps", test_steps);
	g_test_add_func("/desired/scale/highest-index", test_highest_index);
	g_test_add_func("/desired/scale/faults", test_faults);
	g_test_add_func("/desired/scale/nsd", test_nsd);
	g_test_add_func("/desired/scale/nsd-aspects", test_nsd_aspects);
	g_test_add_func("/desired/scale/nsd-keys", test_nsd_keys);
	g_test_add_func("/desired/scale/nsd-faults", test_nsd_faults);
	g_test_add_func("/desired/scale/bounds", test_bounds);
	return g_test_run();
}
