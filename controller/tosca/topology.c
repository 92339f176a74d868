#include "tosca/internal.h"

#include <string.h>

/* Groups, policies and the substitution mapping of a template. */

struct naming {
	struct builder *builder;
	const char *what;           /* "target", "member" */
	const struct ttype *type;
	const char *owner;
};

static void unknown_name(const struct naming *naming, const char *name, struct origin origin)
{
	struct builder *builder = naming->builder;
	struct diag *diag = unit_fault(builder->unit, "unknown-node", origin, "%s: there is no node or group \"%s\"",
				       naming->owner,
				  name);
	if (!can_guess(builder->unit))
		return;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < builder->nodes->len; i++)
		g_ptr_array_add(names, (gpointer) (guintptr) g_array_index(builder->nodes, struct tnode, i).name);
	for (guint i = 0; i < builder->groups->len; i++)
		g_ptr_array_add(names, (gpointer) (guintptr) g_array_index(builder->groups, struct tgroup, i).name);
	hint_names(builder->unit, builder->unit->diags, diag, name, (const char *const *) names->pdata, names->len);
}

static void check_member_type(const struct naming *naming, const struct ttype *member, const char *name, struct origin origin)
{
	const struct ttype *type = naming->type;
	if (!type || !type->n_members || !origin_is_set(member->origin))
		return;
	for (size_t i = 0; i < type->n_members; i++)
		if (type->members[i] && ttype_is_a(member, type->members[i]))
			return;
	struct diag *diag = unit_fault(naming->builder->unit, "wrong-target", origin, "%s: \"%s\" is a %s", naming->owner, name,
				  member->name);
	g_autoptr(GString) allowed = g_string_new(NULL);
	for (size_t i = 0; i < type->n_members; i++)
		g_string_append_printf(allowed, "%s%s", i ? ", " : "", type->members[i] ? type->members[i] : "?");
	unit_hint(naming->builder->unit, diag, "%ss of %s are %s", naming->what, type->name, allowed->str);
}

/* A list of names of nodes and groups. Those that are none are left out. */
static const char *const *read_names(const struct naming *naming, const struct ynode *node, size_t *ret_n)
{
	*ret_n = 0;
	if (ynode_is_null(node))
		return NULL;
	if (node->kind != YNODE_SEQUENCE) {
		unit_fault(naming->builder->unit, "wrong-shape", node->origin, "%s: %ss must be a list", naming->owner,
			   naming->what);
		return NULL;
	}
	const char **names = ARENA_ARRAY(naming->builder->unit->arena, const char *, node->sequence.n);
	for (size_t i = 0; i < node->sequence.n; i++) {
		const struct ynode *item = node->sequence.items[i];
		const char *name = ynode_text(item);
		const struct ttype *type = name ? builder_type_of(naming->builder, name) : NULL;
		if (!name) {
			unit_fault(naming->builder->unit, "wrong-shape", item->origin, "a %s is named by a text", naming->what);
			continue;
		}
		if (!type) {
			unknown_name(naming, name, item->origin);
			continue;
		}
		check_member_type(naming, type, name, item->origin);
		names[(*ret_n)++] = name;
	}
	return names;
}

static struct ttype *named_type(struct builder *builder, enum type_kind kind, const struct yentry *entry, const char *what)
{
	const struct ynode *type = ynode_get(entry->value, "type");
	if (entry->value->kind != YNODE_MAPPING) {
		unit_fault(builder->unit, "wrong-shape", entry->origin, "%s \"%s\" must be a mapping", what, entry->key);
		return NULL;
	}
	if (!ynode_text(type)) {
		unit_fault(builder->unit, "missing-key", entry->origin, "%s \"%s\" has no type", what, entry->key);
		return NULL;
	}
	return unit_type_need(builder->unit, kind, ynode_text(type), type->origin);
}

/* --- groups -------------------------------------------------------------------------------------------------------- */

