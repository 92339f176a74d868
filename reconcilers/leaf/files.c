#include "leaf/files.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGED_SUFFIX ".pleach-new"

enum { FOLDER_MODE = 0755, PRIVATE_FOLDER_MODE = 0700, PERMISSIONS = 07777, READ_AT_ONCE_BYTES = 64 * 1024 };

/* The VNF's own disk knows no credentials: what it refuses it will refuse again, but room may be made. */
static bool G_GNUC_PRINTF(3, 4) fail_errno(GError **error, int errnum, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	bool may_pass = errnum == ENOSPC || errnum == EDQUOT || errnum == ENOMEM || errnum == EMFILE || errnum == ENFILE;
	g_set_error(error, PLEACH_ERROR, may_pass ? PLEACH_ERROR_RETRY : PLEACH_ERROR_PERMANENT, "%s: %s", text,
		    g_strerror(errnum));
	return false;
}

char *files_digest(const char *content)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, content, -1);
}

/* Digest of at most one byte more than any wanted file may have: enough to differ from all of them. @begin: as much of it as may be told,
 * and one byte more. */
static char *digest_fd(int fd, GString *begin)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree guchar *buffer = g_malloc(READ_AT_ONCE_BYTES);
	for (size_t left = (size_t) LEAF_FILE_MAX_BYTES + 1; left > 0; ) {
		ssize_t n = read(fd, buffer, MIN(left, (size_t) READ_AT_ONCE_BYTES));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		g_checksum_update(sum, buffer, n);
		g_string_append_len(begin, (const char *) buffer, MIN(n, LEAF_SEEN_MAX_BYTES + 1 - (gssize) begin->len));
		left -= (size_t) n;
	}
	return g_strdup(g_checksum_get_string(sum));
}

/* What is at @path: false where there is no regular file that can be read. A symbolic link is none: what was put there was a
 * file. */
static bool look_at(const char *path, unsigned *ret_mode, char **ret_digest, GString *begin)
{
	/* Without O_NONBLOCK a FIFO that somebody left there would hold us for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return false;
	struct stat st;
	char *digest = NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		digest = digest_fd(fd, begin);
	close(fd);
	if (!digest)
		return false;
	*ret_mode = st.st_mode & PERMISSIONS;
	*ret_digest = digest;
	return true;
}

bool files_differ(const struct leaf_file *file)
{
	unsigned mode = 0, wanted_mode = 0;
	g_autofree char *digest = NULL;
	g_autoptr(GString) begin = g_string_new(NULL);
	if (!look_at(file->path, &mode, &digest, begin))
		return true;
	g_autofree char *wanted = files_digest(file->content);
	return !leaf_mode_parse(file->mode, &wanted_mode) || mode != wanted_mode || strcmp(digest, wanted) != 0;
}

static bool make_folders(const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);
	if (g_mkdir_with_parents(folder, FOLDER_MODE) != 0)
		return fail_errno(error, errno, "cannot make folder %s", folder);
	return true;
}

/* Writes @file at @path. On a fault nothing is left of it. */
static bool write_file(const struct leaf_file *file, const char *path, GError **error)
{
	unsigned mode = 0;
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_errno(error, errno, "cannot remove %s", path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(error, errno, "cannot make %s", path);
	bool ok = leaf_mode_parse(file->mode, &mode) && file_write_all(fd, file->content, strlen(file->content)) &&
		  fchmod(fd, mode) == 0;
	int errnum = errno;
	if (close(fd) != 0 && ok) {
		errnum = errno;
		ok = false;
	}
	if (!ok) {
		unlink(path);
		return fail_errno(error, errnum, "cannot write %s", path);
	}
	return true;
}

/* Writes @file beside its place. */
static bool stage(const struct leaf_file *file, const char *staged, GError **error)
{
	struct stat st;
	if (!make_folders(file->path, error))
		return false;
	if (lstat(file->path, &st) == 0 && S_ISDIR(st.st_mode)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is a folder", file->path);
		return false;
	}
	return write_file(file, staged, error);
}

static char *staged_path(const struct leaf_file *file)
{
	return g_strconcat(file->path, STAGED_SUFFIX, NULL);
}

static void drop_staged(const struct leaf_file *files, const bool *staged, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!staged[i])
			continue;
		g_autofree char *path = staged_path(&files[i]);
		unlink(path);
	}
}

