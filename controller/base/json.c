#include "base/json.h"

#include "base/error.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void free_wiped(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void json_wipe_freed(void)
{
	json_set_alloc_funcs(malloc, free_wiped);
}

json_t *json_parse(const char *text, size_t length, size_t max_bytes, const char *what, GError **error)
{
	if (length > max_bytes) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: %zu bytes of JSON, more than the %zu allowed",
			    what, length, max_bytes);
		return NULL;
	}
	json_error_t fault;
	json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
	if (!json)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: not valid JSON at line %d, column %d: %s", what,
			    fault.line, fault.column, fault.text);
	return json;
}

char *json_text(const json_t *json, unsigned indent)
{
	size_t flags = JSON_SORT_KEYS | JSON_ENCODE_ANY | (indent ? JSON_INDENT(MIN(indent, JSON_MAX_INDENT)) : JSON_COMPACT);
	char *text = json_dumps(json, flags);
	g_assert(text); /* only a cycle, or strings that are not UTF-8, could fail: both are bugs of ours */
	return text;
}

static json_t *member(const json_t *object, const char *name, const char *what, GError **error)
{
	if (!json_is_object(object)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: not a JSON object", what);
		return NULL;
	}
	json_t *found = json_object_get(object, name);
	if (!found)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: member \"%s\" is missing", what, name);
	return found;
}

static bool wrong_type(const char *name, const char *wanted, const char *what, GError **error)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: member \"%s\" is not %s", what, name, wanted);
	return false;
}

bool json_get_string(const json_t *object, const char *name, const char **ret, const char *what, GError **error)
{
	json_t *found = member(object, name, what, error);
	if (!found)
		return false;
	if (!json_is_string(found))
		return wrong_type(name, "a string", what, error);
	*ret = json_string_value(found);
	return true;
}

bool json_get_int(const json_t *object, const char *name, gint64 *ret, const char *what, GError **error)
{
	json_t *found = member(object, name, what, error);
	if (!found)
		return false;
	if (!json_is_integer(found))
		return wrong_type(name, "an integer", what, error);
	*ret = json_integer_value(found);
	return true;
}

bool json_get_bool(const json_t *object, const char *name, bool *ret, const char *what, GError **error)
{
	json_t *found = member(object, name, what, error);
	if (!found)
		return false;
	if (!json_is_boolean(found))
		return wrong_type(name, "a boolean", what, error);
	*ret = json_is_true(found);
	return true;
}

bool json_get_array(const json_t *object, const char *name, json_t **ret, const char *what, GError **error)
{
	json_t *found = member(object, name, what, error);
	if (!found)
		return false;
	if (!json_is_array(found))
		return wrong_type(name, "an array", what, error);
	*ret = found;
	return true;
}

bool json_get_object(const json_t *object, const char *name, json_t **ret, const char *what, GError **error)
{
	json_t *found = member(object, name, what, error);
	if (!found)
		return false;
	if (!json_is_object(found))
		return wrong_type(name, "an object", what, error);
	*ret = found;
	return true;
}

const char *json_opt_string(const json_t *object, const char *name, const char *fallback)
{
	const json_t *found = json_object_get(object, name);
	return json_is_string(found) ? json_string_value(found) : fallback;
}

gint64 json_opt_int(const json_t *object, const char *name, gint64 fallback)
{
	const json_t *found = json_object_get(object, name);
	return json_is_integer(found) ? json_integer_value(found) : fallback;
}

bool json_opt_bool(const json_t *object, const char *name, bool fallback)
{
	const json_t *found = json_object_get(object, name);
	return json_is_boolean(found) ? json_is_true(found) : fallback;
}
