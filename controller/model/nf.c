#include "model/nf.h"

#include "model/key.h"
#include "model/package.h"
#include "model/private.h"
#include "model/view.h"

#include <string.h>

static const struct field_spec specs[] = {
	{ "state", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "command", FIELD_LIST, COST_RESTART, 0 },
	{ "ems", FIELD_SCALAR, COST_METADATA, 0 },
	{ "stateful", FIELD_SCALAR, COST_METADATA, 0 },
	{ "package", FIELD_SCALAR, COST_RESTART, 0 },
	{ "operation.*.script", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "operation.*.timeout_ms", FIELD_SCALAR, COST_METADATA, 0 },
	{ "operation.*.input.*", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.type", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.address", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.port", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.path", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.interval_ms", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.timeout_ms", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.grace_ms", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.failures", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "health_check.escalate_to", FIELD_SCALAR, COST_METADATA, FIELD_OURS },
	{ "health_check.max_per_hour", FIELD_SCALAR, COST_METADATA, FIELD_OURS },
	{ "indicator.*.metric", FIELD_SCALAR, COST_METADATA, FIELD_OURS },
	{ "indicator.*.compare", FIELD_SCALAR, COST_METADATA, FIELD_OURS },
	{ "indicator.*.value", FIELD_SCALAR, COST_METADATA, FIELD_OURS },
	{ "secret.*", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "config.*.path", FIELD_SCALAR, COST_RESTART, 0 },
	{ "config.*.content", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "config.*.mode", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "config.*.on_change", FIELD_SCALAR, COST_METADATA, 0 },
	{ "health", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED },
	{ "reason", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED },
	{ "restarts", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED | FIELD_VOLATILE },
	{ "pid", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED | FIELD_VOLATILE },
};

static bool has_script(const struct object *nf, const char *operation)
{
	g_autofree char *path = g_strdup_printf("operation.%s.script", operation);
	return object_string(nf, path, NULL) != NULL;
}

/* Taking a new configuration: by the operation reload; without one, by a restart of what runs. */
static enum field_cost reload_cost(const struct object *nf)
{
	if (has_script(nf, "reload"))
		return COST_IN_PLACE;
	return has_script(nf, "start") || object_field(nf, "command") ? COST_RESTART : COST_IN_PLACE;
}

static enum field_cost config_cost(const struct object *nf, const char *path)
{
	const char *dot = strrchr(path, '.');
	g_autofree char *on_change = g_strdup_printf("%.*s.on_change", (int) (dot - path), path);
	const char *said = object_string(nf, on_change, "reload");
	if (strcmp(said, "none") == 0)
		return COST_IN_PLACE;
	return strcmp(said, "restart") == 0 ? COST_RESTART : reload_cost(nf);
}

/* A configuration costs what its on_change says; an input or a secret what a new configuration does, where a running NF has it. */
static enum field_cost cost_of(const struct object *desired, const char *path, enum field_cost cost)
{
	static const char *const of_running[] = { "operation.configure.input.", "operation.start.input.", "operation.reload.input.",
						  "secret." };
	if (g_str_has_prefix(path, "config.") && (g_str_has_suffix(path, ".content") || g_str_has_suffix(path, ".mode")))
		return config_cost(desired, path);
	for (size_t i = 0; i < G_N_ELEMENTS(of_running); i++)
		if (g_str_has_prefix(path, of_running[i]))
			return reload_cost(desired);
	return cost;
}

const struct kind kind_nf = { "nf", 2, "vnfc", specs, G_N_ELEMENTS(specs), cost_of };

