#include "ems/leaf/translate.h"

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
		};
	wanted->files = files;
	wanted->n_files = nf->n_files;
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
			.digest = seen->files[i].digest,
			.mode = seen->files[i].mode,
		};
	qsort(files, seen->n_files, sizeof(*files), by_name);
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
		.reason = seen->state == LEAF_STOPPING ? "being stopped" : seen->state == LEAF_FAILED ? seen->reason : NULL,
		.restarts = seen->restarts,
		.pid = seen->pid,
	};
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
		g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, wanted->content, -1);
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
	enum verdict verdict = want->state == LEAF_STARTED ? when_started(want, seen, error) : when_stopped(seen, error);
	if (verdict == VERDICT_DONE && !files_are_there(want, seen, error))
		return VERDICT_FAILED;
	return verdict;
}
