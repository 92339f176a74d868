/* What happened: events, one a line, and what became of each revision; and what the operator holds. */
#include "report/view.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

const char *duration_text(struct arena *arena, gint64 us)
{
	if (us < G_USEC_PER_SEC)
		return arena_printf(arena, "%.*f ms", us < 10000 ? 1 : 0, (double) us / 1000);
	if (us < 60 * G_USEC_PER_SEC)
		return arena_printf(arena, "%.1f s", (double) us / G_USEC_PER_SEC);
	char text[CLOCK_TEXT_SIZE];
	return arena_strdup(arena, clock_duration(us, text));
}

/* --- holds -------------------------------------------------------------------------------------------------------------- */

const char *hold_text(struct arena *arena, const struct store_hold *hold)
{
	const char *what = strcmp(hold->target, "**") == 0 ? "everything" : hold->target;
	return arena_printf(arena, "%s: by %s since %s%s: %s", what, hold->who, time_text(arena, hold->since_us),
			    around(arena, " until ", time_text(arena, hold->until_us), ""), hold->reason);
}

size_t write_holds(struct writer *writer, struct arena *arena, const struct report_input *input, const char *key, const char *site,
		   const char *heading)
{
	size_t n = 0;
	writer_array(writer, "suspended");
	for (size_t i = 0; i < input->n_holds; i++) {
		const struct store_hold *hold = &input->holds[i];
		if (key && !store_hold_is_about(hold, key, site))
			continue;
		if (heading && !n)
			writer_section(writer, "%s", heading);
		if (heading)
			writer_item(writer, MARK_WAIT, "%s", hold_text(arena, hold));
		n++;
		writer_object(writer, NULL);
		writer_string(writer, "target", hold->target);
		writer_string(writer, "who", hold->who);
		writer_string(writer, "reason", hold->reason);
		writer_time(writer, "since", hold->since_us);
		writer_time(writer, "until", hold->until_us);
		writer_end(writer);
	}
	writer_end(writer);
	return n;
}

/* --- events ------------------------------------------------------------------------------------------------------------- */

void write_event(struct writer *writer, const char *name, const struct store_event *event)
{
	writer_object(writer, name);
	writer_int(writer, "id", event->id);
	writer_time(writer, "at", event->wall_us);
	writer_string(writer, "kind", event->kind);
	writer_string(writer, "state", event->state);
	writer_string(writer, "key", event->key);
	writer_string(writer, "revision", event->revision);
	writer_string(writer, "text", event->text);
	if (event->duration_us > 0)
		writer_int(writer, "duration_ms", event->duration_us / 1000);
	else
		writer_json(writer, "duration_ms", NULL);
	writer_origin(writer, "origin", event->origin);
	writer_end(writer);
}

/* "TIME  operation COMPLETED  vnfc/edge.fw.vdu.0  replace (drift), in 1.2 s (fw.yaml:3)" */
static void append_line(GString *out, struct arena *arena, const struct store_event *event)
{
	const char *revision = event->key || !event->revision ? NULL : revision_text(arena, event->revision);
	const char *in = event->duration_us > 0 ? arena_printf(arena, ", in %s", duration_text(arena, event->duration_us)) : "";
	g_autofree char *text = g_strdup_printf("%s%s%s", event->text ? event->text : "", in,
						around(arena, " (", origin_text(arena, event->origin), ")"));
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_string_append_printf(out, "%s  %s%s%s  ", time_text(arena, event->wall_us), event->kind, event->state ? " " : "",
			       event->state ? event->state : "");
	g_string_append_printf(out, "%s%s", event->key ? event->key : revision ? revision : "", event->key || revision ? "  " : "");
	/* One event is one line, whatever a far side wrote into it. */
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (c == '\n' || c == '\t')
			g_string_append_c(out, ' ');
		else if (g_unichar_iscntrl(c))
			g_string_append_printf(out, "\\x%02x", c);
		else
			g_string_append_unichar(out, c);
	}
	while (out->len && out->str[out->len - 1] == ' ')
		g_string_truncate(out, out->len - 1);
	g_string_append_c(out, '\n');
}

char *report_event_line(const struct store_event *event, const struct report_style *style)
{
	auto_ptr(arena) arena = arena_new();
	if (style->format != REPORT_JSON) {
		GString *out = g_string_new(NULL);
		append_line(out, arena, event);
		return g_string_free(out, FALSE);
	}
	struct writer *writer = writer_new(style);
	write_event(writer, "event", event);
	g_autofree char *document = writer_finish(writer);
	g_autoptr(json_t) json = json_parse(document, strlen(document), strlen(document), "event", NULL);
	g_autofree char *line = json_text(json_object_get(json, "event"), 0);
	return g_strconcat(g_strchomp(line), "\n", NULL);
}

