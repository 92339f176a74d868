/* The yardstick of `pleach-bench provision`: the bare system calls that a micro-VNF costs, in a loop, with nothing around them. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* For each of @n: a bridge, a process in its own network, PID, mount, UTS and IPC namespaces that executes a small program, a veth pair
 * between the two, an address, both ends up. @each_ms gets the milliseconds of each. Everything is gone when it returns. */
bool bare_loop(size_t n, double *each_ms, GError **error);
