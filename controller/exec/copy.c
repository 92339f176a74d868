#include "exec/internal.h"

const struct object object_gone;

const struct access *access_copy(struct arena *arena, const struct access *access)
{
	struct access *copy = ARENA_NEW(arena, struct access);
	copy->key = arena_strdup(arena, access->key);
	copy->transport = arena_strdup(arena, access->transport);
	copy->address = arena_strdup(arena, access->address);
	copy->secret = arena_strdup(arena, access->secret);
	return copy;
}

void accesses_keep(struct observed *ret, const struct access *accesses, size_t n, const struct observed *former)
{
	g_autofree struct arena **homes = g_new(struct arena *, n + 1);
	for (size_t i = 0; i < n; i++)
		homes[i] = accesses[i].home;
	struct shelves *shelves = shelves_new(homes, n, former ? former->access_shelves : NULL);
	arena_adopt(ret->arena, shelves_arena(shelves));
	shelves_unref(shelves); /* kept by @ret's arena, in which it is */
	ret->accesses = accesses;
	ret->n_accesses = n;
	ret->access_shelves = shelves;
}

const struct object *object_with_incarnation(struct arena *arena, const struct object *object, unsigned incarnation)
{
	if (object->incarnation == incarnation)
		return object;
	struct object *other = arena_memdup(arena, object, sizeof(*object));
	other->incarnation = incarnation;
	return other;
}
