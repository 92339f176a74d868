/* The package that an NF brings along (model/package.h). In a CSAR folder (SOL004, 4.1.2): everything in it but TOSCA-Metadata, the
 * manifest, the descriptors, and the configuration files, which the NFs get rendered. Beside a plain VNFD: what its NF names. */
#include "desired/internal.h"

#include <string.h>

/* Files by path, each once. */
struct gathering {
	struct run *run;
	const char *folder;  /* "" for the root, else with its slash */
	GHashTable *seen;    /* path from the root of the repository → index into @files + 1 */
	GArray *files;       /* of struct package_file */
	bool good;
};

static const char *folder_of(struct run *run, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? arena_strndup(run->arena, path, (size_t) (slash - path) + 1) : "";
}

/* The CSAR folder that @path lies in, with its slash; NULL where it is in none. */
static const char *csar_of(struct run *run, const char *path)
{
	const struct snapshot *snapshot = tosca_snapshot(run->tosca);
	g_autofree char *folder = g_strdup(path);
	for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
		slash[0] = '\0';
		g_autofree char *meta = g_strdup_printf("%s/TOSCA-Metadata/TOSCA.meta", folder);
		if (snapshot_find(snapshot, meta))
			return arena_printf(run->arena, "%s/", folder);
	}
	return snapshot_find(snapshot, "TOSCA-Metadata/TOSCA.meta") ? "" : NULL;
}

static void gather(struct gathering *gathering, const char *file, bool script, struct origin from)
{
	struct run *run = gathering->run;
	size_t there = GPOINTER_TO_SIZE(g_hash_table_lookup(gathering->seen, file));
	if (there) {
		g_array_index(gathering->files, struct package_file, there - 1).executable |= script;
		return;
	}
	const struct source_file *source = snapshot_find(tosca_snapshot(run->tosca), file);
	GBytes *bytes = run_read(run, file, from);
	if (!bytes) {
		gathering->good = false;
		return;
	}
	struct package_file add = {
		.path = file + strlen(gathering->folder), .executable = script || (source && source->executable), .bytes = bytes,
	};
	g_array_append_val(gathering->files, add);
	g_hash_table_insert(gathering->seen, held(file), GSIZE_TO_POINTER((size_t) gathering->files->len));
}

/* A script or a file that an NF names; what lies elsewhere cannot be brought along. */
static void gather_named(struct gathering *gathering, const char *file, bool script, struct origin from)
{
	if (g_str_has_prefix(file, gathering->folder)) {
		gather(gathering, file, script, from);
		return;
	}
	struct diag *diag = run_say(gathering->run, SEVERITY_ERROR, "outside-package", from,
				    "%s is outside of the folder %s, which holds the package", file, gathering->folder);
	if (diag)
		diag_hint(gathering->run->diags, diag, "put it beside the descriptor, or into a folder below");
	gathering->good = false;
}

static void gather_of(struct gathering *gathering, const struct tnode *node)
{
	for (size_t i = 0; i < node->n_operations; i++) {
		const struct toperation *operation = &node->operations[i];
		if (!operation->file)
			continue;
		gather_named(gathering, operation->file, true, operation->origin);
		for (size_t j = 0; j < operation->n_dependencies; j++)
			gather_named(gathering, operation->dependencies[j], false, operation->origin);
	}
	for (size_t i = 0; i < node->n_artifacts; i++)
		if (package_holds(&node->artifacts[i]))
			gather_named(gathering, node->artifacts[i].file, false, node->artifacts[i].origin);
}

/* --- CSAR --------------------------------------------------------------------------------------------------------------- */

static bool is_manifest(const char *path)
{
	return !strchr(path, '/') && (g_str_has_suffix(path, ".mf") || g_str_has_suffix(path, ".cert"));
}

static bool is_descriptor(struct run *run, const char *path)
{
	if (!path_is_yaml(path))
		return false;
	GBytes *bytes = run_read(run, path, ORIGIN_NONE);
	return bytes && bytes_have_version(bytes);
}