static const char *const states[] = {
	[NF_STARTED] = "started", [NF_STOPPED] = "stopped", [NF_STARTING] = "starting", [NF_FAILED] = "failed",
};
static const char *const healths[] = {
	[NF_UNCHECKED] = "unchecked", [NF_HEALTHY] = "healthy", [NF_UNHEALTHY] = "unhealthy", [NF_IN_GRACE] = "starting",
};
static const char *const checks[] = {
	[NF_CHECK_NONE] = "none", [NF_CHECK_PROCESS] = "process", [NF_CHECK_STATUS] = "status", [NF_CHECK_TCP] = "tcp",
	[NF_CHECK_HTTP] = "http",
};
static const char *const on_changes[] = { [NF_RELOAD] = "reload", [NF_RESTART] = "restart", [NF_LEAVE] = "none" };
static const char *const secret_states[] = { [NF_SECRET_CURRENT] = "current", [NF_SECRET_CHANGED] = "changed" };
static const char *const verbs[] = {
	[NF_CREATE] = "create", [NF_CONFIGURE] = "configure", [NF_START] = "start", [NF_STOP] = "stop", [NF_DELETE] = "delete",
	[NF_VERB_CHECK] = "check", [NF_VERB_RELOAD] = "reload", [NF_STATUS] = "status",
};
G_STATIC_ASSERT(G_N_ELEMENTS(verbs) == NF_N_VERBS);

#define NF_MODE_DEFAULT "0644"

const char *nf_verb_name(enum nf_verb verb)
{
	return verbs[verb];
}

bool nf_verb_find(const char *name, enum nf_verb *ret)
{
	for (unsigned i = 0; i < NF_N_VERBS; i++) {
		if (strcmp(verbs[i], name) == 0) {
			*ret = (enum nf_verb) i;
			return true;
		}
	}
	return false;
}

/* As g_ascii_isalnum() and "_", not beginning with a digit: what every shell takes for a variable. */
bool nf_input_name_is_good(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	size_t length = strlen(name);
	return length && length <= NF_INPUT_NAME_MAX_BYTES && strchr(letters, *name) &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") == length;
}

static const char *file_path(struct arena *arena, const char *element, const char *name)
{
	return arena_printf(arena, "config.%s.%s", element, name);
}

static const char *operation_path(struct arena *arena, unsigned verb, const char *name)
{
	return arena_printf(arena, "operation.%s.%s", verbs[verb], name);
}

/* --- from fields: files --------------------------------------------------------------------------------------------------- */

