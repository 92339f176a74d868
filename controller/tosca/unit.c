#include "tosca/internal.h"

#include <string.h>

/* --- life ---------------------------------------------------------------------------------------------------------- */

/* What of the unit is no memory of its arena; the arena is gone when this is called. */
static void unit_end(gpointer data)
{
	struct unit *unit = data;
	for (size_t kind = 0; kind < N_TYPE_KINDS; kind++)
		g_clear_pointer(&unit->types[kind], g_hash_table_unref);
	diags_free(unit->diags);
	g_ptr_array_unref(unit->regexes);
	g_array_unref(unit->files);
	reads_unref(unit->reads);
	g_free(unit);
}

static struct unit *unit_new(const char *path, const char *id)
{
	struct unit *unit = g_new0(struct unit, 1);
	unit->arena = arena_new();
	arena_keep(unit->arena, unit, unit_end);
	unit->path = arena_strdup(unit->arena, path);
	unit->id = arena_strdup(unit->arena, id);
	unit->builtin = g_str_has_prefix(path, BUILTIN);
	unit->cacheable = true;
	unit->diags = diags_new();
	unit->regexes = g_ptr_array_new_with_free_func((GDestroyNotify) g_regex_unref);
	unit->files = g_array_new(FALSE, FALSE, sizeof(struct file_ref));
	return unit;
}

struct unit *unit_ref(struct unit *unit)
{
	arena_ref(unit->arena);
	return unit;
}

void unit_unref(struct unit *unit)
{
	if (unit)
		arena_unref(unit->arena);
}

/* --- imports ------------------------------------------------------------------------------------------------------- */

static bool is_yaml(const char *path)
{
	return g_str_has_suffix(path, ".yaml") || g_str_has_suffix(path, ".yml");
}

/* Where the file that @unit calls @name is: in the snapshot, else built in. NULL: nowhere. */
static const char *find_import(struct loader *loader, struct arena *arena, const char *from, const char *name, bool *ret_outside)
{
	const char *base = strrchr(name, '/');
	base = base ? base + 1 : name;
	*ret_outside = false;
	if (loader->snapshot && !g_str_has_prefix(from, BUILTIN)) {
		const char *path = path_resolve(arena, from, name);
		*ret_outside = !path;
		if (path && g_str_has_prefix(path, BUILTIN))
			path = NULL; /* load_files() says why */
		if (path && snapshot_find(loader->snapshot, path))
			return path;
		auto_ptr(diags) ignored = diags_new();
		const char *entry = path ? csar_entry(loader->snapshot, arena, path, ignored) : NULL;
		if (entry)
			return entry;
	}
	if (strcmp(base, NORMATIVE_TYPES) != 0 && tosca_profile_text(base))
		return arena_printf(arena, BUILTIN "%s", base);
	return NULL;
}

static void missing_import(struct loader *loader, struct unit *unit, const char *name, struct origin origin, bool outside)
{
	enum { CANDIDATES_MAX = 2000 };
	if (strstr(name, "://")) {
		const char *base = strrchr(name, '/') + 1;
		struct diag *diag = unit_fault(unit, "url-import", origin, "\"%s\": files are not taken from the net",
					  text_shown(unit->arena, name));
		if (tosca_profile_text(base))
			unit_hint(unit, diag, "write \"%s\": it is built in", base);
		else
			unit_hint(unit, diag, "put the file into the repository");
		return;
	}
	if (outside) {
		struct diag *diag = unit_fault(unit, "path-outside", origin, "\"%s\" leads out of the repository",
					  text_shown(unit->arena, name));
		unit_hint(unit, diag, "paths are relative to this file, or begin with / for the root of the repository");
		return;
	}
	struct diag *diag = unit_fault(unit, "missing-import", origin, "there is no file \"%s\"", text_shown(unit->arena, name));
	if (!can_guess(unit))
		return;
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (size_t i = 0; tosca_profile_name(i); i++)
		g_ptr_array_add(names, (gpointer) (guintptr) tosca_profile_name(i));
	for (size_t i = 0; loader->snapshot && i < snapshot_count(loader->snapshot) && i < CANDIDATES_MAX; i++)
		if (is_yaml(snapshot_file(loader->snapshot, i)->path))
			g_ptr_array_add(names, (gpointer) (guintptr) snapshot_file(loader->snapshot, i)->path);
	hint_near(unit, diag, name, (const char *const *) names->pdata, names->len,
		  "paths are relative to this file, or begin with / for the root of the repository");
}

