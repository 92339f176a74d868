/* Samples in words and in JSON: what nf, metrics and top print alike. */
#pragma once

#include "model/metric.h"
#include "report/writer.h"

/* "cpu 1.2 %, 12.3 MB, rx 1.2 Mbit/s, tx 3 kbit/s"; in @arena. @before may be NULL. */
const char *metrics_text(struct arena *arena, const struct sample *before, const struct sample *now);

/* One metric for people: "1.2 %", "12.3 MB", "1.2 Mbit/s"; "-" where it is not known. In @arena. */
const char *metric_text(struct arena *arena, enum metric metric, const struct sample *before, const struct sample *now);

/* {"time", "cpu_permille", "mem_bytes", …}; null where @now is NULL. */
void metrics_write(struct writer *writer, const char *name, const struct sample *before, const struct sample *now);
void metrics_write_members(struct writer *writer, const struct sample *before, const struct sample *now);
