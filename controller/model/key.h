/* Keys: the names of slots in the network. "vnfc/edge.web.vdu.0" is a kind, a slash, and segments joined by dots.
 *
 * A segment holds [A-Za-z0-9_-]; every other byte is percent-encoded ("%2E"), dots too. Order is memcmp. A key outlives the
 * instances that fill it: each of those has the key and an incarnation (from 1 on).
 */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEY_MAX = 512 };

/* @text percent-encoded as one segment. */
char *key_segment(struct arena *arena, const char *text);

/* The inverse: "a%2Eb" gives "a.b". */
char *key_segment_text(struct arena *arena, const char *segment);

/* key_make(arena, "vnfc", "edge", "web", "vdu", "0", NULL): encodes each segment. */
char *key_make(struct arena *arena, const char *kind, ...) G_GNUC_NULL_TERMINATED;

/* KIND/SEGMENT(.SEGMENT)*, KEY_MAX bytes at most. */
bool key_is_valid(const char *key);

/* SEGMENT(.SEGMENT)*: what follows a key's slash, and the paths of fields. */
bool key_path_is_valid(const char *path);

/* "vnfc" of "vnfc/edge.web.vdu.0"; not terminated: compare with key_is_kind(). */
bool key_is_kind(const char *key, const char *kind);

/* What follows the slash. */
const char *key_path(const char *key);

/* The first segment after the slash: the service that an object belongs to. Owned by the arena. */
char *key_service(struct arena *arena, const char *key);

/* The same path under another kind: key_of_kind(a, "nf/edge.fw.vdu.0", "vnfc") is "vnfc/edge.fw.vdu.0". */
char *key_of_kind(struct arena *arena, const char *key, const char *kind);

/* Does @key match @pattern? In patterns "*" stands for anything within a segment, "**" for any number of segments. A pattern
 * without a slash matches the path of any kind. */
bool key_matches(const char *key, const char *pattern);

/* The same for what follows the slash, and for paths of fields. */
bool key_path_matches(const char *path, const char *pattern);

/* Is @key among @keys, which are in memcmp order? */
bool keys_have(const char *const *keys, size_t n, const char *key);
