/* How long it takes from descriptors to a plan, by the number of VNFs: each a service of its own with a link, a VNFC and an NF whose
 * configuration names its own address.
 */
#include "bench.h"

#include "base/file.h"
#include "desired/revision.h"
#include "model/key.h"
#include "plan/plan.h"
#include "source/source.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	SERVICES_PER_FILE = 1000,
	FILES_MAX = 20,
	CHANGE_MAX = 9000, /* below the bound on services, near which a revision is loaded whole */
};

static const char web_yaml[] =
	"tosca_definitions_version: tosca_simple_yaml_1_3\n"
	"imports: [ pleach_types.yaml ]\n"
	"node_types:\n"
	"  example.nodes.Web: { derived_from: tosca.nodes.nfv.VNF }\n"
	"topology_template:\n"
	"  substitution_mappings: { node_type: example.nodes.Web, requirements: { virtual_link: [ port, virtual_link ] } }\n"
	"  node_templates:\n"
	"    web:\n"
	"      type: example.nodes.Web\n"
	"      properties: { descriptor_id: 7a0c2f4e-52f1-4a57-8a5e-5d1f0b0c9e11, descriptor_version: '1.0', provider: me,\n"
	"        product_name: web, software_version: '2.6', vnfm_info: [ '0:pleach' ], flavour_id: simple,\n"
	"        flavour_description: one server }\n"
	"    vdu:\n"
	"      type: tosca.nodes.nfv.Vdu.Compute\n"
	"      properties: { name: web, description: a server,\n"
	"        vdu_profile: { min_number_of_instances: 1, max_number_of_instances: 1 } }\n"
	"      capabilities:\n"
	"        virtual_compute: { properties: { virtual_cpu: { num_virtual_cpu: 1 }, virtual_memory: { virtual_mem_size: 64 MB } } }\n"
	"    port:\n"
	"      type: tosca.nodes.nfv.VduCp\n"
	"      properties: { layer_protocols: [ ipv4 ] }\n"
	"      requirements: [ virtual_binding: vdu ]\n"
	"    haproxy:\n"
	"      type: pleach.nodes.NetworkFunction\n"
	"      properties: { command: [ haproxy, -db, -f, /etc/haproxy.cfg ] }\n"
	"      requirements: [ host: vdu ]\n"
	"      artifacts:\n"
	"        config: { type: pleach.artifacts.Template, file: haproxy.cfg, deploy_path: /etc/haproxy.cfg }\n";

static const char haproxy_cfg[] =
	"defaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n"
	"frontend web\n  bind :80\n  http-request return status 200 content-type text/plain string hello\n";

/* --- the repository ------------------------------------------------------------------------------------------------------ */

static char *services_file(size_t from, size_t to)
{
	GString *text = g_string_new("tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [ pleach_types.yaml ]\n"
				     "topology_template:\n  node_templates:\n");
	for (size_t i = from; i < to; i++)
		g_string_append_printf(text, "    web%zu:\n      type: pleach.nodes.NetworkService\n"
					     "      properties: { descriptor: /web.yaml }\n", i);
	return g_string_free(text, FALSE);
}

static struct snapshot *make_repository(size_t n, size_t *ret_bytes)
{
	char *path[FILES_MAX] = { NULL }, *text[FILES_MAX] = { NULL };
	*ret_bytes = strlen(web_yaml) + strlen(haproxy_cfg);
	for (size_t i = 0; i < FILES_MAX && i * SERVICES_PER_FILE < n; i++) {
		path[i] = g_strdup_printf("services%zu.yaml", i);
		text[i] = services_file(i * SERVICES_PER_FILE, MIN(n, (i + 1) * SERVICES_PER_FILE));
		*ret_bytes += strlen(text[i]);
	}
	G_STATIC_ASSERT(FILES_MAX == 20);
#define PAIR(i) path[i], text[i]
	struct snapshot *snapshot = snapshot_of("web.yaml", web_yaml, "haproxy.cfg", haproxy_cfg, PAIR(0), PAIR(1), PAIR(2), PAIR(3), PAIR(4),
						PAIR(5), PAIR(6), PAIR(7), PAIR(8), PAIR(9), PAIR(10), PAIR(11), PAIR(12), PAIR(13),
						PAIR(14), PAIR(15), PAIR(16), PAIR(17), PAIR(18), PAIR(19), NULL);
#undef PAIR
	for (size_t i = 0; i < FILES_MAX; i++) {
		g_free(path[i]);
		g_free(text[i]);
	}
	return snapshot;
}

