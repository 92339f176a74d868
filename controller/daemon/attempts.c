#include "daemon/attempts.h"

#include "base/log.h"

/* @before with those fields of @wanted that @seen has; NULL where that adds nothing. */
static const struct object *with_what_took(struct arena *arena, const struct object *before, const struct object *wanted,
					   const struct object *seen)
{
	struct object_builder *builder = object_builder_new(arena, wanted->key, wanted->site, wanted->origin);
	bool changed = false;
	object_set_incarnation(builder, seen->incarnation);
	for (size_t i = 0; before && i < before->n_fields; i++)
		object_set(builder, before->fields[i].path, before->fields[i].value, before->fields[i].origin);
	for (size_t i = 0; i < wanted->n_fields; i++) {
		const struct field *field = &wanted->fields[i];
		const struct value *now = object_value(seen, field->path);
		if (!value_is_known(field->value) || !value_is_known(now) || !value_equal(field->value, now))
			continue;
		changed |= !before || !value_equal(object_value(before, field->path), field->value);
		object_set(builder, field->path, field->value, field->origin);
	}
	const struct object *object = object_build(builder);
	return changed ? object : NULL;
}

static bool is_unfinished(const struct operation *operation)
{
	return operation && (operation->state == OP_FAILED || operation->state == OP_FAILED_TEMP || operation->state == OP_CANCELLED);
}

void attempts_record(struct store *store, struct last *last, const struct plan *plan, const struct exec *exec, struct observed *observed)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		const struct object *seen = objects_find(observed->objects, step->key);
		if (!is_unfinished(exec_operation(exec, i)) || !step->desired || !seen)
			continue;
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GError) error = NULL;
		const struct object *wanted = object_eval(arena, step->desired, plan_lookup, observed, NULL);
		const struct object *applied =
			with_what_took(arena, last_find(last, step->key), wanted ? wanted : step->desired, seen);
		if (!applied)
			continue;
		if (store_put_applied(store, step->key, applied, plan->revision, &error))
			last_put(last, step->key, applied);
		else
			log_error("store: last applied of %s: %s", step->key, error->message);
	}
}
