/* The leaf's HTTP interface (schemas/leaf.openapi.yaml): requests in, the supervisor asked, replies out.
 *
 * A handler of http/server: nothing here blocks. One thread.
 */
#pragma once

#include "http/server/server.h"
#include "leaf/supervisor.h"

enum { API_LOG_LINES = 100 /* where a request does not say */ };

/* @data: struct supervisor *. */
void api_handle(struct http_request *request, void *data);
