#include "fake/private.h"

#include "model/address.h"

#include <arpa/inet.h>
#include <string.h>

typedef unsigned __int128 number;

/* No link has more VNFCs than this by far; a full pool is found out soon. */
enum { TRIES_MAX = 65536 };

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

/* Does another VNFC on the link have it, or another incarnation of this one? (Where one has ended, nothing stands any more.) */
static bool is_taken(const struct fake_world *world, const struct thing *self, const char *link, const char *address, const char *mac)
{
	for (guint i = 0; i < world->things->len; i++) {
		const struct thing *thing = world->things->pdata[i];
		if (thing == self || !thing->vnfc || !thing_is_alive(thing) || strcmp(thing->owner, self->owner) || strcmp(thing->site, self->site))
			continue;
		for (size_t k = 0; k < thing->vnfc->n_cps; k++) {
			const struct cp *cp = &thing->vnfc->cps[k];
			if (g_strcmp0(cp->link, link))
				continue;
			if ((address && has_address(cp, address)) || (mac && !g_strcmp0(cp->mac_address, mac)))
				return true;
		}
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

static const char *first_free(struct fake_world *world, const struct thing *self, struct arena *arena, const struct cp *cp,
			      const struct cidr *cidr, const char *gateway)
{
	struct range ranges[16];
	size_t n = ranges_of(cp, cidr, ranges, G_N_ELEMENTS(ranges));
	number total = 0;
	for (size_t i = 0; i < n; i++)
		total += ranges[i].last - ranges[i].first + 1;
	if (!total)
		return NULL;
	number offset = hash_of(self->key, cp->name, 0) % total;
	for (unsigned i = 0; i < TRIES_MAX && i < total; i++) {
		number at = (offset + i) % total;
		size_t range = 0;
		while (at > ranges[range].last - ranges[range].first)
			at -= ranges[range].last - ranges[range].first + 1, range++;
		number candidate = ranges[range].first + at;
		if (is_reserved(cidr, candidate, gateway))
			continue;
		const char *text = text_of(arena, candidate, cidr->address.length);
		if (!is_taken(world, self, cp->link, text, NULL))
			return text;
	}
	return NULL;
}

static bool may_have(struct fake_world *world, const struct thing *self, const struct cp *cp, const struct cidr *cidr,
		     const char *gateway, const char *text)
{
	struct address address;
	return address_parse(text, &address) && cidr_contains(cidr, &address) && !is_reserved(cidr, number_of(&address), gateway)
	       && !is_taken(world, self, cp->link, text, NULL);
}

static bool set_one(struct arena *arena, struct cp *cp, const char *address)
{
	cp->addresses = arena_memdup(arena, &address, sizeof(address));
	cp->n_addresses = 1;
	return true;
}

static bool allocate_address(struct fake_world *world, const struct thing *self, struct arena *arena, struct cp *cp,
			     const struct cp *had, GError **error)
{
	struct cidr cidr;
	if (cp->n_addresses) {
		for (size_t i = 0; i < cp->n_addresses; i++)
			if (is_taken(world, self, cp->link, cp->addresses[i], NULL)) {
				g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: %s is in use on %s", self->key,
					    cp->addresses[i], cp->link);
				return false;
			}
		return true;
	}
	if (!cp->cidr || !cidr_parse(cp->cidr, &cidr))
		return true;
	const struct thing *link = world_link(world, self->owner, self->site, cp->link);
	const char *gateway = link ? link->link->gateway : NULL;
	const struct cp *sources[] = { had, cp };
	for (size_t s = 0; s < G_N_ELEMENTS(sources); s++) {
		const char *const *list = s == 0 ? (had ? had->addresses : NULL) : cp->prefer_addresses;
		size_t n = s == 0 ? (had ? had->n_addresses : 0) : cp->n_prefer_addresses;
		for (size_t i = 0; i < n; i++)
			if (may_have(world, self, cp, &cidr, gateway, list[i]))
				return set_one(arena, cp, arena_strdup(arena, list[i]));
	}
	const char *address = first_free(world, self, arena, cp, &cidr, gateway);
	if (!address) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: no address of %s is free on %s", self->key, cp->cidr, cp->link);
		return false;
	}
	return set_one(arena, cp, address);
}

static void allocate_mac(const struct fake_world *world, const struct thing *self, struct arena *arena, struct cp *cp,
			 const struct cp *had)
{
	if (cp->mac_address)
		return;
	if (had && had->mac_address) {
		cp->mac_address = arena_strdup(arena, had->mac_address);
		return;
	}
	g_autofree char *who = g_strdup_printf("%s %s", self->owner, self->key);
	for (unsigned round = 0; round < TRIES_MAX; round++) {
		guint64 hash = hash_of(who, cp->name, round);
		cp->mac_address = arena_printf(arena, "02:%02x:%02x:%02x:%02x:%02x", (unsigned) (hash & 255),
					       (unsigned) (hash >> 8 & 255), (unsigned) (hash >> 16 & 255),
					       (unsigned) (hash >> 24 & 255), (unsigned) (hash >> 32 & 255));
		if (!is_taken(world, self, cp->link, NULL, cp->mac_address))
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

bool world_allocate(struct fake_world *world, const struct thing *thing, struct arena *arena, struct vnfc *vnfc, GError **error)
{
	struct cp *cps = arena_memdup(arena, vnfc->cps, sizeof(*cps) * vnfc->n_cps);
	for (size_t i = 0; i < vnfc->n_cps; i++) {
		const struct cp *had = cp_named(thing->vnfc, cps[i].name);
		if (!allocate_address(world, thing, arena, &cps[i], had, error))
			return false;
		allocate_mac(world, thing, arena, &cps[i], had);
		cps[i].port_name = arena_strdup(arena, cps[i].name);
	}
	vnfc->cps = cps;
	return true;
}
