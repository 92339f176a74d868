#include "desired/internal.h"
#include "model/key.h"

#include <string.h>

/* --- what the descriptor says ------------------------------------------------------------------------------------------- */

static void check_command(struct run *run, const struct tnode *node, const struct tvalue *command)
{
	size_t n = command->type == TV_LIST ? command->list.n : 0, bytes = 0;

	if (n == 0 || (command->list.items[0]->type == TV_STRING && !*command->list.items[0]->string)) {
		struct diag *diag = diags_error(run->diags, "empty-command", command->origin,
						"the command of \"%s\" names no program", node->name);
		diag_hint(run->diags, diag, "leave it out where there is nothing to supervise");
		return;
	}
	for (size_t i = 0; i < n; i++)
		bytes += strlen(tvalue_string(command->list.items[i], "")) + 1;
	if (n > DESIRED_MAX_COMMAND_WORDS || bytes > DESIRED_MAX_COMMAND_BYTES)
		diags_error(run->diags, "command-too-long", command->origin,
			    "the command of \"%s\" has %zu words in %zu bytes; %d in %d are allowed",
			    node->name, n, bytes, DESIRED_MAX_COMMAND_WORDS, DESIRED_MAX_COMMAND_BYTES);
}

/* What is the same for every instance, in every service. */
static void compile_presets(struct run *run, struct nfd *nf)
{
	g_autoptr(GArray) presets = g_array_new(FALSE, FALSE, sizeof(struct preset));

	if (nf->package) {
		struct preset package = { "package", value_string(run->arena, nf->package->digest), nf->node->origin };
		g_array_append_val(presets, package);
	}
	operations_preset(run, nf, presets);
	health_compile(run, nf, presets);
	nf->presets.items = arena_memdup(run->arena, presets->data, presets->len * sizeof(struct preset));
	nf->presets.n = presets->len;
}

void nf_compile(struct run *run, const struct tnode *node, const struct ttopology *in, struct nfd *ret)
{
	static const char *const ours[] = { "desired_state", "ems", "stateful", "health_check" };
	const struct tvalue *command = tnode_property(node, "command");

	for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
		const struct tvalue *value = tnode_property(node, ours[i]);
		if (value && values_is_pending(value))
			run_say(run, SEVERITY_ERROR, "known-too-late", value->origin,
				"\"%s\" must be known before anything runs: it cannot depend on an attribute", ours[i]);
	}
	ret->node = node;
	ret->in = in;
	if (command && command->type != TV_NULL)
		ret->command = command;
	if (ret->command)
		check_command(run, node, ret->command);
	operations_compile(run, ret);
	package_compile(run, ret);
	nf_compile_configs(run, ret);
	compile_presets(run, ret);
	kept_nf(run, node);
}

struct nfd *nf_of_vdu(const struct vnf *vnf, const struct vdu *vdu)
{
	return vdu->nf ? vdu->nf : vnf->nsd_nf;
}

/* --- its instances ------------------------------------------------------------------------------------------------------ */

/* What all instances of an NF share. */
struct shared {
	struct service *service;
	struct vnf *vnf;
	const struct vdu *vdu;
	const struct nfd *nf;
	const struct tvalue *state, *ems, *stateful;
	const struct value *command;        /* NULL: it differs */
	const struct expr *const *scope;    /* by property; NULL: it differs */
	const struct value **contents;      /* by file; NULL: it differs */
	GHashTable *secrets;                /* that it needs → struct origin */
	const GArray *indicators;           /* of struct preset */
};

static bool check_ems(struct service *service, const struct nfd *nf, const struct tvalue *said)
{
	const struct site *site = service->site->site;
	const char *name = tvalue_string(said, "leaf");
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (site_ems(site, name))
		return true;
	for (size_t i = 0; i < site->n_ems; i++)
		g_ptr_array_add(names, held(site->ems[i].name));
	struct diag *diag = run_say(service->run, SEVERITY_ERROR, "unknown-ems", origin_of(said, nf->node->origin),
				    "the site \"%s\" has no EMS \"%s\", which \"%s\" names", site->name, name, nf->node->name);
	if (diag)
		run_suggest(service->run, diag, name, names);
	return false;
}

