#include "desired/internal.h"
#include "model/key.h"

#include <string.h>

/* --- the walk ----------------------------------------------------------------------------------------------------------- */

static void protect_everything(struct run *run)
{
	g_ptr_array_add(run->faulty, held(""));
}

static void protect_service(struct run *run, const char *segment)
{
	g_ptr_array_add(run->faulty, arena_printf(run->arena, "%s.", segment));
}

/* Is what stands before @at the key "type", with quotes and blanks as YAML allows them? */
static bool follows_type(const char *text, const char *at)
{
	while (at > text && strchr(" \t\"'", at[-1]))
		at--;
	if (at == text || *--at != ':')
		return false;
	while (at > text && strchr(" \t\"'", at[-1]))
		at--;
	return at - text >= 4 && memcmp(at - 4, "type", 4) == 0;
}

/* How many nodes of @type the text seems to have, in the eyes of somebody who cannot read it as a whole. */
static size_t count_nodes(GBytes *bytes, const char *type)
{
	gsize length;
	const char *text = g_bytes_get_data(bytes, &length);
	const char *at = text, *end = length ? text + length : text; /* of an empty file there may be no bytes at all */
	size_t n = 0;

	while (at < end && (at = memmem(at, (size_t) (end - at), type, strlen(type)))) {
		n += follows_type(text, at);
		at += strlen(type);
	}
	return n;
}

bool bytes_have_version(GBytes *bytes)
{
	static const char word[] = "tosca_definitions_version";
	gsize length;
	const char *text = g_bytes_get_data(bytes, &length);
	return length && memmem(text, length, word, strlen(word));
}

/* A file that cannot be read to its end may hold services and sites that nobody sees now. What runs of them must not be taken for
 * removed: one typing mistake would end the network. */
static void protect_from(struct run *run, const char *file, size_t n_services, size_t n_sites)
{
	g_autoptr(GBytes) bytes = snapshot_read(tosca_snapshot(run->tosca), file, NULL);

	if (!bytes)
		return;
	bool services = count_nodes(bytes, "pleach.nodes.NetworkService") > n_services;
	bool sites = count_nodes(bytes, "pleach.nodes.Site") > n_sites;
	if (services)
		protect_everything(run);
	if (sites)
		run->sites_uncertain = true;
	if ((services || sites) && !bytes_have_version(bytes)) {
		const struct origin origin = { arena_strdup(run->arena, file), 0, 0 };
		struct diag *diag = diags_error(run->diags, "no-version", origin,
						"it describes what shall exist, but has no tosca_definitions_version: it is not read");
		diag_hint(run->diags, diag, "begin it with \"tosca_definitions_version: tosca_simple_yaml_1_3\"");
	}
}

bool path_is_yaml(const char *path)
{
	return g_str_has_suffix(path, ".yaml") || g_str_has_suffix(path, ".yml");
}

/* Templates and files both come in order of their paths. */
static void protect_from_unread_files(struct run *run)
{
	const struct snapshot *snapshot = tosca_snapshot(run->tosca);
	size_t at = 0, n = tosca_count(run->tosca);

	if (!snapshot_is_whole(snapshot)) {
		protect_everything(run);
		run->sites_uncertain = true;
	}
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		const char *path = snapshot_file(snapshot, i)->path;
		int order = -1;
		while (at < n && (order = strcmp(tosca_template(run->tosca, at)->file, path)) < 0)
			at++;
		if ((at == n || order != 0) && path_is_yaml(path))
			protect_from(run, path, 0, 0);
	}
}

static bool concerns_us(const struct ttopology *topology)
{
	for (size_t i = 0; i < topology->n_nodes; i++)
		if (tnode_is_a(&topology->nodes[i], "pleach.nodes.NetworkService") ||
		    tnode_is_a(&topology->nodes[i], "pleach.nodes.Site"))
			return true;
	for (size_t i = 0; i < topology->n_policies && !topology->substitution.node_type; i++)
		if (topology->policies[i].type && g_str_has_prefix(ttype_name(topology->policies[i].type), "pleach."))
			return true;
	return false;
}

