/* Every golden case: what is to be done so that the network of its world.json (without one: an empty network) becomes what its
 * repository asks for, and what has drifted there, as an operator reads it. What its held.txt ("PATTERN REASON") is about is held. */
#include "golden.h"
#include "schema_check.h"

#include "model/key.h"
#include "model/world.h"
#include "report/report.h"

struct world {
	struct observed *observed;
	struct objects last;
};

static struct world world_of(const struct golden *golden)
{
	struct world world = { 0 };
	g_autofree char *text = golden_read(golden, "world.json");
	g_autoptr(GError) error = NULL;
	if (!text) {
		world.observed = world_empty();
		return world;
	}
	g_autoptr(json_t) json = json_parse(text, strlen(text), WORLD_MAX_BYTES, "world.json", &error);
	g_assert_no_error(error);
	world_from_json(json, &world.observed, &world.last, &error);
	g_assert_no_error(error);
	return world;
}

/* @data: the text of held.txt, or NULL. */
static const char *held(const char *key, struct arena *arena, void *data)
{
	g_autofree char *line = g_strdup(data ? data : "");
	char *space = strchr(g_strstrip(line), ' ');
	if (!space)
		return NULL;
	*space = '\0';
	return key_matches(key, line) ? arena_strdup(arena, space + 1) : NULL;
}

/* A network of which nothing differs any more has an empty plan. */
static void check_repeated(const struct golden *golden, const struct plan *plan)
{
	auto_ptr(observed) observed = world_assume(golden->network);
	const struct plan_input input = { .desired = golden->network, .last = golden->network->objects, .observed = observed };
	auto_ptr(plan) again = plan_make(&input);
	g_assert_cmpuint(again->n_steps, ==, 0);
	char one[PLAN_FINGERPRINT_SIZE], other[PLAN_FINGERPRINT_SIZE];
	plan_fingerprint(again, one);
	plan_fingerprint(plan, other);
	g_assert_cmpstr(one, !=, plan->n_steps ? other : "");
}

static void test_case(gconstpointer name)
{
	static const struct report_style style_text = { REPORT_TEXT, false }, style_json = { REPORT_JSON, false };
	struct golden *golden = golden_open(name);
	struct world world = world_of(golden);
	g_autofree char *held_text = golden_read(golden, "held.txt");
	struct plan_input input = { .desired = golden->network, .last = world.last, .observed = world.observed };
	auto_ptr(plan) free_plan = plan_make(&input);
	input.held = held;
	input.data = held_text;
	auto_ptr(plan) plan = plan_make(&input);
	char fingerprint[PLAN_FINGERPRINT_SIZE], of_free[PLAN_FINGERPRINT_SIZE];
	plan_fingerprint(plan, fingerprint);
	plan_fingerprint(free_plan, of_free);
	g_assert_cmpstr(fingerprint, ==, of_free);
	g_assert_cmpuint(plan->n_steps, ==, free_plan->n_steps);
	const struct report_input report = {
		.wall_us = world.observed->wall_us, .desired = golden->network, .last = world.last, .observed = world.observed,
		.plan = plan, .against = world.observed->wall_us ? NULL : "an empty network",
	};
	g_autofree char *plan_text = report_plan(&report, &style_text, NULL), *drift_text = report_drift(&report, NULL, &style_text, NULL);
	g_autofree char *plan_json = report_plan(&report, &style_json, NULL), *drift_json = report_drift(&report, NULL, &style_json, NULL);
	golden_compare(golden, "plan.txt", plan_text);
	golden_compare(golden, "drift.txt", drift_text);
	golden_compare(golden, "drift.json", drift_json);
	json_decref(schema_check_text("plan", plan_json));
	json_decref(schema_check_text("drift", drift_json));
	check_repeated(golden, plan);
	observed_unref(world.observed);
	golden_close(golden);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	golden_each("/report/golden", test_case);
	return g_test_run();
}
