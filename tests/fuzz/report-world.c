/* libFuzzer: bytes → a network as a document (model/world.h) → typed views, a plan, and all that is reported of it. What was last
 * applied stands for what is desired, too. */
#include "fuzz.h"

#include "model/link.h"
#include "model/nf.h"
#include "model/vnfc.h"
#include "model/world.h"
#include "report/report.h"

static void view(struct arena *arena, const struct object *object)
{
	g_autoptr(GError) error = NULL;
	const void *typed = object->kind == &kind_link ? (const void *) link_from_object(arena, object, &error)
			    : object->kind == &kind_vnfc ? (const void *) vnfc_from_object(arena, object, &error)
							 : (const void *) nf_from_object(arena, object, &error);
	if (!typed)
		FUZZ_REFUSED(error);
}

static void views(struct objects objects)
{
	auto_ptr(arena) arena = arena_new();
	for (size_t i = 0; i < objects.n; i++) {
		view(arena, objects.items[i]);
		g_assert_true(objects_find(objects, objects.items[i]->key) == objects.items[i]);
	}
}

static void explain(const struct report_input *input, const struct report_style *style, const char *key)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = report_explain(input, key, style, &error);
	if (!text)
		g_error("%s is known, but cannot be explained: %s", key, error->message);
}

static void reports(const struct report_input *input)
{
	static const enum report_format formats[] = { REPORT_TEXT, REPORT_JSON, REPORT_MARKDOWN };
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
		const struct report_style style = { formats[i], false };
		g_autofree char *plan = report_plan(input, &style, NULL), *drift = report_drift(input, NULL, &style, NULL);
		g_autofree char *status = report_status(input, NULL, &style, NULL), *sites = report_sites(input, &style);
		const char *const texts[] = { plan, drift, status, sites };
		for (size_t j = 0; j < G_N_ELEMENTS(texts); j++)
			g_assert_true(g_str_has_suffix(texts[j], "\n") && g_utf8_validate(texts[j], -1, NULL));
		for (size_t j = 0; j < input->last.n && j < 4; j++)
			explain(input, &style, input->last.items[j]->key);
	}
}

static void follow(struct observed *observed, struct objects last, bool desired)
{
	struct network network = { .arena = arena_ref(observed->arena), .revision = "working tree", .owner = "o" };
	if (desired)
		network.objects = last;
	const struct plan_input input = { .desired = &network, .last = last, .observed = observed };
	auto_ptr(plan) plan = plan_make(&input);
	for (size_t i = 0; i < plan->n_steps; i++)
		for (size_t j = 0; j < plan->steps[i].n_after; j++)
			g_assert_cmpuint(plan->steps[i].after[j], <, i);
	const struct report_input about = { .desired = &network, .last = last, .observed = observed, .plan = plan };
	reports(&about);
	arena_unref(network.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_ptr(observed) observed = NULL;
	struct objects last;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) json = json_parse((const char *) data, size, WORLD_MAX_BYTES, "world", NULL);
	if (!json)
		return 0;
	if (!world_from_json(json, &observed, &last, &error)) {
		FUZZ_REFUSED(error);
		return 0;
	}
	g_autoptr(json_t) said = world_to_json(observed, last);
	views(observed->objects);
	views(last);
	follow(observed, last, true);
	follow(observed, last, false);
	auto_ptr(observed) twice = NULL;
	if (!world_from_json(said, &twice, &last, &error))
		g_error("read once, but not twice: %s", error->message);
	g_autoptr(json_t) again = world_to_json(twice, last);
	g_assert_true(json_equal(said, again));
	return 0;
}
