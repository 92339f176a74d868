#include "tosca/internal.h"

#include <string.h>

const struct tvalue value_later = { .type = TV_NULL };

const struct tvalue *tvalue_get(const struct tvalue *map, const char *key)
{
	if (!map || map->type != TV_MAP)
		return NULL;
	for (size_t i = 0; i < map->map.n; i++)
		if (!strcmp(map->map.keys[i], key))
			return map->map.items[i];
	return NULL;
}

const char *tvalue_string(const struct tvalue *value, const char *fallback)
{
	return value && value->type == TV_STRING ? value->string : fallback;
}

gint64 tvalue_int(const struct tvalue *value, gint64 fallback)
{
	return value && value->type == TV_INTEGER ? value->integer : fallback;
}

bool tvalue_bool(const struct tvalue *value, bool fallback)
{
	return value && value->type == TV_BOOL ? value->boolean : fallback;
}

const struct tvalue *tnamed_get(struct tnamed_list list, const char *name)
{
	for (size_t i = 0; i < list.n; i++)
		if (!strcmp(list.items[i].name, name))
			return list.items[i].value;
	return NULL;
}

const char *ttype_name(const struct ttype *type)
{
	return type->name;
}

enum tshape ttype_property_shape(const struct ttype *type, const char *property)
{
	const struct property *found = properties_find(type->properties, property);

	switch (found && found->schema ? found->schema->base : BASE_ANY) {
	case BASE_STRING:
	case BASE_INTEGER:
	case BASE_FLOAT:
	case BASE_BOOLEAN:
	case BASE_TIMESTAMP:
	case BASE_VERSION:
	case BASE_SIZE:
	case BASE_TIME:
	case BASE_FREQUENCY:
	case BASE_BITRATE:
		return TSHAPE_ONE;
	case BASE_LIST:
		return TSHAPE_LIST;
	case BASE_ANY:
	case BASE_NULL:
	case BASE_RANGE:
	case BASE_MAP:
	case BASE_DATA:
		return TSHAPE_ANY;
	}
	g_assert_not_reached();
}

bool ttype_is_a(const struct ttype *type, const char *name)
{
	for (; type; type = type->parent)
		if (!strcmp(type->name, name))
			return true;
	return false;
}

bool tnode_is_a(const struct tnode *node, const char *type)
{
	return ttype_is_a(node->type, type);
}

const struct tvalue *tnode_property(const struct tnode *node, const char *name)
{
	return tnamed_get(node->properties, name);
}

const struct tcapability *tnode_capability(const struct tnode *node, const char *name)
{
	for (size_t i = 0; i < node->n_capabilities; i++)
		if (!strcmp(node->capabilities[i].name, name))
			return &node->capabilities[i];
	return NULL;
}

const struct trequirement *tnode_requirement(const struct tnode *node, const char *name)
{
	for (size_t i = 0; i < node->n_requirements; i++)
		if (!strcmp(node->requirements[i].name, name))
			return &node->requirements[i];
	return NULL;
}

const struct toperation *tnode_operation(const struct tnode *node, const char *interface, const char *name)
{
	for (size_t i = 0; i < node->n_operations; i++)
		if (!strcmp(node->operations[i].interface, interface) && !strcmp(node->operations[i].name, name))
			return &node->operations[i];
	return NULL;
}

const struct tnode *ttopology_node(const struct ttopology *topology, const char *name)
{
	const struct template *template = (const struct template *) topology->of;
	size_t low = 0, high = topology->n_nodes;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct tnode *node = &topology->nodes[template->by_name[middle]];
		int order = strcmp(node->name, name);
		if (!order)
			return node;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct tvalue *value_new(struct eval *eval, enum ttype_of type, struct origin origin)
{
	struct tvalue *value = ARENA_NEW(eval->arena, struct tvalue);
	value->type = type;
	value->origin = origin;
	return value;
}

char *tvalue_text(struct arena *arena, const struct tvalue *value)
{
	if (value->text)
		return arena_strdup(arena, value->text);
	switch (value->type) {
	case TV_NULL:
		return arena_strdup(arena, "null");
	case TV_BOOL:
		return arena_strdup(arena, value->boolean ? "true" : "false");
	case TV_INTEGER:
		return arena_printf(arena, "%" G_GINT64_FORMAT, value->integer);
	case TV_FLOAT: {
		char text[G_ASCII_DTOSTR_BUF_SIZE];
		g_ascii_formatd(text, sizeof(text), "%.15g", value->number);
		return arena_strdup(arena, text);
	}
	case TV_STRING:
		return arena_strdup(arena, value->string);
	case TV_LIST:
		return arena_strdup(arena, "a list");
	case TV_MAP:
		return arena_strdup(arena, "a map");
	case TV_FUNCTION:
		return arena_printf(arena, "a %s function", value->function.name);
	}
	g_assert_not_reached();
}

const char *text_shown(struct arena *arena, const char *text)
{
	enum { SHOWN_MAX = 80 };
	if (g_utf8_strlen(text, -1) <= SHOWN_MAX)
		return text;
	const char *end = g_utf8_offset_to_pointer(text, SHOWN_MAX);
	return arena_printf(arena, "%.*s…", (int) (end - text), text);
}

const char *value_quote(struct arena *arena, const struct tvalue *value)
{
	if (value->type != TV_STRING)
		return tvalue_text(arena, value);
	return arena_printf(arena, "\"%s\"", text_shown(arena, value->string));
}
