/* What the files of api/ share: a request on its way, and how it is answered. */
#pragma once

#include "api/api.h"
#include "http/server/server.h"

struct api_reply {
	struct api *api;
	struct http_request *request;
	struct api_reply *next, **link;
};

struct api {
	struct api_backend backend;
	struct http_server *server;
	GSource *source;
	char *socket_path; /* or NULL: TCP */
	struct api_reply *owed;
	GPtrArray *followers; /* struct follower *: past.c */
	guint followers_source;
};

/* One request on its way through a route. */
struct visit {
	struct api *api;
	struct http_request *request;
	struct arena *arena;
	const char *rest; /* of the path, behind the route's: a key */
};

bool api_wants_json(const struct http_request *request);
void api_answer(struct http_request *request, unsigned status, const char *content_type, const char *text, int exit_status);
void api_refuse(struct http_request *request, unsigned status, const char *code, const char *text);
void api_refuse_error(struct http_request *request, const GError *error); /* not consumed */

/* @markdown: the report has that form too. */
struct report_style api_style(const struct visit *visit, bool markdown);
struct report_input api_snapshot(const struct visit *visit, enum api_report report, const char *key);
void api_answer_report(const struct visit *visit, const struct report_style *style, char *text, enum report_verdict verdict);
/* The whole key that @text means; NULL: refused already. */
const char *api_resolve(const struct visit *visit, const struct report_input *input, const char *text, const char *kind);
const char *api_select(const struct visit *visit, const struct report_input *input, const char *text); /* report_select(), likewise */
/* A number from 1 to @max in the query; @fallback where it does not stand there. 0: refused already. */
unsigned api_number(const struct visit *visit, const char *name, unsigned max, unsigned fallback);

/* permit.c: may who asks? False: refused already. @verb as in the routes. */
bool api_permit(const struct visit *visit, const char *verb);

/* nf.c */
void api_get_nf(const struct visit *visit);
void api_get_metrics(const struct visit *visit);
void api_get_top(const struct visit *visit);

/* "2026-11-20T11:52:03Z", or "1h": so long ago; 0 for NULL. -1: neither. */
gint64 api_since(const char *text);

/* past.c */
void api_get_events(const struct visit *visit);
void api_get_history(const struct visit *visit);
GPtrArray *api_followers_new(void);
void api_end_followers(struct api *api);

/* holds.c */
void api_post_suspend(const struct visit *visit);
void api_post_resume(const struct visit *visit);
void api_post_approve(const struct visit *visit);
