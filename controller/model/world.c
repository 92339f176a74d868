#include "model/world.h"

#include "base/error.h"
#include "model/key.h"
#include "model/private.h"

#include <string.h>

static json_t *objects_to_json(struct objects objects)
{
	json_t *list = json_array();
	for (size_t i = 0; i < objects.n; i++)
		json_array_append_new(list, object_to_json(objects.items[i]));
	return list;
}

static json_t *leftovers_to_json(const struct observed *observed)
{
	json_t *list = json_array();
	for (size_t i = 0; observed && i < observed->n_leftovers; i++)
		json_array_append_new(list, json_pack("{s:s, s:o, s:i}", "key", observed->leftovers[i].key, "site",
						      text_to_json(observed->leftovers[i].site), "incarnation",
						      (int) observed->leftovers[i].incarnation));
	return list;
}

static json_t *strangers_to_json(const struct observed *observed)
{
	json_t *list = json_array();
	for (size_t i = 0; observed && i < observed->n_strangers; i++) {
		const struct stranger *stranger = &observed->strangers[i];
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "site", text_to_json(stranger->site), "what",
						      text_to_json(stranger->what), "owner", text_to_json(stranger->owner)));
	}
	return list;
}

static json_t *blind_to_json(const struct observed *observed)
{
	json_t *list = json_array();
	for (size_t i = 0; observed && i < observed->blind.n; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "site", text_to_json(observed->blind.sites[i]), "reason",
						      text_to_json(observed->blind.reasons[i])));
	return list;
}

json_t *world_to_json(const struct observed *observed, struct objects last)
{
	json_int_t wall_us = observed ? observed->wall_us : 0;
	json_t *objects = objects_to_json(observed ? observed->objects : (struct objects) { 0 });
	return json_pack("{s:{s:I, s:o, s:o, s:o, s:o}, s:o}", "observed", "wall", wall_us, "objects", objects, "strangers",
			 strangers_to_json(observed), "blind", blind_to_json(observed), "leftovers",
			 leftovers_to_json(observed), "last", objects_to_json(last));
}

static bool is_after(const struct object *before, const struct object *object)
{
	return !before || strcmp(before->key, object->key) < 0;
}

static bool objects_from_json(struct arena *arena, const json_t *list, struct objects *ret, GError **error)
{
	size_t n = json_array_size(list);
	const struct object **items = ARENA_ARRAY(arena, const struct object *, n);
	for (size_t i = 0; i < n; i++) {
		items[i] = object_from_json(arena, json_array_get(list, i), error);
		if (!items[i])
			return false;
		if (!is_after(i ? items[i - 1] : NULL, items[i])) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s is twice in the document, or not in order", items[i]->key);
			return false;
		}
	}
	*ret = (struct objects) { items, n };
	return true;
}

static bool strangers_from_json(struct observed *observed, const json_t *list, GError **error)
{
	size_t n = json_array_size(list);
	struct stranger *strangers = ARENA_ARRAY(observed->arena, struct stranger, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(list, i);
		const char *what, *site;
		if (!json_get_string(item, "what", &what, "stranger", error) || !json_get_string(item, "site", &site, "stranger", error))
			return false;
		strangers[i] = (struct stranger) {
			.site = arena_strdup(observed->arena, site),
			.what = arena_strdup(observed->arena, what),
			.owner = arena_strdup(observed->arena, json_opt_string(item, "owner", NULL)),
		};
	}
	observed->strangers = strangers;
	observed->n_strangers = n;
	return true;
}

static bool blind_from_json(struct observed *observed, const json_t *list, GError **error)
{
	size_t n = json_array_size(list);
	const char **sites = ARENA_ARRAY(observed->arena, const char *, n), **reasons = ARENA_ARRAY(observed->arena, const char *, n);
	for (size_t i = 0; i < n; i++) {
		const char *site, *reason;
		if (!json_get_string(json_array_get(list, i), "site", &site, "blind site", error) ||
		    !json_get_string(json_array_get(list, i), "reason", &reason, "blind site", error))
			return false;
		if (i && strcmp(sites[i - 1], site) >= 0) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "blind site %s is twice in the document, or not in order",
				    site);
			return false;
		}
		sites[i] = arena_strdup(observed->arena, site);
		reasons[i] = arena_strdup(observed->arena, reason);
	}
	observed->blind.sites = sites;
	observed->blind.reasons = reasons;
	observed->blind.n = n;
	return true;
}

static bool leftovers_from_json(struct observed *observed, const json_t *list, GError **error)
{
	size_t n = json_array_size(list);
	struct leftover *leftovers = ARENA_ARRAY(observed->arena, struct leftover, n);
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(list, i);
		const char *key, *site;
		gint64 incarnation;
		if (!json_get_string(item, "key", &key, "leftover", error) || !json_get_string(item, "site", &site, "leftover", error) ||
		    !json_get_int(item, "incarnation", &incarnation, "leftover", error))
			return false;
		if (!key_is_valid(key) || !kind_of_key(key) || incarnation < 1 || incarnation > G_MAXINT32) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "leftover: %.100s, incarnation %" G_GINT64_FORMAT
				    ", is none", key, incarnation);
			return false;
		}
		leftovers[i] = (struct leftover) {
			.key = arena_strdup(observed->arena, key),
			.site = arena_strdup(observed->arena, site),
			.incarnation = (unsigned) incarnation,
		};
	}
	observed->leftovers = leftovers;
	observed->n_leftovers = n;
	return true;
}

struct observed *world_empty(void)
{
	struct arena *arena = arena_new();
	struct observed *observed = ARENA_NEW(arena, struct observed);
	observed->arena = arena;
	return observed;
}

bool world_from_json(const json_t *json, struct observed **ret_observed, struct objects *ret_last, GError **error)
{
	json_t *seen, *last, *objects, *strangers, *blind;
	auto_ptr(observed) observed = world_empty();
	if (!json_get_object(json, "observed", &seen, "document", error) || !json_get_array(json, "last", &last, "document", error) ||
	    !json_get_array(seen, "objects", &objects, "observed", error) ||
	    !json_get_array(seen, "strangers", &strangers, "observed", error) ||
	    !json_get_array(seen, "blind", &blind, "observed", error))
		return false;
	observed->wall_us = json_opt_int(seen, "wall", 0);
	if (!objects_from_json(observed->arena, objects, &observed->objects, error) ||
	    !objects_from_json(observed->arena, last, ret_last, error) || !strangers_from_json(observed, strangers, error) ||
	    !blind_from_json(observed, blind, error) ||
	    !leftovers_from_json(observed, json_object_get(seen, "leftovers"), error))
		return false;
	*ret_observed = g_steal_pointer(&observed);
	return true;
}

struct observed *world_assume(const struct network *network)
{
	struct observed *observed = world_empty();
	arena_adopt(observed->arena, network->arena);
	observed->objects = network->objects;
	return observed;
}
