/* Kinds of objects, and for each the table of its fields: what diff, plan, drift, status and every report know about a kind.
 *
 * The tables are const data in link.c, vnfc.c, nf.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What a change of a field costs the running network, from cheap to dear. */
enum field_cost {
	COST_METADATA, /* only a label changes */
	COST_IN_PLACE, /* changed while it runs */
	COST_RESTART,  /* stopped and started again, same instance, same addresses */
	COST_REPLACE,  /* the next incarnation takes its place */
};

const char *cost_name(enum field_cost cost); /* "metadata", "in-place", "restart", "replace" */

enum field_shape {
	FIELD_SCALAR,
	FIELD_LIST, /* order matters */
	FIELD_SET,  /* order does not matter: kept sorted */
	FIELD_MAP,
};

enum field_flags {
	FIELD_OBSERVED = 1 << 0,  /* never desired, never planned (pid, port_name, …) */
	/* Desired only when an operator fixed it; else what was given once (last applied) is kept, and without a record whatever
	 * is observed is right. */
	FIELD_ALLOCATED = 1 << 1,
	FIELD_SECRET = 1 << 2,
	FIELD_VOLATILE = 1 << 3, /* changes by itself (pid, counters): not part of fingerprints */
	FIELD_BYTES = 1 << 4,    /* an integer number of bytes: printed with its unit */
	FIELD_OURS = 1 << 5,     /* the controller's own business, nowhere in the network: what is there is what was applied */
};

struct field_spec {
	const char *pattern; /* "mtu", "cp.*.mtu": "*" is one segment, the key of an element */
	enum field_shape shape;
	enum field_cost cost; /* of a change; a driver's capabilities may override it */
	unsigned flags;
};

struct object;

struct kind {
	const char *name; /* "link", "vnfc", "nf": the first part of keys */
	unsigned rank;    /* creation order among kinds that do not depend on one another; also the order in reports */
	const char *host; /* kind of the object with the same path whose end ends this one too (nf: "vnfc"), or NULL */
	const struct field_spec *specs;
	size_t n_specs;
	/* What a change of @path costs an object that is to be as @desired, where that depends on it; NULL: @cost always stands. */
	enum field_cost (*cost)(const struct object *desired, const char *path, enum field_cost cost);
};

extern const struct kind kind_link, kind_vnfc, kind_nf;

/* NULL for an unknown name; @key may be a whole key. */
const struct kind *kind_of_key(const char *key);

/* The row that @path falls under, or NULL. */
const struct field_spec *kind_spec(const struct kind *kind, const char *path);

/* What a driver keeps, statically: every field not listed keeps the kind's own cost. */
struct cap_override {
	const char *kind, *pattern;
	enum field_cost cost;
};

struct caps {
	const char *driver;
	unsigned max_parallel; /* calls under way at once on one site */
	const struct cap_override *overrides;
	size_t n_overrides;
	bool replace_beside; /* a next incarnation can stand beside the old one */
};

/* The cost of changing @path on a driver with @caps (NULL: the kind's own). */
enum field_cost kind_cost(const struct kind *kind, const char *path, const struct caps *caps);

/* kind_cost() where the row of @path is known already. */
enum field_cost kind_spec_cost(const struct kind *kind, const struct field_spec *spec, const char *path, const struct caps *caps);
