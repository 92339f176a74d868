/* What desired/ does with addresses beside what model/address.h knows: arithmetic over CIDRs, and one canonical text for each
 * address, so that what is desired and what is observed compare by bytes. Pure; any thread.
 *
 * Here the address of a struct cidr is always that of the network: host bits are cut off.
 */
#pragma once

#include "base/arena.h"
#include "model/address.h"

enum { MAC_TEXT_SIZE = 18 };

/* "10.0.0.5", "10.0.0.5/24": *@ret_prefix is -1 where none is written. */
bool address_split(const char *text, struct address *ret, int *ret_prefix);
char *address_text(struct arena *arena, const struct address *address);

/* False and *@ret_why where @text is no CIDR that connection points can have addresses of. Host bits are cut off: then
 * *@ret_host_bits is true. */
bool cidr_network(const char *text, struct cidr *ret, bool *ret_host_bits, const char **ret_why);
char *cidr_text(struct arena *arena, const struct cidr *cidr);
bool cidr_equal(const struct cidr *a, const struct cidr *b);
bool cidr_overlap(const struct cidr *a, const struct cidr *b);

/* The network's own address, and in IPv4 the broadcast address: nobody's. */
bool cidr_is_reserved(const struct cidr *cidr, const struct address *address);

/* The first address after the network's own. */
struct address cidr_first(const struct cidr *cidr);

/* Addresses that connection points may have, the gateway not counted; saturates at G_MAXINT64. */
gint64 cidr_room(const struct cidr *cidr);

/* Addresses from @first to @last, both counted; saturates. */
gint64 address_span(const struct address *first, const struct address *last);

/* The @attempt-th CIDR that a link without one gets: for IPv4 a /24 of 10.64.0.0/10, for IPv6 a /64 of fd00::/8; picked by a
 * hash of @key, then onward. */
struct cidr cidr_pick(const char *key, bool ipv6, unsigned attempt);
enum { CIDR_PICKS = 16384 };

/* Lower case with colons; false where @text is no unicast MAC address. */
bool mac_parse(const char *text, char ret[MAC_TEXT_SIZE]);
