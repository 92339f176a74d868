#include "vim/local/check.h"

#include "vim/local/private.h"

#include "base/program.h"

#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* Does unshare(@flags) work here? Tried in a child, so that this process stays as it is. */
static bool can_unshare(int flags)
{
	pid_t child = fork();
	if (child == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	int status = 1;
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool has_id_range(const char *file, const char *user)
{
	g_autofree char *text = NULL;
	if (!g_file_get_contents(file, &text, NULL, NULL))
		return false;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	size_t length = strlen(user);
	for (char **line = lines; *line; line++)
		if (strncmp(*line, user, length) == 0 && (*line)[length] == ':')
			return true;
	return false;
}

/* The switch of this host that forbids them, as hosts differ. */
static const char *namespaces_switch(void)
{
	static const struct {
		const char *path, *off, *mend;
	} switches[] = {
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
			"sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
		g_autofree char *text = NULL;
		if (g_file_get_contents(switches[i].path, &text, NULL, NULL) && strcmp(g_strchomp(text), switches[i].off) == 0)
			return switches[i].mend;
	}
	return "sysctl -w user.max_user_namespaces=65536";
}

static void check_namespaces(vim_check_fn each, void *data)
{
	const struct vim_check check = {
		.good = can_unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID),
		.required = true,
		.what = "user, network, mount and PID namespaces may be made",
		.why = "every VNF of the local VIM lives in them",
		.mend = namespaces_switch(),
	};
	each(&check, data);
}

static void check_id_ranges(vim_check_fn each, void *data)
{
	if (geteuid() == 0)
		return;
	const struct passwd *user = getpwuid(geteuid());
	g_autofree char *number = g_strdup_printf("%u", geteuid());
	const char *name = user ? user->pw_name : number; /* without a name of his own, by number */
	g_autofree char *newuidmap = g_find_program_in_path("newuidmap"), *newgidmap = g_find_program_in_path("newgidmap");
	const struct vim_check tool = {
		.good = newuidmap && newgidmap,
		.what = "newuidmap and newgidmap are installed",
		.why = "without it network functions that drop privileges (nginx, dnsmasq) must be told to stay root of their VNF",
		.mend = "apt-get install uidmap",
	};
	each(&tool, data);
	g_autofree char *what = g_strdup_printf("%s has a range of ids in /etc/subuid and /etc/subgid", name);
	g_autofree char *mend =
		user ? g_strdup_printf("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", name) :
		       g_strdup_printf("echo %s:100000:65536 | tee -a /etc/subuid /etc/subgid", name);
	const struct vim_check range = {
		.good = has_id_range("/etc/subuid", name) && has_id_range("/etc/subgid", name),
		.what = what,
		.why = tool.why,
		.mend = mend,
	};
	each(&range, data);
}

static void check_control_groups(vim_check_fn each, void *data)
{
	bool v2 = g_file_test("/sys/fs/cgroup/cgroup.controllers", G_FILE_TEST_EXISTS);
	bool writable = geteuid() == 0 && access(v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory", W_OK) == 0;
	const struct vim_check check = {
		.good = writable,
		.what = "control groups can be made",
		.why = "without them vCPU, memory and process limits of VNFs are not kept",
		.mend = geteuid() == 0 ? "mount -t cgroup2 none /sys/fs/cgroup" : "run pleachd as root",
	};
	each(&check, data);
}

/* What a Sap on a network of the host needs. */
static void check_outside(vim_check_fn each, void *data)
{
	const struct vim_check root = {
		.good = geteuid() == 0,
		.what = "links can be attached to networks of this host",
		.why = "only root may; a service whose Sap names a network of the site is not attached to it",
		.mend = "run pleachd as root",
	};
	each(&root, data);
	if (!root.good)
		return;
	struct utsname name;
	g_autofree char *module = uname(&name) == 0 ? g_strdup_printf("/lib/modules/%s/kernel/net/8021q", name.release) : g_strdup("");
	const struct vim_check vlan = {
		.good = access("/sys/module/8021q", F_OK) == 0 || access("/proc/net/vlan", F_OK) == 0 || access(module, F_OK) == 0,
		.what = "this kernel has VLAN interfaces",
		.why = "a site's network with a vlan needs them",
		.mend = "modprobe 8021q; or name a bridge that carries the VLAN, without a vlan",
	};
	each(&vlan, data);
}

/* --- how many VNFs there is room for ------------------------------------------------------------------------------------- */

enum {
	VNFS_USUAL = 1000,     /* room for so many is enough not to be talked about */
	VNF_FILES = 5,         /* of its keeper: netns, pidfd, socket, doorbell, log */
	VNF_PROCESSES = 3,     /* its agent, its NF, and what that forks */
	KEEPER_FILES = 64,
};

static guint64 number_in(const char *path, guint64 otherwise)
{
	g_autofree char *text = NULL;
	guint64 number = 0;
	bool good = g_file_get_contents(path, &text, NULL, NULL) &&
		    g_ascii_string_to_unsigned(g_strstrip(text), 10, 0, G_MAXUINT64, &number, NULL);
	return good ? number : otherwise;
}

static void say_room(const char *of, guint64 limit, guint64 vnfs, const char *mend, vim_check_fn each, void *data)
{
	g_autofree char *what = g_strdup_printf("%s for %d VNFs", of, VNFS_USUAL);
	g_autofree char *why = g_strdup_printf("the limit of %" G_GUINT64_FORMAT " is reached at about %" G_GUINT64_FORMAT " VNFs", limit, vnfs);
	each(&(struct vim_check) { .good = vnfs >= VNFS_USUAL, .what = what, .why = why, .mend = mend }, data);
}

static void check_room(vim_check_fn each, void *data)
{
	struct rlimit files = { RLIM_INFINITY, RLIM_INFINITY }, processes = { RLIM_INFINITY, RLIM_INFINITY };
	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NPROC, &processes);
	/* The keeper raises its own as far as it may; root may as far as the kernel does. */
	guint64 n_files = geteuid() == 0 ? number_in("/proc/sys/fs/nr_open", files.rlim_max) : files.rlim_max;
	say_room("descriptors of a site's keeper", n_files, n_files > KEEPER_FILES ? (n_files - KEEPER_FILES) / VNF_FILES : 0,
		 "LimitNOFILE=1048576 in the unit, or /etc/security/limits.conf: hard nofile 1048576", each, data);
	guint64 n_processes = number_in("/proc/sys/kernel/pid_max", G_MAXINT32);
	if (geteuid() != 0)
		n_processes = MIN(n_processes, processes.rlim_max);
	say_room("processes", n_processes, n_processes / VNF_PROCESSES, "sysctl -w kernel.pid_max=4194304", each, data);
	guint64 n_namespaces = number_in("/proc/sys/user/max_net_namespaces", G_MAXINT32);
	n_namespaces = MIN(n_namespaces, number_in("/proc/sys/user/max_mnt_namespaces", G_MAXINT32));
	say_room("namespaces", n_namespaces, n_namespaces, "sysctl -w user.max_net_namespaces=65536 user.max_mnt_namespaces=65536", each, data);
}

static void check_own_program(const char *name, vim_check_fn each, void *data)
{
	g_autofree char *path = program_find(name), *what = g_strdup_printf("%s is found", name);
	const struct vim_check check = {
		.good = path,
		.required = true,
		.what = what,
		.why = path
			? path : "looked in $PLEACH_LIBEXEC, beside this program, /usr/libexec/pleach, /usr/lib/pleach, $PATH",
		.mend = "export PLEACH_LIBEXEC=FOLDER",
	};
	each(&check, data);
}

static void check_program(const char *program, const char *package, vim_check_fn each, void *data)
{
	g_autofree char *path = g_find_program_in_path(program);
	g_autofree char *sbin = g_strconcat("/usr/sbin/", program, NULL);
	g_autofree char *what = g_strdup_printf("%s is installed", program);
	g_autofree char *mend = g_strdup_printf("apt-get install %s", package);
	const struct vim_check check = {
		.good = path || access(sbin, X_OK) == 0,
		.what = what,
		.why = "VNFs run the host's programs; descriptors that name this one need it",
		.mend = mend,
	};
	each(&check, data);
}

void vim_local_check(const struct site *site, vim_check_fn each, void *data)
{
	static const char *const programs[][2] = {
		{ "haproxy", "haproxy" }, { "nginx", "nginx-light" }, { "dnsmasq", "dnsmasq-base" }, { "nft", "nftables" },
			{ "ip", "iproute2" },
	};
	check_namespaces(each, data);
	check_own_program("pleach-keeper", each, data);
	check_own_program("pleach-leaf", each, data);
	check_id_ranges(each, data);
	check_control_groups(each, data);
	check_outside(each, data);
	check_room(each, data);
	for (size_t i = 0; i < G_N_ELEMENTS(programs); i++)
		check_program(programs[i][0], programs[i][1], each, data);
}
