#include "leaf/metrics.h"

#include "leaf/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512 };

static gint64 microseconds(const struct timeval *time)
{
	return (gint64) time->tv_sec * G_USEC_PER_SEC + time->tv_usec;
}

/* The counter of all children that ended is the kernel's, and goes on over our own exec. */
static void measure_processes(struct leaf_metrics *metrics)
{
	struct rusage ended;
	g_autoptr(GArray) ours = tree_under(getpid());
	if (getrusage(RUSAGE_CHILDREN, &ended) == 0)
		metrics->cpu_us = microseconds(&ended.ru_utime) + microseconds(&ended.ru_stime);
	for (guint i = 0; i < ours->len; i++) {
		const struct tree_process *process = &g_array_index(ours, struct tree_process, i);
		metrics->cpu_us += process->cpu_us;
		metrics->mem_bytes += process->mem_bytes;
		metrics->processes += !process->zombie;
	}
}

static gint64 measure_disk(const char *folder)
{
	struct statvfs disk;
	if (statvfs(folder, &disk) != 0 && statvfs("/var", &disk) != 0)
		return -1;
	return (gint64) (disk.f_blocks - disk.f_bfree) * (gint64) disk.f_frsize;
}

/* "  eth0: bytes packets errs drop fifo frame compressed multicast | bytes packets errs drop …" */
static bool parse_port(struct arena *arena, char *line, struct leaf_port *ret)
{
	char *colon = strchr(line, ':');
	if (!colon)
		return false;
	*colon = '\0';
	*ret = (struct leaf_port) { .name = arena_strdup(arena, g_strstrip(line)) };
	return sscanf(colon + 1, "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %*d %" G_GINT64_FORMAT " %*d %*d %*d %*d %" G_GINT64_FORMAT
		      " %" G_GINT64_FORMAT " %*d %" G_GINT64_FORMAT, &ret->rx_bytes, &ret->rx_packets, &ret->rx_drops, &ret->tx_bytes,
		      &ret->tx_packets, &ret->tx_drops) == 6 && strcmp(ret->name, "lo") != 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct leaf_port *) a)->name, ((const struct leaf_port *) b)->name);
}

static void measure_ports(struct arena *arena, struct leaf_metrics *metrics)
{
	struct leaf_port *ports = ARENA_ARRAY(arena, struct leaf_port, LEAF_PORTS_MAX);
	FILE *file = fopen("/proc/net/dev", "re");
	char line[LINE_MAX_BYTES];
	while (file && metrics->n_ports < LEAF_PORTS_MAX && fgets(line, sizeof(line), file))
		if (parse_port(arena, line, &ports[metrics->n_ports]))
			metrics->n_ports++;
	if (file)
		fclose(file);
	qsort(ports, metrics->n_ports, sizeof(*ports), by_name);
	metrics->ports = ports;
}

const struct leaf_metrics *metrics_measure(struct arena *arena, const char *folder)
{
	struct leaf_metrics *metrics = ARENA_NEW(arena, struct leaf_metrics);
	measure_processes(metrics);
	metrics->disk_bytes = measure_disk(folder);
	measure_ports(arena, metrics);
	return metrics;
}
