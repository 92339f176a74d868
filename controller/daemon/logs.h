/* Logs of network functions, asked of their EMS: at once on the pool, or followed, each follower on a thread of its own (it
 * would keep a worker from acts for as long as somebody reads).
 *
 * Owner thread.
 */
#pragma once

#include "api/api.h"
#include "daemon/cycle.h"

enum { LOGS_FOLLOWERS_MAX = 8, LOGS_WAITING_MAX_BYTES = 1024 * 1024, LOGS_FOLLOW_MAX_S = 24 * 60 * 60 };

struct logs;

struct logs *logs_new(struct cycle *cycle); /* which outlives it */
void logs_free(struct logs *logs);          /* followers end */
AUTO_DEFINE(logs, logs_free)

/* Answers @reply with the last @lines lines of the NF @key, and with @follow what comes after, until the reader goes. */
void logs_read(struct logs *logs, const char *key, unsigned lines, bool follow, struct api_reply *reply);
