#include "report/view.h"

#include "model/key.h"

#include <stdlib.h>
#include <string.h>

const struct operation *input_operation(const struct report_input *input, const char *key)
{
	return input->operation ? input->operation(key, input->data) : NULL;
}

const char *condition_name(enum condition condition)
{
	static const char *const names[] = {
		[CONDITION_READY] = "Ready",       [CONDITION_CREATING] = "Creating", [CONDITION_CHANGING] = "Changing",
		[CONDITION_REMOVING] = "Removing", [CONDITION_WAITING] = "Waiting",   [CONDITION_DRIFTED] = "Drifted",
		[CONDITION_RETRYING] = "Retrying", [CONDITION_FAILED] = "Failed",     [CONDITION_HELD] = "Held",
		[CONDITION_UNKNOWN] = "Unknown",
	};
	return names[condition];
}

enum mark condition_mark(enum condition condition)
{
	switch (condition) {
	case CONDITION_READY:
		return MARK_GOOD;
	case CONDITION_CREATING:
	case CONDITION_CHANGING:
	case CONDITION_REMOVING:
	case CONDITION_WAITING:
		return MARK_WAIT;
	case CONDITION_DRIFTED:
	case CONDITION_RETRYING:
	case CONDITION_FAILED:
	case CONDITION_HELD:
	case CONDITION_UNKNOWN:
		return MARK_BAD;
	}
	g_assert_not_reached();
}

static const char *blind_reason(const struct report_input *input, const char *site)
{
	for (size_t i = 0; input->observed && i < input->observed->blind.n; i++) {
		if (strcmp(input->observed->blind.sites[i], site) == 0)
			return input->observed->blind.reasons[i];
	}
	return NULL;
}

static enum condition condition_of_action(enum action action)
{
	switch (action) {
	case ACTION_CREATE:
		return CONDITION_CREATING;
	case ACTION_CHANGE:
	case ACTION_RESTART:
	case ACTION_REPLACE:
		return CONDITION_CHANGING;
	case ACTION_REMOVE:
	case ACTION_CLEAN:
		return CONDITION_REMOVING;
	}
	g_assert_not_reached();
}

/* The step that @step waits for: the first of those before it that has not completed. */
static const char *waits_for(const struct report_input *input, const struct step *step)
{
	for (size_t i = 0; i < step->n_after; i++) {
		const struct step *before = &input->plan->steps[step->after[i]];
		const struct operation *operation = input_operation(input, before->key);
		if (!operation || operation->state != OP_COMPLETED)
			return before->key;
	}
	for (size_t i = 0; i < step->n_changes; i++) {
		if (step->changes[i].waits_for)
			return step->changes[i].waits_for;
	}
	return NULL;
}

static void judge_waiting(const struct view *view, struct entry *entry)
{
	bool drift = entry->step->cause == CAUSE_DRIFT;
	entry->waits_for = waits_for(view->input, entry->step);
	entry->condition = drift ? CONDITION_DRIFTED : CONDITION_WAITING;
	if (drift && entry->step->action == ACTION_CREATE)
		entry->reason = "is gone";
	else if (entry->waits_for)
		entry->reason = arena_printf(view->arena, "to %s, after %s", action_name(entry->step->action), entry->waits_for);
	else
		entry->reason = arena_printf(view->arena, "to %s", action_name(entry->step->action));
}

/* "drifted, held: suspended by …" */
static const char *held_text(const struct view *view, const struct entry *entry)
{
	const struct step *step = entry->step;
	const char *what = step->cause != CAUSE_DRIFT ? arena_printf(view->arena, "to %s", action_name(step->action))
			   : step->action == ACTION_CREATE ? "is gone"
							   : "drifted";
	return arena_printf(view->arena, "%s; held: %s", what, step->held);
}

/* What failed for good is held: who reads it is to know how it goes on. */
static const char *failed_text(const struct view *view, const struct entry *entry)
{
	g_autofree char *words = g_strdup(entry->operation->error ? entry->operation->error : "failed");
	return arena_printf(view->arena, "%s; held until that changes, or: pleach sync %s", g_strchomp(words), entry->key);
}

/* What there is to do decides. False: it is done. */
static bool judge_step(const struct view *view, struct entry *entry)
{
	const struct operation *operation = entry->operation;
	if (entry->step->held) {
		entry->condition = CONDITION_HELD;
		entry->reason = held_text(view, entry);
		return true;
	}
	if (!operation) {
		judge_waiting(view, entry);
		return true;
	}
	switch (operation->state) {
	case OP_STARTING:
	case OP_PROCESSING:
		entry->condition = condition_of_action(operation->action);
		if (operation->attempt > 1)
			entry->reason = arena_printf(view->arena, "attempt %u", operation->attempt);
		return true;
	case OP_FAILED_TEMP:
		entry->condition = CONDITION_RETRYING;
		entry->reason = arena_printf(view->arena, "attempt %u: %s", operation->attempt,
					     operation->error ? operation->error : "failed");
		return true;
	case OP_FAILED:
		entry->condition = CONDITION_FAILED;
		entry->reason = failed_text(view, entry);
		return true;
	case OP_CANCELLED:
		judge_waiting(view, entry);
		return true;
	case OP_COMPLETED:
		entry->gone = operation->action == ACTION_REMOVE;
		return false;
	}
	g_assert_not_reached();
}

