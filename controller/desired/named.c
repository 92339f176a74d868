#include "desired/internal.h"

#include <string.h>

/* --- states ------------------------------------------------------------------------------------------------------------- */

static bool has_nf(const struct vnf *vnf, const char *name)
{
	for (size_t i = 0; i < vnf->vnfd->n_nfs; i++)
		if (strcmp(vnf->vnfd->nfs[i].node->name, name) == 0)
			return true;
	return vnf->nsd_nf && strcmp(vnf->nsd_nf->node->name, name) == 0;
}

static void nf_names(struct service *service, const struct vnf *vnf, GPtrArray *names)
{
	const char *prefix = vnf->name ? vnf->name : service->name;

	for (size_t i = 0; i < vnf->vnfd->n_nfs; i++)
		g_ptr_array_add(names, arena_printf(service->run->arena, "%s.%s", prefix, vnf->vnfd->nfs[i].node->name));
	if (vnf->nsd_nf)
		g_ptr_array_add(names, arena_printf(service->run->arena, "%s.%s", prefix, vnf->nsd_nf->node->name));
}

static void take_state(struct service *service, const char *name, const struct tvalue *state)
{
	const char *nf;
	struct vnf *vnf = service_split(service, name, &nf);
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	struct diag *diag;

	if (vnf && !nf) {
		vnf->state = state;
		return;
	}
	if (vnf && has_nf(vnf, nf)) {
		if (!vnf->states)
			vnf->states = g_hash_table_new(g_str_hash, g_str_equal);
		g_hash_table_insert(vnf->states, held(nf), held(state));
		return;
	}
	service->faulty = true;
	if (vnf) {
		diag = diags_error(service->run->diags, "unknown-nf", state->origin,
				   "\"%s\" names no network function of the service \"%s\"", name, service->name);
		nf_names(service, vnf, names);
	} else {
		diag = diags_error(service->run->diags, "unknown-vnf", state->origin, "\"%s\" names no VNF of the service \"%s\"",
				   name, service->name);
		service_vnf_names(service, names);
	}
	run_suggest(service->run, diag, name, names);
}

void named_states(struct service *service)
{
	const struct tvalue *states = tnode_property(service->node, "states");

	for (size_t i = 0; states && states->type == TV_MAP && i < states->map.n; i++)
		take_state(service, states->map.keys[i], states->map.items[i]);
}

const struct tvalue *named_state(const struct vnf *vnf, const char *nf)
{
	const struct tvalue *state = vnf->states ? g_hash_table_lookup(vnf->states, nf) : NULL;

	return state ? state : vnf->state;
}

/* --- connection_points -------------------------------------------------------------------------------------------------- */

static struct cpd *find_cpd(const struct vnfd *vnfd, const char *name)
{
	for (size_t i = 0; i < vnfd->n_vdus; i++)
		for (size_t j = 0; j < vnfd->vdus[i].n_cpds; j++)
			if (strcmp(vnfd->vdus[i].cpds[j].name, name) == 0)
				return &vnfd->vdus[i].cpds[j];
	return NULL;
}

/* A VnfExtCp stands for the one VduCp that is on its virtual link. */
static struct cpd *behind_extcp(struct service *service, const struct vnfd *vnfd, const struct extcp *extcp, struct origin origin)
{
	struct cpd *found = NULL;
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	for (size_t i = 0; i < vnfd->n_vdus; i++)
		for (size_t j = 0; j < vnfd->vdus[i].n_cpds; j++)
			if (vnfd->vdus[i].cpds[j].segment == extcp->segment) {
				found = &vnfd->vdus[i].cpds[j];
				g_ptr_array_add(names, held(found->name));
			}
	if (names->len == 1)
		return found;
	struct diag *diag = diags_error(service->run->diags, "ambiguous-connection-point", origin,
					"behind the external connection point \"%s\" there are %u connection points of VDUs; "
					"name the one that is meant", extcp->node->name, names->len);
	run_suggest(service->run, diag, "", names);
	service->faulty = true;
	return NULL;
}

