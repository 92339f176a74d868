/* The VNFC kind against a VIM that only notes what it was asked. */
#include "vnf/vnfc_kind.h"

#include <string.h>

#define VNFC_KEY "vnfc/edge.fw.vdu.0"

struct vim {
	const struct vnfc *asked;
	struct arena *arena;
	char *removed;
	bool fails;
};

static bool note_vnfc(struct vim *vim, const struct call *call, const struct vnfc *want, struct arena *arena,
		      const struct vnfc **ret_got, const struct access **ret_access, GError **error)
{
	if (vim->fails) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "incarnation %u has ended", want->incarnation);
		return false;
	}
	static const struct access access = { VNFC_KEY, "unix", "/run/1.sock", NULL };
	static const char *const addresses[] = { "10.0.0.9" };
	struct vnfc *got = arena_memdup(arena, want, sizeof(*want));
	struct cp *cps = arena_memdup(arena, want->cps, sizeof(*cps) * want->n_cps);
	cps[0].addresses = addresses;
	cps[0].n_addresses = 1;
	got->cps = cps;
	got->pid = 77;
	vim->asked = want;
	*ret_got = got;
	*ret_access = &access;
	return true;
}

static bool note_remove(struct vim *vim, const struct call *call, const struct ref *which, GError **error)
{
	g_free(vim->removed);
	vim->removed = g_strdup_printf("%s#%u", which->key, which->incarnation);
	return true;
}

static const struct vim_ops ops = { .name = "noting", .ensure_vnfc = note_vnfc, .remove = note_remove };

static struct vim *find_vim(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error)
{
	if (strcmp(site, "berlin") != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "there is no site %s", site);
		return NULL;
	}
	*ret_ops = &ops;
	return lookup->data;
}

static const struct object *vnfc_object(struct arena *arena, const char *site, unsigned incarnation, const char *const *lan,
					size_t n_lan)
{
	const struct cp cps[] = {
		{ .name = "lan.1", .link = "link/edge.lan", .order = 0, .mtu = 1500, .cidr = "10.0.0.0/24", .addresses = lan,
		  .n_addresses = n_lan, .up = true },
		{ .name = "raw", .link = "link/edge.raw", .order = 1, .mtu = 1500, .up = true },
	};
	const struct vnfc vnfc = { .key = VNFC_KEY, .site = site, .incarnation = incarnation, .hostname = "fw", .cps = cps,
				   .n_cps = 2 };
	return vnfc_to_object(arena, &vnfc);
}

static void test_create(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	struct vim vim = { .arena = arena };
	struct lookup lookup = { .vim = find_vim, .data = &vim };
	struct call call = { .cancel_fd = -1, .lookup = &lookup };
	const struct object *got = NULL;
	const struct access *access = NULL;
	const struct object *want = vnfc_object(arena, "berlin", 2, NULL, 0);
	g_assert_true(kind_vnfc_ops.act(&call, ACT_CREATE, want, NULL, arena, &got, &access, &error));
	g_assert_no_error(error);
	g_assert_cmpuint(vim.asked->incarnation, ==, 2);
	g_assert_cmpuint(vim.asked->cps[0].n_prefer_addresses, ==, 0);
	g_assert_cmpuint(got->incarnation, ==, 2);
	g_assert_cmpint(object_int(got, "pid", 0), ==, 77);
	g_assert_cmpstr(object_value(got, "cp.lan%2E1.addresses")->list.items[0]->string, ==, "10.0.0.9");
	g_assert_cmpstr(access->address, ==, "/run/1.sock");
}

