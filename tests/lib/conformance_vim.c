#include "conformance_vim.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { LONG_MS = 30000, WATCH_MS = 3000, N_PARALLEL = 16 };

#define CIDR "10.99.0.0/24"
#define LAN "link/edge.lan"
#define WAN "link/edge.wan"
#define FW "vnfc/edge.fw.vdu.0"

struct fixture {
	struct vim_bench *bench;
	const struct vim_ops *ops;
	const struct site *site;
	struct vim *vim;
	struct arena *arena;
	struct observation *seen;
};

static struct call in_time(void)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + LONG_MS * 1000, .cancel_fd = -1 };
}

static bool begin(struct fixture *f, const void *data)
{
	*f = (struct fixture) { .bench = (void *) (guintptr) data, .arena = arena_new() };
	f->ops = f->bench->ops;
	g_autofree char *why = NULL;
	g_autoptr(GError) error = NULL;
	f->site = f->bench->site(f->bench, "tests", &why);
	if (!f->site) {
		arena_unref(f->arena);
		g_test_skip(why);
		return false;
	}
	f->vim = f->ops->open(f->site, &error);
	g_assert_no_error(error);
	return true;
}

static void end(struct fixture *f)
{
	if (f->seen)
		observation_free(f->seen);
	f->ops->close(f->vim);
	f->bench->end(f->bench);
	arena_unref(f->arena);
}

/* Through a handle that has seen nothing before: what it knows is what is in the network. */
static void look(struct fixture *f)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	if (f->seen)
		observation_free(f->seen);
	f->seen = observation_new(f->arena);
	struct vim *fresh = f->ops->open(f->site, &error);
	g_assert_no_error(error);
	f->ops->observe(fresh, &call, f->seen, &error);
	g_assert_no_error(error);
	f->ops->close(fresh);
}

static const struct link *seen_link(const struct fixture *f, const char *key)
{
	for (guint i = 0; i < f->seen->links->len; i++) {
		const struct link *link = f->seen->links->pdata[i];
		if (strcmp(link->key, key) == 0)
			return link;
	}
	return NULL;
}

static const struct vnfc *seen_vnfc(const struct fixture *f, const char *key, unsigned incarnation)
{
	for (guint i = 0; i < f->seen->vnfcs->len; i++) {
		const struct vnfc *vnfc = f->seen->vnfcs->pdata[i];
		if (strcmp(vnfc->key, key) == 0 && vnfc->incarnation == incarnation)
			return vnfc;
	}
	return NULL;
}

static const struct cp *cp_of(const struct vnfc *vnfc, const char *name)
{
	for (size_t i = 0; vnfc && i < vnfc->n_cps; i++)
		if (strcmp(vnfc->cps[i].name, name) == 0)
			return &vnfc->cps[i];
	return NULL;
}

static struct link a_link(const char *key)
{
	return (struct link) { .key = key, .site = "berlin", .incarnation = 1, .cidr = CIDR, .mtu = 1500, .gateway = "10.99.0.1", .up = true };
}

static struct cp a_cp(const char *name, const char *link, unsigned order)
{
	return (struct cp) { .name = name, .link = link, .order = order, .mtu = 1500, .cidr = CIDR, .up = true };
}

static struct vnfc a_vnfc(const char *key, unsigned incarnation, const struct cp *cps, size_t n_cps)
{
	static const struct label labels[] = { { "vdu", "vdu" }, { "vnfd_id", "fw" } };
	return (struct vnfc) {
		.key = key, .site = "berlin", .incarnation = incarnation, .state = VNFC_RUNNING, .vcpus = 1, .mem_bytes = 256 << 20, .pids = 200,
		.hostname = "fw", .labels = labels, .n_labels = 2, .cps = cps, .n_cps = n_cps,
	};
}

static void make_link(struct fixture *f, const struct link *want)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	f->ops->ensure_link(f->vim, &call, want, &error);
	g_assert_no_error(error);
}

static const struct vnfc *make_vnfc(struct fixture *f, const struct vnfc *want)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	const struct vnfc *got = NULL;
	const struct access *access = NULL;
	f->ops->ensure_vnfc(f->vim, &call, want, f->arena, &got, &access, &error);
	g_assert_no_error(error);
	g_assert_nonnull(got);
	g_assert_nonnull(access);
	g_assert_cmpstr(access->key, ==, want->key);
	g_assert_cmpint(got->state, ==, VNFC_RUNNING);
	return got;
}

