/* One controller per owner on a machine: two that act for the same owner would undo each other's work.
 *
 * A lock file in the runtime folder, held by flock() for as long as the process lives and removed when it ends.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct owner_lock;

/* CONFLICT names the program and process that acts for @owner already. */
struct owner_lock *owner_lock_take(const char *owner, GError **error);
void owner_lock_drop(struct owner_lock *lock);
