#include "model/network.h"

#include <string.h>

static int object_order(const void *a, const void *b)
{
	return strcmp((*(const struct object *const *) a)->key, (*(const struct object *const *) b)->key);
}

struct objects objects_sorted(struct arena *arena, const struct object *const *items, size_t n)
{
	const struct object **sorted = arena_memdup(arena, items, n * sizeof(*items));
	if (n)
		qsort(sorted, n, sizeof(*sorted), object_order);
	for (size_t i = 1; i < n; i++)
		g_assert(strcmp(sorted[i - 1]->key, sorted[i]->key) != 0);
	return (struct objects) { .items = sorted, .n = n };
}

struct objects objects_at_home(struct arena *arena, const struct object *const *items, struct arena *const *homes, size_t n,
			       struct objects former)
{
	struct shelves *shelves = shelves_new(homes, n, former.shelves);
	arena_adopt(arena, shelves_arena(shelves));
	shelves_unref(shelves); /* @arena keeps it, and it lies in what it keeps */
	return (struct objects) {
		.items = arena_memdup(arena, items, n * sizeof(*items)), .n = n,
		.homes = arena_memdup(arena, homes, n * sizeof(*homes)), .shelves = shelves,
	};
}

struct arena *objects_home(struct objects objects, size_t i, struct arena *otherwise)
{
	return objects.homes && objects.homes[i] ? objects.homes[i] : otherwise;
}

const struct object *objects_find(struct objects objects, const char *key)
{
	size_t low = 0, high = objects.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(key, objects.items[middle]->key);
		if (order == 0)
			return objects.items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void network_unref(struct network *network)
{
	if (network)
		arena_unref(network->arena);
}

struct network *network_ref(struct network *network)
{
	arena_ref(network->arena);
	return network;
}

struct network *network_emptied(const struct network *network)
{
	struct arena *arena = arena_new();
	arena_adopt(arena, network->arena);
	struct network *nothing = ARENA_NEW(arena, struct network);
	*nothing = (struct network) {
		.arena = arena, .revision = network->revision, .owner = network->owner, .sites = network->sites, .n_sites = network->n_sites,
		.access = network->access, .n_access = network->n_access, .drift = network->drift, .n_drift = network->n_drift,
	};
	return nothing;
}

const struct site *network_site(const struct network *network, const char *name)
{
	size_t low = 0, high = network->n_sites;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, network->sites[middle]->name);
		if (order == 0)
			return network->sites[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct observed *observed_ref(struct observed *observed)
{
	arena_ref(observed->arena);
	return observed;
}

void observed_unref(struct observed *observed)
{
	if (observed)
		arena_unref(observed->arena);
}

static int access_order(const void *key, const void *access)
{
	return strcmp(key, ((const struct access *) access)->key);
}

const struct access *observed_access(const struct observed *observed, const char *vnfc_key)
{
	if (!observed->n_accesses)
		return NULL;
	return bsearch(vnfc_key, observed->accesses, observed->n_accesses, sizeof(*observed->accesses), access_order);
}

static int name_order(const void *name, const void *item)
{
	return strcmp(name, *(const char *const *) item);
}

bool observed_is_blind(const struct observed *observed, const char *site)
{
	const char *const *sites = observed->blind.sites;
	return observed->blind.n && bsearch(site, sites, observed->blind.n, sizeof(*sites), name_order);
}

const struct package *network_package(const struct network *network, const char *digest)
{
	size_t low = 0, high = network->n_packages;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(network->packages[middle]->digest, digest) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < network->n_packages && strcmp(network->packages[low]->digest, digest) == 0;
	return found ? network->packages[low] : NULL;
}
