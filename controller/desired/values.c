#include "desired/internal.h"

#include <string.h>

static bool is_secret(const struct tvalue *value)
{
	return value->type == TV_MAP && g_strcmp0(value->data_type, "pleach.datatypes.Secret") == 0;
}

bool values_holds_secret(const struct tvalue *value)
{
	if (is_secret(value))
		return true;
	size_t n = value->type == TV_LIST ? value->list.n : value->type == TV_MAP ? value->map.n : 0;
	for (size_t i = 0; i < n; i++)
		if (values_holds_secret(value->type == TV_LIST ? value->list.items[i] : value->map.items[i]))
			return true;
	return false;
}

bool values_is_pending(const struct tvalue *value)
{
	if (value->type == TV_FUNCTION)
		return true;
	size_t n = value->type == TV_LIST ? value->list.n : value->type == TV_MAP ? value->map.n : 0;
	for (size_t i = 0; i < n; i++)
		if (values_is_pending(value->type == TV_LIST ? value->list.items[i] : value->map.items[i]))
			return true;
	return false;
}

static void must_be_known(struct run *run, struct tnamed_list properties, const char *const *except)
{
	for (size_t i = 0; i < properties.n; i++) {
		const struct tnamed *property = &properties.items[i];
		if (property->value && values_is_pending(property->value) && !g_strv_contains(except, property->name))
			run_say(run, SEVERITY_ERROR, "known-too-late", property->value->origin,
				"\"%s\" must be known before anything runs: it cannot depend on an attribute", property->name);
	}
}

void values_must_be_known(struct run *run, const struct tnode *node, const char *const *except)
{
	must_be_known(run, node->properties, except);
	for (size_t i = 0; i < node->n_capabilities; i++)
		must_be_known(run, node->capabilities[i].properties, except);
}

bool values_is_local(const struct scope *scope, const struct tvalue *value)
{
	if (value->type == TV_FUNCTION && strcmp(value->function.name, "get_attribute") == 0) {
		const struct ttopology *nsd = scope->service->is_nsd ? scope->service->topology : NULL;
		if (!nsd || strcmp(value->origin.file, nsd->of->file) != 0)
			return true;
		const struct tnode *node = ttopology_node(nsd, tvalue_string(value->function.args[0], ""));
		return node && !tnode_is_a(node, "tosca.nodes.nfv.VNF");
	}
	bool list = value->type == TV_LIST, function = value->type == TV_FUNCTION;
	size_t n = list ? value->list.n : function ? value->function.n : value->type == TV_MAP ? value->map.n : 0;
	for (size_t i = 0; i < n; i++)
		if (values_is_local(scope, list ? value->list.items[i] : function ? value->function.args[i]
				    : value->map.items[i]))
			return true;
	return false;
}

static const struct value *secret_of(const struct scope *scope, const struct tvalue *value)
{
	return value_secret(scope->service->run->arena, tvalue_string(tvalue_get(value, "secret"), ""),
			    tvalue_string(tvalue_get(value, "key"), NULL));
}

/* --- to field values ---------------------------------------------------------------------------------------------------- */

static const struct value *collection(const struct scope *scope, const struct tvalue *value)
{
	struct arena *arena = scope->service->run->arena;
	size_t n = value->type == TV_LIST ? value->list.n : value->map.n;
	const struct value **items = ARENA_ARRAY(arena, const struct value *, n);

	for (size_t i = 0; i < n; i++) {
		items[i] = values_value(scope, value->type == TV_LIST ? value->list.items[i] : value->map.items[i], WANT_ANY);
		if (!items[i])
			return NULL;
	}
	return value->type == TV_LIST ? value_list(arena, items, n) : value_map(arena, value->map.keys, items, n);
}

