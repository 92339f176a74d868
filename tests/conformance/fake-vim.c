/* The VIM suite against the world in memory. */
#include "conformance_vim.h"
#include "fake/world.h"

struct memory {
	struct fake_world *world;
	struct site sites[2];
	size_t n;
};

static const struct site *site_of(struct vim_bench *bench, const char *owner, char **ret_why)
{
	struct memory *memory = bench->data;
	if (!memory->world)
		memory->world = fake_world_new(NULL);
	g_assert_cmpuint(memory->n, <, G_N_ELEMENTS(memory->sites));
	struct site *site = &memory->sites[memory->n++];
	*site = (struct site) { .name = "berlin", .owner = owner, .vim = { .name = "vim", .driver = "fake" } };
	return site;
}

static void end(struct vim_bench *bench)
{
	struct memory *memory = bench->data;
	g_clear_pointer(&memory->world, fake_world_free);
	memory->n = 0;
}

static bool kill_it(struct vim_bench *bench, const struct vnfc *vnfc)
{
	struct memory *memory = bench->data;
	return fake_world_kill_vnfc(memory->world, "berlin", vnfc->key, "signal 9 (Killed)");
}

static bool delete_cp(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp)
{
	struct memory *memory = bench->data;
	return fake_world_delete_cp(memory->world, "berlin", vnfc->key, cp);
}

static bool set_address(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp, const char *from, const char *to, const char *cidr)
{
	struct memory *memory = bench->data;
	return fake_world_set_address(memory->world, "berlin", vnfc->key, cp, to);
}

static bool set_cp_mtu(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp, unsigned mtu)
{
	struct memory *memory = bench->data;
	return fake_world_set_mtu(memory->world, "berlin", vnfc->key, cp, mtu);
}

static bool set_memory(struct vim_bench *bench, const struct vnfc *vnfc, gint64 mem_bytes)
{
	struct memory *memory = bench->data;
	return fake_world_set_memory(memory->world, "berlin", vnfc->key, mem_bytes);
}

static bool delete_link(struct vim_bench *bench, const struct link *link)
{
	struct memory *memory = bench->data;
	return fake_world_delete_link(memory->world, "berlin", link->key);
}

static bool add_stranger(struct vim_bench *bench, const char *name, const char *instead_of)
{
	struct memory *memory = bench->data;
	g_autofree char *what = g_strdup_printf("bridge %s", name);
	fake_world_add_stranger(memory->world, "berlin", what, instead_of);
	return true;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	struct memory memory = { 0 };
	struct vim_bench bench = {
		.ops = &fake_vim_ops,
		.site = site_of,
		.end = end,
		.kill = kill_it,
		.delete_cp = delete_cp,
		.set_address = set_address,
		.set_cp_mtu = set_cp_mtu,
		.set_memory = set_memory,
		.delete_link = delete_link,
		.add_stranger = add_stranger,
		.data = &memory,
	};
	conformance_vim_add(&bench);
	return g_test_run();
}
