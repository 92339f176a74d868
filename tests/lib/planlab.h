/* A small language for worlds, and plans as text, for the tests of plan/.
 *
 *     lab_desired(&lab, "vnfc/a.w.0", "state=running cp.lan.addresses=[10.0.0.5] hostname=@link/a.lan:gateway", "link/a.lan");
 *
 * Values: numbers, "?" unknown, "@KEY:PATH" or "@KEY:PATH:INDEX" pending, "#TEXT" the digest of TEXT, "[a,b]" a list, else a
 * string.
 */
#pragma once

#include "model/key.h"
#include "plan/plan.h"

#include <stdint.h>
#include <string.h>

struct lab {
	struct arena *arena;
	GPtrArray *desired, *last, *observed; /* const struct object * */
	GArray *leftovers;                    /* struct leftover */
	GPtrArray *faulty, *blind;            /* const char *: sorted by the test */
	const struct caps *caps;
	const char *(*held)(const char *key, struct arena *arena, void *data); /* or NULL */
	const char *site;
	const struct drift_rule *drift;
	size_t n_drift;
};

static inline void lab_init(struct lab *lab)
{
	*lab = (struct lab) { .arena = arena_new(), .desired = g_ptr_array_new(), .last = g_ptr_array_new(),
			      .observed = g_ptr_array_new(),
			      .leftovers = g_array_new(FALSE, FALSE, sizeof(struct leftover)), .faulty = g_ptr_array_new(),
			      .blind = g_ptr_array_new(), .site = "s" };
}

static inline void lab_clear(struct lab *lab)
{
	arena_unref(lab->arena);
	g_ptr_array_unref(lab->desired);
	g_ptr_array_unref(lab->last);
	g_ptr_array_unref(lab->observed);
	g_array_unref(lab->leftovers);
	g_ptr_array_unref(lab->faulty);
	g_ptr_array_unref(lab->blind);
}

static inline const struct value *lab_value(struct lab *lab, const char *text)
{
	char *end;
	gint64 integer = g_ascii_strtoll(text, &end, 10);
	if (*text && !*end)
		return value_integer(lab->arena, integer);
	if (strcmp(text, "?") == 0)
		return &value_unknown;
	if (*text == '#') {
		g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text + 1, -1);
		return value_digest(lab->arena, sum);
	}
	if (*text == '@') {
		g_auto(GStrv) parts = g_strsplit(text + 1, ":", 3);
		return value_pending(lab->arena, expr_attribute(lab->arena, parts[0], parts[1], (const char *const *) parts + 2,
				parts[2] ? 1 : 0));
	}
	if (*text != '[')
		return value_string(lab->arena, text);
	g_autofree char *inner = g_strndup(text + 1, strlen(text) - 2);
	g_auto(GStrv) items = g_strsplit(inner, ",", -1);
	return value_string_list(lab->arena, (const char *const *) items, g_strv_length(items));
}

static inline const struct object *lab_object(struct lab *lab, const char *key, unsigned incarnation, const char *fields,
		const char *depends)
{
	struct object_builder *builder = object_builder_new(lab->arena, key, lab->site, (struct origin) { "o.yaml", 1, 1 });
	g_auto(GStrv) words = g_strsplit(fields, " ", -1);
	for (size_t i = 0; words[i]; i++) {
		char *equals = strchr(words[i], '=');
		if (!equals)
			continue;
		*equals = '\0';
		object_set(builder, words[i], lab_value(lab, equals + 1), (struct origin) { "f.yaml", (unsigned) i + 1, 1 });
	}
	g_auto(GStrv) keys = g_strsplit(depends ? depends : "", " ", -1);
	for (size_t i = 0; keys[i]; i++)
		if (*keys[i])
			object_depends_on(builder, keys[i]);
	object_set_incarnation(builder, incarnation);
	return object_build(builder);
}

static inline void lab_add(GPtrArray *to, const struct object *object)
{
	g_ptr_array_add(to, (gpointer) (uintptr_t) object);
}

static inline void lab_desired(struct lab *lab, const char *key, const char *fields, const char *depends)
{
	lab_add(lab->desired, lab_object(lab, key, 0, fields, depends));
}

static inline void lab_last(struct lab *lab, const char *key, unsigned incarnation, const char *fields)
{
	lab_add(lab->last, lab_object(lab, key, incarnation, fields, NULL));
}

static inline void lab_observed(struct lab *lab, const char *key, unsigned incarnation, const char *fields)
{
	lab_add(lab->observed, lab_object(lab, key, incarnation, fields, NULL));
}

