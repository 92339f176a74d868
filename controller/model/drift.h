/* Drift rules: what policies of type pleach.policies.Drift say of what changed behind the operator's back. Made by desired/, asked by
 * plan/ and report/. Immutable; any thread.
 *
 * What no rule speaks of is put right. Of several rules the most exact one counts: one that names the field before one that names the
 * object before one that names its service before one that names its site before one for the whole repository; each only decides
 * between rules that are alike in what stands before it.
 */
#pragma once

#include "base/origin.h"

#include <stdbool.h>
#include <stddef.h>

enum { DRIFT_RULES_MAX = 200 };

enum drift_mode {
	DRIFT_ENFORCE, /* put right */
	DRIFT_REPORT,  /* told, and left as it is */
	DRIFT_IGNORE,  /* neither */
};

enum drift_severity { DRIFT_INFO, DRIFT_WARNING, DRIFT_CRITICAL };

const char *drift_severity_name(enum drift_severity severity); /* "info", … */
bool drift_severity_parse(const char *name, enum drift_severity *ret);
bool drift_mode_parse(const char *name, enum drift_mode *ret);

struct drift_rule {
	const char *name; /* of the policy */
	enum drift_mode mode;
	enum drift_severity severity;
	const char *const *services; /* targets, as they stand in keys; neither these nor sites: all */
	size_t n_services;
	const char *const *sites;
	size_t n_sites;
	const char *const *objects;  /* patterns over keys (key_matches) */
	size_t n_objects;
	const char *const *fields;   /* patterns over paths */
	size_t n_fields;
	struct origin origin;
};

/* How exactly the rule speaks of the field at @path (NULL: of the object as a whole) of @key on @site; 0: not at all. */
unsigned drift_exactness(const struct drift_rule *rule, const char *key, const char *site, const char *path);

/* The rule that counts; NULL: none, so it is put right. Of equally exact ones the first. */
const struct drift_rule *drift_find(const struct drift_rule *rules, size_t n, const char *key, const char *site, const char *path);

/* Do both lists say the same, wherever they stand? */
bool drift_rules_equal(const struct drift_rule *a, size_t n_a, const struct drift_rule *b, size_t n_b);
