#include "model/metric.h"

#include <string.h>

static const char *const names[] = {
	[METRIC_CPU_PERCENT] = "cpu_percent",
	[METRIC_MEM_BYTES] = "mem_bytes",
	[METRIC_DISK_BYTES] = "disk_bytes",
	[METRIC_PROCESSES] = "processes",
	[METRIC_RX_BITS_PER_S] = "rx_bits_per_s",
	[METRIC_TX_BITS_PER_S] = "tx_bits_per_s",
	[METRIC_RX_PACKETS_PER_S] = "rx_packets_per_s",
	[METRIC_TX_PACKETS_PER_S] = "tx_packets_per_s",
	[METRIC_RX_DROPS_PER_S] = "rx_drops_per_s",
	[METRIC_TX_DROPS_PER_S] = "tx_drops_per_s",
};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == METRICS);

const char *metric_name(enum metric metric)
{
	return names[metric];
}

bool metric_parse(const char *name, enum metric *ret)
{
	for (unsigned i = 0; i < METRICS; i++) {
		if (strcmp(name, names[i]) == 0) {
			*ret = (enum metric) i;
			return true;
		}
	}
	return false;
}

static bool gauge(gint64 value, double *ret)
{
	*ret = (double) value;
	return value >= 0;
}

/* @per_second: of how many units one of the counter is. */
static bool rate(const struct sample *before, const struct sample *now, gint64 from, gint64 to, double per_second, double *ret)
{
	if (!before || from < 0 || to < from || now->wall_us <= before->wall_us)
		return false;
	*ret = (double) (to - from) * per_second * G_USEC_PER_SEC / (double) (now->wall_us - before->wall_us);
	return true;
}

/* The sum over all ports of the counter at @offset; -1: none was measured. */
static gint64 sum(const struct sample *sample, size_t offset)
{
	gint64 total = -1;
	for (size_t i = 0; sample && i < sample->n_ports; i++) {
		gint64 value = *(const gint64 *) (const void *) ((const char *) &sample->ports[i] + offset);
		if (value >= 0)
			total = MAX(total, 0) + value;
	}
	return total;
}

static bool port_rate(const struct sample *before, const struct sample *now, size_t offset, double per_second, double *ret)
{
	return rate(before, now, sum(before, offset), sum(now, offset), per_second, ret);
}

bool metric_value(enum metric metric, const struct sample *before, const struct sample *now, double *ret)
{
	switch (metric) {
	case METRIC_CPU_PERCENT:
		return rate(before, now, before ? before->cpu_us : -1, now->cpu_us, 100.0 / G_USEC_PER_SEC, ret);
	case METRIC_MEM_BYTES:
		return gauge(now->mem_bytes, ret);
	case METRIC_DISK_BYTES:
		return gauge(now->disk_bytes, ret);
	case METRIC_PROCESSES:
		return gauge(now->processes, ret);
	case METRIC_RX_BITS_PER_S:
		return port_rate(before, now, offsetof(struct sample_port, rx_bytes), 8, ret);
	case METRIC_TX_BITS_PER_S:
		return port_rate(before, now, offsetof(struct sample_port, tx_bytes), 8, ret);
	case METRIC_RX_PACKETS_PER_S:
		return port_rate(before, now, offsetof(struct sample_port, rx_packets), 1, ret);
	case METRIC_TX_PACKETS_PER_S:
		return port_rate(before, now, offsetof(struct sample_port, tx_packets), 1, ret);
	case METRIC_RX_DROPS_PER_S:
		return port_rate(before, now, offsetof(struct sample_port, rx_drops), 1, ret);
	case METRIC_TX_DROPS_PER_S:
		return port_rate(before, now, offsetof(struct sample_port, tx_drops), 1, ret);
	}
	g_assert_not_reached();
}
