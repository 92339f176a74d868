/* The snapshot itself: who holds it, what is in it, and the reading of contents wherever they are. */
#include "source/internal.h"

#include "source/folder.h"
#include "source/objects.h"
#include "source/reads.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

struct snapshot *snapshot_new(void)
{
	struct snapshot *snapshot = g_new0(struct snapshot, 1);
	snapshot->refs = 1;
	snapshot->arena = arena_new();
	snapshot->folder_fd = -1;
	snapshot->subfolder = "";
	snapshot->revision = "working tree";
	pthread_mutex_init(&snapshot->lock, NULL);
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	g_atomic_int_inc(&snapshot->refs);
	return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
	if (!snapshot || !g_atomic_int_dec_and_test(&snapshot->refs))
		return;
	if (snapshot->odb)
		git_odb_free(snapshot->odb);
	if (snapshot->folder_fd >= 0)
		close(snapshot->folder_fd);
	g_clear_pointer(&snapshot->contents, g_hash_table_unref);
	pthread_mutex_destroy(&snapshot->lock);
	arena_unref(snapshot->arena);
	g_free(snapshot);
}

struct snapshot *snapshot_of(const char *path, ...)
{
	source_init();
	struct snapshot *snapshot = snapshot_new();
	snapshot->contents = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_bytes_unref);
	struct walk walk;
	walk_begin(&walk, snapshot, NULL);
	va_list args;
	va_start(args, path);
	for (; path; path = va_arg(args, const char *)) {
		const char *content = va_arg(args, const char *);
		const char *kept = arena_strdup(snapshot->arena, path);
		size_t length = strlen(content);
		git_oid id;
		git_odb_hash(&id, content, length, GIT_OBJECT_BLOB);
		g_assert(!g_hash_table_contains(snapshot->contents, path));
		g_hash_table_insert(snapshot->contents, (gpointer) (guintptr) kept, g_bytes_new(content, length));
		walk_file(&walk, kept, &id, length, false);
	}
	va_end(args);
	walk_end(&walk);
	return snapshot;
}

bool snapshot_is_whole(const struct snapshot *snapshot)
{
	return !snapshot->incomplete;
}

size_t snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->n_files;
}

const struct source_file *snapshot_file(const struct snapshot *snapshot, size_t i)
{
	g_assert(i < snapshot->n_files);
	reads_note(READ_FILE, snapshot->files[i].path);
	reads_note(READ_PLACE, snapshot->files[i].path);
	if (i + 1 == snapshot->n_files)
		reads_note(READ_PLACE, ""); /* that it is the last */
	return &snapshot->files[i];
}

const struct source_file *snapshot_find(const struct snapshot *snapshot, const char *path)
{
	size_t low = 0, high = snapshot->n_files;
	reads_note(READ_FILE, path);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(snapshot->files[middle].path, path);
		if (!order)
			return &snapshot->files[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

GBytes *snapshot_read(const struct snapshot *snapshot, const char *path, GError **error)
{
	const struct source_file *file = snapshot_find(snapshot, path);
	if (!file) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: no such file in %s", path, snapshot->revision);
		return NULL;
	}
	if (snapshot->contents)
		return g_bytes_ref(g_hash_table_lookup(snapshot->contents, path));
	if (snapshot->odb) {
		/* The lock is no part of what a reader sees. */
		pthread_mutex_t *lock = (pthread_mutex_t *) (guintptr) &snapshot->lock;
		pthread_mutex_lock(lock);
		GBytes *bytes = objects_read(snapshot->odb, file, error);
		pthread_mutex_unlock(lock);
		return bytes;
	}
	return folder_read(snapshot->folder_fd, file, error);
}

const char *snapshot_revision(const struct snapshot *snapshot)
{
	return snapshot->revision;
}

const char *snapshot_summary(const struct snapshot *snapshot)
{
	return snapshot->summary;
}

gint64 snapshot_author_us(const struct snapshot *snapshot)
{
	return snapshot->author_us;
}

const char *snapshot_root_commit(const struct snapshot *snapshot)
{
	return snapshot->root_commit;
}

const char *snapshot_branch(const struct snapshot *snapshot)
{
	return snapshot->branch;
}

const char *snapshot_subfolder(const struct snapshot *snapshot)
{
	return snapshot->subfolder;
}

char *source_default_owner(const struct snapshot *snapshot)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	const char *parts[] = {
		snapshot->root_commit ? "commit" : "folder",
		snapshot->root_commit ? snapshot->root_commit : snapshot->place ? snapshot->place : "",
		snapshot->root_commit && snapshot->branch ? snapshot->branch : "",
		snapshot->subfolder,
	};
	/* With their NULs, so that no two lists of parts run together into the same bytes. */
	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
		g_checksum_update(sum, (const guchar *) parts[i], (gssize) strlen(parts[i]) + 1);
	return g_strndup(g_checksum_get_string(sum), 16);
}
