/* What is kept of each NF after every look, what is told of it once, and thresholds. */
#include "ems/perf.h"
#include "ems_lab.h"

#define NF "nf/edge.web.vdu.0"

/* A look; "KIND KEY" of each event, and how many entries are to be written. */
static char *look(struct lab *lab, struct vib *vib, guint *ret_written)
{
	struct network network;
	struct observed observed;
	auto_ptr(faults) faults = lab_faults(lab, &network, &observed);
	struct vib_changes changes;
	vib_changes_init(&changes);
	const struct vib_input input = { .desired = &network, .observed = &observed, .faults = faults, .wall_us = lab->now_us };
	vib_update(vib, &input, &changes);
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < changes.events->len; i++) {
		const struct vib_event *event = &g_array_index(changes.events, struct vib_event, i);
		g_string_append_printf(text, "%s%s %s: %s", i ? "; " : "", event->kind, event->key, event->text);
	}
	for (guint i = 0; i < changes.gone->len; i++)
		g_string_append_printf(text, "gone %s", (const char *) g_ptr_array_index(changes.gone, i));
	if (ret_written)
		*ret_written = changes.entries->len;
	vib_changes_clear(&changes);
	return g_string_free(g_steal_pointer(&text), FALSE);
}

static void expect(struct lab *lab, struct vib *vib, const char *wanted, guint written)
{
	guint n;
	g_autofree char *got = look(lab, vib, &n);
	g_assert_cmpstr(got, ==, wanted);
	g_assert_cmpuint(n, ==, written);
	lab->now_us += G_USEC_PER_SEC;
}

static void test_entries(void)
{
	struct lab *lab = lab_new();
	auto_ptr(vib) vib = vib_new();
	struct lab_slot *slot = lab_add(lab, "edge.web.vdu.0");
	slot->health = "healthy";
	expect(lab, vib, "", 1);
	expect(lab, vib, "", 0);
	const struct vib_entry *entry = vib_find(vib, NF);
	g_assert_cmpstr(entry->ems, ==, "leaf");
	g_assert_cmpstr(entry->driver, ==, "fake");
	g_assert_cmpstr(entry->state, ==, "started");
	g_assert_cmpint(entry->state_since_us, ==, LAB_NOW);
	slot->health = "unhealthy";
	slot->reason = "connection refused";
	slot->escalate_to = "report";
	expect(lab, vib,
	       "fault " NF ": unhealthy: connection refused; limit " NF ": unhealthy: connection refused; its health check says escalate_to: "
	       "report", 1);
	expect(lab, vib, "", 0);
	entry = vib_find(vib, NF);
	g_assert_cmpint(entry->state_since_us, ==, LAB_NOW);
	g_assert_cmpint(entry->health_since_us, ==, LAB_NOW + 2 * G_USEC_PER_SEC);
	g_assert_cmpint(entry->failures, ==, 1);
	g_assert_cmpstr(entry->fate, ==, "reported");
	/* started anew: what the store had is told of no more */
	auto_ptr(vib) again = vib_new();
	vib_load(again, entry);
	expect(lab, again, "", 0);
	slot->health = "healthy";
	expect(lab, again, "healed " NF ": well again after: unhealthy: connection refused", 1);
	g_assert_cmpstr(vib_find(again, NF)->last_failure, ==, "unhealthy: connection refused");
	g_assert_null(vib_find(again, NF)->held);
	lab->n_slots = 0;
	expect(lab, again, "gone " NF, 0);
	g_assert_null(vib_find(again, NF));
	lab_free(lab);
}

static void test_bounds(void)
{
	struct lab *lab = lab_new();
	auto_ptr(vib) vib = vib_new();
	g_autofree char *endless = g_strnfill(100 * 1000, 'x');
	struct lab_slot *slot = lab_add(lab, "edge.web.vdu.0");
	slot->nf_state = "failed";
	slot->reason = endless;
	g_autofree char *text = look(lab, vib, NULL);
	g_assert_cmpuint(strlen(vib_find(vib, NF)->reason), <=, VIB_TEXT_MAX_BYTES);
	g_assert_cmpuint(strlen(vib_find(vib, NF)->last_failure), <=, VIB_TEXT_MAX_BYTES);
	lab_free(lab);
}

