#include "desired/internal.h"
#include "model/key.h"
#include "model/link.h"

#include <string.h>

static struct slink *add(struct service *service, const char *key, const struct tnode *node, const struct lspec *spec,
			 const char *descriptor)
{
	struct slink *link = ARENA_NEW(service->run->arena, struct slink);

	link->key = key;
	link->origin = node->origin;
	link->descriptor = descriptor;
	link->spec = *spec;
	g_ptr_array_add(service->links, link);
	return link;
}

static void make_nslinks(struct service *service)
{
	struct run *run = service->run;
	const char *id = service->template->descriptor_id ? service->template->descriptor_id : service->template->file;
	size_t errors = run_errors(run);

	for (size_t i = 0; i < service->topology->n_nodes; i++) {
		const struct tnode *node = &service->topology->nodes[i];
		struct lspec spec = { 0 };
		if (!tnode_is_a(node, "tosca.nodes.nfv.NsVirtualLink"))
			continue;
		lspec_of_link(run, node, &spec);
		struct slink *link = add(service, key_make(run->arena, "link", service->name, node->name, NULL), node, &spec, id);
		g_hash_table_insert(service->nslinks, held(node->name), link);
	}
	service->faulty = service->faulty || run_errors(run) > errors;
}

/* --- plugging VNFs into the NSD's links --------------------------------------------------------------------------------- */

/* Through a Forwarding node, too: it says where paths may pass, the link is behind it. */
static struct slink *reach(struct service *service, const struct trequirement *requirement)
{
	const struct tnode *node = requirement->node;

	if (node && tnode_is_a(node, "tosca.nodes.nfv.Forwarding")) {
		const struct trequirement *behind = tnode_requirement(node, "virtual_link");
		node = behind ? behind->node : NULL;
	}
	return node ? g_hash_table_lookup(service->nslinks, node->name) : NULL;
}

static bool is_mapped(const struct vnfd *vnfd, const char *requirement)
{
	const struct tsubstitution *substitution = &vnfd->topology->substitution;

	for (size_t i = 0; i < substitution->n_requirements; i++)
		if (strcmp(substitution->requirements[i].name, requirement) == 0)
			return true;
	return false;
}

static void plug_segment(struct service *service, struct vnf *vnf, const struct exposure *exposure,
			 const struct trequirement *requirement, struct slink *link)
{
	struct slink *former = vnf->shared[exposure->segment];

	if (former && former != link) {
		struct diag *diag = diags_error(service->run->diags, "connected-twice", requirement->origin,
						"\"%s\" would join %s and %s: one segment of the VNF is connected to both",
						vnf->name, former->key, link->key);
		diag_note(service->run->diags, diag, vnf->vnfd->segments[exposure->segment].node->origin, "this segment");
		service->faulty = true;
		return;
	}
	vnf->shared[exposure->segment] = link;
	if (former == NULL)
		lspec_merge(service->run, &link->spec, &vnf->vnfd->segments[exposure->segment].spec, link->key);
}

static void plug(struct service *service, struct vnf *vnf)
{
	for (size_t i = 0; i < vnf->node->n_requirements; i++) {
		const struct trequirement *requirement = &vnf->node->requirements[i];
		struct slink *link = reach(service, requirement);
		if (!link)
			continue;
		for (size_t j = 0; j < vnf->vnfd->n_exposures; j++)
			if (strcmp(vnf->vnfd->exposures[j].requirement, requirement->name) == 0)
				plug_segment(service, vnf, &vnf->vnfd->exposures[j], requirement, link);
		if (is_mapped(vnf->vnfd, requirement->name))
			continue;
		struct diag *diag = diags_error(service->run->diags, "unmapped-requirement", requirement->origin,
						"nothing in the VNFD of \"%s\" answers the requirement \"%s\"", vnf->name,
						requirement->name);
		diag_note(service->run->diags, diag, vnf->vnfd->topology->substitution.origin,
			  "the VNFD's substitution_mappings");
		service->faulty = true;
	}
}

