#include "daemon/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "daemon/upstream.h"
#include "source/source.h"

struct follow {
	struct upstream *upstream; /* NULL: the repository is on this machine */
	struct source_watch *watch;
	char *path, *shown, *name;
	bool had;
	char *trouble, *far_trouble;
};

struct follow *follow_new(const struct follow_options *options, GError **error)
{
	auto_ptr(follow) follow = g_new0(struct follow, 1);
	const struct source_address *repo = options->repo;
	if (repo->transport != SOURCE_LOCAL) {
		follow->upstream = upstream_new(repo, &options->remote, options->poll_s, options->changed, options->data, error);
		if (!follow->upstream)
			return NULL;
	}
	follow->path = g_strdup(follow->upstream ? upstream_mirror(follow->upstream) : repo->path);
	follow->shown = g_strdup(repo->text);
	follow->name = g_strdup(options->remote.revision);
	follow->watch = source_watch_new(follow->path, follow->name, error);
	if (!follow->watch)
		return NULL;
	return g_steal_pointer(&follow);
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	g_clear_pointer(&follow->upstream, upstream_free);
	g_clear_pointer(&follow->watch, source_watch_free);
	g_free(follow->path);
	g_free(follow->shown);
	g_free(follow->name);
	g_free(follow->trouble);
	g_free(follow->far_trouble);
	g_free(follow);
}

const char *follow_path(const struct follow *follow)
{
	return follow->path;
}

int follow_fd(const struct follow *follow)
{
	return source_watch_fd(follow->watch);
}

bool follow_read(struct follow *follow)
{
	g_autofree char *commit = NULL;
	if (!source_watch_read(follow->watch, &commit))
		return false;
	g_clear_pointer(&follow->trouble, g_free);
	if (commit) {
		follow->had = true;
		return true;
	}
	char since[CLOCK_TEXT_SIZE];
	const char *how = follow->had	    ? "gone; what was last asked for is kept"
			  : follow->upstream ? "not fetched yet"
					     : "not there yet";
	follow->trouble = g_strdup_printf("branch %s of %s is %s (since %s)", follow->name, follow->shown, how,
					  clock_rfc3339(clock_wall_us(), since));
	if (!follow->upstream)
		log_warning("branch %s of %s is %s", follow->name, follow->shown, how);
	return false;
}

const char *follow_trouble(struct follow *follow)
{
	gint64 since_us = 0;
	const char *far = follow->upstream ? upstream_trouble(follow->upstream, &since_us) : NULL;
	if (!far)
		return follow->trouble;
	char since[CLOCK_TEXT_SIZE];
	g_free(follow->far_trouble);
	follow->far_trouble = g_strdup_printf("%s%s (since %s)", far, follow->had ? "; what was last fetched is kept" : "",
					      clock_rfc3339(since_us, since));
	return follow->far_trouble;
}

void follow_fetch(struct follow *follow)
{
	if (follow->upstream)
		upstream_fetch(follow->upstream);
}

bool follow_is_awaited(const struct follow *follow)
{
	return follow->upstream && upstream_is_awaited(follow->upstream);
}

void follow_poll_every(struct follow *follow, unsigned poll_s)
{
	if (follow->upstream)
		upstream_poll_every(follow->upstream, poll_s);
}
