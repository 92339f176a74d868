/* Snapshots of commits: what is read from which kind of repository, and what is left out of a hostile one. */
#include "source/source.h"

#include "gitrepo.h"

/* libgit2 1.5 loses what it matches configuration names with, in repositories of format version 1. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

static bool has_finding(const struct diags *diags, const char *code, enum severity severity, const char *file)
{
	for (size_t i = 0; i < diags_count(diags); i++) {
		const struct diag *diag = diags_get(diags, i);
		if (g_str_equal(diag->code, code) && diag->severity == severity && (!file || !g_strcmp0(diag->origin.file, file)))
			return true;
	}
	return false;
}

static char *text_of(const struct snapshot *snapshot, const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = snapshot_read(snapshot, path, &error);
	g_assert_no_error(error);
	return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static char *two_commits(void)
{
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main repo; cd repo; echo one > a.yaml; git add .; git commit -qm 'first\n\nmore';"
			   "mkdir -p net/deep; echo two > net/b.yaml; echo 3 > net/deep/c; chmod +x net/deep/c; git add .;"
			   "GIT_AUTHOR_DATE=2026-11-20T11:52:03Z git commit -qm 'add the network'; git tag v1; git tag -am x v2;"
			   "git clone -q --bare . ../bare.git");
	return folder;
}

static void test_contents(void)
{
	if (gitrepo_missing())
		return;
	char *folder = two_commits();
	g_autofree char *head = gitrepo_run(folder, "git -C repo rev-parse HEAD");
	g_autofree char *root = gitrepo_run(folder, "git -C repo rev-parse HEAD~1");
	const char *const places[] = { "repo", "bare.git" };
	for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *path = g_build_filename(folder, places[i], NULL);
		g_autofree char *id = gitrepo_run(folder, "git -C repo rev-parse HEAD:net/b.yaml");
		g_autoptr(GError) error = NULL;
		auto_ptr(diags) diags = diags_new();
		auto_ptr(snapshot) snapshot = snapshot_open_commit(path, "main", NULL, diags, &error);
		g_assert_no_error(error);
		g_assert_cmpuint(diags_count(diags), ==, 0);
		g_assert_cmpuint(snapshot_count(snapshot), ==, 3);
		g_assert_cmpstr(snapshot_file(snapshot, 0)->path, ==, "a.yaml");
		g_assert_cmpstr(snapshot_file(snapshot, 1)->path, ==, "net/b.yaml");
		g_assert_cmpstr(snapshot_file(snapshot, 1)->id, ==, id);
		g_assert_cmpuint(snapshot_file(snapshot, 1)->size, ==, 4);
		g_assert_false(snapshot_file(snapshot, 1)->executable);
		g_assert_true(snapshot_find(snapshot, "net/deep/c")->executable);
		g_autofree char *text = text_of(snapshot, "net/b.yaml");
		g_assert_cmpstr(text, ==, "two\n");
		g_assert_cmpstr(snapshot_revision(snapshot), ==, head);
		g_assert_cmpstr(snapshot_root_commit(snapshot), ==, root);
		g_assert_cmpstr(snapshot_branch(snapshot), ==, "main");
		g_assert_cmpstr(snapshot_summary(snapshot), ==, "add the network (Jane Doe, 2026-11-20T11:52:03.000Z)");
		g_assert_null(snapshot_read(snapshot, "net", &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	}
	gitrepo_remove(folder);
}

static void test_subfolder(void)
{
	if (gitrepo_missing())
		return;
	char *folder = two_commits();
	g_autofree char *repo = g_build_filename(folder, "repo", NULL), *within = g_build_filename(folder, "repo/net", NULL);
	g_autofree char *bare = g_build_filename(folder, "bare.git", NULL);
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) named = snapshot_open_commit(repo, "main", "/net/./", NULL, &error);
	g_assert_no_error(error);
	auto_ptr(snapshot) inside = snapshot_open_commit(within, "main", NULL, NULL, &error);
	g_assert_no_error(error);
	auto_ptr(snapshot) pushed = snapshot_open_commit(bare, "main", "net", NULL, &error);
	g_assert_no_error(error);
	auto_ptr(snapshot) whole = snapshot_open_commit(bare, "main", "", NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(named), ==, 2);
	g_assert_cmpstr(snapshot_file(named, 0)->path, ==, "b.yaml");
	g_assert_cmpstr(snapshot_subfolder(named), ==, "net");
	g_assert_cmpstr(snapshot_subfolder(inside), ==, "net");
	g_assert_cmpstr(snapshot_subfolder(whole), ==, "");
	/* One owner, however the same thing is reached. */
	g_autofree char *a = source_default_owner(named), *b = source_default_owner(inside), *c = source_default_owner(pushed),
			*d = source_default_owner(whole);
	g_assert_cmpuint(strlen(a), ==, 16);
	g_assert_cmpstr(a, ==, b);
	g_assert_cmpstr(a, ==, c);
	g_assert_cmpstr(a, !=, d);

	g_assert_null(snapshot_open_commit(repo, "main", "nothing", NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_null(snapshot_open_commit(repo, "main", "a.yaml", NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_null(snapshot_open_commit(repo, "main", "net/../..", NULL, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	gitrepo_remove(folder);
}

static void test_revisions(void)
{
	if (gitrepo_missing())
		return;
	char *folder = two_commits();
	g_autofree char *repo = g_build_filename(folder, "repo", NULL);
	gitrepo_do(repo,
		   "git checkout -q -b feature/x; git commit -q --allow-empty -m x; git branch v1 main;"
		   "git worktree add -q ../linked main;"
			 "git pack-refs --all; git gc -q");
	const char *const names[][2] = { { "main", "main" }, { "feature/x", "feature/x" }, { "refs/heads/main", "main" },
					 { "HEAD~1", "main" }, { "v2", "main" }, { NULL, "feature/x" },
					 { "v1", "refs/heads/v1" } };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		g_autofree char *id = source_resolve(repo, names[i][0], &error);
		g_autofree char *expected = gitrepo_run(repo, "git rev-parse '%s'", names[i][1]);
		g_assert_no_error(error);
		g_assert_cmpstr(id, ==, expected);
	}
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) by_id = snapshot_open_commit(repo, "HEAD~1", NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(snapshot_branch(by_id), ==, "feature/x");
	g_autofree char *linked = g_build_filename(folder, "linked", NULL);
	auto_ptr(snapshot) of_linked = snapshot_open_commit(linked, NULL, NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(snapshot_branch(of_linked), ==, "main");
	gitrepo_do(repo, "git checkout -q --detach");
	auto_ptr(snapshot) detached = snapshot_open_commit(repo, "HEAD", NULL, NULL, &error);
	g_assert_no_error(error);
	g_assert_null(snapshot_branch(detached));

	g_assert_null(source_resolve(repo, "mian", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_assert_nonnull(strstr(error->message, "\"mian\""));
	g_assert_nonnull(strstr(error->message, "feature/x, main"));
	g_clear_error(&error);
	g_assert_null(source_resolve(repo, "main:net/b.yaml", &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	gitrepo_remove(folder);
}

static void test_empty_and_foreign(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q -b main work; git init -q --bare -b main bare.git;"
		   "git init -q --object-format=sha256 -b main long; mkdir none");
	const struct {
		const char *name, *says;
		enum pleach_error code;
	} cases[] = {
		{ "work", "no commit yet", PLEACH_ERROR_NOT_FOUND },
		{ "bare.git", "no commit yet", PLEACH_ERROR_NOT_FOUND },
		{ "long", "SHA-256", PLEACH_ERROR_UNSUPPORTED },
		{ "none", "not in a Git repository", PLEACH_ERROR_NOT_FOUND },
		{ "absent", "No such file", PLEACH_ERROR_NOT_FOUND },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_build_filename(folder, cases[i].name, NULL);
		const char *const revisions[] = { NULL, "main" };
		for (size_t j = 0; j < G_N_ELEMENTS(revisions); j++) {
			g_autoptr(GError) error = NULL;
			g_assert_null(snapshot_open_commit(path, revisions[j], NULL, NULL, &error));
			g_assert_error(error, PLEACH_ERROR, (int) cases[i].code);
			g_assert_nonnull(strstr(error->message, cases[i].says));
		}
	}
	gitrepo_remove(folder);
}

/* Trees that git itself would not write: "MODE NAME\0ID" by hand. */
static void test_hostile_tree(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q -b main .; blob=$(echo good | git hash-object -w --stdin);"
		   "bin() { printf \"$(printf %%s \"$1\" | sed 's/../\\\\x&/g')\"; };"
		   "if [ \"$(printf '\\x41')\" != A ]; then bin() { printf %%s \"$1\" | perl -ne 'print pack(\"H*\", $_)'; }; fi;"
		   "link() { printf %%s \"$1\" | git hash-object -w --stdin; };"
		   "{ printf '100644 ..\\0'; bin $blob; printf '100644 .git\\0'; bin $blob; printf '40000 .GIT\\0'; bin $blob;"
		   "printf '100644 a\\nb\\0'; bin $blob; printf '100644 \\376\\377.yaml\\0'; bin $blob;"
		   "  printf '160000 sub\\0'; bin $blob; printf '120000 inside\\0'; bin $(link good.yaml);"
		   "printf '120000 up\\0'; bin $(link ../x);"
		   "  printf '120000 absolute\\0'; bin $(link /etc/passwd); printf '120000 sneaky\\0';"
		   "bin $(link a/b/../../../c);"
		   "  printf '100644 gone.yaml\\0'; bin 0123456789012345678901234567890123456789;"
		   "  printf '100644 good.yaml\\0'; bin $blob; printf '100644 good.yaml\\0'; bin $blob;"
		   "  printf '100644 huge.yaml\\0'; bin $(head -c 4194305 /dev/zero | git hash-object -w --stdin);"
		   "  printf '100644 huge.img\\0'; bin $(head -c 4194305 /dev/zero | git hash-object -w --stdin);"
		   "  printf '100644 exact.yaml\\0'; bin $(head -c 4194304 /dev/zero | git hash-object -w --stdin); } > raw;"
		   "tree=$(git hash-object -t tree -w --literally raw);"
		   "git update-ref refs/heads/main $(echo x | git commit-tree $tree)");
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "main", NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(snapshot), ==, 2);
	g_assert_nonnull(snapshot_find(snapshot, "good.yaml"));
	g_assert_nonnull(snapshot_find(snapshot, "exact.yaml"));
	g_assert_false(snapshot_is_whole(snapshot));
	g_assert_true(has_finding(diags, "unsafe-path", SEVERITY_ERROR, ".."));
	g_assert_true(has_finding(diags, "path-not-text", SEVERITY_ERROR, "\xef\xbf\xbd\xef\xbf\xbd.yaml"));
	g_assert_true(has_finding(diags, "unsafe-path", SEVERITY_ERROR, ".git"));
	g_assert_true(has_finding(diags, "unsafe-path", SEVERITY_ERROR, ".GIT"));
	g_assert_true(has_finding(diags, "path-not-text", SEVERITY_ERROR, "a\\x0ab"));
	g_assert_true(has_finding(diags, "submodule", SEVERITY_WARNING, "sub"));
	g_assert_true(has_finding(diags, "link-not-followed", SEVERITY_WARNING, "inside"));
	g_assert_true(has_finding(diags, "link-leaves-repository", SEVERITY_ERROR, "up"));
	g_assert_true(has_finding(diags, "link-leaves-repository", SEVERITY_ERROR, "absolute"));
	g_assert_true(has_finding(diags, "link-leaves-repository", SEVERITY_ERROR, "sneaky"));
	g_assert_true(has_finding(diags, "missing-object", SEVERITY_ERROR, "gone.yaml"));
	g_assert_true(has_finding(diags, "duplicate-path", SEVERITY_ERROR, "good.yaml"));
	g_assert_true(has_finding(diags, "file-too-large", SEVERITY_ERROR, "huge.yaml"));
	g_assert_true(has_finding(diags, "file-too-large", SEVERITY_WARNING, "huge.img"));
	gitrepo_remove(folder);
}

/* Objects that would fill the memory of who reads them: their sizes are looked at first. */
static void test_huge_objects(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main .; echo x >good.yaml; git add .; git commit -qm good;"
			   "tree=$(head -c %d /dev/zero | git hash-object -t tree -w --stdin --literally);"
			   "blob=$(git rev-parse main:good.yaml); top=$(printf '100644 blob %%s\\tgood.yaml\\n040000 tree %%s\\thuge\\n' $blob $tree |"
			   " git mktree); git branch tree $(echo x | git commit-tree $top);"
			   "git branch text $(head -c %d /dev/zero | tr '\\0' x | git commit-tree -p main main^{tree})",
		   SOURCE_MAX_TREE_BYTES + 1, SOURCE_MAX_COMMIT_BYTES);
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "tree", NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(snapshot), ==, 1);
	g_assert_false(snapshot_is_whole(snapshot));
	g_assert_true(has_finding(diags, "too-many-files", SEVERITY_ERROR, "huge"));
	auto_ptr(snapshot) good = snapshot_open_commit(folder, "main", NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_true(snapshot_is_whole(good));
	g_assert_null(snapshot_open_commit(folder, "text", NULL, diags, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	gitrepo_remove(folder);
}

/* Ten folders that each hold the next one ten times: a few hundred bytes that are 10^10 paths. */
static void test_tree_bomb(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main .; t=$(echo x | git hash-object -w --stdin); kind='100644 blob';"
			   "for level in 1 2 3 4 5 6 7 8 9 10; do"
			   "  t=$(for i in 0 1 2 3 4 5 6 7 8 9; do printf '%%s %%s\\t%%s\\n' \"$kind\" $t $i;"
			   "done | git mktree); kind='040000 tree';"
			   "done; git update-ref refs/heads/main $(echo x | git commit-tree $t)");
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "main", NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(snapshot), ==, SOURCE_MAX_FILES);
	g_assert_true(has_finding(diags, "too-many-files", SEVERITY_ERROR, "."));
	gitrepo_remove(folder);
}

static void test_deep_and_long(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main .; f=$(echo x | git hash-object -w --stdin);"
			   "deep=$(printf '100644 blob %%s\\tf\\n' $f | git mktree); n=0;"
			   "while [ $n -lt 64 ]; do deep=$(printf '040000 tree %%s\\td\\n' $deep | git mktree); n=$((n+1)); done;"
			   "name=$(printf %%0200d 0); long=$(printf '100644 blob %%s\\tf\\n' $f | git mktree);"
			   "for i in 1 2 3 4 5 6; do long=$(printf '040000 tree %%s\\t%%s\\n' $long $name | git mktree); done;"
			   "t=$(printf '040000 tree %%s\\tdeep\\n040000 tree %%s\\tlong\\n100644 blob %%s\\tz\\n' $deep $long $f |"
			   " git mktree);"
			   "git update-ref refs/heads/main $(echo x | git commit-tree $t)");
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "main", NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(snapshot_count(snapshot), ==, 1);
	g_assert_cmpstr(snapshot_file(snapshot, 0)->path, ==, "z");
	g_assert_true(has_finding(diags, "path-too-deep", SEVERITY_ERROR, NULL));
	g_assert_true(has_finding(diags, "path-too-long", SEVERITY_ERROR, NULL));
	gitrepo_remove(folder);
}

static char *root_of(const char *path, const char *revision, double *ret_seconds)
{
	g_autoptr(GError) error = NULL;
	gint64 start = g_get_monotonic_time();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(path, revision, NULL, NULL, &error);
	*ret_seconds = (double) (g_get_monotonic_time() - start) / G_USEC_PER_SEC;
	g_assert_no_error(error);
	return g_strdup(snapshot_root_commit(snapshot));
}

/* The second commit of a long history must not be walked from the start again; nor a branch off it. */
static void test_long_history(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	g_autofree char *root = gitrepo_run(folder,
		"git init -q -b main .; awk 'BEGIN { for (i = 1; i <= 10000;"
		"i++) printf \"commit refs/heads/main\\ncommitter J <j@x> %%d +0000\\ndata 1\\nx\\n\", i }' |"
		"git fast-import --quiet; git rev-list --max-parents=0 main");
	double first, next, branch;
	g_autofree char *a = root_of(folder, "main", &first);
	gitrepo_do(folder, "git commit -q --allow-empty -m next; git branch side main~100");
	g_autofree char *b = root_of(folder, "main", &next), *c = root_of(folder, "side", &branch);
	g_assert_cmpstr(a, ==, root);
	g_assert_cmpstr(b, ==, root);
	g_assert_cmpstr(c, ==, root);
	g_test_message("10,000 commits: first %.1f ms, next %.1f ms, a branch %.1f ms", first * 1e3, next * 1e3, branch * 1e3);
	g_assert_cmpfloat(next, <, 0.1);
	g_assert_cmpfloat(next * 3, <, first);

	gitrepo_do(folder, "git clone -q --depth 2 file://$PWD shallow");
	g_autofree char *shallow = g_build_filename(folder, "shallow", NULL);
	g_autoptr(GError) error = NULL;
	auto_ptr(diags) diags = diags_new();
	auto_ptr(snapshot) snapshot = snapshot_open_commit(shallow, "main", NULL, diags, &error);
	g_assert_no_error(error);
	g_assert_null(snapshot_root_commit(snapshot));
	g_assert_true(has_finding(diags, "no-root-commit", SEVERITY_WARNING, NULL));
	gitrepo_remove(folder);
}

static gpointer read_all(gpointer data)
{
	const struct snapshot *snapshot = data;
	size_t bytes = 0;
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		g_autofree char *text = text_of(snapshot, snapshot_file(snapshot, i)->path);
		bytes += strlen(text);
	}
	return GSIZE_TO_POINTER(bytes);
}

/* Several threads read one snapshot, while others open and drop their own. */
static void test_threads(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q -b main .; for i in $(seq 200); do echo \"file $i $(date +%%N)\" > f$i; done; git add .;"
		   "git commit -qm x; git gc -q");
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "main", NULL, NULL, &error);
	g_assert_no_error(error);
	GThread *threads[8];
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("reader", read_all, snapshot);
	for (int i = 0; i < 10; i++) {
		auto_ptr(snapshot) other = snapshot_open_commit(folder, "main", NULL, NULL, &error);
		g_assert_no_error(error);
	}
	size_t expected = 0;
	for (size_t i = 0; i < snapshot_count(snapshot); i++)
		expected += snapshot_file(snapshot, i)->size;
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		g_assert_cmpuint(GPOINTER_TO_SIZE(g_thread_join(threads[i])), ==, expected);
	gitrepo_remove(folder);
}

/* A snapshot outlives a repacking of its repository. */
static void test_repacked(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main .; echo \"only here $$ $(date +%%N)\" > f; git add .; git commit -qm x");
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "main", NULL, NULL, &error);
	g_assert_no_error(error);
	gitrepo_do(folder, "git repack -adq; git prune-packed");
	g_autofree char *text = text_of(snapshot, "f");
	g_assert_true(g_str_has_prefix(text, "only here"));
	gitrepo_remove(folder);
}

