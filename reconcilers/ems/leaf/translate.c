#include "ems/leaf/translate.h"

#include <stdlib.h>
#include <string.h>

G_STATIC_ASSERT((int) LEAF_FILES_MAX == (int) NF_CONFIG_MAX_FILES);
G_STATIC_ASSERT((int) LEAF_FILE_MAX_BYTES == (int) NF_CONFIG_MAX_BYTES);

static bool wanted_state(enum nf_state state, enum leaf_state *ret)
{
	switch (state) {
	case NF_STARTED:
		*ret = LEAF_STARTED;
		return true;
	case NF_STOPPED:
		*ret = LEAF_STOPPED;
		return true;
	case NF_STARTING:
	case NF_FAILED:
		return false;
	}
	return false;
}

static const enum leaf_verb verbs[NF_N_VERBS] = {
	[NF_CREATE] = LEAF_CREATE, [NF_CONFIGURE] = LEAF_CONFIGURE, [NF_START] = LEAF_START,         [NF_STOP] = LEAF_STOP,
	[NF_DELETE] = LEAF_DELETE, [NF_VERB_CHECK] = LEAF_CHECK,    [NF_VERB_RELOAD] = LEAF_RELOAD, [NF_STATUS] = LEAF_STATUS_VERB,
};

static enum leaf_on_change wanted_on_change(enum nf_on_change on_change)
{
	switch (on_change) {
	case NF_RELOAD:
		return LEAF_ON_RELOAD;
	case NF_RESTART:
		return LEAF_ON_RESTART;
	case NF_LEAVE:
		return LEAF_ON_NONE;
	}
	return LEAF_ON_RESTART;
}

static enum nf_on_change observed_on_change(enum leaf_on_change on_change)
{
	switch (on_change) {
	case LEAF_ON_RELOAD:
		return NF_RELOAD;
	case LEAF_ON_RESTART:
		return NF_RESTART;
	case LEAF_ON_NONE:
		return NF_LEAVE;
	}
	return NF_RESTART;
}

static struct leaf_operation wanted_operation(struct arena *arena, const struct nf_operation *operation)
{
	struct leaf_input *inputs = ARENA_ARRAY(arena, struct leaf_input, operation->n_inputs + 1);
	for (size_t i = 0; i < operation->n_inputs; i++)
		inputs[i] = (struct leaf_input) { operation->inputs[i].name, operation->inputs[i].value, operation->inputs[i].secret };
	return (struct leaf_operation) { operation->script, operation->timeout_ms, inputs, operation->n_inputs };
}

static int input_by_name(const void *a, const void *b)
{
	return strcmp(((const struct nf_input *) a)->name, ((const struct nf_input *) b)->name);
}

static struct nf_operation observed_operation(struct arena *arena, const struct leaf_operation *operation)
{
	struct nf_input *inputs = ARENA_ARRAY(arena, struct nf_input, operation->n_inputs + 1);
	for (size_t i = 0; i < operation->n_inputs; i++)
		inputs[i] = (struct nf_input) { operation->inputs[i].name, operation->inputs[i].value, operation->inputs[i].secret };
	qsort(inputs, operation->n_inputs, sizeof(*inputs), input_by_name);
	return (struct nf_operation) { operation->script, operation->timeout_ms, inputs, operation->n_inputs };
}

static enum leaf_probe wanted_probe(enum nf_check type)
{
	switch (type) {
	case NF_CHECK_NONE:
		return LEAF_PROBE_NONE;
	case NF_CHECK_PROCESS:
		return LEAF_PROBE_PROCESS;
	case NF_CHECK_STATUS:
		return LEAF_PROBE_STATUS;
	case NF_CHECK_TCP:
		return LEAF_PROBE_TCP;
	case NF_CHECK_HTTP:
		return LEAF_PROBE_HTTP;
	}
	return LEAF_PROBE_NONE;
}

static enum nf_check observed_probe(enum leaf_probe type)
{
	switch (type) {
	case LEAF_PROBE_NONE:
		return NF_CHECK_NONE;
	case LEAF_PROBE_PROCESS:
		return NF_CHECK_PROCESS;
	case LEAF_PROBE_STATUS:
		return NF_CHECK_STATUS;
	case LEAF_PROBE_TCP:
		return NF_CHECK_TCP;
	case LEAF_PROBE_HTTP:
		return NF_CHECK_HTTP;
	}
	return NF_CHECK_NONE;
}

