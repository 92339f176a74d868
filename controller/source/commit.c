/* The tree of a commit, read where it lies: only trees and the sizes of blobs; contents when they are asked for. */
#include "source/internal.h"

#include "base/clock.h"
#include "source/objects.h"
#include "source/trees.h"

#include <limits.h>
#include <string.h>

struct tree_walk {
	struct walk walk;
	git_repository *git;
	git_odb *odb;
	bool anew;       /* nothing that is remembered is made use of */
	bool remembered; /* something was */
};

static void add_blob(struct tree_walk *tree, const char *path, const git_oid *id, bool executable)
{
	guint64 size = 0;
	g_autoptr(GError) error = NULL;
	if (objects_size(tree->odb, id, &size, &error))
		walk_file(&tree->walk, path, id, size, executable);
	else
		walk_finding(&tree->walk, SEVERITY_ERROR, "missing-object", path,
			     "fetch the repository whole: git fsck names what is missing",
			     "cannot be read: %s", error->message);
}

static void add_link(struct tree_walk *tree, const char *path, const git_oid *id)
{
	guint64 size = 0;
	git_odb_object *object = NULL;
	g_autofree char *target = NULL;
	if (objects_size(tree->odb, id, &size, NULL) && size < PATH_MAX && git_odb_read(&object, tree->odb, id) == 0)
		target = g_strndup(git_odb_object_data(object), git_odb_object_size(object));
	if (object)
		git_odb_object_free(object);
	walk_link(&tree->walk, path, target);
}

static void walk_tree(struct tree_walk *tree, const git_oid *id, const char *path, size_t depth);

/* --- as it was ----------------------------------------------------------------------------------------------------------- */

/* False: a bound is near, so that each entry has to be looked at. */
static bool walk_as_before(struct tree_walk *tree, const struct tree *former, size_t depth)
{
	struct walk *walk = &tree->walk;
	if (walk->full || walk->entries + former->n > SOURCE_MAX_ENTRIES || walk->files->len + former->n > SOURCE_MAX_FILES)
		return false;
	tree->remembered = true;
	arena_adopt(walk->snapshot->arena, former->arena);
	for (size_t i = 0; i < former->n && !walk->full; i++) {
		const struct tree_entry *entry = &former->entries[i];
		walk->entries++;
		if (entry->is_tree)
			walk_tree(tree, &entry->id, entry->file.path, depth + 1);
		else
			walk_same_file(walk, &entry->file);
	}
	return true;
}

/* --- as it is ------------------------------------------------------------------------------------------------------------- */

struct building {
	struct tree_walk *tree;
	struct tree *made;
	const struct tree *former; /* or NULL */
	size_t at;                 /* in @former */
	GArray *entries;           /* struct tree_entry */
	bool clean;                /* without any finding */
};

static void note_entry(struct building *building, const struct source_file *file, const git_oid *id, bool is_tree)
{
	struct tree_entry entry = { .file = *file, .is_tree = is_tree };
	git_oid_cpy(&entry.id, id);
	g_array_append_val(building->entries, entry);
}

/* Both lists are in Git's order; what is only in one of them is passed by. */
static const struct tree_entry *former_entry(struct building *building, const git_tree_entry *entry, size_t prefix)
{
	const char *name = git_tree_entry_name(entry);
	bool is_tree = git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE;
	for (size_t i = building->at; building->former && i < building->former->n; i++) {
		const struct tree_entry *was = &building->former->entries[i];
		int order = strcmp(was->file.path + prefix, name);
		if (order == 0 && was->is_tree == is_tree) {
			building->at = i + 1;
			return was;
		}
		if (order > 0)
			return NULL;
		building->at = i + 1;
	}
	return NULL;
}

