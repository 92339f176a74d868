#include "tosca/internal.h"

#include <string.h>

/* From a topology_template to a proto: nodes with cells for their values, a slot for each value that was written. */

/* --- relative and absolute pointers -------------------------------------------------------------------------------- */

static const void *moved(const void *pointer, const void *from, const void *to, bool relative)
{
	if (!pointer)
		return NULL;
	uintptr_t base = relative ? (uintptr_t) RELATIVE_BASE : (uintptr_t) from;
	return (const char *) to + ((uintptr_t) pointer - base);
}

struct moving {
	const struct parts *from;
	struct parts *to;
};

static void move_list(const struct moving *m, struct tnamed_list *list)
{
	list->items = list->n ? moved(list->items, m->from->cells, m->to->cells, m->from->relative) : NULL;
}

#define MOVE(m, field, member) \
	((field) = moved((field), (m)->from->member, (m)->to->member, (m)->from->relative))

static void move_nodes(const struct moving *m)
{
	for (size_t i = 0; i < m->to->n_nodes; i++) {
		struct tnode *node = &m->to->nodes[i];
		move_list(m, &node->properties);
		move_list(m, &node->attributes);
		MOVE(m, node->requirements, requirements);
		MOVE(m, node->capabilities, capabilities);
		MOVE(m, node->artifacts, artifacts);
		MOVE(m, node->operations, operations);
	}
	for (size_t i = 0; i < m->to->n_requirements; i++)
		MOVE(m, m->to->requirements[i].node, nodes);
}

#define COPY(arena, from, to, member, count) \
	((to)->member = arena_memdup((arena), (from)->member, (from)->count * sizeof(*(from)->member)))

void parts_copy(struct arena *arena, const struct parts *from, struct parts *to)
{
	*to = *from;
	to->relative = false;
	COPY(arena, from, to, nodes, n_nodes);
	COPY(arena, from, to, cells, n_cells);
	COPY(arena, from, to, requirements, n_requirements);
	COPY(arena, from, to, capabilities, n_capabilities);
	COPY(arena, from, to, artifacts, n_artifacts);
	COPY(arena, from, to, operations, n_operations);
	COPY(arena, from, to, policies, n_policies);
	COPY(arena, from, to, groups, n_groups);
	const struct moving m = { from, to };
	move_nodes(&m);
	for (size_t i = 0; i < to->n_capabilities; i++)
		move_list(&m, &to->capabilities[i].properties);
	for (size_t i = 0; i < to->n_artifacts; i++)
		move_list(&m, &to->artifacts[i].properties);
	for (size_t i = 0; i < to->n_operations; i++)
		move_list(&m, &to->operations[i].inputs);
	for (size_t i = 0; i < to->n_policies; i++)
		move_list(&m, &to->policies[i].properties);
	for (size_t i = 0; i < to->n_groups; i++)
		move_list(&m, &to->groups[i].properties);
	move_list(&m, &to->outputs);
}

static const void *relative(size_t index, size_t size)
{
	return (const void *) (uintptr_t) (RELATIVE_BASE + index * size);
}

/* --- cells --------------------------------------------------------------------------------------------------------- */

bool builder_room(struct builder *builder, size_t more, struct origin origin)
{
	const GArray *arrays[] = { builder->cells, builder->capabilities, builder->operations,
				   builder->artifacts, builder->requirements, builder->nodes };
	size_t n = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
		n += arrays[i]->len;
	if (!builder->full && n + more <= TOSCA_MAX_PARTS)
		return true;
	if (!builder->full)
		unit_fault(builder->unit, "too-many", origin,
		      "this template has more than %d parts, the defaults of its types included",
		      TOSCA_MAX_PARTS);
	builder->full = true;
	return false;
}

struct tnamed_list cells_since(struct builder *builder, size_t start)
{
	return (struct tnamed_list) { relative(start, sizeof(struct tnamed)), builder->cells->len - start };
}

static void constant_cell(struct builder *builder, const char *name, struct origin origin, const struct tvalue *value)
{
	struct tnamed cell = { name, value, origin };
	g_array_append_val(builder->cells, cell);
}

