#include "tosca/internal.h"

#include <string.h>

/* --- values of data types: properties by name, with defaults ------------------------------------------------------- */

struct filling {
	struct eval *eval;
	struct ttype *type;
	const char **keys;
	const struct tvalue **items;
	size_t n;
	bool ok;
};

static void unknown_property(struct filling *filling, const char *key, struct origin origin)
{
	struct eval *eval = filling->eval;
	struct properties known = filling->type->properties;
	struct diag *diag = diags_error(eval->diags, "unknown-property", origin, "%s \"%s\" has no property \"%s\"",
					kind_name(filling->type->kind),
					filling->type->name, key);
	const char **names = g_new(const char *, known.n + 1);
	for (size_t i = 0; i < known.n; i++)
		names[i] = known.items[i]->name;
	hint_names(eval->unit, eval->diags, diag, key, names, known.n);
	g_free(names);
	filling->ok = false;
}

static void put(struct filling *filling, const char *key, const struct tvalue *value)
{
	filling->ok = filling->ok && value;
	filling->keys[filling->n] = key;
	filling->items[filling->n++] = value;
}

static void put_given(struct filling *filling, const struct tvalue *map)
{
	for (size_t i = 0; i < map->map.n; i++) {
		const struct tvalue *item = map->map.items[i];
		const struct property *property = properties_find(filling->type->properties, map->map.keys[i]);
		if (!property)
			unknown_property(filling, map->map.keys[i], item == &value_later ? map->origin : item->origin);
		else if (item->type != TV_NULL || item == &value_later || property->schema->base == BASE_NULL)
			put(filling, property->name, eval_typed(filling->eval, property->schema, item));
		else
			diag_hint(filling->eval->diags,
				  diags_warning(filling->eval->diags, "null-value", item->origin,
						"\"%s\" has no value; it counts as not given",
						property->name),
				  "leave it out, or give it a value");
	}
}

static bool was_given(const struct tvalue *map, const char *key)
{
	const struct tvalue *item = tvalue_get(map, key);
	return item && (item->type != TV_NULL || item == &value_later);
}

static void put_missing(struct filling *filling, const struct tvalue *map)
{
	struct properties properties = filling->type->properties;
	for (size_t i = 0; i < properties.n; i++) {
		struct property *property = properties.items[i];
		if (was_given(map, property->name))
			continue;
		const struct tvalue *value = property_default(property);
		if (value) {
			filling->ok = eval_spend(filling->eval, property->default_weight, map->origin) && filling->ok;
			put(filling, property->name, value);
		} else if (property->required && !property->default_node) {
			struct diag *diag = diags_error(filling->eval->diags, "missing-property", map->origin,
							"%s \"%s\" wants property \"%s\"",
							kind_name(filling->type->kind), filling->type->name, property->name);
			diag_note(filling->eval->diags, diag, property->origin, "declared here");
			filling->ok = false;
		}
	}
}

/* A data type without any property is open: it is there to be derived from, or to carry what somebody else declares. */
static const struct tvalue *open_data(struct eval *eval, const struct ttype *type, const struct tvalue *value)
{
	static const struct schema any_map = { .base = BASE_MAP, .type_name = "map" };
	const struct tvalue *map = eval_typed(eval, &any_map, value);
	if (!map || map == &value_later)
		return map;
	struct tvalue *named = value_new(eval, TV_MAP, map->origin);
	*named = *map;
	named->data_type = type->name;
	return named;
}