/* Another repository in the same place is not mistaken for the one that was there. */
static void test_replaced(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	g_autofree char *path = g_build_filename(folder, "repo", NULL);
	for (int i = 0; i < 5; i++) {
		g_autofree char *id = gitrepo_run(folder,
						  "rm -rf repo; git init -q -b main repo; cd repo; echo %d > f; git add .;"
						  "git commit -qm %d;"
							  "git rev-parse HEAD", i, i);
		for (int j = 0; j < 2; j++) {
			g_autoptr(GError) error = NULL;
			auto_ptr(snapshot) snapshot = snapshot_open_commit(path, "main", NULL, NULL, &error);
			g_assert_no_error(error);
			g_assert_cmpstr(snapshot_revision(snapshot), ==, id);
			g_autofree char *text = text_of(snapshot, "f");
			g_assert_cmpint(atoi(text), ==, i);
		}
	}
	gitrepo_remove(folder);
}

/* The second look at a repository of 1,000 files reads one tree, not a thousand files. */
static void test_next_commit_is_cheap(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q -b main .; for i in $(seq 1000); do echo \"$i\" > f$i; done; git add .; git commit -qm x");
	gint64 first = 0, next = G_MAXINT64;
	for (int i = 0; i < 5; i++) {
		g_autoptr(GError) error = NULL;
		gint64 start = g_get_monotonic_time();
		auto_ptr(snapshot) snapshot = snapshot_open_commit(folder, "main", NULL, NULL, &error);
		gint64 took = g_get_monotonic_time() - start;
		g_assert_no_error(error);
		if (i)
			next = MIN(next, took); /* the machine may have other things to do */
		else
			first = took;
		g_assert_cmpuint(snapshot_count(snapshot), ==, 1000);
		gitrepo_do(folder, "date +%%s%%N > f1; git commit -qam y");
	}
	g_test_message("1,000 loose files: first %.1f ms, next commit %.1f ms", (double) first / 1e3, (double) next / 1e3);
	g_assert_cmpint(next * 2, <, first);
	gitrepo_remove(folder);
}