static struct leaf_health_check wanted_check(const struct nf_health_check *check)
{
	return (struct leaf_health_check) {
		.type = wanted_probe(check->type), .address = check->address, .port = check->port, .path = check->path,
		.interval_ms = check->interval_ms, .timeout_ms = check->timeout_ms, .grace_ms = check->grace_ms, .failures = check->failures,
	};
}

static struct nf_health_check observed_check(const struct leaf_health_check *check)
{
	return (struct nf_health_check) {
		.type = observed_probe(check->type), .address = check->address, .port = check->port, .path = check->path,
		.interval_ms = check->interval_ms, .timeout_ms = check->timeout_ms, .grace_ms = check->grace_ms, .failures = check->failures,
	};
}

static enum nf_health observed_health(enum leaf_health health)
{
	switch (health) {
	case LEAF_UNCHECKED:
		return NF_UNCHECKED;
	case LEAF_HEALTHY:
		return NF_HEALTHY;
	case LEAF_UNHEALTHY:
		return NF_UNHEALTHY;
	case LEAF_GRACE:
		return NF_IN_GRACE;
	}
	return NF_UNCHECKED;
}

const struct leaf_nf *translate_wanted(struct arena *arena, const struct nf *nf, GError **error)
{
	struct leaf_nf *wanted = ARENA_NEW(arena, struct leaf_nf);
	if (!wanted_state(nf->state, &wanted->state)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: only \"started\" and \"stopped\" can be wanted",
			    nf->key);
		return NULL;
	}
	wanted->key = nf->key;
	wanted->incarnation = nf->incarnation;
	wanted->stateful = nf->stateful;
	wanted->command = nf->command;
	wanted->n_command = nf->n_command;
	struct leaf_file *files = ARENA_ARRAY(arena, struct leaf_file, nf->n_files + 1);
	for (size_t i = 0; i < nf->n_files; i++)
		files[i] = (struct leaf_file) {
			.name = nf->files[i].name,
			.path = nf->files[i].path,
			.mode = nf->files[i].mode,
			.content = nf->files[i].content,
			.label = nf->files[i].label,
			.on_change = wanted_on_change(nf->files[i].on_change),
		};
	wanted->files = files;
	wanted->n_files = nf->n_files;
	wanted->package = nf->package;
	struct leaf_secret *secrets = ARENA_ARRAY(arena, struct leaf_secret, nf->n_secrets + 1);
	for (size_t i = 0; i < nf->n_secrets; i++)
		secrets[i] = (struct leaf_secret) { nf->secrets[i].name, nf->secrets[i].proof };
	wanted->secrets = secrets;
	wanted->n_secrets = nf->n_secrets;
	for (enum nf_verb verb = 0; verb < NF_N_VERBS; verb++)
		wanted->operations[verbs[verb]] = wanted_operation(arena, &nf->operations[verb]);
	wanted->health_check = wanted_check(&nf->health_check);
	return wanted;
}

static enum nf_state observed_state(enum leaf_state state)
{
	switch (state) {
	case LEAF_STOPPED:
		return NF_STOPPED;
	case LEAF_STARTED:
	case LEAF_STOPPING: /* told to end, but there it is */
		return NF_STARTED;
	case LEAF_STARTING:
		return NF_STARTING;
	case LEAF_FAILED:
		return NF_FAILED;
	}
	return NF_FAILED;
}

static int secret_by_name(const void *a, const void *b)
{
	return strcmp(((const struct nf_secret *) a)->name, ((const struct nf_secret *) b)->name);
}

/* Why it is not well; NULL where it is. */
static const char *reason_of(const struct leaf_nf *seen)
{
	if (seen->state == LEAF_STOPPING)
		return "being stopped";
	return seen->state == LEAF_FAILED || seen->health == LEAF_UNHEALTHY ? seen->reason : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct nf_file *) a)->name, ((const struct nf_file *) b)->name);
}

