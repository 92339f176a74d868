#include "tosca/internal.h"

#include <string.h>

/* Interfaces of node types, and interface types: their operations by name, inherited ones first. */

static const char *const interface_keys[] = {
	"type", "description", "inputs", "operations", "notifications", "derived_from", "version", "metadata", NULL
};

const struct interface_def *type_interface(const struct ttype *type, const char *name)
{
	for (size_t i = 0; i < type->n_interfaces; i++)
		if (!strcmp(type->interfaces[i].name, name))
			return &type->interfaces[i];
	return NULL;
}

const struct operation_def *interface_operation(const struct interface_def *interface, const char *name)
{
	for (size_t i = 0; i < interface->n_operations; i++)
		if (!strcmp(interface->operations[i].name, name))
			return &interface->operations[i];
	return NULL;
}

static struct operation_def operation_read(struct unit *unit, const struct yentry *entry, const struct operation_def *inherited)
{
	static const char *const keys[] = { "description", "inputs", "implementation", "outputs", "metadata", NULL };
	struct operation_def def = { .name = entry->key, .origin = entry->origin, .unit = unit, .node = entry->value };
	if (inherited)
		def.inputs = inherited->inputs;
	if (entry->value->kind == YNODE_MAPPING) {
		check_keys(unit, entry->value, "an operation", keys);
		def.inputs = properties_read(unit, ynode_get(entry->value, "inputs"), def.inputs, "inputs", true);
	} else if (entry->value->kind == YNODE_SEQUENCE) {
		unit_fault(unit, "wrong-shape", entry->value->origin, "an operation is a file, or a mapping");
	}
	return def;
}

struct merging {
	struct unit *unit;
	struct operation_def *items;
	size_t n, capacity;
};

static void merge_operation(struct merging *merging, const struct yentry *entry)
{
	size_t at = 0;
	while (at < merging->n && strcmp(merging->items[at].name, entry->key))
		at++;
	if (at == merging->capacity) {
		unit_fault(merging->unit, "too-many", entry->origin, "operations: more than %d", TOSCA_MAX_DEFINITIONS);
		return;
	}
	merging->items[at] = operation_read(merging->unit, entry, at < merging->n ? &merging->items[at] : NULL);
	merging->n = MAX(merging->n, at + 1);
}

/* @node's operations upon those of @base: under "operations", or, in the older notation, beside the other keys. */
static struct interface_def interface_merge(struct unit *unit, const char *name, struct origin origin, const struct ynode *node,
					    const struct interface_def *base)
{
	struct interface_def def = { .name = name, .origin = origin };
	if (base) {
		def = *base;
		def.name = name;
		def.origin = origin;
	}
	node = want_mapping(unit, node, "an interface");
	if (!node)
		return def;
	const struct ynode *operations = want_mapping(unit, ynode_get(node, "operations"), "operations");
	size_t most = def.n_operations + node->mapping.n + (operations ? operations->mapping.n : 0);
	if (!unit_room(unit, most * sizeof(struct operation_def), node->origin))
		return def;
	struct merging merging = { .unit = unit, .capacity = MIN(most, TOSCA_MAX_DEFINITIONS), .n = def.n_operations };
	merging.items = ARENA_ARRAY(unit->arena, struct operation_def, MAX(merging.capacity, merging.n));
	if (def.n_operations)
		memcpy(merging.items, def.operations, def.n_operations * sizeof(*merging.items));
	for (size_t i = 0; operations && i < operations->mapping.n; i++)
		merge_operation(&merging, &operations->mapping.entries[i]);
	for (size_t i = 0; i < node->mapping.n; i++)
		if (!g_strv_contains(interface_keys, node->mapping.entries[i].key))
			merge_operation(&merging, &node->mapping.entries[i]);
	def.operations = merging.items;
	def.n_operations = merging.n;
	def.inputs = properties_read(unit, ynode_get(node, "inputs"), def.inputs, "inputs", true);
	return def;
}

static void fill_interface_type(struct ttype *type)
{
	const struct interface_def *base = type->parent && type->parent->n_interfaces ? &type->parent->interfaces[0] : NULL;
	type->interfaces = ARENA_NEW(type->unit->arena, struct interface_def);
	type->interfaces[0] = interface_merge(type->unit, type->name, type->origin, type->node, base);
	type->n_interfaces = 1;
}

static struct interface_def node_interface(struct ttype *type, const struct yentry *entry, const struct interface_def *inherited)
{
	struct unit *unit = type->unit;
	const struct ynode *type_node = ynode_get(entry->value, "type");
	const char *name = ynode_text(type_node);
	const struct interface_def *base = inherited;
	struct ttype *interface = inherited ? inherited->type : NULL;
	if (name) {
		struct ttype *named = unit_type_need(unit, TK_INTERFACE, name, type_node->origin);
		if (named) {
			interface = named;
			base = named->n_interfaces ? &named->interfaces[0] : NULL;
		}
	} else if (!inherited) {
		unit_fault(unit, "missing-key", entry->origin, "interface \"%s\" has no type", entry->key);
	}
	struct interface_def def = interface_merge(unit, entry->key, entry->origin, entry->value, base);
	def.type = interface;
	return def;
}

void type_fill_interfaces(struct ttype *type)
{
	if (type->kind == TK_INTERFACE) {
		fill_interface_type(type);
		return;
	}
	struct unit *unit = type->unit;
	const struct ynode *node = want_mapping(unit, ynode_get(type->node, "interfaces"), "interfaces");
	size_t n = type->parent ? type->parent->n_interfaces : 0, n_own = node ? node->mapping.n : 0;
	if (n + n_own > TOSCA_MAX_DEFINITIONS) {
		unit_fault(unit, "too-many", node->origin, "interfaces: more than %d", TOSCA_MAX_DEFINITIONS);
		return;
	}
	if (!n_own || !unit_room(unit, (n + n_own) * sizeof(*type->interfaces), node->origin)) {
		type->interfaces = type->parent ? type->parent->interfaces : NULL;
		type->n_interfaces = n;
		return;
	}
	type->interfaces = ARENA_ARRAY(unit->arena, struct interface_def, n + n_own);
	if (n)
		memcpy(type->interfaces, type->parent->interfaces, n * sizeof(*type->interfaces));
	for (size_t i = 0; i < n_own; i++) {
		const struct yentry *entry = &node->mapping.entries[i];
		size_t at = 0;
		while (at < n && strcmp(type->interfaces[at].name, entry->key))
			at++;
		type->interfaces[at] = node_interface(type, entry, at < n ? &type->interfaces[at] : NULL);
		n = MAX(n, at + 1);
	}
	type->n_interfaces = n;
}
