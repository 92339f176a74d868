/* Words that several reports use. */
#include "report/text_diff.h"
#include "report/view.h"

#include "base/clock.h"

#include <string.h>

bool report_format_parse(const char *name, enum report_format *ret)
{
	static const char *const names[] = { [REPORT_TEXT] = "text", [REPORT_JSON] = "json", [REPORT_MARKDOWN] = "markdown" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		if (g_strcmp0(name, names[i]) == 0) {
			*ret = (enum report_format) i;
			return true;
		}
	}
	return false;
}

const char *report_content_type(enum report_format format)
{
	switch (format) {
	case REPORT_TEXT:
		return "text/plain; charset=utf-8";
	case REPORT_JSON:
		return "application/json";
	case REPORT_MARKDOWN:
		return "text/markdown; charset=utf-8";
	}
	g_assert_not_reached();
}

enum mark action_mark(enum action action)
{
	switch (action) {
	case ACTION_CREATE:
		return MARK_CREATE;
	case ACTION_CHANGE:
		return MARK_CHANGE;
	case ACTION_RESTART:
		return MARK_RESTART;
	case ACTION_REPLACE:
		return MARK_REPLACE;
	case ACTION_REMOVE:
	case ACTION_CLEAN:
		return MARK_REMOVE;
	}
	g_assert_not_reached();
}

const char *around(struct arena *arena, const char *before, const char *text, const char *after)
{
	return text && *text ? arena_printf(arena, "%s%s%s", before, text, after) : "";
}

const char *origin_text(struct arena *arena, struct origin origin)
{
	if (!origin_is_set(origin))
		return "";
	return origin.line ? arena_printf(arena, "%s:%u", origin.file, origin.line) : arena_strdup(arena, origin.file);
}

const char *revision_text(struct arena *arena, const char *revision)
{
	enum { SHORT = 12 };
	if (!revision)
		return "nothing";
	if (strspn(revision, "0123456789abcdef") == strlen(revision) && strlen(revision) >= SHORT)
		return arena_printf(arena, "commit %.*s", SHORT, revision);
	return strcmp(revision, "working tree") == 0 ? "the working tree" : arena_strdup(arena, revision);
}

/* "(in-place, drift, fw.yaml:9)" of the words that are there. */
static const char *bracketed(struct arena *arena, const char *cost, const char *cause, const char *origin)
{
	const char *words[] = { cost, cause, origin };
	g_autoptr(GString) out = g_string_new(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		if (words[i] && *words[i])
			g_string_append_printf(out, "%s%s", out->len ? ", " : "   (", words[i]);
	}
	return out->len ? arena_printf(arena, "%s)", out->str) : "";
}

/* In the largest unit that leaves a whole number: what the operator wrote, most likely. */
static const char *bytes_text(struct arena *arena, gint64 bytes)
{
	static const struct {
		const char *name;
		gint64 bytes;
	} units[] = {
		{ "TiB", G_GINT64_CONSTANT(1) << 40 }, { "TB", G_GINT64_CONSTANT(1000000000000) },
		{ "GiB", 1 << 30 }, { "GB", 1000000000 }, { "MiB", 1 << 20 }, { "MB", 1000000 }, { "KiB", 1 << 10 }, { "kB", 1000 },
	};
	for (size_t i = 0; bytes > 0 && i < G_N_ELEMENTS(units); i++) {
		if (bytes % units[i].bytes == 0)
			return arena_printf(arena, "%" G_GINT64_FORMAT " %s", bytes / units[i].bytes, units[i].name);
	}
	return arena_printf(arena, "%" G_GINT64_FORMAT " B", bytes);
}

/* What somebody put into a file of one line may be of any length. */
static const char *beginning(struct arena *arena, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1), *part = g_utf8_substring(valid, 0, MIN(g_utf8_strlen(valid, -1), TEXT_DIFF_MAX_WIDTH));
	return arena_printf(arena, "%s…", value_text(arena, value_string(arena, part)));
}

const char *field_text(struct arena *arena, const char *key, const char *path, const struct value *value)
{
	if (value->type == VALUE_STRING && strlen(value->string) > TEXT_DIFF_MAX_WIDTH && !strchr(value->string, '\n'))
		return beginning(arena, value->string);
	const struct kind *kind = value->type == VALUE_INTEGER ? kind_of_key(key) : NULL;
	const struct field_spec *spec = kind ? kind_spec(kind, path) : NULL;
	return spec && spec->flags & FIELD_BYTES ? bytes_text(arena, value->integer) : value_text(arena, value);
}

