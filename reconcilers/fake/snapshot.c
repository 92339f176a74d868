#include "fake/private.h"

#include <string.h>

static json_t *object_json(const struct thing *thing)
{
	auto_ptr(arena) arena = arena_new();
	const struct object *object = thing->link ? link_to_object(arena, thing->link) : vnfc_to_object(arena, thing->vnfc);
	return object_to_json(object);
}

static json_t *nf_json(const struct thing *thing)
{
	auto_ptr(arena) arena = arena_new();
	return object_to_json(nf_to_object(arena, &thing->nf->nf));
}

static int key_order(gconstpointer a, gconstpointer b)
{
	const struct thing *const *left = a, *const *right = b;
	return strcmp((*left)->key, (*right)->key);
}

static void put_things(struct fake_world *world, const char *owner, json_t *objects, json_t *leftovers)
{
	g_autoptr(GPtrArray) things = g_ptr_array_new();
	for (guint i = 0; i < world->things->len; i++)
		if (!strcmp(((struct thing *) world->things->pdata[i])->owner, owner))
			g_ptr_array_add(things, world->things->pdata[i]);
	g_ptr_array_sort(things, key_order);
	for (guint i = 0; i < things->len; i++) {
		const struct thing *thing = things->pdata[i];
		if (world_current(world, thing->site, thing->key) != thing) {
			json_array_append_new(leftovers, json_pack("{s:s, s:s, s:i}", "key", thing->key, "site", thing->site, "incarnation",
								   (int) (thing->vnfc ? thing->vnfc->incarnation : 0)));
			continue;
		}
		json_array_append_new(objects, object_json(thing));
		if (thing->nf)
			json_array_append_new(objects, nf_json(thing));
	}
}

json_t *fake_world_to_json(struct fake_world *world, const char *owner)
{
	json_t *objects = json_array(), *strangers = json_array(), *leftovers = json_array();
	g_mutex_lock(&world->mutex);
	put_things(world, owner, objects, leftovers);
	for (guint i = 0; i < world->strangers->len; i++) {
		const struct stranger_thing *stranger = world->strangers->pdata[i];
		json_array_append_new(strangers, json_pack("{s:s, s:s, s:n}", "site", stranger->site, "what", stranger->what, "owner"));
	}
	g_mutex_unlock(&world->mutex);
	return json_pack("{s:o, s:o, s:o}", "objects", objects, "strangers", strangers, "leftovers", leftovers);
}
