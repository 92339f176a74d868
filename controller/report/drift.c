#include "report/view.h"

#include <string.h>

struct drift {
	const struct report_input *input;
	const char *only; /* key, or NULL */
	struct writer *writer;
	struct arena *arena;
	size_t objects, fields, gone, unattributed, uncompared, repaired;
	gint64 repaired_wall_us; /* the last one */
};

static bool is_drift(enum cause cause)
{
	return cause == CAUSE_DRIFT || cause == CAUSE_INTENT_DRIFT;
}

/* The operator asked for it: not a matter of this report. */
static bool concerns(enum cause cause)
{
	return cause != CAUSE_INTENT;
}

static bool step_concerns(const struct step *step)
{
	if (step->action == ACTION_CREATE || step->action == ACTION_REMOVE || step->n_changes == 0)
		return concerns(step->cause) && step->action != ACTION_CLEAN;
	for (size_t i = 0; i < step->n_changes; i++) {
		if (concerns(step->changes[i].cause))
			return true;
	}
	return false;
}

static const char *cause_words(enum cause cause)
{
	switch (cause) {
	case CAUSE_INTENT:
		return "intent";
	case CAUSE_DRIFT:
		return "drift: changed outside Git";
	case CAUSE_INTENT_DRIFT:
		return "drift: changed outside Git, and Git wants another value by now";
	case CAUSE_UNATTRIBUTED:
		return "unattributed: no record of who changed it";
	}
	g_assert_not_reached();
}

static void write_field(struct drift *drift, const struct step *step, const struct field_change *change)
{
	if (is_drift(change->cause))
		drift->fields++;
	else
		drift->unattributed++;
	const char *origin = around(drift->arena, ", ", origin_text(drift->arena, change->origin), "");
	writer_detail(drift->writer, "%s: is %s, should be %s   (%s%s)", change->path,
		      field_text(drift->arena, step->key, change->path, change->observed), desired_text(drift->arena, step, change),
		      cause_words(change->cause), origin);
	write_text_diff(drift->writer, change->desired, change->observed);
	write_change(drift->writer, change);
}

static void write_repair(struct drift *drift, const struct step *step)
{
	const struct operation *operation = input_operation(drift->input, step->key);
	if (operation && operation->error)
		writer_detail(drift->writer, "repair: attempt %u %s: %s", operation->attempt, op_state_name(operation->state),
			      operation->error);
	else if (operation)
		writer_detail(drift->writer, "repair: attempt %u %s", operation->attempt, op_state_name(operation->state));
	write_operation(drift->writer, "operation", operation);
}

/* What the object itself says of it. */
static void write_reason(struct drift *drift, const struct step *step)
{
	const char *path = step->observed && step->observed->kind == &kind_vnfc ? "exit" : "reason";
	const char *reason = step->observed ? object_string(step->observed, path, NULL) : NULL;
	if (reason)
		writer_detail(drift->writer, "reason: %s", reason);
	if (step->note)
		writer_detail(drift->writer, "note: %s", step->note);
	if (step->held)
		writer_detail(drift->writer, "held: %s", step->held);
	writer_string(drift->writer, "held", step->held);
}

/* The gravest of the policies that speak of what is wrong with it; NULL: none does. */
static const struct drift_rule *rule_of(const struct drift *drift, const struct step *step)
{
	const struct network *desired = drift->input->desired;
	const struct drift_rule *gravest = NULL;
	bool whole = step->action == ACTION_CREATE || step->action == ACTION_REMOVE;
	for (size_t i = 0; desired && i < (whole ? 1 : step->n_changes); i++) {
		if (!whole && !concerns(step->changes[i].cause))
			continue;
		const struct drift_rule *rule =
			drift_find(desired->drift, desired->n_drift, step->key, step->site, whole ? NULL : step->changes[i].path);
		if (rule && (!gravest || rule->severity > gravest->severity))
			gravest = rule;
	}
	return gravest;
}

static void write_severity(struct drift *drift, const struct step *step)
{
	const struct drift_rule *rule = rule_of(drift, step);
	if (rule)
		writer_detail(drift->writer, "severity: %s (policy %s%s)", drift_severity_name(rule->severity), rule->name,
			      around(drift->arena, ", ", origin_text(drift->arena, rule->origin), ""));
	writer_string(drift->writer, "severity", rule ? drift_severity_name(rule->severity) : NULL);
	writer_string(drift->writer, "policy", rule ? rule->name : NULL);
}

