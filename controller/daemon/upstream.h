/* The remote repository that is kept up with: when to fetch, and what is wrong with it since when.
 *
 * It is asked every poll interval, a little earlier or later each time so that many controllers do not ask at once; after failures
 * ever later, up to UPSTREAM_BACK_OFF_MAX_S. What is wrong is logged when it changes, not at every try.
 *
 * Owner thread.
 */
#pragma once

#include "source/remote.h"

enum { UPSTREAM_BACK_OFF_MAX_S = 300 };

struct upstream;

/* @changed: the mirror's branch may have moved, or upstream_trouble() is another. */
struct upstream *upstream_new(const struct source_address *address, const struct remote_options *options, unsigned poll_s,
			      void (*changed)(void *data), void *data, GError **error);
void upstream_free(struct upstream *upstream);
AUTO_DEFINE(upstream, upstream_free)

const char *upstream_mirror(const struct upstream *upstream);

/* From the next fetch on. */
void upstream_poll_every(struct upstream *upstream, unsigned poll_s);

/* Now, whatever the interval says. */
void upstream_fetch(struct upstream *upstream);

/* Why the last fetch failed, and since when they do (wall time); NULL: it did not. Valid until the next fetch ends. */
const char *upstream_trouble(const struct upstream *upstream, gint64 *ret_since_us);

/* Has a fetch that somebody asked for (or the very first) not ended yet? */
bool upstream_is_awaited(const struct upstream *upstream);
