/* What an EMS driver ("extended driver") provides: the network function inside a VNFC (ETSI GS NFV 002, EM; Ve-Vnfm-em).
 *
 * One handle per site and EMS name. ensure_nf is idempotent. None reports success for what it did not see succeed.
 *
 * What ensure_nf does, in every driver, to come from what is to what is wanted:
 *
 *     nothing there      package in place ─► create (install) ─► files ─► check ─► configure ─► start ─► healthy
 *     files, inputs      new files under $PLEACH_NEW ─► check ─► in place ─► configure ─► reload, or restart as the files ask ─► healthy
 *     package            beside the former ─► stop ─► create ─► files ─► check ─► configure ─► start ─► healthy
 *     command            restart ─► healthy
 *     state              start, or stop
 *     unhealthy, failed  restart ─► healthy
 *
 * Each word is the operation of pleach.interfaces.Lifecycle where the NF has one, and skipped where it has none; with a command, start and
 * stop are those of its process (and the operations of that name run before and after it). A check that fails leaves the former
 * configuration in force, untouched. What fails after that is taken back: the former files and package are put in place and running
 * again, and the error says both, PERMANENT: what was tried is not tried again until it changes. Where there is no former, the NF stays
 * as it failed.
 */
#pragma once

#include "contract/call.h"
#include "model/nf.h"
#include "model/package.h"
#include "model/sample.h"

/* Gets what the NF printed, piece by piece; false: enough. */
typedef bool (*ems_log_fn)(const char *text, size_t length, void *data);

struct ems_ops {
	const char *name; /* "leaf" */
	const struct caps *caps;

	struct ems *(*open)(const struct site *site, const struct driver_ref *which, GError **error);
	void (*close)(struct ems *ems);

	/* The NF in the VNFC reached by @access, NULL where there is none; in @arena. Of a file that is not as it was put it may tell the text
	 * (struct nf_file.content), within the bounds that stand there; never of one that was put with a label. */
	bool (*observe)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct nf **ret, GError **error);

	/* As above. @package: of want->package; NULL where the NF has none. Secrets in @want stand there in clear: nothing of it may reach a
	 * log, an error or a process's arguments. Returns when the NF is as wanted and, where it is to run, healthy; *@ret_got is what it is
	 * now. A script's failure is said with its operation, exit status and last words of its standard error. */
	bool (*ensure_nf)(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			  const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error);

	/* Stopped, uninstalled (operation delete), its files and packages taken away; absent is success. Where its VNFC is to go as well, that
	 * does not wait for more than EXEC_FAREWELLS failures. */
	bool (*remove_nf)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error);

	/* This one and measure() may run beside other calls for the same VNFC.
	 * The last @lines lines of the NF's log, and with @follow what comes after, until @each says enough, the deadline, or cancel (both are
	 * a good end then). */
	bool (*log)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, unsigned lines, bool follow,
		    ems_log_fn each, void *data, GError **error);

	/* What the NF and its VNFC use; in @arena. NULL: the driver cannot. */
	bool (*measure)(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct sample **ret, GError **error);
};
