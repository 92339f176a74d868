/* Links, addresses and routes of one network namespace, over rtnetlink (libmnl).
 *
 * A `struct nl` asks and waits: each call sends one request and returns with the kernel's answer, in the kernel's own words
 * where it has any (extended acknowledgements). A `struct nl_mirror` listens: it holds a copy of all links and addresses, kept
 * up to date by the kernel's notifications; what another call did is in it as soon as nl_mirror_read() was called after that
 * call returned.
 *
 * Both belong to the network namespace that they were opened in, for ever; opening in another namespace moves the calling thread
 * there and back, so do that from a process with one thread. A handle is one thread's at a time.
 */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	NL_NAME_MAX = 15,   /* bytes of an interface's name */
	NL_ALIAS_MAX = 255, /* bytes of an interface's alias */
	NL_BRIDGE_PORTS_MAX = 1023,
};

/* --- asking -------------------------------------------------------------------------------------------------------------- */

struct nl;

/* Where a handle is opened: both -1 for the namespace of the calling thread. @home_fd is that namespace, to go back to. */
struct nl_where {
	int netns_fd, home_fd;
};

#define NL_HERE ((struct nl_where) { -1, -1 })

struct nl *nl_open(struct nl_where where, GError **error);
void nl_close(struct nl *nl);
AUTO_DEFINE(nl, nl_close)

/* errno of the last call that failed on @nl: to tell "exists already" from the rest. */
int nl_errno(const struct nl *nl);

struct nl_mac {
	guint8 bytes[6];
};

/* "02:00:00:00:00:01". Parsing takes nothing else. */
bool nl_mac_parse(const char *text, struct nl_mac *ret);
void nl_mac_print(struct nl_mac mac, char text[18]);

struct nl_addr {
	guint8 family; /* AF_INET, AF_INET6 */
	guint8 prefix; /* bits */
	guint8 bytes[16];
};

/* "10.0.0.1", "10.0.0.1/24", "fd00::1/64": without a length it is the whole address (32, 128). */
bool nl_addr_parse(const char *text, struct nl_addr *ret);
/* "10.0.0.1" or, @with_prefix, "10.0.0.1/24". Returns @text. */
enum { NL_ADDR_TEXT_SIZE = 56 };
char *nl_addr_print(const struct nl_addr *addr, bool with_prefix, char text[NL_ADDR_TEXT_SIZE]);
bool nl_addr_equal(const struct nl_addr *a, const struct nl_addr *b); /* prefix included */
/* The same network: every bit that @net's prefix covers. */
bool nl_addr_within(const struct nl_addr *addr, const struct nl_addr *net);

/* @index 0: the kernel picks one. EEXIST, EBUSY: the name or the index is taken. */
struct nl_bridge {
	const char *name;
	unsigned index, mtu;
	struct nl_mac mac;
};
bool nl_bridge_create(struct nl *nl, const struct nl_bridge *bridge, GError **error);

/* A pair; the peer is made directly in its namespace (@peer_netns_fd, -1: this one), down. */
struct nl_veth {
	const char *name;
	unsigned index, mtu;
	unsigned master; /* index of the bridge, or 0 */
	const char *peer_name;
	unsigned peer_index;
	struct nl_mac peer_mac;
	int peer_netns_fd;
};
bool nl_veth_create(struct nl *nl, const struct nl_veth *veth, GError **error);

/* An interface on top of @lower, made in the namespace @netns_fd, down. @vlan 0: a macvlan that takes in all that comes
 * (passthru: the only one on @lower), else that VLAN of @lower. EOPNOTSUPP: the kernel has none such; EINVAL: @lower cannot have it. */
struct nl_upper {
	const char *name;
	unsigned lower, vlan, mtu;
	int netns_fd;
};
bool nl_upper_create(struct nl *nl, const struct nl_upper *upper, GError **error);

/* What to change; what is not set stays. One message. */
struct nl_change {
	const char *alias; /* NULL: as it is */
	unsigned mtu;      /* 0: as it is */
	const struct nl_mac *mac;
	bool set_master, set_up;
	unsigned master; /* 0: none */
	bool up;
};
bool nl_link_change(struct nl *nl, unsigned index, const struct nl_change *change, GError **error);

/* Absent is success. */
bool nl_link_delete(struct nl *nl, unsigned index, GError **error);

bool nl_addr_add(struct nl *nl, unsigned index, const struct nl_addr *addr, GError **error); /* there already: success */
bool nl_addr_delete(struct nl *nl, unsigned index, const struct nl_addr *addr, GError **error); /* absent: success */

struct nl_route {
	struct nl_addr to;  /* prefix 0: default */
	struct nl_addr via; /* family 0: directly on the link */
	unsigned index;     /* of the link, 0: by @via alone */
	unsigned table;     /* 0: main */
	unsigned metric;
};
bool nl_route_add(struct nl *nl, const struct nl_route *route, GError **error); /* replaces one to the same network */
bool nl_route_delete(struct nl *nl, const struct nl_route *route, GError **error); /* absent: success */

struct nl_link {
	unsigned index, mtu;
	unsigned master; /* 0: none */
	unsigned peer;   /* index of a veth's other end, in its own namespace; 0: none */
	bool up;         /* administratively */
	bool loopback;
	struct nl_mac mac;
	char name[NL_NAME_MAX + 1];
	char kind[16];   /* "veth", "bridge", "" */
	char *alias;     /* or NULL */
	GArray *addrs;   /* struct nl_addr of global scope; in a mirror only, else NULL */
};

void nl_link_free(struct nl_link *link);
bool nl_links(struct nl *nl, GPtrArray *ret, GError **error);                       /* appends struct nl_link *, owned by @ret */
bool nl_addrs(struct nl *nl, unsigned index, GArray *ret, GError **error);          /* appends struct nl_addr */
bool nl_routes(struct nl *nl, unsigned table, GArray *ret, GError **error);         /* appends struct nl_route (unicast) */
GPtrArray *nl_links_new(void);

/* --- listening ----------------------------------------------------------------------------------------------------------- */

/* The kernel tells of everything but this: an alias that is set on a link that is down shows only at its next change. */
struct nl_mirror;

struct nl_mirror *nl_mirror_open(struct nl_where where, GError **error);
void nl_mirror_close(struct nl_mirror *mirror);
AUTO_DEFINE(nl_mirror, nl_mirror_close)

int nl_mirror_fd(const struct nl_mirror *mirror); /* readable: call nl_mirror_read() */

/* The handle that the mirror itself asks with, in the same namespace: borrowed. */
struct nl *nl_mirror_handle(struct nl_mirror *mirror);

/* Told of every link that came, went (@gone) or changed in what struct nl_link holds. */
typedef void (*nl_changed_fn)(unsigned index, bool gone, void *data);

/* Takes in all notifications that are there; reads everything anew when some were lost. @changed may be NULL. */
bool nl_mirror_read(struct nl_mirror *mirror, nl_changed_fn changed, void *data, GError **error);

const struct nl_link *nl_mirror_link(const struct nl_mirror *mirror, unsigned index); /* NULL: none */
const struct nl_link *nl_mirror_named(const struct nl_mirror *mirror, const char *name);
/* Every link, in no order: until NULL. Zero the iterator before the first call. */
const struct nl_link *nl_mirror_next(const struct nl_mirror *mirror, GHashTableIter *iter, bool first);
