/* IP and MAC addresses as text: what is one, what lies in what. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct address {
	unsigned length; /* 4 or 16 bytes */
	unsigned char bytes[16];
};

bool address_parse(const char *text, struct address *ret); /* "10.0.0.5", "2001:db8::5"; no prefix length, no zone */
int address_compare(const struct address *a, const struct address *b); /* IPv4 before IPv6 */

struct cidr {
	struct address address; /* as written: host bits are kept */
	unsigned prefix;
};

bool cidr_parse(const char *text, struct cidr *ret); /* "10.0.0.0/24" */
bool cidr_contains(const struct cidr *cidr, const struct address *address);

bool pool_parse(const char *text, struct address *ret_first, struct address *ret_last); /* "FIRST-LAST", not empty */

/* Six pairs of lower-case digits joined by colons; neither zero nor a group address. */
bool mac_is_valid(const char *text);
