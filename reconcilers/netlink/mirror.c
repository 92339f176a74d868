#include "netlink/private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Two sockets: notifications come on one, everything is read anew over the other (at the start, and after a loss). */
struct nl_mirror {
	struct mnl_socket *socket;
	struct nl *nl;
	GHashTable *links;    /* index → struct nl_link * */
	GHashTable *by_name;  /* name (of the link) → struct nl_link * */
	nl_changed_fn changed;
	void *data;
};

static const unsigned groups = 1u << (RTNLGRP_LINK - 1) | 1u << (RTNLGRP_IPV4_IFADDR - 1) | 1u << (RTNLGRP_IPV6_IFADDR - 1);

static void tell(struct nl_mirror *mirror, unsigned index, bool gone)
{
	if (mirror->changed)
		mirror->changed(index, gone, mirror->data);
}

static bool same_link(const struct nl_link *a, const struct nl_link *b)
{
	return a->mtu == b->mtu && a->master == b->master && a->peer == b->peer && a->up == b->up &&
	       memcmp(&a->mac, &b->mac, sizeof(a->mac)) == 0 && strcmp(a->name, b->name) == 0 &&
		g_strcmp0(a->alias, b->alias) == 0;
}

static void forget(struct nl_mirror *mirror, unsigned index)
{
	struct nl_link *link = g_hash_table_lookup(mirror->links, GUINT_TO_POINTER(index));
	if (!link)
		return;
	if (g_hash_table_lookup(mirror->by_name, link->name) == link)
		g_hash_table_remove(mirror->by_name, link->name);
	g_hash_table_remove(mirror->links, GUINT_TO_POINTER(index));
}

static void take_link(struct nl_mirror *mirror, const struct nlmsghdr *message)
{
	struct nl_link *link = nl_link_parse(message);
	if (!link)
		return;
	unsigned index = link->index;
	struct nl_link *old = g_hash_table_lookup(mirror->links, GUINT_TO_POINTER(index));
	if (message->nlmsg_type == RTM_DELLINK) {
		nl_link_free(link);
		if (old) {
			forget(mirror, index);
			tell(mirror, index, true);
		}
		return;
	}
	bool changed = !old || !same_link(old, link);
	link->addrs = old ? g_array_ref(old->addrs) : g_array_new(FALSE, FALSE, sizeof(struct nl_addr));
	forget(mirror, index);
	g_hash_table_insert(mirror->links, GUINT_TO_POINTER(index), link);
	g_hash_table_replace(mirror->by_name, link->name, link);
	if (changed)
		tell(mirror, index, false);
}

static void take_addr(struct nl_mirror *mirror, const struct nlmsghdr *message)
{
	struct nl_addr addr;
	unsigned index = nl_addr_parse_message(message, &addr);
	struct nl_link *link = index ? g_hash_table_lookup(mirror->links, GUINT_TO_POINTER(index)) : NULL;
	if (!link)
		return;
	guint at = 0;
	while (at < link->addrs->len && !nl_addr_equal(&g_array_index(link->addrs, struct nl_addr, at), &addr))
		at++;
	bool there = at < link->addrs->len, come = message->nlmsg_type == RTM_NEWADDR;
	if (there == come)
		return;
	if (come)
		g_array_append_val(link->addrs, addr);
	else
		g_array_remove_index(link->addrs, at);
	tell(mirror, index, false);
}

static void take(const struct nlmsghdr *message, void *data)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(data, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_addr(data, message);
		break;
	}
}

static void mark_index(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	if (mnl_nlmsg_get_payload_len(message) >= sizeof(*info))
		g_hash_table_add(data, GUINT_TO_POINTER((unsigned) info->ifi_index));
}

struct both {
	struct nl_mirror *mirror;
	GHashTable *seen;
};

static void take_listed(const struct nlmsghdr *message, void *data)
{
	struct both *both = data;
	mark_index(message, both->seen);
	take(message, both->mirror);
}

