#include "http/server/server.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static int fail(int fd, int errnum, const char *where, GError **error)
{
	pleach_error_errno(error, errnum, "cannot listen on %s", where);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Is somebody there? What is dead is taken away. */
static bool make_room(const struct sockaddr_un *address, const char *where, GError **error)
{
	struct stat stat;
	if (lstat(address->sun_path, &stat) < 0)
		return true;
	if (!S_ISSOCK(stat.st_mode)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT,
			    "cannot listen on %s: something else than a socket is there", where);
		return false;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pleach_error_errno(error, errno, "cannot listen on %s", where);
	int connected = connect(fd, (const struct sockaddr *) address, sizeof(*address)), saved = errno;
	close(fd);
	if (connected < 0 && saved == ECONNREFUSED) {
		unlink(address->sun_path);
		return true;
	}
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "cannot listen on %s: somebody listens there already", where);
	return false;
}

static int listen_unix(const char *where, const char *path, mode_t mode, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "cannot listen on %s: a socket's path has 1 to %zu bytes, this one %zu",
			    where, sizeof(address.sun_path) - 1, strlen(path));
		return -1;
	}
	strcpy(address.sun_path, path);
	if (!make_room(&address, where, error))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(fd, errno, where, error);
	/* On the unbound socket this decides the mode of what bind() makes: nobody can connect in between. */
	if (fchmod(fd, mode) < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return fail(fd, errno, where, error);
	return fd;
}

static int listen_tcp(const char *where, GError **error)
{
	const char *colon = strrchr(where, ':');
	if (!colon || colon == where || !colon[1]) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "cannot listen on %s: neither unix:PATH nor HOST:PORT",
			    where);
		return -1;
	}
	bool bracketed = where[0] == '[' && colon[-1] == ']';
	size_t length = (size_t) (colon - where);
	g_autofree char *host = bracketed ? g_strndup(where + 1, length - 2) : g_strndup(where, length);
	struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *found = NULL;
	int fault = getaddrinfo(host, colon + 1, &hints, &found);
	if (fault) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "cannot listen on %s: %s", where, gai_strerror(fault));
		return -1;
	}
	int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	int bound = fd < 0 ? -1 : bind(fd, found->ai_addr, found->ai_addrlen), saved = errno;
	freeaddrinfo(found);
	if (bound < 0)
		return fail(fd, saved, where, error);
	if (listen(fd, BACKLOG) < 0)
		return fail(fd, errno, where, error);
	return fd;
}

int http_listen(const char *where, mode_t mode, GError **error)
{
	const char *path = g_str_has_prefix(where, "unix:") ? where + strlen("unix:") : NULL;
	return path ? listen_unix(where, path, mode, error) : listen_tcp(where, error);
}
