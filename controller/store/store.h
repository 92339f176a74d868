/* What the controller remembers: revisions, what was last applied (field by field, with the commit that asked for it),
 * operations, events, drift. sqlite3, one file in the state folder; the network itself never depends on it (identity lives in the
 * VIMs).
 *
 * Owner thread only. Migrations go forward only, in one transaction, after a copy; a newer schema is refused.
 */
#pragma once

#include "model/network.h"
#include "model/sample.h"
#include "model/vib.h"
#include "plan/operation.h"

struct store;

/* Opens or makes STATE/pleach.db. INVALID: a newer schema; CONFLICT: another process holds the state folder ("pid 123"). */
struct store *store_open(const char *state_folder, GError **error);
void store_close(struct store *store);
AUTO_DEFINE(store, store_close)

/* Whose state this is, written into STATE/lock beside the pid, so that a second opener can be told. */
bool store_set_owner(struct store *store, const char *owner, GError **error);

/* How much of the past is kept, if nothing else is said; older rows are dropped now and then, in the transaction that adds one. */
enum {
	STORE_OPERATIONS_KEPT = 100000,
	STORE_EVENTS_KEPT = 100000,
	STORE_REVISIONS_KEPT = 10000,
	STORE_KEPT_MAX = 100 * 1000 * 1000,
	STORE_PRUNE_EVERY = 500,          /* rows added between two prunings: so many more may be there */
	STORE_TEXT_MAX_BYTES = 64 * 1024, /* of an error or an event; the rest is cut off */
	STORE_HOLDS_MAX = 1000,
};

/* How many rows of each are kept; 0: the default above. */
struct store_bounds {
	unsigned operations, events, revisions;
};
void store_set_bounds(struct store *store, const struct store_bounds *bounds);

/* One transaction: begin, any number of the two below (any other store_put_… too), commit (on disk when it returns). False when
 * nothing could be written. Outside of one each store_put_… is a transaction of its own that waits for no disk: it is there for
 * whoever opens the store next, and survives the loss of power from the next commit on, which takes it along (so it is on disk before
 * anything is done). What an earlier begin left open (because a put failed) is rolled back by the next. */
bool store_begin(struct store *store, GError **error);
bool store_commit(struct store *store, GError **error);
void store_rollback(struct store *store);
/* Carries the log over into the database, which takes a few writes to the disk: for a moment when nobody waits. */
void store_tidy(struct store *store);
bool store_put_operation(struct store *store, const struct operation *operation, GError **error);
/* @object: what is now applied under @key, each field with the commit that asked for it; NULL: the key is gone. */
bool store_put_applied(struct store *store, const char *key, const struct object *object, const char *revision, GError **error);

/* All that was last applied, in @arena: objects with the fields that were applied and their origins. */
bool store_last_applied(struct store *store, struct arena *arena, struct objects *ret, GError **error);

/* One field as last applied, with the commit that first asked for this value. */
struct store_field {
	const char *path;
	const struct value *value;
	struct origin origin;
	const char *revision;
};

/* Those of one key, in path order; empty where there is no record. */
bool store_applied_fields(struct store *store, struct arena *arena, const char *key, GArray *ret, GError **error);

/* Closes what was PROCESSING as CANCELLED "interrupted"; the keys concerned (owned by the caller). */
GPtrArray *store_interrupted(struct store *store, gint64 wall_us, GError **error);

/* Sites that last applied objects are on must outlive their description in Git. */
bool store_put_site(struct store *store, const struct site *site, GError **error);
bool store_sites(struct store *store, struct arena *arena, GPtrArray *ret, GError **error); /* const struct site * */
bool store_drop_site(struct store *store, const char *name, GError **error);

struct store_revision {
	gint64 wall_us;    /* when it entered its state */
	const char *commit, *summary;
	const char *state; /* "loading", "faulty", "applying", "converged", "held", "failed", "superseded"; read back, NULL: forgotten */
	const char *reason; /* or NULL */
	gint64 author_us, seen_us; /* when it was made, and first seen here; 0: not known */
	gint64 converged_us; /* when it had first converged; 0: not yet */
	/* Read back: its operations that completed; @repairs: those for drift, whatever they did. */
	gint64 creates, changes, replaces, removes, repairs;
};

bool store_put_revision(struct store *store, const struct store_revision *revision, GError **error); /* newest state */
bool store_revisions(struct store *store, struct arena *arena, size_t limit, GArray *ret, GError **error); /* newest first */
/* One of them, whole commit id; *@ret is all 0 where it is not known. */
bool store_revision(struct store *store, struct arena *arena, const char *commit, struct store_revision *ret, GError **error);
/* Counts @operation, which completed, with its revision. */
bool store_count_operation(struct store *store, const struct operation *operation, GError **error);

/* Keys, each with all that is below it ("vnfc/edge": "vnfc/edge.fw.vdu.0" too). Unused ones come last and are NULL; all NULL: everything. */
enum { STORE_SCOPE_MAX = 4 };
struct store_scope {
	const char *roots[STORE_SCOPE_MAX];
};

/* Those that did something to what is in @scope, newest first, with the counts of just that. */
bool store_revisions_of(struct store *store, struct arena *arena, const struct store_scope *scope, size_t limit, GArray *ret,
			GError **error);

