/* What changed in a text, line by line: a unified diff for people, bounded in length and in work. Pure; any thread. */
#pragma once

#include <glib.h>

enum {
	TEXT_DIFF_CONTEXT = 2,    /* unchanged lines around what changed */
	TEXT_DIFF_MAX_LINES = 60, /* shown */
	TEXT_DIFF_MAX_WIDTH = 160, /* characters of a line that are shown */
	TEXT_DIFF_MAX_CELLS = 1000 * 1000, /* changed lines there, times here, that are compared one by one; above: all replaced */
};

/* Lines "  same", "- gone", "+ new", "@@ line N" before each part, and the last says how many more there are. Empty where the texts are
 * equal. Owned by the caller (g_ptr_array_unref). */
GPtrArray *text_diff(const char *from, const char *to);
