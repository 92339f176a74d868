#include "exec/internal.h"

void queue_init(struct queue *queue, item_order_fn order)
{
	queue->order = order;
	queue->items = g_ptr_array_new();
}

void queue_clear(struct queue *queue)
{
	g_clear_pointer(&queue->items, g_ptr_array_unref);
}

static bool is_before(const struct queue *queue, guint a, guint b)
{
	return queue->order(queue->items->pdata[a], queue->items->pdata[b]) < 0;
}

static void swap(struct queue *queue, guint a, guint b)
{
	gpointer held = queue->items->pdata[a];
	queue->items->pdata[a] = queue->items->pdata[b];
	queue->items->pdata[b] = held;
}

void queue_push(struct queue *queue, struct item *item)
{
	g_ptr_array_add(queue->items, item);
	for (guint at = queue->items->len - 1; at > 0 && is_before(queue, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(queue, at, (at - 1) / 2);
}

struct item *queue_first(const struct queue *queue)
{
	return queue->items->len ? queue->items->pdata[0] : NULL;
}

struct item *queue_pop(struct queue *queue)
{
	struct item *first = queue_first(queue);
	if (!first)
		return NULL;
	swap(queue, 0, queue->items->len - 1);
	g_ptr_array_set_size(queue->items, (int) queue->items->len - 1);
	for (guint at = 0, child; (child = 2 * at + 1) < queue->items->len; at = child) {
		if (child + 1 < queue->items->len && is_before(queue, child + 1, child))
			child++;
		if (!is_before(queue, child, at))
			break;
		swap(queue, at, child);
	}
	return first;
}

static bool makes_room(const struct item *item)
{
	return item->step->action == ACTION_REMOVE || item->step->action == ACTION_CLEAN;
}

static int order_of_plan(const struct item *a, const struct item *b)
{
	return (a->index > b->index) - (a->index < b->index);
}

int item_order_ready(const struct item *a, const struct item *b)
{
	if (makes_room(a) != makes_room(b))
		return makes_room(a) ? -1 : 1;
	return order_of_plan(a, b);
}

int item_order_due(const struct item *a, const struct item *b)
{
	if (a->due_us != b->due_us)
		return a->due_us < b->due_us ? -1 : 1;
	return order_of_plan(a, b);
}
