#include "base/file.h"
#include "leaf/files.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char *folder;
	struct arena *arena;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->folder = g_dir_make_tmp("pleach-files-XXXXXX", NULL);
	g_assert_nonnull(fixture->folder);
	fixture->arena = arena_new();
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_assert_true(file_remove_tree(fixture->folder, NULL));
	g_free(fixture->folder);
	arena_unref(fixture->arena);
}

static const char *at(struct fixture *fixture, const char *name)
{
	return arena_printf(fixture->arena, "%s/%s", fixture->folder, name);
}

static struct leaf_file file(struct fixture *fixture, const char *name, const char *content)
{
	return (struct leaf_file) { .name = name, .path = at(fixture, name), .mode = "0640", .content = content };
}

static unsigned entries(const char *folder)
{
	unsigned n = 0;
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	while (dir && g_dir_read_name(dir))
		n++;
	return n;
}

static void test_put(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct leaf_file files[] = { file(fixture, "a", "first\n"), file(fixture, "deep/er/b", "") };
	bool changed = false;
	g_assert_true(files_put(files, 2, &changed, &error));
	g_assert_no_error(error);
	g_assert_true(changed);
	g_autofree char *text = file_read(files[0].path, 100, NULL, NULL);
	g_assert_cmpstr(text, ==, "first\n");
	struct stat st;
	g_assert_cmpint(stat(files[0].path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0640);
	g_assert_cmpint(stat(at(fixture, "deep/er"), &st), ==, 0);
	g_assert_cmpuint(entries(fixture->folder), ==, 2);

	ino_t before = 0;
	g_assert_cmpint(stat(files[0].path, &st), ==, 0);
	before = st.st_ino;
	g_assert_true(files_put(files, 2, &changed, NULL));
	g_assert_false(changed);
	g_assert_cmpint(stat(files[0].path, &st), ==, 0);
	g_assert_cmpuint(st.st_ino, ==, before);

	files[0].mode = "0600";
	g_assert_true(files_put(files, 2, &changed, NULL));
	g_assert_true(changed);
	g_assert_cmpint(stat(files[0].path, &st), ==, 0);
	g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
}

static void test_observe(struct fixture *fixture, gconstpointer data)
{
	struct leaf_file files[] = { file(fixture, "a", "first\n"), file(fixture, "b", "x") };
	bool changed = false;
	g_assert_true(files_put(files, 2, &changed, NULL));
	g_autofree char *digest = files_digest("first\n"), *edited = files_digest("second\n");
	const struct leaf_file *seen = files_observe(fixture->arena, files, 2, "salt", true);
	g_assert_cmpstr(seen[0].digest, ==, digest);
	g_assert_cmpstr(seen[0].mode, ==, "0640");
	g_assert_null(seen[0].content);

	g_assert_true(g_file_set_contents(files[0].path, "second\n", -1, NULL));
	g_assert_cmpint(g_unlink(files[1].path), ==, 0);
	seen = files_observe(fixture->arena, files, 2, "salt", true);
	g_assert_cmpstr(seen[0].digest, ==, edited);
	g_assert_cmpstr(seen[0].content, ==, "second\n");
	g_assert_null(seen[1].digest);
	g_assert_null(seen[1].mode);

	g_assert_true(files_put(files, 2, &changed, NULL));
	g_assert_true(changed);
	seen = files_observe(fixture->arena, files, 2, "salt", true);
	g_assert_cmpstr(seen[0].digest, ==, digest);
	g_assert_nonnull(seen[1].digest);
}

/* What an edited file shows: a text within bounds, never a secret. */
static void test_tells(struct fixture *fixture, gconstpointer data)
{
	enum { N = 7 };
	struct leaf_file files[N];
	bool changed = false;
	for (int i = 0; i < N; i++)
		files[i] = file(fixture, (char[]) { (char) ('a' + i), '\0' }, "put\n");
	g_assert_true(files_put(files, N, &changed, NULL));
	g_autofree char *most = g_strnfill(LEAF_SEEN_MAX_BYTES, 'x'), *more = g_strnfill(LEAF_SEEN_MAX_BYTES + 1, 'x');
	const struct leaf_file *seen = NULL;

	g_assert_true(g_file_set_contents(files[0].path, most, -1, NULL));
	g_assert_true(g_file_set_contents(files[1].path, more, -1, NULL));
	g_assert_true(g_file_set_contents(files[2].path, "no \xff text", -1, NULL));
	g_assert_true(g_file_set_contents(files[3].path, "a\0b", 3, NULL));
	g_assert_true(g_file_set_contents(files[4].path, "a secret\n", -1, NULL));
	g_assert_true(g_file_set_contents(files[5].path, "", -1, NULL));
	files[4].label = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	seen = files_observe(fixture->arena, files, N, "salt", true);
	g_assert_cmpstr(seen[0].content, ==, most);
	for (int i = 1; i < 5; i++) {
		g_assert_nonnull(seen[i].digest);
		g_assert_null(seen[i].content);
	}
	g_assert_cmpstr(seen[5].content, ==, "");
	g_assert_null(seen[6].content); /* as it was put */
	g_assert_null(files_observe(fixture->arena, files, N, "salt", false)[0].content);

	/* All of them together. */
	size_t told = 0;
	for (int i = 0; i < N; i++) {
		files[i].label = NULL;
		g_assert_true(g_file_set_contents(files[i].path, most, -1, NULL));
	}
	seen = files_observe(fixture->arena, files, N, "salt", true);
	for (int i = 0; i < N; i++)
		told += seen[i].content ? strlen(seen[i].content) : 0;
	g_assert_cmpuint(told, ==, LEAF_SEEN_ALL_MAX_BYTES);
}

/* Whatever somebody left in a file's place, nothing hangs and the file is put right. */
static void test_strange_things(struct fixture *fixture, gconstpointer data)
{
	struct leaf_file files[] = { file(fixture, "fifo", "f"), file(fixture, "link", "l"), file(fixture, "huge", "h") };
	bool changed = false;
	const char *secret = at(fixture, "elsewhere");
	g_assert_true(g_file_set_contents(secret, "l", -1, NULL));
	g_assert_cmpint(mkfifo(files[0].path, 0600), ==, 0);
	g_assert_cmpint(symlink(secret, files[1].path), ==, 0);
	g_assert_true(g_file_set_contents(files[2].path, "", -1, NULL));
	g_assert_cmpint(truncate(files[2].path, (off_t) 1 << 40), ==, 0);
	const struct leaf_file *seen = files_observe(fixture->arena, files, 3, "salt", true);
	g_assert_null(seen[0].digest);
	g_assert_null(seen[1].digest);
	g_assert_nonnull(seen[2].digest);
	g_assert_true(files_put(files, 3, &changed, NULL));
	g_assert_true(changed);
	seen = files_observe(fixture->arena, files, 3, "salt", true);
	for (int i = 0; i < 3; i++) {
		g_autofree char *digest = files_digest(files[i].content);
		g_assert_cmpstr(seen[i].digest, ==, digest);
	}
	g_assert_true(g_file_test(secret, G_FILE_TEST_IS_REGULAR));
}

static void test_nothing_half_done(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	struct leaf_file good = file(fixture, "a", "old");
	bool changed = false;
	g_assert_true(files_put(&good, 1, &changed, NULL));

	struct leaf_file files[] = { file(fixture, "a", "new"), file(fixture, "b", "new"), file(fixture, "folder", "x") };
	g_assert_cmpint(g_mkdir(files[2].path, 0755), ==, 0);
	g_assert_false(files_put(files, 3, &changed, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_assert_nonnull(strstr(error->message, "folder"));
	g_assert_false(changed);
	g_autofree char *text = file_read(files[0].path, 100, NULL, NULL);
	g_assert_cmpstr(text, ==, "old");
	g_assert_false(g_file_test(files[1].path, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(entries(fixture->folder), ==, 2);

	files[2] = file(fixture, "a/below-a-file", "x");
	g_clear_error(&error);
	g_assert_false(files_put(files, 3, &changed, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT);
	g_assert_cmpuint(entries(fixture->folder), ==, 2);
}

static void test_remove(struct fixture *fixture, gconstpointer data)
{
	struct leaf_file one = file(fixture, "a", "x");
	bool changed = false;
	g_assert_true(files_put(&one, 1, &changed, NULL));
	g_assert_true(files_remove(one.path, NULL));
	g_assert_false(g_file_test(one.path, G_FILE_TEST_EXISTS));
	g_assert_true(files_remove(one.path, NULL));
	g_assert_cmpint(g_mkdir(one.path, 0755), ==, 0);
	g_assert_true(files_remove(one.path, NULL));
	g_assert_true(g_file_test(one.path, G_FILE_TEST_IS_DIR));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/leaf/files/put", struct fixture, NULL, set_up, test_put, tear_down);
	g_test_add("/leaf/files/observe", struct fixture, NULL, set_up, test_observe, tear_down);
	g_test_add("/leaf/files/tells", struct fixture, NULL, set_up, test_tells, tear_down);
	g_test_add("/leaf/files/strange-things", struct fixture, NULL, set_up, test_strange_things, tear_down);
	g_test_add("/leaf/files/nothing-half-done", struct fixture, NULL, set_up, test_nothing_half_done, tear_down);
	g_test_add("/leaf/files/remove", struct fixture, NULL, set_up, test_remove, tear_down);
	return g_test_run();
}
