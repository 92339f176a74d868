#include "leaf/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STAT_MAX_BYTES = 1024, KILL_ROUNDS = 64 };

static bool read_stat(pid_t pid, char text[STAT_MAX_BYTES])
{
	char path[32];
	g_snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, STAT_MAX_BYTES - 1);
	if (fd >= 0)
		close(fd);
	text[MAX(n, 0)] = '\0';
	return n > 0;
}

/* The name of a program may hold anything, also spaces and brackets: what matters comes after the last bracket. */
static bool look_at(pid_t pid, struct tree_process *ret)
{
	char text[STAT_MAX_BYTES], state = 0;
	int parent = 0;
	unsigned long long user = 0, kernel = 0;
	long long children_user = 0, children_kernel = 0, pages = 0;
	const char *after = read_stat(pid, text) ? strrchr(text, ')') : NULL;
	if (!after || sscanf(after, ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld %*d %*d %*d %*d %*u %*u %lld", &state,
			     &parent, &user, &kernel, &children_user, &children_kernel, &pages) != 7)
		return false;
	gint64 ticks = (gint64) user + (gint64) kernel + children_user + children_kernel;
	*ret = (struct tree_process) {
		.pid = pid, .parent = (pid_t) parent, .zombie = state == 'Z' || state == 'X',
		.cpu_us = ticks * G_USEC_PER_SEC / sysconf(_SC_CLK_TCK), .mem_bytes = pages * sysconf(_SC_PAGESIZE),
	};
	return true;
}

static GArray *read_all(void)
{
	GArray *all = g_array_new(FALSE, FALSE, sizeof(struct tree_process));
	DIR *folder = opendir("/proc");
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct tree_process process;
		if (g_ascii_isdigit(entry->d_name[0]) && look_at((pid_t) atoi(entry->d_name), &process))
			g_array_append_val(all, process);
	}
	if (folder)
		closedir(folder);
	return all;
}

static bool holds(const GArray *processes, pid_t pid)
{
	for (guint i = 0; i < processes->len; i++)
		if (g_array_index(processes, struct tree_process, i).pid == pid)
			return true;
	return false;
}

GArray *tree_under(pid_t root)
{
	GArray *under = g_array_new(FALSE, FALSE, sizeof(struct tree_process));
	g_autoptr(GArray) all = read_all();
	for (guint before = 1; before > 0;) {
		before = 0;
		for (guint i = 0; i < all->len; i++) {
			struct tree_process *process = &g_array_index(all, struct tree_process, i);
			if (process->pid == root || (process->parent != root && !holds(under, process->parent)) || holds(under, process->pid))
				continue;
			g_array_append_val(under, *process);
			before++;
		}
	}
	return under;
}

void tree_kill(pid_t leader)
{
	kill(leader, SIGSTOP);
	for (int round = 0; round < KILL_ROUNDS; round++) {
		g_autoptr(GArray) under = tree_under(leader);
		unsigned alive = 0;
		for (guint i = 0; i < under->len; i++) {
			const struct tree_process *process = &g_array_index(under, struct tree_process, i);
			if (process->zombie)
				continue;
			kill(process->pid, SIGKILL);
			alive++;
		}
		if (alive == 0)
			break;
	}
	kill(-leader, SIGKILL);
	kill(leader, SIGKILL);
}
