/* Policies of drift. */
#include "desired_case.h"

#define EDGE(rest) { "service.yaml", edge_text(rest) }
#define WEB { "web.yaml", vnfd_text((struct vnfd_parts) { 0 }) }
#define POLICY(name, rest) "    - " name ": { type: pleach.policies.Drift, " rest " }\n"

static char *edge_text(const char *policies)
{
	g_autofree char *service = service_text("        descriptor: /web.yaml\n");
	return g_strconcat(service, "  policies:\n", policies, NULL);
}

static void test_rules(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE(POLICY("a", "targets: [ edge ], properties: { mode: report, objects: [ 'nf/**' ], "
						    "fields: [ 'config.**' ], severity: critical }")
					     POLICY("b", "properties: { mode: ignore }")));
	assert_clean(made);
	g_assert_cmpuint(made->network->n_drift, ==, 2);
	const struct drift_rule *rule = &made->network->drift[0], *other = &made->network->drift[1];
	g_assert_cmpstr(rule->name, ==, "a");
	g_assert_cmpint(rule->mode, ==, DRIFT_REPORT);
	g_assert_cmpint(rule->severity, ==, DRIFT_CRITICAL);
	g_assert_cmpuint(rule->n_services, ==, 1);
	g_assert_cmpstr(rule->services[0], ==, "edge");
	g_assert_cmpstr(rule->objects[0], ==, "nf/**");
	g_assert_cmpstr(rule->fields[0], ==, "config.**");
	g_assert_cmpstr(rule->origin.file, ==, "service.yaml");
	g_assert_cmpint(other->mode, ==, DRIFT_IGNORE);
	g_assert_cmpint(other->severity, ==, DRIFT_WARNING);
	g_assert_cmpuint(other->n_services + other->n_sites, ==, 0);
	g_assert_cmpstr(other->objects[0], ==, "**");
	auto_ptr(made) none = MAKE(WEB, { "service.yaml", service_text("        descriptor: /web.yaml\n") });
	g_assert_cmpuint(none->network->n_drift, ==, 0);
}

static void test_not_kept(void)
{
	auto_ptr(made) adopt = MAKE(WEB, EDGE(POLICY("a", "properties: { mode: adopt }")));
	g_assert_cmpuint(made_count(adopt, "not-kept"), ==, 1);
	g_assert_cmpuint(adopt->network->n_drift, ==, 0);
	auto_ptr(made) inside = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) { .rest = "  policies:\n" POLICY("a", "properties: { mode: report }") }) },
				     { "service.yaml", service_text("        descriptor: /web.yaml\n") });
	g_assert_cmpuint(made_count(inside, "not-kept"), ==, 1);
	g_assert_cmpuint(inside->network->n_drift, ==, 0);
}

static void test_equally_exact(void)
{
	auto_ptr(made) same = MAKE(WEB, EDGE(POLICY("a", "properties: { mode: report }") POLICY("b", "properties: { mode: enforce }")));
	g_assert_cmpuint(made_count(same, "equally-exact"), ==, 1);
	/* For other objects, other fields, or not for the same sort of thing: no fault. */
	auto_ptr(made) apart = MAKE(WEB, EDGE(POLICY("a", "properties: { mode: report, objects: [ 'nf/**' ] }")
					      POLICY("b", "properties: { mode: enforce, objects: [ 'vnfc/**' ] }")
					      POLICY("c", "properties: { mode: report, fields: [ vcpus ] }")
					      POLICY("d", "properties: { mode: enforce, fields: [ mem_bytes ] }")
					      POLICY("e", "targets: [ edge ], properties: { mode: ignore }")));
	assert_clean(apart);
	g_assert_cmpuint(apart->network->n_drift, ==, 5);
	auto_ptr(made) fields = MAKE(WEB, EDGE(POLICY("a", "properties: { mode: report, fields: [ 'cp.**' ] }")
					       POLICY("b", "properties: { mode: enforce, fields: [ '*.*.link' ] }")));
	g_assert_cmpuint(made_count(fields, "equally-exact"), ==, 1);
}

static void test_bounds(void)
{
	g_autoptr(GString) rest = g_string_new(NULL);
	for (int i = 0; i <= DRIFT_RULES_MAX; i++)
		g_string_append_printf(rest, "    - p%d: { type: pleach.policies.Drift, properties: { mode: report, objects: [ 'link/none%d' ] } }\n",
				       i, i);
	auto_ptr(made) many = MAKE(WEB, EDGE(rest->str));
	g_assert_cmpuint(made_count(many, "too-many-policies"), ==, 1);
	g_assert_cmpuint(many->network->n_drift, ==, DRIFT_RULES_MAX);
	auto_ptr(made) empty = MAKE(WEB, EDGE(POLICY("a", "properties: { mode: report, objects: [ '' ] }")));
	g_assert_cmpuint(made_count(empty, "bad-name"), ==, 1);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/drift/rules", test_rules);
	g_test_add_func("/desired/drift/not-kept", test_not_kept);
	g_test_add_func("/desired/drift/equally-exact", test_equally_exact);
	g_test_add_func("/desired/drift/bounds", test_bounds);
	return g_test_run();
}
