#include "exec/internal.h"

#include <string.h>

/* --- the lookup that workers are given: the owner's, with the accesses that acts returned a moment ago --------------------------- */

static struct vim *find_vim(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error)
{
	const struct exec *exec = lookup->data;
	return exec->options.lookup->vim(exec->options.lookup, site, ret_ops, error);
}

static struct ems *find_ems(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops,
			    GError **error)
{
	const struct exec *exec = lookup->data;
	return exec->options.lookup->ems(exec->options.lookup, site, name, ret_ops, error);
}

static const struct access *find_access(const struct lookup *lookup, const char *vnfc_key)
{
	struct exec *exec = lookup->data;
	gpointer access = NULL;
	pthread_mutex_lock(&exec->access_mutex);
	bool known = g_hash_table_lookup_extended(exec->accesses, vnfc_key, NULL, &access);
	pthread_mutex_unlock(&exec->access_mutex);
	if (known)
		return access;
	const struct access *observed = observed_access(exec->observed, vnfc_key);
	return observed ? observed : exec->options.lookup->access(exec->options.lookup, vnfc_key);
}

static char *find_secret(const struct lookup *lookup, const char *name, GError **error)
{
	const struct exec *exec = lookup->data;
	return exec->options.lookup->secret(exec->options.lookup, name, error);
}

static const struct package *find_package(const struct lookup *lookup, const char *digest, struct arena *arena, GError **error)
{
	const struct exec *exec = lookup->data;
	return exec->options.lookup->package(exec->options.lookup, digest, arena, error);
}

struct lookup exec_lookup(struct exec *exec)
{
	return (struct lookup) { find_vim, find_ems, find_access, find_secret, find_package, exec };
}

const struct value *exec_value(const char *key, const char *path, void *data)
{
	struct exec *exec = data;
	const struct object *got = g_hash_table_lookup(exec->got, key);
	if (got == &object_gone)
		return &value_absent;
	return got ? object_value(got, path) : plan_lookup(key, path, exec->observed);
}

/* --- sites and lanes ----------------------------------------------------------------------------------------------------- */

static struct exec_site *site_get(struct exec *exec, const char *name)
{
	for (guint i = 0; i < exec->sites->len; i++) {
		struct exec_site *site = exec->sites->pdata[i];
		if (!strcmp(site->name, name))
			return site;
	}
	struct exec_site *site = ARENA_NEW(exec->arena, struct exec_site);
	site->name = name;
	site->limit = exec->options.max_parallel_per_site ? exec->options.max_parallel_per_site : G_MAXUINT;
	site->lanes = g_ptr_array_new();
	g_ptr_array_add(exec->sites, site);
	return site;
}

/* A driver that cannot be opened gets one call at a time: that call will say why. */
static unsigned lane_limit(const struct exec *exec, const char *site, const char *ems)
{
	const struct lookup *lookup = exec->options.lookup;
	const struct caps *caps = NULL;
	if (ems) {
		const struct ems_ops *ops = NULL;
		if (lookup->ems(lookup, site, ems, &ops, NULL) && ops)
			caps = ops->caps;
	} else {
		const struct vim_ops *ops = NULL;
		if (lookup->vim(lookup, site, &ops, NULL) && ops)
			caps = ops->caps;
	}
	return caps && caps->max_parallel ? caps->max_parallel : 1;
}

static struct lane *lane_get(struct exec *exec, const char *site_name, const char *ems)
{
	struct exec_site *site = site_get(exec, site_name);
	for (guint i = 0; i < site->lanes->len; i++) {
		struct lane *lane = site->lanes->pdata[i];
		if (!g_strcmp0(lane->driver, ems))
			return lane;
	}
	struct lane *lane = ARENA_NEW(exec->arena, struct lane);
	lane->site = site;
	lane->driver = arena_strdup(exec->arena, ems);
	lane->limit = lane_limit(exec, site_name, ems);
	queue_init(&lane->ready, item_order_ready);
	g_ptr_array_add(site->lanes, lane);
	return lane;
}

/* What lives inside another object is its EMS's business; all else is the VIM's. */
static struct lane *lane_of_step(struct exec *exec, const struct step *step)
{
	const struct kind *kind = kind_of_key(step->key);
	if (!kind || !kind->host)
		return lane_get(exec, step->site, NULL);
	const struct object *objects[] = { step->desired, step->observed, step->last };
	const char *ems = NULL;
	for (size_t i = 0; i < G_N_ELEMENTS(objects) && !ems; i++)
		ems = objects[i] ? object_string(objects[i], "ems", NULL) : NULL;
	return lane_get(exec, step->site, ems ? ems : "");
}

