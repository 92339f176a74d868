/* The processes that come from us, as /proc shows them now: whom to end with what, and what they use together. One thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

struct tree_process {
	pid_t pid, parent;
	bool zombie;
	gint64 cpu_us;    /* its own, and that of its children that ended and were waited for */
	gint64 mem_bytes; /* resident */
};

/* All that is under @root, not itself, parents before their children. Owned by the caller. */
GArray *tree_under(pid_t root);

/* Ends everything under @leader and it, however many sessions they made: @leader is stopped first, and, being their subreaper, inherits
 * what is orphaned meanwhile. It is left to be waited for. */
void tree_kill(pid_t leader);
