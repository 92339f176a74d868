#include "exec/internal.h"

#include <string.h>

void job_digest(const struct object *object, char digest[DIGEST_SIZE])
{
	digest[0] = '\0';
	if (!object)
		return;
	auto_ptr(arena) arena = arena_new();
	g_strlcpy(digest, object_digest(arena, object), DIGEST_SIZE);
}

void seen_digest(const struct object *object, char digest[DIGEST_SIZE])
{
	digest[0] = '\0';
	if (!object)
		return;
	auto_ptr(arena) arena = arena_new();
	struct object managed = *object;
	struct field *fields = ARENA_ARRAY(arena, struct field, object->n_fields);
	managed.fields = fields;
	managed.n_fields = 0;
	for (size_t i = 0; i < object->n_fields; i++)
		if (!object->kind->host || !(object->fields[i].spec->flags & FIELD_OBSERVED))
			fields[managed.n_fields++] = object->fields[i];
	g_strlcpy(digest, object_digest(arena, &managed), DIGEST_SIZE);
}

static bool removes(enum action action)
{
	return action == ACTION_REMOVE || action == ACTION_CLEAN;
}

/* What a removal names: the object as it was seen or recorded, under the incarnation that has to go. */
static const struct object *what_goes(struct arena *arena, const struct step *step)
{
	const struct object *known = step->observed ? step->observed : step->last;
	if (known) {
		struct object *goes = arena_memdup(arena, known, sizeof(*known));
		goes->incarnation = step->incarnation;
		goes->site = step->site; /* what is left behind by a move is on another site than the object */
		return goes;
	}
	struct object_builder *builder = object_builder_new(arena, step->key, step->site, ORIGIN_NONE);
	object_set_incarnation(builder, step->incarnation);
	return object_build(builder);
}

struct naming {
	GString *text;
};

static void name_each(const char *key, void *data)
{
	struct naming *naming = data;
	g_string_append_printf(naming->text, "%s%s", naming->text->len ? ", " : "", key);
}

static char *what_is_missing(struct exec *exec, const struct field *field)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (field->value->type == VALUE_PENDING)
		expr_waits_for(field->value->expr, exec_value, exec, name_each, &(struct naming) { text });
	if (!text->len)
		g_string_append(text, "a value that is not known yet");
	return g_strdup_printf("%s waits for %s", field->path, text->str);
}

static const struct object *resolve(struct exec *exec, const struct step *step, struct arena *arena, char **ret_text, GError **error)
{
	const struct object *want = object_eval(arena, step->desired, exec_value, exec, error);
	if (!want) {
		g_prefix_error(error, "%s: ", step->key);
		return NULL;
	}
	for (size_t i = 0; i < want->n_fields; i++)
		if (!value_is_known(want->fields[i].value)) {
			*ret_text = what_is_missing(exec, &want->fields[i]);
			return NULL;
		}
	return object_with_incarnation(arena, want, step->incarnation);
}

static void fill_acts(struct job *job, const struct step *step)
{
	job->last = step->last;
	switch (step->action) {
	case ACTION_CREATE:
		job->act = ACT_CREATE;
		return;
	case ACTION_CHANGE:
	case ACTION_RESTART:
		job->act = ACT_CHANGE;
		return;
	case ACTION_REPLACE:
		job->act = ACT_CREATE;
		/* without a record, what stands there now says which addresses to take again */
		if (!job->last)
			job->last = step->observed;
		if (step->interrupts && step->observed)
			job->remove_first = step->observed;
		return;
	case ACTION_REMOVE:
	case ACTION_CLEAN:
		job->act = ACT_REMOVE;
		return;
	}
	g_assert_not_reached();
}

enum job_ready job_make(struct exec *exec, struct item *item, struct job **ret_job, char **ret_text, GError **error)
{
	const struct step *step = item->step;
	const struct kind_ops *kind = registry_kind(exec->options.registry, step->key);
	if (!kind) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "%s: nothing here can reconcile this kind of object", step->key);
		return JOB_FAULT;
	}
	auto_ptr(arena) arena = arena_new();
	const struct object *want;
	if (removes(step->action)) {
		want = what_goes(arena, step);
	} else {
		GError *fault = NULL;
		char *text = NULL;
		want = resolve(exec, step, arena, &text, &fault);
		if (fault) {
			g_propagate_error(error, fault);
			return JOB_FAULT;
		}
		if (!want) {
			*ret_text = text;
			return JOB_PENDING;
		}
	}
	struct job *job = g_new0(struct job, 1);
	job->exec = exec;
	job->item = item;
	job->kind = kind;
	job->want = want;
	job->arena = g_steal_pointer(&arena);
	fill_acts(job, step);
	*ret_job = job;
	return JOB_READY;
}

void job_free(struct job *job)
{
	if (!job)
		return;
	g_clear_error(&job->error);
	arena_unref(job->arena);
	g_free(job);
}

void job_work(void *data)
{
	struct job *job = data;
	const struct object *none = NULL;
	const struct access *no_access = NULL;
	if (job->remove_first) {
		if (!job->kind->act(&job->call, ACT_REMOVE, job->remove_first, job->last, job->arena, &none, &no_access, &job->error)) {
			g_prefix_error(&job->error, "removing incarnation %u first: ", job->remove_first->incarnation);
			return;
		}
		job->removed_first = true;
	}
	job->ok = job->kind->act(&job->call, job->act, job->want, job->last, job->arena, &job->got, &job->access, &job->error);
}

const struct object *job_applied(struct arena *arena, const struct object *want, const struct object *got)
{
	struct object_builder *builder = object_builder_new(arena, want->key, want->site, want->origin);
	for (size_t i = 0; got && i < got->n_fields; i++) {
		const struct field *field = &got->fields[i];
		if ((field->spec->flags & FIELD_ALLOCATED) && value_is_known(field->value))
			object_set(builder, field->path, field->value, ORIGIN_NONE);
	}
	for (size_t i = 0; i < want->n_fields; i++)
		object_set(builder, want->fields[i].path, want->fields[i].value, want->fields[i].origin);
	for (size_t i = 0; i < want->n_depends; i++)
		object_depends_on(builder, want->depends[i]);
	object_set_descriptor(builder, want->descriptor);
	object_set_incarnation(builder, want->incarnation);
	return object_build(builder);
}
