/* Inside exec/: one item for each step of the plan, one job for each act under way. Nothing here is for other folders. */
#pragma once

#include "exec/exec.h"
#include "exec/retry.h"
#include "model/key.h"

#include <pthread.h> /* not GMutex: ThreadSanitizer sees through these */
#include <stdint.h>

enum { DIGEST_SIZE = 65 };

/* GLib's containers hold gpointer; what we put there stays const for us. */
#define UNCONST(pointer) ((gpointer) (uintptr_t) (pointer))

/* Where a step is on its way. The operation's own state (plan/operation.h) is what is written down; this is what is still to be
 * done about it. */
enum item_place {
	ITEM_WAITING,  /* for the steps of its after list */
	ITEM_READY,    /* in its lane's queue */
	ITEM_LOCKED,   /* ready, but another operation works on the same VNFC */
	ITEM_SLEEPING, /* until its back-off is over */
	ITEM_PENDING,  /* a value of it is not known yet */
	ITEM_FLYING,   /* on the pool */
	ITEM_ENDED,    /* nothing more happens to it in this round */
};

struct item {
	const struct step *step;
	size_t index;
	enum item_place place;
	size_t waits; /* steps of its after list that have not completed */
	struct lane *lane;
	const char *lock; /* key that only one operation at a time may work on: the VNFC's for what lives inside it */
	struct operation operation;
	bool tried; /* @operation is set */
	unsigned tries; /* in this round */
	gint64 due_us; /* end of the back-off */
	struct item *next_locked;
	const char *waits_for; /* ITEM_PENDING: in words */
};

/* --- queue.c ---------------------------------------------------------------------------------------------------------------- */

typedef int (*item_order_fn)(const struct item *a, const struct item *b);

/* A binary heap: the first in order comes out first. */
struct queue {
	item_order_fn order;
	GPtrArray *items;
};

void queue_init(struct queue *queue, item_order_fn order);
void queue_clear(struct queue *queue);
void queue_push(struct queue *queue, struct item *item);
struct item *queue_first(const struct queue *queue); /* NULL when empty */
struct item *queue_pop(struct queue *queue);         /* NULL when empty */

/* Among the ready: removals first (they make room), then the order of the plan. */
int item_order_ready(const struct item *a, const struct item *b);
/* Among the sleeping: the first to wake, then the order of the plan. */
int item_order_due(const struct item *a, const struct item *b);

/* --- operation.c ------------------------------------------------------------------------------------------------------------ */

bool operation_may_become(enum op_state from, enum op_state to);

/* Moves on; a transition that the diagram does not have is a bug (assert). @code and @text stay the caller's. */
void operation_enter(struct operation *operation, enum op_state state, gint64 wall_us, const char *code, const char *text);

/* --- memory.c: failures by key, over rounds --------------------------------------------------------------------------------- */

struct memory {
	unsigned failures;
	gint64 due_us;
	bool for_good;                /* not again until a digest changes */
	bool closed;                  /* its operation was cancelled: the next try is another one */
	bool held;                    /* the plan holds its step: time alone does not bring the next try */
	char wanted[DIGEST_SIZE];     /* of what was to be done */
	char seen[DIGEST_SIZE];       /* of what was there */
	char *id, *revision, *text;
	const char *code;
	unsigned attempt;
	gint64 wall_us;
};

GHashTable *memories_new(void); /* key (with the incarnation, for leftovers) → struct memory */
struct memory *memory_get(GHashTable *memories, const struct step *step); /* NULL where there is none */
struct memory *memory_make(GHashTable *memories, const struct step *step); /* the one that is there, or a new one */
void memory_drop(GHashTable *memories, const struct step *step);
void memory_write(struct memory *memory, const struct operation *operation);
/* Forgets what no step of @plan is about, and marks what a held one is. */
void memories_keep(GHashTable *memories, const struct plan *plan);
void memories_forget(GHashTable *memories, const char *key); /* NULL: all */

/* Repairs that completed, one soon after the other. */
struct repair {
	unsigned count;
	gint64 done_us;           /* the last one */
	char wanted[DIGEST_SIZE]; /* of what the operator asks for, with nothing resolved */
};

GHashTable *repairs_new(void); /* key → struct repair; memories_forget() serves these too */
/* Those that @step, which is to start now, follows too soon; NULL: it is no repair, or one of those that are done at once. */
const struct repair *repairs_again(GHashTable *repairs, const struct plan *plan, const struct step *step, gint64 now_us);
/* How often the wait was earned: 0: @step is done at once; 1: the next would be the first that waits. */
unsigned repairs_too_many(const struct repair *repair, const struct step *step);
void repairs_count(GHashTable *repairs, const struct plan *plan, const struct step *step, gint64 now_us); /* it completed */
/* Forgets those that kept well, except of what waits in @memories. */
void repairs_age(GHashTable *repairs, GHashTable *memories, gint64 now_us);

/* --- the exec itself -------------------------------------------------------------------------------------------------------- */

struct exec_site {
	const char *name;
	unsigned flying, limit;
	GPtrArray *lanes; /* struct lane * */
};

