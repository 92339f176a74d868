/* What an EMS driver ("extended driver") provides: the network function inside a VNFC (ETSI GS NFV 002, EM; Ve-Vnfm-em).
 *
 * One handle per site and EMS name. ensure_nf is idempotent. None reports success for what it did not see succeed.
 */
#pragma once

#include "contract/call.h"
#include "model/nf.h"

struct ems_ops {
	const char *name; /* "leaf" */
	const struct caps *caps;

	struct ems *(*open)(const struct site *site, const struct driver_ref *which, GError **error);
	void (*close)(struct ems *ems);

	/* The NF in the VNFC reached by @access, NULL where there is none; in @arena. */
	bool (*observe)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct nf **ret, GError **error);

	/* Files in place, then started or stopped as wanted; a changed command or file restarts it. Returns when the process runs and
	 * has lived through its first moments, with *@ret_got what it is now; a start that fails is PERMANENT with the software's last
	 * words. */
	bool (*ensure_nf)(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			  struct arena *arena, const struct nf **ret_got, GError **error);

	/* Stopped, its files taken away; absent is success. */
	bool (*remove_nf)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error);

	/* The last @lines lines of the NF's log. Owned by the caller. */
	char *(*log)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, unsigned lines,
		     GError **error);
};
