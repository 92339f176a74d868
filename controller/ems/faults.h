/* The fault monitor (ETSI GS NFV 002, EM: fault management): a filter between the look and the plan. It acts on nothing
 * itself: it says of what is ill whether it may be cured now, and how; the plan does it.
 *
 *     observed ──► faults_find ──► observed, with marks ──► plan        NF "state: failed": it is restarted
 *     history of cures ──┘    └──► faults_held ───────────► plan        VNFC "state: failed": the next incarnation
 *
 * Only what was applied as it is desired can be ill: what a commit asks for anew is the plan's business. For one slot:
 *
 *                       ill                    ill again                    ill again
 *     well ──► restart at once ──► restart, later and later ──► recover ──► restart … ──► max_per_hour reached: reported
 *
 * A VNFC that ended is recovered without being restarted first. What an EMS does unasked (the leaf starts a process again that
 * ended) counts like a restart, but nobody waits because of it. Limits:
 *     health_check.escalate_to   how far: "report", "restart", "recover"
 *     health_check.max_per_hour  cures, of whatever sort
 *     is_autoheal_enabled: false (label.autoheal) never recovered, whatever else stands there
 *     the group                  of the slots that serve together never two are interrupted at once, unless none of them is well
 *
 * `pleach sync` takes back what was counted, and what is only reported is then cured once.
 *
 * Level-triggered: all is computed from what is seen, the history (kept in the store) and the time. A controller that starts
 * anew goes on where the former one was. Pure; any thread.
 */
#pragma once

#include "model/vib.h"
#include "model/network.h"

enum {
	FAULTS_RESTARTS = 2,         /* that did not help, before the VNFC is recovered */
	FAULTS_WELL_S = 5 * 60,      /* so long after a cure it counts as having helped */
	FAULTS_BACKOFF_MIN_S = 2,    /* before the second cure, doubling */
	FAULTS_BACKOFF_MAX_S = 5 * 60,
	FAULTS_PER_HOUR_DEFAULT = 6,
	FAULTS_HISTORY_S = 60 * 60,  /* what is older counts no more */
	FAULTS_ITSELF_MAX = 16,      /* restarts of an EMS between two looks that are counted */
	FAULTS_ASKED_S = 10 * 60,    /* so long `pleach sync` lets cure what is only reported */
};

enum fault_fate {
	FAULT_RESTART,
	FAULT_RECOVER,
	FAULT_WAITS,    /* for its time, or for another of its group */
	FAULT_LIMIT,    /* too many this hour */
	FAULT_REPORTED, /* may not be cured */
};

const char *fault_fate_name(enum fault_fate fate); /* "restart", "recover", "waits", "limit", "reported" */

struct fault {
	const char *key;    /* what is ill: nf/… or vnfc/… */
	const char *act;    /* what a cure acts on: the same, or the NF's VNFC */
	const char *path;   /* of both */
	const char *reason; /* what is wrong with it, in its own words */
	enum fault_fate fate;
	const char *held;   /* why nothing is done to it now; NULL: it is cured */
	gint64 until_us;    /* when that may change by time alone (wall); -1: it will not */
	const char *wanted; /* as in struct cure */
	struct origin origin;
};

struct faults_input {
	const struct network *desired;
	struct objects last;
	struct observed *observed;
	const struct cure *cures; /* of the last FAULTS_HISTORY_S at least, in any order */
	size_t n_cures;
	gint64 wall_us;
	/* Which group the slot @path ("edge.fw.vdu.0") belongs to; NULL: the instances of its VDU. */
	const char *(*group_of)(const char *path, struct arena *arena, void *data);
	void *data;
};

struct faults {
	struct arena *arena;
	struct observed *observed; /* what is to be planned on; lives as long as the faults, and longer where it is referenced */
	const struct fault *items; /* by path */
	size_t n;
};

struct faults *faults_find(const struct faults_input *input);
void faults_free(struct faults *faults);
AUTO_DEFINE(faults, faults_free)

/* Why nothing may be done to @key now, or NULL. */
const char *faults_held(const struct faults *faults, const char *key);

/* The fault that a step on @key cures, or NULL. */
const struct fault *faults_cured_by(const struct faults *faults, const char *key);

/* When to look at it all again though nothing happens; -1: never. */
gint64 faults_next_us(const struct faults *faults);
