#include "model/key.h"
#include "model/object.h"
#include "model/private.h"

#include <string.h>

json_t *text_to_json(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();
	if (json)
		return json;
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	return json_string(valid);
}

json_t *origin_to_json(struct origin origin)
{
	if (!origin_is_set(origin))
		return NULL;
	json_t *json = json_object();
	json_object_set_new(json, "file", text_to_json(origin.file));
	json_object_set_new(json, "line", json_integer(origin.line));
	json_object_set_new(json, "column", json_integer(origin.column));
	return json;
}

static void set_origin(json_t *json, struct origin origin)
{
	json_t *made = origin_to_json(origin);
	if (made)
		json_object_set_new(json, "origin", made);
}

json_t *object_to_json(const struct object *object)
{
	json_t *fields = json_object();
	for (size_t i = 0; i < object->n_fields; i++) {
		json_t *field = json_object();
		json_object_set_new(field, "value", value_to_json(object->fields[i].value));
		set_origin(field, object->fields[i].origin);
		json_object_set_new(fields, object->fields[i].path, field);
	}
	json_t *json = json_object();
	json_object_set_new(json, "key", json_string(object->key));
	json_object_set_new(json, "site", text_to_json(object->site));
	json_object_set_new(json, "incarnation", json_integer(object->incarnation));
	json_object_set_new(json, "fields", fields);
	if (object->n_depends) {
		json_t *depends = json_array();
		for (size_t i = 0; i < object->n_depends; i++)
			json_array_append_new(depends, json_string(object->depends[i]));
		json_object_set_new(json, "depends", depends);
	}
	if (object->descriptor)
		json_object_set_new(json, "descriptor", text_to_json(object->descriptor));
	set_origin(json, object->origin);
	return json;
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static bool read_unsigned(const json_t *json, const char *name, unsigned *ret, const char *what, GError **error)
{
	const json_t *member = json_object_get(json, name);
	if (!member || json_is_null(member))
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < 0 || json_integer_value(member) > G_MAXINT32)
		return pleach_error_invalid(error, "%s: \"%s\" is not a number from 0 to %d", what, name, G_MAXINT32);
	*ret = (unsigned) json_integer_value(member);
	return true;
}

bool origin_from_json(struct arena *arena, const json_t *json, struct origin *ret, const char *what, GError **error)
{
	*ret = ORIGIN_NONE;
	if (!json || json_is_null(json))
		return true;
	const char *file = json_string_value(json_object_get(json, "file"));
	if (!file)
		return pleach_error_invalid(error, "%s: its origin names no file", what);
	ret->file = arena_strdup(arena, file);
	return read_unsigned(json, "line", &ret->line, what, error) && read_unsigned(json, "column", &ret->column, what, error);
}

static bool read_field(struct arena *arena, struct object_builder *builder, const struct kind *kind, const char *path,
		       const json_t *json, const char *what, GError **error)
{
	struct origin origin;
	if (!kind_spec(kind, path))
		return pleach_error_invalid(error, "%s: a %s has no field \"%.100s\"", what, kind->name, path);
	const json_t *member = json_object_get(json, "value");
	if (!member)
		return pleach_error_invalid(error, "%s: field \"%s\" has no value", what, path);
	g_autofree char *where = g_strdup_printf("%s: field \"%s\"", what, path);
	const struct value *value = value_read(arena, member, where, error);
	if (!value || !origin_from_json(arena, json_object_get(json, "origin"), &origin, where, error))
		return false;
	object_set(builder, path, value, origin);
	return true;
}

static bool read_fields(struct arena *arena, struct object_builder *builder, const struct kind *kind, const json_t *json,
			const char *what, GError **error)
{
	json_t *fields = json_object_get(json, "fields");
	if (!json_is_object(fields))
		return pleach_error_invalid(error, "%s: \"fields\" is not an object", what);
	if (json_object_size(fields) > OBJECT_FIELDS_MAX)
		return pleach_error_invalid(error, "%s: more than %d fields", what, OBJECT_FIELDS_MAX);
	const char *path;
	json_t *field;
	json_object_foreach(fields, path, field)
		if (!read_field(arena, builder, kind, path, field, what, error))
			return false;
	return true;
}

static bool read_depends(struct object_builder *builder, const json_t *json, const char *what, GError **error)
{
	const json_t *depends = json_object_get(json, "depends");
	if (!depends || json_is_null(depends))
		return true;
	if (!json_is_array(depends) || json_array_size(depends) > OBJECT_DEPENDS_MAX)
		return pleach_error_invalid(error, "%s: \"depends\" is not an array of at most %d keys", what, OBJECT_DEPENDS_MAX);
	for (size_t i = 0; i < json_array_size(depends); i++) {
		const char *key = json_string_value(json_array_get(depends, i));
		if (!key || !key_is_valid(key))
			return pleach_error_invalid(error, "%s: \"depends\" holds what is not a key", what);
		object_depends_on(builder, key);
	}
	return true;
}

static bool read_rest(struct arena *arena, struct object_builder *builder, const struct kind *kind, const json_t *json,
		      const char *what, GError **error)
{
	unsigned incarnation = 0;
	if (!read_unsigned(json, "incarnation", &incarnation, what, error))
		return false;
	object_set_incarnation(builder, incarnation);
	const json_t *descriptor = json_object_get(json, "descriptor");
	if (descriptor && !json_is_string(descriptor) && !json_is_null(descriptor))
		return pleach_error_invalid(error, "%s: \"descriptor\" is not a string", what);
	object_set_descriptor(builder, json_string_value(descriptor));
	return read_fields(arena, builder, kind, json, what, error) && read_depends(builder, json, what, error);
}

const struct object *object_from_json(struct arena *arena, const json_t *json, GError **error)
{
	const char *key = json_string_value(json_object_get(json, "key"));
	if (!key || !key_is_valid(key)) {
		pleach_error_invalid(error, "object: \"key\" is not a key");
		return NULL;
	}
	const struct kind *kind = kind_of_key(key);
	const char *site = json_string_value(json_object_get(json, "site"));
	struct origin origin;
	if (!kind) {
		pleach_error_invalid(error, "%s: unknown kind of object", key);
		return NULL;
	}
	if (!site || !*site || strlen(site) > SITE_NAME_MAX) {
		pleach_error_invalid(error, "%s: \"site\" is not a name of 1 to %d bytes", key, SITE_NAME_MAX);
		return NULL;
	}
	if (!origin_from_json(arena, json_object_get(json, "origin"), &origin, key, error))
		return NULL;
	struct object_builder *builder = object_builder_new(arena, key, site, origin);
	bool good = read_rest(arena, builder, kind, json, key, error);
	const struct object *object = object_build(builder);
	return good ? object : NULL;
}
