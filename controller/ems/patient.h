/* A slot in which something is ill, and what becomes of it: what faults.c and patient.c share. Nothing outside this folder
 * includes it. */
#pragma once

#include "ems/faults.h"

struct patient {
	const char *path;
	const struct object *vnfc, *nf;     /* desired; @nf may be NULL */
	const struct object *seen, *nf_seen; /* observed; may be NULL */
	bool dead;                          /* the VNFC ended, or is gone */
	const char *reason;
	const char *wanted;
	enum fault_fate fate;
	const char *held;
	gint64 until_us;
	size_t n_cures; /* counted against it */
};

struct ward {
	const struct faults_input *input;
	struct arena *arena;
	GPtrArray *patients; /* struct patient, by path */
};

/* Sets fate, held, until_us and wanted of all. */
void ward_decide(struct ward *ward);
