/* What every EMS driver must do (controller/contract/ems.h): one suite, run against each of them.
 *
 * A driver's program of tests/conformance fills a bench with ways to make and to disturb a VNFC of its own, and runs the suite.
 */
#pragma once

#include "contract/ems.h"

struct ems_bench {
	const struct ems_ops *ops;
	/* Makes a VNFC without an NF, ready to be managed; how to reach it. NULL: it cannot be made here (the test is skipped,
	 * with the reason in *@ret_why, owned by the caller). */
	const struct access *(*vnfc_new)(struct ems_bench *bench, char **ret_why);
	void (*vnfc_free)(struct ems_bench *bench);
	/* The path, seen from inside the VNFC, of a file called @name in a folder that may be written to. Owned by the caller. */
	char *(*path)(struct ems_bench *bench, const char *name);
	/* From behind the EMS's back. */
	void (*write_file)(struct ems_bench *bench, const char *path, const char *content); /* content NULL: removes it */
	char *(*read_file)(struct ems_bench *bench, const char *path);                      /* NULL: not there */
	void (*kill_process)(struct ems_bench *bench, gint64 pid);
	void (*kill_vnfc)(struct ems_bench *bench); /* nobody answers any more */
	/* All of the following may be NULL. */
	const struct lookup *lookup;    /* of the calls; set by vnfc_new() at the latest */
	void (*describe)(struct ems_bench *bench, struct driver_ref *which); /* what the driver is opened with beside its name */
	void (*cut)(struct ems_bench *bench); /* connections break; what listens goes on. NULL: there are none; no test needs them */
	const char *variant;            /* part of the tests' names, where one driver has several benches */
	bool tells_texts;               /* the driver tells what is in a file that somebody edited */
	bool no_scripts;                /* operations, packages and ports are beyond this bench: it has no such tests */
	void *data;
};

/* Adds the suite's tests under "/conformance/ems/NAME/". */
void conformance_ems_add(struct ems_bench *bench);

/* write_file, read_file and kill_process of a bench whose VNFC is a folder and processes of this machine. */
void ems_write_file(struct ems_bench *bench, const char *path, const char *content);
char *ems_read_file(struct ems_bench *bench, const char *path);
void ems_kill_process(struct ems_bench *bench, gint64 pid);