static void fails_to_make(struct fixture *f, const struct vnfc *want, enum pleach_error code)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	g_assert_false(f->ops->ensure_vnfc(f->vim, &call, want, f->arena, NULL, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, (int) code);
}

static void take_away(struct fixture *f, const char *key, unsigned incarnation)
{
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	f->ops->remove(f->vim, &call, &(struct ref) { key, incarnation }, &error);
	g_assert_no_error(error);
}

/* The usual: a link and a VNFC on it. */
static const struct vnfc *make_one(struct fixture *f)
{
	struct link lan = a_link(LAN);
	struct cp cp = a_cp("eth0", LAN, 0);
	struct vnfc want = a_vnfc(FW, 1, &cp, 1);
	make_link(f, &lan);
	return make_vnfc(f, &want);
}

/* --- the tests ------------------------------------------------------------------------------------------------------------------ */

static void test_empty(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	look(&f);
	g_assert_cmpuint(f.seen->links->len, ==, 0);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 0);
	take_away(&f, LAN, 0);
	take_away(&f, FW, 0);
	take_away(&f, FW, 3);
	end(&f);
}

static void test_create(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *got = make_one(&f);
	const struct cp *cp = cp_of(got, "eth0");
	g_assert_nonnull(cp);
	g_assert_cmpuint(cp->n_addresses, ==, 1);
	g_assert_true(g_str_has_prefix(cp->addresses[0], "10.99.0."));
	g_assert_cmpstr(cp->addresses[0], !=, "10.99.0.0");
	g_assert_cmpstr(cp->addresses[0], !=, "10.99.0.1");
	g_assert_cmpstr(cp->addresses[0], !=, "10.99.0.255");
	g_assert_cmpuint(strlen(cp->mac_address), ==, 17);
	look(&f);
	const struct link *link = seen_link(&f, LAN);
	g_assert_nonnull(link);
	g_assert_true(link->up);
	g_assert_cmpuint(link->mtu, ==, 1500);
	g_assert_cmpstr(link->cidr, ==, CIDR);
	g_assert_cmpstr(link->gateway, ==, "10.99.0.1");
	g_assert_cmpstr(link->site, ==, "berlin");
	const struct vnfc *seen = seen_vnfc(&f, FW, 1);
	g_assert_nonnull(seen);
	g_assert_cmpint(seen->state, ==, VNFC_RUNNING);
	g_assert_cmpstr(seen->hostname, ==, "fw");
	g_assert_cmpuint(seen->n_labels, ==, 2);
	g_assert_cmpstr(seen->labels[1].text, ==, "fw");
	g_assert_true(seen->vcpus == 1 || seen->vcpus == -1);
	g_assert_true(seen->mem_bytes == 256 << 20 || seen->mem_bytes == -1);
	g_assert_true(seen->pids == 200 || seen->pids == -1);
	const struct cp *seen_cp = cp_of(seen, "eth0");
	g_assert_cmpstr(seen_cp->link, ==, LAN);
	g_assert_cmpstr(seen_cp->cidr, ==, CIDR);
	g_assert_cmpstr(seen_cp->addresses[0], ==, cp->addresses[0]);
	g_assert_cmpstr(seen_cp->mac_address, ==, cp->mac_address);
	g_assert_cmpuint(seen_cp->mtu, ==, 1500);
	g_assert_true(seen_cp->up);
	g_assert_cmpuint(f.seen->accesses->len, ==, 1);
	end(&f);
}

static void test_again(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *first = make_one(&f), *second = make_one(&f);
	g_assert_cmpint(first->pid, ==, second->pid);
	g_assert_cmpstr(cp_of(first, "eth0")->addresses[0], ==, cp_of(second, "eth0")->addresses[0]);
	g_assert_cmpstr(cp_of(first, "eth0")->mac_address, ==, cp_of(second, "eth0")->mac_address);
	look(&f);
	g_assert_cmpuint(f.seen->links->len, ==, 1);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 1);
	end(&f);
}

