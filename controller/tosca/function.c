#include "tosca/internal.h"

#include <string.h>

static bool has_function_name(const char *name)
{
	static const char *const names[] = {
		"get_input", "get_property", "get_attribute", "concat", "join", "token", "get_operation_output",
		"get_artifact", "get_nodes_of_type", NULL
	};
	return g_strv_contains(names, name);
}

bool is_function(const struct ynode *node)
{
	if (node->kind != YNODE_MAPPING || node->mapping.n != 1)
		return false;
	const struct yentry *entry = &node->mapping.entries[0];
	if (!has_function_name(entry->key) || entry->value->kind == YNODE_MAPPING)
		return false;
	/* A data type may have a property of one of these names; functions but get_input take lists. */
	return entry->value->kind == YNODE_SEQUENCE || g_str_has_prefix(entry->key, "get_");
}

static const struct tvalue *bad(struct eval *eval, struct origin origin, const char *name, const char *problem, const char *how)
{
	struct diag *diag = diags_error(eval->diags, "bad-function", origin, "%s %s", name, problem);
	diag_hint(eval->diags, diag, "write { %s }", how);
	return NULL;
}

/* --- into a value -------------------------------------------------------------------------------------------------- */

static const struct tvalue *step_into(struct eval *eval, const struct tvalue *value, const struct ynode *step)
{
	const char *text = ynode_text(step);
	if (!text) {
		diags_error(eval->diags, "bad-function", step->origin, "a key or an index is wanted here");
		return NULL;
	}
	if (!eval_spend(eval, value->type == TV_MAP ? value->map.n / TOSCA_SEARCH_PER_NODE : 0, step->origin))
		return NULL;
	if (value->type == TV_MAP) {
		const struct tvalue *item = tvalue_get(value, text);
		if (item)
			return item;
		struct diag *diag = diags_error(eval->diags, "unknown-path", step->origin, "there is no \"%s\" in this value",
						text);
		hint_names(eval->unit, eval->diags, diag, text, value->map.keys, value->map.n);
		return NULL;
	}
	guint64 index;
	if (value->type == TV_LIST && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &index, NULL) && index < value->list.n)
		return value->list.items[index];
	diags_error(eval->diags, "unknown-path", step->origin, "\"%s\" leads nowhere: %s is there", text,
		    value->type == TV_LIST ? "a list without that index" : "a single value");
	return NULL;
}

/* The parts of an attribute are known when it is: the steps are added to its path. */
static const struct tvalue *step_later(struct eval *eval, const struct tvalue *value, const struct ynode *steps, size_t from)
{
	if (strcmp(value->function.name, "get_attribute") != 0) {
		diags_error(eval->diags, "unknown-path", steps->sequence.items[from]->origin,
			    "a text that is made at run time has no parts");
		return NULL;
	}
	size_t n = value->function.n + steps->sequence.n - from;
	if (!eval_spend(eval, n, value->origin))
		return NULL;
	const struct tvalue **args = ARENA_ARRAY(eval->arena, const struct tvalue *, n);
	memcpy(args, value->function.args, value->function.n * sizeof(*args));
	for (size_t i = from; i < steps->sequence.n; i++) {
		args[value->function.n + i - from] = eval_node(eval, NULL, steps->sequence.items[i]);
		if (!args[value->function.n + i - from])
			return NULL;
	}
	struct tvalue *longer = value_new(eval, TV_FUNCTION, value->origin);
	longer->function.name = value->function.name;
	longer->function.args = args;
	longer->function.n = n;
	return longer;
}

static const struct tvalue *step_along(struct eval *eval, const struct tvalue *value, const struct ynode *args, size_t from)
{
	for (size_t i = from; value && i < args->sequence.n; i++) {
		if (value == &value_later)
			return value;
		if (value->type == TV_FUNCTION)
			return step_later(eval, value, args, i);
		value = step_into(eval, value, args->sequence.items[i]);
	}
	return value;
}

/* --- get_input ------------------------------------------------------------------------------------------------------------- */

