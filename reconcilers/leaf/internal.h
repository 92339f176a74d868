/* Within leaf/ only: the supervisor's parts. Each file has its own piece of the struct, and changes only that.
 *
 *     supervisor.c   what is wanted, what is: requests in, status out
 *     change.c       from one to the other, step by step: change_run()
 *     steps.c        which steps a change takes, and what each does
 *     software.c     the one process of an NF that has one: started, ended, started again
 *     health.c       whether it answers
 *     strays.c       processes that lost their parents
 *     handover.c     all of it to the program that goes on after us
 */
#pragma once

#include "leaf/operation.h"
#include "leaf/packages.h"
#include "leaf/probe.h"
#include "leaf/supervisor.h"

#include <sys/types.h>

/* A desired NF as it came. */
struct want {
	struct arena *arena; /* holds @nf; NULL: there is none */
	const struct leaf_nf *nf;
	char *digest;        /* of the document */
};

void want_set(struct want *want, const struct want *from); /* NULL: none */

struct software {
	pid_t pid;          /* 0: no process */
	gint64 started_us;
	bool held;          /* a change has it stopped */
	bool told_to_end;
	gint64 kill_us;     /* when SIGTERM will not have been enough */
	gint64 start_us;    /* not started before */
	unsigned failures;  /* in a row */
	gint64 restarts;
	char *reason;       /* of the last failure, or NULL */
};

enum asking { ASKING_NOTHING, ASKING_PORT, ASKING_STATUS, ASKING_STATE };

struct health {
	enum leaf_health now;
	enum asking asking;
	unsigned failures;  /* in a row */
	gint64 grace_until_us, next_us, state_next_us, quick_us;
	char *words;        /* why it is not healthy */
	enum leaf_state said; /* of an NF without a process: STARTED, STOPPED or FAILED */
};

enum step {
	STEP_STOP_PROCESS, STEP_STOP, STEP_STOPPED, STEP_CREATE, STEP_STAGE, STEP_CHECK, STEP_SWAP, STEP_CONFIGURE, STEP_RELOAD, STEP_START,
	STEP_START_PROCESS, STEP_HEALTHY, STEP_DELETE, STEP_FORGET,
};

enum { STEPS_MAX = 16, LSB_STOPPED = 3 /* what the operation status says then */ };

struct change {
	gint64 id;          /* 0: none is under way */
	struct want from, to; /* from: NULL where nothing that works was there; to: NULL where it is to go */
	enum step steps[STEPS_MAX];
	size_t n, at;
	bool entered;       /* the step at @at has begun */
	bool taking_back;
	bool cancelled;
	bool same;          /* the same document as before */
	bool renews;        /* other files, package or command: to be taken back when it fails */
	bool repackaged;
	bool touched;       /* something was changed */
	bool created, told; /* the operation create was begun; the software was told of the change */
	gint64 since_us, next_us; /* the step began; it is to be looked at again (-1: when something happens) */
	pid_t pid;          /* that is to become healthy */
	/* the first failure */
	enum step failed;
	int exit_status;
	char *words;
	bool may_pass;
};

/* What a reader may wait for. */
struct signature {
	enum leaf_state state;
	enum leaf_health health;
	gint64 pid, restarts, change, result;
	size_t at;
	const struct leaf_nf *nf;
};

struct supervisor {
	gint64 born_us;
	char *folder, *new_folder;
	struct output *output;
	int pipe[2]; /* one for all starts: what survives a start that ended still has somewhere to write */
	int bell_fd; /* -1: nobody listens */
	char salt[65];
	struct operation *operation;
	struct packages *packages;
	struct probe *probe;
	GHashTable *strays; /* pid → enum stray */

	struct want now;
	bool installed;   /* a change to it came to its end */
	char *failure;    /* of a change that left it broken; or NULL */
	bool deleting, ending_all;
	struct software software;
	struct health health;
	struct change change;
	struct leaf_result result; /* its texts are owned */
	gint64 last_id, seq;
	struct signature seen;
};

static inline gint64 ms(gint64 milliseconds)
{
	return milliseconds * 1000;
}

static inline gint64 sooner(gint64 a, gint64 b)
{
	return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

/* --- software.c ------------------------------------------------------------------------------------------------------------- */
bool software_is_wanted(const struct supervisor *supervisor);
void software_run(struct supervisor *supervisor, gint64 now_us);
void software_ended(struct supervisor *supervisor, int status, gint64 now_us);
void software_end_soon(struct supervisor *supervisor, gint64 now_us);
void software_renew(struct supervisor *supervisor, gint64 now_us); /* it counts as new: tried at once, its failures forgotten */
bool software_has_settled(const struct supervisor *supervisor, gint64 now_us);
gint64 software_next_us(const struct supervisor *supervisor, gint64 now_us);

/* --- health.c --------------------------------------------------------------------------------------------------------------- */
void health_begin(struct supervisor *supervisor, gint64 now_us); /* it was started, or told of a change: its grace begins */
void health_end(struct supervisor *supervisor);                  /* nothing is asked any more */
void health_process_ended(struct supervisor *supervisor);
void health_run(struct supervisor *supervisor, gint64 now_us);
gint64 health_next_us(const struct supervisor *supervisor);
struct leaf_health_check health_check_of(const struct leaf_nf *nf); /* also where it names none, but has an operation status */
bool health_is_state(const struct leaf_nf *nf); /* its state is what its operation status says */

/* --- strays.c --------------------------------------------------------------------------------------------------------------- */
void strays_before_operation(struct supervisor *supervisor);
void strays_after_operation(struct supervisor *supervisor, bool good); /* those of one that failed are ended */
void strays_after_software(struct supervisor *supervisor);             /* those that it left are ended */
void strays_end_all(struct supervisor *supervisor);

/* --- steps.c ---------------------------------------------------------------------------------------------------------------- */
enum verdict { VERDICT_WAIT, VERDICT_GOOD, VERDICT_BAD };
const char *step_name(enum step step);
void steps_towards(struct supervisor *supervisor, gint64 now_us); /* of supervisor->change, from its from and to */
void steps_back(struct supervisor *supervisor, gint64 now_us);
void steps_away(struct supervisor *supervisor);
enum verdict step_enter(struct supervisor *supervisor, enum step step, gint64 now_us);
enum verdict step_look(struct supervisor *supervisor, enum step step, gint64 now_us);

/* --- change.c --------------------------------------------------------------------------------------------------------------- */
void change_begin(struct supervisor *supervisor, const struct want *to, gint64 now_us); /* NULL: it is to go */
bool change_is_on(const struct supervisor *supervisor);
bool change_lets_ask(const struct supervisor *supervisor); /* health may be looked at */
void change_run(struct supervisor *supervisor, gint64 now_us);
void change_fault(struct supervisor *supervisor, int exit_status, const char *words, bool may_pass); /* of the step at hand */
void change_clear(struct change *change);

/* --- supervisor.c ----------------------------------------------------------------------------------------------------------- */
enum leaf_state state_now(const struct supervisor *supervisor, gint64 now_us);
const struct leaf_file *file_at(const struct leaf_nf *nf, const char *path);
