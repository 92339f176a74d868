#include "report_world.h"
#include "schema_check.h"

static struct report_world *drifted_world(void)
{
	struct report_world *world = report_world_new();
	world_lose(world, "nf/edge.web.vdu.0");
	struct step *step = world_step(world, "nf/edge.web.vdu.0", ACTION_CREATE, CAUSE_DRIFT);
	world_change(world, step, "state", NULL, "started", CAUSE_DRIFT, COST_IN_PLACE, 33);
	step = world_step(world, "link/edge.lan", ACTION_CHANGE, CAUSE_INTENT);
	world_change(world, step, "gateway", "10.64.3.9", "10.64.3.1", CAUSE_INTENT, COST_IN_PLACE, 11);
	world_change(world, step, "mtu", "x", "y", CAUSE_DRIFT, COST_IN_PLACE, 11);
	step = world_step(world, "vnfc/edge.fw.vdu.0", ACTION_CHANGE, CAUSE_UNATTRIBUTED);
	world_change(world, step, "hostname", "a", "b", CAUSE_UNATTRIBUTED, COST_RESTART, 21);
	world_step(world, "link/edge.wan", ACTION_CHANGE, CAUSE_INTENT);
	world_operate(world, "nf/edge.web.vdu.0", ACTION_CREATE, OP_FAILED_TEMP, 2, "leaf: no such file: /usr/sbin/haproxy");
	static const struct stranger strangers[] = { { "local", "bridge br0", NULL }, { "local", "vnfc web", "acme" } };
	world->observed.strangers = strangers;
	world->observed.n_strangers = G_N_ELEMENTS(strangers);
	static const char *const sites[] = { "berlin" }, *const reasons[] = { "connection refused" };
	world->observed.blind.sites = sites;
	world->observed.blind.reasons = reasons;
	world->observed.blind.n = 1;
	return world;
}

