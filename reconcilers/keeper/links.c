#include "keeper/keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void link_free(struct link *link)
{
	arena_unref(link->arena);
	g_free(link->uplink_of);
	g_free(link);
}

bool is_ours(const struct keeper *keeper, const struct nl_link *seen)
{
	g_autofree char *owner = alias_owner(seen->alias);
	return g_strcmp0(owner, keeper->owner) == 0;
}

/* The bridge as it is now; NULL when it is gone. */
static const struct nl_link *bridge_of(const struct keeper *keeper, const struct link *link)
{
	const struct nl_link *seen = link->index ? nl_mirror_link(keeper->mirror, link->index) : NULL;
	return seen && strcmp(seen->kind, "bridge") == 0 ? seen : NULL;
}

struct link *link_of_bridge(struct keeper *keeper, unsigned index)
{
	return index ? g_hash_table_lookup(keeper->by_bridge, GUINT_TO_POINTER(index)) : NULL;
}

/* What has our name is somebody else's, or a remnant of ours: that is taken away. */
static bool make_way(struct keeper *keeper, const char *name, GError **error)
{
	const struct nl_link *seen = nl_mirror_named(keeper->mirror, name);
	if (!seen)
		return true;
	if (is_ours(keeper, seen))
		return nl_link_delete(keeper->nl, seen->index, error) && keeper_refresh(keeper, error);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT,
		"interface %s stands in its place and does not carry the tag of owner \"%s\"",
		    name, keeper->owner);
	return false;
}

static bool create(struct keeper *keeper, struct link *link, GError **error)
{
	if (!make_way(keeper, link->name, error))
		return false;
	g_hash_table_remove(keeper->by_bridge, GUINT_TO_POINTER(link->index));
	link->index = 0;
	struct nl_bridge bridge = { .name = link->name, .mtu = link->want.mtu,
		.mac = mac_of(keeper->owner, link->want.key, "", 0) };
	do {
		bridge.index = keeper->next_index++;
		g_clear_error(error);
	} while (!nl_bridge_create(keeper->nl, &bridge, error) && nl_errno(keeper->nl) == EBUSY);
	if (nl_errno(keeper->nl))
		return false;
	link->index = bridge.index;
	g_hash_table_insert(keeper->by_bridge, GUINT_TO_POINTER(link->index), link);
	return true;
}

static bool adjust(struct keeper *keeper, struct link *link, bool fresh, GError **error)
{
	const struct nl_link *seen = fresh ? NULL : bridge_of(keeper, link);
	g_autofree char *alias = alias_of(keeper->owner, link->want.key, NULL, link->want.incarnation);
	struct nl_change change = { .up = link->want.up };
	change.set_up = !seen || seen->up != link->want.up;
	change.alias = !seen || g_strcmp0(seen->alias, alias) != 0 ? alias : NULL;
	change.mtu = seen && seen->mtu == link->want.mtu ? 0 : link->want.mtu;
	if (!change.set_up && !change.alias && !change.mtu)
		return true;
	return nl_link_change(keeper->nl, link->index, &change, error);
}

/* Every port of the link back into its bridge, after that was made anew. */
static bool replug(struct keeper *keeper, struct link *link, GError **error)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, keeper->by_host);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct port *port = value;
		const struct nl_link *seen = nl_mirror_link(keeper->mirror, port->host_index);
		if (!seen || strcmp(port->link, link->want.key) != 0 || seen->master == link->index)
			continue;
		struct nl_change change = { .set_master = true, .master = link->index };
		if (!nl_link_change(keeper->nl, port->host_index, &change, error)) {
			g_prefix_error(error, "plug %s %s in again: ", port->vnfc->want.key, port->cp);
			return false;
		}
	}
	return true;
}

static bool apply(struct keeper *keeper, struct link *link, GError **error)
{
	bool fresh = !bridge_of(keeper, link);
	bool again = fresh && link->index;
	const void *before = keeper->acting;
	keeper->acting = again ? &acting_all : (const void *) link;
	bool ok = (!fresh || create(keeper, link, error)) && adjust(keeper, link, fresh, error) &&
		  (!again || replug(keeper, link, error)) && uplink_ensure(keeper, link, error) && keeper_refresh(keeper, error);
	keeper->acting = before;
	if (!ok)
		g_prefix_error(error, "%s: ", link->want.key);
	return ok;
}

