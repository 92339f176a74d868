#include "model/mustache.h"
#include "model/private.h"

#include <stdint.h>
#include <string.h>

/* One evaluation. Attributes that are not there (yet) are noted in @keys where that is asked for; not while the scope of a
 * template is made, because only what the template uses counts. */
struct eval {
	struct arena *arena;
	expr_lookup_fn lookup;
	void *data;
	GPtrArray *keys; /* const char *, or NULL: not asked for */
	bool in_scope;
};

static const struct value *eval(struct eval *at, const struct expr *expr, GError **error);
static const struct value *eval_value(struct eval *at, const struct value *value, GError **error);

static const struct value *fault(GError **error, const struct expr *expr, const char *format, ...) G_GNUC_PRINTF(3, 4);

static const struct value *fault(GError **error, const struct expr *expr, const char *format, ...)
{
	g_autoptr(GString) text = g_string_new(NULL);
	expr_print(expr, text);
	g_string_append(text, ": ");
	va_list args;
	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
	g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, text->str);
	return NULL;
}

/* Does @value hang on something that is not known, at any depth? */
static bool value_waits(const struct value *value)
{
	return value->type != VALUE_ABSENT && !value_is_known(value);
}

/* --- attributes ---------------------------------------------------------------------------------------------------------- */

static const struct value *list_item(const struct value *list, const char *index)
{
	char *end;
	if (!g_ascii_isdigit(*index))
		return NULL;
	guint64 i = g_ascii_strtoull(index, &end, 10);
	return *end || i >= list->list.n ? NULL : list->list.items[i];
}

static const struct value *walk(const struct expr *expr, const struct value *value, GError **error)
{
	for (size_t i = 0; i < expr->n_rest; i++) {
		const struct value *into = NULL;
		if (value->type == VALUE_LIST)
			into = list_item(value, expr->rest[i]);
		else if (value->type == VALUE_MAP)
			into = value_map_get(value, expr->rest[i]);
		else
			return fault(error, expr, "\"%s\": what is before it is neither a list nor a map", expr->rest[i]);
		if (!into && value->list.n == 0)
			return fault(error, expr, "index %s: the list is empty", expr->rest[i]);
		if (!into)
			return fault(error, expr, "index %s: the list has %zu item%s, counted from 0", expr->rest[i],
				     value->list.n, value->list.n == 1 ? "" : "s");
		if (into->type == VALUE_ABSENT)
			return fault(error, expr, "there is no \"%s\" in it", expr->rest[i]);
		value = into;
	}
	return value;
}

static const struct value *eval_attribute(struct eval *at, const struct expr *expr, GError **error)
{
	const struct value *value = at->lookup(expr->key, expr->path, at->data);
	if (value->type != VALUE_ABSENT && !value_waits(value))
		return walk(expr, value, error);
	if (at->keys && !at->in_scope)
		g_ptr_array_add(at->keys, (gpointer) (uintptr_t) expr->key);
	return value_pending(at->arena, expr);
}

/* --- lists and maps ------------------------------------------------------------------------------------------------------ */

static const struct value *eval_list(struct eval *at, const struct expr *expr, GError **error)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	bool spread_waits = false;
	for (size_t i = 0; i < expr->n; i++) {
		const struct value *item = eval(at, expr->items[i], error);
		if (!item)
			return NULL;
		if (item->type == VALUE_ABSENT)
			continue;
		spread_waits |= expr->gather && item->type == VALUE_PENDING;
		if (!expr->gather || item->type != VALUE_LIST) {
			g_ptr_array_add(items, (gpointer) (uintptr_t) item);
			continue;
		}
		for (size_t j = 0; j < item->list.n; j++)
			g_ptr_array_add(items, (gpointer) (uintptr_t) item->list.items[j]);
	}
	/* How many items a waiting one will give is not known, so neither is the list. */
	if (spread_waits)
		return value_pending(at->arena, expr);
	return value_list(at->arena, (const struct value *const *) items->pdata, items->len);
}

static const struct value *eval_map(struct eval *at, const struct expr *expr, GError **error)
{
	g_autofree const char **keys = g_new(const char *, expr->n + 1);
	g_autofree const struct value **items = g_new(const struct value *, expr->n + 1);
	size_t n = 0;
	for (size_t i = 0; i < expr->n; i++) {
		const struct value *item = eval(at, expr->items[i], error);
		if (!item)
			return NULL;
		if (item->type == VALUE_ABSENT)
			continue;
		keys[n] = expr->keys[i];
		items[n++] = item;
	}
	return value_map(at->arena, keys, items, n);
}

