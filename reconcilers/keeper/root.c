#include "keeper/root.h"

#include "keeper/seeds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where the new root is put together, in the keeper's own mount namespace: any folder that every host has. */
#define STAGE "/tmp"

static bool failed(GError **error, const char *what, const char *path)
{
	return pleach_error_errno(error, errno, "the VNFs' file system: %s %s", what, path);
}

static bool make_folder(const char *path, mode_t mode, GError **error)
{
	return mkdir(path, mode) == 0 || errno == EEXIST || failed(error, "create", path);
}

static bool make_file(const char *path, GError **error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return failed(error, "create", path);
	close(fd);
	return true;
}

static bool read_only(const char *path, bool recursive, GError **error)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	if (mount_setattr(AT_FDCWD, path, recursive ? AT_RECURSIVE : 0, &attr, sizeof(attr)) < 0)
		return failed(error, "make read-only", path);
	return true;
}

static bool bind(const char *from, const char *to, bool is_read_only, GError **error)
{
	/* With all that is mounted beneath: a user namespace may not take one without the other. */
	if (mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
		return failed(error, "bind", from);
	return !is_read_only || read_only(to, true, error);
}

/* /bin, /sbin, /lib…: links into /usr on most hosts, folders on others. */
static bool same_as_host(const char *path, GError **error)
{
	struct stat st;
	char target[256], to[64];
	g_snprintf(to, sizeof(to), STAGE "%s", path);
	if (lstat(path, &st) < 0)
		return errno == ENOENT || failed(error, "look at", path);
	if (S_ISDIR(st.st_mode))
		return make_folder(to, 0755, error) && bind(path, to, true, error);
	if (!S_ISLNK(st.st_mode))
		return true;
	ssize_t n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return failed(error, "read link", path);
	target[n] = '\0';
	return symlink(target, to) == 0 || failed(error, "create link", to);
}

static bool make_devices(GError **error)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty", "net/tun" };
	static const struct {
		const char *name, *target;
	} links[] = {
		{ "ptmx", "pts/ptmx" }, { "shm", "/run/shm" }, { "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" },
		{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	};
	if (!make_folder(STAGE "/dev", 0755, error) || !make_folder(STAGE "/dev/pts", 0755, error) ||
	    !make_folder(STAGE "/dev/net", 0755, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++) {
		char from[64], to[64];
		g_snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		g_snprintf(to, sizeof(to), STAGE "/dev/%s", nodes[i]);
		if (access(from, F_OK) == 0 && (!make_file(to, error) || !bind(from, to, false, error)))
			return false;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(links); i++) {
		char path[64];
		g_snprintf(path, sizeof(path), STAGE "/dev/%s", links[i].name);
		if (symlink(links[i].target, path) < 0)
			return failed(error, "create link", path);
	}
	return true;
}

static bool copy_file(const char *from, const char *to, GError **error)
{
	g_autofree char *data = NULL;
	gsize length;
	g_autoptr(GError) local = NULL;
	if (g_file_get_contents(from, &data, &length, &local) &&
		g_file_set_contents_full(to, data, (gssize) length, 0, 0644, &local))
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "the VNFs' file system: %s", local->message);
	return false;
}

/* What is the same in every VNF and too large to copy into each: /etc has links to it. */
static bool make_shared(GError **error)
{
	if (!make_folder(STAGE SEEDS_SHARED, 0755, error))
		return false;
	for (size_t i = 0; seeds_shared[i].name; i++) {
		struct stat st;
		char to[128];
		g_snprintf(to, sizeof(to), STAGE SEEDS_SHARED "/%s", seeds_shared[i].name);
		if (stat(seeds_shared[i].path, &st) < 0)
			continue;
		/* Files are copied, folders bound: every mount is copied at every start. */
		if (S_ISDIR(st.st_mode) ? !make_folder(to, 0755, error) || !bind(seeds_shared[i].path, to, true, error)
					: !copy_file(seeds_shared[i].path, to, error))
			return false;
	}
	return true;
}

static bool make_tree(GError **error)
{
	static const char *const own[] = { "/etc", "/var", "/run", "/tmp", "/proc", "/sys", "/usr", "/.old" };
	static const char *const host[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };
	for (size_t i = 0; i < G_N_ELEMENTS(own); i++) {
		char path[64];
		g_snprintf(path, sizeof(path), STAGE "%s", own[i]);
		if (!make_folder(path, 0755, error))
			return false;
	}
	if (!bind("/usr", STAGE "/usr", true, error))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(host); i++)
		if (!same_as_host(host[i], error))
			return false;
	/* The kernel lets a user namespace mount these two anew only where it sees them whole already. Of /sys one's own,
	 * without all that the host has mounted beneath it: every mount is copied at every start. */
	if (mount("sysfs", STAGE "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0)
		return failed(error, "mount", "/sys");
	return bind("/proc", STAGE "/proc", false, error) && make_devices(error) && make_shared(error);
}

bool root_make(GError **error)
{
	int folder = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(error, "detach", "/");
	if (mount("pleach", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=16m") < 0)
		return failed(error, "mount tmpfs on", STAGE);
	/* Devices must stay openable: only the tmpfs itself refuses nodes, what is bound over it keeps its own flags. */
	if (!make_tree(error))
		return false;
	if (syscall(SYS_pivot_root, STAGE, STAGE "/.old") < 0)
		return failed(error, "change into", STAGE);
	if (umount2("/.old", MNT_DETACH) < 0 || rmdir("/.old") < 0)
		return failed(error, "leave", "the host's");
	if (!read_only("/", false, error))
		return false;
	bool ok = folder >= 0 && fchdir(folder) == 0;
	if (folder >= 0)
		close(folder);
	return ok || failed(error, "stay in", "the runtime folder");
}

/* --- in the child: nothing here may allocate ------------------------------------------------------------------------------ */

static const char *make_own(const struct root_want *want)
{
	static const struct {
		const char *path;
		mode_t mode;
	} folders[] = {
		{ "/tmp/etc", 0755 }, { "/tmp/var", 0755 }, { "/tmp/run", 0755 }, { "/tmp/tmp", 01777 },
		{ "/tmp/run/lock", 01777 }, { "/tmp/run/shm", 01777 }, { "/tmp/run/haproxy", 0755 },
		{ "/tmp/var/cache", 0755 }, { "/tmp/var/lib", 0755 }, { "/tmp/var/lib/misc", 0755 },
		{ "/tmp/var/lib/haproxy", 0755 }, { "/tmp/var/lib/nginx", 0755 }, { "/tmp/var/log", 0755 },
		{ "/tmp/var/log/nginx", 0755 }, { "/tmp/var/spool", 0755 }, { "/tmp/var/tmp", 01777 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
		if (mkdir(folders[i].path, folders[i].mode) < 0)
			return "create the VNF's own folders";
	if (symlink("/run", "/tmp/var/run") < 0 || symlink("/run/lock", "/tmp/var/lock") < 0)
		return "create the VNF's own links";
	return seeds_write(want->seeds, want->hostname, "/tmp/etc");
}

const char *root_own(const struct root_want *want)
{
	char options[64];
	snprintf(options, sizeof(options), "mode=755,size=%lld", (long long) want->size_bytes);
	umask(0);
	if (mount("pleach", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return "mount the VNF's own tmpfs";
	const char *what = make_own(want);
	if (what)
		return what;
	static const struct {
		const char *from, *to;
	} binds[] = { { "/tmp/etc", "/etc" }, { "/tmp/var", "/var" }, { "/tmp/run", "/run" }, { "/tmp/tmp", "/tmp" } };
	for (size_t i = 0; i < G_N_ELEMENTS(binds); i++)
		if (mount(binds[i].from, binds[i].to, NULL, MS_BIND, NULL) < 0)
			return "bind the VNF's own folders";
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return "mount /proc";
	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0)
		return "mount /sys";
	if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620") < 0)
		return "mount /dev/pts";
	umask(022);
	return NULL;
}
