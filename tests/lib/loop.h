/* The whole loop in a test, without a daemon: desired networks by chance, the fake world, a store in memory that can die, and a clock
 * that jumps. observe → plan → exec, as often as it takes, with two threads for what blocks.
 */
#pragma once

#include "exec/exec.h"
#include "exec/observe.h"
#include "fake/world.h"

#include <pthread.h>

#define LOOP_OWNER "acme"
#define LOOP_WORLD "loop"

struct loop {
	struct fake_world *world;
	struct registry registry;
	struct lookup lookup;
	struct pool *pool;
	GRand *random;
	gint64 now_us, wall_us;
	GHashTable *vims, *emss; /* opened handles, by site (and name) */
	pthread_mutex_t handles_mutex;
	const struct network *network; /* the newest desired one: its sites are those that the lookup knows */

	struct exec *exec;
	struct observed *observed;
	struct plan *plan;

	/* the store */
	GHashTable *applied;    /* key → struct loop_applied * */
	GHashTable *operations; /* id → enum op_state + 1 */
	GPtrArray *pending;     /* of the open transaction */
	pthread_mutex_t store_mutex;
	bool in_transaction;
	size_t commits, records;
	size_t dies_at;         /* the commit (from 1) from which on nothing is written any more; 0: none */
	size_t refuses_acts_at; /* the commit after which the world is dead: written down, but never done */
	bool half_acts;         /* … and what it is asked for then is half done */
	bool dead;
	size_t act_violations;  /* acts that began before their PROCESSING was committed */

	unsigned max_parallel;
	bool replaces; /* the VIM cannot change memory in place: the next incarnation takes over */
	gint64 timeout_us;
	const char *(*held)(const char *key, struct arena *arena, void *data); /* @data: the loop; or NULL */
	size_t acts; /* loop_acts() */
	void (*on_act)(struct loop *loop, const struct fake_event *event, void *data); /* worker threads; or NULL */
	void (*on_progress)(struct loop *loop, const struct operation *operation, void *data);
	void *data;
};

struct loop *loop_new(guint32 seed);
void loop_free(struct loop *loop);
AUTO_DEFINE(loop, loop_free)

/* A network by chance: the same @seed gives the same names and wiring; each @revision changes, adds and takes away some of it.
 * @services: how many at most. */
struct network *loop_network(guint32 seed, unsigned revision, unsigned services);
struct network *loop_network_empty(void);

/* Building by hand. */
struct loop_builder {
	struct arena *arena;
	GPtrArray *objects;
	unsigned line;
};
void loop_builder_init(struct loop_builder *builder);
void loop_add_link(struct loop_builder *builder, const char *key, const char *site, const char *cidr, unsigned mtu);
/* @cps: "NAME=LINK KEY", NULL-terminated; @address: fixed for the first one, or NULL. */
void loop_add_vnfc(struct loop_builder *builder, const char *key, const char *site, gint64 mem_bytes, const char *address,
		   const char *const *cps);
/* @peer: the VNFC whose first address on @peer_cp its configuration wants, or NULL. */
void loop_add_nf(struct loop_builder *builder, const char *key, const char *site, const char *text, const char *peer, const char *peer_cp);
struct network *loop_build(struct loop_builder *builder, const char *revision);

struct objects loop_last(struct loop *loop, struct arena *arena);

/* One look at all; replaces loop->observed. */
void loop_observe(struct loop *loop, const struct network *network);
/* Replaces loop->plan. */
void loop_plan(struct loop *loop, const struct network *network);
/* Runs the plan to the end of its round; false where the journal died on the way. */
bool loop_round(struct loop *loop);
/* One exec_run(), and what was started is waited for. */
void loop_turn(struct loop *loop);
/* observe, plan, exec, until a plan is empty; false after @max_rounds, or when the journal died. */
bool loop_converge(struct loop *loop, const struct network *network, unsigned max_rounds);
/* The controller is killed and started again: nothing is left of it but what was written down. */
void loop_crash(struct loop *loop);

/* How many acts began until now. */
size_t loop_acts(struct loop *loop);

/* Fails the test where the world is not what @network says, or holds more. */
void loop_check(struct loop *loop, const struct network *network);
