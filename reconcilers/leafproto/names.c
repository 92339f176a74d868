#include "leafproto/private.h"

#include <string.h>

const char *proto_probe_name(enum leaf_probe probe)
{
	static const char *const names[] = {
		[LEAF_PROBE_NONE] = "none", [LEAF_PROBE_PROCESS] = "process", [LEAF_PROBE_STATUS] = "status",
		[LEAF_PROBE_TCP] = "tcp",   [LEAF_PROBE_HTTP] = "http",
	};
	return names[probe];
}

const char *proto_health_name(enum leaf_health health)
{
	static const char *const names[] = {
		[LEAF_UNCHECKED] = "unchecked", [LEAF_HEALTHY] = "healthy", [LEAF_UNHEALTHY] = "unhealthy", [LEAF_GRACE] = "starting",
	};
	return names[health];
}

const char *proto_on_change_name(enum leaf_on_change on_change)
{
	static const char *const names[] = { [LEAF_ON_RELOAD] = "reload", [LEAF_ON_RESTART] = "restart", [LEAF_ON_NONE] = "none" };
	return names[on_change];
}

bool proto_get_version(const json_t *object, unsigned *ret, const char *what, GError **error)
{
	gint64 version = 0;
	if (!json_get_int(object, "version", &version, what, error))
		return false;
	if (version < LEAF_FIRST_VERSION || version > LEAF_PROTOCOL_VERSION)
		return pleach_error_invalid(error, "%s: version %" G_GINT64_FORMAT " is not one from %d to %d", what, version,
			    LEAF_FIRST_VERSION, LEAF_PROTOCOL_VERSION);
	*ret = (unsigned) version;
	return true;
}

bool proto_check_members(json_t *object, const char *const *known, size_t n_known, const char *what, GError **error)
{
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);
		bool found = false;
		for (size_t i = 0; i < n_known && !found; i++)
			found = strcmp(known[i], name) == 0;
		if (!found) {
			g_autofree char *short_name = g_strndup(name, LEAF_NAME_MAX_BYTES);
			return pleach_error_invalid(error, "%s: member \"%s\" is not known", what, short_name);
		}
	}
	return true;
}

/* A string that may be null or absent; any other type is a fault. */
bool proto_get_opt_string(struct arena *arena, const json_t *object, const char *name, const char **ret, const char *what, GError **error)
{
	const json_t *member = json_object_get(object, name);
	*ret = NULL;
	if (!member || json_is_null(member))
		return true;
	const char *string = NULL;
	if (!json_get_string(object, name, &string, what, error))
		return false;
	*ret = arena_strdup(arena, string);
	return true;
}

bool proto_get_range(const json_t *object, const char *name, gint64 min, gint64 max, gint64 *ret, const char *what, GError **error)
{
	if (!json_get_int(object, name, ret, what, error))
		return false;
	if (*ret < min || *ret > max)
		return pleach_error_invalid(error, "%s: \"%s\" is out of range", what, name);
	return true;
}
