#include "ems/patient.h"

#include "base/clock.h"
#include "model/key.h"

#include <string.h>

/* --- the history ------------------------------------------------------------------------------------------------------------ */

/* What was done to one slot since it was last asked for, or desired otherwise; ascending times. */
struct history {
	GArray *times;     /* gint64, of this hour */
	size_t episode;    /* of ours the newest that followed one another closely */
	size_t restarts;   /* the newest, closely after one another, since the last recovery */
	bool asked;        /* and nothing was done since */
	gint64 newest_us, ours_us; /* of all, and of what we did */
};

static int by_time(gconstpointer a, gconstpointer b)
{
	const struct cure *x = *(const struct cure *const *) a, *y = *(const struct cure *const *) b;
	return x->wall_us < y->wall_us ? -1 : x->wall_us > y->wall_us;
}

/* "" means all. */
static bool is_below(const char *path, const char *root)
{
	size_t length = strlen(root);
	return !length || (strncmp(path, root, length) == 0 && path[length] == '.');
}

static GPtrArray *cures_of(const struct ward *ward, const struct patient *patient)
{
	const struct faults_input *input = ward->input;
	GPtrArray *cures = g_ptr_array_new();
	gint64 from_us = input->wall_us - (gint64) FAULTS_HISTORY_S * G_USEC_PER_SEC;
	for (size_t i = 0; i < input->n_cures; i++) {
		const struct cure *cure = &input->cures[i];
		bool for_it = strcmp(cure->path, patient->path) == 0 || (cure->kind == CURE_ASKED && is_below(patient->path, cure->path));
		bool counts = cure->kind == CURE_ASKED || strcmp(cure->wanted, patient->wanted) == 0;
		/* One of the future is of before the clock was set back. */
		if (for_it && counts && cure->wall_us > from_us && cure->wall_us <= input->wall_us)
			g_ptr_array_add(cures, (gpointer) (guintptr) cure);
	}
	g_ptr_array_sort(cures, by_time);
	return cures;
}

static void note(struct history *history, const struct cure *cure)
{
	if (cure->kind == CURE_ASKED) {
		g_array_set_size(history->times, 0);
		history->episode = history->restarts = 0;
		history->newest_us = history->ours_us = cure->wall_us;
		history->asked = true;
		return;
	}
	bool closely = history->times->len && cure->wall_us - history->newest_us < (gint64) FAULTS_WELL_S * G_USEC_PER_SEC;
	history->episode = closely ? history->episode : 0;
	if (cure->kind != CURE_ITSELF) {
		history->episode++;
		history->ours_us = cure->wall_us;
		history->asked = false;
	}
	history->restarts = cure->kind == CURE_RECOVER ? 0 : closely ? history->restarts + 1 : 1;
	history->newest_us = cure->wall_us;
	g_array_append_val(history->times, cure->wall_us);
}

static struct history history_of(const struct ward *ward, const struct patient *patient)
{
	struct history history = { .times = g_array_new(FALSE, FALSE, sizeof(gint64)) };
	g_autoptr(GPtrArray) cures = cures_of(ward, patient);
	for (guint i = 0; i < cures->len; i++)
		note(&history, g_ptr_array_index(cures, i));
	gint64 ago_us = ward->input->wall_us - history.newest_us;
	if (ago_us >= (gint64) FAULTS_WELL_S * G_USEC_PER_SEC)
		history.episode = history.restarts = 0;
	history.asked = history.asked && ago_us < (gint64) FAULTS_ASKED_S * G_USEC_PER_SEC;
	return history;
}

/* --- one patient ------------------------------------------------------------------------------------------------------------ */

static const char *time_text(struct arena *arena, gint64 wall_us)
{
	char text[CLOCK_TEXT_SIZE];
	clock_rfc3339(wall_us, text);
	return arena_printf(arena, "%.19sZ", text);
}

static void hold(struct patient *patient, enum fault_fate fate, const char *why, gint64 until_us)
{
	patient->fate = fate;
	patient->held = why;
	patient->until_us = until_us;
}

