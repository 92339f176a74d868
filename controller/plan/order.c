/* From decisions to steps: what each comes after, and one order in which they could be done one by one.
 *
 * What is made or changed follows what it depends on, is hosted in, or waits for. What is removed follows the removal or change
 * of all that was on it. An old incarnation is cleaned away when the new one and all that it hosts stand. Where none of this
 * decides, links come before VNFCs before NFs, removals after all else, in reverse.
 */
#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

struct node {
	size_t item;
	enum action action;
	const char *site;
	unsigned incarnation;
	const struct object *observed;
	size_t priority; /* place by phase, rank and key alone */
	size_t first, n_before, n_open; /* into order.edges: what it comes after; how many of those are not placed yet */
	size_t n_hard;   /* of those not placed yet: how many are not soft */
	bool placed;
};

struct edge {
	size_t after, before; /* nodes */
	bool soft;            /* given up where nothing could go on otherwise */
};

struct order {
	struct planner *planner;
	GArray *nodes; /* of struct node */
	GArray *edges; /* of struct edge, sorted by @after once they are all there */
	size_t *by_priority; /* nodes */
	size_t *followers, *first_follower; /* edges by the node that they come after */
	size_t *placed, n_placed;           /* nodes in their final order */
	size_t *heap, n_heap;               /* priorities of nodes that are ready */
};

static struct node *node_at(const struct order *order, size_t i)
{
	return &g_array_index(order->nodes, struct node, i);
}

/* --- nodes --------------------------------------------------------------------------------------------------------------- */

static void add_node(struct order *order, struct item *item, enum action action, const char *site, unsigned incarnation,
		     const struct object *observed)
{
	size_t at = (size_t) (item - order->planner->items);
	struct node node = { .item = at, .action = action, .site = site, .incarnation = incarnation, .observed = observed };
	if (item->node == NO_NODE)
		item->node = order->nodes->len;
	item->n_nodes++;
	g_array_append_val(order->nodes, node);
}

static void add_nodes(struct order *order, struct item *item)
{
	bool there = item->observed && item->fate == FATE_STEP && item->action != ACTION_CREATE;
	if (item->fate == FATE_STEP)
		add_node(order, item, item->action, item_is_forward(item) ? item->desired->site : item->observed->site,
			 item->incarnation, there ? item->observed : NULL);
	if (item->fate == FATE_STEP && item->action == ACTION_REPLACE && !item->interrupts)
		add_node(order, item, ACTION_CLEAN, item->observed->site, item->observed->incarnation, item->observed);
	if (!item->n_leftovers || item_is_faulty(order->planner, item))
		return;
	for (size_t i = 0; i < item->n_leftovers; i++)
		if (!observed_is_blind(order->planner->input->observed, item->leftovers[i]->site))
			add_node(order, item, ACTION_CLEAN, item->leftovers[i]->site, item->leftovers[i]->incarnation, NULL);
}

/* --- edges --------------------------------------------------------------------------------------------------------------- */

static void add_edge_as(struct order *order, size_t after, size_t before, bool soft)
{
	struct edge edge = { after, before, soft };
	if (after != before)
		g_array_append_val(order->edges, edge);
}

static void add_edge(struct order *order, size_t after, size_t before)
{
	add_edge_as(order, after, before, false);
}

/* Its own step is after those of what it depends on, is hosted in, and waits for. */
static void forward_edges(struct order *order, const struct item *item)
{
	const struct planner *planner = order->planner;
	for (size_t i = 0; i < item->n_needs; i++) {
		const struct need *need = &g_array_index(planner->needs, struct need, item->first_need + i);
		if (need->orders && item_is_forward(&planner->items[need->item]))
			add_edge(order, item->node, planner->items[need->item].node);
	}
	for (size_t i = 0; i < item->n_waits; i++)
		if (item_is_forward(&planner->items[item->waits[i]]))
			add_edge(order, item->node, planner->items[item->waits[i]].node);
}

/* The removal of @key is after every step of @item, which was on it. What moves to another site is cleaned away there in the same
 * order. */
