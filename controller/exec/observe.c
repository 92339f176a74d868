#include "exec/observe.h"
#include "model/key.h"

#include "exec/internal.h"
#include "exec/look.h"

#include <string.h>

/* --- which sites --------------------------------------------------------------------------------------------------------- */

static bool is_site_of(const struct observe_input *input, const char *key, const char *site, bool *ret_known)
{
	const struct object *objects[] = {
		input->desired ? objects_find(input->desired->objects, key) : NULL,
		objects_find(input->last, key),
		input->before ? objects_find(input->before->objects, key) : NULL,
	};
	bool is = false;
	for (size_t i = 0; i < G_N_ELEMENTS(objects); i++)
		if (objects[i]) {
			*ret_known = true;
			is = is || !strcmp(objects[i]->site, site);
		}
	return is;
}

static bool site_is_wanted(const struct look_run *run, const char *site)
{
	const struct observe_input *input = run->input;
	if (!run->partial)
		return true;
	for (size_t i = 0; i < input->n_keys; i++) {
		bool known = false;
		if (is_site_of(input, input->keys[i], site, &known) || !known)
			return true;
	}
	return false;
}

static void add_site(struct look_run *run, const struct site *site)
{
	for (guint i = 0; i < run->sites->len; i++)
		if (!strcmp(((struct site_look *) run->sites->pdata[i])->site->name, site->name))
			return;
	if (!site_is_wanted(run, site->name))
		return;
	struct site_look *look = g_new0(struct site_look, 1);
	look->run = run;
	look->site = site;
	look->arena = arena_new();
	look->objects = g_ptr_array_new();
	look->unseen_kinds = g_ptr_array_new();
	look->accesses = g_hash_table_new(g_str_hash, g_str_equal);
	look->current = g_hash_table_new(g_str_hash, g_str_equal);
	g_ptr_array_add(run->sites, look);
}

static void site_look_free(gpointer data)
{
	struct site_look *look = data;
	if (look->vim)
		observation_free(look->vim);
	g_free(look->reason);
	g_ptr_array_unref(look->objects);
	g_ptr_array_unref(look->unseen_kinds);
	g_hash_table_unref(look->accesses);
	g_hash_table_unref(look->current);
	arena_unref(look->arena);
	g_free(look);
}

static void chunk_free(gpointer data)
{
	struct chunk *chunk = data;
	g_ptr_array_unref(chunk->objects);
	arena_unref(chunk->arena);
	g_free(chunk);
}

/* --- one site (worker) --------------------------------------------------------------------------------------------------- */

static struct vim *find_vim(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error)
{
	const struct lookup *outer = ((struct site_look *) lookup->data)->run->input->lookup;
	return outer->vim(outer, site, ret_ops, error);
}

static struct ems *find_ems(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops,
			    GError **error)
{
	const struct lookup *outer = ((struct site_look *) lookup->data)->run->input->lookup;
	return outer->ems(outer, site, name, ret_ops, error);
}

/* The VIM has just been asked about the whole site: what it did not tell a way to cannot be reached. */
static const struct access *find_access(const struct lookup *lookup, const char *vnfc_key)
{
	return g_hash_table_lookup(((struct site_look *) lookup->data)->accesses, vnfc_key);
}

static char *find_secret(const struct lookup *lookup, const char *name, GError **error)
{
	const struct lookup *outer = ((struct site_look *) lookup->data)->run->input->lookup;
	return outer->secret(outer, name, error);
}

static const struct package *find_package(const struct lookup *lookup, const char *digest, struct arena *arena, GError **error)
{
	const struct lookup *outer = ((struct site_look *) lookup->data)->run->input->lookup;
	return outer->package(outer, digest, arena, error);
}

static struct call call_of(const struct site_look *look)
{
	return (struct call) {
		.deadline_us = look->run->input->deadline_us,
		.cancel_fd = look->run->input->cancel_fd,
		.lookup = &look->lookup,
	};
}

static const char *ems_of_nf(const char *nf_key, void *data)
{
	const struct observe_input *input = data;
	const struct object *desired = input->desired ? objects_find(input->desired->objects, nf_key) : NULL;
	const char *ems = desired ? object_string(desired, "ems", NULL) : NULL;
	if (ems)
		return ems;
	const struct object *last = objects_find(input->last, nf_key);
	return last ? object_string(last, "ems", NULL) : NULL;
}

