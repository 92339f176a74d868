/* JSON, strictly: what comes from outside is bounded and refused whole when it is wrong. Thin words over jansson. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_t, json_decref)

/* From now on what jansson frees is overwritten first: documents carry secrets to far sides. Before the first document, and before
 * there is a second thread. */
void json_wipe_freed(void);

/* Parses @length bytes: duplicate keys, trailing bytes, NUL in strings and documents larger than @max_bytes are refused (INVALID).
 * jansson bounds nesting itself (2,048 deep). */
json_t *json_parse(const char *text, size_t length, size_t max_bytes, const char *what, GError **error);

/* One document, keys sorted, so that the same value gives the same bytes. @indent 0: one line. Never NULL. */
char *json_text(const json_t *json, unsigned indent);

/* Typed access to a member of an object: false and INVALID ("WHAT: member \"pid\" is not an integer") when absent or of another
 * type. The _opt forms return the fallback when the member is absent or null. Strings stay owned by @object. */
bool json_get_string(const json_t *object, const char *name, const char **ret, const char *what, GError **error);
bool json_get_int(const json_t *object, const char *name, gint64 *ret, const char *what, GError **error);
bool json_get_bool(const json_t *object, const char *name, bool *ret, const char *what, GError **error);
bool json_get_array(const json_t *object, const char *name, json_t **ret, const char *what, GError **error);  /* borrowed */
bool json_get_object(const json_t *object, const char *name, json_t **ret, const char *what, GError **error); /* borrowed */
const char *json_opt_string(const json_t *object, const char *name, const char *fallback);
gint64 json_opt_int(const json_t *object, const char *name, gint64 fallback);
bool json_opt_bool(const json_t *object, const char *name, bool fallback);
