/* What a service manager is told (sd_notify(3)'s protocol: datagrams of NAME=VALUE lines to $NOTIFY_SOCKET). Without one:
 * nothing.
 *
 * notify_init() before there are threads: it takes the variables out of the environment, so that keepers and VNFs do not inherit
 * them. The rest: owner thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum { NOTIFY_STATUS_MAX_BYTES = 512 };

void notify_init(void);

/* How often it wants to hear that we are well; 0: not at all. Half of what WATCHDOG_USEC says. */
guint notify_watchdog_ms(void);

void notify_ready(void);     /* after the start, and after a reload */
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);
void notify_status(const char *format, ...) G_GNUC_PRINTF(1, 2); /* one line: what `systemctl status` shows */
