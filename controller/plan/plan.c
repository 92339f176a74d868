#include "plan/plan.h"

#include "plan/internal.h"

#include <string.h>

const char *action_name(enum action action)
{
	switch (action) {
	case ACTION_CREATE:
		return "create";
	case ACTION_CHANGE:
		return "change";
	case ACTION_RESTART:
		return "restart";
	case ACTION_REPLACE:
		return "replace";
	case ACTION_REMOVE:
		return "remove";
	case ACTION_CLEAN:
		return "clean";
	}
	g_assert_not_reached();
}

const char *cause_name(enum cause cause)
{
	switch (cause) {
	case CAUSE_INTENT:
		return "intent";
	case CAUSE_DRIFT:
		return "drift";
	case CAUSE_INTENT_DRIFT:
		return "intent+drift";
	case CAUSE_UNATTRIBUTED:
		return "unattributed";
	}
	g_assert_not_reached();
}

/* What is handed out is the plan; beside it stands what finds a step by its key. */
struct indexed {
	struct plan plan;
	const struct step **by_key;
};

static int step_order(const void *a, const void *b)
{
	const struct step *left = *(const struct step *const *) a, *right = *(const struct step *const *) b;
	int order = strcmp(left->key, right->key);
	return order ? order : left < right ? -1 : left > right;
}

static void make_index(struct indexed *indexed)
{
	struct plan *plan = &indexed->plan;
	indexed->by_key = ARENA_ARRAY(plan->arena, const struct step *, plan->n_steps);
	for (size_t i = 0; i < plan->n_steps; i++)
		indexed->by_key[i] = &plan->steps[i];
	if (plan->n_steps)
		qsort(indexed->by_key, plan->n_steps, sizeof(*indexed->by_key), step_order);
}

static int unplanned_order(const void *a, const void *b)
{
	const struct unplanned *left = a, *right = b;
	int order = strcmp(left->key, right->key);
	if (!order)
		order = g_strcmp0(left->path, right->path);
	return order ? order : strcmp(left->reason, right->reason);
}

static void take_unplanned(struct planner *planner, struct plan *plan)
{
	g_array_sort(planner->unplanned, unplanned_order);
	plan->unplanned = arena_memdup(plan->arena, planner->unplanned->data, planner->unplanned->len * sizeof(struct unplanned));
	plan->n_unplanned = planner->unplanned->len;
	for (size_t i = 0; i < plan->n_unplanned; i++)
		plan->n_open += !plan->unplanned[i].advisory;
}

struct plan *plan_make(const struct plan_input *input)
{
	struct arena *arena = arena_new();
	arena_adopt(arena, input->desired->arena);
	arena_adopt(arena, input->observed->arena);
	if (input->last_arena)
		arena_adopt(arena, input->last_arena);
	struct planner planner = {
		.input = input,
		.arena = arena,
		.unplanned = g_array_new(FALSE, FALSE, sizeof(struct unplanned)),
		.changes = g_array_new(FALSE, FALSE, sizeof(struct field_change)),
		.waits = g_array_new(FALSE, FALSE, sizeof(size_t)),
		.keys = g_ptr_array_new(),
	};
	struct indexed *indexed = ARENA_NEW(arena, struct indexed);
	struct plan *plan = &indexed->plan;
	plan->arena = arena;
	plan->revision = arena_strdup(arena, input->desired->revision);
	known_make(&planner, input->former ? input->former->known : NULL);
	plan->known = planner.known;
	items_make(&planner);
	g_autofree size_t *resolution = items_resolution(&planner);
	for (size_t i = 0; i < planner.n_items; i++)
		decide(&planner, &planner.items[resolution[i]]);
	rename_note(&planner);
	order_steps(&planner, plan);
	take_unplanned(&planner, plan);
	known_settle(&planner);
	make_index(indexed);
	items_drop(&planner);
	g_array_unref(planner.unplanned);
	g_array_unref(planner.changes);
	g_array_unref(planner.waits);
	g_ptr_array_unref(planner.keys);
	return plan;
}

struct plan *plan_ref(struct plan *plan)
{
	arena_ref(plan->arena);
	return plan;
}

void plan_unref(struct plan *plan)
{
	if (plan)
		arena_unref(plan->arena);
}

const struct step *plan_step(const struct plan *plan, const char *key)
{
	const struct indexed *indexed = (const struct indexed *) plan;
	size_t low = 0, high = plan->n_steps;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(indexed->by_key[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < plan->n_steps && strcmp(indexed->by_key[low]->key, key) == 0;
	return found ? indexed->by_key[low] : NULL;
}

const struct value *plan_lookup(const char *key, const char *path, void *data)
{
	const struct observed *observed = data;
	const struct object *object = objects_find(observed->objects, key);
	if (!object)
		return &value_absent;
	if (observed_is_blind(observed, object->site))
		return &value_unknown;
	return object_value(object, path);
}
