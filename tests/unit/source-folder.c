/* Snapshots of folders: in and outside of Git work trees, and what changes under the reader. */
#include "source/source.h"

#include "gitrepo.h"

static bool has_finding(const struct diags *diags, const char *code, const char *file)
{
	for (size_t i = 0; i < diags_count(diags); i++)
		if (g_str_equal(diags_get(diags, i)->code, code) && !g_strcmp0(diags_get(diags, i)->origin.file, file))
			return true;
	return false;
}

static char *paths_of(const struct snapshot *snapshot)
{
	GString *paths = g_string_new(NULL);
	for (size_t i = 0; i < snapshot_count(snapshot); i++)
		g_string_append_printf(paths, "%s%s", i ? " " : "", snapshot_file(snapshot, i)->path);
	return g_string_free(paths, FALSE);
}

static void test_plain(void)
{
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "mkdir -p sub/empty; echo hello > sub/a.yaml; chmod +x sub/a.yaml; echo b > b; ln -s b inside;"
		   "ln -s ../x out; ln -s ../b sub/up;"
			   "mkfifo pipe; head -c 4194305 /dev/zero > big.yaml");
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, diags, &error);
	g_assert_no_error(error);
	g_autofree char *paths = paths_of(snapshot);
	g_assert_cmpstr(paths, ==, "b sub/a.yaml");
	g_assert_cmpstr(snapshot_find(snapshot, "sub/a.yaml")->id, ==, "ce013625030ba8dba906f756967f9e9ca394464a");
	g_assert_true(snapshot_find(snapshot, "sub/a.yaml")->executable);
	g_assert_cmpstr(snapshot_revision(snapshot), ==, "working tree");
	g_assert_null(snapshot_root_commit(snapshot));
	g_assert_null(snapshot_branch(snapshot));
	g_assert_true(has_finding(diags, "link-not-followed", "inside"));
	g_assert_true(has_finding(diags, "link-not-followed", "sub/up"));
	g_assert_true(has_finding(diags, "link-leaves-repository", "out"));
	g_assert_true(has_finding(diags, "not-a-file", "pipe"));
	g_assert_true(has_finding(diags, "file-too-large", "big.yaml"));

	auto_ptr(snapshot) below = snapshot_open_folder(folder, "sub", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(below), ==, 1);
	g_autofree char *a = source_default_owner(snapshot), *b = source_default_owner(below),
			*c = source_default_owner(snapshot);
	g_assert_cmpstr(a, ==, c);
	g_assert_cmpstr(a, !=, b);
	gitrepo_remove(folder);
}

static void test_refused(void)
{
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "echo x > file; ln -s / root; mkdir -p in; ln -s /usr in/out");
	g_autofree char *file = g_build_filename(folder, "file", NULL), *absent = g_build_filename(folder, "absent", NULL);
	const struct {
		const char *path, *subfolder;
		enum pleach_error code;
	} cases[] = {
		{ file, NULL, PLEACH_ERROR_INVALID }, { absent, NULL, PLEACH_ERROR_NOT_FOUND },
		{ folder, "absent", PLEACH_ERROR_NOT_FOUND }, { folder, "..", PLEACH_ERROR_INVALID },
		{ folder, "root", PLEACH_ERROR_PERMANENT }, { folder, "in/out/bin", PLEACH_ERROR_PERMANENT },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(snapshot_open_folder(cases[i].path, cases[i].subfolder, NULL, &error));
		g_assert_error(error, PLEACH_ERROR, (int) cases[i].code);
	}
	gitrepo_remove(folder);
}

static void test_changed_after(void)
{
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "echo one > a; echo two > b; echo three > c; mkdir d; echo four > d/e");
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, NULL, &error);
	g_assert_no_error(error);
	gitrepo_do(folder, "echo ONE > a; rm b; rm c; ln -s a c; rm -r d; ln -s / d");
	g_assert_null(snapshot_read(snapshot, "a", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	const char *const others[] = { "b", "c", "d/e" };
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		g_clear_error(&error);
		g_assert_null(snapshot_read(snapshot, others[i], &error));
		g_assert_nonnull(error);
	}
	gitrepo_remove(folder);
}

