#include "report_world.h"
#include "schema_check.h"

static struct report_world *changed_world(void)
{
	struct report_world *world = report_world_new();
	world_lose(world, "link/edge.wan");
	world_lose(world, "nf/edge.fw.vdu.0");
	struct step *step = world_step(world, "link/edge.wan", ACTION_CREATE, CAUSE_DRIFT);
	world_change(world, step, "cidr", NULL, "10.64.4.0/24", CAUSE_DRIFT, COST_IN_PLACE, 13);
	step = world_step(world, "vnfc/edge.web.vdu.0", ACTION_CHANGE, CAUSE_INTENT);
	world_change(world, step, "cp.lan.mtu", "1400", "1500", CAUSE_INTENT, COST_IN_PLACE, 31);
	world_change(world, step, "mem_bytes", "1", "2", CAUSE_DRIFT, COST_IN_PLACE, 33);
	step = world_step(world, "vnfc/edge.fw.vdu.0", ACTION_REPLACE, CAUSE_INTENT);
	world_change(world, step, "hostname", "a", "b", CAUSE_INTENT, COST_RESTART, 23);
	step->interrupts = true;
	step = world_step(world, "nf/edge.fw.vdu.0", ACTION_CREATE, CAUSE_INTENT);
	world_change(world, step, "config.main.content", NULL, "x", CAUSE_INTENT, COST_RESTART, 24);
	((struct field_change *) (guintptr) step->changes)->waits_for = "vnfc/edge.web.vdu.0";
	static const size_t after[] = { 1, 2 };
	step->after = after;
	step->n_after = 2;
	step->note = "its VNFC is replaced";
	world_step(world, "vnfc/old.x.vdu.0", ACTION_REMOVE, CAUSE_INTENT);
	world_step(world, "vnfc/edge.web.vdu.0", ACTION_CLEAN, CAUSE_INTENT)->incarnation = 3;
	struct unplanned unplanned = { "vnfc/edge.web.1.vdu.0", "mem_bytes", "unknown: no control groups", world_at(34) };
	g_array_append_val(world->unplanned, unplanned);
	world->plan.creates = 2;
	world->plan.changes = 1;
	world->plan.replaces = 1;
	world->plan.removes = 2;
	return world;
}

static void test_text(void)
{
	struct report_world *world = changed_world();
	enum report_verdict verdict;
	g_autofree char *text = report_plan(world_input(world), &style_text, &verdict);
	g_assert_cmpstr(text, ==,
			"Comparing commit 1a2b3c4d5e6f with the live network observed at 2026-11-20T11:52:03.000Z.\n"
			"\n"
			"To do, in this order:\n"
			"  + link/edge.wan (drift: gone, service.yaml:12)\n"
			"      cidr: 10.64.4.0/24   (service.yaml:13)\n"
			"  ~ vnfc/edge.web.vdu.0 (intent, service.yaml:30)\n"
			"      cp.lan.mtu: \"1400\" -> \"1500\"   (in-place, service.yaml:31)\n"
			"      mem_bytes: \"1\" -> \"2\"   (in-place, drift, service.yaml:33)\n"
			"  ± vnfc/edge.fw.vdu.0 (intent, next incarnation 2, service.yaml:20), interrupts\n"
			"      hostname: a -> b   (restart, service.yaml:23)\n"
			"  + nf/edge.fw.vdu.0 (intent, service.yaml:22)\n"
			"      config.main.content: known after vnfc/edge.web.vdu.0   (service.yaml:24)\n"
			"      note: its VNFC is replaced\n"
			"  - vnfc/old.x.vdu.0 (intent)\n"
			"  - vnfc/edge.web.vdu.0 (intent, leftover incarnation 3, service.yaml:30)\n"
			"\n"
			"Nothing is planned on:\n"
			"  ? vnfc/edge.web.1.vdu.0 mem_bytes: unknown: no control groups (service.yaml:34)\n"
			"\n"
			"Plan: 2 to create, 1 to change, 1 to replace, 2 to remove.\n");
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	g_autofree char *again = report_plan(world_input(world), &style_text, NULL);
	g_assert_cmpstr(text, ==, again);
	struct report_style colour = { .format = REPORT_TEXT, .colour = true };
	g_autofree char *coloured = report_plan(world_input(world), &colour, NULL);
	g_assert_nonnull(strstr(coloured, "\033[32m+ link/edge.wan"));
	g_assert_null(strstr(text, "\033"));
	report_world_free(world);
}

static void test_nothing(void)
{
	struct report_world *world = report_world_new();
	world->network.revision = world->plan.revision = "working tree";
	const struct report_input *input = world_input(world);
	world->input.against = "an empty network";
	enum report_verdict verdict;
	g_autofree char *text = report_plan(input, &style_text, &verdict);
	g_assert_cmpstr(text, ==, "Comparing the working tree with an empty network.\n\n"
				  "Plan: nothing to do.\n");
	g_assert_cmpint(verdict, ==, REPORT_NOTHING);
	report_world_free(world);
}

static void test_json(void)
{
	struct report_world *world = changed_world();
	g_autofree char *text = report_plan(world_input(world), &style_json, NULL);
	g_autoptr(json_t) json = schema_check_text("plan", text);
	const json_t *steps = json_object_get(json, "steps"), *nf = json_array_get(steps, 3);
	g_assert_cmpuint(json_array_size(steps), ==, 6);
	g_assert_cmpstr(json_opt_string(nf, "key", NULL), ==, "nf/edge.fw.vdu.0");
	g_assert_cmpstr(json_string_value(json_array_get(json_object_get(nf, "after"), 1)), ==, "vnfc/edge.fw.vdu.0");
	const json_t *change = json_array_get(json_object_get(json_array_get(steps, 1), "changes"), 1);
	g_assert_cmpstr(json_opt_string(change, "cause", NULL), ==, "drift");
	g_assert_cmpstr(json_opt_string(change, "desired", NULL), ==, "2");
	g_assert_cmpint(json_opt_int(json_object_get(change, "origin"), "line", 0), ==, 33);
	g_assert_cmpint(json_opt_int(json_object_get(json, "summary"), "remove", 0), ==, 2);
	report_world_free(world);
}

