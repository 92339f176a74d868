/* What the policies of drift (model/drift.h) make of what has drifted. */
#include "plan/internal.h"

static const struct drift_rule *rule_of(const struct planner *planner, const struct item *item, const char *path)
{
	const struct network *desired = planner->input->desired;
	return drift_find(desired->drift, desired->n_drift, item->key, item->desired->site, path);
}

static enum drift_mode mode_of(const struct drift_rule *rule)
{
	return rule ? rule->mode : DRIFT_ENFORCE;
}

enum drift_mode policy_of_gone(const struct planner *planner, struct item *item)
{
	if (planner->input->desired->n_drift == 0 || item->cause != CAUSE_DRIFT)
		return DRIFT_ENFORCE;
	const struct drift_rule *rule = rule_of(planner, item, NULL);
	item->reported = mode_of(rule) == DRIFT_REPORT ? rule : NULL;
	return mode_of(rule);
}

enum drift_mode policy_of_changes(struct planner *planner, struct item *item)
{
	const struct drift_rule *reported = NULL;
	if (planner->input->desired->n_drift == 0)
		return DRIFT_ENFORCE;
	for (guint i = 0; i < planner->changes->len; i++) {
		const struct field_change *change = &g_array_index(planner->changes, struct field_change, i);
		const struct drift_rule *rule = change->cause == CAUSE_DRIFT ? rule_of(planner, item, change->path) : NULL;
		if (mode_of(rule) == DRIFT_ENFORCE)
			return DRIFT_ENFORCE;
		if (!reported && rule->mode == DRIFT_REPORT)
			reported = rule;
	}
	if (!reported)
		return DRIFT_IGNORE;
	for (guint i = planner->changes->len; i-- > 0;)
		if (rule_of(planner, item, g_array_index(planner->changes, struct field_change, i).path)->mode == DRIFT_IGNORE)
			g_array_remove_index(planner->changes, i);
	item->reported = reported;
	return DRIFT_REPORT;
}

bool policy_lets_stand(const struct item *item)
{
	return item->reported && item->observed && !item_is_dead(item);
}
