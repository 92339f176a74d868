#include "model/view.h"

#include "model/address.h"
#include "model/private.h"

#include <string.h>

bool view_invalid(const struct view *view, const char *path, GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: %s: %s", view->object->key, path, text);
	return false;
}

static bool not_a(const struct view *view, const char *path, const struct value *value, const char *what, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	value_print(value, text);
	return view_invalid(view, path, error, "%s is not %s", text->str, what);
}

bool view_int(const struct view *view, const char *path, gint64 min, gint64 max, gint64 *ret, GError **error)
{
	const struct value *value = object_value(view->object, path);
	gint64 integer = value->type == VALUE_INTEGER ? value->integer : 0;
	if (value->type == VALUE_ABSENT)
		return true;
	if (value->type != VALUE_INTEGER && !(value->type == VALUE_FLOAT && value_float_is_integer(value->number, &integer)))
		return not_a(view, path, value, "a whole number", error);
	if (integer < min || integer > max)
		return view_invalid(view, path, error, "%" G_GINT64_FORMAT " is not from %" G_GINT64_FORMAT " to %"
				    G_GINT64_FORMAT, integer, min, max);
	*ret = integer;
	return true;
}

bool view_unsigned(const struct view *view, const char *path, unsigned min, unsigned max, unsigned *ret, GError **error)
{
	gint64 integer = *ret;
	if (!view_int(view, path, min, max, &integer, error))
		return false;
	*ret = (unsigned) integer;
	return true;
}

bool view_bool(const struct view *view, const char *path, bool *ret, GError **error)
{
	const struct value *value = object_value(view->object, path);
	if (value->type == VALUE_ABSENT)
		return true;
	if (value->type != VALUE_BOOL)
		return not_a(view, path, value, "true or false", error);
	*ret = value->boolean;
	return true;
}

bool view_string(const struct view *view, const char *path, const char **ret, GError **error)
{
	const struct value *value = object_value(view->object, path);
	if (value->type == VALUE_ABSENT)
		return true;
	if (value->type != VALUE_STRING)
		return not_a(view, path, value, "a string", error);
	*ret = value->string;
	return true;
}

bool view_strings(const struct view *view, const char *path, const char *const **ret, size_t *ret_n, GError **error)
{
	const struct value *value = object_value(view->object, path);
	if (value->type == VALUE_ABSENT)
		return true;
	if (value->type != VALUE_LIST)
		return not_a(view, path, value, "a list", error);
	const char **strings = ARENA_ARRAY(view->arena, const char *, value->list.n);
	for (size_t i = 0; i < value->list.n; i++) {
		if (value->list.items[i]->type != VALUE_STRING)
			return not_a(view, path, value->list.items[i], "a string", error);
		strings[i] = value->list.items[i]->string;
	}
	*ret = strings;
	*ret_n = value->list.n;
	return true;
}

bool view_choice(const struct view *view, const char *path, const char *const *names, size_t n, unsigned *ret, GError **error)
{
	const char *text = NULL;
	if (!view_string(view, path, &text, error))
		return false;
	if (!text)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], text) == 0) {
			*ret = (unsigned) i;
			return true;
		}
	}
	return view_invalid(view, path, error, "\"%s\" is no such state", text);
}

bool view_up(const struct view *view, const char *path, bool *ret, GError **error)
{
	static const char *const names[] = { "down", "up" };
	unsigned up = *ret;
	if (!view_choice(view, path, names, G_N_ELEMENTS(names), &up, error))
		return false;
	*ret = up;
	return true;
}

bool view_cidr(const struct view *view, const char *path, const char **ret, GError **error)
{
	struct cidr cidr;
	const char *text = NULL;
	if (!view_string(view, path, &text, error))
		return false;
	if (text && !cidr_parse(text, &cidr))
		return view_invalid(view, path, error, "\"%s\" is not a network (ADDRESS/LENGTH)", text);
	*ret = text;
	return true;
}

bool view_pools(const struct view *view, const char *path, const char *const **ret, size_t *ret_n, GError **error)
{
	struct address first, last;
	if (!view_strings(view, path, ret, ret_n, error))
		return false;
	for (size_t i = 0; i < *ret_n; i++)
		if (!pool_parse((*ret)[i], &first, &last))
			return view_invalid(view, path, error, "\"%s\" is not a range of addresses (FIRST-LAST)", (*ret)[i]);
	return true;
}

bool view_addresses(const struct view *view, const char *path, const char *const **ret, size_t *ret_n, GError **error)
{
	struct address address;
	if (!view_strings(view, path, ret, ret_n, error))
		return false;
	for (size_t i = 0; i < *ret_n; i++)
		if (!address_parse((*ret)[i], &address))
			return view_invalid(view, path, error, "\"%s\" is not an IP address", (*ret)[i]);
	return true;
}
