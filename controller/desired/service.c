#include "desired/internal.h"
#include "model/key.h"

#include <string.h>

struct service *service_new(struct run *run, const struct tnode *node, const struct ttopology *file)
{
	struct service *service = ARENA_NEW(run->scratch, struct service);

	service->run = run;
	service->node = node;
	service->origin = node->origin;
	service->file = file;
	service->name = node->name;
	service->segment = key_segment(run->arena, node->name);
	service->faulty = file->faulty || file->of->faulty;
	service->vnfs = g_ptr_array_new();
	service->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	service->nslinks = g_hash_table_new(g_str_hash, g_str_equal);
	service->links = g_ptr_array_new();
	service->objects = g_ptr_array_new();
	service->packages = g_ptr_array_new();
	service->layer2 = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	service->first = g_ptr_array_new();
	service->last = g_ptr_array_new();
	service->after = g_ptr_array_new();
	return service;
}

void service_free(struct service *service)
{
	if (service->made)
		return;
	for (guint i = 0; i < service->links->len; i++) {
		struct slink *link = service->links->pdata[i];
		g_clear_pointer(&link->taken, g_hash_table_unref);
		g_clear_pointer(&link->macs, g_hash_table_unref);
	}
	for (guint i = 0; i < service->vnfs->len; i++)
		g_clear_pointer(&((struct vnf *) service->vnfs->pdata[i])->states, g_hash_table_unref);
	if (service->made_now)
		harvest_unref(service->made_now);
	diags_free(service->findings);
	reads_unref(service->reads);
	g_ptr_array_unref(service->vnfs);
	g_ptr_array_unref(service->links);
	g_ptr_array_unref(service->objects);
	g_ptr_array_unref(service->packages);
	g_ptr_array_unref(service->first);
	g_ptr_array_unref(service->last);
	g_ptr_array_unref(service->after);
	g_hash_table_unref(service->by_name);
	g_hash_table_unref(service->nslinks);
	g_hash_table_unref(service->layer2);
}

/* --- names -------------------------------------------------------------------------------------------------------------- */

static bool has_prefix(const char *name, const char *prefix, const char **ret_rest)
{
	size_t length = strlen(prefix);

	if (strncmp(name, prefix, length) != 0 || (name[length] != '\0' && name[length] != '.'))
		return false;
	*ret_rest = name[length] ? name + length + 1 : NULL;
	return true;
}

struct vnf *service_split(const struct service *service, const char *name, const char **ret_rest)
{
	*ret_rest = NULL;
	if (!service->is_nsd) {
		struct vnf *vnf = service->vnfs->len > 0 ? service->vnfs->pdata[0] : NULL;
		if (!vnf || has_prefix(name, service->name, ret_rest) ||
		    (vnf->vnfd->vnf && has_prefix(name, vnf->vnfd->vnf->name, ret_rest)))
			return vnf;
		*ret_rest = name;
		return vnf;
	}
	struct vnf *vnf = g_hash_table_lookup(service->by_name, name);
	/* Names of nodes may hold dots themselves. */
	for (const char *dot = strchr(name, '.'); !vnf && dot; dot = strchr(dot + 1, '.')) {
		g_autofree char *prefix = g_strndup(name, (gsize) (dot - name));
		vnf = g_hash_table_lookup(service->by_name, prefix);
		*ret_rest = dot + 1;
	}
	return vnf;
}

void service_vnf_names(const struct service *service, GPtrArray *names)
{
	for (guint i = 0; i < service->vnfs->len; i++) {
		const struct vnf *vnf = service->vnfs->pdata[i];
		g_ptr_array_add(names, held(vnf->name ? vnf->name : service->name));
	}
}

/* --- the VNFs of an NSD ------------------------------------------------------------------------------------------------- */

/* Which property of the node goes to which input is said by the VNFD's substitution_mappings, which do not depend on inputs. */
static const struct tsubstitution *mappings(struct run *run, const struct ttemplate *template)
{
	const struct ttopology *topology = g_hash_table_lookup(run->substitutions, template);

	reads_note(READ_TEMPLATE, template->file);
	if (!topology) {
		auto_ptr(diags) unheard = diags_new(); /* missing inputs are no fault yet; all else was found at loading */
		topology = tosca_instantiate(run->tosca, template, (struct tnamed_list) { 0 }, template->origin, run->arena,
					     unheard);
		g_hash_table_insert(run->substitutions, held(template), held(topology));
	}
	return &topology->substitution;
}

