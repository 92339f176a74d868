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

const struct object *object_with_incarnation(struct arena *arena, const struct object *object, unsigned incarnation)
{
	if (object->incarnation == incarnation)
		return object;
	struct object *other = arena_memdup(arena, object, sizeof(*object));
	other->incarnation = incarnation;
	return other;
}
