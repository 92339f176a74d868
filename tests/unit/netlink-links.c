/* The real kernel, in a network namespace of the test's own. */
#include "netlink/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_addresses(void)
{
	struct nl_addr addr, net;
	char text[NL_ADDR_TEXT_SIZE];
	g_assert_true(nl_addr_parse("10.1.2.3/20", &addr));
	g_assert_cmpstr(nl_addr_print(&addr, true, text), ==, "10.1.2.3/20");
	g_assert_cmpstr(nl_addr_print(&addr, false, text), ==, "10.1.2.3");
	g_assert_true(nl_addr_parse("10.1.0.0/20", &net));
	g_assert_true(nl_addr_within(&addr, &net));
	g_assert_true(nl_addr_parse("10.1.16.1", &addr));
	g_assert_cmpuint(addr.prefix, ==, 32);
	g_assert_false(nl_addr_within(&addr, &net));
	g_assert_true(nl_addr_parse("fd00::1/64", &addr));
	g_assert_false(nl_addr_within(&addr, &net));
	static const char *const wrong[] = { "", "/", "/24", "10.0.0", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/1x",
		"fd00::/129",
					     "10.0.0.256", "a", "10.0.0.1 ", "10.0.0.1/24/24" };
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
		g_assert_false(nl_addr_parse(wrong[i], &addr));
}