static void removal_edges_to(struct order *order, const struct item *item, const char *key)
{
	size_t found = items_find(order->planner, key);
	const struct item *under = found == NO_ITEM ? NULL : &order->planner->items[found];
	if (!under || under == item)
		return;
	for (size_t i = 0; i < under->n_nodes; i++) {
		const struct node *goes = node_at(order, under->node + i);
		bool removed = goes->action == ACTION_REMOVE;
		if (!removed && goes->action != ACTION_CLEAN)
			continue;
		for (size_t j = 0; j < item->n_nodes; j++) {
			const struct node *node = node_at(order, item->node + j);
			bool is_end = node->action == ACTION_CLEAN || node->action == ACTION_REMOVE;
			if (removed ? node->action != ACTION_CREATE : is_end)
				add_edge(order, under->node + i, item->node + j);
		}
	}
}

/* An NF that read of the VNFC @key (a balancer its servers' addresses) is told before the software there is stopped, and before the VNFC
 * itself goes. Where what comes instead cannot be there before (it takes the same address), it is told later. */
static void reader_edges(struct order *order, const struct item *reader, const char *key)
{
	const struct planner *planner = order->planner;
	const char *keys[] = { key, key_of_kind(planner->arena, key, kind_nf.name) };
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		size_t found = items_find(planner, keys[i]);
		const struct item *read = found == NO_ITEM ? NULL : &planner->items[found];
		for (size_t j = 0; read && read != reader && j < read->n_nodes; j++) {
			enum action action = node_at(order, read->node + j)->action;
			if (action == ACTION_REMOVE || action == ACTION_CLEAN)
				add_edge_as(order, read->node + j, reader->node, true);
		}
	}
}

static void removal_edges(struct order *order, const struct item *item)
{
	bool is_reader = item->kind == &kind_nf && item_is_forward(item) && item->action != ACTION_CREATE;
	const struct object *were[] = { item->observed, item->last };
	for (size_t i = 0; i < G_N_ELEMENTS(were); i++) {
		for (size_t j = 0; were[i] && j < were[i]->n_depends; j++)
			if (is_reader && kind_of_key(were[i]->depends[j]) == &kind_vnfc)
				reader_edges(order, item, were[i]->depends[j]);
			else
				removal_edges_to(order, item, were[i]->depends[j]);
		/* The link of a connection point, and whatever else names a key. */
		for (size_t j = 0; were[i] && j < were[i]->n_fields; j++) {
			const struct value *value = were[i]->fields[j].value;
			if (value->type == VALUE_STRING && kind_of_key(value->string) && strchr(value->string, '/'))
				removal_edges_to(order, item, value->string);
		}
	}
	if (item->host != NO_ITEM)
		removal_edges_to(order, item, order->planner->items[item->host].key);
}

/* What was beside is cleaned away after the new one stands, and after what the new one hosts (@item may be that). */
static void clean_edges(struct order *order, const struct item *item, const struct item *cleaned)
{
	if (!item_is_forward(item))
		return;
	for (size_t i = 0; i < cleaned->n_nodes; i++)
		if (node_at(order, cleaned->node + i)->action == ACTION_CLEAN)
			add_edge(order, cleaned->node + i, item->node);
}

/* What a leftover was plugged into is not known: whatever of its service is beneath it may be. */
static void leftover_edges(struct order *order)
{
	struct planner *planner = order->planner;
	g_autoptr(GHashTable) cleans = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_array_unref);
	for (size_t i = 0; i < order->nodes->len; i++) {
		const struct item *item = &planner->items[node_at(order, i)->item];
		if (node_at(order, i)->action != ACTION_CLEAN || !item->n_leftovers)
			continue;
		char *service = key_service(planner->arena, item->key);
		GArray *nodes = g_hash_table_lookup(cleans, service);
		if (!nodes)
			g_hash_table_insert(cleans, service, nodes = g_array_new(FALSE, FALSE, sizeof(size_t)));
		g_array_append_val(nodes, i);
	}
	for (size_t i = 0; g_hash_table_size(cleans) && i < order->nodes->len; i++) {
		const struct item *item = &planner->items[node_at(order, i)->item];
		if (node_at(order, i)->action != ACTION_REMOVE)
			continue;
		const GArray *nodes = g_hash_table_lookup(cleans, key_service(planner->arena, item->key));
		for (guint j = 0; nodes && j < nodes->len; j++) {
			const struct item *cleaned = &planner->items[node_at(order, g_array_index(nodes, size_t, j))->item];
			if (item->kind && cleaned->kind && item->kind->rank < cleaned->kind->rank)
				add_edge(order, i, g_array_index(nodes, size_t, j));
		}
	}
}

