#include "desired/internal.h"
#include "model/link.h"

#include <string.h>

enum { IPV6_MTU_MIN = 1280 };

void layer_protocols(const struct tvalue *list, bool *ret_ipv4, bool *ret_ipv6)
{
	*ret_ipv4 = *ret_ipv6 = false;
	for (size_t i = 0; list && list->type == TV_LIST && i < list->list.n; i++) {
		const char *name = tvalue_string(list->list.items[i], "");
		*ret_ipv4 = *ret_ipv4 || strcmp(name, "ipv4") == 0;
		*ret_ipv6 = *ret_ipv6 || strcmp(name, "ipv6") == 0;
	}
}

static void read_cidr(struct run *run, const struct tnode *node, const struct tvalue *l3, struct lspec *spec)
{
	const struct tvalue *said = tvalue_get(l3, "cidr");
	const char *text = tvalue_string(said, NULL), *version = tvalue_string(tvalue_get(l3, "ip_version"), NULL), *why;
	struct cidr cidr;
	bool host_bits;

	if (!text)
		return;
	if (!cidr_network(text, &cidr, &host_bits, &why)) {
		struct diag *diag = run_say(run, SEVERITY_ERROR, "bad-cidr", said->origin,
					    "\"%s\" cannot be the CIDR of \"%s\": %s", text, node->name, why);
		if (diag)
			diag_hint(run->diags, diag, "write it as 10.0.0.0/24");
		return;
	}
	if (version && (cidr.address.length == 16) != (strcmp(version, "ipv6") == 0)) {
		run_say(run, SEVERITY_ERROR, "bad-cidr", said->origin, "\"%s\" is not of the ip_version \"%s\"", text, version);
		return;
	}
	if (host_bits)
		run_say(run, SEVERITY_WARNING, "host-bits", said->origin, "\"%s\" is an address in its network: %s is taken",
			text, cidr_text(run->arena, &cidr));
	if (!spec->has_cidr) {
		spec->has_cidr = true;
		spec->cidr = cidr;
		spec->cidr_origin = said->origin;
	} else if (spec->cidr.address.length != cidr.address.length) {
		not_kept(run, said->origin, "the second CIDR of \"%s\", %s,", node->name, text);
	} else if (!cidr_equal(&spec->cidr, &cidr)) {
		struct diag *diag = run_say(run, SEVERITY_ERROR, "two-cidrs", said->origin, "\"%s\" has a second CIDR, %s",
					    node->name, text);
		if (diag)
			diag_note(run->diags, diag, spec->cidr_origin, "the first one");
	}
}

static void read_pools(struct run *run, const struct tvalue *list, struct lspec *spec)
{
	size_t n = list && list->type == TV_LIST ? list->list.n : 0;

	if (n == 0)
		return;
	const char **pools = ARENA_ARRAY(run->arena, const char *, n);
	for (size_t i = 0; i < n; i++) {
		const struct tvalue *pool = list->list.items[i];
		struct address first, last;
		if (!address_parse(tvalue_string(tvalue_get(pool, "start_ip_address"), ""), &first) ||
		    !address_parse(tvalue_string(tvalue_get(pool, "end_ip_address"), ""), &last) || first.length != last.length ||
		    address_compare(&first, &last) > 0 ||
		    (spec->has_cidr && !(cidr_contains(&spec->cidr, &first) && cidr_contains(&spec->cidr, &last)))) {
			run_say(run, SEVERITY_ERROR, "bad-pool", pool->origin,
				"the allocation pool is no range of addresses within the CIDR");
			return;
		}
		gint64 span = address_span(&first, &last);
		pools[i] = arena_printf(run->arena, "%s-%s", address_text(run->arena, &first), address_text(run->arena, &last));
		spec->pool_room = spec->pool_room > G_MAXINT64 - span ? G_MAXINT64 : spec->pool_room + span;
	}
	spec->pools = pools;
	spec->n_pools = n;
	spec->pools_origin = list->origin;
}

static void read_gateway(struct run *run, const struct tvalue *said, struct lspec *spec)
{
	const char *text = tvalue_string(said, NULL);

	if (!text)
		return;
	if (!address_parse(text, &spec->gateway) ||
	    (spec->has_cidr && (!cidr_contains(&spec->cidr, &spec->gateway) || cidr_is_reserved(&spec->cidr, &spec->gateway)))) {
		run_say(run, SEVERITY_ERROR, "bad-gateway", said->origin, "the gateway \"%s\" is no address of the CIDR", text);
		return;
	}
	spec->has_gateway = true;
	spec->gateway_origin = said->origin;
}

