/* What the files of model/ share among themselves. */
#pragma once

#include "base/error.h"
#include "base/origin.h"
#include "model/expr.h"
#include "model/value.h"

#define DIGEST_PREFIX "sha256:"

enum { DIGEST_HEX_SIZE = 65, NUMBER_TEXT_SIZE = 1200 };

void value_sha256(const char *text, char hex[DIGEST_HEX_SIZE]);

/* True and *@ret where @number is a whole number that a gint64 can hold. */
bool value_float_is_integer(double number, gint64 *ret);

/* Decimal without exponent, the fewest digits that read back as @number. */
void value_number_text(double number, char text[NUMBER_TEXT_SIZE]);

/* Scalars as text appended to @out; false where @value is a list, map, secret, digest or not known. */
bool value_append_scalar(const struct value *value, GString *out);

/* As value_from_json(), but says what is wrong: INVALID. */
const struct value *value_read(struct arena *arena, const json_t *json, const char *what, GError **error);

/* @value, where it is a list, sorted and without repeats. */
const struct value *value_as_set(struct arena *arena, const struct value *value);

/* strcmp() over elements of an array of strings, for qsort(). */
int string_order(const void *a, const void *b);

json_t *text_to_json(const char *text); /* what is not UTF-8 made so; NULL: null */
json_t *origin_to_json(struct origin origin); /* NULL where it is not set */
/* @json NULL: none. */
bool origin_from_json(struct arena *arena, const json_t *json, struct origin *ret, const char *what, GError **error);

/* The same operations over the same values: what makes two PENDING values equal. */
bool expr_equal(const struct expr *a, const struct expr *b);
void expr_hash(const struct expr *expr, GChecksum *sum);
const struct expr *expr_copy(struct arena *arena, const struct expr *expr);

/* Calls @each with every PENDING or UNKNOWN value that rendering comes upon, going on after each; false on a fault. */
bool mustache_uses(const char *name, const char *text, const struct value *scope,
		   void (*each)(const struct value *value, void *data), void *data, GError **error);
