/* The mirror: a bare repository of ours into which a remote branch is fetched.
 *
 * Its branches are moved only to commits whose trees are whole (mirror_is_whole), so a broken or cut-off answer leaves it as it was.
 * What killed fetches have left is taken away by the next one. Every fetch adds a pack; from time to time mirror_tidy() makes
 * one of all that is still reachable: the history of its refs. The rest goes with the old packs.
 *
 * Changed by the fetching child only, one at a time: whoever has the lock.
 */
#pragma once

#include "base/error.h"

#include <git2.h>
#include <glib.h>

enum {
	MIRROR_PACKS_MAX = 32, /* then they become one */
};

/* An empty one where there is none. The owner thread, too, may do this. */
bool mirror_make(const char *path, GError **error);

/* Makes it where it is not, takes the lock (until the process ends), removes what was left half-done. RETRY: somebody has the lock. */
git_repository *mirror_open(const char *path, GError **error);

/* Takes away what is in the folder of packs and is none, and locks that nobody holds. */
void mirror_clean(const char *path);

/* Bytes in the files of its packs, half-done ones too. */
guint64 mirror_bytes(const char *path);

/* Is everything there that the tree of @commit needs, and its history by first parents? What @former (may be NULL) has was looked
 * through when that was new. */
bool mirror_is_whole(git_repository *git, const git_oid *commit, const git_oid *former, GError **error);

/* Makes one pack where there are MIRROR_PACKS_MAX, or where they are larger than @max_bytes. */
bool mirror_tidy(git_repository *git, guint64 max_bytes, GError **error);
