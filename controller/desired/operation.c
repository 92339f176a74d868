/* Lifecycle operations of a network function (interface Standard, pleach.interfaces.Lifecycle): their scripts, time limits and inputs. */
#include "desired/internal.h"
#include "model/key.h"

#include <math.h>
#include <string.h>

#define STANDARD "Standard"

const struct nfop *nfd_operation(const struct nfd *nf, enum nf_verb verb)
{
	for (size_t i = 0; i < nf->n_ops; i++)
		if (nf->ops[i].verb == verb)
			return &nf->ops[i];
	return NULL;
}

/* --- what the descriptor says ------------------------------------------------------------------------------------------- */

static void compile_timeout(struct run *run, const struct toperation *operation, struct nfop *op)
{
	double ms = round(operation->timeout_s * 1000);

	op->timeout_ms = NF_TIMEOUT_DEFAULT_MS;
	if (operation->timeout_s > 0 && ms >= 1 && ms <= NF_TIMEOUT_MAX_MS)
		op->timeout_ms = (gint64) ms;
	else if (operation->timeout_s > 0)
		diags_error(run->diags, "bad-timeout", operation->origin, "the timeout of \"%s\" is from 0.001 to %d seconds",
			    operation->name, NF_TIMEOUT_MAX_MS / 1000);
}

static bool check_input(struct run *run, const struct tnamed *input)
{
	bool ours = g_str_has_prefix(input->name, "PLEACH_");

	if (nf_input_name_is_good(input->name) && !ours)
		return true;
	struct diag *diag = run_say(run, SEVERITY_ERROR, "bad-input", input->origin,
				    "the input \"%s\" cannot be an environment variable%s", input->name, ours ? ": names that begin with PLEACH_ are taken" : "");
	if (diag && !ours)
		diag_hint(run->diags, diag, "use letters, digits and underscores");
	return false;
}

static void compile_inputs(struct run *run, const struct toperation *operation, struct nfop *op)
{
	struct tnamed_list inputs = operation->inputs;

	if (inputs.n > NF_INPUTS_MAX) {
		diags_error(run->diags, "too-many-inputs", operation->origin, "\"%s\" has %zu inputs; %d are allowed", operation->name,
			    inputs.n, NF_INPUTS_MAX);
		return;
	}
	op->inputs = ARENA_ARRAY(run->arena, struct nfop_input, inputs.n);
	for (size_t i = 0; i < inputs.n; i++)
		if (inputs.items[i].value && check_input(run, &inputs.items[i]))
			op->inputs[op->n_inputs++] = (struct nfop_input) {
				.path = arena_printf(run->arena, "operation.%s.input.%s", operation->name, inputs.items[i].name),
				.given = &inputs.items[i],
			};
}

static bool compile_one(struct run *run, const struct nfd *nf, const struct toperation *operation, struct nfop *op)
{
	enum nf_verb verb;

	if (strcmp(operation->interface, STANDARD) != 0 || !nf_verb_find(operation->name, &verb)) {
		not_kept(run, operation->origin, "what \"%s\" does at %s.%s", nf->node->name, operation->interface, operation->name);
		return false;
	}
	*op = (struct nfop) {
		.operation = operation,
		.verb = verb,
		.script_path = arena_printf(run->arena, "operation.%s.script", operation->name),
		.timeout_path = arena_printf(run->arena, "operation.%s.timeout_ms", operation->name),
	};
	compile_timeout(run, operation, op);
	compile_inputs(run, operation, op);
	return true;
}

void operations_compile(struct run *run, struct nfd *nf)
{
	const struct tnode *node = nf->node;

	nf->ops = ARENA_ARRAY(run->arena, struct nfop, node->n_operations);
	for (size_t i = 0; i < node->n_operations; i++)
		if (node->operations[i].file && compile_one(run, nf, &node->operations[i], &nf->ops[nf->n_ops]))
			nf->n_ops++;
}

void operations_preset(struct run *run, const struct nfd *nf, GArray *presets)
{
	for (size_t i = 0; i < nf->n_ops && nf->package; i++) {
		const struct nfop *op = &nf->ops[i];
		struct origin origin = op->operation->origin;
		struct preset script = { op->script_path, value_string(run->arena, op->operation->file + strlen(nf->folder)), origin };
		struct preset timeout = { op->timeout_path, value_integer(run->arena, op->timeout_ms), origin };
		g_array_append_val(presets, script);
		g_array_append_val(presets, timeout);
	}
}

/* --- inputs ------------------------------------------------------------------------------------------------------------- */

/* An input that no type declares is not known to be a secret; what looks like one is. */
static bool looks_like_secret(const struct tvalue *value)
{
	if (value->type != TV_MAP || value->map.n == 0 || value->map.n > 2 || !tvalue_string(tvalue_get(value, "secret"), NULL))
		return false;
	return value->map.n == 1 || tvalue_string(tvalue_get(value, "key"), NULL);
}

/* Lists are joined by spaces; what is no text, and no list of such, is a fault. */
const struct value *operation_input(const struct scope *scope, const struct nfop_input *input)
{
	struct run *run = scope->service->run;
	const struct tvalue *given = input->given->value;

	if (looks_like_secret(given))
		return value_secret(run->arena, tvalue_string(tvalue_get(given, "secret"), ""),
				    tvalue_string(tvalue_get(given, "key"), NULL));
	const struct expr *item = values_expr(scope, given, WANT_ANY);
	if (!item)
		return NULL;
	const struct expr *expr = expr_join(run->arena, " ", &item, 1);
	g_autoptr(GError) error = NULL;
	if (!expr_eval(run->arena, expr, values_placeholder, scope->service, &error)) {
		struct origin origin = origin_of(given, input->given->origin);
		struct diag *diag = run_say(run, SEVERITY_ERROR, "bad-input", origin, "the input \"%s\" cannot be written as text",
					    input->given->name);
		if (diag)
			diag_hint(run->diags, diag, "give a text, a number, true or false, or a list of such; name one item of a map");
		return NULL;
	}
	return expr_eval(run->arena, expr, configs_nothing, NULL, &error);
}