static gint64 backoff_us(size_t n_before)
{
	gint64 s = FAULTS_BACKOFF_MIN_S;
	for (size_t i = 1; i < n_before && s < FAULTS_BACKOFF_MAX_S; i++)
		s *= 2;
	return n_before ? MIN(s, FAULTS_BACKOFF_MAX_S) * G_USEC_PER_SEC : 0;
}

/* Why it may not be made anew; NULL: it may. */
static const char *no_recovery(const struct patient *patient)
{
	if (strcmp(object_string(patient->vnfc, "label.autoheal", ""), "false") == 0)
		return "its VNFD says is_autoheal_enabled: false";
	const char *escalate = patient->nf ? object_string(patient->nf, "health_check.escalate_to", "recover") : "recover";
	if (strcmp(escalate, "recover") == 0)
		return NULL;
	return strcmp(escalate, "report") == 0 ? "its health check says escalate_to: report" : "its health check says escalate_to: restart";
}

static bool only_reported(const struct patient *patient)
{
	return patient->nf && strcmp(object_string(patient->nf, "health_check.escalate_to", ""), "report") == 0;
}

static void limit(const struct ward *ward, struct patient *patient, const struct history *history, size_t max)
{
	gint64 until_us = g_array_index(history->times, gint64, history->times->len - max) + (gint64) FAULTS_HISTORY_S * G_USEC_PER_SEC;
	hold(patient, FAULT_LIMIT,
	     arena_printf(ward->arena, "%s; cured %u times within an hour, which is its limit (max_per_hour), next try at %s", patient->reason,
			  history->times->len, time_text(ward->arena, until_us)),
	     until_us);
}

static void decide(struct ward *ward, struct patient *patient)
{
	const char *forbidden = no_recovery(patient);
	const struct object *ill = patient->nf ? patient->nf : patient->vnfc;
	patient->wanted = object_digest(ward->arena, ill);
	patient->until_us = -1;
	struct history history = history_of(ward, patient);
	patient->n_cures = history.times->len;
	gint64 max = patient->nf ? object_int(patient->nf, "health_check.max_per_hour", FAULTS_PER_HOUR_DEFAULT) : G_MAXINT;
	gint64 at_us = history.ours_us + backoff_us(history.episode);
	if ((patient->dead ? forbidden != NULL : only_reported(patient)) && !history.asked)
		hold(patient, FAULT_REPORTED, arena_printf(ward->arena, "%s; %s", patient->reason, forbidden), -1);
	else if (history.times->len >= (guint64) max)
		limit(ward, patient, &history, (size_t) max);
	else if (history.episode && ward->input->wall_us < at_us)
		hold(patient, FAULT_WAITS,
		     arena_printf(ward->arena, "%s; cured %zu time%s of late, next at %s", patient->reason, history.episode,
				  history.episode == 1 ? "" : "s", time_text(ward->arena, at_us + G_USEC_PER_SEC - 1)), at_us);
	else
		patient->fate = patient->dead || (history.restarts >= FAULTS_RESTARTS && !forbidden) ? FAULT_RECOVER : FAULT_RESTART;
	g_array_unref(history.times);
}

/* --- those of a group ------------------------------------------------------------------------------------------------------- */

/* "edge.web.vdu" of "edge.web.vdu.0" and, where the VNF itself has several instances, of "edge.web.1.vdu.0". */
static const char *instances_of(const char *path, struct arena *arena)
{
	g_auto(GStrv) parts = g_strsplit(path, ".", -1);
	guint n = g_strv_length(parts);
	if (n == 5)
		return arena_printf(arena, "%s.%s.%s", parts[0], parts[1], parts[3]);
	const char *dot = strrchr(path, '.');
	return dot ? arena_strndup(arena, path, (size_t) (dot - path)) : path;
}

static const char *group_of(const struct ward *ward, const char *path)
{
	const struct faults_input *input = ward->input;
	return input->group_of ? input->group_of(path, ward->arena, input->data) : instances_of(path, ward->arena);
}

