/* A controller lives for months: what it holds after many commits is what it held after few.
 *
 * The whole loop on a real repository, over the fake world. Each round changes a configuration, a service that comes and goes, and a
 * comment with a text that never was before; then what is alive is counted. Memory itself is not looked at: allocators keep what they like.
 */
#include "daemon/cycle.h"
#include "fake/world.h"
#include "link/link_kind.h"
#include "nf/nf_kind.h"
#include "source/objects.h"
#include "source/trees.h"
#include "vnf/vnfc_kind.h"

#include "gitrepo.h"

#include <malloc.h>

enum { WARM = 40, COMMITS = 120, COMMITS_SLOW = 2000, ARENAS_MORE = 16 };

/* libgit2 1.5 loses what it matches configuration names with, in repositories of format version 1. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libpcre2\n";
}

#define HEAD "tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml ]\n"

static const char vnfd[] =
	HEAD "node_types:\n  test.nodes.V: { derived_from: tosca.nodes.nfv.VNF }\n"
	"topology_template:\n"
	"  substitution_mappings: { node_type: test.nodes.V, requirements: { virtual_link: [ port, virtual_link ] } }\n"
	"  node_templates:\n"
	"    vnf:\n      type: test.nodes.V\n"
	"      properties: { descriptor_id: 1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a000, descriptor_version: '1.0', provider: me, product_name: p,\n"
	"        software_version: '1', vnfm_info: [ '0:pleach' ], flavour_id: simple, flavour_description: one }\n"
	"    vdu:\n      type: tosca.nodes.nfv.Vdu.Compute\n"
	"      properties: { name: micro, description: small, vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 1 } }\n"
	"      capabilities:\n"
	"        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 }, virtual_memory: { virtual_mem_size: 16 MB } } }\n"
	"    port:\n      type: tosca.nodes.nfv.VduCp\n      properties: { layer_protocols: [ ipv4 ] }\n"
	"      requirements: [ virtual_binding: vdu ]\n"
	"    proxy:\n      type: pleach.nodes.NetworkFunction\n      properties: { command: [ run ] }\n"
	"      requirements: [ host: vdu ]\n"
	"      artifacts:\n        config: { type: pleach.artifacts.Template, file: p.cfg, deploy_path: /etc/p.cfg }\n";

static const char sites[] =
	HEAD "topology_template:\n  node_templates:\n    lab:\n      type: pleach.nodes.Site\n"
	"      properties: { vim: { driver: fake }, ems: { agent: { driver: fake } } }\n";

/* --- the repository ------------------------------------------------------------------------------------------------------ */

static void add_blob(GString *stream, const char *path, const char *text)
{
	g_string_append_printf(stream, "M 644 inline %s\ndata %zu\n%s\n", path, strlen(text), text);
}

static void add_services(GString *stream, int file, int n, int comment)
{
	g_autofree char *path = g_strdup_printf("services/%d/%d.yaml", file, file);
	g_autoptr(GString) text = g_string_new(HEAD "topology_template:\n  node_templates:\n");
	for (int i = 0; i < n; i++)
		g_string_append_printf(text, "    s%d-%d: { type: pleach.nodes.NetworkService, properties: { descriptor: /vnfd/v.yaml } }\n", file, i);
	g_string_append_printf(text, "# %d\n", comment);
	add_blob(stream, path, text->str);
}

static void add_commit(GString *stream, int i)
{
	g_autofree char *config = g_strdup_printf("setting %d\n", i % 4 / 2);
	g_string_append_printf(stream, "commit refs/heads/prepared\nmark :%d\ncommitter t <t@localhost> %d +0000\ndata 5\nstep\n\n", i + 1,
			       1700000000 + i);
	if (i == 0) {
		add_blob(stream, "vnfd/v.yaml", vnfd);
		add_blob(stream, "sites.yaml", sites);
		for (int file = 1; file < 4; file++)
			add_services(stream, file, 2, 0);
	}
	add_blob(stream, "vnfd/p.cfg", config);
	add_services(stream, 0, 1 + i % 2, i);
	g_string_append_c(stream, '\n');
}

