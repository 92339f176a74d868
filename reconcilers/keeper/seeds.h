/* What a VNF's own /etc begins with. Within keeper/ only; see root.h. */
#pragma once

#include "keeper/root.h"

/* Read-only parts of the host's /etc that all VNFs share, beneath this folder; /etc has links to them. */
#define SEEDS_SHARED "/.shared"

struct seeds_shared {
	const char *name; /* beneath SEEDS_SHARED */
	const char *path; /* on the host, and the link's in the VNF */
};

extern const struct seeds_shared seeds_shared[]; /* until a row without a name */

/* In the child: calls nothing that allocates. NULL: done; else what failed, with errno. */
const char *seeds_write(const struct seeds *seeds, const char *hostname, const char *folder);
