#include "daemon/chronicle.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/visible.h"
#include "report/text_diff.h"

#include <string.h>

enum {
	HELD_EVENTS_MAX = 100,      /* of one plan; the rest is counted */
	DRIFT_TEXT_MAX_BYTES = 200, /* of a value that drifted, in an event */
	DRIFT_LINES_MAX = 6,        /* changed lines of a text that drifted, in an event */
};

struct chronicle {
	struct store *store;
	struct revision *revision;
	gint64 seen_us;        /* wall clock: when @revision was first seen */
	bool planned;          /* its first plan was told of */
	bool settled;          /* it had converged once, as far as it could */
	char *noted;           /* what the store was last told of the revision: a state's time is when it began */
	char *refused;
	GHashTable *drift;     /* "KEY PATH", set */
	GHashTable *held;      /* "KEY REASON", set */
	GHashTable *blind;     /* site → gint64 *: since when */
	/* of the turn at hand */
	struct arena *arena;
	GArray *events;        /* struct store_event */
};

struct chronicle *chronicle_new(struct store *store)
{
	struct chronicle *chronicle = g_new0(struct chronicle, 1);
	chronicle->store = store;
	chronicle->drift = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	chronicle->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	chronicle->blind = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	chronicle->arena = arena_new();
	chronicle->events = g_array_new(FALSE, FALSE, sizeof(struct store_event));
	return chronicle;
}

void chronicle_free(struct chronicle *chronicle)
{
	if (!chronicle)
		return;
	g_clear_pointer(&chronicle->revision, revision_unref);
	g_hash_table_unref(chronicle->drift);
	g_hash_table_unref(chronicle->held);
	g_hash_table_unref(chronicle->blind);
	g_array_unref(chronicle->events);
	arena_unref(chronicle->arena);
	g_free(chronicle->noted);
	g_free(chronicle->refused);
	g_free(chronicle);
}

/* --- events of one turn ------------------------------------------------------------------------------------------------- */

static const char *commit_of(const struct chronicle *chronicle)
{
	return chronicle->revision ? snapshot_revision(chronicle->revision->snapshot) : NULL;
}

static struct store_event *add(struct chronicle *chronicle, const char *kind, const char *key)
{
	const struct store_event event = {
		.wall_us = clock_wall_us(), .kind = kind, .key = key, .revision = commit_of(chronicle),
	};
	g_array_append_val(chronicle->events, event);
	return &g_array_index(chronicle->events, struct store_event, chronicle->events->len - 1);
}

static void write_down(struct chronicle *chronicle)
{
	g_autoptr(GError) error = NULL;
	const struct store_event *events = (const struct store_event *) (const void *) chronicle->events->data;
	if (!store_put_events(chronicle->store, events, chronicle->events->len, &error))
		log_error("store: events: %s", error->message);
	g_array_set_size(chronicle->events, 0);
	arena_unref(chronicle->arena);
	chronicle->arena = arena_new();
}

/* --- revisions ---------------------------------------------------------------------------------------------------------- */

static void put_state(struct chronicle *chronicle, const char *state, const char *reason, gint64 converged_us)
{
	const struct store_revision revision = {
		.wall_us = clock_wall_us(),
		.commit = commit_of(chronicle),
		.summary = snapshot_summary(chronicle->revision->snapshot),
		.state = state,
		.reason = reason,
		.author_us = snapshot_author_us(chronicle->revision->snapshot),
		.seen_us = chronicle->seen_us,
		.converged_us = converged_us,
	};
	g_autoptr(GError) error = NULL;
	if (!store_put_revision(chronicle->store, &revision, &error))
		log_error("store: revision: %s", error->message);
}

/* Is it the same as last time? */
static bool is_noted(struct chronicle *chronicle, const char *state, const char *reason)
{
	g_autofree char *noted = g_strjoin("\n", commit_of(chronicle), state, reason, NULL);
	if (g_strcmp0(noted, chronicle->noted) == 0)
		return true;
	g_free(chronicle->noted);
	chronicle->noted = g_steal_pointer(&noted);
	return false;
}

