/* The EMS suite against the driver "leaf" and a pleach-leaf that runs as an ordinary process: its VNFC is a folder. */
#include "conformance_ems.h"
#include "ems/leaf/ems_leaf.h"
#include "leaf_process.h"

struct vnfc_folder {
	struct leaf_process leaf;
	struct access access;
	bool gone;
};

static const struct access *vnfc_new(struct ems_bench *bench, char **ret_why)
{
	struct vnfc_folder *vnfc = bench->data;
	if (g_access(BINARY_DIR "/bin/pleach-leaf", X_OK) != 0) {
		*ret_why = g_strdup(BINARY_DIR "/bin/pleach-leaf is not built");
		return NULL;
	}
	leaf_process_start(&vnfc->leaf);
	vnfc->gone = false;
	vnfc->access = (struct access) { .key = "vnfc/edge.fw.vdu.0", .transport = "unix", .address = vnfc->leaf.socket };
	return &vnfc->access;
}

static void vnfc_free(struct ems_bench *bench)
{
	struct vnfc_folder *vnfc = bench->data;
	int status = leaf_process_end(&vnfc->leaf);
	g_assert_true(status == 0 || vnfc->gone);
}

static char *path_of(struct ems_bench *bench, const char *name)
{
	struct vnfc_folder *vnfc = bench->data;
	return g_build_filename(vnfc->leaf.folder, "etc", name, NULL);
}

static void kill_vnfc(struct ems_bench *bench)
{
	struct vnfc_folder *vnfc = bench->data;
	vnfc->gone = true;
	g_assert_cmpint(leaf_process_stop(&vnfc->leaf), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	struct vnfc_folder vnfc = { 0 };
	struct ems_bench bench = {
		.ops = &ems_leaf_ops,
		.tells_texts = true,
		.vnfc_new = vnfc_new,
		.vnfc_free = vnfc_free,
		.path = path_of,
		.write_file = ems_write_file,
		.read_file = ems_read_file,
		.kill_process = ems_kill_process,
		.kill_vnfc = kill_vnfc,
		.data = &vnfc,
	};
	conformance_ems_add(&bench);
	return g_test_run();
}
