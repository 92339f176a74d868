/* A world in memory: a VIM and an EMS without a network behind them, that keep their contracts, count what is done to them, and fail
 * on demand. For tests, for dry runs, and as the shortest example of a driver.
 *
 * A world has a name; a site leads to it by its VIM's (and EMS's) endpoint, none meaning "default". All sites of one name in one
 * process are in the same world. Every function may be called by any thread.
 *
 * NFs run every command for ever; of "sh -c TEXT" they understand as much as a test needs: "echo", with ">&2", "exit", and a trap for
 * TERM that sleeps, which makes stopping slow.
 */
#pragma once

#include "contract/ems.h"
#include "contract/vim.h"
#include "model/network.h"

extern const struct vim_ops fake_vim_ops;
extern const struct ems_ops fake_ems_ops;

struct fake_world;

#define FAKE_WORLD_DEFAULT "default"

/* @name NULL: "default". A second world of one name is a bug (assert). */
struct fake_world *fake_world_new(const char *name);
void fake_world_free(struct fake_world *world); /* no driver handle may be open on it */
AUTO_DEFINE(fake_world, fake_world_free)

/* --- faults ------------------------------------------------------------------------------------------------------------------ */

enum fake_call {
	FAKE_OBSERVE,
	FAKE_ENSURE_LINK,
	FAKE_ENSURE_VNFC,
	FAKE_REMOVE,
	FAKE_OBSERVE_NF,
	FAKE_ENSURE_NF,
	FAKE_REMOVE_NF,
	FAKE_N_CALLS,
};

const char *fake_call_name(enum fake_call which);

enum fake_how {
	FAKE_BEFORE, /* fails, and nothing was done */
	FAKE_AFTER,  /* all was done, but it is reported as failed: a success that nobody saw */
	FAKE_HALF,   /* half was done, and it failed */
	FAKE_HANG,   /* does nothing until it is cancelled or its deadline passes */
};

struct fake_fault {
	enum fake_call call; /* FAKE_N_CALLS: any */
	const char *key;     /* NULL: any */
	unsigned nth;        /* the first matching call that is hit, from 1; 0 as 1 */
	unsigned times;      /* so many calls from there on; 0: for ever */
	enum fake_how how;
	enum pleach_error code;
	const char *text; /* NULL: "on demand" */
};

void fake_world_fault(struct fake_world *world, const struct fake_fault *fault);
void fake_world_heal(struct fake_world *world); /* takes all faults away */

/* Every call but observing fails with this probability (of 1,000), in any of the ways but FAKE_HANG; reproducible from @seed as far as
 * the order of calls is. 0: none. */
void fake_world_random_faults(struct fake_world *world, unsigned per_mille, guint32 seed);

/* Every call takes so long, in real time. */
void fake_world_set_latency(struct fake_world *world, gint64 latency_us);

/* --- watching ---------------------------------------------------------------------------------------------------------------- */

struct fake_event {
	enum fake_call call;
	bool ends; /* else it begins */
	bool good; /* with @ends */
	const char *site, *key, *operation; /* key and operation may be NULL */
	unsigned incarnation;
};

/* Called on the thread that makes the call, without any lock. */
void fake_world_set_hook(struct fake_world *world, void (*hook)(const struct fake_event *event, void *data), void *data);

struct fake_counts {
	size_t calls[FAKE_N_CALLS];
	size_t created, changed, removed; /* links, VNFCs and NFs */
	size_t twice;    /* an incarnation of a VNFC made that had been made before */
	size_t overlaps; /* two calls at once for one VNFC or link: the contract forbids it */
	size_t most_at_once;    /* calls under way on one site */
};

struct fake_counts fake_world_counts(struct fake_world *world);
void fake_world_reset_counts(struct fake_world *world);

/* Everything of @owner, one line each, sorted: "link/a.b 1", "vnfc/a.b.0 2", "nf/a.b.0", and what is half there. Owned by the caller
 * (g_ptr_array_unref). @keep: keys that may be there in one whole incarnation (NULL-terminated, or NULL); the rest is a leak. */
GPtrArray *fake_world_leaks(struct fake_world *world, const char *owner, const char *const *keep);

/* Copies in @arena; NULL where there is none. Of several incarnations the highest that runs, else the highest. */
const struct link *fake_world_link(struct fake_world *world, const char *site, const char *key, struct arena *arena);
const struct vnfc *fake_world_vnfc(struct fake_world *world, const char *site, const char *key, struct arena *arena);
const struct nf *fake_world_nf(struct fake_world *world, const char *site, const char *key, struct arena *arena);
size_t fake_world_incarnations(struct fake_world *world, const char *site, const char *key); /* how many of a VNFC are there */

/* What is there of @owner, as `pleach plan --observed` reads it (model/world.h), with @last as last applied. */
json_t *fake_world_to_json(struct fake_world *world, const char *owner, struct objects last);

/* --- what happens behind the operator's back --------------------------------------------------------------------------------- */

/* All are about the incarnation that fake_world_vnfc() tells of; false where it is not there. */
bool fake_world_kill_vnfc(struct fake_world *world, const char *site, const char *key, const char *exit);
bool fake_world_lose_vnfc(struct fake_world *world, const char *site, const char *key); /* all of it, without a trace */
bool fake_world_delete_cp(struct fake_world *world, const char *site, const char *key, const char *cp);
bool fake_world_set_address(struct fake_world *world, const char *site, const char *key, const char *cp, const char *address);
bool fake_world_set_mtu(struct fake_world *world, const char *site, const char *key, const char *cp, unsigned mtu); /* cp NULL: a link */
bool fake_world_set_memory(struct fake_world *world, const char *site, const char *key, gint64 mem_bytes);
bool fake_world_delete_link(struct fake_world *world, const char *site, const char *key); /* its CPs hang loose */
/* Of an NF's own files; @content NULL: deleted. */
bool fake_world_write_file(struct fake_world *world, const char *site, const char *nf_key, const char *path, const char *content);
char *fake_world_read_file(struct fake_world *world, const char *site, const char *nf_key, const char *path); /* owned by the caller */
bool fake_world_fail_nf(struct fake_world *world, const char *site, const char *nf_key, const char *reason);

/* Its health check fails, until it is started anew. */
bool fake_world_sicken_nf(struct fake_world *world, const char *site, const char *nf_key, const char *reason);

/* From now on an NF with this package does not become healthy: what was there before is put back, or it stays as it failed. */
void fake_world_refuse_package(struct fake_world *world, const char *digest, const char *reason);

/* From now on there is no such program in any VNFC: an NF that wants it fails to start. */
void fake_world_lack_program(struct fake_world *world, const char *program);

/* Something without our tag. @place: the key of ours that it stands in the way of, or NULL. */
void fake_world_add_stranger(struct fake_world *world, const char *site, const char *what, const char *place);
void fake_world_drop_strangers(struct fake_world *world);
