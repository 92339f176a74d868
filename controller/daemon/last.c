#include "daemon/last.h"

struct entry {
	struct arena *arena;
	const struct object *object;
};

struct last {
	GHashTable *entries; /* key → struct entry */
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
	for (size_t i = 0; i < objects.n; i++)
		last_put(last, objects.items[i]->key, objects.items[i]);
	return last;
}

void last_free(struct last *last)
{
	if (!last)
		return;
	g_hash_table_unref(last->entries);
	g_free(last);
}

void last_put(struct last *last, const char *key, const struct object *object)
{
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

struct objects last_view(const struct last *last, struct arena **ret_arena)
{
	struct arena *arena = arena_new();
	guint n = g_hash_table_size(last->entries);
	const struct object **items = ARENA_ARRAY(arena, const struct object *, n);
	GHashTableIter iter;
	gpointer value;
	size_t i = 0;
	g_hash_table_iter_init(&iter, last->entries);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct entry *entry = value;
		arena_adopt(arena, entry->arena);
		items[i++] = entry->object;
	}
	*ret_arena = arena;
	return objects_sorted(arena, items, n);
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
