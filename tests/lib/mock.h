/* An exec with everything around it made of cardboard: kinds whose acts follow a script, a journal that can be told to fail, a plan put
 * together step by step, a clock that stands still until it is moved. For unit tests of exec/.
 */
#pragma once

#include "exec/exec.h"
#include "model/link.h"
#include "model/nf.h"
#include "model/vnfc.h"

#include "base/clock.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

struct mock_fault {
	const char *key;
	enum pleach_error code;
	unsigned times;
	enum act act; /* with @one_act: only this one */
	bool one_act;
};

struct mock {
	struct arena *arena;
	struct pool *pool;
	struct registry registry;
	struct lookup lookup;
	struct exec *exec;
	struct exec_options options;
	gint64 now_us, wall_us;
	GArray *steps;    /* struct step */
	pthread_mutex_t mutex;
	GString *acts;    /* "create link/a.b 1;…": in the order in which they began */
	GArray *faults;   /* struct mock_fault */
	GString *journal; /* "begin;record ID-less KEY STATE ATTEMPT;applied KEY;commit;" */
	GString *told;    /* "KEY STATE;…" */
	unsigned begin_fails, record_fails, commit_fails; /* so many times more */
	size_t begins, rollbacks;
	size_t under_way, most_under_way;
	bool waits_for_cancel; /* acts hang until they are cancelled */
	guint32 random;
	GHashTable *ids;
};

static struct mock *mock_current;

static bool mock_hangs(const struct call *call, GError **error)
{
	return call_wait(call, -1, POLLIN, error);
}

static bool mock_act(const struct call *call, enum act act, const struct object *want, const struct object *last, struct arena *arena,
		     const struct object **ret_got, const struct access **ret_access, GError **error)
{
	struct mock *mock = mock_current;
	pthread_mutex_lock(&mock->mutex);
	g_string_append_printf(mock->acts, "%s %s %u;", act_name(act), want->key, want->incarnation);
	mock->under_way++;
	mock->most_under_way = MAX(mock->most_under_way, mock->under_way);
	struct mock_fault *fault = NULL;
	for (guint i = 0; i < mock->faults->len && !fault; i++) {
		fault = &g_array_index(mock->faults, struct mock_fault, i);
		if (strcmp(fault->key, want->key) || !fault->times || (fault->one_act && fault->act != act))
			fault = NULL;
	}
	enum pleach_error code = fault ? fault->code : PLEACH_ERROR_RETRY;
	if (fault)
		fault->times--;
	bool hangs = mock->waits_for_cancel;
	pthread_mutex_unlock(&mock->mutex);
	g_usleep(500);
	bool good = !fault && (!hangs || mock_hangs(call, error));
	if (fault)
		g_set_error(error, PLEACH_ERROR, code, "the far side said no");
	if (good && act != ACT_REMOVE)
		*ret_got = want;
	pthread_mutex_lock(&mock->mutex);
	mock->under_way--;
	pthread_mutex_unlock(&mock->mutex);
	return good;
}

static bool mock_observe(const struct call *call, const struct look *look, struct arena *arena, GPtrArray *ret, GError **error)
{
	return true;
}

static const struct caps mock_caps = { .driver = "mock", .max_parallel = 4 };
static const struct vim_ops mock_vim = { .name = "mock", .caps = &mock_caps };
static const struct ems_ops mock_ems = { .name = "mock", .caps = &mock_caps };

static struct vim *mock_find_vim(const struct lookup *lookup, const char *site, const struct vim_ops **ret_ops, GError **error)
{
	*ret_ops = &mock_vim;
	return lookup->data;
}

static struct ems *mock_find_ems(const struct lookup *lookup, const char *site, const char *name, const struct ems_ops **ret_ops,
				 GError **error)
{
	*ret_ops = &mock_ems;
	return lookup->data;
}

static const struct access *mock_find_access(const struct lookup *lookup, const char *vnfc_key)
{
	return NULL;
}