static GStrv make_repository(const char *folder, int n)
{
	g_autoptr(GString) stream = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *path = g_build_filename(folder, "stream", NULL);
	for (int i = 0; i < n; i++)
		add_commit(stream, i);
	g_file_set_contents(path, stream->str, (gssize) stream->len, &error);
	g_assert_no_error(error);
	gitrepo_do(folder, "git init -q --bare -b main r.git; git --git-dir=r.git fast-import --quiet <stream");
	g_autofree char *commits = gitrepo_run(folder, "git --git-dir=r.git rev-list --reverse prepared");
	return g_strsplit(commits, "\n", -1);
}

/* --- the loop ------------------------------------------------------------------------------------------------------------ */

static void converge(struct cycle *cycle, const char *folder, const char *commit)
{
	g_autofree char *ref = g_build_filename(folder, "r.git/refs/heads/main", NULL);
	g_autoptr(GError) error = NULL;
	g_file_set_contents(ref, commit, -1, &error);
	g_assert_no_error(error);
	cycle_load(cycle);
	const struct cycle_view *now = cycle_view(cycle);
	while (!cycle_is_at_rest(cycle))
		g_main_context_iteration(NULL, TRUE);
	g_assert_null(now->load_error);
	g_assert_cmpstr(cycle_verdict_name(now->verdict), ==, "converged");
	g_assert_cmpstr(snapshot_revision(now->revision->snapshot), ==, commit);
}

static void test_growth(void)
{
	if (gitrepo_missing())
		return;
	static const struct kind_ops *const kinds[] = { &kind_link_ops, &kind_vnfc_ops, &kind_nf_ops };
	static const struct vim_ops *const vims[] = { &fake_vim_ops };
	static const struct ems_ops *const emss[] = { &fake_ems_ops };
	static const struct registry registry = { .kinds = kinds, .n_kinds = 3, .vims = vims, .n_vims = 1, .emss = emss, .n_emss = 1 };
	int n = g_test_slow() ? COMMITS_SLOW : COMMITS;
	char *folder = gitrepo_folder();
	g_auto(GStrv) commits = make_repository(folder, n);
	g_autofree char *repository = g_build_filename(folder, "r.git", NULL);
	g_autoptr(GError) error = NULL;
	g_setenv("PLEACH_RUNTIME_DIR", folder, TRUE);
	auto_ptr(fake_world) world = fake_world_new(NULL);
	struct store *store = store_open(folder, &error);
	g_assert_no_error(error);
	const struct cycle_options options = {
		.registry = &registry, .store = store, .source = { .path = repository, .revision = "main", .owner = "growth" }, .threads = 2,
	};
	struct cycle *cycle = cycle_new(&options, &error);
	g_assert_no_error(error);
	size_t arenas = 0, trees = 0;
	for (int i = 0; i < n; i++) {
		converge(cycle, folder, commits[i]);
		if ((i + 1) % (n / 4) == 0)
			g_test_message("%d commits: %zu arenas, heap %zu bytes", i + 1, arenas_alive(), mallinfo2().uordblks + mallinfo2().hblkhd);
		if (i + 1 != WARM)
			continue;
		arenas = arenas_alive();
		trees = trees_count();
	}
	g_test_message("arenas %zu, then %zu; trees %zu, then %zu; blobs %zu", arenas, arenas_alive(), trees, trees_count(), objects_count());
	g_assert_cmpuint(arenas_alive(), <=, arenas + ARENAS_MORE);
	g_assert_cmpuint(trees_count(), ==, trees);
	g_assert_cmpuint(objects_count(), <=, 2 * OBJECTS_SPARE);
	cycle_stop(cycle);
	while (cycle_view(cycle)->phase != CYCLE_IDLE)
		g_main_context_iteration(NULL, TRUE);
	cycle_free(cycle);
	store_close(store);
	gitrepo_remove(folder);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	gitrepo_isolate();
	g_test_add_func("/world/growth", test_growth);
	return g_test_run();
}
