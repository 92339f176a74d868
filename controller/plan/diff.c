/* The fields of one object: one merge over three sorted lists of them, and the three-way table of plan.h. */
#include "plan/internal.h"

#include <string.h>

/* One path in all that is known of it; NULL: no such field there. */
struct row {
	const char *path;
	const struct field_spec *spec;
	const struct field *desired;
	const struct value *last, *observed;
};

/* --- pending values ------------------------------------------------------------------------------------------------------ */

static bool changes_path(const struct item *item, const char *path)
{
	for (size_t i = 0; i < item->n_changes; i++)
		if (strcmp(item->changes[i].path, path) == 0)
			return true;
	return false;
}

/* What is now and will still be after this plan; absent where this plan decides it anew. */
static const struct value *lookup(const char *key, const char *path, void *data)
{
	const struct planner *planner = data;
	size_t found = items_find(planner, key);
	if (found == NO_ITEM || !planner->items[found].observed)
		return &value_absent;
	const struct item *item = &planner->items[found];
	if (item->fate == FATE_STEP) {
		switch (item->action) {
		case ACTION_CREATE:
		case ACTION_REPLACE:
		case ACTION_REMOVE:
		case ACTION_CLEAN:
			return &value_absent;
		case ACTION_CHANGE:
		case ACTION_RESTART:
			if (changes_path(item, path))
				return &value_absent;
			break;
		}
	}
	return plan_lookup(key, path, (void *) (uintptr_t) planner->input->observed);
}

static void note_key(const char *key, void *data)
{
	g_ptr_array_add(data, (gpointer) (uintptr_t) key);
}

/* Why a value that waits for @key will wait for ever as this plan stands; NULL: it will not. */
static const char *never_comes(const struct planner *planner, size_t found)
{
	if (found == NO_ITEM)
		return "which is not there and not desired";
	const struct item *item = &planner->items[found];
	switch (item->fate) {
	case FATE_OPEN: /* only then not decided yet. Where that one does not really need this one, the next plan will know */
		return "which needs it in turn";
	case FATE_NONE:
		return item->desired ? "which has no such value" : "which is not desired";
	case FATE_BLOCKED:
		return "on which nothing is planned";
	case FATE_STEP:
		return item->action == ACTION_REMOVE ? "which is removed" : NULL;
	}
	g_assert_not_reached();
}

/* @desired as far as it is known now. NULL: it cannot be planned, and the reason is noted. */
static const struct value *evaluate(struct planner *planner, const struct item *item, const struct field *desired,
				    const char **ret_waits_for)
{
	*ret_waits_for = NULL;
	if (value_is_known(desired->value))
		return desired->value;
	g_autoptr(GError) error = NULL;
	g_ptr_array_set_size(planner->keys, 0);
	const struct value *value =
		value_eval_waits(planner->arena, desired->value, lookup, planner, note_key, planner->keys, &error);
	if (!value) {
		unplanned_add(planner, item, desired->path, desired->origin, "%s", error->message);
		return NULL;
	}
	if (value_is_known(value))
		return value;
	if (!planner->keys->len) {
		unplanned_add(planner, item, desired->path, desired->origin, "unknown: its desired value cannot be known");
		return NULL;
	}
	for (guint i = 0; i < planner->keys->len; i++) {
		size_t found = items_find(planner, planner->keys->pdata[i]);
		const char *why = never_comes(planner, found);
		if (why) {
			unplanned_add(planner, item, desired->path, desired->origin, "waits for %s, %s",
				      (const char *) planner->keys->pdata[i], why);
			return NULL;
		}
		g_array_append_val(planner->waits, found);
	}
	*ret_waits_for = planner->keys->pdata[0];
	return value;
}

/* --- causes -------------------------------------------------------------------------------------------------------------- */

