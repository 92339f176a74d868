/* All that is known of every object, side by side, and what condition that adds up to: what status, drift and explain are told
 * from.
 *
 * Made anew for each report; points into the report's input.
 */
#pragma once

#include "report/report.h"
#include "report/writer.h"

enum condition {
	CONDITION_READY,
	CONDITION_CREATING,
	CONDITION_CHANGING, /* in place, restart or replacement under way */
	CONDITION_REMOVING,
	CONDITION_WAITING,  /* to be done, not begun */
	CONDITION_DRIFTED,  /* changed behind the operator's back, not yet being put right */
	CONDITION_RETRYING, /* failed, and is tried again */
	CONDITION_FAILED,
	CONDITION_HELD,     /* differs, but nothing is planned on it, or what is planned is held */
	CONDITION_UNKNOWN,  /* cannot be looked at */
};

enum { CONDITIONS = CONDITION_UNKNOWN + 1 };

const char *condition_name(enum condition condition); /* "Ready", "Creating", … */
enum mark condition_mark(enum condition condition);
unsigned condition_gravity(enum condition condition); /* 0: ready */

struct entry {
	const char *key;
	const struct kind *kind;
	const char *site;
	const struct object *desired, *last, *observed;
	const struct step *step; /* of the plan; NULL: nothing to do */
	const struct unplanned *unplanned; /* the first */
	const struct operation *operation; /* of the step */
	enum condition condition;
	const char *reason;    /* or NULL */
	const char *waits_for; /* key, or NULL */
	bool gone;             /* neither desired nor there any more: not shown */
	struct entry *next;    /* the next VNFC of the same VNF */
};

/* A VNF: what its VNFCs add up to. */
struct aggregate {
	const char *key; /* vnf/… */
	struct entry *first, *last; /* its VNFCs, in the order of their keys */
	size_t wanted, ready;
	enum condition condition; /* the gravest */
	const char *reason, *culprit; /* key of the entry that is to blame, or NULL */
};

struct view {
	const struct report_input *input;
	struct arena *arena;
	struct entry *entries; /* by key */
	size_t n;
	struct aggregate *aggregates; /* by key */
	size_t n_aggregates;
	GHashTable *index; /* key → entry */
};

struct view *view_new(const struct report_input *input);
void view_free(struct view *view);
AUTO_DEFINE(view, view_free)

/* The last operation of @key in the plan's execution, or NULL. */
const struct operation *input_operation(const struct report_input *input, const char *key);

struct entry *view_find(const struct view *view, const char *key);
const struct aggregate *view_aggregate(const struct view *view, const char *key);

/* "edge.fw" of "vnfc/edge.fw.vdu.0". */
const char *view_vnf_path(struct arena *arena, const char *vnfc_key);

/* --- words that several reports use ------------------------------------------------------------------------------------- */

enum mark action_mark(enum action action);

/* @before @text @after, or "" where @text is NULL or empty. In the arena. */
const char *around(struct arena *arena, const char *before, const char *text, const char *after);

static inline const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* "fw.yaml:12", or "" where it is not set. In the arena. */
const char *origin_text(struct arena *arena, struct origin origin);

/* "commit 1a2b3c4d5e6f", "the working tree", or "nothing". */
const char *revision_text(struct arena *arena, const char *revision);

/* "cp.lan.mtu: 1400 -> 1500   (in-place, drift, fw.yaml:9)"; @creates: "cp.lan.mtu: 1500   (fw.yaml:9)". */
const char *change_text(struct arena *arena, const struct step *step, const struct field_change *change);
const char *desired_text(struct arena *arena, const struct step *step, const struct field_change *change); /* "known after KEY" too */

/* A value of the field @path of @key, with the field's unit: "64 MB". In the arena. */
const char *field_text(struct arena *arena, const char *key, const char *path, const struct value *value);
void write_change(struct writer *writer, const struct field_change *change);
/* For people: of a text of several lines (a configuration file), what changes in it from @from to @to. */
void write_text_diff(struct writer *writer, const struct value *from, const struct value *to);

/* Is @key asked for: is it @only (a key, "service/NAME", NULL: everything) or part of that? */
bool is_asked_for(struct arena *arena, const char *only, const char *key);

/* "10.0.0.5 (lan), 10.0.1.2 (wan)" of a VNFC, what it is now. "" where it has none. */
const char *addresses_text(struct arena *arena, const struct object *object);

/* RFC 3339; "" for 0. In the arena. */
const char *time_text(struct arena *arena, gint64 wall_us);

/* What the plan was compared with: "the live network observed at TIME". */
const char *against_text(struct arena *arena, const struct report_input *input);

/* "3 s ago" */
const char *ago_text(struct arena *arena, const struct report_input *input, gint64 wall_us);

/* "12 ms", "1.2 s", "3 min". In the arena. */
const char *duration_text(struct arena *arena, gint64 us);

/* "suspended": what the operator holds; only what is about @key on @site, where they are not NULL. @heading: of the section, for people;
 * NULL: none. How many. */
size_t write_holds(struct writer *writer, struct arena *arena, const struct report_input *input, const char *key, const char *site,
		   const char *heading);

/* "edge: by anna until 2026-…: the racks are moved". In the arena. */
const char *hold_text(struct arena *arena, const struct store_hold *hold);

void write_event(struct writer *writer, const char *name, const struct store_event *event);

void write_operation(struct writer *writer, const char *name, const struct operation *operation);