/* --- links of the VNFs themselves --------------------------------------------------------------------------------------- */

static struct slink *own_link(struct service *service, const struct vnf *vnf, unsigned instance, const struct segment *segment)
{
	struct arena *arena = service->run->arena;
	const char *key = arena_printf(arena, "link/%s.%s", vnf_path(service, vnf, instance),
				       key_segment(arena, segment->node->name));

	if (vnf->name && !segment->is_link && segment->exposed && instance == 0)
		run_say(service->run, SEVERITY_WARNING, "unconnected", vnf->node->origin,
			"the connection point \"%s\" of \"%s\" is connected to nothing: it gets a link of its own",
			segment->node->name, vnf->name);
	return add(service, key, segment->node, &segment->spec, vnf->vnfd->id);
}

static void make_own(struct service *service, struct vnf *vnf)
{
	size_t n = vnf->vnfd->n_segments;

	if (n == 0)
		return;
	vnf->links = ARENA_ARRAY(service->run->arena, struct slink *, (size_t) vnf->instances * n);
	for (gint64 i = 0; i < vnf->instances; i++)
		for (size_t j = 0; j < n; j++)
			vnf->links[(size_t) i * n + j] =
				vnf->shared[j] ? vnf->shared[j] : own_link(service, vnf, (unsigned) i, &vnf->vnfd->segments[j]);
}

static bool within_bounds(struct service *service)
{
	gint64 n = (gint64) service->links->len;

	for (guint i = 0; i < service->vnfs->len && n <= DESIRED_MAX_LINKS_PER_SERVICE; i++) {
		const struct vnf *vnf = service->vnfs->pdata[i];
		for (size_t j = 0; j < vnf->vnfd->n_segments; j++)
			n += vnf->shared[j] ? 0 : vnf->instances;
	}
	if (n <= DESIRED_MAX_LINKS_PER_SERVICE)
		return true;
	diags_error(service->run->diags, "too-many-links", service->node->origin,
		    "the service \"%s\" has more than %d virtual links", service->name, DESIRED_MAX_LINKS_PER_SERVICE);
	return false;
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct slink *const *) a)->key, (*(struct slink *const *) b)->key);
}

void links_make(struct service *service)
{
	size_t errors = run_errors(service->run);

	if (service->is_nsd) {
		make_nslinks(service);
		for (guint i = 0; i < service->vnfs->len; i++)
			plug(service, service->vnfs->pdata[i]);
	}
	service->faulty = service->faulty || run_errors(service->run) > errors || !within_bounds(service);
	for (guint i = 0; i < service->vnfs->len && !service->faulty; i++)
		make_own(service, service->vnfs->pdata[i]);
	g_ptr_array_sort(service->links, by_key);
}

/* --- CIDRs -------------------------------------------------------------------------------------------------------------- */

/* A CIDR that no other link of the service has: the one that the key's hash says, or the next that is free. */
static void pick_cidr(struct service *service, struct slink *link, GHashTable *explicit, GHashTable *picked)
{
	struct arena *arena = service->run->arena;
	bool ipv6 = !link->spec.ipv4;

	for (unsigned attempt = 0; attempt < CIDR_PICKS; attempt++) {
		struct cidr cidr = cidr_pick(link->key, ipv6, attempt), *other;
		bool free = true;
		const char *text = cidr_text(arena, &cidr);
		GHashTableIter iter;
		if (g_hash_table_contains(picked, text))
			continue;
		g_hash_table_iter_init(&iter, explicit);
		while (free && g_hash_table_iter_next(&iter, NULL, (void **) &other))
			free = !cidr_overlap(other, &cidr);
		if (!free)
			continue;
		g_hash_table_add(picked, held(text));
		link->spec.has_cidr = true;
		link->spec.cidr = cidr;
		link->spec.cidr_origin = link->origin;
		return;
	}
	diags_error(service->run->diags, "no-cidr-left", link->origin, "no CIDR is left for %s; give it one", link->key);
	service->faulty = true;
}

