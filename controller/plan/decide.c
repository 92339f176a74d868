/* What becomes of one object, once everything that it needs is decided. */
#include "plan/internal.h"

#include "model/key.h"

#include <string.h>

void unplanned_add(struct planner *planner, const struct item *item, const char *path, struct origin origin, const char *format,
		   ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *reason = g_strdup_vprintf(format, args);
	va_end(args);
	struct unplanned entry = { item->key, path, arena_strdup(planner->arena, reason), origin, false };
	g_array_append_val(planner->unplanned, entry);
}

static struct origin origin_of(const struct item *item)
{
	return item->desired ? item->desired->origin : item->last ? item->last->origin : ORIGIN_NONE;
}

enum { REASON_MAX = 200 }; /* bytes of what a driver says of an object that it could not look at */

G_GNUC_PRINTF(3, 4) static void block(struct planner *planner, struct item *item, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *reason = g_strdup_vprintf(format, args);
	va_end(args);
	item->fate = FATE_BLOCKED;
	unplanned_add(planner, item, NULL, origin_of(item), "%s", reason);
}

/* --- questions ----------------------------------------------------------------------------------------------------------- */

bool item_is_forward(const struct item *item)
{
	if (item->fate != FATE_STEP)
		return false;
	switch (item->action) {
	case ACTION_CREATE:
	case ACTION_CHANGE:
	case ACTION_RESTART:
	case ACTION_REPLACE:
		return true;
	case ACTION_REMOVE:
	case ACTION_CLEAN:
		return false;
	}
	g_assert_not_reached();
}

bool item_is_dead(const struct item *item)
{
	if (!item->observed || item->kind != &kind_vnfc)
		return false;
	return strcmp(object_string(item->observed, "state", "running"), "running") != 0;
}

/* Is @item's service, or any other beginning of its path that ends at a dot, in the list? The empty beginning stands for a file that
 * could not be read: nobody knows what it asked for, so all that nothing else asks for is left alone. */
bool item_is_faulty(const struct planner *planner, const struct item *item)
{
	if (!planner->faulty)
		return false;
	if (!item->desired && g_hash_table_contains(planner->faulty, ""))
		return true;
	g_autofree char *path = g_strdup(key_path(item->key));
	for (;;) {
		if (g_hash_table_contains(planner->faulty, path))
			return true;
		char *dot = strrchr(path, '.');
		if (!dot)
			return false;
		*dot = '\0';
	}
}

/* Which of the sites that the object is on, or is to be on, cannot be looked at? */
static const char *blind_site(const struct planner *planner, const struct item *item)
{
	const struct object *on[] = { item->desired, item->observed, item->observed ? NULL : item->last };
	for (size_t i = 0; i < G_N_ELEMENTS(on); i++)
		if (on[i] && observed_is_blind(planner->input->observed, on[i]->site))
			return on[i]->site;
	return NULL;
}

static const char *blind_reason(const struct planner *planner, const char *site)
{
	const struct observed *observed = planner->input->observed;
	for (size_t i = 0; i < observed->blind.n; i++)
		if (strcmp(observed->blind.sites[i], site) == 0)
			return observed->blind.reasons[i];
	return "no reason was given";
}

/* Was the object seen, but nothing of what matters in it? */
static bool is_unseen(const struct object *observed)
{
	bool any = false;
	for (size_t i = 0; i < observed->n_fields; i++) {
		if (observed->fields[i].value->type != VALUE_UNKNOWN && !(observed->fields[i].spec->flags & FIELD_OBSERVED))
			return false;
		any |= observed->fields[i].value->type == VALUE_UNKNOWN;
	}
	return any;
}

/* Does the object that hosts this one end or begin in this plan? */
static bool host_ends(const struct planner *planner, const struct item *item)
{
	if (item->host == NO_ITEM)
		return false;
	const struct item *host = &planner->items[item->host];
	return item_is_forward(host) && host->action != ACTION_CHANGE && !policy_lets_stand(host);
}

static const struct caps *caps_of(struct planner *planner, const char *site, const struct kind *kind)
{
	const struct plan_input *input = planner->input;
	if (!input->caps)
		return NULL;
	/* Keys come sorted by kind, and most of them are on the site of the one before. */
	if (!planner->caps_of.site || planner->caps_of.kind != kind || strcmp(planner->caps_of.site, site) != 0) {
		planner->caps_of.site = site;
		planner->caps_of.kind = kind;
		planner->caps_of.caps = input->caps(site, kind, input->data);
	}
	return planner->caps_of.caps;
}

/* --- deciding ------------------------------------------------------------------------------------------------------------ */

static unsigned next_incarnation(const struct planner *planner, const struct item *item)
{
	unsigned highest = item->observed ? item->observed->incarnation : 0;
	if (item->host != NO_ITEM) {
		const struct item *host = &planner->items[item->host];
		bool comes = item_is_forward(host) && !policy_lets_stand(host);
		return comes ? host->incarnation : host->observed ? host->observed->incarnation : highest;
	}
	if (item->last)
		highest = MAX(highest, item->last->incarnation);
	for (size_t i = 0; i < item->n_leftovers; i++)
		highest = MAX(highest, item->leftovers[i]->incarnation);
	return highest + 1;
}

