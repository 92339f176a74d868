/* What vim/local and pleach-keeper say to each other, over the unix stream socket FOLDER/keeper.sock.
 *
 * A message is four bytes of length (big-endian, of what follows), then one JSON object. Descriptors travel with its first byte
 * (SCM_RIGHTS). A client sends one request at a time and reads one reply; after "watch" the connection carries events until it is
 * closed. Closing a connection gives up its request: a command that "exec" runs is killed, all else is carried to its end.
 *
 *     request  {"v": 1, "op": "ensure-vnfc", "left_ms": 5000, …}
 *     reply    {"v": 1, "ok": true, …} or {"v": 1, "ok": false, "code": "conflict", "text": "…"}
 *     event    {"v": 1, "event": "changed", "keys": ["vnfc/…"]}      no keys: anything may have
 *
 * Everything is bounded and checked on both sides: what is wrong is refused whole (INVALID), never read in part. Any thread.
 *
 * What the keeper gives a VNFC's first process (pleach-leaf --listen-fd 3):
 *     descriptor 0         /dev/null
 *     descriptor 1, 2      a pipe that never blocks, 64 KiB; read when the process has ended, for its last words
 *     descriptor 3         a unix stream socket that listens already (FOLDER/N.sock on the host)
 *     descriptor 4         the write end of a pipe that never blocks: one byte 'R' says "I serve", the end without it that it failed; from
 *                          then on it is a doorbell: a byte '!' says that state or health of the network function changed, and clients
 *                          are told to look again at this VNFC
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum {
	KEEPER_VERSION = 1,
	KEEPER_REQUEST_MAX_BYTES = 1024 * 1024,
	KEEPER_REPLY_MAX_BYTES = 256 * 1024 * 1024,
	KEEPER_HEADER_BYTES = 4,
	KEEPER_FDS_MAX = 3,
	KEEPER_CPS_MAX = 64,
	KEEPER_ADDRESSES_MAX = 16,
	KEEPER_POOLS_MAX = 64,
	KEEPER_LABELS_MAX = 64,
	KEEPER_ARGV_MAX = 1024,
	KEEPER_TEXT_MAX = 4096, /* bytes of any one text but those of a command */
	KEEPER_KEY_MAX = 512,
	KEEPER_CP_NAME_MAX = 64,
	KEEPER_LEAF_LISTEN_FD = 3,
	KEEPER_LEAF_READY_FD = 4,
};

#define KEEPER_SOCKET_NAME "keeper.sock"
#define KEEPER_SITE_NAME "site.json"
#define KEEPER_LOG_NAME "keeper.log"

enum keeper_op {
	KEEPER_STATUS,
	KEEPER_OBSERVE,
	KEEPER_ENSURE_LINK,
	KEEPER_ENSURE_VNFC,
	KEEPER_REMOVE,
	KEEPER_CLEAN,   /* everything; then the keeper ends */
	KEEPER_EXEC,    /* three descriptors; the reply comes when the command has ended */
	KEEPER_CONNECT, /* the reply carries one descriptor */
	KEEPER_WATCH,
	KEEPER_N_OPS,
};

const char *keeper_op_name(enum keeper_op op);

struct keeper_strings {
	const char *const *items;
	size_t n;
};

struct keeper_link {
	const char *key;
	unsigned incarnation;
	const char *cidr; /* or NULL */
	struct keeper_strings pools;
	unsigned mtu;
	const char *gateway; /* or NULL */
	const char *network; /* the host's interface or bridge that it is attached to; observed: when it is; or NULL */
	unsigned vlan;       /* 0: none */
	bool up;
	const char *device; /* observed; or NULL */
};

struct keeper_cp {
	const char *name;
	const char *link; /* key; observed: NULL when it is plugged into none */
	unsigned order, mtu;
	const char *cidr; /* or NULL */
	struct keeper_strings pools, addresses, prefer;
	const char *mac; /* or NULL: the keeper's choice */
	bool up;
	const char *port; /* observed: the kernel's name in the VNFC; or NULL */
};

enum keeper_state { KEEPER_RUNNING, KEEPER_STOPPED, KEEPER_FAILED };

struct keeper_label {
	const char *name, *text;
};

struct keeper_vnfc {
	const char *key;
	unsigned incarnation;
	gint64 vcpus, mem_bytes, pids; /* 0: not limited; observed -1: cannot be limited here */
	const char *hostname;          /* or NULL */
	const struct keeper_label *labels;
	size_t n_labels;
	const struct keeper_cp *cps;
	size_t n_cps;
	/* observed */
	enum keeper_state state;
	gint64 pid;
	const char *exit;   /* or NULL */
	const char *socket; /* name of the leaf's socket in the folder; NULL once it has ended */
};

struct keeper_request {
	enum keeper_op op;
	gint64 left_ms; /* the caller's deadline from now */
	struct keeper_link link;  /* ensure-link */
	struct keeper_vnfc vnfc;  /* ensure-vnfc */
	const char *key;          /* remove, exec, connect */
	unsigned incarnation;     /* remove */
	struct keeper_strings argv; /* exec */
	const char *term;         /* exec: $TERM of the caller, or NULL */
	const char *host;         /* connect */
	unsigned port;
};

struct keeper_stranger {
	const char *what;
	const char *owner; /* or NULL */
};

struct keeper_reply {
	bool ok;
	enum pleach_error code; /* when not ok */
	const char *text;
	/* status */
	const char *owner, *site;
	gint64 pid, n_links, n_vnfcs;
	struct keeper_strings findings; /* what this machine does not offer: "cgroups: …", "ids: …" */
	/* observe; ensure-link and ensure-vnfc: the one concerned */
	const struct keeper_link *links;
	size_t n_link_items;
	const struct keeper_vnfc *vnfcs;
	size_t n_vnfc_items;
	const struct keeper_stranger *strangers;
	size_t n_strangers;
	int status; /* exec, as a shell has it */
};

struct keeper_event {
	struct keeper_strings keys;
};

/* Texts of one message, without its header. Owned by the caller. */
char *keeper_request_text(const struct keeper_request *request);
char *keeper_reply_text(const struct keeper_reply *reply);
char *keeper_event_text(const struct keeper_event *event);

/* The inverse; everything lands in @arena. INVALID on anything that is not as above. */
bool keeper_request_parse(struct arena *arena, const char *text, size_t length, struct keeper_request *ret, GError **error);
bool keeper_reply_parse(struct arena *arena, const char *text, size_t length, struct keeper_reply *ret, GError **error);
bool keeper_event_parse(struct arena *arena, const char *text, size_t length, struct keeper_event *ret, GError **error);

/* The four bytes before a message. */
void keeper_header_put(unsigned char header[KEEPER_HEADER_BYTES], size_t length);
size_t keeper_header_get(const unsigned char header[KEEPER_HEADER_BYTES]);

/* Name of a site's runtime folder: the first 12 hex digits of sha256("OWNER/SITE"). Owned by the caller. */
char *keeper_folder_name(const char *owner, const char *site);

/* Who keeps @folder, however little is left of it: a keeper also listens on a name that no deletion of files takes from it, as long
 * as it lives. Nothing is said there; the kernel tells who listens. */
int keeper_hold(const char *folder);       /* a listening descriptor; -1: another process has the name */
void keeper_hold_empty(int fd);            /* now and then: lets go of those who asked */
gint64 keeper_holder(const char *folder);  /* pid of this user's process that holds it; 0: none */
