#include "base/error.h"
#include "report_world.h"
#include "schema_check.h"

/* The NF waits for its VNFC, which waits for a link, which fails. */
static struct report_world *stuck_world(void)
{
	struct report_world *world = report_world_new();
	world_lose(world, "link/edge.lan");
	world_lose(world, "vnfc/edge.fw.vdu.0");
	world_lose(world, "nf/edge.fw.vdu.0");
	static const size_t first[] = { 0 }, second[] = { 1 };
	world_step(world, "link/edge.lan", ACTION_CREATE, CAUSE_INTENT);
	world_operate(world, "link/edge.lan", ACTION_CREATE, OP_FAILED_TEMP, 2, "keeper: bridge: No buffer space available");
	struct step *step = world_step(world, "vnfc/edge.fw.vdu.0", ACTION_CREATE, CAUSE_INTENT);
	step->after = first;
	step->n_after = 1;
	step = world_step(world, "nf/edge.fw.vdu.0", ACTION_CREATE, CAUSE_INTENT);
	world_change(world, step, "state", NULL, "started", CAUSE_INTENT, COST_IN_PLACE, 23);
	step->after = second;
	step->n_after = 1;
	return world;
}

static void test_chain(void)
{
	struct report_world *world = stuck_world();
	g_autoptr(GError) error = NULL;
	g_autofree char *text = report_explain(world_input(world), "nf/edge.fw.vdu.0", &style_text, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(text, ==,
			"nf/edge.fw.vdu.0: Waiting: to create, after vnfc/edge.fw.vdu.0\n"
			"\n"
			"Wanted\n"
			"  by commit 1a2b3c4d5e6f: service.yaml:22, made from edge_ns\n"
			"\n"
			"Observed at 2026-11-20T11:52:03.000Z\n"
			"  not there, on site local\n"
			"\n"
			"To do\n"
			"  + create (intent)\n"
			"      state: started   (service.yaml:23)\n"
			"\n"
			"Waits for\n"
			"  vnfc/edge.fw.vdu.0  Waiting   to create, after link/edge.lan\n"
			"    link/edge.lan     Retrying  attempt 2: keeper: bridge: No buffer space available\n");
	g_autofree char *json = report_explain(world_input(world), "nf/edge.fw.vdu.0", &style_json, &error);
	g_autoptr(json_t) parsed = schema_check_text("explain", json);
	g_assert_cmpuint(json_array_size(json_object_get(parsed, "waits_for")), ==, 2);
	report_world_free(world);
}

static void test_history(void)
{
	struct report_world *world = stuck_world();
	const struct operation *operation = world_operation("link/edge.lan", world);
	const struct store_event event = { .wall_us = WORLD_NOW, .key = "link/edge.lan", .kind = "drift", .text = "is gone",
					  .origin = world_at(10) };
	world->input.operations = operation;
	world->input.n_operations = 1;
	world->input.events = &event;
	world->input.n_events = 1;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = report_explain(world_input(world), "link/edge.lan", &style_text, &error);
	g_assert_nonnull(strstr(text, "\n  2026-11-20T11:52:05.000Z  create FAILED_TEMP, attempt 2, for commit 1a2b3c4d5e6f: "
				      "keeper: bridge: No buffer space available\n"));
	g_assert_nonnull(strstr(text, "\n  2026-11-20T11:52:06.000Z  drift: is gone (service.yaml:10)\n"));
	g_autofree char *json = report_explain(world_input(world), "link/edge.lan", &style_json, &error);
	g_autoptr(json_t) parsed = schema_check_text("explain", json);
	/* What is no more is explained from what is remembered. */
	g_autofree char *gone = report_explain(world_input(world), "link/old.x", &style_text, &error);
	g_assert_true(g_str_has_prefix(gone, "link/old.x: is no more\n"));
	g_autofree char *gone_json = report_explain(world_input(world), "link/old.x", &style_json, &error);
	g_autoptr(json_t) gone_parsed = schema_check_text("explain", gone_json);
	report_world_free(world);
}

/* What led to it, along the chain; what is held; who asked for each field. */
static void test_causes(void)
{
	struct report_world *world = stuck_world();
	const struct store_event related[] = {
		{ .id = 4, .wall_us = WORLD_NOW - 2 * G_USEC_PER_SEC, .key = "link/edge.lan", .kind = EVENT_DRIFT, .text = "is gone" },
		{ .id = 3, .wall_us = WORLD_NOW - 3 * G_USEC_PER_SEC, .key = "nf/edge.fw.vdu.0", .kind = EVENT_ENDED, .text = "ended: status 3" },
		{ .id = 2, .wall_us = WORLD_NOW - 4 * G_USEC_PER_SEC, .key = "nf/edge.other.vdu.0", .kind = EVENT_ENDED, .text = "not this" },
		{ .id = 1, .wall_us = WORLD_NOW - 5 * G_USEC_PER_SEC, .key = "site/elsewhere", .kind = EVENT_BLIND, .text = "nor this" },
	};
	const struct store_field fields[] = {
		{ "command", &value_null, { "fw.yaml", 3, 1 }, "aaaaaaaaaaaaaaaa" }, { "mode", &value_null, { "fw.yaml", 4, 1 }, "bbbbbbbbbbbbbbbb" },
		{ "state", &value_null, { "fw.yaml", 5, 1 }, "aaaaaaaaaaaaaaaa" },
	};
	const struct store_revision revision = { .commit = "aaaaaaaaaaaaaaaa", .summary = "First (Anna)" };
	const struct store_hold hold = { "edge", "anna", "racks", WORLD_NOW, 0 };
	world->input.related = related;
	world->input.n_related = G_N_ELEMENTS(related);
	world->input.fields = fields;
	world->input.n_fields = G_N_ELEMENTS(fields);
	world->input.revisions = &revision;
	world->input.n_revisions = 1;
	world->input.holds = &hold;
	world->input.n_holds = 1;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = report_explain(world_input(world), "nf/edge.fw.vdu.0", &style_text, &error);
	g_assert_nonnull(strstr(text, "\nSuspended\n  edge: by anna since "));
	g_assert_nonnull(strstr(text, "\nWhat led to it\n  ended 3 s ago  ended: status 3\n"));
	g_assert_nonnull(strstr(text, "    link/edge.lan     Retrying  attempt 2"));
	g_assert_nonnull(strstr(text, "\n      drift 2 s ago   is gone"));
	g_assert_nonnull(strstr(text, "\nApplied, and who asked for it\n"
				      "  by commit aaaaaaaaaaaa \"First (Anna)\"\n"
				      "      command: null   (fw.yaml:3)\n"
				      "      state: null   (fw.yaml:5)\n"
				      "  by commit bbbbbbbbbbbb\n"
				      "      mode: null   (fw.yaml:4)\n"));
	g_assert_null(strstr(text, "not this"));
	g_assert_null(strstr(text, "nor this"));
	g_autofree char *json = report_explain(world_input(world), "nf/edge.fw.vdu.0", &style_json, &error);
	g_autoptr(json_t) parsed = schema_check_text("explain", json);
	g_assert_cmpuint(json_array_size(json_object_get(parsed, "applied")), ==, 3);
	g_assert_cmpuint(json_array_size(json_object_get(parsed, "behind")), ==, 1);
	report_world_free(world);
}

static void test_aggregate(void)
{
	struct report_world *world = stuck_world();
	g_autoptr(GError) error = NULL;
	g_autofree char *text = report_explain(world_input(world), "vnf/edge.fw", &style_text, &error);
	g_assert_true(g_str_has_prefix(text,
				       "vnf/edge.fw: Waiting: because of vnfc/edge.fw.vdu.0: to create, after link/edge.lan\n"));
	g_assert_nonnull(strstr(text, "  link/edge.lan  Retrying  attempt 2"));
	g_autofree char *json = report_explain(world_input(world), "vnf/edge.fw", &style_json, &error);
	g_autoptr(json_t) parsed = schema_check_text("explain", json);
	g_assert_cmpuint(json_array_size(json_object_get(parsed, "parts")), ==, 2);
	g_assert_null(report_explain(world_input(world), "vnf/none", &style_text, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	report_world_free(world);
}

/* A ring of pending values must not hang the explanation. */
static void test_ring(void)
{
	struct report_world *world = report_world_new();
	static const size_t to_second[] = { 1 }, to_first[] = { 0 };
	struct step *step = world_step(world, "link/edge.lan", ACTION_CHANGE, CAUSE_INTENT);
	step->after = to_second;
	step->n_after = 1;
	step = world_step(world, "link/edge.wan", ACTION_CHANGE, CAUSE_INTENT);
	step->after = to_first;
	step->n_after = 1;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = report_explain(world_input(world), "link/edge.lan", &style_text, &error);
	g_assert_nonnull(strstr(text, "\nWaits for\n  link/edge.wan  Waiting"));
	report_world_free(world);
}

static void test_others(void)
{
	struct report_world *world = report_world_new();
	static const struct stranger strangers[] = { { "local", "bridge br0", NULL } };
	static const struct access accesses[] = { { "vnfc/edge.fw.vdu.0", "unix", "/run/x/1.sock", NULL } };
	world->observed.strangers = strangers;
	world->observed.n_strangers = 1;
	world->observed.accesses = accesses;
	world->observed.n_accesses = 1;
	g_autofree char *text = report_sites(world_input(world), &style_text);
	g_assert_cmpstr(text, ==,
			"  local  ready  local  owner owner1  8 wanted, 8 there, 1 not ours\n\nNot ours, and left alone:\n"
				  "  ? site/local: bridge br0\n");
	g_autofree char *json = report_sites(world_input(world), &style_json);
	g_autoptr(json_t) parsed = schema_check_text("sites", json);
	g_autoptr(GError) error = NULL;
	g_autofree char *object = report_object(world_input(world), "vnfc/edge.fw.vdu.0", &error);
	g_autoptr(json_t) parsed_object = schema_check_text("object", object);
	const char *address = json_opt_string(json_object_get(parsed_object, "access"), "address", NULL);
	g_assert_cmpstr(address, ==, "/run/x/1.sock");
	const struct site *site = site_from_json(world->arena, json_object_get(parsed_object, "site"), &error);
	g_assert_no_error(error);
	g_assert_cmpstr(site->owner, ==, "owner1");
	g_autofree char *aggregate = report_object(world_input(world), "vnf/edge.fw", &error);
	g_autoptr(json_t) parsed_aggregate = schema_check_text("object", aggregate);
	g_assert_null(report_object(world_input(world), "link/none", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	report_world_free(world);
}

static void test_diags(void)
{
	auto_ptr(diags) diags = diags_new();
	enum report_verdict verdict;
	g_autofree char *none = report_diags(diags, NULL, NULL, &style_text, &verdict);
	g_assert_cmpstr(none, ==, "No faults.\n");
	g_assert_cmpint(verdict, ==, REPORT_NOTHING);
	struct diag *diag = diags_error(diags, "duplicate-key", world_at(3), "\"x\" is there twice");
	diag_hint(diags, diag, "take one away");
	diag_note(diags, diag, world_at(1), "first here");
	diags_warning(diags, "not-kept", ORIGIN_NONE, "x");
	g_autofree char *text = report_diags(diags, NULL, NULL, &style_text, &verdict);
	g_assert_cmpstr(text, ==, "service.yaml:3:5: error[duplicate-key]: \"x\" is there twice\n  hint: take one away\n"
				  "  note: service.yaml:1:5: first here\nwarning[not-kept]: x\n1 error, 1 warning.\n");
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	g_autofree char *json = report_diags(diags, NULL, NULL, &style_json, NULL);
	g_autoptr(json_t) parsed = schema_check_text("diags", json);
	g_assert_cmpuint(json_array_size(json_object_get(parsed, "diags")), ==, 2);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/explain/chain", test_chain);
	g_test_add_func("/report/explain/history", test_history);
	g_test_add_func("/report/explain/causes", test_causes);
	g_test_add_func("/report/explain/aggregate", test_aggregate);
	g_test_add_func("/report/explain/ring", test_ring);
	g_test_add_func("/report/explain/others", test_others);
	g_test_add_func("/report/explain/diags", test_diags);
	return g_test_run();
}
