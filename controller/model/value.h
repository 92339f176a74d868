/* Values of fields: immutable, owned by an arena, compared and printed the same way everywhere.
 *
 * Besides what is known there are: ABSENT (no such field), UNKNOWN (a driver could not look: nothing is planned on it), PENDING
 * (an expression over what is known only at run time), DIGEST (a text of which only the digest is known: it equals every string
 * that has it), SECRET (the name of a secret, never its value).
 */
#pragma once

#include "base/arena.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct expr;

/* Lists and maps within one another, in what is read from outside. */
enum { VALUE_DEPTH_MAX = 32 };

enum value_type {
	VALUE_ABSENT,
	VALUE_UNKNOWN,
	VALUE_PENDING,
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INTEGER,
	VALUE_FLOAT,
	VALUE_STRING,
	VALUE_DIGEST,
	VALUE_SECRET,
	VALUE_LIST,
	VALUE_MAP,
};

struct value {
	enum value_type type;
	union {
		bool boolean;
		gint64 integer;
		double number;
		const char *string; /* STRING: UTF-8, may hold newlines; DIGEST: "sha256:HEX"; SECRET: "NAME" or "NAME#KEY" */
		const struct expr *expr;
		struct {
			const struct value *const *items;
			size_t n;
		} list;
		struct {
			const char *const *keys; /* in memcmp order, unique */
			const struct value *const *items;
			size_t n;
		} map;
	};
};

/* The four that need no arena. */
extern const struct value value_absent, value_unknown, value_null;

const struct value *value_bool(bool boolean);
const struct value *value_integer(struct arena *arena, gint64 integer);
const struct value *value_float(struct arena *arena, double number);
const struct value *value_string(struct arena *arena, const char *string); /* copied; NULL gives value_absent */
const struct value *value_digest(struct arena *arena, const char *sha256_hex);
const struct value *value_secret(struct arena *arena, const char *name, const char *key_or_null);
const struct value *value_pending(struct arena *arena, const struct expr *expr); /* @expr of the same or an adopted arena */
const struct value *value_list(struct arena *arena, const struct value *const *items, size_t n); /* the array is copied */
const struct value *value_string_list(struct arena *arena, const char *const *strings, size_t n);
/* Sorts; of equal keys the last one counts. */
const struct value *value_map(struct arena *arena, const char *const *keys, const struct value *const *items, size_t n);

/* Deep copy into another arena. */
const struct value *value_copy(struct arena *arena, const struct value *value);

bool value_is_known(const struct value *value); /* neither ABSENT, UNKNOWN nor PENDING, at any depth */

/* Equality by meaning: INTEGER 1 equals FLOAT 1.0; a DIGEST equals a STRING with that digest; a PENDING equals only the same
 * expression text; UNKNOWN equals nothing, not even itself. */
bool value_equal(const struct value *a, const struct value *b);

/* Total order for sorting sets: by type, then by content. */
int value_compare(const struct value *a, const struct value *b);

const struct value *value_map_get(const struct value *map, const char *key); /* value_absent when there is none */

/* One line for people: strings bare where unambiguous, else quoted; "[a, b]"; "{k: v}"; "secret:NAME"; "sha256:1a2b3c4d…";
 * "known after KEY"; "unknown"; "none". A string with newlines prints as "text of 12 lines, sha256:1a2b3c4d…". */
void value_print(const struct value *value, GString *out);
char *value_text(struct arena *arena, const struct value *value);

/* Exact form for the wire and the store. Known values map to plain JSON; the others to {"$absent": true}, {"$unknown": true},
 * {"$pending": "TEXT"}, {"$digest": "sha256:…"}, {"$secret": "NAME"}. Reading gives PENDING as UNKNOWN, and UNKNOWN for what
 * is no value (another tag, nested deeper than VALUE_DEPTH_MAX). A string that is not UTF-8 is {"$bytes": "BASE64"}; a map's own
 * key that begins with "$" gets a second one. */
json_t *value_to_json(const struct value *value);
const struct value *value_from_json(struct arena *arena, const json_t *json);

/* Feeds a canonical byte form of @value into @sum: equal values feed equal bytes. */
void value_hash(const struct value *value, GChecksum *sum);