const struct value *values_value(const struct scope *scope, const struct tvalue *value, enum want want)
{
	struct arena *arena = scope->service->run->arena;

	switch (value->type) {
	case TV_NULL:
		return &value_null;
	case TV_BOOL:
		return value_bool(value->boolean);
	case TV_INTEGER:
		return value_integer(arena, value->integer);
	case TV_FLOAT:
		return value_float(arena, value->number);
	case TV_STRING:
		return value_string(arena, value->string);
	case TV_LIST:
		return collection(scope, value);
	case TV_MAP:
		return is_secret(value) ? secret_of(scope, value) : collection(scope, value);
	case TV_FUNCTION: {
		const struct expr *expr = values_expr(scope, value, want);
		return expr ? value_pending(arena, expr) : NULL;
	}
	}
	g_assert_not_reached();
}

/* --- to expressions ----------------------------------------------------------------------------------------------------- */

static const struct expr **exprs(const struct scope *scope, const struct tvalue *const *values, size_t n, enum want want)
{
	const struct expr **items = ARENA_ARRAY(scope->service->run->arena, const struct expr *, n);

	for (size_t i = 0; i < n; i++) {
		items[i] = values_expr(scope, values[i], want);
		if (!items[i])
			return NULL;
	}
	return items;
}

static const struct expr *function_expr(const struct scope *scope, const struct tvalue *function, enum want want)
{
	struct arena *arena = scope->service->run->arena;
	const char *name = function->function.name;
	const struct tvalue *const *args = function->function.args;
	size_t n = function->function.n;
	const struct expr **items;

	if (strcmp(name, "get_attribute") == 0)
		return values_attribute(scope, function, want);
	if (strcmp(name, "concat") == 0) {
		items = exprs(scope, args, n, WANT_SCALAR);
		return items ? expr_concat(arena, items, n) : NULL;
	}
	if (strcmp(name, "join") == 0 && n > 0) {
		const char *separator = n > 1 ? tvalue_string(args[1], "") : "";
		bool list = args[0]->type == TV_LIST;
		items = exprs(scope, list ? args[0]->list.items : args, list ? args[0]->list.n : 1, list ? WANT_ANY : WANT_LIST);
		return items ? expr_join(arena, separator, items, list ? args[0]->list.n : 1) : NULL;
	}
	if (strcmp(name, "token") == 0 && n == 3) {
		const struct expr *item = values_expr(scope, args[0], WANT_SCALAR);
		return item ? expr_token(arena, item, tvalue_string(args[1], ""), tvalue_int(args[2], 0)) : NULL;
	}
	diags_error(scope->service->run->diags, "unknown-function", function->origin, "\"%s\" cannot be used here", name);
	return NULL;
}

const struct expr *values_expr(const struct scope *scope, const struct tvalue *value, enum want want)
{
	struct arena *arena = scope->service->run->arena;

	if (value->type == TV_FUNCTION)
		return function_expr(scope, value, want);
	if (!values_is_pending(value)) {
		const struct value *known = values_value(scope, value, want);
		return known ? expr_value(arena, known) : NULL;
	}
	size_t n = value->type == TV_LIST ? value->list.n : value->map.n;
	const struct expr **items = exprs(scope, value->type == TV_LIST ? value->list.items : value->map.items, n, WANT_ANY);
	if (!items)
		return NULL;
	return value->type == TV_LIST ? expr_list(arena, false, items, n) : expr_map(arena, value->map.keys, items, n);
}

const struct expr *values_property(const struct scope *scope, const struct tnode *node, const struct tnamed *property)
{
	enum want want = WANT_ANY;

	switch (ttype_property_shape(node->type, property->name)) {
	case TSHAPE_ANY:
		break;
	case TSHAPE_ONE:
		want = WANT_SCALAR;
		break;
	case TSHAPE_LIST:
		want = WANT_LIST;
		break;
	}
	return values_expr(scope, property->value, want);
}

const struct value *values_placeholder(const char *key, const char *path, void *data)
{
	static const char *const some_address = "192.0.2.1";
	const struct service *service = data;
	struct arena *arena = service->run->arena;

	if (!g_str_has_suffix(path, ".addresses"))
		return value_string(arena, g_str_has_suffix(path, ".mac_address") ? "02:00:00:00:00:01" : "eth0");
	g_autofree char *id = g_strdup_printf("%s %s", key, path);
	return value_string_list(arena, &some_address, g_hash_table_contains(service->layer2, id) ? 0 : 1);
}
