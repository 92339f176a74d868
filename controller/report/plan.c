#include "report/view.h"

#include <string.h>

/* The first line: what was compared with what. */
static void write_head(struct writer *writer, struct arena *arena, const struct report_input *input)
{
	const char *against = against_text(arena, input);
	char fingerprint[PLAN_FINGERPRINT_SIZE];
	plan_fingerprint(input->plan, fingerprint);
	writer_head(writer, "Comparing %s with %s.", revision_text(arena, input->plan->revision), against);
	writer_string(writer, "report", "plan");
	writer_string(writer, "revision", input->plan->revision);
	writer_string(writer, "against", against);
	writer_time(writer, "observed_at", input->observed ? input->observed->wall_us : 0);
	writer_string(writer, "fingerprint", fingerprint);
}

/* "(drift: gone, service.yaml:4), interrupts" */
static const char *step_words(struct arena *arena, const struct report_input *input, const struct step *step)
{
	bool gone = step->action == ACTION_CREATE && step->cause == CAUSE_DRIFT;
	g_autoptr(GString) out = g_string_new(NULL);
	g_string_append_printf(out, " (%s%s", cause_name(step->cause), gone ? ": gone" : "");
	if (step->action == ACTION_CLEAN)
		g_string_append_printf(out, ", leftover incarnation %u", step->incarnation);
	if (step->action == ACTION_REPLACE)
		g_string_append_printf(out, ", next incarnation %u", step->incarnation);
	if (input->desired && input->desired->n_sites > 1)
		g_string_append_printf(out, ", site %s", step->site);
	const char *origin = step->desired ? origin_text(arena, step->desired->origin) : NULL;
	g_string_append_printf(out, "%s)%s", around(arena, ", ", origin, ""), step->interrupts ? ", interrupts" : "");
	return arena_strdup(arena, out->str);
}

/* What is there now may be known by its digest only, but what was applied last is known. */
static void write_content(struct writer *writer, const struct field_change *change)
{
	write_text_diff(writer, change->observed->type == VALUE_STRING ? change->observed : change->last, change->desired);
}

static void write_step(struct writer *writer, struct arena *arena, const struct report_input *input, const struct step *step)
{
	writer_item(writer, action_mark(step->action), "%s%s", step->key, step_words(arena, input, step));
	writer_object(writer, NULL);
	writer_string(writer, "key", step->key);
	writer_string(writer, "site", step->site);
	writer_string(writer, "action", action_name(step->action));
	writer_string(writer, "cause", cause_name(step->cause));
	writer_int(writer, "incarnation", step->incarnation);
	writer_bool(writer, "interrupts", step->interrupts);
	writer_origin(writer, "origin", step->desired ? step->desired->origin : ORIGIN_NONE);
	writer_array(writer, "changes");
	for (size_t i = 0; i < step->n_changes; i++) {
		writer_detail(writer, "%s", change_text(arena, step, &step->changes[i]));
		write_content(writer, &step->changes[i]);
		write_change(writer, &step->changes[i]);
	}
	writer_end(writer);
	if (step->note && step->action != ACTION_CLEAN) /* said already */
		writer_detail(writer, "note: %s", step->note);
	writer_string(writer, "note", step->note);
	if (step->held)
		writer_detail(writer, "held: %s", step->held);
	writer_string(writer, "held", step->held);
	writer_array(writer, "after");
	for (size_t i = 0; i < step->n_after; i++)
		writer_string(writer, NULL, input->plan->steps[step->after[i]].key);
	writer_end(writer);
	writer_end(writer);
}

/* Fields of one object of which nothing is planned for the same reason are one line of text. */
static bool is_told_with(const struct unplanned *unplanned, const struct unplanned *before)
{
	return unplanned->path && before->path && strcmp(unplanned->key, before->key) == 0 &&
	       strcmp(unplanned->reason, before->reason) == 0;
}

