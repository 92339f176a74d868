/* A push is seen at once, as an event: the descriptor becomes readable by itself, whatever Git does to its refs. */
#include "source/source.h"

#include "gitrepo.h"

#include <poll.h>

enum { SEEN_WITHIN_MS = 2000 }; /* of a loaded machine; what is asserted is that nobody had to ask again */

static bool is_readable(const struct source_watch *watch, int timeout_ms)
{
	struct pollfd fd = { .fd = source_watch_fd(watch), .events = POLLIN };
	return poll(&fd, 1, timeout_ms) == 1;
}

/* Waits for events until the branch is at @expected (NULL: gone): never looks without having been woken. */
static void assert_comes(struct source_watch *watch, const char *expected)
{
	gint64 end = g_get_monotonic_time() + SEEN_WITHIN_MS * 1000;
	g_autofree char *commit = NULL;
	bool seen = false;
	while (!seen && g_get_monotonic_time() < end && is_readable(watch, SEEN_WITHIN_MS)) {
		g_clear_pointer(&commit, g_free);
		seen = source_watch_read(watch, &commit) && !g_strcmp0(commit, expected);
	}
	if (!seen)
		g_error("no event brought %s; last was %s", expected ? expected : "(gone)", commit ? commit : "(gone)");
	while (is_readable(watch, 0)) {
		g_autofree char *again = NULL;
		g_assert_false(source_watch_read(watch, &again));
	}
}

static char *make_repositories(void)
{
	char *folder = gitrepo_folder();
	gitrepo_do(folder,
		   "git init -q --bare -b main bare.git; git clone -q bare.git work 2>&1; cd work; git checkout -q -B main;"
			   "git commit -q --allow-empty -m first; git push -q origin main");
	return folder;
}

static struct source_watch *watch_of(const char *folder, const char *name, const char *branch, const char *expected)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autoptr(GError) error = NULL;
	struct source_watch *watch = source_watch_new(path, branch, &error);
	g_assert_no_error(error);
	g_autofree char *commit = NULL;
	g_assert_true(source_watch_read(watch, &commit));
	g_assert_cmpstr(commit, ==, expected);
	g_autofree char *again = NULL;
	g_assert_false(source_watch_read(watch, &again));
	g_assert_false(is_readable(watch, 0));
	return watch;
}

struct writing {
	char *ref, *commit;
	gint64 when_us;
};

/* As Git ends a push: the ref is renamed into its place. */
static gpointer write_later(gpointer data)
{
	struct writing *writing = data;
	g_usleep(20 * 1000);
	writing->when_us = g_get_monotonic_time();
	g_assert_true(g_file_set_contents(writing->ref, writing->commit, -1, NULL));
	return NULL;
}

static void test_push(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	g_autofree char *first = gitrepo_run(folder, "git -C work rev-parse HEAD");
	auto_ptr(source_watch) watch = watch_of(folder, "bare.git", "main", first);
	g_autofree char *second = gitrepo_run(folder, "cd work; git commit -q --allow-empty -m second; git push -q origin main;"
						      "git rev-parse HEAD");
	assert_comes(watch, second);

	/* The best of a few: the machine may have other things to do, the watch may not. */
	g_autofree char *ref = g_build_filename(folder, "bare.git/refs/heads/main", NULL);
	gint64 best = G_MAXINT64;
	for (int i = 0; i < 6; i++) {
		struct writing writing = { .ref = ref, .commit = i % 2 ? second : first };
		GThread *writer = g_thread_new("push", write_later, &writing);
		assert_comes(watch, writing.commit);
		gint64 seen = g_get_monotonic_time();
		g_thread_join(writer);
		best = MIN(best, seen - writing.when_us);
	}
	g_test_message("seen %.1f ms after the ref began to be written", (double) best / 1000);
	g_assert_cmpint(best, <, 50 * 1000);
	gitrepo_remove(folder);
}

static void test_other_branches(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	g_autofree char *first = gitrepo_run(folder, "git -C work rev-parse HEAD");
	auto_ptr(source_watch) watch = watch_of(folder, "bare.git", "main", first);
	gitrepo_do(folder, "cd work; git commit -q --allow-empty -m o; git push -q origin HEAD:other HEAD:refs/tags/t");
	g_autofree char *commit = NULL;
	g_assert_true(is_readable(watch, SEEN_WITHIN_MS));
	g_assert_false(source_watch_read(watch, &commit));
	g_assert_null(commit);
	gitrepo_remove(folder);
}

static void test_pack_refs(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	gitrepo_do(folder, "cd work; git push -q origin main:feature/x");
	g_autofree char *first = gitrepo_run(folder, "git -C work rev-parse HEAD");
	auto_ptr(source_watch) watch = watch_of(folder, "bare.git", "feature/x", first);
	for (int i = 0; i < 3; i++) {
		gitrepo_do(folder,
			   "git -C bare.git pack-refs --all; ! test -e bare.git/refs/heads/feature/x;"
			   "rmdir bare.git/refs/heads/feature || :");
		while (is_readable(watch, 100)) {
			g_autofree char *commit = NULL;
			g_assert_false(source_watch_read(watch, &commit)); /* packed is not changed */
		}
		g_autofree char *next = gitrepo_run(folder,
						    "cd work; git commit -q --allow-empty -m %d;"
						    "git push -q origin main:feature/x; git rev-parse HEAD", i);
		assert_comes(watch, next);
	}
	/* A ref that is written packed only. */
	g_autofree char *last = gitrepo_run(folder,
					    "cd work; git commit -q --allow-empty -m p; git push -q origin main:other;"
					    "cd ../bare.git;"
						    "git update-ref -d refs/heads/feature/x; id=$(git rev-parse other);"
						    "{ sed '/feature/d' packed-refs 2>/dev/null || :;"
						    "echo \"$id refs/heads/feature/x\"; } > packed-refs.new;"
						    "mv packed-refs.new packed-refs; echo $id");
	assert_comes(watch, last);
	gitrepo_remove(folder);
}

