/* The plan: what has to be done so that what is becomes what this commit says, and why, field by field.
 *
 * Pure: no I/O, no clock; same inputs, same bytes. Any thread.
 *
 * The three-way table, for each field, with D desired, L last applied by us, O observed:
 *
 *     D == O                          nothing to do
 *     O unknown                       nothing is planned on it; reported as unknown
 *     D pending                       planned as "known after KEY"
 *     D != O, L == O                  INTENT        the operator asked for a change
 *     D != O, L == D                  DRIFT         somebody changed the network behind the operator's back
 *     D != O, L is another            INTENT_DRIFT  both
 *     D != O, L absent, object new    INTENT        (a field that was never applied on an object that is to be made)
 *     D != O, L absent, object there  UNATTRIBUTED  we have no record (an empty database): not called drift
 *
 * For an object that is desired and not there: never applied: create for INTENT; applied once: create for DRIFT ("gone").
 * For an object that is there with our tag and not desired: applied once or not: remove. (What does not carry our tag never gets
 * here: it is a stranger.)
 *
 * A field that was not fixed by anybody (FIELD_ALLOCATED) is desired as it was last applied. An object whose host (kind.host) is
 * made, replaced or restarted counts as not there. One field that cannot be planned (its expression is faulty, or waits for what
 * never comes) holds up its whole object, because an act needs all fields; an unknown observed field does not.
 *
 * How it is abused: asking for a plan on an observation older than the last act on an object; planning twice without applying and
 * counting both; taking a blind site for an empty one (its objects are UNKNOWN, so nothing is planned on them).
 */
#pragma once

#include "model/network.h"

enum action {
	ACTION_CREATE,
	ACTION_CHANGE,  /* dearest field: metadata or in-place */
	ACTION_RESTART, /* dearest field: restart */
	ACTION_REPLACE, /* the next incarnation; @interrupts says whether the old one must go first */
	ACTION_REMOVE,
	ACTION_CLEAN,   /* a leftover incarnation */
};

enum cause {
	CAUSE_INTENT,
	CAUSE_DRIFT,
	CAUSE_INTENT_DRIFT,
	CAUSE_UNATTRIBUTED,
};

const char *action_name(enum action action); /* "create", "change", "restart", "replace", "remove", "clean" */
const char *cause_name(enum cause cause);    /* "intent", "drift", "intent+drift", "unattributed" */

struct field_change {
	const char *path;
	const struct value *desired, *last, *observed; /* never NULL */
	enum cause cause;
	enum field_cost cost;
	const char *waits_for;  /* key, when @desired is pending; else NULL */
	struct origin origin;   /* of the desired value; where it was taken away: of the object */
};

struct step {
	const char *key, *site;
	enum action action;
	enum cause cause; /* of the step: INTENT where any field has it */
	unsigned incarnation; /* to be made, changed or removed */
	bool interrupts;
	const struct object *desired;  /* NULL for removals; may hold pending values */
	const struct object *last;     /* NULL where there is no record */
	const struct object *observed; /* NULL where it is not there, or only its incarnation is known (CLEAN of a leftover) */
	const struct field_change *changes; /* in path order */
	size_t n_changes;
	const size_t *after; /* indices of steps that must have completed before, ascending */
	size_t n_after;
	const char *held;    /* why it is not to be done now ("suspended by anna until 22:00: migration"), or NULL; drift is reported all the same */
	const char *note;    /* "looks like a rename of vnfc/…", "its VNFC is replaced", "moves from site …", or NULL */
};

/* A field that differs but on which nothing is planned. */
struct unplanned {
	const char *key, *path; /* path NULL: the whole object */
	const char *reason;     /* "unknown: site berlin cannot be looked at: connection refused" */
	struct origin origin;
	bool advisory;          /* its object is there and was seen, only this field cannot be told on its site: converged all the same */
};

struct plan {
	struct arena *arena;
	const char *revision;
	const struct step *steps; /* in an order in which they could be done one by one; stable */
	size_t n_steps;
	const struct unplanned *unplanned;
	size_t n_unplanned;
	size_t n_held; /* steps with @held, or that come after such a one: exec leaves them alone; with them the network has not converged */
	size_t n_open; /* unplanned entries that are not advisory: with them the network has not converged */
	size_t creates, changes, replaces, removes; /* RESTART counts as change, CLEAN as remove */
	const struct known *known; /* plan/'s own: what it was made from, for the next plan and the fingerprint; NULL: from nothing */
};

enum { PLAN_FINGERPRINT_SIZE = 65 };

struct plan_input {
	const struct network *desired;
	struct objects last; /* as last applied, each field with what was applied; n 0: no record */
	struct arena *last_arena; /* of @last, held by the plan; NULL: the caller keeps @last for as long as the plan lives */
	const struct observed *observed;
	/* Capabilities of the driver that keeps @kind on @site, or NULL. May itself be NULL. */
	const struct caps *(*caps)(const char *site, const struct kind *kind, void *data);
	/* Why nothing may be done to @key now; NULL: nothing holds it. The text lives as long as @arena. May itself be NULL. */
	const char *(*held)(const char *key, struct arena *arena, void *data);
	void *data;
	/* The plan before this one, or NULL. It only makes this one quicker: what it found nothing to be done about, and what still is the
	 * same objects (by pointer), is not compared again. It is not kept. */
	const struct plan *former;
};

/* Never fails on well-formed input; faults of late evaluation (a template's unknown name) become unplanned entries. The plan
 * holds references to the arenas of its inputs. */
struct plan *plan_make(const struct plan_input *input);
struct plan *plan_ref(struct plan *plan);
void plan_unref(struct plan *plan);
AUTO_DEFINE(plan, plan_unref)

/* Digest, in hex, of the managed fields of desired and observed (never of volatile ones). It reads all of them. */
void plan_fingerprint(const struct plan *plan, char text[PLAN_FINGERPRINT_SIZE]);

const struct step *plan_step(const struct plan *plan, const char *key); /* the first of that key, or NULL */

/* The value of a field in @observed, for expr_eval: what plan and exec resolve pending values against. @data: const struct
 * observed *. */
const struct value *plan_lookup(const char *key, const char *path, void *data);
