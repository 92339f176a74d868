/* Sets of objects: the desired network of one commit, the last applied one, the observed one. Immutable once built; reference
 * counted through their arena; any thread may read them.
 */
#pragma once

#include "model/object.h"
#include "model/site.h"

/* Objects in memcmp order of their keys, each key once. */
struct objects {
	const struct object *const *items;
	size_t n;
};

struct objects objects_sorted(struct arena *arena, const struct object *const *items, size_t n); /* asserts unique keys */
const struct object *objects_find(struct objects objects, const char *key); /* NULL where there is none */

/* What one revision asks for. */
struct network {
	struct arena *arena;  /* owns everything here */
	const char *revision; /* commit id in hex, or "working tree" */
	const char *owner;    /* tag of what we create */
	const struct site *const *sites; /* sorted by name */
	size_t n_sites;
	struct objects objects;
	/* Keys that exist in this revision but could not be resolved because their descriptor is faulty: prefixes of keys
	 * ("edge." after the slash) that must not be taken for removed. Sorted. */
	const char *const *faulty_services;
	size_t n_faulty_services;
};

void network_unref(struct network *network); /* drops the arena */
AUTO_DEFINE(network, network_unref)
struct network *network_ref(struct network *network);
struct network *network_emptied(const struct network *network); /* its sites, and nothing on them */
const struct site *network_site(const struct network *network, const char *name); /* NULL where there is none */

/* One thing on a VIM that does not carry our tag, or carries our tag without being anywhere in our plans. Reported, never
 * touched. */
struct stranger {
	const char *site;
	const char *what;  /* "bridge br0", "vnfc web (owner acme)": in the VIM's words */
	const char *owner; /* NULL: no tag */
};

/* A leftover of an earlier incarnation, still there beside the current one: to be removed. */
struct leftover {
	const char *key, *site;
	unsigned incarnation;
};

/* How to reach a VNFC, as its VIM tells. */
struct access {
	const char *key;       /* vnfc/… */
	const char *transport; /* "unix" (address is a socket's path), "tcp", "ssh" (HOST:PORT) */
	const char *address;
	const char *secret;    /* name of the secret that opens it, or NULL */
};

/* What is. Sites that could not be looked at are listed; every field of their objects is UNKNOWN. */
struct observed {
	struct arena *arena;
	gint64 wall_us; /* when the look began */
	struct objects objects;
	const struct stranger *strangers;
	size_t n_strangers;
	const struct leftover *leftovers;
	size_t n_leftovers;
	const struct access *accesses; /* sorted by key */
	size_t n_accesses;
	struct {
		const char *const *sites; /* sorted */
		const char *const *reasons;
		size_t n;
	} blind;
};

struct observed *observed_ref(struct observed *observed);
void observed_unref(struct observed *observed);
AUTO_DEFINE(observed, observed_unref)
const struct access *observed_access(const struct observed *observed, const char *vnfc_key);
bool observed_is_blind(const struct observed *observed, const char *site);