static struct network *load(struct snapshot *snapshot, size_t *ret_errors)
{
	auto_ptr(diags) diags = diags_new();
	struct tosca_cache *cache = tosca_cache_new();
	struct tosca *tosca = tosca_load(snapshot, cache, diags);
	struct network *network = desired_make(tosca, &(struct desired_options) { .default_owner = "bench" }, diags);
	*ret_errors = diags_errors(diags);
	if (*ret_errors) {
		diags_sort(diags);
		g_autoptr(GString) text = g_string_new(NULL);
		diag_print(diags_get(diags, 0), NULL, NULL, text);
		fputs(text->str, stderr);
	}
	tosca_unref(tosca);
	tosca_cache_free(cache);
	return network;
}

/* --- what is there ------------------------------------------------------------------------------------------------------- */


static const struct object *as_made(struct arena *arena, const struct object *want, size_t number, const struct observed *so_far)
{
	const struct object *known = object_eval(arena, want, plan_lookup, (void *) (guintptr) so_far, NULL);
	struct object_builder *builder = object_builder_new(arena, want->key, want->site, want->origin);
	for (size_t i = 0; known && i < known->n_fields; i++)
		if (value_is_known(known->fields[i].value))
			object_set(builder, known->fields[i].path, known->fields[i].value, known->fields[i].origin);
	size_t n = 0;
	const char *const *cps = object_elements(arena, want, "cp", &n);
	for (size_t i = 0; i < n; i++) {
		const char *address = arena_printf(arena, "10.%zu.%zu.%zu", number >> 16 & 255, number >> 8 & 255, number & 255);
		object_set(builder, arena_printf(arena, "cp.%s.addresses", cps[i]), value_string_list(arena, &address, 1), ORIGIN_NONE);
		object_set_string(builder, arena_printf(arena, "cp.%s.mac_address", cps[i]), "02:00:00:00:00:01", ORIGIN_NONE);
		object_set_string(builder, arena_printf(arena, "cp.%s.port_name", cps[i]), cps[i], ORIGIN_NONE);
	}
	object_set_incarnation(builder, 1);
	return object_build(builder);
}

static struct observed *observed_new(void)
{
	struct arena *arena = arena_new();
	struct observed *observed = ARENA_NEW(arena, struct observed);
	observed->arena = arena;
	return observed;
}

/* First what nothing is known of beforehand, then what hangs on it. */
static struct observed *make_observed(const struct network *network)
{
	struct observed *observed = observed_new();
	arena_adopt(observed->arena, network->arena);
	size_t n = network->objects.n;
	const struct object **items = ARENA_ARRAY(observed->arena, const struct object *, n);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < n; i++)
			items[i] = as_made(observed->arena, network->objects.items[i], i, observed);
		observed->objects = objects_sorted(observed->arena, items, n);
	}
	return observed;
}

