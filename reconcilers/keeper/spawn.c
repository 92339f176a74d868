#include "keeper/spawn.h"

#include "keeperproto/keeperproto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024, LEAF_FIRST_FREE_FD = 5, SPARE_FD = 64 };

typedef int (*child_fn)(void *data);

/* A child that execs leaves its frames behind. AddressSanitizer, where it is linked in, would take the marks that it made around
 * them for the next child's. */
extern void __asan_unpoison_memory_region(const volatile void *memory, size_t size) __attribute__((weak));

/* One stack for a child, one for a child's child: nobody returns here before they are done with them. */
static void *stack_top(int which)
{
	static char *stacks[2];
	if (!stacks[which]) {
		void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		stacks[which] = memory == MAP_FAILED ? NULL : memory;
	}
	if (stacks[which] && __asan_unpoison_memory_region)
		__asan_unpoison_memory_region(stacks[which], STACK_BYTES);
	return stacks[which] ? stacks[which] + STACK_BYTES : NULL;
}

/* Into a group of version 2 there is only clone3(), and that with memory of its own: @data must be shared memory then. */
static pid_t clone_into(child_fn fn, void *data, unsigned long flags, int into)
{
	struct clone_args args = {
		.flags = flags | CLONE_VFORK | CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = (unsigned) into,
	};
	pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(fn(data));
	return pid;
}

static pid_t clone_child(child_fn fn, void *data, unsigned long flags, int into, int which)
{
	void *stack = stack_top(which);
	if (!stack)
		return -1;
	/* Neither side may run a signal handler in the other's place. */
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid_t pid = into >= 0 ? clone_into(fn, data, flags, into)
			      : clone(fn, stack, (int) (flags | CLONE_VM | CLONE_VFORK | SIGCHLD), data);
	int errnum = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = errnum;
	return pid;
}

/* --- in the child: nothing here may allocate ------------------------------------------------------------------------------ */

static int fail(struct spawn_fault *fault, const char *what)
{
	fault->errnum = errno;
	fault->what = what;
	return 127;
}

static bool move_into(const int tasks[CGROUP_N])
{
	for (size_t c = 0; c < CGROUP_N; c++)
		if (tasks[c] >= 0 && write(tasks[c], "0", 1) != 1)
			return false;
	return true;
}

static void reset_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What no network function needs, and what would let it undo its own walls (mounts, above all). Its user namespace bounds the
 * rest. */
static bool drop_capabilities(void)
{
	static const int dropped[] = {
		CAP_SYS_ADMIN, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_PACCT, CAP_SYS_BOOT, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG,
			CAP_MKNOD,
		CAP_LINUX_IMMUTABLE, CAP_LEASE, CAP_AUDIT_CONTROL, CAP_AUDIT_READ, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_SYSLOG,
		CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_DAC_READ_SEARCH,
	};
	for (size_t i = 0; i < G_N_ELEMENTS(dropped); i++)
		if (prctl(PR_CAPBSET_DROP, dropped[i], 0, 0, 0) < 0)
			return false;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = write(fd, text, strlen(text)) >= 0;
	close(fd);
	return ok;
}

