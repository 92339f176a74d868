/* Policies of access, and is_autoheal_enabled: what the EMS gets to know of a descriptor. */
#include "desired_case.h"

#define EDGE { "service.yaml", service_text("        descriptor: /web.yaml\n") }
#define WEB { "web.yaml", vnfd_text((struct vnfd_parts) { 0 }) }
#define POLICY(properties) \
	{ "access.yaml", g_strdup(HEAD "topology_template:\n  policies:\n    - who:\n        type: pleach.policies.Access\n" \
				       "        properties: { " properties " }\n") }

static void test_rules(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE, POLICY("operators: [ anna, \"uid:7\" ], verbs: [ operate, logs ], objects: [ \"edge.**\" ]"));
	assert_clean(made);
	g_assert_cmpuint(made->network->n_access, ==, 1);
	const struct access_rule *rule = &made->network->access[0];
	g_assert_cmpstr(rule->name, ==, "who");
	g_assert_cmpuint(rule->n_operators, ==, 2);
	g_assert_cmpstr(rule->operators[1], ==, "uid:7");
	g_assert_cmpuint(rule->n_ems, ==, 0);
	g_assert_cmpuint(rule->verbs, ==, 1u << ACCESS_OPERATE | 1u << ACCESS_LOGS);
	g_assert_cmpstr(rule->objects[0], ==, "edge.**");
	g_assert_cmpstr(rule->origin.file, ==, "access.yaml");
	g_assert_cmpuint(rule->origin.line, ==, 5);
}

static void test_defaults(void)
{
	auto_ptr(made) made = MAKE(WEB, EDGE, POLICY("ems: [ leaf ]"));
	assert_clean(made);
	const struct access_rule *rule = &made->network->access[0];
	g_assert_cmpuint(rule->verbs, ==, (1u << ACCESS_VERBS) - 1);
	g_assert_cmpuint(rule->n_objects, ==, 1);
	g_assert_cmpstr(rule->objects[0], ==, "**");
	auto_ptr(made) none = MAKE(WEB, EDGE);
	g_assert_cmpuint(none->network->n_access, ==, 0);
}

static void test_faults(void)
{
	auto_ptr(made) exec = MAKE(WEB, EDGE, POLICY("operators: [ anna ], verbs: [ exec ]"));
	g_assert_cmpuint(made_count(exec, "not-kept"), ==, 1);
	g_assert_cmpuint(exec->network->access[0].verbs, ==, 0);
	auto_ptr(made) nobody = MAKE(WEB, EDGE, POLICY("verbs: [ logs ]"));
	g_assert_cmpuint(made_count(nobody, "names-nobody"), ==, 1);
	auto_ptr(made) uid = MAKE(WEB, EDGE, POLICY("operators: [ \"uid:anna\" ]"));
	g_assert_cmpuint(made_count(uid, "bad-name"), ==, 1);
	auto_ptr(made) empty = MAKE(WEB, EDGE, POLICY("operators: [ \"\" ]"));
	g_assert_cmpuint(made_count(empty, "bad-name"), ==, 1);
}

static void test_autoheal(void)
{
	auto_ptr(made) no = MAKE({ "web.yaml", vnfd_text((struct vnfd_parts) {
						       .vnf_properties = ", configurable_properties: { is_autoheal_enabled: false }" }) },
				 EDGE);
	assert_field(made_object(no, "vnfc/edge.vdu.0"), "label.autoheal", "\"false\"");
	auto_ptr(made) usual = MAKE(WEB, EDGE);
	g_assert_null(object_field(made_object(usual, "vnfc/edge.vdu.0"), "label.autoheal"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/access/rules", test_rules);
	g_test_add_func("/access/defaults", test_defaults);
	g_test_add_func("/access/faults", test_faults);
	g_test_add_func("/access/autoheal", test_autoheal);
	return g_test_run();
}
