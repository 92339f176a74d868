#include "desired/internal.h"

#include <string.h>

/* Which family of addresses connection points on a link have: 4, 16, or 0 for none. */
static unsigned family(const struct lspec *spec)
{
	if (spec->has_cidr)
		return spec->cidr.address.length;
	return spec->ipv4 ? 4 : spec->ipv6 ? 16 : 0;
}

static bool has_addresses(const struct cpd *cpd, const struct lspec *spec)
{
	unsigned length = family(spec);

	return (length == 4 && cpd->ipv4) || (length == 16 && cpd->ipv6);
}

static struct slink *link_of(const struct vnf *vnf, const struct cpd *cpd, unsigned instance)
{
	return vnf->links[(size_t) instance * vnf->vnfd->n_segments + cpd->segment];
}

static size_t length(const struct tvalue *list)
{
	return list && list->type == TV_LIST ? list->list.n : 0;
}

/* --- before the CIDRs are settled --------------------------------------------------------------------------------------- */

static bool right_number(struct service *service, const struct fixed *fixed, const struct tvalue *list, gint64 instances,
			 const char *what)
{
	if (!list || (gint64) length(list) == instances)
		return true;
	struct diag *diag = diags_error(service->run->diags, "instances-mismatch", list->origin,
					"%zu %s%s for the %" G_GINT64_FORMAT " instance%s of \"%s\"", length(list), what,
					length(list) == 1 ? "" : "es", instances, instances == 1 ? "" : "s", fixed->name);
	diag_hint(service->run->diags, diag, "give one for each instance, in their order, or none");
	service->faulty = true;
	return false;
}

/* "10.1.0.5/24" on a link that nobody gave a CIDR gives it one. */
static void give_cidr(struct service *service, struct slink *link, const struct tvalue *said)
{
	struct address address;
	struct cidr cidr;
	int prefix;
	bool host_bits;
	const char *why, *text = tvalue_string(said, "");

	if (link->spec.has_cidr || !address_split(text, &address, &prefix) || prefix < 0)
		return;
	if (!cidr_network(text, &cidr, &host_bits, &why)) {
		diags_error(service->run->diags, "bad-address", said->origin, "\"%s\" does not give %s a CIDR: %s", text,
			    link->key, why);
		service->faulty = true;
		return;
	}
	link->spec.has_cidr = true;
	link->spec.cidr = cidr;
	link->spec.cidr_origin = said->origin;
}

static void prepare(struct service *service, struct vnf *vnf, const struct vdu *vdu, const struct cpd *cpd)
{
	const struct fixed *fixed = vnf->fixed[cpd->flat];
	gint64 count = vnf->counts[vdu->index];

	if (fixed && (!right_number(service, fixed, fixed->addresses, vnf->instances * count, "address") ||
		      !right_number(service, fixed, fixed->macs, vnf->instances * count, "MAC address")))
		return;
	for (gint64 i = 0; i < vnf->instances; i++) {
		struct slink *link = link_of(vnf, cpd, (unsigned) i);
		for (gint64 j = 0; fixed && fixed->addresses && j < count; j++)
			give_cidr(service, link, fixed->addresses->list.items[i * count + j]);
		if (has_addresses(cpd, &link->spec))
			link->n_cps += count;
	}
}

void cps_prepare(struct service *service)
{
	for (guint i = 0; i < service->vnfs->len; i++) {
		struct vnf *vnf = service->vnfs->pdata[i];
		for (size_t j = 0; j < vnf->vnfd->n_vdus; j++)
			for (size_t k = 0; k < vnf->vnfd->vdus[j].n_cpds; k++)
				prepare(service, vnf, &vnf->vnfd->vdus[j], &vnf->vnfd->vdus[j].cpds[k]);
	}
}

/* --- after -------------------------------------------------------------------------------------------------------------- */

/* Why @said cannot be an address on @link; NULL where it can. */
static const char *why_not(struct service *service, const struct cpd *cpd, const struct slink *link, const char *text,
			   struct address *ret)
{
	struct arena *arena = service->run->arena;
	const struct lspec *spec = &link->spec;
	int prefix;

	if (!address_split(text, ret, &prefix))
		return "it is no IP address";
	if (!spec->has_cidr || !has_addresses(cpd, spec))
		return arena_printf(arena, "the connection point has no addresses of that kind on %s (layer_protocols)",
				    link->key);
	const char *cidr = cidr_text(arena, &spec->cidr);
	if (!cidr_contains(&spec->cidr, ret))
		return arena_printf(arena, "it is not in %s, the CIDR of %s", cidr, link->key);
	if (prefix >= 0 && (unsigned) prefix != spec->cidr.prefix)
		return arena_printf(arena, "its prefix length is not that of %s, the CIDR of %s", cidr, link->key);
	if (cidr_is_reserved(&spec->cidr, ret))
		return arena_printf(arena, "it is the network or broadcast address of %s", cidr);
	if (address_compare(ret, &spec->gateway) == 0)
		return arena_printf(arena, "it is the gateway of %s, which is reserved", link->key);
	return NULL;
}

static void take(struct service *service, GHashTable **taken, const char *text, struct origin origin, const char *what,
		 const char *key)
{
	if (!*taken)
		*taken = g_hash_table_new(g_str_hash, g_str_equal);
	const struct origin *there = g_hash_table_lookup(*taken, text);
	if (there) {
		struct diag *diag = diags_error(service->run->diags, "duplicate-address", origin, "the %s %s is used twice on %s",
						what, text, key);
		diag_note(service->run->diags, diag, *there, "first used here");
		service->faulty = true;
		return;
	}
	g_hash_table_insert(*taken, held(text), arena_memdup(service->run->arena, &origin, sizeof origin));
}

