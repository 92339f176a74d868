/* What a VIM driver provides (ETSI GS NFV-IFA 006, Vi-Vnfm; here: links and VNFCs with their connection points).
 *
 * Identity lives in the VIM: all that is created carries owner, key and incarnation in whatever the VIM offers. A driver finds its own
 * again from nothing but its site. It never changes or removes what does not carry the site's owner.
 *
 * ensure_* and remove are idempotent: called twice, or after a crash half-way, they end the same. None reports success for what it
 * did not see succeed.
 */
#pragma once

#include "contract/call.h"
#include "model/link.h"
#include "model/vnfc.h"

/* Filled by observe; everything is copied into @arena, which the caller owns. Any list may stay empty. */
struct observation {
	struct arena *arena;
	GPtrArray *links;      /* const struct link *: ours */
	GPtrArray *vnfcs;      /* const struct vnfc *: ours, of every incarnation, ended ones too until removed */
	GPtrArray *accesses;   /* const struct access * */
	GPtrArray *strangers;  /* const struct stranger *: without our tag */
};

struct observation *observation_new(struct arena *arena);
void observation_free(struct observation *observation);
AUTO_DEFINE(observation, observation_free)

/* One thing that a driver needs from this machine or from its far side. */
struct vim_check {
	bool good, required;
	const char *what; /* "user namespaces may be made" */
	const char *why;  /* what does not work without it, or what was seen; or NULL */
	const char *mend; /* the command that mends it; or NULL */
};
typedef void (*vim_check_fn)(const struct vim_check *check, void *data);

/* A site that a driver keeps running on this machine, whoever described it. Freed by vim_site_free(). */
struct vim_site {
	char *owner, *site;
	gint64 pid;
	gint64 n_links, n_vnfcs; /* -1: not known */
	char *trouble; /* why nothing can be done with it, what to do, and the pid concerned; NULL: it answers */
};
void vim_site_free(struct vim_site *site);

struct vim_ops {
	const char *name; /* "local" */
	const struct caps *caps;

	/* Prepares; need not reach the far side yet. @site outlives the handle. */
	struct vim *(*open)(const struct site *site, GError **error);
	void (*close)(struct vim *vim); /* the network stays as it is */

	/* All that is there: ours, and strangers. Nothing is created; a site that has nothing yet is empty, not an error. */
	bool (*observe)(struct vim *vim, const struct call *call, struct observation *ret, GError **error);

	/* Makes the link as wanted, or changes it in place. CONFLICT: something without our tag stands in its place. */
	bool (*ensure_link)(struct vim *vim, const struct call *call, const struct link *want, GError **error);

	/* Makes that incarnation of the VNFC with its connection points plugged into their links (which must be there: else NOT_FOUND),
	 * or changes in place whatever differs. An incarnation that has ended is not started again: that is the next one's business
	 * (CONFLICT). Returns when it runs, its interfaces are up and its agent can be reached. @ret_got (may be NULL): what it is now,
	 * with allocated addresses, in @arena; @ret_access (may be NULL): how to reach it. */
	bool (*ensure_vnfc)(struct vim *vim, const struct call *call, const struct vnfc *want, struct arena *arena,
			    const struct vnfc **ret_got, const struct access **ret_access, GError **error);

	/* Takes a link or a VNFC away; absent is success. A link with VNFCs still on it: CONFLICT. Asks the VNFC to end (SIGTERM to
	 * its first process), and after a grace of a few seconds, less when the deadline is near, ends it. */
	bool (*remove)(struct vim *vim, const struct call *call, const struct ref *which, GError **error);

	/* Everything of the site's owner, and whatever the driver itself keeps running for the site. */
	bool (*clean)(struct vim *vim, const struct call *call, GError **error);

	/* Runs @argv inside the VNFC with fds as its standard input, output and error; returns when it ended. *@ret_status as a shell
	 * has it (128 + signal). NULL: the VIM cannot. */
	bool (*exec)(struct vim *vim, const struct call *call, const char *key, char *const argv[], const int fds[3], int *ret_status,
		     GError **error);

	/* A TCP connection to @host:@port as seen from inside the VNFC. NULL: the VIM cannot. */
	bool (*connect)(struct vim *vim, const struct call *call, const char *key, const char *host, unsigned port, int *ret_fd,
			GError **error);

	/* A descriptor that becomes readable when something may have changed; watch_read() empties it and may name what (keys, owned by
	 * the caller with g_ptr_array_unref, or NULL: anything). Hints only. NULL: the VIM must be polled. */
	int (*watch_fd)(struct vim *vim);
	GPtrArray *(*watch_read)(struct vim *vim);

	/* Tells, for `pleach doctor`, what the driver needs and whether it is there. @site NULL: in general. NULL: it needs nothing. */
	void (*check)(const struct site *site, vim_check_fn each, void *data);

	/* The sites that run on this machine under this user: struct vim_site * appended to @ret, whose free function is set. NULL: the
	 * driver keeps nothing on this machine. */
	bool (*list)(GPtrArray *ret, GError **error);
};
