#include "base/error.h"
#include "report_world.h"
#include "schema_check.h"

static void test_converged(void)
{
	struct report_world *world = report_world_new();
	world->input.summary = "add edge";
	world->input.state = "converged";
	world->input.state_since_wall_us = WORLD_NOW - 5 * G_USEC_PER_SEC;
	enum report_verdict verdict;
	g_autofree char *text = report_status(world_input(world), NULL, &style_text, &verdict);
	g_assert_cmpstr(text, ==,
			"commit 1a2b3c4d5e6f \"add edge\": converged since 2026-11-20T11:52:01.000Z (5 s ago)\n"
			"\n"
			"Service edge\n"
			"  link/edge.lan            Ready  10.64.3.0/24\n"
			"  link/edge.wan            Ready  10.64.4.0/24\n"
			"  vnf/edge.fw              Ready  1 of 1           fw\n"
			"    vnfc/edge.fw.vdu.0     Ready  10.64.3.2 (lan)\n"
			"      nf/edge.fw.vdu.0     Ready  started\n"
			"  vnf/edge.web             Ready  1 of 1           fw\n"
			"    vnfc/edge.web.vdu.0    Ready  10.64.3.3 (lan)\n"
			"      nf/edge.web.vdu.0    Ready  started\n"
			"  vnf/edge.web.1           Ready  1 of 1           fw\n"
			"    vnfc/edge.web.1.vdu.0  Ready  10.64.3.4 (lan)\n"
			"      nf/edge.web.1.vdu.0  Ready  started\n"
			"\n"
			"8 objects: 8 ready.\n"
			"\n"
			"Converged.\n");
	g_assert_cmpint(verdict, ==, REPORT_NOTHING);
	g_autofree char *json = report_status(world_input(world), NULL, &style_json, &verdict);
	g_autoptr(json_t) parsed = schema_check_text("status", json);
	g_assert_true(json_opt_bool(parsed, "converged", false));
	world->input.unsettled = true;
	g_free(report_status(world_input(world), NULL, &style_text, &verdict));
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	report_world_free(world);
}

