#include "vim/local/private.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* The watcher's descriptor must be there before any keeper is, and outlive it: so it is an epoll descriptor, over the connection
 * to the keeper of the day, and an eventfd that is kicked when a keeper comes. All under the handle's mutex. */

static void drop_socket(struct vim *vim)
{
	if (vim->watch_socket >= 0)
		close(vim->watch_socket);
	vim->watch_socket = -1;
	g_byte_array_set_size(vim->watch_in, 0);
}

static bool add(struct vim *vim, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	return epoll_ctl(vim->watch_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void attach_locked(struct vim *vim)
{
	if (vim->watch_fd < 0 || vim->watch_socket >= 0)
		return;
	int fd = client_connect(vim->folder, NULL);
	if (fd < 0)
		return;
	const struct call call = { .deadline_us = clock_monotonic_us() + LOCAL_WATCH_WAIT_MS * 1000, .cancel_fd = -1 };
	const struct keeper_request request = { .op = KEEPER_WATCH };
	struct exchange exchange = { .request = &request };
	struct keeper_reply reply;
	auto_ptr(arena) arena = arena_new();
	if (!client_exchange(fd, &call, &exchange, arena, &reply, NULL) || !reply.ok || !add(vim, fd)) {
		close(fd);
		return;
	}
	vim->watch_socket = fd;
	guint64 one = 1;
	if (write(vim->watch_kick, &one, sizeof(one)) < 0)
		return; /* full: it is readable already */
}

void watch_attach(struct vim *vim)
{
	g_mutex_lock(&vim->mutex);
	attach_locked(vim);
	g_mutex_unlock(&vim->mutex);
}

int watch_open(struct vim *vim)
{
	g_mutex_lock(&vim->mutex);
	if (vim->watch_fd < 0) {
		vim->watch_kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		vim->watch_fd = epoll_create1(EPOLL_CLOEXEC);
		if (vim->watch_kick >= 0 && vim->watch_fd >= 0 && add(vim, vim->watch_kick))
			attach_locked(vim);
	}
	int fd = vim->watch_fd;
	g_mutex_unlock(&vim->mutex);
	return fd;
}

void watch_close(struct vim *vim)
{
	drop_socket(vim);
	if (vim->watch_kick >= 0)
		close(vim->watch_kick);
	if (vim->watch_fd >= 0)
		close(vim->watch_fd);
}

/* All that lies in the connection; false when it is over. */
static bool read_socket(struct vim *vim)
{
	for (;;) {
		guint8 piece[4096];
		ssize_t n = recv(vim->watch_socket, piece, sizeof(piece), MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n <= 0)
			return false;
		g_byte_array_append(vim->watch_in, piece, (guint) n);
	}
}

/* True when everything must be looked at: an event that names nothing, or none that we can read. */
static bool take_events(struct vim *vim, GPtrArray *keys)
{
	GByteArray *in = vim->watch_in;
	bool anything = false;
	while (in->len >= KEEPER_HEADER_BYTES) {
		size_t length = keeper_header_get(in->data);
		if (length > KEEPER_REPLY_MAX_BYTES) {
			drop_socket(vim);
			return true;
		}
		if (in->len < KEEPER_HEADER_BYTES + length)
			break;
		auto_ptr(arena) arena = arena_new();
		struct keeper_event event;
		bool ok = keeper_event_parse(arena, (const char *) in->data + KEEPER_HEADER_BYTES, length, &event, NULL);
		anything |= !ok || !event.keys.n;
		for (size_t i = 0; ok && i < event.keys.n; i++)
			g_ptr_array_add(keys, g_strdup(event.keys.items[i]));
		g_byte_array_remove_range(in, 0, (guint) (KEEPER_HEADER_BYTES + length));
	}
	return anything;
}

GPtrArray *watch_take(struct vim *vim)
{
	g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
	bool anything = false;
	g_mutex_lock(&vim->mutex);
	guint64 count;
	if (vim->watch_kick >= 0 && read(vim->watch_kick, &count, sizeof(count)) > 0)
		anything = true;
	if (vim->watch_socket >= 0) {
		bool goes_on = read_socket(vim);
		anything |= take_events(vim, keys) || !goes_on;
		if (!goes_on)
			drop_socket(vim); /* the keeper has ended, and its network with it */
	}
	g_mutex_unlock(&vim->mutex);
	return anything ? NULL : g_steal_pointer(&keys);
}