static enum cause cause_of_changes(const struct planner *planner)
{
	/* The strongest first. */
	static const enum cause order[] = { CAUSE_INTENT, CAUSE_INTENT_DRIFT, CAUSE_DRIFT, CAUSE_UNATTRIBUTED };
	for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
		for (guint j = 0; j < planner->changes->len; j++)
			if (g_array_index(planner->changes, struct field_change, j).cause == order[i])
				return order[i];
	return CAUSE_UNATTRIBUTED;
}

static void take_step(struct planner *planner, struct item *item, enum action action)
{
	item->fate = FATE_STEP;
	item->action = action;
	item->n_changes = planner->changes->len;
	item->changes = arena_memdup(planner->arena, planner->changes->data, planner->changes->len * sizeof(struct field_change));
	item->n_waits = planner->waits->len;
	item->waits = arena_memdup(planner->arena, planner->waits->data, planner->waits->len * sizeof(size_t));
}

/* The object ended with its host, by our own plan or by what befell the host: so the host's cause is its cause. */
static void take_host_cause(struct planner *planner, struct item *item)
{
	const struct item *host = &planner->items[item->host];
	if (!item->last && !item->observed)
		return;
	for (guint i = 0; i < planner->changes->len; i++) {
		struct field_change *change = &g_array_index(planner->changes, struct field_change, i);
		bool asked = change->cause == CAUSE_INTENT || change->cause == CAUSE_INTENT_DRIFT;
		if (!asked || host->cause == CAUSE_INTENT || !item->last)
			change->cause = host->cause;
	}
	item->cause = cause_of_changes(planner);
	item->note = host->action == ACTION_RESTART ? "its VNFC is restarted" : "its VNFC is replaced";
}

static void ignore(struct item *item)
{
	item->ignored = true;
	item->fate = FATE_NONE;
}

static void decide_create(struct planner *planner, struct item *item)
{
	for (size_t i = 0; i < item->desired->n_depends; i++) {
		size_t found = items_find(planner, item->desired->depends[i]);
		const struct item *needed = found == NO_ITEM ? NULL : &planner->items[found];
		bool comes = needed && (needed->fate == FATE_OPEN || item_is_forward(needed) ||
					(needed->observed && needed->fate != FATE_STEP && !item_is_dead(needed)));
		if (!comes && kind_of_key(item->desired->depends[i])) {
			block(planner, item, "needs %s, which is not there and is not planned", item->desired->depends[i]);
			return;
		}
	}
	if (!diff_create(planner, item)) {
		item->fate = FATE_BLOCKED;
		return;
	}
	item->incarnation = next_incarnation(planner, item);
	item->cause = CAUSE_INTENT;
	if (item->last) {
		bool as_applied = !planner->changes->len || cause_of_changes(planner) == CAUSE_DRIFT;
		item->cause = as_applied ? CAUSE_DRIFT : CAUSE_INTENT_DRIFT;
	}
	if (host_ends(planner, item))
		take_host_cause(planner, item);
	else if (policy_of_gone(planner, item) == DRIFT_IGNORE)
		ignore(item);
	if (!item->ignored)
		take_step(planner, item, ACTION_CREATE);
}

/* Addresses that are written down cannot be on two incarnations at once. */
static bool has_fixed_address(const struct object *desired)
{
	for (size_t i = 0; i < desired->n_fields; i++)
		if (desired->fields[i].spec->flags & FIELD_ALLOCATED)
			return true;
	return false;
}

static void decide_replace(struct planner *planner, struct item *item, bool moves)
{
	item->incarnation = next_incarnation(planner, item);
	/* Only VNFCs: a link has others plugged into it, an NF has its VNFC to itself. */
	bool beside = item->kind == &kind_vnfc && item->caps && item->caps->replace_beside && !has_fixed_address(item->desired);
	item->interrupts = !moves && (!beside || item_is_dead(item));
	if (moves) {
		item->cause = item->last ? CAUSE_INTENT : CAUSE_UNATTRIBUTED;
		item->note = arena_printf(planner->arena, "moves from site %s", item->observed->site);
	}
	take_step(planner, item, ACTION_REPLACE);
}

/* An act needs every field: one that cannot be planned holds up the others, which still are told. */
static void give_up(struct planner *planner, struct item *item)
{
	item->fate = FATE_BLOCKED;
	for (guint i = 0; i < planner->changes->len; i++) {
		const struct field_change *change = &g_array_index(planner->changes, struct field_change, i);
		unplanned_add(planner, item, change->path, change->origin, "differs, but another field of it cannot be planned");
	}
}

