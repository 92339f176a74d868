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

size_t hold_steps(const struct planner *planner, struct step *steps, size_t n)
{
	size_t n_held = 0;
	if (!planner->input->held)
		return 0;
	g_autofree size_t *root = g_new(size_t, n + 1);
	for (size_t i = 0; i < n; i++) {
		root[i] = i;
		steps[i].held = held_itself(planner, &steps[i]);
		if (!steps[i].held)
			steps[i].held = held_before(planner, steps, i, root);
		n_held += steps[i].held != NULL;
	}
	return n_held;
}