static const struct expr *const *shared_scope(const struct scope *scope, const struct nfd *nf, bool *ret_ok)
{
	struct tnamed_list properties = nf->node->properties;
	const struct expr **items = ARENA_ARRAY(scope->service->run->arena, const struct expr *, properties.n);

	for (size_t i = 0; i < properties.n; i++) {
		if (values_is_local(scope, properties.items[i].value))
			continue;
		items[i] = values_property(scope, nf->node, &properties.items[i]);
		*ret_ok = *ret_ok && items[i];
	}
	return items;
}

static const struct value *command_of(const struct scope *scope, const struct tvalue *command)
{
	struct arena *arena = scope->service->run->arena;
	const struct value **words = ARENA_ARRAY(arena, const struct value *, command->list.n);

	for (size_t i = 0; i < command->list.n; i++) {
		words[i] = values_value(scope, command->list.items[i], WANT_SCALAR);
		if (!words[i])
			return NULL;
	}
	return value_list(arena, words, command->list.n);
}

/* The text of a file, or the expression that will be it. */
static const struct value *content_of(const struct scope *scope, const struct shared *shared, const struct config *config)
{
	struct arena *arena = scope->service->run->arena;

	if (!config->is_template)
		return value_string(arena, config->text);
	const struct expr *map = configs_scope(scope, shared->nf, shared->scope);
	if (!map)
		return NULL;
	const struct expr *expr = expr_template(arena, config->artifact->file, config->text, map);
	g_autoptr(GError) error = NULL;
	const struct value *value = expr_eval(arena, expr, configs_nothing, NULL, &error);
	if (!value)
		run_say(scope->service->run, SEVERITY_ERROR, "bad-template", config->artifact->origin, "%s", error->message);
	return value;
}

static void build_configs(const struct scope *scope, struct shared *shared, struct object_builder *builder)
{
	struct arena *arena = scope->service->run->arena;

	for (size_t i = 0; i < shared->nf->n_configs; i++) {
		const struct config *config = &shared->nf->configs[i];
		const struct value *content = shared->contents[i] ? shared->contents[i] : content_of(scope, shared, config);
		if (!content) {
			scope->service->faulty = true;
			continue;
		}
		/* What needs nothing of the running network is the same for all instances. */
		if (content->type != VALUE_PENDING)
			shared->contents[i] = content;
		object_set_string(builder, config->field.path, config->path, config->artifact->origin);
		object_set(builder, config->field.content, content, config->artifact->origin);
		object_set(builder, config->field.mode, value_string(arena, config->mode), config->artifact->origin);
		if (strcmp(config->on_change, "reload") != 0)
			object_set_string(builder, config->field.on_change, config->on_change, config->artifact->origin);
	}
}

static void build_presets(const struct preset *items, size_t n, struct object_builder *builder)
{
	for (size_t i = 0; i < n; i++)
		object_set(builder, items[i].path, items[i].value, items[i].origin);
}

static bool build_operations(const struct scope *scope, struct shared *shared, struct object_builder *builder)
{
	bool ok = true;

	for (size_t i = 0; i < shared->nf->n_ops; i++) {
		const struct nfop *op = &shared->nf->ops[i];
		for (size_t j = 0; j < op->n_inputs; j++) {
			struct origin origin = origin_of(op->inputs[j].given->value, op->inputs[j].given->origin);
			const struct value *value = operation_input(scope, &op->inputs[j]);
			ok = ok && value;
			if (!value)
				continue;
			object_set(builder, op->inputs[j].path, value, origin);
			if (value->type == VALUE_SECRET && !g_hash_table_contains(shared->secrets, value->string))
				g_hash_table_insert(shared->secrets, held(value->string),
						    arena_memdup(scope->service->run->arena, &origin, sizeof origin));
		}
	}
	return ok;
}

static void build_secrets(const struct shared *shared, struct object_builder *builder)
{
	struct arena *arena = shared->service->run->arena;
	GHashTableIter iter;
	gpointer name, origin;

	g_hash_table_iter_init(&iter, shared->secrets);
	while (g_hash_table_iter_next(&iter, &name, &origin))
		object_set_string(builder, arena_printf(arena, "secret.%s", key_segment(arena, name)), "current",
				  *(const struct origin *) origin);
}

