/* Within netlink/ only. */
#pragma once

#include "netlink/netlink.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

enum {
	NL_REQUEST_SIZE = 4096,
	NL_BUFFER_SIZE = 64 * 1024,
	NL_MIRROR_RECEIVE_BYTES = 4 * 1024 * 1024,
};

struct nl {
	struct mnl_socket *socket;
	unsigned seq, portid;
	int last_errno;
};

/* A socket in @where, closed on exec. */
struct mnl_socket *nl_socket_open(struct nl_where where, unsigned groups, GError **error);

/* Sends @request and waits for its acknowledgement. @what names the act in the error. */
bool nl_ask(struct nl *nl, struct nlmsghdr *request, const char *what, GError **error);

/* Sends a dump request and hands every answer to @each. */
typedef void (*nl_each_fn)(const struct nlmsghdr *message, void *data);
bool nl_dump(struct nl *nl, struct nlmsghdr *request, nl_each_fn each, void *data, const char *what, GError **error);

struct nlmsghdr *nl_request(void *buffer, guint16 type, guint16 flags);
struct nl_link *nl_link_parse(const struct nlmsghdr *message); /* NULL: not a link's own message */
/* Index of the link, 0 where the message holds no address of global scope. */
unsigned nl_addr_parse_message(const struct nlmsghdr *message, struct nl_addr *ret);