/* --- text ---------------------------------------------------------------------------------------------------------------- */

struct joined {
	GString *text;
	const char *separator;
	size_t n;
	bool waits;
};

static bool join_one(struct joined *joined, const struct expr *expr, const struct value *item, GError **error)
{
	joined->waits |= value_waits(item);
	if (joined->waits)
		return true;
	if (joined->n++ && joined->separator)
		g_string_append(joined->text, joined->separator);
	if (value_append_scalar(item, joined->text))
		return true;
	g_autoptr(GString) text = g_string_new(NULL);
	value_print(item, text);
	fault(error, expr, "%s cannot be joined into a text", text->str);
	return false;
}

/* CONCAT and JOIN: all items are evaluated even when an early one waits, so that all that is waited for is told. */
static const struct value *eval_joined(struct eval *at, const struct expr *expr, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct joined joined = { .text = text, .separator = expr->separator };
	for (size_t i = 0; i < expr->n; i++) {
		const struct value *item = eval(at, expr->items[i], error);
		if (!item)
			return NULL;
		bool spread = expr->op == EXPR_JOIN && item->type == VALUE_LIST;
		if (!spread && !join_one(&joined, expr, item, error))
			return NULL;
		for (size_t j = 0; spread && j < item->list.n; j++)
			if (!join_one(&joined, expr, item->list.items[j], error))
				return NULL;
	}
	return joined.waits ? value_pending(at->arena, expr) : value_string(at->arena, text->str);
}

static const struct value *eval_token(struct eval *at, const struct expr *expr, GError **error)
{
	const struct value *item = eval(at, expr->items[0], error);
	if (!item || value_waits(item))
		return item ? value_pending(at->arena, expr) : NULL;
	if (item->type != VALUE_STRING)
		return fault(error, expr, "only a string can be split");
	if (!*expr->separator)
		return fault(error, expr, "the separator is empty");
	const char *piece = item->string, *end;
	for (gint64 i = 0;; i++, piece = end + strlen(expr->separator)) {
		end = strstr(piece, expr->separator);
		if (i == expr->index)
			break;
		if (!end || expr->index < 0)
			return fault(error, expr, "there is no piece %" G_GINT64_FORMAT, expr->index);
	}
	struct value *value = ARENA_NEW(at->arena, struct value);
	value->type = VALUE_STRING;
	value->string = end ? arena_strndup(at->arena, piece, (size_t) (end - piece)) : arena_strdup(at->arena, piece);
	return value;
}

/* --- templates ----------------------------------------------------------------------------------------------------------- */

static void note_use(const struct value *used, void *data)
{
	struct eval *at = data;
	if (used->type == VALUE_PENDING)
		eval(at, used->expr, NULL);
}

static const struct value *eval_template(struct eval *at, const struct expr *expr, GError **error)
{
	bool was_in_scope = at->in_scope;
	at->in_scope = true;
	const struct value *scope = eval(at, expr->items[0], error);
	at->in_scope = was_in_scope;
	if (!scope)
		return NULL;
	const struct value *waits_for = NULL;
	char *text = NULL;
	if (scope->type == VALUE_MAP)
		text = mustache_render(at->arena, expr->name, expr->text, scope, &waits_for, error);
	else if (value_waits(scope))
		waits_for = scope;
	else
		return fault(error, expr, "its scope is not a map");
	if (text) {
		struct value *value = ARENA_NEW(at->arena, struct value);
		value->type = VALUE_STRING;
		value->string = text;
		return value;
	}
	if (!waits_for)
		return NULL;
	if (at->keys && !at->in_scope) {
		if (scope->type == VALUE_MAP)
			mustache_uses(expr->name, expr->text, scope, note_use, at, NULL);
		else
			note_use(scope, at);
	}
	return value_pending(at->arena, expr);
}

/* --- values -------------------------------------------------------------------------------------------------------------- */

typedef const struct value *(*eval_fn)(struct eval *at, const struct value *value, GError **error);

