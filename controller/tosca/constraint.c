#include "tosca/internal.h"

#include <string.h>

static const char *const op_names[] = {
	[OP_EQUAL] = "equal",
	[OP_GREATER_THAN] = "greater_than",
	[OP_GREATER_OR_EQUAL] = "greater_or_equal",
	[OP_LESS_THAN] = "less_than",
	[OP_LESS_OR_EQUAL] = "less_or_equal",
	[OP_IN_RANGE] = "in_range",
	[OP_VALID_VALUES] = "valid_values",
	[OP_LENGTH] = "length",
	[OP_MIN_LENGTH] = "min_length",
	[OP_MAX_LENGTH] = "max_length",
	[OP_PATTERN] = "pattern",
};

static bool base_is_ordered(enum base base)
{
	switch (base) {
	case BASE_INTEGER:
	case BASE_FLOAT:
	case BASE_TIMESTAMP:
	case BASE_VERSION:
	case BASE_SIZE:
	case BASE_TIME:
	case BASE_FREQUENCY:
	case BASE_BITRATE:
	case BASE_STRING:
	case BASE_ANY:
	case BASE_RANGE:
		return true;
	case BASE_BOOLEAN:
	case BASE_NULL:
	case BASE_LIST:
	case BASE_MAP:
	case BASE_DATA:
		return false;
	}
	g_assert_not_reached();
}

static bool base_has_length(enum base base)
{
	return base == BASE_STRING || base == BASE_LIST || base == BASE_MAP || base == BASE_ANY || base == BASE_VERSION;
}

static bool op_fits(enum constraint_op op, enum base base)
{
	switch (op) {
	case OP_EQUAL:
	case OP_VALID_VALUES:
		return true;
	case OP_GREATER_THAN:
	case OP_GREATER_OR_EQUAL:
	case OP_LESS_THAN:
	case OP_LESS_OR_EQUAL:
	case OP_IN_RANGE:
		return base_is_ordered(base);
	case OP_LENGTH:
	case OP_MIN_LENGTH:
	case OP_MAX_LENGTH:
		return base_has_length(base);
	case OP_PATTERN:
		return base == BASE_STRING || base == BASE_VERSION || base == BASE_TIMESTAMP || base == BASE_ANY;
	}
	g_assert_not_reached();
}

/* How an operand of @op upon @schema is itself to be read. */
static const struct schema *operand_schema(struct unit *unit, enum constraint_op op, const struct schema *schema)
{
	static const struct schema whole = { .base = BASE_INTEGER, .type_name = "integer" };
	static const struct schema text = { .base = BASE_STRING, .type_name = "string" };
	if (op == OP_LENGTH || op == OP_MIN_LENGTH || op == OP_MAX_LENGTH || schema->base == BASE_RANGE)
		return &whole;
	if (op == OP_PATTERN)
		return &text;
	struct schema *bare = ARENA_NEW(unit->arena, struct schema);
	*bare = *schema;
	bare->constraints = NULL;
	bare->n_constraints = 0;
	return bare;
}

static const struct tvalue *operand_read(struct unit *unit, const struct schema *schema, const struct ynode *node, bool bound)
{
	if (bound && node->kind == YNODE_SCALAR && !g_ascii_strcasecmp(node->scalar.text, "UNBOUNDED")) {
		struct tvalue *value = ARENA_NEW(unit->arena, struct tvalue);
		*value = (struct tvalue) { .type = TV_NULL, .origin = node->origin };
		return value;
	}
	struct eval eval = { .unit = unit, .arena = unit->arena, .diags = unit->diags, .self = SIZE_MAX };
	return eval_node(&eval, schema, node);
}

