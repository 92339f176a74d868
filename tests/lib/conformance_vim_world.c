/* What others do: deaths, strangers, other owners, cancelled calls, many calls at once; and drift. */
#include "conformance_vim_kit.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static void wait_for_watch(struct vim_fixture *f, int fd, const char *key)
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

void vim_test_death(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *got = kit_make_one(&f);
	int fd = f.ops->watch_fd ? f.ops->watch_fd(f.vim) : -1;
	if (fd >= 0 && poll(&(struct pollfd) { .fd = fd, .events = POLLIN }, 1, 50) > 0)
		g_clear_pointer(&(GPtrArray *) { f.ops->watch_read(f.vim) }, g_ptr_array_unref);
	if (!f.bench->kill || !f.bench->kill(f.bench, got)) {
		kit_end(&f);
		g_test_skip("a VNFC cannot be killed here");
		return;
	}
	if (fd >= 0)
		wait_for_watch(&f, fd, FW);
	const struct vnfc *seen = NULL;
	for (int i = 0; i < 300 && (!seen || seen->state == VNFC_RUNNING); i++) {
		g_usleep(10000);
		kit_look(&f);
		seen = kit_seen_vnfc(&f, FW, 1);
		g_assert_nonnull(seen);
	}
	g_assert_cmpint(seen->state, ==, VNFC_FAILED);
	g_assert_cmpstr(seen->exit, ==, "signal 9 (Killed)");
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	struct vnfc want = kit_a_vnfc(FW, 1, &cp, 1);
	kit_fails_to_make(&f, &want, PLEACH_ERROR_CONFLICT);
	/* The next one takes over what it had. */
	want.incarnation = 2;
	cp.prefer_addresses = got->cps[0].addresses;
	cp.n_prefer_addresses = 1;
	const struct vnfc *next = kit_make_vnfc(&f, &want);
	g_assert_cmpstr(next->cps[0].addresses[0], ==, got->cps[0].addresses[0]);
	kit_take_away(&f, FW, 1);
	kit_look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 1);
	kit_end(&f);
}

void vim_test_cancel(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_make_one(&f);
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
	struct call cancelled = { .deadline_us = clock_monotonic_us() + LONG_MS * 1000, .cancel_fd = fds[0] };
	struct call late = { .deadline_us = clock_monotonic_us(), .cancel_fd = -1 };
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	struct vnfc want = kit_a_vnfc("vnfc/edge.fw.vdu.1", 1, &cp, 1);
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
	kit_make_vnfc(&f, &want);
	kit_end(&f);
}

