#include "keeper/keeper.h"

#include "base/file.h"
#include "keeper/ids.h"
#include "keeper/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three processes come from one call of the program:
 *
 *     caller ── waits ──► starter ─► guard ─► keeper
 *                            │         │        │ new user, network, mount, … namespaces
 *                            │         │◄── M ──│ "map my ids"
 *                            │         │─── m ─►│
 *                            │◄── R ───│────────│ it listens; the starter ends with status 0
 *
 * The guard stays what the caller was. It writes the id maps, makes and removes what the keeper, once it has the site's ids
 * alone, could not: the runtime folder and the control groups; and it holds the folder's lock, so that there is one keeper per
 * folder. It waits for the keeper's end, however that comes, and clears away behind it. Meanwhile it sees to it that the folder and
 * site.json are there (keeper/doors.c does so for the rest). */

enum { LOCK_TRIES = 3000, LOCK_WAIT_US = 10000, TEXT_MAX = 1024, FILES_MAX = 1024 * 1024, GROUP_NAME_LENGTH = 12 };

struct place {
	char *path;
	int fd; /* of the folder; its lock is held through it */
};

/* To the starter, which may be gone. */
static int say(int fd, const GError *error)
{
	g_autofree char *text = g_strdup_printf("E%s", error->message);
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s\n", error->message);
	return 1;
}

/* --- the guard -------------------------------------------------------------------------------------------------------------- */

static bool somebody_listens(int folder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" KEEPER_SOCKET_NAME, folder);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* Is the folder that we locked still the one under this path? The one before us may have removed it in between. */
static bool still_there(const struct place *place)
{
	struct stat a, b;
	return fstat(place->fd, &a) == 0 && stat(place->path, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static bool runtime_is_ours(const char *runtime, GError **error)
{
	struct stat st;
	if (lstat(runtime, &st) < 0)
		return pleach_error_errno(error, errno, "%s", runtime);
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & S_IWOTH))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH, "%s is not a folder of this user's own", runtime);
	return false;
}

static int open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool make_folder(const struct start *start, const char *path, GError **error)
{
	if (!file_make_folder(start->runtime, geteuid() == 0 ? 0711 : 0700, error) || !runtime_is_ours(start->runtime, error))
		return false;
	return mkdir(path, 0700) == 0 || errno == EEXIST || errno == ENOENT || pleach_error_errno(error, errno, "create %s", path);
}

static bool say_held(const char *path, GError **error)
{
	gint64 pid = keeper_holder(path);
	if (pid)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT,
			    "%s is held by the site's keeper, process %" G_GINT64_FORMAT ", which cannot be reached; `kill -KILL %"
			    G_GINT64_FORMAT "` ends it, and the VNFs of the site with it", path, pid, pid);
	else
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s is held by another process", path);
	return false;
}

/* *@ret_running: another keeper has the folder already. One whose folder was deleted makes it anew: only it may. */
static bool take_place(const struct start *start, struct place *place, bool *ret_running, GError **error)
{
	g_autofree char *name = keeper_folder_name(start->owner, start->site);
	place->path = g_build_filename(start->runtime, name, NULL);
	for (int i = 0; i < LOCK_TRIES; i++) {
		bool held = keeper_holder(place->path) > 0;
		if (!held && !make_folder(start, place->path, error))
			return false;
		place->fd = open_folder(place->path);
		if (!held && place->fd >= 0 && flock(place->fd, LOCK_EX | LOCK_NB) == 0 && still_there(place))
			return true;
		*ret_running = place->fd >= 0 && somebody_listens(place->fd);
		if (place->fd >= 0)
			close(place->fd);
		if (*ret_running)
			return true;
		g_usleep(LOCK_WAIT_US);
	}
	return say_held(place->path, error);
}