void build_cell(struct builder *builder, const char *name, struct origin origin, struct property *property,
		const struct ynode *node,
		size_t self, const char *owner)
{
	struct slot slot = { .property = property, .node = node, .cell = builder->cells->len, .self = self, .owner = owner };
	if (ynode_is_null(node)) {
		struct diag *diag = unit_warn(builder->unit, "null-value", origin, "\"%s\" has no value; it counts as not given",
					 name);
		unit_hint(builder->unit, diag, "leave it out, or give it a value");
	}
	g_array_append_val(builder->slots, slot);
	constant_cell(builder, name, origin, NULL);
}

static void unknown_given(struct builder *builder, const struct yentry *entry, struct properties definitions, const char *owner)
{
	struct unit *unit = builder->unit;
	struct diag *diag = unit_fault(unit, "unknown-property", entry->origin, "%s has no property \"%s\"", owner, entry->key);
	const char **names = g_new(const char *, definitions.n + 1);
	for (size_t i = 0; i < definitions.n; i++)
		names[i] = definitions.items[i]->name;
	hint_names(unit, unit->diags, diag, entry->key, names, definitions.n);
	g_free(names);
}

struct tnamed_list build_cells(struct builder *builder, struct properties definitions, const struct ynode *given, size_t self,
			       const char *owner, struct origin origin, bool open)
{
	size_t start = builder->cells->len;
	given = want_mapping(builder->unit, given, "properties");
	if (!builder_room(builder, definitions.n + (given ? given->mapping.n : 0), origin))
		return cells_since(builder, start);
	for (size_t i = 0; given && i < given->mapping.n; i++) {
		const struct yentry *entry = &given->mapping.entries[i];
		struct property *property = properties_find(definitions, entry->key);
		if (property || open)
			build_cell(builder, entry->key, entry->origin, property, entry->value, self, owner);
		else
			unknown_given(builder, entry, definitions, owner);
	}
	for (size_t i = 0; i < definitions.n; i++) {
		struct property *property = definitions.items[i];
		if (ynode_get(given, property->name))
			continue;
		const struct tvalue *value = property_default(property);
		if (value) {
			constant_cell(builder, property->name, property->origin, value);
		} else if (property->required && !property->default_node) {
			struct diag *diag = unit_fault(builder->unit, "missing-property", origin, "%s wants property \"%s\"",
						       owner,
						  property->name);
			diag_note(builder->unit->diags, diag, property->origin, "declared here");
		}
	}
	return cells_since(builder, start);
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */

/* Stands for a type that is not defined, so that one fault does not bring others. */
static struct ttype *placeholder(struct unit *unit, const char *name)
{
	struct ttype *type = ARENA_NEW(unit->arena, struct ttype);
	type->kind = TK_NODE;
	type->name = name;
	type->unit = unit;
	type->link_state = TYPE_LINKED;
	type->fill_state = TYPE_FILLED;
	return type;
}

static bool is_placeholder(const struct ttype *type)
{
	return !origin_is_set(type->origin);
}

static void add_node(struct builder *builder, const struct yentry *entry)
{
	struct unit *unit = builder->unit;
	const struct ynode *type = ynode_get(entry->value, "type");
	struct tnode node = { .name = entry->key, .origin = entry->origin, .type_origin = type ? type->origin : entry->origin };
	const char *name = ynode_text(type);
	if (entry->value->kind != YNODE_MAPPING)
		unit_fault(unit, "wrong-shape", entry->origin, "node \"%s\" must be a mapping", entry->key);
	else if (!name)
		unit_fault(unit, "missing-key", entry->origin, "node \"%s\" has no type", entry->key);
	node.type = name ? unit_type_need(unit, TK_NODE, name, type->origin) : NULL;
	if (!node.type)
		node.type = placeholder(unit, name ? name : "tosca.nodes.Root");
	builder->node_nodes[builder->nodes->len] = entry->value;
	g_array_append_val(builder->nodes, node);
	g_hash_table_insert(builder->node_index, (gpointer) (guintptr) entry->key,
			    GSIZE_TO_POINTER((size_t) builder->nodes->len));
}

static struct tnode *node_at(struct builder *builder, size_t index)
{
	return &g_array_index(builder->nodes, struct tnode, index);
}

static void check_capability_names(struct builder *builder, const struct ttype *type, const struct ynode *given,
				   const char *owner)
{
	static const char *const keys[] = { "properties", "attributes", "occurrences", NULL };
	struct unit *unit = builder->unit;
	for (size_t i = 0; given && i < given->mapping.n; i++) {
		const struct yentry *entry = &given->mapping.entries[i];
		check_keys(unit, entry->value, "a capability", keys);
		if (type_capability(type, entry->key) || is_placeholder(type))
			continue;
		struct diag *diag = unit_fault(unit, "unknown-capability", entry->origin, "%s has no capability \"%s\"", owner,
					  entry->key);
		const char **names = g_new(const char *, type->n_capabilities + 1);
		for (size_t j = 0; j < type->n_capabilities; j++)
			names[j] = type->capabilities[j].name;
		hint_names(unit, unit->diags, diag, entry->key, names, type->n_capabilities);
		g_free(names);
	}
}

static void build_capabilities(struct builder *builder, size_t index, const struct ynode *given, const char *owner)
{
	given = want_mapping(builder->unit, given, "capabilities");
	const struct tnode *node = node_at(builder, index);
	const struct ttype *type = node->type;
	size_t start = builder->capabilities->len;
	check_capability_names(builder, type, given, owner);
	if (!builder_room(builder, type->n_capabilities, node->origin))
		return;
	for (size_t i = 0; i < type->n_capabilities; i++) {
		const struct capability_def *def = &type->capabilities[i];
		const struct yentry *entry = ynode_entry(given, def->name);
		char *what = arena_printf(builder->unit->arena, "capability \"%s\" of %s", def->name, owner);
		const struct ynode *values = entry ? ynode_get(entry->value, "properties") : NULL;
		struct tcapability capability = { .name = def->name, .type = def->type };
		capability.origin = entry ? entry->origin : node->origin;
		capability.properties = build_cells(builder, def->properties, values, index, what, capability.origin, false);
		g_array_append_val(builder->capabilities, capability);
	}
	struct tnode *filled = node_at(builder, index);
	filled->capabilities = relative(start, sizeof(struct tcapability));
	filled->n_capabilities = builder->capabilities->len - start;
}

static void build_node(struct builder *builder, size_t index)
{
	static const char *const keys[] = {
		"type", "description", "metadata", "directives", "properties", "attributes", "requirements",
		"capabilities", "interfaces", "artifacts", "node_filter", "copy", NULL
	};
	struct unit *unit = builder->unit;
	const struct ynode *node = builder->node_nodes[index];
	const struct tnode *shown = node_at(builder, index);
	const struct ttype *type = shown->type;
	char *owner = arena_printf(unit->arena, "node \"%s\" (%s)", shown->name, type->name);
	if (node->kind != YNODE_MAPPING || !check_keys(unit, node, owner, keys))
		return;
	if (ynode_get(node, "copy"))
		unit_fault(unit, "unsupported", ynode_entry(node, "copy")->origin, "\"copy\" is not supported");
	if (ynode_get(node, "node_filter"))
		unit_warn(unit, "not-kept", ynode_entry(node, "node_filter")->origin,
		     "a node_filter is not kept: nodes are never chosen by it");
	bool open = is_placeholder(type);
	struct origin origin = shown->origin;
	struct tnamed_list properties = build_cells(builder, type->properties, ynode_get(node, "properties"), index, owner,
						    origin, open);
	/* Attributes have no required ones and no defaults that would be values before run time. */
	size_t start = builder->cells->len;
	const struct ynode *attributes = want_mapping(unit, ynode_get(node, "attributes"), "attributes");
	for (size_t i = 0; attributes && i < attributes->mapping.n; i++) {
		const struct yentry *entry = &attributes->mapping.entries[i];
		struct property *attribute = properties_find(type->attributes, entry->key);
		if (attribute || open)
			build_cell(builder, entry->key, entry->origin, attribute, entry->value, index, owner);
		else
			unit_fault(unit, "unknown-attribute", entry->origin, "%s has no attribute \"%s\"", owner, entry->key);
	}
	struct tnamed_list attribute_list = cells_since(builder, start);
	node_at(builder, index)->properties = properties;
	node_at(builder, index)->attributes = attribute_list;
	build_capabilities(builder, index, ynode_get(node, "capabilities"), owner);
	build_requirements(builder, index, ynode_get(node, "requirements"));
	build_artifacts(builder, index, ynode_get(node, "artifacts"));
	build_interfaces(builder, index, ynode_get(node, "interfaces"));
}

const struct ttype *builder_type_of(struct builder *builder, const char *name)
{
	size_t index = GPOINTER_TO_SIZE(g_hash_table_lookup(builder->node_index, name));
	if (index)
		return node_at(builder, index - 1)->type;
	index = GPOINTER_TO_SIZE(g_hash_table_lookup(builder->group_index, name));
	return index ? g_array_index(builder->groups, struct tgroup, index - 1).type : NULL;
}

/* --- outputs ------------------------------------------------------------------------------------------------------- */

static void build_outputs(struct builder *builder, const struct ynode *given, struct tnamed_list *ret)
{
	static const char *const keys[] = {
		"description", "value", "type", "required", "default", "status", "constraints", "entry_schema",
		"key_schema", "mapping", NULL
	};
	given = want_mapping(builder->unit, given, "outputs");
	size_t start = builder->cells->len;
	for (size_t i = 0; given && i < given->mapping.n; i++) {
		const struct yentry *entry = &given->mapping.entries[i];
		if (!check_keys(builder->unit, entry->value, "an output", keys))
			continue;
		const struct ynode *value = ynode_get(entry->value, "value");
		struct property *property = NULL;
		if (ynode_get(entry->value, "type")) {
			property = property_read(builder->unit, entry, NULL, true);
			property->required = false;
		}
		if (value)
			build_cell(builder, entry->key, entry->origin, property, value, SIZE_MAX, "an output");
		else
			unit_fault(builder->unit, "missing-key", entry->origin, "output \"%s\" has no value", entry->key);
	}
	*ret = cells_since(builder, start);
}

/* --- the whole ----------------------------------------------------------------------------------------------------- */

static void builder_init(struct builder *builder, struct unit *unit, struct template *template)
{
	*builder = (struct builder) {
		.unit = unit,
		.template = template,
		.nodes = g_array_new(FALSE, TRUE, sizeof(struct tnode)),
		.cells = g_array_new(FALSE, TRUE, sizeof(struct tnamed)),
		.requirements = g_array_new(FALSE, TRUE, sizeof(struct trequirement)),
		.capabilities = g_array_new(FALSE, TRUE, sizeof(struct tcapability)),
		.artifacts = g_array_new(FALSE, TRUE, sizeof(struct tartifact)),
		.operations = g_array_new(FALSE, TRUE, sizeof(struct toperation)),
		.policies = g_array_new(FALSE, TRUE, sizeof(struct tpolicy)),
		.groups = g_array_new(FALSE, TRUE, sizeof(struct tgroup)),
		.slots = g_array_new(FALSE, TRUE, sizeof(struct slot)),
		.node_index = g_hash_table_new(g_str_hash, g_str_equal),
		.group_index = g_hash_table_new(g_str_hash, g_str_equal),
		.policy_index = g_hash_table_new(g_str_hash, g_str_equal),
	};
}

static void builder_clear(struct builder *builder)
{
	GArray *arrays[] = { builder->nodes, builder->cells, builder->requirements, builder->capabilities, builder->artifacts,
			     builder->operations, builder->policies, builder->groups, builder->slots };
	for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++)
		g_array_unref(arrays[i]);
	g_hash_table_unref(builder->node_index);
	g_hash_table_unref(builder->group_index);
	g_hash_table_unref(builder->policy_index);
}

