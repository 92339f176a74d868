/* A random walk of edits over a repository: a revision that takes over what it can of the one before is, in every byte (objects, sites,
 * packages, findings, plan, fingerprint), the revision that takes over nothing. */
#include "base/json.h"
#include "desired/revision.h"
#include "model/world.h"
#include "plan/plan.h"
#include "report/report.h"

#include <string.h>

enum { WALKS = 2, WALKS_SLOW = 8, EDITS = 30, FILES_MAX = 40, VNFDS = 3, SERVICE_FILES = 8 };

struct repository {
	GHashTable *files; /* path → text */
};

static int pick(int n)
{
	return g_test_rand_int_range(0, n);
}

static bool chance(int percent)
{
	return pick(100) < percent;
}

static void put(struct repository *repository, const char *path, const char *text)
{
	g_hash_table_replace(repository->files, g_strdup(path), g_strdup(text));
}

/* --- texts --------------------------------------------------------------------------------------------------------------- */

#define HEAD "tosca_definitions_version: tosca_simple_yaml_1_3\n"

static void put_types(struct repository *repository)
{
	g_autofree char *text = g_strdup_printf(HEAD "imports: [ pleach_types.yaml ]\nnode_types:\n"
						     "  example.nodes.Common:\n    derived_from: tosca.nodes.nfv.VNF\n"
						     "    description: edition %d\n", pick(3));
	put(repository, "vnfd/common.yaml", text);
}

static void put_vnfd(struct repository *repository, int which)
{
	g_autofree char *path = g_strdup_printf("vnfd/%d.yaml", which);
	/* Now and then with something that is not kept (a warning), or that is wrong. */
	const char *more = chance(15) ? "        nfvi_constraints: { key_1: value_1 }\n" : "", *fault = chance(6) ? "x" : "";
	g_autofree char *text = g_strdup_printf(
		HEAD "imports: [ %s ]\n"
		"node_types:\n  example.nodes.V%d: { derived_from: %s }\n"
		"topology_template:\n"
		"  substitution_mappings: { node_type: example.nodes.V%d, requirements: { virtual_link: [ port, virtual_link ] } }\n"
		"  node_templates:\n"
		"    vnf:\n      type: example.nodes.V%d\n"
		"      properties: { descriptor_id: 1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a00%d, descriptor_version: '1.0', provider: me,\n"
		"        product_name: p, software_version: '%d', vnfm_info: [ '0:pleach' ], flavour_id: simple, flavour_description: one }\n"
		"    vdu:\n      type: tosca.nodes.nfv.Vdu.Compute%s\n"
		"      properties:\n        name: micro\n        description: small\n%s"
		"        vdu_profile: { min_number_of_instances: %d, max_number_of_instances: 3 }\n"
		"      capabilities:\n"
		"        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 }, virtual_memory: { virtual_mem_size: %d MB } } }\n"
		"    port:\n      type: tosca.nodes.nfv.VduCp\n      properties: { layer_protocols: [ ipv4 ] }\n"
		"      requirements: [ virtual_binding: vdu ]\n"
		"    proxy:\n      type: pleach.nodes.NetworkFunction\n      properties: { command: [ run, '%d' ] }\n"
		"      requirements: [ host: vdu ]\n"
		"      artifacts:\n        config: { type: pleach.artifacts.Template, file: %d.cfg, deploy_path: /etc/x.cfg }\n",
		which == 0 ? "common.yaml, pleach_types.yaml" : "pleach_types.yaml", which,
		which == 0 ? "example.nodes.Common" : "tosca.nodes.nfv.VNF", which, which, which, pick(3), fault, more, 1 + pick(2),
		16 * (1 + pick(3)), pick(3), which);
	put(repository, path, text);
}

static void put_config(struct repository *repository, int which)
{
	g_autofree char *path = g_strdup_printf("vnfd/%d.cfg", which);
	g_autofree char *text = g_strdup_printf("setting %d\naddress {{ ports.port.addresses.0 }}\n%s", pick(4), chance(5) ? "{{ nobody }}\n" : "");
	if (chance(5))
		g_hash_table_remove(repository->files, path);
	else
		put(repository, path, text);
}

static void put_nsd(struct repository *repository)
{
	g_autofree char *text = g_strdup_printf(
		HEAD "imports: [ pleach_types.yaml, /vnfd/1.yaml ]\ntopology_template:\n  node_templates:\n"
		"    ns:\n      type: tosca.nodes.nfv.NS\n"
		"      properties: { descriptor_id: b1bb0ce7-2222-4fa7-95ed-4840d70a1177, designer: me, version: '%d', name: n,\n"
		"        invariant_id: b1bb0ce7-2222-4fa7-95ed-4840d70a1178, flavour_id: simple }\n"
		"    front:\n      type: example.nodes.V1\n"
		"      properties: { descriptor_id: 1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a001, descriptor_version: '1.0', provider: me,\n"
		"        product_name: p, software_version: '1', vnfm_info: [ '0:pleach' ], flavour_id: simple, flavour_description: one }\n"
		"      requirements: [ virtual_link: lan ]\n"
		"    lan:\n      type: tosca.nodes.nfv.NsVirtualLink\n"
		"      properties: { connectivity_type: { layer_protocols: [ ipv4 ] }, vl_profile: { max_bitrate_requirements: { root: 1000 },\n"
		"        min_bitrate_requirements: { root: 1000 } } }\n", pick(2));
	put(repository, "nsd/n.yaml", text);
}

