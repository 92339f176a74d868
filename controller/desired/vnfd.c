#include "desired/internal.h"
#include "model/key.h"
#include "model/vnfc.h"

#include <string.h>

enum { NO_SEGMENT = G_MAXUINT };

bool vnfd_is_one(const struct ttopology *topology)
{
	bool ours = false;

	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (tnode_is_a(node, "tosca.nodes.nfv.NS") || tnode_is_a(node, "tosca.nodes.nfv.NsVirtualLink") ||
		    tnode_is_a(node, "tosca.nodes.nfv.Sap") || tnode_is_a(node, "tosca.nodes.nfv.Forwarding"))
			return false;
		ours = ours || tnode_is_a(node, "tosca.nodes.nfv.VNF") || tnode_is_a(node, "tosca.nodes.nfv.Vdu.Compute") ||
		       tnode_is_a(node, "tosca.nodes.nfv.Vdu.OsContainerDeployableUnit");
	}
	return ours;
}

struct vdu *vnfd_vdu(const struct vnfd *vnfd, const char *name)
{
	for (size_t i = 0; i < vnfd->n_vdus; i++)
		if (strcmp(vnfd->vdus[i].node->name, name) == 0)
			return &vnfd->vdus[i];
	return NULL;
}

static size_t count(const struct ttopology *topology, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < topology->n_nodes; i++)
		n += tnode_is_a(&topology->nodes[i], type) ? 1 : 0;
	return n;
}

static const struct tnode *target(const struct tnode *node, const char *requirement)
{
	const struct trequirement *found = tnode_requirement(node, requirement);

	return found ? found->node : NULL;
}

/* --- VDUs --------------------------------------------------------------------------------------------------------------- */

static int by_vdu_name(const void *a, const void *b)
{
	return strcmp(((const struct vdu *) a)->node->name, ((const struct vdu *) b)->node->name);
}

static void compile_vdus(struct run *run, struct vnfd *vnfd)
{
	const struct ttopology *topology = vnfd->topology;

	vnfd->vdus = ARENA_ARRAY(run->arena, struct vdu, count(topology, "tosca.nodes.nfv.Vdu.Compute"));
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (tnode_is_a(node, "tosca.nodes.nfv.VNF") &&
		    (!vnfd->vnf || g_strcmp0(topology->substitution.node_type, ttype_name(node->type)) == 0))
			vnfd->vnf = node;
		if (!tnode_is_a(node, "tosca.nodes.nfv.Vdu.Compute"))
			continue;
		const struct tvalue *profile = tnode_property(node, "vdu_profile");
		vnfd->vdus[vnfd->n_vdus++] = (struct vdu) {
			.node = node,
			.segment = key_segment(run->arena, node->name),
			.min = tvalue_int(tvalue_get(profile, "min_number_of_instances"), 1),
			.max = tvalue_int(tvalue_get(profile, "max_number_of_instances"), G_MAXINT64),
		};
	}
	if (vnfd->n_vdus > 1)
		qsort(vnfd->vdus, vnfd->n_vdus, sizeof *vnfd->vdus, by_vdu_name);
	for (size_t i = 0; i < vnfd->n_vdus; i++)
		vnfd->vdus[i].index = (unsigned) i;
}

/* --- segments and connection points ------------------------------------------------------------------------------------- */

static unsigned segment_of_link(const struct vnfd *vnfd, const struct tnode *link)
{
	for (size_t i = 0; i < vnfd->n_segments; i++)
		if (vnfd->segments[i].node == link)
			return (unsigned) i;
	return NO_SEGMENT;
}

static void compile_links(struct run *run, struct vnfd *vnfd)
{
	const struct ttopology *topology = vnfd->topology;

	vnfd->segments = ARENA_ARRAY(run->arena, struct segment,
				     count(topology, "tosca.nodes.nfv.VnfVirtualLink") +
					     count(topology, "tosca.nodes.nfv.VduCp"));
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (!tnode_is_a(node, "tosca.nodes.nfv.VnfVirtualLink"))
			continue;
		struct segment *segment = &vnfd->segments[vnfd->n_segments++];
		segment->node = node;
		segment->is_link = true;
		lspec_of_link(run, node, &segment->spec);
	}
}

