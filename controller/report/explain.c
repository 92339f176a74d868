#include "report/view.h"

#include "base/error.h"
#include "model/key.h"

#include <string.h>

enum { CHAIN_MAX = 64 }; /* lines of "waits for" */

struct explain {
	const struct report_input *input;
	struct view *view;
	struct writer *writer;
	struct arena *arena;
	GHashTable *told; /* keys already in the chain */
};

static void write_wanted(struct explain *explain, const struct entry *entry)
{
	struct writer *writer = explain->writer;
	const struct network *desired = explain->input->desired;
	const char *revision = desired ? desired->revision : NULL;
	const struct object *object = entry->desired;
	writer_section(writer, "Wanted");
	if (!desired)
		writer_item(writer, MARK_NONE, "no revision was taken up yet");
	else if (!object)
		writer_item(writer, MARK_NONE, "not by %s%s", revision_text(explain->arena, revision),
			    entry->last       ? "; it was applied before"
			    : entry->observed ? "; it is there with our tag, and no record tells of it"
					      : "");
	else
		writer_item(writer, MARK_NONE, "by %s: %s%s", revision_text(explain->arena, revision),
			    origin_is_set(object->origin) ? origin_text(explain->arena, object->origin) : "no line of a file",
			    around(explain->arena, ", made from ", object->descriptor, ""));
	writer_object(writer, "wanted");
	writer_string(writer, "revision", revision);
	writer_bool(writer, "desired", object != NULL);
	writer_origin(writer, "origin", object ? object->origin : ORIGIN_NONE);
	writer_string(writer, "descriptor", object ? object->descriptor : NULL);
	writer_json(writer, "object", object ? object_to_json(object) : NULL);
	writer_end(writer);
}

static void write_observed(struct explain *explain, const struct entry *entry)
{
	struct writer *writer = explain->writer;
	const struct observed *observed = explain->input->observed;
	const struct object *object = entry->observed;
	writer_section(writer, "Observed%s",
		       around(explain->arena, " at ", observed ? time_text(explain->arena, observed->wall_us) : NULL, ""));
	writer_object(writer, "observed");
	writer_time(writer, "at", observed ? observed->wall_us : 0);
	writer_string(writer, "site", entry->site);
	writer_json(writer, "object", object ? object_to_json(object) : NULL);
	writer_end(writer);
	if (!observed)
		writer_item(writer, MARK_UNKNOWN, "nothing was looked at yet");
	else if (!object)
		writer_item(writer, MARK_NONE, "not there, on site %s", entry->site);
	else
		writer_item(writer, MARK_NONE, "incarnation %u on site %s", object->incarnation, object->site);
	static const char *const telling[] = { "state", "exit", "reason", "restarts", "pid", "cidr" };
	for (size_t i = 0; object && i < G_N_ELEMENTS(telling); i++) {
		const struct value *value = object_value(object, telling[i]);
		if (value->type != VALUE_ABSENT)
			writer_detail(writer, "%s: %s", telling[i],
				      value->type == VALUE_STRING ? value->string : value_text(explain->arena, value));
	}
	const char *addresses = object ? addresses_text(explain->arena, object) : "";
	if (*addresses)
		writer_detail(writer, "addresses: %s", addresses);
}

static void write_to_do(struct explain *explain, const struct entry *entry)
{
	struct writer *writer = explain->writer;
	const struct step *step = entry->step;
	if (step || entry->unplanned)
		writer_section(writer, "To do");
	writer_json(writer, "action", step ? json_string(action_name(step->action)) : NULL);
	writer_array(writer, "changes");
	if (step) {
		writer_item(writer, action_mark(step->action), "%s (%s)%s", action_name(step->action), cause_name(step->cause),
			    around(explain->arena, ": ", step->note, ""));
		for (size_t i = 0; i < step->n_changes; i++) {
			writer_detail(writer, "%s", change_text(explain->arena, step, &step->changes[i]));
			write_text_diff(writer, step->changes[i].observed, step->changes[i].desired);
			write_change(writer, &step->changes[i]);
		}
		if (step->held)
			writer_detail(writer, "held: %s", step->held);
	}
	writer_end(writer);
	writer_string(writer, "held", step ? step->held : NULL);
	if (entry->unplanned)
		writer_item(writer, MARK_UNKNOWN, "nothing: %s%s", around(explain->arena, "", entry->unplanned->path, ": "),
			    entry->unplanned->reason);
	writer_string(writer, "unplanned", entry->unplanned ? entry->unplanned->reason : NULL);
}

