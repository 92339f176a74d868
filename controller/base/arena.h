/* Memory for values that are born together and die together: one arena per revision, per observation, per plan.
 *
 * Nothing is freed singly. An arena is filled by one thread; once filled and shared it is read-only, and its reference count is
 * atomic, so that any thread may hold it and drop it.
 */
#pragma once

#include "base/auto.h"

#include <glib.h>

struct arena;

struct arena *arena_new(void);
struct arena *arena_ref(struct arena *arena);
void arena_unref(struct arena *arena);
AUTO_DEFINE(arena, arena_unref)

/* All return memory of the arena, zeroed, aligned for any type; they never fail. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *text);               /* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define ARENA_NEW(arena, type) ((type *) arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *) arena_alloc((arena), sizeof(type) * (size_t) (n)))

/* Keeps @with alive for as long as @arena lives: values of @arena may then point into @with. */
void arena_adopt(struct arena *arena, struct arena *with);

/* Takes @thing over: @drop is called with it when the arena ends. For what is not memory of an arena (GBytes). */
void arena_keep(struct arena *arena, void *thing, GDestroyNotify drop);

/* Bytes handed out, for reports and benches. */
size_t arena_size(const struct arena *arena);

/* How many there are in this process, for tests of what is never let go. Any thread. */
size_t arenas_alive(void);
