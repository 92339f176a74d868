#include "daemon/holds.h"

#include "base/clock.h"
#include "base/log.h"
#include "model/key.h"

#include <string.h>

struct holds {
	struct store *store;
	struct arena *arena; /* of @list */
	GArray *list;        /* struct store_hold, by target */
	bool approves_all;
	guint expiry_source;
	void (*changed)(void *data);
	void *data;
};

/* --- what there is ------------------------------------------------------------------------------------------------------ */

static void put_event(struct holds *holds, const char *kind, const char *key, const char *revision, const char *text)
{
	const struct store_event event = { .wall_us = clock_wall_us(), .key = key, .kind = kind, .revision = revision, .text = text };
	g_autoptr(GError) error = NULL;
	if (!store_put_event(holds->store, &event, &error))
		log_error("store: event: %s", error->message);
	log_info("%s%s%s: %s", kind, key ? " " : "", key ? key : "", text);
}

/* An event is found by the key that it is about; what is about several keys by none, and says so in its text. */
static void tell_of(struct holds *holds, const char *kind, const char *target, const char *text)
{
	bool is_key = !strchr(target, '*') && key_is_valid(target);
	g_autofree char *whole = is_key ? g_strdup(text) : g_strdup_printf("%s: %s", target, text);
	put_event(holds, kind, is_key ? target : NULL, NULL, whole);
}

static bool read_list(struct holds *holds, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(struct store_hold));
	if (!store_holds(holds->store, arena, list, error))
		return false;
	g_clear_pointer(&holds->list, g_array_unref);
	g_clear_pointer(&holds->arena, arena_unref);
	holds->list = g_steal_pointer(&list);
	holds->arena = g_steal_pointer(&arena);
	return true;
}

static void tell(struct holds *holds)
{
	if (holds->changed)
		holds->changed(holds->data);
}

/* --- expiry ------------------------------------------------------------------------------------------------------------- */

enum {
	EXPIRY_LOOK_MAX_S = 60,  /* the wall clock may be set meanwhile */
	EXPIRY_AGAIN_S = 5,      /* when the store could not be written */
};

static bool expire(struct holds *holds)
{
	gint64 now_us = clock_wall_us();
	bool any = false;
	for (guint i = 0; i < holds->list->len; i++) {
		const struct store_hold *hold = &g_array_index(holds->list, struct store_hold, i);
		g_autoptr(GError) error = NULL;
		if (!hold->until_us || hold->until_us > now_us)
			continue;
		if (!store_drop_hold(holds->store, hold->target, &error)) {
			log_error("store: %s", error->message);
			continue;
		}
		g_autofree char *text = g_strdup_printf("the hold of %s is over: %s", hold->who, hold->reason);
		tell_of(holds, EVENT_EXPIRED, hold->target, text);
		any = true;
	}
	if (any && !read_list(holds, NULL))
		log_error("store: holds cannot be read");
	return any;
}

static void wait_for_expiry(struct holds *holds, gint64 least_us);

static gboolean expiry_due(gpointer data)
{
	struct holds *holds = data;
	holds->expiry_source = 0;
	bool any = expire(holds);
	wait_for_expiry(holds, any ? 0 : EXPIRY_AGAIN_S * G_USEC_PER_SEC);
	if (any)
		tell(holds);
	return G_SOURCE_REMOVE;
}

/* 0: none ends by itself. */
static gint64 first_expiry_us(const struct holds *holds)
{
	gint64 first_us = 0;
	for (guint i = 0; i < holds->list->len; i++) {
		gint64 until_us = g_array_index(holds->list, struct store_hold, i).until_us;
		if (until_us && (!first_us || until_us < first_us))
			first_us = until_us;
	}
	return first_us;
}

bool holds_one_expires(const struct holds *holds)
{
	return first_expiry_us(holds) != 0;
}

/* @least_us: what is over may be there still, as it could not be taken away a moment ago. */
static void wait_for_expiry(struct holds *holds, gint64 least_us)
{
	gint64 first_us = first_expiry_us(holds);
	g_clear_handle_id(&holds->expiry_source, g_source_remove);
	if (!first_us)
		return;
	gint64 left_us = first_us - clock_wall_us(), wait_us = CLAMP(left_us, 0, EXPIRY_LOOK_MAX_S * G_USEC_PER_SEC);
	if (left_us <= 0)
		wait_us = least_us;
	holds->expiry_source = g_timeout_add((guint) (wait_us / 1000 + 1), expiry_due, holds);
}

/* --- life --------------------------------------------------------------------------------------------------------------- */

struct holds *holds_new(struct store *store, GError **error)
{
	auto_ptr(holds) holds = g_new0(struct holds, 1);
	holds->store = store;
	if (!read_list(holds, error))
		return NULL;
	expire(holds);
	wait_for_expiry(holds, 0);
	return g_steal_pointer(&holds);
}

