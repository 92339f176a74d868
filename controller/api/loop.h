/* The HTTP server in a GLib main loop. */
#pragma once

#include "http/server/server.h"

/* A source of the default main context that serves @server until it is destroyed; owned by the caller. */
GSource *serve_source_new(struct http_server *server);
