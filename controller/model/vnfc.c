#include "model/vnfc.h"

#include "model/address.h"
#include "model/key.h"
#include "model/link.h"
#include "model/view.h"

#include <string.h>

static const struct field_spec specs[] = {
	{ "state", FIELD_SCALAR, COST_REPLACE, 0 },
	{ "vcpus", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "mem_bytes", FIELD_SCALAR, COST_IN_PLACE, FIELD_BYTES },
	{ "pids", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "hostname", FIELD_SCALAR, COST_RESTART, 0 },
	{ "label.*", FIELD_SCALAR, COST_METADATA, 0 },
	{ "cp.*.link", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "cp.*.order", FIELD_SCALAR, COST_METADATA, 0 },
	{ "cp.*.mtu", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "cp.*.cidr", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "cp.*.pools", FIELD_LIST, COST_METADATA, 0 },
	{ "cp.*.addresses", FIELD_LIST, COST_IN_PLACE, FIELD_ALLOCATED },
	{ "cp.*.mac_address", FIELD_SCALAR, COST_IN_PLACE, FIELD_ALLOCATED },
	{ "cp.*.port_name", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED },
	{ "cp.*.state", FIELD_SCALAR, COST_IN_PLACE, 0 },
	{ "pid", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED | FIELD_VOLATILE },
	{ "exit", FIELD_SCALAR, COST_METADATA, FIELD_OBSERVED },
};

const struct kind kind_vnfc = { "vnfc", 1, NULL, specs, G_N_ELEMENTS(specs) };

static const char *const states[] = { [VNFC_RUNNING] = "running", [VNFC_STOPPED] = "stopped", [VNFC_FAILED] = "failed" };

enum { HOSTNAME_MAX = 64 };

static const char *cp_path(const struct view *view, const char *element, const char *name)
{
	return arena_printf(view->arena, "cp.%s.%s", element, name);
}

/* --- from fields --------------------------------------------------------------------------------------------------------- */

static bool read_cp_link(const struct view *view, const char *element, struct cp *cp, GError **error)
{
	const char *path = cp_path(view, element, "link");
	if (!view_string(view, path, &cp->link, error))
		return false;
	if (cp->link && !(key_is_valid(cp->link) && key_is_kind(cp->link, "link")))
		return view_invalid(view, path, error, "\"%s\" is not the key of a link", cp->link);
	return true;
}

static bool read_cp_mac(const struct view *view, const char *element, struct cp *cp, GError **error)
{
	const char *path = cp_path(view, element, "mac_address");
	if (!view_string(view, path, &cp->mac_address, error))
		return false;
	if (cp->mac_address && !mac_is_valid(cp->mac_address))
		return view_invalid(view, path, error, "\"%s\" is not a MAC address (02:00:5e:10:00:01, lower case, of one"
				    " station)", cp->mac_address);
	return true;
}

static bool read_cp(const struct view *view, const char *element, struct cp *cp, GError **error)
{
	*cp = (struct cp) { .name = key_segment_text(view->arena, element), .mtu = LINK_MTU_DEFAULT, .up = true };
	if (strlen(cp->name) > CP_NAME_MAX)
		return view_invalid(view, cp_path(view, element, "*"), error, "the name is longer than %d bytes", CP_NAME_MAX);
	return read_cp_link(view, element, cp, error) && read_cp_mac(view, element, cp, error) &&
	       view_unsigned(view, cp_path(view, element, "order"), 0, G_MAXINT32, &cp->order, error) &&
	       view_unsigned(view, cp_path(view, element, "mtu"), LINK_MTU_MIN, LINK_MTU_MAX, &cp->mtu, error) &&
	       view_cidr(view, cp_path(view, element, "cidr"), &cp->cidr, error) &&
	       view_pools(view, cp_path(view, element, "pools"), &cp->pools, &cp->n_pools, error) &&
	       view_addresses(view, cp_path(view, element, "addresses"), &cp->addresses, &cp->n_addresses, error) &&
	       view_string(view, cp_path(view, element, "port_name"), &cp->port_name, error) &&
	       view_up(view, cp_path(view, element, "state"), &cp->up, error);
}

static int cp_order(const void *a, const void *b)
{
	const struct cp *left = a, *right = b;
	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	return strcmp(left->name, right->name);
}

static bool read_cps(const struct view *view, struct vnfc *vnfc, GError **error)
{
	size_t n;
	const char *const *elements = object_elements(view->arena, view->object, "cp", &n);
	struct cp *cps = ARENA_ARRAY(view->arena, struct cp, n);
	for (size_t i = 0; i < n; i++)
		if (!read_cp(view, elements[i], &cps[i], error))
			return false;
	if (n)
		qsort(cps, n, sizeof(*cps), cp_order);
	vnfc->cps = cps;
	vnfc->n_cps = n;
	return true;
}

static bool read_labels(const struct view *view, struct vnfc *vnfc, GError **error)
{
	size_t n;
	const char *const *elements = object_elements(view->arena, view->object, "label", &n);
	struct label *labels = ARENA_ARRAY(view->arena, struct label, n);
	for (size_t i = 0; i < n; i++) {
		labels[i].name = key_segment_text(view->arena, elements[i]);
		if (!view_string(view, arena_printf(view->arena, "label.%s", elements[i]), &labels[i].text, error))
			return false;
	}
	vnfc->labels = labels;
	vnfc->n_labels = n;
	return true;
}