static void read_mtu(struct run *run, const struct tnode *node, const struct tvalue *said, struct lspec *spec)
{
	gint64 mtu = tvalue_int(said, 0);

	if (!said || said->type != TV_INTEGER)
		return;
	if (mtu < LINK_MTU_MIN || mtu > LINK_MTU_MAX) {
		run_say(run, SEVERITY_ERROR, "mtu-range", said->origin,
			"the MTU of \"%s\" is %" G_GINT64_FORMAT "; it may be %d to %d", node->name, mtu,
			LINK_MTU_MIN, LINK_MTU_MAX);
		return;
	}
	if (spec->has_mtu && spec->mtu != mtu) {
		struct diag *diag = run_say(run, SEVERITY_ERROR, "two-mtus", said->origin, "\"%s\" has a second MTU", node->name);
		if (diag)
			diag_note(run->diags, diag, spec->mtu_origin, "the first one");
		return;
	}
	spec->has_mtu = true;
	spec->mtu = mtu;
	spec->mtu_origin = said->origin;
}

static void keep_all_said(struct run *run, const struct tnode *node, const struct tvalue *protocol)
{
	static const char *const l2[] = { "network_type", "vlan_transparent", "segmentation_id" };
	static const char *const l3[] = { "dhcp_enabled", "ipv6_address_mode" };

	for (size_t i = 0; i < G_N_ELEMENTS(l2); i++) {
		const struct tvalue *said = tvalue_get(tvalue_get(protocol, "l2_protocol_data"), l2[i]);
		if (said && !said->is_default && (said->type != TV_BOOL || said->boolean))
			not_kept(run, said->origin, "%s of \"%s\"", l2[i], node->name);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(l3); i++) {
		const struct tvalue *said = tvalue_get(tvalue_get(protocol, "l3_protocol_data"), l3[i]);
		if (said && !said->is_default && (said->type != TV_BOOL || said->boolean))
			not_kept(run, said->origin, "%s of \"%s\"", l3[i], node->name);
	}
}

void lspec_of_link(struct run *run, const struct tnode *node, struct lspec *ret)
{
	const struct tvalue *protocols = tvalue_get(tnode_property(node, "vl_profile"), "virtual_link_protocol_data");

	layer_protocols(tvalue_get(tnode_property(node, "connectivity_type"), "layer_protocols"), &ret->ipv4, &ret->ipv6);
	for (size_t i = 0; protocols && protocols->type == TV_LIST && i < protocols->list.n; i++) {
		const struct tvalue *protocol = protocols->list.items[i], *l3 = tvalue_get(protocol, "l3_protocol_data");
		bool first = !ret->has_cidr;
		read_mtu(run, node, tvalue_get(tvalue_get(protocol, "l2_protocol_data"), "mtu"), ret);
		read_cidr(run, node, l3, ret);
		if (first) {
			read_pools(run, tvalue_get(l3, "ip_allocation_pools"), ret);
			read_gateway(run, tvalue_get(l3, "gateway_ip"), ret);
		}
		keep_all_said(run, node, protocol);
	}
	if (ret->has_cidr && ret->cidr.address.length == 16 && ret->has_mtu && ret->mtu < IPV6_MTU_MIN)
		run_say(run, SEVERITY_ERROR, "mtu-range", ret->mtu_origin, "a link with IPv6 has an MTU of %d at least",
			IPV6_MTU_MIN);
}

void lspec_merge(struct run *run, struct lspec *into, const struct lspec *from, const char *key)
{
	if (from->has_cidr && into->has_cidr && !cidr_equal(&from->cidr, &into->cidr)) {
		struct diag *diag = run_say(run, SEVERITY_ERROR, "two-cidrs", from->cidr_origin,
					    "%s has the CIDR %s, but what is on it within the VNF has %s", key,
					    cidr_text(run->arena, &into->cidr), cidr_text(run->arena, &from->cidr));
		if (diag)
			diag_note(run->diags, diag, into->cidr_origin, "the CIDR of the outer link");
		return;
	}
	if (from->has_cidr && !into->has_cidr) {
		into->has_cidr = true;
		into->cidr = from->cidr;
		into->cidr_origin = from->cidr_origin;
	}
	if (from->n_pools > 0 && into->n_pools == 0) {
		into->pools = from->pools;
		into->n_pools = from->n_pools;
		into->pool_room = from->pool_room;
		into->pools_origin = from->pools_origin;
	}
	if (from->has_gateway && !into->has_gateway) {
		into->has_gateway = true;
		into->gateway = from->gateway;
		into->gateway_origin = from->gateway_origin;
	}
	if (from->has_mtu && into->has_mtu && from->mtu != into->mtu) {
		struct diag *diag = run_say(run, SEVERITY_WARNING, "overridden", from->mtu_origin,
					    "%s has the MTU %" G_GINT64_FORMAT ": this one is not used", key, into->mtu);
		if (diag)
			diag_note(run->diags, diag, into->mtu_origin, "the one that counts");
	} else if (from->has_mtu) {
		into->has_mtu = true;
		into->mtu = from->mtu;
		into->mtu_origin = from->mtu_origin;
	}
}
