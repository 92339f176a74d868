#include "base/file.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *file_read(const char *path, size_t max_bytes, size_t *ret_length, GError **error)
{
	/* O_NONBLOCK: a FIFO put in a file's place must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		pleach_error_errno(error, errno, "%s", path);
		return NULL;
	}
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	char piece[64 * 1024];
	ssize_t got;
	while ((got = read(fd, piece, sizeof(piece))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			pleach_error_errno(error, errno, "%s", path);
			close(fd);
			return NULL;
		}
		if (bytes->len + (size_t) got > max_bytes) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: larger than %zu bytes", path, max_bytes);
			close(fd);
			return NULL;
		}
		g_byte_array_append(bytes, (const guint8 *) piece, (guint) got);
	}
	close(fd);
	if (ret_length)
		*ret_length = bytes->len;
	g_byte_array_append(bytes, (const guint8 *) "", 1);
	return (char *) g_byte_array_free(g_steal_pointer(&bytes), FALSE);
}

bool file_write_all(int fd, const void *data, size_t length)
{
	const char *at = data;
	while (length > 0) {
		ssize_t put = write(fd, at, length);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		length -= (size_t) put;
	}
	return true;
}

static bool sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool synced = fsync(fd) == 0 || errno == EINVAL; /* EINVAL: a file system without anything to sync */
	int saved = errno;
	close(fd);
	errno = saved;
	return synced;
}

bool file_write(const char *path, const void *data, size_t length, mode_t mode, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *beside = g_strdup_printf("%s/.%.200s.XXXXXX", folder, name);
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return pleach_error_errno(error, errno, "%s: no temporary file beside it", path);
	bool written = fchmod(fd, mode) == 0 && file_write_all(fd, data, length) && fsync(fd) == 0;
	int saved = errno;
	if (close(fd) < 0 && written) {
		saved = errno;
		written = false;
	}
	if (written && rename(beside, path) < 0) {
		saved = errno;
		written = false;
	}
	if (!written) {
		unlink(beside);
		return pleach_error_errno(error, saved, "%s: cannot be written", path);
	}
	if (!sync_folder(folder))
		return pleach_error_errno(error, errno, "%s: written, but its folder cannot be synced", path);
	return true;
}

bool file_make_folder(const char *path, mode_t mode, GError **error)
{
	if (g_mkdir_with_parents(path, (gint) mode) < 0)
		return pleach_error_errno(error, errno, "%s: the folder cannot be made", path);
	return true;
}

char *file_runtime_folder(void)
{
	const char *given = g_getenv("PLEACH_RUNTIME_DIR");
	if (given && *given)
		return g_strdup(given);
	/* Not root's XDG_RUNTIME_DIR: that is of a login session, and gone with it, while a service has none. */
	if (geteuid() == 0)
		return g_strdup("/run/pleach");
	const char *xdg = g_getenv("XDG_RUNTIME_DIR");
	if (xdg && *xdg == '/')
		return g_build_filename(xdg, "pleach", NULL);
	return g_strdup_printf("/tmp/pleach-%u", (unsigned) geteuid());
}

char *file_state_folder(void)
{
	const char *xdg = g_getenv("XDG_STATE_HOME");
	if (xdg && *xdg == '/')
		return g_build_filename(xdg, "pleach", NULL);
	if (geteuid() == 0)
		return g_strdup("/var/lib/pleach");
	return g_build_filename(g_get_home_dir(), ".local", "state", "pleach", NULL);
}
