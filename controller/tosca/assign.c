#include "tosca/internal.h"

#include <string.h>

/* What a node template assigns besides properties: requirements, artifacts, operations. */

static struct tnode *node_at(struct builder *builder, size_t index)
{
	return &g_array_index(builder->nodes, struct tnode, index);
}

static bool is_unknown(const struct ttype *type)
{
	return !origin_is_set(type->origin);
}

/* --- requirements -------------------------------------------------------------------------------------------------- */

struct requiring {
	struct builder *builder;
	size_t index;
};

static void unknown_requirement(struct builder *builder, const struct tnode *node, const struct yentry *entry)
{
	const struct ttype *type = node->type;
	struct diag *diag = unit_fault(builder->unit, "unknown-requirement", entry->origin,
				  "node \"%s\" (%s) has no requirement \"%s\"", node->name,
				  type->name, entry->key);
	const char **names = g_new(const char *, type->n_requirements + 1);
	for (size_t i = 0; i < type->n_requirements; i++)
		names[i] = type->requirements[i].name;
	hint_names(builder->unit, builder->unit->diags, diag, entry->key, names, type->n_requirements);
	g_free(names);
}

static void unknown_target(struct builder *builder, const char *name, struct origin origin)
{
	struct diag *diag = unit_fault(builder->unit, "unknown-node", origin, "there is no node \"%s\" in this template", name);
	if (!can_guess(builder->unit))
		return;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < builder->nodes->len; i++)
		g_ptr_array_add(names, (gpointer) (guintptr) node_at(builder, i)->name);
	hint_names(builder->unit, builder->unit->diags, diag, name, (const char *const *) names->pdata, names->len);
}

static bool offers(const struct ttype *target, const char *capability)
{
	for (size_t i = 0; i < target->n_capabilities; i++)
		if (!strcmp(target->capabilities[i].name, capability) || ttype_is_a(target->capabilities[i].type, capability))
			return true;
	return false;
}

static void check_target(struct builder *builder, const struct requirement_def *def, const struct tnode *target,
			 const char *capability,
			 struct origin origin)
{
	const struct ttype *type = target->type;
	struct diag *diag = NULL;
	if (is_unknown(type))
		return;
	if (def->node && !ttype_is_a(type, def->node))
		diag = unit_fault(builder->unit, "wrong-target", origin, "\"%s\" is a %s; \"%s\" wants a %s", target->name,
				  type->name,
			     def->name, def->node);
	else if (capability && !offers(type, capability))
		diag = unit_fault(builder->unit, "wrong-target", origin, "\"%s\" (%s) has no capability \"%s\"", target->name,
			     type->name, capability);
	else if (def->capability && !offers(type, def->capability))
		diag = unit_fault(builder->unit, "wrong-target", origin, "\"%s\" (%s) does not offer %s, which \"%s\" wants",
			     target->name, type->name,
			     def->capability, def->name);
	if (diag)
		diag_note(builder->unit->diags, diag, def->origin, "the requirement is declared here");
}

struct assignment {
	const struct ynode *node; /* of the target's name; NULL: left open */
	const char *target, *capability;
};

static bool read_assignment(struct builder *builder, const struct yentry *entry, struct assignment *ret)
{
	static const char *const keys[] = {
		"node", "capability", "relationship", "node_filter", "occurrences", "description", "metadata", NULL
	};
	struct unit *unit = builder->unit;
	if (entry->value->kind == YNODE_SCALAR) {
		ret->node = entry->value;
		ret->target = ynode_text(entry->value);
		if (!ret->target)
			unit_fault(unit, "missing-key", entry->origin, "requirement \"%s\" names no node", entry->key);
		return ret->target;
	}
	if (!check_keys(unit, entry->value, "a requirement", keys))
		return false;
	ret->node = ynode_get(entry->value, "node");
	ret->target = ynode_text(ret->node);
	ret->capability = ynode_text(ynode_get(entry->value, "capability"));
	const struct yentry *filter = ynode_entry(entry->value, "node_filter");
	if (filter)
		unit_warn(unit, "not-kept", filter->origin, "a node_filter is not kept: nodes are never chosen by it");
	return true;
}

