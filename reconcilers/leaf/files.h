/* The network function's configuration files: put in place whole, looked at as they are on disk now.
 *
 * The paths are the VNF's own: nothing here leaves its file system, which is the leaf's too.
 */
#pragma once

#include "leafproto/leafproto.h"

/* Brings every file on disk to what is wanted. All that differ are first written beside their places; only when all of them are
 * there are they renamed, so that a full disk or a folder that cannot be made changes no file. (Empty folders made on the way
 * stay.) *@ret_changed: whether any file was replaced. */
bool files_put(const struct leaf_file *files, size_t n, bool *ret_changed, GError **error);

/* Would files_put() change this one? */
bool files_differ(const struct leaf_file *file);

/* All files under @folder, at their absolute paths, whatever is there now taken away first. @folder is the leaf's own. */
bool files_mirror(const struct leaf_file *files, size_t n, const char *folder, GError **error);

/* Takes one file away; absent, or no file any more, is success. */
bool files_remove(const char *path, GError **error);

/* The same files with digest and mode as they are on disk now; both NULL where there is no such regular file. A file larger than
 * any that may be wanted is read only as far as is needed to tell that it differs. One with a label shows as that, or, when it is not as
 * it was put, as an HMAC under @salt. @texts: one without a label that is not as it was put, and is a text within LEAF_SEEN_MAX_BYTES,
 * shows whole, so long as all of them stay within LEAF_SEEN_ALL_MAX_BYTES. */
const struct leaf_file *files_observe(struct arena *arena, const struct leaf_file *files, size_t n, const char *salt, bool texts);

/* sha256 in hex of a text. Owned by the caller. */
char *files_digest(const char *content);
