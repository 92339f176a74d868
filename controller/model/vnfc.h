/* A VNFC: an instance of a VDU (ETSI GS NFV-IFA 011, Vdu; GS NFV-SOL003, VnfcResourceInfo). The VIM's unit.
 *
 * fields                shape   cost      meaning
 * state                 scalar  replace   desired "running"; observed "running", "stopped" (it ended) or "failed"
 * vcpus                 scalar  in-place  processors, as a share of time
 * mem_bytes             scalar  in-place
 * pids                  scalar  in-place  processes at most
 * hostname              scalar  restart
 * label.*               scalar  metadata  vnfd_id, vnfd_version, flavour_id, vdu, product_name: what the VNF aggregate is made of
 * cp.*.link             scalar  in-place  key of the link that the connection point is plugged into
 * cp.*.order            scalar  metadata  position among the VNFC's connection points (TOSCA "order")
 * cp.*.mtu              scalar  in-place
 * cp.*.cidr             scalar  in-place  the link's network: an address outside it is drift
 * cp.*.pools            list    metadata
 * cp.*.addresses        list    in-place  allocated unless fixed by the service; plain ("10.0.0.5"): cp.*.cidr has the prefix length
 * cp.*.mac_address      scalar  in-place  allocated unless fixed; lower case, colons
 * cp.*.port_name        scalar  observed  the kernel's name in the VNFC
 * cp.*.state            scalar  in-place  desired "up"; observed "up" or "down"
 * pid                   scalar  observed, volatile
 * exit                  scalar  observed  why it is not running: "exit status 1", "signal 9 (Killed)", "out of memory"
 */
#pragma once

#include "model/object.h"

enum { VNFC_PIDS_DEFAULT = 1024, CP_NAME_MAX = 64 };

struct cp {
	const char *name;
	const char *link; /* key */
	unsigned order;
	unsigned mtu;
	const char *cidr; /* or NULL */
	const char *const *pools;
	size_t n_pools;
	const char *const *addresses; /* plain, without prefix length; n 0: to be allocated when there is a CIDR */
	size_t n_addresses;
	const char *mac_address; /* or NULL: derived from the key */
	bool up;
	/* wanted only: what the last applied record had, taken again when it is free */
	const char *const *prefer_addresses;
	size_t n_prefer_addresses;
	/* observed only */
	const char *port_name;
};

enum vnfc_state { VNFC_RUNNING, VNFC_STOPPED, VNFC_FAILED };

struct label {
	const char *name, *text;
};

struct vnfc {
	const char *key, *site;
	unsigned incarnation;
	enum vnfc_state state;
	gint64 vcpus, mem_bytes, pids; /* 0: not limited; observed -1: cannot be limited here (no control groups) */
	const char *hostname;
	const struct label *labels; /* sorted by name */
	size_t n_labels;
	const struct cp *cps; /* sorted by order, then name */
	size_t n_cps;
	/* observed only */
	gint64 pid;
	const char *exit;
};

const struct vnfc *vnfc_from_object(struct arena *arena, const struct object *object, GError **error);
const struct object *vnfc_to_object(struct arena *arena, const struct vnfc *vnfc);
