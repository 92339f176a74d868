/* The file system of a VNF (language, decision 17): the host's /usr and what belongs to it, read-only; /etc, /var, /run and /tmp
 * of its own; no home folders, none of the host's secrets.
 *
 * The keeper makes it its own root once (root_make), with empty places for what each VNFC has for itself. A VNFC's mount
 * namespace is a copy of that, and root_own(), in the child, puts the rest on top: so a start costs nine mounts, not fifty.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

struct seeds;

/* Reads what every VNFC's /etc begins with from the host's, never a secret. Never NULL. */
struct seeds *seeds_read(void);
void seeds_free(struct seeds *seeds);

/* In a new mount namespace: makes the common part and changes into it. The current folder stays as it is. */
bool root_make(GError **error);

struct root_want {
	const struct seeds *seeds;
	const char *hostname;
	gint64 size_bytes; /* of all that is writable, together */
};

/* In the child, alone in its namespaces, between clone and exec: calls nothing that allocates. NULL: done; else what failed, with
 * errno. */
const char *root_own(const struct root_want *want);
