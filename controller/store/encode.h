/* Applied objects as bytes: small to write at every operation, quick to read by the ten thousand at start.
 *
 *     1 byte version; strings: count, then for each its length, its bytes and a NUL; then numbers only (little-endian base 128),
 *     with strings by their place in that list (0: none):
 *     site, incarnation, descriptor, origin, depends: count and strings, fields: count and for each path, revision, origin, value
 *
 * Read back, strings point into the bytes: nothing is copied twice. What is not of this form is refused, never trusted.
 */
#pragma once

#include "store/store.h"

/* @revisions: for each field the commit that asked for it. */
GByteArray *object_encode(const struct object *object, const char *const *revisions);

struct decoder; /* shared by the objects of one reading */

struct decoder *decoder_new(struct arena *arena);
void decoder_free(struct decoder *decoder);
AUTO_DEFINE(decoder, decoder_free)

/* NULL when the bytes are not of this form, or @key is of no kind. *@ret_revisions (may be NULL): one for each field. All in the
 * arena. */
const struct object *object_decode(struct decoder *decoder, const char *key, const void *bytes, size_t length,
				   const char *const **ret_revisions);
