/* Blobs: their sizes and contents, remembered in the process by their ids (which name the same bytes for ever).
 *
 * From one commit to the next nearly all files are the same: without this every one is opened and unpacked again at each push.
 */
#pragma once

#include "source/internal.h"

enum {
	OBJECTS_KEPT_MAX = 100000,                /* ids remembered */
	OBJECTS_KEPT_MAX_BYTES = 64 * 1024 * 1024, /* of contents */
	OBJECTS_KEPT_BLOB_BYTES = 256 * 1024,      /* larger contents are not kept */
	OBJECTS_SPARE = 1024,                      /* more than were in use at the last count: then those that are not go */
};

void objects_turn(void);    /* another commit is walked */
size_t objects_count(void); /* for tests */

/* False when the object is not there, or is no blob. @odb is the caller's alone for the call. */
bool objects_size(git_odb *odb, const git_oid *id, guint64 *ret, GError **error);
GBytes *objects_read(git_odb *odb, const struct source_file *file, GError **error);