static void test_prefers_last_addresses(void)
{
	static const char *const last_addresses[] = { "10.0.0.5", "10.0.0.6" }, *const fixed[] = { "10.0.0.7" };
	auto_ptr(arena) arena = arena_new();
	struct vim vim = { .arena = arena };
	struct lookup lookup = { .vim = find_vim, .data = &vim };
	struct call call = { .cancel_fd = -1, .lookup = &lookup };
	const struct object *got = NULL;
	const struct access *access = NULL;
	const struct object *last = vnfc_object(arena, "berlin", 1, last_addresses, 2);
	const struct object *want = vnfc_object(arena, "berlin", 2, NULL, 0);
	g_assert_true(kind_vnfc_ops.act(&call, ACT_CREATE, want, last, arena, &got, &access, NULL));
	const struct cp *cp = &vim.asked->cps[0];
	g_assert_cmpstr(cp->name, ==, "lan.1");
	g_assert_cmpuint(cp->n_addresses, ==, 0);
	g_assert_cmpuint(cp->n_prefer_addresses, ==, 2);
	g_assert_cmpstr(cp->prefer_addresses[0], ==, "10.0.0.5");
	g_assert_cmpuint(vim.asked->cps[1].n_prefer_addresses, ==, 0);
	/* what the operator fixed is not up for preference */
	want = vnfc_object(arena, "berlin", 2, fixed, 1);
	g_assert_true(kind_vnfc_ops.act(&call, ACT_CHANGE, want, last, arena, &got, &access, NULL));
	g_assert_cmpuint(vim.asked->cps[0].n_prefer_addresses, ==, 0);
	g_assert_cmpstr(vim.asked->cps[0].addresses[0], ==, "10.0.0.7");
}

static void test_remove_and_faults(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	struct vim vim = { .arena = arena };
	struct lookup lookup = { .vim = find_vim, .data = &vim };
	struct call call = { .cancel_fd = -1, .lookup = &lookup };
	const struct object *got = NULL;
	const struct access *access = NULL;
	const struct object *want = vnfc_object(arena, "berlin", 3, NULL, 0);
	g_assert_true(kind_vnfc_ops.act(&call, ACT_REMOVE, want, NULL, arena, &got, &access, &error));
	g_assert_cmpstr(vim.removed, ==, VNFC_KEY "#3");
	g_assert_null(got);
	g_free(vim.removed);
	vim.fails = true;
	g_assert_false(kind_vnfc_ops.act(&call, ACT_CREATE, want, NULL, arena, &got, &access, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_assert_null(got);
	g_clear_error(&error);
	want = vnfc_object(arena, "paris", 3, NULL, 0);
	g_assert_false(kind_vnfc_ops.act(&call, ACT_REMOVE, want, NULL, arena, &got, &access, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
}

static void test_observe(void)
{
	auto_ptr(arena) arena = arena_new();
	auto_ptr(observation) observation = observation_new(arena);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	struct vnfc vnfcs[] = {
		{ .key = VNFC_KEY, .site = "berlin", .incarnation = 1, .state = VNFC_FAILED, .exit = "signal 9 (Killed)" },
		{ .key = VNFC_KEY, .site = "berlin", .incarnation = 2, .state = VNFC_RUNNING },
		{ .key = "vnfc/edge.web.vdu.0", .site = "berlin", .incarnation = 1, .state = VNFC_RUNNING },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(vnfcs); i++)
		g_ptr_array_add(observation->vnfcs, &vnfcs[i]);
	static const char *const keys[] = { VNFC_KEY };
	const struct site site = { .name = "berlin" };
	struct call call = { .cancel_fd = -1 };
	struct look look = { .site = &site, .vim = observation };
	g_assert_true(kind_vnfc_ops.observe(&call, &look, arena, objects, &error));
	g_assert_cmpuint(objects->len, ==, 3); /* every incarnation */
	g_ptr_array_set_size(objects, 0);
	look.keys = keys;
	look.n_keys = 1;
	g_assert_true(kind_vnfc_ops.observe(&call, &look, arena, objects, &error));
	g_assert_cmpuint(objects->len, ==, 2);
	const struct object *first = objects->pdata[0];
	g_assert_cmpuint(first->incarnation, ==, 1);
	g_assert_cmpstr(object_string(first, "exit", ""), ==, "signal 9 (Killed)");
	look.vim = NULL;
	look.reason = "connection refused";
	g_assert_false(kind_vnfc_ops.observe(&call, &look, arena, objects, &error));
	g_assert_nonnull(strstr(error->message, "site berlin cannot be looked at: connection refused"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/kind_vnf/create", test_create);
	g_test_add_func("/kind_vnf/prefers-last-addresses", test_prefers_last_addresses);
	g_test_add_func("/kind_vnf/remove-and-faults", test_remove_and_faults);
	g_test_add_func("/kind_vnf/observe", test_observe);
	return g_test_run();
}