void chronicle_state(struct chronicle *chronicle, const char *state, const char *reason)
{
	if (!chronicle->revision || is_noted(chronicle, state, reason))
		return;
	gint64 now_us = clock_wall_us();
	bool converged = g_str_equal(state, "converged");
	chronicle->settled |= converged || g_str_equal(state, "faulty");
	put_state(chronicle, state, reason, converged ? now_us : 0);
	struct store_event *event = add(chronicle, EVENT_REVISION, NULL);
	event->state = state;
	event->text = reason ? reason : snapshot_summary(chronicle->revision->snapshot);
	event->duration_us = converged ? now_us - chronicle->seen_us : 0;
	write_down(chronicle);
}

/* A controller that starts again goes on with what it had seen before. */
static gint64 seen_before(struct chronicle *chronicle, const char *commit)
{
	g_autoptr(GArray) newest = g_array_new(FALSE, FALSE, sizeof(struct store_revision));
	if (!store_revisions(chronicle->store, chronicle->arena, 1, newest, NULL) || !newest->len)
		return 0;
	const struct store_revision *revision = &g_array_index(newest, struct store_revision, 0);
	return g_str_equal(revision->commit, commit) ? revision->seen_us : 0;
}

static void tell_faults(struct chronicle *chronicle)
{
	const struct diags *diags = chronicle->revision->diags;
	const struct diag *first = NULL;
	for (size_t i = 0; i < diags_count(diags) && !first; i++)
		if (diags_get(diags, i)->severity == SEVERITY_ERROR)
			first = diags_get(diags, i);
	if (!first)
		return;
	struct store_event *event = add(chronicle, EVENT_REVISION, NULL);
	event->state = "faulty";
	event->text = arena_printf(chronicle->arena, "%zu fault%s, the first: %s", diags_errors(diags), diags_errors(diags) == 1 ? "" : "s",
				   first->text);
	event->origin = first->origin;
}

void chronicle_takes(struct chronicle *chronicle, struct revision *revision)
{
	const char *commit = snapshot_revision(revision->snapshot);
	bool is_new = g_strcmp0(commit_of(chronicle), commit) != 0;
	if (chronicle->revision && is_new && !chronicle->settled)
		chronicle_state(chronicle, "superseded", NULL);
	g_clear_pointer(&chronicle->refused, g_free);
	g_clear_pointer(&chronicle->revision, revision_unref);
	chronicle->revision = revision_ref(revision);
	if (!is_new)
		return;
	gint64 before_us = seen_before(chronicle, commit);
	chronicle->seen_us = before_us ? before_us : clock_wall_us();
	chronicle->settled = false;
	is_noted(chronicle, "applying", NULL);
	put_state(chronicle, "applying", NULL, 0);
	chronicle->planned = before_us != 0;
	if (before_us)
		return;
	struct store_event *event = add(chronicle, EVENT_REVISION, NULL);
	event->state = "seen";
	event->text = snapshot_summary(revision->snapshot);
	tell_faults(chronicle);
	write_down(chronicle);
}

void chronicle_refuses(struct chronicle *chronicle, const char *why)
{
	if (g_strcmp0(chronicle->refused, why) == 0)
		return;
	g_free(chronicle->refused);
	chronicle->refused = g_strdup(why);
	struct store_event *event = add(chronicle, EVENT_REVISION, NULL);
	event->revision = NULL;
	event->state = "refused";
	event->text = why;
	write_down(chronicle);
}

/* --- looks -------------------------------------------------------------------------------------------------------------- */

