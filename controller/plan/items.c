#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

/* --- the merge ----------------------------------------------------------------------------------------------------------- */

static int leftover_order(const void *a, const void *b)
{
	const struct leftover *left = *(const struct leftover *const *) a, *right = *(const struct leftover *const *) b;
	int order = strcmp(left->key, right->key);
	if (!order)
		order = strcmp(left->site, right->site);
	return order ? order : left->incarnation < right->incarnation ? -1 : left->incarnation > right->incarnation;
}

/* Sorted, each once: an observation may tell of one twice. */
static const struct leftover **sorted_leftovers(struct planner *planner, size_t *ret_n)
{
	const struct observed *observed = planner->input->observed;
	size_t n = 0;
	const struct leftover **sorted = ARENA_ARRAY(planner->arena, const struct leftover *, observed->n_leftovers);
	for (size_t i = 0; i < observed->n_leftovers; i++)
		sorted[i] = &observed->leftovers[i];
	if (observed->n_leftovers)
		qsort(sorted, observed->n_leftovers, sizeof(*sorted), leftover_order);
	for (size_t i = 0; i < observed->n_leftovers; i++)
		if (!n || leftover_order(&sorted[n - 1], &sorted[i]) != 0)
			sorted[n++] = sorted[i];
	*ret_n = n;
	return sorted;
}

static const char *lower_key(const char *a, const char *b)
{
	return !a || (b && strcmp(b, a) < 0) ? b : a;
}

struct cursor {
	struct objects objects;
	size_t at;
};

static const char *cursor_key(const struct cursor *cursor)
{
	return cursor->at < cursor->objects.n ? cursor->objects.items[cursor->at]->key : NULL;
}

static const struct object *cursor_take(struct cursor *cursor, const char *key)
{
	const char *here = cursor_key(cursor);
	return here && strcmp(here, key) == 0 ? cursor->objects.items[cursor->at++] : NULL;
}

/* One walk over four sorted lists. */
static void merge(struct planner *planner)
{
	const struct plan_input *input = planner->input;
	struct cursor desired = { input->desired->objects, 0 }, last = { input->last, 0 };
	struct cursor observed = { input->observed->objects, 0 };
	size_t n_leftovers, leftover = 0;
	const struct leftover **leftovers = sorted_leftovers(planner, &n_leftovers);
	planner->items = g_new0(struct item, desired.objects.n + last.objects.n + observed.objects.n + n_leftovers + 1);
	for (;;) {
		const char *key = lower_key(lower_key(cursor_key(&desired), cursor_key(&last)), cursor_key(&observed));
		key = lower_key(key, leftover < n_leftovers ? leftovers[leftover]->key : NULL);
		if (!key)
			break;
		struct item *item = &planner->items[planner->n_items++];
		*item = (struct item) { .key = key, .kind = kind_of_key(key), .host = NO_ITEM, .node = NO_NODE };
		item->desired = cursor_take(&desired, key);
		item->last = cursor_take(&last, key);
		item->observed = cursor_take(&observed, key);
		item->leftovers = leftovers + leftover;
		for (; leftover < n_leftovers && strcmp(leftovers[leftover]->key, key) == 0; leftover++)
			item->n_leftovers++;
	}
}

size_t items_find(const struct planner *planner, const char *key)
{
	gpointer found;
	bool there = g_hash_table_lookup_extended(planner->index, key, NULL, &found);
	return there ? GPOINTER_TO_SIZE(found) : NO_ITEM;
}

static void make_index(struct planner *planner)
{
	planner->index = g_hash_table_new(g_str_hash, g_str_equal);
	for (size_t i = 0; i < planner->n_items; i++)
		g_hash_table_insert(planner->index, (gpointer) (uintptr_t) planner->items[i].key, GSIZE_TO_POINTER(i));
}

/* --- what each needs ----------------------------------------------------------------------------------------------------- */

static void add_need(struct planner *planner, struct item *item, size_t needed, bool orders)
{
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
	merge(planner);
	make_index(planner);
	for (size_t i = 0; i < planner->n_items; i++)
		find_needs(planner, &planner->items[i]);
	find_faulty(planner);
}

void items_drop(struct planner *planner)
{
	g_free(planner->items);
	g_array_unref(planner->needs);
	g_hash_table_unref(planner->index);
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
			if (seen[needed])
				continue;
			seen[needed] = true;
			stack[depth++] = (struct visit) { needed, 0 };
		}
	}
	return order;
}