static void takes_over(size_t after, size_t before, void *data)
{
	struct order *order = data;
	add_edge(order, order->planner->items[after].node, order->planner->items[before].node);
}

static void takes_turn(size_t after, size_t before, void *data)
{
	struct order *order = data;
	add_edge_as(order, order->planner->items[after].node, order->planner->items[before].node, true);
}

static int edge_order(const void *a, const void *b)
{
	const struct edge *left = a, *right = b;
	if (left->after != right->after)
		return left->after < right->after ? -1 : 1;
	return left->before < right->before ? -1 : left->before > right->before;
}

/* Of two edges between the same nodes the hard one comes first. */
static int edge_place(const void *a, const void *b)
{
	const struct edge *left = a, *right = b;
	int order = edge_order(a, b);
	return order ? order : left->soft - right->soft;
}

static void make_edges(struct order *order)
{
	struct planner *planner = order->planner;
	for (size_t i = 0; i < planner->n_items; i++) {
		const struct item *item = &planner->items[i];
		if (item_is_forward(item))
			forward_edges(order, item);
		if (item->n_nodes)
			removal_edges(order, item);
		clean_edges(order, item, item);
		if (item->host != NO_ITEM)
			clean_edges(order, item, &planner->items[item->host]);
	}
	leftover_edges(order);
	conflicts(planner, takes_over, order);
	turns(planner, takes_turn, order);
	g_array_sort(order->edges, edge_place);
	guint n = 0;
	struct edge *edges = (struct edge *) (void *) order->edges->data;
	for (guint i = 0; i < order->edges->len; i++)
		if (!n || edge_order(&edges[n - 1], &edges[i]) != 0)
			edges[n++] = edges[i];
	g_array_set_size(order->edges, n);
	for (guint i = 0; i < n; i++) {
		struct node *node = node_at(order, edges[i].after);
		if (!node->n_before++)
			node->first = i;
		node->n_open++;
		node->n_hard += !edges[i].soft;
	}
}

static void make_followers(struct order *order)
{
	const struct edge *edges = (const struct edge *) (const void *) order->edges->data;
	order->first_follower = g_new0(size_t, order->nodes->len + 2);
	order->followers = g_new(size_t, order->edges->len + 1);
	for (guint i = 0; i < order->edges->len; i++)
		order->first_follower[edges[i].before + 2]++;
	for (guint i = 2; i < order->nodes->len + 2; i++)
		order->first_follower[i] += order->first_follower[i - 1];
	for (guint i = 0; i < order->edges->len; i++)
		order->followers[order->first_follower[edges[i].before + 1]++] = i;
}

/* --- priorities ---------------------------------------------------------------------------------------------------------- */

static int node_order(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct order *order = data;
	const struct node *nodes[] = { node_at(order, *(const size_t *) a), node_at(order, *(const size_t *) b) };
	int phase[2], rank[2];
	for (size_t i = 0; i < 2; i++) {
		const struct kind *kind = order->planner->items[nodes[i]->item].kind;
		phase[i] = nodes[i]->action == ACTION_CLEAN ? 1 : nodes[i]->action == ACTION_REMOVE ? 2 : 0;
		rank[i] = (kind ? (int) kind->rank : 0) * (phase[i] ? -1 : 1);
	}
	if (phase[0] != phase[1])
		return phase[0] - phase[1];
	if (rank[0] != rank[1])
		return rank[0] - rank[1];
	/* Items are in order of their keys, and the nodes of one item stand together. */
	return *(const size_t *) a < *(const size_t *) b ? -1 : *(const size_t *) a > *(const size_t *) b;
}

