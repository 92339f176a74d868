#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

/* --- which there are ----------------------------------------------------------------------------------------------------- */

struct items_index {
	GHashTable *places; /* key to place in planner.items */
	size_t n;           /* items that there are, those behind planner.n_items too */
};

static size_t add_item(const struct planner *planner, size_t known)
{
	const struct known_row *row = &planner->known->rows[known];
	size_t at = planner->index->n++;
	planner->items[at] = (struct item) {
		.key = row->key, .kind = kind_of_key(row->key), .host = NO_ITEM, .node = NO_NODE, .known = known,
		.desired = row->desired, .last = row->last, .observed = row->observed,
		.fate = row->quiet ? FATE_NONE : FATE_OPEN,
	};
	g_hash_table_insert(planner->index->places, (gpointer) (uintptr_t) row->key, GSIZE_TO_POINTER(at));
	return at;
}

/* Of what is quiet only those are made that somebody asks about. */
size_t items_find(const struct planner *planner, const char *key)
{
	gpointer found;
	if (g_hash_table_lookup_extended(planner->index->places, key, NULL, &found))
		return GPOINTER_TO_SIZE(found);
	size_t known = planner->n_quiet ? known_find(planner->known, key) : NO_ITEM;
	return known == NO_ITEM ? NO_ITEM : add_item(planner, known);
}

static void add_items(struct planner *planner)
{
	const struct known *known = planner->known;
	size_t leftover = 0;
	planner->items = g_new(struct item, known->n_rows + 1); /* never grows: what points into it stays */
	planner->index = g_new0(struct items_index, 1);
	planner->index->places = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < known->n_rows; i++) {
		if (known->rows[i].quiet)
			continue;
		struct item *item = &planner->items[add_item(planner, i)];
		int order = -1;
		while (leftover < known->n_leftovers && (order = strcmp(known->leftovers[leftover]->key, item->key)) < 0)
			leftover++;
		item->leftovers = known->leftovers + leftover;
		for (; leftover < known->n_leftovers && strcmp(known->leftovers[leftover]->key, item->key) == 0; leftover++)
			item->n_leftovers++;
	}
	planner->n_items = planner->index->n;
	planner->n_quiet = known->n_rows - planner->n_items;
}

/* --- what each needs ----------------------------------------------------------------------------------------------------- */

static void add_need(struct planner *planner, struct item *item, size_t needed, bool orders)
{
	if (needed == NO_ITEM)
		item->needs_missing = true;
	if (needed == NO_ITEM || &planner->items[needed] == item)
		return;
	struct need need = { needed, orders };
	g_array_append_val(planner->needs, need);
	item->n_needs++;
}

struct naming {
	struct planner *planner;
	struct item *item;
};

static void add_named(const char *key, const char *path, void *data)
{
	struct naming *naming = data;
	add_need(naming->planner, naming->item, items_find(naming->planner, key), false);
}

static void add_pending(struct naming *naming, const struct value *value)
{
	if (value->type == VALUE_PENDING)
		expr_attributes(value->expr, add_named, naming);
	else if (value->type == VALUE_LIST)
		for (size_t i = 0; i < value->list.n; i++)
			add_pending(naming, value->list.items[i]);
	else if (value->type == VALUE_MAP)
		for (size_t i = 0; i < value->map.n; i++)
			add_pending(naming, value->map.items[i]);
}

static size_t find_host(const struct planner *planner, const struct item *item)
{
	char host[KEY_MAX + 32];
	char *end = g_stpcpy(host, item->kind->host);
	*end++ = '/';
	g_strlcpy(end, key_path(item->key), sizeof(host) - (size_t) (end - host));
	return items_find(planner, host);
}

static void find_needs(struct planner *planner, struct item *item)
{
	item->first_need = planner->needs->len;
	if (item->kind && item->kind->host) {
		item->host = find_host(planner, item);
		add_need(planner, item, item->host, true);
	}
	if (!item->desired)
		return;
	for (size_t i = 0; i < item->desired->n_depends; i++)
		add_need(planner, item, items_find(planner, item->desired->depends[i]), true);
	struct naming naming = { planner, item };
	for (size_t i = 0; i < item->desired->n_fields; i++)
		add_pending(&naming, item->desired->fields[i].value);
}

static void find_faulty(struct planner *planner)
{
	const struct network *desired = planner->input->desired;
	if (!desired->n_faulty_services)
		return;
	planner->faulty = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < desired->n_faulty_services; i++) {
		char *name = g_strdup(desired->faulty_services[i]);
		if (g_str_has_suffix(name, "."))
			name[strlen(name) - 1] = '\0';
		g_hash_table_add(planner->faulty, name);
	}
}

void items_make(struct planner *planner)
{
	planner->needs = g_array_new(FALSE, FALSE, sizeof(struct need));
	add_items(planner);
	for (size_t i = 0; i < planner->n_items; i++)
		find_needs(planner, &planner->items[i]);
	find_faulty(planner);
}

void items_drop(struct planner *planner)
{
	g_free(planner->items);
	g_array_unref(planner->needs);
	g_hash_table_unref(planner->index->places);
	g_free(planner->index);
	g_clear_pointer(&planner->faulty, g_hash_table_unref);
}

/* --- in which order to decide -------------------------------------------------------------------------------------------- */

struct visit {
	size_t item, next;
};

/* Depth first, with a stack of its own: a chain of references may be as long as the network is large. What waits for itself in a
 * circle is decided in the order of keys. */
size_t *items_resolution(const struct planner *planner)
{
	size_t n = 0, *order = g_new(size_t, planner->n_items + 1);
	g_autofree bool *seen = g_new0(bool, planner->n_items + 1);
	g_autofree struct visit *stack = g_new(struct visit, planner->n_items + 1);
	for (size_t i = 0; i < planner->n_items; i++) {
		size_t depth = 0;
		if (seen[i])
			continue;
		seen[i] = true;
		stack[depth++] = (struct visit) { i, 0 };
		while (depth) {
			struct visit *top = &stack[depth - 1];
			const struct item *item = &planner->items[top->item];
			if (top->next == item->n_needs) {
				order[n++] = top->item;
				depth--;
				continue;
			}
			size_t needed = g_array_index(planner->needs, struct need, item->first_need + top->next++).item;
			if (needed >= planner->n_items || seen[needed])
				continue; /* what is quiet is decided */
			seen[needed] = true;
			stack[depth++] = (struct visit) { needed, 0 };
		}
	}
	return order;
}
