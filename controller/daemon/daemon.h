/* pleachd: the cycle kept going by what happens: a push, an event of a VIM, a timer, a request, a signal.
 *
 * Owns the main loop. Everything here runs on its thread.
 */
#pragma once

#include "base/log.h"
#include "daemon/cycle.h"
#include "source/remote.h"

/* What may change while it runs. */
struct daemon_settings {
	enum log_level log_level;
	enum log_format log_format;
	unsigned poll_s;   /* how often the branch is resolved even without an event */
	unsigned resync_s; /* how often everything is looked at */
	unsigned sample_s; /* how often each NF is measured; 0: never */
};

struct daemon_options {
	const struct registry *registry;
	const struct source_address *repo;
	const char *branch;       /* or a tag, or a whole commit id */
	const char *subfolder;    /* or NULL */
	const char *owner;        /* or NULL */
	const char *state_folder;
	const char *listen;       /* "unix:PATH" or "HOST:PORT" (loopback); NULL: unix:STATE/pleachd.sock */
	struct remote_options remote; /* how to fetch from another machine; its revision and folder are filled in */
	struct store_bounds bounds; /* how much of the past is kept */
	struct daemon_settings settings; /* at the start */
	/* Asked at SIGHUP: the settings from now on. False and @error: they stay as they are. NULL: there is nothing to read again. */
	bool (*reload)(struct daemon_settings *ret, GError **error, void *data);
	void *data;
};

/* Runs until SIGTERM or SIGINT. False and @error when it could not start. */
bool daemon_run(const struct daemon_options *options, GError **error);
