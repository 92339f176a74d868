#include "daemon/daemon.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/backend.h"
#include "daemon/reason.h"
#include "daemon/watches.h"

#include <glib-unix.h>
#include <string.h>

enum { STOP_WAIT_MS = 10 * 1000, STOP_LOOK_MS = 5, NF_LOOK_S = 5 };

struct daemon {
	const struct daemon_options *options;
	GMainLoop *loop;
	char *refused; /* why it cannot go on; NULL: it can */
	struct store *store;
	struct cycle *cycle;
	struct watches *watches;
	struct source_watch *source;
	struct backend backend;
	struct api *api;
	enum cycle_verdict told_verdict;
	gint64 told_converged; /* when the commit was seen that was told of as converged */
	char *told_commit, *told_error, *told_reason, *branch_trouble;
	gint64 stop_until_us;
};

/* --- what is told ----------------------------------------------------------------------------------------------------------- */

static void tell_revision(struct daemon *daemon, const struct cycle_view *now)
{
	const char *commit = now->revision ? snapshot_revision(now->revision->snapshot) : NULL;
	if (g_strcmp0(commit, daemon->told_commit) == 0)
		return;
	g_free(daemon->told_commit);
	daemon->told_commit = g_strdup(commit);
	g_clear_pointer(&daemon->told_reason, g_free);
	log_info("commit %.10s: %s", commit, snapshot_summary(now->revision->snapshot) ? snapshot_summary(now->revision->snapshot) : "");
	const struct diags *diags = now->revision->diags;
	for (size_t i = 0; i < diags_count(diags); i++) {
		const struct diag *diag = diags_get(diags, i);
		if (diag->severity != SEVERITY_ERROR)
			continue;
		if (diag->origin.file)
			log_error("%s:%u:%u: error[%s]: %s", diag->origin.file, diag->origin.line, diag->origin.column, diag->code, diag->text);
		else
			log_error("error[%s]: %s", diag->code, diag->text);
	}
}

/* "KEY: …" twice: the words of a later try differ by a process's id and a time. */
static bool is_of_the_same(const char *reason, const char *told)
{
	size_t length = reason ? strcspn(reason, " ") : 0;
	return strncmp(reason ? reason : "", told, length) == 0 && (length || !*told);
}

/* Each object's reason once for each commit, not at every try. */
static void tell_stuck(struct daemon *daemon, const struct cycle_view *now)
{
	char *reason = reason_of(now);
	size_t n = now->plan->n_steps + now->plan->n_open;
	if (!daemon->told_reason || !is_of_the_same(reason, daemon->told_reason))
		log_warning("not converged: %s%s%zu thing%s left to do", reason ? reason : "", reason ? "; " : "", n,
			    n == 1 ? " is" : "s are");
	g_free(daemon->told_reason);
	daemon->told_reason = reason ? reason : g_strdup("");
}

static void tell_verdict(struct daemon *daemon, const struct cycle_view *now)
{
	if (now->phase != CYCLE_IDLE || now->verdict == daemon->told_verdict || now->verdict == CYCLE_WORKING)
		return;
	daemon->told_verdict = now->verdict;
	size_t n = now->network ? now->network->objects.n : 0;
	if (now->verdict == CYCLE_CONVERGED && daemon->told_converged == now->commit_seen_us)
		log_info("converged again: %zu object%s", n, n == 1 ? "" : "s");
	else if (now->verdict == CYCLE_CONVERGED)
		log_info("converged: %zu object%s, %.1f ms after the commit was seen", n, n == 1 ? "" : "s",
			 (double) (now->rested_us - now->commit_seen_us) / 1000);
	else if (now->verdict == CYCLE_STUCK && now->plan)
		tell_stuck(daemon, now);
	if (now->verdict == CYCLE_CONVERGED) {
		daemon->told_converged = now->commit_seen_us;
		g_clear_pointer(&daemon->told_reason, g_free);
	}
}

