#include "tosca/internal.h"

#include <string.h>

bool eval_spend(struct eval *eval, size_t nodes, struct origin origin)
{
	eval->nodes += nodes;
	if (eval->nodes <= TOSCA_MAX_VALUE_NODES)
		return true;
	if (!eval->over)
		diags_error(eval->diags, "value-too-large", origin, "the values here have more than %d parts",
			    TOSCA_MAX_VALUE_NODES);
	eval->over = true;
	return false;
}

static bool enter(struct eval *eval, struct origin origin)
{
	if (++eval->depth <= TOSCA_MAX_VALUE_DEPTH)
		return eval_spend(eval, 1, origin);
	diags_error(eval->diags, "value-too-deep", origin, "values nested deeper than %d levels", TOSCA_MAX_VALUE_DEPTH);
	return false;
}

/* --- as written ---------------------------------------------------------------------------------------------------- */

static const struct tvalue *raw_scalar(struct eval *eval, const struct ynode *node)
{
	struct tvalue *value = value_new(eval, TV_NULL, node->origin);
	if (ynode_is_null(node))
		return value;
	value->type = TV_STRING;
	value->string = node->scalar.text;
	value->text = node->plain ? node->scalar.text : NULL;
	return value;
}

static const struct tvalue *raw_sequence(struct eval *eval, const struct ynode *node)
{
	struct tvalue *value = value_new(eval, TV_LIST, node->origin);
	const struct tvalue **items = ARENA_ARRAY(eval->arena, const struct tvalue *, node->sequence.n);
	bool ok = true;
	for (size_t i = 0; i < node->sequence.n && !eval->over; i++)
		ok = (items[i] = eval_raw(eval, node->sequence.items[i])) && ok;
	value->list.items = items;
	value->list.n = node->sequence.n;
	return ok && !eval->over ? value : NULL;
}

static const struct tvalue *raw_mapping(struct eval *eval, const struct ynode *node)
{
	struct tvalue *value = value_new(eval, TV_MAP, node->origin);
	size_t n = node->mapping.n;
	const struct tvalue **items = ARENA_ARRAY(eval->arena, const struct tvalue *, n);
	const char **keys = ARENA_ARRAY(eval->arena, const char *, n);
	bool ok = true;
	for (size_t i = 0; i < n && !eval->over; i++) {
		keys[i] = node->mapping.entries[i].key;
		ok = (items[i] = eval_raw(eval, node->mapping.entries[i].value)) && ok;
	}
	value->map.keys = keys;
	value->map.items = items;
	value->map.n = n;
	return ok && !eval->over ? value : NULL;
}

const struct tvalue *eval_raw(struct eval *eval, const struct ynode *node)
{
	const struct tvalue *value = NULL;
	if (enter(eval, node->origin)) {
		if (is_function(node))
			value = eval_function(eval, node);
		else if (node->kind == YNODE_SCALAR)
			value = raw_scalar(eval, node);
		else if (node->kind == YNODE_SEQUENCE)
			value = raw_sequence(eval, node);
		else
			value = raw_mapping(eval, node);
	}
	eval->depth--;
	return value;
}

/* --- by schema ----------------------------------------------------------------------------------------------------- */

static const struct tvalue *wrong(struct eval *eval, const struct schema *schema, const struct tvalue *value, const char *problem)
{
	struct diag *diag = diags_error(eval->diags, "wrong-type", value->origin, "%s %s", value_quote(eval->arena, value),
					problem);
	if (schema->base == BASE_LIST && value->type == TV_STRING)
		diag_hint(eval->diags, diag, "write [ %s ]", value->string);
	else if (schema->base == BASE_STRING && !value->text && value->type != TV_LIST && value->type != TV_MAP)
		diag_hint(eval->diags, diag, "declare what it comes from as a string");
	return NULL;
}

