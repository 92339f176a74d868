#include "vim/local/private.h"

#include "base/file.h"

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

static char *in_folder(const char *folder, const char *name)
{
	g_autofree char *path = folder && *folder ? g_build_filename(folder, name, NULL) : NULL;
	return path && access(path, X_OK) == 0 ? g_steal_pointer(&path) : NULL;
}

char *program_find(const char *name)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL), *beside = self ? g_path_get_dirname(self) : NULL;
	const char *const folders[] = { g_getenv("PLEACH_LIBEXEC"), beside, "/usr/libexec/pleach", "/usr/lib/pleach" };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		char *path = in_folder(folders[i], name);
		if (path)
			return path;
	}
	return g_find_program_in_path(name);
}

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
	if (!ok || status == 0)
		return ok;
	g_autofree char *valid = g_utf8_make_valid(g_strchomp(text->str), -1);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "the site's keeper did not start: %s", *valid
		? valid : "it said nothing");
	return false;
}