static void test_conditions(void)
{
	struct report_world *world = report_world_new();
	world_lose(world, "link/edge.wan");
	world_lose(world, "vnfc/edge.fw.vdu.0");
	world_lose(world, "nf/edge.fw.vdu.0");
	world_lose(world, "nf/edge.web.vdu.0");
	world_step(world, "link/edge.wan", ACTION_CREATE, CAUSE_INTENT);
	world_operate(world, "link/edge.wan", ACTION_CREATE, OP_PROCESSING, 1, NULL);
	static const size_t first[] = { 0 }, second[] = { 1 };
	struct step *step = world_step(world, "vnfc/edge.fw.vdu.0", ACTION_CREATE, CAUSE_INTENT);
	step->after = first;
	step->n_after = 1;
	step = world_step(world, "nf/edge.fw.vdu.0", ACTION_CREATE, CAUSE_INTENT);
	step->after = second;
	step->n_after = 1;
	world_step(world, "nf/edge.web.vdu.0", ACTION_CREATE, CAUSE_DRIFT);
	world_operate(world, "nf/edge.web.vdu.0", ACTION_CREATE, OP_FAILED, 3, "haproxy: line 3:\nunknown keyword");
	world_step(world, "nf/edge.web.1.vdu.0", ACTION_CHANGE, CAUSE_DRIFT);
	world_step(world, "vnfc/edge.web.1.vdu.0", ACTION_CHANGE, CAUSE_INTENT);
	world_operate(world, "vnfc/edge.web.1.vdu.0", ACTION_CHANGE, OP_FAILED_TEMP, 4, "refused");
	struct unplanned held = { "link/edge.lan", "mtu", "the bridge has no room", world_at(11) };
	g_array_append_val(world->unplanned, held);
	enum report_verdict verdict;
	g_autofree char *text = report_status(world_input(world), NULL, &style_text, &verdict);
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	static const char *const lines[] = {
		"link/edge.lan            Held      10.64.3.0/24     mtu: the bridge has no room\n",
		"link/edge.wan            Creating  10.64.4.0/24\n",
		"vnf/edge.fw              Waiting   0 of 1           fw\n",
		"vnfc/edge.fw.vdu.0     Waiting                    to create, after link/edge.wan\n",
		"nf/edge.fw.vdu.0     Waiting                    to create, after vnfc/edge.fw.vdu.0\n",
		"nf/edge.web.vdu.0    Failed                     haproxy: line 3:\n          unknown keyword; held until that changes, or: pleach sync nf/edge.web.vdu.0\n",
		"vnfc/edge.web.1.vdu.0  Retrying  10.64.3.4 (lan)  attempt 4: refused\n",
		"nf/edge.web.1.vdu.0  Drifted   started          to change\n",
		"8 objects: 1 ready, 1 creating, 2 waiting, 1 drifted, 1 retrying, 1 failed, 1 held.\n",
		"Not converged: nf/edge.web.vdu.0: Failed: haproxy: line 3:\n",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
		if (!strstr(text, lines[i]))
			g_error("no line \"%s\" in:\n%s", lines[i], text);
	}
	g_autofree char *json = report_status(world_input(world), NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("status", json);
	g_assert_cmpint(json_opt_int(json_object_get(parsed, "counts"), "failed", 0), ==, 1);
	/* Only one VNF: its own trouble and no other. */
	g_autofree char *web = report_status(world_input(world), "vnf/edge.web", &style_text, &verdict);
	g_assert_null(strstr(web, "edge.fw"));
	g_assert_null(strstr(web, "edge.web.1"));
	g_assert_nonnull(strstr(web, "2 objects: 1 ready, 1 failed.\n"));
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	report_world_free(world);
}

static void check_final(struct report_world *world, bool expected)
{
	g_autofree char *json = report_status(world_input(world), NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("status", json);
	g_assert_cmpint(json_is_true(json_object_get(parsed, "final")), ==, expected);
}

/* Is there anything to wait for? */
static void test_final(void)
{
	struct report_world *world = report_world_new();
	check_final(world, true); /* converged */
	world->input.trouble = "faulty";
	check_final(world, false);
	world->input.stays = true;
	check_final(world, true);
	struct step *step = world_step(world, "nf/edge.web.1.vdu.0", ACTION_CHANGE, CAUSE_INTENT);
	step->held = "suspended";
	check_final(world, true);
	world->input.stays = false; /* something is due all the same */
	check_final(world, false);
	world->input.stays = true;
	static const char *const sites[] = { "local" }, *const reasons[] = { "connection refused" };
	world->observed.blind.sites = sites;
	world->observed.blind.reasons = reasons;
	world->observed.blind.n = 1;
	check_final(world, false); /* it may be looked at later */
	report_world_free(world);
}

static void test_blind_and_early(void)
{
	struct report_world *world = report_world_new();
	static const char *const sites[] = { "local" }, *const reasons[] = { "connection refused" };
	world->observed.blind.sites = sites;
	world->observed.blind.reasons = reasons;
	world->observed.blind.n = 1;
	enum report_verdict verdict;
	g_autofree char *text = report_status(world_input(world), NULL, &style_text, &verdict);
	g_assert_nonnull(strstr(text, "  ? site/local cannot be looked at: connection refused\n"));
	g_assert_nonnull(strstr(text, "8 objects: 8 unknown.\n"));
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	struct report_input nothing = { .trouble = "the repository has no branch main" };
	g_autofree char *early = report_status(&nothing, NULL, &style_text, &verdict);
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	g_assert_nonnull(strstr(early, "No revision yet\n  the repository has no branch main\n"));
	g_autofree char *json = report_status(&nothing, NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("status", json);
	report_world_free(world);
}

/* An instance that ended, an NF that failed: nothing is planned yet, and it is not called ready. */
static void test_by_itself(void)
{
	struct report_world *world = report_world_new();
	world_lose(world, "vnfc/edge.fw.vdu.0");
	world_lose(world, "nf/edge.web.vdu.0");
	struct object_builder *builder = world_builder(world, "vnfc/edge.fw.vdu.0", 0);
	object_set_string(builder, "state", "failed", ORIGIN_NONE);
	object_set_string(builder, "exit", "signal 9 (Killed)", ORIGIN_NONE);
	g_ptr_array_add(world->seen, (gpointer) (guintptr) object_build(builder));
	builder = world_builder(world, "nf/edge.web.vdu.0", 0);
	object_set_string(builder, "state", "failed", ORIGIN_NONE);
	object_set_string(builder, "reason", "bind: address in use", ORIGIN_NONE);
	g_ptr_array_add(world->seen, (gpointer) (guintptr) object_build(builder));
	g_autofree char *text = report_status(world_input(world), NULL, &style_text, NULL);
	g_assert_nonnull(strstr(text, "signal 9 (Killed)\n"));
	g_assert_nonnull(strstr(text, "bind: address in use\n"));
	g_assert_nonnull(strstr(text, "8 objects: 6 ready, 2 failed.\n"));
	report_world_free(world);
}

static void test_resolve(void)
{
	struct report_world *world = report_world_new();
	const struct report_input *input = world_input(world);
	static const struct {
		const char *text, *kind, *key;
		int code;
	} cases[] = {
		{ "vnfc/edge.fw.vdu.0", NULL, "vnfc/edge.fw.vdu.0", 0 },
		{ "edge.fw", NULL, "vnf/edge.fw", 0 },
		{ "vnf/edge.fw", NULL, "vnf/edge.fw", 0 },
		{ "edge.fw", "vnfc", "vnfc/edge.fw.vdu.0", 0 },
		{ "edge.fw", "nf", "nf/edge.fw.vdu.0", 0 },
		{ "vnf/edge.fw", "vnfc", "vnfc/edge.fw.vdu.0", 0 },
		{ "nf/edge.fw.vdu.0", "vnfc", "vnfc/edge.fw.vdu.0", 0 },
		{ "edge.fw.vdu.0", NULL, "vnfc/edge.fw.vdu.0", 0 },
		{ "edge.lan", NULL, "link/edge.lan", 0 },
		{ "edge.web", NULL, "vnf/edge.web", 0 },
		{ "edge.web", "vnfc", NULL, PLEACH_ERROR_INVALID }, /* its own, and the second instance's */
		{ "edge", NULL, NULL, PLEACH_ERROR_INVALID },
		{ "edge.wa", NULL, NULL, PLEACH_ERROR_NOT_FOUND },
		{ "link/edge.lam", NULL, NULL, PLEACH_ERROR_NOT_FOUND },
		{ "", NULL, NULL, PLEACH_ERROR_NOT_FOUND },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		const char *key = report_resolve(input, world->arena, cases[i].text, cases[i].kind, &error);
		g_test_message("%s as %s: %s", cases[i].text, cases[i].kind ? cases[i].kind : "any", key ? key : error->message);
		g_assert_cmpstr(key, ==, cases[i].key);
		if (!key)
			g_assert_error(error, PLEACH_ERROR, cases[i].code);
		if (g_strcmp0(cases[i].text, "link/edge.lam") == 0)
			g_assert_nonnull(strstr(error->message, "did you mean \"link/edge.lan\"?"));
	}
	report_world_free(world);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/status/converged", test_converged);
	g_test_add_func("/report/status/conditions", test_conditions);
	g_test_add_func("/report/status/blind-and-early", test_blind_and_early);
	g_test_add_func("/report/status/by-itself", test_by_itself);
	g_test_add_func("/report/status/resolve", test_resolve);
	g_test_add_func("/report/status/final", test_final);
	return g_test_run();
}
