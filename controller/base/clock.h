/* Time. Monotonic time is for waits and is passed in as an argument wherever logic depends on it; wall time is only recorded. */
#pragma once

#include <glib.h>

gint64 clock_monotonic_us(void);
gint64 clock_wall_us(void); /* microseconds since 1970-01-01T00:00:00Z */

enum { CLOCK_TEXT_SIZE = 32 };

/* RFC 3339 in UTC with milliseconds: "2026-11-20T11:52:03.123Z". Returns @text. */
const char *clock_rfc3339(gint64 wall_us, char text[CLOCK_TEXT_SIZE]);

/* Inverse; -1 where @text is no such time. */
gint64 clock_parse_rfc3339(const char *text);

/* "3 s", "2 min", "5 h", "4 d": for people. */
const char *clock_duration(gint64 us, char text[CLOCK_TEXT_SIZE]);

/* "90", "90s", "500ms", "2m", "1h" into milliseconds; -1 where it is none. A bare number is seconds. */
gint64 clock_parse_duration_ms(const char *text);