static void build(struct shared *shared, unsigned instance, unsigned index)
{
	struct service *service = shared->service;
	struct arena *arena = service->run->arena;
	const struct scope scope = { .service = service, .vnf = shared->vnf, .instance = instance, .vdu = shared->vdu,
				     .index = index };
	const struct tnode *node = shared->nf->node;
	const char *path = vnfc_path(service, shared->vnf, instance, shared->vdu, index);
	const char *key = arena_printf(arena, "nf/%s", path);
	const struct tvalue *said = shared->nf->command;
	const struct value *command = shared->command || !said ? shared->command : command_of(&scope, said);

	if ((said && !command) || !run_take_key(service->run, key, node->origin)) {
		service->faulty = true;
		return;
	}
	struct object_builder *builder = object_builder_new(arena, key, service->site->site->name, node->origin);
	object_set_string(builder, "state", tvalue_string(shared->state, "started"), origin_of(shared->state, node->origin));
	if (command)
		object_set(builder, "command", command, said->origin);
	object_set_string(builder, "ems", tvalue_string(shared->ems, "leaf"), origin_of(shared->ems, node->origin));
	object_set_bool(builder, "stateful", tvalue_bool(shared->stateful, true), origin_of(shared->stateful, node->origin));
	build_presets(shared->nf->presets.items, shared->nf->presets.n, builder);
	build_presets((const struct preset *) (const void *) shared->indicators->data, shared->indicators->len, builder);
	build_configs(&scope, shared, builder);
	if (!build_operations(&scope, shared, builder))
		service->faulty = true;
	build_secrets(shared, builder);
	object_depends_on(builder, arena_printf(arena, "vnfc/%s", path));
	object_set_descriptor(builder, shared->vnf->vnfd->id);
	g_ptr_array_add(service->objects, builder);
	g_ptr_array_add(service->last, held(key));
}

/* Those of the VNF's own descriptor, and those that the NSD adds to it. */
static GArray *indicators_of(struct service *service, const struct vnf *vnf)
{
	GArray *indicators = g_array_new(FALSE, FALSE, sizeof(struct preset));

	indicators_compile(service->run, vnf->vnfd->topology, NULL, indicators);
	if (service->is_nsd && vnf->name)
		indicators_compile(service->run, service->topology, vnf->name, indicators);
	return indicators;
}

static bool check_secrets(struct service *service, const struct nfd *nf, GHashTable *secrets)
{
	if (g_hash_table_size(secrets) <= NF_SECRETS_MAX)
		return true;
	run_say(service->run, SEVERITY_ERROR, "too-many-secrets", nf->node->origin, "\"%s\" needs %u secrets; %d are allowed",
		nf->node->name, g_hash_table_size(secrets), NF_SECRETS_MAX);
	return false;
}

static void build_all(struct service *service, struct vnf *vnf, const struct vdu *vdu, const struct nfd *nf)
{
	const struct scope first = { .service = service, .vnf = vnf, .vdu = vdu };
	const struct tvalue *state = named_state(vnf, nf->node->name);
	size_t errors = run_errors(service->run);
	bool ok = true;

	struct shared shared = { .service = service, .vnf = vnf, .vdu = vdu, .nf = nf };
	shared.state = state ? state : tnode_property(nf->node, "desired_state");
	shared.ems = tnode_property(nf->node, "ems");
	shared.stateful = tnode_property(nf->node, "stateful");
	shared.scope = shared_scope(&first, nf, &ok);
	shared.contents = ARENA_ARRAY(service->run->arena, const struct value *, nf->n_configs);
	if (nf->command && !values_is_local(&first, nf->command))
		shared.command = command_of(&first, nf->command);
	g_autoptr(GHashTable) secrets = shared.secrets = g_hash_table_new(g_str_hash, g_str_equal);
	if (ok)
		configs_check(service, nf, &first, secrets);
	g_autoptr(GArray) indicators = indicators_of(service, vnf);
	shared.indicators = indicators;
	if (nf->package)
		g_ptr_array_add(service->packages, held(nf->package));
	gint64 count = vnf->counts[vdu->index];
	if (!check_ems(service, nf, shared.ems) || !check_secrets(service, nf, secrets) || !ok || run_errors(service->run) > errors) {
		service->faulty = true;
		return;
	}
	for (gint64 i = 0; i < vnf->instances * count; i++)
		build(&shared, (unsigned) (i / count), (unsigned) (i % count));
}

void nfs_build(struct service *service)
{
	for (guint i = 0; i < service->vnfs->len; i++) {
		struct vnf *vnf = service->vnfs->pdata[i];
		for (size_t j = 0; j < vnf->vnfd->n_vdus; j++) {
			const struct nfd *nf = nf_of_vdu(vnf, &vnf->vnfd->vdus[j]);
			if (nf)
				build_all(service, vnf, &vnf->vnfd->vdus[j], nf);
		}
	}
}
