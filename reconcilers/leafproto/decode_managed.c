/* Packages, operations, health checks, secrets: what came with the second version. */
#include "leafproto/private.h"

#include <string.h>

static bool decode_input(struct arena *arena, json_t *object, bool wanted, struct leaf_input *ret, const char *what, GError **error)
{
	static const char *const known[] = { "name", "value", "secret" };
	const char *name = NULL;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s: an input is not an object", what);
	if (wanted && !proto_check_members(object, known, G_N_ELEMENTS(known), what, error))
		return false;
	if (!json_get_string(object, "name", &name, what, error) ||
	    !proto_get_opt_string(arena, object, "value", &ret->value, what, error) ||
	    !proto_get_opt_string(arena, object, "secret", &ret->secret, what, error))
		return false;
	ret->name = arena_strdup(arena, name);
	if (!wanted && ret->secret)
		ret->value = NULL;
	else if (!ret->value)
		return pleach_error_invalid(error, "%s: an input has no value", what);
	return true;
}

static bool decode_operation(struct arena *arena, json_t *object, bool wanted, struct leaf_operation *ret, const char *what, GError **error)
{
	static const char *const known[] = { "script", "timeout_ms", "inputs" };
	const char *script = NULL;
	gint64 timeout_ms = 0;
	json_t *inputs = NULL;
	if (!json_is_object(object))
		return pleach_error_invalid(error, "%s is not an object", what);
	if ((wanted && !proto_check_members(object, known, G_N_ELEMENTS(known), what, error)) ||
	    !json_get_string(object, "script", &script, what, error) ||
	    !proto_get_range(object, "timeout_ms", 0, LEAF_TIME_MAX_MS, &timeout_ms, what, error) ||
	    !json_get_array(object, "inputs", &inputs, what, error))
		return false;
	size_t n = json_array_size(inputs);
	if (n > LEAF_INPUTS_MAX)
		return pleach_error_invalid(error, "%s has more than %d inputs", what, LEAF_INPUTS_MAX);
	if (!leaf_package_path_is_good(script))
		return pleach_error_invalid(error, "%s: no script can be there", what);
	struct leaf_input *list = ARENA_ARRAY(arena, struct leaf_input, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!decode_input(arena, json_array_get(inputs, i), wanted, &list[i], what, error))
			return false;
	*ret = (struct leaf_operation) { arena_strdup(arena, script), (unsigned) timeout_ms, list, n };
	return true;
}

static bool decode_operations(struct arena *arena, json_t *object, bool wanted, struct leaf_nf *nf, GError **error)
{
	const char *known[LEAF_N_VERBS];
	for (enum leaf_verb verb = 0; verb < LEAF_N_VERBS; verb++) {
		known[verb] = leaf_verb_name(verb);
		g_autofree char *what = g_strdup_printf("operation %s", known[verb]);
		json_t *one = json_object_get(object, known[verb]);
		if (one && !decode_operation(arena, one, wanted, &nf->operations[verb], what, error))
			return false;
	}
	return !wanted || proto_check_members(object, known, LEAF_N_VERBS, "operations of an NF", error);
}

static bool parse_probe(const char *name, enum leaf_probe *ret)
{
	for (enum leaf_probe probe = LEAF_PROBE_NONE; probe <= LEAF_PROBE_HTTP; probe++)
		if (strcmp(proto_probe_name(probe), name) == 0) {
			*ret = probe;
			return true;
		}
	return false;
}

static bool decode_health_check(struct arena *arena, json_t *object, bool wanted, struct leaf_health_check *ret, GError **error)
{
	static const char *const known[] = { "type", "address", "port", "path", "interval_ms", "timeout_ms", "grace_ms", "failures" };
	const char *what = "health check of an NF", *type = NULL;
	gint64 port = 0, interval_ms = 0, timeout_ms = 0, grace_ms = 0, failures = 0;
	if ((wanted && !proto_check_members(object, known, G_N_ELEMENTS(known), what, error)) ||
	    !json_get_string(object, "type", &type, what, error) ||
	    !proto_get_opt_string(arena, object, "address", &ret->address, what, error) ||
	    !proto_get_range(object, "port", 0, G_MAXUINT16, &port, what, error) ||
	    !proto_get_opt_string(arena, object, "path", &ret->path, what, error) ||
	    !proto_get_range(object, "interval_ms", 0, LEAF_TIME_MAX_MS, &interval_ms, what, error) ||
	    !proto_get_range(object, "timeout_ms", 0, LEAF_TIME_MAX_MS, &timeout_ms, what, error) ||
	    !proto_get_range(object, "grace_ms", 0, LEAF_TIME_MAX_MS, &grace_ms, what, error) ||
	    !proto_get_range(object, "failures", 0, LEAF_FAILURES_MAX, &failures, what, error))
		return false;
	if (!parse_probe(type, &ret->type))
		return pleach_error_invalid(error, "%s: its type is not known", what);
	ret->port = (unsigned) port;
	ret->interval_ms = (unsigned) interval_ms;
	ret->timeout_ms = (unsigned) timeout_ms;
	ret->grace_ms = (unsigned) grace_ms;
	ret->failures = (unsigned) failures;
	return true;
}

static bool decode_secrets(struct arena *arena, const json_t *array, bool wanted, struct leaf_nf *nf, GError **error)
{
	static const char *const known[] = { "name", "proof" };
	const char *what = "secret of an NF";
	size_t n = json_array_size(array);
	if (n > LEAF_SECRETS_MAX)
		return pleach_error_invalid(error, "there are more than %d secrets", LEAF_SECRETS_MAX);
	struct leaf_secret *secrets = ARENA_ARRAY(arena, struct leaf_secret, n + 1);
	for (size_t i = 0; i < n; i++) {
		json_t *one = json_array_get(array, i);
		const char *name = NULL, *proof = NULL;
		if (!json_is_object(one))
			return pleach_error_invalid(error, "%s is not an object", what);
		if ((wanted && !proto_check_members(one, known, G_N_ELEMENTS(known), what, error)) ||
		    !json_get_string(one, "name", &name, what, error) || !json_get_string(one, "proof", &proof, what, error))
			return false;
		if (strlen(name) > LEAF_NAME_MAX_BYTES || strlen(proof) > LEAF_PROOF_MAX_BYTES)
			return pleach_error_invalid(error, "%s: its name or proof is too long", what);
		secrets[i] = (struct leaf_secret) { arena_strdup(arena, name), arena_strdup(arena, proof) };
	}
	nf->secrets = secrets;
	nf->n_secrets = n;
	return true;
}

bool proto_decode_managed(struct arena *arena, const json_t *object, bool wanted, struct leaf_nf *nf, const char *what, GError **error)
{
	json_t *operations = NULL, *secrets = NULL, *check = json_object_get(object, "health_check");
	if (!proto_get_opt_string(arena, object, "package", &nf->package, what, error) ||
	    !json_get_object(object, "operations", &operations, what, error) || !json_get_array(object, "secrets", &secrets, what, error))
		return false;
	if (nf->package && !leaf_is_digest(nf->package))
		return pleach_error_invalid(error, "%s: the package is not named by its digest", what);
	if (check && !json_is_null(check) && !json_is_object(check))
		return pleach_error_invalid(error, "%s: member \"health_check\" is not an object", what);
	if (json_is_object(check) && !decode_health_check(arena, check, wanted, &nf->health_check, error))
		return false;
	return decode_operations(arena, operations, wanted, nf, error) && decode_secrets(arena, secrets, wanted, nf, error);
}