const struct tvalue *eval_data(struct eval *eval, struct ttype *type, const struct tvalue *value)
{
	if (value->type != TV_MAP) {
		diags_error(eval->diags, "wrong-type", value->origin, "%s is not a map with the properties of \"%s\"",
			    value_quote(eval->arena, value), type->name);
		return NULL;
	}
	type_fill(type);
	if (!type->properties.n)
		return open_data(eval, type, value);
	size_t most = value->map.n + type->properties.n;
	struct filling filling = {
		.eval = eval,
		.type = type,
		.keys = ARENA_ARRAY(eval->arena, const char *, most),
		.items = ARENA_ARRAY(eval->arena, const struct tvalue *, most),
		.ok = true,
	};
	put_given(&filling, value);
	put_missing(&filling, value);
	if (!filling.ok)
		return NULL;
	struct tvalue *data = value_new(eval, TV_MAP, value->origin);
	data->data_type = type->name;
	data->map.keys = filling.keys;
	data->map.items = filling.items;
	data->map.n = filling.n;
	return data;
}

const struct tvalue *property_default(struct property *property)
{
	struct unit *unit = property->unit;
	switch (property->state) {
	case DEFAULT_DONE:
		return property->default_value;
	case DEFAULT_DOING:
		unit_fault(unit, "circular-default", property->origin, "the default of \"%s\" needs itself", property->name);
		return NULL;
	case DEFAULT_NEW:
		break;
	}
	property->state = DEFAULT_DOING;
	if (!ynode_is_null(property->default_node)) {
		struct eval eval = { .unit = unit, .arena = unit->arena, .diags = unit->diags, .self = SIZE_MAX };
		const struct tvalue *value = eval_node(&eval, property->schema, property->default_node);
		if (value) {
			struct tvalue *copy = ARENA_NEW(unit->arena, struct tvalue);
			*copy = *value;
			copy->is_default = !property->parameter;
			property->default_value = copy;
			property->default_weight = eval.nodes;
		}
	}
	property->state = DEFAULT_DONE;
	return property->default_value;
}

/* --- slots of a template ------------------------------------------------------------------------------------------- */

static const struct tvalue *absent_slot(struct eval *eval, const struct slot *slot, struct origin origin)
{
	if (!slot->property)
		return NULL;
	const struct tvalue *value = property_default(slot->property);
	if (!value && slot->property->required && !slot->property->default_node)
		diag_note(eval->diags,
			  diags_error(eval->diags, "missing-property", origin, "%s wants property \"%s\"", slot->owner,
				      slot->property->name),
			  slot->property->origin, "declared here");
	return value;
}

static const struct tvalue *slot_value(struct eval *eval, const struct slot *slot)
{
	const struct tvalue *raw = eval_raw(eval, slot->node);
	if (!raw)
		return NULL;
	if (raw == &value_later) {
		eval->holes++;
		return raw;
	}
	if (raw->type == TV_NULL && slot->property && slot->property->schema->base != BASE_NULL)
		return absent_slot(eval, slot, slot->node->origin);
	return eval_typed(eval, slot->property ? slot->property->schema : NULL, raw);
}

/* Slots may call on each other through get_property: each is evaluated once, when first asked for. */
const struct tvalue *eval_slot(struct eval *eval, size_t index)
{
	const struct slot *slot = &eval->slots[index];
	struct tnamed *cell = &eval->parts->cells[slot->cell];
	if (eval->states[index] == SLOT_DOING) {
		diags_error(eval->diags, "circular-reference", slot->node->origin, "the value of \"%s\" needs itself",
			    cell->name);
		return NULL;
	}
	if (eval->states[index] == SLOT_NEW) {
		eval->states[index] = SLOT_DOING;
		size_t self = eval->self, before = eval->nodes, holes = eval->holes;
		bool later = eval->later;
		eval->self = slot->self;
		eval->later = false;
		cell->value = slot_value(eval, slot);
		eval->self = self;
		eval->weights[index] = eval->nodes - before;
		bool depends = eval->later || eval->holes != holes;
		eval->states[index] = depends ? SLOT_LATER : SLOT_CONSTANT;
		eval->later = later || depends;
		return cell->value;
	}
	if (eval->states[index] == SLOT_LATER && eval->dry) {
		eval->later = true;
		eval->holes++;
	}
	return eval_spend(eval, eval->weights[index], slot->node->origin) ? cell->value : NULL;
}
