#include "report/metrics.h"

#include "report/view.h"

enum { CPU_PERMILLE_OF_PERCENT = 10 };

static const char *scaled(struct arena *arena, double value, const char *unit)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T" };
	size_t i = 0;
	while (value >= 1000 && i + 1 < G_N_ELEMENTS(prefixes)) {
		value /= 1000;
		i++;
	}
	return arena_printf(arena, i && value < 100 ? "%.1f %s%s" : "%.0f %s%s", value, prefixes[i], unit);
}

const char *metric_text(struct arena *arena, enum metric metric, const struct sample *before, const struct sample *now)
{
	double value;
	if (!now || !metric_value(metric, before, now, &value))
		return "-";
	switch (metric) {
	case METRIC_CPU_PERCENT:
		return arena_printf(arena, "%.1f %%", value);
	case METRIC_MEM_BYTES:
	case METRIC_DISK_BYTES:
		return scaled(arena, value, "B");
	case METRIC_PROCESSES:
		return arena_printf(arena, "%.0f", value);
	case METRIC_RX_BITS_PER_S:
	case METRIC_TX_BITS_PER_S:
		return scaled(arena, value, "bit/s");
	case METRIC_RX_PACKETS_PER_S:
	case METRIC_TX_PACKETS_PER_S:
	case METRIC_RX_DROPS_PER_S:
	case METRIC_TX_DROPS_PER_S:
		return scaled(arena, value, "/s");
	}
	g_assert_not_reached();
}

const char *metrics_text(struct arena *arena, const struct sample *before, const struct sample *now)
{
	return arena_printf(arena, "cpu %s, memory %s, written %s, processes %s, rx %s, tx %s",
			    metric_text(arena, METRIC_CPU_PERCENT, before, now), metric_text(arena, METRIC_MEM_BYTES, before, now),
			    metric_text(arena, METRIC_DISK_BYTES, before, now), metric_text(arena, METRIC_PROCESSES, before, now),
			    metric_text(arena, METRIC_RX_BITS_PER_S, before, now), metric_text(arena, METRIC_TX_BITS_PER_S, before, now));
}

void metrics_write_members(struct writer *writer, const struct sample *before, const struct sample *now)
{
	writer_time(writer, "time", now->wall_us);
	for (unsigned i = 0; i < METRICS; i++) {
		double value;
		bool cpu = i == METRIC_CPU_PERCENT;
		const char *name = cpu ? "cpu_permille" : metric_name((enum metric) i);
		if (metric_value((enum metric) i, before, now, &value))
			writer_int(writer, name, (gint64) ((cpu ? value * CPU_PERMILLE_OF_PERCENT : value) + 0.5));
		else
			writer_json(writer, name, NULL);
	}
}

void metrics_write(struct writer *writer, const char *name, const struct sample *before, const struct sample *now)
{
	if (!now) {
		writer_json(writer, name, NULL);
		return;
	}
	writer_object(writer, name);
	metrics_write_members(writer, before, now);
	writer_end(writer);
}

/* --- the ring of one NF ----------------------------------------------------------------------------------------------------- */

static void write_ports(struct writer *writer, const struct sample *sample)
{
	writer_array(writer, "ports");
	for (size_t i = 0; i < sample->n_ports; i++) {
		const struct sample_port *port = &sample->ports[i];
		writer_object(writer, NULL);
		writer_string(writer, "cp", port->cp);
		writer_int(writer, "rx_bytes", port->rx_bytes);
		writer_int(writer, "rx_packets", port->rx_packets);
		writer_int(writer, "rx_drops", port->rx_drops);
		writer_int(writer, "tx_bytes", port->tx_bytes);
		writer_int(writer, "tx_packets", port->tx_packets);
		writer_int(writer, "tx_drops", port->tx_drops);
		writer_end(writer);
	}
	writer_end(writer);
}

char *report_metrics(const struct report_input *input, const char *key, const struct report_style *style)
{
	auto_ptr(arena) arena = arena_new();
	struct writer *writer = writer_new_plain(style);
	writer_string(writer, "report", "metrics");
	writer_string(writer, "key", key);
	writer_array(writer, "samples");
	if (input->n_samples)
		writer_row(writer, MARK_NONE, 0, "time", "cpu", "memory", "written", "processes", "rx", "tx", "drops", NULL);
	for (size_t i = input->n_samples; i-- > 0;) {
		const struct sample *now = input->samples[i], *before = i + 1 < input->n_samples ? input->samples[i + 1] : NULL;
		writer_row(writer, MARK_NONE, 0, time_text(arena, now->wall_us), metric_text(arena, METRIC_CPU_PERCENT, before, now),
			   metric_text(arena, METRIC_MEM_BYTES, before, now), metric_text(arena, METRIC_DISK_BYTES, before, now),
			   metric_text(arena, METRIC_PROCESSES, before, now), metric_text(arena, METRIC_RX_BITS_PER_S, before, now),
			   metric_text(arena, METRIC_TX_BITS_PER_S, before, now), metric_text(arena, METRIC_RX_DROPS_PER_S, before, now), NULL);
		writer_object(writer, NULL);
		metrics_write_members(writer, before, now);
		write_ports(writer, now);
		writer_end(writer);
	}
	writer_end(writer);
	if (!input->n_samples)
		writer_summary(writer, MARK_NONE, "Nothing was measured of %s in that time.", key);
	return writer_finish(writer);
}
