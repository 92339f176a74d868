/* The log: a line per event on standard error. Only main, daemon, exec and api write to it.
 *
 *     text      TIME LEVEL text                                  for eyes and files
 *     json      {"key", "level", "text", "time"}                 an object per line; "key" where the line is about one object
 *     journal   <N>text                                          the journal has the time itself, and takes N as its priority
 *
 * Every line passes through redact(), so that a secret that was resolved in this process never reaches it. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, LOG_FORMAT_JOURNAL };

void log_init(enum log_level level, enum log_format format); /* again at any time: from the next line on */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
bool log_level_parse(const char *name, enum log_level *ret); /* error, warning, info, debug */
const char *log_level_name(enum log_level level);
bool log_format_parse(const char *name, enum log_format *ret); /* text, json, journal */
/* LOG_FORMAT_JOURNAL when standard error is the journal (systemd.exec(5), JOURNAL_STREAM), else LOG_FORMAT_TEXT. */
enum log_format log_format_default(void);

void log_line(enum log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A line about one object. The text must make sense without @key, too: only JSON carries it. */
void log_about(enum log_level level, const char *key, const char *format, ...) G_GNUC_PRINTF(3, 4);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Tells the redaction a secret value (at least 4 bytes, else it would blot out ordinary text); it is kept until the process ends. */
void redact_add(const char *secret);

/* @text with every known secret replaced by "***". Owned by the caller. */
char *redact(const char *text);
