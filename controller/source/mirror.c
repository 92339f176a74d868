#include "source/mirror.h"

#include "base/file.h"
#include "source/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- its folder --------------------------------------------------------------------------------------------------------------- */

static bool is_of_pack(const char *name)
{
	return g_str_has_prefix(name, "pack-") && (g_str_has_suffix(name, ".pack") || g_str_has_suffix(name, ".idx"));
}

/* A pack without its index is none, nor an index without its pack. */
static bool has_its_other_half(const char *folder, const char *name)
{
	const char *dot = strrchr(name, '.');
	g_autofree char *stem = g_strndup(name, (gsize) (dot - name));
	g_autofree char *other = g_strconcat(folder, "/", stem, g_str_equal(dot, ".pack") ? ".idx" : ".pack", NULL);
	return g_file_test(other, G_FILE_TEST_EXISTS);
}

static void clean_packs(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (!is_of_pack(name) || !has_its_other_half(folder, name))
			(void) g_unlink(path);
	}
}

/* Locks of refs and of the configuration: their holder is dead, as we have the mirror's own. */
static void clean_locks(const char *folder, unsigned depth)
{
	enum { REFS_DEPTH_MAX = 16 };
	g_autoptr(GDir) dir = depth < REFS_DEPTH_MAX ? g_dir_open(folder, 0, NULL) : NULL;
	for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		if (g_str_has_suffix(name, ".lock"))
			(void) g_unlink(path);
		else if (!g_str_equal(name, "objects") && !g_file_test(path, G_FILE_TEST_IS_SYMLINK))
			clean_locks(path, depth + 1);
	}
}

void mirror_clean(const char *path)
{
	g_autofree char *packs = g_build_filename(path, "objects", "pack", NULL);
	clean_packs(packs);
	clean_locks(path, 0);
}

guint64 mirror_bytes(const char *path)
{
	g_autofree char *folder = g_build_filename(path, "objects", "pack", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	guint64 bytes = 0;
	for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
		g_autofree char *file = g_build_filename(folder, name, NULL);
		struct stat status;
		if (lstat(file, &status) == 0)
			bytes += (guint64) status.st_size;
	}
	return bytes;
}

bool mirror_make(const char *path, GError **error)
{
	source_init();
	git_repository *git = NULL;
	git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
	options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT;
	options.initial_head = "main";
	if (!file_make_folder(path, 0700, error))
		return false;
	int result = git_repository_init_ext(&git, path, &options);
	git_repository_free(git);
	return result == 0 || result == GIT_EEXISTS || source_git_error(error, result, "%s", path);
}

git_repository *mirror_open(const char *path, GError **error)
{
	if (!mirror_make(path, error))
		return NULL;
	/* Held until the process ends. */
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (fd >= 0 && errno == EWOULDBLOCK)
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: another fetch is still under way", path);
		else
			pleach_error_errno(error, errno, "%s", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	mirror_clean(path);
	git_repository *git = NULL;
	int result = git_repository_open_bare(&git, path);
	if (result < 0)
		source_git_error(error, result, "%s", path);
	return result < 0 ? NULL : git;
}

/* --- whole or not ------------------------------------------------------------------------------------------------------------- */

struct check {
	git_repository *git;
	git_odb *odb;
	GHashTable *seen; /* of trees */
	size_t entries;
	GError **error;
};

static bool check_kind(struct check *check, const git_oid *id, git_object_t wanted, size_t max_bytes)
{
	size_t size = 0;
	git_object_t type = GIT_OBJECT_INVALID;
	int result = git_odb_read_header(&size, &type, check->odb, id);
	if (result < 0)
		return source_git_error(check->error, result, "the answer is not whole: object %.12s", git_oid_tostr_s(id));
	if (type != wanted || size > max_bytes) {
		g_set_error(check->error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "object %.12s is %s: refused", git_oid_tostr_s(id),
			    type != wanted ? "not of the kind that it is named as" : "too large");
		return false;
	}
	return true;
}

static bool same_in(git_tree *former, const git_tree_entry *entry, const git_tree_entry **ret)
{
	*ret = former ? git_tree_entry_byname(former, git_tree_entry_name(entry)) : NULL;
	return *ret && git_oid_equal(git_tree_entry_id(*ret), git_tree_entry_id(entry)) &&
	       git_tree_entry_type(*ret) == git_tree_entry_type(entry);
}

/* Each tree once: a few bytes can be ten thousand million paths. */
static bool check_tree(struct check *check, const git_oid *id, const git_oid *former_id, size_t depth)
{
	if (depth > SOURCE_MAX_TREE_DEPTH || check->entries > SOURCE_MAX_ENTRIES ||
	    !g_hash_table_add(check->seen, g_memdup2(id, sizeof *id)))
		return true; /* what is beyond the bounds is never read */
	if (!check_kind(check, id, GIT_OBJECT_TREE, SOURCE_MAX_TREE_BYTES))
		return false;
	g_autoptr(git_tree) tree = NULL, former = NULL;
	int result = git_tree_lookup(&tree, check->git, id);
	if (result < 0)
		return source_git_error(check->error, result, "folder %.12s", git_oid_tostr_s(id));
	if (former_id && git_tree_lookup(&former, check->git, former_id) < 0)
		former = NULL;
	for (size_t i = 0; i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i), *other;
		const git_oid *inner = git_tree_entry_id(entry);
		check->entries++;
		if (same_in(former, entry, &other) || git_tree_entry_type(entry) == GIT_OBJECT_COMMIT)
			continue;
		const git_oid *before = other && git_tree_entry_type(other) == GIT_OBJECT_TREE ? git_tree_entry_id(other) : NULL;
		if (git_tree_entry_type(entry) == GIT_OBJECT_TREE ? !check_tree(check, inner, before, depth + 1) :
								    !check_kind(check, inner, GIT_OBJECT_BLOB, SIZE_MAX))
			return false;
	}
	return true;
}