static void fix(struct service *service, struct vnf *vnf, const struct cpd *cpd, const char *name, const struct tvalue *entry)
{
	const struct fixed *former = vnf->fixed[cpd->flat];
	struct fixed *fixed = ARENA_NEW(service->run->arena, struct fixed);

	if (former) {
		struct diag *diag = diags_error(service->run->diags, "duplicate-connection-point", entry->origin,
						"\"%s\" and \"%s\" are the same connection point", former->name, name);
		diag_note(service->run->diags, diag, former->origin, "the first one");
		service->faulty = true;
		return;
	}
	*fixed = (struct fixed) {
		.name = name, .addresses = tvalue_get(entry, "addresses"), .macs = tvalue_get(entry, "mac_addresses"),
		.origin = entry->origin
	};
	vnf->fixed[cpd->flat] = fixed;
	if (tvalue_get(entry, "network"))
		not_kept(service->run, tvalue_get(entry, "network")->origin, "the network of the connection point \"%s\"", name);
}

static void unknown_cp(struct service *service, const struct vnf *vnf, const char *name, struct origin origin)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	struct diag *diag;

	service->faulty = true;
	if (!vnf) {
		diag = diags_error(service->run->diags, "unknown-connection-point", origin,
				   "\"%s\" names no connection point and no Sap of the service \"%s\"", name, service->name);
		service_vnf_names(service, names);
		for (size_t i = 0; service->is_nsd && i < service->topology->n_nodes; i++)
			if (tnode_is_a(&service->topology->nodes[i], "tosca.nodes.nfv.Sap"))
				g_ptr_array_add(names, held(service->topology->nodes[i].name));
		run_suggest(service->run, diag, name, names);
		return;
	}
	const char *prefix = vnf->name ? arena_printf(service->run->arena, "%s.", vnf->name) : "";
	for (size_t i = 0; i < vnf->vnfd->n_vdus; i++)
		for (size_t j = 0; j < vnf->vnfd->vdus[i].n_cpds; j++)
			g_ptr_array_add(names, arena_printf(service->run->arena, "%s%s", prefix,
							    vnf->vnfd->vdus[i].cpds[j].name));
	diag = diags_error(service->run->diags, "unknown-connection-point", origin,
			   "\"%s\" names no connection point of the service \"%s\"", name, service->name);
	run_suggest(service->run, diag, name, names);
}

static void take_cp(struct service *service, const char *name, const struct tvalue *entry)
{
	const char *rest;
	struct vnf *vnf = service_split(service, name, &rest);
	const struct tnode *sap = service->is_nsd && !vnf ? ttopology_node(service->topology, name) : NULL;

	if (sap && tnode_is_a(sap, "tosca.nodes.nfv.Sap")) {
		sap_take(service, sap, entry);
		return;
	}
	const char *cp = rest ? rest : name;
	const struct cpd *cpd = vnf ? find_cpd(vnf->vnfd, cp) : NULL;
	for (size_t i = 0; vnf && !cpd && i < vnf->vnfd->n_extcps; i++)
		if (strcmp(vnf->vnfd->extcps[i].node->name, cp) == 0) {
			cpd = behind_extcp(service, vnf->vnfd, &vnf->vnfd->extcps[i], entry->origin);
			if (!cpd)
				return;
		}
	const struct tnode *vip = vnf && !cpd ? ttopology_node(vnf->vnfd->topology, cp) : NULL;
	if (cpd)
		fix(service, vnf, cpd, name, entry);
	else if (vip && tnode_is_a(vip, "tosca.nodes.nfv.VipCp"))
		not_kept(service->run, entry->origin, "what is fixed for the virtual address \"%s\"", name);
	else
		unknown_cp(service, vnf, name, entry->origin);
}

void named_connection_points(struct service *service)
{
	const struct tvalue *points = tnode_property(service->node, "connection_points");

	for (size_t i = 0; points && points->type == TV_MAP && i < points->map.n; i++)
		take_cp(service, points->map.keys[i], points->map.items[i]);
}
