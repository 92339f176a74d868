#include "nf/nf_kind.h"

#include "base/log.h"
#include "model/key.h"
#include "model/mark.h"
#include "model/nf.h"
#include "nf/secrets.h"

#include <stdint.h>
#include <string.h>

/* --- observe -------------------------------------------------------------------------------------------------------------- */

/* The EMS could not say what is there: everything that could be wanted of an NF itself is unknown, and why. Nothing that is known may
 * stand beside it: that would look as if the rest were not there. */
static const struct object *unknown(struct arena *arena, const char *nf_key, const struct vnfc *vnfc, const char *reason)
{
	static const char *const paths[] = { "state", "command", "stateful" };
	struct object_builder *builder = object_builder_new(arena, nf_key, vnfc->site, ORIGIN_NONE);
	object_set_incarnation(builder, vnfc->incarnation);
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

static char *add_reason(struct arena *arena, const char *reason, const char *more)
{
	return reason ? arena_printf(arena, "%s; %s", reason, more) : arena_strdup(arena, more);
}

/* What it was given, against what the secrets are now. One that cannot be had leaves it open, and the reason says so. What the software
 * said may repeat a secret that it was given: that is blotted out. */
static void compare_secrets(const struct call *call, struct arena *arena, struct nf *nf)
{
	struct nf_secret *given = arena_memdup(arena, nf->secrets, nf->n_secrets * sizeof(*given));
	auto_ptr(secrets) secrets = secrets_new(call->lookup);
	const char *missing = NULL;
	for (size_t i = 0; i < nf->n_secrets; i++) {
		g_autoptr(GError) why = NULL;
		given[i].state = secrets_compare(secrets, &given[i], &why);
		if (why)
			missing = add_reason(arena, missing, why->message);
	}
	nf->secrets = given;
	if (nf->reason && nf->n_secrets) {
		g_autofree char *clean = redact(nf->reason);
		nf->reason = arena_strdup(arena, clean);
	}
	if (missing)
		nf->reason = add_reason(arena, nf->reason, missing);
}

static const struct object *observe_in(const struct call *call, const struct look *look, const struct vnfc *vnfc,
				       const char *nf_key, const char *ems, struct arena *arena)
{
	g_autoptr(GError) fault = NULL;
	const struct nf *seen = NULL;
	if (!ask(call, look->site->name, ems, vnfc->key, nf_key, arena, &seen, &fault))
		return unknown(arena, nf_key, vnfc, fault->message);
	if (!seen)
		return NULL;
	struct nf *nf = arena_memdup(arena, seen, sizeof(*seen));
	compare_secrets(call, arena, nf);
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

static bool needs_secrets(const struct nf *nf)
{
	bool needs = nf->n_secrets > 0;
	for (size_t i = 0; i < nf->n_files; i++)
		needs |= nf->files[i].content && mark_is_in(nf->files[i].content);
	return needs;
}

/* The EMS gets them in clear, and they are gone when it has returned. What it tells of a failure may be the software's own words, with a
 * secret in them. */
static bool ensure_with_secrets(struct ems *ems, const struct ems_ops *ops, const struct call *call, const struct access *access,
				const struct nf *want, const struct package *package, struct arena *arena, const struct nf **ret_got,
				GError **error)
{
	auto_ptr(secrets) secrets = secrets_new(call->lookup);
	const struct nf *there = NULL;
	GError *fault = NULL;
	bool done = ops->observe(ems, call, access, want->key, arena, &there, &fault);
	const struct nf *filled = done ? secrets_fill(secrets, want, there, arena, &fault) : NULL;
	done = filled && ops->ensure_nf(ems, call, access, filled, package, arena, ret_got, &fault);
	if (fault) {
		g_autofree char *clean = redact(fault->message);
		g_set_error_literal(error, fault->domain, fault->code, clean);
		g_clear_error(&fault);
	}
	return done;
}

static bool ensure(struct ems *ems, const struct ems_ops *ops, const struct call *call, const struct access *access,
		   const struct object *want, struct arena *arena, const struct object **ret_got, GError **error)
{
	const struct nf *got = NULL, *wanted = nf_from_object(arena, want, error);
	if (!wanted)
		return false;
	const struct package *package = wanted->package ? call->lookup->package(call->lookup, wanted->package, arena, error) : NULL;
	if (wanted->package && !package)
		return false;
	if (!(needs_secrets(wanted) ? ensure_with_secrets(ems, ops, call, access, wanted, package, arena, &got, error)
				    : ops->ensure_nf(ems, call, access, wanted, package, arena, &got, error)))
		return false;
	if (!got)
		return true;
	struct nf *nf = arena_memdup(arena, got, sizeof(*got));
	compare_secrets(call, arena, nf);
	nf->incarnation = want->incarnation;
	*ret_got = nf_to_object(arena, nf);
	return true;
}

/* An NF that moves from one EMS driver to another leaves the former first: two copies of it would get in each other's way. An EMS that its
 * site does not have any more cannot be asked to. */
static bool leave_former(const struct call *call, const struct ems_ops *ops, const struct access *access, const struct object *want,
			 const struct object *last, GError **error)
{
	const char *former = last && strcmp(last->site, want->site) == 0 ? object_string(last, "ems", NULL) : NULL;
	if (!former || g_strcmp0(former, object_string(want, "ems", former)) == 0)
		return true;
	const struct ems_ops *former_ops = NULL;
	g_autoptr(GError) fault = NULL;
	struct ems *ems = call->lookup->ems(call->lookup, want->site, former, &former_ops, &fault);
	if (ems ? strcmp(former_ops->name, ops->name) == 0 : pleach_error_code(fault) == PLEACH_ERROR_NOT_FOUND)
		return true;
	if (ems && former_ops->remove_nf(ems, call, access, want->key, &fault))
		return true;
	g_propagate_prefixed_error(error, g_steal_pointer(&fault), "leaving EMS \"%s\": ", former);
	return false;
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
		return leave_former(call, ops, access, want, last, error) && ensure(ems, ops, call, access, want, arena, ret_got, error);
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
