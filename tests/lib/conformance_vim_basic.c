/* Made, found again, changed in place, taken away. */
#include "conformance_vim_kit.h"

#include <string.h>

void vim_test_empty(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_look(&f);
	g_assert_cmpuint(f.seen->links->len, ==, 0);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 0);
	kit_take_away(&f, LAN, 0);
	kit_take_away(&f, FW, 0);
	kit_take_away(&f, FW, 3);
	kit_end(&f);
}

void vim_test_create(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *got = kit_make_one(&f);
	const struct cp *cp = kit_cp_of(got, "eth0");
	g_assert_nonnull(cp);
	g_assert_cmpuint(cp->n_addresses, ==, 1);
	g_assert_true(g_str_has_prefix(cp->addresses[0], "10.99.0."));
	g_assert_cmpstr(cp->addresses[0], !=, "10.99.0.0");
	g_assert_cmpstr(cp->addresses[0], !=, "10.99.0.1");
	g_assert_cmpstr(cp->addresses[0], !=, "10.99.0.255");
	g_assert_cmpuint(strlen(cp->mac_address), ==, 17);
	kit_look(&f);
	const struct link *link = kit_seen_link(&f, LAN);
	g_assert_nonnull(link);
	g_assert_true(link->up);
	g_assert_cmpuint(link->mtu, ==, 1500);
	g_assert_cmpstr(link->cidr, ==, CIDR);
	g_assert_cmpstr(link->gateway, ==, "10.99.0.1");
	g_assert_cmpstr(link->site, ==, "berlin");
	const struct vnfc *seen = kit_seen_vnfc(&f, FW, 1);
	g_assert_nonnull(seen);
	g_assert_cmpint(seen->state, ==, VNFC_RUNNING);
	g_assert_cmpstr(seen->hostname, ==, "fw");
	g_assert_cmpuint(seen->n_labels, ==, 2);
	g_assert_cmpstr(seen->labels[1].text, ==, "fw");
	g_assert_true(seen->vcpus == 1 || seen->vcpus == -1);
	g_assert_true(seen->mem_bytes == 256 << 20 || seen->mem_bytes == -1);
	g_assert_true(seen->pids == 200 || seen->pids == -1);
	const struct cp *seen_cp = kit_cp_of(seen, "eth0");
	g_assert_cmpstr(seen_cp->link, ==, LAN);
	g_assert_cmpstr(seen_cp->cidr, ==, CIDR);
	g_assert_cmpstr(seen_cp->addresses[0], ==, cp->addresses[0]);
	g_assert_cmpstr(seen_cp->mac_address, ==, cp->mac_address);
	g_assert_cmpuint(seen_cp->mtu, ==, 1500);
	g_assert_true(seen_cp->up);
	g_assert_cmpuint(f.seen->accesses->len, ==, 1);
	kit_end(&f);
}

void vim_test_again(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *first = kit_make_one(&f), *second = kit_make_one(&f);
	g_assert_cmpint(first->pid, ==, second->pid);
	g_assert_cmpstr(kit_cp_of(first, "eth0")->addresses[0], ==, kit_cp_of(second, "eth0")->addresses[0]);
	g_assert_cmpstr(kit_cp_of(first, "eth0")->mac_address, ==, kit_cp_of(second, "eth0")->mac_address);
	kit_look(&f);
	g_assert_cmpuint(f.seen->links->len, ==, 1);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 1);
	kit_end(&f);
}

void vim_test_change_link(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	gint64 pid = kit_make_one(&f)->pid;
	static const char *const pools[] = { "10.98.0.10-10.98.0.20" };
	struct link lan = kit_a_link(LAN);
	lan.mtu = 1400;
	lan.cidr = "10.98.0.0/24";
	lan.gateway = "10.98.0.1";
	lan.pools = pools;
	lan.n_pools = 1;
	kit_make_link(&f, &lan);
	kit_look(&f);
	const struct link *seen = kit_seen_link(&f, LAN);
	g_assert_cmpuint(seen->mtu, ==, 1400);
	g_assert_cmpstr(seen->cidr, ==, "10.98.0.0/24");
	g_assert_cmpuint(seen->n_pools, ==, 1);
	g_assert_cmpstr(seen->pools[0], ==, pools[0]);
	lan.up = false;
	kit_make_link(&f, &lan);
	kit_look(&f);
	g_assert_false(kit_seen_link(&f, LAN)->up);
	lan.up = true;
	kit_make_link(&f, &lan);
	/* The connection point follows: another network, so another address. */
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	cp.cidr = lan.cidr;
	cp.mtu = 1400;
	cp.pools = pools;
	cp.n_pools = 1;
	struct vnfc want = kit_a_vnfc(FW, 1, &cp, 1);
	const struct vnfc *got = kit_make_vnfc(&f, &want);
	g_assert_cmpint(got->pid, ==, pid);
	g_assert_cmpuint(got->cps[0].n_addresses, ==, 1);
	g_assert_true(g_str_has_prefix(got->cps[0].addresses[0], "10.98.0.1") ||
		strcmp(got->cps[0].addresses[0], "10.98.0.20") == 0);
	g_assert_cmpstr(got->cps[0].cidr, ==, "10.98.0.0/24");
	g_assert_cmpuint(got->cps[0].mtu, ==, 1400);
	kit_end(&f);
}

