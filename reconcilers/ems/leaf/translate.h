/* Between the vocabulary's NF and the leaf's. Pure. */
#pragma once

#include "leafproto/leafproto.h"
#include "model/nf.h"

/* INVALID where @nf wants what cannot be wanted. In @arena, strings shared with @nf. */
const struct leaf_nf *translate_wanted(struct arena *arena, const struct nf *nf, GError **error);

/* In @arena, strings shared with @seen, sorted by name as the vocabulary has it. */
const struct nf *translate_observed(struct arena *arena, const struct leaf_nf *seen, const char *site, const char *ems);

enum verdict {
	VERDICT_DONE,   /* it is as wanted */
	VERDICT_WAIT,   /* it is on its way */
	VERDICT_FAILED, /* @error */
};

/* What a status says of @want. Errors: PERMANENT: it failed, with the software's last words; CONFLICT: another NF is there;
 * RETRY: the leaf says something that does not follow from what it was asked. */
enum verdict translate_verdict(const struct leaf_nf *want, const struct leaf_status *status, GError **error);