/* A list or map of what @each makes of its items; the same one where nothing changed. */
static const struct value *eval_items(struct eval *at, const struct value *value, eval_fn each, GError **error)
{
	bool is_map = value->type == VALUE_MAP, changed = false;
	size_t n = is_map ? value->map.n : value->list.n;
	const struct value *const *from = is_map ? value->map.items : value->list.items;
	g_autofree const struct value **items = g_new(const struct value *, n + 1);
	for (size_t i = 0; i < n; i++) {
		items[i] = each(at, from[i], error);
		if (!items[i])
			return NULL;
		changed |= items[i] != from[i];
	}
	if (!changed)
		return value;
	return is_map ? value_map(at->arena, value->map.keys, items, n) : value_list(at->arena, items, n);
}

/* The same value where nothing came of it. */
static const struct value *eval_value(struct eval *at, const struct value *value, GError **error)
{
	if (value_is_known(value))
		return value;
	if (value->type == VALUE_LIST || value->type == VALUE_MAP)
		return eval_items(at, value, eval_value, error);
	if (value->type != VALUE_PENDING)
		return value;
	const struct value *evaluated = eval(at, value->expr, error);
	bool same = evaluated && evaluated->type == VALUE_PENDING && expr_equal(evaluated->expr, value->expr);
	return same ? value : evaluated;
}

/* Lists and maps may come back with PENDING items; everything else that waits is PENDING as a whole. */
static const struct value *eval(struct eval *at, const struct expr *expr, GError **error)
{
	switch (expr->op) {
	case EXPR_VALUE:
		return eval_value(at, expr->value, error);
	case EXPR_ATTRIBUTE:
		return eval_attribute(at, expr, error);
	case EXPR_CONCAT:
	case EXPR_JOIN:
		return eval_joined(at, expr, error);
	case EXPR_TOKEN:
		return eval_token(at, expr, error);
	case EXPR_LIST:
		return eval_list(at, expr, error);
	case EXPR_MAP:
		return eval_map(at, expr, error);
	case EXPR_TEMPLATE:
		return eval_template(at, expr, error);
	}
	g_assert_not_reached();
}

/* --- the public face ----------------------------------------------------------------------------------------------------- */

const struct value *expr_eval(struct arena *arena, const struct expr *expr, expr_lookup_fn lookup, void *data, GError **error)
{
	struct eval at = { .arena = arena, .lookup = lookup, .data = data };
	const struct value *value = eval(&at, expr, error);
	return value && value_waits(value) ? value_pending(arena, expr) : value;
}

/* An expression that could be evaluated in part only stays whole: its parts are worth nothing to others. */
static const struct value *eval_whole(struct eval *at, const struct value *value, GError **error)
{
	if (value->type == VALUE_PENDING) {
		const struct value *evaluated = eval_value(at, value, error);
		return evaluated && value_waits(evaluated) ? value : evaluated;
	}
	if (value_is_known(value) || (value->type != VALUE_LIST && value->type != VALUE_MAP))
		return value;
	return eval_items(at, value, eval_whole, error);
}

const struct value *value_eval(struct arena *arena, const struct value *value, expr_lookup_fn lookup, void *data, GError **error)
{
	struct eval at = { .arena = arena, .lookup = lookup, .data = data };
	return eval_whole(&at, value, error);
}

static int key_order(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void tell_keys(GPtrArray *keys, void (*each)(const char *key, void *each_data), void *each_data)
{
	g_ptr_array_sort(keys, key_order);
	for (guint i = 0; i < keys->len; i++)
		if (!i || strcmp(keys->pdata[i - 1], keys->pdata[i]) != 0)
			each(keys->pdata[i], each_data);
}

const struct value *value_eval_waits(struct arena *arena, const struct value *value, expr_lookup_fn lookup, void *data,
				     void (*each)(const char *key, void *each_data), void *each_data, GError **error)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	struct eval at = { .arena = arena, .lookup = lookup, .data = data, .keys = keys };
	const struct value *evaluated = eval_whole(&at, value, error);
	if (evaluated)
		tell_keys(keys, each, each_data);
	return evaluated;
}

void expr_waits_for(const struct expr *expr, expr_lookup_fn lookup, void *data, void (*each)(const char *key, void *each_data),
		    void *each_data)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	struct eval at = { .arena = arena, .lookup = lookup, .data = data, .keys = keys };
	eval(&at, expr, NULL);
	tell_keys(keys, each, each_data);
}

void expr_attributes(const struct expr *expr, void (*each)(const char *key, const char *path, void *data), void *data)
{
	if (expr->op == EXPR_ATTRIBUTE)
		each(expr->key, expr->path, data);
	for (size_t i = 0; i < expr->n; i++)
		expr_attributes(expr->items[i], each, data);
}
