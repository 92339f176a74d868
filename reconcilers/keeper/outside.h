/* A link's way out of the site: what the keeper, in its own namespaces, asks its guard for, which is still on the host.
 *
 *     the host names        what is made                                    where
 *     a bridge              a pair: one end a port of that bridge           host, site
 *     an interface's VLAN   that VLAN's interface                           site
 *     an interface          a macvlan of it that takes in all (passthru)    site
 *
 * The site's end becomes a port of the link's bridge. All of it goes with the site's network namespace, so nothing stays behind on
 * the host, however the keeper ends. What stands on the host keeps its addresses, its MTU and its masters: an interface that has
 * addresses, or is a bridge's port, is not passed on. Guard and keeper: each one thread.
 */
#pragma once

#include "keeper/names.h"

#include <sys/types.h>

enum { OUTSIDE_MAX_BYTES = 8192, OUTSIDE_WAIT_MS = 5000 };

struct outside {
	const char *network; /* the host's interface or bridge */
	unsigned vlan, mtu;
	const char *owner, *name, *alias; /* @name: of both ends */
	bool fresh; /* the site's end is not there (any more) */
};

/* --- the guard: outside.c --------------------------------------------------------------------------------------------------- */

/* Answers one request on @fd; @pid is the keeper. False: nothing more will come. */
bool outside_serve(int fd, pid_t pid);

/* --- the keeper: uplinks.c -------------------------------------------------------------------------------------------------- */

/* The site's end is there when it returns true, down and without a master when it is fresh. */
bool outside_ensure(int fd, const struct outside *want, GError **error);
/* Does the host's end stand as it should? */
bool outside_check(int fd, const struct outside *want);
