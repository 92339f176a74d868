/* What is fixed for one and still held by another that goes: an address, a MAC. Whoever takes it over has to wait for that.
 *
 * Only removals are waited for: they never wait for what is made, so this makes no circles.
 */
#include "plan/internal.h"

#include <string.h>

/* "SITE LINK VALUE": on another link the same address is another one. Owned by the caller. */
static char *claim(const struct object *object, const char *path, const char *text)
{
	size_t length = (size_t) (strrchr(path, '.') - path);
	g_autofree char *beside = g_strdup_printf("%.*s.link", (int) length, path);
	return g_strdup_printf("%s %s %s", object->site, object_string(object, beside, ""), text);
}

/* Calls @each with every claim that @object has on what is otherwise allocated; @each owns it. */
static void each_claim(const struct object *object, void (*each)(char *claim, void *data), void *data)
{
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct field *field = &object->fields[i];
		const struct value *value = field->value;
		if (!(field->spec->flags & FIELD_ALLOCATED) || !strchr(field->path, '.'))
			continue;
		if (value->type == VALUE_STRING)
			each(claim(object, field->path, value->string), data);
		for (size_t j = 0; value->type == VALUE_LIST && j < value->list.n; j++)
			if (value->list.items[j]->type == VALUE_STRING)
				each(claim(object, field->path, value->list.items[j]->string), data);
	}
}

struct claims {
	GHashTable *held; /* claim to item + 1 */
	size_t item;
	void (*found)(size_t after, size_t before, void *data);
	void *data;
};

static void hold(char *claim, void *data)
{
	struct claims *claims = data;
	g_hash_table_replace(claims->held, claim, GSIZE_TO_POINTER(claims->item + 1));
}

static void look_up(char *claim, void *data)
{
	struct claims *claims = data;
	size_t holder = GPOINTER_TO_SIZE(g_hash_table_lookup(claims->held, claim));
	if (holder && holder - 1 != claims->item)
		claims->found(claims->item, holder - 1, claims->data);
	g_free(claim);
}

void conflicts(const struct planner *planner, void (*found)(size_t after, size_t before, void *data), void *data)
{
	g_autoptr(GHashTable) held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	struct claims claims = { held, 0, found, data };
	for (; claims.item < planner->n_items; claims.item++) {
		const struct item *item = &planner->items[claims.item];
		if (item->fate == FATE_STEP && item->action == ACTION_REMOVE)
			each_claim(item->observed, hold, &claims);
	}
	for (claims.item = 0; g_hash_table_size(held) && claims.item < planner->n_items; claims.item++)
		if (item_is_forward(&planner->items[claims.item]))
			each_claim(planner->items[claims.item].desired, look_up, &claims);
}
