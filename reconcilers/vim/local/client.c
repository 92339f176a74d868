#include "vim/local/private.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	ATTEMPTS = 3,
	FIRST_READ_BYTES = 64 * 1024,
	CONNECT_WAIT_S = 2,       /* a keeper that is held up leaves its callers in the queue */
};

static void set_unreachable(const char *folder, gint64 pid, GError **error)
{
	g_clear_error(error);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY,
		    "%s/" KEEPER_SOCKET_NAME " is missing, though the site's keeper runs, process %" G_GINT64_FORMAT
		    ", which should make it again; `kill -KILL %" G_GINT64_FORMAT "` ends it, and the VNFs of the site with it",
		    folder, pid, pid);
}

int client_connect(const char *folder, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/" KEEPER_SOCKET_NAME, folder);
	int fd = n < (int) sizeof(address.sun_path) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (n >= (int) sizeof(address.sun_path))
		errno = ENAMETOOLONG;
	const struct timeval patience = { .tv_sec = CONNECT_WAIT_S };
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0)
		return fd;
	int errnum = errno;
	pleach_error_errno(error, errnum, "%s/" KEEPER_SOCKET_NAME, folder);
	bool missing = errnum == ECONNREFUSED || errnum == ENOTDIR || errnum == ENOENT;
	gint64 pid = error && missing ? keeper_holder(folder) : 0;
	if (pid)
		set_unreachable(folder, pid, error);
	else if (error && missing)
		(*error)->code = PLEACH_ERROR_NOT_FOUND; /* a keeper that is not, or not any more */
	else if (error && errnum == EAGAIN)
		(*error)->code = PLEACH_ERROR_TIMEOUT;
	if (fd >= 0)
		close(fd);
	return -1;
}

static ssize_t send_with_fds(int fd, const char *data, size_t length, const struct exchange *exchange)
{
	struct iovec piece = { (void *) (guintptr) data, length };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int) * KEEPER_FDS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	if (exchange->n_fds) {
		size_t size = sizeof(int) * exchange->n_fds;
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(size);
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		*head = (struct cmsghdr) { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(size) };
		memcpy(CMSG_DATA(head), exchange->fds, size);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool send_request(int fd, const struct call *call, const struct exchange *exchange, GError **error)
{
	g_autofree char *text = keeper_request_text(exchange->request);
	size_t length = strlen(text), sent = 0;
	if (length > KEEPER_REQUEST_MAX_BYTES) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "a request of %zu bytes, more than the %d allowed", length,
			    KEEPER_REQUEST_MAX_BYTES);
		return false;
	}
	g_autoptr(GByteArray) bytes = g_byte_array_sized_new((guint) length + KEEPER_HEADER_BYTES);
	unsigned char header[KEEPER_HEADER_BYTES];
	keeper_header_put(header, length);
	g_byte_array_append(bytes, header, sizeof(header));
	g_byte_array_append(bytes, (const guint8 *) text, (guint) length);
	while (sent < bytes->len) {
		const struct exchange plain = { 0 };
		ssize_t n = send_with_fds(fd, (const char *) bytes->data + sent, bytes->len - sent, sent ? &plain : exchange);
		if (n >= 0) {
			sent += (size_t) n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			pleach_error_errno(error, errno, "ask the site's keeper");
			if (error)
				(*error)->code = PLEACH_ERROR_RETRY;
			return false;
		}
		if (!call_wait(call, fd, POLLOUT, error))
			return false;
	}
	return true;
}

static ssize_t receive_with_fd(int fd, void *data, size_t size, int *ret_fd)
{
	struct iovec piece = { data, size };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	for (struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL; head; head = CMSG_NXTHDR(&message, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		if (*ret_fd >= 0)
			close(*ret_fd);
		memcpy(ret_fd, CMSG_DATA(head), sizeof(int));
	}
	return n;
}

/* One whole message, without its header, NUL after it. NULL with RETRY when the keeper went before it answered. */
static GByteArray *receive(int fd, const struct call *call, int *ret_fd, GError **error)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	size_t whole = KEEPER_HEADER_BYTES;
	guint filled = 0;
	while (filled < whole) {
		g_byte_array_set_size(bytes, (guint) MAX(whole, filled + FIRST_READ_BYTES));
		ssize_t n = receive_with_fd(fd, bytes->data + filled, bytes->len - filled, ret_fd);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (!call_wait(call, fd, POLLIN, error))
				return NULL;
			continue;
		}
		if (n <= 0) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the site's keeper ended before it answered");
			return NULL;
		}
		filled += (guint) n;
		if (filled >= KEEPER_HEADER_BYTES)
			whole = KEEPER_HEADER_BYTES + keeper_header_get(bytes->data);
		if (whole > KEEPER_REPLY_MAX_BYTES || filled > whole) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT,
				"the site's keeper answered with what is no reply");
			return NULL;
		}
	}
	g_byte_array_set_size(bytes, (guint) whole);
	g_byte_array_remove_range(bytes, 0, KEEPER_HEADER_BYTES);
	return g_steal_pointer(&bytes);
}