/* Index of the first file that is not before @path. */
static size_t first_at(const struct snapshot *snapshot, const char *path)
{
	size_t low = 0, high = snapshot_count(snapshot);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(snapshot_file(snapshot, middle)->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void gather_csar(struct gathering *gathering, const struct ttopology *topology, struct origin from)
{
	const struct snapshot *snapshot = tosca_snapshot(gathering->run->tosca);
	g_autoptr(GHashTable) rendered = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (!tnode_is_a(node, "pleach.nodes.NetworkFunction"))
			continue;
		gather_of(gathering, node);
		for (size_t j = 0; j < node->n_artifacts; j++)
			if (!package_holds(&node->artifacts[j]))
				g_hash_table_add(rendered, held(node->artifacts[j].file));
	}
	for (size_t i = first_at(snapshot, gathering->folder); i < snapshot_count(snapshot); i++) {
		const char *path = snapshot_file(snapshot, i)->path, *inner = path + strlen(gathering->folder);
		if (!g_str_has_prefix(path, gathering->folder))
			break;
		if (g_str_has_prefix(inner, "TOSCA-Metadata/") || is_manifest(inner) || g_hash_table_contains(rendered, path) ||
		    is_descriptor(gathering->run, path))
			continue;
		gather(gathering, path, false, from);
	}
}

/* --- the package -------------------------------------------------------------------------------------------------------- */

bool package_holds(const struct tartifact *artifact)
{
	if (ttype_is_a(artifact->type, "pleach.artifacts.Template"))
		return false;
	if (ttype_is_a(artifact->type, "tosca.artifacts.Implementation"))
		return true;
	return ttype_is_a(artifact->type, "tosca.artifacts.File") && !artifact->deploy_path;
}

static bool names_any(const struct tnode *node)
{
	for (size_t i = 0; i < node->n_operations; i++)
		if (node->operations[i].file)
			return true;
	for (size_t i = 0; i < node->n_artifacts; i++)
		if (package_holds(&node->artifacts[i]))
			return true;
	return false;
}

static const struct package *make(struct run *run, const struct tnode *node, const struct ttopology *in, const char *folder,
				  bool csar)
{
	struct gathering gathering = {
		.run = run, .folder = folder, .good = true,
		.seen = g_hash_table_new(g_str_hash, g_str_equal),
		.files = g_array_new(FALSE, FALSE, sizeof(struct package_file)),
	};
	const struct package *package = NULL;
	g_autoptr(GError) error = NULL;

	if (csar)
		gather_csar(&gathering, in, node->origin);
	else
		gather_of(&gathering, node);
	if (gathering.good)
		package = package_make(run->arena, (const struct package_file *) (const void *) gathering.files->data,
				       gathering.files->len, &error);
	if (gathering.good && !package)
		run_say(run, SEVERITY_ERROR, "bad-package", node->origin, "the package of \"%s\": %s", node->name, error->message);
	g_hash_table_unref(gathering.seen);
	g_array_unref(gathering.files);
	return package;
}

void package_compile(struct run *run, struct nfd *nf)
{
	const char *file = nf->in->of->file, *csar = names_any(nf->node) ? csar_of(run, file) : NULL;

	if (!names_any(nf->node))
		return;
	nf->folder = csar ? csar : folder_of(run, file);
	/* What a package holds depends on no input. All NFs of a descriptor in a CSAR share one. */
	g_autofree char *id = csar ? g_strdup(file) : g_strdup_printf("%s\n%s", file, nf->node->name);
	nf->package = g_hash_table_lookup(run->packages, id);
	if (nf->package) {
		reads_note_all(g_hash_table_lookup(run->package_reads, nf->package));
		return;
	}
	reads_begin(run->ledger);
	nf->package = make(run, nf->node, nf->in, nf->folder, csar != NULL);
	struct reads *reads = reads_end();
	reads_note_all(reads);
	if (nf->package && !g_hash_table_contains(run->package_reads, nf->package)) {
		g_hash_table_insert(run->packages, g_steal_pointer(&id), held(nf->package));
		g_hash_table_insert(run->package_reads, held(nf->package), reads);
	} else
		reads_unref(reads);
}

static int by_digest(const void *a, const void *b)
{
	return strcmp((*(const struct package *const *) a)->digest, (*(const struct package *const *) b)->digest);
}

const struct package *const *packages_gather(struct run *run, size_t *ret_n)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	size_t n = 0;

	for (guint i = 0; i < run->services->len; i++) {
		const struct service *service = run->services->pdata[i];
		for (guint j = 0; j < service->packages->len && !service->faulty; j++)
			g_ptr_array_add(all, service->packages->pdata[j]);
	}
	const struct package **packages = arena_memdup(run->arena, all->pdata, all->len * sizeof *packages);
	if (all->len > 1)
		qsort(packages, all->len, sizeof *packages, by_digest);
	for (guint i = 0; i < all->len; i++)
		if (n == 0 || strcmp(packages[n - 1]->digest, packages[i]->digest) != 0)
			packages[n++] = packages[i];
	*ret_n = n;
	return packages;
}