static void test_markdown(void)
{
	struct report_world *world = changed_world();
	g_autofree char *text = report_plan(world_input(world), &style_markdown, NULL);
	g_assert_nonnull(strstr(text, "\n```diff\n+ link/edge.wan"));
	g_assert_nonnull(strstr(text, "\n    cidr: 10.64.4.0/24"));
	g_assert_true(g_str_has_suffix(text, "\n```\n\nPlan: 2 to create, 1 to change, 1 to replace, 2 to remove.\n"));
	report_world_free(world);
}

/* What a far side or a file says can neither write on the terminal nor leave its place. */
static void test_hostile(void)
{
	struct report_world *world = report_world_new();
	struct unplanned unplanned = { "vnfc/edge.web.1.vdu.0", NULL, "unknown: \033[2J\xff\n```\n<script>", ORIGIN_NONE };
	g_array_append_val(world->unplanned, unplanned);
	g_autofree char *text = report_plan(world_input(world), &style_text, NULL);
	g_assert_null(strchr(text, '\033'));
	g_assert_true(g_utf8_validate(text, -1, NULL));
	g_assert_nonnull(strstr(text, "\\x1b[2J"));
	g_assert_nonnull(strstr(text, "\n      ```\n"));
	g_autofree char *markdown = report_plan(world_input(world), &style_markdown, NULL);
	g_assert_null(strstr(strstr(markdown, "```diff") + 7, "```\n<"));
	g_assert_nonnull(strstr(markdown, "'''"));
	g_autofree char *json = report_plan(world_input(world), &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("plan", json);
	report_world_free(world);
}

/* A plan as plan/ makes it: everything is to be created, then all is there, then nothing is wanted. */
static void test_made(void)
{
	struct report_world *world = report_world_new();
	world_input(world);
	struct observed *nothing = &(struct observed) { .arena = world->arena, .wall_us = WORLD_NOW };
	struct network *none = &(struct network) { .arena = world->arena, .revision = WORLD_COMMIT, .owner = "owner1" };
	const struct plan_input inputs[] = {
		{ .desired = &world->network, .observed = nothing },
		{ .desired = &world->network, .observed = &world->observed },
		{ .desired = none, .observed = &world->observed },
	};
	static const char *const summaries[] = {
		"Plan: 8 to create, 0 to change, 0 to replace, 0 to remove.\n",
		"Plan: nothing to do.\n",
		"Plan: 0 to create, 0 to change, 0 to replace, 8 to remove.\n",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++) {
		auto_ptr(plan) plan = plan_make(&inputs[i]);
		const struct report_input input = { .desired = inputs[i].desired, .observed = inputs[i].observed, .plan = plan };
		g_autofree char *text = report_plan(&input, &style_text, NULL);
		g_test_message("%s", text);
		g_assert_true(g_str_has_suffix(text, summaries[i]));
		g_autofree char *json = report_plan(&input, &style_json, NULL);
		g_autoptr(json_t) parsed = schema_check_text("plan", json);
		g_autofree char *drift = report_drift(&input, NULL, &style_json, NULL);
		g_autoptr(json_t) parsed_drift = schema_check_text("drift", drift);
		g_autofree char *status = report_status(&input, NULL, &style_json, NULL);
		g_autoptr(json_t) parsed_status = schema_check_text("status", status);
	}
	report_world_free(world);
}

static void test_units(void)
{
	struct report_world *world = report_world_new();
	static const struct {
		gint64 bytes;
		const char *text;
	} cases[] = {
		{ 64000000, "64 MB" }, { 64 << 20, "64 MiB" }, { G_GINT64_CONSTANT(3000000000), "3 GB" }, { 1001, "1001 B" }, { 0, "0 B" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct step *step = world_step(world, "vnfc/edge.fw.vdu.0", ACTION_CHANGE, CAUSE_DRIFT);
		world_change(world, step, "mem_bytes", NULL, "x", CAUSE_DRIFT, COST_IN_PLACE, 21);
		((struct field_change *) (guintptr) step->changes)->desired = value_integer(world->arena, cases[i].bytes);
		g_autofree char *line = g_strdup_printf("mem_bytes: none -> %s   (in-place", cases[i].text);
		g_autofree char *text = report_plan(world_input(world), &style_text, NULL);
		g_assert_nonnull(strstr(text, line));
		g_autofree char *drift = report_drift(world_input(world), NULL, &style_text, NULL);
		g_autofree char *said = g_strdup_printf("mem_bytes: is none, should be %s   (drift", cases[i].text);
		g_assert_nonnull(strstr(drift, said));
		g_array_set_size(world->steps, 0);
	}
	report_world_free(world);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/plan/text", test_text);
	g_test_add_func("/report/plan/nothing", test_nothing);
	g_test_add_func("/report/plan/json", test_json);
	g_test_add_func("/report/plan/markdown", test_markdown);
	g_test_add_func("/report/plan/hostile", test_hostile);
	g_test_add_func("/report/plan/made", test_made);
	g_test_add_func("/report/plan/units", test_units);
	return g_test_run();
}
