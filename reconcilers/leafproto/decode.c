#include "leafproto/private.h"

#include <string.h>

static bool parse_state(const char *name, enum leaf_state *ret)
{
	for (enum leaf_state state = LEAF_STOPPED; state <= LEAF_FAILED; state++)
		if (strcmp(leaf_state_name(state), name) == 0) {
			*ret = state;
			return true;
		}
	return false;
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

static bool parse_on_change(const char *name, enum leaf_on_change *ret)
{
	for (enum leaf_on_change on_change = LEAF_ON_RELOAD; on_change <= LEAF_ON_NONE; on_change++)
		if (strcmp(proto_on_change_name(on_change), name) == 0) {
			*ret = on_change;
			return true;
		}
	return false;
}

/* What a status tells of a file that is not as it was put. */
static bool check_seen(const struct leaf_file *file, GError **error)
{
	if (strlen(file->content) > LEAF_SEEN_MAX_BYTES)
		return pleach_error_invalid(error, "what is told of file \"%s\" is longer than %d bytes", file->name, LEAF_SEEN_MAX_BYTES);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, file->content, -1);
	if (g_strcmp0(digest, file->digest) != 0)
		return pleach_error_invalid(error, "what is told of file \"%s\" does not have its digest", file->name);
	return true;
}

static bool decode_file(struct arena *arena, json_t *object, bool wanted, struct leaf_file *ret, GError **error)
{
	static const char *const known[] = { "name", "path", "mode", "content", "label", "on_change" };
	const char *what = "file of an NF", *name = NULL, *path = NULL, *on_change = NULL;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s is not an object", what);
	if (wanted && !proto_check_members(object, known, G_N_ELEMENTS(known), what, error))
		return false;
	if (!json_get_string(object, "name", &name, what, error) || !json_get_string(object, "path", &path, what, error) ||
	    !proto_get_opt_string(arena, object, "mode", &ret->mode, what, error) ||
	    !proto_get_opt_string(arena, object, "content", &ret->content, what, error) ||
	    (!wanted && !proto_get_opt_string(arena, object, "digest", &ret->digest, what, error)) ||
	    !proto_get_opt_string(arena, object, "on_change", &on_change, what, error) ||
	    (wanted && !proto_get_opt_string(arena, object, "label", &ret->label, what, error)))
		return false;
	if (strlen(name) > LEAF_NAME_MAX_BYTES || strlen(path) > LEAF_PATH_MAX_BYTES)
		return pleach_error_invalid(error, "%s: name or path is too long", what);
	ret->name = arena_strdup(arena, name);
	ret->path = arena_strdup(arena, path);
	unsigned bits = 0;
	if (ret->mode && !leaf_mode_parse(ret->mode, &bits))
		return pleach_error_invalid(error, "mode of file \"%s\" is not four octal digits", ret->name);
	if (on_change && !parse_on_change(on_change, &ret->on_change))
		return pleach_error_invalid(error, "file \"%s\": its \"on_change\" is not known", ret->name);
	if (ret->digest && !leaf_is_digest(ret->digest))
		return pleach_error_invalid(error, "digest of file \"%s\" is not one of sha256", ret->name);
	return wanted || !ret->content || check_seen(ret, error);
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
	size_t seen = 0;
	for (size_t i = 0; i < n; i++) {
		if (!decode_file(arena, json_array_get(array, i), wanted, &files[i], error))
			return false;
		seen += !wanted && files[i].content ? strlen(files[i].content) : 0;
	}
	if (seen > LEAF_SEEN_ALL_MAX_BYTES)
		return pleach_error_invalid(error, "%s: what is told of its files is longer than %d bytes", what, LEAF_SEEN_ALL_MAX_BYTES);
	nf->files = files;
	nf->n_files = n;
	return true;
}

bool proto_decode_nf(struct arena *arena, const json_t *object, bool wanted, unsigned version, struct leaf_nf *nf, const char *what,
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
	return decode_command(arena, object, nf, what, error) && decode_files(arena, object, wanted, nf, what, error) &&
	       (version < PROTO_MANAGED_VERSION || proto_decode_managed(arena, object, wanted, nf, what, error));
}

const struct leaf_nf *leaf_nf_decode(struct arena *arena, const char *text, size_t length, GError **error)
{
	static const char *const known[] = { "version", "key", "incarnation", "state", "stateful", "command", "files", "package", "operations",
					     "health_check", "secrets" };
	enum { N_FIRST = 7 }; /* of them, in the first version */
	const char *what = "desired NF";
	unsigned version = 0;
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REQUEST_MAX_BYTES, what, error);
	if (!object)
		return NULL;
	if (!json_is_object(object)) {
		pleach_error_invalid(error, "%s is not an object", what);
		return NULL;
	}
	struct leaf_nf *nf = ARENA_NEW(arena, struct leaf_nf);
	if (!proto_get_version(object, &version, what, error))
		return NULL;
	size_t n_known = version < PROTO_MANAGED_VERSION ? N_FIRST : G_N_ELEMENTS(known);
	if (!proto_check_members(object, known, n_known, what, error) || !proto_decode_nf(arena, object, true, version, nf, what, error) ||
	    !leaf_nf_check(nf, error))
		return NULL;
	return nf;
}
