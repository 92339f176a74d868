#include "leafproto/leafproto.h"

#include <arpa/inet.h>
#include <string.h>

const char *leaf_state_name(enum leaf_state state)
{
	static const char *const names[] = {
		[LEAF_STOPPED] = "stopped",   [LEAF_STARTING] = "starting", [LEAF_STARTED] = "started",
		[LEAF_STOPPING] = "stopping", [LEAF_FAILED] = "failed",
	};
	return names[state];
}

const char *leaf_verb_name(enum leaf_verb verb)
{
	static const char *const names[] = {
		[LEAF_CREATE] = "create", [LEAF_CONFIGURE] = "configure", [LEAF_START] = "start",   [LEAF_STOP] = "stop",
		[LEAF_DELETE] = "delete", [LEAF_CHECK] = "check",         [LEAF_RELOAD] = "reload", [LEAF_STATUS_VERB] = "status",
	};
	return names[verb];
}

const char *leaf_outcome_name(enum leaf_outcome outcome)
{
	static const char *const names[] = {
		[LEAF_DONE] = "done", [LEAF_UNTOUCHED] = "untouched", [LEAF_TAKEN_BACK] = "taken-back", [LEAF_BROKEN] = "broken",
	};
	return names[outcome];
}

static bool check_text(const char *text, size_t max_bytes, const char *what, GError **error)
{
	if (!text || *text == '\0')
		return pleach_error_invalid(error, "%s is empty", what);
	size_t length = strnlen(text, max_bytes + 1);
	if (length > max_bytes)
		return pleach_error_invalid(error, "%s is longer than %zu bytes", what, max_bytes);
	if (!g_utf8_validate(text, (gssize) length, NULL))
		return pleach_error_invalid(error, "%s is not UTF-8", what);
	return true;
}

bool leaf_mode_parse(const char *mode, unsigned *ret)
{
	if (!mode || strlen(mode) != 4)
		return false;
	unsigned bits = 0;
	for (const char *p = mode; *p; p++) {
		if (*p < '0' || *p > '7')
			return false;
		bits = bits * 8 + (unsigned) (*p - '0');
	}
	*ret = bits;
	return true;
}

/* Folders that are the kernel's: nothing written there is a file that stays. */
static bool is_kernels(const char *path)
{
	static const char *const folders[] = { "/proc", "/sys", "/dev" };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		size_t length = strlen(folders[i]);
		if (strncmp(path, folders[i], length) == 0 && (path[length] == '/' || path[length] == '\0'))
			return true;
	}
	return false;
}

