/* From resolved topologies to the desired network: sites, links, VNFCs with their connection points, NFs, with every value's
 * origin.
 *
 * Only pleach.nodes.NetworkService makes anything exist. A service whose descriptor is faulty adds nothing and is listed in
 * network.faulty_services, so that what runs of it is left alone.
 */
#pragma once

#include "model/network.h"
#include "tosca/tosca.h"

/* What a revision's services made, for the next revision to take over by reference: a service whose reads (source/reads.h) still hold and
 * whose sites are the same makes the same objects and findings again. Sites, policies and what is faulty are made anew each time. The
 * result is that of a whole run in every byte; near a bound on the whole repository it is a whole run. One loader's at a time. */
struct desired_memory;
struct desired_memory *desired_memory_new(struct ledger *ledger); /* the one of the cache that the repositories are loaded with */
void desired_memory_free(struct desired_memory *memory);
AUTO_DEFINE(desired_memory, desired_memory_free)
size_t desired_memory_taken_over(const struct desired_memory *memory); /* services, the last time; for tests and benches */

struct desired_options {
	struct desired_memory *memory; /* or NULL */
	const char *owner;     /* --owner: what a site says must agree with it; NULL: the site's, else @default_owner */
	const char *default_owner;
};

/* Never NULL; faults go to @diags. The network keeps @tosca alive. */
struct network *desired_make(struct tosca *tosca, const struct desired_options *options, struct diags *diags);
