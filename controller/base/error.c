#include "base/error.h"

#include <errno.h>

/* Not G_DEFINE_QUARK: workers meet here, and its unguarded variable is a data race. */
GQuark pleach_error_quark(void)
{
	static gsize quark;
	if (g_once_init_enter(&quark))
		g_once_init_leave(&quark, g_quark_from_static_string("pleach-error"));
	return (GQuark) quark;
}

static const char *const names[] = {
	[PLEACH_ERROR_RETRY] = "retry",
	[PLEACH_ERROR_PERMANENT] = "permanent",
	[PLEACH_ERROR_CONFLICT] = "conflict",
	[PLEACH_ERROR_NOT_FOUND] = "not-found",
	[PLEACH_ERROR_AUTH] = "auth",
	[PLEACH_ERROR_TIMEOUT] = "timeout",
	[PLEACH_ERROR_CANCELLED] = "cancelled",
	[PLEACH_ERROR_UNSUPPORTED] = "unsupported",
	[PLEACH_ERROR_INVALID] = "invalid",
};

const char *pleach_error_name(enum pleach_error code)
{
	return names[code];
}

enum pleach_error pleach_error_code(const GError *error)
{
	if (error->domain != PLEACH_ERROR)
		return PLEACH_ERROR_PERMANENT;
	return (enum pleach_error) error->code;
}

static enum pleach_error code_of_errno(int errnum)
{
	switch (errnum) {
	case EAGAIN:
	case EINTR:
	case ENOBUFS:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
		return PLEACH_ERROR_RETRY;
	case ENOENT:
	case ENODEV:
	case ESRCH:
		return PLEACH_ERROR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return PLEACH_ERROR_AUTH;
	case EEXIST:
	case EBUSY:
		return PLEACH_ERROR_CONFLICT;
	case ETIMEDOUT:
		return PLEACH_ERROR_TIMEOUT;
	case EOPNOTSUPP:
	case ENOSYS:
		return PLEACH_ERROR_UNSUPPORTED;
	default:
		return PLEACH_ERROR_PERMANENT;
	}
}

bool pleach_error_errno(GError **error, int errnum, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error(error, PLEACH_ERROR, code_of_errno(errnum), "%s: %s", text, g_strerror(errnum));
	return false;
}

bool pleach_error_invalid(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, text);
	return false;
}
