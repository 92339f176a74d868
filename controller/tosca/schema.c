#include "tosca/internal.h"

#include <string.h>

/* --- schemas: the type of a value ---------------------------------------------------------------------------------- */

static const struct schema *any_schema(void)
{
	static const struct schema any = { .base = BASE_ANY, .type_name = "any" };
	return &any;
}

/* A schema of that name without constraints of its own; a finding and "any" when there is none. */
static const struct schema *schema_of_type(struct unit *unit, const char *name, struct origin origin)
{
	struct schema *schema = ARENA_NEW(unit->arena, struct schema);
	schema->type_name = name;
	if (base_parse(name, &schema->base))
		return schema;
	struct ttype *type = unit_type(unit, TK_DATA, name);
	if (!type) {
		unit_type_unknown(unit, TK_DATA, name, origin);
		return any_schema();
	}
	if (type->simple)
		*schema = *type->simple;
	else
		schema->base = BASE_DATA;
	schema->type_name = name;
	schema->data = type;
	return schema;
}

/* entry_schema and key_schema: a type's name, or a mapping. */
static const struct schema *inner_schema(struct unit *unit, const struct ynode *node)
{
	static const char *const keys[] = {
		"type", "description", "constraints", "entry_schema", "key_schema", "metadata", "required", NULL
	};
	if (node->kind == YNODE_SCALAR && ynode_text(node))
		return schema_of_type(unit, ynode_text(node), node->origin);
	if (!check_keys(unit, node, "a schema", keys))
		return any_schema();
	return schema_read(unit, node, NULL);
}

static void add_constraints(struct unit *unit, struct schema *schema, const struct ynode *node)
{
	size_t n;
	const struct constraint *own = constraints_read(unit, schema, node, &n);
	if (!n)
		return;
	struct constraint *all = ARENA_ARRAY(unit->arena, struct constraint, schema->n_constraints + n);
	if (schema->n_constraints)
		memcpy(all, schema->constraints, schema->n_constraints * sizeof(*all));
	memcpy(all + schema->n_constraints, own, n * sizeof(*all));
	schema->constraints = all;
	schema->n_constraints += n;
}

const struct schema *schema_read(struct unit *unit, const struct ynode *node, const struct schema *inherited)
{
	const struct ynode *type = ynode_get(node, "type"), *entry = ynode_get(node, "entry_schema"), *key =
		ynode_get(node, "key_schema");
	const char *name = ynode_text(type);
	if (type && !name)
		unit_fault(unit, "wrong-shape", type->origin, "a type is named by a text");
	const struct schema *start = name ? schema_of_type(unit, name, type->origin) : inherited ? inherited : any_schema();
	struct schema *schema = ARENA_NEW(unit->arena, struct schema);
	*schema = *start;
	if (name && inherited && inherited->base == start->base && inherited->data == start->data) {
		/* A refinement: what held for the inherited property still holds. */
		schema->constraints = inherited->constraints;
		schema->n_constraints = inherited->n_constraints;
		schema->entry = start->entry ? start->entry : inherited->entry;
		schema->key = start->key ? start->key : inherited->key;
	}
	if (!ynode_is_null(entry))
		schema->entry = inner_schema(unit, entry);
	if (!ynode_is_null(key))
		schema->key = inner_schema(unit, key);
	if ((entry || key) && schema->base != BASE_LIST && schema->base != BASE_MAP && schema->base != BASE_ANY)
		unit_fault(unit, "wrong-shape", entry ? entry->origin : key->origin,
		      "only lists and maps have entries; this is of type %s", schema->type_name);
	add_constraints(unit, schema, ynode_get(node, "constraints"));
	return schema;
}

/* --- properties ---------------------------------------------------------------------------------------------------- */

static bool read_bool(struct unit *unit, const struct ynode *node, bool otherwise)
{
	const char *text = ynode_text(node);
	if (!node || ynode_is_null(node))
		return otherwise;
	struct tvalue value;
	const char *problem = text ? scalar_parse(unit->arena, BASE_BOOLEAN, text, &value)
		: "is not a boolean: write true or false";
	if (!problem)
		return value.boolean;
	unit_fault(unit, "wrong-type", node->origin, "\"%s\" %s", text ? text : "", problem);
	return otherwise;
}