/* What ended has no connection points any more, nor limits: that it ended is the one drift to report. */
static void keep_what_tells(struct planner *planner)
{
	for (guint i = planner->changes->len; i-- > 0;) {
		const struct field_change *change = &g_array_index(planner->changes, struct field_change, i);
		if (change->cause == CAUSE_DRIFT && strcmp(change->path, "state") != 0)
			g_array_remove_index(planner->changes, i);
	}
}

/* The driver's own words, where it left some: their first line, and of that no more than fits on one of a terminal or two. */
static void block_unseen(struct planner *planner, struct item *item)
{
	const char *reason = object_string(item->observed, "reason", "");
	size_t length = strcspn(reason, "\r\n"), cut = MIN(length, REASON_MAX);
	while (cut < length && cut > 0 && ((unsigned char) reason[cut] & 0xc0) == 0x80) /* in the middle of a character */
		cut--;
	block(planner, item, "unknown: it could not be looked at%s%.*s%s", length ? ": " : "", (int) cut, reason, cut < length ? "…" : "");
}

static void decide_update(struct planner *planner, struct item *item)
{
	bool moves = strcmp(item->desired->site, item->observed->site) != 0;
	if (is_unseen(item->observed)) {
		block_unseen(planner, item);
		return;
	}
	if (!(moves ? diff_create(planner, item) : diff_update(planner, item))) {
		give_up(planner, item);
		return;
	}
	if (!moves && item_is_dead(item))
		keep_what_tells(planner);
	item->cause = cause_of_changes(planner);
	item->incarnation = item->observed->incarnation;
	if (moves) {
		decide_replace(planner, item, true);
		return;
	}
	if (!planner->changes->len) {
		item->fate = FATE_NONE;
		return;
	}
	if (policy_of_changes(planner, item) == DRIFT_IGNORE) {
		ignore(item);
		return;
	}
	enum field_cost dearest = COST_METADATA;
	for (guint i = 0; i < planner->changes->len; i++)
		dearest = MAX(dearest, g_array_index(planner->changes, struct field_change, i).cost);
	switch (dearest) {
	case COST_METADATA:
	case COST_IN_PLACE:
		take_step(planner, item, ACTION_CHANGE);
		return;
	case COST_RESTART:
		item->interrupts = true;
		take_step(planner, item, ACTION_RESTART);
		return;
	case COST_REPLACE:
		decide_replace(planner, item, false);
		return;
	}
}

static void decide_remove(struct planner *planner, struct item *item)
{
	const struct item *host = item->host == NO_ITEM ? NULL : &planner->items[item->host];
	item->fate = FATE_NONE;
	/* What hosts it is ended, or its end is in this plan and takes this one along. An agent that nobody can reach must not
	 * keep its VNFC from being removed either. */
	if (host && (item_is_dead(host) || !host->observed))
		return;
	if (host && host->fate == FATE_STEP && !policy_lets_stand(host) && (host->action == ACTION_REPLACE || host->action == ACTION_CREATE))
		return;
	if (host && host->fate == FATE_STEP && host->action == ACTION_REMOVE && is_unseen(item->observed))
		return;
	item->incarnation = item->observed->incarnation;
	item->cause = item->last ? CAUSE_INTENT : CAUSE_UNATTRIBUTED;
	take_step(planner, item, ACTION_REMOVE);
}

/* True: there is nothing wrong with the host, or it is about to be put right. */
static bool check_host(struct planner *planner, struct item *item)
{
	const char *host_kind = item->kind->host;
	if (!host_kind)
		return true;
	const struct item *host = item->host == NO_ITEM ? NULL : &planner->items[item->host];
	if (!host || !host->desired) {
		block(planner, item, "there is no %s/%s that it could be in", host_kind, key_path(item->key));
		return false;
	}
	if (host->ignored && (!host->observed || item_is_dead(host))) { /* gone with it */
		ignore(item);
		return false;
	}
	bool stands = host->observed && !item_is_dead(host);
	if (!stands && !item_is_forward(host)) {
		block(planner, item, "%s is not running, and nothing is planned on that", host->key);
		return false;
	}
	return true;
}

void decide(struct planner *planner, struct item *item)
{
	g_array_set_size(planner->changes, 0);
	g_array_set_size(planner->waits, 0);
	item->fate = FATE_NONE;
	if (!item->desired && !item->observed)
		return;
	if (item_is_faulty(planner, item)) {
		block(planner, item, "a descriptor of its service is faulty: it is left as it is");
		return;
	}
	const char *blind = blind_site(planner, item);
	if (blind) {
		block(planner, item, "unknown: site %s cannot be looked at: %s", blind, blind_reason(planner, blind));
		return;
	}
	if (!item->desired) {
		decide_remove(planner, item);
		return;
	}
	if (!check_host(planner, item))
		return;
	item->fate = FATE_OPEN;
	item->caps = caps_of(planner, item->desired->site, item->kind);
	if (item->observed && !host_ends(planner, item))
		decide_update(planner, item);
	else
		decide_create(planner, item);
}
