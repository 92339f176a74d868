/* An NF: the network software inside a VNFC (ETSI GS NFV 003: Network Function; pleach.nodes.NetworkFunction). Ends with its
 * VNFC.
 *
 * fields                     shape   cost      meaning
 * state                      scalar  in-place  desired "started" or "stopped"; observed those or "failed", "starting"
 * command                    list    restart   supervised in the foreground; absent: an NF without a process
 * ems                        scalar  metadata  name of the EMS among the site's; where its driver is another, the NF leaves the former first
 * stateful                   scalar  metadata  open flows stay with their instance until drained
 * package                    scalar  restart   digest of the package (model/package.h): what install and the operations' scripts come from
 * operation.*.script         scalar  in-place  path in the package; * is create, configure, start, stop, delete, check, reload or status
 * operation.*.timeout_ms     scalar  metadata
 * operation.*.input.*        scalar  in-place  environment of the script; a secret shows as its name
 * health_check.type          scalar  in-place  "process", "status", "tcp" or "http"; and .address, .port, .path, .interval_ms, .timeout_ms,
 *                                              .grace_ms, .failures: as pleach.datatypes.HealthCheck
 * health_check.escalate_to   scalar  metadata  "report", "restart" or "recover"; and .max_per_hour: the fault monitor's business
 * indicator.*.metric         scalar  metadata  what the performance monitor compares; and .compare ("greater_or_equal", …), .value
 * secret.*                   scalar  in-place  desired "current"; observed "current" or "changed": what it was given is not the secret any more
 * config.*.path              scalar  restart   deploy_path; * is the artifact's name
 * config.*.content           scalar  in-place  rendered text, with marks where secrets go; observed as a digest, or, where it was edited and
 *                                              is no secret, as the text that is there
 * config.*.mode              scalar  in-place  "0644"
 * config.*.on_change         scalar  metadata  what a changed rendering needs: "restart" or "none"; absent: reload (restart where there is none)
 * health                     scalar  observed  "healthy", "unhealthy", "starting" (in its grace), absent where nothing checks it
 * reason                     scalar  observed  why it is failed or unhealthy, in the software's own last words
 * restarts                   scalar  observed, volatile
 * pid                        scalar  observed, volatile
 */
#pragma once

#include "model/object.h"

enum {
	NF_CONFIG_MAX_BYTES = 1024 * 1024,
	NF_CONFIG_MAX_FILES = 256,
	NF_SEEN_MAX_BYTES = 64 * 1024,      /* of the text of a file that is not as it was put, as a driver tells it */
	NF_SEEN_ALL_MAX_BYTES = 256 * 1024, /* of all those of one NF */
	NF_INPUTS_MAX = 256,
	NF_INPUT_NAME_MAX_BYTES = 128,
	NF_INPUT_MAX_BYTES = 64 * 1024,
	NF_SECRETS_MAX = 64,
	NF_SECRET_MAX_BYTES = 64 * 1024,
	NF_TIMEOUT_DEFAULT_MS = 60 * 1000, /* of an operation whose descriptor gives none */
	NF_TIMEOUT_MAX_MS = 24 * 60 * 60 * 1000,
	NF_INTERVAL_MIN_MS = 100,
};

enum nf_state { NF_STARTED, NF_STOPPED, NF_STARTING, NF_FAILED };
enum nf_health { NF_UNCHECKED, NF_HEALTHY, NF_UNHEALTHY, NF_IN_GRACE };
enum nf_check { NF_CHECK_NONE, NF_CHECK_PROCESS, NF_CHECK_STATUS, NF_CHECK_TCP, NF_CHECK_HTTP };
enum nf_on_change { NF_RELOAD, NF_RESTART, NF_LEAVE };

/* The operations of pleach.interfaces.Lifecycle; names as in TOSCA: create, configure, start, stop, delete, check, reload, status. */
enum nf_verb { NF_CREATE, NF_CONFIGURE, NF_START, NF_STOP, NF_DELETE, NF_VERB_CHECK, NF_VERB_RELOAD, NF_STATUS, NF_N_VERBS };

const char *nf_verb_name(enum nf_verb verb);
bool nf_verb_find(const char *name, enum nf_verb *ret); /* false: there is no such operation */
bool nf_input_name_is_good(const char *name); /* could it be the name of an environment variable? */

struct nf_input {
	const char *name;   /* of the environment variable */
	const char *value;  /* wanted; NULL on observed secret ones */
	const char *secret; /* "NAME" or "NAME#KEY" where it holds one, else NULL: then an observed value is never in clear */
};

struct nf_operation {
	const char *script; /* path in the package; NULL: the NF has no such operation */
	unsigned timeout_ms;
	const struct nf_input *inputs; /* sorted by name */
	size_t n_inputs;
};

struct nf_health_check {
	enum nf_check type;
	const char *address; /* tcp, http */
	unsigned port;
	const char *path;    /* http */
	unsigned interval_ms, timeout_ms, grace_ms, failures;
};

enum nf_secret_state { NF_SECRET_CURRENT, NF_SECRET_CHANGED, NF_SECRET_UNKNOWN };

struct nf_secret {
	const char *name;  /* "NAME" or "NAME#KEY" */
	enum nf_secret_state state; /* of what was observed: the kind's business, which has the secret to compare with */
	const char *proof; /* "SALT:HMAC": tells whether a secret is still the one that was given, and nothing else. Opaque to drivers, who keep it */
};

struct nf_file {
	const char *name;    /* the artifact's */
	const char *path;    /* absolute, in the VNFC */
	/* Wanted. Observed: NULL, or the text of one that is not as it was put, if that is UTF-8, no secret (@label), and at most
	 * NF_SEEN_MAX_BYTES. */
	const char *content;
	/* Wanted: NULL, or the sha256 of the text without its secrets: then the content is secret, and as long as the file is as it was put the
	 * driver reports this as its digest, else an HMAC under a salt that never leaves the VNFC. */
	const char *label;
	const char *digest;  /* observed: sha256, hex, or as above; NULL: the file is gone */
	const char *mode;    /* "0644" */
	enum nf_on_change on_change;
};

struct nf {
	const char *key, *site;
	unsigned incarnation; /* of the VNFC that it runs in */
	enum nf_state state;
	const char *const *command;
	size_t n_command;
	const char *ems;
	bool stateful;
	const char *package; /* digest, or NULL */
	struct nf_operation operations[NF_N_VERBS];
	struct nf_health_check health_check;
	const struct nf_secret *secrets; /* sorted by name */
	size_t n_secrets;
	const struct nf_file *files; /* sorted by name */
	size_t n_files;
	/* observed only */
	enum nf_health health;
	const char *reason;
	gint64 restarts, pid;
};

const struct nf *nf_from_object(struct arena *arena, const struct object *object, GError **error);
const struct object *nf_to_object(struct arena *arena, const struct nf *nf);