static bool check_history(struct check *check, const git_oid *commit, const git_oid *former)
{
	git_oid at = *commit;
	for (size_t steps = 0; steps < SOURCE_MAX_HISTORY && !(former && git_oid_equal(&at, former)); steps++) {
		g_autoptr(git_commit) object = NULL;
		if (!check_kind(check, &at, GIT_OBJECT_COMMIT, SOURCE_MAX_COMMIT_BYTES))
			return false;
		int result = git_commit_lookup(&object, check->git, &at);
		if (result < 0)
			return source_git_error(check->error, result, "commit %.12s", git_oid_tostr_s(&at));
		if (git_commit_parentcount(object) == 0)
			return true;
		git_oid_cpy(&at, git_commit_parent_id(object, 0));
	}
	return true;
}

bool mirror_is_whole(git_repository *git, const git_oid *commit, const git_oid *former, GError **error)
{
	struct check check = { .git = git, .error = error };
	if (git_repository_odb(&check.odb, git) < 0)
		return source_git_error(error, GIT_ERROR, "its object database");
	check.seen = g_hash_table_new_full(source_id_hash, source_id_equal, g_free, NULL);
	g_autoptr(git_commit) now = NULL, before = NULL;
	bool good = check_history(&check, commit, former);
	int result = good ? git_commit_lookup(&now, git, commit) : 0;
	if (result < 0)
		good = source_git_error(error, result, "commit %.12s", git_oid_tostr_s(commit));
	if (good && former && git_commit_lookup(&before, git, former) < 0)
		before = NULL;
	good = good && check_tree(&check, git_commit_tree_id(now), before ? git_commit_tree_id(before) : NULL, 1);
	g_hash_table_unref(check.seen);
	git_odb_free(check.odb);
	return good;
}

/* --- one pack of many ------------------------------------------------------------------------------------------------------- */

static GPtrArray *packs_in(const char *folder)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir))
		if (is_of_pack(name) && g_str_has_suffix(name, ".pack"))
			g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(".pack")));
	return names;
}

/* All that the refs reach. */
static int pack_reachable(git_repository *git, git_packbuilder *builder)
{
	git_revwalk *walk = NULL;
	int result = git_revwalk_new(&walk, git);
	if (result == 0)
		result = git_revwalk_push_glob(walk, "refs/*");
	if (result == 0)
		result = git_packbuilder_insert_walk(builder, walk);
	git_revwalk_free(walk);
	return result;
}

/* Annotated tags are objects of their own. */
static int pack_tag(git_reference *ref, void *data)
{
	const git_oid *id = git_reference_target(ref);
	g_autoptr(git_object) object = NULL;
	int result = id ? git_object_lookup(&object, git_reference_owner(ref), id, GIT_OBJECT_ANY) : GIT_ENOTFOUND;
	if (result == 0 && git_object_type(object) == GIT_OBJECT_TAG)
		result = git_packbuilder_insert(data, id, NULL);
	git_reference_free(ref);
	return result == GIT_ENOTFOUND ? 0 : result;
}

static void remove_pack(const char *folder, const char *stem)
{
	/* The index first: what has none is not looked at, and is cleaned away if we are killed here. */
	g_autofree char *index = g_strconcat(folder, "/", stem, ".idx", NULL);
	g_autofree char *pack = g_strconcat(folder, "/", stem, ".pack", NULL);
	(void) g_unlink(index);
	(void) g_unlink(pack);
}

bool mirror_tidy(git_repository *git, guint64 max_bytes, GError **error)
{
	g_autofree char *folder = g_build_filename(git_repository_path(git), "objects", "pack", NULL);
	g_autoptr(GPtrArray) before = packs_in(folder);
	if (before->len < 2 || (before->len < MIRROR_PACKS_MAX && mirror_bytes(git_repository_path(git)) <= max_bytes))
		return true;
	git_packbuilder *builder = NULL;
	int result = git_packbuilder_new(&builder, git);
	if (result == 0)
		result = pack_reachable(git, builder);
	if (result == 0)
		result = git_reference_foreach(git, pack_tag, builder);
	if (result == 0)
		result = git_packbuilder_write(builder, folder, 0644, NULL, NULL);
	g_autofree char *made = result == 0 ? g_strconcat("pack-", git_packbuilder_name(builder), NULL) : NULL;
	git_packbuilder_free(builder);
	if (result < 0)
		return source_git_error(error, result, "one pack of %u", before->len);
	for (guint i = 0; i < before->len; i++)
		if (!g_str_equal(before->pdata[i], made))
			remove_pack(folder, before->pdata[i]);
	return true;
}