const struct nf *translate_observed(struct arena *arena, const struct leaf_nf *seen, const char *site, const char *ems)
{
	struct nf *nf = ARENA_NEW(arena, struct nf);
	struct nf_file *files = ARENA_ARRAY(arena, struct nf_file, seen->n_files + 1);
	for (size_t i = 0; i < seen->n_files; i++)
		files[i] = (struct nf_file) {
			.name = seen->files[i].name,
			.path = seen->files[i].path,
			.content = seen->files[i].content,
			.digest = seen->files[i].digest,
			.mode = seen->files[i].mode,
			.on_change = observed_on_change(seen->files[i].on_change),
		};
	qsort(files, seen->n_files, sizeof(*files), by_name);
	struct nf_secret *secrets = ARENA_ARRAY(arena, struct nf_secret, seen->n_secrets + 1);
	for (size_t i = 0; i < seen->n_secrets; i++)
		secrets[i] = (struct nf_secret) { .name = seen->secrets[i].name, .proof = seen->secrets[i].proof };
	qsort(secrets, seen->n_secrets, sizeof(*secrets), secret_by_name);
	*nf = (struct nf) {
		.key = seen->key,
		.site = arena_strdup(arena, site),
		.incarnation = seen->incarnation,
		.state = observed_state(seen->state),
		.command = seen->command,
		.n_command = seen->n_command,
		.ems = arena_strdup(arena, ems),
		.stateful = seen->stateful,
		.files = files,
		.n_files = seen->n_files,
		.package = seen->package,
		.health_check = observed_check(&seen->health_check),
		.secrets = secrets,
		.n_secrets = seen->n_secrets,
		.health = observed_health(seen->health),
		.reason = reason_of(seen),
		.restarts = seen->restarts,
		.pid = seen->pid,
	};
	for (enum nf_verb verb = 0; verb < NF_N_VERBS; verb++)
		nf->operations[verb] = observed_operation(arena, &seen->operations[verbs[verb]]);
	return nf;
}

static enum verdict G_GNUC_PRINTF(3, 4) fail(GError **error, enum pleach_error code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, PLEACH_ERROR, code, text);
	return VERDICT_FAILED;
}

static const struct leaf_file *find_file(const struct leaf_nf *nf, const char *name)
{
	for (size_t i = 0; i < nf->n_files; i++)
		if (strcmp(nf->files[i].name, name) == 0)
			return &nf->files[i];
	return NULL;
}

/* What lies on the VNF's disk is what was sent. */
static bool files_are_there(const struct leaf_nf *want, const struct leaf_nf *seen, GError **error)
{
	if (want->n_files != seen->n_files) {
		fail(error, PLEACH_ERROR_RETRY, "%zu files were sent, and there are %zu", want->n_files, seen->n_files);
		return false;
	}
	for (size_t i = 0; i < want->n_files; i++) {
		const struct leaf_file *wanted = &want->files[i], *file = find_file(seen, wanted->name);
		if (!file || strcmp(file->path, wanted->path) != 0 || !file->digest || !file->mode) {
			fail(error, PLEACH_ERROR_RETRY, "file \"%s\" was sent, and is not at %s", wanted->name, wanted->path);
			return false;
		}
		g_autofree char *digest = wanted->label ? g_strdup(wanted->label)
							: g_compute_checksum_for_string(G_CHECKSUM_SHA256, wanted->content, -1);
		if (strcmp(digest, file->digest) != 0 || strcmp(wanted->mode, file->mode) != 0) {
			fail(error, PLEACH_ERROR_RETRY, "file \"%s\" was sent, and something else is at %s", wanted->name,
			     wanted->path);
			return false;
		}
	}
	return true;
}

static enum verdict when_started(const struct leaf_nf *want, const struct leaf_nf *seen, GError **error)
{
	switch (seen->state) {
	case LEAF_STARTED:
		return VERDICT_DONE;
	case LEAF_STARTING:
	case LEAF_STOPPING: /* the former instance is still ending */
		return VERDICT_WAIT;
	case LEAF_FAILED:
		return fail(error, PLEACH_ERROR_PERMANENT, "\"%s\" failed: %s", want->n_command ? want->command[0] : want->key,
			    seen->reason ? seen->reason : "it said nothing");
	case LEAF_STOPPED:
		return fail(error, PLEACH_ERROR_RETRY, "it was told to start, and is stopped");
	}
	return VERDICT_FAILED;
}

