#include "model/private.h"

#include <string.h>

static struct expr *expr_new(struct arena *arena, enum expr_op op, const struct expr *const *items, size_t n)
{
	struct expr *expr = ARENA_NEW(arena, struct expr);
	expr->op = op;
	expr->items = arena_memdup(arena, items, n * sizeof(*items));
	expr->n = n;
	return expr;
}

static const char *const *copy_strings(struct arena *arena, const char *const *strings, size_t n)
{
	const char **copies = ARENA_ARRAY(arena, const char *, n);
	for (size_t i = 0; i < n; i++)
		copies[i] = arena_strdup(arena, strings[i]);
	return copies;
}

const struct expr *expr_value(struct arena *arena, const struct value *value)
{
	struct expr *expr = expr_new(arena, EXPR_VALUE, NULL, 0);
	expr->value = value;
	return expr;
}

const struct expr *expr_attribute(struct arena *arena, const char *key, const char *path, const char *const *rest, size_t n_rest)
{
	struct expr *expr = expr_new(arena, EXPR_ATTRIBUTE, NULL, 0);
	expr->key = arena_strdup(arena, key);
	expr->path = arena_strdup(arena, path);
	expr->rest = copy_strings(arena, rest, n_rest);
	expr->n_rest = n_rest;
	return expr;
}

const struct expr *expr_concat(struct arena *arena, const struct expr *const *items, size_t n)
{
	return expr_new(arena, EXPR_CONCAT, items, n);
}

const struct expr *expr_join(struct arena *arena, const char *separator, const struct expr *const *items, size_t n)
{
	struct expr *expr = expr_new(arena, EXPR_JOIN, items, n);
	expr->separator = arena_strdup(arena, separator ? separator : "");
	return expr;
}

const struct expr *expr_token(struct arena *arena, const struct expr *item, const char *separator, gint64 index)
{
	struct expr *expr = expr_new(arena, EXPR_TOKEN, &item, 1);
	expr->separator = arena_strdup(arena, separator ? separator : "");
	expr->index = index;
	return expr;
}

const struct expr *expr_list(struct arena *arena, bool gather, const struct expr *const *items, size_t n)
{
	struct expr *expr = expr_new(arena, EXPR_LIST, items, n);
	expr->gather = gather;
	return expr;
}

const struct expr *expr_map(struct arena *arena, const char *const *keys, const struct expr *const *items, size_t n)
{
	struct expr *expr = expr_new(arena, EXPR_MAP, items, n);
	expr->keys = copy_strings(arena, keys, n);
	return expr;
}

const struct expr *expr_template(struct arena *arena, const char *name, const char *text, const struct expr *scope)
{
	struct expr *expr = expr_new(arena, EXPR_TEMPLATE, &scope, 1);
	expr->name = arena_strdup(arena, name);
	expr->text = arena_strdup(arena, text);
	return expr;
}

const struct expr *expr_copy(struct arena *arena, const struct expr *expr)
{
	struct expr *copy = arena_memdup(arena, expr, sizeof(*expr));
	copy->value = expr->value ? value_copy(arena, expr->value) : NULL;
	copy->key = arena_strdup(arena, expr->key);
	copy->path = arena_strdup(arena, expr->path);
	copy->separator = arena_strdup(arena, expr->separator);
	copy->name = arena_strdup(arena, expr->name);
	copy->text = arena_strdup(arena, expr->text);
	copy->rest = copy_strings(arena, expr->rest, expr->n_rest);
	copy->keys = expr->keys ? copy_strings(arena, expr->keys, expr->n) : NULL;
	const struct expr **items = ARENA_ARRAY(arena, const struct expr *, expr->n);
	for (size_t i = 0; i < expr->n; i++)
		items[i] = expr_copy(arena, expr->items[i]);
	copy->items = items;
	return copy;
}

/* --- equality ------------------------------------------------------------------------------------------------------------ */