/* Nothing is to be done: what it says of itself. */
static void judge_observed(const struct view *view, struct entry *entry)
{
	const char *state = entry->observed ? object_string(entry->observed, "state", "") : "";
	if (entry->operation && entry->operation->state == OP_COMPLETED)
		return; /* what was observed may be older than that */
	if (!entry->observed) {
		entry->condition = CONDITION_WAITING;
		entry->reason = view->input->plan ? "not there" : "no plan yet";
		entry->gone = !entry->desired;
	} else if (entry->kind == &kind_nf && strcmp(state, "failed") == 0) {
		entry->condition = CONDITION_FAILED;
		entry->reason = object_string(entry->observed, "reason", NULL);
	} else if (entry->kind == &kind_nf && strcmp(state, "starting") == 0) {
		entry->condition = CONDITION_CHANGING;
		entry->reason = "starting";
	} else if (entry->kind == &kind_vnfc && entry->observed && *state && strcmp(state, "running") != 0) {
		entry->condition = CONDITION_FAILED;
		entry->reason = object_string(entry->observed, "exit", state);
	}
}

static void judge(const struct view *view, struct entry *entry)
{
	const char *blind = blind_reason(view->input, entry->site);
	if (blind) {
		entry->condition = CONDITION_UNKNOWN;
		entry->reason = arena_printf(view->arena, "site %s cannot be looked at: %s", entry->site, blind);
		return;
	}
	if (entry->step && judge_step(view, entry))
		return;
	if (!entry->step && entry->unplanned) {
		entry->condition = g_str_has_prefix(entry->unplanned->reason, "unknown") ? CONDITION_UNKNOWN : CONDITION_HELD;
		entry->reason = entry->unplanned->path
					? arena_printf(view->arena, "%s: %s", entry->unplanned->path, entry->unplanned->reason)
					: entry->unplanned->reason;
		return;
	}
	judge_observed(view, entry);
}

static struct objects desired_of(const struct report_input *input)
{
	return input->desired ? input->desired->objects : (struct objects) { 0 };
}

static struct objects observed_of(const struct report_input *input)
{
	return input->observed ? input->observed->objects : (struct objects) { 0 };
}

static const char *head_of(struct objects objects, size_t at)
{
	return at < objects.n ? objects.items[at]->key : NULL;
}

static const char *least(const char *a, const char *b)
{
	return !a ? b : !b ? a : strcmp(a, b) <= 0 ? a : b;
}

/* One merge over three sorted lists. */
static void merge(struct view *view)
{
	struct objects lists[] = { desired_of(view->input), view->input->last, observed_of(view->input) };
	size_t at[G_N_ELEMENTS(lists)] = { 0 };
	view->entries = ARENA_ARRAY(view->arena, struct entry, lists[0].n + lists[1].n + lists[2].n);
	for (;;) {
		const char *key = least(least(head_of(lists[0], at[0]), head_of(lists[1], at[1])), head_of(lists[2], at[2]));
		if (!key)
			break;
		struct entry *entry = &view->entries[view->n++];
		const struct object **into[] = { &entry->desired, &entry->last, &entry->observed };
		const struct object *any = NULL;
		for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
			const char *head = head_of(lists[i], at[i]);
			if (head && strcmp(head, key) == 0)
				*into[i] = lists[i].items[at[i]++];
			any = any ? any : *into[i];
		}
		entry->key = key;
		entry->kind = any->kind;
		entry->site = any->site;
		g_hash_table_insert(view->index, (gpointer) (guintptr) key, entry);
	}
}

static void add_plan(struct view *view)
{
	const struct plan *plan = view->input->plan;
	for (size_t i = 0; plan && i < plan->n_steps; i++) {
		struct entry *entry = view_find(view, plan->steps[i].key);
		if (!entry || entry->step || plan->steps[i].action == ACTION_CLEAN)
			continue;
		entry->step = &plan->steps[i];
		entry->operation = input_operation(view->input, entry->key);
		/* The key may have another step, which takes a leftover away: that operation says nothing of this one. */
		if (entry->operation && entry->operation->action != entry->step->action)
			entry->operation = NULL;
	}
	for (size_t i = 0; plan && i < plan->n_unplanned; i++) {
		struct entry *entry = view_find(view, plan->unplanned[i].key);
		if (entry && !entry->unplanned && !plan->unplanned[i].advisory)
			entry->unplanned = &plan->unplanned[i];
	}
}