void vim_test_change_vnfc(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	gint64 pid = kit_make_one(&f)->pid;
	static const struct label labels[] = { { "vnfd_version", "2.0" } };
	struct cp cp = kit_a_cp("eth0", LAN, 3);
	struct vnfc want = kit_a_vnfc(FW, 1, &cp, 1);
	want.vcpus = 2;
	want.mem_bytes = 128 << 20;
	want.pids = 77;
	want.hostname = "fw-two";
	want.labels = labels;
	want.n_labels = 1;
	kit_make_vnfc(&f, &want);
	kit_look(&f);
	const struct vnfc *seen = kit_seen_vnfc(&f, FW, 1);
	g_assert_cmpint(seen->pid, ==, pid);
	g_assert_true(seen->vcpus == 2 || seen->vcpus == -1);
	g_assert_true(seen->mem_bytes == 128 << 20 || seen->mem_bytes == -1);
	g_assert_true(seen->pids == 77 || seen->pids == -1);
	g_assert_cmpstr(seen->hostname, ==, "fw-two");
	g_assert_cmpuint(seen->n_labels, ==, 1);
	g_assert_cmpstr(seen->labels[0].text, ==, "2.0");
	g_assert_cmpuint(seen->cps[0].order, ==, 3);
	want.vcpus = want.mem_bytes = want.pids = 0;
	kit_make_vnfc(&f, &want);
	kit_look(&f);
	seen = kit_seen_vnfc(&f, FW, 1);
	g_assert_true(seen->vcpus <= 0 && seen->mem_bytes <= 0 && seen->pids <= 0);
	kit_end(&f);
}

