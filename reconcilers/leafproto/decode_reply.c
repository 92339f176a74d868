/* Replies: a status, metrics, a refusal. Members that are not known are skipped. */
#include "leafproto/private.h"

#include <string.h>

static bool parse_health(const char *name, enum leaf_health *ret)
{
	for (enum leaf_health health = LEAF_UNCHECKED; health <= LEAF_GRACE; health++)
		if (strcmp(proto_health_name(health), name) == 0) {
			*ret = health;
			return true;
		}
	return false;
}

static const struct leaf_nf *decode_observed(struct arena *arena, const json_t *object, unsigned version, const char *what, GError **error)
{
	struct leaf_nf *nf = ARENA_NEW(arena, struct leaf_nf);
	const char *health = NULL;
	if (!proto_decode_nf(arena, object, false, version, nf, what, error) ||
	    !proto_get_range(object, "pid", 0, G_MAXINT32, &nf->pid, what, error) ||
	    !proto_get_range(object, "restarts", 0, G_MAXINT64, &nf->restarts, what, error) ||
	    !proto_get_opt_string(arena, object, "reason", &nf->reason, what, error) ||
	    !proto_get_opt_string(arena, object, "health", &health, what, error))
		return NULL;
	if (nf->reason && strlen(nf->reason) > LEAF_REASON_MAX_BYTES) {
		pleach_error_invalid(error, "%s: the reason is longer than %d bytes", what, LEAF_REASON_MAX_BYTES);
		return NULL;
	}
	if (health && !parse_health(health, &nf->health)) {
		pleach_error_invalid(error, "%s: its health is not known", what);
		return NULL;
	}
	return nf;
}

/* A name of the leaf's own, or its software's last words: cut, not refused. */
static bool decode_words(struct arena *arena, const json_t *object, const char *name, size_t max, const char **ret, const char *what,
			 GError **error)
{
	const char *words = NULL;
	if (!proto_get_opt_string(arena, object, name, &words, what, error))
		return false;
	if (words && strlen(words) > max) {
		const char *end = words + max;
		while (end > words && ((unsigned char) *end & 0xc0) == 0x80)
			end--;
		words = arena_strndup(arena, words, (size_t) (end - words));
	}
	*ret = words;
	return true;
}

static bool decode_change(struct arena *arena, const json_t *object, struct leaf_change *ret, const char *what, GError **error)
{
	if (!object || json_is_null(object))
		return true;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s: member \"change\" is not an object", what);
	if (!proto_get_range(object, "id", 1, G_MAXINT64, &ret->id, what, error) ||
	    !decode_words(arena, object, "step", LEAF_NAME_MAX_BYTES, &ret->step, what, error) ||
	    !proto_get_range(object, "since_ms", 0, G_MAXINT64, &ret->since_ms, what, error))
		return false;
	if (!ret->step)
		return pleach_error_invalid(error, "%s: the change is at no step", what);
	return true;
}

static bool parse_outcome(const char *name, enum leaf_outcome *ret)
{
	for (enum leaf_outcome outcome = LEAF_DONE; outcome <= LEAF_BROKEN; outcome++)
		if (strcmp(leaf_outcome_name(outcome), name) == 0) {
			*ret = outcome;
			return true;
		}
	return false;
}

static bool decode_result(struct arena *arena, const json_t *object, struct leaf_result *ret, const char *what, GError **error)
{
	const char *outcome = NULL;
	gint64 exit_status = 0;
	if (!object || json_is_null(object))
		return true;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s: member \"result\" is not an object", what);
	if (!proto_get_range(object, "id", 1, G_MAXINT64, &ret->id, what, error) ||
	    !json_get_string(object, "outcome", &outcome, what, error) ||
	    !decode_words(arena, object, "step", LEAF_NAME_MAX_BYTES, &ret->step, what, error) ||
	    !proto_get_range(object, "exit_status", -1, 255, &exit_status, what, error) ||
	    !decode_words(arena, object, "words", LEAF_WORDS_MAX_BYTES, &ret->words, what, error) ||
	    !json_get_bool(object, "may_pass", &ret->may_pass, what, error))
		return false;
	if (!parse_outcome(outcome, &ret->outcome))
		return pleach_error_invalid(error, "%s: the outcome of a change is not known", what);
	ret->exit_status = (int) exit_status;
	return true;
}

