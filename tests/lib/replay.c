/* A fuzz target's corpus, once more: each file ends without a fault of ours, and quickly. */
#include "../fuzz/fuzz.h"

#include "base/file.h"

enum { QUICK_MS = 5000, FILE_MAX = 4 * 1024 * 1024 };

static void test_file(gconstpointer path)
{
	size_t length;
	g_autoptr(GError) error = NULL;
	g_autofree char *text = file_read(path, FILE_MAX, &length, &error);
	g_assert_no_error(error);
	gint64 start_us = g_get_monotonic_time();
	g_assert_cmpint(LLVMFuzzerTestOneInput((const uint8_t *) text, length), ==, 0);
	g_assert_cmpint((g_get_monotonic_time() - start_us) / 1000, <, QUICK_MS);
}

int main(int argc, char *argv[])
{
	g_test_init(&argc, &argv, NULL);
	g_autoptr(GError) error = NULL;
	g_autoptr(GDir) folder = g_dir_open(CORPUS, 0, &error);
	g_assert_no_error(error);
	g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; (name = g_dir_read_name(folder));) {
		char *path = g_build_filename(CORPUS, name, NULL);
		g_ptr_array_add(paths, path);
		g_autofree char *test = g_strdup_printf("/corpus/%s", name);
		g_test_add_data_func(test, path, test_file);
	}
	g_assert_cmpuint(paths->len, >, 0);
	return g_test_run();
}
