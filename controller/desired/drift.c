/* What becomes of what changed behind the operator's back: policies of type pleach.policies.Drift. */
#include "desired/internal.h"

#include "model/key.h"

#include <string.h>

/* Services and sites of the same file; tosca/ has checked that there are nodes of those names. False: there are targets, but none that a
 * rule could be about. */
static bool read_targets(struct run *run, const struct ttopology *topology, const struct tpolicy *policy, struct drift_rule *rule)
{
	const char **services = ARENA_ARRAY(run->arena, const char *, policy->n_targets);
	const char **sites = ARENA_ARRAY(run->arena, const char *, policy->n_targets);

	for (size_t i = 0; i < policy->n_targets; i++) {
		const struct tnode *node = ttopology_node(topology, policy->targets[i]);
		if (node && tnode_is_a(node, "pleach.nodes.Site"))
			sites[rule->n_sites++] = node->name;
		else if (node && tnode_is_a(node, "pleach.nodes.NetworkService"))
			services[rule->n_services++] = key_segment(run->arena, node->name);
		else
			not_kept(run, policy->origin, "the target \"%s\" of the policy \"%s\"", policy->targets[i], policy->name);
	}
	rule->services = services;
	rule->sites = sites;
	return policy->n_targets == 0 || rule->n_services + rule->n_sites > 0;
}

static void add(struct run *run, const struct ttopology *topology, const struct tpolicy *policy)
{
	struct drift_rule rule = { .name = policy->name, .severity = DRIFT_WARNING, .origin = policy->origin };
	const struct tvalue *mode = tnamed_get(policy->properties, "mode"), *severity = tnamed_get(policy->properties, "severity");

	if (!mode || !drift_mode_parse(tvalue_string(mode, ""), &rule.mode)) {
		not_kept(run, mode ? mode->origin : policy->origin, "the mode \"%s\" of the policy \"%s\"", tvalue_string(mode, ""), policy->name);
		return;
	}
	if (run->drift->len >= DRIFT_RULES_MAX) {
		run_say(run, SEVERITY_ERROR, "too-many-policies", policy->origin, "more than %d policies of drift", DRIFT_RULES_MAX);
		return;
	}
	if (severity && !drift_severity_parse(tvalue_string(severity, ""), &rule.severity))
		not_kept(run, severity->origin, "the severity \"%s\" of the policy \"%s\"", tvalue_string(severity, ""), policy->name);
	rule.objects = policy_names(run, policy, "objects", &rule.n_objects);
	rule.fields = policy_names(run, policy, "fields", &rule.n_fields);
	if (read_targets(run, topology, policy, &rule))
		g_array_append_val(run->drift, rule);
}

void drift_take(struct run *run, const struct ttopology *topology)
{
	for (size_t i = 0; i < topology->n_policies; i++)
		if (topology->policies[i].type && ttype_is_a(topology->policies[i].type, "pleach.policies.Drift"))
			add(run, topology, &topology->policies[i]);
}

static int by_origin(const void *a, const void *b)
{
	const struct drift_rule *x = a, *y = b;
	int order = g_strcmp0(x->origin.file, y->origin.file);

	if (order == 0)
		order = x->origin.line < y->origin.line ? -1 : x->origin.line > y->origin.line;
	return order;
}

/* --- equally exact -------------------------------------------------------------------------------------------------------- */

struct rivals {
	struct run *run;
	const struct drift_rule **rules; /* those that speak of the object at hand */
	size_t n;
	GHashTable *said; /* pairs: policy that came second → itself */
};

/* Two that count most and are equally exact. */
static void compare(struct rivals *rivals, const struct object *object, const char *path)
{
	const struct drift_rule *first = NULL, *second = NULL;
	unsigned best = 0;

	for (size_t i = 0; i < rivals->n; i++) {
		unsigned exactness = drift_exactness(rivals->rules[i], object->key, object->site, path);
		if (exactness > best) {
			best = exactness;
			first = rivals->rules[i];
			second = NULL;
		} else if (exactness && exactness == best && !second) {
			second = rivals->rules[i];
		}
	}
	if (second && g_hash_table_add(rivals->said, (gpointer) (guintptr) second))
		run_say(rivals->run, SEVERITY_ERROR, "equally-exact", second->origin,
			"the policies \"%s\" (%s:%u) and \"%s\" are equally exact for %s%s%s: which of them counts is not said", first->name,
			first->origin.file, first->origin.line, second->name, path ? path : "", path ? " of " : "", object->key);
}

/* Paths matter only where a rule names some. */
static bool names_fields(const struct rivals *rivals)
{
	for (size_t i = 0; i < rivals->n; i++)
		for (size_t j = 0; j < rivals->rules[i]->n_fields; j++)
			if (strcmp(rivals->rules[i]->fields[j], "**") != 0)
				return true;
	return false;
}

static bool speaks_of(const struct drift_rule *rule, const struct object *object)
{
	static const char *const all[] = { "**" };
	struct drift_rule any = *rule;

	any.fields = all;
	any.n_fields = 1;
	return drift_exactness(&any, object->key, object->site, NULL) != 0;
}

static void check(struct run *run, const struct drift_rule *rules, size_t n, struct objects objects)
{
	g_autofree const struct drift_rule **chosen = g_new(const struct drift_rule *, n + 1);
	g_autoptr(GHashTable) said = g_hash_table_new(NULL, NULL);
	struct rivals rivals = { run, chosen, 0, said };

	for (size_t i = 0; n > 1 && i < objects.n; i++) {
		const struct object *object = objects.items[i];
		rivals.n = 0;
		for (size_t j = 0; j < n; j++)
			if (speaks_of(&rules[j], object))
				chosen[rivals.n++] = &rules[j];
		if (rivals.n < 2)
			continue;
		compare(&rivals, object, NULL);
		for (size_t j = 0; names_fields(&rivals) && j < object->n_fields; j++)
			compare(&rivals, object, object->fields[j].path);
	}
}

const struct drift_rule *drift_gather(struct run *run, struct objects objects, size_t *ret_n)
{
	g_array_sort(run->drift, by_origin);
	const struct drift_rule *rules = arena_memdup(run->arena, run->drift->data, run->drift->len * sizeof(struct drift_rule));
	*ret_n = run->drift->len;
	check(run, rules, *ret_n, objects);
	return rules;
}
