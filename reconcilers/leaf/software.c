#include "leaf/internal.h"
#include "leaf/process.h"

#include <signal.h>
#include <sys/wait.h>

bool software_is_wanted(const struct supervisor *supervisor)
{
	const struct leaf_nf *nf = supervisor->now.nf;
	return nf && nf->state == LEAF_STARTED && nf->n_command > 0 && !supervisor->software.held && !supervisor->deleting &&
	       !supervisor->ending_all;
}

void software_renew(struct supervisor *supervisor, gint64 now_us)
{
	struct software *software = &supervisor->software;
	g_clear_pointer(&software->reason, g_free);
	software->failures = 0;
	software->start_us = now_us;
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
	struct software *software = &supervisor->software;
	g_free(software->reason);
	software->reason = reason;
	software->failures++;
	software->start_us = now_us + backoff_us(software->failures);
	output_note(supervisor->output, "failed: %s", reason);
	health_process_ended(supervisor);
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

void software_ended(struct supervisor *supervisor, int status, gint64 now_us)
{
	struct software *software = &supervisor->software;
	gint64 lived_us = now_us - software->started_us;
	bool by_itself = !software->told_to_end;
	g_autofree char *how = process_exit_text(status);
	supervisor_read(supervisor); /* its last words may still be on their way */
	software->pid = 0;
	software->told_to_end = false;
	strays_after_software(supervisor);
	if (!by_itself) {
		output_note(supervisor->output, "stopped: %s", how);
		software->start_us = now_us;
		return;
	}
	if (lived_us >= ms(STEADY_MS))
		software->failures = 0;
	failed(supervisor, last_words(supervisor, status, how, lived_us / 1000), now_us);
}

static void start(struct supervisor *supervisor, gint64 now_us)
{
	struct software *software = &supervisor->software;
	const struct leaf_nf *nf = supervisor->now.nf;
	g_autoptr(GError) fault = NULL;
	g_autofree char *key = g_strconcat("PLEACH_KEY=", nf->key, NULL);
	g_autofree char *folder = nf->package ? packages_folder(supervisor->packages, nf->package) : NULL;
	g_autofree char *package = folder ? g_strconcat("PLEACH_PACKAGE=", folder, NULL) : NULL;
	const char *const environment[] = { key, package, NULL };
	if (software->failures > 0)
		software->restarts++;
	output_begin(supervisor->output);
	software->pid = process_start(&(struct process_want) { .argv = nf->command, .environment = environment,
		.output_fd = supervisor->pipe[1], .error_fd = supervisor->pipe[1] }, &fault);
	software->started_us = now_us;
	software->told_to_end = false;
	if (software->pid == 0) {
		failed(supervisor, g_strdup(fault->message), now_us);
		return;
	}
	output_note(supervisor->output, "started: %s, pid %d", nf->command[0], software->pid);
	health_begin(supervisor, now_us);
}

static void end_process(struct supervisor *supervisor, gint64 now_us)
{
	struct software *software = &supervisor->software;
	if (!software->told_to_end) {
		software->told_to_end = true;
		software->kill_us = now_us + ms(supervisor->ending_all ? END_GRACE_MS : STOP_GRACE_MS);
		process_signal(software->pid, SIGTERM);
	} else if (now_us >= software->kill_us) {
		software->kill_us = G_MAXINT64;
		process_signal(software->pid, SIGKILL);
	}
}

void software_end_soon(struct supervisor *supervisor, gint64 now_us)
{
	struct software *software = &supervisor->software;
	if (software->told_to_end)
		software->kill_us = MIN(software->kill_us, now_us + ms(END_GRACE_MS));
}

void software_run(struct supervisor *supervisor, gint64 now_us)
{
	const struct software *software = &supervisor->software;
	bool wanted = software_is_wanted(supervisor);
	/* Once told to end it is let go, even when it is wanted again meanwhile: the next one takes its place. */
	if (software->pid != 0 && (!wanted || software->told_to_end))
		end_process(supervisor, now_us);
	else if (software->pid == 0 && wanted && now_us >= software->start_us)
		start(supervisor, now_us);
}

bool software_has_settled(const struct supervisor *supervisor, gint64 now_us)
{
	const struct software *software = &supervisor->software;
	return software->pid != 0 && now_us - software->started_us >= ms(SETTLE_MS);
}

gint64 software_next_us(const struct supervisor *supervisor, gint64 now_us)
{
	const struct software *software = &supervisor->software;
	if (software->pid == 0)
		return software_is_wanted(supervisor) ? software->start_us : -1;
	if (software->told_to_end)
		return software->kill_us != G_MAXINT64 ? software->kill_us : -1;
	return software_has_settled(supervisor, now_us) ? -1 : software->started_us + ms(SETTLE_MS);
}