static bool compile_pattern(struct unit *unit, struct constraint *constraint, const char *pattern)
{
	if (strlen(pattern) > TOSCA_MAX_PATTERN) {
		unit_fault(unit, "bad-constraint", constraint->origin, "a pattern longer than %d bytes", TOSCA_MAX_PATTERN);
		return false;
	}
	/* Alone first: closing our bracket must not make a wrong pattern a right one. */
	g_autoptr(GError) error = NULL;
	g_autoptr(GRegex) alone = g_regex_new(pattern, 0, 0, &error);
	if (alone) {
		g_autofree char *whole =
			g_strdup_printf("(*LIMIT_MATCH=%d)(*LIMIT_DEPTH=%d)\\A(?:%s)\\z", TOSCA_MAX_MATCH_STEPS,
					TOSCA_MAX_MATCH_STEPS, pattern);
		constraint->regex = g_regex_new(whole, 0, 0, &error);
	}
	if (!constraint->regex) {
		unit_fault(unit, "bad-constraint", constraint->origin, "\"%s\" is not a regular expression: %s", pattern,
		      error->message);
		return false;
	}
	constraint->gave_up = ARENA_NEW(unit->arena, bool);
	g_ptr_array_add(unit->regexes, constraint->regex);
	return true;
}

static bool operands_read(struct unit *unit, const struct schema *schema, const struct ynode *node, struct constraint *constraint)
{
	const struct schema *wanted = operand_schema(unit, constraint->op, schema);
	bool several = constraint->op == OP_IN_RANGE || constraint->op == OP_VALID_VALUES;
	const struct ynode *one[] = { node };
	const struct ynode *const *items = one;
	constraint->n = 1;
	if (several) {
		if (node->kind != YNODE_SEQUENCE || (constraint->op == OP_IN_RANGE && node->sequence.n != 2)) {
			unit_fault(unit, "bad-constraint", node->origin, "%s takes a list%s", op_names[constraint->op],
			      constraint->op == OP_IN_RANGE ? " of two values" : "");
			return false;
		}
		if (node->sequence.n > TOSCA_MAX_VALID_VALUES) {
			unit_fault(unit, "too-many", node->origin, "valid_values: more than %d", TOSCA_MAX_VALID_VALUES);
			return false;
		}
		items = node->sequence.items;
		constraint->n = node->sequence.n;
	}
	const struct tvalue **operands = ARENA_ARRAY(unit->arena, const struct tvalue *, constraint->n);
	for (size_t i = 0; i < constraint->n; i++)
		if (!(operands[i] = operand_read(unit, wanted, items[i], constraint->op == OP_IN_RANGE)))
			return false;
	constraint->operands = operands;
	return constraint->op != OP_PATTERN || compile_pattern(unit, constraint, operands[0]->string);
}

static const char *operand_text(struct unit *unit, const struct ynode *node)
{
	enum { LIST_MAX = 16 };
	if (node->kind == YNODE_SCALAR)
		return node->scalar.text;
	g_autoptr(GString) text = g_string_new("[");
	for (size_t i = 0; node->kind == YNODE_SEQUENCE && i < node->sequence.n; i++) {
		const struct ynode *item = node->sequence.items[i];
		if (i == LIST_MAX) {
			g_string_append(text, ", …");
			break;
		}
		g_string_append_printf(text, "%s%s", i ? ", " : " ", item->kind == YNODE_SCALAR ? item->scalar.text : "…");
	}
	return arena_strdup(unit->arena, g_string_append(text, " ]")->str);
}

static bool constraint_read(struct unit *unit, const struct schema *schema, const struct ynode *node, struct constraint *ret)
{
	if (node->kind != YNODE_MAPPING || node->mapping.n != 1) {
		unit_fault(unit, "bad-constraint", node->origin, "a constraint is one operator with its operand");
		return false;
	}
	const struct yentry *entry = &node->mapping.entries[0];
	size_t op = 0;
	while (op < G_N_ELEMENTS(op_names) && strcmp(op_names[op], entry->key))
		op++;
	if (op == G_N_ELEMENTS(op_names)) {
		struct diag *diag = unit_fault(unit, "bad-constraint", entry->origin, "there is no constraint \"%s\"",
					       entry->key);
		hint_names(unit, unit->diags, diag, entry->key, op_names, G_N_ELEMENTS(op_names));
		return false;
	}
	*ret = (struct constraint) { .op = (enum constraint_op) op, .origin = entry->origin,
				    .text = operand_text(unit, entry->value) };
	if (!op_fits(ret->op, schema->base)) {
		unit_fault(unit, "bad-constraint", entry->origin, "%s does not go with type %s", entry->key, schema->type_name);
		return false;
	}
	return operands_read(unit, schema, entry->value, ret);
}

