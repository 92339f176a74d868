/* The operation: one try at one step of a plan, as exec/ runs it and store/ writes it down.
 *
 * The states of an operation are those of an LCM operation occurrence (ETSI GS NFV-SOL003, 5.6.2.2):
 *
 *     STARTING ─► PROCESSING ─┬─► COMPLETED
 *        ▲            │       ├─► FAILED_TEMP ──(back-off over)──► STARTING
 *        │            │       ├─► FAILED            (PERMANENT, INVALID, UNSUPPORTED: until desired or observed changes)
 *        └────────────┴───────┴─► CANCELLED         (a newer plan, or the end of the controller)
 *
 * An operation that was PROCESSING when the controller died is closed as CANCELLED ("interrupted") at the next start.
 */
#pragma once

#include "plan/plan.h"

enum op_state {
	OP_STARTING,
	OP_PROCESSING,
	OP_COMPLETED,
	OP_FAILED_TEMP,
	OP_FAILED,
	OP_CANCELLED,
};

const char *op_state_name(enum op_state state); /* "STARTING", "PROCESSING", … */

/* One try at one step. */
struct operation {
	const char *id;        /* unique for ever: "REVISION8-NUMBER" */
	const char *key, *site;
	const char *revision;
	enum action action;
	enum cause cause;
	unsigned incarnation;
	unsigned attempt;      /* from 1 */
	enum op_state state;
	gint64 wall_us;        /* when it entered this state */
	const char *error_code, *error; /* FAILED_TEMP, FAILED, CANCELLED; else NULL */
	const char *wanted, *seen; /* FAILED: digests of what was to be done and of what was there: it is held until one changes; else NULL */
	const struct step *step;
};
