#include "keeper/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 64 };

char *vnfc_id(const char *key, unsigned incarnation)
{
	return g_strdup_printf("%s %u", key, incarnation);
}

struct vnfc *vnfc_find(struct keeper *keeper, const char *key, unsigned incarnation)
{
	if (incarnation) {
		g_autofree char *id = vnfc_id(key, incarnation);
		return g_hash_table_lookup(keeper->vnfcs, id);
	}
	struct vnfc *best = NULL;
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, keeper->vnfcs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct vnfc *vnfc = value;
		if (strcmp(vnfc->want.key, key) != 0)
			continue;
		bool runs = vnfc->phase == VNFC_RUNNING, best_runs = best && best->phase == VNFC_RUNNING;
		if (!best || runs > best_runs || (runs == best_runs && vnfc->want.incarnation > best->want.incarnation))
			best = vnfc;
	}
	return best;
}

static struct cgroup_limits limits_of(const struct keeper_vnfc *want)
{
	return (struct cgroup_limits) { MAX(want->vcpus, 0), MAX(want->mem_bytes, 0), MAX(want->pids, 0) };
}

/* The host's name where none was given: the key's path, as far as it may be one. */
static void hostname_of(const struct keeper_vnfc *want, char ret[KEEPER_HOSTNAME_MAX + 1])
{
	g_strlcpy(ret, want->hostname && *want->hostname ? want->hostname : strchr(want->key, '/') + 1, KEEPER_HOSTNAME_MAX + 1);
	for (char *c = ret; *c; c++)
		if (!g_ascii_isalnum(*c) && *c != '-' && (*c != '.' || !want->hostname))
			*c = '-';
}

static bool uses_ipv6(const struct keeper_vnfc *want)
{
	for (size_t i = 0; i < want->n_cps; i++) {
		if (want->cps[i].cidr && strchr(want->cps[i].cidr, ':'))
			return true;
		for (size_t a = 0; a < want->cps[i].addresses.n; a++)
			if (strchr(want->cps[i].addresses.items[a], ':'))
				return true;
	}
	return false;
}

/* --- how it ends ---------------------------------------------------------------------------------------------------------- */

static void close_ready(struct vnfc *vnfc)
{
	loop_cancel(g_steal_pointer(&vnfc->deaf));
	loop_remove(g_steal_pointer(&vnfc->ready_source));
	if (vnfc->ready_fd >= 0)
		close(vnfc->ready_fd);
	vnfc->ready_fd = -1;
}

/* Lets go of all that the kernel keeps for it: at once, so that it can take the namespaces down in a batch. */
static void release(struct vnfc *vnfc)
{
	close_ready(vnfc);
	if (vnfc->words_fd >= 0)
		close(vnfc->words_fd);
	vnfc->words_fd = -1;
	if (vnfc->door_fd >= 0)
		close(vnfc->door_fd);
	vnfc->door_fd = -1;
	loop_cancel(g_steal_pointer(&vnfc->grace));
	loop_remove(g_steal_pointer(&vnfc->mirror_source));
	g_clear_pointer(&vnfc->mirror, nl_mirror_close);
	ports_free(vnfc);
	char path[32];
	g_snprintf(path, sizeof(path), "%s.sock", vnfc->name);
	unlink(path);
	cgroup_remove(vnfc->keeper->cgroups, vnfc->name);
}

void vnfc_free(struct vnfc *vnfc)
{
	release(vnfc);
	g_ptr_array_unref(vnfc->ports);
	g_ptr_array_unref(vnfc->starters);
	g_ptr_array_unref(vnfc->removers);
	g_clear_pointer(&vnfc->arena, arena_unref);
	g_free(vnfc->exit);
	g_free(vnfc->id);
	g_free(vnfc);
}

static void fail_starters(struct vnfc *vnfc, enum pleach_error code, const char *why)
{
	g_autoptr(GPtrArray) starters = vnfc->starters;
	vnfc->starters = g_ptr_array_new();
	for (guint i = 0; i < starters->len; i++)
		job_fail(starters->pdata[i], g_error_new(PLEACH_ERROR, code, "%s", why));
}

static void removed_one(struct job *job)
{
	job->data = GSIZE_TO_POINTER(GPOINTER_TO_SIZE(job->data) - 1);
	if (!job->data)
		job_reply(job, &(struct keeper_reply) { .ok = true }, -1);
}

