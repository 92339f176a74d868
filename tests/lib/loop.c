#include "loop.h"

#include "base/clock.h"
#include "link/link_kind.h"
#include "model/key.h"
#include "nf/nf_kind.h"
#include "vnf/vnfc_kind.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>

/* --- the store ----------------------------------------------------------------------------------------------------------- */

struct loop_applied {
	struct arena *arena;
	const struct object *object;
};

struct pending {
	char *id;
	enum op_state state;
	char *key; /* of an applied entry; NULL for a record */
	struct loop_applied *applied;
};

static void applied_free(gpointer data)
{
	struct loop_applied *applied = data;
	if (!applied)
		return;
	arena_unref(applied->arena);
	g_free(applied);
}

static void pending_free(gpointer data)
{
	struct pending *pending = data;
	g_free(pending->id);
	g_free(pending->key);
	applied_free(pending->applied);
	g_free(pending);
}

static bool journal_begin(void *data)
{
	struct loop *loop = data;
	g_assert_false(loop->in_transaction);
	if (loop->dead || (loop->dies_at && loop->commits + 1 >= loop->dies_at))
		loop->dead = true;
	if (loop->dead)
		return false;
	loop->in_transaction = true;
	return true;
}

static bool journal_record(void *data, const struct operation *operation)
{
	struct loop *loop = data;
	g_assert_true(loop->in_transaction);
	g_assert_cmpint(operation->state, !=, OP_STARTING);
	g_assert_cmpuint(operation->attempt, >, 0);
	g_assert_true((operation->error != NULL)
		      == (operation->state == OP_FAILED || operation->state == OP_FAILED_TEMP || operation->state == OP_CANCELLED));
	struct pending *pending = g_new0(struct pending, 1);
	pending->id = g_strdup(operation->id);
	pending->state = operation->state;
	g_ptr_array_add(loop->pending, pending);
	loop->records++;
	return true;
}

static bool journal_applied(void *data, const char *key, const struct object *object, const struct operation *operation)
{
	struct loop *loop = data;
	g_assert_true(loop->in_transaction);
	g_assert_cmpint(operation->state, ==, OP_COMPLETED);
	struct pending *pending = g_new0(struct pending, 1);
	pending->key = g_strdup(key);
	if (object) {
		for (size_t i = 0; i < object->n_fields; i++)
			g_assert_true(value_is_known(object->fields[i].value));
		pending->applied = g_new0(struct loop_applied, 1);
		pending->applied->arena = arena_new();
		pending->applied->object = object_copy(pending->applied->arena, object);
	}
	g_ptr_array_add(loop->pending, pending);
	return true;
}

static bool journal_commit(void *data)
{
	struct loop *loop = data;
	g_assert_true(loop->in_transaction);
	pthread_mutex_lock(&loop->store_mutex);
	for (guint i = 0; i < loop->pending->len; i++) {
		struct pending *pending = loop->pending->pdata[i];
		if (pending->id)
			g_hash_table_replace(loop->operations, g_steal_pointer(&pending->id), GINT_TO_POINTER(pending->state + 1));
		else if (pending->applied)
			g_hash_table_replace(loop->applied, g_steal_pointer(&pending->key), g_steal_pointer(&pending->applied));
		else
			g_hash_table_remove(loop->applied, pending->key);
	}
	pthread_mutex_unlock(&loop->store_mutex);
	g_ptr_array_set_size(loop->pending, 0);
	loop->in_transaction = false;
	loop->commits++;
	if (loop->refuses_acts_at && loop->commits == loop->refuses_acts_at) {
		const struct fake_fault dead = { .call = FAKE_N_CALLS, .how = loop->half_acts ? FAKE_HALF : FAKE_BEFORE,
						 .code = PLEACH_ERROR_RETRY, .text = "killed" };
		fake_world_fault(loop->world, &dead);
		loop->dead = true;
	}
	return true;
}

static void journal_rollback(void *data)
{
	struct loop *loop = data;
	g_ptr_array_set_size(loop->pending, 0);
	loop->in_transaction = false;
}

static int applied_order(gconstpointer a, gconstpointer b)
{
	const struct object *const *left = a, *const *right = b;
	return strcmp((*left)->key, (*right)->key);
}

struct objects loop_last(struct loop *loop, struct arena *arena)
{
	g_autoptr(GPtrArray) items = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, loop->applied);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct loop_applied *applied = value;
		g_ptr_array_add(items, (gpointer) (uintptr_t) object_copy(arena, applied->object));
	}
	g_ptr_array_sort(items, applied_order);
	return objects_sorted(arena, (const struct object *const *) items->pdata, items->len);
}

/* --- drivers ------------------------------------------------------------------------------------------------------------- */

