#include "keeper/keeper.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void port_free(void *data)
{
	struct port *port = data;
	g_hash_table_remove(port->vnfc->keeper->by_host, GUINT_TO_POINTER(port->host_index));
	g_free(port->cp);
	g_free(port->link);
	g_free(port);
}

void ports_free(struct vnfc *vnfc)
{
	for (guint i = 0; i < vnfc->ports->len; i++)
		port_free(vnfc->ports->pdata[i]);
	g_ptr_array_set_size(vnfc->ports, 0);
}

struct port *port_find(const struct vnfc *vnfc, const char *cp)
{
	for (guint i = 0; i < vnfc->ports->len; i++) {
		struct port *port = vnfc->ports->pdata[i];
		if (strcmp(port->cp, cp) == 0)
			return port;
	}
	return NULL;
}

static const struct nl_link *host_end(const struct port *port)
{
	const struct nl_link *seen = nl_mirror_link(port->vnfc->keeper->mirror, port->host_index);
	return seen && is_ours(port->vnfc->keeper, seen) ? seen : NULL;
}

/* Its end in the VNFC: under the index that we gave it, and still called what we called it. */
static const struct nl_link *own_end(const struct port *port)
{
	const struct nl_link *seen = port->vnfc->mirror ? nl_mirror_link(port->vnfc->mirror, port->index) : NULL;
	return seen && strcmp(seen->name, port->name) == 0 ? seen : NULL;
}

static bool refresh(struct vnfc *vnfc, GError **error)
{
	return keeper_refresh(vnfc->keeper, error) && nl_mirror_read(vnfc->mirror, NULL, NULL, error);
}

/* Whatever is left of the pair, and a remnant with its name. */
static bool make_way(struct port *port, GError **error)
{
	struct keeper *keeper = port->vnfc->keeper;
	const struct nl_link *seen = nl_mirror_link(port->vnfc->mirror, port->index);
	if (seen && !nl_link_delete(nl_mirror_handle(port->vnfc->mirror), seen->index, error))
		return false;
	seen = nl_mirror_named(keeper->mirror, port->host_name);
	if (!seen)
		return refresh(port->vnfc, error);
	if (!is_ours(keeper, seen)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT,
			    "interface %s stands in its place and does not carry the tag of owner \"%s\"", seen->name,
				keeper->owner);
		return false;
	}
	return nl_link_delete(keeper->nl, seen->index, error) && refresh(port->vnfc, error);
}

static bool create(struct port *port, const struct keeper_cp *want, unsigned bridge, GError **error)
{
	struct keeper *keeper = port->vnfc->keeper;
	g_hash_table_remove(keeper->by_host, GUINT_TO_POINTER(port->host_index));
	if (!make_way(port, error))
		return false;
	int netns = vnfc_netns(port->vnfc, error);
	if (netns < 0)
		return false;
	struct nl_veth veth = { .name = port->host_name, .mtu = want->mtu, .master = bridge, .peer_name = port->name,
		.peer_netns_fd = netns };
	nl_mac_parse(want->mac, &veth.peer_mac);
	veth.peer_index = port->index;
	do {
		veth.index = keeper->next_index++;
		g_clear_error(error);
	} while (!nl_veth_create(keeper->nl, &veth, error) && nl_errno(keeper->nl) == EBUSY);
	int errnum = nl_errno(keeper->nl);
	close(netns);
	if (errnum == EXFULL)
		g_prefix_error(error, "a bridge takes at most %d connection points: ", NL_BRIDGE_PORTS_MAX);
	if (errnum)
		return false;
	port->host_index = veth.index;
	g_hash_table_insert(keeper->by_host, GUINT_TO_POINTER(port->host_index), port);
	return true;
}

static bool adjust_host(struct port *port, const struct keeper_cp *want, unsigned bridge, bool fresh, GError **error)
{
	const struct nl_link *seen = fresh ? NULL : host_end(port);
	g_autofree char *alias = alias_of(port->vnfc->keeper->owner, port->vnfc->want.key, want->name,
		port->vnfc->want.incarnation);
	struct nl_change change = { .up = true, .master = bridge };
	change.set_up = !seen || !seen->up;
	change.set_master = seen && seen->master != bridge;
	change.alias = !seen || g_strcmp0(seen->alias, alias) != 0 ? alias : NULL;
	change.mtu = !seen || seen->mtu == want->mtu ? 0 : want->mtu;
	if (!change.set_up && !change.set_master && !change.alias && !change.mtu)
		return true;
	return nl_link_change(port->vnfc->keeper->nl, port->host_index, &change, error);
}

