/* A repository on another machine, fetched into a mirror: a bare repository of ours, which is then read like any other on this machine.
 *
 *     remote_fetch() ─► a child process (source/fetch.h) ─► the mirror's branch moves ─► done()
 *
 * The child has a deadline, a bound on what it may receive, on what the mirror may grow by and on its memory; past any of them it is
 * killed, and the mirror is what it was. One child at a time. What it says is bounded and passed on.
 *
 * Owner thread, in the default GMainContext.
 */
#pragma once

#include "base/error.h"
#include "source/address.h"

enum {
	REMOTE_TIMEOUT_DEFAULT_S = 60,
	REMOTE_LIMIT_DEFAULT_MIB = 512,
	REMOTE_LIMIT_MAX_MIB = 64 * 1024,
	REMOTE_MEMORY_MAX_MIB = 1024,
};

struct remote_options {
	const char *revision;    /* branch, tag or whole commit id; a branch comes first */
	const char *folder;      /* of ours, made with mode 0700: the mirror is in it */
	const char *ssh_key;     /* NULL: the agent, then ~/.ssh/id_ed25519 and ~/.ssh/id_ecdsa */
	const char *known_hosts; /* NULL: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts */
	const char *ca_file;     /* NULL: those of the system */
	const char *token_file;  /* or NULL */
	unsigned timeout_s;
	guint64 max_bytes;       /* of one fetch */
};

struct remote;

/* One of @commit (what the mirror has now, new or not) and @error. */
typedef void remote_done(const char *commit, const GError *error, void *data);

/* @address is one on another machine; nothing is fetched yet. @done is called for each fetch. All texts are copied. */
struct remote *remote_new(const struct source_address *address, const struct remote_options *options, remote_done *done, void *data,
			  GError **error);
/* Kills a fetch under way. */
void remote_free(struct remote *remote);
AUTO_DEFINE(remote, remote_free)

/* Path of the mirror; there since remote_new(). */
const char *remote_mirror(const struct remote *remote);

/* Starts a fetch; when one is under way, another one follows it. */
void remote_fetch(struct remote *remote);