/* The segment that a VduCp is on: its virtual link's, or one of its own, which is then connected from outside. */
static unsigned segment_of_cp(struct run *run, struct vnfd *vnfd, const struct tnode *node)
{
	const struct tnode *link = NULL;

	for (size_t i = 0; i < node->n_requirements; i++) {
		const struct trequirement *requirement = &node->requirements[i];
		if (strcmp(requirement->name, "virtual_link") != 0 || !requirement->node || requirement->node == link)
			continue;
		if (link) {
			struct diag *diag = diags_error(run->diags, "connected-twice", requirement->origin,
							"the connection point \"%s\" is on two virtual links", node->name);
			diag_note(run->diags, diag, link->origin, "it is on this one already");
			continue;
		}
		link = requirement->node;
	}
	if (link) {
		unsigned found = segment_of_link(vnfd, link);
		if (found == NO_SEGMENT)
			diags_error(run->diags, "not-a-link", tnode_requirement(node, "virtual_link")->origin,
				    "\"%s\" is no VnfVirtualLink of this VNFD", link->name);
		return found;
	}
	struct segment *segment = &vnfd->segments[vnfd->n_segments];
	segment->node = node;
	layer_protocols(tnode_property(node, "layer_protocols"), &segment->spec.ipv4, &segment->spec.ipv6);
	return (unsigned) vnfd->n_segments++;
}

static void name_paths(struct arena *arena, struct cpd *cpd)
{
	const char *name = key_segment(arena, cpd->name);

	cpd->path.link = arena_printf(arena, "cp.%s.link", name);
	cpd->path.order = arena_printf(arena, "cp.%s.order", name);
	cpd->path.state = arena_printf(arena, "cp.%s.state", name);
	cpd->path.mtu = arena_printf(arena, "cp.%s.mtu", name);
	cpd->path.cidr = arena_printf(arena, "cp.%s.cidr", name);
	cpd->path.pools = arena_printf(arena, "cp.%s.pools", name);
	cpd->path.addresses = arena_printf(arena, "cp.%s.addresses", name);
	cpd->path.mac_address = arena_printf(arena, "cp.%s.mac_address", name);
	cpd->path.port_name = arena_printf(arena, "cp.%s.port_name", name);
}

static int by_order(const void *a, const void *b)
{
	const struct cpd *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Connection points without an order come after those with one, as they stand in the file. */
static void order_cps(struct run *run, struct vdu *vdu)
{
	gint64 next = 0;

	for (size_t i = 0; i < vdu->n_cpds; i++) {
		gint64 order = tvalue_int(tnode_property(vdu->cpds[i].node, "order"), -1);
		if (order > G_MAXINT / 2) {
			diags_error(run->diags, "order-range", tnode_property(vdu->cpds[i].node, "order")->origin,
				    "the order is too large");
			order = -1;
		}
		next = MAX(next, order + 1);
	}
	for (size_t i = 0; i < vdu->n_cpds; i++) {
		gint64 order = tvalue_int(tnode_property(vdu->cpds[i].node, "order"), -1);
		vdu->cpds[i].order = (unsigned) (order >= 0 ? order : next++);
	}
	if (vdu->n_cpds > 1)
		qsort(vdu->cpds, vdu->n_cpds, sizeof *vdu->cpds, by_order);
	for (size_t i = 0; i < vdu->n_cpds; i++) {
		vdu->cpds[i].order_value = value_integer(run->arena, vdu->cpds[i].order);
		vdu->cpds[i].state_value = value_string(run->arena, "up");
	}
	for (size_t i = 1; i < vdu->n_cpds; i++) {
		const struct cpd *former = &vdu->cpds[i - 1], *cpd = &vdu->cpds[i];
		if (former->order != cpd->order)
			continue;
		struct diag *diag = diags_error(run->diags, "duplicate-order", cpd->node->origin,
						"the connection points \"%s\" and \"%s\" of \"%s\" have the same order, %u",
						former->name, cpd->name, vdu->node->name, cpd->order);
		diag_note(run->diags, diag, former->node->origin, "the other one");
	}
}

static bool is_vdu_cp(const struct tnode *node)
{
	return tnode_is_a(node, "tosca.nodes.nfv.VduCp") && !tnode_is_a(node, "tosca.nodes.nfv.VduSubCp");
}

static void compile_cp(struct run *run, struct vnfd *vnfd, const struct tnode *node, struct vdu *vdu)
{
	struct cpd *cpd = &vdu->cpds[vdu->n_cpds++];

	cpd->node = node;
	cpd->name = node->name;
	cpd->segment = segment_of_cp(run, vnfd, node);
	layer_protocols(tnode_property(node, "layer_protocols"), &cpd->ipv4, &cpd->ipv6);
	name_paths(run->arena, cpd);
	if (strlen(node->name) > CP_NAME_MAX)
		diags_error(run->diags, "name-too-long", node->origin, "the name of a connection point has %d bytes at most",
			    CP_NAME_MAX);
	cpd->flat = (unsigned) vnfd->n_cpds++;
}

static void compile_cps(struct run *run, struct vnfd *vnfd)
{
	const struct ttopology *topology = vnfd->topology;
	g_autofree size_t *counts = g_new0(size_t, vnfd->n_vdus);
	g_autofree struct vdu **of = g_new0(struct vdu *, topology->n_nodes);

	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (!is_vdu_cp(node))
			continue;
		const struct tnode *bound = target(node, "virtual_binding");
		if (bound)
			of[i] = vnfd_vdu(vnfd, bound->name);
		if (of[i])
			counts[of[i]->index]++;
		else if (!bound)
			diags_error(run->diags, "unbound-connection-point", node->origin,
				    "the connection point \"%s\" is bound to no VDU (requirement \"virtual_binding\")",
				    node->name);
	}
	for (size_t i = 0; i < vnfd->n_vdus; i++) {
		vnfd->vdus[i].cpds = ARENA_ARRAY(run->arena, struct cpd, counts[i]);
		if (counts[i] > DESIRED_MAX_CPS_PER_VNFC)
			diags_error(run->diags, "too-many-connection-points", vnfd->vdus[i].node->origin,
				    "\"%s\" has %zu connection points; %d are allowed", vnfd->vdus[i].node->name, counts[i],
				    DESIRED_MAX_CPS_PER_VNFC);
	}
	for (size_t i = 0; i < topology->n_nodes; i++)
		if (of[i])
			compile_cp(run, vnfd, &topology->nodes[i], of[i]);
	for (size_t i = 0; i < vnfd->n_vdus; i++)
		order_cps(run, &vnfd->vdus[i]);
}

