/* libFuzzer: bytes → YAML tree; and → files of a repository, loaded, instantiated, substituted. "\n%%\n" parts the files a.yaml,
 * b.yaml and p/TOSCA-Metadata/TOSCA.meta. */
#include "fuzz.h"

#include "tosca/tosca.h"
#include "tosca/yaml.h"

static void read_tree(const uint8_t *data, size_t size)
{
	auto_ptr(arena) arena = arena_new();
	auto_ptr(diags) diags = diags_new();
	const struct ynode *root = yaml_read(arena, "a.yaml", (const char *) data, size, diags);
	/* Either a tree, or a reason why not. */
	if (!root && !diags_errors(diags))
		g_error("no tree and no fault");
}

static void follow(struct tosca *tosca, struct diags *diags)
{
	auto_ptr(arena) arena = arena_new();
	const struct tnamed_list none = { 0 };
	for (size_t i = 0; i < tosca_count(tosca); i++) {
		const struct ttemplate *template = tosca_template(tosca, i);
		const struct ttopology *topology = tosca_instantiate(tosca, template, none, template->origin, arena, diags);
		for (size_t j = 0; j < topology->n_nodes; j++) {
			const struct tnode *node = &topology->nodes[j];
			if (ttopology_node(topology, node->name) != node)
				g_error("a node is not found by its name");
			tosca_substitute(tosca, template, node, diags);
			const char *descriptor = tvalue_string(tnode_property(node, "descriptor"), NULL);
			if (descriptor)
				tosca_find(tosca, descriptor, node->origin, diags);
		}
	}
}

static void load_files(const uint8_t *data, size_t size)
{
	static struct tosca_cache *cache;
	if (!cache)
		cache = tosca_cache_new();
	g_autofree char *text = g_strndup((const char *) data, size);
	g_auto(GStrv) files = g_strsplit(text, "\n%%\n", 3);
	guint n = g_strv_length(files);
	auto_ptr(snapshot) snapshot = snapshot_of("a.yaml", n > 0 ? files[0] : "", "b.yaml", n > 1 ? files[1] : "",
						  "p/TOSCA-Metadata/TOSCA.meta", n > 2 ? files[2] : "Entry-Definitions: x.yaml\n"
						  "", "p/x.yaml",
						  n > 1 ? files[1] : "", NULL);
	auto_ptr(diags) diags = diags_new();
	auto_ptr(tosca) tosca = tosca_load(snapshot, cache, diags);
	follow(tosca, diags);
	diags_sort(diags);
	g_autoptr(GString) printed = g_string_new(NULL);
	for (size_t i = 0; i < diags_count(diags); i++)
		diag_print(diags_get(diags, i), tosca_source, tosca, printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_tree(data, size);
	load_files(data, size);
	return 0;
}