static void test_change_link(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	gint64 pid = make_one(&f)->pid;
	static const char *const pools[] = { "10.98.0.10-10.98.0.20" };
	struct link lan = a_link(LAN);
	lan.mtu = 1400;
	lan.cidr = "10.98.0.0/24";
	lan.gateway = "10.98.0.1";
	lan.pools = pools;
	lan.n_pools = 1;
	make_link(&f, &lan);
	look(&f);
	const struct link *seen = seen_link(&f, LAN);
	g_assert_cmpuint(seen->mtu, ==, 1400);
	g_assert_cmpstr(seen->cidr, ==, "10.98.0.0/24");
	g_assert_cmpuint(seen->n_pools, ==, 1);
	g_assert_cmpstr(seen->pools[0], ==, pools[0]);
	lan.up = false;
	make_link(&f, &lan);
	look(&f);
	g_assert_false(seen_link(&f, LAN)->up);
	lan.up = true;
	make_link(&f, &lan);
	/* The connection point follows: another network, so another address. */
	struct cp cp = a_cp("eth0", LAN, 0);
	cp.cidr = lan.cidr;
	cp.mtu = 1400;
	cp.pools = pools;
	cp.n_pools = 1;
	struct vnfc want = a_vnfc(FW, 1, &cp, 1);
	const struct vnfc *got = make_vnfc(&f, &want);
	g_assert_cmpint(got->pid, ==, pid);
	g_assert_cmpuint(got->cps[0].n_addresses, ==, 1);
	g_assert_true(g_str_has_prefix(got->cps[0].addresses[0], "10.98.0.1") || strcmp(got->cps[0].addresses[0], "10.98.0.20") == 0);
	g_assert_cmpstr(got->cps[0].cidr, ==, "10.98.0.0/24");
	g_assert_cmpuint(got->cps[0].mtu, ==, 1400);
	end(&f);
}

static void test_change_vnfc(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	gint64 pid = make_one(&f)->pid;
	static const struct label labels[] = { { "vnfd_version", "2.0" } };
	struct cp cp = a_cp("eth0", LAN, 3);
	struct vnfc want = a_vnfc(FW, 1, &cp, 1);
	want.vcpus = 2;
	want.mem_bytes = 128 << 20;
	want.pids = 77;
	want.hostname = "fw-two";
	want.labels = labels;
	want.n_labels = 1;
	make_vnfc(&f, &want);
	look(&f);
	const struct vnfc *seen = seen_vnfc(&f, FW, 1);
	g_assert_cmpint(seen->pid, ==, pid);
	g_assert_true(seen->vcpus == 2 || seen->vcpus == -1);
	g_assert_true(seen->mem_bytes == 128 << 20 || seen->mem_bytes == -1);
	g_assert_true(seen->pids == 77 || seen->pids == -1);
	g_assert_cmpstr(seen->hostname, ==, "fw-two");
	g_assert_cmpuint(seen->n_labels, ==, 1);
	g_assert_cmpstr(seen->labels[0].text, ==, "2.0");
	g_assert_cmpuint(seen->cps[0].order, ==, 3);
	want.vcpus = want.mem_bytes = want.pids = 0;
	make_vnfc(&f, &want);
	look(&f);
	seen = seen_vnfc(&f, FW, 1);
	g_assert_true(seen->vcpus <= 0 && seen->mem_bytes <= 0 && seen->pids <= 0);
	end(&f);
}

static void test_change_cp(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	gint64 pid = make_one(&f)->pid;
	static const char *const fixed[] = { "10.99.0.77" };
	struct cp cp = a_cp("eth0", LAN, 0);
	cp.mtu = 1300;
	cp.addresses = fixed;
	cp.n_addresses = 1;
	cp.mac_address = "02:00:00:00:00:77";
	struct vnfc want = a_vnfc(FW, 1, &cp, 1);
	make_vnfc(&f, &want);
	look(&f);
	const struct cp *seen = cp_of(seen_vnfc(&f, FW, 1), "eth0");
	g_assert_cmpint(seen_vnfc(&f, FW, 1)->pid, ==, pid);
	g_assert_cmpuint(seen->mtu, ==, 1300);
	g_assert_cmpuint(seen->n_addresses, ==, 1);
	g_assert_cmpstr(seen->addresses[0], ==, "10.99.0.77");
	g_assert_cmpstr(seen->mac_address, ==, "02:00:00:00:00:77");
	cp.up = false;
	make_vnfc(&f, &want);
	look(&f);
	g_assert_false(cp_of(seen_vnfc(&f, FW, 1), "eth0")->up);
	cp.up = true;
	make_vnfc(&f, &want);
	look(&f);
	seen = cp_of(seen_vnfc(&f, FW, 1), "eth0");
	g_assert_true(seen->up);
	g_assert_cmpstr(seen->addresses[0], ==, "10.99.0.77");
	end(&f);
}

