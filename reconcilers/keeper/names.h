/* What the keeper derives from keys: names of interfaces, MACs, aliases, and addresses. Pure. */
#pragma once

#include "keeperproto/keeperproto.h"
#include "netlink/netlink.h"

typedef char name_text[NL_NAME_MAX + 1];

/* "pl" and 12 hex digits: of the link's key; of VNFC key, CP and incarnation. */
void name_of_bridge(const char *key, name_text ret);
/* Of both ends of a link's way out: in the host's namespace, where other owners' and sites' are too, and in the site's. */
void name_of_uplink(const char *owner, const char *site, const char *key, name_text ret);
void name_of_veth(const char *key, const char *cp, unsigned incarnation, name_text ret);

/* The CP's own name where the kernel takes it as an interface's name, else "cp" and 12 hex digits. */
void name_of_port(const char *cp, name_text ret);

/* "pleach OWNER KEY[ CP] INCARNATION", cut to what an alias holds. Owned by the caller. */
char *alias_of(const char *owner, const char *key, const char *cp, unsigned incarnation);

/* The owner in an alias of that form; NULL: it is none. Owned by the caller. */
char *alias_owner(const char *alias);

/* 02: and five bytes of a hash; @salt 0 first, then 1, 2 … where that one is taken. */
struct nl_mac mac_of(const char *owner, const char *key, const char *cp, unsigned salt);

/* Is @addr free? */
typedef bool (*address_free_fn)(const struct nl_addr *addr, void *data);

/* The first free address from a hash of @key and @cp on, among @pools ("FIRST-LAST"; none: all of @cidr), never the network's
 * own, the broadcast address or @gateway (NULL: none). *@ret has the CIDR's prefix length. PERMANENT: all are taken; INVALID: a
 * pool that is no range of the CIDR. */
bool address_pick(const struct nl_addr *cidr, struct keeper_strings pools, const struct nl_addr *gateway, const char *key,
	const char *cp,
		  address_free_fn is_free, void *data, struct nl_addr *ret, GError **error);
