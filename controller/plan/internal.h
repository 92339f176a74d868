/* What the files of plan/ share: the plan in the making.
 *
 *     items.c     desired, last, observed and leftovers merged by key, and in which order keys can be decided
 *     decide.c    what becomes of one object
 *     diff.c      its fields
 *     order.c     steps, what each comes after, the order
 *     conflict.c  who takes over what another one still holds
 *     rename.c    "looks like a rename of …"
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

	size_t node, n_nodes;         /* its steps: the one of @action first, if it has one, then those that clean */
};

struct need {
	size_t item;
	bool orders; /* a dependency or the host; else only named by a pending value */
};

struct planner {
	const struct plan_input *input;
	struct arena *arena;
	struct item *items; /* by key */
	size_t n_items;
	GHashTable *index;   /* key to place in @items */
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

/* order.c: fills plan->steps and the counts. */
void order_steps(struct planner *planner, struct plan *plan);

/* conflict.c: calls @found with every item that takes over what a removed one still holds. */
void conflicts(const struct planner *planner, void (*found)(size_t after, size_t before, void *data), void *data);

/* rename.c */
void rename_note(struct planner *planner);

/* fingerprint.c */
void fingerprint(const struct planner *planner, char text[65]);
