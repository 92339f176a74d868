/* What the files of plan/ share: the plan in the making.
 *
 *     known.c     desired, last, observed merged by key; what is as it was when the former plan was made
 *     items.c     what is left to be decided, and in which order
 *     decide.c    what becomes of one object
 *     diff.c      its fields
 *     policy.c    what the policies of drift make of it
 *     order.c     steps, what each comes after, the order
 *     conflict.c  who takes over what another one still holds
 *     turns.c     instances of one VDU one after another
 *     rename.c    "looks like a rename of …"
 *     hold.c      what is not to be done now
 *     fingerprint.c
 */
#pragma once

#include "plan/plan.h"

#include <stdint.h>

#define NO_ITEM SIZE_MAX
#define NO_NODE SIZE_MAX

enum fate {
	FATE_OPEN,    /* not decided yet */
	FATE_NONE,    /* as it should be, or not ours to decide */
	FATE_STEP,    /* has a step */
	FATE_BLOCKED, /* should have one, and an unplanned entry says why it has none */
};

/* One key in all that is known of it. */
struct item {
	const char *key;
	const struct kind *kind;
	const struct object *desired, *last, *observed;
	const struct leftover *const *leftovers; /* by site, then incarnation */
	size_t n_leftovers;
	size_t host;                  /* item that ends this one with it; or NO_ITEM */
	size_t first_need, n_needs;   /* into planner.needs: depends, host, and what pending values name */
	bool needs_missing;           /* and one of those is nowhere */
	const struct caps *caps;

	enum fate fate;
	enum action action;
	enum cause cause;
	unsigned incarnation;
	bool interrupts;
	const char *note;
	const struct field_change *changes;
	size_t n_changes;
	const size_t *waits;          /* items that pending values wait for */
	size_t n_waits;

	const struct drift_rule *reported; /* its step is drift that is only told; or NULL */
	bool ignored;                 /* it has drifted, and that is nobody's business */
	size_t node, n_nodes;         /* its steps: the one of @action first, if it has one, then those that clean */
	size_t known;                 /* its place in known.rows */
};

struct need {
	size_t item;
	bool orders; /* a dependency or the host; else only named by a pending value */
};

/* What a plan remembers of each key, so that the next plan need not look at it again.
 *
 * Objects never change, so the same pointer is the same object. A key is *quiet* when nothing was to be done or said about it and it
 * has no leftovers. What was decided about a key hangs on its three objects, on its leftovers, on whether its service is faulty and
 * its site blind, and on the keys that it needs (depends, host, what its pending values name), in the same way; and on the policies of
 * drift: where those are others, nothing is taken over. So a key that was quiet
 * in the former plan, where all of this is the same and all that it needs is taken over too, is quiet now: no field of it is compared.
 * The former plan keeps its inputs alive until this one is made: no address can have come to stand for another object meanwhile. */
struct known_row {
	const char *key;
	const struct object *desired, *last, *observed;
	guint32 first_need, n_needs; /* into @needs */
	bool quiet;
};

struct known {
	struct known_row *rows; /* by key */
	size_t n_rows;
	guint32 *needs; /* places in @rows */
	size_t n_needs;
	const struct leftover *const *leftovers; /* by key, site, incarnation; each once */
	size_t n_leftovers;
	/* of the inputs */
	const char *const *faulty;
	size_t n_faulty;
	const char *const *blind;
	size_t n_blind;
	const struct drift_rule *drift;
	size_t n_drift;
};

struct planner {
	const struct plan_input *input;
	struct arena *arena;
	struct known *known;
	struct item *items;  /* those to be decided, by key; behind @n_items those that were looked up though they are quiet */
	size_t n_items, n_quiet;
	struct items_index *index;
	GArray *needs;       /* of struct need */
	GHashTable *faulty;  /* services whose descriptor is faulty, without the dot; or NULL */
	GArray *unplanned;   /* of struct unplanned */
	GArray *changes;     /* of struct field_change: of the object at hand */
	GArray *waits;       /* of size_t: of the object at hand */
	GPtrArray *keys;     /* of the value at hand */
	struct {
		const char *site;
		const struct kind *kind;
		const struct caps *caps;
	} caps_of;
};

/* known.c */
/* Merges the inputs; marks as quiet what is taken over of @former (NULL: nothing). */
void known_make(struct planner *planner, const struct known *former);
size_t known_find(const struct known *known, const char *key); /* or NO_ITEM */
/* Once all is decided: what of it the next plan may take over. */
void known_settle(struct planner *planner);

/* items.c */
void items_make(struct planner *planner);
void items_drop(struct planner *planner);
size_t items_find(const struct planner *planner, const char *key); /* or NO_ITEM */

/* Every item once, those that it needs before it where that can be. Owned by the caller. */
size_t *items_resolution(const struct planner *planner);

/* decide.c */
void decide(struct planner *planner, struct item *item);
bool item_is_forward(const struct item *item); /* has a step that makes or changes it */
bool item_is_faulty(const struct planner *planner, const struct item *item);
bool item_is_dead(const struct item *item); /* there, but known not to run */

void unplanned_add(struct planner *planner, const struct item *item, const char *path, struct origin origin, const char *format,
		   ...) G_GNUC_PRINTF(5, 6);

/* diff.c: leave their finding in planner.changes and planner.waits. False: a field cannot be planned, and an unplanned entry says
 * why. */
bool diff_create(struct planner *planner, const struct item *item);
bool diff_update(struct planner *planner, const struct item *item);

/* policy.c: of an object that is gone, and of planner.changes, what becomes of it. REPORT: item.reported is set, and what is ignored is no
 * longer among the changes. A step that is not drift alone is done as a whole. */
enum drift_mode policy_of_gone(const struct planner *planner, struct item *item);
enum drift_mode policy_of_changes(struct planner *planner, struct item *item);
bool policy_lets_stand(const struct item *item); /* has a step that will not be done, and nothing ends by that */

/* order.c: fills plan->steps and the counts. */
void order_steps(struct planner *planner, struct plan *plan);

/* conflict.c: calls @found with every item that takes over what a removed one still holds. */
void conflicts(const struct planner *planner, void (*found)(size_t after, size_t before, void *data), void *data);

/* turns.c: calls @found with every two items where one's turn comes after the other's. */
void turns(const struct planner *planner, void (*found)(size_t after, size_t before, void *data), void *data);

/* rename.c */
void rename_note(struct planner *planner);

/* hold.c: gives steps, which stand in their order, the reason why they are held. How many are. What comes after drift that is only
 * reported comes after it no more, where the object stands. */
size_t hold_steps(const struct planner *planner, struct step *steps, size_t n);

