/* What the performance monitor watches of a network function: the triggers of tosca.policies.nfv.VnfIndicator (SOL001, 6.10.11). */
#include "desired/internal.h"
#include "model/key.h"
#include "model/metric.h"

#include <string.h>

static bool is_compared(const char *constraint)
{
	static const char *const known[] = { "equal", "greater_or_equal", "greater_than", "less_or_equal", "less_than", NULL };

	return g_strv_contains(known, constraint);
}

/* "busy", or "busy-high" where the policy has several, or "busy-high-2" for the next comparison of the same trigger. */
static const char *name_of(struct run *run, const struct tpolicy *policy, size_t index)
{
	const struct ttrigger *trigger = &policy->triggers[index];
	unsigned nth = 1;

	if (policy->n_triggers == 1)
		return key_segment(run->arena, policy->name);
	for (size_t i = 0; i < index; i++)
		nth += strcmp(policy->triggers[i].name, trigger->name) == 0 ? 1 : 0;
	const char *name = arena_printf(run->arena, "%s-%s", policy->name, trigger->name);
	return key_segment(run->arena, nth == 1 ? name : arena_printf(run->arena, "%s-%u", name, nth));
}

static void add(struct run *run, const struct tpolicy *policy, GArray *presets)
{
	for (size_t i = 0; i < policy->n_triggers; i++) {
		const struct ttrigger *trigger = &policy->triggers[i];
		if (!is_compared(trigger->constraint)) {
			not_kept(run, trigger->origin, "the comparison \"%s\" of the trigger \"%s\"", trigger->constraint,
				 trigger->name);
			continue;
		}
		enum metric metric;
		if (!metric_parse(trigger->attribute, &metric)) {
			not_kept(run, trigger->origin, "the indicator \"%s\" (what is measured is cpu_percent, mem_bytes, disk_bytes, processes, and "
				 "of rx and tx _bits_per_s, _packets_per_s and _drops_per_s)", trigger->attribute);
			continue;
		}
		const char *name = name_of(run, policy, i);
		struct preset fields[] = {
			{ arena_printf(run->arena, "indicator.%s.metric", name), value_string(run->arena, trigger->attribute),
			  trigger->origin },
			{ arena_printf(run->arena, "indicator.%s.compare", name), value_string(run->arena, trigger->constraint),
			  trigger->origin },
			{ arena_printf(run->arena, "indicator.%s.value", name), value_float(run->arena, trigger->value),
			  trigger->origin },
		};
		g_array_append_vals(presets, fields, G_N_ELEMENTS(fields));
	}
}

void indicators_compile(struct run *run, const struct ttopology *topology, const char *vnf, GArray *presets)
{
	for (size_t i = 0; i < topology->n_policies; i++) {
		const struct tpolicy *policy = &topology->policies[i];
		bool concerns = !vnf || policy->n_targets == 0;
		for (size_t j = 0; j < policy->n_targets && !concerns; j++)
			concerns = strcmp(policy->targets[j], vnf) == 0;
		if (concerns && policy->type && ttype_is_a(policy->type, "tosca.policies.nfv.VnfIndicator"))
			add(run, policy, presets);
	}
}
