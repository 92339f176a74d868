/* The link kind against a VIM that only notes what it was asked. */
#include "link/link_kind.h"

#include <string.h>

struct vim {
	GString *asked;
	bool fails;
};

static bool note_link(struct vim *vim, const struct call *call, const struct link *want, GError **error)
{
	g_string_append_printf(vim->asked, "ensure %s#%u %s mtu %u;", want->key, want->incarnation, want->cidr, want->mtu);
	if (vim->fails)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "a stranger's bridge is there");
	return !vim->fails;
}

static bool note_remove(struct vim *vim, const struct call *call, const struct ref *which, GError **error)
{
	g_string_append_printf(vim->asked, "remove %s#%u;", which->key, which->incarnation);
	return true;
}

static const struct vim_ops ops = { .name = "noting", .ensure_link = note_link, .remove = note_remove };

static struct vim *find_vim(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error)
{
	*ret_ops = &ops;
	return lookup->data;
}

static const struct link lan = { .key = "link/edge.lan", .site = "berlin", .incarnation = 1, .cidr = "10.0.0.0/24",
				 .gateway = "10.0.0.1", .mtu = 1400, .up = true };

static void test_act(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	struct vim vim = { .asked = g_string_new(NULL) };
	struct lookup lookup = { .vim = find_vim, .data = &vim };
	struct call call = { .cancel_fd = -1, .lookup = &lookup };
	const struct object *want = link_to_object(arena, &lan), *got = NULL;
	const struct access *access = NULL;
	g_assert_true(kind_link_ops.act(&call, ACT_CREATE, want, NULL, arena, &got, &access, &error));
	g_assert_cmpstr(object_digest(arena, got), ==, object_digest(arena, want));
	g_assert_true(kind_link_ops.act(&call, ACT_CHANGE, want, want, arena, &got, &access, &error));
	g_assert_true(kind_link_ops.act(&call, ACT_REMOVE, want, want, arena, &got, &access, &error));
	g_assert_null(got);
	g_assert_cmpstr(vim.asked->str, ==,
			"ensure link/edge.lan#1 10.0.0.0/24 mtu 1400;"
			"ensure link/edge.lan#1 10.0.0.0/24 mtu 1400;"
			"remove link/edge.lan#1;");
	vim.fails = true;
	g_assert_false(kind_link_ops.act(&call, ACT_CREATE, want, NULL, arena, &got, &access, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_assert_null(got);
	g_string_free(vim.asked, TRUE);
}

static void test_observe(void)
{
	auto_ptr(arena) arena = arena_new();
	auto_ptr(observation) observation = observation_new(arena);
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	struct link links[] = { lan, { .key = "link/edge.wan", .site = "berlin", .incarnation = 1, .mtu = 1500 } };
	g_ptr_array_add(observation->links, &links[0]);
	g_ptr_array_add(observation->links, &links[1]);
	static const char *const keys[] = { "link/edge.wan" };
	const struct site site = { .name = "berlin" };
	struct call call = { .cancel_fd = -1 };
	struct look look = { .site = &site, .vim = observation };
	g_assert_true(kind_link_ops.observe(&call, &look, arena, objects, &error));
	g_assert_cmpuint(objects->len, ==, 2);
	g_ptr_array_set_size(objects, 0);
	look.keys = keys;
	look.n_keys = 1;
	g_assert_true(kind_link_ops.observe(&call, &look, arena, objects, &error));
	g_assert_cmpuint(objects->len, ==, 1);
	const struct object *wan = objects->pdata[0];
	g_assert_cmpstr(wan->key, ==, "link/edge.wan");
	g_assert_cmpstr(object_string(wan, "state", ""), ==, "down");
	look.vim = NULL;
	look.reason = "connection refused";
	g_assert_false(kind_link_ops.observe(&call, &look, arena, objects, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
	g_assert_nonnull(strstr(error->message, "connection refused"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/kind_link/act", test_act);
	g_test_add_func("/kind_link/observe", test_observe);
	return g_test_run();
}
