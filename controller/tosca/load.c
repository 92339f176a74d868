#include "tosca/internal.h"

#include <string.h>

/* Units that no revision has used for so many loads leave the cache. */
enum { CACHE_KEEP = 4 };

struct tosca_cache *tosca_cache_new(void)
{
	struct tosca_cache *cache = g_new0(struct tosca_cache, 1);
	cache->units = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) unit_unref);
	cache->profile = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) unit_unref);
	auto_ptr(diags) diags = diags_new();
	struct loader loader = { .cache = cache, .diags = diags };
	for (size_t i = 0; tosca_profile_name(i); i++) {
		g_autofree char *path = g_strconcat(BUILTIN, tosca_profile_name(i), NULL);
		load_unit(&loader, NULL, path, ORIGIN_NONE);
	}
	return cache;
}

void tosca_cache_free(struct tosca_cache *cache)
{
	if (!cache)
		return;
	g_hash_table_unref(cache->units);
	g_hash_table_unref(cache->profile);
	g_free(cache);
}

size_t tosca_cache_count(const struct tosca_cache *cache)
{
	return g_hash_table_size(cache->units);
}

static gboolean is_stale(gpointer key, gpointer value, gpointer data)
{
	const struct unit *unit = value;
	const struct tosca_cache *cache = data;
	return unit->used + CACHE_KEEP < cache->generation;
}

/* --- a load -------------------------------------------------------------------------------------------------------- */

static const char meta_suffix[] = "/TOSCA-Metadata/TOSCA.meta";

/* Folders that are packages, each followed by a slash; a package that is the root itself does not hide the rest. */
static GPtrArray *find_packages(struct snapshot *snapshot)
{
	GPtrArray *folders = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		const char *path = snapshot_file(snapshot, i)->path;
		if (g_str_has_suffix(path, meta_suffix))
			g_ptr_array_add(folders, g_strndup(path, strlen(path) - strlen(meta_suffix) + 1));
	}
	return folders;
}

/* Both lists are sorted: the folder that @path lies in is at or after *@at. */
static bool in_package(GPtrArray *folders, const char *path)
{
	size_t low = 0, high = folders->len;
	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *folder = folders->pdata[middle];
		if (g_str_has_prefix(path, folder))
			return true;
		if (strcmp(folder, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	/* A package within a package: any prefix counts. */
	for (size_t i = 0; i < low; i++)
		if (g_str_has_prefix(path, folders->pdata[i]))
			return true;
	return false;
}

static void keep_template(struct tosca *tosca, struct unit *unit)
{
	if (!unit || !unit->template || g_hash_table_contains(tosca->by_path, unit->path))
		return;
	g_ptr_array_add(tosca->templates, unit->template);
	g_hash_table_insert(tosca->by_path, (gpointer) (guintptr) unit->path, unit->template);
}

/* The only node of type @name or one derived from it; NULL when there are none or several. */
static const struct tnode *only_node(const struct template *template, const char *name)
{
	const struct tnode *found = NULL;
	for (size_t i = 0; i < template->proto.n_nodes; i++) {
		if (!tnode_is_a(&template->proto.nodes[i], name))
			continue;
		if (found)
			return NULL;
		found = &template->proto.nodes[i];
	}
	return found;
}

static bool has_vdu(const struct template *template)
{
	for (size_t i = 0; i < template->proto.n_nodes; i++)
		if (tnode_is_a(&template->proto.nodes[i], "tosca.nodes.nfv.Vdu.Compute") ||
		    tnode_is_a(&template->proto.nodes[i], "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit"))
			return true;
	return false;
}

/* Of the node that stands for the whole; else the default of the type that is substituted. */
static const char *descriptor_id_of(const struct template *template)
{
	const struct ttype *type = template->substitution_type;
	const struct tnode *stands = type ? only_node(template, type->name) : only_node(template, "tosca.nodes.nfv.NS");
	if (!type && !stands && has_vdu(template))
		stands = only_node(template, "tosca.nodes.nfv.VNF");
	if (stands)
		return tvalue_string(tnode_property(stands, "descriptor_id"), NULL);
	struct property *property = type ? properties_find(type->properties, "descriptor_id") : NULL;
	return property ? tvalue_string(property->default_value, NULL) : NULL;
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const struct template *const *) a)->public.file, (*(const struct template *const *) b)->public.file);
}

static void find_duplicate_ids(struct tosca *tosca, struct diags *diags)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < tosca->templates->len; i++) {
		struct template *template = tosca->templates->pdata[i];
		if (!template->public.descriptor_id)
			continue;
		/* The flavours of one VNF share its id. */
		char *key = g_strdup_printf("%s\n%s", template->public.descriptor_id, template->flavour_id ? template->flavour_id
					    : "");
		const struct template *first = g_hash_table_lookup(seen, key);
		if (!first) {
			g_hash_table_insert(seen, key, template);
			continue;
		}
		g_free(key);
		struct diag *diag = diags_error(diags, "duplicate-descriptor-id", template->public.origin,
						"descriptor_id \"%s\" is taken",
						template->public.descriptor_id);
		diag_note(diags, diag, first->public.origin, "by this template");
	}
}

