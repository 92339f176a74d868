#include "contract/call.h"

#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

int call_left_ms(const struct call *call)
{
	gint64 left_us = call->deadline_us - clock_monotonic_us();
	if (left_us <= 0)
		return 0;
	gint64 left_ms = (left_us + 999) / 1000; /* rounded up: a wait must not end before the deadline and spin */
	return (int) MIN(left_ms, INT_MAX);
}

static bool is_cancelled(const struct call *call)
{
	if (call->cancel_fd < 0)
		return false;
	struct pollfd cancel = { .fd = call->cancel_fd, .events = POLLIN };
	return poll(&cancel, 1, 0) > 0;
}

static bool fail_cancelled(GError **error)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED, "cancelled");
	return false;
}

static bool fail_timeout(GError **error)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "the deadline passed");
	return false;
}

bool call_is_over(const struct call *call, GError **error)
{
	if (is_cancelled(call))
		return !fail_cancelled(error);
	if (call_left_ms(call) == 0)
		return !fail_timeout(error);
	return false;
}

bool call_wait(const struct call *call, int fd, short events, GError **error)
{
	for (;;) {
		/* A negative descriptor is skipped by poll(): a call that cannot be cancelled needs no case of its own. */
		struct pollfd fds[2] = { { .fd = fd, .events = events }, { .fd = call->cancel_fd, .events = POLLIN } };
		int left_ms = call_left_ms(call);
		int n = poll(fds, G_N_ELEMENTS(fds), left_ms);
		if (n < 0 && errno != EINTR)
			return pleach_error_errno(error, errno, "cannot wait for the far side");
		if (n > 0 && fds[1].revents != 0)
			return fail_cancelled(error);
		if (left_ms == 0) /* even when there is something: a far side that never stops talking does not get past the deadline */
			return fail_timeout(error);
		if (n > 0 && fds[0].revents != 0)
			return true;
	}
}
