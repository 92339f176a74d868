/* What every call to the outside carries, and what every driver owes.
 *
 * A driver's functions block; they run on worker threads, several at once, but never two at once for the same VNFC. They end by the
 * deadline, or soon after the cancel descriptor becomes readable (TIMEOUT, CANCELLED: what happened is then not known, and the
 * executor observes before it acts again). They log nothing: what they have to say is in the error, in the far side's own words.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "model/network.h"
#include "model/package.h"

struct vim;
struct ems;
struct vim_ops;
struct ems_ops;

/* A way from names to far sides, valid for the length of the call. */
struct lookup {
	/* The opened VIM of a site. NOT_FOUND, or why it cannot be opened. Borrowed. */
	struct vim *(*vim)(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error);
	/* The opened EMS driver that an NF names on its site. Borrowed. */
	struct ems *(*ems)(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops, GError **error);
	/* How to reach a VNFC, as its VIM last told; NULL where it did not. Valid for the length of the call. */
	const struct access *(*access)(const struct lookup *lookup, const char *vnfc_key);
	/* A secret by "NAME" or "NAME#KEY": NOT_FOUND when the controller has none. Owned by the caller, who clears it after use. */
	char *(*secret)(const struct lookup *lookup, const char *name, GError **error);
	/* A package of the revision in force, by digest; @arena keeps it. NOT_FOUND: this revision has none such. */
	const struct package *(*package)(const struct lookup *lookup, const char *digest, struct arena *arena, GError **error);
	void *data;
};

struct call {
	gint64 deadline_us;      /* clock_monotonic_us() */
	int cancel_fd;           /* readable: stop; -1: cannot be cancelled */
	const char *operation;   /* id of the operation in the journal, for the far side's own logs; or NULL */
	const struct lookup *lookup;
};

/* Milliseconds left, 0 at least: for poll(). */
int call_left_ms(const struct call *call);

/* True and @error (CANCELLED or TIMEOUT) when the call is to end now. */
bool call_is_over(const struct call *call, GError **error);

/* Waits for @events on @fd, the deadline, or the cancel descriptor. False with TIMEOUT or CANCELLED; past the deadline also where @fd is
 * ready. */
bool call_wait(const struct call *call, int fd, short events, GError **error);

/* Which instance of a slot. */
struct ref {
	const char *key;
	unsigned incarnation; /* 0: whichever is there */
};
