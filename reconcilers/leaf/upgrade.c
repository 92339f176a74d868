#include "leaf/upgrade.h"

#include "base/clock.h"
#include "leaf/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool fill(int fd, const char *bytes, size_t length, GError **error)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pleach_error_errno(error, errno, "keep the new program in memory");
		bytes += n;
		length -= (size_t) n;
	}
	return true;
}

static int in_memory(const char *name, const char *bytes, size_t length, GError **error)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd < 0) {
		pleach_error_errno(error, errno, "keep the new program in memory");
		return -1;
	}
	if (fill(fd, bytes, length, error))
		return fd;
	close(fd);
	return -1;
}

/* Ours only: what runs here must not get at secrets through /proc. */
static int state_in_memory(struct supervisor *supervisor, GError **error)
{
	g_autofree char *state = supervisor_hand_over(supervisor, clock_monotonic_us(), error);
	return state ? in_memory("pleach-leaf-state", state, strlen(state), error) : -1;
}

static pid_t try_in_child(struct supervisor *supervisor, int program_fd, int state_fd)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	char number[16], name[] = "pleach-leaf", option[] = "--try";
	g_snprintf(number, sizeof(number), "%d", state_fd);
	char *const argv[] = { name, option, number, NULL };
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd >= 0 && dup2(null_fd, 0) >= 0 && dup2(null_fd, 1) >= 0 && dup2(null_fd, 2) >= 0 && fcntl(state_fd, F_SETFD, 0) == 0) {
		supervisor_inherit_fds(supervisor, true);
		fexecve(program_fd, argv, environ);
	}
	_exit(127);
}

static bool ends_well(pid_t pid, GError **error)
{
	int status = 0, fd = pidfd_open(pid, 0);
	struct pollfd end = { .fd = fd, .events = POLLIN };
	bool in_time = fd >= 0 && poll(&end, 1, UPGRADE_TRY_MS) > 0;
	if (fd >= 0)
		close(fd);
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (in_time && process_exit_status(status) == 0)
		return true;
	g_autofree char *how = process_exit_text(status);
	return pleach_error_invalid(error, "the new program cannot go on from here: %s", how);
}

int upgrade_try(struct supervisor *supervisor, const char *bytes, size_t length, GError **error)
{
	static const char magic[] = { 0x7f, 'E', 'L', 'F' };
	if (length < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0) {
		pleach_error_invalid(error, "that is no program");
		return -1;
	}
	int state_fd = state_in_memory(supervisor, error);
	int program_fd = state_fd < 0 ? -1 : in_memory("pleach-leaf", bytes, length, error);
	bool good = program_fd >= 0;
	if (good) {
		pid_t pid = try_in_child(supervisor, program_fd, state_fd);
		good = pid < 0 ? pleach_error_errno(error, errno, "try the new program") : ends_well(pid, error);
	}
	if (state_fd >= 0)
		close(state_fd);
	if (!good && program_fd >= 0)
		close(program_fd);
	return good ? program_fd : -1;
}

void upgrade_go(struct supervisor *supervisor, int program_fd, int listen_fd, GError **error)
{
	char state[16], listens[16], name[] = "pleach-leaf", resume[] = "--resume", listen_option[] = "--listen-fd";
	int state_fd = state_in_memory(supervisor, error);
	if (state_fd < 0)
		return;
	g_snprintf(state, sizeof(state), "%d", state_fd);
	g_snprintf(listens, sizeof(listens), "%d", listen_fd);
	char *const argv[] = { name, resume, state, listen_option, listens, NULL };
	supervisor_inherit_fds(supervisor, true);
	fcntl(state_fd, F_SETFD, 0);
	fcntl(listen_fd, F_SETFD, 0);
	fexecve(program_fd, argv, environ);
	pleach_error_errno(error, errno, "go on as the new program");
	supervisor_inherit_fds(supervisor, false);
	fcntl(listen_fd, F_SETFD, FD_CLOEXEC);
	close(state_fd);
}

struct supervisor *upgrade_resume(int fd, GError **error)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		pleach_error_invalid(error, "descriptor %d holds nothing that was handed over", fd);
		return NULL;
	}
	g_autofree char *text = g_malloc((size_t) st.st_size + 1);
	ssize_t n = pread(fd, text, (size_t) st.st_size, 0);
	close(fd);
	if (n != st.st_size) {
		pleach_error_errno(error, errno, "read what was handed over");
		return NULL;
	}
	return supervisor_take_over(text, (size_t) n, error);
}
