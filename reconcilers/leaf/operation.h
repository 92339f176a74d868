/* One lifecycle operation of the network function: a script of its package, run once, within its time. However much it prints, only the
 * end of it is kept.
 *
 *     operation_start() ─► (reaped, its output read, its time over) ─► operation_is_over() ─► operation_result()
 *
 * At most one runs at a time. An operation that ends well may leave processes behind: they are the network function. One that fails, or is
 * given up, leaves none: not even those that made sessions of their own.
 *
 * One thread; time is an argument.
 */
#pragma once

#include "leaf/output.h"
#include "leafproto/leafproto.h"

#include <sys/types.h>

enum {
	OPERATION_TIMEOUT_MS = 60 * 1000,          /* where its NF does not say */
	OPERATION_WORDS_LINES = 5,
};

struct operation_want {
	const struct leaf_nf *nf;
	enum leaf_verb verb;
	const char *package; /* its folder in the VNF */
	const char *new_files; /* $PLEACH_NEW, or NULL */
	pid_t pid;             /* $PLEACH_PID: of the NF's process; 0: it has none now */
};

/* A script that ended, or could not. */
struct operation_result {
	bool good;
	int exit_status; /* as a shell has it; -1: it did not end by itself */
	char *words;     /* how it failed, with what it said last; NULL where it did not */
};

struct operation;

struct operation *operation_new(struct output *output, GError **error);
void operation_free(struct operation *operation);
AUTO_DEFINE(operation, operation_free)

/* @operation is idle. On a fault the result is there at once. */
void operation_start(struct operation *operation, const struct operation_want *want, gint64 now_us);
bool operation_runs(const struct operation *operation);
pid_t operation_pid(const struct operation *operation); /* 0: none */

/* Ends it, when it runs: it is over once it has been reaped. */
void operation_give_up(struct operation *operation);

/* Its process ended; it has been waited for. */
void operation_ended(struct operation *operation, int status);

/* Its time may be over. */
void operation_run(struct operation *operation, gint64 now_us);
gint64 operation_next_us(const struct operation *operation); /* -1: nothing to wait for */

/* Of the last one; owned by @operation until the next begins. */
const struct operation_result *operation_result(const struct operation *operation);

enum { OPERATION_FDS = 2 };
void operation_fds(const struct operation *operation, int ret[OPERATION_FDS]); /* readable: operation_read() */
void operation_read(struct operation *operation);

/* For who goes on after us: both ends of both pipes. */
void operation_pipes(const struct operation *operation, int ret[2 * OPERATION_FDS]);
struct operation *operation_take_over(struct output *output, const int pipes[2 * OPERATION_FDS]);
