#include "exec/internal.h"

#include <string.h>

static void memory_free(gpointer data)
{
	struct memory *memory = data;
	g_free(memory->id);
	g_free(memory->revision);
	g_free(memory->text);
	g_free(memory);
}

GHashTable *memories_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, memory_free);
}

/* A leftover has failures of its own: they must not be taken for those of the object that goes on under its key. */
static char *name_of(const struct step *step)
{
	if (step->action == ACTION_CLEAN)
		return g_strdup_printf("%s %u", step->key, step->incarnation);
	return g_strdup(step->key);
}

struct memory *memory_get(GHashTable *memories, const struct step *step)
{
	if (!g_hash_table_size(memories))
		return NULL;
	g_autofree char *name = name_of(step);
	return g_hash_table_lookup(memories, name);
}

struct memory *memory_make(GHashTable *memories, const struct step *step)
{
	struct memory *memory = memory_get(memories, step);
	if (!memory) {
		memory = g_new0(struct memory, 1);
		g_hash_table_insert(memories, name_of(step), memory);
	}
	return memory;
}

void memory_drop(GHashTable *memories, const struct step *step)
{
	if (!g_hash_table_size(memories))
		return;
	g_autofree char *name = name_of(step);
	g_hash_table_remove(memories, name);
}

void memory_write(struct memory *memory, const struct operation *operation)
{
	g_free(memory->id);
	g_free(memory->revision);
	g_free(memory->text);
	memory->id = g_strdup(operation->id);
	memory->revision = g_strdup(operation->revision);
	memory->text = g_strdup(operation->error);
	memory->code = operation->error_code;
	memory->attempt = operation->attempt;
	memory->wall_us = operation->wall_us;
	memory->closed = operation->state == OP_CANCELLED;
}

void memories_keep(GHashTable *memories, const struct plan *plan)
{
	if (!g_hash_table_size(memories))
		return;
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (size_t i = 0; i < plan->n_steps; i++) {
		char *name = name_of(&plan->steps[i]);
		struct memory *memory = g_hash_table_lookup(memories, name);
		if (memory)
			memory->held = plan->steps[i].held != NULL;
		g_hash_table_add(names, name);
	}
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, memories);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(names, name))
			g_hash_table_iter_remove(&iter);
}

void memories_forget(GHashTable *memories, const char *key)
{
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, memories);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		size_t length = key ? strlen(key) : 0;
		const char *text = name;
		if (!key || (!strncmp(text, key, length) && (text[length] == '\0' || text[length] == ' ')))
			g_hash_table_iter_remove(&iter);
	}
}

/* --- repairs -------------------------------------------------------------------------------------------------------------- */

GHashTable *repairs_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* Is it made anew only because the object that it lives in is? */
static bool comes_with_host(const struct plan *plan, const struct step *step)
{
	const struct kind *kind = kind_of_key(step->key);
	if (!kind || !kind->host)
		return false;
	auto_ptr(arena) arena = arena_new();
	const char *host = key_of_kind(arena, step->key, kind->host);
	for (size_t i = 0; i < step->n_after; i++)
		if (!strcmp(plan->steps[step->after[i]].key, host))
			return true;
	return false;
}

static bool is_made_anew(const struct step *step)
{
	return step->action == ACTION_CREATE || step->action == ACTION_REPLACE;
}

/* What is put right in place counts for whatever reason it is done: an intent that comes back for the same desired object is none. */
static bool is_repair(const struct plan *plan, const struct step *step)
{
	bool in_place = step->action == ACTION_CHANGE || step->action == ACTION_RESTART;
	return (in_place || (is_made_anew(step) && step->cause != CAUSE_INTENT)) && !comes_with_host(plan, step);
}

static bool is_well(const struct repair *repair, gint64 now_us)
{
	return now_us - repair->done_us >= EXEC_WELL_S * G_USEC_PER_SEC;
}

unsigned repairs_too_many(const struct repair *repair, const struct step *step)
{
	unsigned at_once = is_made_anew(step) ? 1 : EXEC_REPAIRS_AT_ONCE;
	return repair->count >= at_once ? repair->count - at_once + 1 : 0;
}

const struct repair *repairs_again(GHashTable *repairs, const struct plan *plan, const struct step *step, gint64 now_us)
{
	const struct repair *repair = g_hash_table_lookup(repairs, step->key);
	if (!repair || !is_repair(plan, step))
		return NULL;
	char wanted[DIGEST_SIZE];
	job_digest(step->desired, wanted);
	if (!is_well(repair, now_us) && !strcmp(repair->wanted, wanted))
		return repairs_too_many(repair, step) ? repair : NULL;
	g_hash_table_remove(repairs, step->key);
	return NULL;
}

void repairs_count(GHashTable *repairs, const struct plan *plan, const struct step *step, gint64 now_us)
{
	if (!is_repair(plan, step))
		return;
	struct repair *repair = g_hash_table_lookup(repairs, step->key);
	if (!repair) {
		repair = g_new0(struct repair, 1);
		g_hash_table_insert(repairs, g_strdup(step->key), repair);
	}
	char wanted[DIGEST_SIZE];
	job_digest(step->desired, wanted);
	repair->count = strcmp(repair->wanted, wanted) ? 1 : repair->count + 1;
	repair->done_us = now_us;
	memcpy(repair->wanted, wanted, DIGEST_SIZE);
}

void repairs_age(GHashTable *repairs, GHashTable *memories, gint64 now_us)
{
	GHashTableIter iter;
	gpointer key, repair;
	g_hash_table_iter_init(&iter, repairs);
	while (g_hash_table_iter_next(&iter, &key, &repair))
		if (is_well(repair, now_us) && !g_hash_table_contains(memories, key))
			g_hash_table_iter_remove(&iter);
}
