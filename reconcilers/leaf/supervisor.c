#include "leaf/supervisor.h"

#include "leaf/files.h"
#include "leaf/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_AT_ONCE_BYTES = 16 * 1024,
	READ_PER_TURN = 8, /* more than a pipe holds; then others have their turn, however much the software prints */
};

struct supervisor {
	gint64 born_us;
	struct output *output;
	int pipe[2]; /* one for all starts: what survives a start that ended still has somewhere to write */

	struct arena *arena; /* of @nf */
	const struct leaf_nf *nf;
	bool deleting, ending_all;
	unsigned generation; /* of the desired NF: rises when its process must be a new one */

	pid_t pid;           /* 0: no process */
	unsigned running;    /* generation that it was started with */
	gint64 started_us;
	bool told_to_end;
	gint64 kill_us;      /* when SIGTERM will not have been enough */

	gint64 start_us;     /* not started before */
	unsigned failures;   /* in a row */
	gint64 restarts;
	char *reason;        /* of the last failure, or NULL */
};

static gint64 ms(gint64 milliseconds)
{
	return milliseconds * 1000;
}

struct supervisor *supervisor_new(gint64 now_us, GError **error)
{
	struct supervisor *supervisor = g_new0(struct supervisor, 1);
	if (pipe2(supervisor->pipe, O_CLOEXEC) != 0) {
		pleach_error_errno(error, errno, "cannot make a pipe");
		g_free(supervisor);
		return NULL;
	}
	/* Only our end: the software writes with ordinary, blocking writes. */
	fcntl(supervisor->pipe[0], F_SETFL, O_NONBLOCK);
	supervisor->born_us = now_us;
	supervisor->output = output_new();
	return supervisor;
}

void supervisor_free(struct supervisor *supervisor)
{
	close(supervisor->pipe[0]);
	close(supervisor->pipe[1]);
	output_free(supervisor->output);
	if (supervisor->arena)
		arena_unref(supervisor->arena);
	g_free(supervisor->reason);
	g_free(supervisor);
}

/* --- what is wanted ------------------------------------------------------------------------------------------------------- */

static const struct leaf_file *file_at(const struct leaf_nf *nf, const char *path)
{
	for (size_t i = 0; i < nf->n_files; i++)
		if (strcmp(nf->files[i].path, path) == 0)
			return &nf->files[i];
	return NULL;
}

/* The files by what the software sees of them; what an artifact is called matters to nobody here. */
static bool same_files(const struct leaf_nf *a, const struct leaf_nf *b)
{
	if (a->n_files != b->n_files)
		return false;
	for (size_t i = 0; i < a->n_files; i++) {
		const struct leaf_file *file = &a->files[i], *other = file_at(b, file->path);
		if (!other || strcmp(file->mode, other->mode) != 0 || strcmp(file->content, other->content) != 0)
			return false;
	}
	return true;
}

/* Takes away the files of the present NF that @next (NULL: nothing) does not have. */
static void remove_files(struct supervisor *supervisor, const struct leaf_nf *next)
{
	for (size_t i = 0; i < supervisor->nf->n_files; i++) {
		const char *path = supervisor->nf->files[i].path;
		g_autoptr(GError) fault = NULL;
		if (!(next && file_at(next, path)) && !files_remove(path, &fault))
			output_note(supervisor->output, "%s", fault->message);
	}
}

static void take_up(struct supervisor *supervisor, struct arena *arena, const struct leaf_nf *nf)
{
	arena_ref(arena);
	if (supervisor->arena)
		arena_unref(supervisor->arena);
	supervisor->arena = arena;
	supervisor->nf = nf;
	supervisor->deleting = false;
}

static void forget(struct supervisor *supervisor)
{
	remove_files(supervisor, NULL);
	arena_unref(g_steal_pointer(&supervisor->arena));
	supervisor->nf = NULL;
	supervisor->deleting = false;
	g_clear_pointer(&supervisor->reason, g_free);
	supervisor->failures = 0;
	supervisor->restarts = 0;
}

