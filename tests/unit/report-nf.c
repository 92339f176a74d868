/* What is told of network functions: text, JSON by its schema, hostile words. */
#include "report_world.h"
#include "schema_check.h"

#define FW "nf/edge.fw.vdu.0"
#define WEB "nf/edge.web.vdu.0"

static const struct sample_port ports_before[] = { { .cp = "lan", .rx_bytes = 0, .tx_bytes = 0 } },
				ports_now[] = { { .cp = "lan", .rx_bytes = 125000, .tx_bytes = 250, .rx_drops = -1 } };
static const struct sample before = { .wall_us = WORLD_NOW - 10 * G_USEC_PER_SEC, .cpu_us = 0, .ports = ports_before, .n_ports = 1 },
			   now = { .wall_us = WORLD_NOW, .cpu_us = 123000, .mem_bytes = 12300000, .disk_bytes = 0, .processes = 3,
				   .ports = ports_now, .n_ports = 1 };

static bool recent(const char *key, const struct sample **ret_before, const struct sample **ret_now, void *data)
{
	bool is_web = strcmp(key, WEB) == 0;
	*ret_before = is_web ? &before : NULL;
	*ret_now = is_web ? &now : NULL;
	return is_web;
}

static struct report_input input_of(struct report_world *world, const struct vib_entry *entries, size_t n)
{
	struct report_input input = *world_input(world);
	input.vib = entries;
	input.n_vib = n;
	input.recent = recent;
	return input;
}

static const struct vib_entry entries[] = {
	{ .key = FW, .site = "local", .ems = "leaf", .driver = "leaf", .transport = "unix", .incarnation = 1, .state = "failed",
	  .reason = "failed: exit status 3", .state_since_us = WORLD_NOW - 60 * G_USEC_PER_SEC, .failures = 2,
	  .last_failure = "failed: exit status 3", .last_failure_us = WORLD_NOW - 60 * G_USEC_PER_SEC, .fate = "limit",
	  .held = "failed: exit status 3; cured 6 times within an hour" },
	{ .key = WEB, .site = "local", .ems = "leaf", .driver = "leaf", .transport = "unix", .incarnation = 1, .state = "started",
	  .health = "healthy", .state_since_us = WORLD_NOW - G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC, .crossed = "busy",
	  .package = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
};

static void expect(const char *text, const char *words)
{
	if (!strstr(text, words))
		g_error("no \"%s\" in:\n%s", words, text);
}

static void test_status(void)
{
	struct report_world *world = report_world_new();
	const struct report_input input = input_of(world, entries, G_N_ELEMENTS(entries));
	enum report_verdict verdict;
	g_autofree char *all = report_nf(&input, NULL, &style_text, &verdict);
	g_assert_cmpint(verdict, ==, REPORT_DIFFERS);
	expect(all, "nf/edge.fw.vdu.0   failed   -        for 60 s");
	expect(all, "held: failed: exit status 3; cured 6 times within an hour");
	expect(all, "package 0123456789ab");
	expect(all, "2 network functions: 1 as desired.");
	g_autofree char *one = report_nf(&input, "vnf/edge.web", &style_text, &verdict);
	g_assert_cmpint(verdict, ==, REPORT_NOTHING);
	expect(one, "cpu 1.2 %, memory 12.3 MB, written 0 B, processes 3, rx 100 kbit/s, tx 200 bit/s");
	expect(one, "beyond the thresholds of: busy");
	g_assert_null(strstr(one, "edge.fw"));
	report_world_free(world);
}

static void test_json(void)
{
	struct report_world *world = report_world_new();
	struct report_input input = input_of(world, entries, G_N_ELEMENTS(entries));
	g_autofree char *text = report_nf(&input, NULL, &style_json, NULL);
	g_autoptr(json_t) json = schema_check_text("nf", text);
	const json_t *fw = json_array_get(json_object_get(json, "nfs"), 0);
	g_assert_cmpstr(json_string_value(json_object_get(fw, "cure")), ==, "limit");
	g_assert_false(json_is_true(json_object_get(fw, "as_desired")));
	const struct sample *const samples[] = { &now, &before };
	input.samples = samples;
	input.n_samples = G_N_ELEMENTS(samples);
	g_autofree char *metrics = report_metrics(&input, WEB, &style_json);
	g_autoptr(json_t) series = schema_check_text("metrics", metrics);
	const json_t *newest = json_array_get(json_object_get(series, "samples"), 1);
	g_assert_cmpint(json_integer_value(json_object_get(newest, "cpu_permille")), ==, 12);
	g_assert_cmpint(json_integer_value(json_object_get(newest, "rx_bits_per_s")), ==, 100000);
	input.n_samples = 0;
	g_autofree char *nothing = report_metrics(&input, WEB, &style_text);
	g_assert_cmpstr(nothing, ==, "Nothing was measured of nf/edge.web.vdu.0 in that time.\n");
	g_autofree char *sites = report_sites(&input, &style_json);
	g_autoptr(json_t) by_site = schema_check_text("sites", sites);
	g_assert_nonnull(by_site);
	report_world_free(world);
}

static void test_top(void)
{
	struct report_world *world = report_world_new();
	const struct report_input input = input_of(world, entries, G_N_ELEMENTS(entries));
	g_autofree char *text = report_top(&input, &style_text);
	expect(text, "2 network functions, 1 ill");
	g_assert_true(strstr(text, "edge.web") < strstr(text, "edge.fw")); /* what uses most comes first */
	g_autofree char *lines = report_top(&input, &style_json);
	g_auto(GStrv) each = g_strsplit(lines, "\n", -1);
	g_assert_cmpuint(g_strv_length(each), ==, 3);
	for (int i = 0; i < 2; i++) {
		g_autoptr(json_t) json = schema_check_text("top", each[i]);
		g_assert_nonnull(json);
	}
	report_world_free(world);
}

static void test_hostile(void)
{
	struct report_world *world = report_world_new();
	struct vib_entry entry = entries[1];
	entry.state = "\033[2Jowned";
	const struct report_input input = input_of(world, &entry, 1);
	g_autofree char *status = report_nf(&input, NULL, &style_text, NULL), *top = report_top(&input, &style_text);
	g_assert_null(strchr(status, '\033'));
	g_assert_null(strchr(top, '\033'));
	const struct report_input none = input_of(world, NULL, 0);
	g_autofree char *nothing = report_nf(&none, NULL, &style_text, NULL), *no_lines = report_top(&none, &style_json);
	expect(nothing, "0 network functions: 0 as desired.");
	g_assert_cmpstr(no_lines, ==, "");
	report_world_free(world);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/nf/status", test_status);
	g_test_add_func("/nf/json", test_json);
	g_test_add_func("/nf/top", test_top);
	g_test_add_func("/nf/hostile", test_hostile);
	return g_test_run();
}