/* Does a value that was typed before fit as it is? */
static bool is_of_base(enum base base, const struct tvalue *value)
{
	switch (value->type) {
	case TV_BOOL:
		return base == BASE_BOOLEAN;
	case TV_INTEGER:
		return base == BASE_INTEGER || base == BASE_SIZE || base == BASE_BITRATE;
	case TV_FLOAT:
		return base == BASE_FLOAT || base == BASE_TIME || base == BASE_FREQUENCY;
	case TV_NULL:
		return base == BASE_NULL;
	case TV_STRING:
	case TV_LIST:
	case TV_MAP:
	case TV_FUNCTION:
		return false;
	}
	g_assert_not_reached();
}

static const struct tvalue *typed_scalar(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	if (!value->text && is_of_base(schema->base, value))
		return value;
	struct tvalue *typed = value_new(eval, value->type, value->origin);
	if (value->type == TV_INTEGER && schema->base == BASE_FLOAT && !value->text) {
		typed->type = TV_FLOAT;
		typed->number = (double) value->integer;
		return typed;
	}
	const char *text = value->text ? value->text : value->type == TV_STRING ? value->string : NULL;
	const char *problem = text ? scalar_parse(eval->arena, schema->base, text, typed) : NULL;
	if (!text) {
		struct tvalue none;
		problem = schema->base == BASE_STRING ? "is not a string" : scalar_parse(eval->arena, schema->base, "?", &none);
		if (!problem)
			problem = "is not a string";
	}
	if (problem)
		return wrong(eval, schema, value, problem);
	typed->data_type = schema->data ? schema->data->name : NULL;
	return typed;
}

static const struct tvalue *typed_list(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	if (value->type != TV_LIST)
		return wrong(eval, schema, value, "is not a list");
	struct tvalue *typed = value_new(eval, TV_LIST, value->origin);
	const struct tvalue **items = ARENA_ARRAY(eval->arena, const struct tvalue *, value->list.n);
	bool ok = true;
	for (size_t i = 0; i < value->list.n && !eval->over; i++)
		ok = (items[i] = eval_typed(eval, schema->entry, value->list.items[i])) && ok;
	typed->list.items = items;
	typed->list.n = value->list.n;
	return ok && !eval->over ? typed : NULL;
}

static bool key_fits(struct eval *eval, const struct schema *schema, const char *key, struct origin origin)
{
	if (!schema->key)
		return true;
	struct tvalue text = { .type = TV_STRING, .string = key, .text = key, .origin = origin };
	return eval_typed(eval, schema->key, &text);
}

static const struct tvalue *typed_map(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	if (value->type != TV_MAP)
		return wrong(eval, schema, value, "is not a map");
	struct tvalue *typed = value_new(eval, TV_MAP, value->origin);
	const struct tvalue **items = ARENA_ARRAY(eval->arena, const struct tvalue *, value->map.n);
	bool ok = true;
	for (size_t i = 0; i < value->map.n && !eval->over; i++) {
		ok = key_fits(eval, schema, value->map.keys[i], value->map.items[i]->origin) && ok;
		ok = (items[i] = eval_typed(eval, schema->entry, value->map.items[i])) && ok;
	}
	typed->map.keys = value->map.keys;
	typed->map.items = items;
	typed->map.n = value->map.n;
	return ok && !eval->over ? typed : NULL;
}

static const struct tvalue *range_bound(struct eval *eval, const struct tvalue *value)
{
	static const struct schema whole = { .base = BASE_INTEGER, .type_name = "integer" };
	if (value->type == TV_STRING && !g_ascii_strcasecmp(value->string, "UNBOUNDED")) {
		struct tvalue *unbounded = value_new(eval, TV_STRING, value->origin);
		unbounded->string = "UNBOUNDED";
		return unbounded;
	}
	return eval_typed(eval, &whole, value);
}

