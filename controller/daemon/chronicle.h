/* What is remembered of what the loop saw: how far each revision came, drift, what is held, processes that ended, sites that cannot be
 * looked at. (What the loop does, the operations, the journal writes down itself: journal.h.)
 *
 * Events of one turn go to the store together, and wait for no disk. What is seen again is not written again. Owner thread.
 */
#pragma once

#include "desired/revision.h"
#include "plan/plan.h"
#include "store/store.h"

struct chronicle;

struct chronicle *chronicle_new(struct store *store); /* which must outlive it */
void chronicle_free(struct chronicle *chronicle);

/* @revision (kept) is the one that is worked on from now on; one before it that had not converged is superseded. */
void chronicle_takes(struct chronicle *chronicle, struct revision *revision);
/* The newest commit cannot be taken up. */
void chronicle_refuses(struct chronicle *chronicle, const char *why);
/* How far the revision is: "converged", "held", "failed", "faulty"; @reason may be NULL. */
void chronicle_state(struct chronicle *chronicle, const char *state, const char *reason);

/* A look has ended; @before is what was known until then, or NULL. */
void chronicle_observed(struct chronicle *chronicle, const struct observed *before, const struct observed *after);

/* A plan was made: each drift once, when it is first seen; what is held; what a revision begins with. */
void chronicle_planned(struct chronicle *chronicle, const struct plan *plan);
