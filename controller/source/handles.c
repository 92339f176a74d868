/* Opened repositories, kept for the next time.
 *
 * Opening one reads four configuration files, and in repositories of format version 1 libgit2 1.5 loses some 20 KiB for each of
 * their lines: a controller that opens its repository at every push must not. A handle is out of the list while it is used, so
 * each has one user at a time; it is used again only while the repository is the one that was opened.
 */
#include "source/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HANDLES_KEPT_MAX = 4 };

/* What shows that a file has been changed or put in another's place; all zero for one that is not there. */
struct stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct kept {
	struct handle handle;
	char *real, *prefix;
	struct stamp config, alternates;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static GQueue idle; /* of struct kept, last used first */

static struct stamp stamp_of(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	struct stat status;
	if (stat(path, &status) < 0)
		return (struct stamp) { 0 };
	return (struct stamp) { status.st_dev, status.st_ino, status.st_size, status.st_ctim };
}

static bool stamp_equal(struct stamp a, struct stamp b)
{
	return a.device == b.device && a.inode == b.inode && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
	       a.changed.tv_nsec == b.changed.tv_nsec;
}

static void kept_free(struct kept *kept)
{
	git_repository_free(kept->handle.git);
	g_free(kept->real);
	g_free(kept->prefix);
	g_free(kept);
}

static bool is_still_there(const struct kept *kept)
{
	const char *common = git_repository_commondir(kept->handle.git);
	return stamp_equal(kept->config, stamp_of(common, "config")) &&
	       stamp_equal(kept->alternates, stamp_of(common, "objects/info/alternates"));
}

static struct kept *take_idle(const char *real)
{
	struct kept *found = NULL;
	pthread_mutex_lock(&lock);
	for (GList *at = idle.head; at && !found; at = at->next) {
		struct kept *kept = at->data;
		if (g_str_equal(kept->real, real)) {
			found = kept;
			g_queue_delete_link(&idle, at);
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

struct handle *handle_take(const char *path, GError **error)
{
	char real[PATH_MAX];
	if (!realpath(path, real)) {
		pleach_error_errno(error, errno, "%s", path);
		return NULL;
	}
	struct kept *kept = take_idle(real);
	if (kept && !is_still_there(kept))
		g_clear_pointer(&kept, kept_free);
	if (kept)
		return &kept->handle;

	char *prefix = NULL;
	git_repository *git = repository_open(path, &prefix, error);
	if (!git)
		return NULL;
	kept = g_new0(struct kept, 1);
	kept->real = g_strdup(real);
	kept->prefix = prefix;
	kept->handle = (struct handle) { .git = git, .prefix = prefix };
	const char *common = git_repository_commondir(git);
	kept->config = stamp_of(common, "config");
	kept->alternates = stamp_of(common, "objects/info/alternates");
	return &kept->handle;
}

void handle_give(struct handle *handle)
{
	/* The handle is the first member of what was taken. */
	struct kept *kept = (struct kept *) (void *) handle, *surplus = NULL;
	pthread_mutex_lock(&lock);
	g_queue_push_head(&idle, kept);
	if (g_queue_get_length(&idle) > HANDLES_KEPT_MAX)
		surplus = g_queue_pop_tail(&idle);
	pthread_mutex_unlock(&lock);
	if (surplus)
		kept_free(surplus);
}
