/* What the controller's leaf driver and pleach-leaf say to each other: JSON documents over HTTP (schemas/leaf.openapi.yaml).
 *
 *     PUT /v1/nf        struct leaf_nf, the whole desired NF      ─► struct leaf_status
 *     DELETE /v1/nf?key=KEY                                       ─► struct leaf_status
 *     POST /v1/nf/cancel?id=ID                                    ─► struct leaf_status
 *     GET /v1/status[?wait_ms=N&after=SEQ]                        ─► struct leaf_status, when its seq is past SEQ or N ms are over
 *     PUT /v1/packages/DIGEST/file?path=P&mode=M   bytes          ─► nothing
 *     POST /v1/packages/DIGEST                                    ─► nothing: it is whole and verified
 *     GET /v1/nf/log[?lines=N&follow=true]                        ─► text
 *     GET /v1/metrics                                             ─► struct leaf_metrics
 *     POST /v1/upgrade  a program                                 ─► nothing: the leaf goes on as that program
 *     anything refused                                            ─► struct leaf_refusal, with an HTTP status of 400 or above
 *
 * A leaf says its version in every status, and takes documents of every version since 1. What an older one cannot keep is not sent to it
 * (leaf_nf_encode: UNSUPPORTED).
 *
 * Both sides check the same bounds: the sender before it sends (a fault of the descriptor is said before anything is touched),
 * the receiver because it trusts nobody. A request with a member that this version does not know is refused: it could not be
 * kept. Members of a reply that are not known are skipped: they are a newer leaf's business.
 *
 * Pure; any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum {
	LEAF_PROTOCOL_VERSION = 2,
	LEAF_FIRST_VERSION = 1,
	LEAF_FILES_MAX = 256,
	LEAF_FILE_MAX_BYTES = 1024 * 1024,
	LEAF_CONTENT_MAX_BYTES = 8 * 1024 * 1024, /* of all files of an NF together */
	LEAF_SEEN_MAX_BYTES = 64 * 1024,      /* of the text of one that is not as it was put, as it is told in a status */
	LEAF_SEEN_ALL_MAX_BYTES = 256 * 1024, /* of all of them together */
	LEAF_REQUEST_MAX_BYTES = 16 * 1024 * 1024,
	LEAF_REPLY_MAX_BYTES = 4 * 1024 * 1024,
	LEAF_KEY_MAX_BYTES = 512,
	LEAF_NAME_MAX_BYTES = 255,
	LEAF_PATH_MAX_BYTES = 1024,
	LEAF_PATH_SEGMENT_MAX_BYTES = 200, /* leaves room for the temporary name beside it */
	LEAF_COMMAND_MAX_ARGS = 256,
	LEAF_COMMAND_MAX_BYTES = 64 * 1024, /* of all arguments together */
	LEAF_REASON_MAX_BYTES = 2048,
	LEAF_DIGEST_BYTES = 64,             /* hex digits */
	LEAF_LOG_MAX_LINES = 10000,
	LEAF_MODE_MAX = 0777,               /* wanted; observed may be anything */
	LEAF_INPUTS_MAX = 256,              /* of one operation */
	LEAF_INPUTS_MAX_BYTES = 256 * 1024, /* names and values of one operation together */
	LEAF_SECRETS_MAX = 256,
	LEAF_PROOF_MAX_BYTES = 512,
	LEAF_TIME_MAX_MS = 24 * 60 * 60 * 1000, /* any time-out, interval or grace */
	LEAF_INTERVAL_MIN_MS = 10,
	LEAF_FAILURES_MAX = 1000,
	LEAF_WORDS_MAX_BYTES = 1536,        /* of what an operation said last */
	LEAF_PACKAGES_MAX = 8,              /* held by one leaf, as it says */
	LEAF_PACKAGE_FILES_MAX = 4096,
	LEAF_PACKAGE_PATH_MAX_BYTES = 512,
	LEAF_PACKAGE_FILE_MAX_BYTES = 16 * 1024 * 1024,
	LEAF_PACKAGE_MAX_BYTES = 64 * 1024 * 1024,
	LEAF_PROGRAM_MAX_BYTES = 16 * 1024 * 1024,
	LEAF_WAIT_MAX_MS = 60 * 1000,       /* of one long poll */
	LEAF_PORTS_MAX = 256,
};