static void note_blind(struct chronicle *chronicle, const struct observed *after)
{
	for (size_t i = 0; i < after->blind.n; i++) {
		const char *site = after->blind.sites[i];
		if (g_hash_table_contains(chronicle->blind, site))
			continue;
		gint64 now_us = clock_wall_us();
		g_hash_table_insert(chronicle->blind, g_strdup(site), g_memdup2(&now_us, sizeof(now_us)));
		add(chronicle, EVENT_BLIND, arena_printf(chronicle->arena, "site/%s", site))->text = after->blind.reasons[i];
	}
	GHashTableIter iter;
	gpointer site, since_us;
	g_hash_table_iter_init(&iter, chronicle->blind);
	while (g_hash_table_iter_next(&iter, &site, &since_us)) {
		if (observed_is_blind(after, site))
			continue;
		struct store_event *event = add(chronicle, EVENT_BACK, arena_printf(chronicle->arena, "site/%s", (const char *) site));
		event->text = "can be looked at again";
		event->duration_us = event->wall_us - *(const gint64 *) since_us;
		g_hash_table_iter_remove(&iter);
	}
}

/* In the far side's own words: of a VNFC how it ended, of an NF its last words. */
static const char *why_ended(const struct object *observed)
{
	return object_string(observed, "exit", object_string(observed, "reason", NULL));
}

static gint64 restarts_of(const struct object *object)
{
	const struct value *value = object_value(object, "restarts");
	return value->type == VALUE_INTEGER ? value->integer : 0;
}

static bool runs(const struct object *object)
{
	const char *state = object_string(object, "state", "");
	return g_str_equal(state, "running") || g_str_equal(state, "started") || g_str_equal(state, "starting");
}

static void note_ended(struct chronicle *chronicle, const struct object *before, const struct object *after)
{
	const char *why = why_ended(after), *text = NULL;
	if (before->incarnation != after->incarnation)
		return;
	if (runs(before) && g_str_equal(object_string(after, "state", ""), "failed"))
		text = why ? arena_strdup(chronicle->arena, why) : "nobody said why";
	else if (after->kind == &kind_nf && restarts_of(after) > restarts_of(before))
		text = arena_printf(chronicle->arena, "started again by its EMS (%" G_GINT64_FORMAT " times by now)%s%s",
				    restarts_of(after), why ? ": " : "", why ? why : "");
	if (text)
		add(chronicle, EVENT_ENDED, after->key)->text = text;
}

void chronicle_observed(struct chronicle *chronicle, const struct observed *before, const struct observed *after)
{
	note_blind(chronicle, after);
	size_t at = 0;
	for (size_t i = 0; before && i < after->objects.n; i++) {
		const struct object *object = after->objects.items[i];
		while (at < before->objects.n && strcmp(before->objects.items[at]->key, object->key) < 0)
			at++;
		const struct object *was = at < before->objects.n ? before->objects.items[at] : NULL;
		if (was && was != object && object->kind != &kind_link && g_str_equal(was->key, object->key))
			note_ended(chronicle, was, object);
	}
	write_down(chronicle);
}

/* --- plans -------------------------------------------------------------------------------------------------------------- */

static bool is_drift(enum cause cause)
{
	return cause == CAUSE_DRIFT || cause == CAUSE_INTENT_DRIFT;
}

/* What somebody put into a file may be of any length, and anything: a beginning of it is enough here. */
static void append_value(GString *text, const struct value *value)
{
	gsize from = text->len;
	value_print(value, text);
	if (text->len - from <= DRIFT_TEXT_MAX_BYTES)
		return;
	g_string_truncate(text, from + DRIFT_TEXT_MAX_BYTES);
	while (((unsigned char) text->str[text->len - 1] & 0xc0) == 0x80) /* in the middle of a character */
		g_string_truncate(text, text->len - 1);
	if ((unsigned char) text->str[text->len - 1] >= 0xc0)
		g_string_truncate(text, text->len - 1);
	g_string_append(text, "…");
}

