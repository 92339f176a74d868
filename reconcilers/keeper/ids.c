#include "keeper/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* From here to 2^31 nothing is given to users, services or containers by the usual tools. */
static const unsigned root_first = 0x70000000, root_sites = 4096;

enum { NOBODY = 65534 };

bool ids_parse_range(const char *text, const char *name, unsigned uid, unsigned *ret_first, unsigned *ret_n)
{
	g_autofree char *number = g_strdup_printf("%u", uid);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	for (size_t i = 0; lines[i]; i++) {
		g_auto(GStrv) parts = g_strsplit(lines[i], ":", -1);
		guint64 first, n;
		if (g_strv_length(parts) != 3 || (g_strcmp0(parts[0], name) != 0 && strcmp(parts[0], number) != 0))
			continue;
		if (!g_ascii_string_to_unsigned(parts[1], 10, 1, G_MAXINT, &first, NULL) ||
		    !g_ascii_string_to_unsigned(g_strchomp(parts[2]), 10, 1, G_MAXINT, &n, NULL))
			continue;
		*ret_first = (unsigned) first;
		*ret_n = (unsigned) MIN(n, IDS_RANGE - 1);
		return true;
	}
	return false;
}

static bool find_range(const char *file, unsigned *ret_first, unsigned *ret_n)
{
	const struct passwd *user = getpwuid(getuid());
	g_autofree char *text = NULL;
	return g_file_get_contents(file, &text, NULL, NULL) &&
		ids_parse_range(text, user ? user->pw_name : NULL, getuid(), ret_first, ret_n);
}

struct ids ids_choose(const char *name)
{
	if (geteuid() == 0) {
		unsigned first = root_first + g_str_hash(name) % root_sites * IDS_RANGE;
		return (struct ids) { first, first, first + 1, first + 1, IDS_RANGE - 1, false };
	}
	struct ids ids = { .uid = getuid(), .gid = getgid() };
	unsigned uids, gids;
	g_autofree char *newuidmap = g_find_program_in_path("newuidmap"), *newgidmap = g_find_program_in_path("newgidmap");
	if (newuidmap && newgidmap && find_range("/etc/subuid", &ids.range_uid, &uids) &&
		find_range("/etc/subgid", &ids.range_gid, &gids)) {
		ids.range = MIN(uids, gids);
		ids.helpers = true;
	}
	return ids;
}

static bool write_proc(pid_t pid, const char *file, const char *text)
{
	char path[64];
	g_snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = write(fd, text, strlen(text));
	int errnum = errno;
	close(fd);
	errno = errnum;
	return n >= 0;
}

static bool run_helper(const char *program, pid_t pid, unsigned own, unsigned first, unsigned n, char **ret_words)
{
	g_autofree char *command = g_strdup_printf("%s %d 0 %u 1 1 %u %u", program, (int) pid, own, first, n);
	g_auto(GStrv) argv = g_strsplit(command, " ", -1);
	int status = 0;
	g_autoptr(GError) error = NULL;
	g_autofree char *words = NULL;
	bool ok = g_spawn_sync("/", argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &words,
		&status, &error) &&
		  status == 0;
	if (!ok)
		*ret_words = g_strdup(error ? error->message : g_strstrip(words));
	return ok;
}

/* The range as wished. *@ret_why is what the host says against it. */
static bool write_range(const struct ids *ids, pid_t pid, char **ret_why)
{
	if (!ids->range) {
		*ret_why = g_strdup("no range in /etc/subuid and /etc/subgid, or no newuidmap and newgidmap");
		return false;
	}
	if (ids->helpers)
		return run_helper("newgidmap", pid, ids->gid, ids->range_gid, ids->range, ret_why) &&
		       run_helper("newuidmap", pid, ids->uid, ids->range_uid, ids->range, ret_why);
	char text[64];
	g_snprintf(text, sizeof(text), "0 %u %u\n", (unsigned) ids->uid, ids->range + 1);
	if (write_proc(pid, "gid_map", text) && write_proc(pid, "uid_map", text))
		return true;
	*ret_why = g_strdup_printf("ids from %u on cannot be mapped: %s", (unsigned) ids->uid, g_strerror(errno));
	return false;
}

bool ids_write(struct ids *ids, pid_t pid, char **ret_finding, GError **error)
{
	*ret_finding = NULL;
	g_autofree char *why = NULL;
	if (write_range(ids, pid, &why))
		return true;
	*ret_finding = g_strdup_printf("ids: one id only (%s): programs that drop their privileges do not run", why);
	ids->range = 0;
	if (!ids->helpers && geteuid() == 0)
		ids->uid = ids->gid = NOBODY;
	char uid_map[64], gid_map[64];
	g_snprintf(uid_map, sizeof(uid_map), "0 %u 1\n", (unsigned) ids->uid);
	g_snprintf(gid_map, sizeof(gid_map), "0 %u 1\n", (unsigned) ids->gid);
	bool denied = geteuid() == 0 || write_proc(pid, "setgroups", "deny");
	if (denied && write_proc(pid, "gid_map", gid_map) && write_proc(pid, "uid_map", uid_map))
		return true;
	return pleach_error_errno(error, errno, "map user ids into the site's user namespace");
}
