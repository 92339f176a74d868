/* Arithmetic over addresses. */
#include "desired/address.h"

#include <string.h>

static void test_split(void)
{
	auto_ptr(arena) arena = arena_new();
	struct address address;
	int prefix;

	g_assert_true(address_split("10.0.0.5", &address, &prefix));
	g_assert_cmpint(prefix, ==, -1);
	g_assert_true(address_split("10.0.0.5/24", &address, &prefix));
	g_assert_cmpint(prefix, ==, 24);
	g_assert_true(address_split("FD00::0:5/64", &address, &prefix));
	g_assert_cmpstr(address_text(arena, &address), ==, "fd00::5");
	static const char *const bad[] = { "", "/24", "10.0.0.5/", "10.0.0.5/33", "10.0.0.5/-1", "10.0.0.5/24/3", "fd00::5/129",
					   "10.0.0", "10.0.0.256",
					   "10.0.0.05x", "::1%eth0",
					   "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64" };
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(address_split(bad[i], &address, &prefix));
}

static void test_network(void)
{
	auto_ptr(arena) arena = arena_new();
	struct cidr cidr;
	bool host_bits;
	const char *why;

	g_assert_true(cidr_network("10.0.3.7/23", &cidr, &host_bits, &why));
	g_assert_true(host_bits);
	g_assert_cmpstr(cidr_text(arena, &cidr), ==, "10.0.2.0/23");
	g_assert_true(cidr_network("fd00:1::/64", &cidr, &host_bits, &why));
	g_assert_false(host_bits);
	static const char *const bad[] = { "10.0.0.0",	"10.0.0.0/31", "10.0.0.0/32", "10.0.0.0/7",   "224.0.0.0/8",
					   "127.0.0.0/8", "0.0.0.0/8",
					   "fe80::/64", "ff02::/64",   "fd00::/127",  "169.254.0.0/16",
					   "::/64",	     "everything",  "" };
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_false(cidr_network(bad[i], &cidr, &host_bits, &why));
		g_assert_nonnull(why);
	}
}

static struct cidr network(const char *text)
{
	struct cidr cidr;
	bool host_bits;
	const char *why;

	g_assert_true(cidr_network(text, &cidr, &host_bits, &why));
	return cidr;
}

static struct address single(const char *text)
{
	struct address address;

	g_assert_true(address_parse(text, &address));
	return address;
}

static void test_room(void)
{
	auto_ptr(arena) arena = arena_new();
	struct cidr v4 = network("10.1.2.0/24"), v6 = network("fd00:1:2:3::/64");
	struct address first = cidr_first(&v4), broadcast = single("10.1.2.255"), other = single("10.1.2.254"),
		top = single("fd00:1:2:3:ffff:ffff:ffff:ffff");

	g_assert_cmpstr(address_text(arena, &first), ==, "10.1.2.1");
	g_assert_true(cidr_is_reserved(&v4, &v4.address));
	g_assert_true(cidr_is_reserved(&v4, &broadcast));
	g_assert_false(cidr_is_reserved(&v4, &other));
	g_assert_false(cidr_is_reserved(&v6, &top));
	g_assert_cmpint(cidr_room(&v4), ==, 253);
	struct cidr smallest = network("10.1.2.0/30");
	g_assert_cmpint(cidr_room(&smallest), ==, 1);
	g_assert_cmpint(cidr_room(&v6), ==, G_MAXINT64);
	struct address a = single("10.0.0.250"), b = single("10.0.1.5");
	g_assert_cmpint(address_span(&a, &b), ==, 12);
	g_assert_cmpint(address_span(&a, &a), ==, 1);
	a = single("fd00::");
	g_assert_cmpint(address_span(&a, &top), ==, G_MAXINT64);
}

static void test_overlap(void)
{
	struct cidr wide = network("10.0.0.0/8"), narrow = network("10.9.0.0/16"), other = network("11.0.0.0/16"),
		v6 = network("fd00::/64");

	g_assert_true(cidr_overlap(&wide, &narrow));
	g_assert_true(cidr_overlap(&narrow, &wide));
	g_assert_false(cidr_overlap(&narrow, &other));
	g_assert_false(cidr_overlap(&narrow, &v6));
}

static void test_pick(void)
{
	auto_ptr(arena) arena = arena_new();
	struct cidr pool = network("10.64.0.0/10");
	struct cidr first = cidr_pick("link/edge.lan", false, 0), again = cidr_pick("link/edge.lan", false, 0),
		next = cidr_pick("link/edge.lan", false, 1);

	g_assert_true(cidr_equal(&first, &again));
	g_assert_false(cidr_overlap(&first, &next));
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < CIDR_PICKS; i++) {
		struct cidr cidr = cidr_pick("link/edge.lan", false, i);
		g_assert_true(cidr_contains(&pool, &cidr.address));
		g_assert_cmpuint(cidr.prefix, ==, 24);
		g_assert_true(g_hash_table_add(seen, cidr_text(arena, &cidr)));
	}
	struct cidr v6 = cidr_pick("link/edge.lan", true, 0);
	g_assert_cmpuint(v6.prefix, ==, 64);
	g_assert_cmpuint(v6.address.bytes[0], ==, 0xfd);
}

static void test_mac(void)
{
	char text[MAC_TEXT_SIZE];

	g_assert_true(mac_parse("02:00:0A:0a:01:02", text));
	g_assert_cmpstr(text, ==, "02:00:0a:0a:01:02");
	g_assert_true(mac_parse("02-00-0a-0a-01-02", text));
	g_assert_cmpstr(text, ==, "02:00:0a:0a:01:02");
	static const char *const bad[] = { "", "02:00:0a:0a:01", "00:00:00:00:00:00", "01:00:5e:00:00:01", "02:00:0a:0a:01:0g",
					   "02:00:0a:0a:01:02:03" };
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_false(mac_parse(bad[i], text));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/desired/address/split", test_split);
	g_test_add_func("/desired/address/network", test_network);
	g_test_add_func("/desired/address/room", test_room);
	g_test_add_func("/desired/address/overlap", test_overlap);
	g_test_add_func("/desired/address/pick", test_pick);
	g_test_add_func("/desired/address/mac", test_mac);
	return g_test_run();
}