/* --- who asked for it --------------------------------------------------------------------------------------------------- */

static const struct store_revision *revision_named(const struct report_input *input, const char *commit)
{
	for (size_t i = 0; i < input->n_revisions; i++)
		if (g_strcmp0(input->revisions[i].commit, commit) == 0)
			return &input->revisions[i];
	return NULL;
}

/* For people, commit by commit. */
static void list_fields_of(struct explain *explain, const char *key, const char *commit)
{
	const struct report_input *input = explain->input;
	const struct store_revision *revision = revision_named(input, commit);
	writer_item(explain->writer, MARK_NONE, "by %s%s", revision_text(explain->arena, commit),
		    around(explain->arena, " \"", revision ? revision->summary : NULL, "\""));
	for (size_t i = 0; i < input->n_fields; i++) {
		const struct store_field *field = &input->fields[i];
		if (g_strcmp0(field->revision, commit) == 0)
			writer_detail(explain->writer, "%s: %s%s", field->path, field_text(explain->arena, key, field->path, field->value),
				      around(explain->arena, "   (", origin_text(explain->arena, field->origin), ")"));
	}
}

static void write_applied(struct explain *explain, const char *key)
{
	const struct report_input *input = explain->input;
	struct writer *writer = explain->writer;
	g_autoptr(GHashTable) told = g_hash_table_new(g_str_hash, g_str_equal);
	if (input->n_fields > 0)
		writer_section(writer, "Applied, and who asked for it");
	writer_array(writer, "applied");
	for (size_t i = 0; i < input->n_fields; i++) {
		const struct store_field *field = &input->fields[i];
		const char *commit = field->revision ? field->revision : "";
		const struct store_revision *revision = revision_named(input, commit);
		if (g_hash_table_add(told, (gpointer) (guintptr) commit))
			list_fields_of(explain, key, field->revision);
		writer_object(writer, NULL);
		writer_string(writer, "path", field->path);
		writer_value(writer, "value", field->value);
		writer_string(writer, "revision", field->revision);
		writer_string(writer, "summary", revision ? revision->summary : NULL);
		writer_origin(writer, "origin", field->origin);
		writer_end(writer);
	}
	writer_end(writer);
}

/* --- the chain of causes ------------------------------------------------------------------------------------------------ */

/* What was seen of it, and done about that; operations and holds are told elsewhere. */
static bool is_behind(const struct store_event *event, const char *key, const char *site)
{
	static const char *const kinds[] = { EVENT_DRIFT, EVENT_REPAIRED, EVENT_ENDED, EVENT_FAULT, EVENT_CURE, NULL };
	static const char *const of_sites[] = { EVENT_BLIND, EVENT_BACK, NULL };
	if (!event->key)
		return false;
	if (g_str_has_prefix(event->key, "site/"))
		return g_strcmp0(event->key + strlen("site/"), site) == 0 && g_strv_contains(of_sites, event->kind);
	return strcmp(event->key, key) == 0 && g_strv_contains(kinds, event->kind);
}

/* The last few things that led to it, the newest first. */
static void write_behind(struct explain *explain, const char *key, const char *site, unsigned depth, const char *heading)
{
	enum { BEHIND_MAX = 4 };
	const struct report_input *input = explain->input;
	size_t n = 0;
	writer_array(explain->writer, "behind");
	for (size_t i = 0; i < input->n_related && n < BEHIND_MAX; i++) {
		const struct store_event *event = &input->related[i];
		if (!is_behind(event, key, site))
			continue;
		if (heading && n == 0)
			writer_section(explain->writer, "%s", heading);
		n++;
		writer_row(explain->writer, MARK_NONE, depth,
			   arena_printf(explain->arena, "%s %s", event->kind, ago_text(explain->arena, input, event->wall_us)),
			   event->text ? event->text : "", NULL);
		write_event(explain->writer, NULL, event);
	}
	writer_end(explain->writer);
}

