/* The one vocabulary of failure.
 *
 * Every fallible function of Pleach that may meet the outside (a VIM, an EMS, Git, the store, a file) reports through GError with
 * domain PLEACH_ERROR. The code says what the executor is to do about it; the text says what failed, where, and the far side's own
 * words. Wrap on the way up with g_prefix_error(); log once, at the top (main, daemon, exec, api).
 *
 * Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum pleach_error {
	PLEACH_ERROR_RETRY,       /* may succeed when tried again: back off, try again for ever */
	PLEACH_ERROR_PERMANENT,   /* will fail again until something is changed by a person */
	PLEACH_ERROR_CONFLICT,    /* what is there belongs to somebody else, or is in use: look again, plan again */
	PLEACH_ERROR_NOT_FOUND,   /* the thing named is not there */
	PLEACH_ERROR_AUTH,        /* the far side refused our credential */
	PLEACH_ERROR_TIMEOUT,     /* the deadline passed; what happened is not known: observe before acting again */
	PLEACH_ERROR_CANCELLED,   /* we were asked to stop; what happened is not known: observe before acting again */
	PLEACH_ERROR_UNSUPPORTED, /* the driver or the far side cannot do this at all */
	PLEACH_ERROR_INVALID,     /* the input is wrong; nothing was done */
};

#define PLEACH_ERROR (pleach_error_quark())
GQuark pleach_error_quark(void);

/* "retry", "permanent", …: the name used in reports and in the store. */
const char *pleach_error_name(enum pleach_error code);

/* The code of any GError: those of foreign domains count as PLEACH_ERROR_PERMANENT. */
enum pleach_error pleach_error_code(const GError *error);

/* Sets @error from errno: "TEXT: No such file or directory", with a code that fits @errnum (EAGAIN, EINTR, ENOBUFS: RETRY;
 * ENOENT: NOT_FOUND; EACCES, EPERM: AUTH; EEXIST, EBUSY: CONFLICT; ETIMEDOUT: TIMEOUT; else PERMANENT). Always returns false. */
bool pleach_error_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Sets @error to INVALID with this text. Always returns false. */
bool pleach_error_invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
