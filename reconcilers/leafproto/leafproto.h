/* What the controller's leaf driver and pleach-leaf say to each other: JSON documents over HTTP (schemas/leaf.openapi.yaml).
 *
 *     PUT /v1/nf        struct leaf_nf, the whole desired NF      ─► struct leaf_status
 *     DELETE /v1/nf?key=KEY                                       ─► struct leaf_status
 *     GET /v1/status                                              ─► struct leaf_status
 *     anything refused                                            ─► struct leaf_refusal, with an HTTP status of 400 or above
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
	LEAF_PROTOCOL_VERSION = 1,
	LEAF_FILES_MAX = 256,
	LEAF_FILE_MAX_BYTES = 1024 * 1024,
	LEAF_CONTENT_MAX_BYTES = 8 * 1024 * 1024, /* of all files of an NF together */
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
};

/*                  PUT started                lived through its first moments
 *     STOPPED ────────────────────► STARTING ────────────────────────────────► STARTED
 *        ▲                             │ ▲                                        │
 *        │ the group is gone           │ └──────────────┐ back-off over           │ ended
 *     STOPPING ◄──── PUT, DELETE ──────┴──────────────  FAILED ◄──────────────────┘
 */
enum leaf_state {
	LEAF_STOPPED,
	LEAF_STARTING, /* it runs, but has not yet lived through its first moments */
	LEAF_STARTED,
	LEAF_STOPPING, /* told to end, still there */
	LEAF_FAILED,   /* it ended by itself; it is started again after a back-off */
};

const char *leaf_state_name(enum leaf_state state);

struct leaf_file {
	const char *name;    /* the artifact's */
	const char *path;    /* absolute, in the VNF */
	const char *mode;    /* "0644"; observed: NULL where the file is gone */
	const char *content; /* wanted only: UTF-8 */
	const char *digest;  /* observed only: sha256 in hex of what is on disk now; NULL where the file is gone */
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
	/* observed only */
	const char *reason;             /* why it is FAILED, or what it died of last; or NULL */
	gint64 pid;                     /* 0: no process */
	gint64 restarts;                /* by itself, since it was last changed */
};

struct leaf_status {
	const char *version;      /* of pleach-leaf */
	gint64 pid;
	gint64 uptime_ms;
	const struct leaf_nf *nf; /* NULL: there is none */
};

/* The bounds and rules of a wanted NF; INVALID says which is broken and where. */
bool leaf_nf_check(const struct leaf_nf *nf, GError **error);

/* Four octal digits, "0644"; the bits into *@ret. */
bool leaf_mode_parse(const char *mode, unsigned *ret);

/* Encoding checks first. The texts are owned by the caller; *@ret_length is their length. */
char *leaf_nf_encode(const struct leaf_nf *nf, size_t *ret_length, GError **error);
char *leaf_status_encode(const struct leaf_status *status);
char *leaf_refusal_encode(enum pleach_error code, const char *text);

/* Decoding checks everything; on a fault nothing is returned but @error (INVALID). All strings are copied into @arena. */
const struct leaf_nf *leaf_nf_decode(struct arena *arena, const char *text, size_t length, GError **error);
const struct leaf_status *leaf_status_decode(struct arena *arena, const char *text, size_t length, GError **error);

/* The error that a refusal tells, under its own code; a body that is no refusal gives "HTTP status N" and how it began. */
void leaf_refusal_decode(unsigned http_status, const char *text, size_t length, GError **error);

/* The same program with the same arguments? */
bool leaf_nf_same_command(const struct leaf_nf *a, const struct leaf_nf *b);