static void build_group(const struct yentry *entry, void *data)
{
	static const char *const keys[] = {
		"type", "description", "metadata", "attributes", "properties", "members", "interfaces", NULL
	};
	struct builder *builder = data;
	struct ttype *type = named_type(builder, TK_GROUP, entry, "group");
	if (!type || !check_keys(builder->unit, entry->value, "a group", keys))
		return;
	if (builder_type_of(builder, entry->key)) {
		unit_fault(builder->unit, "duplicate-name", entry->origin, "there is a node or group \"%s\" already", entry->key);
		return;
	}
	struct tgroup group = { .name = entry->key, .type = type, .origin = entry->origin };
	char *owner = arena_printf(builder->unit->arena, "group \"%s\" (%s)", entry->key, type->name);
	group.properties = build_cells(builder, type->properties, ynode_get(entry->value, "properties"), SIZE_MAX, owner,
				       entry->origin, false);
	const struct naming naming = { builder, "member", type, owner };
	group.members = read_names(&naming, ynode_get(entry->value, "members"), &group.n_members);
	g_array_append_val(builder->groups, group);
	g_hash_table_insert(builder->group_index, (gpointer) (guintptr) entry->key,
			    GSIZE_TO_POINTER((size_t) builder->groups->len));
}

/* Both are found in the wild as a list and as a mapping, and outside topology_template. */
static void accept_shape(struct builder *builder, const struct ynode *given, const char *section, bool list_expected)
{
	if (ynode_is_null(given))
		return;
	const struct yentry *misplaced = ynode_entry(builder->unit->root, section);
	if (misplaced && misplaced->value == given) {
		struct diag *diag = unit_warn(builder->unit, "misplaced", misplaced->origin, "%s belong into topology_template",
					 section);
		unit_hint(builder->unit, diag, "move them there");
	}
	if ((given->kind == YNODE_SEQUENCE) != list_expected && given->kind != YNODE_SCALAR)
		unit_warn(builder->unit, "odd-shape", given->origin, "%s are a %s in TOSCA; read all the same", section,
			  list_expected
		     ? "list" : "mapping");
}

void build_groups(struct builder *builder, const struct ynode *given)
{
	accept_shape(builder, given, "groups", false);
	each_named(builder->unit, given, "groups", build_group, builder);
}

/* --- policies ------------------------------------------------------------------------------------------------------ */

static void not_kept_condition(struct builder *builder, struct origin origin, const char *trigger)
{
	struct diag *diag = unit_warn(builder->unit, "not-kept", origin, "this condition of the trigger \"%s\" is not kept", trigger);
	unit_hint(builder->unit, diag, "conditions that are kept read \"- ATTRIBUTE: [ { greater_or_equal: NUMBER } ]\"");
}

static void read_comparisons(struct builder *builder, const struct yentry *attribute, const char *trigger, GArray *triggers)
{
	const struct ynode *list = attribute->value;
	for (size_t i = 0; list->kind == YNODE_SEQUENCE && i < list->sequence.n; i++) {
		const struct ynode *item = list->sequence.items[i];
		const struct yentry *only = item->kind == YNODE_MAPPING && item->mapping.n == 1 ? &item->mapping.entries[0] : NULL;
		const char *text = only ? ynode_text(only->value) : NULL;
		struct tvalue value;
		if (!text || scalar_parse(builder->unit->arena, BASE_FLOAT, text, &value)) {
			not_kept_condition(builder, item->origin, trigger);
			continue;
		}
		struct ttrigger add = { trigger, attribute->key, only->key, value.number, only->origin };
		g_array_append_val(triggers, add);
	}
	if (list->kind != YNODE_SEQUENCE)
		not_kept_condition(builder, attribute->origin, trigger);
}

static void read_trigger(struct builder *builder, const struct yentry *entry, GArray *triggers)
{
	static const char *const keys[] = { "description", "event", "condition", "action", "target_filter", "schedule", NULL };
	if (!check_keys(builder->unit, entry->value, "a trigger", keys))
		return;
	const struct ynode *condition = ynode_get(entry->value, "condition");
	if (!ynode_is_null(ynode_get(entry->value, "action")))
		unit_warn(builder->unit, "not-kept", ynode_entry(entry->value, "action")->origin,
			  "the action of the trigger \"%s\" is not kept: what it compares is only reported", entry->key);
	if (ynode_is_null(condition) || condition->kind != YNODE_SEQUENCE) {
		not_kept_condition(builder, condition ? condition->origin : entry->origin, entry->key);
		return;
	}
	for (size_t i = 0; i < condition->sequence.n; i++) {
		const struct ynode *clause = condition->sequence.items[i];
		if (clause->kind == YNODE_MAPPING && clause->mapping.n == 1)
			read_comparisons(builder, &clause->mapping.entries[0], entry->key, triggers);
		else
			not_kept_condition(builder, clause->origin, entry->key);
	}
}

