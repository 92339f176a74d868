#include "vnf/vnfc_kind.h"

#include "model/key.h"
#include "model/vnfc.h"

/* Every incarnation, ended ones too: which of them counts, and which are left over, is for the looker to say. */
static bool vnfc_observe(const struct call *call, const struct look *look, struct arena *arena, GPtrArray *ret, GError **error)
{
	if (!look->vim) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "site %s cannot be looked at: %s", look->site->name,
			    look->reason);
		return false;
	}
	for (guint i = 0; i < look->vim->vnfcs->len; i++) {
		const struct vnfc *vnfc = look->vim->vnfcs->pdata[i];
		if (look_has(look, vnfc->key))
			look_add(ret, vnfc_to_object(arena, vnfc));
	}
	return true;
}

/* The addresses that @last has for a connection point; they stay in @last. */
static void prefer(struct arena *arena, struct cp *cp, const struct object *last)
{
	const char *path = arena_printf(arena, "cp.%s.addresses", key_segment(arena, cp->name));
	const struct value *value = object_value(last, path);
	if (value->type != VALUE_LIST || !value_is_known(value))
		return;
	const char **addresses = ARENA_ARRAY(arena, const char *, value->list.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < value->list.n; i++)
		if (value->list.items[i]->type == VALUE_STRING)
			addresses[n++] = arena_strdup(arena, value->list.items[i]->string);
	cp->prefer_addresses = addresses;
	cp->n_prefer_addresses = n;
}

/* An instance that takes the place of another keeps its addresses where nothing was fixed and nobody else has them now. */
static const struct vnfc *with_preferences(struct arena *arena, const struct vnfc *wanted, const struct object *last)
{
	struct vnfc *vnfc = arena_memdup(arena, wanted, sizeof(*wanted));
	struct cp *cps = arena_memdup(arena, wanted->cps, sizeof(*cps) * wanted->n_cps);
	for (size_t i = 0; i < wanted->n_cps; i++)
		if (cps[i].n_addresses == 0)
			prefer(arena, &cps[i], last);
	vnfc->cps = cps;
	return vnfc;
}

static bool ensure(struct vim *vim, const struct vim_ops *ops, const struct call *call, const struct object *want,
		   const struct object *last, struct arena *arena, const struct object **ret_got,
		   const struct access **ret_access, GError **error)
{
	const struct vnfc *got = NULL, *wanted = vnfc_from_object(arena, want, error);
	if (!wanted)
		return false;
	if (last && wanted->n_cps > 0)
		wanted = with_preferences(arena, wanted, last);
	if (!ops->ensure_vnfc(vim, call, wanted, arena, &got, ret_access, error))
		return false;
	*ret_got = got ? vnfc_to_object(arena, got) : NULL;
	return true;
}

static bool vnfc_act(const struct call *call, enum act act, const struct object *want, const struct object *last,
		     struct arena *arena, const struct object **ret_got, const struct access **ret_access, GError **error)
{
	const struct vim_ops *ops = NULL;
	struct vim *vim = call->lookup->vim(call->lookup, want->site, &ops, error);
	*ret_got = NULL;
	if (!vim)
		return false;
	switch (act) {
	case ACT_CREATE:
	case ACT_CHANGE:
		return ensure(vim, ops, call, want, last, arena, ret_got, ret_access, error);
	case ACT_REMOVE:
		return ops->remove(vim, call, &(struct ref) { want->key, want->incarnation }, error);
	}
	g_assert_not_reached();
}

const struct kind_ops kind_vnfc_ops = {
	.kind = &kind_vnfc,
	.observe = vnfc_observe,
	.act = vnfc_act,
};
