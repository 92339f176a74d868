/* Inside fake/. */
#pragma once

#include "fake/world.h"

#include <pthread.h> /* not GMutex: ThreadSanitizer sees through these */
#include <stdint.h>

#define UNCONST(pointer) ((gpointer) (uintptr_t) (pointer))


struct fake_nf {
	struct arena *arena;
	struct nf nf; /* files with content and digests */
	const char *log;
	gint64 stop_us; /* it takes its time to stop */
};

/* A link, or one incarnation of a VNFC. */
struct thing {
	unsigned id;
	char *owner, *site, *key;
	struct arena *arena; /* of the model's struct; replaced whole at every change */
	struct link *link;   /* one of the two */
	struct vnfc *vnfc;
	struct fake_nf *nf;
	bool half;
};

struct stranger_thing {
	char *site, *what, *place;
};

struct fault {
	struct fake_fault fault;
	char *key, *text;
	unsigned seen;
};

struct fake_world {
	char *name;
	pthread_mutex_t mutex;
	GPtrArray *things;    /* struct thing * */
	GPtrArray *strangers; /* struct stranger_thing * */
	GPtrArray *faults;    /* struct fault * */
	GRand *random;        /* NULL: no random faults */
	unsigned per_mille;
	gint64 latency_us;
	void (*hook)(const struct fake_event *event, void *data);
	void *hook_data;
	struct fake_counts counts;
	GHashTable *made;  /* "SITE KEY INCARNATION": a VNFC that was made once */
	GHashTable *busy;  /* locks under way → count */
	GHashTable *at_once; /* site → calls under way */
	GHashTable *lacking; /* programs that are not there */
	GHashTable *refused; /* digest of a package → why it does not become healthy */
	GPtrArray *vims;   /* open handles (struct vim *), told of changes */
	unsigned next_id;
	gint64 next_pid;
	size_t handles;
};

/* world.c */
struct fake_world *fake_world_find(const char *endpoint, GError **error); /* takes a handle; fake_world_release() */
void fake_world_release(struct fake_world *world);
/* All below: under the mutex. */
struct thing *world_link(struct fake_world *world, const char *owner, const char *site, const char *key);
struct thing *world_vnfc(struct fake_world *world, const char *owner, const char *site, const char *key, unsigned incarnation);
struct thing *world_current(struct fake_world *world, const char *site, const char *key); /* of any owner */
struct thing *world_thing(struct fake_world *world, unsigned id);
struct thing *world_add(struct fake_world *world, const char *owner, const char *site, const char *key);
void world_drop(struct fake_world *world, struct thing *thing);
bool world_has_stranger_at(struct fake_world *world, const char *site, const char *key);
void world_changed(struct fake_world *world, const char *site, const char *key); /* vim.c: tells the open handles */
void thing_set_link(struct thing *thing, const struct link *link);
void thing_set_vnfc(struct thing *thing, const struct vnfc *vnfc);
void thing_set_nf(struct thing *thing, const struct nf *nf); /* NULL: none */
/* True when it is there as it was asked for, and runs. */
bool thing_is_alive(const struct thing *thing);

/* copy.c */
struct link *link_copy(struct arena *arena, const struct link *link);
struct vnfc *vnfc_copy(struct arena *arena, const struct vnfc *vnfc);
struct nf *nf_copy(struct arena *arena, const struct nf *nf);
/* What an EMS sees of files is what they hash to. */
const struct nf *nf_as_seen(struct arena *arena, const struct nf *nf);

/* fault.c: every call of a driver stands between the two */
struct passage {
	struct fake_world *world;
	struct fake_event event;
	char *lock;
	bool hit;
	enum fake_how how;
	enum pleach_error code;
	char *text;
};

bool passage_enter(struct passage *passage, struct fake_world *world, const struct call *call, struct fake_event event, GError **error);
/* @good, or false with the fault's error where the call was hit. */
bool passage_leave(struct passage *passage, bool good, GError **error);
bool passage_half(const struct passage *passage); /* do half of it */
/* Time that passes in the far side; false with TIMEOUT or CANCELLED where the call is over first. */
bool passage_spend(const struct call *call, gint64 us, GError **error);
void fault_free(gpointer data);

/* process.c */
struct process {
	bool ended;
	int status;
	char *log;       /* all that it wrote */
	char *last_word; /* its last line on standard error, or NULL */
	gint64 stop_us;
};

void process_run(struct process *process, const struct nf *nf);
void process_clear(struct process *process);

/* address.c: under the mutex */
/* The network that an interface with that address shows; NULL where it is none. */
char *network_text(struct arena *arena, const char *address, unsigned prefix);
/* Addresses and MACs for all connection points of @vnfc, which is going to be @thing's. */
bool world_allocate(struct fake_world *world, const struct thing *thing, struct arena *arena, struct vnfc *vnfc, GError **error);