static void test_several_cps(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	gint64 pid = make_one(&f)->pid;
	struct link wan = a_link(WAN);
	wan.cidr = "10.97.0.0/24";
	wan.gateway = "10.97.0.1";
	make_link(&f, &wan);
	struct cp cps[] = { a_cp("eth0", LAN, 0), a_cp("a-long-name-of-a-connection-point", WAN, 1), a_cp("bare", WAN, 2) };
	cps[1].cidr = wan.cidr;
	cps[2].cidr = NULL;
	struct vnfc want = a_vnfc(FW, 1, cps, 3);
	const struct vnfc *got = make_vnfc(&f, &want);
	g_assert_cmpint(got->pid, ==, pid);
	g_assert_cmpuint(got->n_cps, ==, 3);
	g_assert_true(g_str_has_prefix(cp_of(got, "a-long-name-of-a-connection-point")->addresses[0], "10.97.0."));
	g_assert_cmpuint(cp_of(got, "bare")->n_addresses, ==, 0);
	/* Replugged: the other link, in place. */
	cps[0].link = WAN;
	cps[0].cidr = wan.cidr;
	got = make_vnfc(&f, &want);
	g_assert_cmpint(got->pid, ==, pid);
	look(&f);
	const struct vnfc *seen = seen_vnfc(&f, FW, 1);
	g_assert_cmpstr(cp_of(seen, "eth0")->link, ==, WAN);
	g_assert_cmpuint(cp_of(seen, "eth0")->n_addresses, ==, 1);
	g_assert_true(g_str_has_prefix(cp_of(seen, "eth0")->addresses[0], "10.97.0."));
	g_assert_cmpstr(cp_of(seen, "eth0")->addresses[0], !=, cp_of(seen, "a-long-name-of-a-connection-point")->addresses[0]);
	take_away(&f, LAN, 0); /* nobody is on it any more */
	want.n_cps = 1;
	make_vnfc(&f, &want);
	look(&f);
	seen = seen_vnfc(&f, FW, 1);
	g_assert_cmpint(seen->pid, ==, pid);
	g_assert_cmpuint(seen->n_cps, ==, 1);
	g_assert_null(seen_link(&f, LAN));
	end(&f);
}

