#include "ems/vib.h"

#include "model/key.h"

#include <string.h>

/* Each entry has an arena of its own: it is replaced whole when anything in it changes. */
struct slot {
	struct arena *arena;
	struct vib_entry entry;
	bool seen; /* in the update under way */
};

struct vib {
	GHashTable *slots; /* key → struct slot */
};

static void slot_free(gpointer data)
{
	struct slot *slot = data;
	arena_unref(slot->arena);
	g_free(slot);
}

struct vib *vib_new(void)
{
	struct vib *vib = g_new0(struct vib, 1);
	vib->slots = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, slot_free);
	return vib;
}

void vib_free(struct vib *vib)
{
	if (!vib)
		return;
	g_hash_table_unref(vib->slots);
	g_free(vib);
}

/* --- entries ---------------------------------------------------------------------------------------------------------------- */

static const char *keep(struct arena *arena, const char *text)
{
	if (!text || strlen(text) <= VIB_TEXT_MAX_BYTES)
		return arena_strdup(arena, text);
	const char *end;
	char *cut = arena_strndup(arena, text, VIB_TEXT_MAX_BYTES);
	g_utf8_validate(cut, -1, &end);
	cut[end - cut] = '\0';
	return cut;
}

static struct slot *slot_new(const struct vib_entry *entry)
{
	struct slot *slot = g_new0(struct slot, 1);
	struct arena *arena = slot->arena = arena_new();
	slot->entry = *entry;
	const char **const texts[] = {
		&slot->entry.key, &slot->entry.site, &slot->entry.ems, &slot->entry.driver, &slot->entry.transport, &slot->entry.package,
		&slot->entry.state, &slot->entry.health, &slot->entry.reason, &slot->entry.last_failure, &slot->entry.fate,
		&slot->entry.held, &slot->entry.crossed,
	};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		*texts[i] = keep(arena, *texts[i]);
	return slot;
}

static struct slot *put(struct vib *vib, const struct vib_entry *entry)
{
	struct slot *slot = slot_new(entry);
	g_hash_table_replace(vib->slots, (gpointer) (guintptr) slot->entry.key, slot);
	return slot;
}

static bool same(const struct vib_entry *a, const struct vib_entry *b)
{
	const char *const texts[][2] = {
		{ a->site, b->site }, { a->ems, b->ems }, { a->driver, b->driver }, { a->transport, b->transport },
		{ a->package, b->package }, { a->state, b->state }, { a->health, b->health }, { a->reason, b->reason },
		{ a->fate, b->fate }, { a->held, b->held }, { a->crossed, b->crossed }, { a->last_failure, b->last_failure },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
		if (g_strcmp0(texts[i][0], texts[i][1]) != 0)
			return false;
	return a->incarnation == b->incarnation && a->restarts == b->restarts && a->failures == b->failures &&
	       a->state_since_us == b->state_since_us && a->health_since_us == b->health_since_us &&
	       a->last_failure_us == b->last_failure_us;
}

void vib_load(struct vib *vib, const struct vib_entry *entry)
{
	put(vib, entry);
}

const struct vib_entry *vib_find(const struct vib *vib, const char *key)
{
	const struct slot *slot = g_hash_table_lookup(vib->slots, key);
	return slot ? &slot->entry : NULL;
}

const struct vib_entry *vib_set_crossed(struct vib *vib, const char *key, const char *crossed)
{
	const struct vib_entry *before = vib_find(vib, key);
	if (!before)
		return NULL;
	struct vib_entry entry = *before;
	entry.crossed = crossed && *crossed ? crossed : NULL;
	return &put(vib, &entry)->entry;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct vib_entry *) a)->key, ((const struct vib_entry *) b)->key);
}

const struct vib_entry *vib_entries(const struct vib *vib, struct arena *arena, size_t *ret_n)
{
	struct vib_entry *entries = ARENA_ARRAY(arena, struct vib_entry, g_hash_table_size(vib->slots));
	GHashTableIter iter;
	gpointer slot;
	g_hash_table_iter_init(&iter, vib->slots);
	*ret_n = 0;
	while (g_hash_table_iter_next(&iter, NULL, &slot))
		entries[(*ret_n)++] = ((const struct slot *) slot)->entry;
	if (*ret_n)
		qsort(entries, *ret_n, sizeof(*entries), by_key);
	return entries;
}

/* --- after a look ----------------------------------------------------------------------------------------------------------- */

void vib_changes_init(struct vib_changes *changes)
{
	*changes = (struct vib_changes) {
		.arena = arena_new(), .entries = g_ptr_array_new(), .gone = g_ptr_array_new(),
		.events = g_array_new(FALSE, FALSE, sizeof(struct vib_event)),
	};
}

void vib_changes_clear(struct vib_changes *changes)
{
	g_ptr_array_unref(changes->entries);
	g_ptr_array_unref(changes->gone);
	g_array_unref(changes->events);
	arena_unref(changes->arena);
}

static void tell(struct vib_changes *changes, const char *key, const char *kind, struct origin origin, const char *text)
{
	const struct vib_event event = { key, kind, text, origin };
	g_array_append_val(changes->events, event);
}