static void put_services(struct repository *repository, int which)
{
	static const char *const descriptors[] = {
		"/vnfd/0.yaml", "/vnfd/1.yaml", "/vnfd/2.yaml", "/nsd/n.yaml", "1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a002",
		"b1bb0ce7-2222-4fa7-95ed-4840d70a1177", "/vnfd/9.yaml",
	};
	g_autofree char *path = g_strdup_printf("services/%d.yaml", which);
	g_autoptr(GString) text = g_string_new(HEAD "imports: [ pleach_types.yaml ]\ntopology_template:\n  node_templates:\n");
	for (int i = 0, n = 1 + pick(3); i < n; i++) {
		int name = chance(5) ? pick(SERVICE_FILES * 4) : which * 4 + i;
		const char *descriptor = descriptors[chance(5) ? 6 : pick(6)];
		g_string_append_printf(text, "    s%d:\n      type: pleach.nodes.NetworkService\n      properties: { descriptor: %s%s }\n", name,
				       descriptor, chance(30) ? ", site: berlin" : "");
		if (i > 0 && chance(40))
			g_string_append_printf(text, "      requirements: [ dependency: s%d ]\n", which * 4);
	}
	if (chance(5))
		g_string_append(text, "    odd: { type: pleach.nodes.NetworkServise }\n");
	if (chance(3))
		g_string_append(text, "  : [\n");
	put(repository, path, text->str);
}

static void put_sites(struct repository *repository)
{
	g_autofree char *text = g_strdup_printf(HEAD "imports: [ pleach_types.yaml ]\ntopology_template:\n  node_templates:\n"
						     "    %s: { type: pleach.nodes.Site, properties: { capacity: { vcpus: %d } } }\n%s",
						chance(20) ? "rome" : "berlin", 2 + pick(20), chance(20) ? "    paris: { type: pleach.nodes.Site }\n" : "");
	put(repository, "sites.yaml", text);
}

static void put_other(struct repository *repository)
{
	static const char *const paths[] = {
		"services/pleach_types.yaml", "README.md", "vnfd/notes.yaml", "1c6bcb0f-6f5b-4f0e-8c55-0a1b7cf7a002", "policies.yaml",
	};
	int which = pick((int) G_N_ELEMENTS(paths));
	if (g_hash_table_contains(repository->files, paths[which]))
		g_hash_table_remove(repository->files, paths[which]);
	else if (which == 0 && chance(70))
		return;
	else
		put(repository, paths[which], which == 0 ? HEAD "node_types: {}\n" : which == 4 ?
		    HEAD "imports: [ pleach_types.yaml ]\ntopology_template: { policies: [ p: { type: pleach.policies.Drift } ] }\n" : "some text\n");
}

static void edit(struct repository *repository)
{
	int which = pick(VNFDS), file = pick(SERVICE_FILES);
	g_autofree char *path = g_strdup_printf("services/%d.yaml", file);
	switch (pick(12)) {
	case 0:
		put_vnfd(repository, which);
		return;
	case 1:
		put_config(repository, which);
		return;
	case 2:
		if (chance(60))
			put_sites(repository);
		return;
	case 3:
		put_types(repository);
		return;
	case 4:
		put_other(repository);
		return;
	case 5:
		put_nsd(repository);
		return;
	case 6:
		g_hash_table_remove(repository->files, path);
		return;
	default:
		put_services(repository, file);
		return;
	}
}

static struct snapshot *snapshot_now(const struct repository *repository)
{
	const char *pairs[2 * FILES_MAX + 1] = { NULL };
	size_t n = 0;
	GHashTableIter iter;
	gpointer path, text;
	g_hash_table_iter_init(&iter, repository->files);
	while (g_hash_table_iter_next(&iter, &path, &text)) {
		g_assert_cmpuint(n, <, G_N_ELEMENTS(pairs) - 1);
		pairs[n++] = path;
		pairs[n++] = text;
	}
#define FIVE(i) pairs[2 * (i)], pairs[2 * (i) + 1], pairs[2 * (i) + 2], pairs[2 * (i) + 3], pairs[2 * (i) + 4], pairs[2 * (i) + 5], \
	pairs[2 * (i) + 6], pairs[2 * (i) + 7], pairs[2 * (i) + 8], pairs[2 * (i) + 9]
	G_STATIC_ASSERT(FILES_MAX == 40);
	return snapshot_of(FIVE(0), FIVE(5), FIVE(10), FIVE(15), FIVE(20), FIVE(25), FIVE(30), FIVE(35), NULL);
#undef FIVE
}

/* --- comparing ----------------------------------------------------------------------------------------------------------- */

