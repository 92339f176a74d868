/* The secrets that one NF needs, for the length of one call: fetched once each, cleared at the end.
 *
 * What an NF was given is known by its proof, "SALT:HMAC": an HMAC-SHA256 of the secret under a random salt. The EMS driver keeps it and
 * gives it back; whoever has the secret can tell whether it is still the one that was given, and nobody can tell it from the proof alone.
 * One thread.
 */
#pragma once

#include "contract/call.h"
#include "model/nf.h"

struct secrets;

struct secrets *secrets_new(const struct lookup *lookup);
void secrets_free(struct secrets *secrets); /* overwrites what it held */
AUTO_DEFINE(secrets, secrets_free)

/* Is @proof one of the secret as it is now? UNKNOWN, and why, where it cannot be had. */
enum nf_secret_state secrets_compare(struct secrets *secrets, const struct nf_secret *given, GError **error);

/* @want with all its secrets in clear: contents and inputs that @secrets owns, the labels of what holds one, and proofs: those of @there
 * (which may be NULL) that still hold, else new ones. NULL and @error, which never holds a secret. */
const struct nf *secrets_fill(struct secrets *secrets, const struct nf *want, const struct nf *there, struct arena *arena, GError **error);
