/* What the files of source/ share: the snapshot's own shape, the walk that fills one, and libgit2's errors in our words.
 *
 * libgit2's handles are used by one thread at a time: a snapshot keeps its own object database under its own lock.
 */
#pragma once

#include "source/source.h"

#include <git2.h>
#include <pthread.h>

struct snapshot {
	gint refs;
	struct arena *arena; /* all texts and the files */
	struct source_file *files;
	size_t n_files;
	const char *revision, *summary, *root_commit, *branch, *subfolder;
	gint64 author_us;
	bool incomplete;   /* something was left out with an error */
	const char *place; /* real path of a folder; NULL for commits and for what is made of memory */
	/* where contents are: exactly one is set */
	git_odb *odb;
	int folder_fd;
	GHashTable *contents; /* path to GBytes */
	pthread_mutex_t lock; /* of odb; no GMutex: ThreadSanitizer understands these */
};

/* With nothing in it; one reference. */
struct snapshot *snapshot_new(void);

/* --- the walk: files come in, bounds are kept, findings go out ------------------------------------------------------------- */

struct walk {
	struct snapshot *snapshot;
	struct diags *diags;   /* may be NULL */
	const char *subfolder; /* path of the snapshot's root from the repository's root; "" when they are one */
	GArray *files;         /* of struct source_file */
	struct arena *arena;   /* of the texts: the snapshot's, or one that it keeps */
	size_t entries;
	guint64 bytes;
	bool full;             /* a bound was met: the walk ends */
};

void walk_begin(struct walk *walk, struct snapshot *snapshot, struct diags *diags);

/* Sorts, drops repeats with a finding, hands the files to the snapshot. */
void walk_end(struct walk *walk);
void walk_drop(struct walk *walk); /* instead: it is begun anew */

/* @folder ("" for the root) and @name as one path in the walk's arena; NULL when it is left out (there is a finding then). */
const char *walk_entry(struct walk *walk, const char *folder, const char *name, size_t depth);

void walk_file(struct walk *walk, const char *path, const git_oid *id, guint64 size, bool executable);
/* One that was walked before, so that only the bounds on all files together are looked at. False: one is met. */
bool walk_same_file(struct walk *walk, const struct source_file *file);
void walk_link(struct walk *walk, const char *path, const char *target); /* @target NULL: longer than any path can be */
void walk_submodule(struct walk *walk, const char *path);
void walk_finding(struct walk *walk, enum severity severity, const char *code, const char *path, const char *hint,
		  const char *format, ...)
	G_GNUC_PRINTF(6, 7);

/* More entries than SOURCE_MAX_ENTRIES: a finding, and the walk ends. */
void walk_too_many(struct walk *walk);

/* Is a file of that @size within SOURCE_MAX_FILE_BYTES? Else it is left out with a finding. */
bool walk_size_fits(struct walk *walk, const char *path, guint64 size);

/* --- repositories --------------------------------------------------------------------------------------------------------- */

void source_init(void); /* libgit2, once in this process */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_repository, git_repository_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_reference, git_reference_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_commit, git_commit_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_object, git_object_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_tree, git_tree_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_tree_entry, git_tree_entry_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(git_index, git_index_free)

/* "TEXT: libgit2's own words", with a code that fits @result. Always false. */
bool source_git_error(GError **error, int result, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The repository that @path is, or lies in. @ret_prefix (may be NULL): @path from the root of its work tree, "" where it is that
 * or the repository itself; owned by the caller. NOT_FOUND, UNSUPPORTED (SHA-256). */
git_repository *repository_open(const char *path, char **ret_prefix, GError **error);

/* The same for what only reads commits and refs, again and again: kept open between uses (see handles.c). One user at a time. */
struct handle {
	git_repository *git;
	const char *prefix; /* as ret_prefix above */
};

struct handle *handle_take(const char *path, GError **error);
void handle_give(struct handle *handle);
AUTO_DEFINE(handle, handle_give)

/* The commit that @revision (NULL: HEAD) names. A branch comes before a tag of the same name. @ret_branch (may be NULL): as
 * snapshot_branch(); owned by the caller. */
bool repository_resolve(git_repository *git, const char *revision, git_oid *ret, char **ret_branch, GError **error);

/* The branch that is checked out, born or not; NULL when HEAD is detached. Owned by the caller. */
char *repository_head_branch(git_repository *git);

/* The first commit of @commit's history by first parents. False when there is none to be found: the history is cut off (shallow),
 * is not whole, or is longer than SOURCE_MAX_HISTORY; @ret_why says so then. Known commits are remembered in the process. */
bool repository_root_commit(git_repository *git, const git_oid *commit, git_oid *ret, const char **ret_why);

/* "a/./b/" and "/a/b" give "a/b"; NULL and "." give "". NULL with INVALID where it leaves the root or is too long. */
char *subfolder_normalise(const char *subfolder, GError **error);

/* "a" and "b" give "a/b"; either may be "". Owned by the caller. */
char *subfolder_join(const char *first, const char *second);

/* For hash tables with object ids as keys. */
guint source_id_hash(gconstpointer id);
gboolean source_id_equal(gconstpointer a, gconstpointer b);
