#include "leafproto/leafproto.h"

#include <string.h>

/* Everything encoded has been checked to be UTF-8 (or is our own), so jansson's only refusal is out of memory, where GLib aborts
 * too. */
static void set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		g_error("cannot encode \"%s\" as JSON", name);
}

static void set_string(json_t *object, const char *name, const char *string)
{
	set(object, name, string ? json_string(string) : json_null());
}

static json_t *strings(const char *const *items, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(items[i]));
	return array;
}

static json_t *encode_common(const struct leaf_nf *nf)
{
	json_t *object = json_object();
	set_string(object, "key", nf->key);
	set(object, "incarnation", json_integer(nf->incarnation));
	set_string(object, "state", leaf_state_name(nf->state));
	set(object, "stateful", json_boolean(nf->stateful));
	set(object, "command", strings(nf->command, nf->n_command));
	return object;
}

static json_t *encode_file(const struct leaf_file *file, bool wanted)
{
	json_t *object = json_object();
	set_string(object, "name", file->name);
	set_string(object, "path", file->path);
	set_string(object, "mode", file->mode);
	if (wanted)
		set_string(object, "content", file->content);
	else
		set_string(object, "digest", file->digest);
	return object;
}

static json_t *encode_files(const struct leaf_nf *nf, bool wanted)
{
	json_t *array = json_array();
	for (size_t i = 0; i < nf->n_files; i++)
		json_array_append_new(array, encode_file(&nf->files[i], wanted));
	return array;
}

char *leaf_nf_encode(const struct leaf_nf *nf, size_t *ret_length, GError **error)
{
	if (!leaf_nf_check(nf, error))
		return NULL;
	g_autoptr(json_t) object = encode_common(nf);
	set(object, "version", json_integer(LEAF_PROTOCOL_VERSION));
	set(object, "files", encode_files(nf, true));
	g_autofree char *text = json_text(object, 0);
	size_t length = strlen(text);
	if (length > LEAF_REQUEST_MAX_BYTES) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "the NF's files are larger than %d bytes when encoded",
			    LEAF_REQUEST_MAX_BYTES);
		return NULL;
	}
	*ret_length = length;
	return g_steal_pointer(&text);
}

/* What a program printed may be any bytes; a reason is text. */
static json_t *encode_reason(const char *reason)
{
	if (!reason)
		return json_null();
	g_autofree char *valid = g_utf8_make_valid(reason, -1);
	size_t length = strlen(valid);
	if (length > LEAF_REASON_MAX_BYTES) {
		length = LEAF_REASON_MAX_BYTES;
		while (length > 0 && ((unsigned char) valid[length] & 0xc0) == 0x80)
			length--;
	}
	return json_stringn(valid, length);
}

char *leaf_status_encode(const struct leaf_status *status)
{
	g_autoptr(json_t) object = json_object();
	set(object, "version", json_integer(LEAF_PROTOCOL_VERSION));
	set_string(object, "leaf", status->version);
	set(object, "pid", json_integer(status->pid));
	set(object, "uptime_ms", json_integer(status->uptime_ms));
	if (status->nf) {
		json_t *nf = encode_common(status->nf);
		set(nf, "files", encode_files(status->nf, false));
		set(nf, "pid", json_integer(status->nf->pid));
		set(nf, "restarts", json_integer(status->nf->restarts));
		set(nf, "reason", encode_reason(status->nf->reason));
		set(object, "nf", nf);
	} else {
		set(object, "nf", json_null());
	}
	return json_text(object, 0);
}

char *leaf_refusal_encode(enum pleach_error code, const char *text)
{
	g_autoptr(json_t) object = json_object();
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	set_string(object, "error", pleach_error_name(code));
	set_string(object, "text", valid);
	return json_text(object, 0);
}