static void test_remove(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	make_one(&f);
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	g_assert_false(f.ops->remove(f.vim, &call, &(struct ref) { LAN, 0 }, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	take_away(&f, FW, 2); /* another incarnation: not there */
	look(&f);
	g_assert_nonnull(seen_vnfc(&f, FW, 1));
	take_away(&f, FW, 1);
	take_away(&f, FW, 1);
	take_away(&f, LAN, 1);
	take_away(&f, LAN, 1);
	look(&f);
	g_assert_cmpuint(f.seen->links->len, ==, 0);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 0);
	g_assert_cmpuint(f.seen->accesses->len, ==, 0);
	make_one(&f); /* the same names at once again */
	end(&f);
}

static void test_unknown_link(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	make_one(&f);
	struct cp cp = a_cp("eth0", WAN, 0);
	struct vnfc want = a_vnfc("vnfc/edge.fw.vdu.1", 1, &cp, 1);
	fails_to_make(&f, &want, PLEACH_ERROR_NOT_FOUND);
	look(&f);
	g_assert_null(seen_vnfc(&f, "vnfc/edge.fw.vdu.1", 1));
	end(&f);
}

static void test_address_conflict(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const char *taken = make_one(&f)->cps[0].addresses[0];
	struct cp cp = a_cp("eth0", LAN, 0);
	cp.addresses = &taken;
	cp.n_addresses = 1;
	struct vnfc want = a_vnfc("vnfc/edge.fw.vdu.1", 1, &cp, 1);
	fails_to_make(&f, &want, PLEACH_ERROR_CONFLICT);
	look(&f);
	g_assert_null(seen_vnfc(&f, "vnfc/edge.fw.vdu.1", 1));
	/* A preference is only that. */
	cp = a_cp("eth0", LAN, 0);
	cp.prefer_addresses = &taken;
	cp.n_prefer_addresses = 1;
	g_assert_cmpstr(make_vnfc(&f, &want)->cps[0].addresses[0], !=, taken);
	end(&f);
}

static void test_incarnations(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	if (!f.ops->caps->replace_beside) {
		end(&f);
		g_test_skip("this VIM has one incarnation at a time");
		return;
	}
	const struct vnfc *first = make_one(&f);
	struct cp cp = a_cp("eth0", LAN, 0);
	struct vnfc want = a_vnfc(FW, 2, &cp, 1);
	const struct vnfc *second = make_vnfc(&f, &want);
	g_assert_cmpuint(second->incarnation, ==, 2);
	g_assert_cmpstr(first->cps[0].addresses[0], !=, second->cps[0].addresses[0]);
	g_assert_cmpstr(first->cps[0].mac_address, !=, second->cps[0].mac_address);
	look(&f);
	g_assert_nonnull(seen_vnfc(&f, FW, 1));
	g_assert_nonnull(seen_vnfc(&f, FW, 2));
	take_away(&f, FW, 1);
	look(&f);
	g_assert_null(seen_vnfc(&f, FW, 1));
	g_assert_cmpint(seen_vnfc(&f, FW, 2)->state, ==, VNFC_RUNNING);
	want.incarnation = 3;
	make_vnfc(&f, &want);
	take_away(&f, FW, 0);
	look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 0);
	end(&f);
}

static void wait_for_watch(struct fixture *f, int fd, const char *key)
{
	gint64 until_us = clock_monotonic_us() + WATCH_MS * 1000;
	for (bool named = false; !named;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		gint64 left_ms = (until_us - clock_monotonic_us()) / 1000;
		g_assert_cmpint(left_ms, >, 0);
		if (poll(&wait, 1, (int) left_ms) < 1)
			continue;
		g_autoptr(GPtrArray) keys = f->ops->watch_read(f->vim);
		named = !keys;
		for (guint i = 0; keys && i < keys->len; i++)
			named |= strcmp(keys->pdata[i], key) == 0;
	}
}

static void test_death(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *got = make_one(&f);
	int fd = f.ops->watch_fd ? f.ops->watch_fd(f.vim) : -1;
	if (fd >= 0 && poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 50) > 0)
		g_clear_pointer(&(GPtrArray *) { f.ops->watch_read(f.vim) }, g_ptr_array_unref);
	if (!f.bench->kill || !f.bench->kill(f.bench, got)) {
		end(&f);
		g_test_skip("a VNFC cannot be killed here");
		return;
	}
	if (fd >= 0)
		wait_for_watch(&f, fd, FW);
	const struct vnfc *seen = NULL;
	for (int i = 0; i < 300 && (!seen || seen->state == VNFC_RUNNING); i++) {
		g_usleep(10000);
		look(&f);
		seen = seen_vnfc(&f, FW, 1);
		g_assert_nonnull(seen);
	}
	g_assert_cmpint(seen->state, ==, VNFC_FAILED);
	g_assert_cmpstr(seen->exit, ==, "signal 9 (Killed)");
	struct cp cp = a_cp("eth0", LAN, 0);
	struct vnfc want = a_vnfc(FW, 1, &cp, 1);
	fails_to_make(&f, &want, PLEACH_ERROR_CONFLICT);
	/* The next one takes over what it had. */
	want.incarnation = 2;
	cp.prefer_addresses = got->cps[0].addresses;
	cp.n_prefer_addresses = 1;
	const struct vnfc *next = make_vnfc(&f, &want);
	g_assert_cmpstr(next->cps[0].addresses[0], ==, got->cps[0].addresses[0]);
	take_away(&f, FW, 1);
	look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 1);
	end(&f);
}

