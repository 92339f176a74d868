/* Marks: where a secret goes in a rendered text. U+E000 "secret:NAME" or "secret:NAME#KEY" U+E001.
 *
 * Desired objects, plans and the store hold texts with marks, reports show them as «secret:NAME»; only the nf kind's act fills them
 * in, just before the EMS driver is called. A text from outside that has these characters is refused, so a mark is always one of ours.
 * Pure; any thread.
 */
#pragma once

#include "base/error.h"

#define MARK_BEGIN "\xee\x80\x80"
#define MARK_END "\xee\x80\x81"

/* Has @text one of the two characters? */
bool mark_is_in(const char *text);

void mark_append(GString *out, const char *secret);

/* Calls @each with every secret that @text needs, in their order, as often as it needs them. */
void mark_each(const char *text, void (*each)(const char *secret, void *data), void *data);

/* @text with the value of each secret in its place: what @value returns, which stays its own. NULL and its error where it returns NULL,
 * INVALID where the text would be longer than @max_bytes. Owned by the caller, who clears it (mark_free()). */
char *mark_fill(const char *text, size_t max_bytes, const char *(*value)(const char *secret, void *data, GError **error), void *data,
		GError **error);

/* Overwrites @text before it frees it; NULL is nothing. */
void mark_free(char *text);