static void compile_extcps(struct run *run, struct vnfd *vnfd)
{
	const struct ttopology *topology = vnfd->topology;

	vnfd->extcps = ARENA_ARRAY(run->arena, struct extcp, count(topology, "tosca.nodes.nfv.VnfExtCp"));
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (!tnode_is_a(node, "tosca.nodes.nfv.VnfExtCp"))
			continue;
		const struct tnode *link = target(node, "internal_virtual_link");
		unsigned segment = link ? segment_of_link(vnfd, link) : NO_SEGMENT;
		if (segment == NO_SEGMENT) {
			diags_error(run->diags, "not-a-link", node->origin,
				    "the external connection point \"%s\" is on no VnfVirtualLink", node->name);
			continue;
		}
		vnfd->segments[segment].exposed = true;
		vnfd->extcps[vnfd->n_extcps++] = (struct extcp) { .node = node, .segment = segment };
	}
}

/* --- what the VNF shows of itself --------------------------------------------------------------------------------------- */

static const struct cpd *find_cpd(const struct vnfd *vnfd, const char *name)
{
	for (size_t i = 0; i < vnfd->n_vdus; i++)
		for (size_t j = 0; j < vnfd->vdus[i].n_cpds; j++)
			if (strcmp(vnfd->vdus[i].cpds[j].name, name) == 0)
				return &vnfd->vdus[i].cpds[j];
	return NULL;
}

static unsigned exposed_segment(struct run *run, struct vnfd *vnfd, const struct tmapping *mapping)
{
	const char *name = mapping->n_target > 0 ? mapping->target[0] : "";
	const struct cpd *cpd = find_cpd(vnfd, name);

	if (cpd) {
		if (cpd->segment != NO_SEGMENT && vnfd->segments[cpd->segment].is_link) {
			struct diag *diag = diags_error(run->diags, "connected-twice", mapping->origin,
							"\"%s\" is connected from outside, but is on a virtual link of the VNF "
							"already", name);
			diag_note(run->diags, diag, vnfd->segments[cpd->segment].node->origin, "it is on this one");
			diag_hint(run->diags, diag, "put a tosca.nodes.nfv.VnfExtCp on that link and map the requirement to it");
			return NO_SEGMENT;
		}
		return cpd->segment;
	}
	for (size_t i = 0; i < vnfd->n_extcps; i++)
		if (strcmp(vnfd->extcps[i].node->name, name) == 0)
			return vnfd->extcps[i].segment;
	return NO_SEGMENT;
}

