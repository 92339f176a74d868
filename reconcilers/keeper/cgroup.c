#include "keeper/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { CPU, MEMORY, PIDS, PERIOD_US = 100000, TEXT_SIZE = 4096, MAKE_TRIES = 100, REMOVE_TRIES = 100, REMOVE_WAIT_US = 5000 };

static const char *const controllers[CGROUP_N] = { "cpu", "memory", "pids" };
static const char top[] = "pleach";

struct cgroups {
	bool v2;
	char *name;
	char *parent; /* the group that a service manager has given us; NULL: none has */
	char *folders[CGROUP_N]; /* of the site; NULL: that controller is not to be had. Version 2: all the same */
	int fds[CGROUP_N];
	char *finding;
};

static bool read_at(int folder, const char *path, char text[TEXT_SIZE])
{
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, TEXT_SIZE - 1);
	close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	return true;
}

static bool write_at(int folder, const char *path, const char *text)
{
	int fd = openat(folder, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = write(fd, text, strlen(text));
	int errnum = errno;
	close(fd);
	errno = errnum;
	return n >= 0;
}

static bool has_word(const char *list, const char *word, const char *separators)
{
	g_auto(GStrv) words = g_strsplit_set(list, separators, -1);
	return g_strv_contains((const char *const *) words, word);
}

/* Where the hierarchies are mounted: version 2's mount point, and version 1's of each controller. */
static void find_mounts(char *ret_v1[CGROUP_N], char **ret_v2)
{
	g_autofree char *mounts = NULL;
	if (!g_file_get_contents("/proc/self/mounts", &mounts, NULL, NULL))
		return;
	g_auto(GStrv) lines = g_strsplit(mounts, "\n", -1);
	for (size_t i = 0; lines[i]; i++) {
		g_auto(GStrv) words = g_strsplit(lines[i], " ", -1);
		if (g_strv_length(words) < 4)
			continue;
		if (strcmp(words[2], "cgroup2") == 0 && !*ret_v2)
			*ret_v2 = g_strdup(words[1]);
		for (size_t c = 0; c < CGROUP_N && strcmp(words[2], "cgroup") == 0; c++)
			if (!ret_v1[c] && has_word(words[3], controllers[c], ","))
				ret_v1[c] = g_strdup(words[1]);
	}
}

static bool v2_has_all(const char *mount)
{
	g_autofree char *path = g_build_filename(mount, "cgroup.controllers", NULL), *list = NULL;
	if (!mount || !g_file_get_contents(path, &list, NULL, NULL))
		return false;
	for (size_t c = 0; c < CGROUP_N; c++)
		if (!has_word(list, controllers[c], " \n"))
			return false;
	return true;
}

static bool make_folder(const char *path)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST;
}

static bool enable_controllers(const char *folder)
{
	g_autofree char *path = g_build_filename(folder, "cgroup.subtree_control", NULL);
	return write_at(AT_FDCWD, path, "+cpu +memory +pids");
}

static void lack(struct cgroups *cgroups, size_t c, const char *why)
{
	g_clear_pointer(&cgroups->folders[c], g_free);
	if (cgroups->fds[c] >= 0)
		close(cgroups->fds[c]);
	cgroups->fds[c] = -1;
	g_autofree char *before = cgroups->finding;
	cgroups->finding = before ? g_strdup_printf("%s; %s: %s", before, controllers[c], why)
				  : g_strdup_printf("control groups: %s: %s", controllers[c], why);
}

static const char guard_group[] = "guard";

static bool has_mark(const char *group)
{
	char mark = '0';
	return (getxattr(group, "trusted.delegate", &mark, 1) == 1 || getxattr(group, "user.delegate", &mark, 1) == 1) && mark == '1';
}

/* The group that this process is in, when a service manager has given it to us whole (systemd's Delegate=yes leaves that mark);
 * version 2 only. NULL: it has not. */
static char *delegated(const char *mount)
{
	g_autofree char *text = NULL;
	if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL) || !g_str_has_prefix(text, "0::/"))
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	g_autofree char *path = g_build_filename(mount, text + strlen("0::"), NULL);
	g_autofree char *name = g_path_get_basename(path), *above = g_path_get_dirname(path);
	if (strcmp(name, guard_group) == 0 && has_mark(above))
		return g_steal_pointer(&above); /* we have stepped aside already */
	return has_mark(path) ? g_steal_pointer(&path) : NULL;
}

