#include "exec/internal.h"

#include <string.h>

/* A result hangs on the observation that its round began with. Where that is a result of ours too, and so on, old arenas would pile
 * up in an exec that runs for months: after so many, all is copied. */
enum { DEPTH_MAX = 16 };

static const struct object *kept(struct arena *arena, const struct object *object, bool copies)
{
	return copies ? object_copy(arena, object) : object;
}

static void put_objects(const struct exec *exec, struct observed *ret, bool copies)
{
	struct objects before = exec->observed->objects;
	g_autoptr(GPtrArray) items = g_ptr_array_sized_new((guint) before.n);
	for (size_t i = 0; i < before.n; i++)
		if (!g_hash_table_contains(exec->got, before.items[i]->key))
			g_ptr_array_add(items, UNCONST(kept(ret->arena, before.items[i], copies)));
	GHashTableIter iter;
	gpointer got;
	g_hash_table_iter_init(&iter, exec->got);
	while (g_hash_table_iter_next(&iter, NULL, &got))
		if (got != &object_gone)
			g_ptr_array_add(items, UNCONST(kept(ret->arena, got, copies)));
	ret->objects = objects_sorted(ret->arena, (const struct object *const *) items->pdata, items->len);
}

static int access_order(gconstpointer a, gconstpointer b)
{
	const struct access *const *left = a, *const *right = b;
	return strcmp((*left)->key, (*right)->key);
}

static void put_accesses(struct exec *exec, struct observed *ret)
{
	const struct observed *before = exec->observed;
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	pthread_mutex_lock(&exec->access_mutex);
	for (size_t i = 0; i < before->n_accesses; i++)
		if (!g_hash_table_contains(exec->accesses, before->accesses[i].key))
			g_ptr_array_add(items, UNCONST(&before->accesses[i]));
	GHashTableIter iter;
	gpointer access;
	g_hash_table_iter_init(&iter, exec->accesses);
	while (g_hash_table_iter_next(&iter, NULL, &access))
		if (access)
			g_ptr_array_add(items, access);
	pthread_mutex_unlock(&exec->access_mutex);
	g_ptr_array_sort(items, access_order);
	struct access *accesses = ARENA_ARRAY(ret->arena, struct access, items->len);
	for (guint i = 0; i < items->len; i++)
		accesses[i] = *access_copy(ret->arena, items->pdata[i]);
	ret->accesses = accesses;
	ret->n_accesses = items->len;
}

/* The last word about an incarnation that is no longer its key's object. */
static const struct left *left_of(const struct exec *exec, const char *key, const char *site, unsigned incarnation)
{
	for (guint i = exec->left->len; i > 0; i--) {
		const struct left *left = exec->left->pdata[i - 1];
		if (left->incarnation == incarnation && !strcmp(left->key, key) && !strcmp(left->site, site))
			return left;
	}
	return NULL;
}

static void put_leftover(GArray *leftovers, struct arena *arena, const char *key, const char *site, unsigned incarnation)
{
	struct leftover leftover = { arena_strdup(arena, key), arena_strdup(arena, site), incarnation };
	g_array_append_val(leftovers, leftover);
}

static void put_leftovers(const struct exec *exec, struct observed *ret)
{
	const struct observed *before = exec->observed;
	g_autoptr(GArray) leftovers = g_array_new(FALSE, FALSE, sizeof(struct leftover));
	for (size_t i = 0; i < before->n_leftovers; i++) {
		const struct leftover *one = &before->leftovers[i];
		if (!left_of(exec, one->key, one->site, one->incarnation))
			put_leftover(leftovers, ret->arena, one->key, one->site, one->incarnation);
	}
	for (guint i = 0; i < exec->left->len; i++) {
		const struct left *left = exec->left->pdata[i];
		if (left->there && left_of(exec, left->key, left->site, left->incarnation) == left)
			put_leftover(leftovers, ret->arena, left->key, left->site, left->incarnation);
	}
	ret->n_leftovers = leftovers->len;
	ret->leftovers = arena_memdup(ret->arena, leftovers->data, sizeof(struct leftover) * leftovers->len);
}

static void put_rest(const struct exec *exec, struct observed *ret)
{
	const struct observed *before = exec->observed;
	struct stranger *strangers = ARENA_ARRAY(ret->arena, struct stranger, before->n_strangers);
	for (size_t i = 0; i < before->n_strangers; i++) {
		strangers[i].site = arena_strdup(ret->arena, before->strangers[i].site);
		strangers[i].what = arena_strdup(ret->arena, before->strangers[i].what);
		strangers[i].owner = arena_strdup(ret->arena, before->strangers[i].owner);
	}
	ret->strangers = strangers;
	ret->n_strangers = before->n_strangers;
	const char **sites = ARENA_ARRAY(ret->arena, const char *, before->blind.n);
	const char **reasons = ARENA_ARRAY(ret->arena, const char *, before->blind.n);
	for (size_t i = 0; i < before->blind.n; i++) {
		sites[i] = arena_strdup(ret->arena, before->blind.sites[i]);
		reasons[i] = arena_strdup(ret->arena, before->blind.reasons[i]);
	}
	ret->blind.sites = sites;
	ret->blind.reasons = reasons;
	ret->blind.n = before->blind.n;
}

struct observed *exec_observed(struct exec *exec)
{
	g_assert(exec->plan);
	bool copies = exec->depth >= DEPTH_MAX;
	struct arena *arena = arena_new();
	struct observed *ret = ARENA_NEW(arena, struct observed);
	ret->arena = arena;
	ret->wall_us = exec->observed->wall_us;
	if (!copies) {
		arena_adopt(arena, exec->observed->arena);
		arena_adopt(arena, exec->arena);
	}
	put_objects(exec, ret, copies);
	put_accesses(exec, ret);
	put_leftovers(exec, ret);
	put_rest(exec, ret);
	exec->last_result = ret;
	exec->depth = copies ? 0 : exec->depth + 1;
	return ret;
}
