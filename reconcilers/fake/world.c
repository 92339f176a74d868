#include "fake/private.h"

#include "model/key.h"

#include <string.h>

/* --- worlds by name ------------------------------------------------------------------------------------------------------ */

static pthread_mutex_t worlds_mutex = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *worlds;

static struct fake_world *find(const char *name)
{
	for (guint i = 0; worlds && i < worlds->len; i++)
		if (!strcmp(((struct fake_world *) worlds->pdata[i])->name, name))
			return worlds->pdata[i];
	return NULL;
}

static void stranger_free(gpointer data)
{
	struct stranger_thing *stranger = data;
	g_free(stranger->site);
	g_free(stranger->what);
	g_free(stranger->place);
	g_free(stranger);
}

static void thing_free(gpointer data)
{
	struct thing *thing = data;
	g_free(thing->owner);
	g_free(thing->site);
	g_free(thing->key);
	thing_set_nf(thing, NULL);
	g_clear_pointer(&thing->arena, arena_unref);
	g_free(thing);
}

struct fake_world *fake_world_new(const char *name)
{
	struct fake_world *world = g_new0(struct fake_world, 1);
	world->name = g_strdup(name ? name : FAKE_WORLD_DEFAULT);
	pthread_mutex_init(&world->mutex, NULL);
	world->things = g_ptr_array_new_with_free_func(thing_free);
	world->strangers = g_ptr_array_new_with_free_func(stranger_free);
	world->faults = g_ptr_array_new_with_free_func(fault_free);
	world->made = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	world->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	world->at_once = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	world->lacking = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	world->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	world->vims = g_ptr_array_new();
	world->next_pid = 1000;
	pthread_mutex_lock(&worlds_mutex);
	if (!worlds)
		worlds = g_ptr_array_new();
	g_assert(!find(world->name));
	g_ptr_array_add(worlds, world);
	pthread_mutex_unlock(&worlds_mutex);
	return world;
}

void fake_world_free(struct fake_world *world)
{
	if (!world)
		return;
	pthread_mutex_lock(&worlds_mutex);
	g_assert(world->handles == 0);
	g_ptr_array_remove(worlds, world);
	if (!worlds->len)
		g_clear_pointer(&worlds, g_ptr_array_unref);
	pthread_mutex_unlock(&worlds_mutex);
	g_ptr_array_unref(world->things);
	g_ptr_array_unref(world->strangers);
	g_ptr_array_unref(world->faults);
	g_ptr_array_unref(world->vims);
	g_hash_table_unref(world->lacking);
	g_hash_table_unref(world->refused);
	g_hash_table_unref(world->made);
	g_hash_table_unref(world->busy);
	g_hash_table_unref(world->at_once);
	g_clear_pointer(&world->random, g_rand_free);
	pthread_mutex_destroy(&world->mutex);
	g_free(world->name);
	g_free(world);
}

struct fake_world *fake_world_find(const char *endpoint, GError **error)
{
	const char *name = endpoint && *endpoint ? endpoint : FAKE_WORLD_DEFAULT;
	pthread_mutex_lock(&worlds_mutex);
	struct fake_world *world = find(name);
	if (world)
		world->handles++;
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "there is no world \"%s\" in this process", name);
	pthread_mutex_unlock(&worlds_mutex);
	return world;
}

void fake_world_release(struct fake_world *world)
{
	pthread_mutex_lock(&worlds_mutex);
	world->handles--;
	pthread_mutex_unlock(&worlds_mutex);
}

/* --- what is in it ------------------------------------------------------------------------------------------------------- */

static bool is_at(const struct thing *thing, const char *owner, const char *site, const char *key)
{
	return (!owner || !strcmp(thing->owner, owner)) && !strcmp(thing->site, site) && !strcmp(thing->key, key);
}

struct thing *world_link(struct fake_world *world, const char *owner, const char *site, const char *key)
{
	for (guint i = 0; key && i < world->things->len; i++) {
		struct thing *thing = world->things->pdata[i];
		if (thing->link && is_at(thing, owner, site, key))
			return thing;
	}
	return NULL;
}

struct thing *world_vnfc(struct fake_world *world, const char *owner, const char *site, const char *key, unsigned incarnation)
{
	for (guint i = 0; i < world->things->len; i++) {
		struct thing *thing = world->things->pdata[i];
		if (thing->vnfc && thing->vnfc->incarnation == incarnation && is_at(thing, owner, site, key))
			return thing;
	}
	return NULL;
}

bool thing_is_alive(const struct thing *thing)
{
	return thing->link ? thing->link->up : thing->vnfc->state == VNFC_RUNNING;
}

static unsigned incarnation_of(const struct thing *thing)
{
	return thing->link ? thing->link->incarnation : thing->vnfc->incarnation;
}

struct thing *world_current(struct fake_world *world, const char *site, const char *key)
{
	struct thing *best = NULL;
	for (guint i = 0; i < world->things->len; i++) {
		struct thing *thing = world->things->pdata[i];
		if (!is_at(thing, NULL, site, key))
			continue;
		bool better = !best || (thing_is_alive(thing) != thing_is_alive(best) ? thing_is_alive(thing)
											: incarnation_of(thing) > incarnation_of(best));
		if (better)
			best = thing;
	}
	return best;
}

struct thing *world_thing(struct fake_world *world, unsigned id)
{
	for (guint i = 0; i < world->things->len; i++)
		if (((struct thing *) world->things->pdata[i])->id == id)
			return world->things->pdata[i];
	return NULL;
}