static bool adjust_own(struct port *port, const struct keeper_cp *want, bool fresh, GError **error)
{
	const struct nl_link *seen = fresh ? NULL : own_end(port);
	struct nl_mac mac;
	nl_mac_parse(want->mac, &mac);
	g_autofree char *alias = alias_of(port->vnfc->keeper->owner, port->vnfc->want.key, want->name,
		port->vnfc->want.incarnation);
	struct nl_change change = { .up = want->up };
	change.set_up = fresh ? want->up : seen->up != want->up;
	change.alias = !seen || g_strcmp0(seen->alias, alias) != 0 ? alias : NULL;
	change.mtu = !seen || seen->mtu == want->mtu ? 0 : want->mtu;
	change.mac = !seen || memcmp(&seen->mac, &mac, sizeof(mac)) == 0 ? NULL : &mac;
	if (!change.set_up && !change.alias && !change.mtu && !change.mac)
		return true;
	return nl_link_change(nl_mirror_handle(port->vnfc->mirror), port->index, &change, error);
}

/* Addresses of one host alone (a virtual router's, put there by the network function itself) are not the VIM's business. */
static bool is_functions_own(const struct nl_addr *addr)
{
	return addr->prefix == (addr->family == 2 ? 32 : 128);
}

static bool wanted_address(const struct keeper_cp *want, size_t i, struct nl_addr *ret)
{
	struct nl_addr cidr;
	if (!nl_addr_parse(want->addresses.items[i], ret))
		return false;
	if (want->cidr && nl_addr_parse(want->cidr, &cidr))
		ret->prefix = cidr.prefix;
	return true;
}

static bool is_wanted(const struct keeper_cp *want, const struct nl_addr *addr)
{
	struct nl_addr own;
	for (size_t i = 0; i < want->addresses.n; i++)
		if (wanted_address(want, i, &own) && nl_addr_equal(&own, addr))
			return true;
	return false;
}

static bool has_address(const struct nl_link *seen, const struct nl_addr *addr)
{
	for (guint i = 0; seen && i < seen->addrs->len; i++)
		if (nl_addr_equal(&g_array_index(seen->addrs, struct nl_addr, i), addr))
			return true;
	return false;
}

static bool adjust_addresses(struct port *port, const struct keeper_cp *want, bool fresh, GError **error)
{
	struct nl *nl = nl_mirror_handle(port->vnfc->mirror);
	const struct nl_link *seen = fresh ? NULL : own_end(port);
	for (guint i = 0; seen && i < seen->addrs->len; i++) {
		const struct nl_addr *addr = &g_array_index(seen->addrs, struct nl_addr, i);
		if (!is_wanted(want, addr) && !is_functions_own(addr) && !nl_addr_delete(nl, port->index, addr, error))
			return false;
	}
	for (size_t i = 0; i < want->addresses.n; i++) {
		struct nl_addr addr;
		if (wanted_address(want, i, &addr) && !has_address(seen, &addr) && !nl_addr_add(nl, port->index, &addr, error))
			return false;
	}
	return true;
}

static bool ensure_one(struct vnfc *vnfc, const struct keeper_cp *want, GError **error)
{
	unsigned bridge = link_bridge(vnfc->keeper, want->link, error);
	if (!bridge)
		return false;
	struct port *port = port_find(vnfc, want->name);
	if (!port) {
		port = g_new0(struct port, 1);
		port->vnfc = vnfc;
		port->cp = g_strdup(want->name);
		port->index = KEEPER_PORT_FIRST_INDEX;
		while (nl_mirror_link(vnfc->mirror, port->index))
			port->index++;
		name_of_port(want->name, port->name);
		name_of_veth(vnfc->want.key, want->name, vnfc->want.incarnation, port->host_name);
		g_ptr_array_add(vnfc->ports, port);
	}
	g_free(port->link);
	port->link = g_strdup(want->link);
	bool fresh = !host_end(port) || !own_end(port);
	if ((fresh && !create(port, want, bridge, error)) || !adjust_host(port, want, bridge, fresh, error) ||
	    !adjust_own(port, want, fresh, error) || !adjust_addresses(port, want, fresh, error) || !refresh(vnfc, error)) {
		g_prefix_error(error, "connection point %s: ", want->name);
		return false;
	}
	return true;
}

