#include "ems/drivers.h"

#include "base/clock.h"
#include "ems/guard.h"

#include <pthread.h>

/* Whoever has asked for a handle has called it by then. */
enum { LINGER_S = 60 };

struct place {
	struct arena *arena;
	const struct site *site;
	char *digest;      /* of the site's description: a changed one is opened anew */
	GHashTable *opened; /* name of an EMS → struct ems, guarded */
	gint64 left_us;     /* when it was taken away; 0: it is not */
};

struct ems_drivers {
	const struct registry *registry;
	struct rules *rules;
	pthread_mutex_t lock; /* of what is below: workers open handles */
	GHashTable *places;   /* name of the site → struct place */
	GPtrArray *former;    /* struct place: taken away, not yet closed */
};

static void close_ems(gpointer data)
{
	guard_free(data);
}

static void place_free(gpointer data)
{
	struct place *place = data;
	g_hash_table_unref(place->opened);
	arena_unref(place->arena);
	g_free(place->digest);
	g_free(place);
}

static GHashTable *places_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, NULL, place_free);
}

struct ems_drivers *ems_drivers_new(const struct registry *registry)
{
	struct ems_drivers *drivers = g_new0(struct ems_drivers, 1);
	drivers->registry = registry;
	drivers->rules = rules_new();
	pthread_mutex_init(&drivers->lock, NULL);
	drivers->places = places_new();
	drivers->former = g_ptr_array_new_with_free_func(place_free);
	return drivers;
}

void ems_drivers_free(struct ems_drivers *drivers)
{
	if (!drivers)
		return;
	g_hash_table_unref(drivers->places);
	g_ptr_array_unref(drivers->former);
	rules_free(drivers->rules);
	pthread_mutex_destroy(&drivers->lock);
	g_free(drivers);
}

static struct place *place_new(const json_t *json, char *digest)
{
	struct place *place = g_new0(struct place, 1);
	place->arena = arena_new();
	place->digest = digest;
	place->site = site_from_json(place->arena, json, NULL);
	g_assert(place->site); /* made by site_to_json() */
	place->opened = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, close_ems);
	return place;
}

static bool is_busy(const struct place *place)
{
	GHashTableIter iter;
	gpointer guard;
	bool busy = false;
	g_hash_table_iter_init(&iter, place->opened);
	while (!busy && g_hash_table_iter_next(&iter, NULL, &guard))
		busy = guard_is_busy(guard);
	return busy;
}

/* Takes away what is left in @places, and closes what was taken away long ago. */
static void retire(struct ems_drivers *drivers, GHashTable *places)
{
	gint64 now_us = clock_monotonic_us();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, places);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		((struct place *) value)->left_us = now_us;
		g_ptr_array_add(drivers->former, value);
		g_hash_table_iter_steal(&iter);
	}
	for (guint i = drivers->former->len; i-- > 0;) {
		const struct place *place = g_ptr_array_index(drivers->former, i);
		if (now_us - place->left_us > LINGER_S * G_USEC_PER_SEC && !is_busy(place))
			g_ptr_array_remove_index_fast(drivers->former, i);
	}
}

void ems_drivers_set_sites(struct ems_drivers *drivers, const struct site *const *sites, size_t n)
{
	pthread_mutex_lock(&drivers->lock);
	g_autoptr(GHashTable) former = drivers->places;
	drivers->places = places_new();
	for (size_t i = 0; i < n; i++) {
		g_autoptr(json_t) json = site_to_json(sites[i]);
		g_autofree char *digest = json_text(json, 0);
		struct place *place = g_hash_table_lookup(former, sites[i]->name);
		if (place && g_str_equal(place->digest, digest))
			g_hash_table_steal(former, sites[i]->name);
		else
			place = place_new(json, g_steal_pointer(&digest));
		g_hash_table_replace(drivers->places, (gpointer) (guintptr) place->site->name, place);
	}
	retire(drivers, former);
	pthread_mutex_unlock(&drivers->lock);
}

void ems_drivers_set_rules(struct ems_drivers *drivers, const struct network *network)
{
	rules_set(drivers->rules, network);
}

static struct ems *open_one(struct ems_drivers *drivers, struct place *place, const char *name, GError **error)
{
	struct ems *known = g_hash_table_lookup(place->opened, name);
	if (known)
		return known;
	const struct driver_ref *ref = site_ems(place->site, name);
	if (!ref) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "site %s has no EMS \"%s\"", place->site->name, name);
		return NULL;
	}
	const struct ems_ops *ops = registry_ems(drivers->registry, ref->driver);
	if (!ops) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "site %s, EMS %s: there is no EMS driver \"%s\"",
			    place->site->name, name, ref->driver);
		return NULL;
	}
	struct ems *ems = ops->open(place->site, ref, error);
	if (!ems)
		return NULL;
	struct ems *guard = guard_new(ems, ops, ref->name, drivers->rules);
	g_hash_table_insert(place->opened, (gpointer) (guintptr) ref->name, guard);
	return guard;
}

struct ems *ems_drivers_open(struct ems_drivers *drivers, const char *site, const char *name, const struct ems_ops **ret_ops,
			     GError **error)
{
	pthread_mutex_lock(&drivers->lock);
	struct place *place = g_hash_table_lookup(drivers->places, site);
	struct ems *ems = place ? open_one(drivers, place, name, error) : NULL;
	if (!place)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "site %s is not described anywhere", site);
	if (ems)
		*ret_ops = guard_ops(ems);
	pthread_mutex_unlock(&drivers->lock);
	return ems;
}
