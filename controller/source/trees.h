/* Trees of commits as they were walked, remembered in the process by their place.
 *
 * From one commit to the next most folders are the very same trees: those are not read again, and of one that changed only the entries that
 * did. Only what was walked without any finding is remembered, so that each walk tells of what is wrong.
 *
 * What is handed out is immutable and lives as long as its arena. Any thread.
 */
#pragma once

#include "source/internal.h"

/* In Git's own order, which with folders gone into where they stand is the order of paths. */
struct tree_entry {
	struct source_file file; /* of a folder only its path */
	git_oid id;
	bool is_tree;
};

struct tree {
	git_oid id;
	const char *path;
	struct arena *arena; /* all of it */
	const struct tree_entry *entries;
	size_t n;
	unsigned used;       /* in which turn it was last taken */
};

enum { TREES_SPARE = 64 }; /* more than were in use at the last count: then those that are not go */

void trees_turn(void); /* another commit is walked */
/* The tree that was remembered of @path, whichever its id; or NULL. Dropped with tree_unref(). */
struct tree *trees_take(const char *path);
void tree_unref(struct tree *tree);
AUTO_DEFINE(tree, tree_unref)
void trees_put(struct tree *tree); /* in the place of what was remembered of its path; takes a reference of its own */
size_t trees_count(void);          /* for tests */