/* Does its cure stop something that may still serve? */
static bool interrupts(const struct patient *patient)
{
	return !patient->held && !patient->dead && strcmp(object_string(patient->nf_seen, "state", ""), "failed") != 0;
}

struct group {
	size_t well;            /* members that serve */
	bool busy;              /* one of them is on its way, by a cure or otherwise */
	struct patient *chosen; /* of those whose cure interrupts: the next one */
};

/* A member that is not ill: does it serve? */
static bool is_well(const struct ward *ward, const struct object *vnfc)
{
	const struct observed *observed = ward->input->observed;
	const struct object *seen = objects_find(observed->objects, vnfc->key);
	const char *nf_key = key_of_kind(ward->arena, vnfc->key, "nf");
	const struct object *nf = objects_find(ward->input->desired->objects, nf_key), *nf_seen = objects_find(observed->objects, nf_key);
	if (!seen || strcmp(object_string(seen, "state", ""), "running") != 0)
		return false;
	if (!nf || strcmp(object_string(nf, "state", ""), "started") != 0)
		return true;
	return nf_seen && strcmp(object_string(nf_seen, "state", ""), "started") == 0 &&
	       strcmp(object_string(nf_seen, "health", "healthy"), "starting") != 0;
}

static struct group *group_find(GHashTable *groups, struct arena *arena, const char *name, bool make)
{
	struct group *group = g_hash_table_lookup(groups, name);
	if (!group && make) {
		group = ARENA_NEW(arena, struct group);
		g_hash_table_insert(groups, (gpointer) (guintptr) name, group);
	}
	return group;
}

/* The one that was cured the least comes first, so that a hopeless one keeps nobody waiting. */
static bool comes_before(const struct patient *a, const struct patient *b)
{
	return !b || a->n_cures < b->n_cures || (a->n_cures == b->n_cures && strcmp(a->path, b->path) < 0);
}

static void gather(struct ward *ward, GHashTable *groups)
{
	g_autoptr(GHashTable) ill = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < ward->patients->len; i++) {
		struct patient *patient = g_ptr_array_index(ward->patients, i);
		g_hash_table_insert(ill, (gpointer) (guintptr) patient->vnfc->key, patient);
		struct group *group = group_find(groups, ward->arena, group_of(ward, patient->path), true);
		if (!patient->held && !interrupts(patient))
			group->busy = true;
		if (interrupts(patient) && comes_before(patient, group->chosen))
			group->chosen = patient;
	}
	struct objects desired = ward->input->desired->objects;
	for (size_t i = 0; i < desired.n; i++) {
		const struct object *vnfc = desired.items[i];
		if (vnfc->kind != &kind_vnfc || g_hash_table_contains(ill, vnfc->key))
			continue;
		struct group *group = group_find(groups, ward->arena, group_of(ward, key_path(vnfc->key)), false);
		if (!group)
			continue;
		if (is_well(ward, vnfc))
			group->well++;
		else
			group->busy = true;
	}
}

static void take_turns(struct ward *ward)
{
	g_autoptr(GHashTable) groups = g_hash_table_new(g_str_hash, g_str_equal);
	gather(ward, groups);
	for (guint i = 0; i < ward->patients->len; i++) {
		struct patient *patient = g_ptr_array_index(ward->patients, i);
		struct group *group = group_find(groups, ward->arena, group_of(ward, patient->path), false);
		if (!interrupts(patient) || !group->well || (patient == group->chosen && !group->busy))
			continue;
		hold(patient, FAULT_WAITS, arena_printf(ward->arena, "%s; another instance is cured first", patient->reason), -1);
	}
}

void ward_decide(struct ward *ward)
{
	bool any = false;
	for (guint i = 0; i < ward->patients->len; i++) {
		struct patient *patient = g_ptr_array_index(ward->patients, i);
		decide(ward, patient);
		any |= interrupts(patient);
	}
	if (any)
		take_turns(ward);
}
