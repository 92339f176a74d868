/* A revision, loaded whole: files ─► templates ─► desired network, with every finding on the way.
 *
 * What `pleachd` does with each commit and what `validate` and `plan` do offline is this one function. Blocking; a worker's or a command
 * line's business. The result is immutable and reference counted.
 */
#pragma once

#include "desired/desired.h"

struct revision_source {
	const char *path;      /* repository or folder */
	const char *revision;  /* names a commit; NULL: the files of the folder as they are */
	const char *subfolder; /* or NULL */
	const char *owner;     /* --owner or NULL */
};

struct revision {
	gatomicrefcount refs;
	struct snapshot *snapshot;
	struct tosca *tosca;
	struct diags *diags;      /* sorted */
	struct network *network;  /* never NULL */
	gint64 files;             /* descriptors that were read */
};

/* NULL and @error only when the source cannot be read at all; faulty descriptors are findings. @cache may be NULL. */
struct revision *revision_load(const struct revision_source *source, struct tosca_cache *cache, GError **error);
struct revision *revision_ref(struct revision *revision);
void revision_unref(struct revision *revision);
AUTO_DEFINE(revision, revision_unref)
