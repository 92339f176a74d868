/* Which network functions are to be looked at although nobody said that anything happened. A leaf rings when its NF changes:
 * for it this is a net. Of others nobody tells: they are looked at as often as their health check says.
 *
 * Owner thread.
 */
#pragma once

#include "daemon/cycle.h"

enum {
	POLLS_NET_S = 10,      /* of NFs whose EMS rings */
	POLLS_DEFAULT_S = 5,   /* of the others, where no health check says how often */
};

/* Keys of those whose turn it is in the @second-th second, spread over time; borrowed from @now. Owned by the caller. */
GPtrArray *polls_due(const struct cycle_view *now, unsigned second);