static void write_object(struct drift *drift, const struct step *step)
{
	struct writer *writer = drift->writer;
	if (drift->objects == 0)
		writer_section(writer, "Not as it should be:");
	bool gone = step->action == ACTION_CREATE, unwanted = step->action == ACTION_REMOVE;
	const char *origin = step->desired ? origin_text(drift->arena, step->desired->origin) : NULL;
	drift->objects++;
	if (gone && is_drift(step->cause))
		drift->gone++;
	else if (gone || unwanted)
		drift->unattributed++;
	writer_item(writer, action_mark(step->action), "%s%s%s", step->key,
		    gone       ? is_drift(step->cause) ? " is gone" : " is not there"
		    : unwanted ? " is there, carries our tag, and is in no record"
			       : "",
		    around(drift->arena, "   (", origin, ")"));
	writer_object(writer, NULL);
	writer_string(writer, "key", step->key);
	writer_string(writer, "site", step->site);
	writer_bool(writer, "gone", gone);
	writer_bool(writer, "unwanted", unwanted);
	writer_string(writer, "cause", cause_name(step->cause));
	writer_origin(writer, "origin", step->desired ? step->desired->origin : ORIGIN_NONE);
	writer_array(writer, "fields");
	for (size_t i = 0; !gone && !unwanted && i < step->n_changes; i++) {
		if (concerns(step->changes[i].cause))
			write_field(drift, step, &step->changes[i]);
	}
	writer_end(writer);
	write_severity(drift, step);
	write_reason(drift, step);
	write_repair(drift, step);
	writer_end(writer);
}

static void write_objects(struct drift *drift)
{
	const struct plan *plan = drift->input->plan;
	writer_array(drift->writer, "objects");
	for (size_t i = 0; plan && i < plan->n_steps; i++) {
		if (step_concerns(&plan->steps[i]) && is_asked_for(drift->arena, drift->only, plan->steps[i].key))
			write_object(drift, &plan->steps[i]);
	}
	writer_end(drift->writer);
}

/* Whose site is blind is told below. */
static bool is_blind(const struct report_input *input, const char *key)
{
	const struct object *object = input->desired ? objects_find(input->desired->objects, key) : NULL;
	if (!object)
		object = objects_find(input->last, key);
	if (!object && input->observed)
		object = objects_find(input->observed->objects, key);
	return object && input->observed && observed_is_blind(input->observed, object->site);
}

/* A silence about these would be taken for "none". */
static void write_uncompared(struct drift *drift)
{
	const struct plan *plan = drift->input->plan;
	struct writer *writer = drift->writer;
	writer_array(writer, "uncompared");
	for (size_t i = 0; plan && i < plan->n_unplanned; i++) {
		const struct unplanned *unplanned = &plan->unplanned[i];
		if (unplanned->advisory || is_blind(drift->input, unplanned->key) || !is_asked_for(drift->arena, drift->only, unplanned->key))
			continue;
		if (drift->uncompared++ == 0)
			writer_section(writer, "Left out, because nothing is planned on it:");
		writer_item(writer, MARK_UNKNOWN, "%s%s: %s%s", unplanned->key, around(drift->arena, " ", unplanned->path, ""),
			    unplanned->reason, around(drift->arena, " (", origin_text(drift->arena, unplanned->origin), ")"));
		writer_object(writer, NULL);
		writer_string(writer, "key", unplanned->key);
		writer_string(writer, "path", unplanned->path);
		writer_string(writer, "reason", unplanned->reason);
		writer_end(writer);
	}
	writer_end(writer);
}

static void write_blind(struct drift *drift)
{
	const struct observed *observed = drift->input->observed;
	struct writer *writer = drift->writer;
	if (observed && observed->blind.n > 0)
		writer_section(writer, "Cannot be looked at, so nothing is known of:");
	writer_array(writer, "blind");
	for (size_t i = 0; observed && i < observed->blind.n; i++) {
		writer_item(writer, MARK_UNKNOWN, "site/%s: %s", observed->blind.sites[i], observed->blind.reasons[i]);
		writer_object(writer, NULL);
		writer_string(writer, "site", observed->blind.sites[i]);
		writer_string(writer, "reason", observed->blind.reasons[i]);
		writer_end(writer);
	}
	writer_end(writer);
}

static void write_strangers(struct drift *drift)
{
	const struct observed *observed = drift->input->observed;
	struct writer *writer = drift->writer;
	if (observed && observed->n_strangers > 0)
		writer_section(writer, "Not ours, and left alone:");
	writer_array(writer, "strangers");
	for (size_t i = 0; observed && i < observed->n_strangers; i++) {
		const struct stranger *stranger = &observed->strangers[i];
		writer_item(writer, MARK_UNKNOWN, "site/%s: %s%s", stranger->site, stranger->what,
			    around(drift->arena, " of owner ", stranger->owner, ""));
		writer_object(writer, NULL);
		writer_string(writer, "site", stranger->site);
		writer_string(writer, "what", stranger->what);
		writer_string(writer, "owner", stranger->owner);
		writer_end(writer);
	}
	writer_end(writer);
}

