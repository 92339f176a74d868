#include "exec/internal.h"

#include <string.h>

/* What is as it was stays where it is, by reference; what an act returned gets a home of its own. So a result hangs on no former one. */

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Two sorted lists become one: what was, and what was got. */
static void put_objects(const struct exec *exec, struct observed *ret)
{
	struct objects before = exec->observed->objects;
	guint n_got = 0;
	g_autofree const char **keys = (const char **) g_hash_table_get_keys_as_array(exec->got, &n_got);
	qsort(keys, n_got, sizeof(*keys), text_order);
	g_autofree const struct object **items = g_new(const struct object *, before.n + n_got + 1);
	g_autofree struct arena **homes = g_new(struct arena *, before.n + n_got + 1);
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify) arena_unref);
	size_t n = 0, at = 0;
	for (guint i = 0; i <= n_got; i++) {
		for (; at < before.n && (i == n_got || strcmp(before.items[at]->key, keys[i]) < 0); at++) {
			items[n] = before.items[at];
			homes[n++] = objects_home(before, at, exec->observed->arena);
		}
		if (i == n_got)
			break;
		at += at < before.n && strcmp(before.items[at]->key, keys[i]) == 0;
		const struct object *got = g_hash_table_lookup(exec->got, keys[i]);
		if (got == &object_gone)
			continue;
		homes[n] = arena_new();
		g_ptr_array_add(made, homes[n]);
		items[n] = object_copy(homes[n], got);
		n++;
	}
	ret->objects = objects_at_home(ret->arena, items, homes, n, before);
}

static void put_accesses(struct exec *exec, struct observed *ret)
{
	const struct observed *before = exec->observed;
	g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify) arena_unref);
	guint n_new = 0;
	pthread_mutex_lock(&exec->access_mutex);
	g_autofree const char **keys = (const char **) g_hash_table_get_keys_as_array(exec->accesses, &n_new);
	qsort(keys, n_new, sizeof(*keys), text_order);
	struct access *accesses = ARENA_ARRAY(ret->arena, struct access, before->n_accesses + n_new);
	size_t n = 0, at = 0;
	for (guint i = 0; i <= n_new; i++) {
		for (; at < before->n_accesses && (i == n_new || strcmp(before->accesses[at].key, keys[i]) < 0); at++) {
			accesses[n] = before->accesses[at];
			accesses[n].home = accesses[n].home ? accesses[n].home : before->arena;
			n++;
		}
		if (i == n_new)
			break;
		at += at < before->n_accesses && strcmp(before->accesses[at].key, keys[i]) == 0;
		const struct access *access = g_hash_table_lookup(exec->accesses, keys[i]);
		if (!access)
			continue;
		struct arena *home = arena_new();
		g_ptr_array_add(made, home);
		accesses[n] = *access_copy(home, access);
		accesses[n++].home = home;
	}
	pthread_mutex_unlock(&exec->access_mutex);
	accesses_keep(ret, accesses, n, before);
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
	struct arena *arena = arena_new();
	struct observed *ret = ARENA_NEW(arena, struct observed);
	ret->arena = arena;
	ret->wall_us = exec->observed->wall_us;
	put_objects(exec, ret);
	put_accesses(exec, ret);
	put_leftovers(exec, ret);
	put_rest(exec, ret);
	return ret;
}