static void add_import(struct loader *loader, struct unit *unit, const struct ynode *file)
{
	const char *name = ynode_text(file);
	if (!name) {
		unit_fault(unit, "wrong-shape", file->origin, "an import names a file");
		return;
	}
	if (unit->n_imports == TOSCA_MAX_IMPORTS) {
		unit_fault(unit, "too-many", file->origin, "imports: more than %d", TOSCA_MAX_IMPORTS);
		return;
	}
	struct import *import = &unit->imports[unit->n_imports++];
	bool outside = false;
	import->name = name;
	import->origin = file->origin;
	if (!strstr(name, "://") && strlen(name) <= SOURCE_MAX_PATH)
		import->path = find_import(loader, unit->arena, unit->path, name, &outside);
	if (import->path)
		import->unit = load_unit(loader, unit, import->path, file->origin);
	else
		missing_import(loader, unit, name, file->origin, outside);
}

static void read_import(struct loader *loader, struct unit *unit, const struct ynode *item)
{
	static const char *const keys[] = {
		"file", "repository", "namespace_prefix", "namespace_uri", "description", "metadata", NULL
	};
	if (item->kind == YNODE_MAPPING && item->mapping.n == 1 && !ynode_get(item, "file"))
		item = item->mapping.entries[0].value; /* NAME: FILE, of the older versions */
	if (item->kind == YNODE_SCALAR) {
		add_import(loader, unit, item);
		return;
	}
	if (!check_keys(unit, item, "an import", keys))
		return;
	const struct yentry *repository = ynode_entry(item, "repository");
	const struct yentry *prefix = ynode_entry(item, "namespace_prefix");
	if (repository) {
		struct diag *diag = unit_fault(unit, "unsupported", repository->origin,
					       "files are not taken from other repositories");
		unit_hint(unit, diag, "put the file into this repository");
	} else if (prefix) {
		unit_fault(unit, "unsupported", prefix->origin, "namespace_prefix is not supported");
	} else if (!ynode_get(item, "file")) {
		unit_fault(unit, "missing-key", item->origin, "an import names a file");
	} else {
		add_import(loader, unit, ynode_get(item, "file"));
	}
}

static void read_imports(struct loader *loader, struct unit *unit)
{
	const struct ynode *imports = ynode_get(unit->root, "imports");
	if (ynode_is_null(imports))
		return;
	if (imports->kind == YNODE_SCALAR) {
		struct diag *diag = unit_fault(unit, "wrong-shape", imports->origin, "imports must be a list");
		unit_hint(unit, diag, "write [ %s ]", imports->scalar.text);
		return;
	}
	bool list = imports->kind == YNODE_SEQUENCE;
	size_t n = list ? imports->sequence.n : imports->mapping.n;
	unit->imports = ARENA_ARRAY(unit->arena, struct import, MIN(n, TOSCA_MAX_IMPORTS));
	for (size_t i = 0; i < n; i++)
		read_import(loader, unit, list ? imports->sequence.items[i] : imports->mapping.entries[i].value);
}

/* --- what is visible ----------------------------------------------------------------------------------------------- */

static void reach(GPtrArray *closure, GHashTable *seen, struct unit *unit)
{
	if (unit && g_hash_table_add(seen, unit))
		g_ptr_array_add(closure, unit);
}

