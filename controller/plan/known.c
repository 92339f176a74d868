/* One walk over all that is known, and what of it is as it was. See internal.h. */
#include "plan/internal.h"

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
static void sort_leftovers(struct planner *planner)
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
	planner->known->leftovers = sorted;
	planner->known->n_leftovers = n;
}

static const char *lower_key(const char *a, const char *b)
{
	return !a || (b && strcmp(b, a) < 0) ? b : a;
}

struct cursor {
	struct objects objects;
	size_t at;
};

static const struct object *cursor_object(const struct cursor *cursor)
{
	return cursor->at < cursor->objects.n ? cursor->objects.items[cursor->at] : NULL;
}

static const char *cursor_key(const struct cursor *cursor)
{
	const struct object *object = cursor_object(cursor);
	return object ? object->key : NULL;
}

static const struct object *cursor_take(struct cursor *cursor, const char *key)
{
	const char *here = cursor_key(cursor);
	return here && strcmp(here, key) == 0 ? cursor->objects.items[cursor->at++] : NULL;
}

struct merge {
	struct known *known;
	const struct known *former; /* or NULL */
	size_t at;                  /* in @former */
	size_t leftover;
	struct cursor desired, last, observed;
	guint32 *now_of;            /* place in @former → place now + 1; 0: gone */
};

/* All three lists stand at the very objects that the former plan has in its next row: that row is the next one now. */
static bool goes_on(struct merge *merge)
{
	if (!merge->former || merge->at == merge->former->n_rows || merge->leftover < merge->known->n_leftovers)
		return false;
	const struct known_row *row = &merge->former->rows[merge->at];
	if (!row->desired || row->desired != cursor_object(&merge->desired) || !row->last || row->last != cursor_object(&merge->last) ||
	    !row->observed || row->observed != cursor_object(&merge->observed))
		return false;
	merge->now_of[merge->at++] = (guint32) merge->known->n_rows + 1;
	struct known_row *now = &merge->known->rows[merge->known->n_rows++];
	*now = *row;
	now->key = row->desired->key; /* not that of something which is gone */
	merge->desired.at++;
	merge->last.at++;
	merge->observed.at++;
	return true;
}

/* What the former plan knew of @row's key. */
static void compare(struct merge *merge, struct known_row *row, bool has_leftovers)
{
	const struct known *former = merge->former;
	int order = -1;
	while (former && merge->at < former->n_rows && (order = strcmp(former->rows[merge->at].key, row->key)) < 0)
		merge->at++;
	if (order != 0)
		return;
	const struct known_row *was = &former->rows[merge->at];
	merge->now_of[merge->at++] = (guint32) (row - merge->known->rows) + 1;
	row->first_need = was->first_need;
	row->n_needs = was->n_needs;
	row->quiet = was->quiet && !has_leftovers && was->desired == row->desired && was->last == row->last &&
		     was->observed == row->observed;
}

/* One walk over four sorted lists, and the former one beside them. */
static void merge_all(struct planner *planner, struct merge *merge)
{
	struct known *known = planner->known;
	size_t n = merge->desired.objects.n + merge->last.objects.n + merge->observed.objects.n + known->n_leftovers;
	known->rows = g_new(struct known_row, n + 1);
	for (;;) {
		while (goes_on(merge))
			;
		const char *key = lower_key(lower_key(cursor_key(&merge->desired), cursor_key(&merge->last)), cursor_key(&merge->observed));
		key = lower_key(key, merge->leftover < known->n_leftovers ? known->leftovers[merge->leftover]->key : NULL);
		if (!key)
			break;
		struct known_row *row = &known->rows[known->n_rows++];
		*row = (struct known_row) { .key = key };
		row->desired = cursor_take(&merge->desired, key);
		row->last = cursor_take(&merge->last, key);
		row->observed = cursor_take(&merge->observed, key);
		size_t first = merge->leftover;
		while (merge->leftover < known->n_leftovers && strcmp(known->leftovers[merge->leftover]->key, key) == 0)
			merge->leftover++;
		compare(merge, row, merge->leftover > first);
	}
	known->rows = g_realloc_n(known->rows, known->n_rows + 1, sizeof(*known->rows));
	arena_keep(planner->arena, known->rows, g_free);
}

/* --- what is taken over -------------------------------------------------------------------------------------------------- */