static const struct tvalue *unknown_input(struct eval *eval, const char *name, struct origin origin)
{
	struct properties inputs = eval->template->inputs;
	struct diag *diag = diags_error(eval->diags, "unknown-input", origin, "this template has no input \"%s\"", name);
	const char **names = g_new(const char *, inputs.n + 1);
	for (size_t i = 0; i < inputs.n; i++)
		names[i] = inputs.items[i]->name;
	hint_names(eval->unit, eval->diags, diag, name, names, inputs.n);
	g_free(names);
	return NULL;
}

static const struct tvalue *get_input(struct eval *eval, const struct ynode *args)
{
	const struct ynode *first = args->kind == YNODE_SCALAR ? args : args->sequence.n ? args->sequence.items[0] : NULL;
	const char *name = first ? ynode_text(first) : NULL;
	if (!name)
		return bad(eval, args->origin, "get_input", "wants the name of an input", "get_input: NAME");
	struct properties inputs = eval->template->inputs;
	size_t i = 0;
	while (i < inputs.n && strcmp(inputs.items[i]->name, name))
		i++;
	if (i == inputs.n)
		return unknown_input(eval, name, first->origin);
	const struct tvalue *value = eval->dry ? property_default(inputs.items[i]) : eval->inputs[i];
	eval->later = eval->later || eval->dry;
	if (!value && eval->dry)
		return &value_later;
	if (!value)
		return inputs.items[i]->required ? NULL : value_new(eval, TV_NULL, args->origin);
	if (eval->dry && args->kind == YNODE_SEQUENCE && args->sequence.n > 1)
		return &value_later;
	return args->kind == YNODE_SEQUENCE ? step_along(eval, value, args, 1) : value;
}

/* --- nodes --------------------------------------------------------------------------------------------------------- */

static const struct tnode *node_by_name(const struct eval *eval, const char *name)
{
	const struct ttopology view = { .of = &eval->template->public, .nodes = eval->parts->nodes,
				       .n_nodes = eval->parts->n_nodes };
	return ttopology_node(&view, name);
}

static const struct tnode *unknown_node(struct eval *eval, const char *name, struct origin origin)
{
	struct diag *diag = diags_error(eval->diags, "unknown-node", origin, "there is no node \"%s\" in this template", name);
	if (!can_guess(eval->unit))
		return NULL;
	const char **names = g_new(const char *, eval->parts->n_nodes + 2);
	for (size_t i = 0; i < eval->parts->n_nodes; i++)
		names[i] = eval->parts->nodes[i].name;
	names[eval->parts->n_nodes] = "SELF";
	hint_names(eval->unit, eval->diags, diag, name, names, eval->parts->n_nodes + 1);
	g_free(names);
	return NULL;
}

static const struct tnode *entity(struct eval *eval, const struct ynode *arg)
{
	const char *name = ynode_text(arg);
	if (!name) {
		diags_error(eval->diags, "bad-function", arg->origin, "SELF, HOST or the name of a node is wanted here");
		return NULL;
	}
	bool host = !strcmp(name, "HOST");
	if (!host && strcmp(name, "SELF") != 0) {
		const struct tnode *node = node_by_name(eval, name);
		return node ? node : unknown_node(eval, name, arg->origin);
	}
	if (eval->self == SIZE_MAX) {
		diags_error(eval->diags, "bad-function", arg->origin, "%s means nothing outside a node", name);
		return NULL;
	}
	const struct tnode *self = &eval->parts->nodes[eval->self];
	const struct trequirement *hosted = host ? tnode_requirement(self, "host") : NULL;
	if (host && !(hosted && hosted->node)) {
		diags_error(eval->diags, "bad-function", arg->origin, "node \"%s\" has no host", self->name);
		return NULL;
	}
	return host ? hosted->node : self;
}

static bool find_cell(const struct eval *eval, struct tnamed_list list, const char *name, size_t *ret)
{
	for (size_t i = 0; i < list.n; i++)
		if (!strcmp(list.items[i].name, name)) {
			*ret = (size_t) (&list.items[i] - eval->parts->cells);
			return true;
		}
	return false;
}