static struct network *with_one_changed(const struct network *network)
{
	struct arena *arena = arena_new();
	arena_adopt(arena, network->arena);
	struct network *other = arena_memdup(arena, network, sizeof(*network));
	const struct object **items = arena_memdup(arena, network->objects.items, sizeof(*items) * network->objects.n);
	size_t at = network->objects.n / 2;
	while (!key_is_kind(items[at]->key, "vnfc"))
		at = (at + 1) % network->objects.n;
	struct object_builder *builder = object_builder_new(arena, items[at]->key, items[at]->site, items[at]->origin);
	for (size_t i = 0; i < items[at]->n_fields; i++)
		object_set(builder, items[at]->fields[i].path, items[at]->fields[i].value, items[at]->fields[i].origin);
	object_set_int(builder, "mem_bytes", 128 << 20, items[at]->origin);
	for (size_t i = 0; i < items[at]->n_depends; i++)
		object_depends_on(builder, items[at]->depends[i]);
	items[at] = object_build(builder);
	other->arena = arena;
	other->objects.items = items;
	return other;
}

/* --- the yardstick ------------------------------------------------------------------------------------------------------- */

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Every field as one string, sorted. */
static const char **field_texts(struct arena *arena, struct objects objects, size_t *ret_n)
{
	size_t n = 0;
	for (size_t i = 0; i < objects.n; i++)
		n += objects.items[i]->n_fields;
	const char **texts = ARENA_ARRAY(arena, const char *, n);
	*ret_n = 0;
	for (size_t i = 0; i < objects.n; i++)
		for (size_t k = 0; k < objects.items[i]->n_fields; k++)
			texts[(*ret_n)++] = arena_printf(arena, "%s %s %s", objects.items[i]->key, objects.items[i]->fields[k].path,
							 value_text(arena, objects.items[i]->fields[k].value));
	if (n)
		qsort(texts, n, sizeof(*texts), text_order);
	return texts;
}

static size_t merge(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	size_t differences = 0, i = 0, k = 0;
	while (i < n_a && k < n_b) {
		int order = strcmp(a[i], b[k]);
		differences += order != 0;
		i += order <= 0;
		k += order >= 0;
	}
	return differences + (n_a - i) + (n_b - k);
}

/* Milliseconds of the fastest of some merges. */
static double yardstick_ms(struct objects desired, struct objects observed)
{
	auto_ptr(arena) arena = arena_new();
	size_t n_a = 0, n_b = 0, sum = 0;
	const char **a = field_texts(arena, desired, &n_a), **b = field_texts(arena, observed, &n_b);
	double best_ms = 1e9;
	for (int i = 0; i < 10; i++) {
		double from_ms = bench_now_ms();
		sum += merge(a, n_a, b, n_b);
		best_ms = MIN(best_ms, bench_now_ms() - from_ms);
	}
	g_assert_cmpuint(sum % 10, ==, 0); /* ten times the same, and not optimised away */
	return MAX(best_ms, 0.001);
}

/* --- the cases ----------------------------------------------------------------------------------------------------------- */

static size_t tries_of(size_t n)
{
	return CLAMP(20000 / n, 5, 100);
}

/* @whole: all that is there in the end: what the yardstick merges with the desired. */
static void plan_case(const char *name, size_t n, const struct network *desired, struct objects last, const struct observed *observed,
		      const struct observed *whole, const struct bench_options *options)
{
	struct bench_case one;
	size_t steps = 0;
	bench_case_init(&one, "plan", name, n);
	for (size_t i = 0; i < tries_of(n); i++) {
		const struct plan_input input = { .desired = desired, .last = last, .observed = observed };
		double from_ms = bench_now_ms();
		struct plan *plan = plan_make(&input);
		bench_case_add(&one, bench_now_ms() - from_ms);
		steps = plan->n_steps;
		plan_unref(plan);
	}
	one.yardstick = "a merge of all fields as sorted strings";
	one.yardstick_ms = yardstick_ms(desired->objects, whole->objects);
	bench_case_more(&one, "objects", json_integer((json_int_t) desired->objects.n));
	bench_case_more(&one, "steps", json_integer((json_int_t) steps));
	bench_case_report(&one, options);
}

static double digest_ms(struct snapshot *snapshot)
{
	double from_ms = bench_now_ms();
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		g_autoptr(GBytes) bytes = snapshot_read(snapshot, snapshot_file(snapshot, i)->path, NULL);
		g_autofree char *digest = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
		g_assert_nonnull(digest);
	}
	return MAX(bench_now_ms() - from_ms, 0.001);
}