static void read_triggers(struct builder *builder, const struct ynode *given, struct tpolicy *policy)
{
	g_autoptr(GArray) triggers = g_array_new(FALSE, FALSE, sizeof(struct ttrigger));
	given = want_mapping(builder->unit, given, "triggers");
	for (size_t i = 0; given && i < given->mapping.n; i++)
		read_trigger(builder, &given->mapping.entries[i], triggers);
	policy->triggers = arena_memdup(builder->unit->arena, triggers->data, triggers->len * sizeof(struct ttrigger));
	policy->n_triggers = triggers->len;
}

static void build_policy(const struct yentry *entry, void *data)
{
	static const char *const keys[] = { "type", "description", "metadata", "properties", "targets", "triggers", NULL };
	struct builder *builder = data;
	struct ttype *type = named_type(builder, TK_POLICY, entry, "policy");
	if (!type || !check_keys(builder->unit, entry->value, "a policy", keys))
		return;
	size_t index = GPOINTER_TO_SIZE(g_hash_table_lookup(builder->policy_index, entry->key));
	if (index) {
		const struct tpolicy *other = &g_array_index(builder->policies, struct tpolicy, index - 1);
		struct diag *diag = unit_fault(builder->unit, "duplicate-name", entry->origin, "there is a policy \"%s\" already",
					  entry->key);
		diag_note(builder->unit->diags, diag, other->origin, "first given here");
		return;
	}
	struct tpolicy policy = { .name = entry->key, .type = type, .origin = entry->origin };
	if (ttype_is_a(type, "tosca.policies.nfv.VnfIndicator"))
		read_triggers(builder, ynode_get(entry->value, "triggers"), &policy);
	else if (!ynode_is_null(ynode_get(entry->value, "triggers")))
		unit_warn(builder->unit, "not-kept", ynode_entry(entry->value, "triggers")->origin,
		     "triggers of a policy are not kept");
	char *owner = arena_printf(builder->unit->arena, "policy \"%s\" (%s)", entry->key, type->name);
	policy.properties = build_cells(builder, type->properties, ynode_get(entry->value, "properties"), SIZE_MAX, owner,
					entry->origin, false);
	const struct naming naming = { builder, "target", type, owner };
	policy.targets = read_names(&naming, ynode_get(entry->value, "targets"), &policy.n_targets);
	g_array_append_val(builder->policies, policy);
	g_hash_table_insert(builder->policy_index, (gpointer) (guintptr) entry->key,
			    GSIZE_TO_POINTER((size_t) builder->policies->len));
}

void build_policies(struct builder *builder, const struct ynode *given)
{
	accept_shape(builder, given, "policies", true);
	each_named(builder->unit, given, "policies", build_policy, builder);
}

/* --- substitution -------------------------------------------------------------------------------------------------- */

enum mapping_kind { MAP_PROPERTY, MAP_REQUIREMENT, MAP_CAPABILITY, MAP_ATTRIBUTE };

struct mapping_run {
	struct builder *builder;
	enum mapping_kind kind;
	struct tmapping *items;
	size_t n;
	GHashTable *mapped; /* "NODE\nREQUIREMENT" */
};

static void unknown_word(struct builder *builder, const char *code, struct origin origin, const char *what, const char *word,
			 GPtrArray *names)
{
	struct diag *diag = unit_fault(builder->unit, code, origin, "there is no %s \"%s\"", what, word);
	hint_names(builder->unit, builder->unit->diags, diag, word, (const char *const *) names->pdata, names->len);
}

static GPtrArray *names_of_properties(struct properties properties)
{
	GPtrArray *names = g_ptr_array_new();
	for (size_t i = 0; i < properties.n; i++)
		g_ptr_array_add(names, (gpointer) (guintptr) properties.items[i]->name);
	return names;
}

static GPtrArray *names_of_requirements(const struct ttype *type)
{
	GPtrArray *names = g_ptr_array_new();
	for (size_t i = 0; i < type->n_requirements; i++)
		g_ptr_array_add(names, (gpointer) (guintptr) type->requirements[i].name);
	return names;
}

