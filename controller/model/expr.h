/* Expressions: values that depend on what is known only at run time, such as the address of an instance.
 *
 * Built by desired/, evaluated by plan/ against what was observed, and by exec/ just before the act. Pure; any thread.
 */
#pragma once

#include "model/value.h"

enum expr_op {
	EXPR_VALUE,     /* a value */
	EXPR_ATTRIBUTE, /* field @path of object @key, then @rest into it (list indices, map keys); TOSCA get_attribute, 4.4.3 */
	EXPR_CONCAT,    /* items joined without a separator; TOSCA concat */
	EXPR_JOIN,      /* items (lists are spread) joined by @separator; TOSCA join */
	EXPR_TOKEN,     /* piece @index of items[0] split at @separator; TOSCA token */
	EXPR_LIST,      /* a list of the items; items that are @gather'ed lists are spread */
	EXPR_MAP,       /* @keys and items */
	EXPR_TEMPLATE,  /* Mustache text @text over items[0], which evaluates to a map */
};

struct expr {
	enum expr_op op;
	const struct value *value;
	const char *key, *path;
	const char *const *rest;
	size_t n_rest;
	const char *separator;
	gint64 index;
	const char *text;
	const char *name; /* TEMPLATE: file name for faults */
	bool gather;      /* LIST: spread items that are lists */
	const char *const *keys;
	const struct expr *const *items;
	size_t n;
};

const struct expr *expr_value(struct arena *arena, const struct value *value);
const struct expr *expr_attribute(struct arena *arena, const char *key, const char *path, const char *const *rest, size_t n_rest);
const struct expr *expr_concat(struct arena *arena, const struct expr *const *items, size_t n);
const struct expr *expr_join(struct arena *arena, const char *separator, const struct expr *const *items, size_t n);
const struct expr *expr_token(struct arena *arena, const struct expr *item, const char *separator, gint64 index);
const struct expr *expr_list(struct arena *arena, bool gather, const struct expr *const *items, size_t n);
const struct expr *expr_map(struct arena *arena, const char *const *keys, const struct expr *const *items, size_t n);
const struct expr *expr_template(struct arena *arena, const char *name, const char *text, const struct expr *scope);

/* The observed value of a field: value_absent where the object or field is not there (yet), value_unknown where it could not be
 * seen. */
typedef const struct value *(*expr_lookup_fn)(const char *key, const char *path, void *data);

/* Evaluates as far as @lookup allows. What still hangs on something absent or unknown comes back as PENDING over the whole
 * expression. A template is only pending when it really uses something that is. Faults (a template's unknown name, an index out
 * of range, a wrong type) set @error INVALID and return NULL. The result lives in @arena. */
const struct value *expr_eval(struct arena *arena, const struct expr *expr, expr_lookup_fn lookup, void *data, GError **error);

/* value_eval: a PENDING value evaluated, at any depth of lists and maps; any other value as it is. */
const struct value *value_eval(struct arena *arena, const struct value *value, expr_lookup_fn lookup, void *data, GError **error);

/* Calls @each with the key of every object that evaluation with @lookup still waits for; sorted, without repeats. */
void expr_waits_for(const struct expr *expr, expr_lookup_fn lookup, void *data, void (*each)(const char *key, void *each_data),
		    void *each_data);

/* value_eval() and expr_waits_for() at once, at any depth of @value. */
const struct value *value_eval_waits(struct arena *arena, const struct value *value, expr_lookup_fn lookup, void *data,
				     void (*each)(const char *key, void *each_data), void *each_data, GError **error);

/* Calls @each with every attribute that the expression names, used or not, in order of writing. */
void expr_attributes(const struct expr *expr, void (*each)(const char *key, const char *path, void *data), void *data);

/* For people and for comparison: "get_attribute(vnfc/edge.web.vdu.0, cp.port.addresses, 0)", "template(haproxy.cfg)". */
void expr_print(const struct expr *expr, GString *out);
