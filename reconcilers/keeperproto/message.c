#include "keeperproto/private.h"

#include <string.h>

enum { ITEMS_MAX = 1000000, STATUS_MAX = 255, PORT_MAX = 65535 };

static const char *const ops[KEEPER_N_OPS] = {
	[KEEPER_STATUS] = "status",
	[KEEPER_OBSERVE] = "observe",
	[KEEPER_ENSURE_LINK] = "ensure-link",
	[KEEPER_ENSURE_VNFC] = "ensure-vnfc",
	[KEEPER_REMOVE] = "remove",
	[KEEPER_CLEAN] = "clean",
	[KEEPER_EXEC] = "exec",
	[KEEPER_CONNECT] = "connect",
	[KEEPER_WATCH] = "watch",
};

const char *keeper_op_name(enum keeper_op op)
{
	return ops[op];
}

char *keeper_request_text(const struct keeper_request *request)
{
	json_t *json = json_object();
	put_text(json, "op", ops[request->op]);
	put_int(json, "left_ms", request->left_ms);
	switch (request->op) {
	case KEEPER_ENSURE_LINK:
		json_object_set_new(json, "link", link_json(&request->link));
		break;
	case KEEPER_ENSURE_VNFC:
		json_object_set_new(json, "vnfc", vnfc_json(&request->vnfc));
		break;
	case KEEPER_REMOVE:
		put_text(json, "key", request->key);
		put_int(json, "incarnation", request->incarnation);
		break;
	case KEEPER_EXEC:
		put_text(json, "key", request->key);
		put_strings(json, "argv", request->argv);
		put_text(json, "term", request->term);
		break;
	case KEEPER_CONNECT:
		put_text(json, "key", request->key);
		put_text(json, "host", request->host);
		put_int(json, "port", request->port);
		break;
	case KEEPER_STATUS:
	case KEEPER_OBSERVE:
	case KEEPER_CLEAN:
	case KEEPER_WATCH:
	case KEEPER_N_OPS:
		break;
	}
	return finish_text(json);
}

static void read_op(struct reader *reader, const json_t *json, struct keeper_request *ret)
{
	const char *name = read_text(reader, json, "op", KEEPER_TEXT_MAX, true);
	for (ret->op = 0; name && ret->op < KEEPER_N_OPS; ret->op++)
		if (strcmp(name, ops[ret->op]) == 0)
			return;
	reader_fault(reader, "no such request: \"%s\"", name ? name : "");
	ret->op = KEEPER_STATUS;
}

/* The object under @name, or a fault and an empty one. */
static const json_t *need_object(struct reader *reader, const json_t *json, const char *name)
{
	const json_t *object = json_object_get(json, name);
	if (!json_is_object(object))
		reader_fault(reader, "member \"%s\" is not an object", name);
	return object;
}

static void read_request(struct reader *reader, const json_t *json, struct keeper_request *ret)
{
	read_op(reader, json, ret);
	ret->left_ms = read_int(reader, json, "left_ms", 0, G_MAXINT, 0);
	bool keyed = ret->op == KEEPER_REMOVE || ret->op == KEEPER_EXEC || ret->op == KEEPER_CONNECT;
	if (keyed)
		ret->key = read_text(reader, json, "key", KEEPER_KEY_MAX, true);
	ret->incarnation = (unsigned) read_int(reader, json, "incarnation", 0, G_MAXINT, 0);
	if (ret->op == KEEPER_ENSURE_LINK)
		read_link(reader, need_object(reader, json, "link"), &ret->link);
	if (ret->op == KEEPER_ENSURE_VNFC)
		read_vnfc(reader, need_object(reader, json, "vnfc"), &ret->vnfc);
	if (ret->op == KEEPER_EXEC) {
		ret->argv = read_strings(reader, json, "argv", KEEPER_ARGV_MAX, KEEPER_REQUEST_MAX_BYTES);
		ret->term = read_text(reader, json, "term", KEEPER_TEXT_MAX, false);
		if (!ret->argv.n)
			reader_fault(reader, "member \"argv\" is empty");
	}
	if (ret->op == KEEPER_CONNECT) {
		ret->host = read_text(reader, json, "host", KEEPER_TEXT_MAX, true);
		ret->port = (unsigned) read_int(reader, json, "port", 1, PORT_MAX, 0);
		if (!ret->port)
			reader_fault(reader, "member \"port\" is missing");
	}
}

bool keeper_request_parse(struct arena *arena, const char *text, size_t length, struct keeper_request *ret, GError **error)
{
	*ret = (struct keeper_request) { 0 };
	struct reader reader = { .arena = arena };
	g_autoptr(json_t) json = message_parse(&reader, text, length, KEEPER_REQUEST_MAX_BYTES);
	if (json && !reader.fault)
		read_request(&reader, json, ret);
	return reader_done(&reader, error);
}

