/* Control groups: one group per site, in it one per VNFC, for vCPUs, memory and processes.
 *
 * The site's group is made before the keeper gives up the host's ids (cgroups_prepare), handed to the keeper's own, and taken
 * away when it has ended (cgroups_remove). It is below the group that a service manager gave to us whole (version 2), else below
 * "pleach" at the top of each hierarchy. Version 2 where it holds the three controllers, else version 1; neither, or not root:
 * none, and a finding says so.
 */
#pragma once

#include "base/auto.h"
#include "base/error.h"

#include <sys/types.h>

enum { CGROUP_N = 3 };

struct cgroups;

/* Never NULL. @name: of the site's group. */
struct cgroups *cgroups_prepare(const char *name);
void cgroups_free(struct cgroups *cgroups);
AUTO_DEFINE(cgroups, cgroups_free)
/* Gives the site's group to @uid, @gid; moves @pid (the keeper) beneath it where version 2 asks for that. */
void cgroups_hand_over(struct cgroups *cgroups, uid_t uid, gid_t gid, pid_t pid);
void cgroups_remove(struct cgroups *cgroups);
const char *cgroups_finding(const struct cgroups *cgroups); /* NULL: all is there */

struct cgroup_limits {
	gint64 vcpus, mem_bytes, pids; /* 0: none; read back -1: cannot be limited here */
};

/* The group of one VNFC. */
bool cgroup_create(struct cgroups *cgroups, const char *name, GError **error); /* empty; one left over is taken anew */
bool cgroup_limit(struct cgroups *cgroups, const char *name, const struct cgroup_limits *limits, GError **error);
/* @wanted: what was last set, so that the kernel's rounding is not taken for a change. */
void cgroup_read(struct cgroups *cgroups, const char *name, const struct cgroup_limits *wanted, struct cgroup_limits *ret);
bool cgroup_oom(struct cgroups *cgroups, const char *name); /* was a process of it killed for want of memory? */
void cgroup_remove(struct cgroups *cgroups, const char *name);

/* How a child gets in. Version 2: *@ret_into is its folder, for clone3(). Version 1: @ret_tasks are files that the child, while
 * it has one thread, writes "0" to (a thread that moves itself does not wait for a grace period of all processors). -1: none.
 * The caller closes them. */
bool cgroup_doors(struct cgroups *cgroups, const char *name, int *ret_into, int ret_tasks[CGROUP_N], GError **error);