static bool own_namespace(void)
{
	static int state; /* 0: not tried */
	if (!state)
		state = unshare(geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 1 : -1;
	if (state < 0)
		g_test_skip("network namespaces may not be made here");
	return state > 0;
}

static void count(unsigned index, bool gone, void *data)
{
	(*(unsigned *) data)++;
}

static void test_kernel(void)
{
	if (!own_namespace())
		return;
	g_autoptr(GError) error = NULL;
	auto_ptr(nl) nl = nl_open(NL_HERE, &error);
	auto_ptr(nl_mirror) mirror = nl_mirror_open(NL_HERE, &error);
	g_assert_no_error(error);
	struct nl_bridge bridge = { .name = "b0", .index = 50, .mtu = 1400, .mac = { { 2, 0, 0, 0, 0, 1 } } };
	g_assert_true(nl_bridge_create(nl, &bridge, &error));
	g_assert_false(nl_bridge_create(nl, &bridge, &error));
	g_assert_true(nl_errno(nl) == EEXIST || nl_errno(nl) == EBUSY);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "b0"));
	g_clear_error(&error);
	struct nl_veth veth = { .name = "v0", .index = 51, .mtu = 1300, .master = 50, .peer_name = "p0", .peer_index = 52,
				.peer_mac = { { 2, 0, 0, 0, 0, 2 } }, .peer_netns_fd = -1 };
	g_assert_true(nl_veth_create(nl, &veth, &error));
	unsigned changes = 0;
	g_assert_true(nl_mirror_read(mirror, count, &changes, &error));
	g_assert_cmpuint(changes, >=, 3);
	const struct nl_link *seen = nl_mirror_link(mirror, 51);
	g_assert_nonnull(seen);
	g_assert_cmpuint(seen->master, ==, 50);
	g_assert_cmpuint(seen->peer, ==, 52);
	g_assert_cmpuint(seen->mtu, ==, 1300);
	g_assert_cmpstr(seen->kind, ==, "veth");
	g_assert_false(seen->up);
	g_assert_true(nl_mirror_named(mirror, "v0") == seen);
	g_assert_cmpint(nl_mirror_named(mirror, "p0")->mac.bytes[5], ==, 2);

	struct nl_mac mac = { { 2, 0, 0, 0, 0, 9 } };
	struct nl_change change = { .alias = "pleach t x 1", .mtu = 1200, .mac = &mac, .set_master = true, .set_up = true,
		.up = true };
	g_assert_true(nl_link_change(nl, 51, &change, &error));
	struct nl_addr addr, v6;
	nl_addr_parse("10.9.8.7/24", &addr);
	nl_addr_parse("fd00::7/64", &v6);
	g_assert_true(nl_addr_add(nl, 51, &addr, &error));
	g_assert_true(nl_addr_add(nl, 51, &addr, &error));
	changes = 0;
	g_assert_true(nl_mirror_read(mirror, count, &changes, &error));
	seen = nl_mirror_link(mirror, 51);
	g_assert_true(seen->up);
	g_assert_cmpstr(seen->alias, ==, "pleach t x 1");
	g_assert_cmpuint(seen->mtu, ==, 1200);
	g_assert_cmpuint(seen->master, ==, 0);
	g_assert_cmpint(seen->mac.bytes[5], ==, 9);
	g_assert_cmpuint(seen->addrs->len, ==, 1);
	g_assert_true(nl_addr_equal(&g_array_index(seen->addrs, struct nl_addr, 0), &addr));

	/* A mirror that starts late sees the same. */
	auto_ptr(nl_mirror) late = nl_mirror_open(NL_HERE, &error);
	g_assert_cmpuint(nl_mirror_link(late, 51)->addrs->len, ==, 1);
	g_autoptr(GPtrArray) links = nl_links_new();
	g_assert_true(nl_links(nl, links, &error));
	g_assert_cmpuint(links->len, >=, 4);
	g_autoptr(GArray) addrs = g_array_new(FALSE, FALSE, sizeof(struct nl_addr));
	g_assert_true(nl_addrs(nl, 51, addrs, &error));
	g_assert_cmpuint(addrs->len, ==, 1);

	struct nl_route route = { .index = 51, .metric = 7 }, gone = { .index = 51 };
	nl_addr_parse("10.20.0.0/16", &route.to);
	nl_addr_parse("10.9.8.1", &route.via);
	nl_addr_parse("10.30.0.0/16", &gone.to);
	g_assert_true(nl_link_change(nl, 52, &(struct nl_change) { .set_up = true, .up = true }, &error));
	g_assert_true(nl_route_add(nl, &route, &error));
	g_assert_true(nl_route_add(nl, &route, &error));
	g_autoptr(GArray) routes = g_array_new(FALSE, FALSE, sizeof(struct nl_route));
	g_assert_true(nl_routes(nl, 0, routes, &error));
	bool found = false;
	for (guint i = 0; i < routes->len; i++)
		found |= nl_addr_equal(&g_array_index(routes, struct nl_route, i).to, &route.to) &&
			g_array_index(routes, struct nl_route, i).metric == 7;
	g_assert_true(found);
	g_assert_true(nl_route_delete(nl, &route, &error));
	g_assert_true(nl_route_delete(nl, &gone, &error));

	g_assert_true(nl_addr_delete(nl, 51, &addr, &error));
	g_assert_true(nl_addr_delete(nl, 51, &addr, &error));
	g_assert_true(nl_link_delete(nl, 51, &error));
	g_assert_true(nl_link_delete(nl, 51, &error));
	g_assert_true(nl_link_delete(nl, 50, &error));
	g_assert_true(nl_mirror_read(mirror, NULL, NULL, &error));
	g_assert_null(nl_mirror_link(mirror, 51));
	g_assert_null(nl_mirror_named(mirror, "p0"));
	g_assert_null(nl_mirror_named(mirror, "b0"));
	g_assert_no_error(error);
}

/* The peer at once in another namespace; a handle there while the thread stays here. */
static void test_namespaces(void)
{
	if (!own_namespace())
		return;
	g_autoptr(GError) error = NULL;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(unshare(CLONE_NEWNET), ==, 0);
	int there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(setns(home, CLONE_NEWNET), ==, 0);
	auto_ptr(nl) nl = nl_open(NL_HERE, &error);
	struct nl_veth veth = { .name = "v1", .index = 61, .peer_name = "eth0", .peer_index = 7, .peer_mac = { { 2, 0, 0, 0, 0,
		3 } },
				.peer_netns_fd = there };
	g_assert_true(nl_veth_create(nl, &veth, &error));
	auto_ptr(nl_mirror) mirror = nl_mirror_open((struct nl_where) { there, home }, &error);
	g_assert_no_error(error);
	g_assert_nonnull(nl_mirror_named(mirror, "eth0"));
	g_assert_null(nl_mirror_named(mirror, "v1"));
	struct nl_change up = { .set_up = true, .up = true };
	g_assert_true(nl_link_change(nl_mirror_handle(mirror), 7, &up, &error));
	g_assert_true(nl_mirror_read(mirror, NULL, NULL, &error));
	g_assert_true(nl_mirror_link(mirror, 7)->up);
	g_assert_true(nl_link_delete(nl, 61, &error));
	close(home);
	close(there);
}