static bool check_path(const char *path, const char *name, GError **error)
{
	g_autofree char *what = g_strdup_printf("path of file \"%s\"", name);
	if (!check_text(path, LEAF_PATH_MAX_BYTES, what, error))
		return false;
	if (path[0] != '/')
		return pleach_error_invalid(error, "%s is not absolute: \"%s\"", what, path);
	for (const char *p = path; *p; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return pleach_error_invalid(error, "%s holds a control character", what);
	for (const char *segment = path + 1;; ) {
		size_t length = strcspn(segment, "/");
		if (length == 0)
			return pleach_error_invalid(error, "%s has an empty segment: \"%s\"", what, path);
		if ((length == 1 && segment[0] == '.') || (length == 2 && segment[0] == '.' && segment[1] == '.'))
			return pleach_error_invalid(error, "%s holds \".\" or \"..\": \"%s\"", what, path);
		if (length > LEAF_PATH_SEGMENT_MAX_BYTES)
			return pleach_error_invalid(error, "%s has a segment longer than %d bytes", what, LEAF_PATH_SEGMENT_MAX_BYTES);
		if (segment[length] == '\0')
			break;
		segment += length + 1;
	}
	if (is_kernels(path))
		return pleach_error_invalid(error, "%s is in a folder of the kernel's: \"%s\"", what, path);
	return true;
}

static bool check_file(const struct leaf_file *file, size_t *content_bytes, GError **error)
{
	unsigned mode = 0;
	if (!check_text(file->name, LEAF_NAME_MAX_BYTES, "name of a file", error) || !check_path(file->path, file->name, error))
		return false;
	if (!leaf_mode_parse(file->mode, &mode) || mode > LEAF_MODE_MAX)
		return pleach_error_invalid(error, "mode of file \"%s\" is not like \"0644\": \"%s\"", file->name, file->mode ? file->mode : "");
	if (!file->content)
		return pleach_error_invalid(error, "file \"%s\" has no content", file->name);
	size_t length = strnlen(file->content, LEAF_FILE_MAX_BYTES + 1);
	if (length > LEAF_FILE_MAX_BYTES)
		return pleach_error_invalid(error, "file \"%s\" is larger than %d bytes", file->name, LEAF_FILE_MAX_BYTES);
	if (!g_utf8_validate(file->content, (gssize) length, NULL))
		return pleach_error_invalid(error, "content of file \"%s\" is not UTF-8", file->name);
	if (file->label && !leaf_is_digest(file->label))
		return pleach_error_invalid(error, "label of file \"%s\" is not a digest", file->name);
	*content_bytes += length;
	if (*content_bytes > LEAF_CONTENT_MAX_BYTES)
		return pleach_error_invalid(error, "the files together are larger than %d bytes", LEAF_CONTENT_MAX_BYTES);
	return true;
}

/* Two files with one name or one path, or one where another needs a folder. */
static bool check_apart(const struct leaf_file *a, const struct leaf_file *b, GError **error)
{
	if (strcmp(a->name, b->name) == 0)
		return pleach_error_invalid(error, "two files have the name \"%s\"", a->name);
	size_t a_length = strlen(a->path), b_length = strlen(b->path), shorter = MIN(a_length, b_length);
	if (strncmp(a->path, b->path, shorter) != 0)
		return true;
	if (a_length == b_length)
		return pleach_error_invalid(error, "files \"%s\" and \"%s\" have the same path \"%s\"", a->name, b->name, a->path);
	if ((a_length < b_length ? b : a)->path[shorter] == '/')
		return pleach_error_invalid(error, "files \"%s\" and \"%s\": one has its path inside the other's: \"%s\", \"%s\"", a->name,
			    b->name, a->path, b->path);
	return true;
}

static bool check_command(const struct leaf_nf *nf, GError **error)
{
	if (nf->n_command > LEAF_COMMAND_MAX_ARGS)
		return pleach_error_invalid(error, "the command has more than %d arguments", LEAF_COMMAND_MAX_ARGS);
	size_t bytes = 0;
	for (size_t i = 0; i < nf->n_command; i++) {
		size_t length = strnlen(nf->command[i], LEAF_COMMAND_MAX_BYTES + 1);
		bytes += length;
		if (bytes > LEAF_COMMAND_MAX_BYTES)
			return pleach_error_invalid(error, "the command is longer than %d bytes", LEAF_COMMAND_MAX_BYTES);
		if (!g_utf8_validate(nf->command[i], (gssize) length, NULL))
			return pleach_error_invalid(error, "argument %zu of the command is not UTF-8", i);
	}
	if (nf->n_command > 0 && nf->command[0][0] == '\0')
		return pleach_error_invalid(error, "the command's program is empty");
	return true;
}

bool leaf_is_digest(const char *text)
{
	return strnlen(text, LEAF_DIGEST_BYTES + 1) == LEAF_DIGEST_BYTES && strspn(text, "0123456789abcdef") == LEAF_DIGEST_BYTES;
}

bool leaf_package_path_is_good(const char *path)
{
	size_t length = strnlen(path, LEAF_PACKAGE_PATH_MAX_BYTES + 1);
	if (length == 0 || length > LEAF_PACKAGE_PATH_MAX_BYTES || !g_utf8_validate(path, (gssize) length, NULL))
		return false;
	for (const char *p = path; *p; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			return false;
	for (const char *segment = path;; ) {
		size_t n = strcspn(segment, "/");
		if (n == 0 || n > LEAF_NAME_MAX_BYTES || (n == 1 && segment[0] == '.') || (n == 2 && memcmp(segment, "..", 2) == 0))
			return false;
		if (segment[n] == '\0')
			return true;
		segment += n + 1;
	}
}

/* What the leaf itself puts into the environment is not anybody's to change. */
static bool check_input_name(const char *name, const char *verb, GError **error)
{
	if (!check_text(name, LEAF_NAME_MAX_BYTES, "name of an input", error))
		return false;
	for (const char *p = name; *p; p++)
		if (*p == '=' || (unsigned char) *p < 0x20 || *p == 0x7f)
			return pleach_error_invalid(error, "operation %s: \"%s\" cannot be the name of an input", verb, name);
	if (g_str_has_prefix(name, "PLEACH_"))
		return pleach_error_invalid(error, "operation %s: inputs are not named PLEACH_…: \"%s\"", verb, name);
	return true;
}

static bool check_inputs(const struct leaf_operation *operation, const char *verb, GError **error)
{
	size_t bytes = 0;
	if (operation->n_inputs > LEAF_INPUTS_MAX)
		return pleach_error_invalid(error, "operation %s has more than %d inputs", verb, LEAF_INPUTS_MAX);
	for (size_t i = 0; i < operation->n_inputs; i++) {
		const struct leaf_input *input = &operation->inputs[i];
		if (!check_input_name(input->name, verb, error))
			return false;
		if (!input->value)
			return pleach_error_invalid(error, "operation %s: input %s has no value", verb, input->name);
		size_t length = strnlen(input->value, LEAF_INPUTS_MAX_BYTES + 1);
		bytes += strlen(input->name) + length;
		if (bytes > LEAF_INPUTS_MAX_BYTES)
			return pleach_error_invalid(error, "the inputs of operation %s are larger than %d bytes", verb, LEAF_INPUTS_MAX_BYTES);
		if (!g_utf8_validate(input->value, (gssize) length, NULL))
			return pleach_error_invalid(error, "operation %s: input %s is not UTF-8", verb, input->name);
		if (input->secret && !check_text(input->secret, LEAF_NAME_MAX_BYTES, "name of a secret", error))
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(operation->inputs[k].name, input->name) == 0)
				return pleach_error_invalid(error, "operation %s has two inputs %s", verb, input->name);
	}
	return true;
}

static bool check_operation(const struct leaf_nf *nf, enum leaf_verb which, GError **error)
{
	const struct leaf_operation *operation = &nf->operations[which];
	const char *verb = leaf_verb_name(which);
	if (!operation->script)
		return true;
	if (!nf->package)
		return pleach_error_invalid(error, "operation %s has a script, but the NF has no package", verb);
	if (!leaf_package_path_is_good(operation->script))
		return pleach_error_invalid(error, "operation %s: no script can be at \"%.*s\" of a package", verb, LEAF_PACKAGE_PATH_MAX_BYTES,
			    operation->script);
	if (operation->timeout_ms > LEAF_TIME_MAX_MS)
		return pleach_error_invalid(error, "operation %s: its time-out is above %d ms", verb, LEAF_TIME_MAX_MS);
	return check_inputs(operation, verb, error);
}

/* A number, not a name: nobody looks names up inside a VNF for this. */
static bool is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];
	return text && (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1);
}