/* Version 2 gives controllers to the groups below one only while no process is in it itself: this one and the one that started it
 * move. */
static bool step_aside(const char *group)
{
	g_autofree char *aside = g_build_filename(group, guard_group, NULL), *procs = g_build_filename(aside, "cgroup.procs", NULL);
	g_autofree char *all = g_build_filename(group, "cgroup.procs", NULL), *list = NULL;
	if (!make_folder(aside) || !g_file_get_contents(all, &list, NULL, NULL))
		return false;
	g_auto(GStrv) pids = g_strsplit(list, "\n", -1);
	for (size_t i = 0; pids[i]; i++)
		if (*pids[i] && !write_at(AT_FDCWD, procs, pids[i]) && errno != ESRCH)
			return false;
	return true;
}

/* -1 with ENOENT where another site's keeper has just taken away @parent, which was empty. */
static int open_site(struct cgroups *cgroups, size_t c, const char *mount, const char *parent)
{
	bool made = make_folder(parent) &&
		    (!cgroups->v2 || ((cgroups->parent || enable_controllers(mount)) && enable_controllers(parent))) &&
		    make_folder(cgroups->folders[c]) && (!cgroups->v2 || enable_controllers(cgroups->folders[c]));
	return made ? open(cgroups->folders[c], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static void prepare_one(struct cgroups *cgroups, size_t c, const char *mount)
{
	if (!mount) {
		lack(cgroups, c, "not mounted");
		return;
	}
	g_autofree char *own = cgroups->v2 ? delegated(mount) : NULL;
	if (own && !cgroups->parent && step_aside(own))
		cgroups->parent = g_steal_pointer(&own); /* from now on we are in a group below it */
	g_autofree char *parent = cgroups->parent ? g_strdup(cgroups->parent) : g_build_filename(mount, top, NULL);
	cgroups->folders[c] = g_build_filename(parent, cgroups->name, NULL);
	for (int i = 0; i < MAKE_TRIES && cgroups->fds[c] < 0 && (i == 0 || errno == ENOENT); i++)
		cgroups->fds[c] = open_site(cgroups, c, mount, parent);
	if (cgroups->fds[c] < 0) {
		int errnum = errno;
		rmdir(cgroups->folders[c]);
		rmdir(parent);
		lack(cgroups, c, g_strerror(errnum));
	}
}

struct cgroups *cgroups_prepare(const char *name)
{
	struct cgroups *cgroups = g_new0(struct cgroups, 1);
	cgroups->name = g_strdup(name);
	for (size_t c = 0; c < CGROUP_N; c++)
		cgroups->fds[c] = -1;
	if (geteuid() != 0) {
		cgroups->finding = g_strdup("control groups: only root has them here; limits are not kept");
		return cgroups;
	}
	char *v1[CGROUP_N] = { NULL };
	g_autofree char *v2 = NULL;
	find_mounts(v1, &v2);
	cgroups->v2 = v2_has_all(v2);
	for (size_t c = 0; c < CGROUP_N; c++) {
		prepare_one(cgroups, c, cgroups->v2 ? v2 : v1[c]);
		g_free(v1[c]);
	}
	return cgroups;
}

void cgroups_free(struct cgroups *cgroups)
{
	for (size_t c = 0; c < CGROUP_N; c++) {
		if (cgroups->fds[c] >= 0)
			close(cgroups->fds[c]);
		g_free(cgroups->folders[c]);
	}
	g_free(cgroups->name);
	g_free(cgroups->parent);
	g_free(cgroups->finding);
	g_free(cgroups);
}

const char *cgroups_finding(const struct cgroups *cgroups)
{
	return cgroups->finding;
}

void cgroups_hand_over(struct cgroups *cgroups, uid_t uid, gid_t gid, pid_t pid)
{
	static const char *const files[] = { "", "cgroup.procs", "tasks", "cgroup.threads", "cgroup.subtree_control" };
	for (size_t c = 0; c < CGROUP_N; c++) {
		for (size_t i = 0; cgroups->fds[c] >= 0 && i < G_N_ELEMENTS(files); i++) {
			g_autofree char *path = g_build_filename(cgroups->folders[c], files[i], NULL);
			/* Not every version has every file. */
			if (chown(path, uid, gid) < 0 && errno != ENOENT)
				lack(cgroups, c, g_strerror(errno)); /* ends the inner loop: there is no descriptor any more */
		}
	}
	if (!cgroups->v2 || cgroups->fds[CPU] < 0)
		return;
	/* Version 2 lets a process move others only within a tree that it may write to and is in itself. */
	g_autofree char *text = g_strdup_printf("%d", (int) pid);
	if (mkdirat(cgroups->fds[CPU], "keeper", 0755) == 0 || errno == EEXIST)
		write_at(cgroups->fds[CPU], "keeper/cgroup.procs", text);
}

/* Groups vanish a moment after their last process. */
static void remove_folder(const char *path)
{
	for (int i = 0; i < REMOVE_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
		g_usleep(REMOVE_WAIT_US);
}

void cgroups_remove(struct cgroups *cgroups)
{
	for (size_t c = 0; c < (cgroups->v2 ? 1 : CGROUP_N); c++) {
		GDir *dir = cgroups->folders[c] ? g_dir_open(cgroups->folders[c], 0, NULL) : NULL;
		if (!dir)
			continue;
		for (const char *name; (name = g_dir_read_name(dir));) {
			g_autofree char *path = g_build_filename(cgroups->folders[c], name, NULL);
			if (g_file_test(path, G_FILE_TEST_IS_DIR))
				remove_folder(path);
		}
		g_dir_close(dir);
		remove_folder(cgroups->folders[c]);
		g_autofree char *parent = g_path_get_dirname(cgroups->folders[c]);
		rmdir(parent); /* stays while another site is in it */
	}
}

/* --- one VNFC's ----------------------------------------------------------------------------------------------------------- */

static const char *file_of(const char *name, const char *file, char path[64])
{
	g_snprintf(path, 64, "%s/%s", name, file);
	return path;
}

static size_t n_hierarchies(const struct cgroups *cgroups)
{
	return cgroups->v2 ? 1 : CGROUP_N;
}

bool cgroup_create(struct cgroups *cgroups, const char *name, GError **error)
{
	for (size_t c = 0; c < n_hierarchies(cgroups); c++)
		if (cgroups->fds[c] >= 0 && mkdirat(cgroups->fds[c], name, 0755) < 0 && errno != EEXIST)
			return pleach_error_errno(error, errno, "create control group %s/%s", cgroups->folders[c], name);
	return true;
}

static bool set(struct cgroups *cgroups, size_t c, const char *name, const char *file, const char *text, GError **error)
{
	char path[64];
	if (cgroups->fds[c] < 0 || write_at(cgroups->fds[c], file_of(name, file, path), text))
		return true;
	return pleach_error_errno(error, errno, "write \"%s\" to control group file %s/%s", text, cgroups->folders[c], path);
}

bool cgroup_limit(struct cgroups *cgroups, const char *name, const struct cgroup_limits *limits, GError **error)
{
	char cpu[64], memory[32], pids[32];
	gint64 quota = limits->vcpus > 0 ? limits->vcpus * PERIOD_US : -1;
	if (cgroups->v2 && quota < 0)
		g_snprintf(cpu, sizeof(cpu), "max %d", PERIOD_US);
	else if (cgroups->v2)
		g_snprintf(cpu, sizeof(cpu), "%" G_GINT64_FORMAT " %d", quota, PERIOD_US);
	else
		g_snprintf(cpu, sizeof(cpu), "%" G_GINT64_FORMAT, quota);
	g_snprintf(memory, sizeof(memory), "%" G_GINT64_FORMAT, limits->mem_bytes);
	g_snprintf(pids, sizeof(pids), "%" G_GINT64_FORMAT, limits->pids);
	if (!cgroups->v2 && !set(cgroups, CPU, name, "cpu.cfs_period_us", G_STRINGIFY(100000), error))
		return false;
	return set(cgroups, CPU, name, cgroups->v2 ? "cpu.max" : "cpu.cfs_quota_us", cpu, error) &&
	       set(cgroups, MEMORY, name, cgroups->v2 ? "memory.max" : "memory.limit_in_bytes",
		   limits->mem_bytes > 0 ? memory : cgroups->v2 ? "max" : "-1", error) &&
	       set(cgroups, PIDS, name, "pids.max", limits->pids > 0 ? pids : "max", error);
}

static gint64 read_vcpus(struct cgroups *cgroups, const char *name, gint64 wanted)
{
	char text[TEXT_SIZE], path[64];
	gint64 quota = -1, period = PERIOD_US;
	if (cgroups->v2) {
		if (!read_at(cgroups->fds[CPU], file_of(name, "cpu.max", path), text))
			return -1;
		if (!g_str_has_prefix(text, "max"))
			sscanf(text, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &quota, &period);
	} else {
		if (!read_at(cgroups->fds[CPU], file_of(name, "cpu.cfs_quota_us", path), text))
			return -1;
		quota = g_ascii_strtoll(text, NULL, 10);
		if (read_at(cgroups->fds[CPU], file_of(name, "cpu.cfs_period_us", path), text))
			period = MAX(g_ascii_strtoll(text, NULL, 10), 1);
	}
	if (quota < 0)
		return 0;
	gint64 whole = quota / period;
	/* Part of a processor is none that we would set: it must not look like the wanted number, nor like no limit. */
	if (quota % period && (whole == wanted || !whole))
		whole++;
	return whole == wanted && quota % period ? whole + 1 : whole;
}

static gint64 read_number(struct cgroups *cgroups, size_t c, const char *name, const char *file)
{
	char text[TEXT_SIZE], path[64];
	if (cgroups->fds[c] < 0 || !read_at(cgroups->fds[c], file_of(name, file, path), text))
		return -1;
	if (g_str_has_prefix(text, "max"))
		return 0;
	guint64 number = g_ascii_strtoull(text, NULL, 10);
	return number >= (guint64) 1 << 60 ? 0 : (gint64) number;
}

void cgroup_read(struct cgroups *cgroups, const char *name, const struct cgroup_limits *wanted, struct cgroup_limits *ret)
{
	ret->vcpus = cgroups->fds[CPU] < 0 ? -1 : read_vcpus(cgroups, name, wanted->vcpus);
	ret->mem_bytes = read_number(cgroups, MEMORY, name, cgroups->v2 ? "memory.max" : "memory.limit_in_bytes");
	ret->pids = read_number(cgroups, PIDS, name, "pids.max");
	gint64 page = sysconf(_SC_PAGESIZE);
	if (wanted->mem_bytes > 0 && ret->mem_bytes > 0 && wanted->mem_bytes / page == ret->mem_bytes / page)
		ret->mem_bytes = wanted->mem_bytes;
}

bool cgroup_oom(struct cgroups *cgroups, const char *name)
{
	char text[TEXT_SIZE], path[64];
	const char *file = cgroups->v2 ? "memory.events" : "memory.oom_control";
	if (cgroups->fds[MEMORY] < 0 || !read_at(cgroups->fds[MEMORY], file_of(name, file, path), text))
		return false;
	const char *count = strstr(text, "oom_kill ");
	return count && g_ascii_strtoull(count + strlen("oom_kill "), NULL, 10) > 0;
}

void cgroup_remove(struct cgroups *cgroups, const char *name)
{
	for (size_t c = 0; c < n_hierarchies(cgroups); c++)
		if (cgroups->fds[c] >= 0)
			unlinkat(cgroups->fds[c], name, AT_REMOVEDIR);
}

bool cgroup_doors(struct cgroups *cgroups, const char *name, int *ret_into, int ret_tasks[CGROUP_N], GError **error)
{
	char path[64];
	*ret_into = -1;
	for (size_t c = 0; c < CGROUP_N; c++)
		ret_tasks[c] = -1;
	for (size_t c = 0; c < n_hierarchies(cgroups); c++) {
		if (cgroups->fds[c] < 0)
			continue;
		int fd = cgroups->v2 ? openat(cgroups->fds[c], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
				     : openat(cgroups->fds[c], file_of(name, "tasks", path), O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return pleach_error_errno(error, errno, "open control group %s/%s", cgroups->folders[c], name);
		if (cgroups->v2)
			*ret_into = fd;
		else
			ret_tasks[c] = fd;
	}
	return true;
}