static void walk_template(struct run *run, const struct ttemplate *template)
{
	if (memory_walk(run, template))
		return;
	auto_ptr(arena) arena = arena_new();
	auto_ptr(diags) diags = diags_new();
	size_t n_services = 0, n_sites = 0;
	struct walked walked = { .template = template, .first = run->services->len };
	const struct ttopology *topology =
		tosca_instantiate(run->tosca, template, (struct tnamed_list) { 0 }, template->origin, arena, diags);

	if (concerns_us(topology)) {
		arena_adopt(run->arena, arena);
		diags_append(run->diags, diags);
		kept_policies(run, topology);
		access_take(run, topology);
		drift_take(run, topology);
		for (size_t i = 0; i < topology->n_nodes; i++) {
			const struct tnode *node = &topology->nodes[i];
			if (tnode_is_a(node, "pleach.nodes.Site")) {
				sites_add(run, node, topology->faulty || template->faulty);
				n_sites++;
			} else if (tnode_is_a(node, "pleach.nodes.NetworkService")) {
				g_ptr_array_add(run->services, service_new(run, node, topology));
				n_services++;
			}
		}
	}
	bool faulty = topology->faulty || template->faulty;
	walked.n = (guint) n_services;
	walked.keep = !faulty && n_sites == 0 && (!concerns_us(topology) || (topology->n_policies == 0 && diags_count(diags) == 0));
	g_array_append_val(run->walked, walked);
	if (n_sites > 0)
		g_ptr_array_add(run->site_templates, held(template));
	if (!faulty)
		return;
	/* A node of a type that is nowhere defined may be a service whose type is mistyped. */
	for (size_t i = 0; i < topology->n_nodes && !topology->substitution.node_type; i++)
		if (!tnode_is_a(&topology->nodes[i], "tosca.nodes.Root"))
			protect_service(run, key_segment(run->arena, topology->nodes[i].name));
	protect_from(run, template->file, n_services, n_sites);
}

static int by_service_name(const void *a, const void *b)
{
	const struct service *x = *(struct service *const *) a, *y = *(struct service *const *) b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = g_strcmp0(x->origin.file, y->origin.file);
	if (order != 0 || x->origin.line == y->origin.line)
		return order;
	return x->origin.line < y->origin.line ? -1 : 1;
}

static bool services_are_sorted(const GPtrArray *services)
{
	for (guint i = 1; i < services->len; i++)
		if (by_service_name(&services->pdata[i - 1], &services->pdata[i]) > 0)
			return false;
	return true;
}

static void refuse_duplicates(struct run *run)
{
	for (guint i = 1; i < run->services->len; i++) {
		struct service *former = run->services->pdata[i - 1], *service = run->services->pdata[i];
		if (strcmp(former->name, service->name) != 0)
			continue;
		struct diag *diag = diags_error(run->diags, "duplicate-service", service->origin,
						"there are two services of the name \"%s\"", service->name);
		diag_note(run->diags, diag, former->origin, "first defined here");
		former->faulty = service->faulty = true;
		/* Others of its file may depend on it: those would be remembered as they were with it. */
		run->gave_up = run->gave_up || former->made || service->made;
	}
}

/* --- order of services -------------------------------------------------------------------------------------------------- */

static void link_services(struct run *run)
{
	g_autoptr(GHashTable) of_node = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		if (!service->made)
			g_hash_table_insert(of_node, held(service->node), service);
	}
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		for (size_t j = 0; !service->made && j < service->node->n_requirements; j++) {
			const struct trequirement *requirement = &service->node->requirements[j];
			struct service *other = requirement->node ? g_hash_table_lookup(of_node, requirement->node) : NULL;
			if (other && strcmp(requirement->name, "dependency") == 0)
				g_ptr_array_add(service->after, other);
		}
	}
}

enum { UNSEEN, ON_THE_WAY, SEEN };

/* Depth is bounded by the number of services of one file; a cycle is broken where it closes. */
static void break_cycles(struct run *run, struct service *service)
{
	service->visit = ON_THE_WAY;
	for (guint i = 0; i < service->after->len; i++) {
		struct service *other = service->after->pdata[i];
		if (other->visit == UNSEEN)
			break_cycles(run, other);
		else if (other->visit == ON_THE_WAY) {
			struct diag *diag = diags_error(run->diags, "dependency-cycle", service->node->origin,
							"the services \"%s\" and \"%s\" depend on one another", service->name,
							other->name);
			diag_note(run->diags, diag, other->node->origin, "the other one");
			service->faulty = other->faulty = true;
			g_ptr_array_remove_index(service->after, i--);
		}
	}
	service->visit = SEEN;
}

