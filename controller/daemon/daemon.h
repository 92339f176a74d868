/* pleachd: the cycle kept going by what happens: a push, an event of a VIM, a timer, a request, a signal.
 *
 * Owns the main loop. Everything here runs on its thread.
 */
#pragma once

#include "daemon/cycle.h"

struct daemon_options {
	const struct registry *registry;
	const char *repo;         /* path of a local repository */
	const char *branch;
	const char *subfolder;    /* or NULL */
	const char *owner;        /* or NULL */
	const char *state_folder;
	const char *listen;       /* "unix:PATH" or "HOST:PORT" (loopback); NULL: unix:STATE/pleachd.sock */
	unsigned poll_s;          /* how often the branch is resolved even without an event */
	unsigned resync_s;        /* how often everything is looked at */
};

/* Runs until SIGTERM or SIGINT. False and @error when it could not start. */
bool daemon_run(const struct daemon_options *options, GError **error);
