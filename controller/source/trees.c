#include "source/trees.h"

static struct {
	pthread_mutex_t lock;
	GHashTable *trees; /* path → struct tree */
	unsigned turn;
	guint in_use;      /* at the last count */
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void tree_drop(gpointer data)
{
	tree_unref(data);
}

static gboolean is_idle(gpointer path, gpointer value, gpointer data)
{
	/* The turn that begins has used none yet. */
	return ((const struct tree *) value)->used + 1 < cache.turn;
}

void trees_turn(void)
{
	pthread_mutex_lock(&cache.lock);
	if (!cache.trees)
		cache.trees = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, tree_drop);
	cache.turn++;
	if (g_hash_table_size(cache.trees) > 2 * cache.in_use + TREES_SPARE) {
		g_hash_table_foreach_remove(cache.trees, is_idle, NULL);
		cache.in_use = g_hash_table_size(cache.trees);
	}
	pthread_mutex_unlock(&cache.lock);
}

struct tree *trees_take(const char *path)
{
	pthread_mutex_lock(&cache.lock);
	struct tree *tree = cache.trees ? g_hash_table_lookup(cache.trees, path) : NULL;
	if (tree) {
		tree->used = cache.turn;
		arena_ref(tree->arena);
	}
	pthread_mutex_unlock(&cache.lock);
	return tree;
}

void tree_unref(struct tree *tree)
{
	if (tree)
		arena_unref(tree->arena);
}

void trees_put(struct tree *tree)
{
	arena_ref(tree->arena);
	pthread_mutex_lock(&cache.lock);
	tree->used = cache.turn;
	if (cache.trees)
		g_hash_table_replace(cache.trees, (gpointer) (guintptr) tree->path, tree);
	pthread_mutex_unlock(&cache.lock);
}

size_t trees_count(void)
{
	pthread_mutex_lock(&cache.lock);
	size_t n = cache.trees ? g_hash_table_size(cache.trees) : 0;
	pthread_mutex_unlock(&cache.lock);
	return n;
}
