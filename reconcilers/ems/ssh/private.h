/* Inside ems/ssh/: from the bytes to the NF.
 *
 *     ems_ssh.c ─► change.c ─► hand.c ─► stream.c ─► wire.c ─► libssh
 *                  look.c      sftp.c                 pool.c
 *
 * A wire is one connection; whoever has taken it from the pool is alone with it.
 */
#pragma once

#include "ems/ssh/ems_ssh.h"

#include "base/json.h"

#include <libssh/libssh.h>
#include <pthread.h>

enum {
	SSH_HOST_KEYS_MAX = 32,
	SSH_CONNECT_MS = 15000,         /* from the first byte to a session that may run commands */
	SSH_WIRES_MAX = 64,             /* kept open by one EMS while nobody uses them */
	SSH_IDLE_MS = 5 * 60 * 1000,    /* then an unused one is closed */
	SSH_KEEPALIVE_S = 30,
	SSH_REPLY_MAX_BYTES = 4 * 1024 * 1024,
	SSH_ERRORS_MAX_BYTES = 4096,    /* of a command's standard error; the rest is thrown away */
	SSH_MANIFEST_MAX_BYTES = 2 * 1024 * 1024,
	SSH_STOP_GRACE_MS = 5000,       /* from SIGTERM to SIGKILL */
	SSH_TEXT_MAX_BYTES = 4096,      /* of an option; of a path in the VNF */
};

/* --- options.c: what the site says of this EMS ----------------------------------------------------------------------------- */

struct options {
	char *host;          /* of the endpoint, an IP address; NULL: as the VNFC's access says */
	unsigned port;
	char *user;
	char *folder;        /* on the far side; NULL: as hand.c says */
	char *known_hosts;   /* a file, or NULL */
	GPtrArray *host_keys; /* "SHA256:…" */
	char *credential;    /* name of the secret with the private key, or NULL */
	bool agent, sudo;
};

bool options_read(struct options *options, const struct site *site, const struct driver_ref *which, GError **error);
void options_clear(struct options *options);
/* "10.0.0.1", "10.0.0.1:22", "[fd00::1]:22", with "ssh://" before it or not. */
bool options_parse_place(const char *text, unsigned default_port, char **ret_host, unsigned *ret_port, GError **error);

/* --- wire.c: one connection ------------------------------------------------------------------------------------------------ */

struct wire {
	char *key;           /* of the VNFC */
	bool handed;         /* the session owns @fd */
	char *place;         /* what it was connected to */
	ssh_session session;
	int fd;
	char *folder;        /* of our state on the far side */
	char *hand;          /* path of hand.sh there */
	gint64 used_us;
	bool used;           /* it has come from the pool: the far side may have closed it meanwhile */
	bool broken;         /* it is to be dropped */
	bool no_sftp;        /* the far side has none, or sudo is wanted: files go through hand.sh */
};

struct ems {
	char *site, *name;
	struct options options;
	pthread_mutex_t lock; /* of what follows */
	GPtrArray *idle;      /* struct wire * */
	GHashTable *pulses;   /* key of the NF → struct pulse */
};

struct wire *wire_open(struct ems *ems, const struct call *call, const struct access *access, GError **error);
void wire_close(struct wire *wire);
/* Waits until the far side has something to say or takes what we have. */
bool wire_turn(struct wire *wire, const struct call *call, GError **error);
/* Sets RETRY with what libssh says, and the link is broken. Always false. */
bool wire_fail(struct wire *wire, GError **error, const char *doing);
/* Where a VNFC is reached: "10.0.0.1 port 22", "127.0.0.1 port 22 in vnfc/a". Owned by the caller. */
char *wire_place(const struct ems *ems, const struct access *access, GError **error);

/* --- pool.c ------------------------------------------------------------------------------------------------------------------ */

/* One that is open, or a new one. */
struct wire *pool_take(struct ems *ems, const struct call *call, const struct access *access, GError **error);
void pool_give(struct ems *ems, struct wire *wire);
void pool_clear(struct ems *ems);

/* --- stream.c: one command -------------------------------------------------------------------------------------------------- */

struct command {
	const char *line;      /* for the far side's shell */
	const char *subsystem; /* in place of a line */
	const char *input;
	size_t n_input;
	bool holds_input;      /* its standard input stays open until it ends: who reads it sees when we have gone */
	ems_log_fn each;       /* gets standard output instead of @output */
	void *data;
	GString *output, *errors; /* of the command; command_clear() */
	int status;
	bool enough;           /* @each has said so */
};