static bool strings_equal(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool expr_equal(const struct expr *a, const struct expr *b)
{
	if (a == b)
		return true;
	if (a->op != b->op || a->n != b->n || a->index != b->index || a->gather != b->gather)
		return false;
	if (g_strcmp0(a->key, b->key) || g_strcmp0(a->path, b->path) || g_strcmp0(a->separator, b->separator) ||
	    g_strcmp0(a->name, b->name) || g_strcmp0(a->text, b->text))
		return false;
	if (a->op == EXPR_VALUE && !value_equal(a->value, b->value))
		return false;
	if (!strings_equal(a->rest, a->n_rest, b->rest, b->n_rest) ||
	    !strings_equal(a->keys, a->op == EXPR_MAP ? a->n : 0, b->keys, b->op == EXPR_MAP ? b->n : 0))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!expr_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

static void hash_text(GChecksum *sum, const char *text)
{
	char head[24];
	int n = g_snprintf(head, sizeof(head), "%zu:", text ? strlen(text) : 0);
	g_checksum_update(sum, (const guchar *) head, n);
	if (text)
		g_checksum_update(sum, (const guchar *) text, (gssize) strlen(text));
}

void expr_hash(const struct expr *expr, GChecksum *sum)
{
	char head[96];
	g_snprintf(head, sizeof(head), "%d %zu %zu %" G_GINT64_FORMAT " %d", (int) expr->op, expr->n, expr->n_rest, expr->index,
		   expr->gather);
	hash_text(sum, head);
	hash_text(sum, expr->key);
	hash_text(sum, expr->path);
	hash_text(sum, expr->separator);
	hash_text(sum, expr->name);
	hash_text(sum, expr->text);
	if (expr->op == EXPR_VALUE)
		value_hash(expr->value, sum);
	for (size_t i = 0; i < expr->n_rest; i++)
		hash_text(sum, expr->rest[i]);
	for (size_t i = 0; i < expr->n; i++) {
		if (expr->keys)
			hash_text(sum, expr->keys[i]);
		expr_hash(expr->items[i], sum);
	}
}

/* --- printing ------------------------------------------------------------------------------------------------------------ */

static void print_items(const struct expr *expr, GString *out)
{
	for (size_t i = 0; i < expr->n; i++) {
		g_string_append(out, i ? ", " : "");
		if (expr->keys)
			g_string_append_printf(out, "%s: ", expr->keys[i]);
		expr_print(expr->items[i], out);
	}
}

static void print_separator(const char *separator, GString *out)
{
	g_autofree char *escaped = g_strescape(separator, NULL);
	g_string_append_printf(out, ", \"%s\"", escaped);
}

static void print_attribute(const struct expr *expr, GString *out)
{
	g_string_append_printf(out, "get_attribute(%s, %s", expr->key, expr->path);
	for (size_t i = 0; i < expr->n_rest; i++)
		g_string_append_printf(out, ", %s", expr->rest[i]);
	g_string_append_c(out, ')');
}

void expr_print(const struct expr *expr, GString *out)
{
	switch (expr->op) {
	case EXPR_VALUE:
		value_print(expr->value, out);
		return;
	case EXPR_ATTRIBUTE:
		print_attribute(expr, out);
		return;
	case EXPR_CONCAT:
		g_string_append(out, "concat(");
		print_items(expr, out);
		g_string_append_c(out, ')');
		return;
	case EXPR_JOIN:
		g_string_append(out, "join([");
		print_items(expr, out);
		g_string_append_c(out, ']');
		print_separator(expr->separator, out);
		g_string_append_c(out, ')');
		return;
	case EXPR_TOKEN:
		g_string_append(out, "token(");
		print_items(expr, out);
		print_separator(expr->separator, out);
		g_string_append_printf(out, ", %" G_GINT64_FORMAT ")", expr->index);
		return;
	case EXPR_LIST:
		g_string_append(out, expr->gather ? "gather[" : "[");
		print_items(expr, out);
		g_string_append_c(out, ']');
		return;
	case EXPR_MAP:
		g_string_append_c(out, '{');
		print_items(expr, out);
		g_string_append_c(out, '}');
		return;
	case EXPR_TEMPLATE:
		g_string_append_printf(out, "template(%s)", expr->name);
		return;
	}
	g_assert_not_reached();
}
