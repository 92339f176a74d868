#include "daemon/secrets.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

#include <string.h>

enum { SECRET_MAX_BYTES = 64 * 1024 };

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	g_free(text);
}

static char *entry_of_json(const char *text, const char *key)
{
	g_autoptr(json_t) json = json_parse(text, strlen(text), SECRET_MAX_BYTES, "secret", NULL);
	return json_is_object(json) ? g_strdup(json_opt_string(json, key, NULL)) : NULL;
}

static char *entry_of_lines(const char *text, const char *key)
{
	size_t length = strlen(key);
	for (const char *line = text; *line;) {
		size_t end = strcspn(line, "\n");
		if (end > length && strncmp(line, key, length) == 0 && line[length] == '=') {
			char *value = g_strndup(line + length + 1, end - length - 1);
			return g_strchomp(value);
		}
		line += end + (line[end] == '\n');
	}
	return NULL;
}

/* NULL where @text has none of that name. */
static char *entry_of(const char *text, const char *key)
{
	return text[strspn(text, " \t\r\n")] == '{' ? entry_of_json(text, key) : entry_of_lines(text, key);
}

static char *read_whole(const char *folder, const char *name, GError **error)
{
	g_autofree char *variable = g_strconcat("PLEACH_SECRET_", name, NULL);
	for (char *at = variable; *at; at++)
		*at = (*at == '.' || *at == '-') ? '_' : g_ascii_toupper(*at);
	const char *from_environment = g_getenv(variable);
	if (from_environment)
		return g_strdup(from_environment);
	if (!folder || strchr(name, '/') || name[0] == '.') {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "this controller has no secret \"%s\"", name);
		return NULL;
	}
	g_autofree char *path = g_build_filename(folder, name, NULL);
	return file_read(path, SECRET_MAX_BYTES, NULL, error);
}

char *secret_read(const char *folder, const char *name, GError **error)
{
	const char *hash = strchr(name, '#');
	g_autofree char *file = hash ? g_strndup(name, (gsize) (hash - name)) : g_strdup(name);
	char *whole = read_whole(folder, file, error), *secret = whole;
	if (!whole)
		return NULL;
	if (hash) {
		secret = entry_of(whole, hash + 1);
		wipe(whole);
	}
	if (!secret) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "the secret \"%s\" has no entry \"%s\"", file, hash + 1);
		return NULL;
	}
	g_strchomp(secret);
	redact_add(secret);
	return secret;
}