/* Events: what was seen and done. In JSON, in filters and in the store by the names of EVENT_…; see docs/operations.md. */
#define EVENT_REVISION "revision"   /* state: seen, applying, converged, held, failed, faulty, superseded, refused */
#define EVENT_OPERATION "operation" /* state: PROCESSING, COMPLETED, … */
#define EVENT_DRIFT "drift"
#define EVENT_REPAIRED "repaired"
#define EVENT_ENDED "ended"         /* a process came to its end: of a VNFC, or of an NF that its EMS started again */
#define EVENT_SOURCE "source"       /* the repository, or what is followed in it, cannot be had, or can be again */
#define EVENT_BLIND "blind"         /* site/NAME cannot be looked at any more */
#define EVENT_BACK "back"
#define EVENT_SUSPENDED "suspended"
#define EVENT_RESUMED "resumed"
#define EVENT_EXPIRED "expired"
#define EVENT_APPROVED "approved"
#define EVENT_HELD "held"
#define EVENT_FAULT "fault"         /* of the fault monitor: what it saw, and what it has done about it */
#define EVENT_HEALED "healed"
#define EVENT_LIMIT "limit"         /* it is not cured any more, only reported */
#define EVENT_CURE "cure"
#define EVENT_THRESHOLD "threshold" /* of the performance monitor */

struct store_event {
	gint64 id, wall_us;
	const char *key, *kind, *revision, *text; /* key NULL: of no one object */
	struct origin origin;
	const char *state; /* or NULL */
	gint64 duration_us; /* 0: none */
};

bool store_put_event(struct store *store, const struct store_event *event, GError **error);
/* All or none, in one transaction that waits for no disk. */
bool store_put_events(struct store *store, const struct store_event *events, size_t n, GError **error);
/* Newest first; @key NULL: all; @kind NULL: all. */
bool store_events(struct store *store, struct arena *arena, const char *key, const char *kind, gint64 since_wall_us, size_t limit,
		  GArray *ret, GError **error);

struct store_query {
	struct store_scope scope;
	const char *kinds; /* ",drift,repaired,": commas around each; NULL: all */
	gint64 since_wall_us;
	gint64 after_id;   /* -1: newest first; else those with greater ids, oldest first */
	size_t limit;
};
bool store_query(struct store *store, struct arena *arena, const struct store_query *query, GArray *ret, GError **error);

/* @added is called when events can be read that could not be before: cheap, and it must not use the store. */
void store_watch_events(struct store *store, void (*added)(void *data), void *data);

/* What the operator holds, by target: "**" (all), "site/NAME", a key, the beginning of one, or a pattern. */
struct store_hold {
	const char *target, *who, *reason;
	gint64 since_us, until_us; /* until 0: until it is taken away */
};

bool store_put_hold(struct store *store, const struct store_hold *hold, GError **error); /* INVALID: more than STORE_HOLDS_MAX */
bool store_drop_hold(struct store *store, const char *target, GError **error);
bool store_holds(struct store *store, struct arena *arena, GArray *ret, GError **error); /* by target */

/* Is it about @key, which is on @site (NULL: not known)? What is held holds what is part of it: a VNF its VNFCs, a VNFC its NF. */
bool store_hold_is_about(const struct store_hold *hold, const char *key, const char *site);

bool store_put_approval(struct store *store, const char *revision, const char *who, gint64 wall_us, GError **error);
/* *@ret_who is NULL where nobody approved it. */
bool store_approval(struct store *store, struct arena *arena, const char *revision, const char **ret_who, GError **error);

/* Operations of a key, newest first. struct operation without its step. */
bool store_operations(struct store *store, struct arena *arena, const char *key, size_t limit, GArray *ret, GError **error);
/* Those that failed for good and were the last ones of their keys: what must not be tried again until something changes. */
bool store_failed(struct store *store, struct arena *arena, GArray *ret, GError **error);

/* --- the EMS: its VIB, cures and samples -------------------------------------------------------------------------------- */

enum {
	STORE_CURES_KEPT_S = 2 * 60 * 60,
	STORE_SAMPLES_KEPT = 250000, /* of all NFs together; of one, those of an hour */
	STORE_SAMPLE_MAX_BYTES = 256 * 1024,
};

bool store_put_vib(struct store *store, const struct vib_entry *entry, GError **error);
bool store_drop_vib(struct store *store, const char *key, GError **error); /* its samples too */
bool store_vib(struct store *store, struct arena *arena, GArray *ret, GError **error); /* struct vib_entry, by key */

/* One that is there already (by id) stays as it is. */
bool store_put_cure(struct store *store, const struct cure *cure, GError **error);
bool store_cures(struct store *store, struct arena *arena, gint64 since_wall_us, GArray *ret, GError **error); /* struct cure */

struct store_sample {
	const char *key;
	const struct sample *sample;
};

/* All in one transaction that waits for no disk; those before @before_wall_us make room. Not while another transaction is open. */
bool store_put_samples(struct store *store, const struct store_sample *samples, size_t n, gint64 before_wall_us, GError **error);
/* Newest first: const struct sample *. */
bool store_samples(struct store *store, struct arena *arena, const char *key, gint64 since_wall_us, size_t limit, GPtrArray *ret,
		   GError **error);