static void order_services(struct run *run)
{
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		for (guint j = 0; !service->made && j < service->after->len && !service->faulty; j++) {
			const struct service *other = service->after->pdata[j];
			if (other->faulty)
				continue;
			guint64 more = (guint64) service->first->len * other->last->len;
			service->pairs += more;
			run->pairs += more;
			if (run->pairs > DESIRED_MAX_ORDER) {
				diags_error(run->diags, "too-many-dependencies", service->node->origin,
					    "the services \"%s\" and \"%s\" are too large to be put in order", service->name,
					    other->name);
				service->faulty = true;
				break;
			}
			for (guint k = 0; k < service->first->len; k++)
				for (guint l = 0; l < other->last->len; l++)
					object_depends_on(service->first->pdata[k], other->last->pdata[l]);
		}
	}
}

/* --- the network -------------------------------------------------------------------------------------------------------- */

static void say_what_is_not_there(struct run *run)
{
	size_t n = tosca_count(run->tosca);

	if (run->services->len > 0)
		return;
	if (n == 0) {
		struct diag *diag = diags_error(run->diags, "no-descriptors", ORIGIN_NONE,
						"there is no descriptor here; what runs is left alone");
		diag_hint(run->diags, diag, "is it the right folder? Descriptors are *.yaml files with a "
					    "tosca_definitions_version");
		protect_everything(run);
		return;
	}
	diags_add(run->diags, SEVERITY_NOTE, "nothing-desired", ORIGIN_NONE,
		  "%zu descriptor%s, no pleach.nodes.NetworkService: nothing is desired.", n, n == 1 ? "" : "s");
}

/* What it finds, reads and asks of its site is its own. */
static void make_service(struct run *run, struct service *service)
{
	struct collection outer = collection_begin(run);

	reads_begin(run->ledger);
	service_make(service);
	service->reads = reads_end();
	service->findings = collection_end(run, outer);
	run_add(run, service->findings);
	if (!service->site)
		return;
	service->site->vcpus += service->asked.vcpus;
	service->site->mem_bytes += service->asked.mem_bytes;
	service->site->vnfs += service->asked.vnfs;
}

static void build_objects(struct run *run, struct service *service)
{
	guint first = run->objects->len;

	for (guint j = 0; j < service->objects->len; j++) {
		const struct object *object = object_build(service->objects->pdata[j]);
		if (!service->faulty)
			g_ptr_array_add(run->objects, held(object));
	}
	g_ptr_array_set_size(service->objects, 0);
	if (!service->faulty)
		memory_note(run, service, (const struct object *const *) run->objects->pdata + first, run->objects->len - first);
	while (run->makers->len < run->objects->len)
		g_ptr_array_add(run->makers, service->made_now);
}

static void make_services(struct run *run)
{
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		if (i >= DESIRED_MAX_SERVICES) {
			run_say(run, SEVERITY_ERROR, "too-many-services", service->origin, "more than %d services",
				DESIRED_MAX_SERVICES);
			service->faulty = true;
		}
		if (!service->faulty && service->made)
			memory_use(run, service);
		else if (!service->faulty)
			make_service(run, service);
	}
	order_services(run);
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		if (!service->made)
			build_objects(run, service);
		if (service->faulty)
			protect_service(run, service->segment);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static const char *network_owner(struct run *run)
{
	const char *owner = NULL;

	if (run->options->owner)
		return arena_strdup(run->arena, run->options->owner);
	for (guint i = 0; i < run->sites->len; i++) {
		const struct site *site = ((struct site_entry *) run->sites->pdata[i])->site;
		if (owner && strcmp(owner, site->owner) != 0)
			return arena_strdup(run->arena, run->options->default_owner);
		owner = site->owner;
	}
	return owner ? owner : arena_strdup(run->arena, run->options->default_owner);
}

static struct network *finish(struct run *run)
{
	struct arena *arena = arena_new(); /* what was made in this run outlives the network where the next one takes it over */
	struct network *network = ARENA_NEW(arena, struct network);
	const struct site **sites = ARENA_ARRAY(run->arena, const struct site *, run->sites->len);
	const char **faulty = ARENA_ARRAY(run->arena, const char *, run->faulty->len);

	for (guint i = 0; i < run->sites->len; i++)
		sites[i] = ((struct site_entry *) run->sites->pdata[i])->site;
	g_ptr_array_sort(run->faulty, by_text);
	for (guint i = 0; i < run->faulty->len; i++) {
		const char *prefix = run->faulty->pdata[i];
		if (network->n_faulty_services == 0 || strcmp(faulty[network->n_faulty_services - 1], prefix) != 0)
			faulty[network->n_faulty_services++] = prefix;
	}
	arena_adopt(arena, run->arena);
	network->arena = arena;
	network->revision = arena_strdup(run->arena, snapshot_revision(tosca_snapshot(run->tosca)));
	network->owner = network_owner(run);
	network->sites = sites;
	network->n_sites = run->sites->len;
	network->objects = memory_objects(run, arena, run->objects, run->makers);
	network->packages = packages_gather(run, &network->n_packages);
	network->access = access_gather(run, &network->n_access);
	network->drift = drift_gather(run, network->objects, &network->n_drift);
	network->faulty_services = faulty;
	if (run->memory)
		memory_settle(run, arena, network->objects);
	return network;
}

