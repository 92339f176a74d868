#include "model/mustache_parse.h"

#include "base/error.h"
#include "model/mustache.h"

#include <string.h>

struct parser {
	const char *text, *at;
	unsigned line, column; /* of @at */
	GArray *pieces;        /* of struct piece */
	guint open[MUSTACHE_DEPTH_MAX];
	guint n_open;
};

struct tag {
	const char *start, *end; /* of all of it, braces too */
	char sigil;              /* '#', '^', '/', '!', or 0: a variable */
	const char *name;
	size_t length;
	unsigned line, column;
};

/* Columns count characters, not bytes. */
static void go_to(struct parser *parser, const char *to)
{
	for (; parser->at < to; parser->at++) {
		if (*parser->at == '\n') {
			parser->line++;
			parser->column = 1;
		} else if ((*parser->at & 0xc0) != 0x80) {
			parser->column++;
		}
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the line begins, if nothing but blanks stands between there and the tag; else NULL. */
static const char *blank_before(const struct parser *parser, const char *tag)
{
	while (tag > parser->text && is_blank(tag[-1]))
		tag--;
	return tag == parser->text || tag[-1] == '\n' ? tag : NULL;
}

/* Where the next line begins, if nothing but blanks stands between the tag's end and there; else NULL. */
static const char *blank_after(const char *end)
{
	while (is_blank(*end))
		end++;
	if (!*end)
		return end;
	end += end[0] == '\r' && end[1] == '\n';
	return *end == '\n' ? end + 1 : NULL;
}

static void add_text(struct parser *parser, const char *from, const char *to)
{
	if (to <= from)
		return;
	struct piece piece = { .type = PIECE_TEXT, .at = from, .length = (size_t) (to - from), .line = parser->line,
			       .column = parser->column };
	g_array_append_val(parser->pieces, piece);
}

/* --- tags ---------------------------------------------------------------------------------------------------------------- */

static bool check_name(const struct tag *tag, GError **error)
{
	if (!tag->length)
		return pleach_error_invalid(error, "the tag has no name");
	if (tag->length == 1 && *tag->name == '.')
		return true;
	char last = '.';
	for (size_t i = 0; i < tag->length; last = tag->name[i++]) {
		if (g_ascii_isspace(tag->name[i]) || strchr("{}#^/!&>=<$", tag->name[i]))
			return pleach_error_invalid(error, "\"%.*s\" is not a name", (int) tag->length, tag->name);
		if (tag->name[i] == '.' && last == '.')
			break;
	}
	if (last == '.')
		return pleach_error_invalid(error, "\"%.*s\" has an empty part between its dots", (int) tag->length, tag->name);
	return true;
}

/* @tag->start is at "{{". */
static bool read_tag(struct tag *tag, GError **error)
{
	const char *at = tag->start + 2, *closing = "}}";
	if (*at == '{') {
		closing = "}}}";
		at++;
	} else if (*at && strchr("#^/!", *at)) {
		tag->sigil = *at++;
	} else if (*at == '&') {
		at++;
	} else if (*at == '>' || *at == '<' || *at == '$') {
		return pleach_error_invalid(error, "partials (\"{{%c\") are not part of Pleach's templates", *at);
	} else if (*at == '=') {
		return pleach_error_invalid(error, "changed delimiters (\"{{=\") are not part of Pleach's templates");
	}
	const char *end = strstr(at, closing);
	if (!end)
		return pleach_error_invalid(error, "the tag is not closed by \"%s\"", closing);
	tag->end = end + strlen(closing);
	while (at < end && g_ascii_isspace(*at))
		at++;
	while (end > at && g_ascii_isspace(end[-1]))
		end--;
	tag->name = at;
	tag->length = (size_t) (end - at);
	return tag->sigil == '!' || check_name(tag, error);
}

static bool open_section(struct parser *parser, const struct tag *tag, GError **error)
{
	if (parser->n_open == MUSTACHE_DEPTH_MAX)
		return pleach_error_invalid(error, "sections are nested more than %d deep", MUSTACHE_DEPTH_MAX);
	parser->open[parser->n_open++] = parser->pieces->len;
	enum piece_type type = tag->sigil == '#' ? PIECE_SECTION : PIECE_INVERTED;
	struct piece piece = { type, tag->name, tag->length, tag->line, tag->column, 0 };
	g_array_append_val(parser->pieces, piece);
	return true;
}

static bool close_section(struct parser *parser, const struct tag *tag, GError **error)
{
	if (!parser->n_open)
		return pleach_error_invalid(error, "section \"%.*s\" is closed, but was not opened", (int) tag->length, tag->name);
	struct piece *opened = &g_array_index(parser->pieces, struct piece, parser->open[--parser->n_open]);
	if (opened->length != tag->length || memcmp(opened->at, tag->name, tag->length) != 0)
		return pleach_error_invalid(error, "section \"%.*s\" is closed where \"%.*s\" (line %u) is open", (int) tag->length, tag->name,
			     (int) opened->length, opened->at, opened->line);
	opened->end = parser->pieces->len;
	struct piece piece = { PIECE_END, tag->name, tag->length, tag->line, tag->column, 0 };
	g_array_append_val(parser->pieces, piece);
	return true;
}

/* The text before the tag and the tag itself; goes on behind it. */
static bool take_tag(struct parser *parser, const char *start, GError **error)
{
	const char *text = parser->at;
	go_to(parser, start);
	struct tag tag = { .start = start, .line = parser->line, .column = parser->column };
	if (!read_tag(&tag, error))
		return false;
	const char *line = tag.sigil ? blank_before(parser, start) : NULL, *next = line ? blank_after(tag.end) : NULL;
	add_text(parser, text, next ? line : start);
	if (!tag.sigil) {
		struct piece piece = { PIECE_VARIABLE, tag.name, tag.length, tag.line, tag.column, 0 };
		g_array_append_val(parser->pieces, piece);
	} else if (tag.sigil == '/') {
		if (!close_section(parser, &tag, error))
			return false;
	} else if (tag.sigil != '!' && !open_section(parser, &tag, error)) {
		return false;
	}
	go_to(parser, next ? next : tag.end);
	return true;
}

GArray *mustache_parse(const char *text, unsigned *ret_line, unsigned *ret_column, GError **error)
{
	g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
	struct parser parser = { .text = text, .at = text, .line = 1, .column = 1, .pieces = pieces };
	bool good = true;
	for (const char *start; good && (start = strstr(parser.at, "{{"));)
		good = take_tag(&parser, start, error);
	if (good && parser.n_open) {
		const struct piece *opened = &g_array_index(pieces, struct piece, parser.open[parser.n_open - 1]);
		parser.line = opened->line;
		parser.column = opened->column;
		good = pleach_error_invalid(error, "section \"%.*s\" is not closed", (int) opened->length, opened->at);
	}
	*ret_line = parser.line;
	*ret_column = parser.column;
	if (!good)
		return NULL;
	add_text(&parser, parser.at, parser.at + strlen(parser.at));
	return g_steal_pointer(&pieces);
}
