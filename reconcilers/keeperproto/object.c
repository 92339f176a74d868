#include "keeperproto/private.h"

#include <string.h>

enum { MTU_MAX = 65535, ORDER_MAX = 1000000, VLAN_MAX = 4094 };

static const char *const states[] = {
	[KEEPER_RUNNING] = "running",
	[KEEPER_STOPPED] = "stopped",
	[KEEPER_FAILED] = "failed",
};

json_t *link_json(const struct keeper_link *link)
{
	json_t *json = json_object();
	put_text(json, "key", link->key);
	put_int(json, "incarnation", link->incarnation);
	put_text(json, "cidr", link->cidr);
	put_strings(json, "pools", link->pools);
	put_int(json, "mtu", link->mtu);
	put_text(json, "gateway", link->gateway);
	put_text(json, "network", link->network);
	put_int(json, "vlan", link->vlan);
	json_object_set_new(json, "up", json_boolean(link->up));
	put_text(json, "device", link->device);
	return json;
}

void read_link(struct reader *reader, const json_t *object, struct keeper_link *ret)
{
	*ret = (struct keeper_link) {
		.key = read_text(reader, object, "key", KEEPER_KEY_MAX, true),
		.incarnation = (unsigned) read_int(reader, object, "incarnation", 0, G_MAXINT, 0),
		.cidr = read_text(reader, object, "cidr", KEEPER_TEXT_MAX, false),
		.pools = read_strings(reader, object, "pools", KEEPER_POOLS_MAX, KEEPER_TEXT_MAX),
		.mtu = (unsigned) read_int(reader, object, "mtu", 0, MTU_MAX, 0),
		.gateway = read_text(reader, object, "gateway", KEEPER_TEXT_MAX, false),
		.network = read_text(reader, object, "network", KEEPER_TEXT_MAX, false),
		.vlan = (unsigned) read_int(reader, object, "vlan", 0, VLAN_MAX, 0),
		.up = read_bool(reader, object, "up", false),
		.device = read_text(reader, object, "device", KEEPER_TEXT_MAX, false),
	};
}

static json_t *cp_json(const struct keeper_cp *cp)
{
	json_t *json = json_object();
	put_text(json, "name", cp->name);
	put_text(json, "link", cp->link);
	put_int(json, "order", cp->order);
	put_int(json, "mtu", cp->mtu);
	put_text(json, "cidr", cp->cidr);
	put_strings(json, "pools", cp->pools);
	put_strings(json, "addresses", cp->addresses);
	put_strings(json, "prefer", cp->prefer);
	put_text(json, "mac", cp->mac);
	json_object_set_new(json, "up", json_boolean(cp->up));
	put_text(json, "port", cp->port);
	return json;
}

static void read_cp(struct reader *reader, const json_t *object, struct keeper_cp *ret)
{
	*ret = (struct keeper_cp) {
		.name = read_text(reader, object, "name", KEEPER_CP_NAME_MAX, true),
		.link = read_text(reader, object, "link", KEEPER_KEY_MAX, false),
		.order = (unsigned) read_int(reader, object, "order", 0, ORDER_MAX, 0),
		.mtu = (unsigned) read_int(reader, object, "mtu", 0, MTU_MAX, 0),
		.cidr = read_text(reader, object, "cidr", KEEPER_TEXT_MAX, false),
		.pools = read_strings(reader, object, "pools", KEEPER_POOLS_MAX, KEEPER_TEXT_MAX),
		.addresses = read_strings(reader, object, "addresses", KEEPER_ADDRESSES_MAX, KEEPER_TEXT_MAX),
		.prefer = read_strings(reader, object, "prefer", KEEPER_ADDRESSES_MAX, KEEPER_TEXT_MAX),
		.mac = read_text(reader, object, "mac", KEEPER_TEXT_MAX, false),
		.up = read_bool(reader, object, "up", false),
		.port = read_text(reader, object, "port", KEEPER_TEXT_MAX, false),
	};
}

