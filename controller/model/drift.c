#include "model/drift.h"

#include "model/key.h"

#include <glib.h>
#include <string.h>

/* Of what a rule says, the more exact the higher. */
enum { EXACT_ANY = 1, EXACT_SITE = 2, EXACT_SERVICE = 4, EXACT_OBJECT = 8, EXACT_FIELD = 16 };

static const char ALL[] = "**";

static const char *const mode_names[] = { [DRIFT_ENFORCE] = "enforce", [DRIFT_REPORT] = "report", [DRIFT_IGNORE] = "ignore" };
static const char *const severity_names[] = { [DRIFT_INFO] = "info", [DRIFT_WARNING] = "warning", [DRIFT_CRITICAL] = "critical" };

static bool find_name(const char *name, const char *const *names, size_t n, size_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

const char *drift_severity_name(enum drift_severity severity)
{
	return severity_names[severity];
}

bool drift_severity_parse(const char *name, enum drift_severity *ret)
{
	size_t at = 0;
	bool found = find_name(name, severity_names, G_N_ELEMENTS(severity_names), &at);
	*ret = (enum drift_severity) at;
	return found;
}

bool drift_mode_parse(const char *name, enum drift_mode *ret)
{
	size_t at = 0;
	bool found = find_name(name, mode_names, G_N_ELEMENTS(mode_names), &at);
	*ret = (enum drift_mode) at;
	return found;
}

/* --- which one counts ---------------------------------------------------------------------------------------------------- */

/* 0: none of the patterns fits; EXACT_ANY: only "all" does. */
static unsigned fits(const char *const *patterns, size_t n, const char *text, bool (*matches)(const char *text, const char *pattern),
		     unsigned exact)
{
	unsigned best = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(patterns[i], ALL) == 0)
			best = MAX(best, (unsigned) EXACT_ANY);
		else if (text && matches(text, patterns[i]))
			return EXACT_ANY | exact;
	}
	return best;
}

static bool is_service(const char *key, const char *service)
{
	const char *path = key_path(key);
	size_t length = strcspn(path, ".");
	return strlen(service) == length && memcmp(path, service, length) == 0;
}

static unsigned is_target(const struct drift_rule *rule, const char *key, const char *site)
{
	if (rule->n_services + rule->n_sites == 0)
		return EXACT_ANY;
	for (size_t i = 0; i < rule->n_services; i++)
		if (is_service(key, rule->services[i]))
			return EXACT_ANY | EXACT_SERVICE;
	for (size_t i = 0; i < rule->n_sites; i++)
		if (strcmp(rule->sites[i], site) == 0)
			return EXACT_ANY | EXACT_SITE;
	return 0;
}

unsigned drift_exactness(const struct drift_rule *rule, const char *key, const char *site, const char *path)
{
	unsigned target = is_target(rule, key, site);
	unsigned object = target ? fits(rule->objects, rule->n_objects, key, key_matches, EXACT_OBJECT) : 0;
	unsigned field = object ? fits(rule->fields, rule->n_fields, path, key_path_matches, EXACT_FIELD) : 0;
	return field ? target | object | field : 0;
}

const struct drift_rule *drift_find(const struct drift_rule *rules, size_t n, const char *key, const char *site, const char *path)
{
	const struct drift_rule *found = NULL;
	unsigned best = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned exactness = drift_exactness(&rules[i], key, site, path);
		if (exactness > best) {
			best = exactness;
			found = &rules[i];
		}
	}
	return found;
}

/* --- the same? ----------------------------------------------------------------------------------------------------------- */

static bool same_texts(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool drift_rules_equal(const struct drift_rule *a, size_t n_a, const struct drift_rule *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		const struct drift_rule *x = &a[i], *y = &b[i];
		if (strcmp(x->name, y->name) != 0 || x->mode != y->mode || x->severity != y->severity ||
		    !same_texts(x->services, x->n_services, y->services, y->n_services) ||
		    !same_texts(x->sites, x->n_sites, y->sites, y->n_sites) ||
		    !same_texts(x->objects, x->n_objects, y->objects, y->n_objects) ||
		    !same_texts(x->fields, x->n_fields, y->fields, y->n_fields))
			return false;
	}
	return true;
}
