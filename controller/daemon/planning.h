/* One plan made on the pool from what the cycle knows now: desired, last applied, observed, and what holds. Owner thread. */
#pragma once

#include "daemon/cycle.h"

/* @done is called on the owner thread with the plan, and the faults that it was made with; both are the callee's. What @now points to must
 * live until then. */
typedef void (*planning_done_fn)(struct plan *plan, struct faults *faults, void *data);
void planning_start(const struct cycle_view *now, planning_done_fn done, void *data);
