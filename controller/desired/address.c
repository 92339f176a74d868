#include "desired/address.h"

#include <arpa/inet.h>
#include <string.h>

enum { IPV4_PREFIX_MIN = 8, IPV4_PREFIX_MAX = 30, IPV6_PREFIX_MIN = 16, IPV6_PREFIX_MAX = 126, ADDRESS_TEXT_MAX = 64 };

bool address_split(const char *text, struct address *ret, int *ret_prefix)
{
	char plain[ADDRESS_TEXT_MAX];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t) (slash - text) : strlen(text);
	guint64 prefix;

	*ret_prefix = -1;
	if (length >= sizeof plain)
		return false;
	memcpy(plain, text, length);
	plain[length] = '\0';
	if (!address_parse(plain, ret))
		return false;
	if (!slash)
		return true;
	if (!g_ascii_string_to_unsigned(slash + 1, 10, 0, ret->length * 8, &prefix, NULL))
		return false;
	*ret_prefix = (int) prefix;
	return true;
}

char *address_text(struct arena *arena, const struct address *address)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(address->length == 16 ? AF_INET6 : AF_INET, address->bytes, text, sizeof text);
	return arena_strdup(arena, text);
}

/* @address with the bits after @prefix set to @bit. */
static struct address fill(const struct address *address, unsigned prefix, bool bit)
{
	struct address filled = *address;

	for (unsigned i = prefix; i < address->length * 8; i++) {
		unsigned char mask = (unsigned char) (0x80 >> (i % 8));
		if (bit)
			filled.bytes[i / 8] |= mask;
		else
			filled.bytes[i / 8] &= (unsigned char) ~mask;
	}
	return filled;
}

/* Why addresses of @cidr cannot be given to connection points; NULL where they can. */
static const char *unusable(const struct cidr *cidr)
{
	const unsigned char *b = cidr->address.bytes;
	bool ipv6 = cidr->address.length == 16;

	if (cidr->prefix < (ipv6 ? IPV6_PREFIX_MIN : IPV4_PREFIX_MIN))
		return ipv6 ? "its prefix is shorter than 16" : "its prefix is shorter than 8";
	if (cidr->prefix > (ipv6 ? IPV6_PREFIX_MAX : IPV4_PREFIX_MAX))
		return ipv6 ? "it has no room: its prefix is longer than 126" : "it has no room: its prefix is longer than 30";
	if (ipv6 ? b[0] == 0xff : b[0] >= 224)
		return "it is not for single machines (multicast or reserved)";
	if (ipv6 ? (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) : (b[0] == 169 && b[1] == 254))
		return "it is link-local";
	if (ipv6 ? (b[0] == 0 && b[1] == 0) : (b[0] == 127 || b[0] == 0))
		return "it is the machine's own (loopback or unspecified)";
	return NULL;
}

bool cidr_network(const char *text, struct cidr *ret, bool *ret_host_bits, const char **ret_why)
{
	struct address address;
	int prefix;

	*ret_host_bits = false;
	if (!address_split(text, &address, &prefix)) {
		*ret_why = "it is no ADDRESS/PREFIX";
		return false;
	}
	if (prefix < 0) {
		*ret_why = "it has no prefix length";
		return false;
	}
	ret->prefix = (unsigned) prefix;
	ret->address = fill(&address, ret->prefix, false);
	*ret_host_bits = address_compare(&address, &ret->address) != 0;
	*ret_why = unusable(ret);
	return !*ret_why;
}

char *cidr_text(struct arena *arena, const struct cidr *cidr)
{
	return arena_printf(arena, "%s/%u", address_text(arena, &cidr->address), cidr->prefix);
}

bool cidr_equal(const struct cidr *a, const struct cidr *b)
{
	return a->prefix == b->prefix && address_compare(&a->address, &b->address) == 0;
}

bool cidr_overlap(const struct cidr *a, const struct cidr *b)
{
	return a->prefix <= b->prefix ? cidr_contains(a, &b->address) : cidr_contains(b, &a->address);
}

bool cidr_is_reserved(const struct cidr *cidr, const struct address *address)
{
	if (address_compare(address, &cidr->address) == 0)
		return true;
	struct address broadcast = fill(&cidr->address, cidr->prefix, true);
	return cidr->address.length == 4 && address_compare(address, &broadcast) == 0;
}

struct address cidr_first(const struct cidr *cidr)
{
	struct address first = cidr->address;

	first.bytes[first.length - 1] |= 1; /* host bits are zero, and there is at least one */
	return first;
}

gint64 cidr_room(const struct cidr *cidr)
{
	unsigned host_bits = cidr->address.length * 8 - cidr->prefix;

	if (host_bits >= 63)
		return G_MAXINT64;
	return (G_GINT64_CONSTANT(1) << host_bits) - (cidr->address.length == 4 ? 3 : 2);
}

gint64 address_span(const struct address *first, const struct address *last)
{
	guint64 span = 0;

	for (unsigned i = 0; i < first->length; i++) {
		if (span > (guint64) G_MAXINT64 >> 9)
			return G_MAXINT64;
		/* Differences of single bytes may be negative: the sum is right again after the last one. */
		span = span * 256 + last->bytes[i] - first->bytes[i];
	}
	return (gint64) span + 1;
}

struct cidr cidr_pick(const char *key, bool ipv6, unsigned attempt)
{
	struct cidr cidr = { .address = { .length = ipv6 ? 16 : 4 }, .prefix = ipv6 ? 64 : 24 };
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	guint8 digest[32];
	gsize n = sizeof digest;

	g_checksum_update(sum, (const guchar *) key, -1);
	g_checksum_get_digest(sum, digest, &n);
	guint pick = (((guint) digest[0] << 8 | digest[1]) + attempt) % CIDR_PICKS;
	if (ipv6) {
		cidr.address.bytes[0] = 0xfd;
		memcpy(cidr.address.bytes + 1, digest + 2, 5);
		cidr.address.bytes[6] = (unsigned char) (pick >> 8);
		cidr.address.bytes[7] = (unsigned char) pick;
	} else {
		cidr.address.bytes[0] = 10;
		cidr.address.bytes[1] = (unsigned char) (64 + (pick >> 8));
		cidr.address.bytes[2] = (unsigned char) pick;
	}
	return cidr;
}

bool mac_parse(const char *text, char ret[MAC_TEXT_SIZE])
{
	if (strlen(text) != MAC_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < MAC_TEXT_SIZE; i++)
		ret[i] = text[i] == '-' ? ':' : g_ascii_tolower(text[i]);
	return mac_is_valid(ret);
}