static bool loopback_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK };
	bool ok = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static const char *set_up_network(bool ipv6)
{
	if (!write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"))
		return "set ip_unprivileged_port_start";
	/* Interfaces come up half a millisecond sooner without it. A kernel that has none needs nothing. */
	if (!ipv6 && access("/proc/sys/net/ipv6/conf/all/disable_ipv6", F_OK) == 0 &&
	    (!write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1") ||
		!write_file("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1")))
		return "turn IPv6 off";
	return loopback_up() ? NULL : "bring the loopback up";
}

/* @from[i] becomes descriptor i; all above are closed at exec. What stands in the way is moved out of it first. */
static bool place_descriptors(int *from, int n)
{
	for (int i = 0; i < n; i++) {
		if (from[i] >= n)
			continue;
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, SPARE_FD);
		if (from[i] < 0)
			return false;
	}
	for (int i = 0; i < n; i++)
		if (dup2(from[i], i) < 0)
			return false;
	return syscall(SYS_close_range, n, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

static int leaf_child(void *data)
{
	struct spawn_leaf *leaf = data;
	static char name[] = "pleach-leaf", option[] = "--listen-fd", number[] = "3";
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/",
		lang[] = "LANG=C.UTF-8";
	static char *const argv[] = { name, option, number, NULL }, *const envp[] = { path, home, lang, NULL };
	/* A keeper that is killed takes its VNFs with it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return fail(&leaf->fault, "tie the process to the keeper");
	if (!move_into(leaf->tasks))
		return fail(&leaf->fault, "enter the control groups");
	if (unshare(CLONE_NEWCGROUP) < 0 && errno != EINVAL)
		return fail(&leaf->fault, "create a control group namespace");
	if (setsid() < 0 || chdir("/") < 0)
		return fail(&leaf->fault, "start a session");
	const char *what = root_own(&leaf->root);
	if (!what && sethostname(leaf->root.hostname, strlen(leaf->root.hostname)) < 0)
		what = "set the host name";
	if (!what)
		what = set_up_network(leaf->ipv6);
	if (what)
		return fail(&leaf->fault, what);
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int leaf_fd = fcntl(leaf->leaf_fd, F_DUPFD_CLOEXEC, SPARE_FD);
	int from[LEAF_FIRST_FREE_FD] = { null_fd, leaf->words_fd, leaf->words_fd, leaf->listen_fd, leaf->ready_fd };
	if (null_fd < 0 || leaf_fd < 0 || !place_descriptors(from, LEAF_FIRST_FREE_FD))
		return fail(&leaf->fault, "hand over descriptors");
	setrlimit(RLIMIT_NOFILE, &leaf->nofile);
	if (!drop_capabilities())
		return fail(&leaf->fault, "give up capabilities");
	reset_signals();
	syscall(SYS_execveat, leaf_fd, "", argv, envp, AT_EMPTY_PATH);
	return fail(&leaf->fault, "run pleach-leaf");
}

static int command_grandchild(void *data)
{
	struct spawn_command *command = data;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || setsid() < 0 || chdir("/") < 0)
		return fail(&command->fault, "start a session");
	int from[3] = { command->fds[0], command->fds[1], command->fds[2] };
	if (!place_descriptors(from, 3))
		return fail(&command->fault, "hand over descriptors");
	setrlimit(RLIMIT_NOFILE, &command->nofile);
	if (!drop_capabilities())
		return fail(&command->fault, "give up capabilities");
	reset_signals();
	execvpe(command->argv[0], command->argv, command->envp);
	return fail(&command->fault, "run the command");
}

/* Enters the VNFC's namespaces; only a child of this child is in its process namespace too. */
static int command_child(void *data)
{
	struct spawn_command *command = data;
	if (!move_into(command->tasks))
		return fail(&command->fault, "enter the control groups");
	int all = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWCGROUP;
	if (setns(command->pid_fd, all) < 0)
		return fail(&command->fault, "enter the VNFC's namespaces");
	command->pid = clone_child(command_grandchild, command, CLONE_PARENT, -1, 1);
	return command->pid < 0 ? fail(&command->fault, "create a process") : 0;
}

/* --- in the keeper -------------------------------------------------------------------------------------------------------- */

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

static void *shared_copy(const void *data, size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memcpy(memory, data, size);
}

/* Runs @fn on a copy of *@data that the child can write to, whichever way it is cloned, and copies it back. */
static pid_t run_child(child_fn fn, void *data, size_t size, unsigned long flags, int into)
{
	if (into < 0)
		return clone_child(fn, data, flags, -1, 0);
	void *shared = shared_copy(data, size);
	if (!shared)
		return -1;
	pid_t pid = clone_child(fn, shared, flags, into, 0);
	int errnum = errno;
	memcpy(data, shared, size);
	munmap(shared, size);
	errno = errnum;
	return pid;
}

pid_t spawn_leaf(struct spawn_leaf *leaf, GError **error)
{
	leaf->fault = (struct spawn_fault) { 0 };
	unsigned long flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC;
	pid_t pid = run_child(leaf_child, leaf, sizeof(*leaf), flags, leaf->into);
	if (pid < 0) {
		pleach_error_errno(error, errno, "create a process in namespaces of its own");
		return -1;
	}
	if (!leaf->fault.what)
		return pid;
	reap(pid);
	pleach_error_errno(error, leaf->fault.errnum, "%s", leaf->fault.what);
	return -1;
}

pid_t spawn_command(struct spawn_command *command, GError **error)
{
	command->fault = (struct spawn_fault) { 0 };
	command->pid = -1;
	/* The grandchild shares the child's memory, so both write into the same request. */
	pid_t helper = run_child(command_child, command, sizeof(*command), 0, command->into);
	if (helper < 0) {
		pleach_error_errno(error, errno, "create a process");
		return -1;
	}
	reap(helper);
	if (!command->fault.what && command->pid > 0)
		return command->pid;
	if (!command->fault.what)
		command->fault = (struct spawn_fault) { "enter the VNFC (the process that was to do it was killed)", ECHILD };
	if (command->pid > 0)
		reap(command->pid);
	pleach_error_errno(error, command->fault.errnum, "%s", command->fault.what);
	return -1;
}