static bool same_texts(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

/* In the words of the former plan's rows, which the new ones have taken over. False: one that it needs is not quiet. */
static bool needs_are_quiet(const struct merge *merge, const struct known_row *row)
{
	for (guint32 i = 0; i < row->n_needs; i++) {
		guint32 now = merge->now_of[merge->former->needs[row->first_need + i]];
		if (!now || !merge->known->rows[now - 1].quiet)
			return false;
	}
	return true;
}

/* What one that is not quiet is needed by is not quiet either, and so on. Links are below VNFCs below NFs and keys come by kind, so a walk
 * up and one down end nearly all chains. Those that do not end are decided again, all of them: slower, and as right. */
static void spread(const struct merge *merge)
{
	enum { WALKS_MAX = 16 };
	struct known *known = merge->known;
	bool changed = true;
	for (int walk = 0; changed && walk < WALKS_MAX; walk++) {
		changed = false;
		for (size_t i = 0; i < known->n_rows; i++) {
			struct known_row *row = &known->rows[walk % 2 ? i : known->n_rows - 1 - i];
			if (!row->quiet || needs_are_quiet(merge, row))
				continue;
			row->quiet = false;
			changed = true;
		}
	}
	for (size_t i = 0; changed && i < known->n_rows; i++)
		known->rows[i].quiet = false;
}

/* The needs of what is quiet, in places of now. The others' are found when they are made items. */
static void carry_needs(struct planner *planner, const struct merge *merge)
{
	struct known *known = planner->known;
	g_autoptr(GArray) needs = g_array_sized_new(FALSE, FALSE, sizeof(guint32), (guint) merge->former->n_needs);
	for (size_t i = 0; i < known->n_rows; i++) {
		struct known_row *row = &known->rows[i];
		guint32 first = row->first_need;
		row->first_need = needs->len;
		if (!row->quiet)
			row->n_needs = 0;
		for (guint32 j = 0; j < row->n_needs; j++) {
			guint32 now = merge->now_of[merge->former->needs[first + j]] - 1;
			g_array_append_val(needs, now);
		}
	}
	known->n_needs = needs->len;
	known->needs = (guint32 *) (void *) g_array_free(g_steal_pointer(&needs), FALSE);
}

void known_make(struct planner *planner, const struct known *former)
{
	const struct plan_input *input = planner->input;
	struct known *known = ARENA_NEW(planner->arena, struct known);
	planner->known = known;
	known->faulty = input->desired->faulty_services;
	known->n_faulty = input->desired->n_faulty_services;
	known->blind = input->observed->blind.sites;
	known->n_blind = input->observed->blind.n;
	known->drift = input->desired->drift;
	known->n_drift = input->desired->n_drift;
	if (former && (!drift_rules_equal(former->drift, former->n_drift, known->drift, known->n_drift) ||
		       !same_texts(former->faulty, former->n_faulty, known->faulty, known->n_faulty) ||
		       !same_texts(former->blind, former->n_blind, known->blind, known->n_blind)))
		former = NULL;
	sort_leftovers(planner);
	struct merge merge = {
		.known = known, .former = former,
		.desired = { input->desired->objects, 0 }, .last = { input->last, 0 }, .observed = { input->observed->objects, 0 },
		.now_of = former ? g_new0(guint32, former->n_rows + 1) : NULL,
	};
	merge_all(planner, &merge);
	if (former) {
		spread(&merge);
		carry_needs(planner, &merge);
	}
	g_free(merge.now_of);
}

size_t known_find(const struct known *known, const char *key)
{
	size_t low = 0, high = known->n_rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(known->rows[middle].key, key);
		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_ITEM;
}

/* --- for the next plan --------------------------------------------------------------------------------------------------- */

void known_settle(struct planner *planner)
{
	struct known *known = planner->known;
	GArray *needs = g_array_new(FALSE, FALSE, sizeof(guint32));
	if (known->needs)
		g_array_append_vals(needs, known->needs, (guint) known->n_needs);
	g_free(known->needs);
	for (size_t i = 0; i < planner->n_items; i++) {
		const struct item *item = &planner->items[i];
		struct known_row *row = &known->rows[item->known];
		row->quiet = item->fate == FATE_NONE && !item->ignored && !item->n_leftovers && !item->needs_missing;
		row->first_need = needs->len;
		row->n_needs = (guint32) item->n_needs;
		for (size_t j = 0; j < item->n_needs; j++) {
			guint32 place = (guint32) planner->items[g_array_index(planner->needs, struct need, item->first_need + j).item].known;
			g_array_append_val(needs, place);
		}
	}
	for (guint i = 0; i < planner->unplanned->len; i++) {
		size_t at = items_find(planner, g_array_index(planner->unplanned, struct unplanned, i).key);
		known->rows[planner->items[at].known].quiet = false;
	}
	known->n_needs = needs->len;
	known->needs = (guint32 *) (void *) g_array_free(needs, FALSE);
	arena_keep(planner->arena, known->needs, g_free);
}
