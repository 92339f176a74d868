/* The log: a line per event on standard error, "TIME LEVEL text", or JSON. Only main, daemon, exec and api write to it.
 *
 * Every line passes through redact(), so that a secret that was resolved in this process never reaches it. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_init(enum log_level level, bool json);
bool log_level_parse(const char *name, enum log_level *ret); /* error, warning, info, debug */

void log_line(enum log_level level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* Tells the redaction a secret value (at least 4 bytes, else it would blot out ordinary text); it is kept until the process ends. */
void redact_add(const char *secret);

/* @text with every known secret replaced by "***". Owned by the caller. */
char *redact(const char *text);
