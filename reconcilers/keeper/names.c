#include "keeper/names.h"

#include <string.h>
#include <sys/socket.h>

/* An address as a number, so that ranges are the same for both families. */
typedef unsigned __int128 number;

enum { DIGEST_BYTES = 32 };

static void digest_of(const char *const *parts, size_t n, unsigned number_too, guint8 ret[DIGEST_BYTES])
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	for (size_t i = 0; i < n; i++)
		g_checksum_update(sum, (const guchar *) parts[i], (gssize) strlen(parts[i]) + 1);
	g_autofree char *text = g_strdup_printf("%u", number_too);
	g_checksum_update(sum, (const guchar *) text, -1);
	gsize length = DIGEST_BYTES;
	g_checksum_get_digest(sum, ret, &length);
	g_checksum_free(sum);
}

static void hashed_name(const char *prefix, const char *const *parts, size_t n, unsigned number_too, name_text ret)
{
	guint8 d[DIGEST_BYTES];
	digest_of(parts, n, number_too, d);
	g_snprintf(ret, NL_NAME_MAX + 1, "%s%02x%02x%02x%02x%02x%02x", prefix, d[0], d[1], d[2], d[3], d[4], d[5]);
}

void name_of_bridge(const char *key, name_text ret)
{
	const char *parts[] = { "bridge", key };
	hashed_name("pl", parts, 2, 0, ret);
}

void name_of_uplink(const char *owner, const char *site, const char *key, name_text ret)
{
	const char *parts[] = { "uplink", owner, site, key };
	hashed_name("pl", parts, 4, 0, ret);
}

void name_of_veth(const char *key, const char *cp, unsigned incarnation, name_text ret)
{
	const char *parts[] = { "veth", key, cp };
	hashed_name("pl", parts, 3, incarnation, ret);
}

static bool kernel_takes(const char *name)
{
	static const char *const reserved[] = { "", ".", "..", "lo", "all", "default" };
	if (strlen(name) > NL_NAME_MAX)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++)
		if (strcmp(name, reserved[i]) == 0)
			return false;
	for (const char *c = name; *c; c++)
		if (!g_ascii_isgraph(*c) || strchr("/:%", *c))
			return false;
	return true;
}

void name_of_port(const char *cp, name_text ret)
{
	if (kernel_takes(cp))
		g_strlcpy(ret, cp, NL_NAME_MAX + 1);
	else
		hashed_name("cp", &cp, 1, 0, ret);
}

char *alias_of(const char *owner, const char *key, const char *cp, unsigned incarnation)
{
	g_autofree char *text = g_strdup_printf("pleach %s %s%s%s %u", owner, key, cp ? " " : "", cp ? cp : "", incarnation);
	return g_strndup(text, NL_ALIAS_MAX);
}

char *alias_owner(const char *alias)
{
	if (!alias || !g_str_has_prefix(alias, "pleach "))
		return NULL;
	const char *owner = alias + strlen("pleach "), *space = strchr(owner, ' ');
	return space && space > owner ? g_strndup(owner, (gsize) (space - owner)) : NULL;
}

struct nl_mac mac_of(const char *owner, const char *key, const char *cp, unsigned salt)
{
	const char *parts[] = { "mac", owner, key, cp };
	guint8 d[DIGEST_BYTES];
	digest_of(parts, 4, salt, d);
	return (struct nl_mac) { { 0x02, d[0], d[1], d[2], d[3], d[4] } };
}

/* --- addresses ------------------------------------------------------------------------------------------------------------ */

static unsigned address_bytes(guint8 family)
{
	return family == AF_INET ? 4 : 16;
}

static number to_number(const struct nl_addr *addr)
{
	number n = 0;
	for (unsigned i = 0; i < address_bytes(addr->family); i++)
		n = n << 8 | addr->bytes[i];
	return n;
}

static struct nl_addr from_number(number n, const struct nl_addr *like)
{
	struct nl_addr addr = { .family = like->family, .prefix = like->prefix };
	for (unsigned i = address_bytes(like->family); i-- > 0; n >>= 8)
		addr.bytes[i] = (guint8) n;
	return addr;
}

struct range {
	number first, last;
};

static struct range whole(const struct nl_addr *cidr)
{
	unsigned host_bits = address_bytes(cidr->family) * 8 - cidr->prefix;
	number mask = host_bits == 128 ? ~(number) 0 : ((number) 1 << host_bits) - 1;
	number base = to_number(cidr) & ~mask;
	return (struct range) { base, base | mask };
}

static bool parse_pool(const char *pool, const struct nl_addr *cidr, struct range *ret, GError **error)
{
	g_auto(GStrv) ends = g_strsplit(pool, "-", 3);
	struct nl_addr first, last;
	bool ok = g_strv_length(ends) == 2 && nl_addr_parse(g_strstrip(ends[0]), &first) &&
		nl_addr_parse(g_strstrip(ends[1]), &last) &&
		  nl_addr_within(&first, cidr) && nl_addr_within(&last, cidr);
	if (ok) {
		*ret = (struct range) { to_number(&first), to_number(&last) };
		ok = ret->first <= ret->last;
	}
	if (!ok)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			"pool \"%s\" is no range FIRST-LAST within the link's CIDR", pool);
	return ok;
}

struct picker {
	const struct nl_addr *cidr, *gateway;
	struct range all;
	address_free_fn is_free;
	void *data;
};

static bool usable(const struct picker *picker, number n, struct nl_addr *ret)
{
	bool edges = picker->all.last - picker->all.first > 1; /* /31, /32 have neither network nor broadcast address */
	if (edges && n == picker->all.first)
		return false;
	if (edges && picker->cidr->family == AF_INET && n == picker->all.last)
		return false;
	if (picker->gateway && n == to_number(picker->gateway))
		return false;
	*ret = from_number(n, picker->cidr);
	return picker->is_free(ret, picker->data);
}

bool address_pick(const struct nl_addr *cidr, struct keeper_strings pools, const struct nl_addr *gateway, const char *key,
	const char *cp,
		  address_free_fn is_free, void *data, struct nl_addr *ret, GError **error)
{
	const struct picker picker = { cidr, gateway, whole(cidr), is_free, data };
	g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
	number total = 0;
	for (size_t i = 0; i < MAX(pools.n, 1); i++) {
		struct range range = picker.all;
		if (pools.n && !parse_pool(pools.items[i], cidr, &range, error))
			return false;
		/* More than anybody can take: where one starts among so many is all that matters. */
		range.last = MIN(range.last, range.first + G_MAXUINT32);
		total += range.last - range.first + 1;
		g_array_append_val(ranges, range);
	}
	const char *parts[] = { "address", key, cp };
	guint8 digest[DIGEST_BYTES];
	digest_of(parts, 3, 0, digest);
	guint64 seed;
	memcpy(&seed, digest, sizeof(seed));
	number start = GUINT64_FROM_BE(seed) % total;
	for (number i = 0; i < total; i++) {
		number at = (start + i) % total;
		guint r = 0;
		const struct range *range = &g_array_index(ranges, struct range, 0);
		for (; at > range[r].last - range[r].first; r++)
			at -= range[r].last - range[r].first + 1;
		if (usable(&picker, range[r].first + at, ret))
			return true;
	}
	char text[NL_ADDR_TEXT_SIZE];
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "no free address is left in %s",
		nl_addr_print(cidr, true, text));
	return false;
}
