/* Which rule of drift counts. */
#include "model/drift.h"

#include <glib.h>

static const char *const all[] = { "**" }, *const edge[] = { "edge" }, *const berlin[] = { "berlin" }, *const fw[] = { "nf/edge.fw.**" },
			 *const config[] = { "config.**", "cp.*.mtu" };

#define ANY .objects = all, .n_objects = 1, .fields = all, .n_fields = 1

static const struct drift_rule rules[] = {
	{ .name = "repository", ANY },
	{ .name = "site", .sites = berlin, .n_sites = 1, ANY },
	{ .name = "service", .services = edge, .n_services = 1, ANY },
	{ .name = "object", .objects = fw, .n_objects = 1, .fields = all, .n_fields = 1 },
	{ .name = "field", .objects = all, .n_objects = 1, .fields = config, .n_fields = 2 },
};

static const char *found(const char *key, const char *site, const char *path)
{
	const struct drift_rule *rule = drift_find(rules, G_N_ELEMENTS(rules), key, site, path);
	return rule ? rule->name : NULL;
}

static void test_exactness(void)
{
	g_assert_cmpstr(found("link/core.lan", "local", "mtu"), ==, "repository");
	g_assert_cmpstr(found("link/core.lan", "berlin", "mtu"), ==, "site");
	g_assert_cmpstr(found("link/edge.lan", "berlin", "mtu"), ==, "service");
	g_assert_cmpstr(found("link/edge2.lan", "local", "mtu"), ==, "repository"); /* not "edge" */
	g_assert_cmpstr(found("nf/edge.fw.vdu.0", "berlin", "state"), ==, "object");
	g_assert_cmpstr(found("vnfc/edge.fw.vdu.0", "berlin", "state"), ==, "service");
	g_assert_cmpstr(found("nf/edge.fw.vdu.0", "berlin", "config.a.content"), ==, "field");
	g_assert_cmpstr(found("vnfc/core.a.0", "local", "cp.lan.mtu"), ==, "field");
	g_assert_cmpstr(found("vnfc/core.a.0", "local", "cp.lan.addresses"), ==, "repository");
	/* Gone as a whole: no rule of fields. */
	g_assert_cmpstr(found("nf/edge.fw.vdu.0", "berlin", NULL), ==, "object");
	g_assert_null(drift_find(NULL, 0, "link/a.b", "local", NULL));
	g_assert_null(drift_find(rules + 1, 1, "link/a.b", "local", NULL));
}

/* Each part only decides between rules that are alike in what is more exact. */
static void test_parts(void)
{
	const struct drift_rule both = { .services = edge, .n_services = 1, .objects = fw, .n_objects = 1, .fields = config, .n_fields = 2 };
	const char *key = "nf/edge.fw.vdu.0";
	g_assert_cmpuint(drift_exactness(&both, key, "local", "config.a.mode"), >, drift_exactness(&rules[4], key, "local", "config.a.mode"));
	g_assert_cmpuint(drift_exactness(&rules[4], key, "local", "config.a.mode"), >, drift_exactness(&rules[3], key, "local", "config.a.mode"));
	g_assert_cmpuint(drift_exactness(&both, key, "local", "state"), ==, 0);
	g_assert_cmpuint(drift_exactness(&both, "nf/core.fw.0", "local", "config.a.mode"), ==, 0);
}

static void test_names(void)
{
	enum drift_mode mode;
	enum drift_severity severity;
	g_assert_true(drift_mode_parse("report", &mode) && mode == DRIFT_REPORT);
	g_assert_false(drift_mode_parse("adopt", &mode));
	g_assert_true(drift_severity_parse("critical", &severity) && severity == DRIFT_CRITICAL);
	g_assert_false(drift_severity_parse("", &severity));
	g_assert_cmpstr(drift_severity_name(DRIFT_INFO), ==, "info");
}

static void test_equal(void)
{
	struct drift_rule other[G_N_ELEMENTS(rules)];
	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
		other[i] = rules[i];
	other[1].origin = (struct origin) { "elsewhere.yaml", 3, 1 };
	g_assert_true(drift_rules_equal(rules, G_N_ELEMENTS(rules), other, G_N_ELEMENTS(rules)));
	other[1].sites = edge;
	g_assert_false(drift_rules_equal(rules, G_N_ELEMENTS(rules), other, G_N_ELEMENTS(rules)));
	other[1] = rules[1];
	other[4].mode = DRIFT_IGNORE;
	g_assert_false(drift_rules_equal(rules, G_N_ELEMENTS(rules), other, G_N_ELEMENTS(rules)));
	g_assert_false(drift_rules_equal(rules, G_N_ELEMENTS(rules), rules, 1));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/model/drift/exactness", test_exactness);
	g_test_add_func("/model/drift/parts", test_parts);
	g_test_add_func("/model/drift/names", test_names);
	g_test_add_func("/model/drift/equal", test_equal);
	return g_test_run();
}
