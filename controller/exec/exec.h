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
 * How it is abused: starting a plan while another is in flight (assert; cancel it and wait); reading exec_observed() as the truth
 * about objects that no step touched.
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
	void *data;
};

struct exec;

struct exec_options {
	const struct registry *registry;
	struct pool *pool;
	const struct lookup *lookup;
	struct journal journal;
	unsigned max_parallel_per_site; /* 0: the driver's own limit */
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
gint64 exec_next_wakeup(const struct exec *exec); /* monotonic us; -1: nothing to wait for but the pool */

/* No new operation starts; waits for retries end; what is in flight is told to stop. */
void exec_cancel(struct exec *exec);

bool exec_is_done(const struct exec *exec); /* nothing in flight, nothing that can still become ready */
bool exec_succeeded(const struct exec *exec); /* done, and every step completed */
size_t exec_count(const struct exec *exec, enum op_state state); /* of the current plan's steps */

/* Of a step of the current plan: its last operation, or NULL. */
const struct operation *exec_operation(const struct exec *exec, size_t step);

/* What acts returned, on top of what was observed at the start: a new observed, owned by the caller. */
struct observed *exec_observed(const struct exec *exec);
