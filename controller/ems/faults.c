#include "ems/faults.h"

#include "base/clock.h"
#include "ems/patient.h"
#include "model/key.h"

#include <string.h>

static const char *const fate_names[] = {
	[FAULT_RESTART] = "restart", [FAULT_RECOVER] = "recover", [FAULT_WAITS] = "waits", [FAULT_LIMIT] = "limit",
	[FAULT_REPORTED] = "reported",
};

const char *fault_fate_name(enum fault_fate fate)
{
	return fate_names[fate];
}

/* --- what is ill ------------------------------------------------------------------------------------------------------------ */

/* Was it applied as it is desired? What is known only at run time is the plan's business. */
static bool is_applied(struct objects last, const struct object *desired)
{
	const struct object *applied = objects_find(last, desired->key);
	if (!applied)
		return false;
	for (size_t i = 0; i < desired->n_fields; i++) {
		const struct field *field = &desired->fields[i];
		if (value_is_known(field->value) && !value_equal(field->value, object_value(applied, field->path)))
			return false;
	}
	return true;
}

static const char *vnfc_trouble(struct arena *arena, const struct object *observed)
{
	if (!observed)
		return "it is gone";
	const char *state = object_string(observed, "state", "running"), *exit = object_string(observed, "exit", NULL);
	if (strcmp(state, "running") == 0)
		return NULL;
	return exit ? arena_printf(arena, "it ended: %s", exit) : arena_printf(arena, "it is %s", state);
}

/* "failed", "unhealthy", or NULL: nothing is wrong. */
static const char *nf_illness(const struct object *observed)
{
	const char *state = object_string(observed, "state", "");
	if (strcmp(state, "failed") == 0)
		return "failed";
	bool unhealthy = strcmp(state, "started") == 0 && strcmp(object_string(observed, "health", ""), "unhealthy") == 0;
	return unhealthy ? "unhealthy" : NULL;
}

static const char *nf_trouble(struct arena *arena, const struct object *observed)
{
	const char *what = nf_illness(observed), *why = object_string(observed, "reason", NULL);
	return what && why ? arena_printf(arena, "%s: %s", what, why) : what;
}

static bool wants_started(const struct object *desired)
{
	return strcmp(object_string(desired, "state", ""), "started") == 0;
}

/* The slot of the desired VNFC @vnfc, when something is wrong with it or with the NF in it. */
static struct patient *examine(struct ward *ward, const struct object *vnfc)
{
	const struct faults_input *input = ward->input;
	if (observed_is_blind(input->observed, vnfc->site))
		return NULL;
	const struct object *seen = objects_find(input->observed->objects, vnfc->key);
	const char *nf_key = key_of_kind(ward->arena, vnfc->key, "nf");
	const struct object *nf = objects_find(input->desired->objects, nf_key);
	const struct object *nf_seen = objects_find(input->observed->objects, nf_key);
	const char *reason = vnfc_trouble(ward->arena, seen);
	bool dead = reason != NULL;
	if (dead && !is_applied(input->last, vnfc))
		return NULL;
	if (!dead && nf && nf_seen && wants_started(nf) && (reason = nf_trouble(ward->arena, nf_seen)) && !is_applied(input->last, nf))
		reason = NULL;
	if (!reason)
		return NULL;
	struct patient *patient = ARENA_NEW(ward->arena, struct patient);
	*patient = (struct patient) { .vnfc = vnfc, .nf = nf, .seen = seen, .nf_seen = nf_seen, .dead = dead, .reason = reason };
	patient->path = key_path(vnfc->key);
	return patient;
}

/* --- marks ------------------------------------------------------------------------------------------------------------------ */

static const struct object *failed(struct arena *arena, const struct object *object, const char *why_path, const char *why)
{
	struct object_builder *builder = object_builder_new(arena, object->key, object->site, object->origin);
	for (size_t i = 0; i < object->n_fields; i++)
		object_set(builder, object->fields[i].path, object->fields[i].value, object->fields[i].origin);
	object_set_string(builder, "state", "failed", ORIGIN_NONE);
	object_set_string(builder, why_path, why, ORIGIN_NONE);
	object_set_incarnation(builder, object->incarnation);
	return object_build(builder);
}

