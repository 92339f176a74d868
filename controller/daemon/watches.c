#include "daemon/watches.h"

#include <glib-unix.h>

enum { GATHER_MS = 5 };

struct watch {
	struct watches *watches;
	struct vim *vim;
	const struct vim_ops *ops;
	int fd;
	guint source;
	bool seen; /* in the refresh under way */
};

struct watches {
	struct cycle *cycle;
	GHashTable *by_site; /* name → struct watch */
	GPtrArray *keys;     /* gathered; NULL when everything is to be looked at */
	guint timer;
};

static void watch_free(gpointer data)
{
	struct watch *watch = data;
	g_clear_handle_id(&watch->source, g_source_remove);
	g_free(watch);
}

static gboolean gathered(gpointer data)
{
	struct watches *watches = data;
	watches->timer = 0;
	g_autoptr(GPtrArray) keys = g_steal_pointer(&watches->keys);
	watches->keys = g_ptr_array_new_with_free_func(g_free);
	cycle_look(watches->cycle, keys);
	return G_SOURCE_REMOVE;
}

static void gather(struct watches *watches, GPtrArray *keys)
{
	if (!keys)
		g_clear_pointer(&watches->keys, g_ptr_array_unref);
	for (guint i = 0; watches->keys && i < keys->len; i++)
		g_ptr_array_add(watches->keys, g_strdup(g_ptr_array_index(keys, i)));
	if (!watches->timer)
		watches->timer = g_timeout_add(GATHER_MS, gathered, watches);
}

static gboolean can_read(int fd, GIOCondition condition, gpointer data)
{
	struct watch *watch = data;
	g_autoptr(GPtrArray) keys = watch->ops->watch_read(watch->vim);
	gather(watch->watches, keys);
	if (watch->ops->watch_fd(watch->vim) == fd && !(condition & G_IO_NVAL))
		return G_SOURCE_CONTINUE;
	/* The far side went, or came anew: the next refresh watches it again. */
	watch->source = 0;
	watch->fd = -1;
	return G_SOURCE_REMOVE;
}

static void refresh_one(const char *site, struct vim *vim, const struct vim_ops *ops, int fd, void *data)
{
	struct watches *watches = data;
	struct watch *watch = g_hash_table_lookup(watches->by_site, site);
	if (!watch || watch->vim != vim || watch->fd != fd) {
		watch = g_new0(struct watch, 1);
		*watch = (struct watch) { .watches = watches, .vim = vim, .ops = ops, .fd = fd };
		watch->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, can_read, watch);
		g_hash_table_replace(watches->by_site, g_strdup(site), watch);
	}
	watch->seen = true;
}

static gboolean was_not_seen(gpointer key, gpointer value, gpointer data)
{
	struct watch *watch = value;
	bool seen = watch->seen;
	watch->seen = false;
	return !seen;
}

void watches_refresh(struct watches *watches)
{
	drivers_each_watch(cycle_view(watches->cycle)->drivers, refresh_one, watches);
	g_hash_table_foreach_remove(watches->by_site, was_not_seen, NULL);
}

struct watches *watches_new(struct cycle *cycle)
{
	struct watches *watches = g_new0(struct watches, 1);
	watches->cycle = cycle;
	watches->by_site = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, watch_free);
	watches->keys = g_ptr_array_new_with_free_func(g_free);
	return watches;
}

void watches_free(struct watches *watches)
{
	if (!watches)
		return;
	g_clear_handle_id(&watches->timer, g_source_remove);
	g_hash_table_unref(watches->by_site);
	g_clear_pointer(&watches->keys, g_ptr_array_unref);
	g_free(watches);
}
