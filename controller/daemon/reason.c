#include "daemon/reason.h"

char *reason_of(const struct cycle_view *now)
{
	const struct plan *plan = now->plan;
	for (size_t i = 0; plan && i < plan->n_steps; i++) {
		const struct operation *operation = exec_operation(now->exec, i);
		/* That a plan was given up for a newer one is no reason: what failed before it is. */
		if (operation && operation->error && operation->state != OP_CANCELLED)
			return g_strdup_printf("%s: %s", operation->key, operation->error);
	}
	for (size_t i = 0; plan && i < plan->n_unplanned; i++)
		if (!plan->unplanned[i].advisory)
			return g_strdup_printf("%s: %s", plan->unplanned[i].key, plan->unplanned[i].reason);
	for (size_t i = 0; plan && i < plan->n_steps; i++)
		if (plan->steps[i].held)
			return g_strdup_printf("%s: held: %s", plan->steps[i].key, plan->steps[i].held);
	return NULL;
}
