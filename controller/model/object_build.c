#include "model/key.h"
#include "model/object.h"
#include "model/private.h"

#include <string.h>

struct object_builder {
	struct arena *arena;
	struct object object;
	GArray *fields;     /* of struct field, in order of setting */
	GPtrArray *depends; /* const char * */
};

struct object_builder *object_builder_new(struct arena *arena, const char *key, const char *site, struct origin origin)
{
	const struct kind *kind = kind_of_key(key);
	g_assert(kind && key_is_valid(key));
	struct object_builder *builder = g_new0(struct object_builder, 1);
	builder->arena = arena;
	builder->object = (struct object) { .key = arena_strdup(arena, key), .kind = kind, .site = arena_strdup(arena, site),
					    .origin = origin };
	builder->fields = g_array_new(FALSE, FALSE, sizeof(struct field));
	builder->depends = g_ptr_array_new();
	return builder;
}

static int value_order(const void *a, const void *b)
{
	return value_compare(*(const struct value *const *) a, *(const struct value *const *) b);
}

const struct value *value_as_set(struct arena *arena, const struct value *value)
{
	if (value->type != VALUE_LIST || value->list.n < 2)
		return value;
	const struct value **items = arena_memdup(arena, value->list.items, value->list.n * sizeof(*items));
	qsort(items, value->list.n, sizeof(*items), value_order);
	size_t n = 0;
	for (size_t i = 0; i < value->list.n; i++)
		if (!n || value_compare(items[n - 1], items[i]) != 0)
			items[n++] = items[i];
	return value_list(arena, items, n);
}

void object_set(struct object_builder *builder, const char *path, const struct value *value, struct origin origin)
{
	const struct field_spec *spec = kind_spec(builder->object.kind, path);
	g_assert(spec);
	struct field field = { .path = arena_strdup(builder->arena, path), .value = value, .origin = origin, .spec = spec };
	if (spec->shape == FIELD_SET)
		field.value = value_as_set(builder->arena, value);
	g_array_append_val(builder->fields, field);
}

void object_set_string(struct object_builder *builder, const char *path, const char *string, struct origin origin)
{
	if (string)
		object_set(builder, path, value_string(builder->arena, string), origin);
}

void object_set_int(struct object_builder *builder, const char *path, gint64 integer, struct origin origin)
{
	object_set(builder, path, value_integer(builder->arena, integer), origin);
}

void object_set_bool(struct object_builder *builder, const char *path, bool boolean, struct origin origin)
{
	object_set(builder, path, value_bool(boolean), origin);
}

void object_depends_on(struct object_builder *builder, const char *key)
{
	g_ptr_array_add(builder->depends, arena_strdup(builder->arena, key));
}

void object_set_incarnation(struct object_builder *builder, unsigned incarnation)
{
	builder->object.incarnation = incarnation;
}

void object_set_descriptor(struct object_builder *builder, const char *descriptor)
{
	builder->object.descriptor = arena_strdup(builder->arena, descriptor);
}

/* The later of two fields with one path was set later: its pointer into the array is higher. */
static int field_order(const void *a, const void *b)
{
	const struct field *left = *(const struct field *const *) a, *right = *(const struct field *const *) b;
	int order = strcmp(left->path, right->path);
	return order ? order : left < right ? -1 : left > right;
}

static void build_fields(struct object_builder *builder)
{
	size_t n = builder->fields->len, used = 0;
	g_autofree const struct field **sorted = g_new(const struct field *, n + 1);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &g_array_index(builder->fields, struct field, i);
	if (n)
		qsort(sorted, n, sizeof(*sorted), field_order);
	struct field *fields = ARENA_ARRAY(builder->arena, struct field, n);
	for (size_t i = 0; i < n; i++) {
		bool replaced = i + 1 < n && strcmp(sorted[i]->path, sorted[i + 1]->path) == 0;
		if (!replaced && sorted[i]->value->type != VALUE_ABSENT)
			fields[used++] = *sorted[i];
	}
	builder->object.fields = fields;
	builder->object.n_fields = used;
}

int string_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void build_depends(struct object_builder *builder)
{
	size_t n = builder->depends->len, used = 0;
	const char **depends = arena_memdup(builder->arena, builder->depends->pdata, n * sizeof(*depends));
	if (n)
		qsort(depends, n, sizeof(*depends), string_order);
	for (size_t i = 0; i < n; i++)
		if (!used || strcmp(depends[used - 1], depends[i]) != 0)
			depends[used++] = depends[i];
	builder->object.depends = depends;
	builder->object.n_depends = used;
}

const struct object *object_build(struct object_builder *builder)
{
	build_fields(builder);
	build_depends(builder);
	const struct object *object = arena_memdup(builder->arena, &builder->object, sizeof(builder->object));
	g_array_unref(builder->fields);
	g_ptr_array_unref(builder->depends);
	g_free(builder);
	return object;
}