/* Absolute, and with no way out of the VNFC's own tree. */
static bool is_path(const char *path)
{
	if (*path != '/' || !path[1])
		return false;
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	for (size_t i = 1; parts[i]; i++)
		if (!*parts[i] || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
			return false;
	return true;
}

static bool is_mode(const char *mode)
{
	return strlen(mode) == 4 && mode[0] == '0' && strspn(mode, "01234567") == 4;
}

static bool read_content(const struct view *view, const char *path, struct nf_file *file, GError **error)
{
	const struct value *value = object_value(view->object, path);
	if (value->type == VALUE_DIGEST) {
		file->digest = value->string + strlen(DIGEST_PREFIX);
		return true;
	}
	if (!view_string(view, path, &file->content, error))
		return false;
	if (file->content && strlen(file->content) > NF_CONFIG_MAX_BYTES)
		return view_invalid(view, path, error, "the file is larger than %d bytes", NF_CONFIG_MAX_BYTES);
	return true;
}

static bool read_file(const struct view *view, const char *element, struct nf_file *file, GError **error)
{
	*file = (struct nf_file) { .name = key_segment_text(view->arena, element), .mode = NF_MODE_DEFAULT };
	const char *path = file_path(view->arena, element, "path"), *mode = file_path(view->arena, element, "mode");
	unsigned on_change = NF_RELOAD;
	if (!view_string(view, path, &file->path, error) || !view_string(view, mode, &file->mode, error) ||
	    !view_choice(view, file_path(view->arena, element, "on_change"), on_changes, G_N_ELEMENTS(on_changes), &on_change, error) ||
	    !read_content(view, file_path(view->arena, element, "content"), file, error))
		return false;
	file->on_change = (enum nf_on_change) on_change;
	if (!file->path || !is_path(file->path))
		return view_invalid(view, path, error, "\"%s\" is not an absolute path of a file", file->path ? file->path : "");
	if (!is_mode(file->mode))
		return view_invalid(view, mode, error, "\"%s\" is not a mode (\"0644\")", file->mode);
	return true;
}

static bool read_files(const struct view *view, struct nf *nf, GError **error)
{
	size_t n;
	const char *const *elements = object_elements(view->arena, view->object, "config", &n);
	if (n > NF_CONFIG_MAX_FILES)
		return view_invalid(view, "config.*", error, "more than %d files", NF_CONFIG_MAX_FILES);
	struct nf_file *files = ARENA_ARRAY(view->arena, struct nf_file, n);
	for (size_t i = 0; i < n; i++)
		if (!read_file(view, elements[i], &files[i], error))
			return false;
	nf->files = files;
	nf->n_files = n;
	return true;
}

/* --- from fields: operations, health check, secrets ----------------------------------------------------------------------- */

static bool read_input(const struct view *view, const char *path, const char *name, struct nf_input *input, GError **error)
{
	const struct value *value = object_value(view->object, path);
	*input = (struct nf_input) { .name = name };
	if (!nf_input_name_is_good(name))
		return view_invalid(view, path, error, "that is no name of an environment variable");
	if (value->type == VALUE_SECRET) {
		input->secret = value->string;
		return true;
	}
	if (!view_string(view, path, &input->value, error))
		return false;
	if (strlen(input->value) > NF_INPUT_MAX_BYTES)
		return view_invalid(view, path, error, "it is longer than %d bytes", NF_INPUT_MAX_BYTES);
	return true;
}

static bool read_operation(const struct view *view, unsigned verb, struct nf_operation *operation, GError **error)
{
	const char *script = operation_path(view->arena, verb, "script");
	operation->timeout_ms = NF_TIMEOUT_DEFAULT_MS;
	if (!view_string(view, script, &operation->script, error))
		return false;
	if (!operation->script)
		return true;
	if (!package_path_is_good(operation->script))
		return view_invalid(view, script, error, "\"%s\" is not the path of a file in a package", operation->script);
	if (!view_unsigned(view, operation_path(view->arena, verb, "timeout_ms"), 1, NF_TIMEOUT_MAX_MS, &operation->timeout_ms, error))
		return false;
	const char *prefix = operation_path(view->arena, verb, "input");
	size_t n;
	const char *const *elements = object_elements(view->arena, view->object, prefix, &n);
	if (n > NF_INPUTS_MAX)
		return view_invalid(view, prefix, error, "more than %d inputs", NF_INPUTS_MAX);
	struct nf_input *inputs = ARENA_ARRAY(view->arena, struct nf_input, n);
	for (size_t i = 0; i < n; i++)
		if (!read_input(view, arena_printf(view->arena, "%s.%s", prefix, elements[i]), elements[i], &inputs[i], error))
			return false;
	operation->inputs = inputs;
	operation->n_inputs = n;
	return true;
}

static bool read_health_check(const struct view *view, struct nf_health_check *check, GError **error)
{
	*check = (struct nf_health_check) { .interval_ms = 5000, .timeout_ms = 2000, .grace_ms = 10000, .failures = 3 };
	unsigned type = NF_CHECK_NONE;
	bool good = view_choice(view, "health_check.type", checks, G_N_ELEMENTS(checks), &type, error) &&
		    view_string(view, "health_check.address", &check->address, error) &&
		    view_unsigned(view, "health_check.port", 1, 65535, &check->port, error) &&
		    view_string(view, "health_check.path", &check->path, error) &&
		    view_unsigned(view, "health_check.interval_ms", NF_INTERVAL_MIN_MS, NF_TIMEOUT_MAX_MS, &check->interval_ms, error) &&
		    view_unsigned(view, "health_check.timeout_ms", 1, NF_TIMEOUT_MAX_MS, &check->timeout_ms, error) &&
		    view_unsigned(view, "health_check.grace_ms", 0, NF_TIMEOUT_MAX_MS, &check->grace_ms, error) &&
		    view_unsigned(view, "health_check.failures", 1, G_MAXINT32, &check->failures, error);
	check->type = (enum nf_check) type;
	if (good && (check->type == NF_CHECK_TCP || check->type == NF_CHECK_HTTP) && (!check->address || !check->port))
		return view_invalid(view, "health_check.type", error, "a check of type %s needs an address and a port", checks[type]);
	return good;
}

static bool read_secrets(const struct view *view, struct nf *nf, GError **error)
{
	size_t n;
	const char *const *elements = object_elements(view->arena, view->object, "secret", &n);
	if (n > NF_SECRETS_MAX)
		return view_invalid(view, "secret.*", error, "more than %d secrets", NF_SECRETS_MAX);
	struct nf_secret *secrets = ARENA_ARRAY(view->arena, struct nf_secret, n);
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_printf(view->arena, "secret.%s", elements[i]);
		unsigned state = NF_SECRET_UNKNOWN;
		if (object_value(view->object, path)->type != VALUE_UNKNOWN &&
		    !view_choice(view, path, secret_states, G_N_ELEMENTS(secret_states), &state, error))
			return false;
		secrets[i] = (struct nf_secret) { .name = key_segment_text(view->arena, elements[i]),
						  .state = (enum nf_secret_state) state };
	}
	nf->secrets = secrets;
	nf->n_secrets = n;
	return true;
}

