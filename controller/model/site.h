/* A site: a place where VNFs can be, and which drivers lead there. Described in Git (pleach.nodes.Site), never created. */
#pragma once

#include "base/origin.h"
#include "model/value.h"

/* Bounds on sites that are read from outside. */
enum { SITE_TEXT_MAX = 4096, SITE_EMS_MAX = 256 };

struct driver_ref {
	const char *name;     /* under which NFs pick it ("leaf"); for the VIM "vim" */
	const char *driver;   /* name in the registry: "local", "leaf", "ssh", … */
	const char *endpoint; /* URI or NULL */
	const char *credential; /* name of a secret or NULL */
	const struct value *options; /* MAP of strings */
	struct origin origin;
};

struct site {
	const char *name;
	const char *owner; /* the tag: from the site, else from --owner, else the hash of root commit, branch and sub-folder */
	struct driver_ref vim;
	const struct driver_ref *ems;
	size_t n_ems;
	const char *steering;
	gint64 capacity_vcpus, capacity_mem_bytes, capacity_vnfs; /* 0: not limited here */
	struct origin origin; /* not set: the implied site "local" */
};

const struct driver_ref *site_ems(const struct site *site, const char *name); /* NULL where there is none */
json_t *site_to_json(const struct site *site);
const struct site *site_from_json(struct arena *arena, const json_t *json, GError **error);
