/* Many arenas, kept alive together, again and again.
 *
 * A network of ten thousand objects keeps the arenas of all of them, and the next revision's keeps nearly the same ones. So that not each
 * of them is counted up and down at every commit, they stand on shelves of some dozens: a shelf is an arena that adopts its row, and a row
 * that was in the former shelves is taken over whole. Where one shelf ends and the next begins is told by the arena that stands there
 * alone, so that one that comes or goes changes its shelf and not all those behind it.
 *
 * Nothing hangs on what was: shelves hold shelves that they share with the former ones, never the former ones themselves. What nobody
 * shows any more is freed, however many revisions follow one another.
 *
 * Immutable once made, reference counted; any thread may drop them.
 */
#pragma once

#include "base/arena.h"

struct shelves;

/* Keeps each of @arenas (NULL entries: none; one after another the same: once). @former may be NULL. */
struct shelves *shelves_new(struct arena *const *arenas, size_t n, const struct shelves *former);
struct shelves *shelves_ref(struct shelves *shelves);
void shelves_unref(struct shelves *shelves);
AUTO_DEFINE(shelves, shelves_unref)

/* Adopt this one: it keeps all of them. Borrowed. */
struct arena *shelves_arena(const struct shelves *shelves);
size_t shelves_count(const struct shelves *shelves);                                  /* shelves */
size_t shelves_shared(const struct shelves *shelves, const struct shelves *with);     /* those that both have, for tests */
