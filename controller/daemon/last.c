#include "daemon/last.h"

#include <string.h>

struct entry {
	struct arena *arena;
	const struct object *object;
};

struct last {
	GHashTable *entries; /* key → struct entry */
	GHashTable *changed; /* set of keys that were put since the view was made */
	struct arena *arena; /* of the view */
	struct objects view;
};

static void entry_free(gpointer data)
{
	struct entry *entry = data;
	arena_unref(entry->arena);
	g_free(entry);
}

struct last *last_new(struct store *store, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	struct objects objects;
	if (!store_last_applied(store, arena, &objects, error))
		return NULL;
	struct last *last = g_new0(struct last, 1);
	last->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
	last->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	last->arena = arena_new();
	last->view = (struct objects) { .items = ARENA_ARRAY(last->arena, const struct object *, 1),
					.homes = ARENA_ARRAY(last->arena, struct arena *, 1) };
	for (size_t i = 0; i < objects.n; i++)
		last_put(last, objects.items[i]->key, objects.items[i]);
	return last;
}

void last_free(struct last *last)
{
	if (!last)
		return;
	g_hash_table_unref(last->entries);
	g_hash_table_unref(last->changed);
	arena_unref(last->arena);
	g_free(last);
}

void last_put(struct last *last, const char *key, const struct object *object)
{
	g_hash_table_add(last->changed, g_strdup(key));
	/* @key and @object may be those of the entry that goes. */
	if (!object) {
		g_hash_table_remove(last->entries, key);
		return;
	}
	struct entry *entry = g_new0(struct entry, 1);
	entry->arena = arena_new();
	entry->object = object_copy(entry->arena, object);
	/* The key of the table is the object's own: it lives and dies with the entry. */
	g_hash_table_replace(last->entries, (gpointer) (guintptr) entry->object->key, entry);
}

static size_t first_not_below(struct objects objects, size_t low, const char *key)
{
	size_t high = objects.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(objects.items[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The former view with what changed since, both in order of keys. */
static struct objects merge(struct last *last, struct arena *arena)
{
	struct objects former = last->view;
	guint n_changed = 0;
	g_autofree const char **changed = (const char **) g_hash_table_get_keys_as_array(last->changed, &n_changed);
	qsort(changed, n_changed, sizeof(*changed), text_order);
	g_autofree const struct object **items = g_new(const struct object *, former.n + n_changed + 1);
	g_autofree struct arena **homes = g_new(struct arena *, former.n + n_changed + 1);
	size_t n = 0, at = 0;
	for (guint i = 0; i <= n_changed; i++) {
		size_t end = i < n_changed ? first_not_below(former, at, changed[i]) : former.n;
		memcpy(items + n, former.items + at, (end - at) * sizeof(*items));
		memcpy(homes + n, former.homes + at, (end - at) * sizeof(*homes));
		n += end - at;
		at = end;
		if (i == n_changed)
			break;
		at += at < former.n && strcmp(former.items[at]->key, changed[i]) == 0;
		const struct entry *entry = g_hash_table_lookup(last->entries, changed[i]);
		if (!entry)
			continue;
		items[n] = entry->object;
		homes[n++] = entry->arena;
	}
	return objects_at_home(arena, items, homes, n, former);
}

struct objects last_view(struct last *last, struct arena **ret_arena)
{
	if (g_hash_table_size(last->changed) > 0) {
		struct arena *arena = arena_new();
		last->view = merge(last, arena);
		arena_unref(last->arena);
		last->arena = arena;
		g_hash_table_remove_all(last->changed);
	}
	*ret_arena = arena_ref(last->arena);
	return last->view;
}

const struct object *last_find(const struct last *last, const char *key)
{
	const struct entry *entry = g_hash_table_lookup(last->entries, key);
	return entry ? entry->object : NULL;
}

bool last_has_site(const struct last *last, const char *site)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, last->entries);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (g_str_equal(((const struct entry *) value)->object->site, site))
			return true;
	return false;
}
