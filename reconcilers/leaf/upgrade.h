/* The leaf as another program, without the network function noticing: exec in the same process, so that the children stay ours.
 *
 *     POST /v1/upgrade ─► upgrade_try(): the new one reads what we would hand over, in a process of its own ─► answered
 *                      ─► upgrade_go(): exec; it returns only when that failed, and then nothing has changed
 */
#pragma once

#include "leaf/supervisor.h"

enum { UPGRADE_TRY_MS = 5000 };

/* A program in memory; closed by its descriptor. INVALID: it is no program, or cannot go on from here. RETRY: not now. -1 on a fault. */
int upgrade_try(struct supervisor *supervisor, const char *bytes, size_t length, GError **error);

/* @listen_fd: the listening socket. */
void upgrade_go(struct supervisor *supervisor, int program_fd, int listen_fd, GError **error);

/* What upgrade_go() left at @fd for us; closes it. */
struct supervisor *upgrade_resume(int fd, GError **error);
