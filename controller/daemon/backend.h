/* What the API is told: the cycle's view as the input of reports, and the operator's commands. */
#pragma once

#include "api/api.h"
#include "daemon/cycle.h"

struct backend {
	struct cycle *cycle;
	/* Called before status is told: a push that came a moment ago must already count. May be NULL. */
	void (*refresh)(void *data);
	void *data;
	const char *source_trouble; /* what is wrong with the branch that is watched, or NULL */
};

/* @backend must outlive the API that it is given to. */
struct api_backend backend_of(struct backend *backend);