static void build_requirement(const struct yentry *entry, void *data)
{
	struct requiring *requiring = data;
	struct builder *builder = requiring->builder;
	struct unit *unit = builder->unit;
	const struct tnode *node = node_at(builder, requiring->index);
	const struct requirement_def *def = type_requirement(node->type, entry->key);
	struct assignment assignment = { 0 };
	if (!def && !is_unknown(node->type)) {
		unknown_requirement(builder, node, entry);
		return;
	}
	/* A faulty one is kept without a target, so that it is not reported as missing too. */
	if (!read_assignment(builder, entry, &assignment))
		assignment = (struct assignment) { 0 };
	struct trequirement requirement = { .name = entry->key, .capability = assignment.capability, .origin = entry->origin };
	size_t index = assignment.target ? GPOINTER_TO_SIZE(g_hash_table_lookup(builder->node_index, assignment.target)) : 0;
	if (index) {
		requirement.node = (const struct tnode *) (uintptr_t) (RELATIVE_BASE + (index - 1) * sizeof(struct tnode));
		/* "capability" may also name a type: then there is no named one. */
		const struct ttype *type = node_at(builder, index - 1)->type;
		if (def)
			check_target(builder, def, node_at(builder, index - 1), assignment.capability, assignment.node->origin);
		if (assignment.capability && !type_capability(type, assignment.capability))
			requirement.capability = NULL;
	} else if (assignment.target && !unit_type(unit, TK_NODE, assignment.target)) {
		unknown_target(builder, assignment.target, assignment.node->origin);
	}
	g_array_append_val(builder->requirements, requirement);
}

void build_requirements(struct builder *builder, size_t index, const struct ynode *given)
{
	size_t start = builder->requirements->len;
	struct requiring requiring = { builder, index };
	each_named(builder->unit, given, "requirements", build_requirement, &requiring);
	struct tnode *node = node_at(builder, index);
	node->requirements = (const struct trequirement *) (uintptr_t) (RELATIVE_BASE + start * sizeof(struct trequirement));
	node->n_requirements = builder->requirements->len - start;
}

/* Occurrences. What the substitution mapping hands outward is satisfied there; so is everything of the node that stands for the
 * whole. */
void check_requirements(struct builder *builder, size_t index, GHashTable *mapped)
{
	const struct tnode *node = node_at(builder, index);
	const struct ttype *type = node->type;
	bool whole = builder->template->substitution_type && ttype_is_a(type, builder->template->substitution_type->name);
	if (!node->requirements)
		return;
	size_t start = ((uintptr_t) node->requirements - RELATIVE_BASE) / sizeof(struct trequirement);
	for (size_t i = 0; i < type->n_requirements; i++) {
		const struct requirement_def *def = &type->requirements[i];
		gint64 n = 0;
		struct origin last = node->origin;
		for (size_t j = 0; j < node->n_requirements; j++) {
			const struct trequirement *given = &g_array_index(builder->requirements, struct trequirement, start + j);
			if (!strcmp(given->name, def->name)) {
				n++;
				last = given->origin;
			}
		}
		struct diag *diag = NULL;
		if (n > def->max)
			diag = unit_fault(builder->unit, "too-many-requirements", last,
				     "\"%s\" of node \"%s\" is given %d times, at most %d are allowed",
				     def->name, node->name, (int) n, (int) def->max);
		g_autofree char *key = g_strdup_printf("%s\n%s", node->name, def->name);
		if (n < def->min && !whole && !g_hash_table_contains(mapped, key))
			diag = unit_fault(builder->unit, "missing-requirement", node->origin,
				     "node \"%s\" (%s) wants requirement \"%s\"", node->name,
				     type->name, def->name);
		if (diag)
			diag_note(builder->unit->diags, diag, def->origin, "declared here");
	}
}

/* --- artifacts ----------------------------------------------------------------------------------------------------- */