static bool decode_packages(struct arena *arena, const json_t *object, struct leaf_status *status, const char *what, GError **error)
{
	json_t *array = NULL;
	if (!json_get_array(object, "packages", &array, what, error))
		return false;
	size_t n = json_array_size(array);
	if (n > LEAF_PACKAGES_MAX)
		return pleach_error_invalid(error, "%s: there are more than %d packages", what, LEAF_PACKAGES_MAX);
	const char **packages = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const char *digest = json_string_value(json_array_get(array, i));
		if (!digest || !leaf_is_digest(digest))
			return pleach_error_invalid(error, "%s: a package is not named by its digest", what);
		packages[i] = arena_strdup(arena, digest);
	}
	status->packages = packages;
	status->n_packages = n;
	return true;
}

static bool decode_managed_status(struct arena *arena, const json_t *object, struct leaf_status *status, const char *what, GError **error)
{
	if (status->protocol < PROTO_MANAGED_VERSION)
		return true;
	return proto_get_range(object, "seq", 0, G_MAXINT64, &status->seq, what, error) &&
	       decode_change(arena, json_object_get(object, "change"), &status->change, what, error) &&
	       decode_result(arena, json_object_get(object, "result"), &status->result, what, error) &&
	       decode_packages(arena, object, status, what, error);
}

const struct leaf_status *leaf_status_decode(struct arena *arena, const char *text, size_t length, GError **error)
{
	const char *what = "status of the leaf", *version = NULL;
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REPLY_MAX_BYTES, what, error);
	if (!object)
		return NULL;
	if (!json_is_object(object)) {
		pleach_error_invalid(error, "%s is not an object", what);
		return NULL;
	}
	struct leaf_status *status = ARENA_NEW(arena, struct leaf_status);
	if (!proto_get_version(object, &status->protocol, what, error) || !json_get_string(object, "leaf", &version, what, error) ||
	    !json_get_int(object, "pid", &status->pid, what, error) ||
	    !json_get_int(object, "uptime_ms", &status->uptime_ms, what, error) ||
	    !decode_managed_status(arena, object, status, what, error))
		return NULL;
	status->version = arena_strndup(arena, version, MIN(strlen(version), (size_t) LEAF_NAME_MAX_BYTES));
	const json_t *nf = json_object_get(object, "nf");
	if (!nf) {
		pleach_error_invalid(error, "%s: member \"nf\" is missing", what);
		return NULL;
	}
	if (json_is_null(nf))
		return status;
	if (!json_is_object(nf)) {
		pleach_error_invalid(error, "%s: member \"nf\" is not an object", what);
		return NULL;
	}
	status->nf = decode_observed(arena, nf, status->protocol, what, error);
	return status->nf ? status : NULL;
}

static bool decode_port(struct arena *arena, const json_t *object, struct leaf_port *ret, const char *what, GError **error)
{
	const char *name = NULL;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s: a port is not an object", what);
	if (!json_get_string(object, "name", &name, what, error) ||
	    !proto_get_range(object, "rx_bytes", -1, G_MAXINT64, &ret->rx_bytes, what, error) ||
	    !proto_get_range(object, "rx_packets", -1, G_MAXINT64, &ret->rx_packets, what, error) ||
	    !proto_get_range(object, "rx_drops", -1, G_MAXINT64, &ret->rx_drops, what, error) ||
	    !proto_get_range(object, "tx_bytes", -1, G_MAXINT64, &ret->tx_bytes, what, error) ||
	    !proto_get_range(object, "tx_packets", -1, G_MAXINT64, &ret->tx_packets, what, error) ||
	    !proto_get_range(object, "tx_drops", -1, G_MAXINT64, &ret->tx_drops, what, error))
		return false;
	if (*name == '\0' || strlen(name) > LEAF_NAME_MAX_BYTES)
		return pleach_error_invalid(error, "%s: the name of a port is empty or too long", what);
	ret->name = arena_strdup(arena, name);
	return true;
}

