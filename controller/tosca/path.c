#include "tosca/internal.h"

#include <string.h>

const char *path_resolve(struct arena *arena, const char *path, const char *name)
{
	g_autofree char *joined = NULL;
	if (*name == '/') {
		joined = g_strdup(name + 1);
	} else {
		const char *slash = strrchr(path, '/');
		joined = slash ? g_strdup_printf("%.*s/%s", (int) (slash - path), path, name) : g_strdup(name);
	}
	g_auto(GStrv) parts = g_strsplit(joined, "/", -1);
	g_autoptr(GPtrArray) kept = g_ptr_array_new();
	for (char **part = parts; *part; part++) {
		if (!**part || !strcmp(*part, "."))
			continue;
		if (strcmp(*part, "..") != 0)
			g_ptr_array_add(kept, *part);
		else if (kept->len)
			g_ptr_array_set_size(kept, (gint) kept->len - 1);
		else
			return NULL;
	}
	g_autoptr(GString) text = g_string_new(NULL);
	for (guint i = 0; i < kept->len; i++)
		g_string_append_printf(text, "%s%s", i ? "/" : "", (const char *) kept->pdata[i]);
	return arena_strdup(arena, text->str);
}

const char *unit_file(struct unit *unit, const char *name, struct origin origin, bool must_exist)
{
	if (strstr(name, "://"))
		return arena_strdup(unit->arena, name);
	const char *path = strlen(name) <= SOURCE_MAX_PATH ? path_resolve(unit->arena, unit->path, name) : NULL;
	if (!path) {
		struct diag *diag = unit_fault(unit, "path-outside", origin, "\"%s\" leads out of the repository",
					  text_shown(unit->arena, name));
		unit_hint(unit, diag, "paths are relative to this file, or begin with / for the root of the repository");
		return NULL;
	}
	if (!must_exist || !unit->snapshot)
		return path;
	const struct file_ref ref = { path, snapshot_find(unit->snapshot, path) != NULL };
	g_array_append_val(unit->files, ref);
	if (!ref.found)
		unit_fault(unit, "missing-file", origin, "there is no file \"%s\"", path);
	return path;
}

/* The value of "Entry-Definitions" in the text of a TOSCA.meta; owned by the caller. */
static char *entry_definitions(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		char *colon = strchr(*line, ':');
		if (!colon)
			continue;
		*colon = 0;
		if (!g_ascii_strcasecmp(g_strstrip(*line), "Entry-Definitions"))
			return g_strdup(g_strstrip(colon + 1));
	}
	return NULL;
}

const char *csar_entry(struct snapshot *snapshot, struct arena *arena, const char *folder, struct diags *diags)
{
	enum { META_MAX = 64 * 1024 };
	const char *meta = *folder ? arena_printf(arena, "%s/TOSCA-Metadata/TOSCA.meta", folder) : "TOSCA-Metadata/TOSCA.meta";
	const struct source_file *file = snapshot_find(snapshot, meta);
	if (!file)
		return NULL;
	const struct origin origin = { file->path, 0, 0 };
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = file->size > META_MAX ? NULL : snapshot_read(snapshot, meta, &error);
	if (!bytes) {
		diags_error(diags, "unreadable", origin, "%s", error ? error->message : "larger than 64 KiB");
		return NULL;
	}
	size_t length;
	const char *data = g_bytes_get_data(bytes, &length);
	g_autofree char *text = g_strndup(data ? data : "", length);
	g_autofree char *entry = g_utf8_validate(text, -1, NULL) ? entry_definitions(text) : NULL;
	if (!entry || !*entry) {
		struct diag *diag = diags_error(diags, "bad-package", origin, "names no Entry-Definitions");
		diag_hint(diags, diag, "add a line \"Entry-Definitions: Definitions/NAME.yaml\"");
		return NULL;
	}
	g_autofree char *inside = g_strdup_printf("%s%s.", folder, *folder ? "/" : "");
	const char *path = *entry == '/' ? NULL : path_resolve(arena, inside, entry);
	bool within = path && (!*folder || (g_str_has_prefix(path, folder) && path[strlen(folder)] == '/'));
	if (!within || !snapshot_find(snapshot, path)) {
		diags_error(diags, "bad-package", origin, "Entry-Definitions \"%s\" is not a file of this package", entry);
		return NULL;
	}
	return path;
}