static char *network_text(const struct network *network)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_string_append_printf(out, "%s %s\n", network->revision, network->owner);
	for (size_t i = 0; i < network->n_sites; i++) {
		g_autoptr(json_t) json = site_to_json(network->sites[i]);
		g_autofree char *text = json_text(json, 0);
		g_string_append_printf(out, "%s\n", text);
	}
	for (size_t i = 0; i < network->objects.n; i++) {
		g_autoptr(json_t) json = object_to_json(network->objects.items[i]);
		g_autofree char *text = json_text(json, 0);
		g_string_append_printf(out, "%s\n", text);
	}
	for (size_t i = 0; i < network->n_packages; i++)
		g_string_append_printf(out, "package %s\n", network->packages[i]->digest);
	for (size_t i = 0; i < network->n_faulty_services; i++)
		g_string_append_printf(out, "faulty %s\n", network->faulty_services[i]);
	return g_string_free(g_steal_pointer(&out), FALSE);
}

static char *findings_text(const struct diags *diags)
{
	GString *out = g_string_new(NULL);
	for (size_t i = 0; i < diags_count(diags); i++)
		diag_print(diags_get(diags, i), NULL, NULL, out);
	g_string_append_printf(out, "%zu errors, %zu warnings\n", diags_errors(diags), diags_warnings(diags));
	return g_string_free(out, FALSE);
}

static char *plan_text(const struct plan *plan, const struct network *desired, const struct observed *observed, struct objects last)
{
	static const struct report_style style = { REPORT_JSON, false };
	const struct report_input input = { .desired = desired, .last = last, .observed = observed, .plan = plan };
	return report_plan(&input, &style, NULL);
}

static void same(const char *a, const char *b, int number)
{
	g_auto(GStrv) left = g_strsplit(a, "\n", -1), right = g_strsplit(b, "\n", -1);
	for (size_t i = 0; left[i] || right[i]; i++) {
		if (g_strcmp0(left[i], right[i]) == 0)
			continue;
		g_test_message("edit %d, line %zu\ntaken over: %s\nwhole:      %s", number, i, left[i], right[i]);
		g_assert_cmpstr(left[i], ==, right[i]);
	}
}

struct walk {
	struct revision_memory *memory;
	struct revision *revision;
	struct observed *observed; /* as the first revisions had it: what differs is planned */
	struct plan *plan;
	size_t taken_over;
};

static void compare(struct walk *walk, struct revision *revision, const struct revision *whole, int number)
{
	g_autofree char *network = network_text(revision->network), *findings = findings_text(revision->diags);
	g_autofree char *whole_network = network_text(whole->network), *whole_findings = findings_text(whole->diags);
	same(findings, whole_findings, number);
	same(network, whole_network, number);
	struct plan_input input = { .desired = revision->network, .last = walk->observed->objects, .observed = walk->observed, .former = walk->plan };
	auto_ptr(plan) plan = plan_make(&input);
	input.desired = whole->network;
	input.former = NULL;
	auto_ptr(plan) whole_plan = plan_make(&input);
	g_autofree char *text = plan_text(plan, revision->network, walk->observed, input.last);
	g_autofree char *whole_text = plan_text(whole_plan, whole->network, walk->observed, input.last);
	same(text, whole_text, number);
	plan_unref(walk->plan);
	walk->plan = plan_ref(plan);
}

static void step(struct walk *walk, const struct repository *repository, int number)
{
	auto_ptr(snapshot) snapshot = snapshot_now(repository);
	auto_ptr(diags) none = diags_new();
	struct revision *revision = revision_of(snapshot, NULL, walk->memory, none);
	auto_ptr(revision) whole = revision_of(snapshot, NULL, NULL, none);
	revision_unref(walk->revision);
	walk->revision = revision;
	walk->taken_over += revision_memory_taken_over(walk->memory);
	if (!walk->observed || chance(5)) {
		observed_unref(walk->observed);
		g_clear_pointer(&walk->plan, plan_unref);
		walk->observed = world_assume(revision->network);
	}
	compare(walk, revision, whole, number);
}

static void test_walk(void)
{
	size_t taken_over = 0;
	int walks = g_test_slow() ? WALKS_SLOW : WALKS;
	for (int run = 0; run < walks; run++) {
		struct repository repository = { g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free) };
		struct walk walk = { .memory = revision_memory_new() };
		put_types(&repository);
		put_sites(&repository);
		put_nsd(&repository);
		for (int i = 0; i < VNFDS; i++) {
			put_vnfd(&repository, i);
			put_config(&repository, i);
		}
		for (int i = 0; i < SERVICE_FILES; i++)
			put_services(&repository, i);
		for (int i = 0; i < EDITS; i++) {
			step(&walk, &repository, i);
			edit(&repository);
		}
		taken_over += walk.taken_over;
		observed_unref(walk.observed);
		plan_unref(walk.plan);
		revision_unref(walk.revision);
		revision_memory_free(walk.memory);
		g_hash_table_unref(repository.files);
	}
	g_test_message("%zu services taken over", taken_over);
	g_assert_cmpuint(taken_over, >, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/world/revisions/walk", test_walk);
	return g_test_run();
}
