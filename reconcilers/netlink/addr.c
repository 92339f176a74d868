#include "netlink/private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static size_t family_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

bool nl_addr_parse(const char *text, struct nl_addr *ret)
{
	char plain[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t) (slash - text) : strlen(text);
	if (length >= sizeof(plain))
		return false;
	memcpy(plain, text, length);
	plain[length] = '\0';
	*ret = (struct nl_addr) { 0 };
	if (inet_pton(AF_INET, plain, ret->bytes) == 1)
		ret->family = AF_INET;
	else if (inet_pton(AF_INET6, plain, ret->bytes) == 1)
		ret->family = AF_INET6;
	else
		return false;
	guint64 prefix = family_bytes(ret->family) * 8;
	if (slash && (!g_ascii_isdigit(slash[1]) || !g_ascii_string_to_unsigned(slash + 1, 10, 0, prefix, &prefix, NULL)))
		return false;
	ret->prefix = (guint8) prefix;
	return true;
}

char *nl_addr_print(const struct nl_addr *addr, bool with_prefix, char text[NL_ADDR_TEXT_SIZE])
{
	inet_ntop(addr->family, addr->bytes, text, NL_ADDR_TEXT_SIZE);
	if (with_prefix) {
		size_t n = strlen(text);
		g_snprintf(text + n, NL_ADDR_TEXT_SIZE - n, "/%u", addr->prefix);
	}
	return text;
}

bool nl_addr_equal(const struct nl_addr *a, const struct nl_addr *b)
{
	return a->family == b->family && a->prefix == b->prefix && memcmp(a->bytes, b->bytes, family_bytes(a->family)) == 0;
}

bool nl_addr_within(const struct nl_addr *addr, const struct nl_addr *net)
{
	if (addr->family != net->family)
		return false;
	size_t whole = net->prefix / 8;
	if (memcmp(addr->bytes, net->bytes, whole) != 0)
		return false;
	unsigned rest = net->prefix % 8;
	if (!rest)
		return true;
	guint8 mask = (guint8) (0xff << (8 - rest));
	return (addr->bytes[whole] & mask) == (net->bytes[whole] & mask);
}

static struct nlmsghdr *addr_request(void *buffer, guint16 type, guint16 flags, unsigned index, const struct nl_addr *addr)
{
	struct nlmsghdr *request = nl_request(buffer, type, flags);
	struct ifaddrmsg *head = mnl_nlmsg_put_extra_header(request, sizeof(*head));
	head->ifa_family = addr->family;
	head->ifa_prefixlen = addr->prefix;
	head->ifa_index = index;
	head->ifa_scope = RT_SCOPE_UNIVERSE;
	size_t n = family_bytes(addr->family);
	mnl_attr_put(request, IFA_LOCAL, n, addr->bytes);
	mnl_attr_put(request, IFA_ADDRESS, n, addr->bytes);
	return request;
}

static bool forgive(struct nl *nl, GError *local, int errnum, GError **error)
{
	if (!local)
		return true;
	if (nl->last_errno == errnum) {
		g_error_free(local);
		return true;
	}
	g_propagate_error(error, local);
	return false;
}

bool nl_addr_add(struct nl *nl, unsigned index, const struct nl_addr *addr, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO))), text[NL_ADDR_TEXT_SIZE];
	struct nlmsghdr *request = addr_request(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, addr);
	if (addr->family == AF_INET && addr->prefix < 31) {
		guint32 host, mask = htonl(~(guint32) 0 >> addr->prefix);
		memcpy(&host, addr->bytes, sizeof(host));
		mnl_attr_put_u32(request, IFA_BROADCAST, host | mask);
	}
	/* Addresses are given out once each: looking for duplicates would only delay the interface by a second. */
	if (addr->family == AF_INET6)
		mnl_attr_put_u32(request, IFA_FLAGS, IFA_F_NODAD);
	g_autofree char *what = g_strdup_printf("add address %s to link %u", nl_addr_print(addr, true, text), index);
	GError *local = NULL;
	nl_ask(nl, request, what, &local);
	return forgive(nl, local, EEXIST, error);
}

bool nl_addr_delete(struct nl *nl, unsigned index, const struct nl_addr *addr, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO))), text[NL_ADDR_TEXT_SIZE];
	struct nlmsghdr *request = addr_request(buffer, RTM_DELADDR, 0, index, addr);
	g_autofree char *what = g_strdup_printf("delete address %s of link %u", nl_addr_print(addr, true, text), index);
	GError *local = NULL;
	nl_ask(nl, request, what, &local);
	return forgive(nl, local, EADDRNOTAVAIL, error);
}

unsigned nl_addr_parse_message(const struct nlmsghdr *message, struct nl_addr *ret)
{
	if (mnl_nlmsg_get_payload_len(message) < sizeof(struct ifaddrmsg))
		return 0;
	const struct ifaddrmsg *head = mnl_nlmsg_get_payload(message);
	if (head->ifa_scope != RT_SCOPE_UNIVERSE || (head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return 0;
	*ret = (struct nl_addr) { .family = head->ifa_family, .prefix = head->ifa_prefixlen };
	size_t n = family_bytes(ret->family);
	bool local = false, found = false;
	const struct nlattr *attr;
	mnl_attr_for_each(attr, message, sizeof(*head)) {
		guint16 type = mnl_attr_get_type(attr);
		if ((type != IFA_LOCAL && type != IFA_ADDRESS) || mnl_attr_get_payload_len(attr) != n ||
			(local && type == IFA_ADDRESS))
			continue;
		memcpy(ret->bytes, mnl_attr_get_payload(attr), n);
		local |= type == IFA_LOCAL;
		found = true;
	}
	return found ? head->ifa_index : 0;
}

struct addr_list {
	unsigned index;
	GArray *addrs;
};

static void add_addr(const struct nlmsghdr *message, void *data)
{
	struct addr_list *list = data;
	struct nl_addr addr;
	if (message->nlmsg_type == RTM_NEWADDR && nl_addr_parse_message(message, &addr) == list->index)
		g_array_append_val(list->addrs, addr);
}

bool nl_addrs(struct nl *nl, unsigned index, GArray *ret, GError **error)
{
	char buffer[NL_REQUEST_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *request = nl_request(buffer, RTM_GETADDR, 0);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifaddrmsg));
	struct addr_list list = { index, ret };
	return nl_dump(nl, request, add_addr, &list, "list addresses", error);
}
