#include "netlink/private.h"

#include <errno.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

bool nl_mac_parse(const char *text, struct nl_mac *ret)
{
	if (strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 6; i++) {
		int high = g_ascii_xdigit_value(text[i * 3]), low = g_ascii_xdigit_value(text[i * 3 + 1]);
		if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':'))
			return false;
		ret->bytes[i] = (guint8) (high << 4 | low);
	}
	return true;
}

void nl_mac_print(struct nl_mac mac, char text[18])
{
	const guint8 *b = mac.bytes;
	g_snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]);
}

static struct ifinfomsg *put_ifinfo(struct nlmsghdr *request, unsigned index)
{
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = (int) index;
	return info;
}

bool nl_bridge_create(struct nl *nl, const struct nl_bridge *bridge, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	put_ifinfo(request, bridge->index);
	mnl_attr_put_strz(request, IFLA_IFNAME, bridge->name);
	mnl_attr_put(request, IFLA_ADDRESS, 6, bridge->mac.bytes);
	if (bridge->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, bridge->mtu);
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "bridge");
	struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	/* A virtual wire floods what it does not know; learning who listens to which group would only lose first packets. */
	mnl_attr_put_u8(request, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_put_u32(request, IFLA_BR_FORWARD_DELAY, 200);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	g_autofree char *what = g_strdup_printf("create bridge %s", bridge->name);
	return nl_ask(nl, request, what, error);
}

/* A queue for each processor, and then all but one given back, is the kernel's way with a veth that does not say: it waits for all
 * processors, with everybody else's network held up, once for each end. */
static void put_one_queue(struct nlmsghdr *request)
{
	mnl_attr_put_u32(request, IFLA_NUM_TX_QUEUES, 1);
	mnl_attr_put_u32(request, IFLA_NUM_RX_QUEUES, 1);
}

bool nl_veth_create(struct nl *nl, const struct nl_veth *veth, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	put_ifinfo(request, veth->index);
	mnl_attr_put_strz(request, IFLA_IFNAME, veth->name);
	if (veth->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, veth->mtu);
	if (veth->master)
		mnl_attr_put_u32(request, IFLA_MASTER, veth->master);
	put_one_queue(request);
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(request, VETH_INFO_PEER);
	put_ifinfo(request, veth->peer_index);
	mnl_attr_put_strz(request, IFLA_IFNAME, veth->peer_name);
	mnl_attr_put(request, IFLA_ADDRESS, 6, veth->peer_mac.bytes);
	if (veth->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, veth->mtu);
	put_one_queue(request);
	if (veth->peer_netns_fd >= 0)
		mnl_attr_put_u32(request, IFLA_NET_NS_FD, (guint32) veth->peer_netns_fd);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	g_autofree char *what = g_strdup_printf("create veth %s with its end %s", veth->name, veth->peer_name);
	return nl_ask(nl, request, what, error);
}

bool nl_upper_create(struct nl *nl, const struct nl_upper *upper, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	put_ifinfo(request, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, upper->name);
	mnl_attr_put_u32(request, IFLA_LINK, upper->lower);
	mnl_attr_put_u32(request, IFLA_NET_NS_FD, (guint32) upper->netns_fd);
	if (upper->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, upper->mtu);
	struct nlattr *info = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, upper->vlan ? "vlan" : "macvlan");
	struct nlattr *data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	if (upper->vlan)
		mnl_attr_put_u16(request, IFLA_VLAN_ID, (guint16) upper->vlan);
	else
		mnl_attr_put_u32(request, IFLA_MACVLAN_MODE, MACVLAN_MODE_PASSTHRU);
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, info);
	g_autofree char *what = upper->vlan ? g_strdup_printf("create the interface of VLAN %u, %s", upper->vlan, upper->name) :
					      g_strdup_printf("create macvlan %s", upper->name);
	return nl_ask(nl, request, what, error);
}

bool nl_link_change(struct nl *nl, unsigned index, const struct nl_change *change, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_SETLINK, 0);
	struct ifinfomsg *info = put_ifinfo(request, index);
	if (change->set_up) {
		info->ifi_change = IFF_UP;
		info->ifi_flags = change->up ? IFF_UP : 0;
	}
	if (change->alias)
		mnl_attr_put_strz(request, IFLA_IFALIAS, change->alias);
	if (change->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, change->mtu);
	if (change->mac)
		mnl_attr_put(request, IFLA_ADDRESS, 6, change->mac->bytes);
	if (change->set_master)
		mnl_attr_put_u32(request, IFLA_MASTER, change->master);
	g_autofree char *what = g_strdup_printf("change link %u", index);
	return nl_ask(nl, request, what, error);
}

bool nl_link_delete(struct nl *nl, unsigned index, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_DELLINK, 0);
	put_ifinfo(request, index);
	g_autofree char *what = g_strdup_printf("delete link %u", index);
	g_autoptr(GError) local = NULL;
	if (nl_ask(nl, request, what, &local) || nl->last_errno == ENODEV)
		return true;
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

void nl_link_free(struct nl_link *link)
{
	g_free(link->alias);
	g_clear_pointer(&link->addrs, g_array_unref);
	g_free(link);
}

GPtrArray *nl_links_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify) nl_link_free);
}

static void parse_kind(struct nl_link *link, const struct nlattr *linkinfo)
{
	const struct nlattr *attr;
	mnl_attr_for_each_nested(attr, linkinfo) {
		if (mnl_attr_get_type(attr) == IFLA_INFO_KIND && mnl_attr_validate(attr, MNL_TYPE_STRING) >= 0)
			g_strlcpy(link->kind, mnl_attr_get_str(attr),
				MIN(sizeof(link->kind), mnl_attr_get_payload_len(attr) + 1u));
	}
}

static void parse_attr(struct nl_link *link, const struct nlattr *attr)
{
	size_t length = mnl_attr_get_payload_len(attr);
	const char *text = mnl_attr_get_payload(attr);
	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		g_strlcpy(link->name, text, MIN(sizeof(link->name), length + 1));
		break;
	case IFLA_IFALIAS:
		g_free(link->alias);
		link->alias = g_strndup(text, length);
		break;
	case IFLA_MTU:
		if (length == sizeof(guint32))
			link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_MASTER:
		if (length == sizeof(guint32))
			link->master = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINK:
		if (length == sizeof(guint32))
			link->peer = mnl_attr_get_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (length == sizeof(link->mac.bytes))
			memcpy(link->mac.bytes, text, sizeof(link->mac.bytes));
		break;
	case IFLA_LINKINFO:
		parse_kind(link, attr);
		break;
	}
}

struct nl_link *nl_link_parse(const struct nlmsghdr *message)
{
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct ifinfomsg))
		return NULL;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	/* Bridges tell of their ports a second time under their own family, without the rest. */
	if (info->ifi_family != AF_UNSPEC)
		return NULL;
	struct nl_link *link = g_new0(struct nl_link, 1);
	link->index = (unsigned) info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	link->loopback = info->ifi_flags & IFF_LOOPBACK;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, message, sizeof(*info)) {
		parse_attr(link, attr);
	}
	return link;
}

static void add_link(const struct nlmsghdr *message, void *data)
{
	struct nl_link *link = message->nlmsg_type == RTM_NEWLINK ? nl_link_parse(message) : NULL;
	if (link)
		g_ptr_array_add(data, link);
}

bool nl_links(struct nl *nl, GPtrArray *ret, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_GETLINK, 0);
	put_ifinfo(request, 0);
	return nl_dump(nl, request, add_link, ret, "list links", error);
}
