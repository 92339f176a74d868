/* The leaf's HTTP interface (schemas/leaf.openapi.yaml): requests in, the supervisor asked, replies out; and those who wait: for a status
 * that is new, for more of the log.
 *
 * A handler of http/server: nothing here blocks, but the trial of a new program (UPGRADE_TRY_MS at most). One thread.
 */
#pragma once

#include "http/server/server.h"
#include "leaf/supervisor.h"

enum {
	API_LOG_LINES = 100, /* where a request does not say */
	API_WAITERS_MAX = 8, /* who waits for a status; for one more, the first of them is answered */
	API_FOLLOWERS_MAX = 4,
	API_FOLLOWER_LOOK_MS = 1000, /* whether a follower of a silent log is still there */
};

struct api;

struct api *api_new(struct supervisor *supervisor);
void api_close(struct api *api); /* those who wait are answered, and nothing more is done: for the last turns of the server */
void api_free(struct api *api);  /* after the server */
AUTO_DEFINE(api, api_free)

void api_handle(struct http_request *request, void *data); /* @data: struct api * */

/* Answers those who have waited long enough; after supervisor_run(). */
void api_run(struct api *api, gint64 now_us);
gint64 api_next_us(const struct api *api); /* -1: nothing to wait for */

/* A program that was found good: go on as that one. -1: none. */
int api_take_program(struct api *api);