bool client_exchange(int fd, const struct call *call, struct exchange *exchange, struct arena *arena, struct keeper_reply *ret,
	GError **error)
{
	exchange->ret_fd = -1;
	if (!send_request(fd, call, exchange, error))
		return false;
	g_autoptr(GByteArray) bytes = receive(fd, call, &exchange->ret_fd, error);
	if (!bytes)
		return false;
	if (!keeper_reply_parse(arena, (const char *) bytes->data, bytes->len, ret, error)) {
		g_prefix_error(error, "the site's keeper's reply: ");
		return false;
	}
	return true;
}

/* --- connections ------------------------------------------------------------------------------------------------------------ */

static int take_idle(struct vim *vim)
{
	g_mutex_lock(&vim->mutex);
	int fd = -1;
	if (vim->idle->len) {
		fd = g_array_index(vim->idle, int, vim->idle->len - 1);
		g_array_set_size(vim->idle, vim->idle->len - 1);
	}
	g_mutex_unlock(&vim->mutex);
	return fd;
}

static void give_back(struct vim *vim, int fd)
{
	g_mutex_lock(&vim->mutex);
	bool keep = vim->idle->len < LOCAL_IDLE_MAX;
	if (keep)
		g_array_append_val(vim->idle, fd);
	g_mutex_unlock(&vim->mutex);
	if (!keep)
		close(fd);
}

void client_close_idle(struct vim *vim)
{
	for (int fd; (fd = take_idle(vim)) >= 0;)
		close(fd);
}

/* Is it closed by the other side? Nothing may lie in an idle connection but its end. */
static bool is_stale(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

static int get_connection(struct vim *vim, const struct call *call, const struct exchange *exchange, GError **error)
{
	for (int fd; !exchange->fresh && (fd = take_idle(vim)) >= 0;) {
		if (!is_stale(fd))
			return fd;
		close(fd);
	}
	g_autoptr(GError) local = NULL;
	int fd = client_connect(vim->folder, &local);
	if (fd < 0 && exchange->start && g_error_matches(local, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND)) {
		g_clear_error(&local);
		if (!keeper_launch(vim, call, error))
			return -1;
		watch_attach(vim);
		fd = client_connect(vim->folder, &local);
		/* It listened a moment ago. */
		if (fd < 0 && g_error_matches(local, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND))
			local->code = PLEACH_ERROR_RETRY;
	}
	if (fd < 0)
		g_propagate_error(error, g_steal_pointer(&local));
	return fd;
}

bool client_ask(struct vim *vim, const struct call *call, struct exchange *exchange, struct arena *arena,
	struct keeper_reply *ret, GError **error)
{
	g_autoptr(GError) local = NULL;
	gint64 patience_us = clock_monotonic_us() + LOCAL_NAMELESS_WAIT_MS * 1000;
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		g_clear_error(&local);
		if (call_is_over(call, error))
			return false;
		int fd = get_connection(vim, call, exchange, &local);
		if (fd < 0 && !g_error_matches(local, PLEACH_ERROR, PLEACH_ERROR_RETRY))
			break;
		if (fd < 0) {
			g_usleep(LOCAL_NAMELESS_POLL_US);
			if (clock_monotonic_us() < patience_us)
				attempt = -1;
			continue;
		}
		if (client_exchange(fd, call, exchange, arena, ret, &local)) {
			give_back(vim, fd);
			if (ret->ok)
				return true;
			g_set_error(error, PLEACH_ERROR, (int) ret->code, "%s", ret->text);
			return false;
		}
		close(fd);
		/* The keeper went in between: what is idempotent is asked again. */
		if (exchange->fresh || !g_error_matches(local, PLEACH_ERROR, PLEACH_ERROR_RETRY))
			break;
	}
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}
