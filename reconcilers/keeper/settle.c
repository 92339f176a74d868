#include "keeper/keeper.h"

#include <string.h>
#include <sys/socket.h>

/* What a request leaves open is settled here: which address, which MAC. This process alone gives them out, one request after the
 * other, so that nothing is given twice. What an ended instance had stays its slot's: its next incarnation takes it again. */

struct taken {
	struct keeper *keeper;
	const struct keeper_vnfc *want;
	const char *link;
	const struct vnfc *now; /* the incarnation itself: what it has is no obstacle */
	const char *holder;     /* out: who has it */
};

/* Does @vnfc stand in the way of another, or is it the slot's own past? */
static bool counts(const struct taken *taken, const struct vnfc *vnfc)
{
	if (vnfc == taken->now)
		return false;
	return !(vnfc->phase == VNFC_ENDED && strcmp(vnfc->want.key, taken->want->key) == 0);
}

static bool cp_has_address(const struct keeper_cp *cp, const struct nl_addr *addr)
{
	struct nl_addr own;
	for (size_t i = 0; i < cp->addresses.n; i++)
		if (nl_addr_parse(cp->addresses.items[i], &own) && own.family == addr->family &&
		    memcmp(own.bytes, addr->bytes, sizeof(own.bytes)) == 0)
			return true;
	return false;
}

static bool cp_has_mac(const struct keeper_cp *cp, const char *mac)
{
	return cp->mac && strcmp(cp->mac, mac) == 0;
}

static bool is_free(struct taken *taken, const struct nl_addr *addr, const char *mac)
{
	/* Those of this request that are settled already. */
	for (size_t i = 0; i < taken->want->n_cps; i++) {
		const struct keeper_cp *cp = &taken->want->cps[i];
		taken->holder = taken->want->key;
		if (strcmp(cp->link, taken->link) == 0 && (addr ? cp_has_address(cp, addr) : cp_has_mac(cp, mac)))
			return false;
	}
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, taken->keeper->vnfcs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct vnfc *vnfc = value;
		taken->holder = vnfc->id;
		for (size_t i = 0; counts(taken, vnfc) && i < vnfc->want.n_cps; i++) {
			const struct keeper_cp *cp = &vnfc->want.cps[i];
			if (strcmp(cp->link, taken->link) == 0 && (addr ? cp_has_address(cp, addr) : cp_has_mac(cp, mac)))
				return false;
		}
	}
	return true;
}

static bool address_is_free(const struct nl_addr *addr, void *data)
{
	return is_free(data, addr, NULL);
}

static bool invalid(GError **error, const struct keeper_cp *cp, const char *fault, const char *text)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "connection point %s: \"%s\" %s", cp->name, text, fault);
	return false;
}

/* Fixed by the operator: as it is, or not at all. The CP's addresses are set aside while looking, or they would be their own
 * holder. */
static bool check_fixed(struct taken *taken, struct keeper_cp *cp, const struct nl_addr *cidr, GError **error)
{
	struct keeper_strings fixed = cp->addresses;
	cp->addresses.n = 0;
	for (size_t i = 0; i < fixed.n; i++) {
		struct nl_addr addr;
		if (strchr(fixed.items[i], '/') || !nl_addr_parse(fixed.items[i], &addr))
			return invalid(error, cp, "is no plain address", fixed.items[i]);
		if (cidr && !nl_addr_within(&addr, cidr))
			return invalid(error, cp, "is outside the link's CIDR", fixed.items[i]);
		if (!is_free(taken, &addr, NULL)) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT,
				"connection point %s: address %s on %s is held by %s", cp->name,
				    fixed.items[i], cp->link, taken->holder);
			return false;
		}
	}
	cp->addresses = fixed;
	return true;
}

/* The first of @among that lies in the CIDR and is free, as the CP's one address. */
static bool take_from(struct taken *taken, struct arena *arena, struct keeper_cp *cp, const struct nl_addr *cidr,
	struct keeper_strings among)
{
	for (size_t i = 0; i < among.n; i++) {
		struct nl_addr addr;
		if (!nl_addr_parse(among.items[i], &addr) || !nl_addr_within(&addr, cidr) || !is_free(taken, &addr, NULL))
			continue;
		const char **item = ARENA_ARRAY(arena, const char *, 1);
		*item = arena_strdup(arena, among.items[i]);
		cp->addresses = (struct keeper_strings) { item, 1 };
		return true;
	}
	return false;
}

static const struct keeper_cp *cp_now(const struct vnfc *now, const char *name)
{
	for (size_t i = 0; now && i < now->want.n_cps; i++)
		if (strcmp(now->want.cps[i].name, name) == 0)
			return &now->want.cps[i];
	return NULL;
}