static bool check_http_path(const char *path, GError **error)
{
	if (!path || path[0] != '/' || strnlen(path, LEAF_PATH_MAX_BYTES + 1) > LEAF_PATH_MAX_BYTES)
		return pleach_error_invalid(error, "health check: its path does not begin with '/', or is longer than %d bytes",
			    LEAF_PATH_MAX_BYTES);
	for (const char *p = path; *p; p++)
		if ((unsigned char) *p <= 0x20 || (unsigned char) *p >= 0x7f)
			return pleach_error_invalid(error, "health check: its path holds what a request cannot");
	return true;
}

static bool check_health(const struct leaf_nf *nf, GError **error)
{
	const struct leaf_health_check *check = &nf->health_check;
	bool asks = check->type == LEAF_PROBE_TCP || check->type == LEAF_PROBE_HTTP;
	if (check->type == LEAF_PROBE_NONE)
		return true;
	if (check->type == LEAF_PROBE_PROCESS && nf->n_command == 0)
		return pleach_error_invalid(error, "health check \"process\", but the NF has no command");
	if (check->type == LEAF_PROBE_STATUS && !nf->operations[LEAF_STATUS_VERB].script)
		return pleach_error_invalid(error, "health check \"status\", but the NF has no operation status");
	if (check->interval_ms < LEAF_INTERVAL_MIN_MS || check->interval_ms > LEAF_TIME_MAX_MS || check->timeout_ms == 0 ||
	    check->timeout_ms > LEAF_TIME_MAX_MS || check->grace_ms > LEAF_TIME_MAX_MS)
		return pleach_error_invalid(error, "health check: a time is out of range");
	if (check->failures == 0 || check->failures > LEAF_FAILURES_MAX)
		return pleach_error_invalid(error, "health check: failures are from 1 to %d", LEAF_FAILURES_MAX);
	if (asks && !is_address(check->address))
		return pleach_error_invalid(error, "health check: \"%.*s\" is no IP address", LEAF_NAME_MAX_BYTES,
			    check->address ? check->address : "");
	if (asks && (check->port == 0 || check->port > G_MAXUINT16))
		return pleach_error_invalid(error, "health check: %u is no port", check->port);
	return check->type != LEAF_PROBE_HTTP || check_http_path(check->path, error);
}