bool supervisor_put(struct supervisor *supervisor, struct arena *arena, const struct leaf_nf *nf, gint64 now_us, GError **error)
{
	const struct leaf_nf *former = supervisor->nf;
	if (supervisor->ending_all) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "this VNF is about to end");
		return false;
	}
	if (former && strcmp(former->key, nf->key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in this VNF already%s", former->key,
			    supervisor->deleting ? ", about to end" : "");
		return false;
	}
	bool files_changed = false;
	if (!files_put(nf->files, nf->n_files, &files_changed, error)) {
		/* A rename that failed after others had been done: the process is older than its files. */
		if (files_changed)
			supervisor->generation++;
		return false;
	}
	bool changed = !former || files_changed || !leaf_nf_same_command(former, nf) || !same_files(former, nf);
	if (former)
		remove_files(supervisor, nf);
	take_up(supervisor, arena, nf);
	if (changed) {
		supervisor->generation++;
		supervisor->restarts = 0;
		g_clear_pointer(&supervisor->reason, g_free);
	}
	supervisor->failures = 0;
	supervisor->start_us = now_us;
	return true;
}

bool supervisor_delete(struct supervisor *supervisor, const char *key, GError **error)
{
	if (!supervisor->nf)
		return true;
	if (key && strcmp(key, supervisor->nf->key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in this VNF, not %s", supervisor->nf->key, key);
		return false;
	}
	supervisor->deleting = true;
	return true;
}

void supervisor_end(struct supervisor *supervisor, gint64 now_us)
{
	supervisor->ending_all = true;
	if (supervisor->told_to_end)
		supervisor->kill_us = MIN(supervisor->kill_us, now_us + ms(END_GRACE_MS));
}

bool supervisor_has_ended(const struct supervisor *supervisor)
{
	return supervisor->ending_all && supervisor->pid == 0;
}

static bool wants_process(const struct supervisor *supervisor)
{
	const struct leaf_nf *nf = supervisor->nf;
	return nf && nf->state == LEAF_STARTED && nf->n_command > 0 && !supervisor->deleting && !supervisor->ending_all;
}

/* --- what is ---------------------------------------------------------------------------------------------------------------- */

void supervisor_read(struct supervisor *supervisor)
{
	char buffer[READ_AT_ONCE_BYTES];
	for (unsigned i = 0; i < READ_PER_TURN; i++) {
		ssize_t n = read(supervisor->pipe[0], buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		output_feed(supervisor->output, buffer, (size_t) n);
	}
}

int supervisor_output_fd(const struct supervisor *supervisor)
{
	return supervisor->pipe[0];
}

const struct output *supervisor_output(const struct supervisor *supervisor)
{
	return supervisor->output;
}

static gint64 backoff_us(unsigned failures)
{
	gint64 wait_ms = RESTART_MIN_MS;
	for (unsigned i = 1; i < failures && wait_ms < RESTART_MAX_MS; i++)
		wait_ms *= 2;
	return ms(MIN(wait_ms, RESTART_MAX_MS));
}

/* Owns @reason. */
static void failed(struct supervisor *supervisor, char *reason, gint64 now_us)
{
	g_free(supervisor->reason);
	supervisor->reason = reason;
	supervisor->failures++;
	supervisor->start_us = now_us + backoff_us(supervisor->failures);
	output_note(supervisor->output, "failed: %s", reason);
}

/* How it ended and what it said last. Owned by the caller. */
static char *last_words(const struct supervisor *supervisor, int status, const char *how, gint64 lived_ms)
{
	bool went_away = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	const char *hint = went_away ? " (a command is to stay in the foreground)" : "";
	g_autofree char *words = output_last_words(supervisor->output);
	return g_strdup_printf("%s after %" G_GINT64_FORMAT " ms%s%s%s", how, lived_ms, hint, words ? ": " : "",
			       words ? words : "");
}

static void ended(struct supervisor *supervisor, int status, gint64 now_us)
{
	gint64 lived_us = now_us - supervisor->started_us;
	bool by_itself = !supervisor->told_to_end;
	g_autofree char *how = process_exit_text(status);
	supervisor_read(supervisor); /* its last words may still be on their way */
	supervisor->pid = 0;
	supervisor->told_to_end = false;
	if (!by_itself) {
		output_note(supervisor->output, "stopped: %s", how);
		supervisor->start_us = now_us;
		return;
	}
	if (lived_us >= ms(STEADY_MS))
		supervisor->failures = 0;
	failed(supervisor, last_words(supervisor, status, how, lived_us / 1000), now_us);
}

void supervisor_reap(struct supervisor *supervisor, gint64 now_us)
{
	int status = 0;
	if (process_reap(supervisor->pid, &status))
		ended(supervisor, status, now_us);
}

/* --- from one to the other ------------------------------------------------------------------------------------------------ */

static void start(struct supervisor *supervisor, gint64 now_us)
{
	g_autoptr(GError) fault = NULL;
	if (supervisor->failures > 0)
		supervisor->restarts++;
	output_begin(supervisor->output);
	supervisor->pid = process_start(supervisor->nf->command, supervisor->nf->key, supervisor->pipe[1], &fault);
	supervisor->running = supervisor->generation;
	supervisor->started_us = now_us;
	supervisor->told_to_end = false;
	if (supervisor->pid == 0)
		failed(supervisor, g_strdup(fault->message), now_us);
	else
		output_note(supervisor->output, "started: %s, pid %d", supervisor->nf->command[0], supervisor->pid);
}

static void end_process(struct supervisor *supervisor, gint64 now_us)
{
	if (!supervisor->told_to_end) {
		supervisor->told_to_end = true;
		supervisor->kill_us = now_us + ms(supervisor->ending_all ? END_GRACE_MS : STOP_GRACE_MS);
		process_signal(supervisor->pid, SIGTERM);
	} else if (now_us >= supervisor->kill_us) {
		supervisor->kill_us = G_MAXINT64;
		process_signal(supervisor->pid, SIGKILL);
	}
}

void supervisor_run(struct supervisor *supervisor, gint64 now_us)
{
	bool wanted = wants_process(supervisor);
	if (supervisor->pid != 0) {
		/* Once told to end it is let go, even when it is wanted again meanwhile: the next one takes its place. */
		if (!wanted || supervisor->told_to_end || supervisor->running != supervisor->generation)
			end_process(supervisor, now_us);
		return;
	}
	if (supervisor->deleting)
		forget(supervisor);
	else if (wanted && now_us >= supervisor->start_us)
		start(supervisor, now_us);
}

gint64 supervisor_next_us(const struct supervisor *supervisor)
{
	if (supervisor->pid != 0)
		return supervisor->told_to_end && supervisor->kill_us != G_MAXINT64 ? supervisor->kill_us : -1;
	return wants_process(supervisor) ? supervisor->start_us : -1;
}

static enum leaf_state state_now(const struct supervisor *supervisor, gint64 now_us)
{
	if (supervisor->pid != 0 && (supervisor->told_to_end || !wants_process(supervisor)))
		return LEAF_STOPPING;
	if (supervisor->nf->state == LEAF_STOPPED || supervisor->deleting || supervisor->ending_all)
		return LEAF_STOPPED;
	if (supervisor->nf->n_command == 0)
		return LEAF_STARTED;
	if (supervisor->pid != 0 && now_us - supervisor->started_us >= ms(SETTLE_MS))
		return LEAF_STARTED;
	return supervisor->failures > 0 ? LEAF_FAILED : LEAF_STARTING;
}

const struct leaf_status *supervisor_status(struct supervisor *supervisor, struct arena *arena, gint64 now_us)
{
	struct leaf_status *status = ARENA_NEW(arena, struct leaf_status);
	status->version = PLEACH_VERSION;
	status->pid = getpid();
	status->uptime_ms = (now_us - supervisor->born_us) / 1000;
	if (!supervisor->nf)
		return status;
	struct leaf_nf *nf = ARENA_NEW(arena, struct leaf_nf);
	*nf = *supervisor->nf;
	nf->state = state_now(supervisor, now_us);
	nf->files = files_observe(arena, supervisor->nf->files, supervisor->nf->n_files);
	nf->pid = supervisor->pid;
	nf->restarts = supervisor->restarts;
	nf->reason = arena_strdup(arena, supervisor->reason);
	status->nf = nf;
	return status;
}
