/* Where secrets come from. */
#include "daemon/secrets.h"

#include <glib/gstdio.h>
#include <string.h>

static void check(const char *folder, const char *name, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *value = secret_read(folder, name, &error);
	g_assert_cmpstr(value, ==, expected);
	if (!expected)
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
}

static void put(const char *folder, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_places(void)
{
	g_autofree char *folder = g_dir_make_tmp("pleach-XXXXXX", NULL);
	put(folder, "db", "from the file\n");
	put(folder, "many", "user=anna\npassword = no\npassword=a=b \n# comment\n");
	put(folder, "json", " { \"user\": \"bert\", \"n\": 1 }\n");
	g_setenv("PLEACH_SECRET_LB_STATS_V2", "from the environment", TRUE);
	g_setenv("PLEACH_SECRET_PAIR", "a=1\nb=2", TRUE);
	check(folder, "db", "from the file");
	check(folder, "lb-stats.v2", "from the environment");
	check(NULL, "db", NULL);
	check(folder, "nobody", NULL);
	check(folder, "../db", NULL);
	check(folder, ".db", NULL);
	check(folder, "many#user", "anna");
	check(folder, "many#password", "a=b");
	check(folder, "many#host", NULL);
	check(folder, "json#user", "bert");
	check(folder, "json#n", NULL);
	check(folder, "pair#b", "2");
	static const char *const names[] = { "db", "many", "json" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(folder, names[i], NULL);
		g_unlink(path);
	}
	g_rmdir(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/daemon/secrets/places", test_places);
	return g_test_run();
}
