#include "keeper/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One connection: a request comes in, its reply goes out, the next comes in. While one is under way nothing more is read. */

enum { READ_BYTES = 64 * 1024, WATCHER_BACKLOG_BYTES = 4 * 1024 * 1024, BACKLOG = 128 };

struct client {
	struct keeper *keeper;
	int fd;
	struct loop_source *source;
	struct job *job;
	bool watches;
	GByteArray *in, *out;
	size_t sent;
	int in_fds[KEEPER_FDS_MAX];
	size_t n_in_fds;
	int out_fd; /* goes with the first byte of @out; -1: none */
};

static void client_write(struct client *client);

static void job_free(struct job *job)
{
	loop_cancel(job->deadline);
	for (size_t i = 0; i < job->n_fds; i++)
		close(job->fds[i]);
	arena_unref(job->arena);
	g_free(job);
}

static void client_close(struct client *client)
{
	struct keeper *keeper = client->keeper;
	struct job *job = client->job;
	g_ptr_array_remove_fast(keeper->clients, client);
	loop_remove(client->source);
	close(client->fd);
	for (size_t i = 0; i < client->n_in_fds; i++)
		close(client->in_fds[i]);
	if (client->out_fd >= 0)
		close(client->out_fd);
	g_byte_array_unref(client->in);
	g_byte_array_unref(client->out);
	g_free(client);
	if (job) {
		job->client = NULL;
		if (job->give_up)
			job->give_up(job, false);
	}
	keeper_check_over(keeper);
}

static void client_wants(struct client *client)
{
	bool has_out = client->out->len > client->sent;
	bool listens = !client->job || client->watches;
	loop_modify(client->source, EPOLLRDHUP | (has_out ? EPOLLOUT : 0) | (listens && !has_out ? EPOLLIN : 0));
}

static void queue(struct client *client, const char *text)
{
	unsigned char header[KEEPER_HEADER_BYTES];
	size_t length = strlen(text);
	keeper_header_put(header, length);
	g_byte_array_append(client->out, header, sizeof(header));
	g_byte_array_append(client->out, (const guint8 *) text, (guint) length);
}

void job_reply(struct job *job, const struct keeper_reply *reply, int fd)
{
	struct client *client = job->client;
	struct keeper *keeper = job->keeper;
	if (keeper->cleaner == job)
		keeper->cleaner = NULL;
	if (client) {
		g_autofree char *text = keeper_reply_text(reply);
		client->job = NULL;
		queue(client, text);
		client->out_fd = fd >= 0 ? dup(fd) : -1;
	}
	job_free(job);
	if (client)
		client_write(client);
}

void job_fail(struct job *job, GError *error)
{
	note(job->keeper, "%s failed: %s", keeper_op_name(job->request.op), error->message);
	g_autofree char *text = g_utf8_make_valid(error->message, -1);
	job_reply(job, &(struct keeper_reply) { .code = pleach_error_code(error), .text = text }, -1);
	g_error_free(error);
}

void job_watch(struct job *job)
{
	if (job->client)
		job->client->watches = true;
	job_reply(job, &(struct keeper_reply) { .ok = true }, -1);
}

void server_tell(struct keeper *keeper, const struct keeper_event *event)
{
	g_autofree char *text = keeper_event_text(event);
	for (guint i = keeper->clients->len; i-- > 0;) {
		struct client *client = i < keeper->clients->len ? keeper->clients->pdata[i] : NULL;
		if (!client || !client->watches)
			continue;
		if (client->out->len - client->sent > WATCHER_BACKLOG_BYTES) {
			client_close(client); /* it does not read; when it comes back it looks at everything */
			continue;
		}
		queue(client, text);
		client_write(client);
	}
}

bool server_flushed(const struct keeper *keeper)
{
	for (guint i = 0; i < keeper->clients->len; i++) {
		const struct client *client = keeper->clients->pdata[i];
		if (client->out->len > client->sent)
			return false;
	}
	return true;
}

static ssize_t send_some(struct client *client)
{
	struct iovec piece = { client->out->data + client->sent, client->out->len - client->sent };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	if (client->out_fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		*head = (struct cmsghdr) { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(head), &client->out_fd, sizeof(int));
	}
	return sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void client_write(struct client *client)
{
	while (client->out->len > client->sent) {
		ssize_t n = send_some(client);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0) {
			client_close(client);
			return;
		}
		client->sent += (size_t) n;
		if (client->out_fd >= 0)
			close(client->out_fd);
		client->out_fd = -1;
	}
	if (client->out->len == client->sent) {
		g_byte_array_set_size(client->out, 0);
		client->sent = 0;
	}
	struct keeper *keeper = client->keeper;
	client_wants(client);
	if (keeper->ending)
		keeper_check_over(keeper); /* may close this one: nothing may follow */
}