/* --- thresholds ------------------------------------------------------------------------------------------------------------- */

static const struct object *nf_with(struct arena *arena, const char *metric, const char *compare, double value)
{
	struct object_builder *builder = object_builder_new(arena, NF, "local", ORIGIN_NONE);
	object_set_string(builder, "indicator.busy.metric", metric, (struct origin) { "web.yaml", 30, 3 });
	object_set_string(builder, "indicator.busy.compare", compare, ORIGIN_NONE);
	object_set(builder, "indicator.busy.value", value_float(arena, value), ORIGIN_NONE);
	return object_build(builder);
}

static const char *compare(const struct object *nf, const struct sample *before, const struct sample *now, const char *crossed,
			   struct arena *arena, const char **ret_text)
{
	g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct vib_event));
	const char *after = perf_compare(nf, before, now, crossed, arena, events);
	g_assert_cmpuint(events->len, <=, 1);
	*ret_text = events->len ? g_array_index(events, struct vib_event, 0).text : NULL;
	return after;
}

static void test_hysteresis(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct object *nf = nf_with(arena, "mem_bytes", "greater_or_equal", 1000);
	static const struct {
		gint64 mem;
		const char *crossed, *text;
	} steps[] = {
		{ 999, NULL, NULL },
		{ 1000, "busy", "busy: mem_bytes is 1000, which is at or above 1000" },
		{ 5000, "busy", NULL },
		{ 960, "busy", NULL }, /* not far enough */
		{ -1, "busy", NULL },  /* not measured */
		{ 940, NULL, "busy: mem_bytes is 940, no longer at or above 1000" },
		{ 990, NULL, NULL },
	};
	const char *crossed = NULL, *text;
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		const struct sample sample = { .wall_us = 1 + (gint64) i, .mem_bytes = steps[i].mem };
		crossed = compare(nf, NULL, &sample, crossed, arena, &text);
		g_assert_cmpstr(crossed, ==, steps[i].crossed);
		g_assert_cmpstr(text, ==, steps[i].text);
	}
}

static void test_rates(void)
{
	auto_ptr(arena) arena = arena_new();
	const struct object *nf = nf_with(arena, "cpu_percent", "greater_than", 50);
	const struct sample_port ports[] = { { .cp = "lan", .rx_bytes = 1000 }, { .cp = "wan", .rx_bytes = -1 } },
				 later[] = { { .cp = "lan", .rx_bytes = 3000 }, { .cp = "wan", .rx_bytes = -1 } };
	const struct sample before = { .wall_us = 1000000, .cpu_us = 100000, .ports = ports, .n_ports = 2 },
			    now = { .wall_us = 3000000, .cpu_us = 1300000, .ports = later, .n_ports = 2 };
	const char *text;
	double value;
	g_assert_null(compare(nf, NULL, &now, NULL, arena, &text)); /* one sample gives no rate */
	g_assert_cmpstr(compare(nf, &before, &now, NULL, arena, &text), ==, "busy");
	g_assert_cmpstr(text, ==, "busy: cpu_percent is 60, which is above 50");
	g_assert_false(metric_value(METRIC_CPU_PERCENT, &now, &before, &value)); /* started anew: counters fell */
	g_assert_true(metric_value(METRIC_RX_BITS_PER_S, &before, &now, &value));
	g_assert_cmpfloat_with_epsilon(value, 8000, 0.001);
	g_assert_null(compare(nf_with(arena, "cpu_percent", "nonsense", 1), &before, &now, NULL, arena, &text));
	g_assert_null(compare(nf_with(arena, "nonsense", "less_than", 1), &before, &now, NULL, arena, &text));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/vib/entries", test_entries);
	g_test_add_func("/vib/bounds", test_bounds);
	g_test_add_func("/perf/hysteresis", test_hysteresis);
	g_test_add_func("/perf/rates", test_rates);
	return g_test_run();
}
