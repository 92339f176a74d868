/* The walk over the entries of a tree or a folder: every bound on what a repository may hold is kept here. */
#include "source/internal.h"

#include "base/visible.h"

#include <stdarg.h>
#include <string.h>

void walk_begin(struct walk *walk, struct snapshot *snapshot, struct diags *diags)
{
	*walk = (struct walk) {
		.snapshot = snapshot,
		.diags = diags,
		.subfolder = snapshot->subfolder,
		.files = g_array_new(FALSE, FALSE, sizeof(struct source_file)),
		.arena = snapshot->arena,
	};
}

/* Paths are printed on terminals and in reports: what is not text is made visible. */
static char *printable(const char *path)
{
	g_autofree char *valid = g_utf8_make_valid(path, -1);
	GString *out = g_string_new(NULL);
	for (const char *at = valid; *at; at++) {
		if ((guchar) *at < 0x20 || *at == 0x7f)
			g_string_append_printf(out, "\\x%02x", (guint) (guchar) *at);
		else
			g_string_append_c(out, *at);
	}
	return g_string_free(out, FALSE);
}

void walk_finding(struct walk *walk, enum severity severity, const char *code, const char *path, const char *hint,
		  const char *format, ...)
{
	walk->snapshot->incomplete |= severity == SEVERITY_ERROR;
	if (!walk->diags)
		return;
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_autofree char *file = path ? printable(path) : NULL;
	struct diag *diag = diags_add(walk->diags, severity, code, (struct origin) { .file = file }, "%s", text);
	if (hint && diag)
		diag_hint(walk->diags, diag, "%s", hint);
}

/* Findings about the whole name the folder. */
static const char *whole(const struct walk *walk)
{
	return *walk->subfolder ? walk->subfolder : ".";
}

void walk_too_many(struct walk *walk)
{
	walk->full = true;
	walk_finding(walk, SEVERITY_ERROR, "too-many-files", whole(walk), "split the repository, or name a sub-folder",
		     "more than %d files and folders: the rest is not read", SOURCE_MAX_ENTRIES);
}

const char *walk_entry(struct walk *walk, const char *folder, const char *name, size_t depth)
{
	if (walk->full)
		return NULL;
	if (++walk->entries > SOURCE_MAX_ENTRIES) {
		walk_too_many(walk);
		return NULL;
	}
	g_autofree char *path = *folder ? g_strconcat(folder, "/", name, NULL) : g_strdup(name);
	if (!*name || g_str_equal(name, ".") || g_str_equal(name, "..") || strchr(name, '/') ||
	    !g_ascii_strcasecmp(name, ".git")) {
		walk_finding(walk, SEVERITY_ERROR, "unsafe-path", path, NULL, "no file or folder may have this name: left out");
		return NULL;
	}
	if (!visible_is_plain(name)) {
		walk_finding(walk, SEVERITY_ERROR, "path-not-text", path, "rename it",
			     "the name is not UTF-8 text without control characters: left out");
		return NULL;
	}
	if (strlen(path) > SOURCE_MAX_PATH) {
		g_autofree char *start = g_utf8_substring(path, 0, 64);
		walk_finding(walk, SEVERITY_ERROR, "path-too-long", start, NULL,
			     "a path below it is longer than %d bytes: left out", SOURCE_MAX_PATH);
		return NULL;
	}
	if (depth > SOURCE_MAX_TREE_DEPTH) {
		walk_finding(walk, SEVERITY_ERROR, "path-too-deep", path, NULL, "more than %d folders deep: left out",
			     SOURCE_MAX_TREE_DEPTH);
		return NULL;
	}
	return arena_strdup(walk->arena, path);
}

/* What may hold descriptors must not vanish behind a mere warning: its services would look removed. */
static bool may_be_descriptor(const char *path)
{
	static const char *const endings[] = { ".yaml", ".yml", ".csar", ".zip", ".meta", ".json", NULL };
	g_autofree char *lower = g_ascii_strdown(path, -1);
	for (size_t i = 0; endings[i]; i++)
		if (g_str_has_suffix(lower, endings[i]))
			return true;
	return false;
}

bool walk_size_fits(struct walk *walk, const char *path, guint64 size)
{
	if (size <= SOURCE_MAX_FILE_BYTES)
		return true;
	walk_finding(walk, may_be_descriptor(path) ? SEVERITY_ERROR : SEVERITY_WARNING, "file-too-large", path, NULL,
		     "%" G_GUINT64_FORMAT " bytes, more than the %d that are read of one file: left out",
		     size, SOURCE_MAX_FILE_BYTES);
	return false;
}

