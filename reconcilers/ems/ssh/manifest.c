/* What the far side keeps of its NF. Secret values are never in it: they are in the files and inputs that hand.sh keeps beside it. */
#include "ems/ssh/private.h"

#include <string.h>

static void set(json_t *json, const char *name, const char *text)
{
	if (text)
		json_object_set_new(json, name, json_string_nocheck(text));
}

static void set_number(json_t *json, const char *name, gint64 number)
{
	json_object_set_new(json, name, json_integer(number));
}

static json_t *write_operation(const struct nf_operation *operation)
{
	json_t *json = json_object(), *inputs = json_array();
	set(json, "script", operation->script);
	set_number(json, "timeout_ms", operation->timeout_ms);
	for (size_t i = 0; i < operation->n_inputs; i++) {
		const struct nf_input *input = &operation->inputs[i];
		json_t *entry = json_object();
		set(entry, "name", input->name);
		set(entry, input->secret ? "secret" : "value", input->secret ? input->secret : input->value);
		json_array_append_new(inputs, entry);
	}
	json_object_set_new(json, "inputs", inputs);
	return json;
}

static json_t *write_check(const struct nf_health_check *check)
{
	json_t *json = json_object();
	set_number(json, "type", check->type);
	set(json, "address", check->address);
	set(json, "path", check->path);
	set_number(json, "port", check->port);
	set_number(json, "interval_ms", check->interval_ms);
	set_number(json, "timeout_ms", check->timeout_ms);
	set_number(json, "grace_ms", check->grace_ms);
	set_number(json, "failures", check->failures);
	return json;
}

static json_t *write_files(const struct nf *nf)
{
	json_t *files = json_array();
	for (size_t i = 0; i < nf->n_files; i++) {
		json_t *entry = json_object();
		set(entry, "name", nf->files[i].name);
		set(entry, "path", nf->files[i].path);
		set(entry, "mode", nf->files[i].mode);
		set(entry, "label", nf->files[i].label);
		set_number(entry, "on_change", nf->files[i].on_change);
		json_array_append_new(files, entry);
	}
	return files;
}

static json_t *write_lists(const struct nf *nf, json_t *json)
{
	json_t *command = json_array(), *operations = json_object(), *secrets = json_array();
	for (size_t i = 0; i < nf->n_command; i++)
		json_array_append_new(command, json_string_nocheck(nf->command[i]));
	for (unsigned verb = 0; verb < NF_N_VERBS; verb++)
		if (nf->operations[verb].script)
			json_object_set_new(operations, nf_verb_name((enum nf_verb) verb), write_operation(&nf->operations[verb]));
	for (size_t i = 0; i < nf->n_secrets; i++) {
		json_t *entry = json_object();
		set(entry, "name", nf->secrets[i].name);
		set(entry, "proof", nf->secrets[i].proof);
		json_array_append_new(secrets, entry);
	}
	json_object_set_new(json, "command", command);
	json_object_set_new(json, "operations", operations);
	json_object_set_new(json, "secrets", secrets);
	json_object_set_new(json, "files", write_files(nf));
	json_object_set_new(json, "check", write_check(&nf->health_check));
	return json;
}

char *manifest_write(const struct nf *nf, bool good, const char *trouble)
{
	g_autoptr(json_t) json = json_object();
	set(json, "key", nf->key);
	set_number(json, "incarnation", nf->incarnation);
	set_number(json, "state", nf->state);
	json_object_set_new(json, "stateful", json_boolean(nf->stateful));
	json_object_set_new(json, "good", json_boolean(good));
	set(json, "trouble", trouble);
	set(json, "package", nf->package);
	char *text = json_dumps(write_lists(nf, json), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	if (!text)
		return NULL;
	GString *out = g_string_new(NULL);
	for (size_t i = 0; i < nf->n_files; i++)
		g_string_append_printf(out, "F %s %s\n", nf->files[i].label ? "secret" : "plain", nf->files[i].path);
	g_string_append_printf(out, "%s\n", text);
	free(text);
	return g_string_free(out, FALSE);
}

/* --- reading: what is there was ours, but may have been edited --------------------------------------------------------------------- */

static const char *get(struct arena *arena, const json_t *json, const char *name)
{
	return arena_strdup(arena, json_string_value(json_object_get(json, name)));
}

static unsigned get_number(const json_t *json, const char *name, unsigned max)
{
	json_int_t number = json_integer_value(json_object_get(json, name));
	return (unsigned) CLAMP(number, 0, (json_int_t) max);
}

static void read_operation(struct arena *arena, const json_t *json, struct nf_operation *operation)
{
	const json_t *inputs = json_object_get(json, "inputs");
	size_t n = MIN(json_array_size(inputs), (size_t) NF_INPUTS_MAX);
	struct nf_input *list = ARENA_ARRAY(arena, struct nf_input, n + 1);
	operation->script = get(arena, json, "script");
	operation->timeout_ms = get_number(json, "timeout_ms", NF_TIMEOUT_MAX_MS);
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(inputs, i);
		struct nf_input input = { get(arena, entry, "name"), get(arena, entry, "value"), get(arena, entry, "secret") };
		if (input.name)
			list[operation->n_inputs++] = input;
	}
	operation->inputs = list;
}

