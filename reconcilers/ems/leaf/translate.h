/* Between the vocabulary's NF and the leaf's. Pure. */
#pragma once

#include "leafproto/leafproto.h"
#include "model/nf.h"
#include "model/sample.h"

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

/* What a status says of the change @id that our request began. Errors: PERMANENT: it failed, and would fail again; RETRY: it may pass, or
 * somebody came in between. */
enum verdict translate_change(gint64 id, const struct leaf_nf *want, const struct leaf_status *status, GError **error);

/* The same of the NF's removal, as long as it is there: never DONE. */
enum verdict translate_removal(gint64 id, const struct leaf_status *status, GError **error);

const struct sample *translate_metrics(struct arena *arena, const struct leaf_metrics *metrics);

/* It may have held secrets. */
void translate_wipe(char *text, size_t length);
