#include "leaf/internal.h"

#include "base/file.h"
#include "leaf/files.h"
#include "leaf/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READ_AT_ONCE_BYTES = 16 * 1024,
	READ_PER_TURN = 8, /* more than a pipe holds; then others have their turn, however much the software prints */
};

void want_set(struct want *want, const struct want *from)
{
	struct want former = *want;
	*want = (struct want) { 0 };
	if (from && from->arena)
		*want = (struct want) { arena_ref(from->arena), from->nf, g_strdup(from->digest) };
	if (former.arena)
		arena_unref(former.arena);
	g_free(former.digest);
}

static void make_salt(char salt[65])
{
	guint8 bytes[32];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
		g_error("cannot get random bytes: %s", g_strerror(errno));
	for (size_t i = 0; i < sizeof(bytes); i++)
		g_snprintf(salt + 2 * i, 3, "%02x", bytes[i]);
}

struct supervisor *supervisor_new(const char *folder, gint64 now_us, GError **error)
{
	struct supervisor *supervisor = g_new0(struct supervisor, 1);
	g_autofree char *packages = g_build_filename(folder, "packages", NULL);
	*supervisor = (struct supervisor) { .born_us = now_us, .pipe = { -1, -1 }, .bell_fd = -1, .folder = g_strdup(folder),
		.new_folder = g_build_filename(folder, "new", NULL), .output = output_new(), .packages = packages_new(packages),
		.probe = probe_new(), .strays = g_hash_table_new(NULL, NULL), .change = { .next_us = -1 } };
	make_salt(supervisor->salt);
	file_remove_tree(supervisor->new_folder, NULL);
	supervisor->operation = operation_new(supervisor->output, error);
	if (supervisor->operation && pipe2(supervisor->pipe, O_CLOEXEC) != 0)
		pleach_error_errno(error, errno, "cannot make a pipe");
	if (supervisor->pipe[0] < 0) {
		supervisor_free(supervisor);
		return NULL;
	}
	/* Only our end: the software writes with ordinary, blocking writes. */
	fcntl(supervisor->pipe[0], F_SETFL, O_NONBLOCK);
	return supervisor;
}

void supervisor_free(struct supervisor *supervisor)
{
	for (size_t i = 0; i < 2; i++)
		if (supervisor->pipe[i] >= 0)
			close(supervisor->pipe[i]);
	if (supervisor->operation)
		operation_free(supervisor->operation);
	change_clear(&supervisor->change);
	want_set(&supervisor->now, NULL);
	packages_free(supervisor->packages);
	probe_free(supervisor->probe);
	output_free(supervisor->output);
	g_hash_table_unref(supervisor->strays);
	g_free((char *) (guintptr) supervisor->result.words);
	g_free(supervisor->software.reason);
	g_free(supervisor->health.words);
	g_free(supervisor->failure);
	g_free(supervisor->folder);
	g_free(supervisor->new_folder);
	g_free(supervisor);
}

/* --- what is wanted ------------------------------------------------------------------------------------------------------- */

const struct leaf_file *file_at(const struct leaf_nf *nf, const char *path)
{
	for (size_t i = 0; i < nf->n_files; i++)
		if (strcmp(nf->files[i].path, path) == 0)
			return &nf->files[i];
	return NULL;
}

static bool refuse(GError **error, enum pleach_error code, const char *text)
{
	g_set_error_literal(error, PLEACH_ERROR, code, text);
	return false;
}

static bool has_room(const struct leaf_nf *nf, GError **error)
{
	for (size_t i = 0; i < nf->n_files; i++) {
		struct stat st;
		if (lstat(nf->files[i].path, &st) != 0 || !S_ISDIR(st.st_mode))
			continue;
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "file \"%s\": %s is a folder", nf->files[i].name, nf->files[i].path);
		return false;
	}
	return true;
}

static bool is_free(const struct supervisor *supervisor, gint64 now_us, GError **error)
{
	const struct change *change = &supervisor->change;
	if (change->id == 0)
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "another change is under way: %s since %" G_GINT64_FORMAT " ms",
		    step_name(change->steps[change->at]), (now_us - change->since_us) / 1000);
	return false;
}

bool supervisor_put(struct supervisor *supervisor, struct arena *arena, const struct leaf_nf *nf, const char *digest, gint64 now_us,
		    GError **error)
{
	const struct leaf_nf *now = supervisor->now.nf;
	const struct want want = { arena, nf, (char *) (guintptr) digest };
	if (supervisor->ending_all)
		return refuse(error, PLEACH_ERROR_RETRY, "this VNF is about to end");
	if (now && strcmp(now->key, nf->key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in this VNF already%s", now->key,
			    supervisor->deleting ? ", about to end" : "");
		return false;
	}
	if (g_strcmp0(supervisor->change.to.digest, digest) == 0 && !supervisor->change.taking_back && !supervisor->change.cancelled)
		return true; /* that is what is under way */
	if (!is_free(supervisor, now_us, error) || !has_room(nf, error))
		return false;
	if (nf->package && !packages_has(supervisor->packages, nf->package)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "package %s is not here", nf->package);
		return false;
	}
	change_begin(supervisor, &want, now_us);
	return true;
}

