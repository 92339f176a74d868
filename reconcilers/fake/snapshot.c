#include "fake/private.h"

#include "model/world.h"

#include <string.h>

static void put_objects(struct fake_world *world, const char *owner, struct arena *arena, GPtrArray *objects)
{
	for (guint i = 0; i < world->things->len; i++) {
		const struct thing *thing = world->things->pdata[i];
		if (strcmp(thing->owner, owner) || world_current(world, thing->site, thing->key) != thing)
			continue;
		const struct object *object = thing->link ? link_to_object(arena, thing->link) : vnfc_to_object(arena, thing->vnfc);
		g_ptr_array_add(objects, UNCONST(object));
		if (thing->nf)
			g_ptr_array_add(objects, UNCONST(nf_to_object(arena, nf_as_seen(arena, &thing->nf->nf))));
	}
}

json_t *fake_world_to_json(struct fake_world *world, const char *owner, struct objects last)
{
	auto_ptr(observed) observed = world_empty();
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	pthread_mutex_lock(&world->mutex);
	put_objects(world, owner, observed->arena, objects);
	struct stranger *strangers = ARENA_ARRAY(observed->arena, struct stranger, world->strangers->len);
	for (guint i = 0; i < world->strangers->len; i++) {
		const struct stranger_thing *stranger = world->strangers->pdata[i];
		strangers[i].site = arena_strdup(observed->arena, stranger->site);
		strangers[i].what = arena_strdup(observed->arena, stranger->what);
	}
	observed->strangers = strangers;
	observed->n_strangers = world->strangers->len;
	pthread_mutex_unlock(&world->mutex);
	observed->objects = objects_sorted(observed->arena, (const struct object *const *) objects->pdata, objects->len);
	return world_to_json(observed, last);
}
