#include "fake/private.h"

#include "model/address.h"

#include <arpa/inet.h>
#include <string.h>

typedef unsigned __int128 number;

/* No link has more VNFCs than this by far; a full pool is found out soon. */
enum { TRIES_MAX = 65536, RANGES_MAX = 16 };

static number number_of(const struct address *address)
{
	number n = 0;
	for (unsigned i = 0; i < address->length; i++)
		n = n << 8 | address->bytes[i];
	return n;
}

static struct address address_of(number n, unsigned length)
{
	struct address address = { .length = length };
	for (unsigned i = length; i > 0; i--, n >>= 8)
		address.bytes[i - 1] = (unsigned char) n;
	return address;
}

static const char *text_of(struct arena *arena, number n, unsigned length)
{
	struct address address = address_of(n, length);
	char text[INET6_ADDRSTRLEN];
	inet_ntop(length == 4 ? AF_INET : AF_INET6, address.bytes, text, sizeof(text));
	return arena_strdup(arena, text);
}

static guint64 hash_of(const char *a, const char *b, unsigned round)
{
	g_autofree char *text = g_strdup_printf("%s %s %u", a, b, round);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	digest[15] = '\0';
	return g_ascii_strtoull(digest, NULL, 16);
}

static bool has_address(const struct cp *cp, const char *address)
{
	for (size_t i = 0; i < cp->n_addresses; i++)
		if (!strcmp(cp->addresses[i], address))
			return true;
	return false;
}

/* The connection points of one VNFC that are being given addresses. */
struct allocation {
	struct fake_world *world;
	const struct thing *self;
	struct arena *arena;
	struct cp *cps;
	size_t n_cps;
};

static bool one_has(const struct cp *cps, size_t n, const struct cp *but, const char *link, const char *address, const char *mac)
{
	for (size_t i = 0; i < n; i++)
		if (&cps[i] != but && !g_strcmp0(cps[i].link, link)
		    && ((address && has_address(&cps[i], address)) || (mac && !g_strcmp0(cps[i].mac_address, mac))))
			return true;
	return false;
}

/* Does another one on the link have it: of this VNFC, of another one, or of another incarnation of this one? (Where one has ended,
 * nothing stands any more.) */
static bool is_taken(const struct allocation *all, const struct cp *cp, const char *address, const char *mac)
{
	if (one_has(all->cps, all->n_cps, cp, cp->link, address, mac))
		return true;
	for (guint i = 0; i < all->world->things->len; i++) {
		const struct thing *thing = all->world->things->pdata[i];
		if (thing != all->self && thing->vnfc && thing_is_alive(thing) && !strcmp(thing->owner, all->self->owner)
		    && !strcmp(thing->site, all->self->site)
		    && one_has(thing->vnfc->cps, thing->vnfc->n_cps, NULL, cp->link, address, mac))
			return true;
	}
	return false;
}

struct range {
	number first, last;
};

static bool is_reserved(const struct cidr *cidr, number n, const char *gateway)
{
	unsigned bits = cidr->address.length * 8, host_bits = bits - cidr->prefix;
	number mask = host_bits >= 128 ? ~(number) 0 : ((number) 1 << host_bits) - 1;
	number network = number_of(&cidr->address) & ~mask;
	struct address parsed;
	if (gateway && address_parse(gateway, &parsed) && parsed.length == cidr->address.length && number_of(&parsed) == n)
		return true;
	if (host_bits < 2)
		return false;
	return n == network || n == network + 1 || (bits == 32 && n == (network | mask));
}

static size_t ranges_of(const struct cp *cp, const struct cidr *cidr, struct range *ranges, size_t max)
{
	unsigned host_bits = cidr->address.length * 8 - cidr->prefix;
	number mask = host_bits >= 128 ? ~(number) 0 : ((number) 1 << host_bits) - 1;
	size_t n = 0;
	for (size_t i = 0; i < cp->n_pools && n < max; i++) {
		struct address first, last;
		if (pool_parse(cp->pools[i], &first, &last) && cidr_contains(cidr, &first) && cidr_contains(cidr, &last))
			ranges[n++] = (struct range) { number_of(&first), number_of(&last) };
	}
	if (!n && !cp->n_pools) {
		number network = number_of(&cidr->address) & ~mask;
		ranges[n++] = (struct range) { network, network | mask };
	}
	return n;
}

static const char *first_free(const struct allocation *all, const struct cp *cp, const struct cidr *cidr, const char *gateway)
{
	struct range ranges[RANGES_MAX];
	size_t n = ranges_of(cp, cidr, ranges, G_N_ELEMENTS(ranges));
	number total = 0;
	for (size_t i = 0; i < n; i++)
		total += ranges[i].last - ranges[i].first + 1;
	if (!total)
		return NULL;
	number offset = hash_of(all->self->key, cp->name, 0) % total;
	for (unsigned i = 0; i < TRIES_MAX && i < total; i++) {
		number at = (offset + i) % total;
		size_t range = 0;
		for (; at > ranges[range].last - ranges[range].first; range++)
			at -= ranges[range].last - ranges[range].first + 1;
		number candidate = ranges[range].first + at;
		if (is_reserved(cidr, candidate, gateway))
			continue;
		const char *text = text_of(all->arena, candidate, cidr->address.length);
		if (!is_taken(all, cp, text, NULL))
			return text;
	}
	return NULL;
}

