/* Where descriptors come from: a commit of a local Git repository (read with libgit2, never checked out), or a directory.
 *
 * A snapshot is immutable; any thread may read it once opened. Contents are read when asked for, within bounds.
 */
#pragma once

#include "base/arena.h"
#include "base/diag.h"
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

enum {
	SOURCE_MAX_FILES = 20000,
	SOURCE_MAX_ENTRIES = 100000, /* files, folders and what is left out */
	SOURCE_MAX_FILE_BYTES = 4 * 1024 * 1024,
	SOURCE_MAX_TOTAL_BYTES = 512 * 1024 * 1024,
	SOURCE_MAX_TREE_DEPTH = 64,
	SOURCE_MAX_TREE_BYTES = 16 * 1024 * 1024, /* of one folder's list of entries */
	SOURCE_MAX_COMMIT_BYTES = 1024 * 1024, /* of one commit's own text */
	SOURCE_MAX_PATH = 1024,
	SOURCE_MAX_HISTORY = 1000000, /* commits looked through for the first one */
};

struct source_file {
	const char *path; /* from the root of the snapshot (the sub-folder, when there is one), without a leading slash */
	const char *id;   /* blob id in hex (Git's own, also for files of a directory) */
	size_t size;
	bool executable;
};

struct snapshot;

/* @path: a repository (bare or not), a work tree, or a folder within one; @revision: anything that names a commit ("main",
 * "HEAD~2", an id). @subfolder may be NULL. Files that are links, submodules, too large or too many are left out with findings. */
struct snapshot *snapshot_open_commit(const char *path, const char *revision, const char *subfolder, struct diags *diags, GError **error);

/* The files of a folder as they are now (".git" and what Git ignores are left out). */
struct snapshot *snapshot_open_folder(const char *path, const char *subfolder, struct diags *diags, GError **error);

/* Made of memory, for tests, benches and fuzzing: pairs of path and content, NULL at the end. */
struct snapshot *snapshot_of(const char *path, ...) G_GNUC_NULL_TERMINATED;

struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);
AUTO_DEFINE(snapshot, snapshot_unref)

/* False when a file or folder that may hold descriptors was left out (too large, unreadable, beyond a bound): what is not seen in this
 * snapshot is then not known to be gone. */
bool snapshot_is_whole(const struct snapshot *snapshot);

size_t snapshot_count(const struct snapshot *snapshot);
const struct source_file *snapshot_file(const struct snapshot *snapshot, size_t i); /* in memcmp order of paths */
const struct source_file *snapshot_find(const struct snapshot *snapshot, const char *path);

/* The bytes of a file: owned by the caller (g_bytes_unref). */
GBytes *snapshot_read(const struct snapshot *snapshot, const char *path, GError **error);

const char *snapshot_revision(const struct snapshot *snapshot);     /* 40 hex digits, or "working tree" */
const char *snapshot_summary(const struct snapshot *snapshot);      /* first line of the commit's message, author and time; or NULL */
gint64 snapshot_author_us(const struct snapshot *snapshot);         /* wall clock: when its author says that the commit was made; or 0 */
const char *snapshot_root_commit(const struct snapshot *snapshot);  /* the first commit of the history (the oldest by first parents); NULL for folders outside Git */
const char *snapshot_branch(const struct snapshot *snapshot);       /* short name of the branch that was asked for or is checked out; or NULL */
const char *snapshot_subfolder(const struct snapshot *snapshot);    /* as given, normalised; "" for none */

/* Is the work tree at @path free of changes under @subfolder, untracked files included? @ret_what names the first that is not. */
bool source_is_clean(const char *path, const char *subfolder, bool *ret_clean, char **ret_what, GError **error);

/* The commit that @revision names now, 40 hex digits, cheaply. Owned by the caller. */
char *source_resolve(const char *path, const char *revision, GError **error);

/* The owner tag of a repository without one of its own: 16 hex digits of a hash over root commit, branch and sub-folder; for a folder
 * outside Git, over its real path. Owned by the caller. */
char *source_default_owner(const struct snapshot *snapshot);

/* --- watching: a push is seen within 50 ms through inotify -------------------------------------------------------------- */

struct source_watch;

/* Watches one name in a repository: a branch, else a tag, else a whole commit id; it need not be there yet. NULL: the branch that is
 * checked out. */
struct source_watch *source_watch_new(const char *path, const char *branch, GError **error);
void source_watch_free(struct source_watch *watch);
AUTO_DEFINE(source_watch, source_watch_free)
int source_watch_fd(const struct source_watch *watch); /* readable: call source_watch_read() */

/* Empties the events, watches again what has come, resolves the name. True when it names another commit than at the last call (the
 * first call counts as a change); *@ret_commit is then its id, owned by the caller, or NULL when the branch is gone. */
bool source_watch_read(struct source_watch *watch, char **ret_commit);
