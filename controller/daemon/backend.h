/* What the API is told: the cycle's view as the input of reports, and the operator's commands. */
#pragma once

#include "api/api.h"
#include "daemon/logs.h"

struct backend {
	struct cycle *cycle;
	struct logs *logs;
	/* Called before status is told: a push that came a moment ago must already count. May be NULL. */
	void (*refresh)(void *data);
	void *data;
	/* Called by sync: what is on another machine is fetched now. May be NULL. */
	void (*fetch)(void *data);
	const char *source_trouble; /* what is wrong with the branch that is watched, or NULL */
	bool awaited;               /* a fetch that was asked for is under way: nothing is settled */
	gint64 load_error_wall_us;  /* since when the newest commit cannot be taken up */
};

/* @backend must outlive the API that it is given to. */
struct api_backend backend_of(struct backend *backend);
