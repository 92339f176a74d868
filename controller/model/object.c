#include "model/object.h"

#include "model/private.h"

#include <string.h>

const struct field *object_field(const struct object *object, const char *path)
{
	size_t low = 0, high = object->n_fields;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, object->fields[middle].path);
		if (order == 0)
			return &object->fields[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct value *object_value(const struct object *object, const char *path)
{
	const struct field *field = object_field(object, path);
	return field ? field->value : &value_absent;
}

gint64 object_int(const struct object *object, const char *path, gint64 fallback)
{
	const struct value *value = object_value(object, path);
	gint64 integer = fallback;
	if (value->type == VALUE_INTEGER)
		return value->integer;
	if (value->type == VALUE_FLOAT && value_float_is_integer(value->number, &integer))
		return integer;
	return fallback;
}

const char *object_string(const struct object *object, const char *path, const char *fallback)
{
	const struct value *value = object_value(object, path);
	return value->type == VALUE_STRING ? value->string : fallback;
}

const char *const *object_elements(struct arena *arena, const struct object *object, const char *prefix, size_t *ret_n)
{
	size_t length = strlen(prefix), n = 0, last_length = 0;
	const char *last = NULL;
	const char **names = ARENA_ARRAY(arena, const char *, object->n_fields);
	for (size_t i = 0; i < object->n_fields; i++) {
		const char *path = object->fields[i].path;
		if (strncmp(path, prefix, length) != 0 || path[length] != '.')
			continue;
		const char *name = path + length + 1;
		size_t name_length = strcspn(name, ".");
		/* "cp.a-b.mtu" sorts before "cp.a.mtu", but the fields of one element still follow one another. */
		if (last && last_length == name_length && memcmp(last, name, name_length) == 0)
			continue;
		last = name;
		last_length = name_length;
		names[n++] = arena_strndup(arena, name, name_length);
	}
	if (n)
		qsort(names, n, sizeof(*names), string_order);
	*ret_n = n;
	return names;
}

const char *object_digest(struct arena *arena, const struct object *object)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(sum, (const guchar *) object->key, (gssize) strlen(object->key) + 1);
	g_checksum_update(sum, (const guchar *) object->site, (gssize) strlen(object->site) + 1);
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct field *field = &object->fields[i];
		if (field->spec->flags & FIELD_VOLATILE)
			continue;
		g_checksum_update(sum, (const guchar *) field->path, (gssize) strlen(field->path) + 1);
		value_hash(field->value, sum);
	}
	return arena_strdup(arena, g_checksum_get_string(sum));
}

static const struct value *eval_field(struct arena *arena, const struct object *object, const struct field *field,
				      expr_lookup_fn lookup, void *data, GError **error)
{
	const struct value *value = value_eval(arena, field->value, lookup, data, error);
	if (!value)
		g_prefix_error(error, "%s: %s: ", object->key, field->path);
	else if (value != field->value && field->spec->shape == FIELD_SET)
		value = value_as_set(arena, value);
	return value;
}

static void note_read(const char *key, const char *path, void *data)
{
	GPtrArray *keys = data;
	if (keys->len < OBJECT_DEPENDS_MAX)
		g_ptr_array_add(keys, (gpointer) (guintptr) key);
}

/* Appends the keys that @value's expressions read. */
static void note_reads(const struct value *value, GPtrArray *keys)
{
	if (value->type == VALUE_PENDING)
		expr_attributes(value->expr, note_read, keys);
	for (size_t i = 0; value->type == VALUE_LIST && i < value->list.n; i++)
		note_reads(value->list.items[i], keys);
	for (size_t i = 0; value->type == VALUE_MAP && i < value->map.n; i++)
		note_reads(value->map.items[i], keys);
}

/* What was read to evaluate @object is among what it depends on from then on. */
static void depend_on_reads(struct arena *arena, const struct object *object, struct object *evaluated)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	for (size_t i = 0; i < object->n_depends; i++)
		note_read(object->depends[i], NULL, keys);
	for (size_t i = 0; i < object->n_fields; i++)
		note_reads(object->fields[i].value, keys);
	qsort(keys->pdata, keys->len, sizeof(*keys->pdata), string_order);
	const char **depends = ARENA_ARRAY(arena, const char *, keys->len);
	size_t n = 0;
	for (guint i = 0; i < keys->len; i++)
		if (!n || strcmp(depends[n - 1], keys->pdata[i]) != 0)
			depends[n++] = arena_strdup(arena, keys->pdata[i]);
	evaluated->depends = depends;
	evaluated->n_depends = n;
}

const struct object *object_eval(struct arena *arena, const struct object *object, expr_lookup_fn lookup, void *data,
				 GError **error)
{
	g_autofree struct field *fields = g_new(struct field, object->n_fields + 1);
	size_t n = 0;
	bool changed = false;
	for (size_t i = 0; i < object->n_fields; i++) {
		fields[n] = object->fields[i];
		fields[n].value = eval_field(arena, object, &object->fields[i], lookup, data, error);
		if (!fields[n].value)
			return NULL;
		changed |= fields[n].value != object->fields[i].value;
		n += fields[n].value->type != VALUE_ABSENT;
	}
	if (!changed)
		return object;
	struct object *evaluated = arena_memdup(arena, object, sizeof(*object));
	evaluated->fields = arena_memdup(arena, fields, n * sizeof(*fields));
	evaluated->n_fields = n;
	depend_on_reads(arena, object, evaluated);
	return evaluated;
}