static void build_artifact(struct builder *builder, size_t index, struct unit *written_in, const struct yentry *entry)
{
	static const char *const keys[] = {
		"type", "file", "repository", "description", "deploy_path", "properties", "artifact_version",
		"checksum", "checksum_algorithm", "metadata", "version", NULL
	};
	struct unit *unit = builder->unit;
	const struct ynode *node = entry->value, *file = node;
	const char *type_name = "tosca.artifacts.File";
	struct origin type_origin = entry->origin;
	struct tartifact artifact = { .name = entry->key, .origin = entry->origin };
	if (node->kind != YNODE_SCALAR) {
		if (!check_keys(unit, node, "an artifact", keys))
			return;
		file = ynode_get(node, "file");
		const struct ynode *type = ynode_get(node, "type");
		if (ynode_text(type)) {
			type_name = ynode_text(type);
			type_origin = type->origin;
		}
		artifact.deploy_path = ynode_text(ynode_get(node, "deploy_path"));
		if (ynode_get(node, "repository"))
			unit_warn(unit, "not-kept", ynode_entry(node, "repository")->origin,
			     "files are taken from this repository only");
	}
	struct ttype *type = unit_type_need(unit, TK_ARTIFACT, type_name, type_origin);
	if (!ynode_text(file))
		unit_fault(unit, "missing-key", entry->origin, "artifact \"%s\" names no file", entry->key);
	if (!type || !ynode_text(file))
		return;
	artifact.type = type;
	artifact.file = written_in == unit ? unit_file(unit, ynode_text(file), file->origin, true)
					   : path_resolve(unit->arena, written_in->path, ynode_text(file));
	if (!artifact.file)
		return;
	char *owner = arena_printf(unit->arena, "artifact \"%s\" (%s)", entry->key, type->name);
	artifact.properties = build_cells(builder, type->properties, ynode_get(node, "properties"), index, owner, entry->origin,
					  false);
	g_array_append_val(builder->artifacts, artifact);
}

void build_artifacts(struct builder *builder, size_t index, const struct ynode *given)
{
	size_t start = builder->artifacts->len;
	const struct ttype *type = node_at(builder, index)->type;
	if (!builder_room(builder, type->n_artifacts, node_at(builder, index)->origin))
		return;
	given = want_mapping(builder->unit, given, "artifacts");
	for (size_t i = 0; i < type->n_artifacts; i++) {
		const struct artifact_def *def = &type->artifacts[i];
		const struct yentry entry = { def->name, def->origin, def->node };
		const struct ynode *file = def->node->kind == YNODE_SCALAR ? def->node : ynode_get(def->node, "file");
		if (!ynode_get(given, def->name) && ynode_text(file))
			build_artifact(builder, index, def->unit, &entry);
	}
	for (size_t i = 0; given && i < given->mapping.n; i++)
		build_artifact(builder, index, builder->unit, &given->mapping.entries[i]);
	struct tnode *node = node_at(builder, index);
	node->artifacts = (const struct tartifact *) (uintptr_t) (RELATIVE_BASE + start * sizeof(struct tartifact));
	node->n_artifacts = builder->artifacts->len - start;
}

/* --- operations ---------------------------------------------------------------------------------------------------- */

struct operating {
	struct builder *builder;
	size_t index;
	const struct interface_def *interface;
	const struct ynode *given;      /* the node's interface */
	const struct operation_def *def; /* or NULL */
	const struct yentry *own;       /* the node's operation, or NULL */
};

/* A file, or the name of one of the node's artifacts. */
static const char *implementation_file(const struct operating *op, struct unit *written_in, const struct ynode *node)
{
	const char *name = ynode_text(node);
	if (!name && node->kind == YNODE_MAPPING)
		name = ynode_text(ynode_get(node, "file"));
	if (!name) {
		if (!ynode_is_null(node))
			unit_fault(op->builder->unit, "wrong-shape", node->origin,
			      "an implementation is a file or the name of an artifact");
		return NULL;
	}
	const struct tnode *shown = node_at(op->builder, op->index);
	size_t start = shown->artifacts ? ((uintptr_t) shown->artifacts - RELATIVE_BASE) / sizeof(struct tartifact) : 0;
	for (size_t i = 0; i < shown->n_artifacts; i++) {
		const struct tartifact *artifact = &g_array_index(op->builder->artifacts, struct tartifact, start + i);
		if (!strcmp(artifact->name, name))
			return artifact->file;
	}
	if (written_in != op->builder->unit)
		return path_resolve(op->builder->unit->arena, written_in->path, name);
	return unit_file(op->builder->unit, name, node->origin, true);
}

static double read_timeout(struct unit *unit, const struct ynode *node)
{
	const char *text = ynode_text(node);
	if (!text) {
		if (node)
			unit_fault(unit, "wrong-type", node->origin, "a timeout is a number of seconds");
		return 0;
	}
	struct tvalue value;
	if (!scalar_parse(unit->arena, BASE_FLOAT, text, &value) && value.number > 0)
		return value.number;
	if (!scalar_parse(unit->arena, BASE_TIME, text, &value) && value.number > 0)
		return value.number;
	unit_fault(unit, "wrong-type", node->origin, "\"%s\" is not a number of seconds above 0", text);
	return 0;
}

