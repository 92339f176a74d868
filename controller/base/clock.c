#include "base/clock.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

static gint64 now_us(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

gint64 clock_monotonic_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

gint64 clock_wall_us(void)
{
	return now_us(CLOCK_REALTIME);
}

const char *clock_rfc3339(gint64 wall_us, char text[CLOCK_TEXT_SIZE])
{
	/* The years that RFC 3339 can write; beyond them the nearest one. */
	wall_us = CLAMP(wall_us, 0, G_GINT64_CONSTANT(253402300799999999));
	time_t seconds = (time_t) (wall_us / G_USEC_PER_SEC);
	struct tm parts;
	gmtime_r(&seconds, &parts);
	size_t length = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
	g_snprintf(text + length, (gulong) (CLOCK_TEXT_SIZE - length), ".%03dZ", (int) (wall_us % G_USEC_PER_SEC / 1000));
	return text;
}

/* @n digits at *@at into @ret; advances. */
static bool digits(const char **at, int n, int *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++, (*at)++) {
		if (!g_ascii_isdigit(**at))
			return false;
		*ret = *ret * 10 + (**at - '0');
	}
	return true;
}

static bool literal(const char **at, const char *any_of)
{
	if (!**at || !strchr(any_of, **at))
		return false;
	(*at)++;
	return true;
}

gint64 clock_parse_rfc3339(const char *text)
{
	const char *at = text;
	int year, month, day, hour, minute, second;
	if (!digits(&at, 4, &year) || !literal(&at, "-") || !digits(&at, 2, &month) || !literal(&at, "-") ||
	    !digits(&at, 2, &day) || !literal(&at, "Tt") || !digits(&at, 2, &hour) || !literal(&at, ":") ||
	    !digits(&at, 2, &minute) || !literal(&at, ":") || !digits(&at, 2, &second))
		return -1;
	if (!g_date_valid_dmy((GDateDay) day, (GDateMonth) month, (GDateYear) year) || hour > 23 || minute > 59 || second > 60)
		return -1;
	gint64 fraction_us = 0;
	if (literal(&at, ".")) {
		if (!g_ascii_isdigit(*at))
			return -1;
		for (gint64 scale = 100000; g_ascii_isdigit(*at); at++, scale /= 10)
			fraction_us += (*at - '0') * scale;
	}
	if (!literal(&at, "Zz") || *at)
		return -1;
	struct tm parts = {
		.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute, .tm_sec = second,
	};
	gint64 seconds = (gint64) timegm(&parts);
	return seconds < 0 ? -1 : seconds * G_USEC_PER_SEC + fraction_us;
}

const char *clock_duration(gint64 us, char text[CLOCK_TEXT_SIZE])
{
	gint64 ms = MAX(us, 0) / 1000, s = ms / 1000;
	if (ms < 1000)
		g_snprintf(text, CLOCK_TEXT_SIZE, "%" G_GINT64_FORMAT " ms", ms);
	else if (s < 120)
		g_snprintf(text, CLOCK_TEXT_SIZE, "%" G_GINT64_FORMAT " s", s);
	else if (s < 2 * 3600)
		g_snprintf(text, CLOCK_TEXT_SIZE, "%" G_GINT64_FORMAT " min", s / 60);
	else if (s < 2 * 86400)
		g_snprintf(text, CLOCK_TEXT_SIZE, "%" G_GINT64_FORMAT " h", s / 3600);
	else
		g_snprintf(text, CLOCK_TEXT_SIZE, "%" G_GINT64_FORMAT " d", s / 86400);
	return text;
}

gint64 clock_parse_duration_ms(const char *text)
{
	static const struct {
		const char *unit;
		gint64 ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "min", 60000 }, { "h", 3600000 }, { "d", 86400000 },
	};
	if (!g_ascii_isdigit(*text))
		return -1;
	gint64 number = 0;
	for (; g_ascii_isdigit(*text); text++) {
		if (number > G_MAXINT32)
			return -1;
		number = number * 10 + (*text - '0');
	}
	while (*text == ' ')
		text++;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		if (strcmp(units[i].unit, text) == 0)
			return number * units[i].ms;
	}
	return -1;
}