static bool mock_begin(void *data)
{
	struct mock *mock = data;
	mock->begins++;
	if (mock->begin_fails) {
		mock->begin_fails--;
		return false;
	}
	g_string_append(mock->journal, "begin;");
	return true;
}

static bool mock_record(void *data, const struct operation *operation)
{
	struct mock *mock = data;
	if (mock->record_fails) {
		mock->record_fails--;
		return false;
	}
	g_hash_table_add(mock->ids, g_strdup(operation->id));
	g_string_append_printf(mock->journal, "%s %s %u;", operation->key, op_state_name(operation->state), operation->attempt);
	return true;
}

static bool mock_applied(void *data, const char *key, const struct object *object, const struct operation *operation)
{
	struct mock *mock = data;
	g_string_append_printf(mock->journal, "%s %s;", object ? "applied" : "gone", key);
	return true;
}

static bool mock_commit(void *data)
{
	struct mock *mock = data;
	if (mock->commit_fails) {
		mock->commit_fails--;
		return false;
	}
	g_string_append(mock->journal, "commit;");
	return true;
}

static void mock_rollback(void *data)
{
	struct mock *mock = data;
	mock->rollbacks++;
	g_string_append(mock->journal, "rollback;");
}

static guint32 mock_random(void *data)
{
	return ((struct mock *) data)->random;
}

static gint64 mock_wall(void *data)
{
	return ((struct mock *) data)->wall_us;
}

static void mock_progress(const struct operation *operation, void *data)
{
	struct mock *mock = data;
	g_string_append_printf(mock->told, "%s %s;", operation->key, op_state_name(operation->state));
}

static inline struct mock *mock_new(void)
{
	static const struct kind_ops link = { &kind_link, mock_observe, mock_act }, vnfc = { &kind_vnfc, mock_observe, mock_act },
				     nf = { &kind_nf, mock_observe, mock_act };
	static const struct kind_ops *const kinds[] = { &link, &vnfc, &nf };
	struct mock *mock = g_new0(struct mock, 1);
	mock->arena = arena_new();
	mock->pool = pool_new(2);
	mock->registry = (struct registry) { .kinds = kinds, .n_kinds = G_N_ELEMENTS(kinds) };
	mock->lookup = (struct lookup) { mock_find_vim, mock_find_ems, mock_find_access, NULL, NULL, mock };
	mock->now_us = clock_monotonic_us();
	mock->wall_us = 1000;
	mock->steps = g_array_new(FALSE, TRUE, sizeof(struct step));
	mock->acts = g_string_new(NULL);
	mock->journal = g_string_new(NULL);
	mock->told = g_string_new(NULL);
	mock->faults = g_array_new(FALSE, TRUE, sizeof(struct mock_fault));
	mock->ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	pthread_mutex_init(&mock->mutex, NULL);
	mock->options = (struct exec_options) {
		.registry = &mock->registry,
		.pool = mock->pool,
		.lookup = &mock->lookup,
		.journal = { mock_begin, mock_record, mock_applied, mock_commit, mock_rollback, mock },
		.backoff_min_us = 1000 * 1000,
		.backoff_max_us = 8000 * 1000,
		.random = mock_random,
		.wall = mock_wall,
		.progress = mock_progress,
		.data = mock,
	};
	mock_current = mock;
	return mock;
}

static inline void mock_free(struct mock *mock)
{
	exec_free(mock->exec);
	pool_free(mock->pool);
	g_array_unref(mock->steps);
	g_string_free(mock->acts, TRUE);
	g_string_free(mock->journal, TRUE);
	g_string_free(mock->told, TRUE);
	g_array_unref(mock->faults);
	g_hash_table_unref(mock->ids);
	pthread_mutex_destroy(&mock->mutex);
	arena_unref(mock->arena);
	g_free(mock);
}

static inline void mock_fail(struct mock *mock, const char *key, enum pleach_error code, unsigned times)
{
	struct mock_fault fault = { .key = key, .code = code, .times = times };
	g_array_append_val(mock->faults, fault);
}

