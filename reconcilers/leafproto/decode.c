#include "leafproto/leafproto.h"

#include <string.h>

static bool check_version(const json_t *object, const char *what, GError **error)
{
	gint64 version = 0;
	if (!json_get_int(object, "version", &version, what, error))
		return false;
	if (version != LEAF_PROTOCOL_VERSION)
		return pleach_error_invalid(error, "%s: version %" G_GINT64_FORMAT " is not %d", what, version, LEAF_PROTOCOL_VERSION);
	return true;
}

/* Requests only: what is not known cannot be kept, so it is not taken. */
static bool check_members(json_t *object, const char *const *known, size_t n_known, const char *what, GError **error)
{
	for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
		const char *name = json_object_iter_key(at);
		bool found = false;
		for (size_t i = 0; i < n_known && !found; i++)
			found = strcmp(known[i], name) == 0;
		if (!found) {
			g_autofree char *short_name = g_strndup(name, LEAF_NAME_MAX_BYTES);
			return pleach_error_invalid(error, "%s: member \"%s\" is not known", what, short_name);
		}
	}
	return true;
}

static bool parse_state(const char *name, enum leaf_state *ret)
{
	for (enum leaf_state state = LEAF_STOPPED; state <= LEAF_FAILED; state++)
		if (strcmp(leaf_state_name(state), name) == 0) {
			*ret = state;
			return true;
		}
	return false;
}

/* A string that may be null or absent; any other type is a fault. */
static bool get_opt_string(struct arena *arena, const json_t *object, const char *name, const char **ret, const char *what,
			   GError **error)
{
	const json_t *member = json_object_get(object, name);
	*ret = NULL;
	if (!member || json_is_null(member))
		return true;
	const char *string = NULL;
	if (!json_get_string(object, name, &string, what, error))
		return false;
	*ret = arena_strdup(arena, string);
	return true;
}

static bool decode_command(struct arena *arena, const json_t *object, struct leaf_nf *nf, const char *what, GError **error)
{
	json_t *array = NULL;
	if (!json_get_array(object, "command", &array, what, error))
		return false;
	size_t n = json_array_size(array);
	if (n > LEAF_COMMAND_MAX_ARGS)
		return pleach_error_invalid(error, "%s: the command has more than %d arguments", what, LEAF_COMMAND_MAX_ARGS);
	const char **command = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const char *arg = json_string_value(json_array_get(array, i));
		if (!arg)
			return pleach_error_invalid(error, "%s: argument %zu of the command is not a string", what, i);
		command[i] = arena_strdup(arena, arg);
	}
	nf->command = command;
	nf->n_command = n;
	return true;
}

static bool is_digest(const char *text)
{
	return strlen(text) == LEAF_DIGEST_BYTES && strspn(text, "0123456789abcdef") == LEAF_DIGEST_BYTES;
}

static bool decode_file(struct arena *arena, json_t *object, bool wanted, struct leaf_file *ret, GError **error)
{
	static const char *const known[] = { "name", "path", "mode", "content" };
	const char *what = "file of an NF", *name = NULL, *path = NULL;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s is not an object", what);
	if (wanted && !check_members(object, known, G_N_ELEMENTS(known), what, error))
		return false;
	if (!json_get_string(object, "name", &name, what, error) || !json_get_string(object, "path", &path, what, error) ||
	    !get_opt_string(arena, object, "mode", &ret->mode, what, error) ||
	    !get_opt_string(arena, object, wanted ? "content" : "digest", wanted ? &ret->content : &ret->digest, what, error))
		return false;
	if (strlen(name) > LEAF_NAME_MAX_BYTES || strlen(path) > LEAF_PATH_MAX_BYTES)
		return pleach_error_invalid(error, "%s: name or path is too long", what);
	ret->name = arena_strdup(arena, name);
	ret->path = arena_strdup(arena, path);
	unsigned bits = 0;
	if (ret->mode && !leaf_mode_parse(ret->mode, &bits))
		return pleach_error_invalid(error, "mode of file \"%s\" is not four octal digits", ret->name);
	if (ret->digest && !is_digest(ret->digest))
		return pleach_error_invalid(error, "digest of file \"%s\" is not one of sha256", ret->name);
	return true;
}

static bool decode_files(struct arena *arena, const json_t *object, bool wanted, struct leaf_nf *nf, const char *what,
			 GError **error)
{
	json_t *array = NULL;
	if (!json_get_array(object, "files", &array, what, error))
		return false;
	size_t n = json_array_size(array);
	if (n > LEAF_FILES_MAX)
		return pleach_error_invalid(error, "%s: there are more than %d files", what, LEAF_FILES_MAX);
	struct leaf_file *files = ARENA_ARRAY(arena, struct leaf_file, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!decode_file(arena, json_array_get(array, i), wanted, &files[i], error))
			return false;
	nf->files = files;
	nf->n_files = n;
	return true;
}

