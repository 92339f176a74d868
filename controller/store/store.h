/* What the controller remembers: revisions, what was last applied (field by field, with the commit that asked for it),
 * operations, events, drift. sqlite3, one file in the state folder; the network itself never depends on it (identity lives in the
 * VIMs).
 *
 * Owner thread only. Migrations go forward only, in one transaction, after a copy; a newer schema is refused.
 */
#pragma once

#include "model/network.h"
#include "plan/operation.h"

struct store;

/* Opens or makes STATE/pleach.db. INVALID: a newer schema; CONFLICT: another process holds the state folder ("pid 123"). */
struct store *store_open(const char *state_folder, GError **error);
void store_close(struct store *store);
AUTO_DEFINE(store, store_close)

/* Whose state this is, written into STATE/lock beside the pid, so that a second opener can be told. */
bool store_set_owner(struct store *store, const char *owner, GError **error);

/* How much of the past is kept; older rows are dropped now and then, in the transaction that adds one. */
enum {
	STORE_OPERATIONS_KEPT = 100000,
	STORE_EVENTS_KEPT = 100000,
	STORE_REVISIONS_KEPT = 10000,
	STORE_PRUNE_EVERY = 500,          /* rows added between two prunings: so many more may be there */
	STORE_TEXT_MAX_BYTES = 64 * 1024, /* of an error or an event; the rest is cut off */
};

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
	gint64 wall_us;
	const char *commit, *summary;
	const char *state; /* "loading", "faulty", "applying", "converged", "failed", "superseded" */
	const char *reason; /* or NULL */
};

bool store_put_revision(struct store *store, const struct store_revision *revision, GError **error); /* newest state */
bool store_revisions(struct store *store, struct arena *arena, size_t limit, GArray *ret, GError **error); /* newest first */

/* Events: what happened to an object. @kind: "drift", "repaired", "operation", "ended", … */
struct store_event {
	gint64 id, wall_us;
	const char *key, *kind, *revision, *text;
	struct origin origin;
};

bool store_put_event(struct store *store, const struct store_event *event, GError **error);
/* Newest first; @key NULL: all; @kind NULL: all. */
bool store_events(struct store *store, struct arena *arena, const char *key, const char *kind, gint64 since_wall_us, size_t limit,
		  GArray *ret, GError **error);

/* Operations of a key, newest first. struct operation without its step. */
bool store_operations(struct store *store, struct arena *arena, const char *key, size_t limit, GArray *ret, GError **error);