static bool refines(const struct schema *schema, const struct schema *inherited)
{
	if (inherited->base == BASE_ANY || schema->base == BASE_ANY)
		return true;
	if (schema->base != inherited->base)
		return false;
	return !inherited->data || ttype_is_a(schema->data, inherited->data->name);
}

struct property *property_read(struct unit *unit, const struct yentry *entry, const struct property *inherited, bool parameter)
{
	static const char *const keys[] = {
		"type", "description", "required", "default", "status", "constraints", "entry_schema", "key_schema",
		"external_schema", "metadata", "value", NULL
	};
	struct property *property = ARENA_NEW(unit->arena, struct property);
	property->name = entry->key;
	property->origin = entry->origin;
	property->unit = unit;
	property->parameter = parameter;
	property->required = inherited ? inherited->required : true;
	property->schema = inherited ? inherited->schema : any_schema();
	g_autofree char *what = g_strdup_printf("the definition of \"%s\"", entry->key);
	const struct ynode *node = entry->value;
	if (node->kind == YNODE_SCALAR && !ynode_is_null(node)) {
		struct diag *diag = unit_fault(unit, "wrong-shape", node->origin, "%s must be a mapping", what);
		unit_hint(unit, diag, "write { type: %s }", node->scalar.text);
		return property;
	}
	if (!check_keys(unit, node, what, keys)) {
		if (ynode_is_null(node) && !parameter && !inherited)
			unit_fault(unit, "missing-key", entry->origin, "%s has no type", what);
		return property;
	}
	if (!ynode_get(node, "type") && !inherited && !parameter)
		unit_hint(unit, unit_fault(unit, "missing-key", entry->origin, "%s has no type", what),
		     "add \"type: string\", or what it is");
	property->schema = schema_read(unit, node, inherited ? inherited->schema : NULL);
	property->required = read_bool(unit, ynode_get(node, "required"), property->required);
	property->default_node = ynode_get(node, "default");
	if (!property->default_node && inherited)
		property->default_node = inherited->default_node;
	if (inherited && !refines(property->schema, inherited->schema)) {
		struct diag *diag = unit_fault(unit, "incompatible-refinement", entry->origin,
					  "\"%s\" is of type %s, but the inherited one of type %s",
					  entry->key, property->schema->type_name, inherited->schema->type_name);
		diag_note(unit->diags, diag, inherited->origin, "inherited from here");
	}
	return property;
}

struct property *properties_find(struct properties properties, const char *name)
{
	for (size_t i = 0; i < properties.n; i++)
		if (!strcmp(properties.items[i]->name, name))
			return properties.items[i];
	return NULL;
}

static size_t index_of(struct property *const *items, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(items[i]->name, name))
			return i;
	return n;
}

struct properties properties_read(struct unit *unit, const struct ynode *node, struct properties inherited, const char *what,
				  bool parameters)
{
	node = want_mapping(unit, node, what);
	if (!node || !node->mapping.n)
		return inherited;
	if (inherited.n + node->mapping.n > TOSCA_MAX_DEFINITIONS) {
		unit_fault(unit, "too-many", node->origin, "%s: more than %d", what, TOSCA_MAX_DEFINITIONS);
		return inherited;
	}
	if (!unit_room(unit, (inherited.n + node->mapping.n) * sizeof(struct property *), node->origin))
		return inherited;
	struct property **items = ARENA_ARRAY(unit->arena, struct property *, inherited.n + node->mapping.n);
	if (inherited.n)
		memcpy(items, inherited.items, inherited.n * sizeof(*items));
	size_t n = inherited.n;
	for (size_t i = 0; i < node->mapping.n; i++) {
		const struct yentry *entry = &node->mapping.entries[i];
		size_t at = index_of(items, inherited.n, entry->key);
		struct property *property = property_read(unit, entry, at < inherited.n ? items[at] : NULL, parameters);
		items[at < inherited.n ? at : n++] = property;
	}
	return (struct properties) { items, n };
}