char *keeper_reply_text(const struct keeper_reply *reply)
{
	json_t *json = json_object(), *links = json_array(), *vnfcs = json_array(), *strangers = json_array();
	json_object_set_new(json, "ok", json_boolean(reply->ok));
	if (!reply->ok) {
		put_text(json, "code", pleach_error_name(reply->code));
		put_text(json, "text", reply->text);
	}
	put_text(json, "owner", reply->owner);
	put_text(json, "site", reply->site);
	put_int(json, "pid", reply->pid);
	put_int(json, "n_links", reply->n_links);
	put_int(json, "n_vnfcs", reply->n_vnfcs);
	put_strings(json, "findings", reply->findings);
	for (size_t i = 0; i < reply->n_link_items; i++)
		json_array_append_new(links, link_json(&reply->links[i]));
	json_object_set_new(json, "links", links);
	for (size_t i = 0; i < reply->n_vnfc_items; i++)
		json_array_append_new(vnfcs, vnfc_json(&reply->vnfcs[i]));
	json_object_set_new(json, "vnfcs", vnfcs);
	for (size_t i = 0; i < reply->n_strangers; i++) {
		json_t *stranger = json_object();
		put_text(stranger, "what", reply->strangers[i].what);
		put_text(stranger, "owner", reply->strangers[i].owner);
		json_array_append_new(strangers, stranger);
	}
	json_object_set_new(json, "strangers", strangers);
	put_int(json, "status", reply->status);
	return finish_text(json);
}

static void read_failure(struct reader *reader, const json_t *json, struct keeper_reply *ret)
{
	const char *name = read_text(reader, json, "code", KEEPER_TEXT_MAX, true);
	ret->text = read_text(reader, json, "text", KEEPER_REQUEST_MAX_BYTES, true);
	for (int code = PLEACH_ERROR_RETRY; name && code <= PLEACH_ERROR_INVALID; code++) {
		if (strcmp(name, pleach_error_name((enum pleach_error) code)) == 0) {
			ret->code = (enum pleach_error) code;
			return;
		}
	}
	reader_fault(reader, "member \"code\" is no code of a failure");
}

static void read_lists(struct reader *reader, const json_t *json, struct keeper_reply *ret)
{
	json_t *links = read_objects(reader, json, "links", ITEMS_MAX);
	json_t *vnfcs = read_objects(reader, json, "vnfcs", ITEMS_MAX);
	json_t *strangers = read_objects(reader, json, "strangers", ITEMS_MAX);
	ret->n_link_items = links ? json_array_size(links) : 0;
	ret->n_vnfc_items = vnfcs ? json_array_size(vnfcs) : 0;
	ret->n_strangers = strangers ? json_array_size(strangers) : 0;
	struct keeper_link *link = ARENA_ARRAY(reader->arena, struct keeper_link, ret->n_link_items + 1);
	struct keeper_vnfc *vnfc = ARENA_ARRAY(reader->arena, struct keeper_vnfc, ret->n_vnfc_items + 1);
	struct keeper_stranger *stranger = ARENA_ARRAY(reader->arena, struct keeper_stranger, ret->n_strangers + 1);
	for (size_t i = 0; i < ret->n_link_items; i++)
		read_link(reader, json_array_get(links, i), &link[i]);
	for (size_t i = 0; i < ret->n_vnfc_items; i++)
		read_vnfc(reader, json_array_get(vnfcs, i), &vnfc[i]);
	for (size_t i = 0; i < ret->n_strangers; i++) {
		stranger[i].what = read_text(reader, json_array_get(strangers, i), "what", KEEPER_TEXT_MAX, true);
		stranger[i].owner = read_text(reader, json_array_get(strangers, i), "owner", KEEPER_TEXT_MAX, false);
	}
	ret->links = link;
	ret->vnfcs = vnfc;
	ret->strangers = stranger;
}

bool keeper_reply_parse(struct arena *arena, const char *text, size_t length, struct keeper_reply *ret, GError **error)
{
	*ret = (struct keeper_reply) { 0 };
	struct reader reader = { .arena = arena };
	g_autoptr(json_t) json = message_parse(&reader, text, length, KEEPER_REPLY_MAX_BYTES);
	if (json && !reader.fault) {
		ret->ok = read_bool(&reader, json, "ok", false);
		if (!ret->ok)
			read_failure(&reader, json, ret);
		ret->owner = read_text(&reader, json, "owner", KEEPER_TEXT_MAX, false);
		ret->site = read_text(&reader, json, "site", KEEPER_TEXT_MAX, false);
		ret->pid = read_int(&reader, json, "pid", 0, G_MAXINT, 0);
		ret->n_links = read_int(&reader, json, "n_links", 0, ITEMS_MAX, 0);
		ret->n_vnfcs = read_int(&reader, json, "n_vnfcs", 0, ITEMS_MAX, 0);
		ret->findings = read_strings(&reader, json, "findings", KEEPER_LABELS_MAX, KEEPER_TEXT_MAX);
		ret->status = (int) read_int(&reader, json, "status", 0, STATUS_MAX, 0);
		read_lists(&reader, json, ret);
	}
	return reader_done(&reader, error);
}

char *keeper_event_text(const struct keeper_event *event)
{
	json_t *json = json_object();
	put_text(json, "event", "changed");
	put_strings(json, "keys", event->keys);
	return finish_text(json);
}

bool keeper_event_parse(struct arena *arena, const char *text, size_t length, struct keeper_event *ret, GError **error)
{
	*ret = (struct keeper_event) { 0 };
	struct reader reader = { .arena = arena };
	g_autoptr(json_t) json = message_parse(&reader, text, length, KEEPER_REPLY_MAX_BYTES);
	if (json && !reader.fault)
		ret->keys = read_strings(&reader, json, "keys", ITEMS_MAX, KEEPER_KEY_MAX);
	return reader_done(&reader, error);
}
