/* The HTTP API of the controller: routes over report/, and the operator's commands. What it knows, it asks the backend, which
 * daemon/ fills; what it serves with is http/server.
 *
 *     GET  /v1/status[?key=KEY]    how things stand
 *     GET  /v1/plan                what would be done now
 *     GET  /v1/drift               what is not as the commit says
 *     GET  /v1/explain/KEY         why an object is as it is
 *     GET  /v1/objects/KEY[?kind=] one object and its site, for programs (JSON)
 *     GET  /v1/logs/KEY[?lines=N]  the log of an NF (text)
 *     GET  /v1/sites               sites and what is on them
 *     GET  /v1/world               what is observed and was last applied, as a document (JSON): `pleach plan --observed`
 *     GET  /v1/health              version, process (JSON)
 *     POST /v1/sync[?key=KEY]      reconcile now
 *
 * KEY may be whole or abbreviated (report_resolve), and is percent-encoded once as a path needs it. Reports come as text/plain
 * or, by the Accept header, application/json or text/markdown; ?colour=1 colours text. The header API_EXIT_HEADER of an answer is
 * the exit status of the command that asked for it. Faults are text/plain, or {"error": {"code", "text"}} for who accepts JSON.
 *
 * Who may ask: over the unix socket the user that the controller runs as, and root (SO_PEERCRED). Over TCP anybody who reaches it
 * may read, nobody may command; what a browser sends for another page (Origin, a Host that is a name) is refused.
 *
 * Owner thread, in the default GMainContext.
 */
#pragma once

#include "report/report.h"

#include <glib.h>

#define API_EXIT_HEADER "Pleach-Exit"

enum { API_LOG_LINES_DEFAULT = 100, API_LOG_LINES_MAX = 10000 };

enum api_report { API_STATUS, API_PLAN, API_DRIFT, API_EXPLAIN, API_OBJECT, API_SITES, API_WORLD };

/* A request that is answered later; by exactly one of the two, at any later time on the owner thread, or at once. */
struct api_reply;
void api_reply_text(struct api_reply *reply, const char *text);
void api_reply_error(struct api_reply *reply, const GError *error); /* not consumed */

struct api_backend {
	/* Fills @ret (zeroed before) with what is now; what is made for it lives in @arena, the rest as long as the main loop
	 * does not turn. @report: what it is for; @key: whole, when it is about one (API_EXPLAIN: events and operations are then
	 * that key's), else NULL. API_EXPLAIN asks twice: with NULL, to resolve what the client gave, then with the key. */
	void (*snapshot)(enum api_report report, const char *key, struct arena *arena, struct report_input *ret, void *data);
	/* Reconcile now, everything or one key. False and @error when that cannot be. */
	bool (*sync)(const char *key, GError **error, void *data);
	/* The last @lines lines of the NF @key. */
	void (*log)(const char *key, unsigned lines, struct api_reply *reply, void *data);
	void *data;
};

struct api;

/* @listen: "unix:PATH" (made with mode 0600) or "HOST:PORT". Serves from the default main context until api_free(). */
struct api *api_new(const struct api_backend *backend, const char *listen, GError **error);
/* Replies that are still owed get 503; their pointers are dead. */
void api_free(struct api *api);
AUTO_DEFINE(api, api_free)
