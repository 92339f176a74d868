/* Starting and ending the one program of a network function, and reaping whatever else is left to us.
 *
 * The program leads a session and a process group of its own; what it starts is ended with it. One thread.
 */
#pragma once

#include "base/error.h"

#include <sys/types.h>

/* Runs @argv (NULL-terminated, found where Debian keeps programs): input from /dev/null, output and errors to @output_fd, folder
 * "/", a small clean environment with PLEACH_KEY. Returns when the program has been executed: 0 and @error (PERMANENT) where it
 * could not be. */
pid_t process_start(const char *const *argv, const char *key, int output_fd, GError **error);

/* To the whole group; one that is gone is no fault. */
void process_signal(pid_t leader, int signum);

/* Reaps every child that has ended. When @leader is among them, its group is killed first (nothing of an instance that ended may
 * run beside the next one), and true is returned with its status as of wait(). */
bool process_reap(pid_t leader, int *ret_status);

/* "exit status 1", "signal 9 (Killed)". Owned by the caller. */
char *process_exit_text(int status);
