/* A preloaded library that kills its process at the Nth write of the journal to disk: PLEACH_TEST_KILL_AT=N, before the write is on disk, or
 * PLEACH_TEST_KILL_AFTER=N, just after it is. Nothing in the product knows of it. */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int n_syncs;

static int is_journal(int fd)
{
	char link[64], path[4096];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	return strstr(path, "pleach.db") != NULL;
}

static int when(const char *variable)
{
	const char *text = getenv(variable);
	return text ? atoi(text) : 0;
}

static int sync_counted(int fd, const char *name)
{
	int (*real)(int) = (int (*)(int)) dlsym(RTLD_NEXT, name);
	if (!is_journal(fd))
		return real(fd);
	int n = atomic_fetch_add(&n_syncs, 1) + 1;
	if (n == when("PLEACH_TEST_KILL_AT"))
		kill(getpid(), SIGKILL);
	int result = real(fd);
	if (n == when("PLEACH_TEST_KILL_AFTER"))
		kill(getpid(), SIGKILL);
	return result;
}

int fdatasync(int fd);
int fdatasync(int fd)
{
	return sync_counted(fd, "fdatasync");
}

int fsync(int fd);
int fsync(int fd)
{
	return sync_counted(fd, "fsync");
}
