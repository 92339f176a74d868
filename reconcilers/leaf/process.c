#include "leaf/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where Debian keeps programs. Not our own PATH: an ordinary user's misses the system's half. */
#define PROGRAM_FOLDERS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Of 1000: ended before anything that did not ask for it. */
#define OOM_SCORE "500"

/* The path of a program as a shell finds it; NULL where there is none. */
static char *find_program(const char *name)
{
	if (strchr(name, '/'))
		return g_strdup(name);
	g_auto(GStrv) folders = g_strsplit(PROGRAM_FOLDERS, ":", -1);
	for (char **folder = folders; *folder; folder++) {
		g_autofree char *path = g_build_filename(*folder, name, NULL);
		if (access(path, X_OK) == 0)
			return g_steal_pointer(&path);
	}
	return NULL;
}

static void spawn_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	sigdelset(&all, SIGSTOP);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static void spawn_actions(posix_spawn_file_actions_t *actions, int output_fd)
{
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(actions, output_fd, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(actions, output_fd, STDERR_FILENO);
	posix_spawn_file_actions_addchdir_np(actions, "/");
}

/* What posix_spawn() wants as "char *const []", from texts that it does not change. */
static char **copy_arguments(const char *const *argv)
{
	GPtrArray *copy = g_ptr_array_new();
	for (; *argv; argv++)
		g_ptr_array_add(copy, g_strdup(*argv));
	g_ptr_array_add(copy, NULL);
	return (char **) g_ptr_array_free(copy, FALSE);
}

/* When the VNF's memory is over, the kernel ends the software that ate it, and not us: that would be the end of the whole VNF. Where
 * it cannot be said, the kernel chooses as it likes. */
static void go_first(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/oom_score_adj", (int) pid);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
		g_debug("%s: %s", path, g_strerror(errno));
	close(fd);
}

pid_t process_start(const char *const *argv, const char *key, int output_fd, GError **error)
{
	g_autofree char *program = find_program(argv[0]);
	if (!program) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "cannot run \"%s\": no such program in %s", argv[0],
			    PROGRAM_FOLDERS);
		return 0;
	}
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	spawn_attributes(&attributes);
	spawn_actions(&actions, output_fd);
	char path[] = "PATH=" PROGRAM_FOLDERS, home[] = "HOME=/", lang[] = "LANG=C.UTF-8";
	g_autofree char *key_variable = g_strconcat("PLEACH_KEY=", key, NULL);
	char *const environment[] = { path, home, lang, key_variable, NULL };
	g_auto(GStrv) arguments = copy_arguments(argv);
	pid_t pid = 0;
	int errnum = posix_spawn(&pid, program, &actions, &attributes, arguments, environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (errnum != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "cannot run \"%s\": %s", argv[0], g_strerror(errnum));
		return 0;
	}
	go_first(pid);
	return pid;
}

void process_signal(pid_t leader, int signum)
{
	kill(-leader, signum);
}

bool process_reap(pid_t leader, int *ret_status)
{
	bool ended = false;
	for (;;) {
		/* Looked at before it is reaped: until then its process id, and so the group's, cannot be another's. */
		siginfo_t info = { 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return ended;
		if (info.si_pid == leader)
			process_signal(leader, SIGKILL);
		int status = 0;
		if (waitpid(info.si_pid, &status, 0) == leader && leader != 0) {
			*ret_status = status;
			ended = true;
		}
	}
}

char *process_exit_text(int status)
{
	if (WIFSIGNALED(status))
		return g_strdup_printf("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return g_strdup_printf("exit status %d", WEXITSTATUS(status));
}