static void unref_bytes(void *data)
{
	g_bytes_unref(data);
}

static void free_service(void *data)
{
	service_free(data);
}

static void free_compiled(void *data)
{
	struct compiled *compiled = data;
	diags_free(compiled->findings);
	reads_unref(compiled->reads);
	g_free(compiled);
}

static void free_reads(void *data)
{
	reads_unref(data);
}

static void run_open(struct run *run)
{
	run->arena = arena_new();
	run->scratch = arena_new();
	run->diags = diags_new();
	run->topologies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run->substitutions = g_hash_table_new(NULL, NULL);
	run->vnfds = g_hash_table_new_full(NULL, NULL, NULL, free_compiled);
	run->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run->keys = g_hash_table_new(g_str_hash, g_str_equal);
	run->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_bytes);
	run->packages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run->package_reads = g_hash_table_new_full(NULL, NULL, NULL, free_reads);
	run->walked = g_array_new(FALSE, FALSE, sizeof(struct walked));
	run->site_templates = g_ptr_array_new();
	run->sites = g_ptr_array_new();
	run->services = g_ptr_array_new_with_free_func(free_service);
	run->walk = g_ptr_array_new();
	run->objects = g_ptr_array_new();
	run->makers = g_ptr_array_new();
	run->access = g_array_new(FALSE, FALSE, sizeof(struct access_rule));
	run->drift = g_array_new(FALSE, FALSE, sizeof(struct drift_rule));
	run->faulty = g_ptr_array_new();
}

static void run_close(struct run *run)
{
	g_ptr_array_unref(run->faulty);
	g_array_unref(run->drift);
	g_array_unref(run->access);
	g_ptr_array_unref(run->makers);
	g_ptr_array_unref(run->objects);
	g_ptr_array_unref(run->walk);
	g_ptr_array_unref(run->services);
	g_ptr_array_unref(run->sites);
	g_ptr_array_unref(run->site_templates);
	g_array_unref(run->walked);
	g_hash_table_unref(run->package_reads);
	g_hash_table_unref(run->packages);
	g_hash_table_unref(run->files);
	g_hash_table_unref(run->keys);
	g_hash_table_unref(run->said);
	g_hash_table_unref(run->vnfds);
	g_hash_table_unref(run->substitutions);
	g_hash_table_unref(run->topologies);
	diags_free(run->diags);
	memory_drop_home(run);
	arena_unref(run->scratch);
	arena_unref(run->arena);
}

/* NULL: it gave up. */
static struct network *make_network(struct run *run)
{
	memory_begin(run);
	for (size_t i = 0; i < tosca_count(run->tosca); i++)
		walk_template(run, tosca_template(run->tosca, i));
	protect_from_unread_files(run);
	sites_finish(run);
	memory_check(run);
	if (run->gave_up)
		return NULL;
	for (guint i = 0; i < run->services->len; i++)
		g_ptr_array_add(run->walk, run->services->pdata[i]);
	if (!services_are_sorted(run->services)) /* where files are named after what is in them they are */
		g_ptr_array_sort(run->services, by_service_name);
	refuse_duplicates(run);
	if (run->gave_up)
		return NULL;
	link_services(run);
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		if (!service->made && service->visit == UNSEEN)
			break_cycles(run, service);
	}
	make_services(run);
	sites_check_capacity(run);
	say_what_is_not_there(run);
	memory_check_bounds(run);
	return run->gave_up ? NULL : finish(run);
}

struct network *desired_make(struct tosca *tosca, const struct desired_options *options, struct diags *diags)
{
	struct desired_options given = *options;
	struct network *network = NULL;

	if (!given.default_owner)
		given.default_owner = "pleach";
	while (!network) {
		struct run run = { .tosca = tosca, .options = &given, .memory = given.memory };
		run_open(&run);
		network = make_network(&run);
		if (network)
			diags_append(diags, run.diags);
		else
			memory_forget(given.memory); /* then there is nothing to give up for */
		run_close(&run);
	}
	return network;
}
