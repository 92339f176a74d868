#include "leaf/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
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

/* Between fork and exec: nothing here may allocate. What goes wrong is told through the pipe. */
static void G_GNUC_NORETURN become(const struct process_want *want, const char *program, char *const *argv, char *const *environment, int tell)
{
	sigset_t none;
	sigemptyset(&none);
	for (int signum = 1; signum < NSIG; signum++)
		signal(signum, SIG_DFL);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	bool ok = setsid() >= 0 && null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 && dup2(want->output_fd, STDOUT_FILENO) >= 0 &&
		  dup2(want->error_fd, STDERR_FILENO) >= 0 && chdir(want->folder ? want->folder : "/") == 0 &&
		  (!want->subreaper || prctl(PR_SET_CHILD_SUBREAPER, 1) == 0) && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
	if (ok)
		execve(program, argv, environment);
	int errnum = errno;
	/* A script that does not say whose it is, is the shell's. */
	if (ok && errnum == ENOEXEC && !argv[1])
		execve("/bin/sh", (char *const[]) { (char *) (guintptr) "sh", (char *) (guintptr) program, NULL }, environment);
	while (write(tell, &errnum, sizeof(errnum)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* 0, or why it does not run. */
static int spawn(const struct process_want *want, const char *program, char *const *environment, pid_t *ret_pid)
{
	int tell[2], errnum = 0;
	if (pipe2(tell, O_CLOEXEC) != 0)
		return errno;
	pid_t pid = fork();
	if (pid == 0)
		become(want, program, (char *const *) (guintptr) want->argv, environment, tell[1]);
	int failed = pid < 0 ? errno : 0;
	close(tell[1]);
	ssize_t n = 0;
	while (pid > 0 && (n = read(tell[0], &errnum, sizeof(errnum))) < 0 && errno == EINTR)
		;
	close(tell[0]);
	if (pid > 0 && n == (ssize_t) sizeof(errnum)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return errnum;
	}
	*ret_pid = pid;
	return failed;
}

static char **make_environment(const char *const *more)
{
	GPtrArray *all = g_ptr_array_new();
	g_ptr_array_add(all, g_strdup("PATH=" PROGRAM_FOLDERS));
	g_ptr_array_add(all, g_strdup("HOME=/"));
	g_ptr_array_add(all, g_strdup("LANG=C.UTF-8"));
	for (; more && *more; more++)
		g_ptr_array_add(all, g_strdup(*more));
	g_ptr_array_add(all, NULL);
	return (char **) g_ptr_array_free(all, FALSE);
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

pid_t process_start(const struct process_want *want, GError **error)
{
	const char *name = want->argv[0];
	g_autofree char *program = find_program(name);
	if (!program) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "cannot run \"%s\": no such program in %s", name, PROGRAM_FOLDERS);
		return 0;
	}
	g_auto(GStrv) environment = make_environment(want->environment);
	pid_t pid = 0;
	int errnum = spawn(want, program, environment, &pid);
	if (errnum != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "cannot run \"%s\": %s", name, g_strerror(errnum));
		return 0;
	}
	go_first(pid);
	return pid;
}

void process_signal(pid_t leader, int signum)
{
	kill(-leader, signum);
}

char *process_exit_text(int status)
{
	if (WIFSIGNALED(status))
		return g_strdup_printf("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return g_strdup_printf("exit status %d", WEXITSTATUS(status));
}

int process_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