static int compare_by_name(const void *a, const void *b, void *data)
{
	const struct tnode *nodes = data;
	return strcmp(nodes[*(const unsigned *) a].name, nodes[*(const unsigned *) b].name);
}

static void sort_names(struct template *template)
{
	size_t n = template->proto.n_nodes;
	template->by_name = ARENA_ARRAY(template->unit->arena, unsigned, n);
	for (size_t i = 0; i < n; i++)
		template->by_name[i] = (unsigned) i;
	if (n)
		g_qsort_with_data(template->by_name, (gint) n, sizeof(unsigned), compare_by_name, template->proto.nodes);
}

/* Evaluates every slot without inputs. What does not hang on them is done; the rest stays a slot. */
static void settle_slots(struct builder *builder)
{
	struct template *template = builder->template;
	struct arena *arena = builder->unit->arena;
	size_t n = builder->slots->len;
	const struct slot *slots = arena_memdup(arena, builder->slots->data, n * sizeof(*slots));
	template->slot_of = ARENA_ARRAY(arena, unsigned, template->proto.n_cells);
	for (size_t i = 0; i < n; i++)
		template->slot_of[slots[i].cell] = (unsigned) i + 1;
	g_autofree unsigned char *states = g_malloc0(n + 1);
	g_autofree size_t *weights = g_new0(size_t, n + 1);
	struct eval eval = {
		.unit = builder->unit, .arena = arena, .diags = builder->unit->diags,
		.template = template, .parts = &template->proto,
		.slots = slots, .slot_of = template->slot_of, .states = states, .weights = weights, .dry = true, .self = SIZE_MAX,
	};
	for (size_t i = 0; i < n; i++) {
		eval.depth = 0;
		eval_slot(&eval, i);
	}
	template->slots = ARENA_ARRAY(arena, struct slot, n);
	memset(template->slot_of, 0, template->proto.n_cells * sizeof(unsigned));
	for (size_t i = 0; i < n; i++) {
		if (states[i] != SLOT_LATER)
			continue;
		template->proto.cells[slots[i].cell].value = NULL;
		template->slots[template->n_slots++] = slots[i];
		template->slot_of[slots[i].cell] = (unsigned) template->n_slots;
	}
}