/* What had drifted: the newest event "drift" of @key before its repair. */
static const char *drift_before(const struct report_input *input, size_t repaired)
{
	for (size_t i = repaired + 1; i < input->n_events; i++) {
		const struct store_event *event = &input->events[i];
		if (strcmp(event->kind, "drift") == 0 && g_strcmp0(event->key, input->events[repaired].key) == 0)
			return event->text;
	}
	return NULL;
}

static void write_repaired(struct drift *drift)
{
	const struct report_input *input = drift->input;
	struct writer *writer = drift->writer;
	writer_array(writer, "repaired");
	for (size_t i = 0; i < input->n_events; i++) {
		const struct store_event *event = &input->events[i];
		if (strcmp(event->kind, "repaired") != 0 || !event->key || !is_asked_for(drift->arena, drift->only, event->key))
			continue;
		if (drift->repaired++ == 0) {
			drift->repaired_wall_us = event->wall_us;
			writer_section(writer, "Put right of late:");
		}
		const char *what = drift_before(input, i);
		writer_item(writer, MARK_GOOD, "%s: %s%s, %s", event->key, around(drift->arena, "", what, ": "), event->text,
			    ago_text(drift->arena, input, event->wall_us));
		writer_object(writer, NULL);
		writer_string(writer, "key", event->key);
		writer_time(writer, "at", event->wall_us);
		writer_string(writer, "drift", what);
		writer_string(writer, "repair", event->text);
		writer_end(writer);
	}
	writer_end(writer);
}

/* "Drift on 3 objects: 2 fields, 1 object gone": what there is none of is left away. */
static void summarise_objects(const struct drift *drift, GString *text)
{
	if (drift->objects == 0) {
		g_string_append(text, drift->repaired ? "Drift: none now" : "Drift: none");
		return;
	}
	g_string_append_printf(text, "Drift on %zu object%s", drift->objects, plural(drift->objects));
	const char *before = ": ";
	if (drift->fields) {
		g_string_append_printf(text, "%s%zu field%s", before, drift->fields, plural(drift->fields));
		before = ", ";
	}
	if (drift->gone) {
		g_string_append_printf(text, "%s%zu object%s gone", before, drift->gone, plural(drift->gone));
		before = ", ";
	}
	if (drift->unattributed)
		g_string_append_printf(text, "%s%zu unattributed", before, drift->unattributed);
}

static void write_summary(struct drift *drift)
{
	struct writer *writer = drift->writer;
	g_autoptr(GString) text = g_string_new(NULL);
	summarise_objects(drift, text);
	if (drift->uncompared)
		g_string_append_printf(text, "; %zu left out", drift->uncompared);
	if (drift->repaired)
		g_string_append_printf(text, "; %zu repaired %s", drift->repaired,
				       ago_text(drift->arena, drift->input, drift->repaired_wall_us));
	const struct observed *observed = drift->input->observed;
	if (!observed)
		g_string_append(text, "; nothing was looked at yet");
	else if (observed->blind.n > 0)
		g_string_append_printf(text, "; %zu site%s could not be looked at", observed->blind.n, plural(observed->blind.n));
	writer_summary(writer, drift->objects ? MARK_BAD : MARK_NONE, "%s.", text->str);
	writer_object(writer, "summary");
	writer_int(writer, "objects", (gint64) drift->objects);
	writer_int(writer, "fields", (gint64) drift->fields);
	writer_int(writer, "gone", (gint64) drift->gone);
	writer_int(writer, "unattributed", (gint64) drift->unattributed);
	writer_int(writer, "uncompared", (gint64) drift->uncompared);
	writer_int(writer, "repaired", (gint64) drift->repaired);
	writer_end(writer);
}

char *report_drift(const struct report_input *input, const char *key, const struct report_style *style, enum report_verdict *ret_verdict)
{
	auto_ptr(arena) arena = arena_new();
	struct drift drift = { .input = input, .only = key, .writer = writer_new(style), .arena = arena };
	const char *revision = input->plan ? input->plan->revision : input->desired ? input->desired->revision : NULL;
	writer_head(drift.writer, "Comparing %s with %s.", revision_text(arena, revision), against_text(arena, input));
	writer_string(drift.writer, "report", "drift");
	writer_string(drift.writer, "revision", revision);
	writer_time(drift.writer, "observed_at", input->observed ? input->observed->wall_us : 0);
	write_objects(&drift);
	write_uncompared(&drift);
	write_blind(&drift);
	write_strangers(&drift);
	write_repaired(&drift);
	write_holds(drift.writer, arena, input, NULL, NULL, "Suspended, so drift there is not put right:");
	write_summary(&drift);
	if (ret_verdict)
		*ret_verdict = drift.objects > 0 || (input->observed && input->observed->blind.n) ? REPORT_DIFFERS : REPORT_NOTHING;
	return writer_finish(drift.writer);
}
