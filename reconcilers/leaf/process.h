/* Starting the programs of a network function, and what is said of how they ended. One thread.
 *
 * Each leads a session and a process group of its own, has /dev/null as its input, a small clean environment and none of our
 * descriptors.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct process_want {
	const char *const *argv;        /* NULL-terminated; the program is found where Debian keeps programs */
	const char *const *environment; /* NULL-terminated, besides PATH, HOME and LANG; or NULL */
	const char *folder;             /* NULL: "/" */
	int output_fd, error_fd;
	/* It inherits what its descendants leave, so that they can be found (leaf/tree.h). Not for software: it may be puzzled by children
	 * that it did not start. */
	bool subreaper;
};

/* Returns when the program has been executed: 0 and @error (PERMANENT) where it could not be. */
pid_t process_start(const struct process_want *want, GError **error);

/* To the whole group; one that is gone is no fault. */
void process_signal(pid_t leader, int signum);

/* "exit status 1", "signal 9 (Killed)". Owned by the caller. */
char *process_exit_text(int status);
int process_exit_status(int status); /* as a shell has it */
