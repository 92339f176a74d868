/* pleach-keeper: one small process per site of the local VIM. Owns the site's user and network namespace, its links and its
 * VNFCs.
 *
 *     vim/local ──requests──► server ─► handle ─► links, vnfcs ─► spawn, netlink, control groups
 *                                                    ▲
 *                                   mirrors, SIGCHLD ┘──► watchers ("look again")
 *
 * One thread, one epoll loop. The books (here) say what was asked for; what is comes from the kernel: from the mirrors of the
 * site's and of every VNFC's network namespace, and from the control groups' files. A request is carried out at once; those that
 * must wait for something (a leaf that begins to serve, a process that ends) leave a job behind.
 *
 * The namespaces live as long as this process. It ends when it is told to (clean, SIGTERM: every VNFC with it) or when it has
 * been empty and without a client for a second. When it is killed, its VNFCs die with it (PR_SET_PDEATHSIG), and the guard, the
 * process that started it, takes the runtime folder and the control groups away.
 */
#pragma once

#include "keeper/cgroup.h"
#include "keeper/loop.h"
#include "keeper/names.h"
#include "keeper/root.h"
#include "keeper/spawn.h"
#include "keeperproto/keeperproto.h"

enum {
	KEEPER_IDLE_MS = 1000,
	KEEPER_GRACE_MS = 3000,        /* between SIGTERM and SIGKILL */
	KEEPER_LAST_GRACE_MS = 2000,   /* the same when the keeper itself is asked to end */
	KEEPER_START_MS = 20000,       /* for a leaf to begin to serve */
	KEEPER_DEBOUNCE_MS = 3,
	KEEPER_BELL_MS = 50,           /* between two rings of one leaf's doorbell that are heard */
	KEEPER_DOORS_MS = 1000,        /* between two looks whether the names of our sockets are still there */
	KEEPER_SPARE_MS = 10,          /* after a VNFC, until the next one's socket is made */
	KEEPER_CLIENTS_MAX = 256,
	KEEPER_TMPFS_BYTES = 256 * 1024 * 1024,
	KEEPER_FIRST_INDEX = 1000,     /* of interfaces in the site's namespace: away from what others make */
	KEEPER_PORT_FIRST_INDEX = 100, /* the same in a VNFC's */
	KEEPER_HOSTNAME_MAX = 64,
	KEEPER_WORDS_MAX = 1024, /* of a leaf's last words */
};

struct keeper;
struct client;
struct vnfc;

/* A request under way. Its client may have gone. */
struct job {
	struct keeper *keeper;
	struct client *client; /* NULL: nobody waits for the reply any more */
	struct arena *arena;
	struct keeper_request request;
	int fds[KEEPER_FDS_MAX];
	size_t n_fds;
	struct loop_timer *deadline;
	void (*give_up)(struct job *job, bool is_timeout); /* the deadline passed or the client went; NULL: let it be */
	void *data;
};

struct link {
	struct arena *arena;
	struct keeper_link want;
	name_text name;
	unsigned index; /* of the bridge; 0: never made */
	unsigned uplink;  /* index of the site's end of its way out; 0: none */
	char *uplink_of;  /* the network and VLAN that it leads to */
};

/* A connection point's pair of interfaces. */
struct port {
	struct vnfc *vnfc;
	char *cp;
	char *link; /* key that it was last plugged into */
	name_text host_name, name;
	unsigned host_index, index;
};

/*      create                R on the pipe
 *   ───────────► STARTING ─────────────────► RUNNING
 *                   │                           │
 *                   │ it ended: nothing stays   │ the first process ended
 *                   ▼                           ▼
 *                 (gone) ◄──── remove ──────  ENDED
 *
 * remove, from STARTING or RUNNING: ENDING (asked to end, then killed), then gone. */
enum vnfc_phase { VNFC_STARTING, VNFC_RUNNING, VNFC_ENDED, VNFC_ENDING };