/* The value of property @name: of the node's own, else NULL with *@ret_declared telling whether its type has one of that name. */
static const struct tvalue *cell_value(struct eval *eval, struct tnamed_list list, const char *name, bool *ret_found)
{
	*ret_found = true;
	size_t cell;
	if (!eval_spend(eval, list.n / TOSCA_SEARCH_PER_NODE, ORIGIN_NONE))
		return NULL;
	*ret_found = find_cell(eval, list, name, &cell);
	if (!*ret_found)
		return NULL;
	unsigned slot = eval->slot_of[cell];
	return slot ? eval_slot(eval, slot - 1) : eval->parts->cells[cell].value;
}

static const struct tvalue *unknown_member(struct eval *eval, const char *code, const char *what, const struct tnode *node,
					   const char *name,
					   struct origin origin, struct properties known)
{
	struct diag *diag = diags_error(eval->diags, code, origin, "node \"%s\" (%s) has no %s \"%s\"", node->name,
					node->type->name, what, name);
	const char **names = g_new(const char *, known.n + 1);
	for (size_t i = 0; i < known.n; i++)
		names[i] = known.items[i]->name;
	hint_names(eval->unit, eval->diags, diag, name, names, known.n);
	g_free(names);
	return NULL;
}

static const struct tvalue *no_value(struct eval *eval, const struct tnode *node, const char *name, struct origin origin)
{
	diags_error(eval->diags, "no-value", origin, "property \"%s\" of node \"%s\" has no value", name, node->name);
	return NULL;
}

/* [ NODE, CAPABILITY_OR_REQUIREMENT, PROPERTY, … ]: NULL where the second word is neither, without a finding. */
static const struct tvalue *member_property(struct eval *eval, const struct tnode *node, const struct ynode *args,
					    const char *second,
					    bool *ret_handled)
{
	const struct tcapability *capability = tnode_capability(node, second);
	const struct trequirement *requirement = tnode_requirement(node, second);
	*ret_handled = args->sequence.n > 2 && (capability || (requirement && requirement->node));
	if (!*ret_handled)
		return NULL;
	const struct ynode *arg = args->sequence.items[2];
	const char *name = ynode_text(arg);
	if (!name)
		return bad(eval, arg->origin, "get_property", "wants the name of a property here",
			   "get_property: [ NODE, CAPABILITY, PROPERTY ]");
	const struct tnode *of = capability ? node : requirement->node;
	bool found;
	const struct tvalue *value = cell_value(eval, capability ? capability->properties : of->properties, name, &found);
	if (found)
		return value ? step_along(eval, value, args, 3) : NULL;
	const struct capability_def *def = capability ? type_capability(node->type, second) : NULL;
	struct properties known = def ? def->properties : of->type->properties;
	if (properties_find(known, name))
		return no_value(eval, of, name, arg->origin);
	return unknown_member(eval, "unknown-property", "property", of, name, arg->origin, known);
}

static const struct tvalue *get_property(struct eval *eval, const struct ynode *args)
{
	static const char how[] = "get_property: [ NODE_OR_SELF, PROPERTY ]";
	if (args->kind != YNODE_SEQUENCE || args->sequence.n < 2)
		return bad(eval, args->origin, "get_property", "wants a node and a property", how);
	const struct tnode *node = entity(eval, args->sequence.items[0]);
	const struct ynode *arg = args->sequence.items[1];
	const char *name = ynode_text(arg);
	if (!node)
		return NULL;
	if (!name)
		return bad(eval, arg->origin, "get_property", "wants the name of a property here", how);
	bool found;
	const struct tvalue *value = cell_value(eval, node->properties, name, &found);
	if (found)
		return value ? step_along(eval, value, args, 2) : NULL;
	bool handled;
	value = member_property(eval, node, args, name, &handled);
	if (handled)
		return value;
	if (properties_find(node->type->properties, name))
		return no_value(eval, node, name, arg->origin);
	return unknown_member(eval, "unknown-property", "property", node, name, arg->origin, node->type->properties);
}