void vim_test_strangers(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_make_one(&f);
	if (!f.bench->add_stranger || !f.bench->add_stranger(f.bench, "strange0", NULL)) {
		kit_end(&f);
		g_test_skip("nothing strange can be put here");
		return;
	}
	kit_look(&f);
	g_assert_cmpuint(f.seen->strangers->len, ==, 1);
	const struct stranger *stranger = f.seen->strangers->pdata[0];
	g_assert_nonnull(strstr(stranger->what, "strange0"));
	g_assert_null(stranger->owner);
	g_assert_cmpstr(stranger->site, ==, "berlin");
	if (f.bench->add_stranger(f.bench, "strange1", WAN)) {
		struct link wan = kit_a_link(WAN);
		struct call call = kit_in_time();
		g_autoptr(GError) error = NULL;
		g_assert_false(f.ops->ensure_link(f.vim, &call, &wan, &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
		kit_look(&f);
		g_assert_null(kit_seen_link(&f, WAN));
		g_assert_cmpuint(f.seen->strangers->len, ==, 2);
	}
	kit_make_one(&f);
	kit_take_away(&f, FW, 0);
	kit_look(&f);
	g_assert_cmpuint(f.seen->strangers->len, >=, 1);
	kit_end(&f);
}

void vim_test_owners(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_make_one(&f);
	g_autoptr(GError) error = NULL;
	const struct site *other = f.bench->site(f.bench, "others", NULL);
	struct vim *vim = f.ops->open(other, &error);
	g_assert_no_error(error);
	struct call call = kit_in_time();
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
	kit_look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, 1);
	kit_end(&f);
}

void vim_test_clean(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	kit_make_one(&f);
	g_autoptr(GError) error = NULL;
	for (int i = 0; i < 2; i++) {
		struct call call = kit_in_time();
		f.ops->clean(f.vim, &call, &error);
		g_assert_no_error(error);
		kit_look(&f);
		g_assert_cmpuint(f.seen->links->len + f.seen->vnfcs->len, ==, 0);
	}
	kit_make_one(&f);
	kit_end(&f);
}

/* --- drift: each seen, each put right by the same call that made it, in the same instance ----------------------------------- */

void vim_test_drift_address(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *got = kit_make_one(&f);
	const char *address = got->cps[0].addresses[0];
	if (!f.bench->set_address || !f.bench->set_address(f.bench, got, "eth0", address, "172.31.5.5", CIDR)) {
		kit_end(&f);
		g_test_skip("addresses cannot be changed here");
		return;
	}
	kit_look(&f);
	const struct cp *seen = kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0");
	g_assert_cmpuint(seen->n_addresses, ==, 1);
	g_assert_cmpstr(seen->addresses[0], ==, "172.31.5.5");
	g_assert_cmpstr(seen->cidr, ==, "172.31.5.0/24");
	g_assert_cmpint(kit_make_one(&f)->pid, ==, got->pid);
	kit_look(&f);
	seen = kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0");
	g_assert_cmpuint(seen->n_addresses, ==, 1);
	g_assert_cmpstr(seen->addresses[0], ==, address);
	g_assert_cmpstr(seen->cidr, ==, CIDR);
	kit_end(&f);
}

void vim_test_drift_cp(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *got = kit_make_one(&f);
	if (!f.bench->delete_cp || !f.bench->delete_cp(f.bench, got, "eth0")) {
		kit_end(&f);
		g_test_skip("connection points cannot be deleted here");
		return;
	}
	kit_look(&f);
	const struct cp *seen = kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0");
	g_assert_true(!seen || !seen->up);
	const struct vnfc *again = kit_make_one(&f);
	g_assert_cmpint(again->pid, ==, got->pid);
	g_assert_cmpstr(again->cps[0].addresses[0], ==, got->cps[0].addresses[0]);
	g_assert_cmpstr(again->cps[0].mac_address, ==, got->cps[0].mac_address);
	if (f.bench->set_cp_mtu && f.bench->set_cp_mtu(f.bench, again, "eth0", 1200)) {
		kit_look(&f);
		g_assert_cmpuint(kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0")->mtu, ==, 1200);
		g_assert_cmpuint(kit_make_one(&f)->cps[0].mtu, ==, 1500);
	}
	kit_end(&f);
}

void vim_test_drift_memory(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *got = kit_make_one(&f);
	if (got->mem_bytes < 0 || !f.bench->set_memory || !f.bench->set_memory(f.bench, got, 64 << 20)) {
		kit_end(&f);
		g_test_skip("memory is not limited here");
		return;
	}
	kit_look(&f);
	g_assert_cmpint(kit_seen_vnfc(&f, FW, 1)->mem_bytes, ==, 64 << 20);
	g_assert_cmpint(kit_make_one(&f)->mem_bytes, ==, 256 << 20);
	kit_end(&f);
}

void vim_test_drift_link(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	const struct vnfc *got = kit_make_one(&f);
	kit_look(&f);
	if (!f.bench->delete_link || !f.bench->delete_link(f.bench, kit_seen_link(&f, LAN))) {
		kit_end(&f);
		g_test_skip("links cannot be deleted here");
		return;
	}
	kit_look(&f);
	const struct link *seen = kit_seen_link(&f, LAN);
	g_assert_true(!seen || !seen->up);
	g_assert_null(kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0")->link);
	struct link lan = kit_a_link(LAN);
	kit_make_link(&f, &lan);
	kit_look(&f);
	g_assert_true(kit_seen_link(&f, LAN)->up);
	g_assert_cmpint(kit_make_one(&f)->pid, ==, got->pid);
	kit_look(&f);
	g_assert_cmpstr(kit_cp_of(kit_seen_vnfc(&f, FW, 1), "eth0")->link, ==, LAN);
	kit_end(&f);
}

/* --- many at once ----------------------------------------------------------------------------------------------------------- */

struct one_of_many {
	struct vim_fixture *f;
	unsigned number;
	char address[64];
};

static void *make_one_of_many(void *data)
{
	struct one_of_many *one = data;
	g_autofree char *key = g_strdup_printf("vnfc/edge.web.vdu.%u", one->number);
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	struct vnfc want = kit_a_vnfc(key, 1, &cp, 1);
	struct call call = kit_in_time();
	auto_ptr(arena) arena = arena_new();
	const struct vnfc *got = NULL;
	g_autoptr(GError) error = NULL;
	one->f->ops->ensure_vnfc(one->f->vim, &call, &want, arena, &got, NULL, &error);
	g_assert_no_error(error);
	g_strlcpy(one->address, got->cps[0].addresses[0], sizeof(one->address));
	return NULL;
}

void vim_test_parallel(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	struct link lan = kit_a_link(LAN);
	lan.cidr = CIDR;
	kit_make_link(&f, &lan);
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
	kit_look(&f);
	g_assert_cmpuint(f.seen->vnfcs->len, ==, N_PARALLEL);
	kit_end(&f);
}