static bool check_secrets(const struct leaf_nf *nf, GError **error)
{
	if (nf->n_secrets > LEAF_SECRETS_MAX)
		return pleach_error_invalid(error, "there are more than %d secrets", LEAF_SECRETS_MAX);
	for (size_t i = 0; i < nf->n_secrets; i++) {
		if (!check_text(nf->secrets[i].name, LEAF_NAME_MAX_BYTES, "name of a secret", error) ||
		    !check_text(nf->secrets[i].proof, LEAF_PROOF_MAX_BYTES, "proof of a secret", error))
			return false;
		for (size_t k = 0; k < i; k++)
			if (strcmp(nf->secrets[k].name, nf->secrets[i].name) == 0)
				return pleach_error_invalid(error, "two secrets have the name \"%s\"", nf->secrets[i].name);
	}
	return true;
}

bool leaf_nf_check(const struct leaf_nf *nf, GError **error)
{
	if (!check_text(nf->key, LEAF_KEY_MAX_BYTES, "key", error) || !check_command(nf, error))
		return false;
	if (!g_str_has_prefix(nf->key, "nf/"))
		return pleach_error_invalid(error, "\"%s\" is not the key of an NF", nf->key);
	if (nf->state != LEAF_STARTED && nf->state != LEAF_STOPPED)
		return pleach_error_invalid(error, "state \"%s\" cannot be wanted: it is \"started\" or \"stopped\"", leaf_state_name(nf->state));
	if (nf->n_files > LEAF_FILES_MAX)
		return pleach_error_invalid(error, "there are more than %d files", LEAF_FILES_MAX);
	size_t content_bytes = 0;
	for (size_t i = 0; i < nf->n_files; i++) {
		if (!check_file(&nf->files[i], &content_bytes, error))
			return false;
		for (size_t k = 0; k < i; k++)
			if (!check_apart(&nf->files[k], &nf->files[i], error))
				return false;
	}
	if (nf->package && !leaf_is_digest(nf->package))
		return pleach_error_invalid(error, "the package is not named by its digest");
	for (enum leaf_verb verb = 0; verb < LEAF_N_VERBS; verb++)
		if (!check_operation(nf, verb, error))
			return false;
	return check_health(nf, error) && check_secrets(nf, error);
}

bool leaf_same_operation(const struct leaf_operation *a, const struct leaf_operation *b)
{
	if (g_strcmp0(a->script, b->script) != 0 || a->n_inputs != b->n_inputs)
		return false;
	for (size_t i = 0; i < a->n_inputs; i++) {
		bool found = false;
		for (size_t k = 0; k < b->n_inputs && !found; k++)
			found = strcmp(a->inputs[i].name, b->inputs[k].name) == 0 && g_strcmp0(a->inputs[i].value, b->inputs[k].value) == 0;
		if (!found)
			return false;
	}
	return true;
}

bool leaf_nf_same_command(const struct leaf_nf *a, const struct leaf_nf *b)
{
	if (a->n_command != b->n_command)
		return false;
	for (size_t i = 0; i < a->n_command; i++)
		if (strcmp(a->command[i], b->command[i]) != 0)
			return false;
	return true;
}
