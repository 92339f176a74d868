/* hand.sh alone, without an ssh server: what it does when somebody in the VNF has been there before it. */
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct { const char *name, *text; } ems_ssh_texts[];

struct fixture {
	char *folder, *hand, *state, *etc;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("pleach-hand-XXXXXX", NULL);
	fixture->hand = g_build_filename(fixture->folder, "hand.sh", NULL);
	fixture->state = g_build_filename(fixture->folder, "state", NULL);
	fixture->etc = g_build_filename(fixture->folder, "etc", NULL);
	g_assert_cmpint(g_mkdir_with_parents(fixture->etc, 0755), ==, 0);
	g_assert_true(g_file_set_contents(fixture->hand, ems_ssh_texts[0].text, -1, NULL));
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	file_remove_tree(fixture->folder, NULL);
	g_free(fixture->folder);
	g_free(fixture->hand);
	g_free(fixture->state);
	g_free(fixture->etc);
}

static void write_at(const char *path, const char *text)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void assert_holds(const char *path, const char *text)
{
	g_autofree char *found = NULL;
	g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
	g_assert_cmpstr(found, ==, text);
}

/* A link at the name that is written first leads nowhere: neither its end is written, nor is it what is put in place. */
static void test_link_in_the_way(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *path = g_build_filename(fixture->etc, "x.conf", NULL), *other = g_build_filename(fixture->folder, "shadow", NULL);
	g_autofree char *in_the_way = g_strconcat(path, ".pleach-new", NULL), *kept = g_strconcat(fixture->state, "/nf/new", path, NULL);
	write_at(other, "precious");
	write_at(kept, "new");
	g_assert_cmpint(symlink(other, in_the_way), ==, 0);
	g_autofree char *line = g_strdup_printf("printf '+ 0644 %s\\n.\\n' | sh %s %s place new", path, fixture->hand, fixture->state);
	char *argv[] = { (char *) (guintptr) "sh", (char *) (guintptr) "-c", line, NULL };
	int status = -1;
	struct stat st;
	g_assert_true(g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status, NULL));
	g_assert_cmpint(status, ==, 0);
	assert_holds(other, "precious");
	assert_holds(path, "new");
	g_assert_cmpint(lstat(path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode, ==, S_IFREG | 0644);
	g_assert_cmpint(lstat(in_the_way, &st), !=, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/ems-ssh/hand/link-in-the-way", struct fixture, NULL, set_up, test_link_in_the_way, tear_down);
	return g_test_run();
}
