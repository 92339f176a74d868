/* The EMS's part of the loop: the VIB, the fault monitor and the performance monitor, wired to the store, the drivers and the
 * clock.
 *
 *     look ─► plan_work: faults_find ─► plan ─► monitors_planned ─► VIB, events "fault", "healed", "limit"
 *     timer ─► measure (pool, a few at once) ─► ring of samples, events "threshold"
 *
 * Both monitors only notify; what is done about it is the plan's, by the marks and holds of ems/faults.h.
 *
 * Owner thread.
 */
#pragma once

#include "daemon/drivers.h"
#include "ems/vib.h"
#include "exec/exec.h"
#include "model/sample.h"
#include "store/store.h"

#include "base/pool.h"

enum { MONITORS_RING = 360 }; /* samples kept of one NF: an hour of them at the default of one every 10 s */

struct monitors;

struct monitors_options {
	struct store *store;
	struct drivers *drivers;
	struct pool *pool;
	unsigned sample_s; /* 0: nothing is measured */
	void (*due)(void *data); /* what the fault monitor held back may be cured by now: plan again */
	void *data;
};

/* Reads the VIB. All of @options outlives it but the pool, which ends first. */
struct monitors *monitors_new(const struct monitors_options *options);
void monitors_free(struct monitors *monitors);
AUTO_DEFINE(monitors, monitors_free)

void monitors_stop(struct monitors *monitors); /* nothing more is measured */
void monitors_set_interval(struct monitors *monitors, unsigned sample_s);

/* The history that the fault monitor judges by; in @arena. */
const struct cure *monitors_cures(struct monitors *monitors, struct arena *arena, gint64 wall_us, size_t *ret_n);

/* A plan was made with @faults (taken over) on what was desired and observed (held). */
void monitors_planned(struct monitors *monitors, const struct network *network, struct observed *observed, struct faults *faults);

/* That plan is carried out now. When a cure is due the fault monitor says, which keeps its own back-off: exec has none beside. */
void monitors_begin(struct monitors *monitors, struct exec *exec);

/* Written down with an operation that begins, in its transaction, where it cures something. */
bool monitors_record(struct monitors *monitors, const struct operation *operation, GError **error);

/* The operator asks for another try: of @key and what is below it, or of everything (NULL). */
void monitors_asked(struct monitors *monitors, const char *key);

/* Is something ill that is cured later, by itself? */
bool monitors_awaits_cure(const struct monitors *monitors);

/* --- what is known ---------------------------------------------------------------------------------------------------------- */

const struct vib_entry *monitors_vib(const struct monitors *monitors, struct arena *arena, size_t *ret_n);

/* The newest sample of an NF, and the one before it; false: none yet. Valid until the main loop turns. */
bool monitors_recent(const struct monitors *monitors, const char *nf_key, const struct sample **ret_before,
		     const struct sample **ret_now);
