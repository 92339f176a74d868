#include "model/link.h"

#include "model/address.h"
#include "model/view.h"

static const struct field_spec specs[] = {
	{ "cidr", FIELD_SCALAR, COST_IN_PLACE, 0 },    { "pools", FIELD_LIST, COST_METADATA, 0 },
	{ "mtu", FIELD_SCALAR, COST_IN_PLACE, 0 },     { "gateway", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "network", FIELD_SCALAR, COST_IN_PLACE, 0 }, { "vlan", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "state", FIELD_SCALAR, COST_IN_PLACE, 0 },
};

const struct kind kind_link = { "link", 0, NULL, specs, G_N_ELEMENTS(specs) };

const struct link *link_from_object(struct arena *arena, const struct object *object, GError **error)
{
	g_assert(object->kind == &kind_link);
	struct view view = { arena, object };
	struct link *link = ARENA_NEW(arena, struct link);
	*link = (struct link) {
		.key = object->key, .site = object->site, .incarnation = object->incarnation, .mtu = LINK_MTU_DEFAULT, .up = true,
	};
	struct address gateway;
	if (!view_cidr(&view, "cidr", &link->cidr, error) || !view_pools(&view, "pools", &link->pools, &link->n_pools, error) ||
	    !view_unsigned(&view, "mtu", LINK_MTU_MIN, LINK_MTU_MAX, &link->mtu, error) ||
	    !view_string(&view, "gateway", &link->gateway, error) || !view_string(&view, "network", &link->network, error) ||
	    !view_unsigned(&view, "vlan", 1, LINK_VLAN_MAX, &link->vlan, error) || !view_up(&view, "state", &link->up, error))
		return NULL;
	if (link->gateway && !address_parse(link->gateway, &gateway)) {
		view_invalid(&view, "gateway", error, "\"%s\" is not an IP address", link->gateway);
		return NULL;
	}
	return link;
}

const struct object *link_to_object(struct arena *arena, const struct link *link)
{
	struct object_builder *builder = object_builder_new(arena, link->key, link->site, ORIGIN_NONE);
	object_set_incarnation(builder, link->incarnation);
	object_set_string(builder, "cidr", link->cidr, ORIGIN_NONE);
	if (link->n_pools)
		object_set(builder, "pools", value_string_list(arena, link->pools, link->n_pools), ORIGIN_NONE);
	object_set_int(builder, "mtu", link->mtu, ORIGIN_NONE);
	object_set_string(builder, "gateway", link->gateway, ORIGIN_NONE);
	object_set_string(builder, "network", link->network, ORIGIN_NONE);
	if (link->vlan)
		object_set_int(builder, "vlan", link->vlan, ORIGIN_NONE);
	object_set_string(builder, "state", link->up ? "up" : "down", ORIGIN_NONE);
	return object_build(builder);
}
