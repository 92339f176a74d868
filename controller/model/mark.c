#include "model/mark.h"

#include <string.h>

#define SECRET_PREFIX "secret:"

bool mark_is_in(const char *text)
{
	return strstr(text, MARK_BEGIN) || strstr(text, MARK_END);
}

void mark_append(GString *out, const char *secret)
{
	g_string_append_printf(out, MARK_BEGIN SECRET_PREFIX "%s" MARK_END, secret);
}

/* The next mark at or after @text: *@ret_end is what follows it, *@ret_name the secret's name, owned by the caller. */
static const char *next_mark(const char *text, const char **ret_end, char **ret_name)
{
	static const char begin[] = MARK_BEGIN SECRET_PREFIX;
	const char *at = strstr(text, begin), *end = at ? strstr(at, MARK_END) : NULL;
	if (!end)
		return NULL;
	const char *name = at + strlen(begin);
	*ret_name = g_strndup(name, (gsize) (end - name));
	*ret_end = end + strlen(MARK_END);
	return at;
}

void mark_each(const char *text, void (*each)(const char *secret, void *data), void *data)
{
	char *name;
	while (next_mark(text, &text, &name)) {
		each(name, data);
		g_free(name);
	}
}

struct filling {
	char *text; /* NULL: only measured */
	size_t length;
};

static void fill(struct filling *filling, const char *from, size_t length)
{
	if (filling->text)
		memcpy(filling->text + filling->length, from, length);
	filling->length += length;
}

static bool fill_all(struct filling *filling, const char *text, const char *(*value)(const char *secret, void *data, GError **error),
		     void *data, GError **error)
{
	const char *mark, *end;
	char *name;
	while ((mark = next_mark(text, &end, &name)) != NULL) {
		const char *filled = value(name, data, error);
		g_free(name);
		if (!filled)
			return false;
		fill(filling, text, (size_t) (mark - text));
		fill(filling, filled, strlen(filled));
		text = end;
	}
	fill(filling, text, strlen(text) + 1);
	return true;
}

/* Measured first: a text that grows leaves copies of the secret behind where it was. */
char *mark_fill(const char *text, size_t max_bytes, const char *(*value)(const char *secret, void *data, GError **error), void *data,
		GError **error)
{
	struct filling filling = { NULL, 0 };
	if (!fill_all(&filling, text, value, data, error))
		return NULL;
	if (filling.length - 1 > max_bytes) {
		pleach_error_invalid(error, "with its secrets the text is larger than %zu bytes", max_bytes);
		return NULL;
	}
	filling.text = g_malloc(filling.length);
	filling.length = 0;
	if (fill_all(&filling, text, value, data, error))
		return filling.text;
	explicit_bzero(filling.text, filling.length);
	g_free(filling.text);
	return NULL;
}

void mark_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}
