/* What is not to be done now: steps whose key is held, those that would end what is held inside them, and those that come after such a
 * one. They stay in the plan, with the reason. */
#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

/* Does the act end what lives inside the object? */
static bool ends_hosted(enum action action)
{
	switch (action) {
	case ACTION_RESTART:
	case ACTION_REPLACE:
	case ACTION_REMOVE:
		return true;
	case ACTION_CREATE:
	case ACTION_CHANGE:
	case ACTION_CLEAN:
		return false;
	}
	g_assert_not_reached();
}

static const char *held(const struct planner *planner, const char *key)
{
	return planner->input->held(key, planner->arena, planner->input->data);
}

/* The step itself, or what it would take along. */
static const char *held_itself(const struct planner *planner, const struct step *step)
{
	static const struct kind *const kinds[] = { &kind_link, &kind_vnfc, &kind_nf };
	const struct kind *kind = kind_of_key(step->key);
	const char *reason = held(planner, step->key);
	for (size_t i = 0; !reason && kind && ends_hosted(step->action) && i < G_N_ELEMENTS(kinds); i++) {
		if (!kinds[i]->host || strcmp(kinds[i]->host, kind->name) != 0)
			continue;
		const char *hosted = key_of_kind(planner->arena, step->key, kinds[i]->name);
		size_t found = items_find(planner, hosted);
		const char *why = found == NO_ITEM || !planner->items[found].observed ? NULL : held(planner, hosted);
		if (why)
			reason = arena_printf(planner->arena, "%s is in it: %s", hosted, why);
	}
	return reason;
}

/* @root: for each step the index of the one that holds it up, so that a long chain is not told link by link. */
static const char *held_before(const struct planner *planner, const struct step *steps, size_t i, size_t *root)
{
	for (size_t j = 0; j < steps[i].n_after; j++) {
		size_t before = steps[i].after[j];
		if (!steps[before].held)
			continue;
		root[i] = root[before];
		const struct step *first = &steps[root[i]];
		return arena_printf(planner->arena, "comes after %s, which is held: %s", first->key, first->held);
	}
	return NULL;
}

static const struct item *item_of(const struct planner *planner, const struct step *step)
{
	size_t found = items_find(planner, step->key);
	return found == NO_ITEM ? NULL : &planner->items[found];
}

/* Drift that is only reported: what cleans up after a former incarnation is none. */
static const char *reported(const struct planner *planner, const struct step *step)
{
	const struct item *item = step->action == ACTION_CLEAN ? NULL : item_of(planner, step);
	const struct drift_rule *rule = item ? item->reported : NULL;
	return rule ? arena_printf(planner->arena, "drift is only reported (policy %s, %s:%u)", rule->name, rule->origin.file, rule->origin.line)
		    : NULL;
}

/* Where the object of @before stands and will stand as it is, @step need not wait, unless it is for a value of it. */
static bool need_not_wait(const struct planner *planner, const struct step *step, const struct step *before)
{
	const struct item *item = item_of(planner, step), *other = item_of(planner, before);
	if (before->action == ACTION_CLEAN || !policy_lets_stand(other))
		return false;
	for (size_t i = 0; i < item->n_waits; i++)
		if (&planner->items[item->waits[i]] == other)
			return false;
	return true;
}

/* @by_policy: which of the steps before it are held by a policy, and by nothing else. */
static void pass_by(const struct planner *planner, struct step *steps, struct step *step, const bool *by_policy)
{
	size_t *after = ARENA_ARRAY(planner->arena, size_t, step->n_after), n = 0;
	for (size_t i = 0; i < step->n_after; i++)
		if (!by_policy[step->after[i]] || !need_not_wait(planner, step, &steps[step->after[i]]))
			after[n++] = step->after[i];
	step->after = after;
	step->n_after = n;
}

size_t hold_steps(const struct planner *planner, struct step *steps, size_t n)
{
	size_t n_held = 0;
	bool policies = planner->input->desired->n_drift > 0;
	if (!planner->input->held && !policies)
		return 0;
	g_autofree size_t *root = g_new(size_t, n + 1);
	g_autofree bool *by_policy = g_new0(bool, n + 1);
	for (size_t i = 0; i < n; i++) {
		root[i] = i;
		steps[i].held = planner->input->held ? held_itself(planner, &steps[i]) : NULL;
		if (!steps[i].held && policies) {
			steps[i].held = reported(planner, &steps[i]);
			by_policy[i] = steps[i].held != NULL;
			pass_by(planner, steps, &steps[i], by_policy);
		}
		if (!steps[i].held)
			steps[i].held = held_before(planner, steps, i, root);
		n_held += steps[i].held != NULL;
	}
	return n_held;
}
