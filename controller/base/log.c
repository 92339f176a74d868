#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_MIN_BYTES = 4 };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static const char *const format_names[] = {
	[LOG_FORMAT_TEXT] = "text",
	[LOG_FORMAT_JSON] = "json",
	[LOG_FORMAT_JOURNAL] = "journal",
};

/* syslog(3)'s numbers, which are the journal's priorities too. */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_WARNING] = 4,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
};

static gint chosen_level = LOG_LEVEL_INFO;    /* atomic */
static gint chosen_format = LOG_FORMAT_TEXT; /* atomic */

static pthread_mutex_t secrets_lock = PTHREAD_MUTEX_INITIALIZER;
static GPtrArray *secrets; /* of char *, the longest first: one that holds another is replaced whole */

void log_init(enum log_level level, enum log_format format)
{
	log_set_level(level);
	g_atomic_int_set(&chosen_format, (gint) format);
}

void log_set_level(enum log_level level)
{
	g_atomic_int_set(&chosen_level, (gint) level);
}

enum log_level log_get_level(void)
{
	return (enum log_level) g_atomic_int_get(&chosen_level);
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

static bool find_name(const char *const *names, size_t n, const char *name, int *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (g_strcmp0(name, names[i]) == 0) {
			*ret = (int) i;
			return true;
		}
	}
	return false;
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	int found;
	if (!find_name(level_names, G_N_ELEMENTS(level_names), name, &found))
		return false;
	*ret = (enum log_level) found;
	return true;
}

bool log_format_parse(const char *name, enum log_format *ret)
{
	int found;
	if (!find_name(format_names, G_N_ELEMENTS(format_names), name, &found))
		return false;
	*ret = (enum log_format) found;
	return true;
}

enum log_format log_format_default(void)
{
	const char *stream = g_getenv("JOURNAL_STREAM");
	struct stat st;
	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return LOG_FORMAT_TEXT;
	/* The variable stays set in processes whose standard error went elsewhere since. */
	g_autofree char *own = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st.st_dev, (guint64) st.st_ino);
	return g_str_equal(stream, own) ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
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

static void append_line(GString *line, enum log_level level, const char *key, const char *text)
{
	char time[CLOCK_TEXT_SIZE];
	clock_rfc3339(clock_wall_us(), time);
	switch ((enum log_format) g_atomic_int_get(&chosen_format)) {
	case LOG_FORMAT_JSON: {
		g_autoptr(json_t) json = json_pack("{s:s, s:s, s:s, s:s*}", "time", time, "level", level_names[level], "text", text,
						   "key", key);
		g_autofree char *printed = json_text(json, 0);
		g_string_append(line, printed);
		break;
	}
	case LOG_FORMAT_JOURNAL:
		g_string_append_printf(line, "<%d>", priorities[level]);
		append_visible(line, text);
		break;
	case LOG_FORMAT_TEXT:
		g_string_append_printf(line, "%s %s ", time, level_names[level]);
		append_visible(line, text);
		break;
	}
	g_string_append_c(line, '\n');
}

static void write_line(enum log_level level, const char *key, const char *format, va_list args)
{
	g_autofree char *formatted = g_strdup_vprintf(format, args), *safe = redact(formatted);
	g_autofree char *text = g_utf8_make_valid(safe, -1), *about = key ? g_utf8_make_valid(key, -1) : NULL;
	g_autoptr(GString) line = g_string_new(NULL);
	append_line(line, level, about, text);
	/* One write for the whole line: lines of several threads or processes do not mix. What cannot be written is lost. */
	while (write(STDERR_FILENO, line->str, line->len) < 0 && errno == EINTR)
		continue;
}

void log_line(enum log_level level, const char *format, ...)
{
	if ((gint) level > g_atomic_int_get(&chosen_level))
		return;
	va_list args;
	va_start(args, format);
	write_line(level, NULL, format, args);
	va_end(args);
}

void log_about(enum log_level level, const char *key, const char *format, ...)
{
	if ((gint) level > g_atomic_int_get(&chosen_level))
		return;
	va_list args;
	va_start(args, format);
	write_line(level, key, format, args);
	va_end(args);
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