const struct ttopology *service_substitute(struct service *service, const struct tnode *node)
{
	struct run *run = service->run;
	size_t errors = run_errors(run);
	const struct ttemplate *template = tosca_substitute(run->tosca, service->template, node, run->diags);

	if (!template) {
		if (run_errors(run) == errors)
			diags_error(run->diags, "unknown-vnfd", node->type_origin, "no VNFD substitutes nodes of the type \"%s\"",
				    ttype_name(node->type));
		return NULL;
	}
	const struct tsubstitution *substitution = mappings(run, template);
	struct tnamed *inputs = ARENA_ARRAY(run->arena, struct tnamed, substitution->n_properties);
	size_t n = 0;
	for (size_t i = 0; i < substitution->n_properties; i++) {
		const struct tmapping *mapping = &substitution->properties[i];
		const struct tvalue *value = tnode_property(node, mapping->name);
		if (mapping->n_target == 1 && value)
			inputs[n++] = (struct tnamed) { .name = mapping->target[0], .value = value, .origin = value->origin };
	}
	return run_instantiate(run, template, (struct tnamed_list) { inputs, n }, node->origin);
}

static struct vnf *add_vnf(struct service *service, const struct tnode *node, const struct ttopology *topology)
{
	struct run *run = service->run;
	struct vnf *vnf = ARENA_NEW(run->arena, struct vnf);

	vnf->instances = 1;
	vnf->node = node;
	vnf->name = node ? node->name : NULL;
	vnf->segment = node ? key_segment(run->arena, node->name) : NULL;
	vnf->vnfd = vnfd_compile(run, topology);
	vnf->fixed = ARENA_ARRAY(run->arena, struct fixed *, vnf->vnfd->n_cpds);
	vnf->shared = ARENA_ARRAY(run->arena, struct slink *, vnf->vnfd->n_segments);
	service->faulty = service->faulty || vnf->vnfd->faulty;
	g_ptr_array_add(service->vnfs, vnf);
	if (vnf->name)
		g_hash_table_insert(service->by_name, held(vnf->name), vnf);
	return vnf;
}

static int by_vnf_name(const void *a, const void *b)
{
	return strcmp((*(struct vnf *const *) a)->name, (*(struct vnf *const *) b)->name);
}

/* A network function that the NSD itself hosts on a VNF whose package brings none. */
static void host_nf(struct service *service, const struct tnode *node)
{
	struct run *run = service->run;
	const struct trequirement *host = tnode_requirement(node, "host");
	struct vnf *vnf = host && host->node ? g_hash_table_lookup(service->by_name, host->node->name) : NULL;

	if (!vnf) {
		diags_error(run->diags, "nf-not-hosted", host && host->node ? host->origin : node->origin,
			    "the network function \"%s\" is hosted on %s", node->name,
			    host && host->node ? "something that is no VNF" : "nothing");
		service->faulty = true;
		return;
	}
	if (vnf->vnfd->n_vdus != 1) {
		diags_error(run->diags, "nf-not-hosted", host->origin,
			    "\"%s\" is hosted on \"%s\", whose VNFD has %zu VDUs; it must have one",
			    node->name, vnf->name, vnf->vnfd->n_vdus);
		service->faulty = true;
		return;
	}
	if (vnf->vnfd->n_nfs > 0 || vnf->nsd_nf) {
		struct diag *diag = diags_error(run->diags, "two-nfs", node->origin,
						"\"%s\" is the second network function on \"%s\"; a VDU has one", node->name,
						vnf->name);
		diag_note(run->diags, diag, vnf->nsd_nf ? vnf->nsd_nf->node->origin : vnf->vnfd->nfs[0].node->origin,
			  "the first one");
		service->faulty = true;
		return;
	}
	size_t errors = run_errors(run);
	vnf->nsd_nf = ARENA_NEW(run->arena, struct nfd);
	nf_compile(run, node, service->topology, vnf->nsd_nf);
	service->faulty = service->faulty || run_errors(run) > errors;
}

static void open_nsd(struct service *service)
{
	static const char *const all_known[] = { NULL };
	const struct ttopology *topology = service->topology;
	size_t errors = run_errors(service->run);

	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (!tnode_is_a(node, "tosca.nodes.nfv.VNF")) {
			if (!tnode_is_a(node, "pleach.nodes.NetworkFunction"))
				values_must_be_known(service->run, node, all_known);
			continue;
		}
		/* Links of an NS have no gateway of their own in SOL001: the service's router will have that name. */
		if (strcmp(node->name, "router") == 0)
			diags_error(service->run->diags, "reserved-name", node->origin,
				    "the name \"router\" is reserved for the service's own router");
		const struct ttopology *vnfd = service_substitute(service, node);
		if (vnfd && !vnfd->faulty && !vnfd->of->faulty) {
			add_vnf(service, node, vnfd);
			continue;
		}
		if (vnfd)
			run_say(service->run, SEVERITY_ERROR, "faulty-descriptor", node->origin,
				"the VNFD of \"%s\" (%s) is faulty", node->name, vnfd->of->file);
		service->faulty = true;
	}
	service->faulty = service->faulty || run_errors(service->run) > errors;
	g_ptr_array_sort(service->vnfs, by_vnf_name);
	for (size_t i = 0; i < topology->n_nodes && !service->faulty; i++)
		if (tnode_is_a(&topology->nodes[i], "pleach.nodes.NetworkFunction"))
			host_nf(service, &topology->nodes[i]);
	kept_nsd(service->run, topology);
}