static void write_cause(struct explain *explain, const char *key, unsigned depth);

/* What @entry itself waits for, each with what that waits for. */
static void write_causes_of(struct explain *explain, const struct entry *entry, unsigned depth)
{
	const struct step *step = entry->step;
	for (size_t i = 0; step && i < step->n_after; i++)
		write_cause(explain, explain->input->plan->steps[step->after[i]].key, depth);
	for (size_t i = 0; step && i < step->n_changes; i++) {
		if (step->changes[i].waits_for)
			write_cause(explain, step->changes[i].waits_for, depth);
	}
	for (size_t i = 0; entry->desired && i < entry->desired->n_depends; i++)
		write_cause(explain, entry->desired->depends[i], depth);
	if (entry->kind->host)
		write_cause(explain, key_of_kind(explain->arena, entry->key, entry->kind->host), depth);
}

/* One line for @key when it is not as it should be, and what is behind that. */
static void write_cause(struct explain *explain, const char *key, unsigned depth)
{
	const struct entry *entry = view_find(explain->view, key);
	if (g_hash_table_size(explain->told) >= CHAIN_MAX || g_hash_table_contains(explain->told, key))
		return;
	if (entry && (entry->condition == CONDITION_READY || entry->gone))
		return;
	g_hash_table_add(explain->told, (gpointer) (guintptr) key);
	const char *condition = entry ? condition_name(entry->condition) : "not known";
	if (g_hash_table_size(explain->told) == 2)
		writer_section(explain->writer, "Waits for");
	writer_row(explain->writer, entry ? condition_mark(entry->condition) : MARK_BAD, depth, key, condition,
		   entry && entry->reason ? entry->reason : "", NULL);
	writer_object(explain->writer, NULL);
	writer_string(explain->writer, "key", key);
	writer_int(explain->writer, "depth", depth);
	writer_string(explain->writer, "condition", condition);
	writer_string(explain->writer, "reason", entry ? entry->reason : NULL);
	write_behind(explain, key, entry ? entry->site : NULL, depth + 1, NULL);
	writer_end(explain->writer);
	if (entry)
		write_causes_of(explain, entry, depth + 1);
}

static void write_chain(struct explain *explain, const struct entry *entry)
{
	writer_array(explain->writer, "waits_for");
	g_hash_table_add(explain->told, (gpointer) (guintptr) entry->key);
	if (entry->condition != CONDITION_READY)
		write_causes_of(explain, entry, 0);
	writer_end(explain->writer);
}

static void write_history(struct explain *explain)
{
	const struct report_input *input = explain->input;
	struct writer *writer = explain->writer;
	struct arena *arena = explain->arena;
	if (input->n_operations > 0)
		writer_section(writer, "Operations, the newest first");
	writer_array(writer, "operations");
	for (size_t i = 0; i < input->n_operations; i++) {
		const struct operation *operation = &input->operations[i];
		const char *attempt = operation->attempt > 1 ? arena_printf(arena, ", attempt %u", operation->attempt) : "";
		const char *revision = operation->revision ? revision_text(arena, operation->revision) : NULL;
		writer_item(writer, operation->error ? MARK_BAD : MARK_NONE, "%s  %s %s%s%s%s", time_text(arena, operation->wall_us),
			    action_name(operation->action), op_state_name(operation->state), attempt,
			    around(arena, ", for ", revision, ""), around(arena, ": ", operation->error, ""));
		write_operation(writer, NULL, operation);
	}
	writer_end(writer);
	if (input->n_events > 0)
		writer_section(writer, "Events, the newest first");
	writer_array(writer, "events");
	for (size_t i = 0; i < input->n_events; i++) {
		const struct store_event *event = &input->events[i];
		write_event(writer, NULL, event);
		writer_item(writer, MARK_NONE, "%s  %s: %s%s", time_text(arena, event->wall_us), event->kind,
			    event->text ? event->text : "", around(arena, " (", origin_text(arena, event->origin), ")"));
	}
	writer_end(writer);
}