static void tell_error(struct daemon *daemon, const struct cycle_view *now)
{
	if (g_strcmp0(now->load_error, daemon->told_error) == 0)
		return;
	g_free(daemon->told_error);
	daemon->told_error = g_strdup(now->load_error);
	if (now->load_error)
		log_error("%s", now->load_error);
}

static gboolean asked_to_stop(gpointer data);

static void changed(void *data)
{
	struct daemon *daemon = data;
	if (!daemon->cycle)
		return;
	const struct cycle_view *now = cycle_view(daemon->cycle);
	tell_revision(daemon, now);
	tell_error(daemon, now);
	if (now->refused && !now->revision && !daemon->refused) {
		daemon->refused = g_strdup(now->load_error);
		asked_to_stop(daemon);
	}
	if (now->phase == CYCLE_EXECUTING)
		daemon->told_verdict = CYCLE_WORKING;
	tell_verdict(daemon, now);
	if (daemon->watches)
		watches_refresh(daemon->watches);
}

static void operation_changed(const struct operation *operation, void *data)
{
	if (operation->state == OP_COMPLETED)
		log_info("%s %s: %s", action_name(operation->action), operation->key, op_state_name(operation->state));
	else if (operation->error)
		log_warning("%s %s: %s: %s", action_name(operation->action), operation->key, op_state_name(operation->state), operation->error);
	else
		log_debug("%s %s: %s", action_name(operation->action), operation->key, op_state_name(operation->state));
}

/* --- what happens ----------------------------------------------------------------------------------------------------------- */

static void read_branch(void *data)
{
	struct daemon *daemon = data;
	g_autofree char *commit = NULL;
	if (!source_watch_read(daemon->source, &commit))
		return;
	g_clear_pointer(&daemon->branch_trouble, g_free);
	if (commit)
		cycle_load(daemon->cycle);
	else {
		bool had = cycle_view(daemon->cycle)->revision != NULL;
		daemon->branch_trouble = g_strdup_printf("branch %s of %s is %s", daemon->options->branch, daemon->options->repo,
							 had ? "gone; what was last asked for is kept" : "not there yet");
		log_warning("%s", daemon->branch_trouble);
	}
	daemon->backend.source_trouble = daemon->branch_trouble;
}

static gboolean pushed(int fd, GIOCondition condition, gpointer data)
{
	read_branch(data);
	return G_SOURCE_CONTINUE;
}

static gboolean poll_due(gpointer data)
{
	struct daemon *daemon = data;
	read_branch(daemon);
	/* What could not be taken up may be possible now: another controller may have ended. */
	if (cycle_view(daemon->cycle)->load_error && cycle_view(daemon->cycle)->phase == CYCLE_IDLE)
		cycle_load(daemon->cycle);
	return G_SOURCE_CONTINUE;
}

/* A VIM tells when a VNFC ends. Nobody tells when an NF in it does, which its EMS starts again and again. */
static gboolean nf_look_due(gpointer data)
{
	struct daemon *daemon = data;
	const struct cycle_view *now = cycle_view(daemon->cycle);
	if (now->phase != CYCLE_IDLE || now->verdict != CYCLE_CONVERGED)
		return G_SOURCE_CONTINUE;
	g_autoptr(GPtrArray) keys = g_ptr_array_new();
	for (size_t i = 0; i < now->network->objects.n; i++)
		if (now->network->objects.items[i]->kind == &kind_nf)
			g_ptr_array_add(keys, (gpointer) (guintptr) now->network->objects.items[i]->key);
	if (keys->len)
		cycle_look_again(daemon->cycle, keys);
	return G_SOURCE_CONTINUE;
}

static gboolean stop_when_idle(gpointer data)
{
	struct daemon *daemon = data;
	bool idle = cycle_view(daemon->cycle)->phase == CYCLE_IDLE;
	if (!idle && clock_monotonic_us() < daemon->stop_until_us)
		return G_SOURCE_CONTINUE;
	if (!idle)
		log_warning("operations are still under way; the next start looks at what became of them");
	g_main_loop_quit(daemon->loop);
	return G_SOURCE_REMOVE;
}

