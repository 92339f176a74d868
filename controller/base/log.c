#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_MIN_BYTES = 4 };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static gint chosen_level = LOG_LEVEL_INFO; /* atomic */
static gint as_json;                       /* atomic */

static pthread_mutex_t secrets_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *secrets; /* of char *, the longest first: one that holds another is replaced whole */

void log_init(enum log_level level, bool json)
{
	g_atomic_int_set(&chosen_level, (gint) level);
	g_atomic_int_set(&as_json, json);
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < G_N_ELEMENTS(level_names); i++) {
		if (g_strcmp0(name, level_names[i]) == 0) {
			*ret = (enum log_level) i;
			return true;
		}
	}
	return false;
}

/* Control characters would let a far side's words write on the operator's terminal; a newline would make a line of its own. */
static void append_visible(GString *line, const char *text)
{
	for (const unsigned char *at = (const unsigned char *) text; *at; at++) {
		if (*at == '\n')
			g_string_append(line, "\\n");
		else if (*at == '\t')
			g_string_append(line, "\\t");
		else if (*at < 0x20 || *at == 0x7f)
			g_string_append_printf(line, "\\x%02x", *at);
		else
			g_string_append_c(line, (char) *at);
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	if ((gint) level > g_atomic_int_get(&chosen_level))
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *formatted = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *safe = redact(formatted);
	g_autofree char *text = g_utf8_make_valid(safe, -1);
	char time[CLOCK_TEXT_SIZE];
	clock_rfc3339(clock_wall_us(), time);
	g_autoptr(GString) line = g_string_new(NULL);
	if (g_atomic_int_get(&as_json)) {
		g_autoptr(json_t) json = json_pack("{s:s, s:s, s:s}", "time", time, "level", level_names[level], "text", text);
		g_autofree char *printed = json_text(json, 0);
		g_string_append(line, printed);
	} else {
		g_string_append_printf(line, "%s %s ", time, level_names[level]);
		append_visible(line, text);
	}
	g_string_append_c(line, '\n');
	/* One write for the whole line: lines of several threads or processes do not mix. What cannot be written is lost. */
	while (write(STDERR_FILENO, line->str, line->len) < 0 && errno == EINTR)
		continue;
}

void redact_add(const char *secret)
{
	if (!secret || strlen(secret) < SECRET_MIN_BYTES)
		return;
	size_t length = strlen(secret);
	pthread_mutex_lock(&secrets_lock);
	if (!secrets)
		secrets = g_ptr_array_new();
	guint at = 0;
	for (; at < secrets->len; at++) {
		const char *other = g_ptr_array_index(secrets, at);
		if (strcmp(other, secret) == 0)
			break;
		if (strlen(other) < length) {
			g_ptr_array_insert(secrets, (gint) at, g_strdup(secret));
			break;
		}
	}
	if (at == secrets->len)
		g_ptr_array_add(secrets, g_strdup(secret));
	pthread_mutex_unlock(&secrets_lock);
}

char *redact(const char *text)
{
	pthread_mutex_lock(&secrets_lock);
	if (!secrets) {
		pthread_mutex_unlock(&secrets_lock);
		return g_strdup(text);
	}
	GString *out = g_string_sized_new(strlen(text));
	while (*text) {
		size_t hidden = 0;
		for (guint i = 0; i < secrets->len && !hidden; i++) {
			const char *secret = g_ptr_array_index(secrets, i);
			size_t length = strlen(secret);
			if (strncmp(text, secret, length) == 0)
				hidden = length;
		}
		if (hidden)
			g_string_append(out, "***");
		else
			g_string_append_c(out, *text);
		text += hidden ? hidden : 1;
	}
	pthread_mutex_unlock(&secrets_lock);
	return g_string_free(out, FALSE);
}