static void make_priorities(struct order *order)
{
	order->by_priority = g_new(size_t, order->nodes->len + 1);
	for (guint i = 0; i < order->nodes->len; i++)
		order->by_priority[i] = i;
	g_qsort_with_data(order->by_priority, (gint) order->nodes->len, sizeof(size_t), node_order, order);
	for (guint i = 0; i < order->nodes->len; i++)
		node_at(order, order->by_priority[i])->priority = i;
}

/* --- the heap of what is ready ------------------------------------------------------------------------------------------- */

static void heap_push(struct order *order, size_t priority)
{
	size_t at = order->n_heap++;
	for (; at && order->heap[(at - 1) / 2] > priority; at = (at - 1) / 2)
		order->heap[at] = order->heap[(at - 1) / 2];
	order->heap[at] = priority;
}

static size_t heap_pop(struct order *order)
{
	size_t lowest = order->heap[0], last = order->heap[--order->n_heap], at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child + 1 < order->n_heap && order->heap[child + 1] < order->heap[child])
			child++;
		if (child >= order->n_heap || order->heap[child] >= last)
			break;
		order->heap[at] = order->heap[child];
		at = child;
	}
	order->heap[at] = last;
	return lowest;
}

/* --- placing ------------------------------------------------------------------------------------------------------------- */

static void place(struct order *order, size_t at)
{
	const struct edge *edges = (const struct edge *) (const void *) order->edges->data;
	node_at(order, at)->placed = true;
	order->placed[order->n_placed++] = at;
	for (size_t i = order->first_follower[at]; i < order->first_follower[at + 1]; i++) {
		const struct edge *edge = &edges[order->followers[i]];
		struct node *follower = node_at(order, edge->after);
		follower->n_hard -= !edge->soft;
		if (!follower->placed && --follower->n_open == 0)
			heap_push(order, follower->priority);
	}
}

/* The first, by priority, of those not placed that @at still has to come after. */
static size_t first_open(const struct order *order, size_t at)
{
	const struct edge *edges = (const struct edge *) (const void *) order->edges->data;
	const struct node *node = node_at(order, at);
	size_t first = NO_NODE;
	for (size_t i = node->first; i < node->first + node->n_before; i++) {
		const struct node *before = node_at(order, edges[i].before);
		if (!before->placed && !edges[i].soft && (first == NO_NODE || before->priority < node_at(order, first)->priority))
			first = edges[i].before;
	}
	return first;
}

/* Nothing is ready: the first that waits for nothing but its turn goes. */
static bool give_up_turn(struct order *order, size_t from)
{
	for (size_t i = from; i < order->nodes->len; i++) {
		const struct node *node = node_at(order, order->by_priority[i]);
		if (node->placed || node->n_hard)
			continue;
		place(order, order->by_priority[i]);
		return true;
	}
	return false;
}

/* Nothing is ready, so what is left holds a circle: walking from each to one that it waits for must come round. The first of the
 * circle by priority goes ahead, and the plan says so. */
static void break_circle(struct order *order, size_t from)
{
	struct planner *planner = order->planner;
	g_autoptr(GHashTable) walked = g_hash_table_new(NULL, NULL);
	size_t at = from;
	while (g_hash_table_add(walked, GSIZE_TO_POINTER(at + 1)))
		at = first_open(order, at);
	size_t first = at, next = first_open(order, at), n = 1;
	for (; next != at; next = first_open(order, next), n++)
		if (node_at(order, next)->priority < node_at(order, first)->priority)
			first = next;
	const struct item *item = &planner->items[node_at(order, first)->item];
	const struct item *other = &planner->items[node_at(order, first_open(order, first))->item];
	unplanned_add(planner, item, NULL, item->desired ? item->desired->origin : ORIGIN_NONE,
		      "its order is not kept: it comes after %s, and that after it (a circle of %zu)", other->key, n);
	place(order, first);
}

