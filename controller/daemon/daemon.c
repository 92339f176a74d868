#include "daemon/daemon.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/backend.h"
#include "daemon/follow.h"
#include "daemon/notify.h"
#include "daemon/polls.h"
#include "daemon/reason.h"
#include "daemon/watches.h"
#include "ems/control.h"

#include <glib-unix.h>
#include <string.h>

enum { STOP_WAIT_MS = 10 * 1000, STOP_LOOK_MS = 5, NF_LOOK_S = 1 };

struct daemon {
	const struct daemon_options *options;
	GMainLoop *loop;
	char *refused; /* why it cannot go on; NULL: it can */
	struct store *store;
	struct cycle *cycle;
	struct watches *watches;
	struct follow *source;
	struct backend backend;
	struct logs *logs;
	struct api *api;
	guint events_source; /* events were added, and nobody was told yet */
	enum cycle_verdict told_verdict;
	gint64 told_converged; /* when the commit was seen that was told of as converged */
	char *told_commit, *told_error, *told_reason, *told_source;
	gint64 stop_until_us;
	unsigned second; /* counts, for polls */
	guint poll_source;
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
	notify_status("%s: commit %.10s; %zu objects wanted", now->verdict == CYCLE_CONVERGED ? "converged" : "not converged",
		      now->revision ? snapshot_revision(now->revision->snapshot) : "none", n);
	if (now->verdict == CYCLE_CONVERGED && daemon->told_converged == now->commit_seen_us)
		log_info("converged again: %zu object%s", n, n == 1 ? "" : "s");
	else if (now->verdict == CYCLE_CONVERGED)
		log_info("converged: %zu object%s, %.1f ms after the commit was seen", n, n == 1 ? "" : "s",
			 (double) (now->rested_us - now->commit_seen_us) / 1000);
	else if ((now->verdict == CYCLE_STUCK || now->verdict == CYCLE_HELD) && now->plan)
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
	daemon->backend.load_error_wall_us = now->load_error ? clock_wall_us() : 0;
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
	if (daemon->api)
		api_open_to_others(daemon->api, control_names_operators(now->network));
}

static void operation_changed(const struct operation *operation, void *data)
{
	if (operation->state == OP_COMPLETED)
		log_about(LOG_LEVEL_INFO, operation->key, "%s %s: %s", action_name(operation->action), operation->key,
			  op_state_name(operation->state));
	else if (operation->error)
		log_about(LOG_LEVEL_WARNING, operation->key, "%s %s: %s: %s", action_name(operation->action), operation->key,
			  op_state_name(operation->state), operation->error);
	else
		log_about(LOG_LEVEL_DEBUG, operation->key, "%s %s: %s", action_name(operation->action), operation->key,
			  op_state_name(operation->state));
}

/* --- what happens ----------------------------------------------------------------------------------------------------------- */

/* An event when it changes; the log has it already. */
static void tell_source(struct daemon *daemon, const char *trouble)
{
	if (g_strcmp0(trouble, daemon->told_source) == 0)
		return;
	g_free(daemon->told_source);
	daemon->told_source = g_strdup(trouble);
	const struct store_event event = {
		.wall_us = clock_wall_us(), .kind = EVENT_SOURCE, .text = trouble ? trouble : "the repository can be read again",
	};
	g_autoptr(GError) error = NULL;
	if (!store_put_event(daemon->store, &event, &error))
		log_error("store: event: %s", error->message);
}

static void read_branch(void *data)
{
	struct daemon *daemon = data;
	if (follow_read(daemon->source))
		cycle_load(daemon->cycle);
	daemon->backend.source_trouble = follow_trouble(daemon->source);
	daemon->backend.awaited = follow_is_awaited(daemon->source);
	if (!daemon->backend.awaited)
		tell_source(daemon, daemon->backend.source_trouble);
}

