/* The one name (branch, tag or commit) that is followed: in a repository on this machine, watched as it is, or on another, kept up with
 * by upstream.h and watched in its mirror. Where it is makes no difference to what comes after.
 *
 * Owner thread.
 */
#pragma once

#include "source/remote.h"

struct follow_options {
	const struct source_address *repo;
	struct remote_options remote; /* for one on another machine; its revision is what is followed in either case */
	unsigned poll_s;
	void (*changed)(void *data);  /* call follow_read(): a fetch has ended */
	void *data;
};

struct follow;

/* Nothing is fetched yet: follow_fetch(). */
struct follow *follow_new(const struct follow_options *options, GError **error);
void follow_free(struct follow *follow);
AUTO_DEFINE(follow, follow_free)

const char *follow_path(const struct follow *follow); /* the repository, or its mirror: where commits are read */
int follow_fd(const struct follow *follow);           /* readable: call follow_read() */

/* Looks at the name. True when there is another commit than at the last call. What is wrong is logged when that changes. */
bool follow_read(struct follow *follow);

/* What is wrong, and since when; NULL: nothing. Valid until it is asked again. */
const char *follow_trouble(struct follow *follow);

void follow_fetch(struct follow *follow);             /* from another machine: now; else nothing */
bool follow_is_awaited(const struct follow *follow);  /* a fetch that was asked for has not ended */
void follow_poll_every(struct follow *follow, unsigned poll_s);
