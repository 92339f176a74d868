#include "vim/local/private.h"

#include <string.h>

static struct keeper_strings strings(const char *const *items, size_t n)
{
	return (struct keeper_strings) { items, n };
}

struct keeper_link link_to_keeper(const struct link *link)
{
	return (struct keeper_link) {
		.key = link->key, .incarnation = link->incarnation, .cidr = link->cidr,
		.pools = strings(link->pools, link->n_pools),
		.mtu = link->mtu, .gateway = link->gateway, .network = link->network, .vlan = link->vlan, .up = link->up,
	};
}

struct keeper_vnfc vnfc_to_keeper(struct arena *arena, const struct vnfc *vnfc)
{
	struct keeper_label *labels = ARENA_ARRAY(arena, struct keeper_label, vnfc->n_labels + 1);
	struct keeper_cp *cps = ARENA_ARRAY(arena, struct keeper_cp, vnfc->n_cps + 1);
	for (size_t i = 0; i < vnfc->n_labels; i++)
		labels[i] = (struct keeper_label) { vnfc->labels[i].name, vnfc->labels[i].text };
	for (size_t i = 0; i < vnfc->n_cps; i++) {
		const struct cp *cp = &vnfc->cps[i];
		cps[i] = (struct keeper_cp) {
			.name = cp->name, .link = cp->link, .order = cp->order, .mtu = cp->mtu, .cidr = cp->cidr,
			.pools = strings(cp->pools, cp->n_pools), .addresses = strings(cp->addresses, cp->n_addresses),
			.prefer = strings(cp->prefer_addresses, cp->n_prefer_addresses), .mac = cp->mac_address, .up = cp->up,
		};
	}
	return (struct keeper_vnfc) {
		.key = vnfc->key, .incarnation = MAX(vnfc->incarnation, 1), .vcpus = MAX(vnfc->vcpus, 0),
		.mem_bytes = MAX(vnfc->mem_bytes, 0),
		.pids = MAX(vnfc->pids, 0), .hostname = vnfc->hostname, .labels = labels, .n_labels = vnfc->n_labels, .cps = cps,
		.n_cps = vnfc->n_cps,
	};
}

/* What was parsed may live in another arena than the one that the caller keeps. */
static const char *const *copy_strings(struct arena *arena, struct keeper_strings from)
{
	const char **items = ARENA_ARRAY(arena, const char *, from.n + 1);
	for (size_t i = 0; i < from.n; i++)
		items[i] = arena_strdup(arena, from.items[i]);
	return items;
}

const struct link *link_from_keeper(struct arena *arena, const struct vim *vim, const struct keeper_link *seen)
{
	struct link *link = ARENA_NEW(arena, struct link);
	*link = (struct link) {
		.key = arena_strdup(arena, seen->key), .site = arena_strdup(arena, vim->site->name),
		.incarnation = seen->incarnation,
		.cidr = arena_strdup(arena, seen->cidr), .pools = copy_strings(arena, seen->pools), .n_pools = seen->pools.n,
		.mtu = seen->mtu, .gateway = arena_strdup(arena, seen->gateway), .up = seen->up,
		.network = arena_strdup(arena, seen->network), .vlan = seen->vlan,
		.device = arena_strdup(arena, seen->device),
	};
	return link;
}

static void cp_from_keeper(struct arena *arena, const struct keeper_cp *seen, struct cp *ret)
{
	*ret = (struct cp) {
		.name = arena_strdup(arena, seen->name), .link = arena_strdup(arena, seen->link), .order = seen->order,
		.mtu = seen->mtu,
		.cidr = arena_strdup(arena, seen->cidr), .pools = copy_strings(arena, seen->pools), .n_pools = seen->pools.n,
		.addresses = copy_strings(arena, seen->addresses), .n_addresses = seen->addresses.n,
		.mac_address = arena_strdup(arena, seen->mac), .up = seen->up, .port_name = arena_strdup(arena, seen->port),
	};
}

static enum vnfc_state state_from_keeper(enum keeper_state state)
{
	switch (state) {
	case KEEPER_RUNNING:
		return VNFC_RUNNING;
	case KEEPER_STOPPED:
		return VNFC_STOPPED;
	case KEEPER_FAILED:
		return VNFC_FAILED;
	}
	return VNFC_FAILED;
}

const struct vnfc *vnfc_from_keeper(struct arena *arena, const struct vim *vim, const struct keeper_vnfc *seen)
{
	struct label *labels = ARENA_ARRAY(arena, struct label, seen->n_labels + 1);
	struct cp *cps = ARENA_ARRAY(arena, struct cp, seen->n_cps + 1);
	for (size_t i = 0; i < seen->n_labels; i++)
		labels[i] = (struct label) { arena_strdup(arena, seen->labels[i].name),
			arena_strdup(arena, seen->labels[i].text) };
	for (size_t i = 0; i < seen->n_cps; i++)
		cp_from_keeper(arena, &seen->cps[i], &cps[i]);
	struct vnfc *vnfc = ARENA_NEW(arena, struct vnfc);
	*vnfc = (struct vnfc) {
		.key = arena_strdup(arena, seen->key), .site = arena_strdup(arena, vim->site->name),
		.incarnation = seen->incarnation,
		.state = state_from_keeper(seen->state), .vcpus = seen->vcpus, .mem_bytes = seen->mem_bytes, .pids = seen->pids,
		.hostname = arena_strdup(arena, seen->hostname), .labels = labels, .n_labels = seen->n_labels, .cps = cps,
		.n_cps = seen->n_cps, .pid = seen->pid, .exit = arena_strdup(arena, seen->exit),
	};
	return vnfc;
}

const struct access *access_from_keeper(struct arena *arena, const struct vim *vim, const struct keeper_vnfc *seen)
{
	if (!seen->socket)
		return NULL;
	struct access *access = ARENA_NEW(arena, struct access);
	*access = (struct access) {
		.key = arena_strdup(arena, seen->key), .transport = "unix",
		.address = arena_printf(arena, "%s/%s", vim->folder, seen->socket),
	};
	return access;
}
