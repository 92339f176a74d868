#include "keeper/keeper.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_MAX_BYTES = 1024 * 1024 };

void note(struct keeper *keeper, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	char time[CLOCK_TEXT_SIZE];
	g_autofree char *line = g_strdup_printf("%s %s\n", clock_rfc3339(clock_wall_us(), time), text);
	struct stat st;
	/* Begun anew when it is full: what happened last matters most. The file is opened for appending. */
	if (fstat(keeper->log_fd, &st) == 0 && st.st_size > LOG_MAX_BYTES && ftruncate(keeper->log_fd, 0) < 0)
		return;
	if (write(keeper->log_fd, line, strlen(line)) < 0)
		return; /* a log that cannot be written must not end the network */
}
