#include "nf/nf_kind.h"

#include "model/key.h"
#include "model/nf.h"

#include <stdint.h>
#include <string.h>

/* --- observe -------------------------------------------------------------------------------------------------------------- */

/* The EMS could not say what is there: everything that could be wanted of an NF itself is unknown, and why. */
static const struct object *unknown(struct arena *arena, const char *nf_key, const struct vnfc *vnfc, const char *ems,
				    const char *reason)
{
	static const char *const paths[] = { "state", "command", "stateful" };
	struct object_builder *builder = object_builder_new(arena, nf_key, vnfc->site, ORIGIN_NONE);
	object_set_incarnation(builder, vnfc->incarnation);
	object_set_string(builder, "ems", ems, ORIGIN_NONE);
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
		object_set(builder, paths[i], &value_unknown, ORIGIN_NONE);
	object_set_string(builder, "reason", reason, ORIGIN_NONE);
	return object_build(builder);
}

static bool ask(const struct call *call, const char *site, const char *ems_name, const char *vnfc_key, const char *nf_key,
		struct arena *arena, const struct nf **ret, GError **error)
{
	const struct ems_ops *ops = NULL;
	struct ems *ems = call->lookup->ems(call->lookup, site, ems_name, &ops, error);
	if (!ems)
		return false;
	const struct access *access = call->lookup->access(call->lookup, vnfc_key);
	if (!access) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the VIM does not say how to reach %s", vnfc_key);
		return false;
	}
	return ops->observe(ems, call, access, nf_key, arena, ret, error);
}

/* The instance that hosts: the newest that runs. */
static const struct vnfc *better_host(const struct vnfc *a, const struct vnfc *b)
{
	if (!a || a->state != VNFC_RUNNING)
		return b;
	return b->state == VNFC_RUNNING && b->incarnation > a->incarnation ? b : a;
}

static const struct object *observe_in(const struct call *call, const struct look *look, const struct vnfc *vnfc,
				       const char *nf_key, const char *ems, struct arena *arena)
{
	g_autoptr(GError) fault = NULL;
	const struct nf *seen = NULL;
	if (!ask(call, look->site->name, ems, vnfc->key, nf_key, arena, &seen, &fault))
		return unknown(arena, nf_key, vnfc, ems, fault->message);
	if (!seen)
		return NULL;
	struct nf *nf = arena_memdup(arena, seen, sizeof(*seen));
	nf->incarnation = vnfc->incarnation; /* the VIM knows in which instance it was asked; the EMS only what it was told */
	return nf_to_object(arena, nf);
}

static GHashTable *find_hosts(const struct look *look, struct arena *arena)
{
	GHashTable *hosts = g_hash_table_new(g_str_hash, g_str_equal); /* key of the NF → const struct vnfc * */
	for (guint i = 0; i < look->vim->vnfcs->len; i++) {
		const struct vnfc *vnfc = look->vim->vnfcs->pdata[i];
		char *nf_key = key_of_kind(arena, vnfc->key, kind_nf.name);
		if (!look_has(look, nf_key))
			continue;
		const struct vnfc *host = better_host(g_hash_table_lookup(hosts, nf_key), vnfc);
		g_hash_table_insert(hosts, nf_key, (gpointer) (uintptr_t) host);
	}
	return hosts;
}

static int by_text(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static bool nf_observe(const struct call *call, const struct look *look, struct arena *arena, GPtrArray *ret, GError **error)
{
	if (!look->vim) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "site %s cannot be looked at: %s", look->site->name,
			    look->reason);
		return false;
	}
	g_autoptr(GHashTable) hosts = find_hosts(look, arena);
	guint n = 0;
	g_autofree gpointer *keys = g_hash_table_get_keys_as_array(hosts, &n);
	qsort(keys, n, sizeof(*keys), by_text); /* so that the same network is asked, and told, in the same order */
	for (guint i = 0; i < n; i++) {
		const struct vnfc *vnfc = g_hash_table_lookup(hosts, keys[i]);
		const char *ems = look->nf_ems(keys[i], look->data);
		if (vnfc->state != VNFC_RUNNING || !ems)
			continue;
		const struct object *object = observe_in(call, look, vnfc, keys[i], ems, arena);
		if (object)
			look_add(ret, object);
	}
	return true;
}

/* --- act ------------------------------------------------------------------------------------------------------------------ */

static const char *ems_of(const struct object *want, const struct object *last)
{
	const char *ems = object_string(want, "ems", NULL);
	return ems || !last ? ems : object_string(last, "ems", NULL);
}

static bool ensure(struct ems *ems, const struct ems_ops *ops, const struct call *call, const struct access *access,
		   const struct object *want, struct arena *arena, const struct object **ret_got, GError **error)
{
	const struct nf *got = NULL, *wanted = nf_from_object(arena, want, error);
	if (!wanted || !ops->ensure_nf(ems, call, access, wanted, arena, &got, error))
		return false;
	if (!got)
		return true;
	struct nf *nf = arena_memdup(arena, got, sizeof(*got));
	nf->incarnation = want->incarnation;
	*ret_got = nf_to_object(arena, nf);
	return true;
}

static bool nf_act(const struct call *call, enum act act, const struct object *want, const struct object *last,
		   struct arena *arena, const struct object **ret_got, const struct access **ret_access, GError **error)
{
	*ret_got = NULL;
	const char *name = ems_of(want, last);
	if (!name) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: it is not known which EMS manages it", want->key);
		return false;
	}
	const struct ems_ops *ops = NULL;
	struct ems *ems = call->lookup->ems(call->lookup, want->site, name, &ops, error);
	if (!ems)
		return false;
	const char *vnfc_key = key_of_kind(arena, want->key, kind_nf.host);
	const struct access *access = call->lookup->access(call->lookup, vnfc_key);
	if (!access) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the VIM does not say how to reach %s", vnfc_key);
		return false;
	}
	switch (act) {
	case ACT_CREATE:
	case ACT_CHANGE:
		return ensure(ems, ops, call, access, want, arena, ret_got, error);
	case ACT_REMOVE:
		return ops->remove_nf(ems, call, access, want->key, error);
	}
	g_assert_not_reached();
}

const struct kind_ops kind_nf_ops = {
	.kind = &kind_nf,
	.observe = nf_observe,
	.act = nf_act,
};
