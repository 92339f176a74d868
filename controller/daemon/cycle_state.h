/* What the parts of the cycle share: cycle.c is the loop itself, hints.c what reaches it from outside, life.c its beginning and end.
 *
 * Private to these three. Owner thread.
 */
#pragma once

#include "daemon/chronicle.h"
#include "daemon/cycle.h"
#include "daemon/journal.h"
#include "daemon/sites.h"

struct cycle {
	struct cycle_options options;
	struct cycle_view now;
	struct revision_memory *memory;
	struct journal_keeper *journal;
	struct chronicle *chronicle;
	struct sites *sites;
	int cancel_fd; /* of looks */

	bool stopping;
	bool quiet;  /* the look under way was asked for by nothing but a timer, and the network had converged */
	/* what the next turn begins with */
	bool want_load, want_look, want_plan;
	GHashTable *want_keys; /* set of keys to look at */

	struct network *nothing; /* destroy: the desired network with its objects taken away */
	unsigned partial_looks;
	bool begun;      /* in the round under way, any operation at all */
	bool unfinished; /* the round left failures, and they were not looked at yet */

	guint pool_source, wakeup_source, resync_source, retry_source;
};

/* cycle.c */
void cycle_advance(struct cycle *cycle);            /* begins the next turn, when none is in flight and a flag asks for one */
void cycle_run_exec(struct cycle *cycle);
void cycle_interrupt_waiting(struct cycle *cycle);  /* operations that only wait for their next try do not hold up a hint */
bool cycle_rests(const struct cycle *cycle);

/* hints.c, for those who call back */
void cycle_cure_due(void *data);
void cycle_holds_changed(void *data);
