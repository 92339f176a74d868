#include "desired/internal.h"
#include "model/link.h"

#include <string.h>

/* A Sap of an NSD, and the network of the site that a service attaches it to. The network is there already and has the last word:
 * its CIDR and its gateway are the link's. */

static const struct tvalue *networks_of(const struct service *service)
{
	const struct tvalue *networks = service->site->node ? tnode_property(service->site->node, "networks") : NULL;

	return networks && networks->type == TV_MAP ? networks : NULL;
}

static const struct tvalue *find_network(struct service *service, const struct tvalue *said)
{
	const struct tvalue *networks = networks_of(service), *found = tvalue_get(networks, tvalue_string(said, ""));
	g_autoptr(GPtrArray) names = g_ptr_array_new();

	if (found)
		return found;
	struct diag *diag = diags_error(service->run->diags, "unknown-network", said->origin, "the site \"%s\" has no network \"%s\"",
					service->site->site->name, tvalue_string(said, ""));
	for (size_t i = 0; networks && i < networks->map.n; i++)
		g_ptr_array_add(names, held(networks->map.keys[i]));
	run_suggest(service->run, diag, tvalue_string(said, ""), names);
	service->faulty = true;
	return NULL;
}

static void take_cidr(struct service *service, struct slink *link, const struct tvalue *network)
{
	struct run *run = service->run;
	const struct tvalue *said = tvalue_get(network, "cidr");
	const char *text = tvalue_string(said, NULL), *why;
	struct lspec *spec = &link->spec;
	struct cidr cidr;
	bool host_bits;

	if (!text)
		return;
	if (!cidr_network(text, &cidr, &host_bits, &why)) {
		run_say(run, SEVERITY_ERROR, "bad-cidr", said->origin, "\"%s\" cannot be a CIDR: %s", text, why);
		service->faulty = true;
	} else if (spec->has_cidr && !cidr_equal(&spec->cidr, &cidr)) {
		struct diag *diag = diags_error(run->diags, "two-cidrs", spec->cidr_origin,
						"%s has the CIDR %s, but the network that it is attached to has %s", link->key,
						cidr_text(run->arena, &spec->cidr), text);
		diag_note(run->diags, diag, said->origin, "the network's");
		service->faulty = true;
	} else if (!spec->has_cidr) {
		spec->has_cidr = true;
		spec->cidr = cidr;
		spec->cidr_origin = said->origin;
	}
}

static void take_gateway(struct service *service, struct slink *link, const struct tvalue *network)
{
	const struct tvalue *said = tvalue_get(network, "gateway");
	const char *text = tvalue_string(said, NULL);
	struct address gateway;

	if (!text)
		return;
	if (!address_parse(text, &gateway)) {
		run_say(service->run, SEVERITY_ERROR, "bad-gateway", said->origin, "\"%s\" is no IP address", text);
		service->faulty = true;
		return;
	}
	link->spec.gateway = gateway;
	link->spec.gateway_origin = said->origin;
	link->spec.has_gateway = true;
}

static void attach(struct service *service, struct slink *link, const struct tvalue *said, const struct tvalue *network)
{
	const char *name = arena_strdup(service->run->arena, tvalue_string(tvalue_get(network, "name"), ""));
	gint64 vlan = tvalue_int(tvalue_get(network, "vlan"), 0);

	if (link->network && (strcmp(link->network, name) != 0 || link->vlan != vlan)) {
		struct diag *diag = diags_error(service->run->diags, "connected-twice", said->origin,
						"%s would be attached to two networks outside", link->key);
		diag_note(service->run->diags, diag, link->network_origin, "the first one");
		service->faulty = true;
		return;
	}
	link->network = name;
	link->vlan = vlan;
	link->network_origin = said->origin;
	take_cidr(service, link, network);
	take_gateway(service, link, network);
	if (link->spec.n_pools == 0)
		run_say(service->run, SEVERITY_WARNING, "shared-network", said->origin,
			"%s shares the network \"%s\" with others, and no pool says which of its addresses are free for VNFs", link->key,
			tvalue_string(said, ""));
}

void sap_take(struct service *service, const struct tnode *sap, const struct tvalue *entry)
{
	static const char *const others[] = { "addresses", "mac_addresses" };
	const struct tvalue *said = tvalue_get(entry, "network"), *network = said ? find_network(service, said) : NULL;
	const struct trequirement *inside = tnode_requirement(sap, "internal_virtual_link");
	struct slink *link = inside && inside->node ? g_hash_table_lookup(service->nslinks, inside->node->name) : NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		if (tvalue_get(entry, others[i]))
			not_kept(service->run, entry->origin, "%s of the Sap \"%s\"", others[i], sap->name);
	if (network && link)
		attach(service, link, said, network);
	else if (network) {
		diags_error(service->run->diags, "unconnected", sap->origin, "the Sap \"%s\" is on no NsVirtualLink of the NSD", sap->name);
		service->faulty = true;
	}
}
