/* When to try again, and whether at all. Pure; any thread. */
#pragma once

#include "base/error.h"

enum retry {
	RETRY_LATER,     /* after the back-off, a few times in this round */
	RETRY_AFTER_LOOK, /* what happened is not known: observe first */
	RETRY_NEVER,     /* until desired or observed changes */
};

enum retry retry_of(enum pleach_error code);

/* The back-off after @failures failures in a row (from 1): doubles from @min_us to @max_us; of that, half is fixed and half is chosen
 * by @random, so that many that failed together do not come back together. Never below @min_us / 2, never above @max_us. */
gint64 retry_delay_us(unsigned failures, gint64 min_us, gint64 max_us, guint32 random);
