#include "base/diag.h"

#include <string.h>

struct diags {
	struct arena *arena;
	GPtrArray *items;        /* of struct diag * */
	size_t errors, warnings; /* all, kept or not */
	struct diag *beyond;     /* stands in for what is only counted */
};

const char *severity_name(enum severity severity)
{
	static const char *const names[] = {
		[SEVERITY_ERROR] = "error", [SEVERITY_WARNING] = "warning", [SEVERITY_NOTE] = "note",
	};
	return names[severity];
}

struct diags *diags_new(void)
{
	struct diags *diags = g_new0(struct diags, 1);
	diags->arena = arena_new();
	diags->items = g_ptr_array_new();
	diags->beyond = ARENA_NEW(diags->arena, struct diag);
	return diags;
}

static void diag_clear(struct diag *diag)
{
	g_clear_pointer(&diag->notes, g_array_unref);
}

void diags_free(struct diags *diags)
{
	if (!diags)
		return;
	for (guint i = 0; i < diags->items->len; i++)
		diag_clear(g_ptr_array_index(diags->items, i));
	diag_clear(diags->beyond);
	g_ptr_array_unref(diags->items);
	arena_unref(diags->arena);
	g_free(diags);
}

static struct origin origin_copy(struct arena *arena, struct origin origin)
{
	origin.file = arena_strdup(arena, origin.file);
	return origin;
}

static void count(struct diags *diags, enum severity severity, int by)
{
	if (severity == SEVERITY_ERROR)
		diags->errors += (size_t) by;
	else if (severity == SEVERITY_WARNING)
		diags->warnings += (size_t) by;
}

struct diag *diags_add(struct diags *diags, enum severity severity, const char *code, struct origin origin, const char *format,
		       ...)
{
	count(diags, severity, 1);
	if (diags->items->len >= DIAGS_MAX) {
		diag_clear(diags->beyond);
		*diags->beyond = (struct diag) { .severity = severity, .code = "", .text = "" };
		return diags->beyond;
	}
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	struct diag *diag = ARENA_NEW(diags->arena, struct diag);
	*diag = (struct diag) {
		.severity = severity,
		.code = arena_strdup(diags->arena, code),
		.origin = origin_copy(diags->arena, origin),
		.text = arena_strdup(diags->arena, text),
	};
	g_ptr_array_add(diags->items, diag);
	return diag;
}

void diag_hint(struct diags *diags, struct diag *diag, const char *format, ...)
{
	if (diag == diags->beyond)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	diag->hint = arena_strdup(diags->arena, text);
}

void diag_note(struct diags *diags, struct diag *diag, struct origin origin, const char *format, ...)
{
	if (diag == diags->beyond)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	if (!diag->notes)
		diag->notes = g_array_new(FALSE, FALSE, sizeof(struct diag_note));
	struct diag_note note = { .origin = origin_copy(diags->arena, origin), .text = arena_strdup(diags->arena, text) };
	g_array_append_val(diag->notes, note);
}

void diags_append(struct diags *into, const struct diags *from)
{
	size_t errors = into->errors + from->errors, warnings = into->warnings + from->warnings;
	for (guint i = 0; i < from->items->len; i++) {
		const struct diag *diag = g_ptr_array_index(from->items, i);
		struct diag *copy = diags_add(into, diag->severity, diag->code, diag->origin, "%s", diag->text);
		if (diag->hint)
			diag_hint(into, copy, "%s", diag->hint);
		for (guint n = 0; diag->notes && n < diag->notes->len; n++) {
			const struct diag_note *note = &g_array_index(diag->notes, struct diag_note, n);
			diag_note(into, copy, note->origin, "%s", note->text);
		}
	}
	into->errors = errors; /* with those that @from only counted */
	into->warnings = warnings;
}

static int compare_numbers(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

static int compare(const struct diag *a, const struct diag *b)
{
	int order = g_strcmp0(a->origin.file, b->origin.file);
	if (!order)
		order = compare_numbers(a->origin.line, b->origin.line);
	if (!order)
		order = compare_numbers(a->origin.column, b->origin.column);
	if (!order)
		order = compare_numbers(a->severity, b->severity);
	if (!order)
		order = g_strcmp0(a->code, b->code);
	return order ? order : g_strcmp0(a->text, b->text);
}

static gint compare_items(gconstpointer a, gconstpointer b)
{
	return compare(*(struct diag *const *) a, *(struct diag *const *) b);
}

void diags_sort(struct diags *diags)
{
	g_ptr_array_sort(diags->items, compare_items); /* stable: a merge sort */
	guint kept = 0;
	for (guint i = 0; i < diags->items->len; i++) {
		struct diag *diag = g_ptr_array_index(diags->items, i);
		if (kept > 0 && compare(g_ptr_array_index(diags->items, kept - 1), diag) == 0) {
			count(diags, diag->severity, -1);
			diag_clear(diag);
		} else {
			g_ptr_array_index(diags->items, kept++) = diag;
		}
	}
	g_ptr_array_set_size(diags->items, (gint) kept);
}

size_t diags_count(const struct diags *diags)
{
	return diags->items->len;
}

const struct diag *diags_get(const struct diags *diags, size_t i)
{
	g_assert(i < diags->items->len);
	return g_ptr_array_index(diags->items, i);
}

size_t diags_errors(const struct diags *diags)
{
	return diags->errors;
}

size_t diags_warnings(const struct diags *diags)
{
	return diags->warnings;
}

/* Letters to insert, drop, replace or swap with their neighbour to make @b of @a; lengths are bounded by the caller. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	enum { MAX = 64 };
	unsigned rows[3][MAX + 1];
	g_assert(n <= MAX && m <= MAX);
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned) j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *before = rows[(i + 2) % 3], *before_that = rows[(i + 1) % 3];
		row[0] = (unsigned) i;
		for (size_t j = 1; j <= m; j++) {
			unsigned same = g_ascii_tolower(a[i - 1]) == g_ascii_tolower(b[j - 1]) ? 0 : 1;
			row[j] = MIN(MIN(before[j] + 1, row[j - 1] + 1), before[j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = MIN(row[j], before_that[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

const char *diag_did_you_mean(const char *word, const char *const *candidates, size_t n)
{
	enum { WORD_MAX = 64 };
	size_t length = strlen(word);
	const char *best = NULL;
	/* A third of the word may be wrong; in words of one or two letters one letter. */
	unsigned best_distance = (unsigned) MAX(length / 3, 1) + 1;
	if (length == 0 || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t other = strlen(candidates[i]);
		if (other == 0 || other > WORD_MAX || (other > length ? other - length : length - other) >= best_distance)
			continue;
		unsigned d = distance(word, length, candidates[i], other);
		if (d < best_distance && d < length) {
			best = candidates[i];
			best_distance = d;
		}
	}
	return best;
}
