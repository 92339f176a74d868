/* The sites that the controller works on: those of the revision, and those that Git no longer describes but that still hold what was
 * applied; and the right to act for their owners on this machine.
 *
 * Owner thread, while nothing is in flight.
 */
#pragma once

#include "daemon/drivers.h"
#include "daemon/last.h"
#include "desired/revision.h"

struct sites;

/* All three must outlive it. */
struct sites *sites_new(struct store *store, const struct last *last, struct drivers *drivers);
void sites_free(struct sites *sites); /* gives the owners up */

/* A driver that this build does not have is the operator's to mend: a finding at its line. What it should keep stays unknown. */
void sites_check_drivers(const struct registry *registry, struct revision *revision);

/* Nobody else on this machine may act for the owners of this network's sites. CONFLICT names who does. */
bool sites_lock_owners(struct sites *sites, const struct network *network, GError **error);

/* The drivers get the sites of @network and what is left of former ones; the store remembers them. */
void sites_take(struct sites *sites, const struct network *network);

/* Those of @network (may be NULL) and those that only hold what was applied. In @arena. */
const struct site *const *sites_all(struct sites *sites, const struct network *network, struct arena *arena, size_t *ret_n);