static const struct tvalue *make_function(struct eval *eval, const char *name, const struct tvalue *const *args, size_t n,
					  struct origin origin)
{
	struct tvalue *value = value_new(eval, TV_FUNCTION, origin);
	value->function.name = name;
	value->function.args = args;
	value->function.n = n;
	return value;
}

static const struct tvalue *get_attribute(struct eval *eval, const struct ynode *args)
{
	static const char how[] = "get_attribute: [ NODE_OR_SELF, ATTRIBUTE ]";
	if (args->kind != YNODE_SEQUENCE || args->sequence.n < 2)
		return bad(eval, args->origin, "get_attribute", "wants a node and an attribute", how);
	const struct tnode *node = entity(eval, args->sequence.items[0]);
	const struct ynode *arg = args->sequence.items[1];
	const char *name = ynode_text(arg);
	if (!node)
		return NULL;
	if (!name)
		return bad(eval, arg->origin, "get_attribute", "wants the name of an attribute here", how);
	if (!properties_find(node->type->attributes, name)) {
		/* Every property is an attribute too. */
		if (properties_find(node->type->properties, name))
			return get_property(eval, args);
		if (!tnode_capability(node, name) && !tnode_requirement(node, name))
			return unknown_member(eval, "unknown-attribute", "attribute", node, name, arg->origin,
					      node->type->attributes);
	}
	size_t n = args->sequence.n;
	const struct tvalue **values = ARENA_ARRAY(eval->arena, const struct tvalue *, n);
	struct tvalue *first = value_new(eval, TV_STRING, args->sequence.items[0]->origin);
	first->string = node->name;
	values[0] = first;
	for (size_t i = 1; i < n; i++) {
		if (!ynode_text(args->sequence.items[i]))
			return bad(eval, args->sequence.items[i]->origin, "get_attribute", "wants names and indices", how);
		values[i] = eval_node(eval, NULL, args->sequence.items[i]);
		if (!values[i])
			return NULL;
	}
	return make_function(eval, "get_attribute", values, n, args->origin);
}

/* --- texts --------------------------------------------------------------------------------------------------------- */

/* Is there anything in it that only run time (*@ret_run_time) or an input (*@ret_later) can tell? */
static void look_ahead(const struct tvalue *value, bool *ret_run_time, bool *ret_later)
{
	if (value == &value_later)
		*ret_later = true;
	else if (value->type == TV_FUNCTION)
		*ret_run_time = true;
	else if (value->type == TV_LIST)
		for (size_t i = 0; i < value->list.n; i++)
			look_ahead(value->list.items[i], ret_run_time, ret_later);
}

static bool append_text(struct eval *eval, GString *text, const struct tvalue *value, const char *function)
{
	if (value->type == TV_LIST || value->type == TV_MAP || value->type == TV_NULL) {
		diags_error(eval->diags, "bad-function", value->origin, "%s cannot take %s", function,
			    value_quote(eval->arena, value));
		return false;
	}
	g_string_append(text, tvalue_text(eval->arena, value));
	if (text->len <= TOSCA_MAX_TEXT)
		return true;
	diags_error(eval->diags, "value-too-large", value->origin, "%s makes a text longer than 1 MiB", function);
	return false;
}

static const struct tvalue *text_value(struct eval *eval, const char *text, size_t length, struct origin origin)
{
	/* Texts count by their length, so that a template cannot fill the memory with them. */
	if (!eval_spend(eval, length / TOSCA_TEXT_PER_NODE, origin))
		return NULL;
	struct tvalue *value = value_new(eval, TV_STRING, origin);
	value->string = arena_strndup(eval->arena, text, length);
	return value;
}

static const struct tvalue *concat(struct eval *eval, const struct tvalue *const *args, size_t n, struct origin origin)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++)
		if (!append_text(eval, text, args[i], "concat"))
			return NULL;
	return text_value(eval, text->str, text->len, origin);
}