/* "0 - 22", as found in the wild. */
static const struct tvalue *split_range(struct eval *eval, const struct tvalue *value)
{
	const char *dash = value->type == TV_STRING && *value->string ? strchr(value->string + 1, '-') : NULL;
	if (!dash)
		return value;
	g_autofree char *low = g_strstrip(g_strndup(value->string, (size_t) (dash - value->string)));
	g_autofree char *high = g_strstrip(g_strdup(dash + 1));
	struct diag *diag = diags_warning(eval->diags, "range-as-text", value->origin, "a range is a list of two values");
	diag_hint(eval->diags, diag, "write [ %s, %s ]", low, high);
	struct tvalue *pair = value_new(eval, TV_LIST, value->origin);
	const struct tvalue **items = ARENA_ARRAY(eval->arena, const struct tvalue *, 2);
	for (size_t i = 0; i < 2; i++) {
		struct tvalue *bound = value_new(eval, TV_STRING, value->origin);
		bound->string = bound->text = arena_strdup(eval->arena, i ? high : low);
		items[i] = bound;
	}
	pair->list.items = items;
	pair->list.n = 2;
	return pair;
}

static const struct tvalue *typed_range(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	value = split_range(eval, value);
	if (value->type != TV_LIST || value->list.n != 2)
		return wrong(eval, schema, value, "is not a range: write [ LOW, HIGH ]");
	struct tvalue *typed = value_new(eval, TV_LIST, value->origin);
	const struct tvalue **items = ARENA_ARRAY(eval->arena, const struct tvalue *, 2);
	for (size_t i = 0; i < 2; i++)
		if (!(items[i] = range_bound(eval, value->list.items[i])))
			return NULL;
	typed->list.items = items;
	typed->list.n = 2;
	if (items[0]->type == TV_INTEGER && items[1]->type == TV_INTEGER && items[0]->integer > items[1]->integer)
		return wrong(eval, schema, value, "is an empty range: its first value is above its second");
	return typed;
}

/* No schema: plain scalars are guessed and keep their text, for a schema that comes later. */
static const struct tvalue *guessed(struct eval *eval, const struct tvalue *value)
{
	static const struct schema any = { .base = BASE_ANY, .type_name = "any" };
	switch (value->type) {
	case TV_STRING:
		if (value->text) {
			struct tvalue *guess = value_new(eval, TV_STRING, value->origin);
			scalar_guess(value->text, guess);
			guess->text = value->text;
			return guess;
		}
		return value;
	case TV_LIST:
		return typed_list(eval, &any, value);
	case TV_MAP:
		return typed_map(eval, &any, value);
	case TV_NULL:
	case TV_BOOL:
	case TV_INTEGER:
	case TV_FLOAT:
	case TV_FUNCTION:
		return value;
	}
	g_assert_not_reached();
}

static const struct tvalue *typed(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	switch (schema->base) {
	case BASE_ANY:
		return guessed(eval, value);
	case BASE_STRING:
	case BASE_INTEGER:
	case BASE_FLOAT:
	case BASE_BOOLEAN:
	case BASE_TIMESTAMP:
	case BASE_VERSION:
	case BASE_NULL:
	case BASE_SIZE:
	case BASE_TIME:
	case BASE_FREQUENCY:
	case BASE_BITRATE:
		return typed_scalar(eval, schema, value);
	case BASE_RANGE:
		return typed_range(eval, schema, value);
	case BASE_LIST:
		return typed_list(eval, schema, value);
	case BASE_MAP:
		return typed_map(eval, schema, value);
	case BASE_DATA:
		return eval_data(eval, schema->data, value);
	}
	g_assert_not_reached();
}

const struct tvalue *eval_typed(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	if (value == &value_later) {
		eval->holes++;
		return value;
	}
	if (value->type == TV_FUNCTION)
		return value;
	size_t holes = eval->holes;
	const struct tvalue *result = NULL;
	if (enter(eval, value->origin))
		result = schema ? typed(eval, schema, value) : guessed(eval, value);
	eval->depth--;
	if (result && schema && holes == eval->holes && !constraints_hold(eval, schema, result))
		return NULL;
	return result;
}

const struct tvalue *eval_node(struct eval *eval, const struct schema *schema, const struct ynode *node)
{
	const struct tvalue *raw = eval_raw(eval, node);
	return raw ? eval_typed(eval, schema, raw) : NULL;
}
