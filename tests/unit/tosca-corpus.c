/* The fuzzer's corpus, once more: each file of tests/fuzz/corpus/tosca/ ends without a fault of ours, and quickly. */
#include "base/file.h"

#include "../fuzz/tosca_yaml.c"

enum { QUICK_MS = 5000 };

static void test_file(gconstpointer data)
{
	size_t length;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = file_read(data, 4 * 1024 * 1024, &length, &error);
	g_assert_no_error(error);
	gint64 start = g_get_monotonic_time();
	g_assert_cmpint(LLVMFuzzerTestOneInput((const uint8_t *) text, length), ==, 0);
	g_assert_cmpint((g_get_monotonic_time() - start) / 1000, <, QUICK_MS);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_autofree char *folder = g_build_filename(SOURCE_DIR, "tests/fuzz/corpus/tosca", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	g_assert_nonnull(dir);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; (name = g_dir_read_name(dir));) {
		char *path = g_build_filename(folder, name, NULL);
		g_ptr_array_add(paths, path);
		g_autofree char *test = g_strdup_printf("/tosca/corpus/%s", name);
		g_test_add_data_func(test, path, test_file);
	}
	g_assert_cmpuint(paths->len, >, 0);
	return g_test_run();
}