static void place_all(struct order *order)
{
	size_t n = order->nodes->len, look = 0;
	order->placed = g_new(size_t, n + 1);
	order->heap = g_new(size_t, n + 1);
	for (size_t i = 0; i < n; i++)
		if (!node_at(order, order->by_priority[i])->n_open)
			heap_push(order, i);
	while (order->n_placed < n) {
		if (order->n_heap) {
			place(order, order->by_priority[heap_pop(order)]);
			continue;
		}
		while (node_at(order, order->by_priority[look])->placed)
			look++;
		if (!give_up_turn(order, look))
			break_circle(order, order->by_priority[look]);
	}
}

/* --- steps --------------------------------------------------------------------------------------------------------------- */

static int size_order(const void *a, const void *b)
{
	size_t left = *(const size_t *) a, right = *(const size_t *) b;
	return left < right ? -1 : left > right;
}

static void fill_step(struct order *order, struct step *step, const struct node *node, const size_t *index)
{
	const struct planner *planner = order->planner;
	const struct item *item = &planner->items[node->item];
	const struct edge *edges = (const struct edge *) (const void *) order->edges->data;
	bool clean = node->action == ACTION_CLEAN;
	*step = (struct step) {
		.key = item->key, .site = node->site, .action = node->action, .incarnation = node->incarnation,
		.cause = clean && item->fate != FATE_STEP ? CAUSE_UNATTRIBUTED : item->cause,
		.desired = item_is_forward(item) && !clean ? item->desired : NULL, .last = item->last, .observed = node->observed,
	};
	if (clean) {
		step->note = "a former incarnation";
	} else {
		step->interrupts = item->interrupts;
		step->changes = item->changes;
		step->n_changes = item->n_changes;
		step->note = item->note;
	}
	size_t *after = ARENA_ARRAY(planner->arena, size_t, node->n_before);
	/* Where a circle was broken, what was to come before comes later. */
	for (size_t i = 0; i < node->n_before; i++) {
		size_t before = index[edges[node->first + i].before];
		if (before < index[edges[node->first + i].after])
			after[step->n_after++] = before;
	}
	if (step->n_after)
		qsort(after, step->n_after, sizeof(*after), size_order);
	step->after = after;
}

static void count(struct plan *plan, enum action action)
{
	switch (action) {
	case ACTION_CREATE:
		plan->creates++;
		return;
	case ACTION_CHANGE:
	case ACTION_RESTART:
		plan->changes++;
		return;
	case ACTION_REPLACE:
		plan->replaces++;
		return;
	case ACTION_REMOVE:
	case ACTION_CLEAN:
		plan->removes++;
		return;
	}
}

void order_steps(struct planner *planner, struct plan *plan)
{
	struct order order = { .planner = planner };
	order.nodes = g_array_new(FALSE, FALSE, sizeof(struct node));
	order.edges = g_array_new(FALSE, FALSE, sizeof(struct edge));
	for (size_t i = 0; i < planner->n_items; i++)
		add_nodes(&order, &planner->items[i]);
	make_edges(&order);
	make_followers(&order);
	make_priorities(&order);
	place_all(&order);
	size_t n = order.nodes->len;
	g_autofree size_t *index = g_new(size_t, n + 1);
	for (size_t i = 0; i < n; i++)
		index[order.placed[i]] = i;
	struct step *steps = ARENA_ARRAY(planner->arena, struct step, n);
	for (size_t i = 0; i < n; i++) {
		fill_step(&order, &steps[i], node_at(&order, order.placed[i]), index);
		count(plan, steps[i].action);
	}
	plan->n_held = hold_steps(planner, steps, n);
	plan->steps = steps;
	plan->n_steps = n;
	g_array_unref(order.nodes);
	g_array_unref(order.edges);
	g_free(order.by_priority);
	g_free(order.followers);
	g_free(order.first_follower);
	g_free(order.placed);
	g_free(order.heap);
}
