#include "ems/guard.h"

#include <pthread.h>

/* --- rules ------------------------------------------------------------------------------------------------------------------ */

struct rules {
	pthread_mutex_t lock;
	const struct network *network; /* whose arena is held; or NULL */
};

struct rules *rules_new(void)
{
	struct rules *rules = g_new0(struct rules, 1);
	pthread_mutex_init(&rules->lock, NULL);
	return rules;
}

void rules_free(struct rules *rules)
{
	rules_set(rules, NULL);
	pthread_mutex_destroy(&rules->lock);
	g_free(rules);
}

void rules_set(struct rules *rules, const struct network *network)
{
	if (network)
		arena_ref(network->arena);
	pthread_mutex_lock(&rules->lock);
	const struct network *former = rules->network;
	rules->network = network;
	pthread_mutex_unlock(&rules->lock);
	if (former)
		arena_unref(former->arena);
}

bool rules_allow(struct rules *rules, const struct subject *who, enum access_verb verb, const char *key, GError **error)
{
	pthread_mutex_lock(&rules->lock);
	bool allowed = control_allows(rules->network, who, verb, key, error);
	pthread_mutex_unlock(&rules->lock);
	return allowed;
}

/* --- the guard -------------------------------------------------------------------------------------------------------------- */

struct ems {
	struct ems *real;
	const struct ems_ops *real_ops;
	struct ems_ops ops;
	const char *name;
	struct rules *rules;
	gint calls; /* under way; atomic */
};

static bool may(const struct ems *guard, enum access_verb verb, const char *nf_key, GError **error)
{
	const struct subject who = { .ems = guard->name, .uid = -1 };
	return rules_allow(guard->rules, &who, verb, nf_key, error);
}

static bool left(struct ems *guard, bool result)
{
	g_atomic_int_dec_and_test(&guard->calls);
	return result;
}

static bool observe(struct ems *guard, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
		    const struct nf **ret, GError **error)
{
	g_atomic_int_inc(&guard->calls);
	return left(guard, may(guard, ACCESS_OBSERVE, nf_key, error) &&
				   guard->real_ops->observe(guard->real, call, access, nf_key, arena, ret, error));
}

static bool ensure_nf(struct ems *guard, const struct call *call, const struct access *access, const struct nf *want,
		      const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	g_atomic_int_inc(&guard->calls);
	bool allowed = may(guard, ACCESS_LIFECYCLE, want->key, error) &&
		       (!want->n_files || may(guard, ACCESS_CONFIGURE, want->key, error));
	return left(guard, allowed && guard->real_ops->ensure_nf(guard->real, call, access, want, package, arena, ret_got, error));
}

static bool remove_nf(struct ems *guard, const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	g_atomic_int_inc(&guard->calls);
	return left(guard, may(guard, ACCESS_LIFECYCLE, nf_key, error) &&
				   guard->real_ops->remove_nf(guard->real, call, access, nf_key, error));
}

static bool read_log(struct ems *guard, const struct call *call, const struct access *access, const char *nf_key, unsigned lines,
		     bool follow, ems_log_fn each, void *data, GError **error)
{
	g_atomic_int_inc(&guard->calls);
	return left(guard, may(guard, ACCESS_LOGS, nf_key, error) &&
				   guard->real_ops->log(guard->real, call, access, nf_key, lines, follow, each, data, error));
}

static bool measure(struct ems *guard, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
		    const struct sample **ret, GError **error)
{
	g_atomic_int_inc(&guard->calls);
	return left(guard, may(guard, ACCESS_METRICS, nf_key, error) &&
				   guard->real_ops->measure(guard->real, call, access, nf_key, arena, ret, error));
}

bool guard_is_busy(const struct ems *guard)
{
	return g_atomic_int_get(&guard->calls) > 0;
}

struct ems *guard_new(struct ems *ems, const struct ems_ops *ops, const char *name, struct rules *rules)
{
	struct ems *guard = g_new0(struct ems, 1);
	*guard = (struct ems) { .real = ems, .real_ops = ops, .ops = *ops, .name = name, .rules = rules };
	guard->ops.observe = observe;
	guard->ops.ensure_nf = ensure_nf;
	guard->ops.remove_nf = remove_nf;
	guard->ops.log = ops->log ? read_log : NULL;
	guard->ops.measure = ops->measure ? measure : NULL;
	/* Opened and closed by the driver controller alone. */
	guard->ops.open = NULL;
	guard->ops.close = NULL;
	return guard;
}

void guard_free(struct ems *guard)
{
	guard->real_ops->close(guard->real);
	g_free(guard);
}

const struct ems_ops *guard_ops(const struct ems *guard)
{
	return &guard->ops;
}