static bool settle_addresses(struct taken *taken, struct arena *arena, struct keeper_cp *cp, const struct keeper_link *link,
	GError **error)
{
	struct nl_addr cidr, gateway, addr;
	if (cp->cidr && (!strchr(cp->cidr, '/') || !nl_addr_parse(cp->cidr, &cidr)))
		return invalid(error, cp, "is no CIDR", cp->cidr);
	if (cp->addresses.n)
		return check_fixed(taken, cp, cp->cidr ? &cidr : NULL, error);
	if (!cp->cidr)
		return true;
	const struct keeper_cp *now = cp_now(taken->now, cp->name);
	if ((now && take_from(taken, arena, cp, &cidr, now->addresses)) || take_from(taken, arena, cp, &cidr, cp->prefer))
		return true;
	bool has_gateway = link->gateway && nl_addr_parse(link->gateway, &gateway);
	if (!address_pick(&cidr, cp->pools, has_gateway ? &gateway : NULL, taken->want->key, cp->name, address_is_free, taken,
		&addr, error)) {
		g_prefix_error(error, "connection point %s: ", cp->name);
		return false;
	}
	char text[NL_ADDR_TEXT_SIZE];
	const char **item = ARENA_ARRAY(arena, const char *, 1);
	*item = arena_strdup(arena, nl_addr_print(&addr, false, text));
	cp->addresses = (struct keeper_strings) { item, 1 };
	return true;
}

static bool settle_mac(struct taken *taken, struct arena *arena, struct keeper_cp *cp, GError **error)
{
	struct nl_mac mac;
	char text[18];
	const char *fixed = cp->mac;
	cp->mac = NULL;
	if (fixed && (!nl_mac_parse(fixed, &mac) || (mac.bytes[0] & 1)))
		return invalid(error, cp, "is no MAC address of one interface", fixed);
	if (fixed) {
		nl_mac_print(mac, text);
		if (!is_free(taken, NULL, text)) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT,
				"connection point %s: MAC address %s on %s is held by %s",
				    cp->name, text, cp->link, taken->holder);
			return false;
		}
		cp->mac = arena_strdup(arena, text);
		return true;
	}
	const struct keeper_cp *now = cp_now(taken->now, cp->name);
	if (now && now->mac && is_free(taken, NULL, now->mac)) {
		cp->mac = arena_strdup(arena, now->mac);
		return true;
	}
	unsigned salt = 0;
	do
		nl_mac_print(mac_of(taken->keeper->owner, taken->want->key, cp->name, salt++), text);
	while (!is_free(taken, NULL, text));
	cp->mac = arena_strdup(arena, text);
	return true;
}

static bool check_names(const struct keeper_vnfc *want, GError **error)
{
	g_autoptr(GHashTable) ports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < want->n_cps; i++) {
		name_text name;
		name_of_port(want->cps[i].name, name);
		if (!g_hash_table_add(ports, g_strdup(name)))
			return invalid(error, &want->cps[i], "names two connection points", name);
	}
	bool ok = g_str_has_prefix(want->key, "vnfc/") && want->incarnation > 0;
	if (!ok)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "neither key nor incarnation is a VNFC's");
	return ok;
}

bool vnfc_settle(struct keeper *keeper, struct arena *arena, struct keeper_vnfc *want, const struct vnfc *now, GError **error)
{
	if (!check_names(want, error))
		return false;
	struct keeper_cp *cps = arena_memdup(arena, want->cps, want->n_cps * sizeof(*cps));
	want->cps = cps;
	struct taken taken = { keeper, want, NULL, now, NULL };
	for (size_t i = 0; i < want->n_cps; i++) {
		const struct link *link = cps[i].link ? g_hash_table_lookup(keeper->links, cps[i].link) : NULL;
		if (!link) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "connection point %s: no link %s here",
				cps[i].name,
				    cps[i].link ? cps[i].link : "(none named)");
			return false;
		}
		if (!cps[i].mtu)
			cps[i].mtu = link->want.mtu;
	}
	/* What is fixed first, so that nothing of it is given to another connection point of the same VNFC. */
	for (int fixed = 1; fixed >= 0; fixed--) {
		for (size_t i = 0; i < want->n_cps; i++) {
			taken.link = cps[i].link;
			if ((cps[i].addresses.n > 0) == fixed &&
			    !settle_addresses(&taken, arena, &cps[i],
				&((struct link *) g_hash_table_lookup(keeper->links, cps[i].link))->want, error))
				return false;
		}
	}
	for (size_t i = 0; i < want->n_cps; i++) {
		taken.link = cps[i].link;
		if (!settle_mac(&taken, arena, &cps[i], error))
			return false;
	}
	return true;
}
