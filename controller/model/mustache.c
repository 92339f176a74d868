#include "model/mustache.h"

#include "model/mark.h"
#include "model/mustache_parse.h"
#include "model/private.h"

#include <string.h>

struct render {
	const char *name;
	const GArray *pieces;
	GString *out;
	const struct value *stack[MUSTACHE_DEPTH_MAX + 1]; /* the current item is the last */
	size_t depth;
	size_t steps;
	const struct value *waits_for; /* the first used value that is not known */
	void (*each)(const struct value *value, void *data); /* or NULL: end at the first such */
	void *data;
};

G_GNUC_PRINTF(4, 5)
static bool fault(const struct render *render, const struct piece *piece, GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s:%u:%u: %s", render->name, piece->line, piece->column, text);
	return false;
}

static bool waits(const struct value *value)
{
	return value->type == VALUE_PENDING || value->type == VALUE_UNKNOWN;
}

/* A used value that is not known: false ends the rendering. */
static bool note_waiting(struct render *render, const struct value *value)
{
	if (!render->waits_for)
		render->waits_for = value;
	if (!render->each)
		return false;
	render->each(value, render->data);
	return true;
}

/* --- names --------------------------------------------------------------------------------------------------------------- */

/* Part @part of a dotted name in @value; NULL where there is none. */
static const struct value *part_of(const struct value *value, const char *part)
{
	if (value->type == VALUE_MAP) {
		const struct value *item = value_map_get(value, part);
		return item->type == VALUE_ABSENT ? NULL : item;
	}
	if (value->type != VALUE_LIST || !g_ascii_isdigit(*part))
		return NULL;
	char *end;
	guint64 i = g_ascii_strtoull(part, &end, 10);
	return *end || i >= value->list.n ? NULL : value->list.items[i];
}

/* The first part is looked for from the current item outwards; an item that is not known may have it, so that one is the
 * answer. */
static const struct value *first_part(const struct render *render, const char *part)
{
	for (size_t i = render->depth; i-- > 0;) {
		if (waits(render->stack[i]))
			return render->stack[i];
		const struct value *value = render->stack[i]->type == VALUE_MAP ? part_of(render->stack[i], part) : NULL;
		if (value)
			return value;
	}
	return NULL;
}

static bool unknown_name(const struct render *render, const struct piece *piece, const char *part, const struct value *in,
			 GError **error)
{
	if (in && in->type == VALUE_LIST)
		return fault(render, piece, error, "\"%.*s\": the list has %zu item%s, counted from 0", (int) piece->length,
			     piece->at, in->list.n, in->list.n == 1 ? "" : "s");
	if (in && in->type != VALUE_MAP)
		return fault(render, piece, error, "\"%.*s\": there is nothing below what \"%s\" follows", (int) piece->length,
			     piece->at, part);
	return fault(render, piece, error, "\"%.*s\" is not known here: there is no \"%s\"", (int) piece->length, piece->at,
		     part);
}

static bool look_up(const struct render *render, const struct piece *piece, const struct value **ret, GError **error)
{
	*ret = render->stack[render->depth - 1];
	if (piece->length == 1 && *piece->at == '.')
		return true;
	g_autofree char *name = g_strndup(piece->at, piece->length);
	g_auto(GStrv) parts = g_strsplit(name, ".", -1);
	for (size_t i = 0; parts[i]; i++) {
		const struct value *value = i ? part_of(*ret, parts[i]) : first_part(render, parts[i]);
		if (!value)
			return unknown_name(render, piece, parts[i], i ? *ret : NULL, error);
		*ret = value;
		if (waits(value))
			return true;
	}
	return true;
}

/* --- rendering ----------------------------------------------------------------------------------------------------------- */

static bool render_pieces(struct render *render, guint from, guint to, GError **error);

static bool append_variable(struct render *render, const struct piece *piece, GError **error)
{
	const struct value *value;
	if (!look_up(render, piece, &value, error))
		return false;
	if (waits(value))
		return note_waiting(render, value);
	if (value->type == VALUE_STRING && mark_is_in(value->string))
		return fault(render, piece, error, "\"%.*s\" has a character U+E000 or U+E001: those stand for secrets",
			     (int) piece->length, piece->at);
	if (value->type == VALUE_SECRET) {
		mark_append(render->out, value->string);
		return true;
	}
	if (value_append_scalar(value, render->out))
		return true;
	const char *what = value->type == VALUE_LIST ? "a list" : value->type == VALUE_MAP ? "a map" : "a digest";
	return fault(render, piece, error, "\"%.*s\" is %s: that cannot be printed", (int) piece->length, piece->at, what);
}