static void not_tosca(struct loader *loader, const char *path)
{
	const struct origin origin = { path, 0, 0 };
	diags_error(loader->diags, "bad-package", origin,
		    "the Entry-Definitions of its package, but without a tosca_definitions_version");
}

/* What is built in is called so: a file of the repository must not be taken for it. */
static bool refuse_reserved(struct loader *loader, const char *path)
{
	if (!g_str_has_prefix(path, BUILTIN))
		return false;
	const struct origin origin = { path, 0, 0 };
	struct diag *diag = diags_error(loader->diags, "reserved-path", origin, "paths that begin with \"" BUILTIN "\" are built in");
	diag_hint(loader->diags, diag, "give it another name");
	return true;
}

static void load_files(struct tosca *tosca, struct loader *loader)
{
	struct snapshot *snapshot = tosca->snapshot;
	g_autoptr(GPtrArray) packages = find_packages(snapshot);
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		const char *path = snapshot_file(snapshot, i)->path;
		bool yaml = g_str_has_suffix(path, ".yaml") || g_str_has_suffix(path, ".yml");
		if (yaml && !in_package(packages, path) && !refuse_reserved(loader, path))
			keep_template(tosca, load_unit(loader, NULL, path, ORIGIN_NONE));
	}
	for (guint i = 0; i < packages->len; i++) {
		g_autofree char *folder = g_strdup(packages->pdata[i]);
		folder[strlen(folder) - 1] = 0;
		if (refuse_reserved(loader, folder))
			continue;
		const char *entry = csar_entry(snapshot, tosca->arena, folder, loader->diags);
		if (!entry)
			continue;
		struct unit *unit = load_unit(loader, NULL, entry, ORIGIN_NONE);
		if (!unit)
			not_tosca(loader, entry);
		keep_template(tosca, unit);
	}
}

static void adopt_units(struct tosca *tosca, struct loader *loader)
{
	GHashTable *tables[] = { loader->units, loader->cache->profile };
	for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
		GHashTableIter iter;
		gpointer value;
		g_hash_table_iter_init(&iter, tables[i]);
		while (g_hash_table_iter_next(&iter, NULL, &value)) {
			struct unit *unit = value;
			g_ptr_array_add(tosca->units, unit_ref(unit));
			arena_adopt(tosca->arena, unit->arena);
		}
	}
}

struct tosca *tosca_load(struct snapshot *snapshot, struct tosca_cache *cache, struct diags *diags)
{
	auto_ptr(tosca_cache) own = cache ? NULL : tosca_cache_new();
	struct tosca *tosca = g_new0(struct tosca, 1);
	g_atomic_ref_count_init(&tosca->refs);
	g_mutex_init(&tosca->source_lock);
	tosca->arena = arena_new();
	tosca->snapshot = snapshot_ref(snapshot);
	tosca->units = g_ptr_array_new_with_free_func((GDestroyNotify) unit_unref);
	tosca->templates = g_ptr_array_new();
	tosca->by_path = g_hash_table_new(g_str_hash, g_str_equal);
	struct loader loader = { .cache = cache ? cache : own, .snapshot = snapshot, .diags = diags };
	loader.units = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) unit_unref);
	loader.cache->generation++;
	load_files(tosca, &loader);
	adopt_units(tosca, &loader);
	g_ptr_array_sort(tosca->templates, compare_paths);
	for (guint i = 0; i < tosca->templates->len; i++) {
		struct template *template = tosca->templates->pdata[i];
		template->public.descriptor_id = descriptor_id_of(template);
	}
	find_duplicate_ids(tosca, diags);
	g_hash_table_foreach_remove(loader.cache->units, is_stale, loader.cache);
	g_hash_table_unref(loader.units);
	return tosca;
}

struct tosca *tosca_ref(struct tosca *tosca)
{
	g_atomic_ref_count_inc(&tosca->refs);
	return tosca;
}

void tosca_unref(struct tosca *tosca)
{
	if (!tosca || !g_atomic_ref_count_dec(&tosca->refs))
		return;
	g_mutex_clear(&tosca->source_lock);
	g_free(tosca->source_path);
	g_clear_pointer(&tosca->source_bytes, g_bytes_unref);
	g_hash_table_unref(tosca->by_path);
	g_ptr_array_unref(tosca->templates);
	g_ptr_array_unref(tosca->units);
	snapshot_unref(tosca->snapshot);
	arena_unref(tosca->arena);
	g_free(tosca);
}

struct snapshot *tosca_snapshot(const struct tosca *tosca)
{
	return tosca->snapshot;
}

size_t tosca_count(const struct tosca *tosca)
{
	return tosca->templates->len;
}

const struct ttemplate *tosca_template(const struct tosca *tosca, size_t i)
{
	const struct template *template = tosca->templates->pdata[i];
	return &template->public;
}