/* Does the substituted node type know the left side? */
static void check_mapped_name(const struct mapping_run *run, const struct yentry *entry)
{
	struct builder *builder = run->builder;
	const struct ttype *type = builder->template->substitution_type;
	g_autoptr(GPtrArray) names = NULL;
	if (!type)
		return;
	switch (run->kind) {
	case MAP_PROPERTY:
		if (!properties_find(type->properties, entry->key))
			unknown_word(builder, "unknown-property", entry->origin, "property of the substituted type", entry->key,
				     names = names_of_properties(type->properties));
		break;
	case MAP_REQUIREMENT:
		if (!type_requirement(type, entry->key))
			unknown_word(builder, "unknown-requirement", entry->origin, "requirement of the substituted type",
				     entry->key,
				     names = names_of_requirements(type));
		break;
	case MAP_CAPABILITY:
		if (!type_capability(type, entry->key))
			unknown_word(builder, "unknown-capability", entry->origin, "capability of the substituted type",
				     entry->key,
				     names = g_ptr_array_new());
		break;
	case MAP_ATTRIBUTE:
		if (!properties_find(type->attributes, entry->key))
			unknown_word(builder, "unknown-attribute", entry->origin, "attribute of the substituted type", entry->key,
				     names = names_of_properties(type->attributes));
		break;
	}
}

/* The right side: [ INPUT ], [ OUTPUT ], [ NODE, REST… ]. */
static void check_target(const struct mapping_run *run, const struct ynode *node, const struct tmapping *mapping)
{
	struct builder *builder = run->builder;
	const char *first = mapping->target[0];
	struct origin origin = node->sequence.items[0]->origin;
	if (mapping->n_target == 1) {
		const struct ynode *outputs = ynode_get(builder->template->node, "outputs");
		g_autoptr(GPtrArray) names = names_of_properties(builder->template->inputs);
		if (run->kind == MAP_PROPERTY && !properties_find(builder->template->inputs, first))
			unknown_word(builder, "unknown-input", origin, "input", first, names);
		else if (run->kind == MAP_ATTRIBUTE && !ynode_get(outputs, first))
			unit_fault(builder->unit, "unknown-output", origin, "there is no output \"%s\"", first);
		else if (run->kind == MAP_REQUIREMENT || run->kind == MAP_CAPABILITY)
			unit_fault(builder->unit, "wrong-shape", node->origin, "a mapping is [ NODE, NAME ]");
		return;
	}
	const struct ttype *type = builder_type_of(builder, first);
	if (!type) {
		const struct naming naming = { builder, "target", NULL, "substitution_mappings" };
		unknown_name(&naming, first, origin);
		return;
	}
	const char *second = mapping->target[1];
	struct origin second_origin = node->sequence.items[1]->origin;
	if (!origin_is_set(type->origin))
		return;
	g_autoptr(GPtrArray) names = names_of_requirements(type);
	if (run->kind == MAP_REQUIREMENT) {
		if (!type_requirement(type, second))
			unknown_word(builder, "unknown-requirement", second_origin, "requirement of that node", second, names);
		g_hash_table_add(run->mapped, g_strdup_printf("%s\n%s", first, second));
	} else if (run->kind == MAP_CAPABILITY && !type_capability(type, second)) {
		unit_fault(builder->unit, "unknown-capability", second_origin, "\"%s\" (%s) has no capability \"%s\"", first,
		      type->name, second);
	}
}

static void mapping_target(const struct mapping_run *run, const struct ynode *node, struct tmapping *mapping)
{
	struct unit *unit = run->builder->unit;
	const char **target = ARENA_ARRAY(unit->arena, const char *, node->sequence.n);
	for (size_t i = 0; i < node->sequence.n; i++) {
		target[i] = ynode_text(node->sequence.items[i]);
		if (!target[i]) {
			unit_fault(unit, "wrong-shape", node->sequence.items[i]->origin, "a name is wanted here");
			return;
		}
	}
	mapping->target = target;
	mapping->n_target = node->sequence.n;
	if (mapping->n_target)
		check_target(run, node, mapping);
	else
		unit_fault(unit, "wrong-shape", node->origin, "an empty mapping");
}

