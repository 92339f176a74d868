#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

/* Blocks grow, so that the many small arenas (one per last applied object) stay small. */
enum { BLOCK_MIN = 512, BLOCK_MAX = 64 * 1024 };

struct block {
	struct block *next;
	alignas(max_align_t) char data[];
};

struct kept {
	void *thing;
	GDestroyNotify drop;
};

struct arena {
	gatomicrefcount refs;
	struct block *blocks;
	char *at, *end;
	size_t size, block_size;
	GPtrArray *adopted;
	GArray *kept; /* of struct kept */
};

static gsize alive;

size_t arenas_alive(void)
{
	return __atomic_load_n(&alive, __ATOMIC_RELAXED);
}

struct arena *arena_new(void)
{
	struct arena *arena = g_new0(struct arena, 1);
	__atomic_add_fetch(&alive, 1, __ATOMIC_RELAXED);
	g_atomic_ref_count_init(&arena->refs);
	return arena;
}

struct arena *arena_ref(struct arena *arena)
{
	g_atomic_ref_count_inc(&arena->refs);
	return arena;
}

void arena_unref(struct arena *arena)
{
	if (!arena || !g_atomic_ref_count_dec(&arena->refs))
		return;
	for (struct block *block = arena->blocks, *next; block; block = next) {
		next = block->next;
		g_free(block);
	}
	g_clear_pointer(&arena->adopted, g_ptr_array_unref);
	for (guint i = 0; arena->kept && i < arena->kept->len; i++)
		g_array_index(arena->kept, struct kept, i).drop(g_array_index(arena->kept, struct kept, i).thing);
	g_clear_pointer(&arena->kept, g_array_unref);
	g_free(arena);
	__atomic_sub_fetch(&alive, 1, __ATOMIC_RELAXED);
}

static struct block *block_add(struct arena *arena, size_t size)
{
	struct block *block = g_malloc0(sizeof(*block) + size);
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	g_assert(size < SIZE_MAX - alignof(max_align_t));
	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	arena->size += size;
	if (!arena->at || (size_t) (arena->end - arena->at) < size) {
		arena->block_size = CLAMP(arena->block_size * 2, BLOCK_MIN, BLOCK_MAX);
		if (size > arena->block_size / 4)
			return block_add(arena, size)->data;
		arena->at = block_add(arena, arena->block_size)->data;
		arena->end = arena->at + arena->block_size;
	}
	void *memory = arena->at;
	arena->at += size;
	return memory;
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	return arena_strdup(arena, text);
}

void arena_adopt(struct arena *arena, struct arena *with)
{
	if (arena == with)
		return;
	if (!arena->adopted)
		arena->adopted = g_ptr_array_new_with_free_func((GDestroyNotify) arena_unref);
	g_ptr_array_add(arena->adopted, arena_ref(with));
}

void arena_keep(struct arena *arena, void *thing, GDestroyNotify drop)
{
	if (!arena->kept)
		arena->kept = g_array_new(FALSE, FALSE, sizeof(struct kept));
	struct kept kept = { thing, drop };
	g_array_append_val(arena->kept, kept);
}

size_t arena_size(const struct arena *arena)
{
	return arena->size;
}