static const char *lock_of_step(struct exec *exec, const struct step *step)
{
	const struct kind *kind = kind_of_key(step->key);
	return kind && kind->host ? key_of_kind(exec->arena, step->key, kind->host) : step->key;
}

/* --- a plan taken apart -------------------------------------------------------------------------------------------------- */

static void link_dependents(struct exec *exec)
{
	size_t n = exec->n_items;
	size_t *from = exec->dependents_from = ARENA_ARRAY(exec->arena, size_t, n + 2);
	for (size_t i = 0; i < n; i++) {
		const struct step *step = exec->items[i].step;
		for (size_t a = 0; a < step->n_after; a++) {
			g_assert(step->after[a] < n && step->after[a] != i);
			from[step->after[a] + 2]++;
		}
	}
	for (size_t i = 2; i < n + 2; i++)
		from[i] += from[i - 1];
	/* from[i + 1] is where the next dependent of i goes; when all are in, it is the end of i's */
	exec->dependents = ARENA_ARRAY(exec->arena, size_t, from[n + 1]);
	for (size_t i = 0; i < n; i++) {
		const struct step *step = exec->items[i].step;
		for (size_t a = 0; a < step->n_after; a++)
			exec->dependents[from[step->after[a] + 1]++] = i;
	}
}

void exec_take_apart(struct exec *exec)
{
	const struct plan *plan = exec->plan;
	exec->arena = arena_new();
	exec->n_items = plan->n_steps;
	exec->items = ARENA_ARRAY(exec->arena, struct item, plan->n_steps);
	exec->sites = g_ptr_array_new();
	exec->pending = g_ptr_array_new();
	exec->landed = g_ptr_array_new();
	exec->left = g_ptr_array_new();
	exec->locks = g_hash_table_new(g_str_hash, g_str_equal);
	exec->got = g_hash_table_new(g_str_hash, g_str_equal);
	exec->accesses = g_hash_table_new(g_str_hash, g_str_equal);
	exec->outcomes = g_array_new(FALSE, TRUE, sizeof(struct outcome));
	queue_init(&exec->sleeping, item_order_due);
	for (size_t i = 0; i < plan->n_steps; i++) {
		struct item *item = &exec->items[i];
		item->step = &plan->steps[i];
		item->index = i;
		item->waits = item->step->n_after;
		item->lane = lane_of_step(exec, item->step);
		item->lock = lock_of_step(exec, item->step);
	}
	link_dependents(exec);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (plan->steps[i].held)
			exec->items[i].place = ITEM_ENDED;
		else if (!exec->items[i].waits)
			item_make_ready(exec, &exec->items[i]);
}

void exec_drop_plan(struct exec *exec)
{
	if (!exec->plan)
		return;
	for (guint i = 0; i < exec->sites->len; i++) {
		struct exec_site *site = exec->sites->pdata[i];
		for (guint k = 0; k < site->lanes->len; k++)
			queue_clear(&((struct lane *) site->lanes->pdata[k])->ready);
		g_ptr_array_unref(site->lanes);
	}
	g_clear_pointer(&exec->sites, g_ptr_array_unref);
	g_clear_pointer(&exec->pending, g_ptr_array_unref);
	for (guint i = 0; i < exec->landed->len; i++)
		job_free(exec->landed->pdata[i]);
	g_clear_pointer(&exec->landed, g_ptr_array_unref);
	g_clear_pointer(&exec->left, g_ptr_array_unref);
	g_clear_pointer(&exec->locks, g_hash_table_unref);
	g_clear_pointer(&exec->got, g_hash_table_unref);
	g_clear_pointer(&exec->accesses, g_hash_table_unref);
	g_clear_pointer(&exec->outcomes, g_array_unref);
	queue_clear(&exec->sleeping);
	g_clear_pointer(&exec->arena, arena_unref);
	g_clear_pointer(&exec->plan, plan_unref);
	g_clear_pointer(&exec->observed, observed_unref);
	exec->items = NULL;
	exec->n_items = exec->n_ready = exec->n_flying = 0;
	memset(exec->counts, 0, sizeof(exec->counts));
}
