/* What holds: why nothing is to be done to an object now. One mechanism with three sources:
 *
 *     the operator          pleach suspend KEY|--site NAME|--all: kept in the store, with who, why, since when and until when
 *     a dangerous revision  would remove every object of a site that has any: its removals wait for `pleach approve REVISION`
 *     the fault monitor     what it gave up on for a while (ems/faults.h); planning.c asks it after this
 *
 *     holds_check_new() ─► plan_input.held = holds_check_reason ─► step.held ─► exec leaves it alone, reports say why
 *
 * Holds change on the owner thread. A check is what one plan is made with: what holds at this moment and what the plan is made from, so
 * that a worker can ask it. Drift goes on being reported: a hold is about acts only.
 *
 * How it is abused: changing holds without planning again (holds_on_change() tells when).
 */
#pragma once

#include "store/store.h"

struct holds;

/* Reads what the store has; what has expired meanwhile is dropped, with its event. @store outlives it. */
struct holds *holds_new(struct store *store, GError **error);
void holds_free(struct holds *holds);
AUTO_DEFINE(holds, holds_free)

/* Called after each change, expiry too: plan again. */
void holds_on_change(struct holds *holds, void (*changed)(void *data), void *data);

/* --- the operator ------------------------------------------------------------------------------------------------------- */

enum { HOLD_REASON_MAX_BYTES = 1024, HOLD_TARGET_MAX_BYTES = 512 };

/* @target: HOLD_ALL, "site/NAME", a key, the beginning of one ("edge", "vnf/edge.fw"), or a pattern of key_matches(). One that is there
 * already is replaced. @until_us: wall clock; 0: until resumed. INVALID with what is wrong. */
#define HOLD_ALL "**"
bool holds_suspend(struct holds *holds, const struct store_hold *hold, GError **error);
/* NOT_FOUND when @target itself is not suspended; the text names what holds it then, if anything does. */
bool holds_resume(struct holds *holds, const char *target, const char *who, gint64 wall_us, GError **error);
/* Does one end by itself? */
bool holds_one_expires(const struct holds *holds);
/* What is suspended, in @arena, by target. */
const struct store_hold *holds_list(const struct holds *holds, struct arena *arena, size_t *ret_n);

/* --- dangerous revisions ------------------------------------------------------------------------------------------------ */

/* From now on @revision may take away all that is on a site; kept in the store. */
bool holds_approve(struct holds *holds, const char *revision, const char *who, gint64 wall_us, GError **error);
/* For who decides without a controller (pleach apply): every revision may, as long as this process lives. */
void holds_approve_all(struct holds *holds);

/* --- plans -------------------------------------------------------------------------------------------------------------- */

struct holds_check;

/* What @network, @last and @observed are made of must outlive it; @holds need not. @network's revision is the one that may be dangerous. */
struct holds_check *holds_check_new(const struct holds *holds, const struct network *network, struct objects last,
				    const struct observed *observed);
void holds_check_free(struct holds_check *check);
AUTO_DEFINE(holds_check, holds_check_free)

/* Why nothing may be done to @key now, or NULL; in @arena. Any one thread. */
const char *holds_check_reason(struct holds_check *check, const char *key, struct arena *arena);

/* A site that the revision of a check would empty. */
struct holds_danger {
	const char *site;
	size_t n;      /* objects there */
	bool approved;
};
/* Valid as long as the check. Any one thread. */
const struct holds_danger *holds_check_dangers(struct holds_check *check, size_t *ret_n);
