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

/* What one revision leaves to the next, so that loading takes the time of what changed: parsed files, and what their services made. The
 * revision is the same with it and without it. One loader's at a time. */
struct revision_memory;
struct revision_memory *revision_memory_new(void);
void revision_memory_free(struct revision_memory *memory);
AUTO_DEFINE(revision_memory, revision_memory_free)
size_t revision_memory_taken_over(const struct revision_memory *memory); /* services, the last time */

/* NULL and @error only when the source cannot be read at all; faulty descriptors are findings. @memory may be NULL. */
struct revision *revision_load(const struct revision_source *source, struct revision_memory *memory, GError **error);
/* The same of a snapshot that was opened with @diags; never NULL. */
struct revision *revision_of(struct snapshot *snapshot, const char *owner, struct revision_memory *memory, struct diags *diags);
struct revision *revision_ref(struct revision *revision);
void revision_unref(struct revision *revision);
AUTO_DEFINE(revision, revision_unref)