static void read_dependencies(const struct operating *op, struct unit *written_in, const struct ynode *node, struct toperation *ret)
{
	struct unit *unit = op->builder->unit;
	if (ynode_is_null(node))
		return;
	if (node->kind != YNODE_SEQUENCE) {
		unit_fault(unit, "wrong-shape", node->origin, "dependencies of an implementation are a list of files");
		return;
	}
	const char **files = ARENA_ARRAY(unit->arena, const char *, node->sequence.n);
	size_t n = 0;
	for (size_t i = 0; i < node->sequence.n; i++) {
		files[n] = implementation_file(op, written_in, node->sequence.items[i]);
		n += files[n] != NULL;
	}
	ret->dependencies = files;
	ret->n_dependencies = n;
}

static void read_implementation(const struct operating *op, struct unit *written_in, const struct ynode *node,
				struct toperation *ret)
{
	static const char *const keys[] = {
		"primary", "dependencies", "timeout", "operation_host", "file", "type", "repository", "description",
		"deploy_path", "properties", NULL
	};
	struct unit *unit = op->builder->unit;
	if (ynode_is_null(node))
		return;
	const struct ynode *primary = node;
	if (node->kind == YNODE_MAPPING) {
		if (written_in == unit)
			check_keys(unit, node, "an implementation", keys);
		if (!ynode_get(node, "file"))
			primary = ynode_get(node, "primary");
		if (ynode_get(node, "timeout"))
			ret->timeout_s = read_timeout(unit, ynode_get(node, "timeout"));
		read_dependencies(op, written_in, ynode_get(node, "dependencies"), ret);
	}
	if (primary)
		ret->file = implementation_file(op, written_in, primary);
}

static const struct ynode *implementation_of(const struct ynode *operation)
{
	if (!operation || operation->kind == YNODE_SCALAR)
		return operation;
	return ynode_get(operation, "implementation");
}

static struct property *input_definition(const struct operating *op, const char *name)
{
	struct property *property = op->def ? properties_find(op->def->inputs, name) : NULL;
	return property ? property : properties_find(op->interface->inputs, name);
}

static void input_cells(const struct operating *op, const struct ynode *given, const struct ynode *stronger, const char *owner)
{
	given = want_mapping(op->builder->unit, given, "inputs");
	for (size_t i = 0; given && i < given->mapping.n; i++) {
		const struct yentry *entry = &given->mapping.entries[i];
		if (!ynode_entry(stronger, entry->key))
			build_cell(op->builder, entry->key, entry->origin, input_definition(op, entry->key), entry->value,
				   op->index, owner);
	}
}

static void default_inputs(const struct operating *op, struct properties inputs, size_t start)
{
	for (size_t i = 0; i < inputs.n; i++) {
		struct property *property = inputs.items[i];
		bool given = false;
		for (size_t j = start; j < op->builder->cells->len; j++)
			given = given || !strcmp(g_array_index(op->builder->cells, struct tnamed, j).name, property->name);
		const struct tvalue *value = given ? NULL : property_default(property);
		struct tnamed cell = { property->name, value, property->origin };
		if (value)
			g_array_append_val(op->builder->cells, cell);
	}
}

static void build_operation(const struct operating *op)
{
	static const char *const keys[] = { "description", "implementation", "inputs", "outputs", "metadata", NULL };
	struct builder *builder = op->builder;
	const struct ynode *own = op->own ? op->own->value : NULL;
	const struct ynode *typed = op->def ? op->def->node : NULL;
	if (!op->own && ynode_is_null(implementation_of(typed)))
		return;
	if (own && own->kind == YNODE_MAPPING)
		check_keys(builder->unit, own, "an operation", keys);
	else if (own && own->kind == YNODE_SEQUENCE)
		unit_fault(builder->unit, "wrong-shape", own->origin, "an operation is a file, or a mapping");
	struct toperation operation = {
		.interface = op->interface->name,
		.name = op->own ? op->own->key : op->def->name,
		.origin = op->own ? op->own->origin : op->def->origin,
	};
	if (!ynode_is_null(implementation_of(own)))
		read_implementation(op, builder->unit, implementation_of(own), &operation);
	else if (op->def)
		read_implementation(op, op->def->unit, implementation_of(typed), &operation);
	if (!builder_room(builder, op->interface->inputs.n + (op->def ? op->def->inputs.n : 0), operation.origin))
		return;
	char *owner = arena_printf(builder->unit->arena, "operation \"%s.%s\"", operation.interface, operation.name);
	size_t start = builder->cells->len;
	const struct ynode *inputs = own && own->kind == YNODE_MAPPING ? ynode_get(own, "inputs") : NULL;
	input_cells(op, inputs, NULL, owner);
	input_cells(op, ynode_get(op->given, "inputs"), inputs, owner);
	if (op->def)
		default_inputs(op, op->def->inputs, start);
	default_inputs(op, op->interface->inputs, start);
	operation.inputs = cells_since(builder, start);
	g_array_append_val(builder->operations, operation);
}

