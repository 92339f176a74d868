/* The performance monitor's judgement (ETSI GS NFV 002, EM: performance management; VNF indicators, GS NFV-IFA 011): a sample
 * against the thresholds of the NF's indicators. A crossing is told once: an indicator that is beyond its threshold is back
 * only when it is PERF_HYSTERESIS_PERCENT on the other side. It only notifies.
 *
 * Pure; any thread.
 */
#pragma once

#include "model/metric.h"
#include "model/object.h"
#include "model/vib.h"

enum { PERF_HYSTERESIS_PERCENT = 5, PERF_INDICATORS_MAX = 64 };

/* @nf: desired. @before: the sample before @now, or NULL. @crossed: names of the indicators that were beyond their thresholds,
 * joined by blanks, or NULL. Appends a struct vib_event of kind "threshold" to @events for each that crossed; the names that
 * are beyond now, or NULL. In @arena. What could not be measured stays as it was. */
const char *perf_compare(const struct object *nf, const struct sample *before, const struct sample *now, const char *crossed,
			 struct arena *arena, GArray *events);
