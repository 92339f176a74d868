/* Sets of objects: the desired network of one commit, the last applied one, the observed one. Immutable once built; reference
 * counted through their arena; any thread may read them.
 */
#pragma once

#include "model/access.h"
#include "model/drift.h"
#include "base/shelves.h"
#include "model/object.h"
#include "model/package.h"
#include "model/site.h"

/* Objects in memcmp order of their keys, each key once.
 *
 * Sets that follow one another share most of their objects, by reference: the next revision's network, what was applied a moment ago, the
 * next observation. So an object may have a *home*, the arena that it lives in (with others that it was born with, or alone); a set
 * keeps the homes of its objects (base/shelves.h), never the set before it. Where there are no homes, all live as long as the set. */
struct objects {
	const struct object *const *items;
	size_t n;
	struct arena *const *homes; /* as @items; or NULL */
	struct shelves *shelves;    /* of the homes: what the next set takes over; or NULL */
};

/* @arena keeps the homes from then on. @items sorted, keys unique; both arrays are copied. @former may be empty. */
struct objects objects_at_home(struct arena *arena, const struct object *const *items, struct arena *const *homes, size_t n,
			       struct objects former);
/* The home of the one at @i; @otherwise where there are none. */
struct arena *objects_home(struct objects objects, size_t i, struct arena *otherwise);

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
	const struct package *const *packages; /* sorted by digest: what the NFs name */
	size_t n_packages;
	const struct access_rule *access; /* who may do what to which object; n 0: everybody everything */
	size_t n_access;
	const struct drift_rule *drift; /* what is not put right, or told with another severity; n 0: all is put right */
	size_t n_drift;
	/* Keys that exist in this revision but could not be resolved because their descriptor is faulty: prefixes of keys
	 * ("edge." after the slash) that must not be taken for removed. Sorted. */
	const char *const *faulty_services;
	size_t n_faulty_services;
};

void network_unref(struct network *network); /* drops the arena */
AUTO_DEFINE(network, network_unref)
struct network *network_ref(struct network *network);
struct network *network_emptied(const struct network *network); /* its sites, and nothing on them */
const struct package *network_package(const struct network *network, const char *digest); /* NULL where there is none */
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
	struct arena *home;    /* where its texts are; NULL: with what it stands in */
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
	struct shelves *access_shelves; /* of their homes; or NULL */
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