static void test_gone_and_back(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	g_autofree char *first = gitrepo_run(folder, "git -C work rev-parse HEAD");
	auto_ptr(source_watch) deep = watch_of(folder, "bare.git", "a/b/c", NULL);
	for (int i = 0; i < 20; i++) {
		/* Folders and file at once: the file is there before any watch can be. */
		gitrepo_do(folder, "git -C bare.git update-ref refs/heads/a/b/c %s", first);
		assert_comes(deep, first);
		gitrepo_do(folder, "git -C bare.git update-ref -d refs/heads/a/b/c; rm -rf bare.git/refs/heads/a");
		assert_comes(deep, NULL);
	}
	gitrepo_remove(folder);
}

static void test_before_first_push(void)
{
	if (gitrepo_missing())
		return;
	char *folder = gitrepo_folder();
	gitrepo_do(folder, "git init -q --bare -b main bare.git");
	auto_ptr(source_watch) watch = watch_of(folder, "bare.git", NULL, NULL);
	g_autofree char *first = gitrepo_run(folder,
					     "git init -q -b main work; cd work; git commit -q --allow-empty -m x;"
					     "git push -q ../bare.git main; git rev-parse HEAD");
	assert_comes(watch, first);
	gitrepo_remove(folder);
}

static void test_linked_work_tree(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	gitrepo_do(folder, "git -C work worktree add -q -b side ../linked");
	g_autofree char *first = gitrepo_run(folder, "git -C work rev-parse HEAD");
	auto_ptr(source_watch) watch = watch_of(folder, "linked", "side", first);
	g_autofree char *next = gitrepo_run(folder, "cd linked; git commit -q --allow-empty -m s; git rev-parse HEAD");
	assert_comes(watch, next);
	gitrepo_remove(folder);
}

/* Deleted and made anew in the same place: the descriptor may not tell, the next look does. */
static void test_repository_replaced(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	g_autofree char *first = gitrepo_run(folder, "git -C work rev-parse HEAD");
	auto_ptr(source_watch) watch = watch_of(folder, "bare.git", "main", first);
	gitrepo_do(folder, "rm -rf bare.git");
	assert_comes(watch, NULL);
	gitrepo_do(folder, "git init -q --bare -b main bare.git; git -C work push -q ../bare.git main");
	g_autofree char *commit = NULL;
	g_assert_true(source_watch_read(watch, &commit));
	g_assert_cmpstr(commit, ==, first);
	g_autofree char *next = gitrepo_run(folder,
					    "cd work; git commit -q --allow-empty -m n; git push -q ../bare.git main;"
					    "git rev-parse HEAD");
	assert_comes(watch, next);
	gitrepo_remove(folder);
}

/* What is followed may be a tag, which may move, or a commit that is still to come. */
static void test_tags_and_commits(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	g_autofree char *first = gitrepo_run(folder, "cd work; git tag -a -m t v/1; git push -q origin v/1; git rev-parse HEAD");
	auto_ptr(source_watch) tag = watch_of(folder, "bare.git", "v/1", first);
	g_autofree char *next = gitrepo_run(folder, "cd work; git commit -q --allow-empty -m n; git rev-parse HEAD");
	auto_ptr(source_watch) commit = watch_of(folder, "bare.git", next, NULL);
	gitrepo_do(folder, "cd work; git tag -f -a -m t v/1 >/dev/null; git push -qf origin v/1");
	assert_comes(tag, next);
	gitrepo_do(folder, "cd work; git push -q origin main");
	g_autofree char *seen = NULL;
	g_assert_true(source_watch_read(commit, &seen));
	g_assert_cmpstr(seen, ==, next);
	gitrepo_do(folder, "cd work; git commit -q --allow-empty -m later; git push -q origin main:refs/heads/v/1");
	g_autofree char *later = gitrepo_run(folder, "git -C work rev-parse HEAD");
	assert_comes(tag, later); /* a branch comes before a tag */
	gitrepo_remove(folder);
}

static void test_refused(void)
{
	if (gitrepo_missing())
		return;
	char *folder = make_repositories();
	g_autofree char *bare = g_build_filename(folder, "bare.git", NULL);
	const struct {
		const char *path, *branch;
		enum pleach_error code;
	} cases[] = { { folder, "main", PLEACH_ERROR_NOT_FOUND }, { bare, "../../etc", PLEACH_ERROR_INVALID },
		      { bare, "", PLEACH_ERROR_INVALID },
		      { bare, "a..b", PLEACH_ERROR_INVALID } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(source_watch_new(cases[i].path, cases[i].branch, &error));
		g_assert_error(error, PLEACH_ERROR, (int) cases[i].code);
	}
	gitrepo_remove(folder);
}

int main(int argc, char **argv)
{
	gitrepo_isolate();
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/source/watch/push", test_push);
	g_test_add_func("/source/watch/other-branches", test_other_branches);
	g_test_add_func("/source/watch/pack-refs", test_pack_refs);
	g_test_add_func("/source/watch/gone-and-back", test_gone_and_back);
	g_test_add_func("/source/watch/before-first-push", test_before_first_push);
	g_test_add_func("/source/watch/linked-work-tree", test_linked_work_tree);
	g_test_add_func("/source/watch/repository-replaced", test_repository_replaced);
	g_test_add_func("/source/watch/tags-and-commits", test_tags_and_commits);
	g_test_add_func("/source/watch/refused", test_refused);
	return g_test_run();
}
