#include "base/visible.h"

#include <glib.h>
#include <string.h>

char *visible(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	GString *out = g_string_sized_new(strlen(valid));
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (g_unichar_iscntrl(c) && c != '\n' && c != '\t')
			g_string_append_printf(out, "\\x%02x", c);
		else
			g_string_append_unichar(out, c);
	}
	return g_string_free(out, FALSE);
}

bool visible_is_plain(const char *text)
{
	for (const char *at = text; *at; at++)
		if ((guchar) *at < 0x20 || *at == 0x7f)
			return false;
	return g_utf8_validate(text, -1, NULL);
}
