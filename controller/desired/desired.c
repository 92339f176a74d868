#include "desired/internal.h"
#include "model/key.h"

#include <string.h>

/* --- helpers that all parts use ----------------------------------------------------------------------------------------- */

struct origin origin_of(const struct tvalue *value, struct origin fallback)
{
	if (!value || !origin_is_set(value->origin) || g_str_has_prefix(value->origin.file, "pleach:"))
		return fallback;
	return value->origin;
}

void run_suggest(struct run *run, struct diag *diag, const char *word, GPtrArray *names)
{
	enum { LISTED = 12 };
	const char *near = diag_did_you_mean(word, (const char *const *) names->pdata, names->len);

	if (near) {
		diag_hint(run->diags, diag, "did you mean \"%s\"?", near);
		return;
	}
	if (names->len == 0 || names->len > LISTED)
		return;
	g_autoptr(GString) list = g_string_new(NULL);
	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "", (const char *) names->pdata[i]);
	diag_hint(run->diags, diag, "there %s: %s", names->len == 1 ? "is" : "are", list->str);
}

struct diag *run_say(struct run *run, enum severity severity, const char *code, struct origin origin, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	char *id = g_strdup_printf("%s:%u:%u:%s:%s", origin.file ? origin.file : "", origin.line, origin.column, code, text);
	if (!g_hash_table_add(run->said, id)) {
		run->n_repeated += severity == SEVERITY_ERROR ? 1 : 0;
		return NULL;
	}
	return diags_add(run->diags, severity, code, origin, "%s", text);
}

size_t run_errors(const struct run *run)
{
	return diags_errors(run->diags) + run->n_repeated;
}

static void print_value(GString *out, const struct tvalue *value)
{
	g_string_append_printf(out, "%d@%s:%u:%u", value->type, value->origin.file ? value->origin.file : "", value->origin.line,
			       value->origin.column);
	switch (value->type) {
	case TV_NULL:
		break;
	case TV_BOOL:
		g_string_append_c(out, value->boolean ? 't' : 'f');
		break;
	case TV_INTEGER:
		g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
		break;
	case TV_FLOAT:
		g_string_append_printf(out, "%.17g", value->number);
		break;
	case TV_STRING:
		g_string_append_printf(out, "%zu:%s", strlen(value->string), value->string);
		break;
	case TV_LIST:
		for (size_t i = 0; i < value->list.n; i++)
			print_value(out, value->list.items[i]);
		break;
	case TV_MAP:
		for (size_t i = 0; i < value->map.n; i++) {
			g_string_append_printf(out, "%zu:%s=", strlen(value->map.keys[i]), value->map.keys[i]);
			print_value(out, value->map.items[i]);
		}
		break;
	case TV_FUNCTION:
		g_string_append_printf(out, "%s(", value->function.name);
		for (size_t i = 0; i < value->function.n; i++)
			print_value(out, value->function.args[i]);
		break;
	}
	g_string_append_c(out, ';');
}

const struct ttopology *run_instantiate(struct run *run, const struct ttemplate *template, struct tnamed_list inputs,
					struct origin from)
{
	/* Equal inputs from other lines are other inputs: values keep their origins. */
	g_autoptr(GString) id = g_string_new(NULL);

	g_string_append_printf(id, "%p", (const void *) template);
	for (size_t i = 0; i < inputs.n; i++) {
		g_string_append_printf(id, "|%s=", inputs.items[i].name);
		print_value(id, inputs.items[i].value);
	}
	const struct ttopology *topology = g_hash_table_lookup(run->topologies, id->str);
	if (topology)
		return topology;
	size_t before = diags_count(run->diags);
	topology = tosca_instantiate(run->tosca, template, inputs, from, run->arena, run->diags);
	if (!topology->faulty && diags_count(run->diags) == before)
		g_hash_table_insert(run->topologies, g_strdup(id->str), held(topology));
	return topology;
}

GBytes *run_read(struct run *run, const char *file, struct origin from)
{
	GBytes *bytes = g_hash_table_lookup(run->files, file);

	if (bytes)
		return bytes;
	g_autoptr(GError) error = NULL;
	bytes = snapshot_read(tosca_snapshot(run->tosca), file, &error);
	if (!bytes) {
		run_say(run, SEVERITY_ERROR, "unknown-file", from, "%s", error->message);
		return NULL;
	}
	g_hash_table_insert(run->files, g_strdup(file), bytes);
	return bytes;
}

bool run_take_key(struct run *run, const char *key, struct origin origin)
{
	if (!key_is_valid(key)) {
		diags_error(run->diags, "key-too-long", origin, "the key \"%.80s…\" has %zu bytes; %d are allowed", key,
			    strlen(key), KEY_MAX);
		return false;
	}
	const struct origin *there = g_hash_table_lookup(run->keys, key);
	if (there) {
		struct diag *diag = diags_error(run->diags, "duplicate-key", origin, "two objects have the key \"%s\"", key);
		diag_note(run->diags, diag, *there, "the first is made here");
		return false;
	}
	g_hash_table_insert(run->keys, held(key), arena_memdup(run->arena, &origin, sizeof origin));
	return true;
}

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

static bool has_version(GBytes *bytes)
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
	if ((services || sites) && !has_version(bytes)) {
		const struct origin origin = { arena_strdup(run->arena, file), 0, 0 };
		struct diag *diag = diags_error(run->diags, "no-version", origin,
						"it describes what shall exist, but has no tosca_definitions_version: it is not read");
		diag_hint(run->diags, diag, "begin it with \"tosca_definitions_version: tosca_simple_yaml_1_3\"");
	}
}