/* A list is a mapping, unless a list is what the property takes and its first word is no input and no node. */
static bool is_constant_list(struct builder *builder, const struct property *property, const struct ynode *node)
{
	const char *first = node->sequence.n ? ynode_text(node->sequence.items[0]) : NULL;
	if (!property || property->schema->base != BASE_LIST)
		return false;
	return !first || (!properties_find(builder->template->inputs, first) && !builder_type_of(builder, first));
}

static void build_mapping(const struct yentry *entry, void *data)
{
	struct mapping_run *run = data;
	struct builder *builder = run->builder;
	struct unit *unit = builder->unit;
	struct tmapping *mapping = &run->items[run->n++];
	*mapping = (struct tmapping) { .name = entry->key, .origin = entry->origin };
	check_mapped_name(run, entry);
	const struct ynode *node = entry->value;
	if (node->kind == YNODE_MAPPING && ynode_get(node, "mapping"))
		node = ynode_get(node, "mapping");
	const struct ttype *type = builder->template->substitution_type;
	const struct property *property = type && run->kind == MAP_PROPERTY ? properties_find(type->properties, entry->key)
		: NULL;
	if (node->kind == YNODE_SEQUENCE && !is_constant_list(builder, property, node)) {
		mapping_target(run, node, mapping);
		return;
	}
	if (run->kind != MAP_PROPERTY) {
		struct diag *diag = unit_fault(unit, "wrong-shape", node->origin, "a mapping is [ NODE, NAME ]");
		unit_hint(unit, diag, "write %s: [ NODE, NAME ]", entry->key);
		return;
	}
	struct eval eval = { .unit = unit, .arena = unit->arena, .diags = unit->diags, .self = SIZE_MAX };
	mapping->value = eval_node(&eval, property ? property->schema : NULL, node);
	if (!strcmp(entry->key, "flavour_id"))
		builder->template->flavour_id = tvalue_string(mapping->value, NULL);
}

static const struct tmapping *build_mappings(struct builder *builder, enum mapping_kind kind, const struct ynode *given,
					     const char *what,
					     GHashTable *mapped, size_t *ret_n)
{
	size_t n = !given ? 0 : given->kind == YNODE_SEQUENCE ? given->sequence.n : given->kind == YNODE_MAPPING
		? given->mapping.n : 0;
	if (n > TOSCA_MAX_DEFINITIONS) {
		unit_fault(builder->unit, "too-many", given->origin, "%s: more than %d", what, TOSCA_MAX_DEFINITIONS);
		return NULL;
	}
	struct mapping_run run = { .builder = builder, .kind = kind, .mapped = mapped };
	run.items = ARENA_ARRAY(builder->unit->arena, struct tmapping, n);
	each_named(builder->unit, given, what, build_mapping, &run);
	*ret_n = run.n;
	return run.items;
}

void build_substitution(struct builder *builder, const struct ynode *given, GHashTable *mapped)
{
	static const char *const keys[] = {
		"node_type", "substitution_filter", "properties", "attributes", "capabilities", "requirements",
		"interfaces", "description", "metadata", NULL
	};
	struct unit *unit = builder->unit;
	if (!check_keys(unit, given, "substitution_mappings", keys))
		return;
	struct template *template = builder->template;
	struct tsubstitution *substitution = &template->substitution;
	const struct ynode *type = ynode_get(given, "node_type");
	substitution->origin = given->origin;
	if (!ynode_text(type)) {
		unit_fault(unit, "missing-key", given->origin, "substitution_mappings name no node_type");
		return;
	}
	template->substitution_type = unit_type_need(unit, TK_NODE, ynode_text(type), type->origin);
	if (template->substitution_type) {
		substitution->node_type = ynode_text(type);
		template->public.substitutes = substitution->node_type;
	}
	substitution->properties = build_mappings(builder, MAP_PROPERTY, ynode_get(given, "properties"), "properties", mapped,
						  &substitution->n_properties);
	substitution->requirements = build_mappings(builder, MAP_REQUIREMENT, ynode_get(given, "requirements"), "requirements",
						    mapped,
						    &substitution->n_requirements);
	substitution->capabilities = build_mappings(builder, MAP_CAPABILITY, ynode_get(given, "capabilities"), "capabilities",
						    mapped,
						    &substitution->n_capabilities);
	substitution->attributes = build_mappings(builder, MAP_ATTRIBUTE, ynode_get(given, "attributes"), "attributes", mapped,
						  &substitution->n_attributes);
}