static void empty_folder(int folder)
{
	int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	GDir *dir = NULL;
	g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", again);
	if (again >= 0)
		dir = g_dir_open(path, 0, NULL);
	for (const char *name; dir && (name = g_dir_read_name(dir));)
		unlinkat(folder, name, 0);
	if (dir)
		g_dir_close(dir);
	if (again >= 0)
		close(again);
}

static bool write_site(const struct start *start, const struct place *place, pid_t pid, GError **error)
{
	g_autoptr(json_t) json = json_pack("{s:s, s:s, s:I}", "owner", start->owner, "site", start->site, "pid",
		(json_int_t) pid);
	g_autofree char *path = g_build_filename(place->path, KEEPER_SITE_NAME, NULL);
	if (!json) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "owner or site is not UTF-8");
		return false;
	}
	g_autofree char *text = json_text(json, 0);
	return file_write(path, text, strlen(text), 0644, error);
}

/* Answers the keeper's wish for ids; hands it what it will need. The answer is 'm' and the finding, or 'E' and the reason. */
static void serve_keeper(int talk, const struct start *start, struct place *place, struct cgroups *cgroups, pid_t pid)
{
	char byte;
	if (read(talk, &byte, 1) != 1)
		return; /* it has failed, and said so to the starter */
	struct ids ids = ids_choose(start->site);
	g_autofree char *finding = NULL;
	g_autoptr(GError) error = NULL;
	bool ok = ids_write(&ids, pid, &finding, &error) && write_site(start, place, pid, &error);
	if (ok && fchown(place->fd, ids.uid, ids.gid) < 0)
		ok = pleach_error_errno(&error, errno, "give %s to the site's own ids", place->path);
	cgroups_hand_over(cgroups, ids.uid, ids.gid, pid);
	const char *lack = cgroups_finding(cgroups);
	g_autofree char *text = ok ? g_strdup_printf("m%s\n%s", finding ? finding : "", lack ? lack : "")
				   : g_strdup_printf("E%s", error->message);
	if (write(talk, text, strlen(text)) < 0)
		kill(pid, SIGKILL);
}

/* Another folder under the same path, locked before anybody else sees it as free. */
static bool replace_place(const struct start *start, struct place *place, pid_t pid)
{
	struct place next = { place->path, -1 };
	struct ids ids = ids_choose(start->site);
	if (make_folder(start, place->path, NULL))
		next.fd = open_folder(place->path);
	bool ok = next.fd >= 0 && flock(next.fd, LOCK_EX | LOCK_NB) == 0 && still_there(&next) &&
		  write_site(start, &next, pid, NULL) && fchown(next.fd, ids.uid, ids.gid) == 0;
	if (ok)
		close(place->fd);
	else if (next.fd >= 0)
		close(next.fd);
	if (ok)
		place->fd = next.fd;
	return ok;
}