static void write_head(struct explain *explain, const char *key, enum condition condition, const char *reason)
{
	writer_head(explain->writer, "%s: %s%s", key, condition_name(condition), around(explain->arena, ": ", reason, ""));
	writer_string(explain->writer, "report", "explain");
	writer_string(explain->writer, "key", key);
	writer_string(explain->writer, "condition", condition_name(condition));
	writer_string(explain->writer, "reason", reason);
}

static void explain_entry(struct explain *explain, const struct entry *entry)
{
	write_head(explain, entry->key, entry->condition, entry->reason);
	write_wanted(explain, entry);
	write_observed(explain, entry);
	write_to_do(explain, entry);
	write_holds(explain->writer, explain->arena, explain->input, entry->key, entry->site, "Suspended");
	if (entry->condition != CONDITION_READY)
		write_behind(explain, entry->key, entry->site, 0, "What led to it");
	write_chain(explain, entry);
	write_applied(explain, entry->key);
	write_history(explain);
}

/* A VNF is what its VNFCs and their NFs are. */
static void explain_aggregate(struct explain *explain, const struct aggregate *aggregate)
{
	const char *reason = aggregate->culprit ? arena_printf(explain->arena, "because of %s%s", aggregate->culprit,
							       around(explain->arena, ": ", aggregate->reason, ""))
						: NULL;
	write_head(explain, aggregate->key, aggregate->condition, reason);
	writer_section(explain->writer, "Its parts");
	writer_array(explain->writer, "parts");
	for (const struct entry *entry = aggregate->first; entry; entry = entry->next) {
		const struct entry *parts[] = { entry, view_find(explain->view, key_of_kind(explain->arena, entry->key, "nf")) };
		for (unsigned i = 0; i < G_N_ELEMENTS(parts); i++) {
			if (!parts[i] || parts[i]->gone)
				continue;
			writer_row(explain->writer, condition_mark(parts[i]->condition), i, parts[i]->key,
				   condition_name(parts[i]->condition),
				   parts[i]->reason ? parts[i]->reason : "", NULL);
			writer_object(explain->writer, NULL);
			writer_string(explain->writer, "key", parts[i]->key);
			writer_string(explain->writer, "condition", condition_name(parts[i]->condition));
			writer_string(explain->writer, "reason", parts[i]->reason);
			writer_end(explain->writer);
		}
	}
	writer_end(explain->writer);
	const struct entry *culprit = aggregate->culprit ? view_find(explain->view, aggregate->culprit) : NULL;
	if (culprit) {
		write_holds(explain->writer, explain->arena, explain->input, culprit->key, culprit->site, "Suspended");
		write_behind(explain, culprit->key, culprit->site, 0, "What led to it");
		write_chain(explain, culprit);
	}
	write_history(explain);
}

char *report_explain(const struct report_input *input, const char *key, const struct report_style *style, GError **error)
{
	auto_ptr(view) view = view_new(input);
	auto_ptr(arena) arena = arena_new();
	const struct entry *entry = view_find(view, key);
	const struct aggregate *aggregate = entry ? NULL : view_aggregate(view, key);
	if (!entry && !aggregate && input->n_operations == 0 && input->n_events == 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: neither wanted, nor applied, nor observed", key);
		return NULL;
	}
	struct explain explain = {
		.input = input, .view = view, .writer = writer_new_plain(style), .arena = arena,
		.told = g_hash_table_new(g_str_hash, g_str_equal),
	};
	if (entry) {
		explain_entry(&explain, entry);
	} else if (aggregate) {
		explain_aggregate(&explain, aggregate);
	} else {
		writer_head(explain.writer, "%s: is no more", key);
		writer_string(explain.writer, "report", "explain");
		writer_string(explain.writer, "key", key);
		writer_string(explain.writer, "condition", "Gone");
		write_history(&explain);
	}
	g_hash_table_unref(explain.told);
	return writer_finish(explain.writer);
}