static enum verdict when_stopped(const struct leaf_nf *seen, GError **error)
{
	switch (seen->state) {
	case LEAF_STOPPED:
		return VERDICT_DONE;
	case LEAF_STOPPING:
		return VERDICT_WAIT;
	case LEAF_STARTED:
	case LEAF_STARTING:
	case LEAF_FAILED:
		return fail(error, PLEACH_ERROR_RETRY, "it was told to stop, and is %s", leaf_state_name(seen->state));
	}
	return VERDICT_FAILED;
}

enum verdict translate_verdict(const struct leaf_nf *want, const struct leaf_status *status, GError **error)
{
	const struct leaf_nf *seen = status->nf;
	if (!seen)
		return fail(error, PLEACH_ERROR_RETRY, "it took %s, and has none", want->key);
	if (strcmp(seen->key, want->key) != 0)
		return fail(error, PLEACH_ERROR_CONFLICT, "%s is there", seen->key);
	if (!leaf_nf_same_command(want, seen))
		return fail(error, PLEACH_ERROR_RETRY, "it has another command than it was sent");
	if (g_strcmp0(want->package, seen->package) != 0)
		return fail(error, PLEACH_ERROR_RETRY, "it has another package than it was told to have");
	if (want->state == LEAF_STARTED && seen->health == LEAF_UNHEALTHY)
		return fail(error, PLEACH_ERROR_RETRY, "it was found healthy, and is not any more: %s", seen->reason ? seen->reason :
			    "it said nothing");
	enum verdict verdict = want->state == LEAF_STARTED ? when_started(want, seen, error) : when_stopped(seen, error);
	if (verdict == VERDICT_DONE && !files_are_there(want, seen, error))
		return VERDICT_FAILED;
	return verdict;
}

static enum verdict fail_change(const struct leaf_status *status, GError **error)
{
	const struct leaf_result *result = &status->result;
	const char *step = result->step ? result->step : "it", *words = result->words ? result->words : "it said nothing";
	enum pleach_error code = result->may_pass ? PLEACH_ERROR_RETRY : PLEACH_ERROR_PERMANENT;
	switch (result->outcome) {
	case LEAF_DONE:
		return VERDICT_DONE;
	case LEAF_UNTOUCHED:
		return fail(error, code, "%s failed: %s; the former is in force, untouched", step, words);
	case LEAF_TAKEN_BACK:
		return fail(error, code, "%s failed: %s; taken back: the former is in force again", step, words);
	case LEAF_BROKEN:
		return fail(error, code, "%s failed: %s", step, words);
	}
	return VERDICT_FAILED;
}

enum verdict translate_change(gint64 id, const struct leaf_nf *want, const struct leaf_status *status, GError **error)
{
	if (id == 0)
		return fail(error, PLEACH_ERROR_RETRY, "it took %s, and began no change", want->key);
	if (status->result.id == id)
		return fail_change(status, error);
	if (status->result.id > id || status->change.id > id)
		return fail(error, PLEACH_ERROR_RETRY, "another change came in between");
	if (status->change.id < id)
		return fail(error, PLEACH_ERROR_RETRY, "it forgot the change that it began");
	return VERDICT_WAIT;
}

enum verdict translate_removal(gint64 id, const struct leaf_status *status, GError **error)
{
	if (status->change.id == id && id != 0)
		return VERDICT_WAIT;
	if (status->result.id == id && status->result.outcome != LEAF_DONE) {
		fail_change(status, error);
		return VERDICT_FAILED;
	}
	return fail(error, PLEACH_ERROR_RETRY, "it was told to take %s away, and still has it", status->nf->key);
}

const struct sample *translate_metrics(struct arena *arena, const struct leaf_metrics *metrics)
{
	struct sample *sample = ARENA_NEW(arena, struct sample);
	size_t n = MIN(metrics->n_ports, (size_t) SAMPLE_PORTS_MAX);
	struct sample_port *ports = ARENA_ARRAY(arena, struct sample_port, n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct leaf_port *port = &metrics->ports[i];
		ports[i] = (struct sample_port) { port->name, port->rx_bytes, port->rx_packets, port->rx_drops, port->tx_bytes,
						  port->tx_packets, port->tx_drops };
	}
	*sample = (struct sample) { .cpu_us = metrics->cpu_us, .mem_bytes = metrics->mem_bytes, .disk_bytes = metrics->disk_bytes,
				    .processes = metrics->processes, .ports = ports, .n_ports = n };
	return sample;
}

void translate_wipe(char *text, size_t length)
{
	explicit_bzero(text, length);
}
