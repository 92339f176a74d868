/* One fetch, within the child process that does it (see fetch.h): what was asked for, and what is known of why it fails.
 *
 * libgit2's callbacks all get the session. Where one of them gives up, it says why here: libgit2 keeps no words of ours, and often
 * has none of its own.
 */
#pragma once

#include "base/error.h"
#include "source/address.h"

#include <git2.h>
#include <glib.h>

struct fetch_request {
	struct source_address *address;
	char *revision; /* a branch, a tag, or a whole commit id */
	char *mirror;   /* the bare repository, to be made where it is not */
	char **ssh_keys, **known_hosts; /* paths, in order */
	bool agent;
	char *ca_file, *token_file; /* or NULL */
	guint64 max_bytes;
	pid_t parent; /* who waits for the answer */
};

struct session {
	const struct fetch_request *request;
	unsigned asked;      /* how often credentials were asked for */
	GString *tried;      /* what was offered, for the error */
	GPtrArray *hints;    /* of texts */
	GPtrArray *known;    /* of struct known_key: the host's */
	guint64 chatter;     /* bytes of the far side's words */
	enum pleach_error code;
	char *refused;       /* why a callback gave up; NULL: none did */
};

/* Notes why; GIT_EUSER, for a callback to return. */
int session_refuse(struct session *session, enum pleach_error code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* git_credential_acquire_cb, git_transport_certificate_check_cb. */
int credentials_ask(git_credential **ret, const char *url, const char *user, unsigned allowed, void *session);
int credentials_check_host(git_cert *cert, int valid, const char *host, void *session);

/* Before libgit2 is initialised: finds the pinned keys of the request's host, and writes them where libgit2 looks for them, HOME/.ssh,
 * with @home made HOME: so nothing of the user's own configuration takes part. */
bool credentials_prepare(struct session *session, const char *home, GError **error);
