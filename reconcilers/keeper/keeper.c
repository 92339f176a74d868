#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const char acting_all;

bool keeper_is_empty(const struct keeper *keeper)
{
	return !g_hash_table_size(keeper->links) && !g_hash_table_size(keeper->vnfcs);
}

/* --- what watchers are told ------------------------------------------------------------------------------------------------ */

static void tell_now(void *data)
{
	struct keeper *keeper = data;
	keeper->tell = NULL;
	guint n = g_hash_table_size(keeper->changed), i = 0;
	g_autofree const char **keys = g_new0(const char *, n + 1);
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, keeper->changed);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		keys[i++] = key;
	struct keeper_event event = { { keys, keeper->changed_all ? 0 : n } };
	server_tell(keeper, &event);
	g_hash_table_remove_all(keeper->changed);
	keeper->changed_all = false;
}

void keeper_changed(struct keeper *keeper, const char *key)
{
	if (key)
		g_hash_table_add(keeper->changed, g_strdup(key));
	else
		keeper->changed_all = true;
	if (!keeper->tell)
		keeper->tell = loop_after(keeper->loop, KEEPER_DEBOUNCE_MS, tell_now, keeper);
}

/* Which of ours an interface belongs to, and so what is worth a look. What we do ourselves is not. */
static void link_changed(unsigned index, bool gone, void *data)
{
	struct keeper *keeper = data;
	const struct port *port = g_hash_table_lookup(keeper->by_host, GUINT_TO_POINTER(index));
	const struct link *link = g_hash_table_lookup(keeper->by_bridge, GUINT_TO_POINTER(index));
	const void *owner = port ? (const void *) port->vnfc : link;
	if (keeper->acting == &acting_all || (owner && owner == keeper->acting))
		return;
	if (port)
		keeper_changed(keeper, port->vnfc->want.key);
	else if (link)
		keeper_changed(keeper, link->want.key);
	else if (!keeper->acting && !gone && !is_ours(keeper, nl_mirror_link(keeper->mirror, index)))
		keeper_changed(keeper, NULL); /* a stranger; what is ours and in no book is just going */
}

bool keeper_refresh(struct keeper *keeper, GError **error)
{
	return nl_mirror_read(keeper->mirror, link_changed, keeper, error);
}

static void on_mirror(void *data, uint32_t events)
{
	g_autoptr(GError) error = NULL;
	if (!keeper_refresh(data, &error))
		note(data, "%s", error->message);
}

/* --- how it ends ------------------------------------------------------------------------------------------------------------ */

static void on_idle(void *data)
{
	struct keeper *keeper = data;
	keeper->idle = NULL;
	keeper->over = keeper_is_empty(keeper) && !keeper->clients->len;
}

void keeper_check_over(struct keeper *keeper)
{
	bool empty = keeper_is_empty(keeper);
	if (!keeper->ending) {
		if (empty && !keeper->clients->len && !keeper->idle)
			keeper->idle = loop_after(keeper->loop, KEEPER_IDLE_MS, on_idle, keeper);
		return;
	}
	if (!empty)
		return;
	if (keeper->cleaner)
		job_reply(keeper->cleaner, &(struct keeper_reply) { .ok = true }, -1);
	keeper->over = server_flushed(keeper);
}

void keeper_end(struct keeper *keeper, gint64 grace_ms)
{
	keeper->ending = true;
	links_remove_all(keeper);
	/* Some are forgotten at once: the table must not be walked meanwhile. */
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, keeper->vnfcs);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(all, value);
	for (guint i = 0; i < all->len; i++)
		vnfc_end(all->pdata[i], grace_ms);
	keeper_check_over(keeper);
}

/* --- signals ---------------------------------------------------------------------------------------------------------------- */

static void reap_all(struct keeper *keeper)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		struct vnfc *vnfc = g_hash_table_lookup(keeper->by_pid, GINT_TO_POINTER(pid));
		if (vnfc)
			vnfc_reaped(vnfc, status);
		else
			commands_reaped(keeper, pid, status);
	}
}