/* --- from fields ---------------------------------------------------------------------------------------------------------- */

static bool read_command(const struct view *view, struct nf *nf, GError **error)
{
	if (!view_strings(view, "command", &nf->command, &nf->n_command, error))
		return false;
	if (nf->n_command && !*nf->command[0])
		return view_invalid(view, "command", error, "the program's name is empty");
	return true;
}

static bool read_package(const struct view *view, struct nf *nf, GError **error)
{
	if (!view_string(view, "package", &nf->package, error))
		return false;
	if (nf->package && (strlen(nf->package) != DIGEST_HEX_SIZE - 1 || strspn(nf->package, "0123456789abcdef") != DIGEST_HEX_SIZE - 1))
		return view_invalid(view, "package", error, "\"%s\" is not the digest of a package", nf->package);
	bool needed = false;
	for (unsigned i = 0; i < NF_N_VERBS; i++) {
		if (!read_operation(view, i, &nf->operations[i], error))
			return false;
		needed |= nf->operations[i].script != NULL;
	}
	if (needed && !nf->package)
		return view_invalid(view, "package", error, "there are operations, and no package that they come from");
	return true;
}

const struct nf *nf_from_object(struct arena *arena, const struct object *object, GError **error)
{
	g_assert(object->kind == &kind_nf);
	struct view view = { arena, object };
	struct nf *nf = ARENA_NEW(arena, struct nf);
	*nf = (struct nf) { .key = object->key, .site = object->site, .incarnation = object->incarnation };
	unsigned state = NF_STARTED, health = NF_UNCHECKED;
	bool good = view_choice(&view, "state", states, G_N_ELEMENTS(states), &state, error) && read_command(&view, nf, error) &&
		    view_string(&view, "ems", &nf->ems, error) && view_bool(&view, "stateful", &nf->stateful, error) &&
		    read_package(&view, nf, error) && read_health_check(&view, &nf->health_check, error) &&
		    read_secrets(&view, nf, error) && read_files(&view, nf, error) &&
		    view_choice(&view, "health", healths, G_N_ELEMENTS(healths), &health, error) &&
		    view_string(&view, "reason", &nf->reason, error) &&
		    view_int(&view, "restarts", 0, G_MAXINT64, &nf->restarts, error) &&
		    view_int(&view, "pid", 0, G_MAXINT32, &nf->pid, error);
	nf->state = (enum nf_state) state;
	nf->health = (enum nf_health) health;
	return good ? nf : NULL;
}

/* --- to fields ------------------------------------------------------------------------------------------------------------ */

static void write_operation(struct arena *arena, struct object_builder *builder, unsigned verb, const struct nf_operation *operation)
{
	if (!operation->script)
		return;
	object_set_string(builder, operation_path(arena, verb, "script"), operation->script, ORIGIN_NONE);
	object_set_int(builder, operation_path(arena, verb, "timeout_ms"), operation->timeout_ms, ORIGIN_NONE);
	for (size_t i = 0; i < operation->n_inputs; i++) {
		const struct nf_input *input = &operation->inputs[i];
		const char *path = arena_printf(arena, "operation.%s.input.%s", verbs[verb], key_segment(arena, input->name));
		if (input->secret)
			object_set(builder, path, value_secret(arena, input->secret, NULL), ORIGIN_NONE);
		else
			object_set_string(builder, path, input->value, ORIGIN_NONE);
	}
}

