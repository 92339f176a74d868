/* A virtual link (ETSI GS NFV-IFA 014, VirtualLink): one layer 2 segment of a service on a site.
 *
 * fields        shape   cost      meaning
 * cidr          scalar  in-place  IPv4 or IPv6 network that addresses are taken from; absent: layer 2 only
 * pools         list    metadata  "FIRST-LAST" ranges to allocate from; absent: all of the CIDR but its first address
 * mtu           scalar  in-place  bytes of layer 3 payload
 * gateway       scalar  in-place  reserved first address, never allocated (see SERVICE.router)
 * network       scalar  in-place  the VIM's own name of the network outside that the link is attached to (a Sap); absent: none
 * vlan          scalar  in-place  its VLAN, 1 to 4094; absent: untagged
 * state         scalar  in-place  desired "up"; observed "up" or "down"
 */
#pragma once

#include "model/object.h"

enum { LINK_MTU_DEFAULT = 1500, LINK_MTU_MIN = 68, LINK_MTU_MAX = 65521, LINK_VLAN_MAX = 4094 };

struct link {
	const char *key, *site;
	unsigned incarnation;
	const char *cidr; /* or NULL */
	const char *const *pools;
	size_t n_pools;
	unsigned mtu;
	const char *gateway; /* or NULL */
	const char *network; /* or NULL */
	unsigned vlan;       /* 0: none */
	bool up;
	/* observed only */
	const char *device; /* the VIM's name for it */
};

/* A typed view of an object whose fields are all known; strings point into the object. */
const struct link *link_from_object(struct arena *arena, const struct object *object, GError **error);
const struct object *link_to_object(struct arena *arena, const struct link *link);