void holds_free(struct holds *holds)
{
	if (!holds)
		return;
	g_clear_handle_id(&holds->expiry_source, g_source_remove);
	g_clear_pointer(&holds->list, g_array_unref);
	g_clear_pointer(&holds->arena, arena_unref);
	g_free(holds);
}

void holds_on_change(struct holds *holds, void (*changed)(void *data), void *data)
{
	holds->changed = changed;
	holds->data = data;
}

/* --- the operator ------------------------------------------------------------------------------------------------------- */

static bool check_hold(const struct store_hold *hold, GError **error)
{
	if (!*hold->target || strlen(hold->target) > HOLD_TARGET_MAX_BYTES || strpbrk(hold->target, " \t\n"))
		return pleach_error_invalid(error, "\"%.80s\" is no key, service, site or pattern", hold->target);
	if (!*hold->reason)
		return pleach_error_invalid(error, "a reason is wanted: whoever looks at it later asks for it");
	if (strlen(hold->reason) > HOLD_REASON_MAX_BYTES)
		return pleach_error_invalid(error, "the reason is longer than %d bytes", HOLD_REASON_MAX_BYTES);
	if (hold->until_us && hold->until_us <= hold->since_us)
		return pleach_error_invalid(error, "the time until when is past already");
	return true;
}

static const char *until_text(gint64 until_us, char text[CLOCK_TEXT_SIZE])
{
	return until_us ? clock_rfc3339(until_us, text) : "it is resumed";
}

bool holds_suspend(struct holds *holds, const struct store_hold *hold, GError **error)
{
	if (!check_hold(hold, error) || !store_put_hold(holds->store, hold, error) || !read_list(holds, error))
		return false;
	char until[CLOCK_TEXT_SIZE];
	g_autofree char *text = g_strdup_printf("by %s until %s: %s", hold->who, until_text(hold->until_us, until), hold->reason);
	tell_of(holds, EVENT_SUSPENDED, hold->target, text);
	wait_for_expiry(holds, 0);
	tell(holds);
	return true;
}

static const struct store_hold *find(const struct holds *holds, const char *target)
{
	for (guint i = 0; i < holds->list->len; i++)
		if (g_str_equal(g_array_index(holds->list, struct store_hold, i).target, target))
			return &g_array_index(holds->list, struct store_hold, i);
	return NULL;
}

static const char *spoken(const char *target)
{
	return g_str_equal(target, HOLD_ALL) ? "everything" : target;
}

static bool not_suspended(const struct holds *holds, const char *target, GError **error)
{
	g_autoptr(GString) others = g_string_new(NULL);
	for (guint i = 0; i < holds->list->len; i++)
		g_string_append_printf(others, "%s%s", i ? ", " : "", spoken(g_array_index(holds->list, struct store_hold, i).target));
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s is not suspended; %s%s", spoken(target),
		    others->len ? "suspended: " : "nothing is", others->str);
	return false;
}

bool holds_resume(struct holds *holds, const char *target, const char *who, gint64 wall_us, GError **error)
{
	const struct store_hold *hold = find(holds, target);
	if (!hold)
		return not_suspended(holds, target, error);
	char since[CLOCK_TEXT_SIZE];
	g_autofree char *text = g_strdup_printf("by %s; was suspended by %s for %s: %s", who, hold->who,
						clock_duration(wall_us - hold->since_us, since), hold->reason);
	if (!store_drop_hold(holds->store, target, error) || !read_list(holds, error))
		return false;
	tell_of(holds, EVENT_RESUMED, target, text);
	wait_for_expiry(holds, 0);
	tell(holds);
	return true;
}

const struct store_hold *holds_list(const struct holds *holds, struct arena *arena, size_t *ret_n)
{
	struct store_hold *list = ARENA_ARRAY(arena, struct store_hold, holds->list->len);
	for (guint i = 0; i < holds->list->len; i++) {
		const struct store_hold *hold = &g_array_index(holds->list, struct store_hold, i);
		list[i] = (struct store_hold) { arena_strdup(arena, hold->target), arena_strdup(arena, hold->who),
						arena_strdup(arena, hold->reason), hold->since_us, hold->until_us };
	}
	*ret_n = holds->list->len;
	return list;
}

/* --- dangerous revisions ------------------------------------------------------------------------------------------------ */

bool holds_approve(struct holds *holds, const char *revision, const char *who, gint64 wall_us, GError **error)
{
	if (!store_put_approval(holds->store, revision, who, wall_us, error))
		return false;
	g_autofree char *text = g_strdup_printf("%.12s by %s", revision, who);
	put_event(holds, EVENT_APPROVED, NULL, revision, text);
	tell(holds);
	return true;
}

void holds_approve_all(struct holds *holds)
{
	holds->approves_all = true;
}

/* --- plans -------------------------------------------------------------------------------------------------------------- */

struct holds_check {
	struct arena *arena;
	const struct store_hold *list;
	size_t n;
	const struct network *network;
	struct objects last;
	const struct observed *observed;
	bool approved;
	const char *approver;         /* or NULL */
	struct holds_danger *dangers; /* NULL: not looked for yet */
	size_t n_dangers;
};

