#include "tosca/internal.h"

#include <math.h>
#include <string.h>

static const char *const base_names[] = {
	[BASE_ANY] = "any",
	[BASE_STRING] = "string",
	[BASE_INTEGER] = "integer",
	[BASE_FLOAT] = "float",
	[BASE_BOOLEAN] = "boolean",
	[BASE_TIMESTAMP] = "timestamp",
	[BASE_VERSION] = "version",
	[BASE_NULL] = "null",
	[BASE_RANGE] = "range",
	[BASE_LIST] = "list",
	[BASE_MAP] = "map",
	[BASE_SIZE] = "scalar-unit.size",
	[BASE_TIME] = "scalar-unit.time",
	[BASE_FREQUENCY] = "scalar-unit.frequency",
	[BASE_BITRATE] = "scalar-unit.bitrate",
	[BASE_DATA] = NULL,
};

const char *base_name(enum base base)
{
	return base_names[base] ? base_names[base] : "data type";
}

bool base_parse(const char *name, enum base *ret)
{
	for (size_t i = BASE_STRING; i < BASE_DATA; i++)
		if (!strcmp(base_names[i], name)) {
			*ret = (enum base) i;
			return true;
		}
	return false;
}

struct unit_row {
	const char *name;
	double factor;
	bool exact; /* upper and lower case differ in meaning */
};

static const struct unit_row sizes[] = {
	{ "B", 1, false }, { "kB", 1e3, false }, { "KiB", 1024, false }, { "MB", 1e6, false }, { "MiB", 1048576, false },
	{ "GB", 1e9, false }, { "GiB", 1073741824, false }, { "TB", 1e12, false }, { "TiB", 1099511627776, false },
		{ NULL, 0, false },
};

static const struct unit_row times[] = {
	{ "d", 86400, false }, { "h", 3600, false }, { "m", 60, false }, { "s", 1, false }, { "ms", 1e-3, false },
		{ "us", 1e-6, false },
	{ "ns", 1e-9, false }, { NULL, 0, false },
};

static const struct unit_row frequencies[] = {
	{ "Hz", 1, false }, { "kHz", 1e3, false }, { "MHz", 1e6, false }, { "GHz", 1e9, false }, { NULL, 0, false },
};

static const struct unit_row bitrates[] = {
	{ "bps", 1, true }, { "Kbps", 1e3, true }, { "kbps", 1e3, true }, { "Kibps", 1024, true }, { "Mbps", 1e6, true },
	{ "Mibps", 1048576, true }, { "Gbps", 1e9, true }, { "Gibps", 1073741824, true }, { "Tbps", 1e12, true },
	{ "Tibps", 1099511627776, true }, { "Bps", 8, true }, { "KBps", 8e3, true }, { "KiBps", 8192, true },
		{ "MBps", 8e6, true },
	{ "MiBps", 8388608, true }, { "GBps", 8e9, true }, { "GiBps", 8589934592, true }, { "TBps", 8e12, true },
	{ "TiBps", 8796093022208, true }, { NULL, 0, false },
};

static const struct unit_row *unit_find(const struct unit_row *rows, const char *name)
{
	for (const struct unit_row *row = rows; row->name; row++)
		if (!strcmp(row->name, name))
			return row;
	for (const struct unit_row *row = rows; row->name; row++)
		if (!row->exact && !g_ascii_strcasecmp(row->name, name))
			return row;
	return NULL;
}

static const char *units_text(struct arena *arena, const struct unit_row *rows, const char *problem)
{
	g_autoptr(GString) text = g_string_new(problem);
	for (const struct unit_row *row = rows; row->name; row++)
		g_string_append_printf(text, "%s%s", row == rows ? " " : ", ", row->name);
	return arena_strdup(arena, text->str);
}

/* Digits, point, exponent: what JSON and YAML call a number, in decimal. Returns its length, 0 for none. */
static size_t number_length(const char *text)
{
	const char *at = text;
	if (*at == '+' || *at == '-')
		at++;
	size_t digits = strspn(at, "0123456789");
	at += digits;
	if (*at == '.') {
		size_t fraction = strspn(at + 1, "0123456789");
		digits += fraction;
		at += 1 + fraction;
	}
	if (!digits)
		return 0;
	if (*at == 'e' || *at == 'E') {
		const char *exponent = at + 1;
		if (*exponent == '+' || *exponent == '-')
			exponent++;
		size_t n = strspn(exponent, "0123456789");
		if (n)
			at = exponent + n;
	}
	return (size_t) (at - text);
}

static const char *parse_float(const char *text, double *ret)
{
	size_t length = number_length(text);
	if (!length || text[length])
		return "is not a number";
	*ret = g_ascii_strtod(text, NULL);
	return isfinite(*ret) ? NULL : "is too large a number";
}

static const char *parse_integer(const char *text, gint64 *ret)
{
	const char *digits = text + (*text == '+' || *text == '-');
	guint base = 10;
	if (g_str_has_prefix(digits, "0x"))
		base = 16, digits += 2;
	else if (g_str_has_prefix(digits, "0o"))
		base = 8, digits += 2;
	const char *allowed = base == 16 ? "0123456789abcdefABCDEF" : base == 8 ? "01234567" : "0123456789";
	if (!*digits || digits[strspn(digits, allowed)])
		return "is not an integer";
	g_autofree char *plain = g_strconcat(*text == '-' ? "-" : "", digits, NULL);
	return g_ascii_string_to_signed(plain, base, G_MININT64, G_MAXINT64, ret, NULL) ? NULL : "is too large an integer";
}

