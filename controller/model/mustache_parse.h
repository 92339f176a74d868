/* A Mustache template cut into pieces: what mustache_check() and rendering share. */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum piece_type { PIECE_TEXT, PIECE_VARIABLE, PIECE_SECTION, PIECE_INVERTED, PIECE_END };

struct piece {
	enum piece_type type;
	const char *at; /* into the template: the text, or the tag's name */
	size_t length;
	unsigned line, column; /* of the tag, from 1 */
	guint end;             /* SECTION, INVERTED: index of their END */
};

/* Array of struct piece, or NULL with @error INVALID and the place of the fault. */
GArray *mustache_parse(const char *text, unsigned *ret_line, unsigned *ret_column, GError **error);
