/* The network function of this VNF: what is wanted of it, what it is, and the steps from one to the other.
 *
 * Level-triggered: every change (a request, a child that ended, a time that came) only changes what is known; supervisor_run()
 * then does what is to be done next. States: leafproto/leafproto.h.
 *
 *     supervisor_put() ─► files in place ─► supervisor_run(): ends what must not run, starts what must ─► supervisor_status()
 *
 * A process that ends by itself is started again after a back-off that doubles from RESTART_MIN_MS to RESTART_MAX_MS and begins
 * anew once the process has lived for STEADY_MS. Time is an argument. One thread.
 */
#pragma once

#include "leaf/output.h"
#include "leafproto/leafproto.h"

enum {
	SETTLE_MS = 150,        /* a start counts as good when the process has lived through so much */
	STOP_GRACE_MS = 5000,   /* from SIGTERM to SIGKILL */
	END_GRACE_MS = 2000,    /* the same, when the whole VNF ends: its VIM waits */
	RESTART_MIN_MS = 100,
	RESTART_MAX_MS = 30000,
	STEADY_MS = 10000,
};

struct supervisor;

struct supervisor *supervisor_new(gint64 now_us, GError **error);
void supervisor_free(struct supervisor *supervisor); /* no process may be left: supervisor_end() first */
AUTO_DEFINE(supervisor, supervisor_free)

/* Takes up a desired NF (checked): files are put in place at once, the process follows. Nothing changed: nothing is touched, but
 * one that waits for its back-off is tried at once. @arena holds @nf; it is referenced. On a fault the former NF is in force.
 * CONFLICT: another NF is here. RETRY: the VNF ends. */
bool supervisor_put(struct supervisor *supervisor, struct arena *arena, const struct leaf_nf *nf, gint64 now_us, GError **error);

/* The NF is to go: its process, then its files. Absent is success. CONFLICT: it is not @key (NULL: any). */
bool supervisor_delete(struct supervisor *supervisor, const char *key, GError **error);

/* The VNF is to end. */
void supervisor_end(struct supervisor *supervisor, gint64 now_us);
bool supervisor_has_ended(const struct supervisor *supervisor); /* supervisor_end() was called and no process is left */

/* Children may have ended. */
void supervisor_reap(struct supervisor *supervisor, gint64 now_us);

int supervisor_output_fd(const struct supervisor *supervisor); /* readable: supervisor_read() */
void supervisor_read(struct supervisor *supervisor);           /* takes a bounded amount */

/* Does what is due; call it after any of the above and at supervisor_next_us() (-1: nothing to wait for). */
void supervisor_run(struct supervisor *supervisor, gint64 now_us);
gint64 supervisor_next_us(const struct supervisor *supervisor);

/* What is, files as they are on disk now; in @arena. */
const struct leaf_status *supervisor_status(struct supervisor *supervisor, struct arena *arena, gint64 now_us);
const struct output *supervisor_output(const struct supervisor *supervisor);