/*                  PUT started                lived through its first moments
 *     STOPPED ────────────────────► STARTING ────────────────────────────────► STARTED
 *        ▲                             │ ▲                                        │
 *        │ the group is gone           │ └──────────────┐ back-off over           │ ended
 *     STOPPING ◄──── PUT, DELETE ──────┴──────────────  FAILED ◄──────────────────┘
 *
 * An NF without a process is what its status operation says, or, without one, what its last start or stop made of it.
 */
enum leaf_state {
	LEAF_STOPPED,
	LEAF_STARTING, /* it runs, but has not yet lived through its first moments */
	LEAF_STARTED,
	LEAF_STOPPING, /* told to end, still there */
	LEAF_FAILED,   /* it ended by itself; it is started again after a back-off */
};

const char *leaf_state_name(enum leaf_state state);

/* The operations of pleach.interfaces.Lifecycle. */
enum leaf_verb { LEAF_CREATE, LEAF_CONFIGURE, LEAF_START, LEAF_STOP, LEAF_DELETE, LEAF_CHECK, LEAF_RELOAD, LEAF_STATUS_VERB, LEAF_N_VERBS };

const char *leaf_verb_name(enum leaf_verb verb);

struct leaf_input {
	const char *name;
	const char *value;  /* observed: NULL where it is secret */
	const char *secret; /* its name where the value is one, else NULL */
};

struct leaf_operation {
	const char *script; /* path in the package; NULL: there is no such operation */
	unsigned timeout_ms;
	const struct leaf_input *inputs; /* names unique */
	size_t n_inputs;
};

enum leaf_probe { LEAF_PROBE_NONE, LEAF_PROBE_PROCESS, LEAF_PROBE_STATUS, LEAF_PROBE_TCP, LEAF_PROBE_HTTP };

struct leaf_health_check {
	enum leaf_probe type;
	const char *address; /* tcp, http: an IP address */
	unsigned port;       /* tcp, http */
	const char *path;    /* http */
	unsigned interval_ms, timeout_ms, grace_ms, failures;
};

/*     GRACE ──── an answer ───► HEALTHY ◄─── an answer ─── UNHEALTHY
 *       │                          └─── failures in a row ───►▲
 *       └───── grace over, failures in a row ─────────────────┘      UNCHECKED: nothing is asked (stopped, or no check) */
enum leaf_health { LEAF_UNCHECKED, LEAF_HEALTHY, LEAF_UNHEALTHY, LEAF_GRACE };

struct leaf_secret {
	const char *name;
	const char *proof; /* kept for whoever asks */
};

enum leaf_on_change { LEAF_ON_RELOAD, LEAF_ON_RESTART, LEAF_ON_NONE };

struct leaf_file {
	const char *name;    /* the artifact's */
	const char *path;    /* absolute, in the VNF */
	const char *mode;    /* "0644"; observed: NULL where the file is gone */
	/* UTF-8. Observed: what is on disk now, where that is not what was put, is no secret, and is a text of at most LEAF_SEEN_MAX_BYTES;
	 * else NULL. */
	const char *content;
	const char *label;   /* wanted only: a digest; the content is secret, and shows as this as long as it is as it was put */
	/* Observed only: sha256 in hex of what is on disk now, or, of a secret one, its label, or an HMAC; NULL where the file is gone. */
	const char *digest;
	enum leaf_on_change on_change;
};

struct leaf_nf {
	const char *key;
	unsigned incarnation;           /* of the VNFC that it is meant for */
	enum leaf_state state;          /* wanted: STARTED or STOPPED */
	bool stateful;                  /* kept for whoever asks; the leaf does nothing with it */
	const char *const *command;     /* NULL-terminated; n 0: an NF without a process */
	size_t n_command;
	const struct leaf_file *files;  /* names unique, paths unique */
	size_t n_files;
	const char *package;            /* digest, or NULL */
	struct leaf_operation operations[LEAF_N_VERBS];
	struct leaf_health_check health_check;
	const struct leaf_secret *secrets; /* names unique */
	size_t n_secrets;
	/* observed only */
	const char *reason;             /* why it is FAILED or unhealthy, or what it died of last; or NULL */
	enum leaf_health health;
	gint64 pid;                     /* 0: no process */
	gint64 restarts;                /* by itself, since it was last changed */
};

