#include "base/shelves.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ROW_USUAL = 64, ROW_MAX = 512 };

struct shelf {
	struct arena *arena; /* holds @row too */
	struct arena *const *row;
	size_t n;
};

struct shelves {
	struct arena *arena; /* holds this too */
	const struct shelf *items;
	size_t n;
};

/* Addresses differ in their middle bits. */
static bool ends_row(const struct arena *arena)
{
	return (((uint64_t) (uintptr_t) arena * 0x9e3779b97f4a7c15u) >> 40) % ROW_USUAL == 0;
}

static bool is_row(const struct shelf *shelf, struct arena *const *row, size_t n)
{
	return shelf->n == n && memcmp(shelf->row, row, n * sizeof(*row)) == 0;
}

/* Mostly the one behind the one found last. */
static const struct shelf *find_row(const struct shelves *former, size_t *at, struct arena *const *row, size_t n)
{
	for (size_t i = 0; former && i < former->n; i++) {
		const struct shelf *shelf = &former->items[(*at + i) % former->n];
		if (!is_row(shelf, row, n))
			continue;
		*at = (*at + i + 1) % former->n;
		return shelf;
	}
	return NULL;
}

static struct shelf shelf_new(struct arena *const *row, size_t n)
{
	struct arena *arena = arena_new();
	for (size_t i = 0; i < n; i++)
		arena_adopt(arena, row[i]);
	return (struct shelf) { arena, arena_memdup(arena, row, n * sizeof(*row)), n };
}

struct shelves *shelves_new(struct arena *const *arenas, size_t n, const struct shelves *former)
{
	struct arena *arena = arena_new();
	struct shelves *shelves = ARENA_NEW(arena, struct shelves);
	g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct shelf));
	g_autofree struct arena **rows = g_new(struct arena *, n + 1);
	size_t n_rows = 0, first = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		if (arenas[i] && (!n_rows || rows[n_rows - 1] != arenas[i]))
			rows[n_rows++] = arenas[i];
	for (size_t i = 0; i < n_rows; i++) {
		if (i + 1 < n_rows && i + 1 - first < ROW_MAX && !ends_row(rows[i]))
			continue;
		const struct shelf *known = find_row(former, &at, rows + first, i + 1 - first);
		struct shelf shelf = known ? *known : shelf_new(rows + first, i + 1 - first);
		arena_adopt(arena, shelf.arena);
		if (!known)
			arena_unref(shelf.arena);
		g_array_append_val(items, shelf);
		first = i + 1;
	}
	shelves->arena = arena;
	shelves->items = arena_memdup(arena, items->data, items->len * sizeof(struct shelf));
	shelves->n = items->len;
	return shelves;
}

struct shelves *shelves_ref(struct shelves *shelves)
{
	arena_ref(shelves->arena);
	return shelves;
}

void shelves_unref(struct shelves *shelves)
{
	if (shelves)
		arena_unref(shelves->arena);
}

struct arena *shelves_arena(const struct shelves *shelves)
{
	return shelves->arena;
}

size_t shelves_count(const struct shelves *shelves)
{
	return shelves->n;
}

size_t shelves_shared(const struct shelves *shelves, const struct shelves *with)
{
	size_t n = 0, at = 0;
	for (size_t i = 0; i < shelves->n; i++) {
		const struct shelf *shelf = find_row(with, &at, shelves->items[i].row, shelves->items[i].n);
		n += shelf && shelf->arena == shelves->items[i].arena;
	}
	return n;
}