bool files_put(const struct leaf_file *files, size_t n, bool *ret_changed, GError **error)
{
	g_autofree bool *staged = g_new0(bool, n + 1);
	*ret_changed = false;
	for (size_t i = 0; i < n; i++) {
		if (!files_differ(&files[i]))
			continue;
		g_autofree char *path = staged_path(&files[i]);
		if (!stage(&files[i], path, error)) {
			drop_staged(files, staged, n);
			g_prefix_error(error, "file \"%s\": ", files[i].name);
			return false;
		}
		staged[i] = true;
	}
	for (size_t i = 0; i < n; i++) {
		if (!staged[i])
			continue;
		g_autofree char *path = staged_path(&files[i]);
		if (rename(path, files[i].path) != 0) {
			fail_errno(error, errno, "file \"%s\": cannot put it at %s", files[i].name, files[i].path);
			drop_staged(files, staged, n);
			return false;
		}
		staged[i] = false;
		*ret_changed = true;
	}
	return true;
}

bool files_mirror(const struct leaf_file *files, size_t n, const char *folder, GError **error)
{
	file_remove_tree(folder, NULL);
	if (g_mkdir_with_parents(folder, PRIVATE_FOLDER_MODE) != 0)
		return fail_errno(error, errno, "cannot make folder %s", folder);
	for (size_t i = 0; i < n; i++) {
		g_autofree char *path = g_strconcat(folder, files[i].path, NULL);
		if (!make_folders(path, error) || !write_file(&files[i], path, error)) {
			g_prefix_error(error, "file \"%s\": ", files[i].name);
			return false;
		}
	}
	return true;
}

bool files_remove(const char *path, GError **error)
{
	if (unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
		return true;
	return fail_errno(error, errno, "cannot remove %s", path);
}

static const char *secret_digest(struct arena *arena, const struct leaf_file *file, const char *digest, const char *salt)
{
	g_autofree char *wanted = files_digest(file->content);
	if (strcmp(wanted, digest) == 0)
		return file->label;
	g_autofree char *hidden = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *) salt, strlen(salt), digest, -1);
	return arena_strdup(arena, hidden);
}

/* Is what is there a text that may be told? */
static bool is_text(const GString *content)
{
	return content->len <= LEAF_SEEN_MAX_BYTES && g_utf8_validate(content->str, (gssize) content->len, NULL) &&
	       strlen(content->str) == content->len;
}

const struct leaf_file *files_observe(struct arena *arena, const struct leaf_file *files, size_t n, const char *salt, bool texts)
{
	struct leaf_file *seen = ARENA_ARRAY(arena, struct leaf_file, n + 1);
	size_t left = texts ? LEAF_SEEN_ALL_MAX_BYTES : 0;
	for (size_t i = 0; i < n; i++) {
		unsigned mode = 0;
		g_autofree char *digest = NULL;
		seen[i] = (struct leaf_file) { .name = files[i].name, .path = files[i].path, .on_change = files[i].on_change };
		g_autoptr(GString) begin = g_string_new(NULL);
		if (!look_at(files[i].path, &mode, &digest, begin))
			continue;
		seen[i].digest = files[i].label ? secret_digest(arena, &files[i], digest, salt) : arena_strdup(arena, digest);
		if (!files[i].label && begin->len <= left && is_text(begin)) {
			g_autofree char *wanted = files_digest(files[i].content);
			if (strcmp(wanted, digest) != 0) {
				seen[i].content = arena_strdup(arena, begin->str);
				left -= begin->len;
			}
		}
		seen[i].mode = arena_printf(arena, "%04o", mode);
	}
	return seen;
}
