/* Worker threads for what blocks: drivers, loading, planning.
 *
 * The owner thread submits; a worker runs work(); the owner thread gets done() when it dispatches. The pool is over pthreads alone,
 * so that ThreadSanitizer understands it. Jobs start in the order of submission.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct pool;

typedef void (*pool_fn)(void *data);

struct pool *pool_new(size_t n_threads);

/* Runs what was submitted to the end (done() included), joins the threads, frees the pool. Owner thread only. */
void pool_free(struct pool *pool);

/* @work runs on a worker, then @done (may be NULL) runs inside pool_dispatch() on the owner thread. @data is the caller's. */
void pool_submit(struct pool *pool, pool_fn work, pool_fn done, void *data);

int pool_fd(const struct pool *pool); /* readable when pool_dispatch() has something to do */
void pool_dispatch(struct pool *pool);
size_t pool_pending(const struct pool *pool); /* submitted, done() not yet called */
