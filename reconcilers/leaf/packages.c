#include "leaf/packages.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ".part"

enum { FOLDER_MODE = 0755, READ_AT_ONCE_BYTES = 64 * 1024, DEPTH_MAX = LEAF_PACKAGE_PATH_MAX_BYTES / 2 };

struct packages {
	char *folder;
	GHashTable *verified; /* digests, in this life */
	char *uploading;      /* digest; NULL: none */
	size_t n_files, n_bytes; /* of it */
};

static bool G_GNUC_PRINTF(3, 4) fail_errno(GError **error, int errnum, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	bool may_pass = errnum == ENOSPC || errnum == EDQUOT || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;
	g_set_error(error, PLEACH_ERROR, may_pass ? PLEACH_ERROR_RETRY : PLEACH_ERROR_PERMANENT, "%s: %s", text, g_strerror(errnum));
	return false;
}

char *packages_folder(const struct packages *packages, const char *digest)
{
	return g_build_filename(packages->folder, digest, NULL);
}

static char *part_folder(const struct packages *packages, const char *digest)
{
	return g_strdup_printf("%s/%s" PART, packages->folder, digest);
}

/* Takes away what @keep does not want to have. */
static void sweep(struct packages *packages, bool (*keep)(const char *name, const char *const *names), const char *const *names)
{
	DIR *folder = opendir(packages->folder);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || keep(entry->d_name, names))
			continue;
		g_autofree char *path = g_build_filename(packages->folder, entry->d_name, NULL);
		g_hash_table_remove(packages->verified, entry->d_name);
		file_remove_tree(path, NULL);
	}
	if (folder)
		closedir(folder);
}

static bool is_whole(const char *name, const char *const *names)
{
	return leaf_is_digest(name);
}

static bool is_named(const char *name, const char *const *names)
{
	return g_strcmp0(name, names[0]) == 0 || g_strcmp0(name, names[1]) == 0;
}

struct packages *packages_new(const char *folder)
{
	struct packages *packages = g_new0(struct packages, 1);
	packages->folder = g_strdup(folder);
	packages->verified = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	sweep(packages, is_whole, NULL);
	return packages;
}

void packages_free(struct packages *packages)
{
	g_hash_table_unref(packages->verified);
	g_free(packages->uploading);
	g_free(packages->folder);
	g_free(packages);
}

/* --- coming in ------------------------------------------------------------------------------------------------------------- */

/* Another upload that was under way is given up; nobody waits for it. */
static void begin(struct packages *packages, const char *digest)
{
	if (g_strcmp0(packages->uploading, digest) == 0)
		return;
	sweep(packages, is_whole, NULL);
	g_free(packages->uploading);
	packages->uploading = g_strdup(digest);
	packages->n_files = packages->n_bytes = 0;
}

static bool write_file(const char *path, bool executable, const char *bytes, size_t length, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	if (g_mkdir_with_parents(folder, FOLDER_MODE) != 0)
		return fail_errno(error, errno, "cannot make folder %s", folder);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(error, errno, "cannot make %s", path);
	bool ok = file_write_all(fd, bytes, length) && fchmod(fd, executable ? 0755 : 0644) == 0;
	int errnum = errno;
	close(fd);
	if (!ok)
		unlink(path);
	return ok || fail_errno(error, errnum, "cannot write %s", path);
}

/* A file that comes again, because its upload was cut off and begun anew, takes the place of the former and is counted once. */
static void uncount(struct packages *packages, const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	packages->n_files -= MIN(packages->n_files, 1);
	packages->n_bytes -= MIN(packages->n_bytes, (size_t) st.st_size);
}

bool packages_put(struct packages *packages, const char *digest, const char *path, bool executable, const char *bytes, size_t length,
		  GError **error)
{
	if (!leaf_is_digest(digest))
		return pleach_error_invalid(error, "a package is named by its digest");
	if (!leaf_package_path_is_good(path))
		return pleach_error_invalid(error, "no file of a package can be at \"%.*s\"", LEAF_PACKAGE_PATH_MAX_BYTES, path);
	if (length > LEAF_PACKAGE_FILE_MAX_BYTES)
		return pleach_error_invalid(error, "%s is larger than %d bytes", path, LEAF_PACKAGE_FILE_MAX_BYTES);
	if (packages_has(packages, digest))
		return true;
	begin(packages, digest);
	g_autofree char *folder = part_folder(packages, digest), *where = g_build_filename(folder, path, NULL);
	uncount(packages, where);
	if (packages->n_files + 1 > LEAF_PACKAGE_FILES_MAX || packages->n_bytes + length > LEAF_PACKAGE_MAX_BYTES)
		return pleach_error_invalid(error, "a package has at most %d files of together %d bytes", LEAF_PACKAGE_FILES_MAX,
			    LEAF_PACKAGE_MAX_BYTES);
	if (!write_file(where, executable, bytes, length, error))
		return false;
	packages->n_files++;
	packages->n_bytes += length;
	return true;
}

/* --- what is there --------------------------------------------------------------------------------------------------------- */

struct entry {
	char *path, *line;
};

static void entry_clear(gpointer data)
{
	struct entry *entry = data;
	g_free(entry->path);
	g_free(entry->line);
}