struct thing *world_add(struct fake_world *world, const char *owner, const char *site, const char *key)
{
	struct thing *thing = g_new0(struct thing, 1);
	thing->id = ++world->next_id;
	thing->owner = g_strdup(owner);
	thing->site = g_strdup(site);
	thing->key = g_strdup(key);
	thing->arena = arena_new();
	g_ptr_array_add(world->things, thing);
	return thing;
}

void world_drop(struct fake_world *world, struct thing *thing)
{
	g_ptr_array_remove(world->things, thing);
}

bool world_has_stranger_at(struct fake_world *world, const char *site, const char *key)
{
	for (guint i = 0; i < world->strangers->len; i++) {
		const struct stranger_thing *stranger = world->strangers->pdata[i];
		if (!strcmp(stranger->site, site) && !g_strcmp0(stranger->place, key))
			return true;
	}
	return false;
}

void thing_set_link(struct thing *thing, const struct link *link)
{
	struct arena *arena = arena_new();
	thing->link = link_copy(arena, link);
	arena_unref(thing->arena);
	thing->arena = arena;
}

void thing_set_vnfc(struct thing *thing, const struct vnfc *vnfc)
{
	struct arena *arena = arena_new();
	thing->vnfc = vnfc_copy(arena, vnfc);
	arena_unref(thing->arena);
	thing->arena = arena;
}

void thing_set_nf(struct thing *thing, const struct nf *nf)
{
	struct fake_nf *old = thing->nf;
	thing->nf = NULL;
	if (nf) {
		thing->nf = g_new0(struct fake_nf, 1);
		thing->nf->arena = arena_new();
		thing->nf->nf = *nf_copy(thing->nf->arena, nf);
	}
	if (old) {
		arena_unref(old->arena);
		g_free(old);
	}
}

/* --- looking in ---------------------------------------------------------------------------------------------------------- */

struct fake_counts fake_world_counts(struct fake_world *world)
{
	pthread_mutex_lock(&world->mutex);
	struct fake_counts counts = world->counts;
	pthread_mutex_unlock(&world->mutex);
	return counts;
}

void fake_world_reset_counts(struct fake_world *world)
{
	pthread_mutex_lock(&world->mutex);
	memset(&world->counts, 0, sizeof(world->counts));
	g_hash_table_remove_all(world->made);
	pthread_mutex_unlock(&world->mutex);
}

const struct link *fake_world_link(struct fake_world *world, const char *site, const char *key, struct arena *arena)
{
	pthread_mutex_lock(&world->mutex);
	const struct thing *thing = world_current(world, site, key);
	const struct link *link = thing && thing->link ? link_copy(arena, thing->link) : NULL;
	pthread_mutex_unlock(&world->mutex);
	return link;
}

const struct vnfc *fake_world_vnfc(struct fake_world *world, const char *site, const char *key, struct arena *arena)
{
	pthread_mutex_lock(&world->mutex);
	const struct thing *thing = world_current(world, site, key);
	const struct vnfc *vnfc = thing && thing->vnfc ? vnfc_copy(arena, thing->vnfc) : NULL;
	pthread_mutex_unlock(&world->mutex);
	return vnfc;
}

const struct nf *fake_world_nf(struct fake_world *world, const char *site, const char *key, struct arena *arena)
{
	pthread_mutex_lock(&world->mutex);
	const struct thing *thing = world_current(world, site, key_of_kind(arena, key, "vnfc"));
	const struct nf *nf = thing && thing->nf ? nf_copy(arena, &thing->nf->nf) : NULL;
	pthread_mutex_unlock(&world->mutex);
	return nf;
}

size_t fake_world_incarnations(struct fake_world *world, const char *site, const char *key)
{
	size_t n = 0;
	pthread_mutex_lock(&world->mutex);
	for (guint i = 0; i < world->things->len; i++)
		n += is_at(world->things->pdata[i], NULL, site, key);
	pthread_mutex_unlock(&world->mutex);
	return n;
}

static int text_order(gconstpointer a, gconstpointer b)
{
	const char *const *left = a, *const *right = b;
	return strcmp(*left, *right);
}

static bool is_kept(const char *const *keep, GHashTable *met, const char *site, const char *key)
{
	if (!keep || !g_strv_contains(keep, key))
		return false;
	return g_hash_table_add(met, g_strdup_printf("%s %s", site, key)); /* a second one is too many */
}

GPtrArray *fake_world_leaks(struct fake_world *world, const char *owner, const char *const *keep)
{
	GPtrArray *leaks = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GHashTable) met = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	pthread_mutex_lock(&world->mutex);
	for (guint i = 0; i < world->things->len; i++) {
		const struct thing *thing = world->things->pdata[i];
		if (strcmp(thing->owner, owner))
			continue;
		if (thing->half || !is_kept(keep, met, thing->site, thing->key))
			g_ptr_array_add(leaks, g_strdup_printf("%s %u%s", thing->key, incarnation_of(thing), thing->half ? " (half)" : ""));
		if (thing->nf && !is_kept(keep, met, thing->site, thing->nf->nf.key))
			g_ptr_array_add(leaks, g_strdup(thing->nf->nf.key));
	}
	pthread_mutex_unlock(&world->mutex);
	g_ptr_array_sort(leaks, text_order);
	return leaks;
}
