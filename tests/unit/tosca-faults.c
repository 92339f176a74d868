/* Every fault that a repository can have, one folder each: tests/golden/faults/NAME/ holds its files and diags.txt, what is to be
 * said about them. PLEACH_GOLDEN_REWRITE=1 writes diags.txt anew; look at the difference before keeping it.
 *
 * Services are followed as far as this library goes: descriptor, inputs, substitution. */
#include "base/file.h"
#include "tosca/tosca.h"

#include <string.h>

static struct tosca_cache *cache;

static void follow(struct tosca *tosca, const struct tnode *service, struct arena *arena, struct diags *diags)
{
	const char *descriptor = tvalue_string(tnode_property(service, "descriptor"), NULL);
	const struct ttemplate *template = descriptor ? tosca_find(tosca, descriptor, service->origin, diags) : NULL;
	if (!template)
		return;
	const struct tvalue *map = tnode_property(service, "inputs");
	struct tnamed_list inputs = { 0 };
	if (map) {
		struct tnamed *items = ARENA_ARRAY(arena, struct tnamed, map->map.n);
		for (size_t i = 0; i < map->map.n; i++)
			items[i] = (struct tnamed) { map->map.keys[i], map->map.items[i], map->map.items[i]->origin };
		inputs = (struct tnamed_list) { items, map->map.n };
	}
	const struct ttopology *topology = tosca_instantiate(tosca, template, inputs, service->origin, arena, diags);
	for (size_t i = 0; i < topology->n_nodes; i++)
		tosca_substitute(tosca, template, &topology->nodes[i], diags);
}

static char *findings_of(const char *folder)
{
	auto_ptr(diags) diags = diags_new();
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	auto_ptr(snapshot) snapshot = snapshot_open_folder(folder, NULL, diags, &error);
	g_assert_no_error(error);
	auto_ptr(tosca) tosca = tosca_load(snapshot, cache, diags);
	for (size_t i = 0; i < tosca_count(tosca); i++) {
		const struct ttemplate *template = tosca_template(tosca, i);
		auto_ptr(diags) ignored = diags_new();
		struct tnamed_list none = { 0 };
		const struct ttopology *topology = tosca_instantiate(tosca, template, none, template->origin, arena, ignored);
		for (size_t j = 0; j < topology->n_nodes; j++)
			if (tnode_is_a(&topology->nodes[j], "pleach.nodes.NetworkService"))
				follow(tosca, &topology->nodes[j], arena, diags);
	}
	diags_sort(diags);
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < diags_count(diags); i++)
		diag_print(diags_get(diags, i), tosca_source, tosca, text);
	return g_string_free(text, FALSE);
}

static void test_case(gconstpointer data)
{
	g_autofree char *folder = g_build_filename(SOURCE_DIR, "tests/golden/faults", data, NULL);
	g_autofree char *path = g_build_filename(folder, "diags.txt", NULL);
	g_autofree char *found = findings_of(folder);
	/* Loading again takes what the cache has and says the same. */
	g_autofree char *again = findings_of(folder);
	g_assert_cmpstr(found, ==, again);
	if (g_getenv("PLEACH_GOLDEN_REWRITE")) {
		g_assert_true(file_write(path, found, strlen(found), 0644, NULL));
		return;
	}
	g_autoptr(GError) error = NULL;
	g_autofree char *wanted = file_read(path, 1024 * 1024, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(found, ==, wanted);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int main(int argc, char *argv[])
{
	enum { CASES_MIN = 80 };
	g_test_init(&argc, &argv, NULL);
	cache = tosca_cache_new();
	g_autofree char *root = g_build_filename(SOURCE_DIR, "tests/golden/faults", NULL);
	g_autoptr(GDir) dir = g_dir_open(root, 0, NULL);
	g_assert_nonnull(dir);
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	for (const char *name; (name = g_dir_read_name(dir));)
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, compare_names);
	g_assert_cmpuint(names->len, >=, CASES_MIN);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_strdup_printf("/tosca/faults/%s", (char *) names->pdata[i]);
		g_test_add_data_func(path, names->pdata[i], test_case);
	}
	int status = g_test_run();
	tosca_cache_free(cache);
	return status;
}
