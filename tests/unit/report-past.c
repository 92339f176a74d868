/* Events as lines and as a document, history, and what is suspended, as people and programs read them. */
#include "report/report.h"
#include "schema_check.h"

#include <string.h>

static const struct report_style style_text = { REPORT_TEXT, false }, style_json = { REPORT_JSON, false };

#define AT(s) (G_GINT64_CONSTANT(1800000000000000) + G_GINT64_CONSTANT(1000000) * (s))

static const struct store_event events[] = {
	{ .id = 9, .wall_us = AT(9), .kind = EVENT_REVISION, .state = "converged", .revision = "0123456789abcdef0123456789abcdef01234567",
	  .text = "Two firewalls (Anna)", .duration_us = 114000 },
	{ .id = 8, .wall_us = AT(8), .kind = EVENT_DRIFT, .key = "vnfc/edge.fw.vdu.0", .text = "state is failed:\nsignal 9\033[2J",
	  .origin = { "fw.yaml", 12, 3 } },
	{ .id = 7, .wall_us = AT(7), .kind = EVENT_OPERATION, .state = "COMPLETED", .key = "link/edge.lan", .text = "create (intent)",
	  .duration_us = 1234567 },
};

static const char lines[] = "2027-01-15T08:00:07.000Z  operation COMPLETED  link/edge.lan  create (intent), in 1.2 s\n"
			    "2027-01-15T08:00:08.000Z  drift  vnfc/edge.fw.vdu.0  state is failed: signal 9\\x1b[2J (fw.yaml:12)\n"
			    "2027-01-15T08:00:09.000Z  revision converged  commit 0123456789ab  Two firewalls (Anna), in 114 ms\n";

static void test_events(void)
{
	const struct report_input input = { .events = events, .n_events = G_N_ELEMENTS(events) };
	g_autofree char *text = report_events(&input, &style_text), *json = report_events(&input, &style_json);
	g_assert_cmpstr(text, ==, lines);
	g_autoptr(json_t) document = schema_check_text("events", json);
	g_assert_cmpuint(json_array_size(json_object_get(document, "events")), ==, 3);
	const json_t *first = json_array_get(json_object_get(document, "events"), 0);
	g_assert_cmpint(json_integer_value(json_object_get(first, "duration_ms")), ==, 1234);
	const struct report_input none = { 0 };
	g_autofree char *empty = report_events(&none, &style_text);
	g_assert_cmpstr(empty, ==, "");
}

/* Followed, each is one line in either form. */
static void test_lines(void)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = G_N_ELEMENTS(events); i-- > 0;) {
		g_autofree char *line = report_event_line(&events[i], &style_text), *json = report_event_line(&events[i], &style_json);
		g_string_append(text, line);
		g_assert_true(strchr(json, '\n') == json + strlen(json) - 1);
		g_autoptr(json_t) event = json_parse(json, strlen(json), strlen(json), "line", NULL);
		g_assert_cmpint(json_integer_value(json_object_get(event, "id")), ==, events[i].id);
	}
	g_assert_cmpstr(text->str, ==, lines);
}

static void test_history(void)
{
	const struct store_revision revisions[] = {
		{ .wall_us = AT(60), .commit = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", .summary = "None (Anna)", .state = "held",
		  .reason = "vnfc/a: held: because", .seen_us = AT(50) },
		{ .wall_us = AT(12), .commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", .summary = "One (Anna)", .state = "converged",
		  .author_us = AT(0), .seen_us = AT(10), .converged_us = AT(12), .creates = 3, .removes = 1, .repairs = 2 },
		{ .commit = "cccccccccccccccccccccccccccccccccccccccc", .changes = 1 },
	};
	const struct report_input input = { .wall_us = AT(72), .revisions = revisions, .n_revisions = G_N_ELEMENTS(revisions) };
	g_autofree char *text = report_history(&input, NULL, &style_text), *json = report_history(&input, "edge", &style_json);
	g_assert_cmpstr(text, ==,
			"Revisions, the newest first.\n"
			"  commit bbbbbbbbbbbb  held since 2027-01-15T08:01:00.000Z (12 s ago)\n"
			"      None (Anna)\n"
			"      nothing; first seen 2027-01-15T08:00:50.000Z\n"
			"      vnfc/a: held: because\n"
			"  commit aaaaaaaaaaaa  converged since 2027-01-15T08:00:12.000Z (60 s ago)\n"
			"      One (Anna)\n"
			"      3 created, 1 removed, 2 repaired; first seen 2027-01-15T08:00:10.000Z, converged 2.0 s later\n"
			"  commit cccccccccccc  no longer remembered\n"
			"      1 changed\n");
	g_autoptr(json_t) document = schema_check_text("history", json);
	const json_t *second = json_array_get(json_object_get(document, "revisions"), 1);
	g_assert_cmpint(json_integer_value(json_object_get(second, "converged_after_ms")), ==, 2000);
	g_assert_cmpstr(json_string_value(json_object_get(second, "authored_at")), ==, "2027-01-15T08:00:00.000Z");
	const struct report_input none = { 0 };
	g_autofree char *empty = report_history(&none, "edge", &style_text);
	g_assert_cmpstr(empty, ==, "What was done to edge, the newest first.\n\nNone is remembered.\n");
}

/* A site shows what is held on it, and what is held everywhere. */
static void test_suspended(void)
{
	static const struct store_hold holds[] = {
		{ "**", "anna (uid 7)", "no hands", AT(0), AT(3600) }, { "edge", "bert", "racks", AT(1), 0 }, { "site/t", "bert", "window", AT(1), 0 },
	};
	static const struct site site = { .name = "s", .owner = "me", .vim = { .name = "vim", .driver = "local" } };
	static const struct site *const sites[] = { &site };
	const struct network network = { .sites = sites, .n_sites = 1 };
	const struct report_input input = { .desired = &network, .holds = holds, .n_holds = G_N_ELEMENTS(holds) };
	g_autofree char *text = report_sites(&input, &style_text), *json = report_sites(&input, &style_json);
	g_assert_nonnull(strstr(text, "\nSuspended\n"
				"  everything: by anna (uid 7) since 2027-01-15T08:00:00.000Z until 2027-01-15T09:00:00.000Z: no hands\n"
				"  edge: by bert since 2027-01-15T08:00:01.000Z: racks\n"));
	g_autoptr(json_t) document = schema_check_text("sites", json);
	const json_t *on_site = json_object_get(json_array_get(json_object_get(document, "sites"), 0), "suspended");
	g_assert_cmpuint(json_array_size(on_site), ==, 1);
	g_autofree char *status = report_status(&input, NULL, &style_json, NULL);
	g_autoptr(json_t) told = schema_check_text("status", status);
	g_assert_cmpuint(json_array_size(json_object_get(told, "suspended")), ==, 3);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/report/past/events", test_events);
	g_test_add_func("/report/past/lines", test_lines);
	g_test_add_func("/report/past/history", test_history);
	g_test_add_func("/report/past/suspended", test_suspended);
	return g_test_run();
}
