/* The look: asks every site's VIM and every NF's EMS what is there, in parallel, and makes one `struct observed` of it.
 *
 * Blocking work on the pool, result on the owner thread. A site that cannot be looked at is blind: the objects that are desired or
 * were last applied there are in the result with every field UNKNOWN.
 *
 * A VIM is asked about its whole site, once; the kinds that live inside another (nf) are asked in chunks, all over the pool, for each
 * is a request of its own. A partial look (@keys and @before) asks the VIMs of the sites that the keys are on, and only those NFs that
 * are among the keys, or whose VNFC is, or whose VNFC is not what it was; all else is carried over from @before. Keys that nobody
 * knows make it look at every site.
 *
 * Several incarnations of one key: the highest that runs, else the highest, is the object; the others are leftovers.
 */
#pragma once

#include "base/pool.h"
#include "contract/reconciler.h"
#include "plan/plan.h"

struct observe_input {
	const struct registry *registry;
	struct pool *pool;
	const struct lookup *lookup;
	const struct network *desired; /* its sites are looked at, and the sites of @last */
	const struct site *const *more_sites; /* sites that only last applied objects are on */
	size_t n_more_sites;
	struct objects last;
	const struct observed *before; /* with @keys: what is not asked about is carried over from here; NULL: everything is asked */
	const char *const *keys;       /* look only at these (sorted) and what hangs on them; NULL: everything */
	size_t n_keys;
	int cancel_fd;
	gint64 deadline_us;
	gint64 wall_us;
};

typedef void (*observe_done_fn)(struct observed *observed, void *data); /* owns @observed */

/* @input's pointers must live until @done. */
void observe_start(const struct observe_input *input, observe_done_fn done, void *data);

/* The same, at once, on this thread, for command lines and tests. */
struct observed *observe_now(const struct observe_input *input);
