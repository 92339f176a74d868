#include "bare.h"

#include "base/clock.h"
#include "base/error.h"
#include "netlink/netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024, NAMESPACES = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC };

static int run_sleep(void *data)
{
	char *const argv[] = { (char[]) { "sleep" }, (char[]) { "infinity" }, NULL };
	char *const envp[] = { NULL };
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || sethostname("bare", 4) != 0)
		_exit(1);
	execve("/usr/bin/sleep", argv, envp);
	_exit(1);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

static bool enter_namespaces(GError **error)
{
	char uid_map[64], gid_map[64];
	snprintf(uid_map, sizeof(uid_map), "0 %d 1", (int) geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %d 1", (int) getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 || !write_file("/proc/self/setgroups", "deny") ||
	    !write_file("/proc/self/uid_map", uid_map) || !write_file("/proc/self/gid_map", gid_map))
		return pleach_error_errno(error, errno, "namespaces of the bare loop");
	/* IPv6 costs half a millisecond in every namespace; a VNF without IPv6 addresses goes without it too. */
	return write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1") || errno == ENOENT || errno == EROFS ||
	       pleach_error_errno(error, errno, "disable_ipv6");
}

static unsigned index_of(struct nl *nl, const char *name, GError **error)
{
	g_autoptr(GPtrArray) links = nl_links_new();
	if (!nl_links(nl, links, error))
		return 0;
	for (guint i = 0; i < links->len; i++) {
		const struct nl_link *link = g_ptr_array_index(links, i);
		if (strcmp(link->name, name) == 0)
			return link->index;
	}
	return 0;
}

/* Indices are chosen, so that nothing has to be looked up. */
static unsigned bridge_index(size_t i)
{
	return 1000 + 2 * (unsigned) i;
}

static bool plug(struct nl *nl, int home_fd, pid_t child, size_t i, GError **error)
{
	const unsigned veth_index = bridge_index(i) + 1, peer_index = 2;
	char path[64], bridge[32], veth[32], address[64];
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int) child);
	snprintf(bridge, sizeof(bridge), "b%zu", i);
	snprintf(veth, sizeof(veth), "v%zu", i);
	snprintf(address, sizeof(address), "10.%zu.%zu.2/24", i / 250 % 250, i % 250);
	int netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return pleach_error_errno(error, errno, "%s", path);
	const struct nl_bridge make_bridge = { .name = bridge, .index = bridge_index(i), .mtu = 1500, .mac = { { 2, 0, 0, 0, 0, 1 } } };
	const struct nl_veth make_veth = {
		.name = veth, .index = veth_index, .mtu = 1500, .master = bridge_index(i), .peer_name = "port", .peer_index = peer_index,
		.peer_mac = { { 2, 0, 0, 0, 0, 2 } }, .peer_netns_fd = netns,
	};
	const struct nl_change up = { .set_up = true, .up = true };
	struct nl_addr addr;
	g_assert(nl_addr_parse(address, &addr));
	bool good = nl_bridge_create(nl, &make_bridge, error) && nl_link_change(nl, bridge_index(i), &up, error) &&
		    nl_veth_create(nl, &make_veth, error) && nl_link_change(nl, veth_index, &up, error);
	auto_ptr(nl) inside = good ? nl_open((struct nl_where) { netns, home_fd }, error) : NULL;
	good = inside && nl_addr_add(inside, peer_index, &addr, error) && nl_link_change(inside, peer_index, &up, error);
	close(netns);
	return good;
}

/* Not left to the kernel, which would do it later, and hold up whatever is measured next. */
static void take_down(struct nl *nl, size_t n, const pid_t *children)
{
	for (size_t i = 0; i < n && children[i] > 0; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	for (size_t i = 0; i < n && children[i] > 0; i++)
		nl_link_delete(nl, bridge_index(i), NULL);
}

static bool loop(size_t n, double *each_ms, pid_t *children, GError **error)
{
	static char stack[STACK_BYTES] __attribute__((aligned(16)));
	auto_ptr(nl) nl = nl_open(NL_HERE, error);
	int home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bool good = nl && home_fd >= 0 && index_of(nl, "lo", error);
	for (size_t i = 0; good && i < n; i++) {
		gint64 begun_us = clock_monotonic_us();
		children[i] = clone(run_sleep, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD | NAMESPACES, NULL);
		if (children[i] < 0)
			good = pleach_error_errno(error, errno, "clone");
		else
			good = plug(nl, home_fd, children[i], i, error);
		each_ms[i] = (double) (clock_monotonic_us() - begun_us) / 1000;
	}
	take_down(nl, n, children);
	close(home_fd);
	return good;
}

/* In a process of its own, since it changes its namespaces; the times come back through a pipe. */
static void run_child(size_t n, int fd)
{
	g_autoptr(GError) error = NULL;
	double *each_ms = g_new0(double, n);
	pid_t *children = g_new0(pid_t, n);
	bool good = enter_namespaces(&error) && loop(n, each_ms, children, &error);
	if (!good)
		fprintf(stderr, "bare loop: %s\n", error ? error->message : "failed");
	FILE *out = fdopen(fd, "w");
	if (good)
		fwrite(each_ms, sizeof(*each_ms), n, out);
	fclose(out);
	_exit(good ? 0 : 1);
}

bool bare_loop(size_t n, double *each_ms, GError **error)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) != 0)
		return pleach_error_errno(error, errno, "pipe");
	pid_t child = fork();
	if (child == 0)
		run_child(n, fds[1]);
	close(fds[1]);
	FILE *in = fdopen(fds[0], "r");
	size_t got = fread(each_ms, sizeof(*each_ms), n, in);
	fclose(in);
	int status;
	waitpid(child, &status, 0);
	if (got != n)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "the bare loop failed");
	return got == n;
}