static void check_address(struct service *service, const struct cpd *cpd, struct slink *link, const struct fixed *fixed,
			  const struct tvalue *said)
{
	struct address address;
	const char *text = tvalue_string(said, ""), *why = why_not(service, cpd, link, text, &address);

	if (!why) {
		take(service, &link->taken, address_text(service->run->arena, &address), said->origin, "address", link->key);
		return;
	}
	struct diag *diag = diags_error(service->run->diags, "bad-address", said->origin,
					"\"%s\" cannot be the address of \"%s\": %s", text, fixed->name, why);
	if (link->spec.has_cidr)
		diag_note(service->run->diags, diag, link->spec.cidr_origin, "the link's CIDR");
	service->faulty = true;
}

static void check_mac(struct service *service, struct slink *link, const struct fixed *fixed, const struct tvalue *said)
{
	char mac[MAC_TEXT_SIZE];
	const char *text = tvalue_string(said, "");

	if (mac_parse(text, mac)) {
		take(service, &link->macs, arena_strdup(service->run->arena, mac), said->origin, "MAC address", link->key);
		return;
	}
	diags_error(service->run->diags, "bad-mac-address", said->origin, "\"%s\" cannot be the MAC address of \"%s\"", text,
		    fixed->name);
	service->faulty = true;
}

static void check_cp(struct service *service, struct vnf *vnf, const struct vdu *vdu, const struct cpd *cpd)
{
	const struct fixed *fixed = vnf->fixed[cpd->flat];
	gint64 count = vnf->counts[vdu->index];

	for (gint64 i = 0; fixed && i < vnf->instances * count; i++) {
		struct slink *link = link_of(vnf, cpd, (unsigned) (i / count));
		if (fixed->addresses)
			check_address(service, cpd, link, fixed, fixed->addresses->list.items[i]);
		if (fixed->macs)
			check_mac(service, link, fixed, fixed->macs->list.items[i]);
	}
}

/* Two links of one VNFC with overlapping CIDRs: it could not tell where to send. */
static void check_overlap(struct service *service, const struct vnf *vnf, const struct vdu *vdu)
{
	if (vnf->instances == 0)
		return;
	for (size_t i = 0; i < vdu->n_cpds; i++)
		for (size_t j = 0; j < i; j++) {
			const struct slink *a = link_of(vnf, &vdu->cpds[j], 0), *b = link_of(vnf, &vdu->cpds[i], 0);
			if (a == b || !has_addresses(&vdu->cpds[j], &a->spec) || !has_addresses(&vdu->cpds[i], &b->spec) ||
			    !cidr_overlap(&a->spec.cidr, &b->spec.cidr))
				continue;
			struct diag *diag = run_say(service->run, SEVERITY_ERROR, "overlapping-cidrs", b->spec.cidr_origin,
						    "%s and %s overlap, and \"%s\" is on both", a->key, b->key, vdu->node->name);
			if (diag)
				diag_note(service->run->diags, diag, a->spec.cidr_origin, "the other CIDR");
			service->faulty = true;
		}
}

void cps_check(struct service *service)
{
	for (guint i = 0; i < service->vnfs->len; i++) {
		struct vnf *vnf = service->vnfs->pdata[i];
		for (size_t j = 0; j < vnf->vnfd->n_vdus; j++) {
			const struct vdu *vdu = &vnf->vnfd->vdus[j];
			for (size_t k = 0; k < vdu->n_cpds; k++)
				check_cp(service, vnf, vdu, &vdu->cpds[k]);
			check_overlap(service, vnf, vdu);
		}
	}
}

/* --- fields of one instance --------------------------------------------------------------------------------------------- */

static void set_fixed(const struct service *service, const struct cpd *cpd, const struct fixed *fixed, size_t i,
		      struct object_builder *builder)
{
	struct arena *arena = service->run->arena;

	if (fixed->addresses) {
		const struct tvalue *said = fixed->addresses->list.items[i];
		struct address address;
		int prefix;
		address_split(tvalue_string(said, ""), &address, &prefix);
		const char *text = address_text(arena, &address);
		object_set(builder, cpd->path.addresses, value_string_list(arena, &text, 1), said->origin);
	}
	if (fixed->macs) {
		const struct tvalue *said = fixed->macs->list.items[i];
		char mac[MAC_TEXT_SIZE];
		mac_parse(tvalue_string(said, ""), mac);
		object_set_string(builder, cpd->path.mac_address, mac, said->origin);
	}
}

void cps_set(const struct service *service, const struct vnf *vnf, const struct vdu *vdu, unsigned instance, unsigned index,
	     const char *key, struct object_builder *builder)
{
	for (size_t i = 0; i < vdu->n_cpds; i++) {
		const struct cpd *cpd = &vdu->cpds[i];
		const struct slink *link = link_of(vnf, cpd, instance);
		const struct fixed *fixed = vnf->fixed[cpd->flat];
		const struct lspec *spec = &link->spec;
		object_set(builder, cpd->path.link, link->key_value, cpd->node->origin);
		object_set(builder, cpd->path.mtu, link->mtu, spec->mtu_origin);
		object_depends_on(builder, link->key);
		if (has_addresses(cpd, spec)) {
			object_set(builder, cpd->path.cidr, link->cidr, spec->cidr_origin);
			object_set(builder, cpd->path.pools, link->pools, spec->pools_origin);
		} else {
			g_hash_table_add(service->layer2, g_strdup_printf("%s %s", key, cpd->path.addresses));
		}
		if (fixed)
			set_fixed(service, cpd, fixed, (size_t) instance * (size_t) vnf->counts[vdu->index] + index, builder);
	}
}
