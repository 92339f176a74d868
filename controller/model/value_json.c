#include "model/private.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* --- writing ------------------------------------------------------------------------------------------------------------- */

static json_t *tagged(const char *tag, json_t *content)
{
	json_t *json = json_object();
	json_object_set_new(json, tag, content);
	return json;
}

static json_t *string_to_json(const char *string)
{
	json_t *json = json_string(string); /* NULL where it is not UTF-8 */
	if (json)
		return json;
	g_autofree char *base64 = g_base64_encode((const guchar *) string, strlen(string));
	return tagged("$bytes", json_string(base64));
}

static json_t *float_to_json(double number)
{
	if (isfinite(number))
		return json_real(number);
	char text[NUMBER_TEXT_SIZE];
	value_number_text(number, text);
	return tagged("$float", json_string(text));
}

static json_t *pending_to_json(const struct expr *expr)
{
	g_autoptr(GString) text = g_string_new(NULL);
	expr_print(expr, text);
	g_autofree char *valid = g_utf8_make_valid(text->str, (gssize) text->len);
	return tagged("$pending", json_string(valid));
}

static json_t *list_to_json(const struct value *value)
{
	json_t *json = json_array();
	for (size_t i = 0; i < value->list.n; i++)
		json_array_append_new(json, value_to_json(value->list.items[i]));
	return json;
}

/* A key of ours that begins with "$" gets a second one, so that it is never taken for a tag. */
static json_t *map_to_json(const struct value *value)
{
	json_t *json = json_object();
	for (size_t i = 0; i < value->map.n; i++) {
		g_autofree char *valid = g_utf8_make_valid(value->map.keys[i], -1);
		g_autofree char *doubled = *valid == '$' ? g_strconcat("$", valid, NULL) : NULL;
		json_object_set_new(json, doubled ? doubled : valid, value_to_json(value->map.items[i]));
	}
	return json;
}

json_t *value_to_json(const struct value *value)
{
	switch (value->type) {
	case VALUE_ABSENT:
		return tagged("$absent", json_true());
	case VALUE_UNKNOWN:
		return tagged("$unknown", json_true());
	case VALUE_PENDING:
		return pending_to_json(value->expr);
	case VALUE_NULL:
		return json_null();
	case VALUE_BOOL:
		return json_boolean(value->boolean);
	case VALUE_INTEGER:
		return json_integer(value->integer);
	case VALUE_FLOAT:
		return float_to_json(value->number);
	case VALUE_STRING:
		return string_to_json(value->string);
	case VALUE_DIGEST:
		return tagged("$digest", json_string(value->string));
	case VALUE_SECRET:
		return tagged("$secret", json_string(value->string));
	case VALUE_LIST:
		return list_to_json(value);
	case VALUE_MAP:
		return map_to_json(value);
	}
	g_assert_not_reached();
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static const struct value *read_any(struct arena *arena, const json_t *json, unsigned depth, const char *what, GError **error);

static bool is_digest(const char *text)
{
	if (!g_str_has_prefix(text, DIGEST_PREFIX))
		return false;
	const char *hex = text + strlen(DIGEST_PREFIX);
	return strlen(hex) == DIGEST_HEX_SIZE - 1 && strspn(hex, "0123456789abcdef") == DIGEST_HEX_SIZE - 1;
}

static const struct value *read_bytes(struct arena *arena, const char *base64)
{
	size_t length = 0;
	g_autofree guchar *bytes = g_base64_decode(base64, &length);
	if (!length || memchr(bytes, '\0', length))
		return NULL;
	g_autofree char *text = g_strndup((const char *) bytes, length);
	return value_string(arena, text);
}

static const struct value *read_float(struct arena *arena, const char *text)
{
	if (strcmp(text, "nan") == 0)
		return value_float(arena, (double) NAN);
	if (strcmp(text, "inf") == 0)
		return value_float(arena, (double) INFINITY);
	return strcmp(text, "-inf") == 0 ? value_float(arena, (double) -INFINITY) : NULL;
}

/* {"$digest": "…"} and the like; NULL where it is none that we write. */
static const struct value *read_tagged(struct arena *arena, const char *tag, const json_t *content)
{
	if (strcmp(tag, "$absent") == 0)
		return json_is_true(content) ? &value_absent : NULL;
	if (strcmp(tag, "$unknown") == 0)
		return json_is_true(content) ? &value_unknown : NULL;
	const char *text = json_string_value(content);
	if (!text)
		return NULL;
	if (strcmp(tag, "$pending") == 0)
		return &value_unknown;
	if (strcmp(tag, "$digest") == 0)
		return is_digest(text) ? value_digest(arena, text + strlen(DIGEST_PREFIX)) : NULL;
	if (strcmp(tag, "$secret") == 0)
		return *text ? value_secret(arena, text, NULL) : NULL;
	if (strcmp(tag, "$bytes") == 0)
		return read_bytes(arena, text);
	return strcmp(tag, "$float") == 0 ? read_float(arena, text) : NULL;
}

static const struct value *read_map(struct arena *arena, const json_t *json, unsigned depth, const char *what, GError **error)
{
	size_t n = json_object_size(json), i = 0;
	g_autofree const char **keys = g_new(const char *, n + 1);
	g_autofree const struct value **items = g_new(const struct value *, n + 1);
	const char *key;
	json_t *item;
	/* The macro's iterator is not const; the object itself is only read. */
	json_t *object = (json_t *) (uintptr_t) json;
	json_object_foreach(object, key, item) {
		if (key[0] == '$' && key[1] != '$') {
			const struct value *value = n == 1 ? read_tagged(arena, key, item) : NULL;
			if (!value)
				g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: \"%s\" is not a tag of a value", what,
					    key);
			return value;
		}
		keys[i] = key[0] == '$' ? key + 1 : key;
		items[i] = read_any(arena, item, depth + 1, what, error);
		if (!items[i++])
			return NULL;
	}
	return value_map(arena, keys, items, n);
}