static bool digest_file(const char *path, char **ret, GError **error)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fail_errno(error, errno, "cannot read %s", path);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guchar *buffer = g_malloc(READ_AT_ONCE_BYTES);
	ssize_t n = 0;
	while ((n = read(fd, buffer, READ_AT_ONCE_BYTES)) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			g_checksum_update(sum, buffer, n);
	int errnum = errno;
	close(fd);
	if (n < 0)
		return fail_errno(error, errnum, "cannot read %s", path);
	*ret = g_strdup(g_checksum_get_string(sum));
	return true;
}

static bool look_at(const char *root, const char *path, const struct stat *st, GArray *entries, GError **error)
{
	g_autofree char *digest = NULL, *where = g_build_filename(root, path, NULL);
	if (!S_ISREG(st->st_mode))
		return pleach_error_invalid(error, "%s of a package is no file", path);
	if (!digest_file(where, &digest, error))
		return false;
	const char *mode = (st->st_mode & 0777) == 0755 ? "0755" : "0644";
	struct entry entry = { g_strdup(path), g_strdup_printf("%s %s %s\n", mode, digest, path) };
	g_array_append_val(entries, entry);
	return true;
}

static bool walk(const char *root, const char *inside, int depth, GArray *entries, GError **error)
{
	g_autofree char *here = *inside ? g_build_filename(root, inside, NULL) : g_strdup(root);
	DIR *folder = depth < DEPTH_MAX ? opendir(here) : NULL;
	if (!folder)
		return fail_errno(error, depth < DEPTH_MAX ? errno : ELOOP, "cannot look into %s", here);
	bool ok = true;
	for (struct dirent *entry; ok && (entry = readdir(folder));) {
		struct stat st;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		g_autofree char *path = *inside ? g_build_filename(inside, entry->d_name, NULL) : g_strdup(entry->d_name);
		if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			ok = fail_errno(error, errno, "cannot look at %s", path);
		else
			ok = S_ISDIR(st.st_mode) ? walk(root, path, depth + 1, entries, error) : look_at(root, path, &st, entries, error);
		if (ok && entries->len > LEAF_PACKAGE_FILES_MAX)
			ok = pleach_error_invalid(error, "a package has at most %d files", LEAF_PACKAGE_FILES_MAX);
	}
	closedir(folder);
	return ok;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *) a)->path, ((const struct entry *) b)->path);
}

/* What is in this folder, by its own manifest. NULL on a fault. Owned by the caller. */
static char *digest_folder(const char *folder, GError **error)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
	g_array_set_clear_func(entries, entry_clear);
	if (!walk(folder, "", 0, entries, error))
		return NULL;
	g_array_sort(entries, by_path);
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	for (guint i = 0; i < entries->len; i++)
		g_checksum_update(sum, (const guchar *) g_array_index(entries, struct entry, i).line, -1);
	return g_strdup(g_checksum_get_string(sum));
}

bool packages_has(struct packages *packages, const char *digest)
{
	if (g_hash_table_contains(packages->verified, digest))
		return true;
	g_autofree char *folder = packages_folder(packages, digest);
	if (access(folder, F_OK) != 0)
		return false;
	g_autofree char *found = digest_folder(folder, NULL);
	if (g_strcmp0(found, digest) != 0) {
		file_remove_tree(folder, NULL);
		return false;
	}
	g_hash_table_add(packages->verified, g_strdup(digest));
	return true;
}

bool packages_commit(struct packages *packages, const char *digest, GError **error)
{
	if (!leaf_is_digest(digest))
		return pleach_error_invalid(error, "a package is named by its digest");
	if (packages_has(packages, digest))
		return true;
	g_autofree char *part = part_folder(packages, digest), *folder = packages_folder(packages, digest);
	if (access(part, F_OK) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "nothing of package %s is here", digest);
		return false;
	}
	g_autofree char *found = digest_folder(part, error);
	g_clear_pointer(&packages->uploading, g_free);
	bool good = g_strcmp0(found, digest) == 0;
	if (found && !good)
		pleach_error_invalid(error, "what came as package %s is package %s", digest, found);
	if (!good || rename(part, folder) != 0) {
		if (good)
			fail_errno(error, errno, "cannot put package %s in place", digest);
		file_remove_tree(part, NULL);
		return false;
	}
	g_hash_table_add(packages->verified, g_strdup(digest));
	return true;
}

void packages_keep(struct packages *packages, const char *current, const char *former)
{
	const char *const names[] = { current, former };
	sweep(packages, is_named, names);
	g_clear_pointer(&packages->uploading, g_free);
}

const char *const *packages_list(struct packages *packages, struct arena *arena, size_t *ret_n)
{
	const char **list = ARENA_ARRAY(arena, const char *, LEAF_PACKAGES_MAX);
	GHashTableIter iter;
	gpointer digest;
	*ret_n = 0;
	g_hash_table_iter_init(&iter, packages->verified);
	while (*ret_n < LEAF_PACKAGES_MAX && g_hash_table_iter_next(&iter, &digest, NULL))
		list[(*ret_n)++] = arena_strdup(arena, digest);
	return list;
}

void packages_trust(struct packages *packages, const char *digest)
{
	if (digest && leaf_is_digest(digest))
		g_hash_table_add(packages->verified, g_strdup(digest));
}
