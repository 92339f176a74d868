/* A finding as a person reads it. What is printed comes from files that anybody may have written: control characters are shown,
 * not sent to the terminal, and a long line is cut around the column. */
#include "base/diag.h"

#include <string.h>

enum { TAB = 4, WIDTH_MAX = 96, GUTTER = 5 };

/* @text with control characters made visible; its own line breaks go on under @indent. */
static void append_text(GString *out, const char *text, const char *indent)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (c == '\n')
			g_string_append_printf(out, "\n%s", indent);
		else if (c == '\t')
			g_string_append_c(out, ' ');
		else if (g_unichar_iscntrl(c))
			g_string_append_printf(out, "\\x%02x", c);
		else
			g_string_append_unichar(out, c);
	}
}

static void append_place(GString *out, struct origin origin)
{
	if (!origin_is_set(origin))
		return;
	append_text(out, origin.file, "");
	if (origin.line)
		g_string_append_printf(out, ":%u", origin.line);
	if (origin.line && origin.column)
		g_string_append_printf(out, ":%u", origin.column);
	g_string_append(out, ": ");
}

/* Line @number (from 1) of @bytes, without its end; false where there is none. */
static bool find_line(GBytes *bytes, unsigned number, const char **ret, size_t *ret_length)
{
	gsize left;
	const char *at = g_bytes_get_data(bytes, &left);
	for (unsigned line = 1; left > 0; line++) {
		const char *end = memchr(at, '\n', left);
		size_t length = end ? (size_t) (end - at) : left;
		if (line == number) {
			*ret = at;
			*ret_length = length > 0 && at[length - 1] == '\r' ? length - 1 : length;
			return true;
		}
		if (!end)
			return false;
		left -= length + 1;
		at = end + 1;
	}
	return false;
}

/* The line as cells of the terminal: one string each ("" for the second half of a wide character). */
static GPtrArray *cells_of(const char *line, size_t length, unsigned column, size_t *ret_caret)
{
	/* No more than what can be shown left and right of the column is worth the work. */
	GPtrArray *cells = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *valid = g_utf8_make_valid(line, (gssize) length);
	unsigned at_column = 1;
	*ret_caret = 0;
	for (const char *at = valid; *at && at_column < column + WIDTH_MAX; at = g_utf8_next_char(at), at_column++) {
		gunichar c = g_utf8_get_char(at);
		if (at_column <= column)
			*ret_caret = cells->len;
		if (c == '\t') {
			do
				g_ptr_array_add(cells, g_strdup(" "));
			while (cells->len % TAB);
		} else if (g_unichar_iscntrl(c)) {
			g_ptr_array_add(cells, g_strdup("?"));
		} else if (g_unichar_iszerowidth(c) && cells->len > 0) {
			char **last = (char **) &g_ptr_array_index(cells, cells->len - 1);
			char *joined = g_strdup_printf("%s%.*s", *last, (int) (g_utf8_next_char(at) - at), at);
			g_free(*last);
			*last = joined;
		} else {
			g_ptr_array_add(cells, g_strndup(at, (gsize) (g_utf8_next_char(at) - at)));
			if (g_unichar_iswide(c))
				g_ptr_array_add(cells, g_strdup(""));
		}
	}
	if (at_column <= column) /* just behind the end of the line: what is missing there */
		*ret_caret = cells->len;
	return cells;
}

static void append_excerpt(GString *out, struct origin origin, diag_source_fn source, void *data)
{
	if (!source || !origin_is_set(origin) || !origin.line)
		return;
	GBytes *bytes = source(origin.file, data);
	if (!bytes)
		return;
	const char *line;
	size_t length, caret;
	if (find_line(bytes, origin.line, &line, &length)) {
		g_autoptr(GPtrArray) cells = cells_of(line, length, MAX(origin.column, 1), &caret);
		size_t from = caret > WIDTH_MAX * 3 / 4 ? caret - WIDTH_MAX * 3 / 4 : 0, to = MIN(cells->len, from + WIDTH_MAX);
		int gutter = GUTTER;
		for (unsigned rest = origin.line; rest > 99999; rest /= 10)
			gutter++;
		g_string_append_printf(out, "%*u | %s", gutter, origin.line, from > 0 ? "…" : "");
		for (size_t i = from; i < to; i++)
			g_string_append(out, g_ptr_array_index(cells, i));
		bool more = to < cells->len;
		while (!more && out->len > 0 && out->str[out->len - 1] == ' ')
			g_string_truncate(out, out->len - 1);
		g_string_append(out, more ? "…\n" : "\n");
		if (origin.column)
			g_string_append_printf(out, "%*s | %*s^\n", gutter, "", (int) (caret - from + (from > 0 ? 1 : 0)), "");
	}
	g_bytes_unref(bytes);
}

void diag_print(const struct diag *diag, diag_source_fn source, void *data, GString *out)
{
	append_place(out, diag->origin);
	g_string_append_printf(out, "%s[%s]: ", severity_name(diag->severity), diag->code);
	append_text(out, diag->text, "    ");
	g_string_append_c(out, '\n');
	append_excerpt(out, diag->origin, source, data);
	if (diag->hint) {
		g_string_append(out, "  hint: ");
		append_text(out, diag->hint, "    ");
		g_string_append_c(out, '\n');
	}
	for (guint i = 0; diag->notes && i < diag->notes->len; i++) {
		const struct diag_note *note = &g_array_index(diag->notes, struct diag_note, i);
		g_string_append(out, "  note: ");
		append_place(out, note->origin);
		append_text(out, note->text, "    ");
		g_string_append_c(out, '\n');
	}
}
