/* Asks a port of the network function whether it answers: TCP (it takes the connection) or HTTP (2xx or 3xx). Never blocks; what comes
 * back is bounded. One thread; time is an argument. */
#pragma once

#include "leafproto/leafproto.h"

enum { PROBE_ANSWER_MAX_BYTES = 4096 /* of the head of an answer; the rest is of no interest */ };

enum probe_state { PROBE_IDLE, PROBE_CONNECTING, PROBE_SENDING, PROBE_RECEIVING, PROBE_GOOD, PROBE_BAD };

struct probe;

struct probe *probe_new(void);
void probe_free(struct probe *probe);
AUTO_DEFINE(probe, probe_free)

/* @check is tcp or http. What was under way is given up. */
void probe_start(struct probe *probe, const struct leaf_health_check *check, gint64 now_us);
void probe_give_up(struct probe *probe);

/* GOOD and BAD stay until the next start. */
enum probe_state probe_run(struct probe *probe, gint64 now_us);
const char *probe_words(const struct probe *probe); /* why it is BAD */
int probe_fd(const struct probe *probe, short *ret_events); /* -1: none */
gint64 probe_next_us(const struct probe *probe);            /* -1: nothing to wait for */
