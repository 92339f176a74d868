/* A folder as it is now. Nothing is followed: every name is opened relative to its folder, links refused. */
#include "source/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder_walk {
	struct walk walk;
	git_repository *git; /* NULL outside Git */
	git_index *index;
};

/* The bytes of an open file, SOURCE_MAX_FILE_BYTES at most. NULL and errno; EFBIG when there are more. */
static GByteArray *read_bytes(int fd)
{
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	guint8 buffer[65536];
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			return g_steal_pointer(&bytes);
		if (bytes->len + (size_t) n > SOURCE_MAX_FILE_BYTES) {
			errno = EFBIG;
			return NULL;
		}
		g_byte_array_append(bytes, buffer, (guint) n);
	}
}

static bool hash_bytes(const GByteArray *bytes, git_oid *ret)
{
	/* libgit2 wants an address, also of nothing. */
	return git_odb_hash(ret, bytes->len ? (const void *) bytes->data : "", bytes->len, GIT_OBJECT_BLOB) == 0;
}

static bool changed(GError **error, const struct source_file *file)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: changed while it was being looked at: try again",
		    file->path);
	return false;
}

/* Opens @path below @folder_fd step by step, so that no link is followed on the way either. -1 and errno. */
static int open_below(int folder_fd, const char *path, int last_flags)
{
	g_auto(GStrv) steps = g_strsplit(path, "/", -1);
	int at = fcntl(folder_fd, F_DUPFD_CLOEXEC, 0);
	for (size_t i = 0; steps[i] && at >= 0; i++) {
		/* O_NONBLOCK: a pipe that has taken a file's place must not hold us. */
		int next = openat(at, steps[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (steps[i + 1] ? O_DIRECTORY : last_flags));
		int failed = errno;
		close(at);
		at = next;
		errno = failed;
	}
	return at;
}

GBytes *folder_read(int folder_fd, const struct source_file *file, GError **error)
{
	int at = open_below(folder_fd, file->path, 0);
	if (at < 0) {
		pleach_error_errno(error, errno, "%s", file->path);
		return NULL;
	}
	struct stat status;
	bool regular = fstat(at, &status) == 0 && S_ISREG(status.st_mode);
	g_autoptr(GByteArray) bytes = regular ? read_bytes(at) : NULL;
	int failed = errno;
	close(at);
	if (regular && !bytes && failed != EFBIG) {
		pleach_error_errno(error, failed, "%s", file->path);
		return NULL;
	}
	git_oid id;
	char hex[GIT_OID_HEXSZ + 1];
	if (!bytes || !hash_bytes(bytes, &id) || !g_str_equal(git_oid_tostr(hex, sizeof hex, &id), file->id)) {
		changed(error, file);
		return NULL;
	}
	return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

/* What Git ignores is left out, unless it is tracked all the same. */
static bool is_ignored(const struct folder_walk *folder, const char *path, bool is_folder)
{
	if (!folder->git)
		return false;
	g_autofree char *from_root = subfolder_join(folder->walk.subfolder, path);
	g_autofree char *asked = is_folder ? g_strconcat(from_root, "/", NULL) : g_strdup(from_root);
	int ignored = 0;
	if (git_ignore_path_is_ignored(&ignored, folder->git, asked) < 0 || !ignored)
		return false;
	if (!folder->index)
		return true;
	if (is_folder)
		return git_index_find_prefix(NULL, folder->index, asked) != 0;
	return git_index_get_bypath(folder->index, asked, 0) == NULL;
}

static void add_file(struct folder_walk *folder, int folder_fd, const char *name, const char *path)
{
	int fd = open_below(folder_fd, name, 0);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		walk_finding(&folder->walk, SEVERITY_ERROR, "unreadable", path, NULL, "cannot be read: %s", g_strerror(errno));
	} else if (S_ISREG(status.st_mode) && walk_size_fits(&folder->walk, path, (guint64) status.st_size)) {
		g_autoptr(GByteArray) bytes = read_bytes(fd);
		git_oid id;
		if (bytes && hash_bytes(bytes, &id))
			walk_file(&folder->walk, path, &id, bytes->len, status.st_mode & S_IXUSR);
		else
			walk_finding(&folder->walk, SEVERITY_ERROR, "unreadable", path, NULL, "cannot be read: %s",
				     g_strerror(errno));
	}
	if (fd >= 0)
		close(fd);
}

static void add_link(struct folder_walk *folder, int folder_fd, const char *name, const char *path)
{
	char target[PATH_MAX + 1];
	ssize_t n = readlinkat(folder_fd, name, target, sizeof target - 1);
	if (n >= 0)
		target[n] = 0;
	walk_link(&folder->walk, path, n >= 0 && n < PATH_MAX ? target : NULL);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, so that the same folder gives the same findings wherever a bound is met. @fd is taken. */
static GPtrArray *names_of(int fd)
{
	DIR *dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return NULL;
	}
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	for (const struct dirent *entry = readdir(dir); entry && names->len <= SOURCE_MAX_ENTRIES; entry = readdir(dir))
		if (!g_str_equal(entry->d_name, ".") && !g_str_equal(entry->d_name, "..") && !g_str_equal(entry->d_name, ".git"))
			g_ptr_array_add(names, g_strdup(entry->d_name));
	closedir(dir);
	g_ptr_array_sort(names, by_name);
	return names;
}

static void walk_folder(struct folder_walk *folder, int parent_fd, const char *name, const char *path, size_t depth)
{
	int fd = openat(parent_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
	int names_fd = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	g_autoptr(GPtrArray) names = names_fd < 0 ? NULL : names_of(names_fd);
	if (!names)
		walk_finding(&folder->walk, SEVERITY_ERROR, "unreadable", *path ? path : ".", NULL, "cannot be read: %s",
			     g_strerror(errno));
	if (names && names->len > SOURCE_MAX_ENTRIES)
		walk_too_many(&folder->walk);
	for (size_t i = 0; names && i < names->len && !folder->walk.full; i++) {
		const char *child = g_ptr_array_index(names, i);
		struct stat status;
		if (fstatat(fd, child, &status, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* it went between the list and the look: it is not there */
		g_autofree char *probe = *path ? g_strconcat(path, "/", child, NULL) : g_strdup(child);
		if (is_ignored(folder, probe, S_ISDIR(status.st_mode)))
			continue;
		const char *inner = walk_entry(&folder->walk, path, child, depth);
		if (!inner)
			continue;
		g_autofree char *git = g_strconcat(child, "/.git", NULL);
		if (S_ISLNK(status.st_mode))
			add_link(folder, fd, child, inner);
		else if (S_ISREG(status.st_mode))
			add_file(folder, fd, child, inner);
		else if (S_ISDIR(status.st_mode) && faccessat(fd, git, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			walk_submodule(&folder->walk, inner);
		else if (S_ISDIR(status.st_mode))
			walk_folder(folder, fd, child, inner, depth + 1);
		else
			walk_finding(&folder->walk, SEVERITY_WARNING, "not-a-file", inner, NULL,
				     "neither a file nor a folder: left out");
	}
	if (fd >= 0)
		close(fd);
}

/* A folder that is itself ignored was asked for by name: nothing in it is left out for that. */
static bool is_wholly_ignored(git_repository *git, const char *path)
{
	g_autofree char *asked = g_strconcat(path, "/", NULL);
	int ignored = 0;
	return *path && git_ignore_path_is_ignored(&ignored, git, asked) == 0 && ignored;
}

/* What a work tree tells beside its files. */
static void describe(struct snapshot *snapshot, git_repository *git, struct walk *walk)
{
	g_autofree char *branch = repository_head_branch(git);
	snapshot->branch = arena_strdup(snapshot->arena, branch);
	git_oid head, root;
	if (git_reference_name_to_id(&head, git, "HEAD") < 0)
		return; /* no commit yet: there is no first one either */
	const char *why = NULL;
	if (repository_root_commit(git, &head, &root, &why))
		snapshot->root_commit = arena_strdup(snapshot->arena, git_oid_tostr_s(&root));
	else
		walk_finding(walk, SEVERITY_WARNING, "no-root-commit", NULL, "name the owner yourself (--owner)",
			     "the first commit of the history cannot be told (%s), so no owner can be derived from it", why);
}

static char *real_folder(const char *path, GError **error)
{
	char real[PATH_MAX];
	struct stat status;
	if (!realpath(path, real) || stat(real, &status) < 0) {
		pleach_error_errno(error, errno, "%s", path);
		return NULL;
	}
	if (!S_ISDIR(status.st_mode)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s is not a folder", path);
		return NULL;
	}
	return g_strdup(real);
}

/* The repository around @place, *@ret NULL when there is none. False: there is one that cannot be used. */
static bool find_repository(const char *place, git_repository **ret, char **ret_prefix, GError **error)
{
	g_autoptr(GError) why = NULL;
	*ret = repository_open(place, ret_prefix, &why);
	if (!*ret && !g_error_matches(why, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return false;
	}
	if (*ret && git_repository_is_bare(*ret)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "%s is a bare repository: it has commits, but no files of its own", place);
		g_clear_pointer(ret, git_repository_free);
		return false;
	}
	return true;
}

struct snapshot *snapshot_open_folder(const char *path, const char *subfolder, struct diags *diags, GError **error)
{
	source_init();
	g_autofree char *below = subfolder_normalise(subfolder, error);
	g_autofree char *place = below ? real_folder(path, error) : NULL;
	g_autofree char *prefix = NULL;
	g_autoptr(git_repository) git = NULL;
	if (!place || !find_repository(place, &git, &prefix, error))
		return NULL;

	auto_ptr(snapshot) snapshot = snapshot_new();
	int top = open(place, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	snapshot->folder_fd = top < 0 || !*below ? top : open_below(top, below, O_DIRECTORY);
	int failed = errno;
	if (top >= 0 && top != snapshot->folder_fd)
		close(top);
	if (snapshot->folder_fd < 0) {
		pleach_error_errno(error, failed, "%s%s%s", path, *below ? "/" : "", below);
		return NULL;
	}
	g_autofree char *whole = subfolder_join(prefix ? prefix : "", below);
	snapshot->subfolder = arena_strdup(snapshot->arena, whole);
	snapshot->place = arena_strdup(snapshot->arena, place);

	g_autoptr(git_index) index = NULL;
	if (git && git_repository_index(&index, git) < 0)
		index = NULL; /* nothing is tracked then: what is ignored stays out */
	struct folder_walk folder = { .git = git && !is_wholly_ignored(git, whole) ? git : NULL, .index = index };
	walk_begin(&folder.walk, snapshot, diags);
	if (git)
		describe(snapshot, git, &folder.walk);
	walk_folder(&folder, snapshot->folder_fd, ".", "", 1);
	walk_end(&folder.walk);
	return g_steal_pointer(&snapshot);
}
