/* Execution of a plan: what is ready, in which order, how often again, and what is written down before and after.
 *
 * One thread (the owner of all state) calls everything here; driver calls run on the pool. Time is an argument.
 *
 *     plan ─► exec_start ─► ready queue ─► journal: PROCESSING ─► pool: kind_ops.act ─► journal: outcome ─► exec_is_done
 *
 * Nothing happens before it is written down: all operations that one turn starts share one transaction, and only when it is on disk
 * are they handed to the pool. An operation that was PROCESSING when the controller died is closed as CANCELLED ("interrupted") at
 * the next start, and its object observed before anything else is planned for it.
 *
 * A plan is worked on in one round, and a round ends: what fails for a time is tried EXEC_TRIES_PER_ROUND times (with back-off) and
 * then left, so that the owner looks and plans again instead of insisting on an old picture. Where it is not known what happened
 * (TIMEOUT, CANCELLED by the far side) there is no second try before a look at all. The back-off goes on over rounds: an exec
 * remembers, by key, how often its step failed and until when to leave it alone. What failed for good (PERMANENT, INVALID,
 * UNSUPPORTED) is not tried again in later rounds until its desired or observed fields have changed, or exec_forget(). After a round:
 *
 *     exec_is_done ─┬─ exec_succeeded: converged, or the next round of pending values
 *                   └─ else: observe and plan again at exec_next_look() at the latest (-1: only when something changes)
 *
 * A repair that completes is no failure, but one that comes again and again is: what was made anew (REPLACE or CREATE of what had been
 * there already, not for INTENT) and has to be within EXEC_WELL_S after that, waits like a failure does, longer each time:
 *
 *     repair ─► COMPLETED ─┬─ stayed well for EXEC_WELL_S, or something else is desired, or exec_forget(): the next repair is at once
 *                          └─ else: the next one is FAILED_TEMP without an act ("has to be replaced again 3.0 s after it was made; next
 *                                   try in 4.0 s"), and after the back-off STARTING, as after a failure
 *
 * What is put right in place (CHANGE, RESTART) and comes back within EXEC_WELL_S waits like that too, but only after
 * EXEC_REPAIRS_AT_ONCE of them: somebody who edits by hand is put right at once, a far side that reports a field wrongly for ever is not
 * worked on without a pause.
 *
 * What lives inside another object and is made anew with it waits with it and is not counted by itself.
 *
 * Steps that the plan says are held are left alone: no operation begins for them, and their failures wait for no time. A plan of which
 * every step is held is done as soon as it is taken up.
 *
 * AUTH counts as what fails for a time: what mends it (a secret) is seen neither in desired nor in observed.
 *
 * How it is abused: starting a plan while another is in flight (assert; cancel it and wait); reading exec_observed() as the truth
 * about objects that no step touched; taking exec_is_done() for success.
 */
#pragma once

#include "base/pool.h"
#include "contract/reconciler.h"
#include "plan/operation.h"

/* Where operations are written down; daemon/ wires it to the store. Functions return false when nothing could be written: then
 * nothing is begun. */
struct journal {
	bool (*begin)(void *data);  /* a transaction */
	bool (*record)(void *data, const struct operation *operation);
	/* What of @object is now applied: fields with their values; NULL object: the key is gone. Part of the same transaction. */
	bool (*applied)(void *data, const char *key, const struct object *object, const struct operation *operation);
	bool (*commit)(void *data); /* on disk when it returns */
	void (*rollback)(void *data); /* called when one of the others failed after begin(); or NULL */
	void *data;
};

/* Tries at one step within a round, and after that the owner is to look again. */
enum { EXEC_TRIES_PER_ROUND = 3 };

/* Tries at taking something away that ends with its host, which is to go as well; then the host goes without: neither a script that fails
 * nor a far side that does not answer, or does not want to, keeps it. */
enum { EXEC_FAREWELLS = 3 };

/* What kept so long after a repair is well: its repairs are counted anew. */
enum { EXEC_WELL_S = 60 };

/* So many repairs in place of one object, each within EXEC_WELL_S of the one before, are done without waiting. */
enum { EXEC_REPAIRS_AT_ONCE = 5 };

struct exec;

struct exec_options {
	const struct registry *registry;
	struct pool *pool;
	const struct lookup *lookup;
	struct journal journal;
	/* All calls under way on one site, to its VIM and its EMSs together; 0: no limit but those of the drivers (caps.max_parallel,
	 * which hold for each driver of the site by itself, in any case). */
	unsigned max_parallel_per_site;
	gint64 timeout_us;              /* of one act; 0: 60 s */
	gint64 backoff_min_us, backoff_max_us; /* 0: 500 ms, 60 s */
	guint32 (*random)(void *data);  /* jitter */
	gint64 (*wall)(void *data);     /* wall clock, recorded only */
	void (*progress)(const struct operation *operation, void *data); /* at every change of state; or NULL */
	void *data;
};

struct exec *exec_new(const struct exec_options *options);
void exec_free(struct exec *exec); /* nothing may be in flight */
AUTO_DEFINE(exec, exec_free)

/* Takes up a plan. @observed is what it was made from; pending values are resolved against it and against what acts return. */
void exec_start(struct exec *exec, struct plan *plan, struct observed *observed, gint64 now_us);

/* Starts what is ready; collects nothing by itself (pool_dispatch() does). Call it after every pool_dispatch() and at every wakeup. */
void exec_run(struct exec *exec, gint64 now_us);

/* When exec_run() has to be called even if the pool has nothing to dispatch: the end of a back-off, or the next try at a journal that
 * could not be written. */
gint64 exec_next_wakeup(const struct exec *exec); /* monotonic us; -1: nothing to wait for but the pool */

/* No new operation starts; waits for retries end; what is in flight is told to stop. */
void exec_cancel(struct exec *exec);

/* The journal cannot be written at the moment: nothing is begun, outcomes are kept, and exec_run() tries again by itself. */
bool exec_journal_failed(const struct exec *exec);

/* Monotonic us when to observe and plan again for what failed for a time, once the round is done; -1: time alone mends nothing. */
gint64 exec_next_look(const struct exec *exec);

/* Before the first plan: @operation failed for good in an earlier life, and is not to be tried again until its @wanted or @seen changes. */
void exec_remember(struct exec *exec, const struct operation *operation);

/* Forgets the failures and repairs of @key (NULL: of all), so that the next plan's step is tried at once. */
void exec_forget(struct exec *exec, const char *key);

bool exec_is_done(const struct exec *exec); /* nothing in flight, nothing that can still become ready */
bool exec_succeeded(const struct exec *exec); /* done, and every step completed but those that are held */
size_t exec_count(const struct exec *exec, enum op_state state); /* of the current plan's steps */

/* Of a step of the current plan: its last operation, or NULL. */
const struct operation *exec_operation(const struct exec *exec, size_t step);

/* What acts returned, on top of what was observed at the start: a new observed, owned by the caller. */
struct observed *exec_observed(struct exec *exec);