void vim_test_change_cp(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	gint64 pid = kit_make_one(&f)->pid;
	static const char *const fixed[] = { "10.99.0.77" };
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	cp.mtu = 1300;
	cp.addresses = fixed;
	cp.n_addresses = 1;
	cp.mac_address = "02:00:00:00:00:77";
	struct vnfc want = kit_a_vnfc(FW, 1, &cp, 1);
	kit_make_vnfc(&f, &want);
	kit_look(&f);
	const struct cp *seen = kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0");
	g_assert_cmpint(kit_seen_vnfc(&f, FW, 1)->pid, ==, pid);
	g_assert_cmpuint(seen->mtu, ==, 1300);
	g_assert_cmpuint(seen->n_addresses, ==, 1);
	g_assert_cmpstr(seen->addresses[0], ==, "10.99.0.77");
	g_assert_cmpstr(seen->mac_address, ==, "02:00:00:00:00:77");
	cp.up = false;
	kit_make_vnfc(&f, &want);
	kit_look(&f);
	g_assert_false(kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0")->up);
	cp.up = true;
	kit_make_vnfc(&f, &want);
	kit_look(&f);
	seen = kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0");
	g_assert_true(seen->up);
	g_assert_cmpstr(seen->addresses[0], ==, "10.99.0.77");
	kit_end(&f);
}

void vim_test_several_cps(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	gint64 pid = kit_make_one(&f)->pid;
	struct link wan = kit_a_link(WAN);
	wan.cidr = "10.97.0.0/24";
	wan.gateway = "10.97.0.1";
	kit_make_link(&f, &wan);
	struct cp cps[] = { kit_a_cp("eth0", LAN, 0), kit_a_cp("a-long-name-of-a-connection-point", WAN, 1),
		kit_a_cp("bare", WAN, 2) };
	cps[1].cidr = wan.cidr;
	cps[2].cidr = NULL;
	struct vnfc want = kit_a_vnfc(FW, 1, cps, 3);
	const struct vnfc *got = kit_make_vnfc(&f, &want);
	g_assert_cmpint(got->pid, ==, pid);
	g_assert_cmpuint(got->n_cps, ==, 3);
	g_assert_true(g_str_has_prefix(kit_cp_of(got, "a-long-name-of-a-connection-point")->addresses[0], "10.97.0."));
	g_assert_cmpuint(kit_cp_of(got, "bare")->n_addresses, ==, 0);
	/* Replugged: the other link, in place. */
	cps[0].link = WAN;
	cps[0].cidr = wan.cidr;
	got = kit_make_vnfc(&f, &want);
	g_assert_cmpint(got->pid, ==, pid);
	kit_look(&f);
	const struct vnfc *seen = kit_seen_vnfc(&f, FW, 1);
	g_assert_cmpstr(kit_cp_of(seen, "eth0")->link, ==, WAN);
	g_assert_cmpuint(kit_cp_of(seen, "eth0")->n_addresses, ==, 1);
	g_assert_true(g_str_has_prefix(kit_cp_of(seen, "eth0")->addresses[0], "10.97.0."));
	g_assert_cmpstr(kit_cp_of(seen, "eth0")->addresses[0], !=,
		kit_cp_of(seen, "a-long-name-of-a-connection-point")->addresses[0]);
	kit_take_away(&f, LAN, 0); /* nobody is on it any more */
	want.n_cps = 1;
	kit_make_vnfc(&f, &want);
	kit_look(&f);
	seen = kit_seen_vnfc(&f, FW, 1);
	g_assert_cmpint(seen->pid, ==, pid);
	g_assert_cmpuint(seen->n_cps, ==, 1);
	g_assert_null(kit_seen_link(&f, LAN));
	kit_end(&f);
}

void vim_test_remove(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_make_one(&f);
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	g_assert_false(f.ops->remove(f.vim, &call, &(struct ref) { LAN, 0 }, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	kit_take_away(&f, FW, 2); /* another incarnation: not there */
	kit_look(&f);
	g_assert_nonnull(kit_seen_vnfc(&f, FW, 1));
	kit_take_away(&f, FW, 1);
	kit_take_away(&f, FW, 1);
	kit_take_away(&f, LAN, 1);
	kit_take_away(&f, LAN, 1);
	kit_look(&f);
	g_assert_cmpuint(f.seen->links->len, ==, 0);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 0);
	g_assert_cmpuint(f.seen->accesses->len, ==, 0);
	kit_make_one(&f); /* the same names at once again */
	kit_end(&f);
}

void vim_test_unknown_link(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_make_one(&f);
	struct cp cp = kit_a_cp("eth0", WAN, 0);
	struct vnfc want = kit_a_vnfc("vnfc/edge.fw.vdu.1", 1, &cp, 1);
	kit_fails_to_make(&f, &want, PLEACH_ERROR_NOT_FOUND);
	kit_look(&f);
	g_assert_null(kit_seen_vnfc(&f, "vnfc/edge.fw.vdu.1", 1));
	kit_end(&f);
}

void vim_test_address_conflict(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const char *taken = kit_make_one(&f)->cps[0].addresses[0];
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	cp.addresses = &taken;
	cp.n_addresses = 1;
	struct vnfc want = kit_a_vnfc("vnfc/edge.fw.vdu.1", 1, &cp, 1);
	kit_fails_to_make(&f, &want, PLEACH_ERROR_CONFLICT);
	kit_look(&f);
	g_assert_null(kit_seen_vnfc(&f, "vnfc/edge.fw.vdu.1", 1));
	/* A preference is only that. */
	cp = kit_a_cp("eth0", LAN, 0);
	cp.prefer_addresses = &taken;
	cp.n_prefer_addresses = 1;
	g_assert_cmpstr(kit_make_vnfc(&f, &want)->cps[0].addresses[0], !=, taken);
	kit_end(&f);
}

void vim_test_incarnations(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	if (!f.ops->caps->replace_beside) {
		kit_end(&f);
		g_test_skip("this VIM has one incarnation at a time");
		return;
	}
	const struct vnfc *first = kit_make_one(&f);
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	struct vnfc want = kit_a_vnfc(FW, 2, &cp, 1);
	const struct vnfc *second = kit_make_vnfc(&f, &want);
	g_assert_cmpuint(second->incarnation, ==, 2);
	g_assert_cmpstr(first->cps[0].addresses[0], !=, second->cps[0].addresses[0]);
	g_assert_cmpstr(first->cps[0].mac_address, !=, second->cps[0].mac_address);
	kit_look(&f);
	g_assert_nonnull(kit_seen_vnfc(&f, FW, 1));
	g_assert_nonnull(kit_seen_vnfc(&f, FW, 2));
	kit_take_away(&f, FW, 1);
	kit_look(&f);
	g_assert_null(kit_seen_vnfc(&f, FW, 1));
	g_assert_cmpint(kit_seen_vnfc(&f, FW, 2)->state, ==, VNFC_RUNNING);
	want.incarnation = 3;
	kit_make_vnfc(&f, &want);
	kit_take_away(&f, FW, 0);
	kit_look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 0);
	kit_end(&f);
}
