#include "vim/local/private.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(vim_check_fn each, void *data, bool good, bool required, const char *what, const char *why, const char *mend)
{
	each(&(struct vim_check) { .good = good, .required = required, .what = what, .why = why, .mend = mend }, data);
}

static bool may_make_namespaces(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 ? 0 : 1);
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/* Why they may not, by the switches that hosts have for it. */
static const char *namespaces_switch(void)
{
	static const struct {
		const char *path, *off, *mend;
	} switches[] = {
		{ "/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=65536" },
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1" },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(switches); i++) {
		g_autofree char *text = NULL;
		if (g_file_get_contents(switches[i].path, &text, NULL, NULL) && strcmp(g_strchomp(text), switches[i].off) == 0)
			return switches[i].mend;
	}
	return NULL;
}

static bool names_user(const char *file, const char *name)
{
	g_autofree char *text = NULL;
	if (!g_file_get_contents(file, &text, NULL, NULL))
		return false;
	g_autofree char *number = g_strdup_printf("%u:", (unsigned) getuid()), *named = g_strdup_printf("%s:", name);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i]; i++)
		if (g_str_has_prefix(lines[i], named) || g_str_has_prefix(lines[i], number))
			return true;
	return false;
}

static void check_ids(vim_check_fn each, void *data)
{
	if (geteuid() == 0) {
		tell(each, data, true, false, "a range of user ids for network functions that drop privileges", NULL, NULL);
		return;
	}
	const struct passwd *user = getpwuid(getuid());
	g_autofree char *newuidmap = g_find_program_in_path("newuidmap"), *newgidmap = g_find_program_in_path("newgidmap");
	g_autofree char *mend = g_strdup_printf("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", user ? user->pw_name : "USER");
	bool helpers = newuidmap && newgidmap;
	bool range = user && names_user("/etc/subuid", user->pw_name) && names_user("/etc/subgid", user->pw_name);
	tell(each, data, helpers, false, "newuidmap and newgidmap", helpers ? NULL : "without them VNFs have one user id only",
	     helpers ? NULL : "apt-get install uidmap");
	tell(each, data, range, false, "a range of user ids for network functions that drop privileges",
	     range ? NULL : "without it dnsmasq, nginx and others that drop privileges do not run", range ? NULL : mend);
}

void local_check(const struct site *site, vim_check_fn each, void *data)
{
	bool may = may_make_namespaces();
	tell(each, data, may, true, "user namespaces may be made", may ? NULL : "VNFs cannot be started", may ? NULL : namespaces_switch());
	static const char *const programs[] = { "pleach-keeper", "pleach-leaf" };
	for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
		g_autofree char *path = program_find(programs[i]);
		tell(each, data, path, true, programs[i], path, path ? NULL : "set PLEACH_LIBEXEC to the folder of Pleach's programs");
	}
	check_ids(each, data);
	bool root = geteuid() == 0;
	bool groups = root && (access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0 || access("/sys/fs/cgroup/memory", R_OK) == 0);
	tell(each, data, groups, false, "control groups for vCPUs, memory and processes",
	     groups ? NULL : root ? "none are mounted: limits are not kept" : "only root has them here: limits are not kept", NULL);
}