bool command_run(struct wire *wire, const struct call *call, struct command *command, GError **error);
void command_clear(struct command *command);
/* A channel with the command or subsystem running. NULL: @error. Closed by stream_drop(). */
ssh_channel stream_open(struct wire *wire, const struct call *call, const struct command *command, GError **error);
/* Takes what is there, up to @size: -1 with @error, 0 at its end. */
gssize stream_read(struct wire *wire, const struct call *call, ssh_channel channel, void *buffer, size_t size, GError **error);
bool stream_write(struct wire *wire, const struct call *call, ssh_channel channel, const void *bytes, size_t length, GError **error);
void stream_drop(ssh_channel channel);
/* A TCP connection as seen from the far side. */
ssh_channel stream_forward(struct wire *wire, const struct call *call, const char *host, unsigned port, GError **error);

/* --- sftp.c ------------------------------------------------------------------------------------------------------------------ */

struct upload {
	const char *name; /* in the folder nf/stage */
	const void *bytes;
	size_t length;
};

/* UNSUPPORTED: there is no sftp on the far side. */
bool sftp_upload(struct wire *wire, const struct call *call, const struct upload *uploads, size_t n, GError **error);

/* --- hand.c: our shell script there ------------------------------------------------------------------------------------------ */

/* Puts it there, and finds out where "there" is. */
bool hand_prepare(struct ems *ems, struct wire *wire, const struct call *call, GError **error);
/* One verb with its arguments. The output, or NULL; owned by the caller. */
char *hand_ask(struct ems *ems, struct wire *wire, const struct call *call, const char *input, GError **error, const char *verb, ...)
	G_GNUC_NULL_TERMINATED;
/* The shell's line for a verb with arguments. Owned by the caller. */
char *hand_line(const struct ems *ems, const struct wire *wire, const char *const *arguments);
void hand_escape(GString *to, const char *text); /* one line of a list */
bool hand_upload(struct ems *ems, struct wire *wire, const struct call *call, const struct upload *uploads, size_t n, GError **error);

/* --- look.c: what is there ----------------------------------------------------------------------------------------------------- */

struct there {
	bool dirty;          /* a change was cut off */
	bool good;           /* what the manifest says was once as wanted */
	const char *json;    /* of the manifest */
	const char *trouble; /* why not */
	struct nf *nf;       /* of the manifest, with what is on disk now; NULL: nothing there */
	gint64 pid;          /* 0: no process */
	const char *exit;    /* how it ended, and its last words; NULL: none has */
};

bool look(struct ems *ems, struct wire *wire, const struct call *call, struct arena *arena, struct there *ret, GError **error);
/* What an observer is told: state, health, reason. Runs the status operation where there is one. */
bool look_state(struct ems *ems, struct wire *wire, const struct call *call, struct arena *arena, struct there *there, GError **error);

/* --- manifest.c ------------------------------------------------------------------------------------------------------------------ */

/* What hand.sh keeps of @nf: lines for the shell, then JSON. Secret values are not in it. Owned by the caller. */
char *manifest_write(const struct nf *nf, bool good, const char *trouble);
bool manifest_read(struct arena *arena, const char *json, struct there *ret, GError **error);

/* --- operation.c: the verbs of an NF ----------------------------------------------------------------------------------------------- */

struct outcome {
	int status;
	char *words; /* what it said last */
	bool late;
};

/* @which: with the "new" inputs where some are being tried, or the "kept" ones. False: it could not be run, or not be seen through. */
bool operation_run(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, enum nf_verb verb, const char *which,
		   struct outcome *ret, GError **error);
/* The same, and a failure is PERMANENT with operation, exit status and last words. True where the NF has no such operation. */
bool operation_must(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, enum nf_verb verb, const char *which,
		    GError **error);
bool process_start(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, GError **error);
bool process_stop(struct ems *ems, struct wire *wire, const struct call *call, GError **error);

/* --- health.c ------------------------------------------------------------------------------------------------------------------- */

/* One probe of the health check; @which as in operation_run(). False: @error is why it is not healthy (PERMANENT), or that it could not be asked. */
bool health_probe(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, const char *which,
		  const struct there *there, GError **error);
/* Probes until it is healthy; PERMANENT when it does not become so. */
bool health_wait(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, const char *which, GError **error);
/* For observers: what the probes so far say, after one more where it is time. @ret_reason in @arena. */
enum nf_health health_now(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, const struct there *there,
			  struct arena *arena, const char **ret_reason);
void health_forget(struct ems *ems, const char *nf_key); /* it has been started anew */
void pulse_free(gpointer data);

/* --- change.c ------------------------------------------------------------------------------------------------------------------- */

bool change_ensure(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *want, const struct package *package,
		   GError **error);
/* Is what was looked at afterwards what was wanted? RETRY: no. */
bool change_is_seen(const struct nf *want, const struct there *there, GError **error);
bool change_remove(struct ems *ems, struct wire *wire, const struct call *call, const char *nf_key, GError **error);