static const char *const interface_keys[] = {
	"type", "description", "inputs", "operations", "notifications", "metadata", NULL
};

static const struct yentry *own_operation(const struct ynode *given, const char *name)
{
	const struct yentry *entry = ynode_entry(ynode_get(given, "operations"), name);
	if (!entry && !g_strv_contains(interface_keys, name))
		entry = ynode_entry(given, name);
	return entry;
}

static void unknown_operation(struct builder *builder, const struct interface_def *interface, const struct yentry *entry)
{
	struct diag *diag = unit_fault(builder->unit, "unknown-operation", entry->origin,
				       "interface \"%s\" has no operation \"%s\"",
				  interface->name, entry->key);
	const char **names = g_new(const char *, interface->n_operations + 1);
	for (size_t i = 0; i < interface->n_operations; i++)
		names[i] = interface->operations[i].name;
	hint_names(builder->unit, builder->unit->diags, diag, entry->key, names, interface->n_operations);
	g_free(names);
}

static void build_interface(struct builder *builder, size_t index, const struct interface_def *interface,
			    const struct ynode *given)
{
	given = want_mapping(builder->unit, given, "an interface");
	const struct ynode *operations = want_mapping(builder->unit, ynode_get(given, "operations"), "operations");
	struct operating op = { .builder = builder, .index = index, .interface = interface, .given = given };
	for (size_t i = 0; i < interface->n_operations; i++) {
		op.def = &interface->operations[i];
		op.own = own_operation(given, op.def->name);
		build_operation(&op);
	}
	op.def = NULL;
	const struct ynode *places[] = { operations, given };
	for (size_t p = 0; p < G_N_ELEMENTS(places); p++)
		for (size_t i = 0; places[p] && i < places[p]->mapping.n; i++) {
			const struct yentry *entry = &places[p]->mapping.entries[i];
			bool is_key = places[p] == given && g_strv_contains(interface_keys, entry->key);
			if (!is_key && !interface_operation(interface, entry->key))
				unknown_operation(builder, interface, entry);
		}
	if (ynode_get(given, "notifications"))
		unit_warn(builder->unit, "not-kept", ynode_entry(given, "notifications")->origin, "notifications are not kept");
}

void build_interfaces(struct builder *builder, size_t index, const struct ynode *given)
{
	size_t start = builder->operations->len;
	const struct ttype *type = node_at(builder, index)->type;
	if (!builder_room(builder, 0, node_at(builder, index)->origin))
		return;
	given = want_mapping(builder->unit, given, "interfaces");
	for (size_t i = 0; given && i < given->mapping.n; i++) {
		const struct yentry *entry = &given->mapping.entries[i];
		if (type_interface(type, entry->key) || is_unknown(type))
			continue;
		struct diag *diag = unit_fault(builder->unit, "unknown-interface", entry->origin,
					  "node \"%s\" (%s) has no interface \"%s\"",
					  node_at(builder, index)->name, type->name, entry->key);
		const char **names = g_new(const char *, type->n_interfaces + 1);
		for (size_t j = 0; j < type->n_interfaces; j++)
			names[j] = type->interfaces[j].name;
		hint_names(builder->unit, builder->unit->diags, diag, entry->key, names, type->n_interfaces);
		g_free(names);
	}
	for (size_t i = 0; i < type->n_interfaces; i++)
		build_interface(builder, index, &type->interfaces[i], ynode_get(given, type->interfaces[i].name));
	struct tnode *node = node_at(builder, index);
	node->operations = (const struct toperation *) (uintptr_t) (RELATIVE_BASE + start * sizeof(struct toperation));
	node->n_operations = builder->operations->len - start;
}