static inline void mock_fail_act(struct mock *mock, const char *key, enum act act, enum pleach_error code)
{
	struct mock_fault fault = { .key = key, .code = code, .times = 1, .act = act, .one_act = true };
	g_array_append_val(mock->faults, fault);
}

static inline const struct object *mock_object(struct mock *mock, const char *key, unsigned incarnation, gint64 number)
{
	struct object_builder *builder = object_builder_new(mock->arena, key, "berlin", ORIGIN_NONE);
	if (key[0] == 'l')
		object_set_int(builder, "mtu", number, ORIGIN_NONE);
	else if (key[0] == 'v')
		object_set_int(builder, "mem_bytes", number, ORIGIN_NONE);
	else
		object_set_string(builder, "ems", "agent", ORIGIN_NONE);
	object_set_incarnation(builder, incarnation);
	return object_build(builder);
}

/* @after: indices, ended by SIZE_MAX. */
static inline struct step *mock_step(struct mock *mock, enum action action, const char *key, const size_t *after)
{
	struct step step = { .key = key, .site = "berlin", .action = action, .cause = CAUSE_INTENT, .incarnation = 1 };
	if (action != ACTION_REMOVE && action != ACTION_CLEAN)
		step.desired = mock_object(mock, key, 0, 1400);
	if (action != ACTION_CREATE)
		step.observed = mock_object(mock, key, 1, 1500);
	if (action == ACTION_REPLACE)
		step.incarnation = 2;
	while (after && after[step.n_after] != SIZE_MAX)
		step.n_after++;
	step.after = arena_memdup(mock->arena, after, sizeof(size_t) * step.n_after);
	g_array_append_val(mock->steps, step);
	return &g_array_index(mock->steps, struct step, mock->steps->len - 1);
}

#define AFTER(...) ((const size_t[]) { __VA_ARGS__, SIZE_MAX })

/* Starts an exec on the steps so far. */
static inline void mock_start(struct mock *mock)
{
	if (!mock->exec)
		mock->exec = exec_new(&mock->options);
	struct arena *arena = arena_new();
	arena_adopt(arena, mock->arena);
	struct plan *plan = ARENA_NEW(arena, struct plan);
	plan->arena = arena;
	plan->revision = "0123456789abcdef";
	plan->steps = arena_memdup(arena, mock->steps->data, sizeof(struct step) * mock->steps->len);
	plan->n_steps = mock->steps->len;
	struct arena *seen = arena_new();
	arena_adopt(seen, mock->arena);
	struct observed *observed = ARENA_NEW(seen, struct observed);
	observed->arena = seen;
	GPtrArray *objects = g_ptr_array_new();
	for (guint i = 0; i < mock->steps->len; i++) {
		const struct object *object = g_array_index(mock->steps, struct step, i).observed;
		if (object && g_array_index(mock->steps, struct step, i).action != ACTION_CLEAN)
			g_ptr_array_add(objects, (gpointer) (uintptr_t) object);
	}
	observed->objects = objects_sorted(seen, (const struct object *const *) objects->pdata, objects->len);
	g_ptr_array_unref(objects);
	exec_start(mock->exec, plan, observed, mock->now_us);
	plan_unref(plan);
	observed_unref(observed);
}

/* One turn: starts, and waits for what was started. */
static inline void mock_turn(struct mock *mock)
{
	exec_run(mock->exec, mock->now_us);
	while (pool_pending(mock->pool)) {
		struct pollfd ready = { .fd = pool_fd(mock->pool), .events = POLLIN };
		poll(&ready, 1, 1000);
		pool_dispatch(mock->pool);
	}
}

/* To the end of the round, moving the clock to every wakeup. */
static inline void mock_finish(struct mock *mock)
{
	while (!exec_is_done(mock->exec)) {
		mock_turn(mock);
		gint64 wakeup_us = exec_next_wakeup(mock->exec);
		if (wakeup_us > mock->now_us)
			mock->now_us = wakeup_us;
	}
}

static inline enum op_state mock_state(struct mock *mock, size_t step)
{
	const struct operation *operation = exec_operation(mock->exec, step);
	g_assert_nonnull(operation);
	return operation->state;
}
