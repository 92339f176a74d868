/* A look at the live network from a command line: through no controller, with this process's own drivers.
 *
 * What was last applied is read from the state folder where no controller holds it; without it, differences are unattributed.
 */
#pragma once

#include "contract/reconciler.h"
#include "model/network.h"

/* *@ret_last lives as long as *@ret_observed, which is the caller's. */
bool live_look(const struct registry *registry, const struct network *desired, const char *state_folder, struct observed **ret_observed,
	       struct objects *ret_last, GError **error);
