#include "tosca/internal.h"

#include <string.h>

static const struct {
	const char *section, *name, *root;
} kinds[] = {
	[TK_DATA] = { "data_types", "data type", "tosca.datatypes.Root" },
	[TK_ARTIFACT] = { "artifact_types", "artifact type", "tosca.artifacts.Root" },
	[TK_CAPABILITY] = { "capability_types", "capability type", "tosca.capabilities.Root" },
	[TK_RELATIONSHIP] = { "relationship_types", "relationship type", "tosca.relationships.Root" },
	[TK_INTERFACE] = { "interface_types", "interface type", "tosca.interfaces.Root" },
	[TK_NODE] = { "node_types", "node type", "tosca.nodes.Root" },
	[TK_GROUP] = { "group_types", "group type", "tosca.groups.Root" },
	[TK_POLICY] = { "policy_types", "policy type", "tosca.policies.Root" },
};

const char *kind_name(enum type_kind kind)
{
	return kinds[kind].name;
}

void unit_collect_types(struct unit *unit)
{
	size_t n = 0;
	for (size_t kind = 0; kind < N_TYPE_KINDS; kind++) {
		unit->types[kind] = g_hash_table_new(g_str_hash, g_str_equal);
		const struct ynode *section = want_mapping(unit, ynode_get(unit->root, kinds[kind].section), kinds[kind].section);
		for (size_t i = 0; section && i < section->mapping.n; i++) {
			const struct yentry *entry = &section->mapping.entries[i];
			if (++n > TOSCA_MAX_TYPES) {
				unit_fault(unit, "too-many", entry->origin, "more than %d types in one file", TOSCA_MAX_TYPES);
				break;
			}
			struct ttype *type = ARENA_NEW(unit->arena, struct ttype);
			type->kind = (enum type_kind) kind;
			type->name = entry->key;
			type->origin = entry->origin;
			type->node = want_mapping(unit, entry->value, entry->key);
			type->unit = unit;
			g_hash_table_insert(unit->types[kind], (gpointer) (guintptr) type->name, type);
		}
	}
}

static void type_link(struct ttype *type);

