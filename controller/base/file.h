/* Files, whole: read within a bound, written to a temporary name and renamed, so that no reader ever sees half of one. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* NUL-terminated contents, owned by the caller; INVALID when larger than @max_bytes, NOT_FOUND when absent. */
char *file_read(const char *path, size_t max_bytes, size_t *ret_length, GError **error);

/* Writes beside and renames over; the folder must exist. */
bool file_write(const char *path, const void *data, size_t length, mode_t mode, GError **error);

/* All of it, however often write() has to be called; errno says why not. */
bool file_write_all(int fd, const void *data, size_t length);

/* mkdir -p. Existing folders are left as they are. */
bool file_make_folder(const char *path, mode_t mode, GError **error);

/* Removes a tree; never follows a symbolic link; absent is success. */
bool file_remove_tree(const char *path, GError **error);

/* Short runtime folder for sockets: $PLEACH_RUNTIME_DIR, else /run/pleach for root, else $XDG_RUNTIME_DIR/pleach, else
 * /tmp/pleach-UID. Not created here. Owned by the caller. */
char *file_runtime_folder(void);

/* $XDG_STATE_HOME/pleach, ~/.local/state/pleach, or /var/lib/pleach for root. Owned by the caller. */
char *file_state_folder(void);
