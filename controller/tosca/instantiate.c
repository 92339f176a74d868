#include "tosca/internal.h"

#include <string.h>

static void undeclared_input(const struct template *template, const struct tnamed *given, struct diags *diags)
{
	struct properties inputs = template->inputs;
	struct diag *diag = diags_error(diags, "unknown-input", given->origin, "%s has no input \"%s\"", template->public.file,
					given->name);
	const char **names = g_new(const char *, inputs.n + 1);
	for (size_t i = 0; i < inputs.n; i++)
		names[i] = inputs.items[i]->name;
	hint_names(template->unit, diags, diag, given->name, names, inputs.n);
	g_free(names);
	diag_note(diags, diag, template->public.origin, "the template is here");
}

static const struct tvalue *input_value(struct eval *eval, struct property *input, struct tnamed_list given, struct origin from)
{
	const struct tvalue *value = tnamed_get(given, input->name);
	if (value && value->type != TV_NULL)
		return eval_typed(eval, input->schema, value);
	const struct tvalue *otherwise = input->default_value;
	if (!otherwise && input->required && !input->default_node) {
		struct diag *diag = diags_error(eval->diags, "missing-input", from, "%s wants input \"%s\"",
						eval->template->public.file, input->name);
		diag_note(eval->diags, diag, input->origin, "declared here");
	}
	return otherwise;
}

static struct tnamed_list read_inputs(struct eval *eval, struct tnamed_list given, struct origin from)
{
	struct properties inputs = eval->template->inputs;
	const struct tvalue **values = ARENA_ARRAY(eval->arena, const struct tvalue *, inputs.n);
	struct tnamed *used = ARENA_ARRAY(eval->arena, struct tnamed, inputs.n);
	size_t n = 0;
	for (size_t i = 0; i < given.n; i++)
		if (!properties_find(inputs, given.items[i].name))
			undeclared_input(eval->template, &given.items[i], eval->diags);
	for (size_t i = 0; i < inputs.n; i++) {
		values[i] = input_value(eval, inputs.items[i], given, from);
		if (values[i])
			used[n++] = (struct tnamed) { inputs.items[i]->name, values[i], inputs.items[i]->origin };
	}
	eval->inputs = values;
	return (struct tnamed_list) { used, n };
}

/* Cells without a value leave their list. */
static void close_gaps(struct tnamed_list *list)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		n += list->items[i].value != NULL;
	if (n == list->n)
		return;
	/* The cells are ours: parts_copy() made them. */
	struct tnamed *items = (struct tnamed *) (uintptr_t) list->items;
	n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (items[i].value)
			items[n++] = items[i];
	list->n = n;
}

static void close_all_gaps(struct parts *parts)
{
	for (size_t i = 0; i < parts->n_nodes; i++) {
		close_gaps(&parts->nodes[i].properties);
		close_gaps(&parts->nodes[i].attributes);
	}
	for (size_t i = 0; i < parts->n_capabilities; i++)
		close_gaps(&parts->capabilities[i].properties);
	for (size_t i = 0; i < parts->n_artifacts; i++)
		close_gaps(&parts->artifacts[i].properties);
	for (size_t i = 0; i < parts->n_operations; i++)
		close_gaps(&parts->operations[i].inputs);
	for (size_t i = 0; i < parts->n_policies; i++)
		close_gaps(&parts->policies[i].properties);
	for (size_t i = 0; i < parts->n_groups; i++)
		close_gaps(&parts->groups[i].properties);
	close_gaps(&parts->outputs);
}

static void eval_slots(struct eval *eval, const struct template *template)
{
	g_autofree unsigned char *states = g_malloc0(template->n_slots + 1);
	g_autofree size_t *weights = g_new0(size_t, template->n_slots + 1);
	eval->states = states;
	eval->weights = weights;
	for (size_t i = 0; i < template->n_slots; i++) {
		eval->depth = 0;
		eval_slot(eval, i);
	}
}

const struct ttopology *tosca_instantiate(struct tosca *tosca, const struct ttemplate *which, struct tnamed_list inputs,
					  struct origin from,
					  struct arena *arena, struct diags *diags)
{
	const struct template *template = (const struct template *) which;
	size_t errors = diags_errors(diags);
	arena_adopt(arena, template->unit->arena);
	reads_note(READ_TEMPLATE, which->file);
	struct ttopology *topology = ARENA_NEW(arena, struct ttopology);
	struct parts parts;
	parts_copy(arena, &template->proto, &parts);
	template->unit->n_guesses = 0;
	struct eval eval = {
		.unit = template->unit, .arena = arena, .diags = diags, .template = template, .parts = &parts,
		.slots = template->slots, .slot_of = template->slot_of, .self = SIZE_MAX,
	};
	topology->inputs = read_inputs(&eval, inputs, from);
	eval_slots(&eval, template);
	close_all_gaps(&parts);
	topology->of = which;
	topology->nodes = parts.nodes;
	topology->n_nodes = parts.n_nodes;
	topology->policies = parts.policies;
	topology->n_policies = parts.n_policies;
	topology->groups = parts.groups;
	topology->n_groups = parts.n_groups;
	topology->substitution = template->substitution;
	topology->outputs = parts.outputs;
	topology->faulty = which->faulty || diags_errors(diags) > errors;
	return topology;
}
