#include "netlink/private.h"

#include <errno.h>
#include <string.h>

static size_t family_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

static struct nlmsghdr *route_request(void *buffer, guint16 type, guint16 flags, const struct nl_route *route)
{
	struct nlmsghdr *request = nl_request(buffer, type, flags);
	struct rtmsg *head = mnl_nlmsg_put_extra_header(request, sizeof(*head));
	unsigned table = route->table ? route->table : RT_TABLE_MAIN;
	head->rtm_family = route->to.family;
	head->rtm_dst_len = route->to.prefix;
	head->rtm_table = table < 256 ? (guint8) table : RT_TABLE_UNSPEC;
	head->rtm_protocol = RTPROT_STATIC;
	head->rtm_type = RTN_UNICAST;
	head->rtm_scope = route->via.family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	mnl_attr_put_u32(request, RTA_TABLE, table);
	if (route->to.prefix)
		mnl_attr_put(request, RTA_DST, family_bytes(route->to.family), route->to.bytes);
	if (route->via.family)
		mnl_attr_put(request, RTA_GATEWAY, family_bytes(route->via.family), route->via.bytes);
	if (route->index)
		mnl_attr_put_u32(request, RTA_OIF, route->index);
	if (route->metric)
		mnl_attr_put_u32(request, RTA_PRIORITY, route->metric);
	return request;
}

bool nl_route_add(struct nl *nl, const struct nl_route *route, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO))), text[NL_ADDR_TEXT_SIZE];
	struct nlmsghdr *request = route_request(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
	g_autofree char *what = g_strdup_printf("add route to %s", nl_addr_print(&route->to, true, text));
	return nl_ask(nl, request, what, error);
}

bool nl_route_delete(struct nl *nl, const struct nl_route *route, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO))), text[NL_ADDR_TEXT_SIZE];
	struct nlmsghdr *request = route_request(buffer, RTM_DELROUTE, 0, route);
	g_autofree char *what = g_strdup_printf("delete route to %s", nl_addr_print(&route->to, true, text));
	g_autoptr(GError) local = NULL;
	if (nl_ask(nl, request, what, &local) || nl->last_errno == ESRCH)
		return true;
	g_propagate_error(error, g_steal_pointer(&local));
	return false;
}

struct route_list {
	unsigned table;
	GArray *routes;
};

static void parse_attr(struct nl_route *route, const struct nlattr *attr)
{
	size_t length = mnl_attr_get_payload_len(attr), n = family_bytes(route->to.family);
	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		if (length == n)
			memcpy(route->to.bytes, mnl_attr_get_payload(attr), n);
		break;
	case RTA_GATEWAY:
		if (length != n)
			break;
		route->via.family = route->to.family;
		route->via.prefix = (guint8) (n * 8);
		memcpy(route->via.bytes, mnl_attr_get_payload(attr), n);
		break;
	case RTA_OIF:
		if (length == sizeof(guint32))
			route->index = mnl_attr_get_u32(attr);
		break;
	case RTA_TABLE:
		if (length == sizeof(guint32))
			route->table = mnl_attr_get_u32(attr);
		break;
	case RTA_PRIORITY:
		if (length == sizeof(guint32))
			route->metric = mnl_attr_get_u32(attr);
		break;
	}
}

static void add_route(const struct nlmsghdr *message, void *data)
{
	struct route_list *list = data;
	if (message->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(message) < sizeof(struct rtmsg))
		return;
	const struct rtmsg *head = mnl_nlmsg_get_payload(message);
	if (head->rtm_type != RTN_UNICAST || (head->rtm_family != AF_INET && head->rtm_family != AF_INET6))
		return;
	struct nl_route route = { .to = { .family = head->rtm_family, .prefix = head->rtm_dst_len }, .table = head->rtm_table };
	const struct nlattr *attr;
	mnl_attr_for_each(attr, message, sizeof(*head)) {
		parse_attr(&route, attr);
	}
	if (route.table == list->table)
		g_array_append_val(list->routes, route);
}

bool nl_routes(struct nl *nl, unsigned table, GArray *ret, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_GETROUTE, 0);
	mnl_nlmsg_put_extra_header(request, sizeof(struct rtmsg));
	struct route_list list = { table ? table : RT_TABLE_MAIN, ret };
	return nl_dump(nl, request, add_route, &list, "list routes", error);
}
