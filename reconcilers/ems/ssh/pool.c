#include "ems/ssh/private.h"

#include "base/clock.h"

#include <poll.h>
#include <string.h>

/* Nobody has anything to say on an idle connection: what can be read is its end, or nonsense. */
static bool is_quiet(const struct wire *wire)
{
	struct pollfd fd = { .fd = wire->fd, .events = POLLIN };
	return poll(&fd, 1, 0) == 0 && ssh_is_connected(wire->session);
}

/* Under the lock: what has been idle for long goes to @ret. */
static void take_stale(struct ems *ems, GPtrArray *ret)
{
	gint64 since_us = clock_monotonic_us() - SSH_IDLE_MS * 1000LL;
	for (guint i = 0; i < ems->idle->len;) {
		struct wire *wire = ems->idle->pdata[i];
		if (wire->used_us >= since_us && ems->idle->len <= SSH_WIRES_MAX) {
			i++;
			continue;
		}
		g_ptr_array_add(ret, wire);
		g_ptr_array_remove_index(ems->idle, i); /* in order: the longest idle ones are the first */
	}
}

static void close_all(GPtrArray *wires)
{
	for (guint i = 0; i < wires->len; i++)
		wire_close(wires->pdata[i]);
	g_ptr_array_unref(wires);
}

static struct wire *take_idle(struct ems *ems, const char *key, const char *place)
{
	struct wire *found = NULL;
	GPtrArray *stale = g_ptr_array_new();
	pthread_mutex_lock(&ems->lock);
	take_stale(ems, stale);
	for (guint i = 0; i < ems->idle->len && !found; i++) {
		struct wire *wire = ems->idle->pdata[i];
		if (strcmp(wire->key, key))
			continue;
		g_ptr_array_remove_index(ems->idle, i--);
		if (!strcmp(wire->place, place) && is_quiet(wire))
			found = wire;
		else
			g_ptr_array_add(stale, wire);
	}
	pthread_mutex_unlock(&ems->lock);
	close_all(stale);
	return found;
}

struct wire *pool_take(struct ems *ems, const struct call *call, const struct access *access, GError **error)
{
	g_autofree char *place = wire_place(ems, access, error);
	if (!place || call_is_over(call, error))
		return NULL;
	struct wire *wire = take_idle(ems, access->key, place);
	if (wire) {
		wire->used = true;
		return wire;
	}
	wire = wire_open(ems, call, access, error);
	if (!wire)
		g_prefix_error(error, "ssh to %s: ", place);
	return wire;
}

/* One for each VNFC: who asked beside somebody else brings a second one back. */
static bool has_idle(const struct ems *ems, const char *key)
{
	for (guint i = 0; i < ems->idle->len; i++)
		if (!strcmp(((const struct wire *) ems->idle->pdata[i])->key, key))
			return true;
	return false;
}

void pool_give(struct ems *ems, struct wire *wire)
{
	GPtrArray *stale = g_ptr_array_new();
	pthread_mutex_lock(&ems->lock);
	wire->used_us = clock_monotonic_us();
	g_ptr_array_add(wire->broken || has_idle(ems, wire->key) ? stale : ems->idle, wire);
	take_stale(ems, stale);
	pthread_mutex_unlock(&ems->lock);
	close_all(stale);
}

void pool_clear(struct ems *ems)
{
	close_all(g_steal_pointer(&ems->idle));
}