static void replace(struct objects objects, const struct object **items, const struct object *marked)
{
	size_t low = 0, high = objects.n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(items[middle]->key, marked->key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	items[low] = marked;
}

/* What ended is seen as it is. An NF that is ill counts as failed, so that its drift is told even while it is held. */
static void mark(struct ward *ward, const struct patient *patient, const struct object **items)
{
	if (patient->dead)
		return;
	struct objects objects = ward->input->observed->objects;
	if (patient->fate == FAULT_RECOVER) {
		const char *why = arena_printf(ward->arena, "its NF stayed ill: %s", patient->reason);
		replace(objects, items, failed(ward->arena, patient->seen, "exit", why));
	} else {
		const char *why = object_string(patient->nf_seen, "reason", patient->reason);
		replace(objects, items, failed(ward->arena, patient->nf_seen, "reason", why));
	}
}

static struct observed *mark_all(struct ward *ward)
{
	const struct observed *seen = ward->input->observed;
	struct observed *marked = arena_memdup(ward->arena, seen, sizeof(*seen));
	marked->arena = ward->arena;
	if (!ward->patients->len)
		return marked;
	const struct object **items = arena_memdup(ward->arena, seen->objects.items, seen->objects.n * sizeof(*items));
	for (guint i = 0; i < ward->patients->len; i++)
		mark(ward, g_ptr_array_index(ward->patients, i), items);
	marked->objects.items = items;
	return marked;
}

/* --- the result ------------------------------------------------------------------------------------------------------------- */

static struct fault fault_of(struct ward *ward, const struct patient *patient)
{
	const struct object *ill = patient->dead ? patient->vnfc : patient->nf;
	const struct field *check = patient->nf ? object_field(patient->nf, "health_check.type") : NULL;
	return (struct fault) {
		.key = ill->key,
		.act = patient->fate == FAULT_RECOVER ? patient->vnfc->key : ill->key,
		.path = patient->path,
		.reason = patient->reason,
		.fate = patient->fate,
		.held = patient->held,
		.until_us = patient->until_us,
		.wanted = patient->wanted,
		.origin = check && check->origin.file ? check->origin : ill->origin,
	};
}

/* One merge over the two sorted lists: as long as nothing is ill, nothing else is looked up. NFs come before VNFCs. */
static void examine_all(struct ward *ward)
{
	struct objects desired = ward->input->desired->objects, observed = ward->input->observed->objects;
	g_autoptr(GHashTable) ill = g_hash_table_new(g_str_hash, g_str_equal);
	size_t at = 0;
	for (size_t i = 0; i < desired.n; i++) {
		const struct object *object = desired.items[i];
		int order = -1;
		while (at < observed.n && (order = strcmp(observed.items[at]->key, object->key)) < 0)
			at++;
		const struct object *seen = at < observed.n && order == 0 ? observed.items[at] : NULL;
		if (object->kind == &kind_nf && seen && nf_illness(seen))
			g_hash_table_add(ill, (gpointer) (guintptr) key_path(object->key));
		if (object->kind != &kind_vnfc)
			continue;
		bool stands = seen && strcmp(object_string(seen, "state", "running"), "running") == 0;
		bool look = !stands || g_hash_table_contains(ill, key_path(object->key));
		struct patient *patient = look ? examine(ward, object) : NULL;
		if (patient)
			g_ptr_array_add(ward->patients, patient);
	}
}

struct faults *faults_find(const struct faults_input *input)
{
	struct arena *arena = arena_new();
	arena_adopt(arena, input->observed->arena);
	arena_adopt(arena, input->desired->arena);
	g_autoptr(GPtrArray) patients = g_ptr_array_new();
	struct ward ward = { .input = input, .arena = arena, .patients = patients };
	examine_all(&ward);
	ward_decide(&ward);
	struct faults *faults = ARENA_NEW(arena, struct faults);
	struct fault *items = ARENA_ARRAY(arena, struct fault, patients->len);
	for (guint i = 0; i < patients->len; i++)
		items[i] = fault_of(&ward, g_ptr_array_index(patients, i));
	*faults = (struct faults) { .arena = arena, .observed = mark_all(&ward), .items = items, .n = patients->len };
	return faults;
}

void faults_free(struct faults *faults)
{
	if (faults)
		arena_unref(faults->arena);
}

static const struct fault *find(const struct faults *faults, const char *path)
{
	size_t low = 0, high = faults->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, faults->items[middle].path);
		if (order == 0)
			return &faults->items[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *faults_held(const struct faults *faults, const char *key)
{
	const struct fault *fault = faults->n ? find(faults, key_path(key)) : NULL;
	return fault && strcmp(fault->key, key) == 0 ? fault->held : NULL;
}

const struct fault *faults_cured_by(const struct faults *faults, const char *key)
{
	const struct fault *fault = faults->n ? find(faults, key_path(key)) : NULL;
	return fault && !fault->held && strcmp(fault->act, key) == 0 ? fault : NULL;
}

gint64 faults_next_us(const struct faults *faults)
{
	gint64 next_us = -1;
	for (size_t i = 0; i < faults->n; i++) {
		gint64 until_us = faults->items[i].held ? faults->items[i].until_us : -1;
		if (until_us >= 0 && (next_us < 0 || until_us < next_us))
			next_us = until_us;
	}
	return next_us;
}
