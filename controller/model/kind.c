#include "model/kind.h"

#include "model/key.h"

#include <string.h>

static const struct kind *const kinds[] = { &kind_link, &kind_vnfc, &kind_nf };

const char *cost_name(enum field_cost cost)
{
	switch (cost) {
	case COST_METADATA:
		return "metadata";
	case COST_IN_PLACE:
		return "in-place";
	case COST_RESTART:
		return "restart";
	case COST_REPLACE:
		return "replace";
	}
	g_assert_not_reached();
}

const struct kind *kind_of_key(const char *key)
{
	size_t length = strcspn(key, "/");
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (strlen(kinds[i]->name) == length && memcmp(kinds[i]->name, key, length) == 0)
			return kinds[i];
	return NULL;
}

/* "*" alone stands for one whole segment: the tables have no other patterns. */
static bool path_is_of(const char *path, const char *pattern)
{
	while (*path && *pattern) {
		if (*pattern == '*') {
			pattern++;
			path += strcspn(path, ".");
		} else if (*pattern++ != *path++) {
			return false;
		}
	}
	return !*path && !*pattern;
}

const struct field_spec *kind_spec(const struct kind *kind, const char *path)
{
	if (!key_path_is_valid(path))
		return NULL;
	for (size_t i = 0; i < kind->n_specs; i++)
		if (path_is_of(path, kind->specs[i].pattern))
			return &kind->specs[i];
	return NULL;
}

enum field_cost kind_spec_cost(const struct kind *kind, const struct field_spec *spec, const char *path, const struct caps *caps)
{
	for (size_t i = 0; caps && i < caps->n_overrides; i++)
		if (strcmp(caps->overrides[i].kind, kind->name) == 0 && path_is_of(path, caps->overrides[i].pattern))
			return caps->overrides[i].cost;
	return spec->cost;
}

enum field_cost kind_cost(const struct kind *kind, const char *path, const struct caps *caps)
{
	const struct field_spec *spec = kind_spec(kind, path);
	return spec ? kind_spec_cost(kind, spec, path, caps) : COST_METADATA;
}