static void make_closure(struct loader *loader, struct unit *unit)
{
	g_autoptr(GPtrArray) closure = g_ptr_array_new();
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	struct unit *normative = strcmp(unit->path, BUILTIN NORMATIVE_TYPES) ? load_unit(loader, NULL, BUILTIN NORMATIVE_TYPES,
											 ORIGIN_NONE) : NULL;
	reach(closure, seen, unit);
	if (normative)
		g_hash_table_add(seen, normative);
	for (size_t i = 0; i < unit->n_imports; i++)
		reach(closure, seen, unit->imports[i].unit);
	for (size_t i = 0; i < unit->n_imports; i++)
		for (size_t j = 1; unit->imports[i].unit && j < unit->imports[i].unit->n_closure; j++)
			reach(closure, seen, unit->imports[i].unit->closure[j]);
	if (closure->len > TOSCA_MAX_IMPORTS) {
		unit_fault(unit, "too-many", unit->imports[0].origin, "this file reaches more than %d others", TOSCA_MAX_IMPORTS);
		g_ptr_array_set_size(closure, TOSCA_MAX_IMPORTS);
	}
	if (normative)
		g_ptr_array_add(closure, normative);
	unit->closure = arena_memdup(unit->arena, closure->pdata, closure->len * sizeof(gpointer));
	unit->n_closure = closure->len;
	unit->alone = true;
	for (size_t i = 1; i < unit->n_closure; i++) {
		unit->alone = unit->alone && unit->closure[i]->builtin;
		arena_adopt(unit->arena, unit->closure[i]->arena);
		unit->cacheable = unit->cacheable && unit->closure[i]->cacheable;
	}
}

static bool same_tree(const struct ynode *a, const struct ynode *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind || a->weight != b->weight)
		return false;
	if (a->kind == YNODE_MAPPING && a->mapping.n != b->mapping.n)
		return false;
	switch (a->kind) {
	case YNODE_SCALAR:
		return !strcmp(a->scalar.text, b->scalar.text);
	case YNODE_SEQUENCE:
		for (size_t i = 0; i < a->sequence.n && i < b->sequence.n; i++)
			if (!same_tree(a->sequence.items[i], b->sequence.items[i]))
				return false;
		return a->sequence.n == b->sequence.n;
	case YNODE_MAPPING:
		for (size_t i = 0; i < a->mapping.n; i++) {
			const struct yentry *one = &a->mapping.entries[i], *other = &b->mapping.entries[i];
			if (strcmp(one->key, other->key) != 0 || !same_tree(one->value, other->value))
				return false;
		}
		return true;
	}
	g_assert_not_reached();
}

static void conflict(struct unit *unit, const struct ttype *first, const struct ttype *second)
{
	const struct ttype *own = first->unit == unit ? first : NULL;
	struct origin origin = own ? own->origin : unit->imports[0].origin;
	for (size_t i = 0; !own && i < unit->n_imports; i++)
		if (unit->imports[i].unit == second->unit)
			origin = unit->imports[i].origin;
	struct diag *diag = unit_fault(unit, "conflicting-types", origin, "%s \"%s\" is defined differently in two files",
				  kind_name(first->kind), first->name);
	unit_hint(unit, diag, "rename one of them, or make them the same");
	if (!own)
		diag_note(unit->diags, diag, first->origin, "defined here");
	diag_note(unit->diags, diag, second->origin, "and here");
}

/* Packages may ship SOL001 in different versions: there the first counts, which is the importer's. */
static bool is_standard(const char *name)
{
	return g_str_has_prefix(name, "tosca.");
}

static void find_conflicts(struct unit *unit)
{
	for (size_t kind = 0; kind < N_TYPE_KINDS; kind++) {
		g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
		for (size_t i = 0; i < unit->n_closure; i++) {
			GHashTableIter iter;
			gpointer key, value;
			bool standard = unit->closure[i]->builtin;
			g_hash_table_iter_init(&iter, unit->closure[i]->types[kind]);
			while (g_hash_table_iter_next(&iter, &key, &value)) {
				struct ttype *first = g_hash_table_lookup(seen, key), *type = value;
				if (!first && (!standard || !is_standard(key)))
					g_hash_table_insert(seen, key, value);
				else if (first && !is_standard(key) && !same_tree(first->node, type->node))
					conflict(unit, first, type);
			}
		}
	}
}

/* --- reading ------------------------------------------------------------------------------------------------------- */

