/* Watching one branch (or tag, or commit that is still to come) through inotify.
 *
 * Watched are the folders on the way to its loose ref, were it branch or tag, and the repository's own folder (for packed-refs, and for refs/
 * being made anew). Git makes "feature/x" folder and file faster than a watch can be set on the folder, and pack-refs deletes
 * refs and empty folders: so an event says only "look again", and each look first watches again what has come, then resolves
 * the one ref.
 */
#include "source/internal.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { READS_MAX = 64 }; /* of one call: a repository that never rests must not hold its reader */

struct source_watch {
	int fd;
	char *path;
	char *branch, *tag; /* refs/heads/NAME, refs/tags/NAME */
	char *name;
	git_repository *git;
	GPtrArray *folders; /* from the repository's own down to the one that holds the ref's file */
	bool asked;         /* @last is an answer that was given */
	bool had;
	git_oid last;
};

/* False and errno when a folder is there and cannot be watched. */
static bool watch_folders(struct source_watch *watch)
{
	const guint32 mask = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF |
			     IN_ONLYDIR;
	/* A folder that is not there yet is watched when it is: its coming is an event of the one above. */
	for (size_t i = 0; i < watch->folders->len; i++)
		if (inotify_add_watch(watch->fd, g_ptr_array_index(watch->folders, i), mask) < 0 && errno != ENOENT && errno != ENOTDIR)
			return false;
	return true;
}

static void add_folders_of(struct source_watch *watch, const char *ref)
{
	for (const char *slash = strchr(ref, '/'); slash; slash = strchr(slash + 1, '/')) {
		g_autofree char *folder = g_strndup(ref, (gsize) (slash - ref));
		g_ptr_array_add(watch->folders, g_build_filename(git_repository_commondir(watch->git), folder, NULL));
	}
}

static bool name_ref(struct source_watch *watch, const char *branch, GError **error)
{
	g_autofree char *head = branch ? g_strdup(branch) : repository_head_branch(watch->git);
	int valid = 0;
	if (!head || git_branch_name_is_valid(&valid, head) < 0 || !valid) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: \"%.80s\" cannot be the name of a branch",
			    watch->path, head ? head : "(HEAD is detached)");
		return false;
	}
	watch->branch = g_strconcat("refs/heads/", head, NULL);
	watch->tag = g_strconcat("refs/tags/", head, NULL);
	watch->name = g_steal_pointer(&head);
	/* Refs of linked work trees are in the repository that they are linked to. */
	const char *common = git_repository_commondir(watch->git);
	g_ptr_array_add(watch->folders, g_strdup(common));
	add_folders_of(watch, watch->branch);
	add_folders_of(watch, watch->tag);
	return true;
}

struct source_watch *source_watch_new(const char *path, const char *branch, GError **error)
{
	auto_ptr(source_watch) watch = g_new0(struct source_watch, 1);
	watch->fd = -1;
	watch->path = g_strdup(path);
	watch->folders = g_ptr_array_new_with_free_func(g_free);
	watch->git = repository_open(path, NULL, error);
	if (!watch->git || !name_ref(watch, branch, error))
		return NULL;
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0) {
		pleach_error_errno(error, errno, "%s: cannot be watched (fs.inotify.max_user_instances)", path);
		return NULL;
	}
	if (!watch_folders(watch)) {
		pleach_error_errno(error, errno, "%s: cannot be watched (fs.inotify.max_user_watches)", path);
		return NULL;
	}
	return g_steal_pointer(&watch);
}

void source_watch_free(struct source_watch *watch)
{
	if (!watch)
		return;
	if (watch->fd >= 0)
		close(watch->fd);
	if (watch->git)
		git_repository_free(watch->git);
	g_ptr_array_unref(watch->folders);
	g_free(watch->branch);
	g_free(watch->tag);
	g_free(watch->name);
	g_free(watch->path);
	g_free(watch);
}

int source_watch_fd(const struct source_watch *watch)
{
	return watch->fd;
}

/* A branch comes before a tag, a tag before a commit's id, as in repository_resolve(). */
static int look_up(struct source_watch *watch, git_oid *ret)
{
	int result = git_reference_name_to_id(ret, watch->git, watch->branch);
	if (result == GIT_ENOTFOUND)
		result = git_reference_name_to_id(ret, watch->git, watch->tag);
	if (result != GIT_ENOTFOUND || strlen(watch->name) != GIT_OID_HEXSZ || git_oid_fromstr(ret, watch->name) < 0)
		return result;
	g_autoptr(git_commit) commit = NULL;
	return git_commit_lookup(&commit, watch->git, ret) == 0 ? 0 : GIT_ENOTFOUND;
}

/* An annotated tag is not the commit that it leads to. */
static char *commit_text(git_repository *git, const git_oid *id)
{
	g_autoptr(git_object) object = NULL, commit = NULL;
	bool found = git_object_lookup(&object, git, id, GIT_OBJECT_ANY) == 0 && git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0;
	return g_strdup(git_oid_tostr_s(found ? git_object_id(commit) : id));
}

bool source_watch_read(struct source_watch *watch, char **ret_commit)
{
	*ret_commit = NULL;
	char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	for (size_t i = 0; i < READS_MAX; i++) {
		ssize_t n = read(watch->fd, events, sizeof events);
		if (n <= 0 && !(n < 0 && errno == EINTR))
			break;
	}
	watch_folders(watch); /* one that fails now is tried again at the next look */

	git_oid id;
	int result = look_up(watch, &id);
	bool has = result == 0;
	if (!has && result != GIT_ENOTFOUND)
		return false; /* a ref that cannot be read just now is neither gone nor changed: the next look will tell */
	bool changed = !watch->asked || has != watch->had || (has && !git_oid_equal(&id, &watch->last));
	watch->asked = true;
	watch->had = has;
	if (has)
		git_oid_cpy(&watch->last, &id);
	if (changed && has)
		*ret_commit = commit_text(watch->git, &id);
	return changed;
}