static bool set_one(const struct allocation *all, struct cp *cp, const char *address)
{
	const char *copy = arena_strdup(all->arena, address);
	cp->addresses = arena_memdup(all->arena, &copy, sizeof(copy));
	cp->n_addresses = 1;
	return true;
}

static const char *gateway_of(const struct allocation *all, const struct cp *cp)
{
	const struct thing *link = world_link(all->world, all->self->owner, all->self->site, cp->link);
	return link ? link->link->gateway : NULL;
}

static bool take_first(const struct allocation *all, struct cp *cp, const char *const *list, size_t n)
{
	struct cidr cidr;
	struct address address;
	if (!cp->cidr || !cidr_parse(cp->cidr, &cidr))
		return false;
	for (size_t i = 0; i < n; i++)
		if (address_parse(list[i], &address) && cidr_contains(&cidr, &address)
		    && !is_reserved(&cidr, number_of(&address), gateway_of(all, cp)) && !is_taken(all, cp, list[i], NULL))
			return set_one(all, cp, list[i]);
	return false;
}

/* Those that are fixed, were there, or are preferred. */
static bool keep_address(const struct allocation *all, struct cp *cp, const struct cp *had, GError **error)
{
	for (size_t i = 0; i < cp->n_addresses; i++)
		if (is_taken(all, cp, cp->addresses[i], NULL)) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: %s is in use on %s", all->self->key, cp->addresses[i],
				    cp->link);
			return false;
		}
	if (!cp->n_addresses && !(had && take_first(all, cp, had->addresses, had->n_addresses)))
		take_first(all, cp, cp->prefer_addresses, cp->n_prefer_addresses);
	return true;
}

static bool new_address(const struct allocation *all, struct cp *cp, GError **error)
{
	struct cidr cidr;
	if (cp->n_addresses || !cp->cidr || !cidr_parse(cp->cidr, &cidr))
		return true;
	const char *address = first_free(all, cp, &cidr, gateway_of(all, cp));
	if (address)
		return set_one(all, cp, address);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: no address of %s is free on %s", all->self->key, cp->cidr, cp->link);
	return false;
}

static void give_mac(const struct allocation *all, struct cp *cp, const struct cp *had)
{
	if (!cp->mac_address && had)
		cp->mac_address = arena_strdup(all->arena, had->mac_address);
	if (cp->mac_address)
		return;
	g_autofree char *who = g_strdup_printf("%s %s", all->self->owner, all->self->key);
	for (unsigned round = 0; round < TRIES_MAX; round++) {
		guint64 hash = hash_of(who, cp->name, round);
		cp->mac_address = arena_printf(all->arena, "02:%02x:%02x:%02x:%02x:%02x", (unsigned) (hash & 255),
					       (unsigned) (hash >> 8 & 255), (unsigned) (hash >> 16 & 255),
					       (unsigned) (hash >> 24 & 255), (unsigned) (hash >> 32 & 255));
		if (!is_taken(all, cp, NULL, cp->mac_address))
			return;
	}
}

static const struct cp *cp_named(const struct vnfc *vnfc, const char *name)
{
	for (size_t i = 0; vnfc && i < vnfc->n_cps; i++)
		if (!strcmp(vnfc->cps[i].name, name))
			return &vnfc->cps[i];
	return NULL;
}

char *network_text(struct arena *arena, const char *address_text, unsigned prefix)
{
	struct address address;
	if (!address_parse(address_text, &address))
		return NULL;
	unsigned host_bits = address.length * 8 - prefix;
	number mask = host_bits >= 128 ? ~(number) 0 : ((number) 1 << host_bits) - 1;
	return arena_printf(arena, "%s/%u", text_of(arena, number_of(&address) & ~mask, address.length), prefix);
}

bool world_allocate(struct fake_world *world, const struct thing *thing, struct arena *arena, struct vnfc *vnfc, GError **error)
{
	struct cp *cps = arena_memdup(arena, vnfc->cps, sizeof(*cps) * vnfc->n_cps);
	const struct allocation all = { world, thing, arena, cps, vnfc->n_cps };
	for (size_t i = 0; i < vnfc->n_cps; i++)
		if (!keep_address(&all, &cps[i], cp_named(thing->vnfc, cps[i].name), error))
			return false;
	for (size_t i = 0; i < vnfc->n_cps; i++) {
		if (!new_address(&all, &cps[i], error))
			return false;
		give_mac(&all, &cps[i], cp_named(thing->vnfc, cps[i].name));
		cps[i].port_name = arena_strdup(arena, cps[i].name);
	}
	vnfc->cps = cps;
	return true;
}
