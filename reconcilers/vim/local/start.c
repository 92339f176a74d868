#include "vim/local/private.h"

#include "base/file.h"
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS_MAX_BYTES = 4096 };

extern char **environ;

static bool spawn(char *const argv[], int words_fd, pid_t *ret_pid, GError **error)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, 0, 1);
	posix_spawn_file_actions_adddup2(&actions, words_fd, 2);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	int errnum = posix_spawn(ret_pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return !errnum || pleach_error_errno(error, errnum, "run %s", argv[0]);
}

/* What the starter has to say, until it ends. Its keeper holds the pipe no more by then. */
static bool read_words(int fd, const struct call *call, GString *words, GError **error)
{
	for (;;) {
		char piece[256];
		if (!call_wait(call, fd, POLLIN, error))
			return false;
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return true;
		if (words->len < WORDS_MAX_BYTES)
			g_string_append_len(words, piece, n);
	}
}

/* Runs @argv to its end. *@ret_words: what it said, when it failed; NULL: it did not. */
static bool run_starter(char *const argv[], const struct call *call, char **ret_words, GError **error)
{
	int words[2];
	pid_t pid;
	if (pipe2(words, O_CLOEXEC) < 0)
		return pleach_error_errno(error, errno, "create a pipe");
	bool ok = spawn(argv, words[1], &pid, error);
	close(words[1]);
	g_autoptr(GString) text = g_string_new(NULL);
	if (!ok) {
		close(words[0]);
		return false;
	}
	ok = read_words(words[0], call, text, error);
	close(words[0]);
	if (!ok)
		kill(pid, SIGKILL); /* the starter alone: a keeper that comes all the same will be found */
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	*ret_words = ok && status ? g_utf8_make_valid(g_strchomp(text->str), -1) : NULL;
	return ok;
}

/* Where systemd runs this host, a keeper belongs into a scope of its own below pleach.slice: whatever happens to the service that
 * started it, or to the login session of whoever did, is nothing to the keeper. @argv comes after its words. NULL: no systemd here. */
static char **in_scope(char *const argv[], const char *description)
{
	g_autofree char *tool = geteuid() == 0 && g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR) ?
					g_find_program_in_path("systemd-run") : NULL;
	if (!tool)
		return NULL;
	GPtrArray *words = g_ptr_array_new();
	const char *const first[] = { tool, "--scope", "--quiet", "--collect", "--slice=pleach.slice", "--property=Delegate=yes" };
	for (size_t i = 0; i < G_N_ELEMENTS(first); i++)
		g_ptr_array_add(words, g_strdup(first[i]));
	g_ptr_array_add(words, g_strdup_printf("--description=%s", description));
	g_ptr_array_add(words, g_strdup("--"));
	for (; *argv; argv++)
		g_ptr_array_add(words, g_strdup(*argv));
	g_ptr_array_add(words, NULL);
	return (char **) g_ptr_array_free(words, FALSE);
}

bool keeper_launch(const struct vim *vim, const struct call *call, GError **error)
{
	g_autofree char *keeper = program_find("pleach-keeper"), *leaf = program_find("pleach-leaf");
	if (!keeper || !leaf) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT,
			"program %s is not found (looked in $PLEACH_LIBEXEC, beside this program, "
			    "/usr/libexec/pleach, /usr/lib/pleach, $PATH)", keeper ? "pleach-leaf" : "pleach-keeper");
		return false;
	}
	g_autofree char *owner = g_strdup_printf("--owner=%s", vim->site->owner),
		*site = g_strdup_printf("--site=%s", vim->site->name);
	g_autofree char *runtime = g_strdup_printf("--runtime=%s", vim->runtime), *program = g_strdup_printf("--leaf=%s", leaf);
	char *argv[] = { keeper, runtime, owner, site, program, NULL };
	g_autofree char *description = g_strdup_printf("Pleach keeper of site %s, owner %s", vim->site->name, vim->site->owner);
	g_auto(GStrv) scoped = in_scope(argv, description);
	g_autofree char *words = NULL;
	/* A systemd that refuses (no bus, an older one) is no reason to have no network: then as without one. */
	bool ok = run_starter(scoped ? scoped : argv, call, &words, error);
	if (ok && words && scoped) {
		g_clear_pointer(&words, g_free);
		ok = run_starter(argv, call, &words, error);
	}
	if (!ok || !words)
		return ok;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "the site's keeper did not start: %s",
		    *words ? words : "it said nothing");
	return false;
}