/* What could only be checked once the CIDR was known. */
static void settle(struct service *service, struct slink *link)
{
	struct run *run = service->run;
	struct lspec *spec = &link->spec;

	if (!spec->has_gateway) {
		spec->gateway = cidr_first(&spec->cidr);
		spec->gateway_origin = spec->cidr_origin;
		spec->has_gateway = true;
	} else if (!cidr_contains(&spec->cidr, &spec->gateway) || cidr_is_reserved(&spec->cidr, &spec->gateway)) {
		run_say(run, SEVERITY_ERROR, "bad-gateway", spec->gateway_origin,
			"the gateway of %s is no address of its CIDR, %s", link->key, cidr_text(run->arena, &spec->cidr));
		service->faulty = true;
	}
	for (size_t i = 0; i < spec->n_pools; i++) {
		struct address first, last;
		if (pool_parse(spec->pools[i], &first, &last) && cidr_contains(&spec->cidr, &first) &&
		    cidr_contains(&spec->cidr, &last))
			continue;
		run_say(run, SEVERITY_ERROR, "bad-pool", spec->pools_origin, "the pool %s of %s is not within its CIDR, %s",
			spec->pools[i], link->key, cidr_text(run->arena, &spec->cidr));
		service->faulty = true;
	}
	gint64 room = cidr_room(&spec->cidr);
	if (link->n_cps > room) {
		diags_error(run->diags, "cidr-too-small", spec->cidr_origin,
			    "%s has room for %" G_GINT64_FORMAT " connection points; %" G_GINT64_FORMAT " are on it", link->key,
			    room, link->n_cps);
		service->faulty = true;
	}
}

void links_settle(struct service *service)
{
	struct run *run = service->run;
	g_autoptr(GHashTable) explicit = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GHashTable) picked = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < service->links->len; i++) {
		struct slink *link = service->links->pdata[i];
		if (link->spec.has_cidr)
			g_hash_table_insert(explicit, cidr_text(run->arena, &link->spec.cidr), &link->spec.cidr);
	}
	for (guint i = 0; i < service->links->len; i++) {
		struct slink *link = service->links->pdata[i];
		struct lspec *spec = &link->spec;
		if (!spec->has_cidr && (spec->ipv4 || spec->ipv6))
			pick_cidr(service, link, explicit, picked);
		if (!spec->has_mtu) {
			spec->mtu = LINK_MTU_DEFAULT;
			spec->mtu_origin = link->origin;
		}
		if (spec->has_cidr)
			settle(service, link);
		link->key_value = value_string(run->arena, link->key);
		link->mtu = value_integer(run->arena, spec->mtu);
		link->cidr = spec->has_cidr ? value_string(run->arena, cidr_text(run->arena, &spec->cidr)) : &value_absent;
		link->pools = spec->n_pools ? value_string_list(run->arena, spec->pools, spec->n_pools) : &value_absent;
	}
}

void links_build(struct service *service)
{
	struct arena *arena = service->run->arena;

	for (guint i = 0; i < service->links->len; i++) {
		const struct slink *link = service->links->pdata[i];
		const struct lspec *spec = &link->spec;
		if (!run_take_key(service->run, link->key, link->origin)) {
			service->faulty = true;
			continue;
		}
		struct object_builder *builder = object_builder_new(arena, link->key, service->site->site->name, link->origin);
		object_set(builder, "cidr", link->cidr, spec->cidr_origin);
		object_set(builder, "pools", link->pools, spec->pools_origin);
		object_set(builder, "mtu", link->mtu, spec->mtu_origin);
		if (spec->has_gateway)
			object_set_string(builder, "gateway", address_text(arena, &spec->gateway), spec->gateway_origin);
		object_set_string(builder, "network", link->network, link->network_origin);
		if (link->vlan)
			object_set_int(builder, "vlan", link->vlan, link->network_origin);
		object_set_string(builder, "state", "up", link->origin);
		object_set_descriptor(builder, link->descriptor);
		g_ptr_array_add(service->objects, builder);
		g_ptr_array_add(service->first, builder);
	}
}
