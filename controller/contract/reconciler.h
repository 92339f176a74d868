/* What a kind of object provides: to observe it, and to act on it. Only plan/ compares.
 *
 * Reconcilers know contracts, never a driver. Worker threads.
 */
#pragma once

#include "contract/call.h"
#include "contract/ems.h"
#include "contract/vim.h"

/* What a VIM told of one site, shared by the kinds that are observed from it. */
struct look {
	const struct site *site;
	const struct observation *vim; /* NULL: the VIM could not be looked at; @reason says why */
	const char *reason;
	/* Only these keys (sorted), or all when NULL: an EMS is asked about no more than it must. */
	const char *const *keys;
	size_t n_keys;
	const char *(*nf_ems)(const char *nf_key, void *data); /* EMS name of an NF as desired or last applied; NULL: no NF there */
	void *data;
};

/* Is @key among those that @look is about? */
bool look_has(const struct look *look, const char *key);

/* Appends to what an observe returns (the objects are read-only; GPtrArray knows no const). */
void look_add(GPtrArray *ret, const struct object *object);

enum act {
	ACT_CREATE,
	ACT_CHANGE, /* in place, or with a restart: as the driver can */
	ACT_REMOVE,
};

const char *act_name(enum act act);

struct kind_ops {
	const struct kind *kind;

	/* Appends the objects of this kind that are there to @ret (const struct object *, in @arena). Where something could not be
	 * seen, the fields are UNKNOWN. False only when nothing could be said at all. */
	bool (*observe)(const struct call *call, const struct look *look, struct arena *arena, GPtrArray *ret, GError **error);

	/* @want: all fields known; its incarnation is the one to make or to change (for a removal: to remove). @last: as last applied,
	 * or NULL. *@ret_got: what is there now, in @arena; NULL after a removal. @ret_access: set by kinds that learn how to reach a
	 * VNFC. */
	bool (*act)(const struct call *call, enum act act, const struct object *want, const struct object *last, struct arena *arena,
		    const struct object **ret_got, const struct access **ret_access, GError **error);
};

/* The table of what there is; composition roots fill it from reconcilers/registry.h and hand it on. */
struct registry {
	const struct kind_ops *const *kinds; /* in order of rank */
	size_t n_kinds;
	const struct vim_ops *const *vims;
	size_t n_vims;
	const struct ems_ops *const *emss;
	size_t n_emss;
};

const struct kind_ops *registry_kind(const struct registry *registry, const char *key_or_kind);
const struct vim_ops *registry_vim(const struct registry *registry, const char *driver);
const struct ems_ops *registry_ems(const struct registry *registry, const char *driver);