const struct leaf_metrics *leaf_metrics_decode(struct arena *arena, const char *text, size_t length, GError **error)
{
	const char *what = "metrics of the leaf";
	unsigned version = 0;
	json_t *ports = NULL;
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REPLY_MAX_BYTES, what, error);
	if (!object)
		return NULL;
	if (!json_is_object(object)) {
		pleach_error_invalid(error, "%s is not an object", what);
		return NULL;
	}
	struct leaf_metrics *metrics = ARENA_NEW(arena, struct leaf_metrics);
	if (!proto_get_version(object, &version, what, error) ||
	    !proto_get_range(object, "cpu_us", -1, G_MAXINT64, &metrics->cpu_us, what, error) ||
	    !proto_get_range(object, "mem_bytes", -1, G_MAXINT64, &metrics->mem_bytes, what, error) ||
	    !proto_get_range(object, "disk_bytes", -1, G_MAXINT64, &metrics->disk_bytes, what, error) ||
	    !proto_get_range(object, "processes", -1, G_MAXINT64, &metrics->processes, what, error) ||
	    !json_get_array(object, "ports", &ports, what, error))
		return NULL;
	metrics->n_ports = json_array_size(ports);
	if (metrics->n_ports > LEAF_PORTS_MAX) {
		pleach_error_invalid(error, "%s: there are more than %d ports", what, LEAF_PORTS_MAX);
		return NULL;
	}
	struct leaf_port *list = ARENA_ARRAY(arena, struct leaf_port, metrics->n_ports + 1);
	for (size_t i = 0; i < metrics->n_ports; i++)
		if (!decode_port(arena, json_array_get(ports, i), &list[i], what, error))
			return NULL;
	metrics->ports = list;
	return metrics;
}

static bool parse_code(const char *name, enum pleach_error *ret)
{
	for (enum pleach_error code = PLEACH_ERROR_RETRY; code <= PLEACH_ERROR_INVALID; code++)
		if (strcmp(pleach_error_name(code), name) == 0) {
			*ret = code;
			return true;
		}
	return false;
}

/* How a body that we do not understand began: enough to recognise it, safe to print. */
static char *beginning(const char *text, size_t length)
{
	enum { SHOWN_BYTES = 120 };
	g_autofree char *start = g_strndup(text, MIN(length, (size_t) SHOWN_BYTES));
	char *valid = g_utf8_make_valid(start, -1);
	for (char *p = valid; *p; p++)
		if ((unsigned char) *p < 0x20 || *p == 0x7f)
			*p = ' ';
	return valid;
}

void leaf_refusal_decode(unsigned http_status, const char *text, size_t length, GError **error)
{
	g_autoptr(json_t) object = json_parse(text, length, LEAF_REPLY_MAX_BYTES, "refusal of the leaf", NULL);
	const char *name = json_opt_string(object, "error", NULL), *words = json_opt_string(object, "text", NULL);
	enum pleach_error code = PLEACH_ERROR_RETRY;
	if (json_is_object(object) && name && words && parse_code(name, &code)) {
		g_autofree char *start = g_strndup(words, LEAF_REASON_MAX_BYTES);
		g_autofree char *valid = g_utf8_make_valid(start, -1);
		g_set_error_literal(error, PLEACH_ERROR, code, valid);
		return;
	}
	g_autofree char *start = beginning(text, length);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the leaf answered with HTTP status %u: \"%s\"", http_status, start);
}