static struct network *load_case(size_t n, const struct bench_options *options)
{
	size_t bytes = 0, errors = 0;
	auto_ptr(snapshot) snapshot = make_repository(n, &bytes);
	struct network *network = NULL;
	struct bench_case one;
	bench_case_init(&one, "plan", "load", n);
	for (size_t i = 0; i < MIN(tries_of(n), 10); i++) {
		g_clear_pointer(&network, network_unref);
		double from_ms = bench_now_ms();
		network = load(snapshot, &errors);
		bench_case_add(&one, bench_now_ms() - from_ms);
		if (errors)
			break;
	}
	one.yardstick = "SHA-256 of the same bytes";
	one.yardstick_ms = digest_ms(snapshot);
	bench_case_more(&one, "repository_bytes", json_integer((json_int_t) bytes));
	bench_case_more(&one, "objects", json_integer((json_int_t) network->objects.n));
	bench_case_report(&one, options);
	if (!errors)
		return network;
	network_unref(network);
	return NULL;
}

/* --- one changed file ---------------------------------------------------------------------------------------------------- */

/* A service a file; two revisions that differ in one of them. */
static bool make_work_tree(const char *folder, size_t n, GError **error)
{
	g_autofree char *services = g_build_filename(folder, "services", NULL), *web = g_build_filename(folder, "web.yaml", NULL);
	g_autofree char *cfg = g_build_filename(folder, "haproxy.cfg", NULL);
	if (!file_make_folder(services, 0700, error) || !file_write(web, web_yaml, strlen(web_yaml), 0600, error) ||
	    !file_write(cfg, haproxy_cfg, strlen(haproxy_cfg), 0600, error))
		return false;
	for (size_t i = 0; i < n; i++) {
		g_autofree char *text = services_file(i, i + 1), *path = g_strdup_printf("%s/%zu.yaml", services, i);
		if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, error))
			return false;
	}
	return true;
}

static bool git(const char *folder, const char *command, GError **error)
{
	g_autofree char *line = g_strdup_printf("cd '%s' && %s", folder, command);
	const char *argv[] = { "sh", "-c", line, NULL };
	int status;
	return g_spawn_sync(NULL, (char **) (guintptr) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
			    NULL, NULL, NULL, NULL, &status, error) && g_spawn_check_wait_status(status, error);
}

static bool commit_two(const char *folder, size_t n, GError **error)
{
	static const char save[] = "git add -A && git -c user.name=b -c user.email=b@localhost commit -q -m step";
	g_autofree char *start = g_strconcat("git init -q -b one && ", save, " && git branch other && git checkout -q other", NULL);
	g_autofree char *path = g_strdup_printf("%s/services/%zu.yaml", folder, n / 2), *text = services_file(n / 2, n / 2 + 1);
	g_autofree char *renamed = g_strconcat(text, "    another:\n      type: pleach.nodes.NetworkService\n"
						     "      properties: { descriptor: /web.yaml }\n", NULL);
	return git(folder, start, error) && file_write(path, renamed, strlen(renamed), 0600, error) && git(folder, save, error);
}

static long rss_kib(void)
{
	g_autofree char *text = NULL;
	long pages = 0;
	if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL) && sscanf(text, "%*d %ld", &pages) == 1)
		return pages * (sysconf(_SC_PAGESIZE) / 1024);
	return 0;
}

