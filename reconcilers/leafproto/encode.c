#include "leafproto/private.h"

#include <string.h>

/* Everything encoded has been checked to be UTF-8 (or is our own), so jansson's only refusal is out of memory, where GLib aborts
 * too. */
static void set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		g_error("cannot encode \"%s\" as JSON", name);
}

static void set_string(json_t *object, const char *name, const char *string)
{
	set(object, name, string ? json_string(string) : json_null());
}

static void set_int(json_t *object, const char *name, gint64 number)
{
	set(object, name, json_integer(number));
}

/* What a program printed may be any bytes; what is said of it is text, of @max bytes at most. */
static void set_words(json_t *object, const char *name, const char *words, size_t max)
{
	if (!words) {
		set(object, name, json_null());
		return;
	}
	g_autofree char *valid = g_utf8_make_valid(words, -1);
	size_t length = strlen(valid);
	if (length > max) {
		length = max;
		while (length > 0 && ((unsigned char) valid[length] & 0xc0) == 0x80)
			length--;
	}
	set(object, name, json_stringn(valid, length));
}

static json_t *strings(const char *const *items, size_t n)
{
	json_t *array = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_string(items[i]));
	return array;
}

static json_t *encode_input(const struct leaf_input *input, bool wanted)
{
	json_t *object = json_object();
	set_string(object, "name", input->name);
	if (input->secret)
		set_string(object, "secret", input->secret);
	if (wanted || !input->secret)
		set_string(object, "value", input->value);
	return object;
}

static json_t *encode_operations(const struct leaf_nf *nf, bool wanted)
{
	json_t *object = json_object();
	for (enum leaf_verb verb = 0; verb < LEAF_N_VERBS; verb++) {
		const struct leaf_operation *operation = &nf->operations[verb];
		if (!operation->script)
			continue;
		json_t *one = json_object(), *inputs = json_array();
		for (size_t i = 0; i < operation->n_inputs; i++)
			json_array_append_new(inputs, encode_input(&operation->inputs[i], wanted));
		set_string(one, "script", operation->script);
		set_int(one, "timeout_ms", operation->timeout_ms);
		set(one, "inputs", inputs);
		set(object, leaf_verb_name(verb), one);
	}
	return object;
}

static json_t *encode_health_check(const struct leaf_health_check *check)
{
	json_t *object = json_object();
	set_string(object, "type", proto_probe_name(check->type));
	set_string(object, "address", check->address);
	set_int(object, "port", check->port);
	set_string(object, "path", check->path);
	set_int(object, "interval_ms", check->interval_ms);
	set_int(object, "timeout_ms", check->timeout_ms);
	set_int(object, "grace_ms", check->grace_ms);
	set_int(object, "failures", check->failures);
	return object;
}

static json_t *encode_secrets(const struct leaf_nf *nf)
{
	json_t *array = json_array();
	for (size_t i = 0; i < nf->n_secrets; i++) {
		json_t *object = json_object();
		set_string(object, "name", nf->secrets[i].name);
		set_string(object, "proof", nf->secrets[i].proof);
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *encode_file(const struct leaf_file *file, bool wanted, unsigned version)
{
	json_t *object = json_object();
	set_string(object, "name", file->name);
	set_string(object, "path", file->path);
	set_string(object, "mode", file->mode);
	if (wanted)
		set_string(object, "content", file->content);
	else
		set_string(object, "digest", file->digest);
	if (!wanted && file->content)
		set_string(object, "content", file->content);
	if (version < PROTO_MANAGED_VERSION)
		return object;
	set_string(object, "on_change", proto_on_change_name(file->on_change));
	if (wanted && file->label)
		set_string(object, "label", file->label);
	return object;
}

static json_t *encode_common(const struct leaf_nf *nf, bool wanted, unsigned version)
{
	json_t *object = json_object(), *files = json_array();
	set_string(object, "key", nf->key);
	set_int(object, "incarnation", nf->incarnation);
	set_string(object, "state", leaf_state_name(nf->state));
	set(object, "stateful", json_boolean(nf->stateful));
	set(object, "command", strings(nf->command, nf->n_command));
	for (size_t i = 0; i < nf->n_files; i++)
		json_array_append_new(files, encode_file(&nf->files[i], wanted, version));
	set(object, "files", files);
	if (version < PROTO_MANAGED_VERSION)
		return object;
	set_string(object, "package", nf->package);
	set(object, "operations", encode_operations(nf, wanted));
	set(object, "health_check", nf->health_check.type == LEAF_PROBE_NONE ? json_null() : encode_health_check(&nf->health_check));
	set(object, "secrets", encode_secrets(nf));
	return object;
}

/* What the first version has no words for. */
static const char *beyond_first(const struct leaf_nf *nf)
{
	if (nf->package)
		return "packages";
	for (enum leaf_verb verb = 0; verb < LEAF_N_VERBS; verb++)
		if (nf->operations[verb].script)
			return "operations";
	if (nf->n_secrets > 0)
		return "secrets";
	return nf->health_check.type != LEAF_PROBE_NONE && nf->health_check.type != LEAF_PROBE_PROCESS ? "health checks" : NULL;
}

char *leaf_nf_encode(const struct leaf_nf *nf, unsigned version, size_t *ret_length, GError **error)
{
	if (!leaf_nf_check(nf, error))
		return NULL;
	unsigned spoken = MIN(version, (unsigned) LEAF_PROTOCOL_VERSION);
	const char *beyond = spoken < PROTO_MANAGED_VERSION ? beyond_first(nf) : NULL;
	if (beyond) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "it speaks version %u of the protocol, which knows no %s (version "
			    "%d does); it is renewed with its VNFC", spoken, beyond, PROTO_MANAGED_VERSION);
		return NULL;
	}
	g_autoptr(json_t) object = encode_common(nf, true, spoken);
	set_int(object, "version", spoken);
	g_autofree char *text = json_text(object, 0);
	size_t length = strlen(text);
	if (length > LEAF_REQUEST_MAX_BYTES) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "the NF's files are larger than %d bytes when encoded",
			    LEAF_REQUEST_MAX_BYTES);
		return NULL;
	}
	*ret_length = length;
	return g_steal_pointer(&text);
}