static struct vim *find_vim(const struct lookup *lookup, const char *name, const struct vim_ops **ret_ops, GError **error)
{
	struct loop *loop = lookup->data;
	pthread_mutex_lock(&loop->handles_mutex);
	struct vim *vim = g_hash_table_lookup(loop->vims, name);
	const struct site *site = network_site(loop->network, name);
	if (!vim && site && (vim = fake_vim_ops.open(site, error)))
		g_hash_table_insert(loop->vims, g_strdup(name), vim);
	else if (!vim && !site)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "there is no site %s", name);
	pthread_mutex_unlock(&loop->handles_mutex);
	*ret_ops = &fake_vim_ops;
	return vim;
}

static struct ems *find_ems(const struct lookup *lookup, const char *site_name, const char *name, const struct ems_ops **ret_ops,
			    GError **error)
{
	struct loop *loop = lookup->data;
	pthread_mutex_lock(&loop->handles_mutex);
	g_autofree char *id = g_strdup_printf("%s %s", site_name, name);
	struct ems *ems = g_hash_table_lookup(loop->emss, id);
	const struct site *site = network_site(loop->network, site_name);
	const struct driver_ref *which = site ? site_ems(site, name) : NULL;
	if (!ems && which && (ems = fake_ems_ops.open(site, which, error)))
		g_hash_table_insert(loop->emss, g_strdup(id), ems);
	else if (!ems && !which)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "there is no EMS %s", id);
	pthread_mutex_unlock(&loop->handles_mutex);
	*ret_ops = &fake_ems_ops;
	return ems;
}

static const struct access *no_access(const struct lookup *lookup, const char *vnfc_key)
{
	return NULL;
}

static char *no_secret(const struct lookup *lookup, const char *name, GError **error)
{
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no secret %s", name);
	return NULL;
}

static const struct package *no_package(const struct lookup *lookup, const char *digest, struct arena *arena, GError **error)
{
	const struct loop *loop = lookup->data;
	const struct package *package = loop->network ? network_package(loop->network, digest) : NULL;
	if (!package)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no package sha256:%s", digest);
	return package;
}

/* Nothing acts before it is written down. */
static void act_hook(const struct fake_event *event, void *data)
{
	struct loop *loop = data;
	if (event->call == FAKE_OBSERVE || event->call == FAKE_OBSERVE_NF)
		return;
	if (!event->ends) {
		pthread_mutex_lock(&loop->store_mutex);
		gpointer state = event->operation ? g_hash_table_lookup(loop->operations, event->operation) : NULL;
		loop->act_violations += GPOINTER_TO_INT(state) - 1 != OP_PROCESSING;
		loop->acts++;
		pthread_mutex_unlock(&loop->store_mutex);
	}
	if (loop->on_act)
		loop->on_act(loop, event, loop->data);
}

/* --- the loop ------------------------------------------------------------------------------------------------------------ */

static guint32 next_random(void *data)
{
	return g_rand_int(((struct loop *) data)->random);
}

static gint64 wall(void *data)
{
	struct loop *loop = data;
	return loop->wall_us += 10;
}

static void progress(const struct operation *operation, void *data)
{
	struct loop *loop = data;
	if (loop->on_progress)
		loop->on_progress(loop, operation, loop->data);
}

static void make_exec(struct loop *loop)
{
	const struct exec_options options = {
		.registry = &loop->registry,
		.pool = loop->pool,
		.lookup = &loop->lookup,
		.journal = { journal_begin, journal_record, journal_applied, journal_commit, journal_rollback, loop },
		.max_parallel_per_site = loop->max_parallel,
		.timeout_us = loop->timeout_us,
		.random = next_random,
		.wall = wall,
		.progress = progress,
		.data = loop,
	};
	loop->exec = exec_new(&options);
}

struct loop *loop_new(guint32 seed)
{
	static const struct kind_ops *const kinds[] = { &kind_link_ops, &kind_vnfc_ops, &kind_nf_ops };
	static const struct vim_ops *const vims[] = { &fake_vim_ops };
	static const struct ems_ops *const emss[] = { &fake_ems_ops };
	struct loop *loop = g_new0(struct loop, 1);
	loop->world = fake_world_new(LOOP_WORLD);
	loop->registry = (struct registry) { kinds, G_N_ELEMENTS(kinds), vims, G_N_ELEMENTS(vims), emss, G_N_ELEMENTS(emss) };
	loop->lookup = (struct lookup) { find_vim, find_ems, no_access, no_secret, no_package, loop };
	loop->pool = pool_new(2);
	loop->random = g_rand_new_with_seed(seed);
	loop->now_us = clock_monotonic_us();
	loop->wall_us = G_GINT64_CONSTANT(1760000000000000);
	pthread_mutex_init(&loop->handles_mutex, NULL);
	pthread_mutex_init(&loop->store_mutex, NULL);
	loop->vims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	loop->emss = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	loop->applied = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, applied_free);
	loop->operations = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	loop->pending = g_ptr_array_new_with_free_func(pending_free);
	fake_world_set_hook(loop->world, act_hook, loop);
	return loop;
}