bool walk_same_file(struct walk *walk, const struct source_file *file)
{
	if (walk->files->len >= SOURCE_MAX_FILES) {
		walk->full = true;
		walk_finding(walk, SEVERITY_ERROR, "too-many-files", whole(walk), "split the repository, or name a sub-folder",
			     "more than %d files: the rest is not read", SOURCE_MAX_FILES);
		return false;
	}
	walk->bytes += file->size;
	if (walk->bytes > SOURCE_MAX_TOTAL_BYTES) {
		walk->full = true;
		walk_finding(walk, SEVERITY_ERROR, "too-large", whole(walk),
			     "keep images and other large files elsewhere, or name a sub-folder",
			     "more than %d bytes in all: the rest is not read", SOURCE_MAX_TOTAL_BYTES);
		return false;
	}
	g_array_append_val(walk->files, *file);
	return true;
}

void walk_file(struct walk *walk, const char *path, const git_oid *id, guint64 size, bool executable)
{
	if (walk->full || !walk_size_fits(walk, path, size))
		return;
	char hex[GIT_OID_HEXSZ + 1];
	const struct source_file file = {
		.path = path,
		.id = arena_strdup(walk->arena, git_oid_tostr(hex, sizeof hex, id)),
		.size = size,
		.executable = executable,
	};
	walk_same_file(walk, &file);
}

/* Does @target, seen from the folder of @path, stay under the repository's root? By its text alone: nothing is followed. */
static bool link_stays_inside(const struct walk *walk, const char *path, const char *target)
{
	if (!target || *target == '/')
		return false;
	g_autofree char *from_root = subfolder_join(walk->subfolder, path);
	g_auto(GStrv) folders = g_strsplit(from_root, "/", -1);
	gint64 depth = (gint64) g_strv_length(folders) - 1;
	g_auto(GStrv) steps = g_strsplit(target, "/", -1);
	for (size_t i = 0; steps[i]; i++) {
		if (g_str_equal(steps[i], ".."))
			depth--;
		else if (*steps[i] && !g_str_equal(steps[i], "."))
			depth++;
		if (depth < 0)
			return false;
	}
	return true;
}

void walk_link(struct walk *walk, const char *path, const char *target)
{
	if (link_stays_inside(walk, path, target)) {
		walk_finding(walk, SEVERITY_WARNING, "link-not-followed", path, "put a file in its place",
			     "a symbolic link: links are not followed, it is left out");
		return;
	}
	g_autofree char *shown = target ? printable(target) : g_strdup("…");
	bool incomplete = walk->snapshot->incomplete;
	walk_finding(walk, SEVERITY_ERROR, "link-leaves-repository", path, "put a file in its place",
		     "a symbolic link that leaves the repository (to \"%s\"): left out", shown);
	walk->snapshot->incomplete = incomplete || may_be_descriptor(path);
}

void walk_submodule(struct walk *walk, const char *path)
{
	walk_finding(walk, SEVERITY_WARNING, "submodule", path,
		     "put its files into this repository, or give it a controller of its own",
		     "a repository within the repository: its files are not read");
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct source_file *) a)->path, ((const struct source_file *) b)->path);
}

void walk_drop(struct walk *walk)
{
	g_clear_pointer(&walk->files, g_array_unref);
}

static bool is_sorted(const struct source_file *files, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(files[i - 1].path, files[i].path) > 0)
			return false;
	return true;
}

/* Git's own order is that of paths; a folder's is whichever. */
void walk_end(struct walk *walk)
{
	struct source_file *files = (struct source_file *) (void *) walk->files->data;
	size_t n = walk->files->len, kept = 0;
	if (!is_sorted(files, n))
		qsort(files, n, sizeof *files, by_path);
	for (size_t i = 0; i < n; i++) {
		if (kept && g_str_equal(files[kept - 1].path, files[i].path)) {
			walk_finding(walk, SEVERITY_ERROR, "duplicate-path", files[i].path, NULL,
				     "there more than once in the same folder: only one is read");
			continue;
		}
		files[kept++] = files[i];
	}
	walk->snapshot->files = arena_memdup(walk->snapshot->arena, files, kept * sizeof *files);
	walk->snapshot->n_files = kept;
	g_clear_pointer(&walk->files, g_array_unref);
}