struct holds_check *holds_check_new(const struct holds *holds, const struct network *network, struct objects last,
				    const struct observed *observed)
{
	struct holds_check *check = g_new0(struct holds_check, 1);
	check->arena = arena_new();
	check->list = holds_list(holds, check->arena, &check->n);
	check->network = network;
	check->last = last;
	check->observed = observed;
	g_autoptr(GError) error = NULL;
	if (network->revision && !store_approval(holds->store, check->arena, network->revision, &check->approver, &error))
		log_error("store: %s", error->message);
	check->approved = holds->approves_all || check->approver;
	return check;
}

void holds_check_free(struct holds_check *check)
{
	if (!check)
		return;
	arena_unref(check->arena);
	g_free(check);
}

/* Where an object is, as far as anybody knows; NULL: it is not known at all. */
static const char *site_of(const struct holds_check *check, const char *key)
{
	const struct objects where[] = { check->observed->objects, check->last, check->network->objects };
	for (size_t i = 0; i < G_N_ELEMENTS(where); i++) {
		const struct object *object = objects_find(where[i], key);
		if (object)
			return object->site;
	}
	return NULL;
}

struct tally {
	size_t n, n_kept;
};

/* Desired, or of a service that is faulty in this revision: plan/ leaves that as it is. */
static bool is_kept(const struct network *network, const char *key)
{
	const char *path = key_path(key);
	for (size_t i = 0; i < network->n_faulty_services; i++) {
		const char *faulty = network->faulty_services[i];
		size_t length = strlen(faulty) - g_str_has_suffix(faulty, ".");
		if (!length || (strncmp(path, faulty, length) == 0 && (path[length] == '.' || path[length] == '\0')))
			return true;
	}
	return objects_find(network->objects, key) != NULL;
}

static void count(const struct holds_check *check, GHashTable *tallies, const struct object *object)
{
	struct tally *tally = g_hash_table_lookup(tallies, object->site);
	if (!tally)
		g_hash_table_insert(tallies, (gpointer) (guintptr) object->site, tally = ARENA_NEW(check->arena, struct tally));
	tally->n++;
	tally->n_kept += is_kept(check->network, object->key);
}

static int danger_order(const void *a, const void *b)
{
	const struct holds_danger *left = a, *right = b;
	return strcmp(left->site, right->site);
}

const struct holds_danger *holds_check_dangers(struct holds_check *check, size_t *ret_n)
{
	if (!check->dangers) {
		g_autoptr(GHashTable) tallies = g_hash_table_new(g_str_hash, g_str_equal);
		for (size_t i = 0; i < check->observed->objects.n; i++)
			count(check, tallies, check->observed->objects.items[i]);
		for (size_t i = 0; i < check->last.n; i++)
			if (!objects_find(check->observed->objects, check->last.items[i]->key))
				count(check, tallies, check->last.items[i]);
		check->dangers = ARENA_ARRAY(check->arena, struct holds_danger, g_hash_table_size(tallies) + 1);
		GHashTableIter iter;
		gpointer site, value;
		g_hash_table_iter_init(&iter, tallies);
		while (g_hash_table_iter_next(&iter, &site, &value)) {
			const struct tally *tally = value;
			if (!tally->n_kept)
				check->dangers[check->n_dangers++] = (struct holds_danger) { site, tally->n, check->approved };
		}
		qsort(check->dangers, check->n_dangers, sizeof(*check->dangers), danger_order);
	}
	*ret_n = check->n_dangers;
	return check->dangers;
}

static const char *danger_reason(struct holds_check *check, const char *key, const char *site, struct arena *arena)
{
	if (check->approved || !site || objects_find(check->network->objects, key))
		return NULL;
	size_t n;
	const struct holds_danger *dangers = holds_check_dangers(check, &n);
	const char *revision = check->network->revision ? check->network->revision : "";
	for (size_t i = 0; i < n; i++)
		if (g_str_equal(dangers[i].site, site))
			return arena_printf(arena, "this revision would remove everything on site %s (%zu object%s); "
					    "`pleach approve %.12s` lets it", site, dangers[i].n, dangers[i].n == 1 ? "" : "s", revision);
	return NULL;
}

const char *holds_check_reason(struct holds_check *check, const char *key, struct arena *arena)
{
	const char *site = site_of(check, key);
	for (size_t i = 0; i < check->n; i++) {
		const struct store_hold *hold = &check->list[i];
		char until[CLOCK_TEXT_SIZE];
		if (store_hold_is_about(hold, key, site))
			return arena_printf(arena, "suspended by %s%s%s: %s", hold->who, hold->until_us ? " until " : "",
					    hold->until_us ? clock_rfc3339(hold->until_us, until) : "", hold->reason);
	}
	return danger_reason(check, key, site, arena);
}
