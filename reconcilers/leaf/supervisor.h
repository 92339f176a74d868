/* The network function of this VNF: what is wanted of it, what it is, and the way from one to the other (leaf/internal.h: its parts).
 *
 * Level-triggered: every event (a request, a child that ended, a time that came) only changes what is known; supervisor_run() then does
 * what is to be done next. A change takes steps, one after the other, each seen to succeed before the next:
 *
 *     nothing there      create ─► files ─► check ─► in place ─► configure ─► start ─► healthy
 *     files, inputs      files ─► check ─► in place ─► configure ─► reload, or stop and start ─► healthy
 *     package            stop ─► create ─► files ─► check ─► in place ─► configure ─► start ─► healthy
 *     command            stop ─► start ─► healthy
 *     it is to go        stop ─► delete ─► files and packages taken away
 *                             │ fails
 *                             ├─ before anything was touched ─► the former is in force, untouched
 *                             ├─ with a former that worked ───► its files, package and command back, running again
 *                             └─ else ────────────────────────► it stays as it failed
 *
 * States: leafproto/leafproto.h. A process that ends by itself is started again after a back-off that doubles from RESTART_MIN_MS to
 * RESTART_MAX_MS and begins anew once the process has lived for STEADY_MS. Time is an argument. One thread.
 */
#pragma once

#include "leaf/output.h"
#include "leaf/packages.h"
#include "leafproto/leafproto.h"

#include <poll.h>

enum {
	SETTLE_MS = 150,        /* a start counts as good when the process has lived through so much */
	STOP_GRACE_MS = 5000,   /* from SIGTERM to SIGKILL; and for an operation stop to be seen to have worked */
	END_GRACE_MS = 2000,    /* the same, when the whole VNF ends: its VIM waits */
	RESTART_MIN_MS = 100,
	RESTART_MAX_MS = 30000,
	STEADY_MS = 10000,
	HEALTH_QUICK_MS = 20,   /* between two questions to what has just been started; doubles */
	HEALTH_QUICK_MAX_MS = 1000,
	STATE_INTERVAL_MS = 5000, /* between two questions for its state, where no health check says */
};

struct supervisor;

/* @folder: the leaf's own, for packages and files on trial. */
struct supervisor *supervisor_new(const char *folder, gint64 now_us, GError **error);
void supervisor_free(struct supervisor *supervisor); /* no process may be left: supervisor_end() first */
AUTO_DEFINE(supervisor, supervisor_free)

/* Takes up a desired NF (checked) and begins the change to it. @arena holds @nf; it is referenced. @digest: of the document; the one that
 * is under way already is joined. CONFLICT: another NF is here, or a folder stands where a file is wanted. RETRY: another change is
 * under way, its package is not here, or the VNF ends. */
bool supervisor_put(struct supervisor *supervisor, struct arena *arena, const struct leaf_nf *nf, const char *digest, gint64 now_us,
		    GError **error);

/* The change @id is not wanted any more: it fails, and is taken back as far as it can be. One that is over, on its way back, or that only
 * starts, stops or restarts what is there, is let be: half of that would leave the software down. */
void supervisor_cancel(struct supervisor *supervisor, gint64 id);

/* The NF is to go; what else is under way is given up. Absent is success. CONFLICT: it is not @key (NULL: any). */
bool supervisor_delete(struct supervisor *supervisor, const char *key, gint64 now_us, GError **error);

/* The VNF is to end. */
void supervisor_end(struct supervisor *supervisor, gint64 now_us);
bool supervisor_has_ended(const struct supervisor *supervisor); /* supervisor_end() was called and no process is left */

void supervisor_end_strays(struct supervisor *supervisor); /* what is left of the NF's processes besides, however it was started */

/* Children may have ended. */
void supervisor_reap(struct supervisor *supervisor, gint64 now_us);

enum { SUPERVISOR_FDS = 4 };
void supervisor_fds(const struct supervisor *supervisor, struct pollfd ret[SUPERVISOR_FDS]); /* ready: supervisor_read() */
void supervisor_read(struct supervisor *supervisor); /* takes a bounded amount */

/* Does what is due; call it after any of the above and at supervisor_next_us() (-1: nothing to wait for). */
void supervisor_run(struct supervisor *supervisor, gint64 now_us);
gint64 supervisor_next_us(const struct supervisor *supervisor, gint64 now_us);

/* What is, files as they are on disk now; in @arena. */
const struct leaf_status *supervisor_status(struct supervisor *supervisor, struct arena *arena, gint64 now_us);
/* From now on a byte '!' is written to @fd (a pipe that never blocks; -1: none) when state or health change. */
void supervisor_set_bell(struct supervisor *supervisor, int fd);
const char *supervisor_folder(const struct supervisor *supervisor);
gint64 supervisor_seq(const struct supervisor *supervisor);
const struct output *supervisor_output(const struct supervisor *supervisor);
struct packages *supervisor_packages(struct supervisor *supervisor);

/* For the program that goes on after us (leaf/upgrade.h): all that is known, with the descriptors that it inherits, as text. NULL and
 * RETRY: not now. Owned by the caller. */
char *supervisor_hand_over(struct supervisor *supervisor, gint64 now_us, GError **error);
void supervisor_inherit_fds(const struct supervisor *supervisor, bool inherit); /* its descriptors stay open over exec, or do not */
struct supervisor *supervisor_take_over(const char *text, size_t length, GError **error);