const char *view_vnf_path(struct arena *arena, const char *vnfc_key)
{
	const char *path = key_path(vnfc_key), *end = path + strlen(path);
	for (int dots = 0; end > path && dots < 2; dots++) {
		while (end > path && *--end != '.')
			continue;
	}
	return arena_strndup(arena, path, (size_t) (end - path));
}

unsigned condition_gravity(enum condition condition)
{
	static const unsigned char of[] = {
		[CONDITION_READY] = 0,   [CONDITION_REMOVING] = 1, [CONDITION_WAITING] = 2, [CONDITION_CREATING] = 3,
		[CONDITION_CHANGING] = 3, [CONDITION_DRIFTED] = 4,  [CONDITION_HELD] = 5,    [CONDITION_RETRYING] = 6,
		[CONDITION_UNKNOWN] = 7, [CONDITION_FAILED] = 8,
	};
	return of[condition];
}

static void blame(struct aggregate *aggregate, const struct entry *entry)
{
	if (condition_gravity(entry->condition) > condition_gravity(aggregate->condition)) {
		aggregate->condition = entry->condition;
		aggregate->reason = entry->reason;
		aggregate->culprit = entry->key;
	}
}

static int compare_aggregates(const void *a, const void *b)
{
	return strcmp(((const struct aggregate *) a)->key, ((const struct aggregate *) b)->key);
}

/* What is left as it is, because its descriptor is faulty, was wanted when that was last known. */
static bool is_wanted(const struct entry *entry)
{
	return entry->desired || (entry->condition == CONDITION_HELD && entry->last);
}

static bool is_up(const struct entry *entry)
{
	if (entry->condition == CONDITION_READY)
		return true;
	if (entry->condition != CONDITION_HELD || entry->desired || !entry->observed)
		return false;
	const char *state = object_string(entry->observed, "state", "");
	return g_str_equal(state, "running") || g_str_equal(state, "started");
}

static void aggregate(struct view *view)
{
	view->aggregates = ARENA_ARRAY(view->arena, struct aggregate, view->n);
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < view->n; i++) {
		struct entry *entry = &view->entries[i];
		if (entry->kind != &kind_vnfc || entry->gone)
			continue;
		const char *key = arena_printf(view->arena, "vnf/%s", view_vnf_path(view->arena, entry->key));
		struct aggregate *into = g_hash_table_lookup(known, key);
		if (!into) {
			into = &view->aggregates[view->n_aggregates++];
			into->key = key;
			into->first = entry;
			g_hash_table_insert(known, (gpointer) (guintptr) key, into);
		}
		if (into->last)
			into->last->next = entry;
		into->last = entry;
		blame(into, entry);
		const struct entry *nf = view_find(view, key_of_kind(view->arena, entry->key, "nf"));
		if (nf && !nf->gone)
			blame(into, nf);
		into->wanted += is_wanted(entry);
		into->ready += is_wanted(entry) && is_up(entry) && (!nf || nf->gone || is_up(nf));
	}
	if (view->n_aggregates > 1)
		qsort(view->aggregates, view->n_aggregates, sizeof(struct aggregate), compare_aggregates);
}

struct view *view_new(const struct report_input *input)
{
	struct view *view = g_new0(struct view, 1);
	view->input = input;
	view->arena = arena_new();
	view->index = g_hash_table_new(g_str_hash, g_str_equal);
	merge(view);
	add_plan(view);
	for (size_t i = 0; i < view->n; i++)
		judge(view, &view->entries[i]);
	aggregate(view);
	return view;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	g_hash_table_unref(view->index);
	arena_unref(view->arena);
	g_free(view);
}

struct entry *view_find(const struct view *view, const char *key)
{
	return g_hash_table_lookup(view->index, key);
}

const struct aggregate *view_aggregate(const struct view *view, const char *key)
{
	for (size_t i = 0; i < view->n_aggregates; i++) {
		if (strcmp(view->aggregates[i].key, key) == 0)
			return &view->aggregates[i];
	}
	return NULL;
}

bool is_asked_for(struct arena *arena, const char *only, const char *key)
{
	if (!only || strcmp(only, key) == 0)
		return true;
	if (key_is_kind(only, "service"))
		return strcmp(key_service(arena, key), key_path(only)) == 0;
	bool is_nf = key_is_kind(key, "nf"), is_vnfc = key_is_kind(key, "vnfc");
	const char *vnf_path = is_nf || is_vnfc ? view_vnf_path(arena, key) : NULL;
	if (vnf_path && key_is_kind(only, "vnf") && strcmp(key_path(only), vnf_path) == 0)
		return true;
	return is_nf && key_is_kind(only, "vnfc") && strcmp(key_path(only), key_path(key)) == 0;
}