static void write_health_check(struct object_builder *builder, const struct nf_health_check *check)
{
	if (check->type == NF_CHECK_NONE)
		return;
	object_set_string(builder, "health_check.type", checks[check->type], ORIGIN_NONE);
	if (check->type == NF_CHECK_TCP || check->type == NF_CHECK_HTTP) {
		object_set_string(builder, "health_check.address", check->address, ORIGIN_NONE);
		object_set_int(builder, "health_check.port", check->port, ORIGIN_NONE);
	}
	if (check->type == NF_CHECK_HTTP)
		object_set_string(builder, "health_check.path", check->path, ORIGIN_NONE);
	object_set_int(builder, "health_check.interval_ms", check->interval_ms, ORIGIN_NONE);
	object_set_int(builder, "health_check.timeout_ms", check->timeout_ms, ORIGIN_NONE);
	object_set_int(builder, "health_check.grace_ms", check->grace_ms, ORIGIN_NONE);
	object_set_int(builder, "health_check.failures", check->failures, ORIGIN_NONE);
}

static void write_secret(struct arena *arena, struct object_builder *builder, const struct nf_secret *secret)
{
	const char *path = arena_printf(arena, "secret.%s", key_segment(arena, secret->name));
	switch (secret->state) {
	case NF_SECRET_CURRENT:
	case NF_SECRET_CHANGED:
		object_set_string(builder, path, secret_states[secret->state], ORIGIN_NONE);
		return;
	case NF_SECRET_UNKNOWN:
		object_set(builder, path, &value_unknown, ORIGIN_NONE);
		return;
	}
}

static void write_file(struct arena *arena, struct object_builder *builder, const struct nf_file *file)
{
	const char *element = key_segment(arena, file->name);
	object_set_string(builder, file_path(arena, element, "path"), file->path, ORIGIN_NONE);
	object_set_string(builder, file_path(arena, element, "mode"), file->mode, ORIGIN_NONE);
	if (file->on_change != NF_RELOAD)
		object_set_string(builder, file_path(arena, element, "on_change"), on_changes[file->on_change], ORIGIN_NONE);
	if (file->content)
		object_set_string(builder, file_path(arena, element, "content"), file->content, ORIGIN_NONE);
	else if (file->digest)
		object_set(builder, file_path(arena, element, "content"), value_digest(arena, file->digest), ORIGIN_NONE);
}

const struct object *nf_to_object(struct arena *arena, const struct nf *nf)
{
	struct object_builder *builder = object_builder_new(arena, nf->key, nf->site, ORIGIN_NONE);
	object_set_incarnation(builder, nf->incarnation);
	object_set_string(builder, "state", states[nf->state], ORIGIN_NONE);
	if (nf->n_command)
		object_set(builder, "command", value_string_list(arena, nf->command, nf->n_command), ORIGIN_NONE);
	object_set_string(builder, "ems", nf->ems, ORIGIN_NONE);
	object_set_bool(builder, "stateful", nf->stateful, ORIGIN_NONE);
	object_set_string(builder, "package", nf->package, ORIGIN_NONE);
	for (unsigned i = 0; i < NF_N_VERBS; i++)
		write_operation(arena, builder, i, &nf->operations[i]);
	write_health_check(builder, &nf->health_check);
	for (size_t i = 0; i < nf->n_secrets; i++)
		write_secret(arena, builder, &nf->secrets[i]);
	for (size_t i = 0; i < nf->n_files; i++)
		write_file(arena, builder, &nf->files[i]);
	if (nf->health != NF_UNCHECKED)
		object_set_string(builder, "health", healths[nf->health], ORIGIN_NONE);
	object_set_string(builder, "reason", nf->reason, ORIGIN_NONE);
	if (nf->restarts > 0)
		object_set_int(builder, "restarts", nf->restarts, ORIGIN_NONE);
	if (nf->pid > 0)
		object_set_int(builder, "pid", nf->pid, ORIGIN_NONE);
	return object_build(builder);
}