/* From what is to what was asked for: leaf/change.h. */
struct leaf_change {
	gint64 id;        /* rises; 0: none is under way */
	const char *step; /* "configure" */
	gint64 since_ms;  /* how long it has been at this step */
};

enum leaf_outcome {
	LEAF_DONE,       /* it is as it was asked for, and seen to be */
	LEAF_UNTOUCHED,  /* refused before anything was changed: the former is in force */
	LEAF_TAKEN_BACK, /* it failed, and the former runs again */
	LEAF_BROKEN,     /* it failed; there is no former, or that failed too */
};

const char *leaf_outcome_name(enum leaf_outcome outcome);

struct leaf_result {
	gint64 id; /* of the change; 0: there has been none */
	enum leaf_outcome outcome;
	const char *step; /* where it failed; NULL where it did not */
	int exit_status;  /* of the operation, as a shell has it; -1: it did not end by itself, or it was no operation's */
	const char *words; /* what failed, in the software's last words; or NULL */
	bool may_pass;    /* trying the same again may end otherwise */
};

struct leaf_status {
	const char *version;      /* of pleach-leaf */
	gint64 pid;
	gint64 uptime_ms;
	unsigned protocol;        /* LEAF_PROTOCOL_VERSION of the leaf */
	gint64 seq;               /* rises with everything that a reader may wait for */
	const struct leaf_nf *nf; /* NULL: there is none */
	struct leaf_change change;
	struct leaf_result result; /* of the last change that ended */
	const char *const *packages; /* digests: whole and verified */
	size_t n_packages;
};

struct leaf_port {
	const char *name; /* of the interface */
	gint64 rx_bytes, rx_packets, rx_drops, tx_bytes, tx_packets, tx_drops;
};

/* -1: could not be measured. */
struct leaf_metrics {
	gint64 cpu_us, mem_bytes, disk_bytes, processes;
	const struct leaf_port *ports;
	size_t n_ports;
};

/* The bounds and rules of a wanted NF; INVALID says which is broken and where. */
bool leaf_nf_check(const struct leaf_nf *nf, GError **error);

/* Four octal digits, "0644"; the bits into *@ret. */
bool leaf_mode_parse(const char *mode, unsigned *ret);

/* Is this a path that a file of a package may have; 64 hex digits? */
bool leaf_package_path_is_good(const char *path);
bool leaf_is_digest(const char *text);

/* Encoding checks first. The texts are owned by the caller; *@ret_length is their length. @version: the highest that the far side
 * knows; UNSUPPORTED where that cannot say it. */
char *leaf_nf_encode(const struct leaf_nf *nf, unsigned version, size_t *ret_length, GError **error);
char *leaf_status_encode(const struct leaf_status *status);
char *leaf_metrics_encode(const struct leaf_metrics *metrics);
char *leaf_refusal_encode(enum pleach_error code, const char *text);

/* Decoding checks everything; on a fault nothing is returned but @error (INVALID). All strings are copied into @arena. */
const struct leaf_nf *leaf_nf_decode(struct arena *arena, const char *text, size_t length, GError **error);
const struct leaf_status *leaf_status_decode(struct arena *arena, const char *text, size_t length, GError **error);
const struct leaf_metrics *leaf_metrics_decode(struct arena *arena, const char *text, size_t length, GError **error);

/* The error that a refusal tells, under its own code; a body that is no refusal gives "HTTP status N" and how it began. */
void leaf_refusal_decode(unsigned http_status, const char *text, size_t length, GError **error);

/* The same program with the same arguments? */
bool leaf_nf_same_command(const struct leaf_nf *a, const struct leaf_nf *b);
/* The same script and environment? */
bool leaf_same_operation(const struct leaf_operation *a, const struct leaf_operation *b);
