/* Which of the host's ids a site's user namespace holds, and how it is told.
 *
 * Root maps 65,536 ids from far above all that the host gives to people: a VNF is never root on the host. Anybody else maps his
 * own id, and the range that /etc/subuid and /etc/subgid give him, by newuidmap and newgidmap; without a range the one id alone,
 * and a finding says what does not run then.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

enum { IDS_RANGE = 65536 };

struct ids {
	uid_t uid; /* the host's id of the namespace's root */
	gid_t gid;
	uid_t range_uid; /* first of the host's ids that follow it; 0: one id only */
	gid_t range_gid;
	unsigned range;
	bool helpers; /* newuidmap, newgidmap must write it */
};

/* Chooses. @name: of the site, so that two sites of root do not share ids. */
struct ids ids_choose(const char *name);

/* From outside: writes the maps of @pid, which is in its new user namespace. Falls back to one id where the host refuses the
 * range, and says so in *@ret_finding (owned by the caller; NULL: the whole range). */
bool ids_write(struct ids *ids, pid_t pid, char **ret_finding, GError **error);

/* The first range of user @name (or number @uid) in a file in the format of /etc/subuid; false where there is none. */
bool ids_parse_range(const char *text, const char *name, unsigned uid, unsigned *ret_first, unsigned *ret_n);
