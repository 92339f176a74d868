/* Instances of one VDU take turns: what disturbs one of them waits until the one before it is done, which is healthy again then (an EMS
 * reports success for nothing less). So the first failure stops the rest.
 *
 * Those that are down already disturb nobody: they go first, all at once. What is made for the first time, and what goes for good, takes
 * no turn. A turn yields where it would close a circle with what has to come before (order.c, soft edges).
 */
#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

enum {
	NAMES_OF_VNFD = 3, /* SERVICE.VDU.INDEX: the service's descriptor is a VNFD */
	NAMES_OF_NSD = 4,  /* SERVICE.VNF.VDU.INDEX */
	NAMES_MORE = 5,    /* SERVICE.VNF.INSTANCE.VDU.INDEX: a further instance of the VNF */
};

struct turn {
	char *family;       /* "SERVICE.VNF.VDU": what its siblings have in common */
	guint64 vnf, index; /* which instance */
	bool down;
	size_t vnfc, nf;    /* items that have a step, or NO_ITEM */
};

static void turn_clear(gpointer data)
{
	g_free(((struct turn *) data)->family);
}

/* Where @key stands among its siblings. False: it has none. */
static bool find_place(const char *key, struct turn *turn)
{
	g_auto(GStrv) names = g_strsplit(key_path(key), ".", NAMES_MORE + 1);
	guint n = g_strv_length(names);
	if (n < NAMES_OF_VNFD || n > NAMES_MORE || !g_ascii_string_to_unsigned(names[n - 1], 10, 0, G_MAXUINT, &turn->index, NULL))
		return false;
	turn->vnf = 0;
	if (n == NAMES_MORE && !g_ascii_string_to_unsigned(names[n - 3], 10, 0, G_MAXUINT, &turn->vnf, NULL))
		return false;
	if (n == NAMES_OF_VNFD)
		turn->family = g_strconcat(names[0], ".", names[1], NULL);
	else
		turn->family = g_strconcat(names[0], ".", names[1], ".", names[n - 2], NULL);
	return true;
}

/* Does it run, and would its step be felt? */
static bool disturbs(const struct item *item)
{
	if (!item_is_forward(item) || !item->observed)
		return false;
	if (item->action != ACTION_CHANGE)
		return true;
	for (size_t i = 0; item->kind == &kind_nf && i < item->n_changes; i++)
		if (item->changes[i].cost != COST_METADATA)
			return true;
	return false;
}

/* Was it there once, and does not serve now? */
static bool is_down(const struct item *item)
{
	if (!item_is_forward(item) || !item->last)
		return false;
	if (!item->observed || item_is_dead(item))
		return true;
	return item->kind == &kind_nf && strcmp(object_string(item->observed, "state", "started"), "started") != 0;
}

static size_t with_step(const struct planner *planner, const char *key, const char *kind)
{
	auto_ptr(arena) arena = arena_new();
	size_t at = items_find(planner, key_of_kind(arena, key, kind));
	return at != NO_ITEM && item_is_forward(&planner->items[at]) ? at : NO_ITEM;
}

static GArray *take_turns(const struct planner *planner)
{
	GArray *turns = g_array_new(FALSE, FALSE, sizeof(struct turn));
	g_array_set_clear_func(turns, turn_clear);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal); /* paths */
	for (size_t i = 0; i < planner->n_items; i++) {
		const struct item *item = &planner->items[i];
		struct turn turn = { .vnfc = NO_ITEM };
		if ((item->kind != &kind_vnfc && item->kind != &kind_nf) || (!disturbs(item) && !is_down(item)) ||
		    g_hash_table_contains(seen, key_path(item->key)) || !find_place(item->key, &turn))
			continue;
		g_hash_table_add(seen, (gpointer) (uintptr_t) key_path(item->key));
		turn.vnfc = with_step(planner, item->key, kind_vnfc.name);
		turn.nf = with_step(planner, item->key, kind_nf.name);
		turn.down = (turn.vnfc != NO_ITEM && is_down(&planner->items[turn.vnfc])) ||
			    (turn.nf != NO_ITEM && is_down(&planner->items[turn.nf]));
		g_array_append_val(turns, turn);
	}
	return turns;
}

static int turn_order(gconstpointer a, gconstpointer b)
{
	const struct turn *left = a, *right = b;
	int order = strcmp(left->family, right->family);
	if (order)
		return order;
	if (left->down != right->down)
		return left->down ? -1 : 1;
	if (left->vnf != right->vnf)
		return left->vnf < right->vnf ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static void one_after_another(const struct turn *after, const struct turn *before, void (*found)(size_t after, size_t before, void *data),
			      void *data)
{
	const size_t left[] = { after->vnfc, after->nf }, right[] = { before->vnfc, before->nf };
	for (size_t i = 0; i < G_N_ELEMENTS(left); i++)
		for (size_t j = 0; j < G_N_ELEMENTS(right); j++)
			if (left[i] != NO_ITEM && right[j] != NO_ITEM)
				found(left[i], right[j], data);
}

void turns(const struct planner *planner, void (*found)(size_t after, size_t before, void *data), void *data)
{
	g_autoptr(GArray) all = take_turns(planner);
	g_array_sort(all, turn_order);
	guint first_down = 0; /* of the family at hand */
	for (guint i = 1; i < all->len; i++) {
		const struct turn *turn = &g_array_index(all, struct turn, i), *former = turn - 1;
		if (!g_str_equal(turn->family, former->family))
			first_down = i;
		else if (!former->down)
			one_after_another(turn, former, found, data);
		else if (!turn->down) /* the first that serves waits for all that are down */
			for (guint down = first_down; down < i; down++)
				one_after_another(turn, &g_array_index(all, struct turn, down), found, data);
	}
}
