/* A batch of measurements, one NF after the other on one worker, so that measuring never takes the pool from acts.
 *
 * Owner thread.
 */
#pragma once

#include "base/pool.h"
#include "contract/call.h"
#include "contract/ems.h"

struct measure_item {
	const char *key, *site, *ems;
	const struct sample *sample; /* NULL: it could not be measured now */
	bool unable;                 /* its driver measures nothing */
};

struct measure {
	struct arena *arena; /* of all samples */
	struct measure_item *items;
	guint n;
};

typedef void (*measure_done_fn)(struct measure *measure, void *data); /* @measure ends when it returns; its arena may be kept */

/* @nfs: const struct object *, as desired; not kept. @observed is held. */
void measure_start(struct pool *pool, const struct lookup *lookup, struct observed *observed, const GPtrArray *nfs, measure_done_fn done,
		   void *data);