void supervisor_cancel(struct supervisor *supervisor, gint64 id)
{
	struct change *change = &supervisor->change;
	bool has_way_back = !change->from.nf || change->renews;
	if (change->id != id || change->taking_back || !change->to.nf || !has_way_back)
		return;
	change->cancelled = true;
	operation_give_up(supervisor->operation);
}

bool supervisor_delete(struct supervisor *supervisor, const char *key, gint64 now_us, GError **error)
{
	const struct leaf_nf *now = supervisor->now.nf;
	if (!now)
		return true;
	if (key && strcmp(key, now->key) != 0) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is in this VNF, not %s", now->key, key);
		return false;
	}
	if (!supervisor->deleting) {
		supervisor->deleting = true;
		change_begin(supervisor, NULL, now_us);
	}
	return true;
}

void supervisor_end(struct supervisor *supervisor, gint64 now_us)
{
	supervisor->ending_all = true;
	software_end_soon(supervisor, now_us);
	operation_give_up(supervisor->operation);
}

bool supervisor_has_ended(const struct supervisor *supervisor)
{
	return supervisor->ending_all && supervisor->software.pid == 0 && !operation_runs(supervisor->operation);
}

void supervisor_end_strays(struct supervisor *supervisor)
{
	strays_end_all(supervisor);
}

/* --- what is ---------------------------------------------------------------------------------------------------------------- */

void supervisor_fds(const struct supervisor *supervisor, struct pollfd ret[SUPERVISOR_FDS])
{
	int fds[OPERATION_FDS];
	operation_fds(supervisor->operation, fds);
	ret[0] = (struct pollfd) { .fd = supervisor->pipe[0], .events = POLLIN };
	ret[1] = (struct pollfd) { .fd = fds[0], .events = POLLIN };
	ret[2] = (struct pollfd) { .fd = fds[1], .events = POLLIN };
	ret[3] = (struct pollfd) { .fd = -1 };
	ret[3].fd = probe_fd(supervisor->probe, &ret[3].events);
}

