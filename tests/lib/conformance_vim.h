/* What every VIM driver must do (controller/contract/vim.h): one suite, run against each of them.
 *
 * A driver's program of tests/conformance fills a bench with an empty site and with ways to disturb it from behind the driver's
 * back, and runs the suite. A hook that is NULL, or that returns false, skips what needs it.
 */
#pragma once

#include "contract/vim.h"

struct vim_bench {
	const struct vim_ops *ops;
	/* An empty site of owner @owner, called "berlin"; several owners may be asked for between begin and end. NULL: it cannot
	 * be had here (skipped, with the reason in *@ret_why, owned by the caller). Valid until end(). */
	const struct site *(*site)(struct vim_bench *bench, const char *owner, char **ret_why);
	void (*end)(struct vim_bench *bench); /* after every test: nothing may be left */
	/* From behind the VIM's back; the VNFC or link is as observed. */
	bool (*kill)(struct vim_bench *bench, const struct vnfc *vnfc);
	bool (*delete_cp)(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp);
	bool (*set_address)(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp, const char *from, const char *to,
		const char *cidr);
	bool (*set_cp_mtu)(struct vim_bench *bench, const struct vnfc *vnfc, const char *cp, unsigned mtu);
	bool (*set_memory)(struct vim_bench *bench, const struct vnfc *vnfc, gint64 mem_bytes);
	bool (*delete_link)(struct vim_bench *bench, const struct link *link);
	/* Something without any tag, called @name where names can be chosen; with @instead_of it stands where that link would
	 * be. */
	bool (*add_stranger)(struct vim_bench *bench, const char *name, const char *instead_of);
	void *data;
};

/* Adds the suite's tests under "/conformance/vim/NAME/". */
void conformance_vim_add(struct vim_bench *bench);