/* Everything anew. Addresses are dropped first, so that those which went unseen do not stay. */
static bool read_all(struct nl_mirror *mirror, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	struct both both = { mirror, seen };
	struct nlmsghdr *request = nl_request(buffer, RTM_GETLINK, 0);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	if (!nl_dump(mirror->nl, request, take_listed, &both, "list links", error))
		return false;
	GHashTableIter iter;
	gpointer key, value;
	g_autoptr(GArray) gone = g_array_new(FALSE, FALSE, sizeof(unsigned));
	g_hash_table_iter_init(&iter, mirror->links);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		unsigned index = GPOINTER_TO_UINT(key);
		g_array_set_size(((struct nl_link *) value)->addrs, 0);
		if (!g_hash_table_contains(seen, key))
			g_array_append_val(gone, index);
	}
	for (guint i = 0; i < gone->len; i++) {
		forget(mirror, g_array_index(gone, unsigned, i));
		tell(mirror, g_array_index(gone, unsigned, i), true);
	}
	request = nl_request(buffer, RTM_GETADDR, 0);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
	return nl_dump(mirror->nl, request, take, mirror, "list addresses", error);
}

struct nl_mirror *nl_mirror_open(struct nl_where where, GError **error)
{
	struct nl_mirror *mirror = g_new0(struct nl_mirror, 1);
	mirror->links = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) nl_link_free);
	mirror->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	/* Listening starts before reading: nothing that changes between the two is lost. */
	mirror->socket = nl_socket_open(where, groups, error);
	mirror->nl = mirror->socket ? nl_open(where, error) : NULL;
	if (!mirror->nl || !read_all(mirror, error)) {
		nl_mirror_close(mirror);
		return NULL;
	}
	return mirror;
}

void nl_mirror_close(struct nl_mirror *mirror)
{
	if (!mirror)
		return;
	if (mirror->socket)
		mnl_socket_close(mirror->socket);
	nl_close(mirror->nl);
	g_hash_table_unref(mirror->by_name);
	g_hash_table_unref(mirror->links);
	g_free(mirror);
}

int nl_mirror_fd(const struct nl_mirror *mirror)
{
	return mnl_socket_get_fd(mirror->socket);
}

struct nl *nl_mirror_handle(struct nl_mirror *mirror)
{
	return mirror->nl;
}

static bool read_some(struct nl_mirror *mirror, bool *ret_lost, GError **error)
{
	char buffer[16 * 1024] __attribute__((aligned(NLMSG_ALIGNTO)));
	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(mirror->socket), buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n < 0 && errno == ENOBUFS) {
			*ret_lost = true;
			continue;
		}
		if (n < 0)
			return pleach_error_errno(error, errno, "read link notifications");
		if ((size_t) n > sizeof(buffer)) {
			*ret_lost = true;
			continue;
		}
		int left = (int) n;
		for (const struct nlmsghdr *m = (const void *) buffer; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			take(m, mirror);
	}
}

bool nl_mirror_read(struct nl_mirror *mirror, nl_changed_fn changed, void *data, GError **error)
{
	mirror->changed = changed;
	mirror->data = data;
	bool lost = false;
	bool ok = read_some(mirror, &lost, error) && (!lost || read_all(mirror, error));
	mirror->changed = NULL;
	return ok;
}

const struct nl_link *nl_mirror_link(const struct nl_mirror *mirror, unsigned index)
{
	return g_hash_table_lookup(mirror->links, GUINT_TO_POINTER(index));
}

const struct nl_link *nl_mirror_named(const struct nl_mirror *mirror, const char *name)
{
	return g_hash_table_lookup(mirror->by_name, name);
}

const struct nl_link *nl_mirror_next(const struct nl_mirror *mirror, GHashTableIter *iter, bool first)
{
	if (first)
		g_hash_table_iter_init(iter, mirror->links);
	gpointer value;
	return g_hash_table_iter_next(iter, NULL, &value) ? value : NULL;
}
