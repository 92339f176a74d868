/* Real repositories in a temporary folder, made with the git program, for tests that read or push to them.
 *
 * Nothing of the user's or the machine's own configuration takes part.
 */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Call it first in main(): before libgit2 looks for its configuration. */
static inline void gitrepo_isolate(void)
{
	g_setenv("HOME", "/nonexistent", TRUE);
	g_setenv("XDG_CONFIG_HOME", "/nonexistent", TRUE);
	g_setenv("GIT_CONFIG_GLOBAL", "/dev/null", TRUE);
	g_setenv("GIT_CONFIG_NOSYSTEM", "1", TRUE);
	g_setenv("GIT_AUTHOR_NAME", "Jane Doe", TRUE);
	g_setenv("GIT_AUTHOR_EMAIL", "jane@example.org", TRUE);
	g_setenv("GIT_COMMITTER_NAME", "Jane Doe", TRUE);
	g_setenv("GIT_COMMITTER_EMAIL", "jane@example.org", TRUE);
	g_unsetenv("GIT_DIR");
	g_unsetenv("GIT_WORK_TREE");
}

static inline bool gitrepo_missing(void)
{
	g_autofree char *git = g_find_program_in_path("git");
	if (!git)
		g_test_skip("the git program is not installed");
	return !git;
}

/* Runs a shell script in @folder, with -e; its output without the last newline, owned by the caller. A failure fails the test. */
static inline char *gitrepo_run(const char *folder, const char *format, ...) G_GNUC_PRINTF(2, 3);
static inline char *gitrepo_run(const char *folder, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *script = g_strdup_vprintf(format, args);
	va_end(args);
	char *argv[] = { (char[]) { "/bin/sh" }, (char[]) { "-ec" }, script, NULL };
	g_autofree char *out = NULL, *err = NULL;
	g_autoptr(GError) error = NULL;
	int status = 0;
	g_spawn_sync(folder, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &out, &err, &status, &error);
	g_assert_no_error(error);
	if (!g_spawn_check_wait_status(status, &error))
		g_error("%s: %s\n%s%s", script, error->message, out, err);
	return g_strdup(g_strchomp(out));
}

#define gitrepo_do(...) g_free(gitrepo_run(__VA_ARGS__))

/* A new empty folder; take it away with gitrepo_remove(). */
static inline char *gitrepo_folder(void)
{
	g_autoptr(GError) error = NULL;
	char *folder = g_dir_make_tmp("pleach-git-XXXXXX", &error);
	g_assert_no_error(error);
	return folder;
}

static inline void gitrepo_remove(char *folder)
{
	gitrepo_do("/", "chmod -R u+rwX -- '%s'; rm -rf -- '%s'", folder, folder);
	g_free(folder);
}