static void fetch_now(void *data)
{
	struct daemon *daemon = data;
	follow_fetch(daemon->source);
	daemon->backend.awaited = follow_is_awaited(daemon->source);
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

static gboolean nf_look_due(gpointer data)
{
	struct daemon *daemon = data;
	unsigned second = daemon->second++;
	const struct cycle_view *now = cycle_view(daemon->cycle);
	if (now->phase != CYCLE_IDLE || (now->verdict != CYCLE_CONVERGED && now->verdict != CYCLE_HELD))
		return G_SOURCE_CONTINUE;
	g_autoptr(GPtrArray) keys = polls_due(now, second);
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
	notify_stopping();
	daemon->stop_until_us = clock_monotonic_us() + STOP_WAIT_MS * 1000;
	cycle_stop(daemon->cycle);
	g_timeout_add(STOP_LOOK_MS, stop_when_idle, daemon);
	return G_SOURCE_CONTINUE;
}

static gboolean tell_of_events(gpointer data)
{
	struct daemon *daemon = data;
	daemon->events_source = 0;
	api_events_added(daemon->api);
	return G_SOURCE_REMOVE;
}

static void events_added(void *data)
{
	struct daemon *daemon = data;
	if (!daemon->events_source && daemon->api)
		daemon->events_source = g_idle_add(tell_of_events, daemon);
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

static bool open_store(struct daemon *daemon, GError **error)
{
	if (!file_make_folder(daemon->options->state_folder, 0700, error))
		return false;
	daemon->store = store_open(daemon->options->state_folder, error);
	if (!daemon->store)
		return false;
	store_set_bounds(daemon->store, &daemon->options->bounds);
	g_autoptr(GPtrArray) interrupted = store_interrupted(daemon->store, clock_wall_us(), error);
	if (interrupted && interrupted->len)
		log_info("%u operations were interrupted; their objects are looked at first", interrupted->len);
	return interrupted != NULL;
}

static bool open_source(struct daemon *daemon, GError **error)
{
	const struct daemon_options *options = daemon->options;
	g_autofree char *folder = g_build_filename(options->state_folder, "source", NULL);
	struct follow_options follow = {
		.repo = options->repo, .remote = options->remote, .poll_s = options->settings.poll_s, .changed = read_branch, .data = daemon,
	};
	follow.remote.revision = options->branch;
	follow.remote.folder = folder;
	daemon->source = follow_new(&follow, error);
	return daemon->source != NULL;
}

static bool start(struct daemon *daemon, GError **error)
{
	const struct daemon_options *options = daemon->options;
	if (!open_store(daemon, error) || !open_source(daemon, error))
		return false;
	g_autofree char *secrets = g_build_filename(options->state_folder, "secrets", NULL);
	const struct cycle_options cycle_options = {
		.registry = options->registry,
		.store = daemon->store,
		.source = {
			.path = follow_path(daemon->source), .revision = options->branch, .subfolder = options->subfolder, .owner = options->owner,
		},
		.secrets_folder = secrets,
		.resync_s = options->settings.resync_s,
		.sample_s = options->settings.sample_s,
		.changed = changed,
		.operation = operation_changed,
		.data = daemon,
	};
	daemon->cycle = cycle_new(&cycle_options, error);
	if (!daemon->cycle)
		return false;
	daemon->watches = watches_new(daemon->cycle);
	daemon->logs = logs_new(daemon->cycle);
	daemon->backend = (struct backend) { .cycle = daemon->cycle, .logs = daemon->logs, .refresh = read_branch, .fetch = fetch_now, .data = daemon };
	const struct api_backend backend = backend_of(&daemon->backend);
	g_autofree char *listen = options->listen ? g_strdup(options->listen) :
						    g_strdup_printf("unix:%s/pleachd.sock", options->state_folder);
	daemon->api = api_new(&backend, listen, error);
	if (!daemon->api)
		return false;
	store_watch_events(daemon->store, events_added, daemon);
	log_info("pleachd %s: %s, branch %s; answering at %s", PLEACH_VERSION, options->repo->text, options->branch, listen);
	return true;
}

static gboolean alive(gpointer data)
{
	notify_alive();
	return G_SOURCE_CONTINUE;
}

static void poll_every(struct daemon *daemon, unsigned poll_s)
{
	g_clear_handle_id(&daemon->poll_source, g_source_remove);
	daemon->poll_source = g_timeout_add_seconds(MAX(poll_s, 1), poll_due, daemon);
}

/* SIGHUP. A file that cannot be read changes nothing. */
static gboolean asked_to_reload(gpointer data)
{
	struct daemon *daemon = data;
	struct daemon_settings settings;
	g_autoptr(GError) error = NULL;
	if (!daemon->options->reload || daemon->stop_until_us)
		return G_SOURCE_CONTINUE;
	notify_reloading();
	if (daemon->options->reload(&settings, &error, daemon->options->data)) {
		log_init(settings.log_level, settings.log_format);
		poll_every(daemon, settings.poll_s);
		follow_poll_every(daemon->source, settings.poll_s);
		cycle_set_resync(daemon->cycle, settings.resync_s);
		monitors_set_interval(cycle_view(daemon->cycle)->monitors, settings.sample_s);
		log_info("reloaded: log level %s, poll %us, resync %us, sample %us", log_level_name(settings.log_level), settings.poll_s,
			 settings.resync_s, settings.sample_s);
	} else {
		log_error("not reloaded, all stays as it was: %s", error->message);
	}
	notify_ready();
	return G_SOURCE_CONTINUE;
}

static void run(struct daemon *daemon)
{
	guint watchdog_ms = notify_watchdog_ms();
	guint watchdog = watchdog_ms ? g_timeout_add(watchdog_ms, alive, NULL) : 0;
	guint sources[] = {
		g_unix_signal_add(SIGTERM, asked_to_stop, daemon),
		g_unix_signal_add(SIGINT, asked_to_stop, daemon),
		g_unix_fd_add(follow_fd(daemon->source), G_IO_IN, pushed, daemon),
		g_unix_signal_add(SIGHUP, asked_to_reload, daemon),
		g_timeout_add_seconds(NF_LOOK_S, nf_look_due, daemon),
	};
	poll_every(daemon, daemon->options->settings.poll_s);
	notify_ready();
	fetch_now(daemon);
	read_branch(daemon);
	g_main_loop_run(daemon->loop);
	g_clear_handle_id(&daemon->poll_source, g_source_remove);
	g_clear_handle_id(&watchdog, g_source_remove);
	for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
}

static void stop(struct daemon *daemon)
{
	g_clear_handle_id(&daemon->events_source, g_source_remove);
	g_clear_pointer(&daemon->logs, logs_free);
	g_clear_pointer(&daemon->api, api_free);
	g_clear_pointer(&daemon->watches, watches_free);
	g_clear_pointer(&daemon->cycle, cycle_free);
	g_clear_pointer(&daemon->source, follow_free);
	g_clear_pointer(&daemon->store, store_close);
	g_clear_pointer(&daemon->loop, g_main_loop_unref);
	g_free(daemon->told_commit);
	g_free(daemon->told_error);
	g_free(daemon->told_reason);
	g_free(daemon->told_source);
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