/* A limit that cannot be kept here is not known there: nothing is ever planned on it. */
static bool read_limit(const struct view *view, const char *path, gint64 *ret, GError **error)
{
	if (object_value(view->object, path)->type == VALUE_UNKNOWN) {
		*ret = -1;
		return true;
	}
	return view_int(view, path, 0, G_MAXINT64, ret, error);
}

static bool read_hostname(const struct view *view, struct vnfc *vnfc, GError **error)
{
	if (!view_string(view, "hostname", &vnfc->hostname, error))
		return false;
	if (!vnfc->hostname)
		return true;
	size_t length = strlen(vnfc->hostname);
	for (const char *at = vnfc->hostname; *at; at++)
		if (!g_ascii_isalnum(*at) && !strchr("-._", *at))
			length = 0;
	if (length < 1 || length > HOSTNAME_MAX)
		return view_invalid(view, "hostname", error, "\"%s\" is not a host name of 1 to %d letters, digits, \"-\", \".\","
				    " \"_\"", vnfc->hostname, HOSTNAME_MAX);
	return true;
}

const struct vnfc *vnfc_from_object(struct arena *arena, const struct object *object, GError **error)
{
	g_assert(object->kind == &kind_vnfc);
	struct view view = { arena, object };
	struct vnfc *vnfc = ARENA_NEW(arena, struct vnfc);
	*vnfc = (struct vnfc) { .key = object->key, .site = object->site, .incarnation = object->incarnation };
	unsigned state = VNFC_RUNNING;
	bool good = view_choice(&view, "state", states, G_N_ELEMENTS(states), &state, error) &&
		    read_limit(&view, "vcpus", &vnfc->vcpus, error) && read_limit(&view, "mem_bytes", &vnfc->mem_bytes, error) &&
		    read_limit(&view, "pids", &vnfc->pids, error) && read_hostname(&view, vnfc, error) &&
		    read_labels(&view, vnfc, error) && read_cps(&view, vnfc, error) &&
		    view_int(&view, "pid", 0, G_MAXINT32, &vnfc->pid, error) && view_string(&view, "exit", &vnfc->exit, error);
	vnfc->state = (enum vnfc_state) state;
	return good ? vnfc : NULL;
}

/* --- to fields ----------------------------------------------------------------------------------------------------------- */

static void write_limit(struct object_builder *builder, const char *path, gint64 limit)
{
	if (limit < 0)
		object_set(builder, path, &value_unknown, ORIGIN_NONE);
	else if (limit > 0)
		object_set_int(builder, path, limit, ORIGIN_NONE);
}

static void write_strings(struct arena *arena, struct object_builder *builder, const char *path, const char *const *strings,
			  size_t n)
{
	if (n)
		object_set(builder, path, value_string_list(arena, strings, n), ORIGIN_NONE);
}

static void write_cp(struct arena *arena, struct object_builder *builder, const struct cp *cp)
{
	const struct view view = { arena, NULL };
	const char *element = key_segment(arena, cp->name);
	object_set_string(builder, cp_path(&view, element, "link"), cp->link, ORIGIN_NONE);
	object_set_int(builder, cp_path(&view, element, "order"), cp->order, ORIGIN_NONE);
	object_set_int(builder, cp_path(&view, element, "mtu"), cp->mtu, ORIGIN_NONE);
	object_set_string(builder, cp_path(&view, element, "cidr"), cp->cidr, ORIGIN_NONE);
	write_strings(arena, builder, cp_path(&view, element, "pools"), cp->pools, cp->n_pools);
	write_strings(arena, builder, cp_path(&view, element, "addresses"), cp->addresses, cp->n_addresses);
	object_set_string(builder, cp_path(&view, element, "mac_address"), cp->mac_address, ORIGIN_NONE);
	object_set_string(builder, cp_path(&view, element, "port_name"), cp->port_name, ORIGIN_NONE);
	object_set_string(builder, cp_path(&view, element, "state"), cp->up ? "up" : "down", ORIGIN_NONE);
}

const struct object *vnfc_to_object(struct arena *arena, const struct vnfc *vnfc)
{
	struct object_builder *builder = object_builder_new(arena, vnfc->key, vnfc->site, ORIGIN_NONE);
	object_set_incarnation(builder, vnfc->incarnation);
	object_set_string(builder, "state", states[vnfc->state], ORIGIN_NONE);
	write_limit(builder, "vcpus", vnfc->vcpus);
	write_limit(builder, "mem_bytes", vnfc->mem_bytes);
	write_limit(builder, "pids", vnfc->pids);
	object_set_string(builder, "hostname", vnfc->hostname, ORIGIN_NONE);
	for (size_t i = 0; i < vnfc->n_labels; i++)
		object_set_string(builder, arena_printf(arena, "label.%s", key_segment(arena, vnfc->labels[i].name)),
				  vnfc->labels[i].text, ORIGIN_NONE);
	for (size_t i = 0; i < vnfc->n_cps; i++)
		write_cp(arena, builder, &vnfc->cps[i]);
	if (vnfc->pid > 0)
		object_set_int(builder, "pid", vnfc->pid, ORIGIN_NONE);
	object_set_string(builder, "exit", vnfc->exit, ORIGIN_NONE);
	return object_build(builder);
}