static bool is_wanted_cp(const struct vnfc *vnfc, const char *cp)
{
	for (size_t i = 0; i < vnfc->want.n_cps; i++)
		if (strcmp(vnfc->want.cps[i].name, cp) == 0)
			return true;
	return false;
}

bool ports_ensure(struct vnfc *vnfc, GError **error)
{
	if (!refresh(vnfc, error))
		return false;
	for (guint i = 0; i < vnfc->ports->len;) {
		struct port *port = vnfc->ports->pdata[i];
		if (is_wanted_cp(vnfc, port->cp)) {
			i++;
			continue;
		}
		if (!make_way(port, error))
			return false;
		port_free(g_ptr_array_remove_index(vnfc->ports, i));
	}
	for (size_t i = 0; i < vnfc->want.n_cps; i++)
		if (!ensure_one(vnfc, &vnfc->want.cps[i], error))
			return false;
	return true;
}

/* --- looking -------------------------------------------------------------------------------------------------------------- */

/* Those that are there, in the order in which they were asked for, then the others; a network function's own are left out. */
static struct keeper_strings see_addresses(struct arena *arena, const struct keeper_cp *want, const struct nl_link *seen,
					   struct nl_addr *ret_odd, bool *ret_is_odd)
{
	const char **items = ARENA_ARRAY(arena, const char *, want->addresses.n + seen->addrs->len + 1);
	size_t n = 0;
	char text[NL_ADDR_TEXT_SIZE];
	struct nl_addr addr;
	for (size_t i = 0; i < want->addresses.n; i++)
		if (wanted_address(want, i, &addr) && has_address(seen, &addr))
			items[n++] = want->addresses.items[i];
	for (guint i = 0; i < seen->addrs->len; i++) {
		addr = g_array_index(seen->addrs, struct nl_addr, i);
		if (is_wanted(want, &addr) || is_functions_own(&addr))
			continue;
		items[n++] = arena_strdup(arena, nl_addr_print(&addr, false, text));
		*ret_odd = addr;
		*ret_is_odd = true;
	}
	return (struct keeper_strings) { items, n };
}

/* The network of an address that is outside the wanted one, or has another length of its prefix. */
static const char *odd_cidr(struct arena *arena, const struct keeper_cp *want, struct nl_addr addr)
{
	struct nl_addr cidr;
	if (!want->cidr || !nl_addr_parse(want->cidr, &cidr) || (cidr.prefix == addr.prefix && nl_addr_within(&addr, &cidr)))
		return want->cidr;
	for (unsigned bit = addr.prefix; bit < (addr.family == 2 ? 32 : 128); bit++)
		addr.bytes[bit / 8] &= (guint8) ~(0x80 >> bit % 8);
	char text[NL_ADDR_TEXT_SIZE];
	return arena_strdup(arena, nl_addr_print(&addr, true, text));
}

void port_observe(const struct vnfc *vnfc, struct arena *arena, const struct keeper_cp *want, struct keeper_cp *ret)
{
	const struct port *port = port_find(vnfc, want->name);
	const struct nl_link *host = port ? host_end(port) : NULL, *own = port ? own_end(port) : NULL;
	*ret = (struct keeper_cp) { .name = want->name, .order = want->order };
	if (!host || !own)
		return;
	const struct link *link = link_of_bridge(vnfc->keeper, host->master);
	struct nl_addr odd;
	bool is_odd = false;
	char mac[18];
	nl_mac_print(own->mac, mac);
	ret->link = link ? link->want.key : NULL;
	ret->mtu = own->mtu == want->mtu ? host->mtu : own->mtu;
	ret->pools = want->pools;
	ret->addresses = see_addresses(arena, want, own, &odd, &is_odd);
	ret->cidr = is_odd ? odd_cidr(arena, want, odd) : want->cidr;
	ret->mac = arena_strdup(arena, mac);
	ret->up = host->up && own->up;
	ret->port = own->name[0] ? port->name : NULL;
}
