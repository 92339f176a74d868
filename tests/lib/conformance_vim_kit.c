#include "conformance_vim_kit.h"

#include "base/clock.h"

#include <string.h>

struct call kit_in_time(void)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + LONG_MS * 1000, .cancel_fd = -1 };
}

bool kit_begin(struct vim_fixture *f, const void *data)
{
	*f = (struct vim_fixture) { .bench = (void *) (guintptr) data, .arena = arena_new() };
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

void kit_end(struct vim_fixture *f)
{
	if (f->seen)
		observation_free(f->seen);
	f->ops->close(f->vim);
	f->bench->end(f->bench);
	arena_unref(f->arena);
}

/* Through a handle that has seen nothing before: what it knows is what is in the network. */
void kit_look(struct vim_fixture *f)
{
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	if (f->seen)
		observation_free(f->seen);
	f->seen = observation_new(f->arena);
	struct vim *fresh = f->ops->open(f->site, &error);
	g_assert_no_error(error);
	f->ops->observe(fresh, &call, f->seen, &error);
	g_assert_no_error(error);
	f->ops->close(fresh);
}

const struct link *kit_seen_link(const struct vim_fixture *f, const char *key)
{
	for (guint i = 0; i < f->seen->links->len; i++) {
		const struct link *link = f->seen->links->pdata[i];
		if (strcmp(link->key, key) == 0)
			return link;
	}
	return NULL;
}

const struct vnfc *kit_seen_vnfc(const struct vim_fixture *f, const char *key, unsigned incarnation)
{
	for (guint i = 0; i < f->seen->vnfcs->len; i++) {
		const struct vnfc *vnfc = f->seen->vnfcs->pdata[i];
		if (strcmp(vnfc->key, key) == 0 && vnfc->incarnation == incarnation)
			return vnfc;
	}
	return NULL;
}

const struct cp *kit_cp_of(const struct vnfc *vnfc, const char *name)
{
	for (size_t i = 0; vnfc && i < vnfc->n_cps; i++)
		if (strcmp(vnfc->cps[i].name, name) == 0)
			return &vnfc->cps[i];
	return NULL;
}

struct link kit_a_link(const char *key)
{
	return (struct link) { .key = key, .site = "berlin", .incarnation = 1, .cidr = CIDR, .mtu = 1500,
		.gateway = "10.99.0.1", .up = true };
}

struct cp kit_a_cp(const char *name, const char *link, unsigned order)
{
	return (struct cp) { .name = name, .link = link, .order = order, .mtu = 1500, .cidr = CIDR, .up = true };
}

struct vnfc kit_a_vnfc(const char *key, unsigned incarnation, const struct cp *cps, size_t n_cps)
{
	static const struct label labels[] = { { "vdu", "vdu" }, { "vnfd_id", "fw" } };
	return (struct vnfc) {
		.key = key, .site = "berlin", .incarnation = incarnation, .state = VNFC_RUNNING, .vcpus = 1,
			.mem_bytes = 256 << 20, .pids = 200,
		.hostname = "fw", .labels = labels, .n_labels = 2, .cps = cps, .n_cps = n_cps,
	};
}

void kit_make_link(struct vim_fixture *f, const struct link *want)
{
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	f->ops->ensure_link(f->vim, &call, want, &error);
	g_assert_no_error(error);
}

const struct vnfc *kit_make_vnfc(struct vim_fixture *f, const struct vnfc *want)
{
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
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

void kit_fails_to_make(struct vim_fixture *f, const struct vnfc *want, enum pleach_error code)
{
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	g_assert_false(f->ops->ensure_vnfc(f->vim, &call, want, f->arena, NULL, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, (int) code);
}

void kit_take_away(struct vim_fixture *f, const char *key, unsigned incarnation)
{
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	f->ops->remove(f->vim, &call, &(struct ref) { key, incarnation }, &error);
	g_assert_no_error(error);
}

/* The usual: a link and a VNFC on it. */
const struct vnfc *kit_make_one(struct vim_fixture *f)
{
	struct link lan = kit_a_link(LAN);
	struct cp cp = kit_a_cp("eth0", LAN, 0);
	struct vnfc want = kit_a_vnfc(FW, 1, &cp, 1);
	kit_make_link(f, &lan);
	return kit_make_vnfc(f, &want);
}