/* --- requests ------------------------------------------------------------------------------------------------------------- */

static void on_deadline(void *data)
{
	struct job *job = data;
	job->deadline = NULL;
	if (job->give_up)
		job->give_up(job, true);
}

static void begin(struct client *client, size_t length)
{
	struct keeper *keeper = client->keeper;
	struct job *job = g_new0(struct job, 1);
	job->keeper = keeper;
	job->client = client;
	job->arena = arena_new();
	memcpy(job->fds, client->in_fds, sizeof(job->fds));
	job->n_fds = client->n_in_fds;
	client->n_in_fds = 0;
	client->job = job;
	GError *error = NULL;
	const char *text = (const char *) client->in->data + KEEPER_HEADER_BYTES;
	bool ok = keeper_request_parse(job->arena, text, length, &job->request, &error);
	g_byte_array_remove_range(client->in, 0, (guint) (KEEPER_HEADER_BYTES + length));
	client_wants(client);
	if (!ok) {
		job_fail(job, error);
		return;
	}
	if (job->request.left_ms)
		job->deadline = loop_after(keeper->loop, job->request.left_ms, on_deadline, job);
	handle_request(keeper, job);
}

/* False: the connection is over. */
static bool take_fds(struct client *client, struct msghdr *message)
{
	bool ok = !(message->msg_flags & MSG_CTRUNC);
	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(int));
			if (client->n_in_fds < KEEPER_FDS_MAX) {
				client->in_fds[client->n_in_fds++] = fd;
			} else {
				close(fd);
				ok = false;
			}
		}
	}
	return ok;
}

static void client_read(struct client *client)
{
	char bytes[READ_BYTES];
	union {
		char bytes[CMSG_SPACE(sizeof(int) * KEEPER_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec piece = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	ssize_t n = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0 || !take_fds(client, &message) || client->watches) {
		client_close(client);
		return;
	}
	g_byte_array_append(client->in, (const guint8 *) bytes, (guint) n);
	if (client->in->len < KEEPER_HEADER_BYTES)
		return;
	size_t length = keeper_header_get(client->in->data);
	if (length > KEEPER_REQUEST_MAX_BYTES || client->in->len > KEEPER_HEADER_BYTES + length)
		client_close(client); /* too long, or a second request before the first was answered */
	else if (client->in->len == KEEPER_HEADER_BYTES + length)
		begin(client, length);
}

static void on_client(void *data, uint32_t events)
{
	struct client *client = data;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		client_close(client);
	else if (events & EPOLLOUT)
		client_write(client);
	else if (events & EPOLLIN)
		client_read(client);
}

static void on_connection(void *data, uint32_t events)
{
	struct keeper *keeper = data;
	int fd = accept4(keeper->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	struct client *client = g_new0(struct client, 1);
	*client = (struct client) { .keeper = keeper, .fd = fd, .out_fd = -1, .in = g_byte_array_new(),
		.out = g_byte_array_new() };
	client->source = keeper->clients->len < KEEPER_CLIENTS_MAX
				 ? loop_add(keeper->loop, fd, EPOLLIN | EPOLLRDHUP, on_client, client, NULL)
				 : NULL;
	g_ptr_array_add(keeper->clients, client);
	if (!client->source)
		client_close(client);
	loop_cancel(g_steal_pointer(&keeper->idle));
}

bool server_listen(struct keeper *keeper, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = KEEPER_SOCKET_NAME };
	unlink(KEEPER_SOCKET_NAME);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct loop_source *source = NULL;
	if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, BACKLOG) < 0)
		pleach_error_errno(error, errno, "listen on %s", KEEPER_SOCKET_NAME);
	else
		source = loop_add(keeper->loop, fd, EPOLLIN, on_connection, keeper, error);
	if (!source) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	loop_remove(keeper->listen_source);
	if (keeper->listen_fd >= 0)
		close(keeper->listen_fd); /* nobody can reach it any more */
	keeper->listen_fd = fd;
	keeper->listen_source = source;
	return true;
}

void server_free(struct keeper *keeper)
{
	while (keeper->clients->len)
		client_close(keeper->clients->pdata[0]);
	loop_remove(g_steal_pointer(&keeper->listen_source));
}
