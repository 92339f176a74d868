#include "netlink/private.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

static bool enter(int netns_fd, GError **error)
{
	if (netns_fd >= 0 && setns(netns_fd, CLONE_NEWNET) < 0)
		return pleach_error_errno(error, errno, "enter a network namespace");
	return true;
}

struct mnl_socket *nl_socket_open(struct nl_where where, unsigned groups, GError **error)
{
	if (!enter(where.netns_fd, error))
		return NULL;
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int errnum = errno;
	if (where.netns_fd >= 0 && !enter(where.home_fd, error)) {
		/* The thread is lost in the other namespace: whatever it did next would be done in the wrong place. */
		g_error("cannot go back to the own network namespace");
	}
	if (!socket) {
		pleach_error_errno(error, errnum, "open a netlink socket");
		return NULL;
	}
	int fd = mnl_socket_get_fd(socket), size = NL_MIRROR_RECEIVE_BYTES;
	if (groups && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
		pleach_error_errno(error, errno, "bind a netlink socket");
		mnl_socket_close(socket);
		return NULL;
	}
	return socket;
}

struct nl *nl_open(struct nl_where where, GError **error)
{
	struct mnl_socket *socket = nl_socket_open(where, 0, error);
	if (!socket)
		return NULL;
	int on = 1;
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	struct nl *nl = g_new0(struct nl, 1);
	nl->socket = socket;
	nl->portid = mnl_socket_get_portid(socket);
	return nl;
}

void nl_close(struct nl *nl)
{
	if (!nl)
		return;
	mnl_socket_close(nl->socket);
	g_free(nl);
}

int nl_errno(const struct nl *nl)
{
	return nl->last_errno;
}

struct nlmsghdr *nl_request(void *buffer, guint16 type, guint16 flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	return request;
}

/* The kernel's own sentence about an error, or NULL. Points into @message. */
static const char *kernels_words(const struct nlmsghdr *message)
{
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);
	size_t offset = sizeof(*answer);
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += answer->msg.nlmsg_len - sizeof(struct nlmsghdr);
	if (offset >= mnl_nlmsg_get_payload_len(message))
		return NULL;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, message, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	}
	return NULL;
}

static bool failed(struct nl *nl, int errnum, const char *words, const char *what, GError **error)
{
	nl->last_errno = errnum;
	if (words)
		return pleach_error_errno(error, errnum, "%s (the kernel: %s)", what, words);
	return pleach_error_errno(error, errnum, "%s", what);
}

static bool send_request(struct nl *nl, struct nlmsghdr *request, const char *what, GError **error)
{
	request->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return failed(nl, errno, NULL, what, error);
	return true;
}

/* Takes in one datagram. *@ret_over is set by what ends an answer; false when it was an error. */
static bool take(struct nl *nl, const void *buffer, ssize_t n, nl_each_fn each, void *data, const char *what, bool *ret_over,
	GError **error)
{
	int left = (int) n;
	for (const struct nlmsghdr *message = buffer; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_seq != nl->seq)
			continue;
		if (message->nlmsg_flags & NLM_F_DUMP_INTR)
			return failed(nl, EAGAIN, NULL, what, error);
		if (message->nlmsg_type == NLMSG_DONE) {
			*ret_over = true;
			return true;
		}
		if (message->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *answer = mnl_nlmsg_get_payload(message);
			*ret_over = true;
			if (!answer->error)
				return true;
			return failed(nl, -answer->error, kernels_words(message), what, error);
		}
		if (each)
			each(message, data);
	}
	return true;
}

static bool converse(struct nl *nl, struct nlmsghdr *request, nl_each_fn each, void *data, const char *what, GError **error)
{
	if (!send_request(nl, request, what, error))
		return false;
	/* An answer to a request that is not a dump is small; a dump's datagrams are at most 32 KiB. */
	char small[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	g_autofree char *large = each ? g_malloc(NL_BUFFER_SIZE) : NULL;
	void *buffer = large ? large : small;
	size_t size = large ? NL_BUFFER_SIZE : sizeof(small);
	for (bool over = false; !over;) {
		ssize_t n = mnl_socket_recvfrom(nl->socket, buffer, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(nl, errno, NULL, what, error);
		if (!take(nl, buffer, n, each, data, what, &over, error))
			return false;
	}
	nl->last_errno = 0;
	return true;
}

bool nl_ask(struct nl *nl, struct nlmsghdr *request, const char *what, GError **error)
{
	request->nlmsg_flags |= NLM_F_ACK;
	return converse(nl, request, NULL, NULL, what, error);
}

bool nl_dump(struct nl *nl, struct nlmsghdr *request, nl_each_fn each, void *data, const char *what, GError **error)
{
	request->nlmsg_flags |= NLM_F_DUMP;
	return converse(nl, request, each, data, what, error);
}
