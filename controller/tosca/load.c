#include "tosca/internal.h"

#include <string.h>

struct tosca_cache *tosca_cache_new(void)
{
	struct tosca_cache *cache = g_new0(struct tosca_cache, 1);
	cache->profile = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) unit_unref);
	cache->ledger = ledger_new();
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
	shelves_unref(cache->shelves);
	g_hash_table_unref(cache->profile);
	ledger_free(cache->ledger);
	g_free(cache->units);
	g_free(cache->templates);
	g_free(cache->described);
	g_free(cache);
}

size_t tosca_cache_count(const struct tosca_cache *cache)
{
	return cache->n_units;
}

struct ledger *tosca_cache_ledger(const struct tosca_cache *cache)
{
	return cache->ledger;
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
	if (unit && unit->template)
		g_ptr_array_add(tosca->templates, unit->template);
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

static int compare_templates(const struct template *a, const struct template *b)
{
	return a == b ? 0 : strcmp(a->public.file, b->public.file);
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
	return compare_templates(*(const struct template *const *) a, *(const struct template *const *) b);
}

static void find_duplicate_ids(struct tosca *tosca, struct diags *diags)
{
	g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < tosca->described->len; i++) {
		struct template *template = tosca->described->pdata[i];
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

/* load_unit(), quicker: both lists are sorted. */
static struct unit *load_file(struct loader *loader, const struct source_file *file, size_t *at)
{
	const struct tosca_cache *cache = loader->cache;
	int order = -1;
	while (*at < cache->n_units && (order = strcmp(cache->units[*at]->path, file->path)) < 0)
		++*at;
	struct unit *former = order == 0 && *at < cache->n_units ? cache->units[*at] : NULL;
	if (!former || !unit_take_over(loader, former, file->id))
		return load_unit(loader, NULL, file->path, ORIGIN_NONE);
	return former->is_tosca ? former : NULL;
}

static void load_files(struct tosca *tosca, struct loader *loader)
{
	struct snapshot *snapshot = tosca->snapshot;
	g_autoptr(GPtrArray) packages = find_packages(snapshot);
	size_t at = 0; /* in the units of the last load */
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		const struct source_file *file = snapshot_file(snapshot, i);
		bool yaml = g_str_has_suffix(file->path, ".yaml") || g_str_has_suffix(file->path, ".yml");
		if (yaml && !in_package(packages, file->path) && !refuse_reserved(loader, file->path))
			keep_template(tosca, load_file(loader, file, &at));
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

static gint compare_units(gconstpointer a, gconstpointer b)
{
	return strcmp((*(const struct unit *const *) a)->path, (*(const struct unit *const *) b)->path);
}

/* From one load to the next they mostly come in order already. */
static void sort_pointers(GPtrArray *array, GCompareFunc order)
{
	for (guint i = 1; i < array->len; i++)
		if (order(&array->pdata[i - 1], &array->pdata[i]) > 0) {
			g_ptr_array_sort(array, order);
			return;
		}
}

static void keep_units(struct tosca *tosca, struct loader *loader)
{
	struct tosca_cache *cache = loader->cache;
	g_autoptr(GPtrArray) arenas = g_ptr_array_sized_new(loader->used->len);
	sort_pointers(loader->used, compare_units);
	for (guint i = 0; i < loader->used->len; i++)
		g_ptr_array_add(arenas, ((const struct unit *) loader->used->pdata[i])->arena);
	GHashTableIter iter;
	gpointer unit;
	g_hash_table_iter_init(&iter, cache->profile);
	while (g_hash_table_iter_next(&iter, NULL, &unit))
		g_ptr_array_add(arenas, ((const struct unit *) unit)->arena);
	tosca->shelves = shelves_new((struct arena *const *) arenas->pdata, arenas->len, cache->shelves);
}

static void add_to(GHashTable *table, const char *key, struct template *template)
{
	GPtrArray *templates = g_hash_table_lookup(table, key);
	if (!templates)
		g_hash_table_insert(table, (gpointer) (guintptr) key, templates = g_ptr_array_new());
	g_ptr_array_add(templates, template);
}

static void describe(struct tosca *tosca)
{
	for (guint i = 0; i < tosca->templates->len; i++) {
		struct template *template = tosca->templates->pdata[i];
		if (!template->is_described) {
			template->public.descriptor_id = descriptor_id_of(template);
			template->is_described = true;
		}
		if (template->public.descriptor_id || template->substitution_type)
			g_ptr_array_add(tosca->described, template);
	}
	for (guint i = 0; i < tosca->described->len; i++) {
		struct template *template = tosca->described->pdata[i];
		if (template->public.descriptor_id)
			add_to(tosca->by_id, template->public.descriptor_id, template);
		for (const struct ttype *type = template->substitution_type; type; type = type->parent)
			add_to(tosca->by_type, type->name, template);
	}
}

/* --- what the next load takes over ------------------------------------------------------------------------------------- */

static void mark_listed(struct ledger *ledger, const struct template *template)
{
	ledger_mark(ledger, READ_TEMPLATE, template->public.file);
}

static void mark_described(struct ledger *ledger, const struct template *template)
{
	if (template->public.descriptor_id)
		ledger_mark(ledger, READ_ID, template->public.descriptor_id);
	for (const struct ttype *type = template->substitution_type; type; type = type->parent)
		ledger_mark(ledger, READ_TYPE, type->name);
}

/* What is only in one of two lists, both sorted by path. */
static void mark_changes(struct ledger *ledger, struct template *const *former, size_t n_former, const GPtrArray *now,
			 void (*mark)(struct ledger *ledger, const struct template *template))
{
	size_t i = 0, j = 0;
	while (i < n_former || j < now->len) {
		const struct template *was = i < n_former ? former[i] : NULL, *is = j < now->len ? now->pdata[j] : NULL;
		int order = !was ? 1 : !is ? -1 : compare_templates(was, is);
		if (was != is && order <= 0)
			mark(ledger, was);
		if (was != is && order >= 0)
			mark(ledger, is);
		i += order <= 0;
		j += order >= 0;
	}
}

static void *copy_of(const GPtrArray *array)
{
	return g_memdup2(array->pdata, array->len * sizeof(gpointer));
}

static void remember(struct tosca_cache *cache, const struct tosca *tosca, const struct loader *loader)
{
	mark_changes(cache->ledger, cache->templates, cache->n_templates, tosca->templates, mark_listed);
	mark_changes(cache->ledger, cache->described, cache->n_described, tosca->described, mark_described);
	g_free(cache->units);
	g_free(cache->templates);
	g_free(cache->described);
	cache->units = copy_of(loader->used);
	cache->n_units = loader->used->len;
	cache->templates = copy_of(tosca->templates);
	cache->n_templates = tosca->templates->len;
	cache->described = copy_of(tosca->described);
	cache->n_described = tosca->described->len;
	shelves_unref(cache->shelves);
	cache->shelves = shelves_ref(tosca->shelves);
}

/* Where a package is within another, both may name one file. */
static void sort_templates(GPtrArray *templates)
{
	guint n = 0;
	sort_pointers(templates, compare_paths);
	for (guint i = 0; i < templates->len; i++)
		if (!n || templates->pdata[n - 1] != templates->pdata[i])
			templates->pdata[n++] = templates->pdata[i];
	g_ptr_array_set_size(templates, (gint) n);
}

struct tosca *tosca_load(struct snapshot *snapshot, struct tosca_cache *cache, struct diags *diags)
{
	auto_ptr(tosca_cache) own = cache ? NULL : tosca_cache_new();
	struct tosca *tosca = g_new0(struct tosca, 1);
	g_atomic_ref_count_init(&tosca->refs);
	g_mutex_init(&tosca->source_lock);
	tosca->arena = arena_new();
	tosca->snapshot = snapshot_ref(snapshot);
	tosca->templates = g_ptr_array_new();
	tosca->described = g_ptr_array_new();
	tosca->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
	tosca->by_type = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
	struct loader loader = { .cache = cache ? cache : own, .snapshot = snapshot, .diags = diags };
	loader.units = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) unit_unref);
	loader.used = g_ptr_array_new();
	loader.cache->generation++;
	ledger_turn(loader.cache->ledger, snapshot);
	load_files(tosca, &loader);
	keep_units(tosca, &loader);
	sort_templates(tosca->templates);
	describe(tosca);
	find_duplicate_ids(tosca, diags);
	remember(loader.cache, tosca, &loader);
	g_ptr_array_unref(loader.used);
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
	g_hash_table_unref(tosca->by_type);
	g_hash_table_unref(tosca->by_id);
	g_ptr_array_unref(tosca->described);
	g_ptr_array_unref(tosca->templates);
	shelves_unref(tosca->shelves);
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

struct template *template_at(const struct tosca *tosca, const char *path)
{
	size_t low = 0, high = tosca->templates->len;
	reads_note(READ_TEMPLATE, path);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct template *template = tosca->templates->pdata[middle];
		int order = strcmp(template->public.file, path);
		if (!order)
			return template;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}
