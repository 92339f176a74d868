/* Configuration files of network functions: pleach.artifacts.Template and tosca.artifacts.File with a deploy_path. */
#include "desired/internal.h"
#include "model/key.h"
#include "model/mark.h"
#include "model/mustache.h"
#include "model/nf.h"

#include <string.h>

/* --- what the descriptor says ------------------------------------------------------------------------------------------- */

/* Why @path cannot be a place in the VNFC's file system; NULL where it can. */
static const char *why_not(const char *path)
{
	if (path[0] != '/')
		return "it is not absolute";
	if (strlen(path) > DESIRED_MAX_DEPLOY_PATH)
		return "it is too long";
	if (g_str_has_suffix(path, "/"))
		return "it is a folder";
	for (const char *at = path; *at; at++)
		if (g_ascii_iscntrl(*at))
			return "it has control characters";
	static const char *const kernels[] = { "/proc/", "/sys/", "/dev/" };
	for (size_t i = 0; i < G_N_ELEMENTS(kernels); i++)
		if (g_str_has_prefix(path, kernels[i]))
			return "it is the kernel's";
	g_auto(GStrv) segments = g_strsplit(path + 1, "/", -1);
	for (size_t i = 0; segments[i]; i++)
		if (!*segments[i] || strcmp(segments[i], ".") == 0 || strcmp(segments[i], "..") == 0)
			return "it has empty segments, \".\" or \"..\"";
	return NULL;
}

static const char *read_text(struct run *run, const struct tartifact *artifact)
{
	GBytes *bytes = run_read(run, artifact->file, artifact->origin);
	gsize length;

	if (!bytes)
		return NULL;
	const char *data = g_bytes_get_data(bytes, &length);
	if (length > NF_CONFIG_MAX_BYTES) {
		run_say(run, SEVERITY_ERROR, "file-too-large", artifact->origin,
			"%s has %zu bytes; a configuration file has %d at most", artifact->file, length, NF_CONFIG_MAX_BYTES);
		return NULL;
	}
	if (length > 0 && (memchr(data, '\0', length) || !g_utf8_validate(data, (gssize) length, NULL))) {
		run_say(run, SEVERITY_ERROR, "not-text", artifact->origin, "%s is no UTF-8 text", artifact->file);
		return NULL;
	}
	const char *text = arena_strndup(run->arena, length > 0 ? data : "", length);
	if (!mark_is_in(text))
		return text;
	run_say(run, SEVERITY_ERROR, "not-text", artifact->origin, "%s has a character U+E000 or U+E001: those stand for secrets",
		artifact->file);
	return NULL;
}

static const char *mode_of(struct run *run, const struct tartifact *artifact)
{
	const char *mode = tvalue_string(tnamed_get(artifact->properties, "mode"), NULL);
	const struct source_file *file = snapshot_find(tosca_snapshot(run->tosca), artifact->file);

	if (mode)
		return arena_strdup(run->arena, mode);
	return file && file->executable ? "0755" : "0644";
}

static void check_syntax(struct run *run, const struct config *config)
{
	struct origin origin = { .file = config->artifact->file };
	g_autoptr(GError) error = NULL;

	if (mustache_check(config->text, &origin.line, &origin.column, &error))
		return;
	struct diag *diag = run_say(run, SEVERITY_ERROR, "bad-template", origin, "%s", error->message);
	if (diag)
		diag_note(run->diags, diag, config->artifact->origin, "it is the template of this artifact");
}

static bool compile_config(struct run *run, const struct tartifact *artifact, struct config *ret)
{
	const char *name = key_segment(run->arena, artifact->name), *why = why_not(artifact->deploy_path);

	if (why) {
		diags_error(run->diags, "bad-deploy-path", artifact->origin, "\"%s\" cannot be the deploy_path of \"%s\": %s",
			    artifact->deploy_path, artifact->name, why);
		return false;
	}
	*ret = (struct config) {
		.artifact = artifact,
		.path = artifact->deploy_path,
		.mode = mode_of(run, artifact),
		.text = read_text(run, artifact),
		.on_change = tvalue_string(tnamed_get(artifact->properties, "on_change"), "reload"),
		.is_template = ttype_is_a(artifact->type, "pleach.artifacts.Template"),
	};
	ret->field.path = arena_printf(run->arena, "config.%s.path", name);
	ret->field.content = arena_printf(run->arena, "config.%s.content", name);
	ret->field.mode = arena_printf(run->arena, "config.%s.mode", name);
	ret->field.on_change = arena_printf(run->arena, "config.%s.on_change", name);
	if (ret->text && ret->is_template)
		check_syntax(run, ret);
	return ret->text != NULL;
}

static bool is_config(struct run *run, const struct tnode *node, const struct tartifact *artifact)
{
	bool template = ttype_is_a(artifact->type, "pleach.artifacts.Template");

	if (package_holds(artifact)) {
		if (artifact->deploy_path)
			not_kept(run, artifact->origin, "the deploy_path of \"%s\", which is a script of the package,", artifact->name);
		return false;
	}
	if (!template && !ttype_is_a(artifact->type, "tosca.artifacts.File")) {
		not_kept(run, artifact->origin, "the artifact \"%s\" of \"%s\"", artifact->name, node->name);
		return false;
	}
	if (!artifact->deploy_path) {
		struct diag *diag = diags_error(run->diags, "bad-deploy-path", artifact->origin,
						"the artifact \"%s\" of \"%s\" has no deploy_path", artifact->name, node->name);
		diag_hint(run->diags, diag, "say where in the VNF it is to be put");
		return false;
	}
	return true;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct config *) a)->path, ((const struct config *) b)->path);
}