static void close_handles(struct loop *loop)
{
	GHashTableIter iter;
	gpointer handle;
	g_hash_table_iter_init(&iter, loop->vims);
	while (g_hash_table_iter_next(&iter, NULL, &handle))
		fake_vim_ops.close(handle);
	g_hash_table_iter_init(&iter, loop->emss);
	while (g_hash_table_iter_next(&iter, NULL, &handle))
		fake_ems_ops.close(handle);
	g_hash_table_remove_all(loop->vims);
	g_hash_table_remove_all(loop->emss);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (pool_pending(loop->pool))
		loop_turn(loop);
	exec_free(loop->exec);
	pool_free(loop->pool);
	g_clear_pointer(&loop->plan, plan_unref);
	g_clear_pointer(&loop->observed, observed_unref);
	close_handles(loop);
	g_hash_table_unref(loop->vims);
	g_hash_table_unref(loop->emss);
	g_hash_table_unref(loop->applied);
	g_hash_table_unref(loop->operations);
	g_ptr_array_unref(loop->pending);
	fake_world_free(loop->world);
	g_rand_free(loop->random);
	pthread_mutex_destroy(&loop->handles_mutex);
	pthread_mutex_destroy(&loop->store_mutex);
	g_free(loop);
}

/* The handles hold on to a network's sites. */
static void take_network(struct loop *loop, const struct network *network)
{
	if (loop->network == network)
		return;
	close_handles(loop);
	loop->network = network;
}

static void keep_observed(struct observed *observed, void *data)
{
	struct loop *loop = data;
	g_clear_pointer(&loop->observed, observed_unref);
	loop->observed = observed;
}

static void wait_for_pool(struct loop *loop)
{
	struct pollfd ready = { .fd = pool_fd(loop->pool), .events = POLLIN };
	poll(&ready, 1, 1000);
	pool_dispatch(loop->pool);
}

void loop_observe(struct loop *loop, const struct network *network)
{
	take_network(loop, network);
	auto_ptr(arena) arena = arena_new();
	const struct observe_input input = {
		.registry = &loop->registry,
		.pool = loop->pool,
		.lookup = &loop->lookup,
		.desired = network,
		.last = loop_last(loop, arena),
		.cancel_fd = -1,
		.deadline_us = clock_monotonic_us() + 60 * G_USEC_PER_SEC,
		.wall_us = loop->wall_us,
	};
	g_clear_pointer(&loop->observed, observed_unref);
	observe_start(&input, keep_observed, loop);
	while (!loop->observed)
		wait_for_pool(loop);
}

static const struct caps *caps_of(const char *site, const struct kind *kind, void *data)
{
	static const struct cap_override overrides[] = { { "vnfc", "mem_bytes", COST_REPLACE }, { "vnfc", "vcpus", COST_RESTART } };
	static const struct caps replacing = { .driver = "fake", .max_parallel = 8, .overrides = overrides,
					       .n_overrides = G_N_ELEMENTS(overrides), .replace_beside = true };
	const struct loop *loop = data;
	if (kind->host)
		return fake_ems_ops.caps;
	return loop->replaces ? &replacing : fake_vim_ops.caps;
}

void loop_plan(struct loop *loop, const struct network *network)
{
	struct arena *arena = arena_new();
	const struct plan_input input = {
		.desired = network,
		.last = loop_last(loop, arena),
		.observed = loop->observed,
		.caps = caps_of,
		.held = loop->held,
		.data = loop,
	};
	g_clear_pointer(&loop->plan, plan_unref);
	loop->plan = plan_make(&input);
	arena_adopt(loop->plan->arena, arena);
	arena_unref(arena);
	if (!loop->exec)
		make_exec(loop);
}

void loop_turn(struct loop *loop)
{
	loop->now_us = MAX(loop->now_us + 1, clock_monotonic_us());
	if (loop->exec)
		exec_run(loop->exec, loop->now_us);
	if (pool_pending(loop->pool))
		wait_for_pool(loop);
}

bool loop_round(struct loop *loop)
{
	exec_start(loop->exec, loop->plan, loop->observed, loop->now_us);
	while (!exec_is_done(loop->exec)) {
		loop_turn(loop);
		if (loop->dead && !pool_pending(loop->pool))
			return false;
		gint64 wakeup_us = exec_next_wakeup(loop->exec);
		if (!pool_pending(loop->pool) && wakeup_us > loop->now_us)
			loop->now_us = wakeup_us;
	}
	return true;
}

