/* Processes in namespaces, started from this process in about a millisecond: the child shares its memory until it execs (so
 * nothing is copied, and what failed in it is simply written into the request), and it is alone in namespaces of its own.
 */
#pragma once

#include "keeper/cgroup.h"
#include "keeper/root.h"

#include <sys/resource.h>
#include <sys/types.h>

/* Where a child tells what failed. */
struct spawn_fault {
	const char *what; /* NULL: nothing did */
	int errnum;
};

struct spawn_leaf {
	struct root_want root;
	bool ipv6;
	int leaf_fd; /* the program */
	int listen_fd, ready_fd, words_fd;
	int into; /* control group of version 2, or -1 */
	int tasks[CGROUP_N];
	struct rlimit nofile;
	struct spawn_fault fault;
};

/* The first process of a VNFC; its pid, -1 and @error when it could not be started (then nothing is left of it). */
pid_t spawn_leaf(struct spawn_leaf *leaf, GError **error);

struct spawn_command {
	int pid_fd; /* of the VNFC's first process */
	int fds[3];
	int into;
	int tasks[CGROUP_N];
	char *const *argv;
	char *const *envp;
	struct rlimit nofile;
	pid_t pid;
	struct spawn_fault fault;
};

/* A command inside a running VNFC; a child of this process. NOT_FOUND and so on when it could not be run. */
pid_t spawn_command(struct spawn_command *command, GError **error);