char *report_events(const struct report_input *input, const struct report_style *style)
{
	auto_ptr(arena) arena = arena_new();
	if (style->format != REPORT_JSON) {
		GString *out = g_string_new(NULL);
		for (size_t i = input->n_events; i-- > 0;)
			append_line(out, arena, &input->events[i]);
		return g_string_free(out, FALSE);
	}
	struct writer *writer = writer_new(style);
	writer_string(writer, "report", "events");
	writer_array(writer, "events");
	for (size_t i = input->n_events; i-- > 0;)
		write_event(writer, NULL, &input->events[i]);
	writer_end(writer);
	return writer_finish(writer);
}

/* --- history ------------------------------------------------------------------------------------------------------------ */

/* "2 created, 1 changed" */
static const char *changed_text(struct arena *arena, const struct store_revision *revision)
{
	const struct {
		gint64 n;
		const char *word;
	} counts[] = {
		{ revision->creates, "created" }, { revision->changes, "changed" }, { revision->replaces, "replaced" },
		{ revision->removes, "removed" }, { revision->repairs, "repaired" },
	};
	g_autoptr(GString) out = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
		if (counts[i].n > 0)
			g_string_append_printf(out, "%s%" G_GINT64_FORMAT " %s", out->len ? ", " : "", counts[i].n, counts[i].word);
	return out->len ? arena_strdup(arena, out->str) : "nothing";
}

static enum mark state_mark(const char *state)
{
	if (g_strcmp0(state, "converged") == 0)
		return MARK_GOOD;
	return g_strcmp0(state, "failed") == 0 || g_strcmp0(state, "faulty") == 0 ? MARK_BAD : MARK_WAIT;
}

static void write_revision(struct writer *writer, struct arena *arena, const struct report_input *input,
			   const struct store_revision *revision)
{
	gint64 took_us = revision->converged_us && revision->seen_us ? revision->converged_us - revision->seen_us : 0;
	const char *since = revision->wall_us ? arena_printf(arena, " since %s (%s)", time_text(arena, revision->wall_us),
							     ago_text(arena, input, revision->wall_us))
					      : "";
	writer_item(writer, state_mark(revision->state), "%s  %s%s", revision_text(arena, revision->commit),
		    revision->state ? revision->state : "no longer remembered", since);
	if (revision->summary)
		writer_detail(writer, "%s", revision->summary);
	writer_detail(writer, "%s%s%s", changed_text(arena, revision),
		      around(arena, "; first seen ", time_text(arena, revision->seen_us), ""),
		      took_us > 0 ? arena_printf(arena, ", converged %s later", duration_text(arena, took_us)) : "");
	if (revision->reason)
		writer_detail(writer, "%s", revision->reason);
	writer_object(writer, NULL);
	writer_string(writer, "commit", revision->commit);
	writer_string(writer, "summary", revision->summary);
	writer_time(writer, "authored_at", revision->author_us);
	writer_string(writer, "state", revision->state);
	writer_string(writer, "reason", revision->reason);
	writer_time(writer, "since", revision->wall_us);
	writer_time(writer, "seen_at", revision->seen_us);
	writer_time(writer, "converged_at", revision->converged_us);
	if (took_us > 0)
		writer_int(writer, "converged_after_ms", took_us / 1000);
	else
		writer_json(writer, "converged_after_ms", NULL);
	writer_object(writer, "changed");
	writer_int(writer, "create", revision->creates);
	writer_int(writer, "change", revision->changes);
	writer_int(writer, "replace", revision->replaces);
	writer_int(writer, "remove", revision->removes);
	writer_int(writer, "repair", revision->repairs);
	writer_end(writer);
	writer_end(writer);
}

char *report_history(const struct report_input *input, const char *key, const struct report_style *style)
{
	auto_ptr(arena) arena = arena_new();
	struct writer *writer = writer_new_plain(style);
	if (key)
		writer_head(writer, "What was done to %s, the newest first.", key);
	else
		writer_head(writer, "Revisions, the newest first.");
	writer_string(writer, "report", "history");
	writer_string(writer, "key", key);
	writer_array(writer, "revisions");
	for (size_t i = 0; i < input->n_revisions; i++)
		write_revision(writer, arena, input, &input->revisions[i]);
	writer_end(writer);
	if (input->n_revisions == 0)
		writer_summary(writer, MARK_NONE, "None is remembered.");
	return writer_finish(writer);
}