/* A blob that stands there as it stood. */
static bool blob_as_before(struct building *building, const git_tree_entry *entry, size_t prefix)
{
	struct walk *walk = &building->tree->walk;
	const struct tree_entry *was = former_entry(building, entry, prefix);
	bool executable = git_tree_entry_filemode(entry) == GIT_FILEMODE_BLOB_EXECUTABLE;
	if (!was || was->is_tree || was->file.executable != executable || !git_oid_equal(&was->id, git_tree_entry_id(entry)) ||
	    walk->entries >= SOURCE_MAX_ENTRIES)
		return false;
	const struct source_file file = {
		.path = arena_strdup(walk->arena, was->file.path), .id = arena_strdup(walk->arena, was->file.id), .size = was->file.size,
		.executable = executable,
	};
	walk->entries++;
	building->tree->remembered = true;
	if (walk_same_file(walk, &file))
		note_entry(building, &file, &was->id, false);
	else
		building->clean = false;
	return true;
}

static void walk_entry_of(struct building *building, const git_tree_entry *entry, size_t depth)
{
	struct tree_walk *tree = building->tree;
	const char *path = building->made->path;
	git_filemode_t mode = git_tree_entry_filemode(entry);
	bool is_blob = mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
	if (is_blob && blob_as_before(building, entry, *path ? strlen(path) + 1 : 0))
		return;
	const char *inner = walk_entry(&tree->walk, path, git_tree_entry_name(entry), depth);
	guint n_files = tree->walk.files->len;
	building->clean = building->clean && inner;
	if (!inner)
		return;
	switch (mode) {
	case GIT_FILEMODE_TREE:
		note_entry(building, &(struct source_file) { .path = inner }, git_tree_entry_id(entry), true);
		walk_tree(tree, git_tree_entry_id(entry), inner, depth + 1);
		return;
	case GIT_FILEMODE_BLOB:
	case GIT_FILEMODE_BLOB_EXECUTABLE:
		add_blob(tree, inner, git_tree_entry_id(entry), mode == GIT_FILEMODE_BLOB_EXECUTABLE);
		break;
	case GIT_FILEMODE_LINK:
		add_link(tree, inner, git_tree_entry_id(entry));
		break;
	case GIT_FILEMODE_COMMIT:
		walk_submodule(&tree->walk, inner);
		break;
	case GIT_FILEMODE_UNREADABLE:
		walk_finding(&tree->walk, SEVERITY_ERROR, "unreadable", inner, NULL, "of a kind that Git does not have: left out");
		break;
	}
	if (is_blob && tree->walk.files->len == n_files + 1)
		note_entry(building, &g_array_index(tree->walk.files, struct source_file, n_files), git_tree_entry_id(entry), false);
	else
		building->clean = false;
}

static struct tree *tree_new(const git_oid *id, const char *path)
{
	struct arena *arena = arena_new();
	struct tree *tree = ARENA_NEW(arena, struct tree);
	tree->arena = arena;
	git_oid_cpy(&tree->id, id);
	tree->path = arena_strdup(arena, path);
	return tree;
}

static void walk_entries(struct tree_walk *tree, git_tree *entries, const struct tree *former, const char *path, size_t depth)
{
	auto_ptr(tree) made = tree_new(git_tree_id(entries), path);
	struct arena *outer = tree->walk.arena;
	g_autoptr(GArray) noted = g_array_new(FALSE, FALSE, sizeof(struct tree_entry));
	struct building building = { .tree = tree, .made = made, .former = former, .entries = noted, .clean = true };
	size_t n = git_tree_entrycount(entries);
	arena_adopt(tree->walk.snapshot->arena, made->arena);
	for (size_t i = 0; i < n && !tree->walk.full; i++) {
		tree->walk.arena = made->arena;
		walk_entry_of(&building, git_tree_entry_byindex(entries, i), depth);
	}
	tree->walk.arena = outer;
	if (!building.clean || tree->walk.full)
		return;
	made->entries = arena_memdup(made->arena, noted->data, noted->len * sizeof(struct tree_entry));
	made->n = noted->len;
	trees_put(made);
}