static const struct value *read_list(struct arena *arena, const json_t *json, unsigned depth, const char *what, GError **error)
{
	size_t n = json_array_size(json);
	g_autofree const struct value **items = g_new(const struct value *, n + 1);
	for (size_t i = 0; i < n; i++) {
		items[i] = read_any(arena, json_array_get(json, i), depth + 1, what, error);
		if (!items[i])
			return NULL;
	}
	return value_list(arena, items, n);
}

static const struct value *read_any(struct arena *arena, const json_t *json, unsigned depth, const char *what, GError **error)
{
	if (depth > VALUE_DEPTH_MAX) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: lists and maps are nested more than %d deep", what,
			    VALUE_DEPTH_MAX);
		return NULL;
	}
	switch (json_typeof(json)) {
	case JSON_NULL:
		return &value_null;
	case JSON_TRUE:
		return value_bool(true);
	case JSON_FALSE:
		return value_bool(false);
	case JSON_INTEGER:
		return value_integer(arena, json_integer_value(json));
	case JSON_REAL:
		return value_float(arena, json_real_value(json));
	case JSON_STRING:
		return value_string(arena, json_string_value(json));
	case JSON_ARRAY:
		return read_list(arena, json, depth, what, error);
	case JSON_OBJECT:
		return read_map(arena, json, depth, what, error);
	}
	g_assert_not_reached();
}

const struct value *value_read(struct arena *arena, const json_t *json, const char *what, GError **error)
{
	return read_any(arena, json, 0, what, error);
}

const struct value *value_from_json(struct arena *arena, const json_t *json)
{
	const struct value *value = value_read(arena, json, "value", NULL);
	return value ? value : &value_unknown;
}

/* --- hashing ------------------------------------------------------------------------------------------------------------- */

static void feed(GChecksum *sum, char tag, const char *bytes, size_t length)
{
	char head[24];
	int n = g_snprintf(head, sizeof(head), "%c%zu:", tag, length);
	g_checksum_update(sum, (const guchar *) head, n);
	g_checksum_update(sum, (const guchar *) bytes, (gssize) length);
}

static void hash_number(const struct value *value, GChecksum *sum)
{
	char text[NUMBER_TEXT_SIZE];
	gint64 integer = value->type == VALUE_INTEGER ? value->integer : 0;
	if (value->type == VALUE_INTEGER || value_float_is_integer(value->number, &integer))
		g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, integer);
	else
		value_number_text(value->number, text);
	feed(sum, 'n', text, strlen(text));
}

/* A string feeds its digest, because a DIGEST of it is its equal. */
static void hash_string(const struct value *value, GChecksum *sum)
{
	char hex[DIGEST_HEX_SIZE];
	const char *text = value->string + (value->type == VALUE_DIGEST ? strlen(DIGEST_PREFIX) : 0);
	if (value->type == VALUE_STRING) {
		value_sha256(value->string, hex);
		text = hex;
	}
	feed(sum, 's', text, strlen(text));
}

static void hash_items(const struct value *value, GChecksum *sum)
{
	bool is_map = value->type == VALUE_MAP;
	size_t n = is_map ? value->map.n : value->list.n;
	char count[24];
	g_snprintf(count, sizeof(count), "%zu", n);
	feed(sum, is_map ? 'm' : 'l', count, strlen(count));
	for (size_t i = 0; i < n; i++) {
		if (is_map)
			feed(sum, 'k', value->map.keys[i], strlen(value->map.keys[i]));
		value_hash(is_map ? value->map.items[i] : value->list.items[i], sum);
	}
}

void value_hash(const struct value *value, GChecksum *sum)
{
	switch (value->type) {
	case VALUE_ABSENT:
		feed(sum, 'a', "", 0);
		return;
	case VALUE_UNKNOWN:
		feed(sum, 'u', "", 0);
		return;
	case VALUE_NULL:
		feed(sum, '0', "", 0);
		return;
	case VALUE_BOOL:
		feed(sum, 'b', value->boolean ? "1" : "0", 1);
		return;
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		hash_number(value, sum);
		return;
	case VALUE_STRING:
	case VALUE_DIGEST:
		hash_string(value, sum);
		return;
	case VALUE_SECRET:
		feed(sum, '*', value->string, strlen(value->string));
		return;
	case VALUE_PENDING:
		feed(sum, 'p', "", 0);
		expr_hash(value->expr, sum);
		return;
	case VALUE_LIST:
	case VALUE_MAP:
		hash_items(value, sum);
		return;
	}
	g_assert_not_reached();
}