static void send_folder(int talk, int folder)
{
	struct iovec piece = { (char[]) { 'F' }, 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	*head = (struct cmsghdr) { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(head), &folder, sizeof(int));
	if (sendmsg(talk, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		fprintf(stderr, "send the new folder: %s\n", strerror(errno));
}

/* Until the keeper has ended. */
static void watch_over(int talk, int uplinks, const struct start *start, struct place *place, pid_t pid)
{
	struct pollfd waits[] = { { pidfd_open(pid, 0), POLLIN, 0 }, { uplinks, POLLIN, 0 } };
	struct pollfd *end = &waits[0], *wish = &waits[1];
	struct stat st;
	while (end->fd >= 0) {
		int n = poll(waits, G_N_ELEMENTS(waits), KEEPER_DOORS_MS);
		if ((n < 0 && errno != EINTR) || (n > 0 && end->revents))
			break;
		if (n > 0 && wish->revents && !outside_serve(wish->fd, pid))
			wish->fd = -1;
		if (stat(place->path, &st) < 0 && errno != ENOENT)
			continue;
		if (!still_there(place) && replace_place(start, place, pid))
			send_folder(talk, place->fd);
		else if (fstatat(place->fd, KEEPER_SITE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT && still_there(place))
			write_site(start, place, pid, NULL);
	}
	if (end->fd >= 0)
		close(end->fd);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static void clear_away(const struct start *start, struct place *place, struct cgroups *cgroups)
{
	cgroups_remove(cgroups);
	empty_folder(place->fd);
	rmdir(place->path);
	rmdir(start->runtime); /* stays while another site is in it */
}

/* --- the keeper ------------------------------------------------------------------------------------------------------------- */

static void write_sysctl(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* a kernel without it needs nothing */
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

static bool set_up_network(GError **error)
{
	/* A router's drop rule must not cut what bridges carry; and bridges themselves have no use for addresses. */
	write_sysctl("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
	write_sysctl("/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0");
	write_sysctl("/proc/sys/net/bridge/bridge-nf-call-arptables", "0");
	write_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	write_sysctl("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK };
	bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	if (!ok)
		pleach_error_errno(error, errno, "bring the loopback up");
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool enter_namespaces(int talk, GPtrArray *findings, GError **error)
{
	int flags = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS;
	if (unshare(flags) < 0)
		return pleach_error_errno(error, errno, "create the site's namespaces (are user namespaces allowed here?)");
	char text[TEXT_MAX];
	ssize_t n = write(talk, "M", 1) == 1 ? read(talk, text, sizeof(text) - 1) : -1;
	if (n <= 0)
		return pleach_error_errno(error, n < 0 ? errno : EPIPE, "have ids mapped");
	text[n] = '\0';
	if (text[0] != 'm') {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s", text + 1);
		return false;
	}
	g_auto(GStrv) lines = g_strsplit(text + 1, "\n", -1);
	for (size_t i = 0; lines[i]; i++)
		if (*lines[i])
			g_ptr_array_add(findings, g_strdup(lines[i]));
	/* Without the right to change groups (one id only) there are none to give up. */
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return pleach_error_errno(error, errno, "give up the host's groups");
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return pleach_error_errno(error, errno, "take on the site's ids");
	return true;
}

/* Five descriptors per VNFC: thousands of them want more than is usual. VNFCs themselves get what there was. */
static void raise_files(struct rlimit *ret_before)
{
	if (getrlimit(RLIMIT_NOFILE, ret_before) < 0)
		return;
	const struct rlimit most = { FILES_MAX, FILES_MAX }, own = { ret_before->rlim_max, ret_before->rlim_max };
	if (ret_before->rlim_max >= FILES_MAX || setrlimit(RLIMIT_NOFILE, &most) < 0)
		setrlimit(RLIMIT_NOFILE, &own);
}

/* The keeper's ends of its socket pairs with the guard: ids and folders, and the ways out (outside.h). */
struct guard_ends {
	int talk, uplinks;
};

static int live(const struct start *start, struct place *place, struct cgroups *cgroups, int leaf_fd, struct guard_ends ends,
		int ready)
{
	int talk = ends.talk;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(g_free);
	struct rlimit nofile = { 1024, 1024 };
	struct seeds *seeds = seeds_read();
	raise_files(&nofile);
	prctl(PR_SET_NAME, "pleach-keeper");
	int hold_fd = keeper_hold(place->path); /* while this is still the host's network namespace, and the caller's own ids */
	auto_ptr(keeper) keeper = NULL;
	bool ok = fchdir(place->fd) == 0 || pleach_error_errno(&error, errno, "enter %s", place->path);
	if (ok && enter_namespaces(talk, findings, &error) && set_up_network(&error) && root_make(&error))
		keeper = keeper_new(start->owner, start->site, &error);
	if (!keeper)
		return say(ready, error);
	keeper->guard_fd = talk;
	keeper->uplink_fd = ends.uplinks;
	keeper->hold_fd = hold_fd;
	keeper->cgroups = cgroups;
	keeper->seeds = seeds;
	keeper->leaf_fd = leaf_fd;
	keeper->nofile = nofile;
	for (guint i = 0; i < findings->len; i++)
		g_ptr_array_add(keeper->findings, g_strdup(findings->pdata[i]));
	doors_watch(keeper);
	ok = write(ready, "R", 1) == 1;
	close(ready);
	ok = ok && keeper_run(keeper, &error);
	if (error)
		note(keeper, "%s", error->message);
	close(keeper->hold_fd);
	keeper->hold_fd = -1;
	unlink(KEEPER_SOCKET_NAME);
	links_take_down(keeper);
	g_clear_pointer(&keeper, keeper_free);
	seeds_free(seeds);
	return ok ? 0 : 1;
}

static bool open_log(const struct place *place, GError **error)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = openat(place->fd, KEEPER_LOG_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok = null_fd >= 0 && log >= 0 && dup2(null_fd, 0) == 0 && dup2(null_fd, 1) == 1 && dup2(log, 2) == 2;
	if (!ok)
		pleach_error_errno(error, errno, "open the log in %s", place->path);
	if (null_fd > 2)
		close(null_fd);
	if (log > 2)
		close(log);
	return ok;
}

/* Of its place, not of owner and site: they may have keepers in two runtime folders, which know nothing of each other, and each takes
 * its groups away when it begins and when it ends. */
static char *group_name(const struct place *place)
{
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, place->path, -1);
	return g_strndup(hash, GROUP_NAME_LENGTH);
}

static int guard(const struct start *start, int leaf_fd, int ready)
{
	struct place place = { NULL, -1 };
	bool running = false;
	g_autoptr(GError) error = NULL;
	setsid();
	if (!take_place(start, &place, &running, &error))
		return say(ready, error);
	if (running)
		return write(ready, "R", 1) == 1 ? 0 : 1;
	empty_folder(place.fd);
	g_autofree char *name = group_name(&place);
	auto_ptr(cgroups) cgroups = cgroups_prepare(name);
	cgroups_remove(cgroups); /* of a keeper that was killed together with its guard */
	g_clear_pointer(&cgroups, cgroups_free);
	cgroups = cgroups_prepare(name);
	int talk[2] = { -1, -1 }, uplinks[2] = { -1, -1 };
	pid_t pid = -1;
	if (open_log(&place, &error) && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, uplinks) == 0)
		pid = fork();
	else if (!error)
		pleach_error_errno(&error, errno, "create a socket pair");
	if (pid == 0) {
		close(talk[0]);
		close(uplinks[0]);
		return live(start, &place, cgroups, leaf_fd, (struct guard_ends) { talk[1], uplinks[1] }, ready);
	}
	int status = pid < 0 ? say(ready, error) : 0;
	close(ready);
	close(talk[1]);
	close(uplinks[1]);
	if (chdir("/") == 0 && pid > 0)
		serve_keeper(talk[0], start, &place, cgroups, pid);
	if (pid > 0)
		watch_over(talk[0], uplinks[0], start, &place, pid);
	clear_away(start, &place, cgroups);
	g_free(place.path);
	return status;
}

/* --- the starter ------------------------------------------------------------------------------------------------------------ */

int keeper_start(const struct start *start)
{
	int ready[2];
	syscall(SYS_close_range, 3, ~0u, 0);
	umask(022);
	int leaf_fd = open(start->leaf, O_RDONLY | O_CLOEXEC);
	if (leaf_fd < 0 || pipe2(ready, O_CLOEXEC) < 0) {
		fprintf(stderr, "%s: %s\n", start->leaf, g_strerror(errno));
		return 1;
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(ready[0]);
		_exit(guard(start, leaf_fd, ready[1]));
	}
	close(ready[1]);
	char text[TEXT_MAX];
	ssize_t n = pid > 0 ? read(ready[0], text, sizeof(text) - 1) : -1;
	if (n > 0 && text[0] == 'R')
		return 0;
	text[MAX(n, 0)] = '\0';
	fprintf(stderr, "%s\n", n > 1 ? text + 1 : "it ended before it listened; its log may say why");
	return 1;
}