static bool is_false(const struct value *value)
{
	return value->type == VALUE_NULL || (value->type == VALUE_BOOL && !value->boolean) ||
	       (value->type == VALUE_LIST && value->list.n == 0);
}

static bool render_with(struct render *render, const struct value *item, guint from, guint to, GError **error)
{
	render->stack[render->depth++] = item;
	bool good = render_pieces(render, from, to, error);
	render->depth--;
	return good;
}

static bool render_section(struct render *render, guint at, GError **error)
{
	const struct piece *piece = &g_array_index(render->pieces, struct piece, at);
	const struct value *value;
	if (!look_up(render, piece, &value, error))
		return false;
	if (waits(value))
		return note_waiting(render, value);
	if (piece->type == PIECE_INVERTED)
		return !is_false(value) || render_pieces(render, at + 1, piece->end, error);
	if (is_false(value))
		return true;
	if (value->type != VALUE_LIST)
		return render_with(render, value, at + 1, piece->end, error);
	render->steps += value->list.n; /* a section may be empty, its list endless */
	for (size_t i = 0; i < value->list.n; i++)
		if (!render_with(render, value->list.items[i], at + 1, piece->end, error))
			return false;
	return true;
}

static bool render_pieces(struct render *render, guint from, guint to, GError **error)
{
	for (guint i = from; i < to; i++) {
		const struct piece *piece = &g_array_index(render->pieces, struct piece, i);
		render->steps += 1 + (piece->type == PIECE_TEXT ? 0 : piece->length / MUSTACHE_STEP_BYTES);
		if (render->steps > MUSTACHE_STEPS_MAX)
			return fault(render, piece, error, "rendering takes more than %d steps", MUSTACHE_STEPS_MAX);
		switch (piece->type) {
		case PIECE_TEXT:
			g_string_append_len(render->out, piece->at, (gssize) piece->length);
			break;
		case PIECE_VARIABLE:
			if (!append_variable(render, piece, error))
				return false;
			break;
		case PIECE_SECTION:
		case PIECE_INVERTED:
			if (!render_section(render, i, error))
				return false;
			i = piece->end;
			break;
		case PIECE_END:
			break;
		}
		if (render->out->len > MUSTACHE_OUTPUT_MAX)
			return fault(render, piece, error, "the rendered text is larger than %d bytes", MUSTACHE_OUTPUT_MAX);
	}
	return true;
}

static bool render_text(struct render *render, const char *text, const struct value *scope, GError **error)
{
	unsigned line = 0, column = 0;
	g_autoptr(GArray) pieces = mustache_parse(text, &line, &column, error);
	if (!pieces) {
		g_prefix_error(error, "%s:%u:%u: ", render->name, line, column);
		return false;
	}
	render->pieces = pieces;
	render->stack[render->depth++] = scope;
	return render_pieces(render, 0, pieces->len, error);
}

char *mustache_render(struct arena *arena, const char *name, const char *text, const struct value *scope,
		      const struct value **ret_waits_for, GError **error)
{
	g_autoptr(GString) out = g_string_sized_new(strlen(text) + 64);
	struct render render = { .name = name, .out = out };
	bool good = render_text(&render, text, scope, error);
	*ret_waits_for = render.waits_for;
	return good ? arena_strndup(arena, out->str, out->len) : NULL;
}

bool mustache_uses(const char *name, const char *text, const struct value *scope,
		   void (*each)(const struct value *value, void *data), void *data, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);
	struct render render = { .name = name, .out = out, .each = each, .data = data };
	return render_text(&render, text, scope, error);
}

bool mustache_check(const char *text, unsigned *ret_line, unsigned *ret_column, GError **error)
{
	g_autoptr(GArray) pieces = mustache_parse(text, ret_line, ret_column, error);
	return pieces != NULL;
}