static bool is_yaml(const char *path)
{
	return g_str_has_suffix(path, ".yaml") || g_str_has_suffix(path, ".yml");
}

static void protect_from_unread_files(struct run *run)
{
	const struct snapshot *snapshot = tosca_snapshot(run->tosca);
	g_autoptr(GHashTable) read = g_hash_table_new(g_str_hash, g_str_equal);

	for (size_t i = 0; i < tosca_count(run->tosca); i++)
		g_hash_table_add(read, held(tosca_template(run->tosca, i)->file));
	for (size_t i = 0; i < snapshot_count(snapshot); i++) {
		const char *path = snapshot_file(snapshot, i)->path;
		if (is_yaml(path) && !g_hash_table_contains(read, path))
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
	auto_ptr(arena) arena = arena_new();
	auto_ptr(diags) diags = diags_new();
	size_t n_services = 0, n_sites = 0;
	const struct ttopology *topology =
		tosca_instantiate(run->tosca, template, (struct tnamed_list) { 0 }, template->origin, arena, diags);

	if (concerns_us(topology)) {
		arena_adopt(run->arena, arena);
		diags_append(run->diags, diags);
		kept_policies(run, topology);
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
	if (!topology->faulty && !template->faulty)
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
		order = g_strcmp0(x->node->origin.file, y->node->origin.file);
	if (order != 0 || x->node->origin.line == y->node->origin.line)
		return order;
	return x->node->origin.line < y->node->origin.line ? -1 : 1;
}

static void refuse_duplicates(struct run *run)
{
	for (guint i = 1; i < run->services->len; i++) {
		struct service *former = run->services->pdata[i - 1], *service = run->services->pdata[i];
		if (strcmp(former->name, service->name) != 0)
			continue;
		struct diag *diag = diags_error(run->diags, "duplicate-service", service->node->origin,
						"there are two services of the name \"%s\"", service->name);
		diag_note(run->diags, diag, former->node->origin, "first defined here");
		former->faulty = service->faulty = true;
	}
}

/* --- order of services -------------------------------------------------------------------------------------------------- */

static void link_services(struct run *run)
{
	g_autoptr(GHashTable) of_node = g_hash_table_new(NULL, NULL);

	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		g_hash_table_insert(of_node, held(service->node), service);
	}
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		for (size_t j = 0; j < service->node->n_requirements; j++) {
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
	guint64 pairs = 0;

	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		for (guint j = 0; j < service->after->len && !service->faulty; j++) {
			const struct service *other = service->after->pdata[j];
			if (other->faulty)
				continue;
			pairs += (guint64) service->first->len * other->last->len;
			if (pairs > DESIRED_MAX_ORDER) {
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

static void make_services(struct run *run)
{
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		if (i >= DESIRED_MAX_SERVICES) {
			run_say(run, SEVERITY_ERROR, "too-many-services", service->node->origin, "more than %d services",
				DESIRED_MAX_SERVICES);
			service->faulty = true;
		}
		if (!service->faulty)
			service_make(service);
	}
	order_services(run);
	for (guint i = 0; i < run->services->len; i++) {
		struct service *service = run->services->pdata[i];
		for (guint j = 0; j < service->objects->len; j++) {
			const struct object *object = object_build(service->objects->pdata[j]);
			if (!service->faulty)
				g_ptr_array_add(run->objects, held(object));
		}
		g_ptr_array_set_size(service->objects, 0);
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
	struct network *network = ARENA_NEW(run->arena, struct network);
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
	network->arena = run->arena;
	network->revision = arena_strdup(run->arena, snapshot_revision(tosca_snapshot(run->tosca)));
	network->owner = network_owner(run);
	network->sites = sites;
	network->n_sites = run->sites->len;
	network->objects = objects_sorted(run->arena, (const struct object *const *) run->objects->pdata, run->objects->len);
	network->faulty_services = faulty;
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

struct network *desired_make(struct tosca *tosca, const struct desired_options *options, struct diags *diags)
{
	struct desired_options given = *options;
	struct run run = { .tosca = tosca, .arena = arena_new(), .diags = diags, .options = &given };

	if (!given.default_owner)
		given.default_owner = "pleach";
	run.topologies = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run.substitutions = g_hash_table_new(NULL, NULL);
	run.vnfds = g_hash_table_new(NULL, NULL);
	run.said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run.keys = g_hash_table_new(g_str_hash, g_str_equal);
	run.files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, unref_bytes);
	run.sites = g_ptr_array_new();
	run.services = g_ptr_array_new_with_free_func(free_service);
	run.objects = g_ptr_array_new();
	run.faulty = g_ptr_array_new();

	for (size_t i = 0; i < tosca_count(tosca); i++)
		walk_template(&run, tosca_template(tosca, i));
	protect_from_unread_files(&run);
	sites_finish(&run);
	g_ptr_array_sort(run.services, by_service_name);
	refuse_duplicates(&run);
	link_services(&run);
	for (guint i = 0; i < run.services->len; i++)
		if (((struct service *) run.services->pdata[i])->visit == UNSEEN)
			break_cycles(&run, run.services->pdata[i]);
	make_services(&run);
	sites_check_capacity(&run);
	say_what_is_not_there(&run);
	struct network *network = finish(&run);

	g_ptr_array_unref(run.faulty);
	g_ptr_array_unref(run.objects);
	g_ptr_array_unref(run.services);
	g_ptr_array_unref(run.sites);
	g_hash_table_unref(run.files);
	g_hash_table_unref(run.keys);
	g_hash_table_unref(run.said);
	g_hash_table_unref(run.vnfds);
	g_hash_table_unref(run.substitutions);
	g_hash_table_unref(run.topologies);
	return network;
}
