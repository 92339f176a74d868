/* An NF: the network software inside a VNFC (ETSI GS NFV 003: Network Function; pleach.nodes.NetworkFunction). Ends with its
 * VNFC.
 *
 * fields                shape   cost      meaning
 * state                 scalar  in-place  desired "started" or "stopped"; observed those or "failed", "starting"
 * command               list    restart   supervised in the foreground; absent: an NF without a process
 * ems                   scalar  metadata  name of the EMS driver among the site's
 * stateful              scalar  metadata  open flows stay with their instance until drained
 * config.*.path         scalar  restart   deploy_path; * is the artifact's name
 * config.*.content      scalar  restart   rendered text; observed as a digest
 * config.*.mode         scalar  restart   "0644"
 * reason                scalar  observed  why it is failed, in the software's own last words
 * restarts              scalar  observed, volatile
 * pid                   scalar  observed, volatile
 */
#pragma once

#include "model/object.h"

enum { NF_CONFIG_MAX_BYTES = 1024 * 1024, NF_CONFIG_MAX_FILES = 256 };

enum nf_state { NF_STARTED, NF_STOPPED, NF_STARTING, NF_FAILED };

struct nf_file {
	const char *name;    /* the artifact's */
	const char *path;    /* absolute, in the VNFC */
	const char *content; /* wanted; NULL on observed ones */
	const char *digest;  /* observed: sha256, hex; NULL: the file is gone */
	const char *mode;    /* "0644" */
};

struct nf {
	const char *key, *site;
	unsigned incarnation; /* of the VNFC that it runs in */
	enum nf_state state;
	const char *const *command;
	size_t n_command;
	const char *ems;
	bool stateful;
	const struct nf_file *files; /* sorted by name */
	size_t n_files;
	/* observed only */
	const char *reason;
	gint64 restarts, pid;
};

const struct nf *nf_from_object(struct arena *arena, const struct object *object, GError **error);
const struct object *nf_to_object(struct arena *arena, const struct nf *nf);
