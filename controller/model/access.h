/* Access rules: what policies of type pleach.policies.Access say of who may do what to which object. Made by desired/, asked
 * by ems/.
 *
 * A rule keeps its verbs, on the objects that its patterns match, for those whom it names, and for whom other rules on the
 * same name; operators and EMSs apart. What no rule speaks of is free: whoever reaches the controller's socket may do
 * everything, and an EMS everything to the NFs that name it.
 */
#pragma once

#include "base/origin.h"

#include <stdbool.h>
#include <stddef.h>

/* Bounds on policies; each is checked and tested. */
enum { ACCESS_RULES_MAX = 1000, ACCESS_NAMES_MAX = 256, ACCESS_NAME_MAX_BYTES = 255 };

enum access_verb {
	ACCESS_OBSERVE,   /* status, drift, plan, explain, events; an EMS: to look */
	ACCESS_LOGS,
	ACCESS_METRICS,
	ACCESS_CONFIGURE, /* an EMS: to put files in place */
	ACCESS_LIFECYCLE, /* an EMS: to install, start, stop, uninstall */
	ACCESS_OPERATE,   /* sync, suspend, resume, approve */
};

enum { ACCESS_VERBS = ACCESS_OPERATE + 1 };

const char *access_verb_name(enum access_verb verb); /* "observe", … */
bool access_verb_parse(const char *name, enum access_verb *ret);

struct access_rule {
	const char *name;             /* of the policy */
	const char *const *operators; /* "anna", "uid:1000", "group:netops" */
	size_t n_operators;
	const char *const *ems;       /* names as in a site's `ems` */
	size_t n_ems;
	const char *const *objects;   /* patterns over keys (key_matches) */
	size_t n_objects;
	unsigned verbs;               /* bits: 1 << enum access_verb */
	struct origin origin;
};
