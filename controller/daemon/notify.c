#include "daemon/notify.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un manager;
static socklen_t manager_size; /* 0: nobody wants to know */
static guint watchdog_ms;

static void read_watchdog(void)
{
	const char *usec = g_getenv("WATCHDOG_USEC"), *pid = g_getenv("WATCHDOG_PID");
	guint64 us = usec ? g_ascii_strtoull(usec, NULL, 10) : 0;
	bool ours = !pid || g_ascii_strtoull(pid, NULL, 10) == (guint64) getpid();
	watchdog_ms = us && ours ? (guint) CLAMP(us / 2000, 1, G_MAXINT32) : 0;
}

void notify_init(void)
{
	const char *path = g_getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;
	manager_size = 0;
	if (length > 1 && length < sizeof(manager.sun_path) && (*path == '/' || *path == '@')) {
		manager = (struct sockaddr_un) { .sun_family = AF_UNIX };
		memcpy(manager.sun_path, path, length);
		if (*path == '@')
			manager.sun_path[0] = '\0';
		manager_size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length);
	}
	read_watchdog();
	g_unsetenv("NOTIFY_SOCKET");
	g_unsetenv("WATCHDOG_USEC");
	g_unsetenv("WATCHDOG_PID");
}

guint notify_watchdog_ms(void)
{
	return manager_size ? watchdog_ms : 0;
}

/* A manager that does not read is none of our trouble. */
static void tell(const char *text)
{
	if (!manager_size)
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	while (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *) &manager, manager_size) < 0 && errno == EINTR)
		continue;
	close(fd);
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	g_autofree char *text = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, clock_monotonic_us());
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}

void notify_status(const char *format, ...)
{
	va_list args;
	if (!manager_size)
		return;
	va_start(args, format);
	g_autofree char *line = g_strdup_vprintf(format, args);
	va_end(args);
	if (strlen(line) > NOTIFY_STATUS_MAX_BYTES)
		line[NOTIFY_STATUS_MAX_BYTES] = '\0';
	g_autofree char *valid = g_utf8_make_valid(g_strdelimit(line, "\n\r", ' '), -1);
	g_autofree char *text = g_strconcat("STATUS=", valid, NULL);
	tell(text);
}