static bool check_version(struct unit *unit)
{
	static const char *const known[] = {
		"tosca_simple_yaml_1_3", "tosca_simple_yaml_1_2", "tosca_simple_yaml_1_1", "tosca_simple_yaml_1_0"
	};
	static const char uri[] = "http://docs.oasis-open.org/tosca/ns/simple/yaml/1.";
	const struct ynode *node = ynode_get(unit->root, "tosca_definitions_version");
	const char *version = ynode_text(node);
	if (!version) {
		unit_fault(unit, "unknown-version", node->origin, "tosca_definitions_version names no version");
		return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
		if (!strcmp(known[i], version))
			return true;
	if (g_str_has_prefix(version, uri))
		return true;
	if (g_str_has_prefix(version, "tosca_simple_profile_for_nfv_")) {
		struct diag *diag = unit_fault(unit, "unsupported-profile", node->origin,
					       "the older profile \"%s\" is not supported",
					  version);
		unit_hint(unit, diag,
		     "write the descriptor with SOL001's types: tosca_simple_yaml_1_3 and an import of "
		     "etsi_nfv_sol001_vnfd_types.yaml");
		return false;
	}
	struct diag *diag = unit_fault(unit, "unknown-version", node->origin, "there is no TOSCA version \"%s\"", version);
	hint_names(unit, unit->diags, diag, version, known, G_N_ELEMENTS(known));
	return false;
}

static void resolve(struct loader *loader, struct unit *unit)
{
	static const char *const keys[] = {
		"tosca_definitions_version", "namespace", "metadata", "template_name", "template_author",
		"template_version", "description", "dsl_definitions", "repositories", "imports", "artifact_types",
		"data_types", "capability_types", "interface_types", "relationship_types", "node_types",
		"group_types", "policy_types", "topology_template", "groups", "policies", NULL
	};
	if (!check_version(unit))
		return;
	check_keys(unit, unit->root, "a service template", keys);
	read_imports(loader, unit);
	unit_collect_types(unit);
	make_closure(loader, unit);
	if (!unit->builtin)
		find_conflicts(unit);
	unit_resolve_types(unit);
	const struct yentry *topology = ynode_entry(unit->root, "topology_template");
	if (!topology)
		return;
	template_build(unit, topology->value);
	if (unit->template)
		unit->template->public.origin = topology->origin;
}

static bool line_begins_with(const char *text, size_t length, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = text, *end = text + length; at && at < end;) {
		if ((size_t) (end - at) >= n && !memcmp(at, word, n))
			return true;
		at = memchr(at, '\n', (size_t) (end - at));
		at = at ? at + 1 : NULL;
	}
	return false;
}

static void read_text(struct loader *loader, struct unit *unit, const char *text, size_t length)
{
	static const char word[] = "tosca_definitions_version";
	if (!length || !memmem(text, length, word, strlen(word)))
		return;
	/* Other YAML that only mentions the word is none of our business, right or wrong. */
	bool ours = line_begins_with(text, length, word) || line_begins_with(text, MIN(length, 3), "\xef\xbb\xbf");
	auto_ptr(diags) found = diags_new();
	unit->root = yaml_read(unit->arena, unit->path, text, length, found);
	unit->is_tosca = unit->root ? ynode_get(unit->root, word) != NULL : ours;
	if (unit->is_tosca)
		diags_append(unit->diags, found);
	if (unit->is_tosca && unit->root)
		resolve(loader, unit);
}

static void read_file(struct loader *loader, struct unit *unit)
{
	if (unit->builtin) {
		const char *text = tosca_profile_text(unit->path + strlen(BUILTIN));
		read_text(loader, unit, text, strlen(text));
		return;
	}
	g_autoptr(GError) error = NULL;
	g_autoptr(GBytes) bytes = snapshot_read(loader->snapshot, unit->path, &error);
	if (!bytes) {
		const struct origin origin = { unit->path, 0, 0 };
		unit->is_tosca = true;
		unit->cacheable = false;
		unit_fault(unit, "unreadable", origin, "%s", error ? error->message : "cannot be read");
		return;
	}
	size_t length;
	const char *text = g_bytes_get_data(bytes, &length);
	unit->snapshot = loader->snapshot;
	read_text(loader, unit, text, length);
	unit->snapshot = NULL;
}

static void finish(struct unit *unit)
{
	for (size_t kind = 0; kind < N_TYPE_KINDS; kind++)
		if (!unit->types[kind])
			unit->types[kind] = g_hash_table_new(g_str_hash, g_str_equal);
	if (!unit->n_closure) {
		unit->closure = ARENA_ARRAY(unit->arena, struct unit *, 1);
		unit->closure[0] = unit;
		unit->n_closure = 1;
	}
	for (size_t i = 0; i < unit->n_closure; i++)
		unit->n_errors += diags_errors(unit->closure[i]->diags);
	if (unit->template)
		unit->template->public.faulty = unit->n_errors > 0;
}

