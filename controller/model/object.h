/* Objects made of fields: the one shape in which everything desired, applied and observed is compared and reported.
 *
 * An object is immutable and owned by an arena. Fields are in memcmp order of their paths, each path at most once. Paths are
 * segments joined by dots; elements of a list of maps carry the key of the element ("cp.lan.mtu"), never an index. A segment with
 * other bytes than [A-Za-z0-9_-] is percent-encoded as in keys.
 */
#pragma once

#include "base/origin.h"
#include "model/kind.h"
#include "model/expr.h"
#include "model/value.h"

/* Bounds on objects that are read from outside. */
enum { OBJECT_FIELDS_MAX = 4096, OBJECT_DEPENDS_MAX = 4096, SITE_NAME_MAX = 255 };

struct field {
	const char *path;
	const struct value *value; /* never NULL, never ABSENT */
	struct origin origin;      /* where the operator wrote it; not set on what is observed */
	const struct field_spec *spec;
};

struct object {
	const char *key;
	const struct kind *kind;
	const char *site;          /* name of the site that it is on */
	unsigned incarnation;      /* observed: which one is there; desired: 0 */
	const struct field *fields;
	size_t n_fields;
	const char *const *depends; /* keys, sorted: what must be there before it; beside the keys that pending values wait for */
	size_t n_depends;
	struct origin origin;       /* desired: the node template that makes it exist */
	const char *descriptor;     /* desired: id of the descriptor it is made from, for reports; or NULL */
};

const struct field *object_field(const struct object *object, const char *path); /* NULL where there is none */
const struct value *object_value(const struct object *object, const char *path); /* value_absent where there is none */

/* Typed reading of known fields; the fallback where the field is absent, not known, or of another type. */
gint64 object_int(const struct object *object, const char *path, gint64 fallback);
const char *object_string(const struct object *object, const char *path, const char *fallback);

/* The elements under "PREFIX.": for "cp" the CP names, sorted, as they stand in paths (key_segment_text() gives the name itself).
 * @ret_n; the array lives in @arena. */
const char *const *object_elements(struct arena *arena, const struct object *object, const char *prefix, size_t *ret_n);

/* Digest of all fields but volatile ones: equal objects, equal digest. 64 hex digits into the arena. */
const char *object_digest(struct arena *arena, const struct object *object);

/* A deep copy into another arena. */
const struct object *object_copy(struct arena *arena, const struct object *object);

json_t *object_to_json(const struct object *object); /* with origins */
const struct object *object_from_json(struct arena *arena, const json_t *json, GError **error);

/* --- building ------------------------------------------------------------------------------------------------------------ */

struct object_builder;

/* Unknown kinds and invalid keys are bugs (assert). */
struct object_builder *object_builder_new(struct arena *arena, const char *key, const char *site, struct origin origin);

/* A second value for the same path replaces the first. ABSENT drops the field. A path that the kind's table does not have is a
 * bug. @value must live in the arena (or one that it adopted). FIELD_SET values are sorted here. */
void object_set(struct object_builder *builder, const char *path, const struct value *value, struct origin origin);
/* @string NULL: nothing is set. */
void object_set_string(struct object_builder *builder, const char *path, const char *string, struct origin origin);
void object_set_int(struct object_builder *builder, const char *path, gint64 integer, struct origin origin);
void object_set_bool(struct object_builder *builder, const char *path, bool boolean, struct origin origin);
void object_depends_on(struct object_builder *builder, const char *key);
void object_set_incarnation(struct object_builder *builder, unsigned incarnation);
void object_set_descriptor(struct object_builder *builder, const char *descriptor);

/* Freezes: sorts, returns the object (owned by the arena), frees the builder. */
const struct object *object_build(struct object_builder *builder);

/* A copy with every PENDING value evaluated (value_eval), which depends on what was read for that too; the same object when nothing
 * changed. NULL and @error on a fault. */
const struct object *object_eval(struct arena *arena, const struct object *object, expr_lookup_fn lookup, void *data,
				 GError **error);