static json_t *encode_change(const struct leaf_change *change)
{
	if (change->id == 0)
		return json_null();
	json_t *object = json_object();
	set_int(object, "id", change->id);
	set_string(object, "step", change->step);
	set_int(object, "since_ms", change->since_ms);
	return object;
}

static json_t *encode_result(const struct leaf_result *result)
{
	if (result->id == 0)
		return json_null();
	json_t *object = json_object();
	set_int(object, "id", result->id);
	set_string(object, "outcome", leaf_outcome_name(result->outcome));
	set_string(object, "step", result->step);
	set_int(object, "exit_status", result->exit_status);
	set_words(object, "words", result->words, LEAF_WORDS_MAX_BYTES);
	set(object, "may_pass", json_boolean(result->may_pass));
	return object;
}

char *leaf_status_encode(const struct leaf_status *status)
{
	g_autoptr(json_t) object = json_object();
	set_int(object, "version", LEAF_PROTOCOL_VERSION);
	set_string(object, "leaf", status->version);
	set_int(object, "pid", status->pid);
	set_int(object, "uptime_ms", status->uptime_ms);
	set_int(object, "seq", status->seq);
	set(object, "change", encode_change(&status->change));
	set(object, "result", encode_result(&status->result));
	set(object, "packages", strings(status->packages, status->n_packages));
	if (status->nf) {
		json_t *nf = encode_common(status->nf, false, LEAF_PROTOCOL_VERSION);
		set_int(nf, "pid", status->nf->pid);
		set_int(nf, "restarts", status->nf->restarts);
		set_string(nf, "health", proto_health_name(status->nf->health));
		set_words(nf, "reason", status->nf->reason, LEAF_REASON_MAX_BYTES);
		set(object, "nf", nf);
	} else {
		set(object, "nf", json_null());
	}
	return json_text(object, 0);
}

char *leaf_metrics_encode(const struct leaf_metrics *metrics)
{
	g_autoptr(json_t) object = json_object();
	json_t *ports = json_array();
	for (size_t i = 0; i < metrics->n_ports; i++) {
		const struct leaf_port *port = &metrics->ports[i];
		json_t *one = json_object();
		set_words(one, "name", port->name, LEAF_NAME_MAX_BYTES);
		set_int(one, "rx_bytes", port->rx_bytes);
		set_int(one, "rx_packets", port->rx_packets);
		set_int(one, "rx_drops", port->rx_drops);
		set_int(one, "tx_bytes", port->tx_bytes);
		set_int(one, "tx_packets", port->tx_packets);
		set_int(one, "tx_drops", port->tx_drops);
		json_array_append_new(ports, one);
	}
	set_int(object, "version", LEAF_PROTOCOL_VERSION);
	set_int(object, "cpu_us", metrics->cpu_us);
	set_int(object, "mem_bytes", metrics->mem_bytes);
	set_int(object, "disk_bytes", metrics->disk_bytes);
	set_int(object, "processes", metrics->processes);
	set(object, "ports", ports);
	return json_text(object, 0);
}

char *leaf_refusal_encode(enum pleach_error code, const char *text)
{
	g_autoptr(json_t) object = json_object();
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	set_string(object, "error", pleach_error_name(code));
	set_string(object, "text", valid);
	return json_text(object, 0);
}
