#include "model/site.h"

#include "model/object.h"
#include "model/private.h"

#include <string.h>

const struct driver_ref *site_ems(const struct site *site, const char *name)
{
	for (size_t i = 0; i < site->n_ems; i++)
		if (strcmp(site->ems[i].name, name) == 0)
			return &site->ems[i];
	return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------------- */

static void set_text(json_t *json, const char *name, const char *text)
{
	if (!text)
		return;
	json_t *made = json_string(text);
	if (!made) {
		g_autofree char *valid = g_utf8_make_valid(text, -1);
		made = json_string(valid);
	}
	json_object_set_new(json, name, made);
}

static void set_origin(json_t *json, struct origin origin)
{
	json_t *made = origin_to_json(origin);
	if (made)
		json_object_set_new(json, "origin", made);
}

static json_t *driver_to_json(const struct driver_ref *driver)
{
	json_t *json = json_object();
	set_text(json, "name", driver->name);
	set_text(json, "driver", driver->driver);
	set_text(json, "endpoint", driver->endpoint);
	set_text(json, "credential", driver->credential);
	if (driver->options && driver->options->type == VALUE_MAP && driver->options->map.n)
		json_object_set_new(json, "options", value_to_json(driver->options));
	set_origin(json, driver->origin);
	return json;
}

json_t *site_to_json(const struct site *site)
{
	json_t *json = json_object(), *ems = json_array(), *capacity = json_object();
	set_text(json, "name", site->name);
	set_text(json, "owner", site->owner);
	set_text(json, "steering", site->steering);
	json_object_set_new(json, "vim", driver_to_json(&site->vim));
	for (size_t i = 0; i < site->n_ems; i++)
		json_array_append_new(ems, driver_to_json(&site->ems[i]));
	json_object_set_new(json, "ems", ems);
	json_object_set_new(capacity, "vcpus", json_integer(site->capacity_vcpus));
	json_object_set_new(capacity, "mem_bytes", json_integer(site->capacity_mem_bytes));
	json_object_set_new(capacity, "vnfs", json_integer(site->capacity_vnfs));
	json_object_set_new(json, "capacity", capacity);
	set_origin(json, site->origin);
	return json;
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static bool read_text(struct arena *arena, const json_t *json, const char *name, bool required, const char **ret,
		      const char *what, GError **error)
{
	const json_t *member = json_object_get(json, name);
	if (!required && (!member || json_is_null(member)))
		return true;
	const char *text = json_string_value(member);
	if (!text || (required && !*text) || strlen(text) > SITE_TEXT_MAX) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: \"%s\" is not a text of at most %d bytes", what, name,
			    SITE_TEXT_MAX);
		return false;
	}
	*ret = arena_strdup(arena, text);
	return true;
}

static bool read_options(struct arena *arena, const json_t *json, struct driver_ref *driver, const char *what, GError **error)
{
	const json_t *member = json_object_get(json, "options");
	driver->options = value_map(arena, NULL, NULL, 0);
	if (!member || json_is_null(member))
		return true;
	const struct value *options = value_read(arena, member, what, error);
	if (!options)
		return false;
	bool good = options->type == VALUE_MAP;
	for (size_t i = 0; good && i < options->map.n; i++)
		good = options->map.items[i]->type == VALUE_STRING;
	if (!good)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: \"options\" is not a map of strings", what);
	driver->options = options;
	return good;
}

static bool read_driver(struct arena *arena, const json_t *json, struct driver_ref *driver, const char *what, GError **error)
{
	return read_text(arena, json, "name", true, &driver->name, what, error) &&
	       read_text(arena, json, "driver", true, &driver->driver, what, error) &&
	       read_text(arena, json, "endpoint", false, &driver->endpoint, what, error) &&
	       read_text(arena, json, "credential", false, &driver->credential, what, error) &&
	       read_options(arena, json, driver, what, error) &&
	       origin_from_json(arena, json_object_get(json, "origin"), &driver->origin, what, error);
}

static bool read_ems(struct arena *arena, const json_t *json, struct site *site, const char *what, GError **error)
{
	const json_t *ems = json_object_get(json, "ems");
	if (!json_is_array(ems) || json_array_size(ems) > SITE_EMS_MAX) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: \"ems\" is not an array of at most %d", what,
			    SITE_EMS_MAX);
		return false;
	}
	struct driver_ref *drivers = ARENA_ARRAY(arena, struct driver_ref, json_array_size(ems));
	site->ems = drivers;
	for (; site->n_ems < json_array_size(ems); site->n_ems++)
		if (!read_driver(arena, json_array_get(ems, site->n_ems), &drivers[site->n_ems], what, error))
			return false;
	return true;
}

static bool read_capacity(const json_t *json, const char *name, gint64 *ret, const char *what, GError **error)
{
	const json_t *member = json_object_get(json_object_get(json, "capacity"), name);
	if (!member || json_is_null(member))
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: capacity \"%s\" is not a number from 0 on", what,
			    name);
		return false;
	}
	*ret = json_integer_value(member);
	return true;
}

const struct site *site_from_json(struct arena *arena, const json_t *json, GError **error)
{
	struct site *site = ARENA_NEW(arena, struct site);
	if (!read_text(arena, json, "name", true, &site->name, "site", error))
		return NULL;
	g_autofree char *what = g_strdup_printf("site %s", site->name);
	bool good = read_text(arena, json, "owner", true, &site->owner, what, error) &&
		    read_text(arena, json, "steering", false, &site->steering, what, error) &&
		    read_driver(arena, json_object_get(json, "vim"), &site->vim, what, error) &&
		    read_ems(arena, json, site, what, error) &&
		    read_capacity(json, "vcpus", &site->capacity_vcpus, what, error) &&
		    read_capacity(json, "mem_bytes", &site->capacity_mem_bytes, what, error) &&
		    read_capacity(json, "vnfs", &site->capacity_vnfs, what, error) &&
		    origin_from_json(arena, json_object_get(json, "origin"), &site->origin, what, error);
	return good ? site : NULL;
}