static const struct tvalue *join(struct eval *eval, const struct tvalue *const *args, size_t n, struct origin origin)
{
	if (n < 1 || n > 2 || args[0]->type != TV_LIST || (n == 2 && args[1]->type != TV_STRING))
		return bad(eval, origin, "join", "wants a list and a delimiter", "join: [ [ A, B ], \",\" ]");
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < args[0]->list.n; i++) {
		if (i && n == 2)
			g_string_append(text, args[1]->string);
		if (!append_text(eval, text, args[0]->list.items[i], "join"))
			return NULL;
	}
	return text_value(eval, text->str, text->len, origin);
}

static const struct tvalue *token(struct eval *eval, const struct tvalue *const *args, size_t n, struct origin origin)
{
	static const char how[] = "token: [ TEXT, SEPARATOR, INDEX ]";
	gint64 index;
	if (n != 3 || args[0]->type != TV_STRING || args[1]->type != TV_STRING || !*args[1]->string)
		return bad(eval, origin, "token", "wants a text, a separator and an index", how);
	const char *number = args[2]->type == TV_STRING ? args[2]->string : args[2]->text;
	if (args[2]->type == TV_INTEGER && !number)
		index = args[2]->integer;
	else if (!number || !g_ascii_string_to_signed(number, 10, 0, G_MAXINT, &index, NULL))
		return bad(eval, args[2]->origin, "token", "wants an index from 0", how);
	const char *at = args[0]->string;
	for (gint64 i = 0; i < index && at; i++) {
		at = strstr(at, args[1]->string);
		at = at ? at + strlen(args[1]->string) : NULL;
	}
	if (!at || index < 0) {
		diags_error(eval->diags, "bad-function", args[2]->origin, "token: %s has no piece %" G_GINT64_FORMAT,
			    value_quote(eval->arena, args[0]),
			    index);
		return NULL;
	}
	const char *end = strstr(at, args[1]->string);
	return text_value(eval, at, end ? (size_t) (end - at) : strlen(at), origin);
}

static const struct tvalue *text_function(struct eval *eval, const char *name, const struct ynode *node)
{
	size_t n = node->sequence.n;
	const struct tvalue **args = ARENA_ARRAY(eval->arena, const struct tvalue *, n);
	bool ok = true, run_time = false, later = false;
	for (size_t i = 0; i < n; i++) {
		args[i] = eval_raw(eval, node->sequence.items[i]);
		ok = ok && args[i];
		if (args[i])
			look_ahead(args[i], &run_time, &later);
	}
	if (!ok)
		return NULL;
	if (later) {
		eval->later = true;
		return &value_later;
	}
	if (run_time) {
		for (size_t i = 0; i < n; i++)
			if (!(args[i] = eval_typed(eval, NULL, args[i])))
				return NULL;
		return make_function(eval, name, args, n, node->origin);
	}
	if (!strcmp(name, "concat"))
		return concat(eval, args, n, node->origin);
	return !strcmp(name, "join") ? join(eval, args, n, node->origin) : token(eval, args, n, node->origin);
}

const struct tvalue *eval_function(struct eval *eval, const struct ynode *node)
{
	const struct yentry *entry = &node->mapping.entries[0];
	if (!eval->template) {
		diags_error(eval->diags, "function-here", entry->origin,
			    "%s has no meaning here: only templates have inputs and nodes", entry->key);
		return NULL;
	}
	if (!strcmp(entry->key, "get_input"))
		return get_input(eval, entry->value);
	if (!strcmp(entry->key, "get_property"))
		return get_property(eval, entry->value);
	if (!strcmp(entry->key, "get_attribute"))
		return get_attribute(eval, entry->value);
	if (!g_str_has_prefix(entry->key, "get_"))
		return text_function(eval, entry->key, entry->value);
	diags_error(eval->diags, "unsupported-function", entry->origin, "function %s is not supported", entry->key);
	return NULL;
}
