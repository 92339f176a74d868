/* What was last applied, in memory: read from the store at the start, kept up to date by what operations complete.
 *
 * Owner thread. Each object has an arena of its own, so that what is replaced is freed; a view keeps what it shows alive, and the next one
 * is made of it and of what was put since.
 */
#pragma once

#include "store/store.h"

struct last;

struct last *last_new(struct store *store, GError **error);
void last_free(struct last *last);
AUTO_DEFINE(last, last_free)

/* @object is copied (NULL: the key is gone). */
void last_put(struct last *last, const char *key, const struct object *object);

/* All of it as it is now; the objects live as long as *@ret_arena, which the caller drops. Others hold it too: nothing is put in it. */
struct objects last_view(struct last *last, struct arena **ret_arena);

const struct object *last_find(const struct last *last, const char *key); /* valid until the next last_put() of that key */
bool last_has_site(const struct last *last, const char *site);
