#include "report/writer.h"

#include "base/clock.h"
#include "base/json.h"

#include <string.h>

enum { CELLS_MAX = 9, TAB_MAX = 72, DEPTH_MAX = 32 };

struct row {
	enum mark mark;
	unsigned depth;
	size_t n;
	char *cells[CELLS_MAX];
};

struct writer {
	struct report_style style;
	/* JSON */
	json_t *open[DEPTH_MAX]; /* borrowed, but the first */
	size_t depth;
	/* text and Markdown */
	GString *out;
	GArray *rows; /* of struct row: waiting to be aligned */
	bool fenced;  /* Markdown: inside a block of code */
};

static const struct {
	const char *sign, *colour;
} marks[] = {
	[MARK_NONE] = { "", "" },
	[MARK_CREATE] = { "+ ", "\033[32m" },
	[MARK_CHANGE] = { "~ ", "\033[33m" },
	[MARK_RESTART] = { "! ", "\033[33m" },
	[MARK_REPLACE] = { "± ", "\033[35m" },
	[MARK_REMOVE] = { "- ", "\033[31m" },
	[MARK_UNKNOWN] = { "? ", "\033[36m" },
	[MARK_GOOD] = { "", "\033[32m" },
	[MARK_WAIT] = { "", "\033[33m" },
	[MARK_BAD] = { "", "\033[31m" },
};

static void row_clear(struct row *row)
{
	for (size_t i = 0; i < row->n; i++)
		g_free(row->cells[i]);
}

struct writer *writer_new(const struct report_style *style)
{
	struct writer *writer = g_new0(struct writer, 1);
	writer->style = *style;
	if (style->format == REPORT_JSON) {
		writer->open[0] = json_object();
		writer->depth = 1;
	} else {
		writer->out = g_string_new(NULL);
		writer->rows = g_array_new(FALSE, FALSE, sizeof(struct row));
		g_array_set_clear_func(writer->rows, (GDestroyNotify) row_clear);
	}
	return writer;
}

struct writer *writer_new_plain(const struct report_style *style)
{
	struct report_style plain = *style;
	if (plain.format == REPORT_MARKDOWN)
		plain.format = REPORT_TEXT;
	return writer_new(&plain);
}

/* --- data ------------------------------------------------------------------------------------------------------------------ */

static bool takes_data(const struct writer *writer)
{
	return writer->depth > 0;
}

bool writer_is_data(const struct writer *writer)
{
	return takes_data(writer);
}

void writer_json(struct writer *writer, const char *name, json_t *json)
{
	if (!takes_data(writer)) {
		json_decref(json);
		return;
	}
	json_t *into = writer->open[writer->depth - 1];
	g_assert(json_is_object(into) == (name != NULL));
	if (name)
		json_object_set_new(into, name, json ? json : json_null());
	else
		json_array_append_new(into, json ? json : json_null());
}

static void open_json(struct writer *writer, const char *name, json_t *json)
{
	writer_json(writer, name, json);
	g_assert(writer->depth < DEPTH_MAX);
	writer->open[writer->depth++] = json;
}

void writer_object(struct writer *writer, const char *name)
{
	if (takes_data(writer))
		open_json(writer, name, json_object());
}

void writer_array(struct writer *writer, const char *name)
{
	if (takes_data(writer))
		open_json(writer, name, json_array());
}

void writer_end(struct writer *writer)
{
	if (!takes_data(writer))
		return;
	g_assert(writer->depth > 1);
	writer->depth--;
}

void writer_string(struct writer *writer, const char *name, const char *text)
{
	if (!takes_data(writer))
		return;
	g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL; /* a far side's words may be anything */
	writer_json(writer, name, valid ? json_string(valid) : NULL);
}

void writer_int(struct writer *writer, const char *name, gint64 number)
{
	if (takes_data(writer))
		writer_json(writer, name, json_integer(number));
}

void writer_bool(struct writer *writer, const char *name, bool boolean)
{
	if (takes_data(writer))
		writer_json(writer, name, json_boolean(boolean));
}

void writer_time(struct writer *writer, const char *name, gint64 wall_us)
{
	char text[CLOCK_TEXT_SIZE];
	writer_string(writer, name, wall_us > 0 ? clock_rfc3339(wall_us, text) : NULL);
}

void writer_value(struct writer *writer, const char *name, const struct value *value)
{
	if (takes_data(writer))
		writer_json(writer, name, value_to_json(value));
}

void writer_origin(struct writer *writer, const char *name, struct origin origin)
{
	if (!takes_data(writer))
		return;
	writer_json(writer, name,
		    origin_is_set(origin) ? json_pack("{s:s, s:i, s:i}", "file", origin.file, "line", (int) origin.line, "column",
						      (int) origin.column)
					  : NULL);
}

/* --- lines ------------------------------------------------------------------------------------------------------------------ */

/* Control characters made visible; line breaks go on under @indent. */
static void append_visible(GString *out, const char *text, unsigned indent)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_strchomp(valid);
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (c == '\n')
			g_string_append_printf(out, "\n%*s", (int) indent, "");
		else if (c == '\t')
			g_string_append_c(out, ' ');
		else if (c == 0xe000 || c == 0xe001) /* around the name of a secret (model/mark.h) */
			g_string_append(out, c == 0xe000 ? "«" : "»");
		else if (g_unichar_iscntrl(c))
			g_string_append_printf(out, "\\x%02x", c);
		else
			g_string_append_unichar(out, c);
	}
}

static void append_coloured(struct writer *writer, const char *colour, const char *text, unsigned indent)
{
	bool coloured = writer->style.colour && writer->style.format == REPORT_TEXT && *colour;
	if (coloured)
		g_string_append(writer->out, colour);
	append_visible(writer->out, text, indent);
	if (coloured)
		g_string_append(writer->out, "\033[0m");
}