static void on_signal(void *data, uint32_t events)
{
	struct keeper *keeper = data;
	struct signalfd_siginfo info;
	while (read(keeper->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM && !keeper->ending) {
			note(keeper, "asked to end by process %u", info.ssi_pid);
			keeper_end(keeper, KEEPER_LAST_GRACE_MS);
		}
	}
	reap_all(keeper);
}

static bool take_signals(struct keeper *keeper, GError **error)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	keeper->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (keeper->signal_fd < 0)
		return pleach_error_errno(error, errno, "create a signal descriptor");
	return loop_add(keeper->loop, keeper->signal_fd, EPOLLIN, on_signal, keeper, error);
}

/* --- its life --------------------------------------------------------------------------------------------------------------- */

static void free_link(void *link)
{
	link_free(link);
}

static void free_vnfc(void *vnfc)
{
	vnfc_free(vnfc);
}

/* In the site's namespaces, with the runtime folder as the current one. */
struct keeper *keeper_new(const char *owner, const char *site, GError **error)
{
	struct keeper *keeper = g_new0(struct keeper, 1);
	*keeper = (struct keeper) {
		.owner = g_strdup(owner), .site = g_strdup(site), .leaf_fd = -1, .log_fd = STDERR_FILENO, .netns_fd = -1,
		.listen_fd = -1,
		.signal_fd = -1, .spare_fd = -1, .spare_door_fd = -1, .guard_fd = -1, .uplink_fd = -1, .hold_fd = -1, .next_index = KEEPER_FIRST_INDEX,
	};
	keeper->findings = g_ptr_array_new_with_free_func(g_free);
	keeper->clients = g_ptr_array_new();
	keeper->links = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_link);
	keeper->vnfcs = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_vnfc);
	keeper->by_pid = g_hash_table_new(NULL, NULL);
	keeper->by_host = g_hash_table_new(NULL, NULL);
	keeper->by_bridge = g_hash_table_new(NULL, NULL);
	keeper->commands = g_hash_table_new(NULL, NULL);
	keeper->changed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	keeper->netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	keeper->loop = loop_new(error);
	bool ok = keeper->loop && take_signals(keeper, error);
	if (ok && keeper->netns_fd < 0)
		ok = pleach_error_errno(error, errno, "open the own network namespace");
	keeper->mirror = ok ? nl_mirror_open(NL_HERE, error) : NULL;
	if (keeper->mirror) {
		keeper->nl = nl_mirror_handle(keeper->mirror);
		ok = loop_add(keeper->loop, nl_mirror_fd(keeper->mirror), EPOLLIN, on_mirror, keeper, error);
	}
	if (ok && keeper->mirror && server_listen(keeper, error)) {
		keeper_check_over(keeper);
		return keeper;
	}
	keeper_free(keeper);
	return NULL;
}

void keeper_free(struct keeper *keeper)
{
	keeper->ending = true; /* whoever goes now starts no timer */
	server_free(keeper);
	g_hash_table_unref(keeper->vnfcs);
	g_hash_table_unref(keeper->links);
	g_hash_table_unref(keeper->by_pid);
	g_hash_table_unref(keeper->by_host);
	g_hash_table_unref(keeper->by_bridge);
	g_hash_table_unref(keeper->commands);
	g_hash_table_unref(keeper->changed);
	g_ptr_array_unref(keeper->clients);
	g_ptr_array_unref(keeper->findings);
	nl_mirror_close(keeper->mirror);
	if (keeper->loop)
		loop_free(keeper->loop);
	const int fds[] = { keeper->listen_fd, keeper->netns_fd, keeper->signal_fd, keeper->spare_fd,
		keeper->spare_door_fd, keeper->guard_fd, keeper->uplink_fd, keeper->hold_fd };
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	g_free(keeper->owner);
	g_free(keeper->site);
	g_free(keeper);
}

bool keeper_run(struct keeper *keeper, GError **error)
{
	while (!keeper->over)
		if (!loop_turn(keeper->loop, error))
			return false;
	return true;
}
