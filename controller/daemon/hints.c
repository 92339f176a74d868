/* What reaches the cycle: each only raises a flag, and the next turn begins with it. */
#include "daemon/cycle_state.h"

#include "model/key.h"

#include <string.h>

void cycle_load(struct cycle *cycle)
{
	cycle->want_load = true;
	if (cycle->now.phase == CYCLE_EXECUTING) {
		exec_cancel(cycle->now.exec);
		cycle_run_exec(cycle);
	} else
		cycle_advance(cycle);
}

void cycle_look(struct cycle *cycle, GPtrArray *keys)
{
	for (guint i = 0; keys && i < keys->len; i++)
		g_hash_table_add(cycle->want_keys, g_strdup(g_ptr_array_index(keys, i)));
	if (!keys)
		cycle->want_look = true;
	cycle_interrupt_waiting(cycle);
	cycle_advance(cycle);
}

/* Is @key the object, or a part of it: of a service all that it has, of a VNF its VNFCs and NFs, of a VNFC its NF? */
static bool is_meant(const char *key, const char *meant)
{
	size_t length = strlen(key_path(meant));
	if (strcmp(key, meant) == 0)
		return true;
	if (strncmp(key_path(key), key_path(meant), length) != 0)
		return false;
	char next = key_path(key)[length];
	if (key_is_kind(meant, "service"))
		return next == '.';
	return key_is_kind(meant, "vnf") ? next == '.' && !key_is_kind(key, "link") : next == '\0' && key_is_kind(meant, "vnfc");
}

static void sync_among(struct cycle *cycle, struct objects objects, const char *meant)
{
	for (size_t i = 0; i < objects.n; i++) {
		if (!is_meant(objects.items[i]->key, meant))
			continue;
		exec_forget(cycle->now.exec, objects.items[i]->key);
		g_hash_table_add(cycle->want_keys, g_strdup(objects.items[i]->key));
	}
}

void cycle_sync(struct cycle *cycle, const char *key)
{
	if (!key) {
		exec_forget(cycle->now.exec, NULL);
		cycle->want_look = true;
	} else {
		if (cycle->now.network)
			sync_among(cycle, cycle->now.network->objects, key);
		if (cycle->now.observed)
			sync_among(cycle, cycle->now.observed->objects, key);
	}
	cycle_interrupt_waiting(cycle);
	cycle_advance(cycle);
}

/* What is under way may not be any more, and what waits may go on. */
void cycle_holds_changed(void *data)
{
	struct cycle *cycle = data;
	cycle->want_plan = true;
	if (cycle->now.phase == CYCLE_EXECUTING) {
		exec_cancel(cycle->now.exec);
		cycle_run_exec(cycle);
	} else
		cycle_advance(cycle);
}

void cycle_look_again(struct cycle *cycle, GPtrArray *keys)
{
	cycle->quiet = cycle_rests(cycle) && cycle_is_at_rest(cycle);
	cycle_look(cycle, keys);
}

void cycle_cure_due(void *data)
{
	struct cycle *cycle = data;
	cycle->want_plan = true;
	cycle_advance(cycle);
}