static void test_work_tree(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q -b main repo; cd repo; printf '/build/\\n*.log\\n' > .gitignore; mkdir -p net build;"
		   "echo a > net/a.yaml; echo t > kept.log;"
			   "git add -f .; git commit -qm first; echo u > net/untracked.yaml; echo l > net/x.log;"
			   "echo o > build/out; git init -q -b main inner;"
			   "git worktree add -q -b side ../linked; git init -q --bare ../bare.git");
	g_autofree char *repo = g_build_filename(folder, "repo", NULL), *net = g_build_filename(repo, "net", NULL),
			*linked = g_build_filename(folder, "linked", NULL), *bare = g_build_filename(folder, "bare.git", NULL);
	g_autofree char *root = gitrepo_run(repo, "git rev-parse HEAD");
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_folder(repo, NULL, diags, &error);
	g_assert_no_error(error);
	g_autofree char *paths = paths_of(snapshot);
	g_assert_cmpstr(paths, ==, ".gitignore kept.log net/a.yaml net/untracked.yaml");
	g_assert_true(has_finding(diags, "submodule", "inner"));
	g_assert_cmpstr(snapshot_root_commit(snapshot), ==, root);
	g_assert_cmpstr(snapshot_branch(snapshot), ==, "main");

	auto_ptr(snapshot) below = snapshot_open_folder(net, NULL, NULL, &error);
	g_assert_no_error(error);
	auto_ptr(snapshot) committed = snapshot_open_commit(repo, "main", "net", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(snapshot_subfolder(below), ==, "net");
	g_assert_cmpstr(snapshot_find(below, "a.yaml")->id, ==, snapshot_find(committed, "a.yaml")->id);
	g_autofree char *a = source_default_owner(below), *b = source_default_owner(committed);
	g_assert_cmpstr(a, ==, b);

	g_autofree char *built = g_build_filename(repo, "build", NULL);
	auto_ptr(snapshot) ignored = snapshot_open_folder(built, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(ignored), ==, 1);

	auto_ptr(snapshot) of_linked = snapshot_open_folder(linked, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(snapshot_branch(of_linked), ==, "side");
	g_assert_cmpuint(snapshot_count(of_linked), ==, 3);
	g_assert_null(snapshot_open_folder(bare, NULL, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	gitrepo_remove(folder);
}

static void assert_clean(const char *path, const char *subfolder, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *what = NULL;
	bool clean = false;
	g_assert_true(source_is_clean(path, subfolder, &clean, &what, &error));
	g_assert_no_error(error);
	g_assert_cmpstr(what, ==, expected);
	g_assert_true(clean == !expected);
}

static void test_clean(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q -b main repo; cd repo; mkdir net net2; echo '*.log' > .gitignore; echo a > net/a;"
		   "echo b > net2/b; git add .; git commit -qm x");
	g_autofree char *repo = g_build_filename(folder, "repo", NULL), *net = g_build_filename(repo, "net", NULL);
	assert_clean(repo, NULL, NULL);
	gitrepo_do(repo, "echo l > x.log; echo c > net2/c");
	assert_clean(repo, NULL, "net2/c (not in Git)");
	assert_clean(repo, "net", NULL);
	assert_clean(net, NULL, NULL);
	gitrepo_do(repo, "echo A > net/a");
	assert_clean(net, NULL, "net/a (changed)");
	gitrepo_do(repo, "git add net/a");
	assert_clean(repo, "net", "net/a (changed)");
	gitrepo_do(repo, "git commit -qm y; rm net/a");
	assert_clean(repo, "net", "net/a (deleted)");
	gitrepo_do(repo, "git checkout -q net/a; mkdir -p net/new/er; echo z > net/new/er/z; git add net");
	assert_clean(repo, "net", "net/new/er/z (not committed)");

	g_autoptr(GError) error = NULL;
	bool clean = true;
	g_assert_false(source_is_clean(folder, NULL, &clean, NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	gitrepo_remove(folder);
}

static void test_too_many(void)
{
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "seq -f f%%g %d | xargs touch", SOURCE_MAX_FILES + 1);
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(snapshot), ==, SOURCE_MAX_FILES);
	g_assert_true(has_finding(diags, "too-many-files", "."));
	gitrepo_remove(folder);
}

int main(int argc, char **argv)
{
	gitrepo_isolate();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source/folder/plain", test_plain);
	g_test_add_func("/source/folder/refused", test_refused);
	g_test_add_func("/source/folder/changed-after", test_changed_after);
	g_test_add_func("/source/folder/work-tree", test_work_tree);
	g_test_add_func("/source/folder/clean", test_clean);
	g_test_add_func("/source/folder/too-many", test_too_many);
	return g_test_run();
}
