/* Inside observe: one look at the network, from the first call to a VIM to the finished `struct observed`.
 *
 *     for each site:   VIM's observe ─► kinds that the VIM tells about ─┐   (one job)
 *                                        NFs and the like, in chunks ◄──┘   (a job for each chunk)
 *     all landed:      look_assemble()                                       (one job)
 */
#pragma once

#include "exec/observe.h"
#include "model/key.h"

/* So many objects of a kind that lives inside another are asked about in one job: each is a request of its own, of a fraction of a
 * millisecond. Small enough that a thousand spread over the pool, large enough that the job costs nothing beside them. */
enum { LOOK_CHUNK = 32 };

struct site_look {
	struct look_run *run;
	const struct site *site;
	struct arena *arena;
	struct observation *vim; /* NULL: blind */
	char *reason;            /* why it is blind */
	GPtrArray *objects;      /* const struct object *: of all kinds that the VIM tells about, every incarnation */
	GPtrArray *unseen_kinds; /* const struct kind *: could not be seen although the VIM was */
	struct lookup lookup;    /* with the accesses that the VIM has just told */
	GHashTable *accesses;    /* key → const struct access * */
	GHashTable *current;     /* key → const struct object *: the incarnation that counts */
};

struct chunk {
	struct site_look *site;
	const struct kind_ops *kind;
	struct arena *arena;
	const char *const *keys; /* sorted */
	size_t n;
	GPtrArray *objects;
	bool unseen;
};

struct look_run {
	const struct observe_input *input;
	observe_done_fn done;
	void *data;
	bool inline_; /* on this thread */
	bool partial;
	GPtrArray *sites;  /* struct site_look *: those looked at */
	GPtrArray *chunks; /* struct chunk * */
	size_t outstanding;
	struct observed *observed;
};

/* The object that counts among several incarnations: the highest that runs, else the highest. */
bool look_is_better(const struct object *a, const struct object *than);

/* Is this key asked about itself? */
bool look_wants_key(const struct look_run *run, const char *key);

struct observed *look_assemble(const struct look_run *run);