static gboolean asked_to_stop(gpointer data)
{
	struct daemon *daemon = data;
	if (daemon->stop_until_us)
		return G_SOURCE_CONTINUE;
	log_info("stopping; the network stays as it is");
	daemon->stop_until_us = clock_monotonic_us() + STOP_WAIT_MS * 1000;
	cycle_stop(daemon->cycle);
	g_timeout_add(STOP_LOOK_MS, stop_when_idle, daemon);
	return G_SOURCE_CONTINUE;
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static bool open_store(struct daemon *daemon, GError **error)
{
	if (!file_make_folder(daemon->options->state_folder, 0700, error))
		return false;
	daemon->store = store_open(daemon->options->state_folder, error);
	if (!daemon->store)
		return false;
	g_autoptr(GPtrArray) interrupted = store_interrupted(daemon->store, clock_wall_us(), error);
	if (interrupted && interrupted->len)
		log_info("%u operations were interrupted; their objects are looked at first", interrupted->len);
	return interrupted != NULL;
}

static bool start(struct daemon *daemon, GError **error)
{
	const struct daemon_options *options = daemon->options;
	daemon->source = source_watch_new(options->repo, options->branch, error);
	if (!daemon->source || !open_store(daemon, error))
		return false;
	g_autofree char *secrets = g_build_filename(options->state_folder, "secrets", NULL);
	const struct cycle_options cycle_options = {
		.registry = options->registry,
		.store = daemon->store,
		.source = {
			.path = options->repo, .revision = options->branch, .subfolder = options->subfolder, .owner = options->owner,
		},
		.secrets_folder = secrets,
		.resync_s = options->resync_s,
		.changed = changed,
		.operation = operation_changed,
		.data = daemon,
	};
	daemon->cycle = cycle_new(&cycle_options, error);
	if (!daemon->cycle)
		return false;
	daemon->watches = watches_new(daemon->cycle);
	daemon->backend = (struct backend) { .cycle = daemon->cycle, .refresh = read_branch, .data = daemon };
	const struct api_backend backend = backend_of(&daemon->backend);
	g_autofree char *listen = options->listen ? g_strdup(options->listen) :
						    g_strdup_printf("unix:%s/pleachd.sock", options->state_folder);
	daemon->api = api_new(&backend, listen, error);
	if (!daemon->api)
		return false;
	log_info("pleachd %s: %s, branch %s; answering at %s", PLEACH_VERSION, options->repo, options->branch, listen);
	return true;
}

static void run(struct daemon *daemon)
{
	guint sources[] = {
		g_unix_signal_add(SIGTERM, asked_to_stop, daemon),
		g_unix_signal_add(SIGINT, asked_to_stop, daemon),
		g_unix_fd_add(source_watch_fd(daemon->source), G_IO_IN, pushed, daemon),
		g_timeout_add_seconds(MAX(daemon->options->poll_s, 1), poll_due, daemon),
		g_timeout_add_seconds(NF_LOOK_S, nf_look_due, daemon),
	};
	read_branch(daemon);
	g_main_loop_run(daemon->loop);
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
}

static void stop(struct daemon *daemon)
{
	g_clear_pointer(&daemon->api, api_free);
	g_clear_pointer(&daemon->watches, watches_free);
	g_clear_pointer(&daemon->cycle, cycle_free);
	g_clear_pointer(&daemon->source, source_watch_free);
	g_clear_pointer(&daemon->store, store_close);
	g_clear_pointer(&daemon->loop, g_main_loop_unref);
	g_free(daemon->told_commit);
	g_free(daemon->told_error);
	g_free(daemon->told_reason);
	g_free(daemon->branch_trouble);
	g_free(daemon->refused);
}

bool daemon_run(const struct daemon_options *options, GError **error)
{
	struct daemon daemon = { .options = options, .loop = g_main_loop_new(NULL, FALSE) };
	bool good = start(&daemon, error);
	if (good)
		run(&daemon);
	if (good && daemon.refused)
		g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, daemon.refused);
	good = good && !daemon.refused;
	stop(&daemon);
	return good;
}
