#include "keeper/ids.h"
#include "keeper/names.h"

#include <string.h>

static void test_interfaces(void)
{
	name_text a, b, c;
	name_of_bridge("link/edge.lan", a);
	name_of_bridge("link/edge.wan", b);
	g_assert_cmpuint(strlen(a), ==, 14);
	g_assert_true(g_str_has_prefix(a, "pl"));
	g_assert_cmpstr(a, !=, b);
	name_of_veth("vnfc/edge.fw.vdu.0", "lan", 1, a);
	name_of_veth("vnfc/edge.fw.vdu.0", "lan", 2, b);
	name_of_veth("vnfc/edge.fw.vdu.0", "lan", 1, c);
	g_assert_cmpstr(a, !=, b);
	g_assert_cmpstr(a, ==, c);
	name_of_uplink("me", "local", "link/edge.lan", a);
	name_of_uplink("you", "local", "link/edge.lan", b);
	name_of_uplink("me", "berlin", "link/edge.lan", c);
	g_assert_cmpuint(strlen(a), ==, 14);
	g_assert_cmpstr(a, !=, b);
	g_assert_cmpstr(a, !=, c);
}

static void test_ports(void)
{
	static const char *const kept[] = { "eth0", "lan", "a-name-of-15-by", "x.1" };
	static const char *const hashed[] = { "a-name-of-16-byt", "", ".", "..", "lo", "all", "default", "a/b", "a:b", "a b",
		"e%d", "\xc3\xa9" };
	name_text name;
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		name_of_port(kept[i], name);
		g_assert_cmpstr(name, ==, kept[i]);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(hashed); i++) {
		name_of_port(hashed[i], name);
		g_assert_true(g_str_has_prefix(name, "cp"));
		g_assert_cmpuint(strlen(name), ==, 14);
	}
}

static void test_alias(void)
{
	g_autofree char *alias = alias_of("acme", "vnfc/edge.fw.vdu.0", "lan", 3),
		*bridge = alias_of("acme", "link/edge.lan", NULL, 1);
	g_assert_cmpstr(alias, ==, "pleach acme vnfc/edge.fw.vdu.0 lan 3");
	g_assert_cmpstr(bridge, ==, "pleach acme link/edge.lan 1");
	g_autofree char *owner = alias_owner(alias), *long_key = g_strnfill(600, 'k');
	g_assert_cmpstr(owner, ==, "acme");
	g_autofree char *cut = alias_of("acme", long_key, NULL, 1), *cut_owner = alias_owner(cut);
	g_assert_cmpuint(strlen(cut), ==, NL_ALIAS_MAX);
	g_assert_cmpstr(cut_owner, ==, "acme");
	g_assert_null(alias_owner(NULL));
	g_assert_null(alias_owner("uplink of the house"));
	g_assert_null(alias_owner("pleach "));
	g_assert_null(alias_owner("pleach  x"));
}

static void test_macs(void)
{
	char a[18], b[18];
	struct nl_mac parsed;
	nl_mac_print(mac_of("acme", "vnfc/a.b.0", "lan", 0), a);
	nl_mac_print(mac_of("acme", "vnfc/a.b.0", "lan", 1), b);
	g_assert_true(g_str_has_prefix(a, "02:"));
	g_assert_cmpstr(a, !=, b);
	g_assert_true(nl_mac_parse(a, &parsed));
	static const char *const wrong[] = { "", "02:00:00:00:00", "02:00:00:00:00:0g", "02-00-00-00-00-00",
		"02:00:00:00:00:00:00" };
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_false(nl_mac_parse(wrong[i], &parsed));
}

/* --- addresses: what is given out ------------------------------------------------------------------------------------------- */

static bool not_in(const struct nl_addr *addr, void *data)
{
	char text[NL_ADDR_TEXT_SIZE];
	return !g_hash_table_contains(data, nl_addr_print(addr, false, text));
}

static bool pick(const char *cidr, const char *const *pools, size_t n_pools, const char *gateway, const char *key,
	GHashTable *taken,
		 char text[NL_ADDR_TEXT_SIZE], GError **error)
{
	struct nl_addr net, gate, got;
	g_assert_true(nl_addr_parse(cidr, &net));
	if (gateway)
		g_assert_true(nl_addr_parse(gateway, &gate));
	if (!address_pick(&net, (struct keeper_strings) { pools, n_pools }, gateway ? &gate : NULL, key, "lan", not_in, taken,
		&got, error))
		return false;
	g_assert_cmpuint(got.prefix, ==, net.prefix);
	g_assert_true(nl_addr_within(&got, &net));
	nl_addr_print(&got, false, text);
	return true;
}