static struct look look_of(const struct site_look *site)
{
	return (struct look) {
		.site = site->site,
		.vim = site->vim,
		.reason = site->reason,
		.nf_ems = ems_of_nf,
		.data = UNCONST(site->run->input),
	};
}

bool look_is_better(const struct object *a, const struct object *than)
{
	static const char *const alive[] = { "running", "up", "started", NULL };
	bool a_runs = g_strv_contains(alive, object_string(a, "state", ""));
	bool than_runs = g_strv_contains(alive, object_string(than, "state", ""));
	return a_runs != than_runs ? a_runs : a->incarnation > than->incarnation;
}

static void keep_best(GHashTable *current, const struct object *object)
{
	const struct object *held = g_hash_table_lookup(current, object->key);
	if (!held || look_is_better(object, held))
		g_hash_table_replace(current, UNCONST(object->key), UNCONST(object));
}

static bool ask_vim(struct site_look *site, GError **error)
{
	const struct call call = call_of(site);
	const struct vim_ops *ops = NULL;
	struct vim *vim = find_vim(&site->lookup, site->site->name, &ops, error);
	if (!vim)
		return false;
	struct observation *observation = observation_new(site->arena);
	if (!ops->observe(vim, &call, observation, error)) {
		observation_free(observation);
		return false;
	}
	site->vim = observation;
	for (guint i = 0; i < observation->accesses->len; i++) {
		const struct access *access = observation->accesses->pdata[i];
		g_hash_table_replace(site->accesses, UNCONST(access->key), UNCONST(access));
	}
	return true;
}

static void ask_kind(struct site_look *site, const struct kind_ops *kind)
{
	const struct call call = call_of(site);
	const struct look look = look_of(site);
	guint first = site->objects->len;
	if (!kind->observe(&call, &look, site->arena, site->objects, NULL)) {
		g_ptr_array_set_size(site->objects, (int) first);
		g_ptr_array_add(site->unseen_kinds, UNCONST(kind->kind));
		return;
	}
	for (guint i = first; i < site->objects->len; i++)
		keep_best(site->current, site->objects->pdata[i]);
}

static void site_work(void *data)
{
	struct site_look *site = data;
	site->lookup = (struct lookup) { find_vim, find_ems, find_access, find_secret, find_package, site };
	g_autoptr(GError) error = NULL;
	if (!ask_vim(site, &error)) {
		site->reason = g_strdup(error ? error->message : "the driver did not say why");
		return;
	}
	const struct registry *registry = site->run->input->registry;
	for (size_t i = 0; i < registry->n_kinds; i++)
		if (!registry->kinds[i]->kind->host)
			ask_kind(site, registry->kinds[i]);
}

/* --- what lives inside, in chunks ---------------------------------------------------------------------------------------- */

bool look_wants_key(const struct look_run *run, const char *key)
{
	return keys_have(run->input->keys, run->input->n_keys, key);
}

/* Is the host still what it was when its inside was last looked at? */
static bool host_is_as_before(const struct look_run *run, const struct object *host)
{
	const struct object *before = objects_find(run->input->before->objects, host->key);
	return before && before->incarnation == host->incarnation
	       && !strcmp(object_string(before, "state", ""), object_string(host, "state", ""));
}

static bool is_to_be_asked(struct site_look *site, const struct kind *kind, const char *key)
{
	auto_ptr(arena) arena = arena_new();
	const char *host_key = key_of_kind(arena, key, kind->host);
	const struct object *host = g_hash_table_lookup(site->current, host_key);
	if (!host)
		return false; /* gone with its host */
	const struct look_run *run = site->run;
	return !run->partial || look_wants_key(run, key) || look_wants_key(run, host_key) || !host_is_as_before(run, host)
	       || !objects_find(run->input->before->objects, key);
}

static void collect_keys(struct site_look *site, const struct kind *kind, struct objects objects, GHashTable *keys)
{
	for (size_t i = 0; i < objects.n; i++) {
		const struct object *object = objects.items[i];
		if (object->kind == kind && !strcmp(object->site, site->site->name) && !g_hash_table_contains(keys, object->key)
		    && is_to_be_asked(site, kind, object->key))
			g_hash_table_add(keys, UNCONST(object->key));
	}
}

static int text_order(gconstpointer a, gconstpointer b)
{
	const char *const *left = a, *const *right = b;
	return strcmp(*left, *right);
}