void supervisor_read(struct supervisor *supervisor)
{
	char buffer[READ_AT_ONCE_BYTES];
	for (unsigned i = 0; i < READ_PER_TURN; i++) {
		ssize_t n = read(supervisor->pipe[0], buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		output_feed(supervisor->output, OUTPUT_NF, buffer, (size_t) n);
	}
	operation_read(supervisor->operation);
}

const struct output *supervisor_output(const struct supervisor *supervisor)
{
	return supervisor->output;
}

struct packages *supervisor_packages(struct supervisor *supervisor)
{
	return supervisor->packages;
}

gint64 supervisor_seq(const struct supervisor *supervisor)
{
	return supervisor->seq;
}

const char *supervisor_folder(const struct supervisor *supervisor)
{
	return supervisor->folder;
}

void supervisor_set_bell(struct supervisor *supervisor, int fd)
{
	supervisor->bell_fd = fd;
}

static void reaped(struct supervisor *supervisor, pid_t pid, int status, gint64 now_us)
{
	g_hash_table_remove(supervisor->strays, GINT_TO_POINTER(pid));
	if (pid == supervisor->software.pid) {
		software_ended(supervisor, status, now_us);
	} else if (pid == operation_pid(supervisor->operation)) {
		operation_ended(supervisor->operation, status);
		strays_after_operation(supervisor, operation_result(supervisor->operation)->good);
	}
}

void supervisor_reap(struct supervisor *supervisor, gint64 now_us)
{
	for (;;) {
		/* Looked at before it is reaped: until then its process id, and so the group's, cannot be another's. */
		siginfo_t info = { 0 };
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
			return;
		if (info.si_pid == supervisor->software.pid)
			process_signal(info.si_pid, SIGKILL); /* nothing of an instance that ended may run beside the next one */
		int status = 0;
		if (waitpid(info.si_pid, &status, 0) == info.si_pid)
			reaped(supervisor, info.si_pid, status, now_us);
	}
}

static bool is_starting(const struct supervisor *supervisor)
{
	return change_is_on(supervisor) && !supervisor->deleting && supervisor->now.nf->state == LEAF_STARTED;
}

static enum leaf_state state_without_process(const struct supervisor *supervisor)
{
	if (supervisor->health.said == LEAF_STARTED || !is_starting(supervisor))
		return supervisor->health.said;
	return LEAF_STARTING;
}

static enum leaf_state state_with_process(const struct supervisor *supervisor, gint64 now_us)
{
	const struct software *software = &supervisor->software;
	if (supervisor->now.nf->state == LEAF_STOPPED || supervisor->deleting || supervisor->ending_all)
		return LEAF_STOPPED;
	if (software_has_settled(supervisor, now_us))
		return LEAF_STARTED;
	return software->failures > 0 || (software->held && !change_is_on(supervisor)) ? LEAF_FAILED : LEAF_STARTING;
}

enum leaf_state state_now(const struct supervisor *supervisor, gint64 now_us)
{
	const struct software *software = &supervisor->software;
	if (software->pid != 0 && (software->told_to_end || !software_is_wanted(supervisor)))
		return LEAF_STOPPING;
	if (supervisor->failure && software->pid == 0 && !change_is_on(supervisor))
		return LEAF_FAILED;
	return supervisor->now.nf->n_command > 0 ? state_with_process(supervisor, now_us) : state_without_process(supervisor);
}

static const char *reason_now(const struct supervisor *supervisor, enum leaf_state state)
{
	if (supervisor->software.reason)
		return supervisor->software.reason;
	if (supervisor->failure && state == LEAF_FAILED)
		return supervisor->failure;
	bool unwell = supervisor->health.now == LEAF_UNHEALTHY || state == LEAF_FAILED;
	return unwell ? supervisor->health.words : NULL;
}

static enum leaf_health health_now(const struct supervisor *supervisor)
{
	return supervisor->now.nf->health_check.type == LEAF_PROBE_NONE ? LEAF_UNCHECKED : supervisor->health.now;
}

const struct leaf_status *supervisor_status(struct supervisor *supervisor, struct arena *arena, gint64 now_us)
{
	struct leaf_status *status = ARENA_NEW(arena, struct leaf_status);
	const struct change *change = &supervisor->change;
	status->version = PLEACH_VERSION;
	status->pid = getpid();
	status->uptime_ms = (now_us - supervisor->born_us) / 1000;
	status->seq = supervisor->seq;
	status->result = supervisor->result;
	status->packages = packages_list(supervisor->packages, arena, &status->n_packages);
	if (change->id)
		status->change = (struct leaf_change) { change->id, step_name(change->steps[change->at]), (now_us - change->since_us) / 1000 };
	if (!supervisor->now.nf)
		return status;
	struct leaf_nf *nf = ARENA_NEW(arena, struct leaf_nf);
	*nf = *supervisor->now.nf;
	nf->state = state_now(supervisor, now_us);
	/* In a change, or after one that broke, a file may hold a secret of the other side of it. */
	bool texts = !change_is_on(supervisor) && supervisor->result.outcome != LEAF_BROKEN;
	nf->files = files_observe(arena, supervisor->now.nf->files, supervisor->now.nf->n_files, supervisor->salt, texts);
	nf->health = health_now(supervisor);
	nf->pid = supervisor->software.pid;
	nf->restarts = supervisor->software.restarts;
	nf->reason = arena_strdup(arena, reason_now(supervisor, nf->state));
	status->nf = nf;
	return status;
}

/* --- from one to the other ------------------------------------------------------------------------------------------------ */

static void ring(struct supervisor *supervisor)
{
	if (supervisor->bell_fd < 0 || write(supervisor->bell_fd, "!", 1) == 1 || errno == EAGAIN || errno == EINTR)
		return; /* full: whoever listens has not looked yet, and will */
	close(supervisor->bell_fd);
	supervisor->bell_fd = -1;
}

static void tell(struct supervisor *supervisor, gint64 now_us)
{
	struct signature now = { .change = supervisor->change.id, .at = supervisor->change.at, .result = supervisor->result.id,
		.nf = supervisor->now.nf, .pid = supervisor->software.pid, .restarts = supervisor->software.restarts };
	if (now.nf) {
		now.state = state_now(supervisor, now_us);
		now.health = health_now(supervisor);
	}
	const struct signature *seen = &supervisor->seen;
	bool rings = now.state != seen->state || now.health != seen->health || now.pid != seen->pid || (now.nf == NULL) != (seen->nf == NULL);
	if (!rings && now.change == seen->change && now.at == seen->at && now.result == seen->result && now.nf == seen->nf &&
	    now.restarts == seen->restarts)
		return;
	supervisor->seen = now;
	supervisor->seq++;
	if (rings)
		ring(supervisor);
}

void supervisor_run(struct supervisor *supervisor, gint64 now_us)
{
	operation_run(supervisor->operation, now_us);
	if (!supervisor->ending_all) {
		health_run(supervisor, now_us);
		change_run(supervisor, now_us);
	}
	software_run(supervisor, now_us);
	health_run(supervisor, now_us);
	tell(supervisor, now_us);
}

gint64 supervisor_next_us(const struct supervisor *supervisor, gint64 now_us)
{
	gint64 next_us = sooner(software_next_us(supervisor, now_us), operation_next_us(supervisor->operation));
	next_us = sooner(next_us, supervisor->change.id ? supervisor->change.next_us : -1);
	return sooner(next_us, health_next_us(supervisor));
}