/* More news than the socket holds: nothing is lost all the same. */
/* An interface that is passed on to another namespace, and what the kernel says where it cannot be. */
static void test_upper(void)
{
	if (!own_namespace())
		return;
	g_autoptr(GError) error = NULL;
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(unshare(CLONE_NEWNET), ==, 0);
	int there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	g_assert_cmpint(setns(here, CLONE_NEWNET), ==, 0);
	auto_ptr(nl) nl = nl_open(NL_HERE, &error);
	auto_ptr(nl) other = nl_open((struct nl_where) { there, here }, &error);
	g_assert_no_error(error);
	const struct nl_veth veth = { .name = "u0", .index = 60, .mtu = 1500, .peer_name = "u1", .peer_mac = { { 2, 0, 0, 0, 0, 9 } },
		.peer_netns_fd = -1 };
	g_assert_true(nl_veth_create(nl, &veth, &error));
	const struct nl_upper whole = { .name = "up0", .lower = 60, .mtu = 1400, .netns_fd = there };
	g_assert_true(nl_upper_create(nl, &whole, &error));
	g_assert_no_error(error);
	g_autoptr(GPtrArray) seen = nl_links_new();
	g_assert_true(nl_links(other, seen, &error));
	const struct nl_link *made = NULL;
	for (guint i = 0; i < seen->len; i++)
		if (strcmp(((struct nl_link *) seen->pdata[i])->name, "up0") == 0)
			made = seen->pdata[i];
	g_assert_nonnull(made);
	g_assert_cmpstr(made->kind, ==, "macvlan");
	g_assert_cmpuint(made->mtu, ==, 1400);
	/* Passed on whole is passed on once; and a VLAN needs a kernel that has them. */
	const struct nl_upper second = { .name = "up1", .lower = 60, .netns_fd = there };
	g_assert_false(nl_upper_create(nl, &second, &error));
	g_assert_nonnull(strstr(error->message, "up1"));
	g_clear_error(&error);
	const struct nl_upper vlan = { .name = "up2", .lower = 60, .vlan = 210, .netns_fd = there };
	g_assert_true(nl_upper_create(nl, &vlan, &error) || nl_errno(nl) == EOPNOTSUPP);
	g_assert_true(nl_link_delete(nl, 60, NULL));
	close(here);
	close(there);
}

static void test_overflow(void)
{
	if (!own_namespace())
		return;
	g_autoptr(GError) error = NULL;
	auto_ptr(nl) nl = nl_open(NL_HERE, &error);
	auto_ptr(nl_mirror) mirror = nl_mirror_open(NL_HERE, &error);
	struct nl_bridge bridge = { .name = "b1", .index = 70, .mac = { { 2, 0, 0, 0, 0, 1 } } };
	g_assert_true(nl_bridge_create(nl, &bridge, &error));
	g_assert_true(nl_link_change(nl, 70, &(struct nl_change) { .set_up = true, .up = true }, &error));
	for (int i = 0; i < 6000; i++) {
		g_autofree char *alias = g_strdup_printf("number %d", i);
		g_assert_true(nl_link_change(nl, 70, &(struct nl_change) { .alias = alias }, &error));
	}
	g_assert_true(nl_mirror_read(mirror, NULL, NULL, &error));
	g_assert_cmpstr(nl_mirror_link(mirror, 70)->alias, ==, "number 5999");
	g_assert_true(nl_link_delete(nl, 70, &error));
	g_assert_no_error(error);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/netlink/addresses", test_addresses);
	g_test_add_func("/netlink/kernel", test_kernel);
	g_test_add_func("/netlink/namespaces", test_namespaces);
	g_test_add_func("/netlink/upper", test_upper);
	g_test_add_func("/netlink/overflow", test_overflow);
	return g_test_run();
}
