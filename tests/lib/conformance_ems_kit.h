/* Inside the EMS suite: what its parts share. */
#pragma once

#include "conformance_ems.h"

enum { CALL_MS = 20000, SHORT_CALL_MS = 400 };

#define NF_KEY "nf/edge.fw.vdu.0"

struct fixture {
	struct ems_bench *bench;
	const struct access *access;
	struct ems *ems;
	struct arena *arena;
	struct site site;
	struct driver_ref which;
	bool skipped;
};

/* What a test asks of bench and driver. One that asks for what they have not is not there at all: skips are for what is missing on this
 * machine. */
enum ems_needs {
	NEEDS_SCRIPTS = 1 << 0,
	NEEDS_CUT = 1 << 1,
	NEEDS_MEASURE = 1 << 2,
};

/* A test and its name; ended by one without. */
struct ems_test {
	const char *name;
	void (*test)(struct fixture *fixture, gconstpointer data);
	unsigned needs;
};

void ems_set_up(struct fixture *fixture, gconstpointer data);
void ems_tear_down(struct fixture *fixture, gconstpointer data);
struct call ems_call(struct fixture *fixture, gint64 ms);
const struct nf *ems_observe(struct fixture *fixture);
const struct nf *ems_ensure(struct fixture *fixture, const struct nf *want);
const struct nf *ems_ensure_with(struct fixture *fixture, const struct nf *want, const struct package *package);
/* It must fail with this code and say @words. */
void ems_ensure_fails(struct fixture *fixture, const struct nf *want, enum pleach_error code, const char *words);
/* All that it says, in the fixture's arena. */
char *ems_ensure_fails_with(struct fixture *fixture, const struct nf *want, const struct package *package, enum pleach_error code,
			    const char *words);
void ems_remove(struct fixture *fixture);
/* All that its log holds, or its last lines. Owned by the caller. */
char *ems_log_text(struct fixture *fixture, unsigned lines);

struct nf ems_sleeping(void);                                   /* "sleep 1000" */
struct nf ems_script(struct fixture *fixture, const char *text); /* "sh -c TEXT" */

/* conformance_ems_package.c, conformance_ems_more.c */
extern const struct ems_test ems_package_tests[], ems_more_tests[];