const struct constraint *constraints_read(struct unit *unit, const struct schema *schema, const struct ynode *node, size_t *ret_n)
{
	*ret_n = 0;
	if (ynode_is_null(node))
		return NULL;
	if (node->kind != YNODE_SEQUENCE) {
		struct diag *diag = unit_fault(unit, "wrong-shape", node->origin, "constraints must be a list");
		unit_hint(unit, diag, "write \"- in_range: [ 1, 10 ]\"");
		return NULL;
	}
	if (node->sequence.n + schema->n_constraints > TOSCA_MAX_CONSTRAINTS) {
		unit_fault(unit, "too-many", node->origin, "constraints: more than %d", TOSCA_MAX_CONSTRAINTS);
		return NULL;
	}
	struct constraint *constraints = ARENA_ARRAY(unit->arena, struct constraint, node->sequence.n);
	for (size_t i = 0; i < node->sequence.n; i++)
		if (constraint_read(unit, schema, node->sequence.items[i], &constraints[*ret_n]))
			++*ret_n;
	return constraints;
}

/* --- holding ------------------------------------------------------------------------------------------------------- */

static int compare_versions(const char *a, const char *b)
{
	for (;;) {
		size_t na = strspn(a, "0123456789"), nb = strspn(b, "0123456789");
		if (na && nb) {
			guint64 va = g_ascii_strtoull(a, NULL, 10), vb = g_ascii_strtoull(b, NULL, 10);
			if (va != vb)
				return va < vb ? -1 : 1;
			a += na;
			b += nb;
		} else if (*a != *b || !*a) {
			return (unsigned char) *a - (unsigned char) *b;
		} else {
			a++;
			b++;
		}
	}
}

static bool is_number(const struct tvalue *value)
{
	return value->type == TV_INTEGER || value->type == TV_FLOAT;
}

/* -1, 0, 1; 2 when they cannot be compared. */
static int compare(enum base base, const struct tvalue *a, const struct tvalue *b)
{
	if (a->type == TV_INTEGER && b->type == TV_INTEGER)
		return (a->integer > b->integer) - (a->integer < b->integer);
	if (is_number(a) && is_number(b)) {
		double x = a->type == TV_INTEGER ? (double) a->integer : a->number;
		double y = b->type == TV_INTEGER ? (double) b->integer : b->number;
		return (x > y) - (x < y);
	}
	if (a->type == TV_STRING && b->type == TV_STRING) {
		int order = base == BASE_VERSION ? compare_versions(a->string, b->string) : strcmp(a->string, b->string);
		return (order > 0) - (order < 0);
	}
	return 2;
}

static bool equal(const struct tvalue *a, const struct tvalue *b)
{
	if (is_number(a) && is_number(b))
		return !compare(BASE_ANY, a, b);
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case TV_NULL:
		return true;
	case TV_BOOL:
		return a->boolean == b->boolean;
	case TV_INTEGER:
	case TV_FLOAT:
		return !compare(BASE_ANY, a, b);
	case TV_STRING:
		return !strcmp(a->string, b->string);
	case TV_LIST:
		if (a->list.n != b->list.n)
			return false;
		for (size_t i = 0; i < a->list.n; i++)
			if (!equal(a->list.items[i], b->list.items[i]))
				return false;
		return true;
	case TV_MAP:
		if (a->map.n != b->map.n)
			return false;
		for (size_t i = 0; i < a->map.n; i++) {
			const struct tvalue *other = tvalue_get(b, a->map.keys[i]);
			if (!other || !equal(a->map.items[i], other))
				return false;
		}
		return true;
	case TV_FUNCTION:
		return false;
	}
	g_assert_not_reached();
}