static bool check(const struct keeper_link *want, GError **error)
{
	struct nl_addr addr;
	const char *fault = NULL;
	if (!g_str_has_prefix(want->key, "link/"))
		fault = "its key is not a link's";
	else if (want->cidr && (!strchr(want->cidr, '/') || !nl_addr_parse(want->cidr, &addr)))
		fault = "its CIDR is none";
	else if (want->gateway && !nl_addr_parse(want->gateway, &addr))
		fault = "its gateway is no address";
	else if (want->mtu && want->mtu < 68)
		fault = "its MTU is below 68";
	if (fault)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: %s", want->key, fault);
	return !fault;
}

bool links_ensure(struct keeper *keeper, struct arena *arena, const struct keeper_link *want, GError **error)
{
	if (!check(want, error) || !keeper_refresh(keeper, error))
		return false;
	struct link *link = g_hash_table_lookup(keeper->links, want->key);
	bool is_new = !link;
	if (is_new) {
		link = g_new0(struct link, 1);
		name_of_bridge(want->key, link->name);
	}
	g_clear_pointer(&link->arena, arena_unref);
	link->arena = arena_ref(arena);
	link->want = *want;
	if (!link->want.mtu)
		link->want.mtu = 1500;
	bool ok = apply(keeper, link, error);
	if (ok && is_new)
		g_hash_table_insert(keeper->links, g_strdup(want->key), link);
	if (!ok && is_new) {
		uplink_remove(keeper, link, NULL);
		if (link->index) {
			nl_link_delete(keeper->nl, link->index, NULL);
			g_hash_table_remove(keeper->by_bridge, GUINT_TO_POINTER(link->index));
		}
		link_free(link);
	}
	return ok;
}

static const struct port *user_of(struct keeper *keeper, const char *key)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, keeper->by_host);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct port *port = value;
		if (strcmp(port->link, key) == 0)
			return port;
	}
	return NULL;
}

bool links_remove(struct keeper *keeper, const char *key, GError **error)
{
	struct link *link = g_hash_table_lookup(keeper->links, key);
	if (!link)
		return true;
	const struct port *user = user_of(keeper, key);
	if (user) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in use by %s, connection point %s", key,
			user->vnfc->want.key,
			    user->cp);
		return false;
	}
	if (!keeper_refresh(keeper, error))
		return false;
	keeper->acting = link;
	bool ok = uplink_remove(keeper, link, error) &&
		  (!bridge_of(keeper, link) || nl_link_delete(keeper->nl, link->index, error)) && keeper_refresh(keeper, error);
	keeper->acting = NULL;
	if (!ok)
		return false;
	g_hash_table_remove(keeper->by_bridge, GUINT_TO_POINTER(link->index));
	g_hash_table_remove(keeper->links, key);
	return true;
}

void links_remove_all(struct keeper *keeper)
{
	g_hash_table_remove_all(keeper->by_bridge);
	g_hash_table_remove_all(keeper->links);
}

void links_take_down(struct keeper *keeper)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(unsigned));
	GHashTableIter iter;
	const struct nl_link *seen = nl_mirror_next(keeper->mirror, &iter, true);
	for (; seen; seen = nl_mirror_next(keeper->mirror, &iter, false))
		if (is_ours(keeper, seen) && strstr(seen->alias, " link/"))
			g_array_append_val(all, seen->index);
	for (guint i = 0; i < all->len; i++)
		nl_link_delete(keeper->nl, g_array_index(all, unsigned, i), NULL);
}

unsigned link_bridge(struct keeper *keeper, const char *key, GError **error)
{
	struct link *link = key ? g_hash_table_lookup(keeper->links, key) : NULL;
	if (!link) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no link %s here", key ? key : "");
		return 0;
	}
	if (!bridge_of(keeper, link) && !apply(keeper, link, error))
		return 0;
	return link->index;
}

void link_observe(struct keeper *keeper, const struct link *link, struct keeper_link *ret)
{
	const struct nl_link *seen = bridge_of(keeper, link);
	*ret = link->want;
	ret->mtu = seen ? seen->mtu : 0;
	ret->up = seen && seen->up;
	ret->device = seen ? link->name : NULL;
	bool attached = link->want.network && uplink_stands(keeper, link);
	ret->network = attached ? link->want.network : NULL;
	ret->vlan = attached ? link->want.vlan : 0;
}
