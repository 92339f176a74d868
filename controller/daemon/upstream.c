#include "daemon/upstream.h"

#include "base/clock.h"
#include "base/log.h"

enum { JITTER_PERCENT = 10 };

struct upstream {
	struct remote *remote;
	char *address, *revision;
	unsigned poll_s, failures;
	guint timer;
	unsigned awaited; /* fetches until what was asked for has ended */
	bool under_way;
	char *trouble;    /* the last error */
	gint64 since_us;  /* wall: of the first failure in a row */
	void (*changed)(void *data);
	void *data;
};

static void begin(struct upstream *upstream)
{
	g_clear_handle_id(&upstream->timer, g_source_remove);
	upstream->under_way = true;
	remote_fetch(upstream->remote);
}

static gboolean due(gpointer data)
{
	struct upstream *upstream = data;
	upstream->timer = 0;
	begin(upstream);
	return G_SOURCE_REMOVE;
}

static void wait_for_next(struct upstream *upstream)
{
	guint64 delay_ms = (guint64) MAX(upstream->poll_s, 1) * 1000;
	for (unsigned i = 1; i < upstream->failures && delay_ms < UPSTREAM_BACK_OFF_MAX_S * 1000; i++)
		delay_ms = MIN(delay_ms * 2, UPSTREAM_BACK_OFF_MAX_S * 1000);
	guint spread = (guint) (delay_ms * JITTER_PERCENT / 100);
	guint64 jittered = delay_ms - spread + (guint64) g_random_int_range(0, (gint32) (2 * spread + 1));
	g_clear_handle_id(&upstream->timer, g_source_remove);
	upstream->timer = g_timeout_add((guint) MIN(jittered, G_MAXINT32), due, upstream);
}

static void note_failure(struct upstream *upstream, const GError *error)
{
	if (!upstream->failures++)
		upstream->since_us = clock_wall_us();
	if (g_strcmp0(upstream->trouble, error->message) == 0)
		return;
	g_free(upstream->trouble);
	upstream->trouble = g_strdup(error->message);
	log_warning("%s", error->message);
}

static void note_success(struct upstream *upstream)
{
	if (upstream->failures)
		log_info("%s can be fetched again", upstream->address);
	upstream->failures = 0;
	g_clear_pointer(&upstream->trouble, g_free);
}

static void fetched(const char *commit, const GError *error, void *data)
{
	struct upstream *upstream = data;
	if (error)
		note_failure(upstream, error);
	else
		note_success(upstream);
	if (upstream->awaited)
		upstream->awaited--;
	upstream->under_way = upstream->awaited > 0;
	wait_for_next(upstream);
	upstream->changed(upstream->data);
}

void upstream_fetch(struct upstream *upstream)
{
	/* What is under way may have looked before the push that is meant. */
	upstream->awaited = upstream->under_way ? 2 : 1;
	begin(upstream);
}

struct upstream *upstream_new(const struct source_address *address, const struct remote_options *options, unsigned poll_s,
			      void (*changed)(void *data), void *data, GError **error)
{
	auto_ptr(upstream) upstream = g_new0(struct upstream, 1);
	upstream->remote = remote_new(address, options, fetched, upstream, error);
	if (!upstream->remote)
		return NULL;
	upstream->address = g_strdup(address->text);
	upstream->poll_s = poll_s;
	upstream->changed = changed;
	upstream->data = data;
	return g_steal_pointer(&upstream);
}

void upstream_free(struct upstream *upstream)
{
	if (!upstream)
		return;
	g_clear_handle_id(&upstream->timer, g_source_remove);
	g_clear_pointer(&upstream->remote, remote_free);
	g_free(upstream->address);
	g_free(upstream->trouble);
	g_free(upstream);
}

void upstream_poll_every(struct upstream *upstream, unsigned poll_s)
{
	upstream->poll_s = poll_s;
	if (upstream->timer)
		wait_for_next(upstream);
}

const char *upstream_mirror(const struct upstream *upstream)
{
	return remote_mirror(upstream->remote);
}

const char *upstream_trouble(const struct upstream *upstream, gint64 *ret_since_us)
{
	*ret_since_us = upstream->since_us;
	return upstream->trouble;
}

bool upstream_is_awaited(const struct upstream *upstream)
{
	return upstream->awaited > 0;
}