static bool in_range(enum base base, const struct constraint *constraint, const struct tvalue *value)
{
	if (base == BASE_RANGE) {
		for (size_t i = 0; i < value->list.n; i++)
			if (value->list.items[i]->type == TV_INTEGER && !in_range(BASE_INTEGER, constraint, value->list.items[i]))
				return false;
		return true;
	}
	const struct tvalue *low = constraint->operands[0], *high = constraint->operands[1];
	if (low->type != TV_NULL && compare(base, value, low) == -1)
		return false;
	return high->type == TV_NULL || compare(base, value, high) != 1;
}

static bool is_valid_value(const struct constraint *constraint, const struct tvalue *value)
{
	for (size_t i = 0; i < constraint->n; i++)
		if (equal(constraint->operands[i], value))
			return true;
	return false;
}

static gint64 length_of(const struct tvalue *value)
{
	switch (value->type) {
	case TV_LIST:
		return (gint64) value->list.n;
	case TV_MAP:
		return (gint64) value->map.n;
	case TV_STRING:
		return g_utf8_strlen(value->string, -1);
	case TV_NULL:
	case TV_BOOL:
	case TV_INTEGER:
	case TV_FLOAT:
	case TV_FUNCTION:
		return 0;
	}
	g_assert_not_reached();
}

static bool matches(const struct constraint *constraint, const struct tvalue *value, const char **ret_why)
{
	if (value->type != TV_STRING)
		return true;
	g_autoptr(GError) error = NULL;
	if (!*constraint->gave_up && g_regex_match_full(constraint->regex, value->string, -1, 0, 0, NULL, &error))
		return true;
	*constraint->gave_up = *constraint->gave_up || error;
	if (*constraint->gave_up)
		*ret_why = "takes too many steps to match";
	return false;
}

static bool holds(enum base base, const struct constraint *constraint, const struct tvalue *value, const char **ret_why)
{
	const struct tvalue *operand = constraint->n ? constraint->operands[0] : NULL;
	switch (constraint->op) {
	case OP_EQUAL:
		return equal(operand, value);
	case OP_GREATER_THAN:
		return compare(base, value, operand) >= 1;
	case OP_GREATER_OR_EQUAL:
		return compare(base, value, operand) >= 0;
	case OP_LESS_THAN:
		return compare(base, value, operand) == -1 || compare(base, value, operand) == 2;
	case OP_LESS_OR_EQUAL:
		return compare(base, value, operand) != 1;
	case OP_IN_RANGE:
		return in_range(base, constraint, value);
	case OP_VALID_VALUES:
		return is_valid_value(constraint, value);
	case OP_LENGTH:
		return length_of(value) == operand->integer;
	case OP_MIN_LENGTH:
		return length_of(value) >= operand->integer;
	case OP_MAX_LENGTH:
		return length_of(value) <= operand->integer;
	case OP_PATTERN:
		return matches(constraint, value, ret_why);
	}
	g_assert_not_reached();
}

bool constraints_hold(struct eval *eval, const struct schema *schema, const struct tvalue *value)
{
	bool ok = true;
	for (size_t i = 0; i < schema->n_constraints; i++) {
		const struct constraint *constraint = &schema->constraints[i];
		const char *why = "is against";
		if (holds(schema->base, constraint, value, &why))
			continue;
		ok = false;
		struct diag *diag = diags_error(eval->diags, "constraint", value->origin, "%s %s the constraint %s: %s",
						value_quote(eval->arena, value), why, op_names[constraint->op], constraint->text);
		diag_note(eval->diags, diag, constraint->origin, "the constraint is given here");
		if (constraint->op == OP_VALID_VALUES && value->type == TV_STRING) {
			const char **names = g_newa(const char *, MIN(constraint->n, 256));
			size_t n = 0;
			for (size_t j = 0; j < constraint->n && n < 256; j++)
				if (constraint->operands[j]->type == TV_STRING)
					names[n++] = constraint->operands[j]->string;
			hint_names(eval->unit, eval->diags, diag, value->string, names, n);
		}
	}
	return ok;
}