const char *desired_text(struct arena *arena, const struct step *step, const struct field_change *change)
{
	if (change->waits_for)
		return arena_printf(arena, "known after %s", change->waits_for);
	return field_text(arena, step->key, change->path, change->desired);
}

const char *change_text(struct arena *arena, const struct step *step, const struct field_change *change)
{
	bool creates = step->action == ACTION_CREATE;
	const char *desired = desired_text(arena, step, change), *origin = origin_text(arena, change->origin);
	if (creates)
		return arena_printf(arena, "%s: %s%s", change->path, desired, bracketed(arena, NULL, NULL, origin));
	const char *cause = change->cause == step->cause ? NULL : cause_name(change->cause);
	const char *observed = field_text(arena, step->key, change->path, change->observed);
	return arena_printf(arena, "%s: %s -> %s%s", change->path, observed, desired,
			    bracketed(arena, cost_name(change->cost), cause, origin));
}

void write_text_diff(struct writer *writer, const struct value *from, const struct value *to)
{
	if (from->type != VALUE_STRING || to->type != VALUE_STRING || !(strchr(from->string, '\n') || strchr(to->string, '\n')))
		return;
	g_autoptr(GPtrArray) lines = text_diff(from->string, to->string);
	for (guint i = 0; i < lines->len; i++)
		writer_detail(writer, "  %s", (const char *) lines->pdata[i]);
}

void write_change(struct writer *writer, const struct field_change *change)
{
	writer_object(writer, NULL);
	writer_string(writer, "path", change->path);
	writer_value(writer, "desired", change->desired);
	writer_value(writer, "last", change->last);
	writer_value(writer, "observed", change->observed);
	writer_string(writer, "cause", cause_name(change->cause));
	writer_string(writer, "cost", cost_name(change->cost));
	writer_string(writer, "waits_for", change->waits_for);
	writer_origin(writer, "origin", change->origin);
	writer_end(writer);
}

const char *addresses_text(struct arena *arena, const struct object *object)
{
	g_autoptr(GString) out = g_string_new(NULL);
	size_t n;
	const char *const *cps = object_elements(arena, object, "cp", &n);
	for (size_t i = 0; i < n; i++) {
		const struct value *addresses = object_value(object, arena_printf(arena, "cp.%s.addresses", cps[i]));
		if (addresses->type != VALUE_LIST)
			continue;
		for (size_t a = 0; a < addresses->list.n; a++) {
			if (addresses->list.items[a]->type == VALUE_STRING)
				g_string_append_printf(out, "%s%s (%s)", out->len ? ", " : "",
						       addresses->list.items[a]->string, cps[i]);
		}
	}
	return arena_strdup(arena, out->str);
}

const char *time_text(struct arena *arena, gint64 wall_us)
{
	char text[CLOCK_TEXT_SIZE];
	return wall_us > 0 ? arena_strdup(arena, clock_rfc3339(wall_us, text)) : "";
}

const char *against_text(struct arena *arena, const struct report_input *input)
{
	if (input->against)
		return input->against;
	const char *time = input->observed ? time_text(arena, input->observed->wall_us) : NULL;
	return arena_printf(arena, "the live network%s", around(arena, " observed at ", time, ""));
}

const char *ago_text(struct arena *arena, const struct report_input *input, gint64 wall_us)
{
	char text[CLOCK_TEXT_SIZE];
	return arena_printf(arena, "%s ago", clock_duration(input->wall_us - wall_us, text));
}

void write_operation(struct writer *writer, const char *name, const struct operation *operation)
{
	if (!operation) {
		writer_json(writer, name, NULL);
		return;
	}
	writer_object(writer, name);
	writer_string(writer, "id", operation->id);
	writer_string(writer, "action", action_name(operation->action));
	writer_string(writer, "cause", cause_name(operation->cause));
	writer_int(writer, "incarnation", operation->incarnation);
	writer_int(writer, "attempt", operation->attempt);
	writer_string(writer, "state", op_state_name(operation->state));
	writer_time(writer, "at", operation->wall_us);
	writer_string(writer, "revision", operation->revision);
	writer_string(writer, "error_code", operation->error_code);
	writer_string(writer, "error", operation->error);
	writer_end(writer);
}
