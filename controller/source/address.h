/* Where a repository is: a path on this machine, or an address on another.
 *
 *     /srv/network.git    file:///srv/network.git                            on this machine: watched as it is
 *     https://HOST/PATH   ssh://[USER@]HOST[:PORT]/PATH   [USER@]HOST:PATH   on another: fetched into a mirror (source/remote.h)
 *
 * An address is logged, reported and kept as it was given, so it never holds a secret: one with a password is refused.
 * Any thread.
 */
#pragma once

#include "base/auto.h"

#include <glib.h>
#include <stdbool.h>

enum { SOURCE_MAX_ADDRESS = 2048 };

enum source_transport { SOURCE_LOCAL, SOURCE_SSH, SOURCE_HTTP, SOURCE_HTTPS };

struct source_address {
	enum source_transport transport;
	char *text; /* as it is shown, and as libgit2 is given it; SOURCE_LOCAL: as it was given */
	char *path; /* SOURCE_LOCAL: on this machine; else NULL */
	char *user; /* "git" where a remote address names none; NULL for SOURCE_LOCAL */
	char *host; /* without brackets; NULL for SOURCE_LOCAL */
	unsigned port;
};

/* INVALID or UNSUPPORTED with a hint. Without @allow_http, http:// is for this machine's own addresses only. */
struct source_address *source_address_parse(const char *text, bool allow_http, GError **error);
void source_address_free(struct source_address *address);
AUTO_DEFINE(source_address, source_address_free)