/* --- from the last load, or anew ------------------------------------------------------------------------------------ */

/* Are the units that it imports those of this load? Where they are to be found is among its reads. */
static bool imports_are_current(struct loader *loader, struct unit *unit)
{
	bool current = true;
	if (unit->alone)
		return true;
	g_hash_table_insert(loader->units, (gpointer) (guintptr) unit->path, unit_ref(unit));
	unit->loading = true;
	loader->depth++;
	for (size_t i = 0; i < unit->n_imports && current; i++) {
		const struct import *import = &unit->imports[i];
		current = !import->path || load_unit(loader, NULL, import->path, import->origin) == import->unit;
	}
	loader->depth--;
	unit->loading = false;
	g_hash_table_remove(loader->units, unit->path);
	return current;
}

static void use(struct loader *loader, struct unit *unit)
{
	unit->used = loader->cache->generation;
	if (unit->is_tosca)
		diags_append(loader->diags, unit->diags);
	if (!unit->builtin)
		g_ptr_array_add(loader->used, unit);
}

struct unit *unit_former(const struct tosca_cache *cache, const char *path)
{
	size_t low = 0, high = cache->n_units;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(cache->units[middle]->path, path);
		if (!order)
			return cache->units[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

bool unit_take_over(struct loader *loader, struct unit *former, const char *id)
{
	if (former->used == loader->cache->generation)
		return true;
	if (strcmp(former->id, id) != 0 || !former->cacheable || !reads_hold(former->reads) || !imports_are_current(loader, former))
		return false;
	use(loader, former);
	return true;
}

static struct unit *from_scratch(struct loader *loader, const char *path, const char *id)
{
	struct unit *unit = unit_new(path, id);
	g_hash_table_insert(unit->builtin ? loader->cache->profile : loader->units, (gpointer) (guintptr) unit->path, unit);
	unit->loading = true;
	loader->depth++;
	if (!unit->builtin)
		reads_begin(loader->cache->ledger);
	read_file(loader, unit);
	if (!unit->builtin)
		unit->reads = reads_end();
	loader->depth--;
	unit->loading = false;
	finish(unit);
	use(loader, unit);
	return unit;
}

static struct unit *refuse_circle(struct unit *importer, const struct unit *unit, struct origin from)
{
	importer->cacheable = false;
	struct diag *diag = unit_fault(importer, "circular-import", from,
				       "\"%s\" imports this file, directly or by way of others",
				  unit->path);
	unit_hint(importer, diag, "move what both need into a third file");
	return NULL;
}

static struct unit *obtain(struct loader *loader, struct unit *importer, const char *path, struct origin from)
{
	bool builtin = g_str_has_prefix(path, BUILTIN);
	if (loader->depth >= TOSCA_MAX_IMPORT_DEPTH) {
		if (importer) {
			importer->cacheable = false;
			unit_fault(importer, "imports-too-deep", from, "imports nested deeper than %d", TOSCA_MAX_IMPORT_DEPTH);
		}
		return NULL;
	}
	const struct source_file *file = builtin ? NULL : snapshot_find(loader->snapshot, path);
	const char *id = file ? file->id : path;
	struct unit *unit = builtin ? NULL : unit_former(loader->cache, path);
	if (!unit || !unit_take_over(loader, unit, id))
		return from_scratch(loader, path, id);
	g_hash_table_insert(loader->units, (gpointer) (guintptr) unit->path, unit_ref(unit));
	return unit;
}

struct unit *load_unit(struct loader *loader, struct unit *importer, const char *path, struct origin from)
{
	bool builtin = g_str_has_prefix(path, BUILTIN);
	struct unit *unit = g_hash_table_lookup(builtin ? loader->cache->profile : loader->units, path);
	if (unit && unit->loading)
		return importer ? refuse_circle(importer, unit, from) : NULL;
	if (!unit)
		unit = obtain(loader, importer, path, from);
	if (!unit || unit->is_tosca)
		return unit;
	if (importer) {
		struct diag *diag = unit_fault(importer, "not-tosca", from, "\"%s\" has no tosca_definitions_version", path);
		unit_hint(importer, diag, "begin it with \"tosca_definitions_version: tosca_simple_yaml_1_3\"");
	}
	return NULL;
}