/* The three-way table, for an object that is there and differs. */
static enum cause cause_of(const struct item *item, const struct value *desired, const struct value *last,
			   const struct value *observed)
{
	if (!item->last || last->type == VALUE_UNKNOWN)
		return CAUSE_UNATTRIBUTED;
	if (value_equal(last, observed))
		return CAUSE_INTENT;
	return value_equal(last, desired) ? CAUSE_DRIFT : CAUSE_INTENT_DRIFT;
}

/* For an object that is to be made: applied once and gone, or new. A value that is not known yet counts as what it was. */
static enum cause cause_of_new(const struct item *item, const struct value *desired, const struct value *last)
{
	if (!item->last || last->type == VALUE_ABSENT)
		return CAUSE_INTENT;
	return !value_is_known(desired) || value_equal(last, desired) ? CAUSE_DRIFT : CAUSE_INTENT_DRIFT;
}

static enum field_cost cost_of(const struct item *item, const struct row *row)
{
	enum field_cost cost = kind_spec_cost(item->kind, row->spec, row->path, item->caps);
	return item->kind->cost && item->desired ? item->kind->cost(item->desired, row->path, cost) : cost;
}

static void add_change(struct planner *planner, const struct item *item, const struct row *row, const struct value *desired,
		       const char *waits_for, enum cause cause)
{
	struct field_change change = {
		.path = row->path,
		.desired = desired,
		.last = row->last ? row->last : &value_absent,
		.observed = row->observed ? row->observed : &value_absent,
		.cause = cause,
		.cost = cost_of(item, row),
		.waits_for = waits_for,
		.origin = row->desired ? row->desired->origin : item->desired->origin,
	};
	g_array_append_val(planner->changes, change);
}

/* --- one field ----------------------------------------------------------------------------------------------------------- */