static bool decode_nf(struct arena *arena, const json_t *object, bool wanted, struct leaf_nf *nf, const char *what,
		      GError **error)
{
	const char *key = NULL, *state = NULL;
	gint64 incarnation = 0;
	if (!json_get_string(object, "key", &key, what, error) || !json_get_string(object, "state", &state, what, error) ||
	    !json_get_int(object, "incarnation", &incarnation, what, error) ||
	    !json_get_bool(object, "stateful", &nf->stateful, what, error))
		return false;
	if (strlen(key) > LEAF_KEY_MAX_BYTES)
		return pleach_error_invalid(error, "%s: the key is longer than %d bytes", what, LEAF_KEY_MAX_BYTES);
	if (incarnation < 0 || incarnation > G_MAXINT32)
		return pleach_error_invalid(error, "%s: incarnation %" G_GINT64_FORMAT " is out of range", what, incarnation);
	nf->key = arena_strdup(arena, key);
	nf->incarnation = (unsigned) incarnation;
	if (!parse_state(state, &nf->state)) {
		g_autofree char *short_state = g_strndup(state, LEAF_NAME_MAX_BYTES);
		return pleach_error_invalid(error, "%s: state \"%s\" is not known", what, short_state);
	}
	return decode_command(arena, object, nf, what, error) && decode_files(arena, object, wanted, nf, what, error);
}

const struct leaf_nf *leaf_nf_decode(struct arena *arena, const char *text, size_t length, GError **error)
{
	static const char *const known[] = { "version", "key", "incarnation", "state", "stateful", "command", "files" };
	const char *what = "desired NF";
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REQUEST_MAX_BYTES, what, error);
	if (!object)
		return NULL;
	if (!json_is_object(object)) {
		pleach_error_invalid(error, "%s is not an object", what);
		return NULL;
	}
	struct leaf_nf *nf = ARENA_NEW(arena, struct leaf_nf);
	if (!check_version(object, what, error) || !check_members(object, known, G_N_ELEMENTS(known), what, error) ||
	    !decode_nf(arena, object, true, nf, what, error) || !leaf_nf_check(nf, error))
		return NULL;
	return nf;
}

static const struct leaf_nf *decode_observed(struct arena *arena, const json_t *object, const char *what, GError **error)
{
	struct leaf_nf *nf = ARENA_NEW(arena, struct leaf_nf);
	if (!decode_nf(arena, object, false, nf, what, error) || !json_get_int(object, "pid", &nf->pid, what, error) ||
	    !json_get_int(object, "restarts", &nf->restarts, what, error) ||
	    !get_opt_string(arena, object, "reason", &nf->reason, what, error))
		return NULL;
	if (nf->pid < 0 || nf->restarts < 0) {
		pleach_error_invalid(error, "%s: a negative pid or count of restarts", what);
		return NULL;
	}
	if (nf->reason && strlen(nf->reason) > LEAF_REASON_MAX_BYTES) {
		pleach_error_invalid(error, "%s: the reason is longer than %d bytes", what, LEAF_REASON_MAX_BYTES);
		return NULL;
	}
	return nf;
}

const struct leaf_status *leaf_status_decode(struct arena *arena, const char *text, size_t length, GError **error)
{
	const char *what = "status of the leaf", *version = NULL;
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REPLY_MAX_BYTES, what, error);
	if (!object)
		return NULL;
	if (!json_is_object(object)) {
		pleach_error_invalid(error, "%s is not an object", what);
		return NULL;
	}
	struct leaf_status *status = ARENA_NEW(arena, struct leaf_status);
	if (!check_version(object, what, error) || !json_get_string(object, "leaf", &version, what, error) ||
	    !json_get_int(object, "pid", &status->pid, what, error) ||
	    !json_get_int(object, "uptime_ms", &status->uptime_ms, what, error))
		return NULL;
	status->version = arena_strndup(arena, version, MIN(strlen(version), (size_t) LEAF_NAME_MAX_BYTES));
	const json_t *nf = json_object_get(object, "nf");
	if (!nf) {
		pleach_error_invalid(error, "%s: member \"nf\" is missing", what);
		return NULL;
	}
	if (json_is_null(nf))
		return status;
	if (!json_is_object(nf)) {
		pleach_error_invalid(error, "%s: member \"nf\" is not an object", what);
		return NULL;
	}
	status->nf = decode_observed(arena, nf, what, error);
	return status->nf ? status : NULL;
}

static bool parse_code(const char *name, enum pleach_error *ret)
{
	for (enum pleach_error code = PLEACH_ERROR_RETRY; code <= PLEACH_ERROR_INVALID; code++)
		if (strcmp(pleach_error_name(code), name) == 0) {
			*ret = code;
			return true;
		}
	return false;
}

/* How a body that we do not understand began: enough to recognise it, safe to print. */
static char *beginning(const char *text, size_t length)
{
	enum { SHOWN_BYTES = 120 };
	g_autofree char *start = g_strndup(text, MIN(length, (size_t) SHOWN_BYTES));
	char *valid = g_utf8_make_valid(start, -1);
	for (char *p = valid; *p; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			*p = ' ';
	return valid;
}

void leaf_refusal_decode(unsigned http_status, const char *text, size_t length, GError **error)
{
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REPLY_MAX_BYTES, "refusal of the leaf", NULL);
	const char *name = json_opt_string(object, "error", NULL), *words = json_opt_string(object, "text", NULL);
	enum pleach_error code = PLEACH_ERROR_RETRY;
	if (json_is_object(object) && name && words && parse_code(name, &code)) {
		g_autofree char *start = g_strndup(words, LEAF_REASON_MAX_BYTES);
		g_autofree char *valid = g_utf8_make_valid(start, -1);
		g_set_error_literal(error, PLEACH_ERROR, code, valid);
		return;
	}
	g_autofree char *start = beginning(text, length);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the leaf answered with HTTP status %u: \"%s\"", http_status, start);
}