/* Every address of a small network is given once, and never the reserved ones. */
static void test_all_of_a_network(void)
{
	g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GError) error = NULL;
	char text[NL_ADDR_TEXT_SIZE];
	for (int i = 0; i < 13; i++) {
		g_autofree char *key = g_strdup_printf("vnfc/a.b.%d", i);
		g_assert_true(pick("10.1.2.16/28", NULL, 0, "10.1.2.17", key, taken, text, &error));
		g_assert_true(g_hash_table_add(taken, g_strdup(text)));
	}
	g_assert_false(g_hash_table_contains(taken, "10.1.2.16"));
	g_assert_false(g_hash_table_contains(taken, "10.1.2.17"));
	g_assert_false(g_hash_table_contains(taken, "10.1.2.31"));
	g_assert_false(pick("10.1.2.16/28", NULL, 0, "10.1.2.17", "vnfc/a.b.99", taken, text, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_nonnull(strstr(error->message, "10.1.2.16/28"));
}

static void test_same_key_same_address(void)
{
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	char a[NL_ADDR_TEXT_SIZE], b[NL_ADDR_TEXT_SIZE];
	g_assert_true(pick("10.0.0.0/8", NULL, 0, NULL, "vnfc/a.b.0", taken, a, NULL));
	g_assert_true(pick("10.0.0.0/8", NULL, 0, NULL, "vnfc/a.b.0", taken, b, NULL));
	g_assert_cmpstr(a, ==, b);
	g_assert_true(pick("fd00:1::/64", NULL, 0, NULL, "vnfc/a.b.0", taken, a, NULL));
	g_assert_true(g_str_has_prefix(a, "fd00:1::"));
	g_assert_true(pick("::/0", NULL, 0, NULL, "vnfc/a.b.0", taken, a, NULL));
}

static void test_pools(void)
{
	static const char *const two[] = { "10.1.2.20-10.1.2.21", "10.1.2.30 - 10.1.2.30" };
	static const char *const wrong[] = { "10.1.2.20", "10.1.2.21-10.1.2.20", "10.1.3.1-10.1.3.2", "fd00::1-fd00::2", "a-b",
		"1-2-3", "" };
	g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	char text[NL_ADDR_TEXT_SIZE];
	for (int i = 0; i < 3; i++) {
		g_assert_true(pick("10.1.2.0/24", two, 2, "10.1.2.1", "vnfc/a.b.0", taken, text, NULL));
		g_assert_true(g_hash_table_add(taken, g_strdup(text)));
	}
	g_assert_true(g_hash_table_contains(taken, "10.1.2.20"));
	g_assert_true(g_hash_table_contains(taken, "10.1.2.30"));
	g_autoptr(GError) error = NULL;
	g_assert_false(pick("10.1.2.0/24", two, 2, "10.1.2.1", "vnfc/a.b.0", taken, text, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_clear_error(&error);
		g_assert_false(pick("10.1.2.0/24", &wrong[i], 1, NULL, "vnfc/a.b.0", taken, text, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
}

static void test_tiny_networks(void)
{
	g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);
	char text[NL_ADDR_TEXT_SIZE];
	g_assert_true(pick("10.1.2.4/31", NULL, 0, "10.1.2.4", "vnfc/a.b.0", taken, text, NULL));
	g_assert_cmpstr(text, ==, "10.1.2.5");
	g_assert_true(pick("10.1.2.4/32", NULL, 0, NULL, "vnfc/a.b.0", taken, text, NULL));
	g_assert_cmpstr(text, ==, "10.1.2.4");
	g_assert_false(pick("10.1.2.4/32", NULL, 0, "10.1.2.4", "vnfc/a.b.0", taken, text, NULL));
}

/* --- ids -------------------------------------------------------------------------------------------------------------------- */

static void test_id_ranges(void)
{
	unsigned first, n;
	const char *text = "# comment\nbob:x:1\nalice:100000:65536\n1001:300000:10\nbob:200000:99999999\n";
	g_assert_true(ids_parse_range(text, "alice", 1, &first, &n));
	g_assert_cmpuint(first, ==, 100000);
	g_assert_cmpuint(n, ==, IDS_RANGE - 1);
	g_assert_true(ids_parse_range(text, NULL, 1001, &first, &n));
	g_assert_cmpuint(first, ==, 300000);
	g_assert_cmpuint(n, ==, 10);
	g_assert_true(ids_parse_range(text, "bob", 2, &first, &n));
	g_assert_cmpuint(first, ==, 200000);
	g_assert_false(ids_parse_range(text, "carol", 3, &first, &n));
	g_assert_false(ids_parse_range("carol:0:5\ncarol:-1:5\ncarol:5:0\ncarol::\n", "carol", 3, &first, &n));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/keeper/names/interfaces", test_interfaces);
	g_test_add_func("/keeper/names/ports", test_ports);
	g_test_add_func("/keeper/names/alias", test_alias);
	g_test_add_func("/keeper/names/macs", test_macs);
	g_test_add_func("/keeper/addresses/all-of-a-network", test_all_of_a_network);
	g_test_add_func("/keeper/addresses/same-key-same-address", test_same_key_same_address);
	g_test_add_func("/keeper/addresses/pools", test_pools);
	g_test_add_func("/keeper/addresses/tiny-networks", test_tiny_networks);
	g_test_add_func("/keeper/ids/ranges", test_id_ranges);
	return g_test_run();
}