static void make_proto(struct builder *builder, struct tnamed_list outputs)
{
	const struct parts parts = {
		.relative = true,
		.outputs = outputs,
#define PART(member, type) .member = (type *) (void *) builder->member->data, .n_##member = builder->member->len
		PART(nodes, struct tnode),
		PART(cells, struct tnamed),
		PART(requirements, struct trequirement),
		PART(capabilities, struct tcapability),
		PART(artifacts, struct tartifact),
		PART(operations, struct toperation),
		PART(policies, struct tpolicy),
		PART(groups, struct tgroup),
#undef PART
	};
	parts_copy(builder->unit->arena, &parts, &builder->template->proto);
}

static void build_sections(struct builder *builder, const struct ynode *node)
{
	struct unit *unit = builder->unit;
	const struct ynode *nodes = want_mapping(unit, ynode_get(node, "node_templates"), "node_templates");
	size_t n = nodes ? nodes->mapping.n : 0;
	builder->node_nodes = ARENA_ARRAY(unit->arena, const struct ynode *, n);
	for (size_t i = 0; i < n; i++)
		add_node(builder, &nodes->mapping.entries[i]);
	for (size_t i = 0; i < n; i++)
		build_node(builder, i);
	build_groups(builder, ynode_get(node, "groups"));
	build_groups(builder, ynode_get(unit->root, "groups"));
	build_policies(builder, ynode_get(node, "policies"));
	build_policies(builder, ynode_get(unit->root, "policies"));
	struct tnamed_list outputs;
	build_outputs(builder, ynode_get(node, "outputs"), &outputs);
	g_autoptr(GHashTable) mapped = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	build_substitution(builder, ynode_get(node, "substitution_mappings"), mapped);
	for (size_t i = 0; i < n; i++)
		check_requirements(builder, i, mapped);
	make_proto(builder, outputs);
	sort_names(builder->template);
	settle_slots(builder);
}

void template_build(struct unit *unit, const struct ynode *node)
{
	static const char *const keys[] = {
		"description", "inputs", "node_templates", "relationship_templates", "groups", "policies", "outputs",
		"substitution_mappings", "workflows", "metadata", NULL
	};
	if (!check_keys(unit, node, "topology_template", keys) && !ynode_is_null(node))
		return;
	struct template *template = ARENA_NEW(unit->arena, struct template);
	template->unit = unit;
	template->node = node;
	template->public.file = unit->path;
	template->public.origin = node->origin;
	unit->template = template;
	struct properties none = { NULL, 0 };
	template->inputs = properties_read(unit, ynode_get(node, "inputs"), none, "inputs", true);
	for (size_t i = 0; i < template->inputs.n; i++)
		property_default(template->inputs.items[i]);
	static const char *const left_out[] = { "relationship_templates", "workflows" };
	for (size_t i = 0; i < G_N_ELEMENTS(left_out); i++)
		if (ynode_get(node, left_out[i]))
			unit_warn(unit, "not-kept", ynode_entry(node, left_out[i])->origin, "%s are not kept", left_out[i]);
	struct builder builder;
	builder_init(&builder, unit, template);
	build_sections(&builder, node);
	builder_clear(&builder);
}