static void read_check(struct arena *arena, const json_t *json, struct nf_health_check *check)
{
	check->type = (enum nf_check) get_number(json, "type", NF_CHECK_HTTP);
	check->address = get(arena, json, "address");
	check->path = get(arena, json, "path");
	check->port = get_number(json, "port", 65535);
	check->interval_ms = get_number(json, "interval_ms", G_MAXINT32);
	check->timeout_ms = get_number(json, "timeout_ms", G_MAXINT32);
	check->grace_ms = get_number(json, "grace_ms", G_MAXINT32);
	check->failures = get_number(json, "failures", G_MAXINT32);
}

static void read_files(struct arena *arena, const json_t *json, struct nf *nf)
{
	size_t n = MIN(json_array_size(json), (size_t) NF_CONFIG_MAX_FILES);
	struct nf_file *files = ARENA_ARRAY(arena, struct nf_file, n + 1);
	for (size_t i = 0; i < n; i++) {
		const json_t *entry = json_array_get(json, i);
		struct nf_file file = { .name = get(arena, entry, "name"), .path = get(arena, entry, "path"), .mode = get(arena, entry, "mode"),
					.label = get(arena, entry, "label") };
		file.on_change = (enum nf_on_change) get_number(entry, "on_change", NF_LEAVE);
		if (file.name && file.path && file.mode)
			files[nf->n_files++] = file;
	}
	nf->files = files;
}

static void read_lists(struct arena *arena, const json_t *json, struct nf *nf)
{
	const json_t *command = json_object_get(json, "command"), *secrets = json_object_get(json, "secrets");
	size_t n_secrets = MIN(json_array_size(secrets), (size_t) NF_SECRETS_MAX);
	const char **words = ARENA_ARRAY(arena, const char *, json_array_size(command) + 1);
	struct nf_secret *list = ARENA_ARRAY(arena, struct nf_secret, n_secrets + 1);
	for (size_t i = 0; i < json_array_size(command); i++)
		if (json_is_string(json_array_get(command, i)))
			words[nf->n_command++] = arena_strdup(arena, json_string_value(json_array_get(command, i)));
	for (size_t i = 0; i < n_secrets; i++) {
		const json_t *entry = json_array_get(secrets, i);
		struct nf_secret secret = { .name = get(arena, entry, "name"), .proof = get(arena, entry, "proof") };
		if (secret.name)
			list[nf->n_secrets++] = secret;
	}
	nf->command = words;
	nf->secrets = list;
	for (unsigned verb = 0; verb < NF_N_VERBS; verb++)
		read_operation(arena, json_object_get(json_object_get(json, "operations"), nf_verb_name((enum nf_verb) verb)),
			       &nf->operations[verb]);
	read_check(arena, json_object_get(json, "check"), &nf->health_check);
	read_files(arena, json_object_get(json, "files"), nf);
}

bool manifest_read(struct arena *arena, const char *text, struct there *ret, GError **error)
{
	g_autoptr(json_t) json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct nf *nf = ARENA_NEW(arena, struct nf);
	*nf = (struct nf) { .key = get(arena, json, "key") };
	if (!nf->key) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "its manifest is none of ours; the folder nf of our state must be removed");
		return false;
	}
	nf->incarnation = get_number(json, "incarnation", G_MAXINT32);
	nf->state = get_number(json, "state", NF_FAILED) == NF_STARTED ? NF_STARTED : NF_STOPPED;
	nf->stateful = json_is_true(json_object_get(json, "stateful"));
	nf->package = get(arena, json, "package");
	read_lists(arena, json, nf);
	ret->nf = nf;
	ret->json = arena_strdup(arena, text);
	ret->good = json_is_true(json_object_get(json, "good"));
	ret->trouble = get(arena, json, "trouble");
	return true;
}