static const struct fault *fault_of(const struct faults *faults, const char *nf_key)
{
	const char *path = key_path(nf_key);
	size_t low = 0, high = faults ? faults->n : 0;
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

/* A state that could not be told stays as it was last seen. */
static void take_seen(struct vib_entry *entry, const struct object *seen, gint64 wall_us)
{
	const char *state = seen ? object_string(seen, "state", NULL) : NULL, *health = seen ? object_string(seen, "health", NULL) : NULL;
	bool unknown = seen && object_value(seen, "state")->type == VALUE_UNKNOWN;
	if (unknown)
		return;
	if (g_strcmp0(entry->state, state) != 0 || !entry->state_since_us)
		entry->state_since_us = wall_us;
	if (g_strcmp0(entry->health, health) != 0 || !entry->health_since_us)
		entry->health_since_us = wall_us;
	entry->state = state;
	entry->health = health;
	/* In another incarnation it counts from none; what is seen for the first time was not seen to be done. */
	bool same = seen && entry->incarnation == seen->incarnation;
	gint64 restarts = seen ? object_int(seen, "restarts", 0) : 0;
	entry->restarts_before = same ? MIN(entry->restarts, restarts) : entry->incarnation ? 0 : restarts;
	entry->restarts = restarts;
	entry->package = seen ? object_string(seen, "package", NULL) : entry->package;
	entry->incarnation = seen ? seen->incarnation : entry->incarnation;
}

static bool stays_ill(const char *fate)
{
	return g_strcmp0(fate, fault_fate_name(FAULT_LIMIT)) == 0 || g_strcmp0(fate, fault_fate_name(FAULT_REPORTED)) == 0;
}

static void take_fault(struct vib_entry *entry, const struct fault *fault, gint64 wall_us, struct vib_changes *ret)
{
	const char *former = entry->fate;
	if (fault && !entry->reason) {
		entry->failures++;
		entry->last_failure = fault->reason;
		entry->last_failure_us = wall_us;
		tell(ret, entry->key, "fault", fault->origin, fault->reason);
	}
	if (!fault && entry->reason)
		tell(ret, entry->key, "healed", ORIGIN_NONE, arena_printf(ret->arena, "well again after: %s", entry->reason));
	entry->reason = fault ? fault->reason : NULL;
	entry->fate = fault ? fault_fate_name(fault->fate) : NULL;
	entry->held = fault ? fault->held : NULL;
	if (stays_ill(entry->fate) && !stays_ill(former))
		tell(ret, entry->key, "limit", fault->origin, fault->held);
}

static void update(struct vib *vib, const struct vib_input *input, const struct object *nf, struct vib_changes *ret)
{
	struct slot *before = g_hash_table_lookup(vib->slots, nf->key);
	struct vib_entry entry = before ? before->entry : (struct vib_entry) { 0 };
	const struct site *site = network_site(input->desired, nf->site);
	const struct driver_ref *ref = site ? site_ems(site, object_string(nf, "ems", "")) : NULL;
	char *vnfc_key = key_of_kind(ret->arena, nf->key, "vnfc");
	const struct access *access = observed_access(input->observed, vnfc_key);
	entry.key = nf->key;
	entry.site = nf->site;
	entry.ems = object_string(nf, "ems", NULL);
	entry.driver = ref ? ref->driver : NULL;
	entry.transport = access ? access->transport : NULL;
	take_seen(&entry, objects_find(input->observed->objects, nf->key), input->wall_us);
	if (!observed_is_blind(input->observed, nf->site))
		take_fault(&entry, fault_of(input->faults, nf->key), input->wall_us, ret);
	if (before && same(&before->entry, &entry)) {
		before->seen = true;
		return;
	}
	/* What the events say must not end with the former entry. */
	if (before)
		arena_adopt(ret->arena, before->arena);
	struct slot *slot = put(vib, &entry);
	slot->seen = true;
	g_ptr_array_add(ret->entries, &slot->entry);
}

static gboolean was_not_seen(gpointer key, gpointer value, gpointer data)
{
	struct slot *slot = value;
	struct vib_changes *ret = data;
	bool seen = slot->seen;
	slot->seen = false;
	if (!seen)
		g_ptr_array_add(ret->gone, arena_strdup(ret->arena, key));
	return !seen;
}

void vib_update(struct vib *vib, const struct vib_input *input, struct vib_changes *ret)
{
	arena_adopt(ret->arena, input->desired->arena);
	arena_adopt(ret->arena, input->observed->arena);
	if (input->faults)
		arena_adopt(ret->arena, input->faults->arena);
	struct objects objects = input->desired->objects;
	for (size_t i = 0; i < objects.n; i++)
		if (objects.items[i]->kind == &kind_nf)
			update(vib, input, objects.items[i], ret);
	/* While a descriptor is faulty nobody knows what it asked for. */
	if (input->desired->n_faulty_services == 0)
		g_hash_table_foreach_remove(vib->slots, was_not_seen, ret);
}
