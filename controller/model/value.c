#include "model/value.h"

#include "model/expr.h"
#include "model/private.h"

#include <math.h>
#include <string.h>

const struct value value_absent = { .type = VALUE_ABSENT };
const struct value value_unknown = { .type = VALUE_UNKNOWN };
const struct value value_null = { .type = VALUE_NULL };

static const struct value value_true = { .type = VALUE_BOOL, .boolean = true };
static const struct value value_false = { .type = VALUE_BOOL, .boolean = false };

static struct value *value_new(struct arena *arena, enum value_type type)
{
	struct value *value = ARENA_NEW(arena, struct value);
	value->type = type;
	return value;
}

const struct value *value_bool(bool boolean)
{
	return boolean ? &value_true : &value_false;
}

const struct value *value_integer(struct arena *arena, gint64 integer)
{
	struct value *value = value_new(arena, VALUE_INTEGER);
	value->integer = integer;
	return value;
}

const struct value *value_float(struct arena *arena, double number)
{
	struct value *value = value_new(arena, VALUE_FLOAT);
	value->number = number;
	return value;
}

const struct value *value_string(struct arena *arena, const char *string)
{
	if (!string)
		return &value_absent;
	struct value *value = value_new(arena, VALUE_STRING);
	value->string = arena_strdup(arena, string);
	return value;
}

const struct value *value_digest(struct arena *arena, const char *sha256_hex)
{
	struct value *value = value_new(arena, VALUE_DIGEST);
	value->string = arena_printf(arena, DIGEST_PREFIX "%s", sha256_hex);
	return value;
}

const struct value *value_secret(struct arena *arena, const char *name, const char *key_or_null)
{
	struct value *value = value_new(arena, VALUE_SECRET);
	value->string = key_or_null ? arena_printf(arena, "%s#%s", name, key_or_null) : arena_strdup(arena, name);
	return value;
}

const struct value *value_pending(struct arena *arena, const struct expr *expr)
{
	struct value *value = value_new(arena, VALUE_PENDING);
	value->expr = expr;
	return value;
}

const struct value *value_list(struct arena *arena, const struct value *const *items, size_t n)
{
	struct value *value = value_new(arena, VALUE_LIST);
	value->list.items = arena_memdup(arena, items, n * sizeof(*items));
	value->list.n = n;
	return value;
}

const struct value *value_string_list(struct arena *arena, const char *const *strings, size_t n)
{
	const struct value **items = ARENA_ARRAY(arena, const struct value *, n);
	for (size_t i = 0; i < n; i++)
		items[i] = value_string(arena, strings[i]);
	struct value *value = value_new(arena, VALUE_LIST);
	value->list.items = items;
	value->list.n = n;
	return value;
}

/* --- maps ---------------------------------------------------------------------------------------------------------------- */

struct entry {
	const char *key;
	const struct value *item;
	size_t at;
};

static int entry_compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = strcmp(left->key, right->key);
	return order ? order : left->at < right->at ? -1 : left->at > right->at;
}

const struct value *value_map(struct arena *arena, const char *const *keys, const struct value *const *items, size_t n)
{
	g_autofree struct entry *entries = g_new(struct entry, n);
	for (size_t i = 0; i < n; i++)
		entries[i] = (struct entry) { keys[i], items[i], i };
	if (n)
		qsort(entries, n, sizeof(*entries), entry_compare);
	const char **map_keys = ARENA_ARRAY(arena, const char *, n);
	const struct value **map_items = ARENA_ARRAY(arena, const struct value *, n);
	size_t used = 0;
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(entries[i].key, entries[i + 1].key) == 0)
			continue;
		map_keys[used] = arena_strdup(arena, entries[i].key);
		map_items[used++] = entries[i].item;
	}
	struct value *value = value_new(arena, VALUE_MAP);
	value->map.keys = map_keys;
	value->map.items = map_items;
	value->map.n = used;
	return value;
}

const struct value *value_map_get(const struct value *map, const char *key)
{
	if (map->type != VALUE_MAP)
		return &value_absent;
	size_t low = 0, high = map->map.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, map->map.keys[middle]);
		if (order == 0)
			return map->map.items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return &value_absent;
}

/* --- whole values -------------------------------------------------------------------------------------------------------- */

static const struct value *copy_items(struct arena *arena, const struct value *value)
{
	bool is_map = value->type == VALUE_MAP;
	size_t n = is_map ? value->map.n : value->list.n;
	const struct value *const *from = is_map ? value->map.items : value->list.items;
	const struct value **items = ARENA_ARRAY(arena, const struct value *, n);
	for (size_t i = 0; i < n; i++)
		items[i] = value_copy(arena, from[i]);
	return is_map ? value_map(arena, value->map.keys, items, n) : value_list(arena, items, n);
}

const struct value *value_copy(struct arena *arena, const struct value *value)
{
	switch (value->type) {
	case VALUE_ABSENT:
		return &value_absent;
	case VALUE_UNKNOWN:
		return &value_unknown;
	case VALUE_NULL:
		return &value_null;
	case VALUE_BOOL:
		return value_bool(value->boolean);
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		return arena_memdup(arena, value, sizeof(*value));
	case VALUE_STRING:
	case VALUE_DIGEST:
	case VALUE_SECRET: {
		struct value *copy = value_new(arena, value->type);
		copy->string = arena_strdup(arena, value->string);
		return copy;
	}
	case VALUE_PENDING:
		return value_pending(arena, expr_copy(arena, value->expr));
	case VALUE_LIST:
	case VALUE_MAP:
		return copy_items(arena, value);
	}
	g_assert_not_reached();
}

