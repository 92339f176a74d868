/* The VIB (VNF information base) in memory: an entry for each network function that is desired or there, kept up to date after
 * every look, and written to the store by daemon/, so that it survives a restart.
 *
 * Pure of the store and the clock; owner thread.
 */
#pragma once

#include "ems/faults.h"

enum { VIB_TEXT_MAX_BYTES = 2048 }; /* of a far side's words; the rest is cut off */

struct vib;

struct vib *vib_new(void);
void vib_free(struct vib *vib);
AUTO_DEFINE(vib, vib_free)

/* What the store had. */
void vib_load(struct vib *vib, const struct vib_entry *entry);

struct vib_input {
	const struct network *desired;
	const struct observed *observed;
	const struct faults *faults; /* of the same look; or NULL */
	gint64 wall_us;
};

/* What an update changed; in its arena, or valid until the next update. */
struct vib_changes {
	struct arena *arena;
	GPtrArray *entries; /* const struct vib_entry *: to be written */
	GPtrArray *gone;    /* const char *: keys to be forgotten */
	GArray *events;     /* struct vib_event */
};

void vib_changes_init(struct vib_changes *changes);
void vib_changes_clear(struct vib_changes *changes);

void vib_update(struct vib *vib, const struct vib_input *input, struct vib_changes *ret);

/* NULL where there is none; valid until the next update. */
const struct vib_entry *vib_find(const struct vib *vib, const char *key);
/* Sets which indicators are beyond their thresholds; the entry as it is now, or NULL where there is none. */
const struct vib_entry *vib_set_crossed(struct vib *vib, const char *key, const char *crossed);

/* All, by key; the array in @arena. */
const struct vib_entry *vib_entries(const struct vib *vib, struct arena *arena, size_t *ret_n);
