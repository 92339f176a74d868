#include "exec/retry.h"

enum retry retry_of(enum pleach_error code)
{
	switch (code) {
	case PLEACH_ERROR_RETRY:
	case PLEACH_ERROR_CONFLICT:
	case PLEACH_ERROR_NOT_FOUND:
	case PLEACH_ERROR_AUTH:
		return RETRY_LATER;
	case PLEACH_ERROR_TIMEOUT:
	case PLEACH_ERROR_CANCELLED:
		return RETRY_AFTER_LOOK;
	case PLEACH_ERROR_PERMANENT:
	case PLEACH_ERROR_UNSUPPORTED:
	case PLEACH_ERROR_INVALID:
		return RETRY_NEVER;
	}
	g_assert_not_reached();
}

gint64 retry_delay_us(unsigned failures, gint64 min_us, gint64 max_us, guint32 random)
{
	gint64 delay_us = min_us;
	for (unsigned i = 1; i < failures && delay_us < max_us; i++)
		delay_us = delay_us > max_us / 2 ? max_us : delay_us * 2;
	if (delay_us > max_us)
		delay_us = max_us;
	gint64 half_us = delay_us / 2;
	return delay_us - half_us + (gint64) ((double) half_us * random / G_MAXUINT32);
}
