#include "model/package.h"

#include "base/visible.h"
#include "model/private.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool package_path_is_good(const char *path)
{
	size_t length = strlen(path);
	if (length == 0 || length > PACKAGE_PATH_MAX_BYTES || !visible_is_plain(path))
		return false;
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	for (size_t i = 0; parts[i]; i++)
		if (!*parts[i] || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
			return false;
	return true;
}

char *package_manifest(const struct package_file *files, size_t n)
{
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(text, "%s %s %s\n", files[i].executable ? "0755" : "0644", files[i].digest, files[i].path);
	return g_string_free(text, FALSE);
}

static int path_order(const void *a, const void *b)
{
	return strcmp(((const struct package_file *) a)->path, ((const struct package_file *) b)->path);
}

static bool check_paths(const struct package_file *files, size_t n, GError **error)
{
	g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < n; i++)
		if (!g_hash_table_add(paths, (gpointer) (uintptr_t) files[i].path))
			return pleach_error_invalid(error, "%s is there twice", files[i].path);
	for (size_t i = 0; i < n; i++) {
		g_autofree char *folder = g_strdup(files[i].path);
		for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
			*slash = '\0';
			if (g_hash_table_contains(paths, folder))
				return pleach_error_invalid(error, "%s is a file, and a folder that holds %s", folder, files[i].path);
		}
	}
	return true;
}

static bool check_bounds(const struct package_file *files, size_t n, size_t *ret_bytes, GError **error)
{
	size_t sum = 0;
	if (n > PACKAGE_FILES_MAX)
		return pleach_error_invalid(error, "more than %d files", PACKAGE_FILES_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t size = g_bytes_get_size(files[i].bytes);
		if (!package_path_is_good(files[i].path)) {
			g_autofree char *shown = g_strescape(files[i].path, NULL);
			return pleach_error_invalid(error, "\"%.200s\" is not a path that a package may hold", shown);
		}
		if (size > PACKAGE_FILE_MAX_BYTES)
			return pleach_error_invalid(error, "%s is larger than %d bytes", files[i].path, PACKAGE_FILE_MAX_BYTES);
		sum += size;
		if (sum > PACKAGE_MAX_BYTES)
			return pleach_error_invalid(error, "with %s it is larger than %d bytes", files[i].path, PACKAGE_MAX_BYTES);
	}
	*ret_bytes = sum;
	return true;
}

const struct package *package_make(struct arena *arena, const struct package_file *files, size_t n, GError **error)
{
	size_t n_bytes = 0;
	if (!check_bounds(files, n, &n_bytes, error) || !check_paths(files, n, error))
		return NULL;
	struct package_file *own = arena_memdup(arena, files, n * sizeof(*files));
	if (n)
		qsort(own, n, sizeof(*own), path_order);
	for (size_t i = 0; i < n; i++) {
		size_t size;
		const void *data = g_bytes_get_data(own[i].bytes, &size);
		g_autofree char *hex = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data ? data : (const guchar *) "", size);
		own[i].path = arena_strdup(arena, own[i].path);
		own[i].digest = arena_strdup(arena, hex);
		arena_keep(arena, g_bytes_ref(own[i].bytes), (GDestroyNotify) g_bytes_unref);
	}
	g_autofree char *manifest = package_manifest(own, n);
	char hex[DIGEST_HEX_SIZE];
	value_sha256(manifest, hex);
	struct package *package = ARENA_NEW(arena, struct package);
	*package = (struct package) { .digest = arena_strdup(arena, hex), .files = own, .n_files = n, .n_bytes = n_bytes };
	return package;
}