/* One driver on one site: the VIM, or an EMS. */
struct lane {
	struct exec_site *site;
	const char *driver; /* NULL: the VIM; else the EMS's name */
	unsigned flying, limit;
	struct queue ready;
};

/* Something to be written down, and then told. */
struct outcome {
	struct operation operation;
	bool applies;                 /* @object is now applied (NULL: the key is gone) */
	const struct object *object;
};

struct job;

struct exec {
	struct exec_options options;
	struct lookup lookup; /* the given one, with the accesses that acts returned */
	int cancel_fd;
	GHashTable *memories, *repairs;
	guint64 last_number;

	/* of the current plan */
	struct plan *plan;
	struct observed *observed;
	struct arena *arena;
	struct item *items;
	size_t n_items;
	size_t *dependents, *dependents_from; /* CSR: those of i are dependents[dependents_from[i] … dependents_from[i + 1]) */
	GPtrArray *sites; /* struct exec_site * */
	struct queue sleeping;
	GPtrArray *pending; /* struct item * */
	GHashTable *locks; /* lock → the struct item that holds it */
	GHashTable *got; /* key → const struct object *, or &object_gone */
	GPtrArray *left; /* struct left *: later ones say more than earlier ones */
	pthread_mutex_t access_mutex;
	GHashTable *accesses; /* key → const struct access *; under the mutex: workers ask */
	GPtrArray *landed; /* struct job *: back from the pool, not looked at yet */
	GArray *outcomes; /* struct outcome */
	size_t counts[OP_CANCELLED + 1];
	size_t n_flying, n_ready;
	bool cancelled;
	bool dirty; /* exec_run() has something to do */
	bool journal_failed;
	unsigned journal_failures;
	gint64 journal_due_us;
};

extern const struct object object_gone;

/* What became of an incarnation that is no longer the object of its key. */
struct left {
	const char *key, *site;
	unsigned incarnation;
	bool there; /* a leftover now; else gone */
};

/* start.c: takes a plan apart into items, lanes and dependents, and lets it go again */
void exec_take_apart(struct exec *exec);
void exec_drop_plan(struct exec *exec);
struct lookup exec_lookup(struct exec *exec);
/* An expression's view: what acts returned, on top of what was observed. @data: the exec. */
const struct value *exec_value(const char *key, const char *path, void *data);

/* land.c: what becomes of an item */
void item_set_state(struct exec *exec, struct item *item, enum op_state state, const char *code, const char *text);
void item_starts(struct exec *exec, struct item *item);                        /* STARTING: a new operation or the next attempt */
void item_recall(struct exec *exec, struct item *item, const struct memory *memory, enum op_state state);
void item_make_ready(struct exec *exec, struct item *item);
void item_let_go(struct exec *exec, struct item *item); /* it is not flying any more: its lock and its places in the limits */
/* @want: what was to be (NULL: removed); with the step's observed it decides whether a later round tries again at once. */
void item_fails(struct exec *exec, struct item *item, const GError *error, const struct object *want, gint64 now_us);
/* A repair that came again too soon: fails for a time, without an act. */
void item_comes_again(struct exec *exec, struct item *item, const struct repair *repair, const struct object *want, gint64 now_us);
void exec_note(struct exec *exec, const struct item *item, bool applies, const struct object *object);
void exec_land(struct exec *exec, struct job *job, gint64 now_us);

/* job.c */
struct job {
	struct exec *exec;
	struct item *item;
	struct arena *arena; /* filled by the owner, then by the worker, then by the owner */
	const struct kind_ops *kind;
	struct call call;
	const struct object *remove_first; /* or NULL */
	const struct object *want, *last;
	enum act act;
	/* result */
	bool ok, removed_first;
	const struct object *got;
	const struct access *access;
	GError *error;
};

enum job_ready {
	JOB_READY,
	JOB_PENDING, /* a value is not known yet: *ret_text names it */
	JOB_FAULT,   /* @error */
};

/* What the item's step comes to with all values resolved. *@ret_job: owned by the caller, only with JOB_READY. */
enum job_ready job_make(struct exec *exec, struct item *item, struct job **ret_job, char **ret_text, GError **error);
void job_digest(const struct object *object, char digest[DIGEST_SIZE]); /* NULL: of nothing */
/* Of what was there. What lives inside another object says in words of its own how it fares, and says something else each time: that is left
 * out, else what was taken back would be tried again and again. */
void seen_digest(const struct object *object, char digest[DIGEST_SIZE]);
void job_free(struct job *job);
void job_work(void *data); /* worker */

/* The object as applied: what was wanted, and what was allocated; in @arena. */
const struct object *job_applied(struct arena *arena, const struct object *want, const struct object *got);

/* copy.c */
const struct access *access_copy(struct arena *arena, const struct access *access);
/* @accesses (in @ret's arena, by key, each with its home) become @ret's. @former may be NULL. */
void accesses_keep(struct observed *ret, const struct access *accesses, size_t n, const struct observed *former);
/* The same object under another incarnation; shares the fields. */
const struct object *object_with_incarnation(struct arena *arena, const struct object *object, unsigned incarnation);