/* A VNFD whose top template only chooses among flavours is a VNF node that another template substitutes. */
static void open_vnfd(struct service *service)
{
	const struct ttopology *topology = service->topology;
	const struct tnode *vnf = NULL;
	bool has_vdu = false;

	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		has_vdu = has_vdu || tnode_is_a(node, "tosca.nodes.nfv.Vdu.Compute") ||
			  tnode_is_a(node, "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit");
		if (tnode_is_a(node, "tosca.nodes.nfv.VNF"))
			vnf = node;
	}
	if (!has_vdu && vnf && !topology->substitution.node_type) {
		topology = service_substitute(service, vnf);
		if (!topology || topology->faulty || topology->of->faulty) {
			service->faulty = true;
			return;
		}
	}
	add_vnf(service, NULL, topology);
}

/* --- the descriptor ----------------------------------------------------------------------------------------------------- */

static struct tnamed_list inputs_of(struct service *service)
{
	const struct tvalue *map = tnode_property(service->node, "inputs");
	size_t n = map && map->type == TV_MAP ? map->map.n : 0;
	struct tnamed *items = ARENA_ARRAY(service->run->arena, struct tnamed, n);

	for (size_t i = 0; i < n; i++)
		items[i] = (struct tnamed) { .name = map->map.keys[i], .value = map->map.items[i],
					     .origin = map->map.items[i]->origin };
	return (struct tnamed_list) { items, n };
}

static bool is_nsd(const struct ttopology *topology)
{
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (tnode_is_a(node, "tosca.nodes.nfv.NS") || tnode_is_a(node, "tosca.nodes.nfv.NsVirtualLink"))
			return true;
	}
	return false;
}

static void check_flavour(struct service *service)
{
	const struct tvalue *said = tnode_property(service->node, "flavour_id");
	const char *wanted = tvalue_string(said, NULL);

	for (size_t i = 0; wanted && i < service->topology->n_nodes; i++) {
		const struct tnode *node = &service->topology->nodes[i];
		if (!tnode_is_a(node, service->is_nsd ? "tosca.nodes.nfv.NS" : "tosca.nodes.nfv.VNF"))
			continue;
		const char *flavour = tvalue_string(tnode_property(node, "flavour_id"), NULL);
		if (!flavour || strcmp(flavour, wanted) == 0)
			return;
		struct diag *diag = diags_error(service->run->diags, "unknown-flavour", said->origin,
						"the descriptor has no deployment flavour \"%s\"", wanted);
		diag_hint(service->run->diags, diag, "it has \"%s\"", flavour);
		service->faulty = true;
		return;
	}
}

static bool open_descriptor(struct service *service)
{
	struct run *run = service->run;
	const struct tvalue *said = tnode_property(service->node, "descriptor");
	struct origin origin = origin_of(said, service->node->origin);
	const char *name = tvalue_string(said, NULL);

	if (!name) {
		diags_error(run->diags, "unknown-descriptor", origin, "the service \"%s\" has no descriptor", service->name);
		return false;
	}
	service->template = tosca_find(run->tosca, name, origin, run->diags);
	if (!service->template)
		return false;
	service->topology = run_instantiate(run, service->template, inputs_of(service), origin);
	if (service->topology->faulty || service->template->faulty) {
		run_say(run, SEVERITY_ERROR, "faulty-descriptor", origin, "the descriptor %s of the service \"%s\" is faulty",
			service->template->file, service->name);
		return false;
	}
	service->is_nsd = is_nsd(service->topology);
	if (service->is_nsd || vnfd_is_one(service->topology))
		return true;
	struct diag *diag = diags_error(run->diags, "not-a-descriptor", origin, "%s is neither an NSD nor a VNFD",
					service->template->file);
	diag_hint(run->diags, diag, "a VNFD has a tosca.nodes.nfv.VNF and a tosca.nodes.nfv.Vdu.Compute, an NSD a "
				    "tosca.nodes.nfv.NS");
	return false;
}

/* Each step needs the one before to be without fault. */
void service_make(struct service *service)
{
	static const char *const open[] = { "inputs", NULL };
	static void (*const steps[])(struct service *) = {
		check_flavour,  scale_service, named_states, links_make, named_connection_points, cps_prepare,
		links_settle, cps_check,     links_build,  vnfcs_build, nfs_build,
	};

	size_t errors = run_errors(service->run);
	kept_service(service->run, service->node);
	values_must_be_known(service->run, service->node, open);
	if (run_errors(service->run) > errors) {
		service->faulty = true;
		return;
	}
	service->site = sites_pick(service->run, service->node);
	if (!open_descriptor(service) || !service->site) {
		service->faulty = true;
		return;
	}
	if (service->is_nsd)
		open_nsd(service);
	else
		open_vnfd(service);
	for (size_t i = 0; i < G_N_ELEMENTS(steps) && !service->faulty; i++)
		steps[i](service);
}
