#include "report/text_diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct lines {
	char **items;
	size_t n;
};

struct edit {
	char sign; /* ' ', '-', '+' */
	const char *line;
	size_t at; /* line number in the new text */
};

static struct lines split(const char *text)
{
	struct lines lines = { g_strsplit(text, "\n", -1), 0 };
	lines.n = g_strv_length(lines.items);
	if (lines.n && !*lines.items[lines.n - 1]) /* after the last line break there is no line */
		lines.n--;
	return lines;
}

static void add(GArray *edits, char sign, const char *line, size_t at)
{
	struct edit edit = { sign, line, at };
	g_array_append_val(edits, edit);
}

/* The longest common subsequence of what stands between the equal beginning and the equal end: table[i * (m + 1) + j] is its length from
 * line i of the one and line j of the other on. */
static uint16_t *table_of(char **from, size_t n, char **to, size_t m)
{
	uint16_t *table = g_new0(uint16_t, (n + 1) * (m + 1));
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint16_t *cell = &table[i * (m + 1) + j];
			if (strcmp(from[i], to[j]) == 0)
				*cell = (uint16_t) (cell[m + 2] + 1);
			else
				*cell = MAX(cell[m + 1], cell[1]);
		}
	return table;
}

static void compare(GArray *edits, char **from, size_t n, char **to, size_t m, size_t first)
{
	bool few = n < UINT16_MAX && m < UINT16_MAX && n * m <= TEXT_DIFF_MAX_CELLS;
	g_autofree uint16_t *table = few ? table_of(from, n, to, m) : NULL;
	size_t i = 0, j = 0;
	while (i < n || j < m) {
		bool both = i < n && j < m;
		if (both && table && strcmp(from[i], to[j]) == 0) {
			add(edits, ' ', to[j], first + j);
			i++;
			j++;
		} else if (i < n && (j == m || !table || table[(i + 1) * (m + 1) + j] >= table[i * (m + 1) + j + 1])) {
			add(edits, '-', from[i++], first + j);
		} else {
			add(edits, '+', to[j], first + j);
			j++;
		}
	}
}

static GArray *edits_of(struct lines from, struct lines to)
{
	GArray *edits = g_array_new(FALSE, FALSE, sizeof(struct edit));
	size_t begin = 0, end = 0;
	while (begin < from.n && begin < to.n && strcmp(from.items[begin], to.items[begin]) == 0)
		begin++;
	while (end < from.n - begin && end < to.n - begin && strcmp(from.items[from.n - 1 - end], to.items[to.n - 1 - end]) == 0)
		end++;
	for (size_t i = 0; i < begin; i++)
		add(edits, ' ', to.items[i], i);
	compare(edits, from.items + begin, from.n - begin - end, to.items + begin, to.n - begin - end, begin);
	for (size_t i = to.n - end; i < to.n; i++)
		add(edits, ' ', to.items[i], i);
	return edits;
}

/* Is a changed line so near that this one is shown? */
static bool is_near(const GArray *edits, guint at)
{
	guint first = at > TEXT_DIFF_CONTEXT ? at - TEXT_DIFF_CONTEXT : 0;
	for (guint i = first; i <= at + TEXT_DIFF_CONTEXT && i < edits->len; i++)
		if (g_array_index(edits, struct edit, i).sign != ' ')
			return true;
	return false;
}

static char *shown(const struct edit *edit)
{
	g_autofree char *valid = g_utf8_make_valid(edit->line, -1);
	bool fits = g_utf8_strlen(valid, -1) <= TEXT_DIFF_MAX_WIDTH;
	g_autofree char *part = fits ? g_strdup(valid) : g_utf8_substring(valid, 0, TEXT_DIFF_MAX_WIDTH);
	return g_strdup_printf("%c %s%s", edit->sign, part, fits ? "" : "…");
}

GPtrArray *text_diff(const char *from, const char *to)
{
	GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
	struct lines old = split(from), new = split(to);
	g_autoptr(GArray) edits = edits_of(old, new);
	size_t left = 0;
	bool before = false; /* was the line before shown? */
	for (guint i = 0; i < edits->len; i++) {
		const struct edit *edit = &g_array_index(edits, struct edit, i);
		bool near = is_near(edits, i);
		if (near && out->len >= TEXT_DIFF_MAX_LINES) {
			left += edit->sign != ' ';
		} else if (near) {
			if (!before)
				g_ptr_array_add(out, g_strdup_printf("@@ line %zu", edit->at + 1));
			g_ptr_array_add(out, shown(edit));
		}
		before = near;
	}
	if (left)
		g_ptr_array_add(out, g_strdup_printf("… and %zu more changed line%s", left, left == 1 ? "" : "s"));
	g_strfreev(old.items);
	g_strfreev(new.items);
	return out;
}