static const char *parse_boolean(const char *text, bool *ret)
{
	static const char *const words[] = { "true", "True", "TRUE", "false", "False", "FALSE" };
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(text, words[i])) {
			*ret = i < 3;
			return NULL;
		}
	return "is not a boolean: write true or false";
}

static const char *parse_scalar_unit(struct arena *arena, const struct unit_row *rows, const char *text, double *ret)
{
	size_t length = number_length(text);
	if (!length)
		return units_text(arena, rows, "is not a number with a unit:");
	g_autofree char *number = g_strndup(text, length);
	const char *problem = parse_float(number, ret);
	if (problem)
		return problem;
	const char *unit = text + length + strspn(text + length, " \t");
	if (!*unit)
		return units_text(arena, rows, "has no unit:");
	const struct unit_row *row = unit_find(rows, unit);
	if (!row)
		return units_text(arena, rows, "has an unknown unit; there are");
	*ret *= row->factor;
	return isfinite(*ret) ? NULL : "is too large";
}

/* Sizes and bit rates: whole bytes and bits. */
static const char *parse_whole_unit(struct arena *arena, const struct unit_row *rows, const char *text, gint64 *ret)
{
	double number;
	const char *problem = parse_scalar_unit(arena, rows, text, &number);
	if (problem)
		return problem;
	number = round(number);
	if (number >= 9223372036854775807.0 || number <= -9223372036854775808.0)
		return "is too large";
	*ret = (gint64) number;
	return NULL;
}

static bool digits_at(const char **at, size_t least, size_t most)
{
	size_t n = strspn(*at, "0123456789");
	if (n < least || n > most)
		return false;
	*at += n;
	return true;
}

/* YAML's timestamp: a date; or date, time, and a zone or none. */
static bool is_timestamp(const char *at)
{
	if (!digits_at(&at, 4, 4) || *at++ != '-' || !digits_at(&at, 1, 2) || *at++ != '-' || !digits_at(&at, 1, 2))
		return false;
	if (!*at)
		return true;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return false;
	at += strspn(at, "Tt ");
	if (!digits_at(&at, 1, 2) || *at++ != ':' || !digits_at(&at, 2, 2) || *at++ != ':' || !digits_at(&at, 2, 2))
		return false;
	if (*at == '.') {
		at++;
		at += strspn(at, "0123456789");
	}
	at += strspn(at, " ");
	if (!*at || !strcmp(at, "Z") || !strcmp(at, "z"))
		return true;
	if (*at != '+' && *at != '-')
		return false;
	at++;
	return digits_at(&at, 1, 2) && (!*at || (*at++ == ':' && digits_at(&at, 2, 2) && !*at));
}

/* MAJOR.MINOR[.FIX[.QUALIFIER[-BUILD]]] */
static bool is_version(const char *at)
{
	if (!digits_at(&at, 1, 18) || *at++ != '.' || !digits_at(&at, 1, 18))
		return false;
	if (!*at)
		return true;
	if (*at++ != '.' || !digits_at(&at, 1, 18))
		return false;
	if (!*at)
		return true;
	if (*at++ != '.')
		return false;
	size_t qualifier = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	at += qualifier;
	if (!qualifier || !*at)
		return qualifier > 0;
	return *at++ == '-' && digits_at(&at, 1, 18) && !*at;
}

static const char *parse_text(const char *text, struct tvalue *ret, const char *problem)
{
	ret->type = TV_STRING;
	ret->string = text;
	return problem;
}

const char *scalar_parse(struct arena *arena, enum base base, const char *text, struct tvalue *ret)
{
	switch (base) {
	case BASE_STRING:
		return parse_text(text, ret, NULL);
	case BASE_INTEGER:
		ret->type = TV_INTEGER;
		return parse_integer(text, &ret->integer);
	case BASE_FLOAT:
		ret->type = TV_FLOAT;
		return parse_float(text, &ret->number);
	case BASE_BOOLEAN:
		ret->type = TV_BOOL;
		return parse_boolean(text, &ret->boolean);
	case BASE_TIMESTAMP:
		return parse_text(text, ret, is_timestamp(text) ? NULL : "is not a timestamp: write 2026-11-20T12:00:00Z");
	case BASE_VERSION:
		return parse_text(text, ret, is_version(text) ? NULL : "is not a version: write MAJOR.MINOR, MAJOR.MINOR.FIX");
	case BASE_SIZE:
		ret->type = TV_INTEGER;
		return parse_whole_unit(arena, sizes, text, &ret->integer);
	case BASE_BITRATE:
		ret->type = TV_INTEGER;
		return parse_whole_unit(arena, bitrates, text, &ret->integer);
	case BASE_TIME:
		ret->type = TV_FLOAT;
		return parse_scalar_unit(arena, times, text, &ret->number);
	case BASE_FREQUENCY:
		ret->type = TV_FLOAT;
		return parse_scalar_unit(arena, frequencies, text, &ret->number);
	case BASE_NULL:
		return "is not null";
	case BASE_RANGE:
		return "is not a range: write [ LOW, HIGH ]";
	case BASE_LIST:
		return "is not a list";
	case BASE_MAP:
		return "is not a map";
	case BASE_DATA:
		return "is not a map of properties";
	case BASE_ANY:
		scalar_guess(text, ret);
		return NULL;
	}
	g_assert_not_reached();
}

void scalar_guess(const char *text, struct tvalue *ret)
{
	ret->type = TV_INTEGER;
	if (!parse_integer(text, &ret->integer))
		return;
	ret->type = TV_FLOAT;
	if (!parse_float(text, &ret->number))
		return;
	ret->type = TV_BOOL;
	if (!parse_boolean(text, &ret->boolean))
		return;
	ret->type = TV_STRING;
	ret->string = text;
}