static void walk_tree(struct tree_walk *tree, const git_oid *id, const char *path, size_t depth)
{
	g_autoptr(git_tree) entries = NULL;
	size_t size = 0;
	git_object_t type;
	auto_ptr(tree) former = tree->anew ? NULL : trees_take(path);
	if (former && git_oid_equal(&former->id, id) && walk_as_before(tree, former, depth))
		return;
	int result = git_odb_read_header(&size, &type, tree->odb, id);
	if (result == 0 && size > SOURCE_MAX_TREE_BYTES) {
		walk_finding(&tree->walk, SEVERITY_ERROR, "too-many-files", *path ? path : ".", "split the folder",
			     "its list of entries has %zu bytes, more than the %d that are read: left out", size, SOURCE_MAX_TREE_BYTES);
		return;
	}
	if (result < 0 || git_tree_lookup(&entries, tree->git, id) < 0) {
		const git_error *last = git_error_last();
		walk_finding(&tree->walk, SEVERITY_ERROR, "missing-object", *path ? path : ".", "git fsck names what is missing",
			     "the folder cannot be read: %s", last ? last->message : "no reason given");
		return;
	}
	walk_entries(tree, entries, former, path, depth);
}

/* Where a bound is met, which files are left out must not hang on what is remembered: then all is walked anew. */
static void walk_commit(struct tree_walk *tree, struct snapshot *snapshot, const git_oid *id, struct diags *diags)
{
	auto_ptr(diags) found = diags_new();
	walk_begin(&tree->walk, snapshot, found);
	trees_turn();
	objects_turn();
	walk_tree(tree, id, "", 1);
	if (tree->walk.full && tree->remembered) {
		walk_drop(&tree->walk);
		diags_free(found);
		found = diags_new();
		tree->anew = true;
		walk_begin(&tree->walk, snapshot, found);
		walk_tree(tree, id, "", 1);
	}
	walk_end(&tree->walk);
	if (diags)
		diags_append(diags, found);
}

/* --- the commit ------------------------------------------------------------------------------------------------------------ */

/* "add web servers (Jane Doe, 2026-11-20T11:52:03.000Z)", in UTF-8, on one line. */
static const char *summary_of(struct arena *arena, git_commit *commit, gint64 *ret_author_us)
{
	enum { SUMMARY_MAX = 200, AUTHOR_MAX = 80 };
	const char *line = git_commit_summary(commit);
	const git_signature *author = git_commit_author(commit);
	g_autofree char *text = g_utf8_make_valid(line ? line : "", -1);
	g_autofree char *name = g_utf8_make_valid(author && author->name ? author->name : "", -1);
	g_autofree char *short_text = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), SUMMARY_MAX));
	g_autofree char *short_name = g_utf8_substring(name, 0, MIN(g_utf8_strlen(name, -1), AUTHOR_MAX));
	/* The time is whatever the commit says: what no calendar has is left away. */
	gint64 seconds = author ? author->when.time : -1;
	char when[CLOCK_TEXT_SIZE] = "";
	if (seconds >= 0 && seconds < G_GINT64_CONSTANT(253402300800)) {
		*ret_author_us = seconds * G_USEC_PER_SEC;
		clock_rfc3339(*ret_author_us, when);
	}
	char *all = arena_printf(arena, "%s (%s%s%s)", short_text, short_name, *short_name && *when ? ", " : "", when);
	for (char *at = all; *at; at++)
		if ((guchar) *at < 0x20 || *at == 0x7f)
			*at = ' ';
	return all;
}

