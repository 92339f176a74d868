#include "tosca/yaml.h"

#include <string.h>

/* A rough reading of YAML's surface: enough to tell brackets of flow collections from those in comments, quoted scalars, plain
 * scalars and blocks. Where it is mistaken, the depth of events is the second fence. */
struct scan {
	const char *at, *end, *line_start;
	unsigned line, depth, max, limit;
	unsigned limit_line, limit_column;
	bool token_start; /* a token may begin here */
};

static void next_line(struct scan *scan)
{
	scan->line++;
	scan->line_start = scan->at;
}

static unsigned indent_of(const char *at, const char *end)
{
	unsigned n = 0;
	while (at < end && *at == ' ')
		at++, n++;
	return n;
}

static void skip_to_eol(struct scan *scan)
{
	const char *eol = memchr(scan->at, '\n', (size_t) (scan->end - scan->at));
	scan->at = eol ? eol : scan->end;
}

static void skip_quoted(struct scan *scan, char quote)
{
	for (scan->at++; scan->at < scan->end; scan->at++) {
		if (*scan->at == '\n') {
			scan->at++;
			next_line(scan);
			scan->at--;
		} else if (quote == '"' && *scan->at == '\\' && scan->at + 1 < scan->end) {
			if (scan->at[1] != '\n')
				scan->at++;
		} else if (*scan->at == quote) {
			if (quote == '\'' && scan->at + 1 < scan->end && scan->at[1] == '\'') {
				scan->at++;
				continue;
			}
			scan->at++;
			return;
		}
	}
}

/* The lines after "key: |" that are indented deeper than the line of the key. */
static void skip_block(struct scan *scan)
{
	unsigned parent = indent_of(scan->line_start, scan->end);
	skip_to_eol(scan);
	while (scan->at < scan->end) {
		const char *line = scan->at + 1;
		unsigned indent = indent_of(line, scan->end);
		bool blank = line + indent >= scan->end || line[indent] == '\n' || line[indent] == '\r';
		if (!blank && indent <= parent)
			return;
		scan->at = line;
		next_line(scan);
		skip_to_eol(scan);
	}
}

static void open_bracket(struct scan *scan)
{
	scan->depth++;
	if (scan->depth > scan->max)
		scan->max = scan->depth;
	if (scan->depth == scan->limit + 1 && !scan->limit_line) {
		scan->limit_line = scan->line;
		scan->limit_column = (unsigned) (scan->at - scan->line_start) + 1;
	}
}

/* One character that is no quote, comment, block or end of line. */
static void plain_char(struct scan *scan, char c)
{
	bool follows_space = scan->at + 1 >= scan->end || strchr(" \t\r\n", scan->at[1]);
	if ((c == '[' || c == '{') && (scan->depth || scan->token_start)) {
		open_bracket(scan);
		scan->token_start = true;
	} else if ((c == ']' || c == '}') && scan->depth) {
		scan->depth--;
		scan->token_start = false;
	} else if ((c == ',' && scan->depth) || ((c == ':' || c == '-' || c == '?') && (follows_space || scan->depth))) {
		scan->token_start = true;
	} else if (c == '&' || c == '!' || c == '*') {
		while (scan->token_start && scan->at + 1 < scan->end && !strchr(" \t\r\n,[]{}", scan->at[1]))
			scan->at++;
	} else if (c != ' ' && c != '\t' && c != '\r') {
		scan->token_start = false;
	}
	scan->at++;
}

unsigned yaml_flow_depth(const char *text, size_t length, unsigned limit, unsigned *ret_line, unsigned *ret_column)
{
	struct scan scan = { .at = text, .end = text + length, .line_start = text, .line = 1, .limit = limit,
			    .token_start = true };
	while (scan.at < scan.end) {
		char c = *scan.at;
		bool after_space = scan.at == scan.line_start || scan.at[-1] == ' ' || scan.at[-1] == '\t';
		if (c == '\n') {
			scan.at++;
			next_line(&scan);
			scan.token_start = true;
		} else if (c == '#' && after_space) {
			skip_to_eol(&scan);
		} else if ((c == '"' || c == '\'') && scan.token_start) {
			skip_quoted(&scan, c);
			scan.token_start = false;
		} else if ((c == '|' || c == '>') && scan.token_start && !scan.depth) {
			skip_block(&scan);
		} else {
			plain_char(&scan, c);
		}
	}
	*ret_line = scan.limit_line;
	*ret_column = scan.limit_column;
	return scan.max;
}
