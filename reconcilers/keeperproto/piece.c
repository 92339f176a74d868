#include "keeperproto/private.h"

#include <string.h>

void reader_fault(struct reader *reader, const char *format, ...)
{
	if (reader->fault)
		return;
	va_list args;
	va_start(args, format);
	reader->fault = g_error_new_valist(PLEACH_ERROR, PLEACH_ERROR_INVALID, format, args);
	va_end(args);
}

bool reader_done(struct reader *reader, GError **error)
{
	if (!reader->fault)
		return true;
	g_propagate_error(error, g_steal_pointer(&reader->fault));
	return false;
}

static const char *take_text(struct reader *reader, const json_t *json, const char *name, size_t max)
{
	if (!json_is_string(json)) {
		reader_fault(reader, "member \"%s\" is not a text", name);
		return NULL;
	}
	if (json_string_length(json) > max) {
		reader_fault(reader, "member \"%s\" is longer than %zu bytes", name, max);
		return NULL;
	}
	return arena_strdup(reader->arena, json_string_value(json));
}

const char *read_text(struct reader *reader, const json_t *object, const char *name, size_t max, bool needed)
{
	const json_t *json = json_object_get(object, name);
	if (json && !json_is_null(json))
		return take_text(reader, json, name, max);
	if (needed)
		reader_fault(reader, "member \"%s\" is missing", name);
	return needed ? "" : NULL;
}

gint64 read_int(struct reader *reader, const json_t *object, const char *name, gint64 min, gint64 max, gint64 fallback)
{
	const json_t *json = json_object_get(object, name);
	if (!json)
		return fallback;
	if (!json_is_integer(json) || json_integer_value(json) < min || json_integer_value(json) > max) {
		reader_fault(reader, "member \"%s\" is not an integer from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, name,
			min, max);
		return fallback;
	}
	return json_integer_value(json);
}

bool read_bool(struct reader *reader, const json_t *object, const char *name, bool fallback)
{
	const json_t *json = json_object_get(object, name);
	if (!json)
		return fallback;
	if (!json_is_boolean(json))
		reader_fault(reader, "member \"%s\" is neither true nor false", name);
	return json_is_true(json);
}

static json_t *read_array(struct reader *reader, const json_t *object, const char *name, size_t max_items)
{
	json_t *json = json_object_get(object, name);
	if (!json)
		return NULL;
	if (!json_is_array(json)) {
		reader_fault(reader, "member \"%s\" is not a list", name);
		return NULL;
	}
	if (json_array_size(json) > max_items) {
		reader_fault(reader, "member \"%s\" has more than %zu items", name, max_items);
		return NULL;
	}
	return json;
}

struct keeper_strings read_strings(struct reader *reader, const json_t *object, const char *name, size_t max_items,
	size_t max_bytes)
{
	const json_t *json = read_array(reader, object, name, max_items);
	size_t n = json ? json_array_size(json) : 0;
	const char **items = ARENA_ARRAY(reader->arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const char *text = take_text(reader, json_array_get(json, i), name, max_bytes);
		items[i] = text ? text : "";
	}
	return (struct keeper_strings) { items, n };
}

json_t *read_objects(struct reader *reader, const json_t *object, const char *name, size_t max_items)
{
	json_t *json = read_array(reader, object, name, max_items);
	for (size_t i = 0; json && i < json_array_size(json); i++) {
		if (!json_is_object(json_array_get(json, i))) {
			reader_fault(reader, "member \"%s\" holds what is not an object", name);
			return NULL;
		}
	}
	return json;
}

json_t *message_parse(struct reader *reader, const char *text, size_t length, size_t max_bytes)
{
	GError *error = NULL;
	json_t *json = json_parse(text, length, max_bytes, "message", &error);
	if (!json) {
		reader->fault = error;
		return NULL;
	}
	gint64 version = json_is_object(json) ? read_int(reader, json, "v", 0, G_MAXINT, 0) : 0;
	if (version != KEEPER_VERSION)
		reader_fault(reader, "message of version %" G_GINT64_FORMAT "; this side speaks version %d", version,
			KEEPER_VERSION);
	return json;
}

void put_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_string(text));
}

void put_int(json_t *object, const char *name, gint64 number)
{
	json_object_set_new(object, name, json_integer(number));
}

void put_strings(json_t *object, const char *name, struct keeper_strings strings)
{
	if (!strings.n)
		return;
	json_t *array = json_array();
	for (size_t i = 0; i < strings.n; i++)
		json_array_append_new(array, json_string(strings.items[i]));
	json_object_set_new(object, name, array);
}

char *finish_text(json_t *object)
{
	json_object_set_new(object, "v", json_integer(KEEPER_VERSION));
	char *text = json_text(object, 0);
	json_decref(object);
	return text;
}

void keeper_header_put(unsigned char header[KEEPER_HEADER_BYTES], size_t length)
{
	for (int i = 0; i < KEEPER_HEADER_BYTES; i++)
		header[i] = (unsigned char) (length >> 8 * (KEEPER_HEADER_BYTES - 1 - i));
}

size_t keeper_header_get(const unsigned char header[KEEPER_HEADER_BYTES])
{
	size_t length = 0;
	for (int i = 0; i < KEEPER_HEADER_BYTES; i++)
		length = length << 8 | header[i];
	return length;
}

char *keeper_folder_name(const char *owner, const char *site)
{
	g_autofree char *both = g_strdup_printf("%s/%s", owner, site);
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, both, -1);
	return g_strndup(hash, 12);
}
