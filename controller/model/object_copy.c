#include "model/object.h"

static struct origin origin_copy(struct arena *arena, struct origin origin)
{
	origin.file = arena_strdup(arena, origin.file);
	return origin;
}

const struct object *object_copy(struct arena *arena, const struct object *object)
{
	struct object *copy = arena_memdup(arena, object, sizeof(*object));
	struct field *fields = ARENA_ARRAY(arena, struct field, object->n_fields);
	const char **depends = ARENA_ARRAY(arena, const char *, object->n_depends);
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct field *field = &object->fields[i];
		fields[i] = (struct field) {
			.path = arena_strdup(arena, field->path),
			.value = value_copy(arena, field->value),
			.origin = origin_copy(arena, field->origin),
			.spec = field->spec,
		};
	}
	for (size_t i = 0; i < object->n_depends; i++)
		depends[i] = arena_strdup(arena, object->depends[i]);
	copy->key = arena_strdup(arena, object->key);
	copy->site = arena_strdup(arena, object->site);
	copy->descriptor = arena_strdup(arena, object->descriptor);
	copy->origin = origin_copy(arena, object->origin);
	copy->fields = fields;
	copy->depends = depends;
	return copy;
}
