#include "daemon/config.h"

#include "base/file.h"

#include <string.h>

static bool is_option(const char *word)
{
	for (const char *c = word; *c; c++)
		if (!g_ascii_islower(*c) && !g_ascii_isdigit(*c) && (*c != '-' || c == word))
			return false;
	return *word && strcmp(word, "config") != 0;
}

/* NULL and no error: a line without anything. */
static char *option_of(char *line, const char *path, unsigned number, GError **error)
{
	char *word = g_strstrip(line);
	if (!*word || *word == '#')
		return NULL;
	size_t length = strcspn(word, " \t");
	const char *value = word + length + strspn(word + length, " \t");
	g_autofree char *name = g_strndup(word, length);
	if (!is_option(name)) {
		pleach_error_invalid(error, "%s:%u: \"%s\" is no option; a line is `option value`, as in `log-level info`", path, number,
				     name);
		return NULL;
	}
	return *value ? g_strdup_printf("--%s=%s", name, value) : g_strdup_printf("--%s", name);
}

char **config_read(const char *path, GError **error)
{
	size_t length;
	g_autofree char *text = file_read(path, CONFIG_MAX_BYTES, &length, error);
	if (!text)
		return NULL;
	if (strlen(text) != length || !g_utf8_validate(text, (gssize) length, NULL)) {
		pleach_error_invalid(error, "%s is not text in UTF-8", path);
		return NULL;
	}
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
	for (unsigned i = 0; lines[i]; i++) {
		g_autoptr(GError) fault = NULL;
		char *option = option_of(lines[i], path, i + 1, &fault);
		if (option)
			g_ptr_array_add(options, option);
		if (!fault && options->len > CONFIG_MAX_OPTIONS)
			pleach_error_invalid(&fault, "%s has more than %d options", path, CONFIG_MAX_OPTIONS);
		if (fault) {
			g_propagate_error(error, g_steal_pointer(&fault));
			return NULL;
		}
	}
	g_ptr_array_add(options, NULL);
	return (char **) g_ptr_array_steal(options, NULL);
}