/* Objects that move from pack to pack, the old one deleted, under a snapshot and under a repository that is kept open. */
static void test_packs_replaced(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q -b main .; for i in 1 2 3; do echo \"packed $i $$ $(date +%%N)\" > f$i; done; git add .;"
			   "git commit -qm x; git repack -adq; git prune-packed");
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) first = snapshot_open_commit(folder, "main", NULL, NULL, &error);
	g_assert_no_error(error);
	auto_ptr(snapshot) second = snapshot_open_commit(folder, "main", NULL, NULL, &error); /* its sizes are known: no pack is opened */
	g_assert_no_error(error);
	gitrepo_do(folder, "echo more > more; git add .; git commit -qm y; git repack -adq; git prune-packed");
	g_autofree char *a = text_of(second, "f1"), *b = text_of(first, "f2");
	g_assert_true(g_str_has_prefix(a, "packed 1"));
	g_assert_true(g_str_has_prefix(b, "packed 2"));
	auto_ptr(snapshot) third = snapshot_open_commit(folder, "main~1", NULL, NULL, &error);
	g_assert_no_error(error);
	g_autofree char *c = text_of(third, "f3");
	g_assert_true(g_str_has_prefix(c, "packed 3"));
	gitrepo_remove(folder);
}

static void test_of_memory(void)
{
	auto_ptr(snapshot) snapshot = snapshot_of("b.yaml", "two", "a/x.yaml", "", NULL);
	g_assert_cmpuint(snapshot_count(snapshot), ==, 2);
	g_assert_cmpstr(snapshot_file(snapshot, 0)->path, ==, "a/x.yaml");
	/* The id of nothing, as Git has it. */
	g_assert_cmpstr(snapshot_file(snapshot, 0)->id, ==, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
	g_autofree char *text = text_of(snapshot, "b.yaml");
	g_assert_cmpstr(text, ==, "two");
	g_assert_null(snapshot_find(snapshot, "a"));
	g_assert_null(snapshot_root_commit(snapshot));
}

int main(int argc, char **argv)
{
	gitrepo_isolate();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source/commit/contents", test_contents);
	g_test_add_func("/source/commit/subfolder", test_subfolder);
	g_test_add_func("/source/commit/revisions", test_revisions);
	g_test_add_func("/source/commit/empty-and-foreign", test_empty_and_foreign);
	g_test_add_func("/source/commit/hostile-tree", test_hostile_tree);
	g_test_add_func("/source/commit/huge-objects", test_huge_objects);
	g_test_add_func("/source/commit/tree-bomb", test_tree_bomb);
	g_test_add_func("/source/commit/deep-and-long", test_deep_and_long);
	g_test_add_func("/source/commit/long-history", test_long_history);
	g_test_add_func("/source/commit/threads", test_threads);
	g_test_add_func("/source/commit/repacked", test_repacked);
	g_test_add_func("/source/commit/packs-replaced", test_packs_replaced);
	g_test_add_func("/source/commit/replaced", test_replaced);
	g_test_add_func("/source/commit/next-is-cheap", test_next_commit_is_cheap);
	g_test_add_func("/source/memory", test_of_memory);
	return g_test_run();
}
