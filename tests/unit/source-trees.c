/* Folders that are remembered from one commit to the next: each commit is read as Git itself lists it, whatever was read before. */
#include "source/source.h"

#include "source/trees.h"

#include "gitrepo.h"

enum { COMMITS = 25 };

/* libgit2 1.5 loses what it matches configuration names with, in repositories of format version 1. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

static char *listing(const char *repository, const char *commit, const char *subfolder)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(repository, commit, subfolder, diags, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(diags_count(diags), ==, 0);
	g_autoptr(GString) text = g_string_new(NULL);
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		const struct source_file *file = snapshot_file(snapshot, i);
		g_string_append_printf(text, "%s %s %zu %s\n", file->executable ? "100755" : "100644", file->id, file->size, file->path);
	}
	return g_strdup(g_strchomp(text->str));
}

/* Names that Git and strcmp() put in different order, folders that become files, files that come, go, change and become programs. */
static void edit(const char *folder)
{
	static const char *const places[] = { "a", "a.b", "a-c", "ab", "z", "a/x", "a/y/z", "a.b/x", "deep/er/one", "deep/er/two", "deep/x" };
	const char *place = places[g_test_rand_int_range(0, (int) G_N_ELEMENTS(places))];
	int what = g_test_rand_int_range(0, 6);
	g_autofree char *parent = g_path_get_dirname(place);
	if (what == 0)
		gitrepo_do(folder, "cd w; rm -rf %s", place);
	else if (what == 1)
		gitrepo_do(folder, "cd w; test ! -f %s || chmod +x %s", place, place);
	else
		gitrepo_do(folder, "cd w; for f in a deep %s; do if [ -f $f ]; then rm $f; fi; done; rm -rf %s; mkdir -p %s; echo %d > %s", parent,
			   place, parent, g_test_rand_int_range(0, 9), place);
	gitrepo_do(folder, "cd w; git add -A .; git commit -q --allow-empty -m edit");
}

static void test_as_git_lists(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	g_autofree char *repository = g_build_filename(folder, "w", NULL);
	gitrepo_do(folder, "git init -q -b main w; cd w; mkdir -p a/y deep/er; echo 1 > a/x; echo 2 > a.b; echo 3 > deep/er/one; echo 4 > z;"
			   "git add .; git commit -qm first");
	for (int i = 0; i < COMMITS; i++) {
		/* Now and then an older one, and a part of it: another tree stands in the same place. */
		g_autofree char *commit = g_strdup_printf("HEAD~%d", i % 5 == 4 ? 2 : 0);
		g_autofree char *want = gitrepo_run(folder, "git -C w ls-tree -r --long %s | tr '\\t' ' ' | tr -s ' ' | sed 's/ blob / /'", commit);
		g_autofree char *got = listing(repository, commit, NULL);
		g_assert_cmpstr(got, ==, want);
		g_autofree char *deep = gitrepo_run(folder, "git -C w cat-file -t %s:deep 2>/dev/null || true", commit);
		if (g_str_equal(deep, "tree"))
			g_free(listing(repository, commit, "deep"));
		edit(folder);
	}
	g_assert_cmpuint(trees_count(), >, 0);
	g_assert_cmpuint(trees_count(), <=, TREES_SPARE);
	gitrepo_remove(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	gitrepo_isolate();
	g_test_add_func("/source/trees/as-git-lists", test_as_git_lists);
	return g_test_run();
}