/* As it should be: desired, applied and observed alike. */
static inline void lab_settled(struct lab *lab, const char *key, unsigned incarnation, const char *fields, const char *depends)
{
	lab_desired(lab, key, fields, depends);
	lab_last(lab, key, incarnation, fields);
	lab_observed(lab, key, incarnation, fields);
}

static inline void lab_leftover(struct lab *lab, const char *key, unsigned incarnation)
{
	struct leftover leftover = { arena_strdup(lab->arena, key), lab->site, incarnation };
	g_array_append_val(lab->leftovers, leftover);
}

static inline const struct caps *lab_caps(const char *site, const struct kind *kind, void *data)
{
	const struct lab *lab = data;
	return lab->caps;
}

static inline struct plan *lab_plan_after(struct lab *lab, const struct plan *former)
{
	struct network *network = ARENA_NEW(lab->arena, struct network);
	*network = (struct network) { .arena = lab->arena, .revision = "r1", .owner = "me",
				      .faulty_services = arena_memdup(lab->arena, lab->faulty->pdata, lab->faulty->len * sizeof(char *)),
				      .n_faulty_services = lab->faulty->len, .drift = lab->drift, .n_drift = lab->n_drift };
	network->objects = objects_sorted(lab->arena, (const struct object *const *) lab->desired->pdata, lab->desired->len);
	struct observed *observed = ARENA_NEW(lab->arena, struct observed);
	*observed = (struct observed) { .arena = lab->arena,
					.leftovers = arena_memdup(lab->arena, lab->leftovers->data,
								  lab->leftovers->len * sizeof(struct leftover)),
					.n_leftovers = lab->leftovers->len };
	observed->objects = objects_sorted(lab->arena, (const struct object *const *) lab->observed->pdata, lab->observed->len);
	const char **reasons = ARENA_ARRAY(lab->arena, const char *, lab->blind->len);
	for (guint i = 0; i < lab->blind->len; i++)
		reasons[i] = "connection refused";
	observed->blind.sites = arena_memdup(lab->arena, lab->blind->pdata, lab->blind->len * sizeof(char *));
	observed->blind.reasons = reasons;
	observed->blind.n = lab->blind->len;
	const struct plan_input input = {
		.desired = network, .observed = observed, .caps = lab_caps, .held = lab->held, .data = lab, .former = former,
		.last = objects_sorted(lab->arena, (const struct object *const *) lab->last->pdata, lab->last->len),
	};
	return plan_make(&input);
}

static inline struct plan *lab_plan(struct lab *lab)
{
	return lab_plan_after(lab, NULL);
}

static inline const char *lab_fingerprint(struct lab *lab, const struct plan *plan)
{
	char *text = arena_alloc(lab->arena, PLAN_FINGERPRINT_SIZE);
	plan_fingerprint(plan, text);
	return text;
}

static inline void lab_print_change(struct arena *arena, const struct field_change *change, GString *out)
{
	g_string_append_printf(out, "\t%s: %s -> %s (was %s) %s %s\n", change->path, value_text(arena, change->observed),
			       value_text(arena, change->desired), value_text(arena, change->last), cause_name(change->cause),
			       cost_name(change->cost));
}

/* "INDEX action KEY #INCARNATION cause [interrupts] [(note)] [< AFTER…]", then the unplanned: "- KEY [PATH]: reason". */
static inline char *lab_text(struct lab *lab, const struct plan *plan, bool fields)
{
	g_autoptr(GString) out = g_string_new(NULL);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		g_string_append_printf(out, "%zu %s %s #%u %s", i, action_name(step->action), step->key, step->incarnation,
				cause_name(step->cause));
		g_string_append(out, step->interrupts ? " interrupts" : "");
		if (strcmp(step->site, "s") != 0)
			g_string_append_printf(out, " on %s", step->site);
		if (step->note)
			g_string_append_printf(out, " (%s)", step->note);
		for (size_t j = 0; j < step->n_after; j++)
			g_string_append_printf(out, "%s%zu", j ? "," : " < ", step->after[j]);
		g_string_append_c(out, '\n');
		for (size_t j = 0; fields && j < step->n_changes; j++)
			lab_print_change(lab->arena, &step->changes[j], out);
	}
	for (size_t i = 0; i < plan->n_unplanned; i++) {
		const struct unplanned *entry = &plan->unplanned[i];
		g_string_append_printf(out, "- %s%s%s: %s\n", entry->key, entry->path ? " " : "", entry->path ? entry->path : "",
				entry->reason);
	}
	return arena_strndup(lab->arena, out->str, out->len);
}

static inline void lab_expect(struct lab *lab, bool fields, const char *expected)
{
	auto_ptr(plan) plan = lab_plan(lab);
	g_assert_cmpstr(lab_text(lab, plan, fields), ==, expected);
}