struct vnfc {
	struct keeper *keeper;
	struct arena *arena;
	struct keeper_vnfc want; /* with every address and MAC fixed */
	char *id;                /* "KEY INCARNATION" */
	unsigned number;         /* of its socket and its control group */
	char name[16];           /* the number as text */
	enum vnfc_phase phase;
	pid_t pid;
	char *exit; /* why it ended */
	bool clean_exit;
	bool ipv6;
	struct nl_mirror *mirror; /* of its network namespace; NULL once it has ended */
	struct loop_source *mirror_source;
	int door_fd;  /* its socket's file, whether it still has a name or not; -1: none */
	int ready_fd; /* its leaf's doorbell (keeperproto.h); -1: nothing more to come */
	struct loop_timer *deaf; /* the doorbell is not heard meanwhile */
	struct loop_source *ready_source;
	int words_fd; /* what the leaf says on its standard error, read when it has ended */
	struct loop_timer *grace;
	GPtrArray *ports;    /* struct port * */
	GPtrArray *starters; /* struct job *: wait until it serves */
	GPtrArray *removers; /* struct job *: wait until it is gone */
};

struct keeper {
	char *owner, *site;
	struct loop *loop;
	struct cgroups *cgroups;
	struct seeds *seeds;
	GPtrArray *findings; /* char * */
	int leaf_fd, log_fd, netns_fd;
	struct rlimit nofile; /* as it was before we raised it */
	struct nl_mirror *mirror; /* of the site's network namespace */
	struct nl *nl;
	unsigned next_index, next_number;
	GHashTable *links;     /* key → struct link * */
	GHashTable *vnfcs;     /* id → struct vnfc * */
	GHashTable *by_pid;    /* pid → struct vnfc * */
	GHashTable *by_host;   /* index of a host end → struct port * */
	GHashTable *by_bridge; /* index of a bridge, or of a way out → struct link * */
	GHashTable *commands;  /* pid → struct job * of an exec */
	GHashTable *changed;   /* keys to tell watchers of */
	bool changed_all;
	struct loop_timer *tell, *idle;
	/* the link or VNFC that we change ourselves now: what happens to it is no news. ACTING_ALL: everything */
	const void *acting;
	int listen_fd, signal_fd;
	struct loop_source *listen_source;
	int guard_fd; /* the guard sends a new runtime folder through it; -1: none */
	int uplink_fd; /* the guard answers outside.h's requests on it; -1: nobody does */
	int hold_fd;  /* keeper_hold() */
	bool doors_missing; /* a name could not be made again */
	gint64 doors_seen_us; /* the folder's time of change when the names were last looked for */
	int spare_fd; /* listens as the next VNFC's leaf already; -1: none */
	int spare_door_fd; /* its door_fd */
	struct loop_timer *spare_timer;
	GPtrArray *clients;
	struct job *cleaner; /* who asked us to end, or NULL */
	bool ending, over;
};

extern const char acting_all;

/* --- keeper.c: the whole ---------------------------------------------------------------------------------------------------- */
struct keeper *keeper_new(const char *owner, const char *site, GError **error);
void keeper_free(struct keeper *keeper);
AUTO_DEFINE(keeper, keeper_free)
bool keeper_run(struct keeper *keeper, GError **error); /* until it is over */
void keeper_end(struct keeper *keeper, gint64 grace_ms); /* every VNFC and link away, then over */
void keeper_check_over(struct keeper *keeper);
bool keeper_is_empty(const struct keeper *keeper);
void keeper_changed(struct keeper *keeper, const char *key); /* watchers are told in a moment; NULL: anything */
bool keeper_refresh(struct keeper *keeper, GError **error); /* the site's mirror, up to now */

/* --- links.c ---------------------------------------------------------------------------------------------------------------- */
bool links_ensure(struct keeper *keeper, struct arena *arena, const struct keeper_link *want, GError **error);
bool links_remove(struct keeper *keeper, const char *key, GError **error);
void links_remove_all(struct keeper *keeper); /* out of the books */
/* The bridges themselves, one by one. They would go with the network namespace too, but that way the kernel waits for all processors
 * once for each of them while it lets nobody on this machine change any network: seconds, with hundreds of bridges. */
