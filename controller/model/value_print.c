#include "model/private.h"

#include <math.h>
#include <string.h>

enum { DIGEST_SHOWN = 8 };

void value_sha256(const char *text, char hex[DIGEST_HEX_SIZE])
{
	g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	g_strlcpy(hex, sum, DIGEST_HEX_SIZE);
}

void value_number_text(double number, char text[NUMBER_TEXT_SIZE])
{
	if (!isfinite(number)) {
		g_strlcpy(text, isnan(number) ? "nan" : number < 0 ? "-inf" : "inf", NUMBER_TEXT_SIZE);
		return;
	}
	/* g_ascii_formatd: a decimal point in every locale. */
	for (int digits = 15; digits <= 17; digits++) {
		char format[8];
		g_snprintf(format, sizeof(format), "%%.%dg", digits);
		g_ascii_formatd(text, NUMBER_TEXT_SIZE, format, number);
		if (g_ascii_strtod(text, NULL) == number)
			break;
	}
	char *exponent = strchr(text, 'e');
	if (!exponent)
		return;
	/* As many places as the digits before the exponent need. */
	char *point = strchr(text, '.');
	int places = exponent[1] == '-' ? atoi(exponent + 2) + (point ? (int) (exponent - point) - 1 : 0) : 0;
	char format[16];
	g_snprintf(format, sizeof(format), "%%.%df", places);
	g_ascii_formatd(text, NUMBER_TEXT_SIZE, format, number);
}

bool value_append_scalar(const struct value *value, GString *out)
{
	char text[NUMBER_TEXT_SIZE];
	switch (value->type) {
	case VALUE_NULL:
		return true;
	case VALUE_BOOL:
		g_string_append(out, value->boolean ? "true" : "false");
		return true;
	case VALUE_INTEGER:
		g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
		return true;
	case VALUE_FLOAT:
		value_number_text(value->number, text);
		g_string_append(out, text);
		return true;
	case VALUE_STRING:
		g_string_append(out, value->string);
		return true;
	case VALUE_ABSENT:
	case VALUE_UNKNOWN:
	case VALUE_PENDING:
	case VALUE_DIGEST:
	case VALUE_SECRET:
	case VALUE_LIST:
	case VALUE_MAP:
		return false;
	}
	g_assert_not_reached();
}

/* --- strings ------------------------------------------------------------------------------------------------------------- */

/* Would a person take the bare text for something else than this string? */
static bool is_ambiguous(const char *string)
{
	static const char *const words[] = { "none", "unknown", "null", "true", "false", "nan", "inf", "-inf" };
	static const char *const prefixes[] = { "secret:", DIGEST_PREFIX, "known after ", "text of " };
	if (!*string || g_ascii_isspace(*string) || g_ascii_isspace(string[strlen(string) - 1]))
		return true;
	if (strpbrk(string, "\"\\,[]{}") || strstr(string, ": "))
		return true;
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (strcmp(string, words[i]) == 0)
			return true;
	for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
		if (g_str_has_prefix(string, prefixes[i]))
			return true;
	char *end;
	g_ascii_strtod(string, &end);
	return !*end;
}

static bool has_control(const char *string)
{
	for (const char *at = string; *at; at++)
		if (g_ascii_iscntrl(*at))
			return true;
	return false;
}

static void print_quoted(const char *string, GString *out)
{
	g_string_append_c(out, '"');
	for (const char *at = string; *at; at++) {
		if (*at == '"' || *at == '\\')
			g_string_append_printf(out, "\\%c", *at);
		else if (*at == '\t')
			g_string_append(out, "\\t");
		else if (g_ascii_iscntrl(*at))
			g_string_append_printf(out, "\\x%02x", (unsigned char) *at);
		else
			g_string_append_c(out, *at);
	}
	g_string_append_c(out, '"');
}

static void print_text(const char *string, GString *out)
{
	size_t lines = 0;
	const char *at = string;
	for (; *at; lines++)
		at += strcspn(at, "\n") + (strchr(at, '\n') ? 1 : 0);
	char hex[DIGEST_HEX_SIZE];
	value_sha256(string, hex);
	g_string_append_printf(out, "text of %zu line%s, " DIGEST_PREFIX "%.*s…", lines, lines == 1 ? "" : "s", DIGEST_SHOWN,
			       hex);
}

static void print_string(const char *string, GString *out)
{
	if (strchr(string, '\n')) {
		print_text(string, out);
		return;
	}
	/* What drivers hand over may be anything; what we print is UTF-8. */
	g_autofree char *valid = g_utf8_validate(string, -1, NULL) ? NULL : g_utf8_make_valid(string, -1);
	const char *shown = valid ? valid : string;
	if (is_ambiguous(shown) || has_control(shown))
		print_quoted(shown, out);
	else
		g_string_append(out, shown);
}

/* --- the rest ------------------------------------------------------------------------------------------------------------ */

static const struct value *nothing_is_there(const char *key, const char *path, void *data)
{
	return &value_absent;
}

static void append_key(const char *key, void *data)
{
	GString *keys = data;
	if (keys->len)
		g_string_append(keys, ", ");
	g_string_append(keys, key);
}

static void print_pending(const struct expr *expr, GString *out)
{
	g_autoptr(GString) keys = g_string_new(NULL);
	expr_waits_for(expr, nothing_is_there, NULL, append_key, keys);
	if (keys->len)
		g_string_append_printf(out, "known after %s", keys->str);
	else
		expr_print(expr, out);
}

static void print_list(const struct value *value, GString *out)
{
	g_string_append_c(out, '[');
	for (size_t i = 0; i < value->list.n; i++) {
		g_string_append(out, i ? ", " : "");
		value_print(value->list.items[i], out);
	}
	g_string_append_c(out, ']');
}

static void print_map(const struct value *value, GString *out)
{
	g_string_append_c(out, '{');
	for (size_t i = 0; i < value->map.n; i++) {
		g_string_append(out, i ? ", " : "");
		print_string(value->map.keys[i], out);
		g_string_append(out, ": ");
		value_print(value->map.items[i], out);
	}
	g_string_append_c(out, '}');
}

void value_print(const struct value *value, GString *out)
{
	switch (value->type) {
	case VALUE_ABSENT:
		g_string_append(out, "none");
		return;
	case VALUE_UNKNOWN:
		g_string_append(out, "unknown");
		return;
	case VALUE_PENDING:
		print_pending(value->expr, out);
		return;
	case VALUE_NULL:
		g_string_append(out, "null");
		return;
	case VALUE_BOOL:
	case VALUE_INTEGER:
	case VALUE_FLOAT:
		value_append_scalar(value, out);
		return;
	case VALUE_STRING:
		print_string(value->string, out);
		return;
	case VALUE_DIGEST:
		g_string_append_printf(out, "%.*s…", (int) strlen(DIGEST_PREFIX) + DIGEST_SHOWN, value->string);
		return;
	case VALUE_SECRET:
		g_string_append_printf(out, "secret:%s", value->string);
		return;
	case VALUE_LIST:
		print_list(value, out);
		return;
	case VALUE_MAP:
		print_map(value, out);
		return;
	}
	g_assert_not_reached();
}

char *value_text(struct arena *arena, const struct value *value)
{
	g_autoptr(GString) out = g_string_new(NULL);
	value_print(value, out);
	return arena_strndup(arena, out->str, out->len);
}
