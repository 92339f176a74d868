/* A rename is a remove and a create; the plan says where one looks like it.
 *
 * It does when both are of one kind, their keys differ in one segment, and so do not their fields: but for those that come from
 * the key or that nobody asked for, and, where the service itself has another name, for networks that were picked by that name.
 */
#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

static bool is_network(const char *path)
{
	return key_path_matches(path, "cidr") || key_path_matches(path, "gateway") || key_path_matches(path, "pools") ||
	       key_path_matches(path, "cp.*.cidr") || key_path_matches(path, "cp.*.pools");
}

/* Fields that the key has a part in. */
static bool is_derived(const struct field *field, bool other_service)
{
	if (field->spec->flags & (FIELD_OBSERVED | FIELD_ALLOCATED | FIELD_VOLATILE))
		return true;
	if (strcmp(field->path, "hostname") == 0 || key_path_matches(field->path, "cp.*.link") ||
	    key_path_matches(field->path, "config.*.content"))
		return true;
	return other_service && is_network(field->path);
}

static const struct field *next_own(const struct object *object, size_t *at, bool other_service)
{
	while (*at < object->n_fields && is_derived(&object->fields[*at], other_service))
		++*at;
	return *at < object->n_fields ? &object->fields[(*at)++] : NULL;
}

static bool alike(const struct object *gone, const struct object *made, bool other_service)
{
	size_t at_gone = 0, at_made = 0;
	for (;;) {
		const struct field *a = next_own(gone, &at_gone, other_service), *b = next_own(made, &at_made, other_service);
		if (!a || !b)
			return !a && !b;
		if (strcmp(a->path, b->path) != 0 || !value_equal(a->value, b->value))
			return false;
	}
}

/* @key with segment @segment of its path taken out; NULL: it has no such segment. Owned by the caller. */
static char *masked(const char *key, size_t segment)
{
	const char *from = key_path(key);
	for (; segment; segment--) {
		from = strchr(from, '.');
		if (!from)
			return NULL;
		from++;
	}
	const char *to = from + strcspn(from, ".");
	return g_strdup_printf("%.*s*%s", (int) (from - key), key, to);
}

/* One that was removed, one that is made, under a masked key; more than one of a sort tell nothing. */
struct pair {
	size_t gone, made, n_gone, n_made;
};

static void collect(const struct planner *planner, GHashTable *pairs, size_t segment, bool *ret_any)
{
	for (size_t i = 0; i < planner->n_items; i++) {
		const struct item *item = &planner->items[i];
		bool gone = item->fate == FATE_STEP && item->action == ACTION_REMOVE;
		bool made = item->fate == FATE_STEP && item->action == ACTION_CREATE && !item->last;
		char *mask = gone || made ? masked(item->key, segment) : NULL;
		if (!mask)
			continue;
		*ret_any = true;
		struct pair *pair = g_hash_table_lookup(pairs, mask);
		if (!pair)
			g_hash_table_insert(pairs, mask, pair = g_new0(struct pair, 1));
		else
			g_free(mask);
		if (gone) {
			pair->gone = i;
			pair->n_gone++;
		} else {
			pair->made = i;
			pair->n_made++;
		}
	}
}

/* What is hosted has its host's name: it is renamed only where that comes and goes with it. */
static bool with_host(const struct planner *planner, const struct item *item)
{
	const struct item *host = item->host == NO_ITEM ? NULL : &planner->items[item->host];
	return !host || (host->fate == FATE_STEP && host->action == item->action);
}

static void note_pairs(struct planner *planner, GHashTable *pairs, size_t segment)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, pairs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct pair *pair = value;
		if (pair->n_gone != 1 || pair->n_made != 1)
			continue;
		struct item *gone = &planner->items[pair->gone], *made = &planner->items[pair->made];
		if (!with_host(planner, gone) || !with_host(planner, made))
			continue;
		if (gone->note || made->note || !alike(gone->last ? gone->last : gone->observed, made->desired, segment == 0))
			continue;
		made->note = arena_printf(planner->arena, "looks like a rename of %s", gone->key);
		gone->note = arena_printf(planner->arena, "looks like a rename to %s", made->key);
	}
}

void rename_note(struct planner *planner)
{
	bool gone = false, made = false;
	for (size_t i = 0; i < planner->n_items; i++) {
		gone |= planner->items[i].fate == FATE_STEP && planner->items[i].action == ACTION_REMOVE;
		made |= planner->items[i].fate == FATE_STEP && planner->items[i].action == ACTION_CREATE;
	}
	bool any = gone && made;
	for (size_t segment = 0; any; segment++) {
		any = false;
		g_autoptr(GHashTable) pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		collect(planner, pairs, segment, &any);
		note_pairs(planner, pairs, segment);
	}
}
