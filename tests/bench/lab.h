/* A laboratory for benches: a bare repository with prepared commits, and the real loop on it in this process.
 *
 * All that it makes lies in a temporary folder and is taken away with it, the site too.
 */
#pragma once

#include "base/auto.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct lab;

/* @n_commits commits, each adding @per_commit services of one small VNFD to those before it. */
struct lab *lab_new(size_t n_commits, size_t per_commit, GError **error);
/* The first commit has @before services, each in a file of its own; every further one adds one more. */
struct lab *lab_new_grown(size_t before, size_t n_commits, GError **error);
/* One commit, with one service that runs haproxy on port 80. */
#define LAB_HAPROXY_FORMAT \
	"defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n" \
	"frontend f\n  bind 127.0.0.1:%d\n  http-request return status 200\n"
struct lab *lab_new_nf(GError **error);
struct cycle;
struct cycle *lab_cycle(const struct lab *lab);
void lab_free(struct lab *lab);
AUTO_DEFINE(lab, lab_free)

/* Pushes commit @i and runs the loop until it has converged. @ret_seen_ms: from the push to the event; @ret_answered_ms: from the event
 * until the new VNF's agent answered a request. */
bool lab_step(struct lab *lab, size_t i, double *ret_seen_ms, double *ret_answered_ms, GError **error);