/* The tree of @subfolder; NOT_FOUND, INVALID when it is something else. */
static bool tree_of(git_repository *git, git_commit *commit, const char *subfolder, git_oid *ret, GError **error)
{
	g_autoptr(git_tree) root = NULL;
	int result = git_commit_tree(&root, commit);
	if (result < 0)
		return source_git_error(error, result, "the tree of commit %.12s", git_oid_tostr_s(git_commit_id(commit)));
	if (!*subfolder) {
		git_oid_cpy(ret, git_tree_id(root));
		return true;
	}
	g_autoptr(git_tree_entry) entry = NULL;
	result = git_tree_entry_bypath(&entry, root, subfolder);
	if (result < 0)
		return source_git_error(error, result, "commit %.12s has no folder \"%s\"",
					git_oid_tostr_s(git_commit_id(commit)), subfolder);
	if (git_tree_entry_type(entry) != GIT_OBJECT_TREE) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "\"%s\" is not a folder in commit %.12s", subfolder,
			    git_oid_tostr_s(git_commit_id(commit)));
		return false;
	}
	git_oid_cpy(ret, git_tree_entry_id(entry));
	return true;
}

static void find_root(git_repository *git, struct snapshot *snapshot, const git_oid *commit, struct diags *diags)
{
	git_oid root;
	const char *why = NULL;
	struct walk walk = { .snapshot = snapshot, .diags = diags };
	if (repository_root_commit(git, commit, &root, &why))
		snapshot->root_commit = arena_strdup(snapshot->arena, git_oid_tostr_s(&root));
	else
		walk_finding(&walk, SEVERITY_WARNING, "no-root-commit", NULL, "name the owner yourself (--owner)",
			     "the first commit of the history cannot be told (%s), so no owner can be derived from it", why);
}

/* The snapshot's own: it is read on other threads while the handle has another user. */
static git_odb *open_objects(git_repository *git, GError **error)
{
	g_autofree char *folder = g_build_filename(git_repository_commondir(git), "objects", NULL);
	git_odb *odb = NULL;
	int result = git_odb_open(&odb, folder);
	if (result < 0)
		source_git_error(error, result, "%s", folder);
	return odb;
}

static bool lookup_commit(git_repository *git, const git_oid *id, git_commit **ret, GError **error)
{
	git_odb *odb = NULL;
	size_t size = 0;
	git_object_t type;
	int result = git_repository_odb(&odb, git);
	if (result == 0)
		result = git_odb_read_header(&size, &type, odb, id);
	git_odb_free(odb);
	if (result == 0 && size > SOURCE_MAX_COMMIT_BYTES) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "commit %.12s has a text of %zu bytes, more than the %d that are read",
			    git_oid_tostr_s(id), size, SOURCE_MAX_COMMIT_BYTES);
		return false;
	}
	if (result == 0)
		result = git_commit_lookup(ret, git, id);
	return result == 0 || source_git_error(error, result, "commit %.12s", git_oid_tostr_s(id));
}

struct snapshot *snapshot_open_commit(const char *path, const char *revision, const char *subfolder, struct diags *diags,
				      GError **error)
{
	g_autofree char *below = subfolder_normalise(subfolder, error);
	g_autofree char *branch = NULL;
	auto_ptr(handle) handle = below ? handle_take(path, error) : NULL;
	git_oid id, tree_id;
	if (!handle || !repository_resolve(handle->git, revision, &id, &branch, error))
		return NULL;
	git_repository *git = handle->git;
	g_autofree char *whole = subfolder_join(handle->prefix, below);
	g_autoptr(git_commit) commit = NULL;
	if (!lookup_commit(git, &id, &commit, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}
	if (!tree_of(git, commit, whole, &tree_id, error)) {
		g_prefix_error(error, "%s: ", path);
		return NULL;
	}

	auto_ptr(snapshot) snapshot = snapshot_new();
	snapshot->odb = open_objects(git, error);
	if (!snapshot->odb)
		return NULL;
	snapshot->subfolder = arena_strdup(snapshot->arena, whole);
	snapshot->revision = arena_strdup(snapshot->arena, git_oid_tostr_s(&id));
	snapshot->branch = arena_strdup(snapshot->arena, branch);
	snapshot->summary = summary_of(snapshot->arena, commit, &snapshot->author_us);

	struct tree_walk tree = { .git = git, .odb = snapshot->odb };
	find_root(git, snapshot, &id, diags);
	walk_commit(&tree, snapshot, &tree_id, diags);
	return g_steal_pointer(&snapshot);
}