void nf_compile_configs(struct run *run, struct nfd *nf)
{
	const struct tnode *node = nf->node;

	if (node->n_artifacts > NF_CONFIG_MAX_FILES) {
		diags_error(run->diags, "too-many-files", node->origin, "\"%s\" has %zu artifacts; %d are allowed", node->name,
			    node->n_artifacts, NF_CONFIG_MAX_FILES);
		return;
	}
	nf->configs = ARENA_ARRAY(run->arena, struct config, node->n_artifacts);
	for (size_t i = 0; i < node->n_artifacts; i++)
		if (is_config(run, node, &node->artifacts[i]) && compile_config(run, &node->artifacts[i],
										&nf->configs[nf->n_configs]))
			nf->n_configs++;
	if (nf->n_configs > 1)
		qsort(nf->configs, nf->n_configs, sizeof *nf->configs, by_path);
	for (size_t i = 1; i < nf->n_configs; i++) {
		if (strcmp(nf->configs[i - 1].path, nf->configs[i].path) != 0)
			continue;
		struct diag *diag = diags_error(run->diags, "duplicate-deploy-path", nf->configs[i].artifact->origin,
						"two files of \"%s\" would be put at %s", node->name, nf->configs[i].path);
		diag_note(run->diags, diag, nf->configs[i - 1].artifact->origin, "the other one");
	}
}

/* --- templates ---------------------------------------------------------------------------------------------------------- */

const struct value *configs_nothing(const char *key, const char *path, void *data)
{
	return &value_absent;
}

const struct expr *configs_scope(const struct scope *scope, const struct nfd *nf, const struct expr *const *shared)
{
	struct arena *arena = scope->service->run->arena;
	struct tnamed_list properties = nf->node->properties;
	const char **names = ARENA_ARRAY(arena, const char *, properties.n + 1);
	const struct expr **items = ARENA_ARRAY(arena, const struct expr *, properties.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < properties.n; i++) {
		if (strcmp(properties.items[i].name, "ports") == 0) /* the attribute of that name counts */
			continue;
		names[n] = properties.items[i].name;
		items[n] = shared && shared[i] ? shared[i] : values_property(scope, nf->node, &properties.items[i]);
		if (!items[n++])
			return NULL;
	}
	names[n] = "ports";
	items[n++] = values_ports(scope, scope->vdu, scope->index);
	return expr_map(arena, names, items, n);
}

/* "haproxy.cfg:7:12: TEXT": the place in the template itself. */
static struct origin place(const char *message, const struct config *config, const char **ret_text)
{
	struct origin origin = { .file = config->artifact->file };
	size_t length = strlen(origin.file);
	unsigned line, column;
	int end = 0;

	*ret_text = message;
	if (strncmp(message, origin.file, length) != 0 || sscanf(message + length, ":%u:%u: %n", &line, &column, &end) != 2 ||
	    end == 0)
		return config->artifact->origin;
	origin.line = line;
	origin.column = column;
	*ret_text = message + length + end;
	return origin;
}

static const struct value *try_out(struct service *service, const struct nfd *nf, const struct config *config,
				   const struct scope *scope)
{
	struct arena *arena = service->run->arena;
	const struct expr *map = configs_scope(scope, nf, NULL);
	if (!map)
		return NULL;
	g_autoptr(GError) error = NULL;
	const struct value *value =
		expr_eval(arena, expr_template(arena, config->artifact->file, config->text, map), values_placeholder, service,
			  &error);
	if (value)
		return value;
	const char *text;
	struct origin origin = place(error->message, config, &text);
	struct diag *diag = run_say(service->run, SEVERITY_ERROR, "bad-template", origin, "%s", text);
	if (diag)
		diag_note(service->run->diags, diag, config->artifact->origin, "it is the template of this artifact");
	service->faulty = true;
	return NULL;
}

struct secrets {
	struct arena *arena;
	GHashTable *names; /* → struct origin */
	struct origin origin;
};

static void note_secret(const char *secret, void *data)
{
	const struct secrets *secrets = data;
	if (!g_hash_table_contains(secrets->names, secret))
		g_hash_table_insert(secrets->names, arena_strdup(secrets->arena, secret),
				    arena_memdup(secrets->arena, &secrets->origin, sizeof secrets->origin));
}

void configs_check(struct service *service, const struct nfd *nf, const struct scope *scope, GHashTable *secrets)
{
	for (size_t i = 0; i < nf->n_configs; i++) {
		const struct config *config = &nf->configs[i];
		struct secrets noted = { service->run->arena, secrets, config->artifact->origin };
		const struct value *value = config->is_template ? try_out(service, nf, config, scope) : NULL;
		if (value && value->type == VALUE_STRING)
			mark_each(value->string, note_secret, &noted);
	}
}
