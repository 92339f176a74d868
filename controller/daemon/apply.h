/* One full reconcile in the calling process, without pleachd: what `pleach apply` does.
 *
 * Blocks until the network has converged, nothing more can be done, the time is over, or SIGINT or SIGTERM came. What was begun is
 * written down; the next run, or a pleachd on the same state folder, goes on from there.
 */
#pragma once

#include "daemon/cycle.h"

struct apply_options {
	const struct registry *registry;
	struct revision_source source;
	const char *state_folder;
	bool destroy;
	bool approves; /* it may take away all that is on a site; @destroy says so by itself */
	const char *fingerprint; /* of a saved plan: refuse when desired or observed have moved since; NULL: none */
	unsigned timeout_s;
	void (*loaded)(const struct revision *revision, void *data);
	void (*planned)(const struct plan *plan, void *data); /* each round's, before it is carried out */
	void (*operation)(const struct operation *operation, void *data);
	void *data;
};

enum apply_end {
	APPLY_CONVERGED,
	APPLY_STUCK,
	APPLY_HELD, /* nothing was left to do but what is suspended, or waits to be approved */
	APPLY_TIMEOUT,
	APPLY_INTERRUPTED,
};

/* False and @error when nothing could be begun. @ret_reason: the first thing that stands in the way, the caller's, or NULL. */
bool apply_run(const struct apply_options *options, enum apply_end *ret_end, char **ret_reason, GError **error);
