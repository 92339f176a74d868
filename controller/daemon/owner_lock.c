#include "daemon/owner_lock.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 256 };

struct owner_lock {
	char *folder, *path;
	int fd;
};

static char *lock_path(const char *folder, const char *owner)
{
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, owner, -1);
	digest[12] = '\0';
	return g_strdup_printf("%s/owner-%s.lock", folder, digest);
}

/* The holder removes the file when it ends: what we locked must still be what stands there. */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, theirs;
	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static bool refuse(int fd, const char *owner, GError **error)
{
	char holder[TEXT_MAX] = "another process";
	ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);
	if (n > 0)
		holder[n] = '\0';
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s acts for owner %s already; stop it first, or use another owner", holder,
		    owner);
	return false;
}

static bool lock_file(struct owner_lock *lock, const char *owner, GError **error)
{
	for (;;) {
		lock->fd = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (lock->fd < 0)
			return pleach_error_errno(error, errno, "%s", lock->path);
		if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
			return errno == EWOULDBLOCK ? refuse(lock->fd, owner, error) : pleach_error_errno(error, errno, "%s", lock->path);
		if (is_still_there(lock->fd, lock->path))
			return true;
		close(lock->fd);
	}
}

struct owner_lock *owner_lock_take(const char *owner, GError **error)
{
	struct owner_lock *lock = g_new0(struct owner_lock, 1);
	lock->folder = file_runtime_folder();
	lock->path = lock_path(lock->folder, owner);
	lock->fd = -1;
	if (!file_make_folder(lock->folder, 0700, error) || !lock_file(lock, owner, error)) {
		if (lock->fd >= 0)
			close(lock->fd);
		g_free(lock->path);
		g_free(lock->folder);
		g_free(lock);
		return NULL;
	}
	g_autofree char *text = g_strdup_printf("%s (pid %d)", g_get_prgname(), (int) getpid());
	if (ftruncate(lock->fd, 0) == 0 && write(lock->fd, text, strlen(text)) < 0) {
		/* The lock holds without the text, which only names us. */
	}
	return lock;
}

void owner_lock_drop(struct owner_lock *lock)
{
	if (!lock)
		return;
	unlink(lock->path);
	close(lock->fd);
	rmdir(lock->folder); /* succeeds for the last one out */
	g_free(lock->path);
	g_free(lock->folder);
	g_free(lock);
}