bool value_is_known(const struct value *value)
{
	switch (value->type) {
	case VALUE_ABSENT:
	case VALUE_UNKNOWN:
	case VALUE_PENDING:
		return false;
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_INTEGER:
	case VALUE_FLOAT:
	case VALUE_STRING:
	case VALUE_DIGEST:
	case VALUE_SECRET:
		return true;
	case VALUE_LIST:
		for (size_t i = 0; i < value->list.n; i++)
			if (!value_is_known(value->list.items[i]))
				return false;
		return true;
	case VALUE_MAP:
		for (size_t i = 0; i < value->map.n; i++)
			if (!value_is_known(value->map.items[i]))
				return false;
		return true;
	}
	g_assert_not_reached();
}

/* --- equality and order -------------------------------------------------------------------------------------------------- */

bool value_float_is_integer(double number, gint64 *ret)
{
	/* 2^63 itself is a double, and no gint64. */
	if (!(number >= -0x1p63 && number < 0x1p63) || number != floor(number))
		return false;
	*ret = (gint64) number;
	return true;
}

/* Exact also where a double cannot hold the integer. NaN comes after all numbers and equals itself: sets need a total order. */
static int compare_integer_float(gint64 integer, double number)
{
	if (isnan(number) || number >= 0x1p63)
		return -1;
	if (number < -0x1p63)
		return 1;
	double whole = floor(number);
	gint64 below = (gint64) whole;
	if (integer != below)
		return integer < below ? -1 : 1;
	return number > whole ? -1 : 0;
}

static int compare_numbers(const struct value *a, const struct value *b)
{
	if (a->type == VALUE_INTEGER && b->type == VALUE_INTEGER)
		return a->integer < b->integer ? -1 : a->integer > b->integer;
	if (a->type == VALUE_INTEGER)
		return compare_integer_float(a->integer, b->number);
	if (b->type == VALUE_INTEGER)
		return -compare_integer_float(b->integer, a->number);
	if (isnan(a->number) || isnan(b->number))
		return !!isnan(a->number) - !!isnan(b->number);
	return a->number < b->number ? -1 : a->number > b->number;
}

static bool digest_is_of(const char *digest, const char *string)
{
	char hex[DIGEST_HEX_SIZE];
	value_sha256(string, hex);
	return g_str_has_prefix(digest, DIGEST_PREFIX) && strcmp(digest + strlen(DIGEST_PREFIX), hex) == 0;
}

static bool items_equal(const struct value *const *a, const struct value *const *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!value_equal(a[i], b[i]))
			return false;
	return true;
}

static bool maps_equal(const struct value *a, const struct value *b)
{
	if (a->map.n != b->map.n)
		return false;
	for (size_t i = 0; i < a->map.n; i++)
		if (strcmp(a->map.keys[i], b->map.keys[i]) != 0)
			return false;
	return items_equal(a->map.items, b->map.items, a->map.n);
}

static bool is_number(const struct value *value)
{
	return value->type == VALUE_INTEGER || value->type == VALUE_FLOAT;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b) == 0;
	if (a->type == VALUE_DIGEST && b->type == VALUE_STRING)
		return digest_is_of(a->string, b->string);
	if (a->type == VALUE_STRING && b->type == VALUE_DIGEST)
		return digest_is_of(b->string, a->string);
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_UNKNOWN:
		return false;
	case VALUE_ABSENT:
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		return a->boolean == b->boolean;
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		return compare_numbers(a, b) == 0;
	case VALUE_STRING:
	case VALUE_DIGEST:
	case VALUE_SECRET:
		return strcmp(a->string, b->string) == 0;
	case VALUE_PENDING:
		return expr_equal(a->expr, b->expr);
	case VALUE_LIST:
		return a->list.n == b->list.n && items_equal(a->list.items, b->list.items, a->list.n);
	case VALUE_MAP:
		return maps_equal(a, b);
	}
	g_assert_not_reached();
}

static int compare_pending(const struct value *a, const struct value *b)
{
	g_autoptr(GString) left = g_string_new(NULL), right = g_string_new(NULL);
	expr_print(a->expr, left);
	expr_print(b->expr, right);
	return strcmp(left->str, right->str);
}

static int compare_items(const struct value *const *a, size_t n_a, const struct value *const *b, size_t n_b)
{
	for (size_t i = 0; i < MIN(n_a, n_b); i++) {
		int order = value_compare(a[i], b[i]);
		if (order)
			return order;
	}
	return n_a < n_b ? -1 : n_a > n_b;
}

static int compare_maps(const struct value *a, const struct value *b)
{
	for (size_t i = 0; i < MIN(a->map.n, b->map.n); i++) {
		int order = strcmp(a->map.keys[i], b->map.keys[i]);
		if (order)
			return order;
	}
	return compare_items(a->map.items, a->map.n, b->map.items, b->map.n);
}

int value_compare(const struct value *a, const struct value *b)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b);
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	switch (a->type) {
	case VALUE_ABSENT:
	case VALUE_UNKNOWN:
	case VALUE_NULL:
		return 0;
	case VALUE_BOOL:
		return (int) a->boolean - (int) b->boolean;
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		return compare_numbers(a, b);
	case VALUE_STRING:
	case VALUE_DIGEST:
	case VALUE_SECRET:
		return strcmp(a->string, b->string);
	case VALUE_PENDING:
		return compare_pending(a, b);
	case VALUE_LIST:
		return compare_items(a->list.items, a->list.n, b->list.items, b->list.n);
	case VALUE_MAP:
		return compare_maps(a, b);
	}
	g_assert_not_reached();
}
