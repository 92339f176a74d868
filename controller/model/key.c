#include "model/key.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static bool is_plain(char c)
{
	return g_ascii_isalnum(c) || c == '_' || c == '-';
}

static void append_segment(GString *out, const char *text)
{
	for (const char *at = text; *at; at++) {
		if (is_plain(*at))
			g_string_append_c(out, *at);
		else
			g_string_append_printf(out, "%%%02X", (unsigned char) *at);
	}
}

char *key_segment(struct arena *arena, const char *text)
{
	g_autoptr(GString) out = g_string_sized_new(64);
	append_segment(out, text);
	return arena_strndup(arena, out->str, out->len);
}

static int hex_value(char c)
{
	/* Lower case is refused: a name has one encoding only, else one slot would have two keys. */
	return g_ascii_isdigit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "%XX" at @at stands for, or -1 where that is no encoding that key_segment() would have made. */
static int encoded_byte(const char *at)
{
	int high = at[0] == '%' ? hex_value(at[1]) : -1;
	int low = high >= 0 ? hex_value(at[2]) : -1;
	if (low < 0)
		return -1;
	int byte = high << 4 | low;
	return byte == 0 || is_plain((char) byte) ? -1 : byte;
}

char *key_segment_text(struct arena *arena, const char *segment)
{
	char *text = arena_strdup(arena, segment), *to = text;
	for (const char *at = segment; *at; to++) {
		int byte = encoded_byte(at);
		*to = byte < 0 ? *at : (char) byte;
		at += byte < 0 ? 1 : 3;
	}
	*to = '\0';
	return text;
}

char *key_make(struct arena *arena, const char *kind, ...)
{
	g_autoptr(GString) out = g_string_sized_new(64);
	g_string_append(out, kind);
	va_list args;
	va_start(args, kind);
	char joint = '/';
	for (const char *segment; (segment = va_arg(args, const char *)); joint = '.') {
		g_string_append_c(out, joint);
		append_segment(out, segment);
	}
	va_end(args);
	return arena_strndup(arena, out->str, out->len);
}

/* Segments joined by dots, none of them empty. */
bool key_path_is_valid(const char *path)
{
	size_t in_segment = 0;
	const char *at = path;
	while (*at) {
		if (*at == '.') {
			if (!in_segment)
				return false;
			in_segment = 0;
			at++;
			continue;
		}
		if (!is_plain(*at) && encoded_byte(at) < 0)
			return false;
		at += *at == '%' ? 3 : 1;
		in_segment++;
	}
	return in_segment > 0;
}

bool key_is_valid(const char *key)
{
	if (!key || strnlen(key, KEY_MAX + 1) > KEY_MAX)
		return false;
	const char *slash = strchr(key, '/');
	if (!slash || slash == key)
		return false;
	for (const char *at = key; at < slash; at++)
		if (!g_ascii_islower(*at))
			return false;
	return key_path_is_valid(slash + 1);
}

bool key_is_kind(const char *key, const char *kind)
{
	size_t length = strlen(kind);
	return strncmp(key, kind, length) == 0 && key[length] == '/';
}

const char *key_path(const char *key)
{
	const char *slash = strchr(key, '/');
	return slash ? slash + 1 : key;
}

char *key_service(struct arena *arena, const char *key)
{
	const char *path = key_path(key);
	return arena_strndup(arena, path, strcspn(path, "."));
}

char *key_of_kind(struct arena *arena, const char *key, const char *kind)
{
	const char *path = key_path(key);
	size_t kind_length = strlen(kind), path_length = strlen(path);
	char *made = arena_alloc(arena, kind_length + 1 + path_length + 1);
	memcpy(made, kind, kind_length);
	made[kind_length] = '/';
	memcpy(made + kind_length + 1, path, path_length);
	return made;
}

/* --- patterns ------------------------------------------------------------------------------------------------------------ */

/* "*" within one segment. Going back to the last star only is enough, and keeps the time at length times length at worst. */
static bool segment_matches(const char *text, size_t n_text, const char *pattern, size_t n_pattern)
{
	size_t t = 0, p = 0, star = SIZE_MAX, star_text = 0;
	while (t < n_text) {
		if (p < n_pattern && pattern[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < n_pattern && pattern[p] == text[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++star_text;
		} else {
			return false;
		}
	}
	while (p < n_pattern && pattern[p] == '*')
		p++;
	return p == n_pattern;
}

/* What follows the segment at @at, or NULL after the last. */
static const char *next_segment(const char *at)
{
	const char *dot = strchr(at, '.');
	return dot ? dot + 1 : NULL;
}

static bool is_double_star(const char *at)
{
	return strcspn(at, ".") == 2 && at[0] == '*' && at[1] == '*';
}

/* The same way of going back, with segments in place of characters. */
bool key_path_matches(const char *path, const char *pattern)
{
	const char *t = *path ? path : NULL, *p = *pattern ? pattern : NULL, *star = NULL, *star_text = NULL;
	bool starred = false;
	while (t) {
		if (p && is_double_star(p)) {
			starred = true;
			star = next_segment(p);
			star_text = t;
			p = star;
		} else if (p && segment_matches(t, strcspn(t, "."), p, strcspn(p, "."))) {
			p = next_segment(p);
			t = next_segment(t);
		} else if (starred) {
			star_text = next_segment(star_text);
			t = star_text;
			p = star;
		} else {
			return false;
		}
	}
	while (p && is_double_star(p))
		p = next_segment(p);
	return !p;
}

bool key_matches(const char *key, const char *pattern)
{
	const char *path = key_path(key), *pattern_slash = strchr(pattern, '/');
	if (!pattern_slash)
		return key_path_matches(path, pattern);
	size_t kind_length = path > key ? (size_t) (path - key) - 1 : 0;
	return segment_matches(key, kind_length, pattern, (size_t) (pattern_slash - pattern)) &&
	       key_path_matches(path, pattern_slash + 1);
}

bool keys_have(const char *const *keys, size_t n, const char *key)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(keys[middle], key);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