/* Out of the books; whoever waited for that is told. */
static void forget(struct vnfc *vnfc)
{
	struct keeper *keeper = vnfc->keeper;
	g_autoptr(GPtrArray) removers = vnfc->removers;
	vnfc->removers = g_ptr_array_new();
	g_hash_table_remove(keeper->vnfcs, vnfc->id);
	for (guint i = 0; i < removers->len; i++)
		removed_one(removers->pdata[i]);
	keeper_check_over(keeper);
}

static char *exit_text(struct vnfc *vnfc, int status)
{
	if (WIFEXITED(status))
		return g_strdup_printf("exit status %d", WEXITSTATUS(status));
	if (WTERMSIG(status) == SIGKILL && cgroup_oom(vnfc->keeper->cgroups, vnfc->name))
		return g_strdup("out of memory");
	return g_strdup_printf("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

/* The end of what the leaf said, in one line. */
static char *last_words(struct vnfc *vnfc)
{
	g_autoptr(GString) words = g_string_new(NULL);
	char piece[KEEPER_WORDS_MAX];
	for (ssize_t n; (n = read(vnfc->words_fd, piece, sizeof(piece))) > 0;) {
		g_string_append_len(words, piece, n);
		if (words->len > KEEPER_WORDS_MAX)
			g_string_erase(words, 0, (gssize) (words->len - KEEPER_WORDS_MAX));
	}
	char *text = g_utf8_make_valid(words->str, (gssize) words->len);
	return g_strdelimit(g_strstrip(text), "\n\r", ' ');
}

void vnfc_reaped(struct vnfc *vnfc, int status)
{
	struct keeper *keeper = vnfc->keeper;
	enum vnfc_phase before = vnfc->phase;
	g_autofree char *words = last_words(vnfc);
	vnfc->exit = exit_text(vnfc, status);
	vnfc->clean_exit = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	vnfc->phase = VNFC_ENDED;
	g_hash_table_remove(keeper->by_pid, GINT_TO_POINTER(vnfc->pid));
	vnfc->pid = 0;
	release(vnfc);
	switch (before) {
	case VNFC_STARTING: {
		g_autofree char *why = g_strdup_printf("%s ended before it served: %s%s%s", vnfc->want.key, vnfc->exit,
						       *words ? ": " : "", words);
		note(keeper, "%s", why);
		fail_starters(vnfc, PLEACH_ERROR_PERMANENT, why);
		forget(vnfc);
		break;
	}
	case VNFC_RUNNING:
		note(keeper, "%s ended: %s%s%s", vnfc->id, vnfc->exit, *words ? ": " : "", words);
		keeper_changed(keeper, vnfc->want.key);
		break;
	case VNFC_ENDING:
		forget(vnfc);
		break;
	case VNFC_ENDED:
		break;
	}
}

static void kill_now(void *data)
{
	struct vnfc *vnfc = data;
	vnfc->grace = NULL;
	if (vnfc->pid)
		kill(vnfc->pid, SIGKILL);
}

void vnfc_end(struct vnfc *vnfc, gint64 grace_ms)
{
	if (vnfc->phase == VNFC_ENDED) {
		forget(vnfc);
		return;
	}
	bool asked = vnfc->phase == VNFC_ENDING;
	vnfc->phase = VNFC_ENDING;
	fail_starters(vnfc, PLEACH_ERROR_CANCELLED, "it was removed before it served");
	if (!asked)
		kill(vnfc->pid, SIGTERM);
	loop_cancel(vnfc->grace);
	vnfc->grace = loop_after(vnfc->keeper->loop, grace_ms, kill_now, vnfc);
}

void vnfcs_remove(struct keeper *keeper, struct job *job)
{
	g_autoptr(GPtrArray) which = g_ptr_array_new();
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, keeper->vnfcs);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct vnfc *vnfc = value;
		if (strcmp(vnfc->want.key, job->request.key) == 0 &&
		    (!job->request.incarnation || job->request.incarnation == vnfc->want.incarnation))
			g_ptr_array_add(which, vnfc);
	}
	/* One more than there are, so that the last of them does not reply before all have been asked. */
	job->data = GSIZE_TO_POINTER(which->len + 1);
	for (guint i = 0; i < which->len; i++) {
		struct vnfc *vnfc = which->pdata[i];
		g_ptr_array_add(vnfc->removers, job);
		vnfc_end(vnfc, CLAMP(job->request.left_ms / 2, 0, KEEPER_GRACE_MS));
	}
	removed_one(job);
}

/* --- how it begins -------------------------------------------------------------------------------------------------------- */