static void test_text(void)
{
	struct report_world *world = drifted_world();
	enum report_verdict verdict;
	g_autofree char *text = report_drift(world_input(world), NULL, &style_text, &verdict);
	g_assert_cmpstr(text, ==,
			"Comparing commit 1a2b3c4d5e6f with the live network observed at 2026-11-20T11:52:03.000Z.\n"
			"\n"
			"Not as it should be:\n"
			"  + nf/edge.web.vdu.0 is gone   (service.yaml:32)\n"
			"      repair: attempt 2 FAILED_TEMP: leaf: no such file: /usr/sbin/haproxy\n"
			"  ~ link/edge.lan   (service.yaml:10)\n"
			"      mtu: is x, should be y   (drift: changed outside Git, service.yaml:11)\n"
			"  ~ vnfc/edge.fw.vdu.0   (service.yaml:20)\n"
			"      hostname: is a, should be b   (unattributed: no record of who changed it, service.yaml:21)\n"
			"\n"
			"Cannot be looked at, so nothing is known of:\n"
			"  ? site/berlin: connection refused\n"
			"\n"
			"Not ours, and left alone:\n"
			"  ? site/local: bridge br0\n"
			"  ? site/local: vnfc web of owner acme\n"
			"\n"
			"Drift on 3 objects: 1 field, 1 object gone, 1 unattributed; 1 site could not be looked at.\n");
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	g_autofree char *json = report_drift(world_input(world), NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("drift", json);
	g_assert_cmpuint(json_array_size(json_object_get(parsed, "objects")), ==, 3);
	report_world_free(world);
}

static void test_repaired(void)
{
	struct report_world *world = report_world_new();
	const struct store_event events[] = {
		{ .wall_us = WORLD_NOW - 3 * G_USEC_PER_SEC, .key = "link/edge.lan", .kind = "repaired", .text = "change" },
		{ .wall_us = WORLD_NOW - 4 * G_USEC_PER_SEC, .key = "link/edge.wan", .kind = "drift", .text = "another" },
		{ .wall_us = WORLD_NOW - 4 * G_USEC_PER_SEC, .key = "link/edge.lan", .kind = "drift",
		 .text = "mtu is 9, should be 10" },
	};
	world->input.events = events;
	world->input.n_events = G_N_ELEMENTS(events);
	enum report_verdict verdict;
	g_autofree char *text = report_drift(world_input(world), NULL, &style_text, &verdict);
	g_assert_nonnull(strstr(text, "  link/edge.lan: mtu is 9, should be 10: change, 3 s ago\n"));
	g_assert_true(g_str_has_suffix(text, "\nDrift: none now; 1 repaired 3 s ago.\n"));
	g_assert_cmpint(verdict, ==, REPORT_NOTHING);
	g_autofree char *json = report_drift(world_input(world), NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("drift", json);
	report_world_free(world);
}

/* An edited file line by line, how grave the policies say that it is, and only what is asked for. */
static void test_edited(void)
{
	static const char *const all[] = { "**" }, *const config[] = { "config.**" };
	static const struct drift_rule rules[] = {
		{ .name = "any", .mode = DRIFT_ENFORCE, .severity = DRIFT_INFO, .objects = all, .n_objects = 1, .fields = all, .n_fields = 1,
		  .origin = { "service.yaml", 80, 5 } },
		{ .name = "law", .mode = DRIFT_ENFORCE, .severity = DRIFT_CRITICAL, .objects = all, .n_objects = 1, .fields = config, .n_fields = 1,
		  .origin = { "service.yaml", 90, 5 } },
	};
	g_autofree char *lines = g_strnfill(2000, '\n'), *line = g_strnfill(2000, 'x');
	struct report_world *world = report_world_new();
	world->network.drift = rules;
	world->network.n_drift = G_N_ELEMENTS(rules);
	struct step *step = world_step(world, "nf/edge.web.vdu.0", ACTION_CHANGE, CAUSE_DRIFT);
	world_change(world, step, "config.a.content", "one\ntwo\nthree\n", "one\nthree\n", CAUSE_DRIFT, COST_IN_PLACE, 33);
	world_change(world, step, "config.b.content", lines, "one\n", CAUSE_DRIFT, COST_IN_PLACE, 34);
	world_change(world, step, "config.c.content", line, "one", CAUSE_DRIFT, COST_IN_PLACE, 35);
	step = world_step(world, "link/edge.lan", ACTION_CHANGE, CAUSE_DRIFT);
	world_change(world, step, "mtu", "x", "y", CAUSE_DRIFT, COST_IN_PLACE, 11);
	g_autofree char *text = report_drift(world_input(world), NULL, &style_text, NULL);
	g_assert_nonnull(strstr(text, "          one\n        + two\n          three\n"));
	g_assert_nonnull(strstr(text, "\n        … and "));
	g_assert_nonnull(strstr(text, "severity: critical (policy law, service.yaml:90)"));
	g_assert_nonnull(strstr(text, "severity: info (policy any, service.yaml:80)"));
	g_assert_null(strstr(text, line));
	g_assert_cmpuint(strlen(text), <, 6000);
	g_autofree char *one = report_drift(world_input(world), "nf/edge.web.vdu.0", &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("drift", one);
	const json_t *objects = json_object_get(parsed, "objects");
	g_assert_cmpuint(json_array_size(objects), ==, 1);
	g_assert_cmpstr(json_opt_string(json_array_get(objects, 0), "severity", NULL), ==, "critical");
	g_assert_cmpstr(json_opt_string(json_array_get(objects, 0), "policy", NULL), ==, "law");
	enum report_verdict verdict;
	g_autofree char *none = report_drift(world_input(world), "vnfc/edge.fw.vdu.0", &style_text, &verdict);
	g_assert_cmpint(verdict, ==, REPORT_NOTHING);
	report_world_free(world);
}

static void test_none(void)
{
	struct report_world *world = report_world_new();
	g_autofree char *text = report_drift(world_input(world), NULL, &style_text, NULL);
	g_assert_true(g_str_has_suffix(text, "\nDrift: none.\n"));
	struct report_input nothing = { 0 };
	g_autofree char *early = report_drift(&nothing, NULL, &style_text, NULL);
	g_assert_nonnull(strstr(early, "nothing was looked at yet"));
	g_autofree char *json = report_drift(&nothing, NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("drift", json);
	report_world_free(world);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/drift/text", test_text);
	g_test_add_func("/report/drift/repaired", test_repaired);
	g_test_add_func("/report/drift/edited", test_edited);
	g_test_add_func("/report/drift/none", test_none);
	return g_test_run();
}
