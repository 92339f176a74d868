#include "keeper/seeds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEED_MAX_BYTES = 128 * 1024 };

/* Public by nature: names and numbers that programs look up. Never shadow files, keys, or anybody's configuration. */
static const char *const files[] = {
	"passwd", "group", "nsswitch.conf", "host.conf", "profile", "localtime", "os-release",
};

const struct seeds_shared seeds_shared[] = {
	{ "alternatives", "/etc/alternatives" },
	{ "certs", "/etc/ssl/certs" },
	{ "iproute2", "/etc/iproute2" },
	{ "openssl.cnf", "/etc/ssl/openssl.cnf" },
	{ "ld.so.cache", "/etc/ld.so.cache" },
	{ "services", "/etc/services" },
	{ "protocols", "/etc/protocols" },
	{ "ethertypes", "/etc/ethertypes" },
	{ "mime.types", "/etc/mime.types" },
	{ "login.defs", "/etc/login.defs" },
	{ NULL, NULL },
};

struct seed {
	char *path; /* beneath /etc */
	char *data; /* contents, or a link's target */
	size_t length;
	enum { SEED_FOLDER, SEED_FILE, SEED_LINK } type;
};

struct seeds {
	GArray *items; /* struct seed */
};

static void clear_seed(void *data)
{
	struct seed *seed = data;
	g_free(seed->path);
	g_free(seed->data);
}

static void add(struct seeds *seeds, int type, const char *path, const char *data, size_t length)
{
	struct seed seed = { g_strdup(path), g_memdup2(data, length + 1), length, type };
	g_array_append_val(seeds->items, seed);
}

static void add_folder(struct seeds *seeds, const char *path)
{
	for (guint i = 0; i < seeds->items->len; i++)
		if (strcmp(g_array_index(seeds->items, struct seed, i).path, path) == 0)
			return;
	add(seeds, SEED_FOLDER, path, "", 0);
}

/* What the host does not have, or keeps from us, a VNF does without. */
static void add_from_host(struct seeds *seeds, const char *path)
{
	g_autofree char *from = g_build_filename("/etc", path, NULL), *parent = g_path_get_dirname(path);
	struct stat st;
	if (lstat(from, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		g_autofree char *target = g_file_read_link(from, NULL);
		if (target)
			add(seeds, SEED_LINK, path, target, strlen(target));
		return;
	}
	g_autofree char *data = NULL;
	gsize length;
	if (!S_ISREG(st.st_mode) || st.st_size > SEED_MAX_BYTES || !(st.st_mode & S_IROTH) ||
		!g_file_get_contents(from, &data, &length, NULL))
		return;
	if (strcmp(parent, ".") != 0)
		add_folder(seeds, parent);
	add(seeds, SEED_FILE, path, data, length);
}

struct seeds *seeds_read(void)
{
	struct seeds *seeds = g_new0(struct seeds, 1);
	seeds->items = g_array_new(FALSE, FALSE, sizeof(struct seed));
	g_array_set_clear_func(seeds->items, clear_seed);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		add_from_host(seeds, files[i]);
	for (size_t i = 0; seeds_shared[i].name; i++) {
		if (!g_file_test(seeds_shared[i].path, G_FILE_TEST_EXISTS))
			continue;
		g_autofree char *target = g_build_filename(SEEDS_SHARED, seeds_shared[i].name, NULL);
		const char *path = seeds_shared[i].path + strlen("/etc/");
		g_autofree char *parent = g_path_get_dirname(path);
		if (strcmp(parent, ".") != 0)
			add_folder(seeds, parent);
		add(seeds, SEED_LINK, path, target, strlen(target));
	}
	add(seeds, SEED_LINK, "mtab", "/proc/self/mounts", strlen("/proc/self/mounts"));
	add(seeds, SEED_FILE, "resolv.conf", "", 0);
	return seeds;
}

void seeds_free(struct seeds *seeds)
{
	g_array_unref(seeds->items);
	g_free(seeds);
}

/* --- in the child: nothing here may allocate ------------------------------------------------------------------------------ */

static bool write_file(int folder, const char *path, const char *data, size_t length)
{
	int fd = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool ok = write(fd, data, length) == (ssize_t) length;
	close(fd);
	return ok;
}

static bool write_seed(int folder, const struct seed *seed)
{
	switch (seed->type) {
	case SEED_FOLDER:
		return mkdirat(folder, seed->path, 0755) == 0;
	case SEED_LINK:
		return symlinkat(seed->data, folder, seed->path) == 0;
	case SEED_FILE:
		return write_file(folder, seed->path, seed->data, seed->length);
	}
	return false;
}

const char *seeds_write(const struct seeds *seeds, const char *hostname, const char *path)
{
	char hosts[512];
	int n = snprintf(hosts, sizeof(hosts), "127.0.0.1\tlocalhost %.200s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
		hostname);
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return "open the VNF's /etc";
	bool ok = write_file(folder, "hosts", hosts, (size_t) n) && write_file(folder, "hostname", hostname, strlen(hostname));
	for (guint i = 0; ok && i < seeds->items->len; i++)
		ok = write_seed(folder, &g_array_index(seeds->items, struct seed, i));
	close(folder);
	return ok ? NULL : "fill the VNF's /etc";
}
