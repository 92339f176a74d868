/* The HTTP API of the controller: routes over report/, and the operator's commands. What it knows, it asks the backend, which
 * daemon/ fills; what it serves with is http/server.
 *
 *     GET  /v1/status[?key=KEY]    how things stand
 *     GET  /v1/plan                what would be done now
 *     GET  /v1/drift               what is not as the commit says
 *     GET  /v1/explain/KEY         why an object is as it is
 *     GET  /v1/objects/KEY[?kind=] one object and its site, for programs (JSON)
 *     GET  /v1/logs/KEY[?lines=N][&follow=1]   the log of an NF (text); followed: as it comes
 *     GET  /v1/sites               sites and what is on them
 *     GET  /v1/world               what is observed and was last applied, as a document (JSON): `pleach plan --observed`
 *     GET  /v1/health              version, process (JSON)
 *     GET  /v1/nf[?key=KEY]        network functions as the EMS knows them
 *     GET  /v1/metrics/KEY[?since=TIME|DURATION]   what was measured of an NF
 *     GET  /v1/top                 network functions and what they use now
 *     POST /v1/sync[?key=KEY]      reconcile now
 *     GET  /v1/events[?key=][&kind=K,K][&since=TIME|DURATION][&n=N][&follow=1]   what happened; followed: line by line, as it comes
 *     GET  /v1/history[?key=][&n=N]   what became of each revision
 *     POST /v1/suspend?target=T&reason=R[&for=DURATION|&until=TIME]   T: a key, a service, site/NAME, ** (all) or a pattern
 *     POST /v1/resume?target=T
 *     POST /v1/approve?revision=COMMIT   it may take away all that is on a site
 *     GET  /v1/log-level           of the log; POST /v1/log-level?level=LEVEL sets it
 *
 * KEY may be whole or abbreviated (report_resolve), and is percent-encoded once as a path needs it. Reports come as text/plain
 * or, by the Accept header, application/json or text/markdown; ?colour=1 colours text. The header API_EXIT_HEADER of an answer is
 * the exit status of the command that asked for it. Faults are text/plain, or {"error": {"code", "text"}} for who accepts JSON.
 *
 * Who may ask: over the unix socket the user that the controller runs as, and root (SO_PEERCRED). Over TCP anybody who reaches it
 * may read, nobody may command; what a browser sends for another page (Origin, a Host that is a name) is refused. Policies of access
 * narrow that, and let in whom they name (backend.may).
 *
 * Owner thread, in the default GMainContext.
 */
#pragma once

#include "report/report.h"

#include <glib.h>

#define API_EXIT_HEADER "Pleach-Exit"

enum {
	API_LOG_LINES_DEFAULT = 100, API_LOG_LINES_MAX = 10000,
	API_EVENTS_DEFAULT = 100, API_EVENTS_MAX = 10000,
	API_FOLLOW_DEFAULT = 10, API_FOLLOWERS_MAX = 16,
	API_HISTORY_DEFAULT = 20, API_HISTORY_MAX = 1000,
};

enum api_report { API_STATUS, API_PLAN, API_DRIFT, API_EXPLAIN, API_OBJECT, API_SITES, API_WORLD, API_NF };

/* A request that is answered later; by exactly one of the two, at any later time on the owner thread, or at once. */
struct api_reply;
void api_reply_text(struct api_reply *reply, const char *text);
void api_reply_error(struct api_reply *reply, const GError *error); /* not consumed */

/* Begins an answer that comes piece by piece; the reader may go at any time. End it before api_free(). */
struct http_stream *api_reply_stream(struct api_reply *reply, const char *content_type);

struct api_backend {
	/* Fills @ret (zeroed before) with what is now; what is made for it lives in @arena, the rest as long as the main loop
	 * does not turn. @report: what it is for; @key: whole, when it is about one (API_EXPLAIN: events and operations are then
	 * that key's), else NULL. API_EXPLAIN asks twice: with NULL, to resolve what the client gave, then with the key. */
	void (*snapshot)(enum api_report report, const char *key, struct arena *arena, struct report_input *ret, void *data);
	/* Reconcile now, everything or one key. False and @error when that cannot be. */
	bool (*sync)(const char *key, GError **error, void *data);
	/* The last @lines lines of the NF @key, and with @follow what comes after, as a stream. */
	void (*log)(const char *key, unsigned lines, bool follow, struct api_reply *reply, void *data);
	/* Of an NF, newest first: const struct sample *. */
	bool (*samples)(const char *nf_key, gint64 since_wall_us, struct arena *arena, GPtrArray *ret, GError **error, void *data);
	/* May the user @uid (-1: over TCP) do @verb ("observe", "logs", "metrics", "operate") to @key (NULL: to everything at once)?
	 * False with AUTH. NULL: who reaches the socket may do everything. */
	bool (*may)(gint64 uid, const char *verb, const char *key, GError **error, void *data);
	/* As store_query(), and store_revisions() or, with a scope that has roots, store_revisions_of(). */
	bool (*events)(const struct store_query *query, struct arena *arena, GArray *ret, GError **error, void *data);
	bool (*history)(const struct store_scope *scope, size_t limit, struct arena *arena, GArray *ret, GError **error, void *data);
	/* The operator's holds. @who: as the kernel says. */
	bool (*suspend)(const struct store_hold *hold, GError **error, void *data);
	bool (*resume)(const char *target, const char *who, GError **error, void *data);
	/* The whole commit that @revision begins: the one that is kept. Valid until the main loop turns. */
	const char *(*approve)(const char *revision, const char *who, GError **error, void *data);
	void *data;
};

struct api;

/* @listen: "unix:PATH" (made with mode 0600) or "HOST:PORT". Serves from the default main context until api_free(). */
struct api *api_new(const struct api_backend *backend, const char *listen, GError **error);
/* Whether others than root and the controller's own user can reach the socket (unix), to be asked about by backend.may. At first not. */
void api_open_to_others(struct api *api, bool open);
/* There are events that could not be read before: who follows them gets them. */
void api_events_added(struct api *api);
/* Replies that are still owed get 503; their pointers are dead. */
void api_free(struct api *api);
AUTO_DEFINE(api, api_free)
