#include "base/clock.h"

static void test_rfc3339(void)
{
	char text[CLOCK_TEXT_SIZE];
	g_assert_cmpstr(clock_rfc3339(0, text), ==, "1970-01-01T00:00:00.000Z");
	g_assert_cmpstr(clock_rfc3339(G_GINT64_CONSTANT(1795175523123456), text), ==, "2026-11-20T11:52:03.123Z");
	g_assert_cmpint(clock_parse_rfc3339(text), ==, G_GINT64_CONSTANT(1795175523123000));
	g_assert_cmpint(clock_parse_rfc3339("2026-11-20T11:52:03Z"), ==, G_GINT64_CONSTANT(1795175523000000));
	g_assert_cmpint(clock_parse_rfc3339("2024-02-29T00:00:00.5z"), ==, G_GINT64_CONSTANT(1709164800500000));
	g_assert_cmpstr(clock_rfc3339(G_MAXINT64, text), ==, "9999-12-31T23:59:59.999Z");
	static const char *const wrong[] = {
		"", "x", "2026-11-20", "2026-11-20T11:52:03", "2026-11-20T11:52:03.Z", "2026-13-20T11:52:03Z",
		"2025-02-29T11:52:03Z", "2026-11-20T24:52:03Z", "2026-11-20T11:60:03Z", "2026-11-20T11:52:03ZZ",
		"2026-11-20 11:52:03Z", "26-11-20T11:52:03Z", "1969-12-31T23:59:59Z",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_cmpint(clock_parse_rfc3339(wrong[i]), ==, -1);
	gint64 now = clock_wall_us();
	g_assert_cmpint(clock_parse_rfc3339(clock_rfc3339(now, text)), ==, now - now % 1000);
	gint64 before = clock_monotonic_us();
	g_assert_cmpint(clock_monotonic_us(), >=, before);
}

static void test_duration(void)
{
	char text[CLOCK_TEXT_SIZE];
	g_assert_cmpstr(clock_duration(-5, text), ==, "0 ms");
	g_assert_cmpstr(clock_duration(250 * 1000, text), ==, "250 ms");
	g_assert_cmpstr(clock_duration(3 * G_USEC_PER_SEC, text), ==, "3 s");
	g_assert_cmpstr(clock_duration(119 * G_USEC_PER_SEC, text), ==, "119 s");
	g_assert_cmpstr(clock_duration(120 * G_USEC_PER_SEC, text), ==, "2 min");
	g_assert_cmpstr(clock_duration(5 * (gint64) 3600 * G_USEC_PER_SEC, text), ==, "5 h");
	g_assert_cmpstr(clock_duration(4 * (gint64) 86400 * G_USEC_PER_SEC, text), ==, "4 d");
}

static void test_parse_duration(void)
{
	static const struct {
		const char *text;
		gint64 ms;
	} cases[] = {
		{ "90", 90000 }, { "90s", 90000 }, { "500ms", 500 }, { "2m", 120000 }, { "1h", 3600000 }, { "0", 0 },
		{ "10 s", 10000 }, { "1 ", 1000 }, { "", -1 }, { "-1", -1 }, { "s", -1 }, { "1x", -1 }, { "1.5s", -1 },
		{ "99999999999999999999s", -1 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(clock_parse_duration_ms(cases[i].text), ==, cases[i].ms);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/clock/rfc3339", test_rfc3339);
	g_test_add_func("/clock/duration", test_duration);
	g_test_add_func("/clock/parse-duration", test_parse_duration);
	return g_test_run();
}
