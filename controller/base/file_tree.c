/* Removal of a tree that somebody else may have filled: by descriptors, never by paths, so that no symbolic link is followed; one
 * descriptor at a time, so that no depth exhausts them; and never across a mount. */
#include "base/file.h"

#include "base/error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	dev_t dev;
	ino_t ino;
	char *name; /* of the child that was entered */
};

struct walk {
	const char *root; /* for errors */
	DIR *dir;         /* the folder that is being emptied */
	GArray *above;    /* of struct place: the way back up */
	guint64 mount;
};

static void place_clear(struct place *place)
{
	g_free(place->name);
}

/* Which mount @fd is on; the device's number where the kernel does not tell. */
static bool mount_of(int fd, guint64 *ret)
{
	struct statx stat;
	if (statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID, &stat) < 0)
		return false;
	*ret = stat.stx_mask & STATX_MNT_ID ? stat.stx_mnt_id : ((guint64) stat.stx_dev_major << 32 | stat.stx_dev_minor);
	return true;
}

/* Opens the folder @name in @parent; one of ours that we may not read or write is made readable first. */
static int open_folder(int parent, const char *name)
{
	enum { FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	int fd = openat(parent, name, FLAGS);
	if (fd < 0 && errno == EACCES) {
		int path_fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (path_fd < 0)
			return -1;
		char self[64];
		g_snprintf(self, sizeof(self), "/proc/self/fd/%d", path_fd);
		int changed = chmod(self, 0700), saved = errno;
		close(path_fd);
		errno = changed < 0 ? saved : 0;
		fd = changed < 0 ? -1 : openat(parent, name, FLAGS);
	}
	struct stat stat;
	if (fd >= 0 && fstat(fd, &stat) == 0 && (stat.st_mode & 0700) != 0700)
		(void) !fchmod(fd, 0700); /* where this fails, the removal of what is in it says so */
	return fd;
}

static bool enter(struct walk *walk, int fd, const char *name, GError **error)
{
	guint64 mount;
	if (!mount_of(fd, &mount)) {
		pleach_error_errno(error, errno, "%s: \"%s\" in it", walk->root, name);
		close(fd);
		return false;
	}
	if (walk->dir && mount != walk->mount) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: \"%s\" in it is a mount point: left alone",
			    walk->root, name);
		close(fd);
		return false;
	}
	if (walk->dir) {
		struct stat stat;
		if (fstat(dirfd(walk->dir), &stat) < 0) {
			close(fd);
			return pleach_error_errno(error, errno, "%s", walk->root);
		}
		struct place place = { .dev = stat.st_dev, .ino = stat.st_ino, .name = g_strdup(name) };
		g_array_append_val(walk->above, place);
		closedir(walk->dir);
	}
	walk->mount = mount;
	walk->dir = fdopendir(fd);
	if (!walk->dir) {
		pleach_error_errno(error, errno, "%s", walk->root);
		close(fd);
		return false;
	}
	return true;
}

/* Back to the folder above, whose emptied child is removed. */
static bool leave(struct walk *walk, GError **error)
{
	struct place *place = &g_array_index(walk->above, struct place, walk->above->len - 1);
	int fd = openat(dirfd(walk->dir), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat stat;
	if (fd < 0 || fstat(fd, &stat) < 0) {
		pleach_error_errno(error, errno, "%s: the way back out of \"%s\"", walk->root, place->name);
	} else if (stat.st_dev != place->dev || stat.st_ino != place->ino) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: \"%s\" was moved while it was being removed",
			    walk->root, place->name);
	} else if (unlinkat(fd, place->name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
		pleach_error_errno(error, errno, "%s: \"%s\" in it cannot be removed", walk->root, place->name);
	} else {
		closedir(walk->dir);
		walk->dir = fdopendir(fd);
		g_array_set_size(walk->above, walk->above->len - 1);
		if (walk->dir)
			return true;
		pleach_error_errno(error, errno, "%s", walk->root);
	}
	if (fd >= 0)
		close(fd);
	return false;
}

/* Removes what is not a folder, and enters the first folder that is not empty. *@ret_empty: nothing is left here. */
static bool empty_folder(struct walk *walk, bool *ret_empty, GError **error)
{
	*ret_empty = false;
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(walk->dir);
		if (!entry) {
			*ret_empty = errno == 0;
			return errno == 0 ? true : pleach_error_errno(error, errno, "%s", walk->root);
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(walk->dir), entry->d_name, 0) == 0 || errno == ENOENT)
			continue;
		int fd = errno == EISDIR ? open_folder(dirfd(walk->dir), entry->d_name) : -1;
		if (fd < 0)
			return pleach_error_errno(error, errno, "%s: \"%s\" in it cannot be removed", walk->root, entry->d_name);
		g_autofree char *name = g_strdup(entry->d_name);
		return enter(walk, fd, name, error);
	}
}

bool file_remove_tree(const char *path, GError **error)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	int fd = errno == EISDIR ? open_folder(AT_FDCWD, path) : -1;
	if (fd < 0)
		return pleach_error_errno(error, errno, "%s: cannot be removed", path);
	struct walk walk = { .root = path, .above = g_array_new(FALSE, FALSE, sizeof(struct place)) };
	g_array_set_clear_func(walk.above, (GDestroyNotify) place_clear);
	bool good = enter(&walk, fd, path, error), empty = false;
	while (good && !(empty && walk.above->len == 0)) {
		good = empty ? leave(&walk, error) : true;
		if (good)
			good = empty_folder(&walk, &empty, error);
	}
	if (walk.dir)
		closedir(walk.dir);
	g_array_unref(walk.above);
	if (good && rmdir(path) < 0 && errno != ENOENT)
		return pleach_error_errno(error, errno, "%s: cannot be removed", path);
	return good;
}