bool loop_converge(struct loop *loop, const struct network *network, unsigned max_rounds)
{
	for (unsigned round = 0; round < max_rounds; round++) {
		loop_observe(loop, network);
		loop_plan(loop, network);
		if (!loop->plan->n_steps)
			return true;
		if (!loop_round(loop))
			return false;
		gint64 look_us = exec_next_look(loop->exec);
		if (!exec_succeeded(loop->exec) && look_us > loop->now_us)
			loop->now_us = look_us;
	}
	return false;
}

void loop_crash(struct loop *loop)
{
	while (pool_pending(loop->pool))
		wait_for_pool(loop);
	g_clear_pointer(&loop->exec, exec_free);
	g_clear_pointer(&loop->plan, plan_unref);
	g_clear_pointer(&loop->observed, observed_unref);
	g_ptr_array_set_size(loop->pending, 0);
	loop->in_transaction = loop->dead = loop->half_acts = false;
	loop->dies_at = loop->refuses_acts_at = 0;
	fake_world_heal(loop->world);
	close_handles(loop);
	loop->network = NULL;
	GHashTableIter iter;
	gpointer state;
	g_hash_table_iter_init(&iter, loop->operations);
	while (g_hash_table_iter_next(&iter, NULL, &state))
		if (GPOINTER_TO_INT(state) - 1 == OP_PROCESSING)
			g_hash_table_iter_replace(&iter, GINT_TO_POINTER(OP_CANCELLED + 1));
}

size_t loop_acts(struct loop *loop)
{
	pthread_mutex_lock(&loop->store_mutex);
	size_t acts = loop->acts;
	pthread_mutex_unlock(&loop->store_mutex);
	return acts;
}

/* --- checking ------------------------------------------------------------------------------------------------------------ */

static const struct object *object_there(struct loop *loop, struct arena *arena, const struct object *want)
{
	if (key_is_kind(want->key, "link")) {
		const struct link *link = fake_world_link(loop->world, want->site, want->key, arena);
		return link ? link_to_object(arena, link) : NULL;
	}
	if (key_is_kind(want->key, "vnfc")) {
		const struct vnfc *vnfc = fake_world_vnfc(loop->world, want->site, want->key, arena);
		return vnfc ? vnfc_to_object(arena, vnfc) : NULL;
	}
	const struct nf *nf = fake_world_nf(loop->world, want->site, want->key, arena);
	return nf ? nf_to_object(arena, nf) : NULL;
}

static const struct value *value_there(const char *key, const char *path, void *data)
{
	struct loop *loop = ((void **) data)[0];
	struct arena *arena = ((void **) data)[1];
	const struct object *want = objects_find(loop->network->objects, key);
	const struct object *there = want ? object_there(loop, arena, want) : NULL;
	return there ? object_value(there, path) : &value_absent;
}

void loop_check(struct loop *loop, const struct network *network)
{
	take_network(loop, network);
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GPtrArray) keep = g_ptr_array_new();
	void *lookup_data[] = { loop, arena };
	for (size_t i = 0; i < network->objects.n; i++) {
		const struct object *want = object_eval(arena, network->objects.items[i], value_there, lookup_data, NULL);
		const struct object *there = object_there(loop, arena, want);
		g_ptr_array_add(keep, (gpointer) (uintptr_t) want->key);
		if (!there)
			g_error("%s is not there", want->key);
		for (size_t k = 0; k < want->n_fields; k++) {
			const struct value *is = object_value(there, want->fields[k].path);
			if (!value_equal(want->fields[k].value, is))
				g_error("%s: %s is %s instead of %s", want->key, want->fields[k].path, value_text(arena, is),
					value_text(arena, want->fields[k].value));
		}
	}
	g_ptr_array_add(keep, NULL);
	g_autoptr(GPtrArray) leaks = fake_world_leaks(loop->world, LOOP_OWNER, (const char *const *) keep->pdata);
	for (guint i = 0; i < leaks->len; i++)
		g_error("leaked: %s", (const char *) leaks->pdata[i]);
	pthread_mutex_lock(&loop->store_mutex);
	g_assert_cmpuint(loop->act_violations, ==, 0);
	pthread_mutex_unlock(&loop->store_mutex);
	struct fake_counts counts = fake_world_counts(loop->world);
	g_assert_cmpuint(counts.overlaps, ==, 0);
	if (loop->max_parallel)
		g_assert_cmpuint(counts.most_at_once, <=, loop->max_parallel);
}