static void reply_with(struct job *job, const struct vnfc *vnfc)
{
	struct keeper_vnfc seen;
	vnfc_observe(vnfc, job->arena, &seen);
	job_reply(job, &(struct keeper_reply) { .ok = true, .vnfcs = &seen, .n_vnfc_items = 1 }, -1);
}

static void serves(struct vnfc *vnfc)
{
	vnfc->phase = VNFC_RUNNING;
	loop_cancel(g_steal_pointer(&vnfc->grace));
	g_autoptr(GPtrArray) starters = vnfc->starters;
	vnfc->starters = g_ptr_array_new();
	for (guint i = 0; i < starters->len; i++)
		reply_with(starters->pdata[i], vnfc);
}

static void hear_again(void *data)
{
	struct vnfc *vnfc = data;
	vnfc->deaf = NULL;
	loop_modify(vnfc->ready_source, EPOLLIN);
}

/* Its leaf has news of its network function. One that rings without end is heard now and then. */
static void rings(struct vnfc *vnfc)
{
	keeper_changed(vnfc->keeper, vnfc->want.key);
	loop_modify(vnfc->ready_source, 0);
	if (!vnfc->deaf)
		vnfc->deaf = loop_after(vnfc->keeper->loop, KEEPER_BELL_MS, hear_again, vnfc);
}

static void on_ready(void *data, uint32_t events)
{
	struct vnfc *vnfc = data;
	char bytes[64];
	ssize_t n = read(vnfc->ready_fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0)
		close_ready(vnfc);
	if (vnfc->phase == VNFC_STARTING && n > 0 && bytes[0] == 'R')
		serves(vnfc);
	else if (vnfc->phase == VNFC_STARTING)
		kill(vnfc->pid, SIGKILL); /* it will not serve any more; how it ended is said when it is reaped */
	else if (vnfc->phase == VNFC_RUNNING && n > 0)
		rings(vnfc);
}

static void link_changed(unsigned index, bool gone, void *data)
{
	struct vnfc *vnfc = data;
	keeper_changed(vnfc->keeper, vnfc->want.key);
}

static void on_mirror(void *data, uint32_t events)
{
	struct vnfc *vnfc = data;
	g_autoptr(GError) error = NULL;
	if (!nl_mirror_read(vnfc->mirror, link_changed, vnfc, &error))
		note(vnfc->keeper, "%s: %s", vnfc->id, error->message);
}

static int listen_as(const char *name, int *ret_door_fd, GError **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s.sock", name);
	unlink(address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *) &address, sizeof(address)) == 0 && listen(fd, LISTEN_BACKLOG) == 0) {
		*ret_door_fd = door_hold(address.sun_path);
		return fd;
	}
	pleach_error_errno(error, errno, "listen on %s", address.sun_path);
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A name in a file system on disk may take milliseconds: so the next VNFC's is made while nobody waits. */
static void prepare_spare(void *data)
{
	struct keeper *keeper = data;
	keeper->spare_timer = NULL;
	if (keeper->ending || keeper->spare_fd >= 0)
		return;
	char name[16];
	g_snprintf(name, sizeof(name), "%u", keeper->next_number + 1);
	keeper->spare_fd = listen_as(name, &keeper->spare_door_fd, NULL);
}

