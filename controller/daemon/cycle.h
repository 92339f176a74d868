/* The whole loop in one place: source ─► tosca ─► desired ─► observe ─► plan ─► exec ─► report.
 *
 *                 commit seen            looked at              planned              done
 *     IDLE ─► LOADING ─────────► OBSERVING ───────► PLANNING ───────► EXECUTING ──┐
 *       ▲        │  (the observation is kept up to     │ nothing to do,           │
 *       │        │   date by events: then straight on) │ or nothing to be tried   │
 *       └────────┴─────────────────────────────────────┴──────────────────────────┘
 *
 * Level-triggered: what reaches the cycle are hints ("there may be a new commit", "look at this key again"), which only raise flags;
 * one turn at a time is in flight, and the flags say what the next one begins with. Plan and apply repeat until nothing is left.
 * A hint about a newer commit cancels the waits of the turn in flight.
 *
 * One thread: the owner of all state, under the default GMainContext. Loading, looking, planning and acting run on the pool.
 *
 * How it is abused: holding on to what the accessors return across a turn of the main loop (reference it instead).
 */
#pragma once

#include "daemon/drivers.h"
#include "daemon/holds.h"
#include "daemon/last.h"
#include "daemon/monitors.h"
#include "desired/revision.h"
#include "exec/exec.h"
#include "exec/observe.h"

enum cycle_phase {
	CYCLE_IDLE,
	CYCLE_LOADING,
	CYCLE_OBSERVING,
	CYCLE_PLANNING,
	CYCLE_EXECUTING,
};

const char *cycle_phase_name(enum cycle_phase phase);

enum cycle_verdict {
	CYCLE_UNDECIDED, /* no plan was made yet */
	CYCLE_CONVERGED, /* nothing is left to do */
	CYCLE_WORKING,
	CYCLE_STUCK,     /* something failed, is unknown, or cannot be planned: see the plan and the operations */
	CYCLE_HELD,      /* nothing is left to do but what is held */
};

const char *cycle_verdict_name(enum cycle_verdict verdict);

struct cycle_options {
	const struct registry *registry;
	struct store *store;
	struct revision_source source;
	const char *secrets_folder;
	bool destroy;             /* desired is nothing, on the sites of the revision */
	unsigned threads;         /* 0: a default that fits the machine */
	unsigned sample_s;        /* each NF is measured so often; 0: never */
	unsigned resync_s;        /* a full look and another try at what failed, so often; 0: never */
	/* Asked before a plan is carried out; false: it is not, and the cycle is stuck. NULL: every plan is. */
	bool (*approve)(const struct plan *plan, void *data);
	void (*changed)(void *data);                                          /* phase or verdict changed; or NULL */
	void (*operation)(const struct operation *operation, void *data);     /* each change of state; or NULL */
	void *data;
};

struct cycle;

struct cycle *cycle_new(const struct cycle_options *options, GError **error);
/* Starts nothing more and tells what is in flight to stop. Free it when its phase is IDLE. */
void cycle_stop(struct cycle *cycle);
void cycle_set_resync(struct cycle *cycle, unsigned resync_s);     /* from now on; 0: never */
void cycle_free(struct cycle *cycle);
AUTO_DEFINE(cycle, cycle_free)

/* --- hints ----------------------------------------------------------------------------------------------------------------- */

void cycle_load(struct cycle *cycle);                       /* there may be another commit */
void cycle_look(struct cycle *cycle, GPtrArray *keys);      /* something may have changed there; NULL: anywhere. @keys is not kept */
/* The same when nothing happened but time: a network that had converged counts as converged while it is looked at. */
void cycle_look_again(struct cycle *cycle, GPtrArray *keys);
/* Looks at everything and tries again what failed, what is held after a failure too; @key: only that object and what is in it. */
void cycle_sync(struct cycle *cycle, const char *key);

/* --- what is ----------------------------------------------------------------------------------------------------------------- */

/* Everything that reports are made of; owned by the cycle, valid until the main loop turns. */
struct cycle_view {
	enum cycle_phase phase;
	enum cycle_verdict verdict;
	bool refused;                  /* somebody else acts for the owner of the newest commit's sites */
	char *load_error;              /* why the newest commit could not be taken up; NULL: it was */
	struct revision *revision;     /* the one that is kept; NULL: none yet */
	const struct network *network; /* what is desired: of the revision, or nothing (destroy); NULL: no revision yet */
	struct observed *observed;     /* NULL: no look yet */
	struct plan *plan;             /* the newest; NULL: none yet */
	struct exec *exec;             /* its operations, also after it ended */
	struct last *last;
	struct holds *holds;
	struct drivers *drivers;
	struct monitors *monitors;
	struct store *store;
	struct pool *pool;
	gint64 commit_seen_us;         /* monotonic: when the newest load began */
	gint64 rested_us;              /* monotonic: when it last came to rest */
};

const struct cycle_view *cycle_view(const struct cycle *cycle);

/* Idle, or looking again at what had converged; and nothing raised a flag for another turn. A later try at what failed may be waiting. */
bool cycle_is_at_rest(const struct cycle *cycle);

/* At rest, and no time of its own making brings another turn: what is left is held, failed for good, or faulty. */
bool cycle_stays(const struct cycle *cycle);