json_t *vnfc_json(const struct keeper_vnfc *vnfc)
{
	json_t *json = json_object(), *labels = json_array(), *cps = json_array();
	put_text(json, "key", vnfc->key);
	put_int(json, "incarnation", vnfc->incarnation);
	put_int(json, "vcpus", vnfc->vcpus);
	put_int(json, "mem_bytes", vnfc->mem_bytes);
	put_int(json, "pids", vnfc->pids);
	put_text(json, "hostname", vnfc->hostname);
	for (size_t i = 0; i < vnfc->n_labels; i++) {
		json_t *label = json_object();
		put_text(label, "name", vnfc->labels[i].name);
		put_text(label, "text", vnfc->labels[i].text);
		json_array_append_new(labels, label);
	}
	json_object_set_new(json, "labels", labels);
	for (size_t i = 0; i < vnfc->n_cps; i++)
		json_array_append_new(cps, cp_json(&vnfc->cps[i]));
	json_object_set_new(json, "cps", cps);
	put_text(json, "state", states[vnfc->state]);
	put_int(json, "pid", vnfc->pid);
	put_text(json, "exit", vnfc->exit);
	put_text(json, "socket", vnfc->socket);
	return json;
}

static enum keeper_state read_state(struct reader *reader, const json_t *object)
{
	const char *text = read_text(reader, object, "state", KEEPER_TEXT_MAX, false);
	for (size_t i = 0; text && i < G_N_ELEMENTS(states); i++)
		if (strcmp(text, states[i]) == 0)
			return (enum keeper_state) i;
	if (text)
		reader_fault(reader, "member \"state\" is neither running, stopped nor failed");
	return KEEPER_RUNNING;
}

void read_vnfc(struct reader *reader, const json_t *object, struct keeper_vnfc *ret)
{
	json_t *labels = read_objects(reader, object, "labels", KEEPER_LABELS_MAX);
	json_t *cps = read_objects(reader, object, "cps", KEEPER_CPS_MAX);
	size_t n_labels = labels ? json_array_size(labels) : 0, n_cps = cps ? json_array_size(cps) : 0;
	struct keeper_label *label = ARENA_ARRAY(reader->arena, struct keeper_label, n_labels + 1);
	struct keeper_cp *cp = ARENA_ARRAY(reader->arena, struct keeper_cp, n_cps + 1);
	for (size_t i = 0; i < n_labels; i++) {
		label[i].name = read_text(reader, json_array_get(labels, i), "name", KEEPER_TEXT_MAX, true);
		label[i].text = read_text(reader, json_array_get(labels, i), "text", KEEPER_TEXT_MAX, true);
	}
	for (size_t i = 0; i < n_cps; i++)
		read_cp(reader, json_array_get(cps, i), &cp[i]);
	*ret = (struct keeper_vnfc) {
		.key = read_text(reader, object, "key", KEEPER_KEY_MAX, true),
		.incarnation = (unsigned) read_int(reader, object, "incarnation", 0, G_MAXINT, 0),
		.vcpus = read_int(reader, object, "vcpus", -1, G_MAXINT, 0),
		.mem_bytes = read_int(reader, object, "mem_bytes", -1, G_MAXINT64, 0),
		.pids = read_int(reader, object, "pids", -1, G_MAXINT, 0),
		.hostname = read_text(reader, object, "hostname", KEEPER_TEXT_MAX, false),
		.labels = label,
		.n_labels = n_labels,
		.cps = cp,
		.n_cps = n_cps,
		.state = read_state(reader, object),
		.pid = read_int(reader, object, "pid", 0, G_MAXINT, 0),
		.exit = read_text(reader, object, "exit", KEEPER_TEXT_MAX, false),
		.socket = read_text(reader, object, "socket", KEEPER_TEXT_MAX, false),
	};
}
