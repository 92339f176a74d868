/* One line that says why the network is not as it should be: for the log, the store, and the end of `pleach apply`. */
#pragma once

#include "daemon/cycle.h"

/* "KEY: REASON" of the first operation that failed, or else of the first object on which nothing is planned, or else of the first that is
 * held; NULL: none of them. */
char *reason_of(const struct cycle_view *now);
