#include "link/link_kind.h"

#include "model/link.h"

static bool link_observe(const struct call *call, const struct look *look, struct arena *arena, GPtrArray *ret, GError **error)
{
	if (!look->vim) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "site %s cannot be looked at: %s", look->site->name,
			    look->reason);
		return false;
	}
	for (guint i = 0; i < look->vim->links->len; i++) {
		const struct link *link = look->vim->links->pdata[i];
		if (look_has(look, link->key))
			look_add(ret, link_to_object(arena, link));
	}
	return true;
}

static bool link_act(const struct call *call, enum act act, const struct object *want, const struct object *last,
		     struct arena *arena, const struct object **ret_got, const struct access **ret_access, GError **error)
{
	const struct vim_ops *ops = NULL;
	struct vim *vim = call->lookup->vim(call->lookup, want->site, &ops, error);
	*ret_got = NULL;
	if (!vim)
		return false;
	const struct link *link = NULL;
	switch (act) {
	case ACT_CREATE:
	case ACT_CHANGE:
		link = link_from_object(arena, want, error);
		if (!link || !ops->ensure_link(vim, call, link, error))
			return false;
		*ret_got = link_to_object(arena, link); /* all of a link is wanted, so what was ensured is what is there */
		return true;
	case ACT_REMOVE:
		return ops->remove(vim, call, &(struct ref) { want->key, want->incarnation }, error);
	}
	g_assert_not_reached();
}

const struct kind_ops kind_link_ops = {
	.kind = &kind_link,
	.observe = link_observe,
	.act = link_act,
};