/* To and fro between the two, each time what a controller does at a commit: load, plan. */
static bool measure_change(const char *folder, size_t n, const struct bench_options *options, GError **error)
{
	static const char *const revisions[] = { "one", "other" };
	auto_ptr(revision_memory) memory = revision_memory_new();
	struct revision *revision = NULL;
	struct observed *observed = NULL;
	struct plan *plan = NULL;
	g_autoptr(GArray) load_ms = g_array_new(FALSE, FALSE, sizeof(double)), plan_ms = g_array_new(FALSE, FALSE, sizeof(double));
	struct bench_case one;
	size_t tries = 2 * tries_of(n), warm = 4;
	long rss_from_kib = 0;
	bench_case_init(&one, "plan", "one file has changed, of a service each", n);
	for (size_t i = 0; i < warm + tries; i++) {
		const struct revision_source source = { .path = folder, .revision = revisions[i % 2], .owner = "bench" };
		double from_ms = bench_now_ms();
		struct revision *next = revision_load(&source, memory, error);
		double loaded_ms = bench_now_ms();
		if (!next)
			break;
		if (!observed)
			observed = make_observed(next->network);
		const struct plan_input input = { .desired = next->network, .last = observed->objects, .observed = observed, .former = plan };
		double plan_from_ms = bench_now_ms();
		struct plan *next_plan = plan_make(&input);
		double to_ms = bench_now_ms(), load = loaded_ms - from_ms, planned = to_ms - plan_from_ms;
		plan_unref(plan);
		revision_unref(revision);
		plan = next_plan;
		revision = next;
		if (i + 1 == warm)
			rss_from_kib = rss_kib();
		if (i < warm)
			continue;
		g_array_append_val(load_ms, load);
		g_array_append_val(plan_ms, planned);
		bench_case_add(&one, load + planned);
	}
	if (revision && load_ms->len) {
		one.yardstick = "a merge of all fields as sorted strings";
		one.yardstick_ms = yardstick_ms(revision->network->objects, observed->objects);
		bench_case_more(&one, "load_p50_ms", json_real(bench_percentile(load_ms, 50)));
		bench_case_more(&one, "plan_p50_ms", json_real(bench_percentile(plan_ms, 50)));
		bench_case_more(&one, "taken_over_services", json_integer((json_int_t) revision_memory_taken_over(memory)));
		bench_case_more(&one, "rss_growth_kib_per_1000", json_real((double) (rss_kib() - rss_from_kib) * 1000 / (double) load_ms->len));
		bench_case_report(&one, options);
	}
	bool good = load_ms->len == tries;
	g_clear_pointer(&plan, plan_unref);
	g_clear_pointer(&observed, observed_unref);
	g_clear_pointer(&revision, revision_unref);
	return good;
}

static bool change_case(size_t n, const struct bench_options *options)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *folder = g_dir_make_tmp("plp.XXXXXX", &error);
	bool good = folder && make_work_tree(folder, n, &error) && commit_two(folder, n, &error) && measure_change(folder, n, options, &error);
	if (!good)
		fprintf(stderr, "pleach-bench: plan: %s\n", error ? error->message : "the repository could not be loaded");
	if (folder)
		file_remove_tree(folder, NULL);
	return good;
}

static bool plan_of_size(size_t n, const struct bench_options *options)
{
	auto_ptr(network) network = load_case(n, options);
	if (!network)
		return false;
	auto_ptr(observed) observed = make_observed(network);
	auto_ptr(observed) nothing = observed_new();
	auto_ptr(network) changed = with_one_changed(network);
	plan_case("everything is new", n, network, (struct objects) { 0 }, nothing, observed, options);
	plan_case("nothing has changed", n, network, observed->objects, observed, observed, options);
	plan_case("one has changed", n, changed, observed->objects, observed, observed, options);
	return change_case(MIN(n, CHANGE_MAX), options);
}

bool bench_plan(const struct bench_options *options)
{
	static const size_t sizes[] = { 100, 1000, 10000 };
	if (options->n > (size_t) SERVICES_PER_FILE * FILES_MAX) {
		fprintf(stderr, "pleach-bench: plan: at most %d\n", SERVICES_PER_FILE * FILES_MAX);
		return false;
	}
	if (options->n)
		return plan_of_size(options->n, options);
	for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
		if (!plan_of_size(sizes[i], options))
			return false;
	return true;
}
