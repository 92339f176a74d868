/* Who may do what to which object: policies of type pleach.policies.Access. */
#include "desired/internal.h"

#include <string.h>

const char *const *policy_names(struct run *run, const struct tpolicy *policy, const char *property, size_t *ret_n)
{
	const struct tvalue *list = tnamed_get(policy->properties, property);
	size_t n = list && list->type == TV_LIST ? list->list.n : 0;
	const char **names = ARENA_ARRAY(run->arena, const char *, n);

	*ret_n = 0;
	if (n > ACCESS_NAMES_MAX)
		run_say(run, SEVERITY_ERROR, "too-many-names", list->origin, "%s of the policy \"%s\" are %zu; %d are allowed", property,
			policy->name, n, ACCESS_NAMES_MAX);
	for (size_t i = 0; i < MIN(n, ACCESS_NAMES_MAX); i++) {
		const char *name = tvalue_string(list->list.items[i], "");
		if (*name && strlen(name) <= ACCESS_NAME_MAX_BYTES)
			names[(*ret_n)++] = name;
		else
			run_say(run, SEVERITY_ERROR, "bad-name", list->list.items[i]->origin,
				"a name in %s of the policy \"%s\" has from 1 to %d bytes", property, policy->name, ACCESS_NAME_MAX_BYTES);
	}
	return names;
}

static unsigned read_verbs(struct run *run, const struct tpolicy *policy)
{
	const struct tvalue *list = tnamed_get(policy->properties, "verbs");
	unsigned verbs = 0;

	if (!list || list->type != TV_LIST)
		return (1u << ACCESS_VERBS) - 1;
	for (size_t i = 0; i < list->list.n; i++) {
		const char *name = tvalue_string(list->list.items[i], "");
		enum access_verb verb;
		if (access_verb_parse(name, &verb))
			verbs |= 1u << verb;
		else
			/* `pleach exec` goes past the controller, straight to the VIM. */
			not_kept(run, list->list.items[i]->origin, "the verb \"%s\" of the policy \"%s\"", name, policy->name);
	}
	return verbs;
}

static void check_uid(struct run *run, const struct tpolicy *policy, const struct access_rule *rule)
{
	static const char UID[] = "uid:";

	for (size_t i = 0; i < rule->n_operators; i++) {
		const char *name = rule->operators[i];
		if (g_str_has_prefix(name, UID) && !g_ascii_string_to_unsigned(name + strlen(UID), 10, 0, G_MAXUINT32, NULL, NULL))
			run_say(run, SEVERITY_ERROR, "bad-name", policy->origin, "\"%s\" of the policy \"%s\" is not \"uid:NUMBER\"", name,
				policy->name);
	}
}

static void add(struct run *run, const struct tpolicy *policy)
{
	struct access_rule rule = { .name = policy->name, .origin = policy->origin };

	if (run->access->len >= ACCESS_RULES_MAX) {
		run_say(run, SEVERITY_ERROR, "too-many-policies", policy->origin, "more than %d policies of access", ACCESS_RULES_MAX);
		return;
	}
	rule.operators = policy_names(run, policy, "operators", &rule.n_operators);
	rule.ems = policy_names(run, policy, "ems", &rule.n_ems);
	rule.objects = policy_names(run, policy, "objects", &rule.n_objects);
	rule.verbs = read_verbs(run, policy);
	check_uid(run, policy, &rule);
	if (rule.n_operators == 0 && rule.n_ems == 0)
		run_say(run, SEVERITY_WARNING, "names-nobody", policy->origin, "the policy \"%s\" names no operators and no ems: it keeps nothing",
			policy->name);
	g_array_append_val(run->access, rule);
}

void access_take(struct run *run, const struct ttopology *topology)
{
	for (size_t i = 0; i < topology->n_policies; i++)
		if (topology->policies[i].type && ttype_is_a(topology->policies[i].type, "pleach.policies.Access"))
			add(run, &topology->policies[i]);
}

static int by_origin(const void *a, const void *b)
{
	const struct access_rule *x = a, *y = b;
	int order = g_strcmp0(x->origin.file, y->origin.file);

	if (order == 0)
		order = x->origin.line < y->origin.line ? -1 : x->origin.line > y->origin.line;
	return order;
}

const struct access_rule *access_gather(struct run *run, size_t *ret_n)
{
	g_array_sort(run->access, by_origin);
	*ret_n = run->access->len;
	return arena_memdup(run->arena, run->access->data, run->access->len * sizeof(struct access_rule));
}