void links_take_down(struct keeper *keeper);
/* The bridge of @key, made anew when somebody deleted it; 0 and NOT_FOUND when there is no such link. */
unsigned link_bridge(struct keeper *keeper, const char *key, GError **error);
struct link *link_of_bridge(struct keeper *keeper, unsigned index); /* NULL: not one of ours */
void link_observe(struct keeper *keeper, const struct link *link, struct keeper_link *ret);
void link_free(struct link *link);
/* Is @seen ours, by its alias? */
bool is_ours(const struct keeper *keeper, const struct nl_link *seen);

/* --- uplinks.c: a link's way out, to a network of the host -------------------------------------------------------------------- */
bool uplink_ensure(struct keeper *keeper, struct link *link, GError **error); /* as the link wants it; none, when it wants none */
bool uplink_remove(struct keeper *keeper, struct link *link, GError **error);
bool uplink_stands(struct keeper *keeper, const struct link *link); /* both ends */

/* --- ports.c ---------------------------------------------------------------------------------------------------------------- */
bool ports_ensure(struct vnfc *vnfc, GError **error); /* every connection point as wanted, no other */
void ports_free(struct vnfc *vnfc);
struct port *port_find(const struct vnfc *vnfc, const char *cp);
void port_observe(const struct vnfc *vnfc, struct arena *arena, const struct keeper_cp *want, struct keeper_cp *ret);

/* --- settle.c: what was left open in a request ------------------------------------------------------------------------------ */
bool vnfc_settle(struct keeper *keeper, struct arena *arena, struct keeper_vnfc *want, const struct vnfc *now, GError **error);

/* --- vnfcs.c ---------------------------------------------------------------------------------------------------------------- */
char *vnfc_id(const char *key, unsigned incarnation);
struct vnfc *vnfc_find(struct keeper *keeper, const char *key, unsigned incarnation); /* 0: the highest that runs, else any */
void vnfcs_ensure(struct keeper *keeper, struct job *job);
void vnfcs_remove(struct keeper *keeper, struct job *job);
void vnfc_end(struct vnfc *vnfc, gint64 grace_ms);
void vnfc_reaped(struct vnfc *vnfc, int status);
void vnfc_free(struct vnfc *vnfc);
void vnfc_observe(const struct vnfc *vnfc, struct arena *arena, struct keeper_vnfc *ret);

/* --- commands.c ------------------------------------------------------------------------------------------------------------- */
void commands_exec(struct keeper *keeper, struct job *job);
void commands_reaped(struct keeper *keeper, pid_t pid, int status);
void commands_connect(struct keeper *keeper, struct job *job);
int vnfc_netns(const struct vnfc *vnfc, GError **error); /* the caller closes it */

/* --- handle.c --------------------------------------------------------------------------------------------------------------- */
void handle_request(struct keeper *keeper, struct job *job);

/* --- server.c --------------------------------------------------------------------------------------------------------------- */
bool server_listen(struct keeper *keeper, GError **error); /* anew, too */
void server_free(struct keeper *keeper);
void server_tell(struct keeper *keeper, const struct keeper_event *event); /* every watcher */
bool server_flushed(const struct keeper *keeper);
void job_watch(struct job *job); /* its connection carries events from now on */
void job_reply(struct job *job, const struct keeper_reply *reply, int fd); /* frees @job; @fd -1: none; it stays the caller's */
void job_fail(struct job *job, GError *error);                              /* frees @job, takes @error */

/* --- doors.c: the names in the runtime folder, made again when somebody deleted them ----------------------------------------- */
void doors_watch(struct keeper *keeper);  /* from now on */
int door_hold(const char *path);          /* the file of a socket, to be found without its name too */

/* --- start.c: the first steps of the process -------------------------------------------------------------------------------- */
struct start {
	const char *runtime, *owner, *site, *leaf;
};
int keeper_start(const struct start *start); /* exit status */

/* --- note.c: the keeper's log, a bounded file in its folder ----------------------------------------------------------------- */
void note(struct keeper *keeper, const char *format, ...) G_GNUC_PRINTF(2, 3);
