#include "base/error.h"
#include "base/file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static char *at(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

static void test_read_write(void)
{
	g_autofree char *path = at("file");
	g_autoptr(GError) error = NULL;
	g_assert_null(file_read(path, 10, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_true(file_write(path, "12345", 5, 0640, &error));
	g_assert_true(file_write(path, "ab\0de", 5, 0600, &error));
	struct stat stat;
	g_assert_cmpint(lstat(path, &stat), ==, 0);
	g_assert_cmpuint(stat.st_mode & 07777, ==, 0600);
	size_t length;
	g_autofree char *text = file_read(path, 5, &length, &error);
	g_assert_cmpuint(length, ==, 5);
	g_assert_cmpmem(text, 6, "ab\0de", 6);
	g_assert_null(file_read(path, 4, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_autofree char *nowhere = at("none/file");
	g_assert_false(file_write(nowhere, "x", 1, 0600, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	/* Over a folder it cannot go; and nothing temporary stays behind. */
	g_autofree char *inner = at("inner"), *over = at("inner/folder");
	g_assert_true(file_make_folder(over, 0700, &error));
	g_assert_false(file_write(over, "x", 1, 0600, &error));
	g_clear_error(&error);
	g_assert_false(file_make_folder(path, 0700, NULL));
	g_autoptr(GDir) dir = g_dir_open(inner, 0, NULL);
	g_assert_cmpstr(g_dir_read_name(dir), ==, "folder");
	g_assert_null(g_dir_read_name(dir));
	g_assert_null(file_read(inner, 10, NULL, &error));
	g_assert_nonnull(error);
	g_autofree char *fifo = at("fifo");
	g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
	g_autofree char *nothing = file_read(fifo, 10, &length, NULL); /* returns, whatever it says */
	g_assert_cmpuint(nothing ? length : 0, ==, 0);
}

static void make(const char *name, const char *text)
{
	g_autofree char *path = at(name);
	g_autofree char *parent = g_path_get_dirname(path);
	g_assert_true(file_make_folder(parent, 0700, NULL));
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void test_remove_tree(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *tree = at("tree"), *outside = at("outside"), *kept = at("outside/kept"), *link = at("tree/a/link");
	g_autofree char *dangling = at("tree/dangling"), *closed = at("tree/closed");
	make("outside/kept", "x");
	make("tree/a/b/c/file", "x");
	make("tree/a/b/d/file", "x");
	make("tree/closed/sub/file", "x");
	g_assert_cmpint(symlink(outside, link), ==, 0);
	g_assert_cmpint(symlink("/nowhere", dangling), ==, 0);
	g_assert_cmpint(chmod(closed, 0), ==, 0);
	g_assert_true(file_remove_tree(tree, &error));
	g_assert_no_error(error);
	g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
	g_assert_true(file_remove_tree(tree, &error)); /* absent: success */
	/* A symbolic link itself goes, not what it leads to. */
	g_autofree char *top = at("top");
	g_assert_cmpint(symlink(outside, top), ==, 0);
	g_assert_true(file_remove_tree(top, &error));
	g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
	g_assert_true(file_remove_tree(kept, &error));
	g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
}

static void test_remove_deep(void)
{
	enum { DEPTH = 3000 };
	g_autofree char *tree = at("deep");
	g_assert_cmpint(mkdir(tree, 0700), ==, 0);
	int fd = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < DEPTH; i++) {
		g_assert_cmpint(mkdirat(fd, "d", 0700), ==, 0);
		int inner = openat(fd, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = inner;
	}
	close(fd);
	g_autoptr(GError) error = NULL;
	g_assert_true(file_remove_tree(tree, &error));
	g_assert_no_error(error);
	g_assert_false(g_file_test(tree, G_FILE_TEST_EXISTS));
}

static void test_remove_mount(void)
{
	g_autofree char *tree = at("mounted"), *point = at("mounted/point"), *source = at("source"), *kept = at("source/kept");
	make("source/kept", "x");
	g_assert_true(file_make_folder(point, 0700, NULL));
	if (mount(source, point, NULL, MS_BIND, NULL) < 0) {
		g_test_skip("mounting needs root");
		return;
	}
	g_autoptr(GError) error = NULL;
	bool removed = file_remove_tree(tree, &error);
	g_assert_cmpint(umount(point), ==, 0);
	g_assert_false(removed);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
}

static void test_folders(void)
{
	g_setenv("PLEACH_RUNTIME_DIR", "/x/y", TRUE);
	g_autofree char *given = file_runtime_folder();
	g_assert_cmpstr(given, ==, "/x/y");
	g_unsetenv("PLEACH_RUNTIME_DIR");
	g_setenv("XDG_RUNTIME_DIR", "/run/user/7", TRUE);
	g_autofree char *runtime = file_runtime_folder();
	g_assert_cmpstr(runtime, ==, geteuid() == 0 ? "/run/pleach" : "/run/user/7/pleach");
	g_setenv("XDG_STATE_HOME", "/s", TRUE);
	g_autofree char *state = file_state_folder();
	g_assert_cmpstr(state, ==, "/s/pleach");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	folder = g_dir_make_tmp("base-file-XXXXXX", NULL);
	g_test_add_func("/file/read-write", test_read_write);
	g_test_add_func("/file/remove-tree", test_remove_tree);
	g_test_add_func("/file/remove-deep", test_remove_deep);
	g_test_add_func("/file/remove-mount", test_remove_mount);
	g_test_add_func("/file/folders", test_folders);
	int status = g_test_run();
	g_autoptr(GError) error = NULL;
	if (!file_remove_tree(folder, &error))
		g_error("%s", error->message);
	g_free(folder);
	return status;
}
