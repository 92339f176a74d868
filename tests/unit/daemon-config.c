/* The configuration file: what is an option, what is not, and its bounds. */
#include "daemon/config.h"

#include "base/file.h"

#include <string.h>
#include <unistd.h>

static char *folder;

static char **read_text(const char *text, gsize length, GError **error)
{
	g_autofree char *path = g_build_filename(folder, "pleachd.conf", NULL);
	g_assert_true(file_write(path, text, length, 0600, NULL));
	return config_read(path, error);
}

static void test_options(void)
{
	static const char text[] = "# a comment\n\nrepo /srv/git/network.git\n\t log-level \tdebug  \nowner a b c\nallow-http\r\n";
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) options = read_text(text, strlen(text), &error);
	g_assert_no_error(error);
	g_assert_cmpuint(g_strv_length(options), ==, 4);
	g_assert_cmpstr(options[0], ==, "--repo=/srv/git/network.git");
	g_assert_cmpstr(options[1], ==, "--log-level=debug");
	g_assert_cmpstr(options[2], ==, "--owner=a b c");
	g_assert_cmpstr(options[3], ==, "--allow-http");
}

static void assert_refused(const char *text, gsize length, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) options = read_text(text, length, &error);
	g_assert_null(options);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, words));
}

static void test_faults(void)
{
	static const char *const lines[] = { "repo x\n--branch main\n", "repo x\nBranch main\n", "repo x\nconfig other\n",
					     "repo x\nre=po y\n" };
	for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
		assert_refused(lines[i], strlen(lines[i]), "pleachd.conf:2: ");
	assert_refused("repo x\0y\n", 9, "is not text");
	assert_refused("repo \xff\n", 7, "is not text");
}

static void test_bounds(void)
{
	g_autoptr(GString) many = g_string_new(NULL);
	for (int i = 0; i < CONFIG_MAX_OPTIONS; i++)
		g_string_append(many, "poll 1s\n");
	g_auto(GStrv) most = read_text(many->str, many->len, NULL);
	g_assert_cmpuint(g_strv_length(most), ==, CONFIG_MAX_OPTIONS);
	g_string_append(many, "poll 1s\n");
	assert_refused(many->str, many->len, "more than 256 options");
	g_autofree char *large = g_strnfill(CONFIG_MAX_BYTES + 1, '#');
	assert_refused(large, CONFIG_MAX_BYTES + 1, "pleachd.conf");
	g_autoptr(GError) error = NULL;
	g_assert_null(config_read("/nowhere/pleachd.conf", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	folder = g_dir_make_tmp("daemon-config-XXXXXX", NULL);
	g_test_add_func("/config/options", test_options);
	g_test_add_func("/config/faults", test_faults);
	g_test_add_func("/config/bounds", test_bounds);
	int status = g_test_run();
	file_remove_tree(folder, NULL);
	g_free(folder);
	return status;
}