/* Is there, beside @path ("cp.lan.addresses"), any field of the same element ("cp.lan.") in @object? */
static bool has_element(const struct object *object, const char *path)
{
	const char *dot = strchr(path, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
	if (!second)
		return true;
	size_t length = (size_t) (second - path) + 1, low = 0, high = object->n_fields;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strncmp(object->fields[middle].path, path, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < object->n_fields && strncmp(object->fields[low].path, path, length) == 0;
}

/* Where the rest of the object was seen, its site cannot tell this field (limits without control groups): that is said, no more. */
static void not_seen(struct planner *planner, const struct item *item, const char *path, struct origin origin)
{
	bool seen = value_is_known(object_value(item->observed, "state"));
	unplanned_add(planner, item, path, origin, seen ? "unknown: its site cannot tell it" : "unknown: it could not be seen");
	g_array_index(planner->unplanned, struct unplanned, planner->unplanned->len - 1).advisory = seen;
}

/* Not fixed by anybody: what was given once is kept; without a record whatever is there is right. */
static void diff_allocated(struct planner *planner, const struct item *item, const struct row *row)
{
	if (!row->last || !value_is_known(row->last) || !has_element(item->desired, row->path))
		return;
	const struct value *observed = row->observed ? row->observed : &value_absent;
	if (observed->type == VALUE_UNKNOWN) {
		not_seen(planner, item, row->path, item->desired->origin);
		return;
	}
	if (!value_equal(row->last, observed))
		add_change(planner, item, row, row->last, NULL, CAUSE_DRIFT);
}

static bool diff_wanted(struct planner *planner, const struct item *item, const struct row *row)
{
	const char *waits_for;
	const struct value *observed = row->observed ? row->observed : &value_absent;
	const struct value *last = row->last ? row->last : &value_absent;
	/* Two revisions compared without a network: expressions against expressions. */
	if (observed->type == VALUE_PENDING) {
		if (!value_equal(row->desired->value, observed))
			add_change(planner, item, row, row->desired->value, NULL, CAUSE_INTENT);
		return true;
	}
	if (observed->type != VALUE_ABSENT && !value_is_known(observed)) {
		not_seen(planner, item, row->path, row->desired->origin);
		return true;
	}
	const struct value *desired = evaluate(planner, item, row->desired, &waits_for);
	if (!desired)
		return false;
	if (!waits_for && value_equal(desired, observed))
		return true;
	add_change(planner, item, row, desired, waits_for, cause_of(item, desired, last, observed));
	return true;
}

/* Nothing in the network shows it: what was applied is what is there, and without a record what is wanted is. */
static void diff_ours(struct planner *planner, const struct item *item, const struct row *row)
{
	const struct value *desired = row->desired ? row->desired->value : &value_absent;
	const struct value *last = row->last ? row->last : &value_absent;
	struct row seen = *row;
	seen.observed = last;
	bool told = (!row->desired || value_is_known(desired)) && last->type != VALUE_UNKNOWN;
	if (item->last && told && !value_equal(desired, last))
		add_change(planner, item, &seen, desired, NULL, CAUSE_INTENT);
}

static bool diff_row(struct planner *planner, const struct item *item, const struct row *row)
{
	if (row->spec->flags & FIELD_OBSERVED)
		return true;
	if (row->spec->flags & FIELD_OURS) {
		diff_ours(planner, item, row);
		return true;
	}
	if (row->desired)
		return diff_wanted(planner, item, row);
	if (row->spec->flags & FIELD_ALLOCATED)
		diff_allocated(planner, item, row);
	else if (row->observed && value_is_known(row->observed))
		add_change(planner, item, row, &value_absent, NULL,
			   cause_of(item, &value_absent, row->last ? row->last : &value_absent, row->observed));
	return true;
}

/* --- whole objects ------------------------------------------------------------------------------------------------------- */

struct field_cursor {
	const struct field *at, *end;
};

static struct field_cursor field_cursor(const struct object *object)
{
	if (!object)
		return (struct field_cursor) { NULL, NULL };
	return (struct field_cursor) { object->fields, object->fields + object->n_fields };
}

static const struct field *lower_field(const struct field *lowest, const struct field_cursor *cursor)
{
	if (cursor->at == cursor->end)
		return lowest;
	return !lowest || strcmp(cursor->at->path, lowest->path) < 0 ? cursor->at : lowest;
}

static const struct field *take_field(struct field_cursor *cursor, const char *path)
{
	return cursor->at != cursor->end && strcmp(cursor->at->path, path) == 0 ? cursor->at++ : NULL;
}

bool diff_update(struct planner *planner, const struct item *item)
{
	struct field_cursor desired = field_cursor(item->desired), last = field_cursor(item->last);
	struct field_cursor seen = field_cursor(item->observed);
	bool good = true;
	for (;;) {
		const struct field *field = lower_field(lower_field(lower_field(NULL, &desired), &last), &seen);
		if (!field)
			return good;
		struct row row = { .path = field->path, .spec = field->spec, .desired = take_field(&desired, field->path) };
		const struct field *of_last = take_field(&last, field->path), *of_seen = take_field(&seen, field->path);
		row.last = of_last ? of_last->value : NULL;
		row.observed = of_seen ? of_seen->value : NULL;
		good &= diff_row(planner, item, &row);
	}
}

bool diff_create(struct planner *planner, const struct item *item)
{
	struct field_cursor last = field_cursor(item->last);
	bool good = true;
	for (size_t i = 0; i < item->desired->n_fields; i++) {
		const struct field *field = &item->desired->fields[i];
		struct row row = { .path = field->path, .spec = field->spec, .desired = field };
		while (last.at != last.end && strcmp(last.at->path, field->path) < 0)
			last.at++;
		const struct field *of_last = take_field(&last, field->path);
		row.last = of_last ? of_last->value : &value_absent;
		if (field->spec->flags & FIELD_OBSERVED)
			continue;
		const char *waits_for;
		const struct value *value = evaluate(planner, item, field, &waits_for);
		if (value)
			add_change(planner, item, &row, value, waits_for, cause_of_new(item, value, row.last));
		good &= value != NULL;
	}
	return good;
}
