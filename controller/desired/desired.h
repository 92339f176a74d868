/* From resolved topologies to the desired network: sites, links, VNFCs with their connection points, NFs, with every value's
 * origin.
 *
 * Only pleach.nodes.NetworkService makes anything exist. A service whose descriptor is faulty adds nothing and is listed in
 * network.faulty_services, so that what runs of it is left alone.
 */
#pragma once

#include "model/network.h"
#include "tosca/tosca.h"

struct desired_options {
	const char *owner;     /* --owner: what a site says must agree with it; NULL: the site's, else @default_owner */
	const char *default_owner;
};

/* Never NULL; faults go to @diags. The network keeps @tosca alive. */
struct network *desired_make(struct tosca *tosca, const struct desired_options *options, struct diags *diags);