struct ttype *unit_type(struct unit *unit, enum type_kind kind, const char *name)
{
	for (size_t i = 0; i < unit->n_closure; i++) {
		struct ttype *type = g_hash_table_lookup(unit->closure[i]->types[kind], name);
		if (!type)
			continue;
		type_link(type);
		return type;
	}
	return NULL;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void unit_type_unknown(struct unit *unit, enum type_kind kind, const char *name, struct origin origin)
{
	struct diag *diag = unit_fault(unit, "unknown-type", origin, "%s \"%s\" is not defined", kinds[kind].name, name);
	if (!can_guess(unit))
		return;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (size_t base = BASE_STRING; kind == TK_DATA && base < BASE_DATA; base++)
		g_ptr_array_add(names, (gpointer) (guintptr) base_name((enum base) base));
	for (size_t i = 0; i < unit->n_closure; i++) {
		GHashTableIter iter;
		gpointer key;
		g_hash_table_iter_init(&iter, unit->closure[i]->types[kind]);
		while (g_hash_table_iter_next(&iter, &key, NULL))
			g_ptr_array_add(names, key);
	}
	g_ptr_array_sort(names, compare_names);
	hint_near(unit, diag, name, (const char *const *) names->pdata, names->len, "import the file that defines it");
}

struct ttype *unit_type_need(struct unit *unit, enum type_kind kind, const char *name, struct origin origin)
{
	struct ttype *type = unit_type(unit, kind, name);
	if (type)
		type_fill(type);
	else
		unit_type_unknown(unit, kind, name, origin);
	return type;
}

/* --- inheritance --------------------------------------------------------------------------------------------------- */

/* "derived_from: integer": a simple type with constraints of its own. */
static bool link_simple(struct ttype *type, const char *parent)
{
	enum base base;
	if (type->kind != TK_DATA || !base_parse(parent, &base))
		return false;
	struct schema *start = ARENA_NEW(type->unit->arena, struct schema);
	*start = (struct schema) { .base = base, .type_name = type->name };
	type->simple = start;
	return true;
}

static void link_parent(struct ttype *type, const struct ynode *node, const char *name)
{
	struct unit *unit = type->unit;
	struct ttype *parent = unit_type(unit, type->kind, name);
	if (!parent) {
		if (node)
			unit_type_unknown(unit, type->kind, name, node->origin);
		return;
	}
	if (parent->link_state == TYPE_LINKING) {
		struct diag *diag = unit_fault(unit, "circular-inheritance", node ? node->origin : type->origin,
					  "%s \"%s\" is derived from itself",
					  kinds[type->kind].name, type->name);
		diag_note(unit->diags, diag, parent->origin, "by way of \"%s\"", parent->name);
		return;
	}
	if (parent->depth + 1 > TOSCA_MAX_INHERITANCE) {
		unit_fault(unit, "inheritance-too-deep", type->origin, "\"%s\" has more than %d ancestors", type->name,
		      TOSCA_MAX_INHERITANCE);
		return;
	}
	type->parent = parent;
	type->depth = parent->depth + 1;
	type->simple = parent->simple;
}

/* Types are linked from the far end of the chain, so that the depth of recursion stays small whatever the file says. */
static void type_link(struct ttype *type)
{
	if (type->link_state != TYPE_NEW)
		return;
	g_autoptr(GPtrArray) chain = g_ptr_array_new();
	for (struct ttype *at = type; at && at->link_state == TYPE_NEW;) {
		at->link_state = TYPE_LINKING;
		g_ptr_array_add(chain, at);
		const char *name = ynode_text(ynode_get(at->node, "derived_from"));
		struct ttype *next = NULL;
		for (size_t i = 0; name && !next && i < at->unit->n_closure; i++)
			next = g_hash_table_lookup(at->unit->closure[i]->types[at->kind], name);
		at = next;
	}
	for (guint i = chain->len; i-- > 0;) {
		struct ttype *at = chain->pdata[i];
		const struct ynode *from = ynode_get(at->node, "derived_from");
		const char *name = ynode_text(from);
		if (from && !name && !ynode_is_null(from))
			unit_fault(at->unit, "wrong-shape", from->origin, "derived_from names one type");
		if (!name && strcmp(at->name, kinds[at->kind].root) != 0)
			link_parent(at, NULL, kinds[at->kind].root);
		else if (name && !link_simple(at, name))
			link_parent(at, from, name);
		if (at->simple)
			at->simple = schema_read(at->unit, at->node, at->simple);
		at->link_state = TYPE_LINKED;
	}
}

/* --- definitions --------------------------------------------------------------------------------------------------- */

static const char *const *keys_of(enum type_kind kind)
{
	static const char *const data[] = {
		"derived_from", "version", "metadata", "description", "constraints", "properties", "key_schema",
		"entry_schema", NULL
	};
	static const char *const artifact[] = {
		"derived_from", "version", "metadata", "description", "mime_type", "file_ext", "properties", NULL
	};
	static const char *const capability[] = {
		"derived_from", "version", "metadata", "description", "properties", "attributes",
		"valid_source_types", NULL
	};
	static const char *const relationship[] = {
		"derived_from", "version", "metadata", "description", "properties", "attributes", "interfaces",
		"valid_target_types", NULL
	};
	static const char *const node[] = {
		"derived_from", "version", "metadata", "description", "attributes", "properties", "requirements",
		"capabilities", "interfaces", "artifacts", NULL
	};
	static const char *const group[] = {
		"derived_from", "version", "metadata", "description", "attributes", "properties", "members",
		"requirements", "capabilities", "interfaces", NULL
	};
	static const char *const policy[] = {
		"derived_from", "version", "metadata", "description", "properties", "targets", "triggers", NULL
	};
	switch (kind) {
	case TK_DATA:
		return data;
	case TK_ARTIFACT:
		return artifact;
	case TK_CAPABILITY:
		return capability;
	case TK_RELATIONSHIP:
		return relationship;
	case TK_INTERFACE:
		return NULL; /* its operations may stand beside its keys */
	case TK_NODE:
		return node;
	case TK_GROUP:
		return group;
	case TK_POLICY:
		return policy;
	}
	g_assert_not_reached();
}

static struct capability_def capability_read(struct unit *unit, const struct yentry *entry)
{
	static const char *const keys[] = {
		"type", "description", "properties", "attributes", "valid_source_types", "occurrences", "metadata",
		NULL
	};
	struct capability_def def = { .name = entry->key, .origin = entry->origin };
	const struct ynode *type = entry->value;
	if (entry->value->kind == YNODE_MAPPING) {
		check_keys(unit, entry->value, "a capability", keys);
		type = ynode_get(entry->value, "type");
	}
	if (!ynode_text(type)) {
		unit_fault(unit, "missing-key", entry->origin, "capability \"%s\" has no type", entry->key);
		return def;
	}
	def.type = unit_type_need(unit, TK_CAPABILITY, ynode_text(type), type->origin);
	if (def.type)
		def.properties = properties_read(unit, ynode_get(entry->value, "properties"), def.type->properties, "properties",
						 false);
	return def;
}

static void fill_capabilities(struct ttype *type)
{
	struct unit *unit = type->unit;
	const struct ynode *node = want_mapping(unit, ynode_get(type->node, "capabilities"), "capabilities");
	size_t n = type->parent ? type->parent->n_capabilities : 0, n_own = node ? node->mapping.n : 0;
	if (n + n_own > TOSCA_MAX_DEFINITIONS) {
		unit_fault(unit, "too-many", node->origin, "capabilities: more than %d", TOSCA_MAX_DEFINITIONS);
		return;
	}
	if (!n_own || !unit_room(unit, (n + n_own) * sizeof(*type->capabilities), node->origin)) {
		type->capabilities = type->parent ? type->parent->capabilities : NULL;
		type->n_capabilities = n;
		return;
	}
	type->capabilities = ARENA_ARRAY(unit->arena, struct capability_def, n + n_own);
	if (n)
		memcpy(type->capabilities, type->parent->capabilities, n * sizeof(*type->capabilities));
	for (size_t i = 0; i < n_own; i++) {
		struct capability_def def = capability_read(unit, &node->mapping.entries[i]);
		size_t at = 0;
		while (at < n && strcmp(type->capabilities[at].name, def.name))
			at++;
		if (!def.type)
			continue;
		type->capabilities[at] = def;
		n = MAX(n, at + 1);
	}
	type->n_capabilities = n;
}

static bool read_occurrences(struct unit *unit, const struct ynode *node, gint64 *min, gint64 *max)
{
	if (ynode_is_null(node))
		return true;
	const char *low = node->kind == YNODE_SEQUENCE && node->sequence.n == 2 ? ynode_text(node->sequence.items[0]) : NULL;
	const char *high = low ? ynode_text(node->sequence.items[1]) : NULL;
	bool unbounded = high && !g_ascii_strcasecmp(high, "UNBOUNDED");
	if (!high || !g_ascii_string_to_signed(low, 10, 0, G_MAXINT32, min, NULL) ||
	    (!unbounded && !g_ascii_string_to_signed(high, 10, 0, G_MAXINT32, max, NULL)) || (!unbounded && *max < *min)) {
		struct diag *diag = unit_fault(unit, "wrong-type", node->origin, "occurrences are not [ MINIMUM, MAXIMUM ]");
		unit_hint(unit, diag, "write [ 0, 1 ], or [ 1, UNBOUNDED ]");
		return false;
	}
	if (unbounded)
		*max = G_MAXINT64;
	return true;
}

static struct requirement_def requirement_read(struct unit *unit, const struct yentry *entry)
{
	static const char *const keys[] = {
		"capability", "node", "relationship", "occurrences", "description", "metadata", "node_filter", NULL
	};
	struct requirement_def def = { .name = entry->key, .origin = entry->origin, .min = 1, .max = 1 };
	if (entry->value->kind == YNODE_SCALAR && ynode_text(entry->value)) {
		def.capability = ynode_text(entry->value);
	} else if (check_keys(unit, entry->value, "a requirement", keys)) {
		def.capability = ynode_text(ynode_get(entry->value, "capability"));
		def.node = ynode_text(ynode_get(entry->value, "node"));
		read_occurrences(unit, ynode_get(entry->value, "occurrences"), &def.min, &def.max);
		if (!def.capability)
			unit_fault(unit, "missing-key", entry->origin, "requirement \"%s\" names no capability", entry->key);
		if (def.node)
			unit_type_need(unit, TK_NODE, def.node, ynode_get(entry->value, "node")->origin);
		const struct ynode *relationship = ynode_get(entry->value, "relationship");
		if (relationship && relationship->kind == YNODE_MAPPING)
			relationship = ynode_get(relationship, "type");
		if (ynode_text(relationship))
			unit_type_need(unit, TK_RELATIONSHIP, ynode_text(relationship), relationship->origin);
	}
	return def;
}

struct requirement_filling {
	struct ttype *type;
	size_t capacity;
};

static void fill_requirement(const struct yentry *entry, void *data)
{
	struct requirement_filling *filling = data;
	struct ttype *type = filling->type;
	struct requirement_def def = requirement_read(type->unit, entry);
	size_t at = 0;
	while (at < type->n_requirements && strcmp(type->requirements[at].name, def.name))
		at++;
	if (at == filling->capacity)
		return;
	type->requirements[at] = def;
	type->n_requirements = MAX(type->n_requirements, at + 1);
}

static void fill_requirements(struct ttype *type)
{
	struct unit *unit = type->unit;
	const struct ynode *node = ynode_get(type->node, "requirements");
	size_t n = type->parent ? type->parent->n_requirements : 0;
	size_t n_own = !node ? 0 : node->kind == YNODE_SEQUENCE ? node->sequence.n : node->kind == YNODE_MAPPING ? node->mapping.n
		: 0;
	if (n + n_own > TOSCA_MAX_DEFINITIONS) {
		unit_fault(unit, "too-many", node->origin, "requirements: more than %d", TOSCA_MAX_DEFINITIONS);
		return;
	}
	if (!n_own || !unit_room(unit, (n + n_own) * sizeof(*type->requirements), node->origin)) {
		type->requirements = type->parent ? type->parent->requirements : NULL;
		type->n_requirements = n;
		return;
	}
	type->requirements = ARENA_ARRAY(unit->arena, struct requirement_def, n + n_own);
	if (n)
		memcpy(type->requirements, type->parent->requirements, n * sizeof(*type->requirements));
	type->n_requirements = n;
	struct requirement_filling filling = { type, n + n_own };
	each_named(unit, node, "requirements", fill_requirement, &filling);
}

static void fill_artifacts(struct ttype *type)
{
	struct unit *unit = type->unit;
	const struct ynode *node = want_mapping(unit, ynode_get(type->node, "artifacts"), "artifacts");
	size_t n = type->parent ? type->parent->n_artifacts : 0, n_own = node ? node->mapping.n : 0;
	if (n + n_own > TOSCA_MAX_DEFINITIONS) {
		unit_fault(unit, "too-many", node->origin, "artifacts: more than %d", TOSCA_MAX_DEFINITIONS);
		return;
	}
	if (!n_own || !unit_room(unit, (n + n_own) * sizeof(*type->artifacts), node->origin)) {
		type->artifacts = type->parent ? type->parent->artifacts : NULL;
		type->n_artifacts = n;
		return;
	}
	type->artifacts = ARENA_ARRAY(unit->arena, struct artifact_def, n + n_own);
	if (n)
		memcpy(type->artifacts, type->parent->artifacts, n * sizeof(*type->artifacts));
	for (size_t i = 0; i < n_own; i++) {
		const struct yentry *entry = &node->mapping.entries[i];
		size_t at = 0;
		while (at < n && strcmp(type->artifacts[at].name, entry->key))
			at++;
		type->artifacts[at] = (struct artifact_def) { entry->key, unit, entry->value, entry->origin };
		n = MAX(n, at + 1);
	}
	type->n_artifacts = n;
}

static void fill_members(struct ttype *type, const char *key)
{
	const struct ynode *node = ynode_get(type->node, key);
	if (ynode_is_null(node)) {
		type->members = type->parent ? type->parent->members : NULL;
		type->n_members = type->parent ? type->parent->n_members : 0;
		return;
	}
	if (node->kind != YNODE_SEQUENCE) {
		unit_fault(type->unit, "wrong-shape", node->origin, "%s must be a list of types", key);
		return;
	}
	if (node->sequence.n > TOSCA_MAX_DEFINITIONS) {
		unit_fault(type->unit, "too-many", node->origin, "%s: more than %d", key, TOSCA_MAX_DEFINITIONS);
		return;
	}
	const char **members = ARENA_ARRAY(type->unit->arena, const char *, node->sequence.n);
	for (size_t i = 0; i < node->sequence.n; i++) {
		const struct ynode *item = node->sequence.items[i];
		const char *name = ynode_text(item);
		if (!name)
			unit_fault(type->unit, "wrong-shape", item->origin, "a type is named by a text");
		else if (unit_type(type->unit, TK_NODE, name) || unit_type(type->unit, TK_GROUP, name))
			members[type->n_members++] = name;
		else
			unit_type_unknown(type->unit, TK_NODE, name, item->origin);
	}
	type->members = members;
}

static void fill_by_kind(struct ttype *type)
{
	switch (type->kind) {
	case TK_NODE:
		fill_capabilities(type);
		fill_requirements(type);
		fill_artifacts(type);
		type_fill_interfaces(type);
		break;
	case TK_INTERFACE:
		type_fill_interfaces(type);
		break;
	case TK_POLICY:
		fill_members(type, "targets");
		break;
	case TK_GROUP:
		fill_members(type, "members");
		break;
	case TK_DATA:
	case TK_ARTIFACT:
	case TK_CAPABILITY:
	case TK_RELATIONSHIP:
		break;
	}
}

void type_fill(struct ttype *type)
{
	if (type->fill_state != TYPE_BARE)
		return;
	type->fill_state = TYPE_FILLING;
	type_link(type);
	if (type->parent)
		type_fill(type->parent);
	struct unit *unit = type->unit;
	const char *const *keys = keys_of(type->kind);
	if (keys && type->node) {
		g_autofree char *what = g_strdup_printf("%s \"%s\"", kinds[type->kind].name, type->name);
		check_keys(unit, type->node, what, keys);
	}
	struct properties none = { NULL, 0 };
	type->properties = properties_read(unit, ynode_get(type->node, "properties"), type->parent ? type->parent->properties
					   : none, "properties", false);
	type->attributes = properties_read(unit, ynode_get(type->node, "attributes"), type->parent ? type->parent->attributes
					   : none, "attributes", false);
	if (type->simple && type->properties.n)
		unit_fault(unit, "wrong-shape", type->origin, "a type derived from %s has no properties",
		      base_name(type->simple->base));
	fill_by_kind(type);
	type->fill_state = TYPE_FILLED;
}

static void check_defaults(struct properties properties, const struct unit *unit)
{
	for (size_t i = 0; i < properties.n; i++)
		if (properties.items[i]->unit == unit)
			property_default(properties.items[i]);
}

void unit_resolve_types(struct unit *unit)
{
	for (size_t kind = 0; kind < N_TYPE_KINDS; kind++) {
		GHashTableIter iter;
		gpointer value;
		g_hash_table_iter_init(&iter, unit->types[kind]);
		while (g_hash_table_iter_next(&iter, NULL, &value))
			type_fill(value);
	}
	for (size_t kind = 0; kind < N_TYPE_KINDS; kind++) {
		GHashTableIter iter;
		gpointer value;
		g_hash_table_iter_init(&iter, unit->types[kind]);
		while (g_hash_table_iter_next(&iter, NULL, &value)) {
			struct ttype *type = value;
			check_defaults(type->properties, unit);
			for (size_t i = 0; i < type->n_capabilities; i++)
				check_defaults(type->capabilities[i].properties, unit);
			for (size_t i = 0; i < type->n_interfaces; i++) {
				check_defaults(type->interfaces[i].inputs, unit);
				for (size_t j = 0; j < type->interfaces[i].n_operations; j++)
					check_defaults(type->interfaces[i].operations[j].inputs, unit);
			}
		}
	}
}

const struct requirement_def *type_requirement(const struct ttype *type, const char *name)
{
	for (size_t i = 0; i < type->n_requirements; i++)
		if (!strcmp(type->requirements[i].name, name))
			return &type->requirements[i];
	return NULL;
}

const struct capability_def *type_capability(const struct ttype *type, const char *name)
{
	for (size_t i = 0; i < type->n_capabilities; i++)
		if (!strcmp(type->capabilities[i].name, name))
			return &type->capabilities[i];
	return NULL;
}