static void split(struct site_look *site, const struct kind_ops *kind)
{
	const struct observe_input *input = site->run->input;
	g_autoptr(GHashTable) keys = g_hash_table_new(g_str_hash, g_str_equal);
	if (input->desired)
		collect_keys(site, kind->kind, input->desired->objects, keys);
	collect_keys(site, kind->kind, input->last, keys);
	guint n = 0;
	g_autofree gpointer *names = g_hash_table_get_keys_as_array(keys, &n);
	qsort(names, n, sizeof(*names), text_order);
	for (guint from = 0; from < n; from += LOOK_CHUNK) {
		struct chunk *chunk = g_new0(struct chunk, 1);
		chunk->site = site;
		chunk->kind = kind;
		chunk->arena = arena_new();
		chunk->n = MIN(LOOK_CHUNK, n - from);
		chunk->keys = arena_memdup(chunk->arena, names + from, sizeof(*names) * chunk->n);
		chunk->objects = g_ptr_array_new();
		g_ptr_array_add(site->run->chunks, chunk);
	}
}

static void chunk_work(void *data)
{
	struct chunk *chunk = data;
	const struct call call = call_of(chunk->site);
	struct look look = look_of(chunk->site);
	look.keys = chunk->keys;
	look.n_keys = chunk->n;
	if (!chunk->kind->observe(&call, &look, chunk->arena, chunk->objects, NULL)) {
		g_ptr_array_set_size(chunk->objects, 0);
		chunk->unseen = true;
	}
}

/* --- the run ------------------------------------------------------------------------------------------------------------- */

static void work(struct look_run *run, pool_fn job, pool_fn done, void *data)
{
	run->outstanding++;
	if (run->inline_) {
		job(data);
		done(data);
	} else {
		pool_submit(run->input->pool, job, done, data);
	}
}

static void run_free(struct look_run *run)
{
	g_ptr_array_unref(run->chunks);
	g_ptr_array_unref(run->sites);
	g_free(run);
}

static void assemble_work(void *data)
{
	struct look_run *run = data;
	run->observed = look_assemble(run);
}

static void assemble_done(void *data)
{
	struct look_run *run = data;
	observe_done_fn done = run->done;
	void *done_data = run->data;
	struct observed *observed = run->observed;
	run_free(run);
	done(observed, done_data);
}

static void one_landed(struct look_run *run)
{
	if (--run->outstanding == 0)
		work(run, assemble_work, assemble_done, run);
}

static void chunk_done(void *data)
{
	one_landed(((struct chunk *) data)->site->run);
}

static void site_done(void *data)
{
	struct site_look *site = data;
	struct look_run *run = site->run;
	const struct registry *registry = run->input->registry;
	guint first = run->chunks->len;
	for (size_t i = 0; site->vim && i < registry->n_kinds; i++)
		if (registry->kinds[i]->kind->host)
			split(site, registry->kinds[i]);
	guint end = run->chunks->len;
	for (guint i = first; i < end; i++)
		work(run, chunk_work, chunk_done, run->chunks->pdata[i]);
	one_landed(run);
}

static void run_start(const struct observe_input *input, bool inline_, observe_done_fn done, void *data)
{
	struct look_run *run = g_new0(struct look_run, 1);
	run->input = input;
	run->done = done;
	run->data = data;
	run->inline_ = inline_;
	run->partial = input->keys && input->before;
	run->sites = g_ptr_array_new_with_free_func(site_look_free);
	run->chunks = g_ptr_array_new_with_free_func(chunk_free);
	for (size_t i = 0; input->desired && i < input->desired->n_sites; i++)
		add_site(run, input->desired->sites[i]);
	for (size_t i = 0; i < input->n_more_sites; i++)
		add_site(run, input->more_sites[i]);
	run->outstanding = 1; /* ours, so that it does not end before all are on their way */
	for (guint i = 0; i < run->sites->len; i++)
		work(run, site_work, site_done, run->sites->pdata[i]);
	one_landed(run);
}

void observe_start(const struct observe_input *input, observe_done_fn done, void *data)
{
	run_start(input, false, done, data);
}

static void keep_observed(struct observed *observed, void *data)
{
	struct observed **ret = data;
	*ret = observed;
}

struct observed *observe_now(const struct observe_input *input)
{
	struct observed *observed = NULL;
	run_start(input, true, keep_observed, &observed);
	return observed;
}