static void tell_unplanned(struct writer *writer, struct arena *arena, const struct plan *plan, size_t first)
{
	const struct unplanned *unplanned = &plan->unplanned[first];
	g_autoptr(GString) paths = g_string_new(unplanned->path);
	for (size_t i = first + 1; i < plan->n_unplanned && is_told_with(&plan->unplanned[i], unplanned); i++)
		g_string_append_printf(paths, ", %s", plan->unplanned[i].path);
	writer_item(writer, MARK_UNKNOWN, "%s%s: %s%s", unplanned->key, around(arena, " ", paths->len ? paths->str : NULL, ""),
		    unplanned->reason, around(arena, " (", origin_text(arena, unplanned->origin), ")"));
}

static void write_unplanned(struct writer *writer, struct arena *arena, const struct plan *plan)
{
	if (plan->n_unplanned > 0)
		writer_section(writer, "Nothing is planned on:");
	writer_array(writer, "unplanned");
	for (size_t i = 0; i < plan->n_unplanned; i++) {
		const struct unplanned *unplanned = &plan->unplanned[i];
		if (i == 0 || !is_told_with(unplanned, unplanned - 1))
			tell_unplanned(writer, arena, plan, i);
		writer_object(writer, NULL);
		writer_string(writer, "key", unplanned->key);
		writer_string(writer, "path", unplanned->path);
		writer_string(writer, "reason", unplanned->reason);
		writer_origin(writer, "origin", unplanned->origin);
		writer_end(writer);
	}
	writer_end(writer);
}

/* Services whose descriptors are faulty: nothing at all may be known of what they ask for. Their number. */
static size_t write_faulty(struct writer *writer, const struct network *desired)
{
	size_t n = desired ? desired->n_faulty_services : 0;
	if (n > 0)
		writer_section(writer, "Faulty, so what is there of it is left as it is:");
	writer_array(writer, "faulty_services");
	for (size_t i = 0; i < n; i++) {
		const char *prefix = desired->faulty_services[i];
		g_autofree char *name = g_strndup(prefix, strlen(prefix) - (g_str_has_suffix(prefix, ".") ? 1 : 0));
		if (*name)
			writer_item(writer, MARK_UNKNOWN, "service %s", name);
		else
			writer_item(writer, MARK_UNKNOWN, "all that nothing else asks for: a file could not be read");
		writer_string(writer, NULL, name);
	}
	writer_end(writer);
	return n;
}

static void write_summary(struct writer *writer, const struct plan *plan, size_t n_faulty)
{
	writer_object(writer, "summary");
	writer_int(writer, "create", (gint64) plan->creates);
	writer_int(writer, "change", (gint64) plan->changes);
	writer_int(writer, "replace", (gint64) plan->replaces);
	writer_int(writer, "remove", (gint64) plan->removes);
	writer_int(writer, "held", (gint64) plan->n_held);
	writer_end(writer);
	g_autofree char *faulty = n_faulty ? g_strdup_printf("; %zu faulty service%s", n_faulty, plural(n_faulty)) : g_strdup("");
	g_autofree char *held = plan->n_held ? g_strdup_printf("; %zu of it held", plan->n_held) : g_strdup("");
	if (plan->n_steps > 0)
		writer_summary(writer, MARK_NONE, "Plan: %zu to create, %zu to change, %zu to replace, %zu to remove%s%s.",
			       plan->creates, plan->changes, plan->replaces, plan->removes, held, faulty);
	else
		writer_summary(writer, MARK_NONE, "Plan: nothing to do%s.", faulty);
}

char *report_plan(const struct report_input *input, const struct report_style *style, enum report_verdict *ret_verdict)
{
	const struct plan *plan = input->plan;
	auto_ptr(arena) arena = arena_new();
	struct writer *writer = writer_new(style);
	write_head(writer, arena, input);
	if (plan->n_steps > 0)
		writer_section(writer, "To do, in this order:");
	writer_array(writer, "steps");
	for (size_t i = 0; i < plan->n_steps; i++)
		write_step(writer, arena, input, &plan->steps[i]);
	writer_end(writer);
	write_unplanned(writer, arena, plan);
	write_holds(writer, arena, input, NULL, NULL, "Suspended:");
	write_summary(writer, plan, write_faulty(writer, input->desired));
	if (ret_verdict)
		*ret_verdict = plan->n_steps > 0 ? REPORT_DIFFERS : REPORT_NOTHING;
	return writer_finish(writer);
}