/* The first lines that were changed in a text, from what it should be to what it is. */
static void append_lines(GString *text, const struct field_change *change)
{
	if (change->desired->type != VALUE_STRING || change->observed->type != VALUE_STRING ||
	    !(strchr(change->desired->string, '\n') || strchr(change->observed->string, '\n')))
		return;
	g_autoptr(GPtrArray) lines = text_diff(change->desired->string, change->observed->string);
	unsigned shown = 0;
	for (guint i = 0; i < lines->len && shown <= DRIFT_LINES_MAX; i++) {
		const char *line = lines->pdata[i];
		if (*line != '-' && *line != '+')
			continue;
		g_autofree char *plain = visible(line);
		if (shown++ == DRIFT_LINES_MAX)
			g_string_append(text, "; …");
		else
			g_string_append_printf(text, "%s%s", shown == 1 ? ": " : "; ", plain);
	}
}

static const char *drift_text(struct arena *arena, const struct step *step, const struct field_change *change)
{
	if (!change)
		return step->observed ? "is not as it was made" : "is gone";
	g_autoptr(GString) text = g_string_new(NULL);
	g_string_append_printf(text, "%s is ", change->path);
	append_value(text, change->observed);
	g_string_append(text, ", should be ");
	append_value(text, change->desired);
	append_lines(text, change);
	const char *why = g_str_equal(change->path, "state") && step->observed ? why_ended(step->observed) : NULL;
	if (why)
		g_string_append_printf(text, ": %s", why);
	return arena_strdup(arena, text->str);
}

static void note_drift(struct chronicle *chronicle, GHashTable *now, const struct step *step, const struct field_change *change)
{
	char *name = g_strconcat(step->key, " ", change ? change->path : "", NULL);
	if (!g_hash_table_contains(chronicle->drift, name)) {
		struct store_event *event = add(chronicle, EVENT_DRIFT, step->key);
		event->text = drift_text(chronicle->arena, step, change);
		event->origin = change ? change->origin : step->desired ? step->desired->origin : ORIGIN_NONE;
		log_warning("drift: %s: %s (%s:%u)", step->key, event->text, event->origin.file ? event->origin.file : "-",
			    event->origin.line);
	}
	g_hash_table_add(now, name);
}

static void note_drifts(struct chronicle *chronicle, const struct plan *plan)
{
	GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (step->action == ACTION_CREATE && is_drift(step->cause))
			note_drift(chronicle, now, step, NULL);
		else
			for (size_t j = 0; j < step->n_changes; j++)
				if (is_drift(step->changes[j].cause))
					note_drift(chronicle, now, step, &step->changes[j]);
	}
	g_hash_table_unref(chronicle->drift);
	chronicle->drift = now;
}

static void note_held(struct chronicle *chronicle, const struct plan *plan)
{
	size_t n = 0;
	GHashTable *now = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; plan->n_held && i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		if (!step->held)
			continue;
		char *name = g_strconcat(step->key, " ", step->held, NULL);
		if (!g_hash_table_contains(chronicle->held, name) && !g_hash_table_contains(now, name) && n++ < HELD_EVENTS_MAX)
			add(chronicle, EVENT_HELD, step->key)->text =
				arena_printf(chronicle->arena, "not to %s: %s", action_name(step->action), step->held);
		g_hash_table_add(now, name);
	}
	if (n > HELD_EVENTS_MAX)
		add(chronicle, EVENT_HELD, NULL)->text = arena_printf(chronicle->arena, "and %zu more objects", n - HELD_EVENTS_MAX);
	g_hash_table_unref(chronicle->held);
	chronicle->held = now;
}

void chronicle_planned(struct chronicle *chronicle, const struct plan *plan)
{
	note_drifts(chronicle, plan);
	note_held(chronicle, plan);
	if (!chronicle->planned && chronicle->revision && plan->n_steps > plan->n_held) {
		struct store_event *event = add(chronicle, EVENT_REVISION, NULL);
		event->state = "applying";
		event->text = arena_printf(chronicle->arena, "%zu to create, %zu to change, %zu to replace, %zu to remove", plan->creates,
					   plan->changes, plan->replaces, plan->removes);
	}
	chronicle->planned = true;
	write_down(chronicle);
}
