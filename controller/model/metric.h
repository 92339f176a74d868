/* What samples (sample.h) come to: gauges as they are, rates from two samples of the same NF. Names carry their unit; they are
 * what indicators compare (model/nf.h, indicator.*.metric) and what reports print.
 *
 * Pure; any thread.
 */
#pragma once

#include "model/sample.h"

#include <stdbool.h>

enum metric {
	METRIC_CPU_PERCENT, /* of one processor */
	METRIC_MEM_BYTES,
	METRIC_DISK_BYTES,
	METRIC_PROCESSES,
	METRIC_RX_BITS_PER_S, /* these of all connection points together */
	METRIC_TX_BITS_PER_S,
	METRIC_RX_PACKETS_PER_S,
	METRIC_TX_PACKETS_PER_S,
	METRIC_RX_DROPS_PER_S,
	METRIC_TX_DROPS_PER_S,
};

enum { METRICS = METRIC_TX_DROPS_PER_S + 1 };

const char *metric_name(enum metric metric); /* "cpu_percent", … */
bool metric_parse(const char *name, enum metric *ret);

/* False where it was not measured, or where @before is no sample that a rate can be made with: NULL, not older, or of before a
 * start. */
bool metric_value(enum metric metric, const struct sample *before, const struct sample *now, double *ret);
