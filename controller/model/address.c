#include "model/address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

bool address_parse(const char *text, struct address *ret)
{
	*ret = (struct address) { .length = 4 };
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		return true;
	ret->length = 16;
	return inet_pton(AF_INET6, text, ret->bytes) == 1;
}

int address_compare(const struct address *a, const struct address *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->length);
}

bool cidr_parse(const char *text, struct cidr *ret)
{
	char address[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	if (!slash || (size_t) (slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t) (slash - text));
	address[slash - text] = '\0';
	size_t digits = strspn(slash + 1, "0123456789");
	if (digits < 1 || digits > 3 || slash[1 + digits])
		return false;
	ret->prefix = (unsigned) g_ascii_strtoull(slash + 1, NULL, 10);
	return address_parse(address, &ret->address) && ret->prefix <= ret->address.length * 8;
}

bool cidr_contains(const struct cidr *cidr, const struct address *address)
{
	if (cidr->address.length != address->length)
		return false;
	unsigned whole = cidr->prefix / 8, bits = cidr->prefix % 8;
	if (memcmp(cidr->address.bytes, address->bytes, whole) != 0)
		return false;
	unsigned mask = bits ? 0xffu << (8 - bits) & 0xffu : 0;
	return !mask || ((cidr->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

bool pool_parse(const char *text, struct address *ret_first, struct address *ret_last)
{
	char first[INET6_ADDRSTRLEN];
	const char *dash = strchr(text, '-');
	if (!dash || (size_t) (dash - text) >= sizeof(first))
		return false;
	memcpy(first, text, (size_t) (dash - text));
	first[dash - text] = '\0';
	return address_parse(first, ret_first) && address_parse(dash + 1, ret_last) && ret_first->length == ret_last->length &&
	       address_compare(ret_first, ret_last) <= 0;
}

bool mac_is_valid(const char *text)
{
	unsigned all = 0;
	for (size_t i = 0; i < 17; i++) {
		bool good = i % 3 == 2 ? text[i] == ':' : g_ascii_isxdigit(text[i]) && !g_ascii_isupper(text[i]);
		if (!good)
			return false;
		all |= i % 3 == 2 ? 0 : (unsigned) g_ascii_xdigit_value(text[i]);
	}
	return !text[17] && all && !(g_ascii_xdigit_value(text[1]) & 1);
}
