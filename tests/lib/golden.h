/* Golden cases: each folder tests/golden/NAME with repo/ in it (or repo.path, one line naming a folder of the source tree) is
 * one; world.json (model/world.h), the network that the repository meets, goes in, too, where there is one. What comes out is
 * compared byte for byte with the files beside them.
 *
 * PLEACH_GOLDEN=rewrite writes what is expected anew: look at the difference before it is kept.
 */
#pragma once

#include "base/file.h"
#include "base/json.h"
#include "desired/desired.h"

#include <glib.h>
#include <stdint.h>
#include <string.h>

#define GOLDEN_FOLDER SOURCE_DIR "/tests/golden"

struct golden {
	const char *name;
	char *folder;
	struct snapshot *snapshot;
	struct tosca *tosca;
	struct diags *diags;
	struct network *network;
};

static inline char *golden_read(const struct golden *golden, const char *file)
{
	g_autofree char *path = g_build_filename(golden->folder, file, NULL);
	char *text = NULL;

	return g_file_get_contents(path, &text, NULL, NULL) ? text : NULL;
}

static inline struct golden *golden_open(const char *name)
{
	struct golden *golden = g_new0(struct golden, 1);
	const struct desired_options options = { .default_owner = "golden" };
	g_autoptr(GError) error = NULL;

	golden->name = name;
	golden->folder = g_build_filename(GOLDEN_FOLDER, name, NULL);
	g_autofree char *elsewhere = golden_read(golden, "repo.path");
	g_autofree char *repo =
		elsewhere ? g_build_filename(SOURCE_DIR, g_strstrip(elsewhere), NULL)
			: g_build_filename(golden->folder, "repo", NULL);
	golden->diags = diags_new();
	golden->snapshot = snapshot_open_folder(repo, NULL, golden->diags, &error);
	g_assert_no_error(error);
	golden->tosca = tosca_load(golden->snapshot, NULL, golden->diags);
	golden->network = desired_make(golden->tosca, &options, golden->diags);
	diags_sort(golden->diags);
	return golden;
}

static inline void golden_close(struct golden *golden)
{
	network_unref(golden->network);
	tosca_unref(golden->tosca);
	snapshot_unref(golden->snapshot);
	diags_free(golden->diags);
	g_free(golden->folder);
	g_free(golden);
}

/* Says the first line that differs. */
static inline void golden_compare(const struct golden *golden, const char *file, const char *text)
{
	g_autofree char *path = g_build_filename(golden->folder, file, NULL);
	g_autofree char *expected = golden_read(golden, file);

	if (g_strcmp0(g_getenv("PLEACH_GOLDEN"), "rewrite") == 0) {
		g_autoptr(GError) error = NULL;
		file_write(path, text, strlen(text), 0644, &error);
		g_assert_no_error(error);
		return;
	}
	if (!expected) {
		g_test_message("%s is not there; PLEACH_GOLDEN=rewrite makes it", path);
		g_test_fail();
		return;
	}
	g_auto(GStrv) was = g_strsplit(expected, "\n", -1);
	g_auto(GStrv) is = g_strsplit(text, "\n", -1);
	for (size_t i = 0; was[i] || is[i]; i++) {
		if (was[i] && is[i] && strcmp(was[i], is[i]) == 0)
			continue;
		g_test_message("%s:%zu: expected \"%s\", is \"%s\"", path, i + 1, was[i] ? was[i] : "(the end)", is[i] ? is[i]
			       : "(the end)");
		g_test_fail();
		return;
	}
}

static inline gint golden_order(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* One test of the name "PREFIX/CASE" for every case. */
static inline void golden_each(const char *prefix, void (*test)(gconstpointer name))
{
	g_autoptr(GDir) folder = g_dir_open(GOLDEN_FOLDER, 0, NULL);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	const char *name;

	g_assert_nonnull(folder);
	while ((name = g_dir_read_name(folder))) {
		g_autofree char *repo = g_build_filename(GOLDEN_FOLDER, name, "repo", NULL);
		g_autofree char *elsewhere = g_build_filename(GOLDEN_FOLDER, name, "repo.path", NULL);
		if (g_file_test(repo, G_FILE_TEST_IS_DIR) || g_file_test(elsewhere, G_FILE_TEST_EXISTS))
			g_ptr_array_add(names, (gpointer) (uintptr_t) g_intern_string(name));
	}
	g_ptr_array_sort(names, golden_order);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *id = g_strdup_printf("%s/%s", prefix, (const char *) names->pdata[i]);
		g_test_add_data_func(id, names->pdata[i], test);
	}
}