/* Cells of a terminal that @text fills. */
static size_t width(const char *text)
{
	size_t cells = 0;
	for (const char *at = text; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		cells += g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
	}
	return cells;
}

static void flush_rows(struct writer *writer)
{
	size_t widths[CELLS_MAX] = { 0 };
	for (guint r = 0; r < writer->rows->len; r++) {
		const struct row *row = &g_array_index(writer->rows, struct row, r);
		for (size_t i = 0; i + 1 < row->n; i++) {
			size_t cells = width(row->cells[i]) + (i == 0 ? 2 * row->depth : 0);
			if (cells <= TAB_MAX)
				widths[i] = MAX(widths[i], cells);
		}
	}
	for (guint r = 0; r < writer->rows->len; r++) {
		const struct row *row = &g_array_index(writer->rows, struct row, r);
		unsigned indent = 2 + 2 * row->depth;
		g_string_append_printf(writer->out, "%*s", (int) indent, "");
		for (size_t i = 0; i < row->n; i++) {
			append_coloured(writer, i == 1 ? marks[row->mark].colour : "", row->cells[i], indent + 4);
			size_t cells = width(row->cells[i]) + (i == 0 ? 2 * row->depth : 0);
			bool more = false; /* cells with something in them, further on */
			for (size_t next = i + 1; next < row->n; next++)
				more |= row->cells[next][0] != 0;
			if (!more)
				break;
			g_string_append_printf(writer->out, "%*s", (int) (widths[i] > cells ? widths[i] - cells : 0) + 2, "");
		}
		g_string_append_c(writer->out, '\n');
	}
	g_array_set_size(writer->rows, 0);
}

/* Markdown: items stand in a block that is coloured as a diff is. */
static void fence(struct writer *writer, bool on)
{
	if (writer->style.format != REPORT_MARKDOWN || writer->fenced == on)
		return;
	g_string_append(writer->out, on ? "```diff\n" : "```\n\n");
	writer->fenced = on;
}

static void text_line(struct writer *writer, enum line line, enum mark mark, const char *text)
{
	bool markdown = writer->style.format == REPORT_MARKDOWN;
	unsigned indent = markdown ? 0 : 2;
	switch (line) {
	case LINE_HEAD:
	case LINE_SUMMARY:
		fence(writer, false);
		if (line == LINE_SUMMARY && writer->out->len > 0 && !markdown)
			g_string_append_c(writer->out, '\n');
		append_coloured(writer, mark == MARK_NONE ? "\033[1m" : marks[mark].colour, text, 2);
		g_string_append(writer->out, markdown ? "\n\n" : "\n");
		break;
	case LINE_SECTION:
		fence(writer, false);
		g_string_append(writer->out, markdown ? "#### " : writer->out->len > 0 ? "\n" : "");
		append_coloured(writer, "\033[1m", text, 2);
		g_string_append(writer->out, markdown ? "\n\n" : "\n");
		break;
	case LINE_ITEM: {
		fence(writer, true);
		g_autofree char *marked = g_strconcat(marks[mark].sign, text, NULL);
		g_string_append_printf(writer->out, "%*s", (int) indent, "");
		append_coloured(writer, marks[mark].colour, marked, indent + 4);
		g_string_append_c(writer->out, '\n');
		break;
	}
	case LINE_DETAIL:
		fence(writer, true);
		g_string_append_printf(writer->out, "%*s", (int) indent + 4, "");
		append_coloured(writer, "", text, indent + 8);
		g_string_append_c(writer->out, '\n');
		break;
	}
}

/* What has a meaning of its own in Markdown: inside a block only the block's end has, elsewhere much. */
static char *markdown_safe(const char *text, bool in_block)
{
	GString *out = g_string_new(NULL);
	for (; *text; text++) {
		if (in_block && *text == '`')
			g_string_append_c(out, '\'');
		else if (!in_block && strchr("\\`*_[]<>#|&", *text))
			g_string_append_printf(out, "\\%c", *text);
		else
			g_string_append_c(out, *text);
	}
	return g_string_free(out, FALSE);
}

void writer_line(struct writer *writer, enum line line, enum mark mark, const char *format, ...)
{
	if (takes_data(writer))
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (writer->style.format == REPORT_MARKDOWN) {
		char *safe = markdown_safe(text, line == LINE_ITEM || line == LINE_DETAIL);
		g_free(text);
		text = safe;
	}
	flush_rows(writer);
	text_line(writer, line, mark, text);
}

void writer_row(struct writer *writer, enum mark mark, unsigned depth, const char *first, ...)
{
	if (takes_data(writer))
		return;
	struct row row = { .mark = mark, .depth = depth };
	va_list args;
	va_start(args, first);
	for (const char *cell = first; cell; cell = va_arg(args, const char *)) {
		g_assert(row.n < CELLS_MAX);
		row.cells[row.n++] = g_utf8_make_valid(cell, -1);
	}
	va_end(args);
	g_array_append_val(writer->rows, row);
}

char *writer_finish(struct writer *writer)
{
	char *text;
	if (takes_data(writer)) {
		g_assert(writer->depth == 1);
		g_autofree char *json = json_text(writer->open[0], 2);
		text = g_strconcat(json, "\n", NULL);
		json_decref(writer->open[0]);
	} else {
		flush_rows(writer);
		fence(writer, false);
		while (g_str_has_suffix(writer->out->str, "\n\n"))
			g_string_truncate(writer->out, writer->out->len - 1);
		text = g_string_free(writer->out, FALSE);
		g_array_unref(writer->rows);
	}
	g_free(writer);
	return text;
}
