/* Checks JSON against the part of JSON Schema 2020-12 that schemas/output uses: type, enum, const, properties, required,
 * additionalProperties: false, items and $ref into $defs. A keyword that it does not know is a fault of the test. */
#pragma once

#include "base/file.h"
#include "base/json.h"

#include <string.h>

static inline bool schema_type_fits(const char *type, const json_t *json)
{
	return (strcmp(type, "object") == 0 && json_is_object(json)) || (strcmp(type, "array") == 0 && json_is_array(json)) ||
	       (strcmp(type, "string") == 0 && json_is_string(json)) || (strcmp(type, "integer") == 0 && json_is_integer(json)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(json)) || (strcmp(type, "null") == 0 && json_is_null(json));
}

static inline void schema_check(const json_t *root, const json_t *schema, const json_t *json, const char *where);

static inline void schema_check_object(const json_t *root, const json_t *schema, const json_t *json, const char *where)
{
	const json_t *properties = json_object_get(schema, "properties");
	size_t i;
	json_t *member;
	json_array_foreach(json_object_get(schema, "required"), i, member) {
		if (!json_object_get(json, json_string_value(member)))
			g_error("%s: \"%s\" is missing", where, json_string_value(member));
	}
	const char *name;
	json_object_foreach((json_t *) (guintptr) json, name, member) {
		g_autofree char *inside = g_strdup_printf("%s.%s", where, name);
		const json_t *known = json_object_get(properties, name);
		if (known)
			schema_check(root, known, member, inside);
		else if (json_is_false(json_object_get(schema, "additionalProperties")))
			g_error("%s is not in the schema", inside);
	}
}

static inline void schema_check(const json_t *root, const json_t *schema, const json_t *json, const char *where)
{
	static const char *const known[] = { "$schema", "$defs", "title", "description", "format", "type", "enum", "const",
					    "$ref",
					     "properties", "required", "additionalProperties", "items" };
	const char *keyword;
	json_t *value, *item;
	size_t i;
	json_object_foreach((json_t *) (guintptr) schema, keyword, value) {
		bool is_known = false;
		for (i = 0; i < G_N_ELEMENTS(known); i++)
			is_known |= strcmp(known[i], keyword) == 0;
		if (!is_known)
			g_error("%s: the schema uses \"%s\"", where, keyword);
	}
	const char *ref = json_string_value(json_object_get(schema, "$ref"));
	if (ref) {
		const json_t *target = json_object_get(json_object_get(root, "$defs"), ref + strlen("#/$defs/"));
		g_assert_nonnull(target);
		schema_check(root, target, json, where);
		return;
	}
	const json_t *type = json_object_get(schema, "type");
	bool fits = !type || (json_is_string(type) && schema_type_fits(json_string_value(type), json));
	json_array_foreach(type, i, item)
		fits |= schema_type_fits(json_string_value(item), json);
	const json_t *options = json_object_get(schema, "enum"), *constant = json_object_get(schema, "const");
	bool listed = !options;
	json_array_foreach(options, i, item)
		listed |= json_equal(item, json);
	if (!fits || !listed || (constant && !json_equal(constant, json))) {
		g_autofree char *text = json_text(json, 0);
		g_error("%s: %s does not fit the schema", where, text);
	}
	if (json_is_object(json))
		schema_check_object(root, schema, json, where);
	const json_t *items = json_object_get(schema, "items");
	json_array_foreach(json, i, item) {
		g_autofree char *inside = g_strdup_printf("%s[%zu]", where, i);
		if (items)
			schema_check(root, items, item, inside);
	}
}

/* @text against schemas/output/NAME.schema.json; returns it parsed, the caller's. */
static inline json_t *schema_check_text(const char *name, const char *text)
{
	g_autofree char *path = g_strdup_printf(SOURCE_DIR "/schemas/output/%s.schema.json", name);
	size_t length;
	g_autoptr(GError) error = NULL;
	g_autofree char *schema_text = file_read(path, 1024 * 1024, &length, &error);
	g_assert_no_error(error);
	g_autoptr(json_t) schema = json_parse(schema_text, length, length, path, &error);
	g_assert_no_error(error);
	json_t *json = json_parse(text, strlen(text), strlen(text), name, &error);
	g_assert_no_error(error);
	schema_check(schema, schema, json, name);
	return json;
}
