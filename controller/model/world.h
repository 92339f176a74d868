/* The network as a document: what was observed and what was last applied, for plans made elsewhere
 * (`pleach plan --observed FILE`), for golden cases, and between `pleachd` and the command line.
 *
 *     {"observed": {"wall": TIME_US, "objects": [OBJECT …], "strangers": [{site, what, owner}], "blind": [{site, reason}],
 *                   "leftovers": [{key, site, incarnation}]},
 *      "last": [OBJECT …],
 *      "repository": ID}    of the first commit of the repository that asked for it; only where it is known
 *
 * "leftovers" may be missing: it was not always there.
 */
#pragma once

#include "model/network.h"

enum { WORLD_MAX_BYTES = 256 * 1024 * 1024 };

/* @observed may be NULL: nothing was looked at, and nothing is there. */
json_t *world_to_json(const struct observed *observed, struct objects last);

/* INVALID where it is no such document. *@ret_observed is the caller's; *@ret_last lives as long as it. */
bool world_from_json(const json_t *json, struct observed **ret_observed, struct objects *ret_last, GError **error);

/* What would be observed where @network had converged: for comparing two revisions without a network. */
struct observed *world_assume(const struct network *network);

/* Nothing at all. */
struct observed *world_empty(void);