static void compile_exposures(struct run *run, struct vnfd *vnfd)
{
	const struct tsubstitution *substitution = &vnfd->topology->substitution;

	vnfd->exposures = ARENA_ARRAY(run->arena, struct exposure, substitution->n_requirements);
	for (size_t i = 0; i < substitution->n_requirements; i++) {
		const struct tmapping *mapping = &substitution->requirements[i];
		unsigned segment = exposed_segment(run, vnfd, mapping);
		if (segment == NO_SEGMENT)
			continue;
		vnfd->segments[segment].exposed = true;
		vnfd->exposures[vnfd->n_exposures++] =
			(struct exposure) { .requirement = mapping->name, .segment = segment, .origin = mapping->origin };
	}
}

/* --- network functions -------------------------------------------------------------------------------------------------- */

static void compile_nfs(struct run *run, struct vnfd *vnfd)
{
	const struct ttopology *topology = vnfd->topology;

	vnfd->nfs = ARENA_ARRAY(run->arena, struct nfd, count(topology, "pleach.nodes.NetworkFunction"));
	for (size_t i = 0; i < topology->n_nodes; i++) {
		const struct tnode *node = &topology->nodes[i];
		if (!tnode_is_a(node, "pleach.nodes.NetworkFunction"))
			continue;
		const struct tnode *host = target(node, "host");
		struct vdu *vdu = host ? vnfd_vdu(vnfd, host->name) : NULL;
		struct nfd *nf = &vnfd->nfs[vnfd->n_nfs++];
		nf_compile(run, node, topology, nf);
		if (!vdu) {
			diags_error(run->diags, "nf-not-hosted", host ? tnode_requirement(node, "host")->origin : node->origin,
				    "the network function \"%s\" is hosted on %s", node->name, host ? "something that is no VDU"
				    : "nothing");
		} else if (vdu->nf) {
			struct diag *diag = diags_error(run->diags, "two-nfs", node->origin,
							"\"%s\" is the second network function on \"%s\"; a VDU has one",
							node->name, host->name);
			diag_note(run->diags, diag, vdu->nf->node->origin, "the first one");
		} else {
			vdu->nf = nf;
		}
	}
}

static struct vnfd *compile(struct run *run, const struct ttopology *topology)
{
	static const char *const all_known[] = { NULL };
	struct vnfd *vnfd = ARENA_NEW(run->arena, struct vnfd);
	size_t errors = run_errors(run);

	vnfd->topology = topology;
	for (size_t i = 0; i < topology->n_nodes; i++)
		if (!tnode_is_a(&topology->nodes[i], "pleach.nodes.NetworkFunction") &&
		    !tnode_is_a(&topology->nodes[i], "tosca.nodes.nfv.VNF"))
			values_must_be_known(run, &topology->nodes[i], all_known);
	compile_vdus(run, vnfd);
	vnfd->id = arena_strdup(run->arena, tvalue_string(vnfd->vnf ? tnode_property(vnfd->vnf, "descriptor_id") : NULL,
							  topology->of->descriptor_id));
	if (!vnfd->id)
		vnfd->id = topology->of->file;
	compile_links(run, vnfd);
	compile_cps(run, vnfd);
	compile_extcps(run, vnfd);
	compile_exposures(run, vnfd);
	compile_nfs(run, vnfd);
	for (size_t i = 0; i < vnfd->n_vdus; i++)
		vnfd->vdus[i].presets = vnfc_presets(run, vnfd, &vnfd->vdus[i]);
	kept_vnfd(run, topology);
	vnfd->faulty = topology->faulty || run_errors(run) > errors;
	return vnfd;
}

/* Compiled once, but found and read by each that uses it: any of them may be the one that is left. */
struct vnfd *vnfd_compile(struct run *run, const struct ttopology *topology)
{
	struct compiled *compiled = g_hash_table_lookup(run->vnfds, topology);

	if (!compiled) {
		compiled = g_new0(struct compiled, 1);
		struct collection outer = collection_begin(run);
		reads_begin(run->ledger);
		compiled->vnfd = compile(run, topology);
		compiled->reads = reads_end();
		compiled->findings = collection_end(run, outer);
		g_hash_table_insert(run->vnfds, held(topology), compiled);
	}
	run_add(run, compiled->findings);
	reads_note_all(compiled->reads);
	return compiled->vnfd;
}
