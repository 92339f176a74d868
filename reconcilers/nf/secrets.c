#include "nf/secrets.h"

#include "model/mark.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

enum { SALT_BYTES = 16 };

struct secrets {
	const struct lookup *lookup;
	GHashTable *values; /* name → value */
	GPtrArray *texts;   /* filled in */
};

static void free_text(void *text)
{
	mark_free(text);
}

struct secrets *secrets_new(const struct lookup *lookup)
{
	struct secrets *secrets = g_new0(struct secrets, 1);
	secrets->lookup = lookup;
	secrets->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_text);
	secrets->texts = g_ptr_array_new_with_free_func(free_text);
	return secrets;
}

void secrets_free(struct secrets *secrets)
{
	if (!secrets)
		return;
	g_hash_table_unref(secrets->values);
	g_ptr_array_unref(secrets->texts);
	g_free(secrets);
}

/* The value of "NAME" or "NAME#KEY": stays owned by @secrets. NULL and why it cannot be had. */
static const char *get(struct secrets *secrets, const char *name, GError **error)
{
	char *value = g_hash_table_lookup(secrets->values, name);
	if (value)
		return value;
	if (!secrets->lookup->secret) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "secret %s: there are none here", name);
		return NULL;
	}
	value = secrets->lookup->secret(secrets->lookup, name, error);
	if (!value) {
		g_prefix_error(error, "secret %s: ", name);
		return NULL;
	}
	if (strlen(value) > NF_SECRET_MAX_BYTES) {
		mark_free(value);
		pleach_error_invalid(error, "secret %s: it is longer than %d bytes", name, NF_SECRET_MAX_BYTES);
		return NULL;
	}
	g_hash_table_insert(secrets->values, g_strdup(name), value);
	return value;
}

/* --- proofs --------------------------------------------------------------------------------------------------------------- */

static char *proof_of(const char *salt, const char *value)
{
	g_autofree char *sum = g_compute_hmac_for_string(G_CHECKSUM_SHA256, (const guchar *) salt, strlen(salt), value,
							 (gssize) strlen(value));
	return g_strdup_printf("%s:%s", salt, sum);
}

enum nf_secret_state secrets_compare(struct secrets *secrets, const struct nf_secret *given, GError **error)
{
	const char *value = get(secrets, given->name, error), *colon = given->proof ? strchr(given->proof, ':') : NULL;
	if (!value)
		return NF_SECRET_UNKNOWN;
	if (!colon)
		return NF_SECRET_CHANGED;
	g_autofree char *salt = g_strndup(given->proof, (gsize) (colon - given->proof));
	g_autofree char *proof = proof_of(salt, value);
	return strcmp(proof, given->proof) == 0 ? NF_SECRET_CURRENT : NF_SECRET_CHANGED;
}

static const char *prove(struct secrets *secrets, const char *name, struct arena *arena, GError **error)
{
	const char *value = get(secrets, name, error);
	unsigned char random[SALT_BYTES];
	char salt[2 * SALT_BYTES + 1];
	if (!value)
		return NULL;
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "secret %s: no random bytes for a salt", name);
		return NULL;
	}
	for (size_t i = 0; i < SALT_BYTES; i++)
		g_snprintf(salt + 2 * i, 3, "%02x", random[i]);
	g_autofree char *proof = proof_of(salt, value);
	return arena_strdup(arena, proof);
}

/* --- filling in ----------------------------------------------------------------------------------------------------------- */

static const struct nf_secret *given(const struct nf *there, const char *name)
{
	for (size_t i = 0; there && i < there->n_secrets; i++)
		if (strcmp(there->secrets[i].name, name) == 0)
			return &there->secrets[i];
	return NULL;
}

static bool prove_all(struct secrets *secrets, struct nf *nf, const struct nf *there, struct arena *arena, GError **error)
{
	struct nf_secret *proved = arena_memdup(arena, nf->secrets, nf->n_secrets * sizeof(*proved));
	for (size_t i = 0; i < nf->n_secrets; i++) {
		const struct nf_secret *former = given(there, proved[i].name);
		bool holds = former && secrets_compare(secrets, former, NULL) == NF_SECRET_CURRENT;
		proved[i].state = NF_SECRET_CURRENT;
		proved[i].proof = holds ? former->proof : prove(secrets, proved[i].name, arena, error);
		if (!proved[i].proof)
			return false;
	}
	nf->secrets = proved;
	return true;
}

static const char *value_of(const char *secret, void *data, GError **error)
{
	return get(data, secret, error);
}

static bool fill_files(struct secrets *secrets, struct nf *nf, struct arena *arena, GError **error)
{
	struct nf_file *files = arena_memdup(arena, nf->files, nf->n_files * sizeof(*files));
	for (size_t i = 0; i < nf->n_files; i++) {
		if (!files[i].content || !mark_is_in(files[i].content))
			continue;
		g_autofree char *label = g_compute_checksum_for_string(G_CHECKSUM_SHA256, files[i].content, -1);
		char *text = mark_fill(files[i].content, NF_CONFIG_MAX_BYTES, value_of, secrets, error);
		if (!text) {
			g_prefix_error(error, "%s: ", files[i].path);
			return false;
		}
		g_ptr_array_add(secrets->texts, text);
		files[i].label = arena_strdup(arena, label);
		files[i].content = text;
	}
	nf->files = files;
	return true;
}

static bool fill_inputs(struct secrets *secrets, struct nf_operation *operation, struct arena *arena, GError **error)
{
	struct nf_input *inputs = arena_memdup(arena, operation->inputs, operation->n_inputs * sizeof(*inputs));
	for (size_t i = 0; i < operation->n_inputs; i++) {
		if (!inputs[i].secret)
			continue;
		inputs[i].value = get(secrets, inputs[i].secret, error);
		if (!inputs[i].value)
			return false;
	}
	operation->inputs = inputs;
	return true;
}

const struct nf *secrets_fill(struct secrets *secrets, const struct nf *want, const struct nf *there, struct arena *arena, GError **error)
{
	struct nf *nf = arena_memdup(arena, want, sizeof(*want));
	if (!prove_all(secrets, nf, there, arena, error) || !fill_files(secrets, nf, arena, error))
		return NULL;
	for (size_t i = 0; i < NF_N_VERBS; i++)
		if (!fill_inputs(secrets, &nf->operations[i], arena, error))
			return NULL;
	return nf;
}