static int listen_for_leaf(struct vnfc *vnfc, GError **error)
{
	struct keeper *keeper = vnfc->keeper;
	vnfc->door_fd = keeper->spare_door_fd;
	int fd = keeper->spare_fd >= 0 ? keeper->spare_fd : listen_as(vnfc->name, &vnfc->door_fd, error);
	keeper->spare_fd = keeper->spare_door_fd = -1;
	if (!keeper->spare_timer)
		keeper->spare_timer = loop_after(keeper->loop, KEEPER_SPARE_MS, prepare_spare, keeper);
	return fd;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static bool spawn(struct vnfc *vnfc, GError **error)
{
	struct keeper *keeper = vnfc->keeper;
	struct cgroup_limits limits = limits_of(&vnfc->want);
	char hostname[KEEPER_HOSTNAME_MAX + 1];
	hostname_of(&vnfc->want, hostname);
	int ready[2] = { -1, -1 }, words[2] = { -1, -1 };
	struct spawn_leaf leaf = {
		.root = { keeper->seeds, hostname, limits.mem_bytes
			? MIN(limits.mem_bytes / 2, KEEPER_TMPFS_BYTES) : KEEPER_TMPFS_BYTES },
		.ipv6 = vnfc->ipv6,
		.leaf_fd = keeper->leaf_fd,
		.nofile = keeper->nofile,
		.into = -1,
		.tasks = { -1, -1, -1 },
		.listen_fd = listen_for_leaf(vnfc, error),
	};
	bool ok = leaf.listen_fd >= 0 && cgroup_create(keeper->cgroups, vnfc->name, error) &&
		  cgroup_limit(keeper->cgroups, vnfc->name, &limits, error) &&
		  cgroup_doors(keeper->cgroups, vnfc->name, &leaf.into, leaf.tasks, error);
	if (ok && (pipe2(ready, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(words, O_CLOEXEC | O_NONBLOCK) < 0))
		ok = pleach_error_errno(error, errno, "create a pipe");
	leaf.ready_fd = ready[1];
	leaf.words_fd = words[1];
	if (ok)
		vnfc->pid = spawn_leaf(&leaf, error);
	vnfc->ready_fd = ready[0];
	vnfc->words_fd = words[0];
	close_all((int[]) { leaf.listen_fd, leaf.into, ready[1], words[1] }, 4);
	close_all(leaf.tasks, CGROUP_N);
	return ok && vnfc->pid > 0;
}

/* The process runs; now its interfaces, while it loads. */
static bool connect_up(struct vnfc *vnfc, GError **error)
{
	struct keeper *keeper = vnfc->keeper;
	g_hash_table_insert(keeper->by_pid, GINT_TO_POINTER(vnfc->pid), vnfc);
	int netns = vnfc_netns(vnfc, error);
	if (netns < 0)
		return false;
	vnfc->mirror = nl_mirror_open((struct nl_where) { netns, keeper->netns_fd }, error);
	close(netns);
	if (!vnfc->mirror || !ports_ensure(vnfc, error))
		return false;
	vnfc->mirror_source = loop_add(keeper->loop, nl_mirror_fd(vnfc->mirror), EPOLLIN, on_mirror, vnfc, error);
	if (!vnfc->mirror_source)
		return false;
	vnfc->ready_source = loop_add(keeper->loop, vnfc->ready_fd, EPOLLIN, on_ready, vnfc, error);
	return vnfc->ready_source;
}

static struct vnfc *create(struct keeper *keeper, struct arena *arena, const struct keeper_vnfc *want, GError **error)
{
	struct vnfc *vnfc = g_new0(struct vnfc, 1);
	*vnfc = (struct vnfc) { .keeper = keeper, .arena = arena_ref(arena), .want = *want, .ready_fd = -1, .words_fd = -1,
		.door_fd = -1,
		.phase = VNFC_STARTING };
	vnfc->id = vnfc_id(want->key, want->incarnation);
	vnfc->number = ++keeper->next_number;
	g_snprintf(vnfc->name, sizeof(vnfc->name), "%u", vnfc->number);
	vnfc->ports = g_ptr_array_new();
	vnfc->starters = g_ptr_array_new();
	vnfc->removers = g_ptr_array_new();
	vnfc->ipv6 = uses_ipv6(want);
	keeper->acting = vnfc;
	if (spawn(vnfc, error) && connect_up(vnfc, error)) {
		/* What never serves is not kept for ever where nobody sees it. */
		vnfc->grace = loop_after(keeper->loop, KEEPER_START_MS, kill_now, vnfc);
		g_hash_table_insert(keeper->vnfcs, vnfc->id, vnfc);
		return vnfc;
	}
	if (vnfc->pid > 0) {
		g_hash_table_remove(keeper->by_pid, GINT_TO_POINTER(vnfc->pid));
		kill(vnfc->pid, SIGKILL);
		while (waitpid(vnfc->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	}
	vnfc_free(vnfc);
	return NULL;
}

/* --- how it is changed ---------------------------------------------------------------------------------------------------- */

static bool rename_host(struct vnfc *vnfc, GError **error)
{
	char path[64], name[KEEPER_HOSTNAME_MAX + 1];
	hostname_of(&vnfc->want, name);
	g_snprintf(path, sizeof(path), "/proc/%d/ns/uts", (int) vnfc->pid);
	int home = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), there = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = home >= 0 && there >= 0 && setns(there, CLONE_NEWUTS) == 0;
	if (ok)
		ok = (sethostname(name, strlen(name)) == 0) & (setns(home, CLONE_NEWUTS) == 0);
	if (!ok)
		pleach_error_errno(error, errno, "set the host name");
	close_all((int[]) { home, there }, 2);
	return ok;
}

static bool write_sysctl(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool turn_on_ipv6(struct vnfc *vnfc, GError **error)
{
	int netns = vnfc_netns(vnfc, error);
	if (netns < 0)
		return false;
	bool ok = setns(netns, CLONE_NEWNET) == 0;
	if (ok) {
		ok = write_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "0") &&
		     write_sysctl("/proc/sys/net/ipv6/conf/all/disable_ipv6", "0");
		if (setns(vnfc->keeper->netns_fd, CLONE_NEWNET) < 0)
			g_error("cannot go back to the site's network namespace");
	}
	if (!ok)
		pleach_error_errno(error, errno, "turn IPv6 on");
	close(netns);
	vnfc->ipv6 = ok;
	return ok;
}

static bool change(struct vnfc *vnfc, struct arena *arena, const struct keeper_vnfc *want, GError **error)
{
	struct keeper *keeper = vnfc->keeper;
	bool renamed = g_strcmp0(vnfc->want.hostname, want->hostname) != 0;
	struct arena *before = vnfc->arena;
	vnfc->arena = arena_ref(arena);
	vnfc->want = *want;
	arena_unref(before);
	struct cgroup_limits limits = limits_of(want), now;
	cgroup_read(keeper->cgroups, vnfc->name, &limits, &now);
	bool same = now.vcpus == limits.vcpus && now.mem_bytes == limits.mem_bytes && now.pids == limits.pids;
	if ((!same && !cgroup_limit(keeper->cgroups, vnfc->name, &limits, error)) || (renamed && !rename_host(vnfc, error)) ||
	    (!vnfc->ipv6 && uses_ipv6(want) && !turn_on_ipv6(vnfc, error)))
		return false;
	return ports_ensure(vnfc, error);
}

static void starter_gives_up(struct job *job, bool is_timeout)
{
	g_ptr_array_remove(((struct vnfc *) job->data)->starters, job);
	job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "%s runs, but its agent does not serve yet",
		job->request.vnfc.key));
}

void vnfcs_ensure(struct keeper *keeper, struct job *job)
{
	struct keeper_vnfc *want = &job->request.vnfc;
	struct vnfc *vnfc = vnfc_find(keeper, want->key, MAX(want->incarnation, 1));
	GError *error = NULL;
	if (vnfc && (vnfc->phase == VNFC_ENDED || vnfc->phase == VNFC_ENDING)) {
		const char *what = vnfc->phase == VNFC_ENDED ? "has ended: " : "is being removed";
		const char *why = vnfc->exit ? vnfc->exit : "";
		job_fail(job, g_error_new(PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s, incarnation %u, %s%s", want->key,
					  want->incarnation, what, why));
		return;
	}
	bool ok = vnfc_settle(keeper, job->arena, want, vnfc, &error);
	if (ok && vnfc) {
		keeper->acting = vnfc;
		ok = change(vnfc, job->arena, want, &error);
	} else if (ok) {
		vnfc = create(keeper, job->arena, want, &error);
	}
	keeper->acting = NULL;
	if (!ok || !vnfc) {
		g_prefix_error(&error, "%s: ", want->key);
		job_fail(job, error);
	} else if (vnfc->phase == VNFC_STARTING) {
		g_ptr_array_add(vnfc->starters, job);
		job->data = vnfc;
		job->give_up = starter_gives_up;
	} else {
		reply_with(job, vnfc);
	}
}

void vnfc_observe(const struct vnfc *vnfc, struct arena *arena, struct keeper_vnfc *ret)
{
	*ret = vnfc->want;
	struct keeper_cp *cps = ARENA_ARRAY(arena, struct keeper_cp, vnfc->want.n_cps + 1);
	for (size_t i = 0; i < vnfc->want.n_cps; i++)
		port_observe(vnfc, arena, &vnfc->want.cps[i], &cps[i]);
	ret->cps = cps;
	ret->exit = vnfc->exit;
	ret->pid = vnfc->pid;
	if (vnfc->phase == VNFC_ENDED) {
		ret->state = vnfc->clean_exit ? KEEPER_STOPPED : KEEPER_FAILED;
		return;
	}
	struct cgroup_limits wanted = limits_of(&vnfc->want), seen;
	cgroup_read(vnfc->keeper->cgroups, vnfc->name, &wanted, &seen);
	ret->vcpus = seen.vcpus;
	ret->mem_bytes = seen.mem_bytes;
	ret->pids = seen.pids;
	ret->state = KEEPER_RUNNING;
	ret->socket = arena_printf(arena, "%s.sock", vnfc->name);
}