static void test_cancel(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	make_one(&f);
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
	struct call cancelled = { .deadline_us = clock_monotonic_us() + LONG_MS * 1000, .cancel_fd = fds[0] };
	struct call late = { .deadline_us = clock_monotonic_us(), .cancel_fd = -1 };
	struct cp cp = a_cp("eth0", LAN, 0);
	struct vnfc want = a_vnfc("vnfc/edge.fw.vdu.1", 1, &cp, 1);
	g_autoptr(GError) error = NULL;
	gint64 before_us = clock_monotonic_us();
	g_assert_false(f.ops->ensure_vnfc(f.vim, &cancelled, &want, f.arena, NULL, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	g_clear_error(&error);
	g_assert_false(f.ops->ensure_vnfc(f.vim, &late, &want, f.arena, NULL, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_assert_cmpint(clock_monotonic_us() - before_us, <, 2 * G_USEC_PER_SEC);
	close(fds[0]);
	close(fds[1]);
	/* Whatever happened, the next call ends it well. */
	make_vnfc(&f, &want);
	end(&f);
}

static void test_strangers(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	make_one(&f);
	if (!f.bench->add_stranger || !f.bench->add_stranger(f.bench, "strange0", NULL)) {
		end(&f);
		g_test_skip("nothing strange can be put here");
		return;
	}
	look(&f);
	g_assert_cmpuint(f.seen->strangers->len, ==, 1);
	const struct stranger *stranger = f.seen->strangers->pdata[0];
	g_assert_nonnull(strstr(stranger->what, "strange0"));
	g_assert_null(stranger->owner);
	g_assert_cmpstr(stranger->site, ==, "berlin");
	if (f.bench->add_stranger(f.bench, "strange1", WAN)) {
		struct link wan = a_link(WAN);
		struct call call = in_time();
		g_autoptr(GError) error = NULL;
		g_assert_false(f.ops->ensure_link(f.vim, &call, &wan, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
		look(&f);
		g_assert_null(seen_link(&f, WAN));
		g_assert_cmpuint(f.seen->strangers->len, ==, 2);
	}
	make_one(&f);
	take_away(&f, FW, 0);
	look(&f);
	g_assert_cmpuint(f.seen->strangers->len, >=, 1);
	end(&f);
}

static void test_owners(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	make_one(&f);
	g_autoptr(GError) error = NULL;
	const struct site *other = f.bench->site(f.bench, "others", NULL);
	struct vim *vim = f.ops->open(other, &error);
	g_assert_no_error(error);
	struct call call = in_time();
	struct observation *seen = observation_new(f.arena);
	f.ops->observe(vim, &call, seen, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(seen->links->len + seen->vnfcs->len + seen->accesses->len, ==, 0);
	observation_free(seen);
	f.ops->remove(vim, &call, &(struct ref) { FW, 0 }, &error);
	g_assert_no_error(error);
	f.ops->clean(vim, &call, &error);
	g_assert_no_error(error);
	f.ops->close(vim);
	look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 1);
	end(&f);
}

static void test_clean(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	make_one(&f);
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < 2; i++) {
		struct call call = in_time();
		f.ops->clean(f.vim, &call, &error);
		g_assert_no_error(error);
		look(&f);
		g_assert_cmpuint(f.seen->links->len + f.seen->vnfcs->len, ==, 0);
	}
	make_one(&f);
	end(&f);
}

static int run_in(struct fixture *f, const char *script, char **ret_output)
{
	char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, g_strdup(script), NULL };
	int out[2], status = -1;
	g_assert_cmpint(pipe(out), ==, 0);
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	f->ops->exec(f->vim, &call, FW, argv, (int[]) { 0, out[1], out[1] }, &status, &error);
	g_assert_no_error(error);
	close(out[1]);
	char text[4096];
	ssize_t n = read(out[0], text, sizeof(text) - 1);
	close(out[0]);
	*ret_output = g_strndup(text, (gsize) MAX(n, 0));
	g_free(argv[2]);
	return status;
}

static void test_exec(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	if (!f.ops->exec) {
		end(&f);
		g_test_skip("this VIM runs no commands");
		return;
	}
	const char *address = make_one(&f)->cps[0].addresses[0];
	g_autofree char *out = NULL, *err = NULL, *host = NULL;
	g_assert_cmpint(run_in(&f, "echo one; echo two >&2; exit 7", &out), ==, 7);
	g_assert_cmpstr(out, ==, "one\ntwo\n");
	g_assert_cmpint(run_in(&f, "kill -TERM $$", &err), ==, 128 + 15);
	g_assert_cmpint(run_in(&f, "hostname; hostname -I", &host), ==, 0);
	g_assert_nonnull(strstr(host, "fw\n"));
	g_assert_nonnull(strstr(host, address));
	char *argv[] = { (char[]) { "/no/such/program" }, NULL };
	int status = 0;
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	g_assert_false(f.ops->exec(f.vim, &call, FW, argv, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(f.ops->exec(f.vim, &call, "vnfc/no.such.vnfc", argv, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	char *sleeper[] = { (char[]) { "sleep" }, (char[]) { "60" }, NULL };
	struct call brief = { .deadline_us = clock_monotonic_us() + 200000, .cancel_fd = -1 };
	g_assert_false(f.ops->exec(f.vim, &brief, FW, sleeper, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	end(&f);
}

static void test_connect(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	if (!f.ops->connect) {
		end(&f);
		g_test_skip("this VIM makes no connections");
		return;
	}
	make_one(&f);
	g_autoptr(GError) error = NULL;
	struct call call = in_time();
	int fd = -1;
	g_assert_false(f.ops->connect(f.vim, &call, FW, "127.0.0.1", 9, &fd, &error)); /* nobody listens */
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
	g_clear_error(&error);
	g_assert_false(f.ops->connect(f.vim, &call, FW, "not an address", 9, &fd, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_false(f.ops->connect(f.vim, &call, "vnfc/no.such.vnfc", "127.0.0.1", 9, &fd, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	end(&f);
}

/* --- drift: each seen, each put right by the same call that made it, in the same instance ------------------------------------------- */

static void test_drift_address(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *got = make_one(&f);
	const char *address = got->cps[0].addresses[0];
	if (!f.bench->set_address || !f.bench->set_address(f.bench, got, "eth0", address, "172.31.5.5", CIDR)) {
		end(&f);
		g_test_skip("addresses cannot be changed here");
		return;
	}
	look(&f);
	const struct cp *seen = cp_of(seen_vnfc(&f, FW, 1), "eth0");
	g_assert_cmpuint(seen->n_addresses, ==, 1);
	g_assert_cmpstr(seen->addresses[0], ==, "172.31.5.5");
	g_assert_cmpstr(seen->cidr, ==, "172.31.5.0/24");
	g_assert_cmpint(make_one(&f)->pid, ==, got->pid);
	look(&f);
	seen = cp_of(seen_vnfc(&f, FW, 1), "eth0");
	g_assert_cmpuint(seen->n_addresses, ==, 1);
	g_assert_cmpstr(seen->addresses[0], ==, address);
	g_assert_cmpstr(seen->cidr, ==, CIDR);
	end(&f);
}

static void test_drift_cp(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *got = make_one(&f);
	if (!f.bench->delete_cp || !f.bench->delete_cp(f.bench, got, "eth0")) {
		end(&f);
		g_test_skip("connection points cannot be deleted here");
		return;
	}
	look(&f);
	const struct cp *seen = cp_of(seen_vnfc(&f, FW, 1), "eth0");
	g_assert_true(!seen || !seen->up);
	const struct vnfc *again = make_one(&f);
	g_assert_cmpint(again->pid, ==, got->pid);
	g_assert_cmpstr(again->cps[0].addresses[0], ==, got->cps[0].addresses[0]);
	g_assert_cmpstr(again->cps[0].mac_address, ==, got->cps[0].mac_address);
	if (f.bench->set_cp_mtu && f.bench->set_cp_mtu(f.bench, again, "eth0", 1200)) {
		look(&f);
		g_assert_cmpuint(cp_of(seen_vnfc(&f, FW, 1), "eth0")->mtu, ==, 1200);
		g_assert_cmpuint(make_one(&f)->cps[0].mtu, ==, 1500);
	}
	end(&f);
}

static void test_drift_memory(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *got = make_one(&f);
	if (got->mem_bytes < 0 || !f.bench->set_memory || !f.bench->set_memory(f.bench, got, 64 << 20)) {
		end(&f);
		g_test_skip("memory is not limited here");
		return;
	}
	look(&f);
	g_assert_cmpint(seen_vnfc(&f, FW, 1)->mem_bytes, ==, 64 << 20);
	g_assert_cmpint(make_one(&f)->mem_bytes, ==, 256 << 20);
	end(&f);
}

static void test_drift_link(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	const struct vnfc *got = make_one(&f);
	look(&f);
	if (!f.bench->delete_link || !f.bench->delete_link(f.bench, seen_link(&f, LAN))) {
		end(&f);
		g_test_skip("links cannot be deleted here");
		return;
	}
	look(&f);
	const struct link *seen = seen_link(&f, LAN);
	g_assert_true(!seen || !seen->up);
	g_assert_null(cp_of(seen_vnfc(&f, FW, 1), "eth0")->link);
	struct link lan = a_link(LAN);
	make_link(&f, &lan);
	look(&f);
	g_assert_true(seen_link(&f, LAN)->up);
	g_assert_cmpint(make_one(&f)->pid, ==, got->pid);
	look(&f);
	g_assert_cmpstr(cp_of(seen_vnfc(&f, FW, 1), "eth0")->link, ==, LAN);
	end(&f);
}

/* --- many at once ------------------------------------------------------------------------------------------------------------------ */

struct one_of_many {
	struct fixture *f;
	unsigned number;
	char address[64];
};

static void *make_one_of_many(void *data)
{
	struct one_of_many *one = data;
	g_autofree char *key = g_strdup_printf("vnfc/edge.web.vdu.%u", one->number);
	struct cp cp = a_cp("eth0", LAN, 0);
	struct vnfc want = a_vnfc(key, 1, &cp, 1);
	struct call call = in_time();
	auto_ptr(arena) arena = arena_new();
	const struct vnfc *got = NULL;
	g_autoptr(GError) error = NULL;
	one->f->ops->ensure_vnfc(one->f->vim, &call, &want, arena, &got, NULL, &error);
	g_assert_no_error(error);
	g_strlcpy(one->address, got->cps[0].addresses[0], sizeof(one->address));
	return NULL;
}

static void test_parallel(const void *data)
{
	struct fixture f;
	if (!begin(&f, data))
		return;
	struct link lan = a_link(LAN);
	lan.cidr = CIDR;
	make_link(&f, &lan);
	struct one_of_many many[N_PARALLEL];
	GThread *threads[N_PARALLEL];
	for (unsigned i = 0; i < N_PARALLEL; i++) {
		many[i] = (struct one_of_many) { .f = &f, .number = i };
		threads[i] = g_thread_new("maker", make_one_of_many, &many[i]);
	}
	g_autoptr(GHashTable) addresses = g_hash_table_new(g_str_hash, g_str_equal);
	for (unsigned i = 0; i < N_PARALLEL; i++)
		g_thread_join(threads[i]);
	for (unsigned i = 0; i < N_PARALLEL; i++)
		g_assert_true(g_hash_table_add(addresses, many[i].address));
	look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, N_PARALLEL);
	end(&f);
}

void conformance_vim_add(struct vim_bench *bench)
{
	static const struct {
		const char *name;
		GTestDataFunc run;
	} tests[] = {
		{ "empty", test_empty }, { "create", test_create }, { "again", test_again }, { "change-link", test_change_link },
		{ "change-vnfc", test_change_vnfc }, { "change-cp", test_change_cp }, { "several-cps", test_several_cps },
		{ "remove", test_remove }, { "unknown-link", test_unknown_link }, { "address-conflict", test_address_conflict },
		{ "incarnations", test_incarnations }, { "death", test_death }, { "cancel", test_cancel }, { "strangers", test_strangers },
		{ "owners", test_owners }, { "clean", test_clean }, { "exec", test_exec }, { "connect", test_connect },
		{ "drift-address", test_drift_address }, { "drift-cp", test_drift_cp }, { "drift-memory", test_drift_memory },
		{ "drift-link", test_drift_link }, { "parallel", test_parallel },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
		g_autofree char *path = g_strdup_printf("/conformance/vim/%s/%s", bench->ops->name, tests[i].name);
		g_test_add_data_func(path, bench, tests[i].run);
	}
}
