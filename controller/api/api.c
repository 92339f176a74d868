#include "api/internal.h"

#include "api/loop.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- answers ---------------------------------------------------------------------------------------------------------------- */

bool api_wants_json(const struct http_request *request)
{
	return http_request_prefers(request, "application/json", "text/plain");
}

void api_answer(struct http_request *request, unsigned status, const char *content_type, const char *text, int exit_status)
{
	char number[16];
	g_snprintf(number, sizeof(number), "%d", exit_status);
	http_answer_header(request, API_EXIT_HEADER, number);
	http_respond(request, status, content_type, text, strlen(text));
}

void api_refuse(struct http_request *request, unsigned status, const char *code, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1), *line = g_strdup_printf("%s\n", valid);
	log_debug("%s %s: %u: %s", request->method, request->path, status, valid);
	if (!api_wants_json(request)) {
		api_answer(request, status, "text/plain; charset=utf-8", line, 1);
		return;
	}
	g_autoptr(json_t) json = json_pack("{s:{s:s, s:s}}", "error", "code", code, "text", valid);
	g_autofree char *bytes = json_text(json, 2);
	api_answer(request, status, "application/json", bytes, 1);
}

void api_refuse_error(struct http_request *request, const GError *error)
{
	enum pleach_error code = pleach_error_code(error);
	api_refuse(request, http_status_of(code), pleach_error_name(code), error->message);
}

static struct http_request *reply_end(struct api_reply *reply)
{
	struct http_request *request = reply->request;
	*reply->link = reply->next;
	if (reply->next)
		reply->next->link = reply->link;
	g_free(reply);
	return request;
}

void api_reply_text(struct api_reply *reply, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	api_answer(reply_end(reply), 200, "text/plain; charset=utf-8", valid, 0);
}

struct http_stream *api_reply_stream(struct api_reply *reply, const char *content_type)
{
	struct http_request *request = reply_end(reply);
	http_answer_header(request, API_EXIT_HEADER, "0");
	return http_respond_stream(request, 200, content_type);
}

void api_reply_error(struct api_reply *reply, const GError *error)
{
	api_refuse_error(reply_end(reply), error);
}

/* --- routes ----------------------------------------------------------------------------------------------------------------- */

/* @markdown: the report has that form too. */
struct report_style api_style(const struct visit *visit, bool markdown)
{
	struct report_style style = { .format = REPORT_TEXT };
	if (api_wants_json(visit->request))
		style.format = REPORT_JSON;
	else if (markdown && http_request_prefers(visit->request, "text/markdown", "text/plain"))
		style.format = REPORT_MARKDOWN;
	else
		style.colour = g_strcmp0(http_request_param(visit->request, "colour"), "1") == 0;
	return style;
}

struct report_input api_snapshot(const struct visit *visit, enum api_report report, const char *key)
{
	struct report_input input = { 0 };
	visit->api->backend.snapshot(report, key, visit->arena, &input, visit->api->backend.data);
	return input;
}

void api_answer_report(const struct visit *visit, const struct report_style *style, char *text, enum report_verdict verdict)
{
	api_answer(visit->request, 200, report_content_type(style->format), text, verdict == REPORT_DIFFERS ? 2 : 0);
	g_free(text);
}

/* The whole key that @text means; NULL: refused already. */
const char *api_resolve(const struct visit *visit, const struct report_input *input, const char *text, const char *kind)
{
	GError *error = NULL;
	const char *key = report_resolve(input, visit->arena, text, kind, &error);
	if (!key) {
		api_refuse_error(visit->request, error);
		g_error_free(error);
	}
	return key;
}

const char *api_select(const struct visit *visit, const struct report_input *input, const char *text)
{
	GError *error = NULL;
	const char *key = report_select(input, visit->arena, text, &error);
	if (!key) {
		api_refuse_error(visit->request, error);
		g_error_free(error);
	}
	return key;
}

static void get_status(const struct visit *visit)
{
	struct report_style style = api_style(visit, false);
	struct report_input input = api_snapshot(visit, API_STATUS, NULL);
	const char *text = http_request_param(visit->request, "key"), *key = text ? api_select(visit, &input, text) : NULL;
	if (text && !key)
		return;
	enum report_verdict verdict;
	char *report = report_status(&input, key, &style, &verdict);
	api_answer_report(visit, &style, report, verdict);
}

static void get_plan(const struct visit *visit)
{
	struct report_style style = api_style(visit, true);
	struct report_input input = api_snapshot(visit, API_PLAN, NULL);
	if (!input.plan) {
		api_refuse(visit->request, 503, pleach_error_name(PLEACH_ERROR_RETRY), input.trouble
		       ? input.trouble : "there is no plan yet");
		return;
	}
	enum report_verdict verdict;
	char *report = report_plan(&input, &style, &verdict);
	api_answer_report(visit, &style, report, verdict);
}

static void get_drift(const struct visit *visit)
{
	struct report_style style = api_style(visit, true);
	struct report_input input = api_snapshot(visit, API_DRIFT, NULL);
	const char *text = http_request_param(visit->request, "key"), *key = text ? api_select(visit, &input, text) : NULL;
	if (text && !key)
		return;
	enum report_verdict verdict;
	char *report = report_drift(&input, key, &style, &verdict);
	api_answer_report(visit, &style, report, verdict);
}

static void get_explain(const struct visit *visit)
{
	struct report_style style = api_style(visit, false);
	struct report_input input = api_snapshot(visit, API_EXPLAIN, NULL);
	GError *error = NULL;
	const char *key = report_resolve(&input, visit->arena, visit->rest, NULL, &error);
	/* What is no more can still be explained: by its whole key, from what is remembered of it. */
	if (!key && pleach_error_code(error) == PLEACH_ERROR_NOT_FOUND && strchr(visit->rest, '/'))
		key = visit->rest;
	if (key) {
		struct report_input about = api_snapshot(visit, API_EXPLAIN, key);
		GError *gone = NULL;
		char *report = report_explain(&about, key, &style, &gone);
		if (report)
			api_answer_report(visit, &style, report, REPORT_NOTHING);
		else
			api_refuse_error(visit->request, error ? error : gone); /* the first may say what was meant */
		g_clear_error(&gone);
	} else {
		api_refuse_error(visit->request, error);
	}
	g_clear_error(&error);
}

static void get_object(const struct visit *visit)
{
	struct report_input input = api_snapshot(visit, API_OBJECT, NULL);
	const char *key = api_resolve(visit, &input, visit->rest, http_request_param(visit->request, "kind"));
	if (!key)
		return;
	const struct report_style style = { .format = REPORT_JSON };
	GError *error = NULL;
	char *report = report_object(&input, key, &error);
	if (report)
		api_answer_report(visit, &style, report, REPORT_NOTHING);
	else
		api_refuse_error(visit->request, error);
	g_clear_error(&error);
}

static void get_log(const struct visit *visit)
{
	const char *text = http_request_param(visit->request, "lines");
	guint64 lines = API_LOG_LINES_DEFAULT;
	if (text && !g_ascii_string_to_unsigned(text, 10, 1, API_LOG_LINES_MAX, &lines, NULL)) {
		api_refuse(visit->request, 400, pleach_error_name(PLEACH_ERROR_INVALID), "lines: a number from 1 to 10000 is wanted");
		return;
	}
	struct report_input input = api_snapshot(visit, API_OBJECT, NULL);
	const char *key = api_resolve(visit, &input, visit->rest, "nf");
	if (!key)
		return;
	struct api_reply *reply = g_new0(struct api_reply, 1);
	reply->api = visit->api;
	reply->request = visit->request;
	reply->next = visit->api->owed;
	reply->link = &visit->api->owed;
	if (reply->next)
		reply->next->link = &reply->next;
	visit->api->owed = reply;
	bool follow = g_strcmp0(http_request_param(visit->request, "follow"), "1") == 0;
	visit->api->backend.log(key, (unsigned) lines, follow, reply, visit->api->backend.data);
}

static void get_sites(const struct visit *visit)
{
	struct report_style style = api_style(visit, false);
	struct report_input input = api_snapshot(visit, API_SITES, NULL);
	api_answer_report(visit, &style, report_sites(&input, &style), REPORT_NOTHING);
}

static void get_world(const struct visit *visit)
{
	const struct report_style style = { .format = REPORT_JSON };
	struct report_input input = api_snapshot(visit, API_WORLD, NULL);
	api_answer_report(visit, &style, report_world(&input), REPORT_NOTHING);
}

static void get_health(const struct visit *visit)
{
	g_autoptr(json_t) json = json_pack("{s:s, s:s, s:I}", "program", "pleachd", "version", PLEACH_VERSION, "pid",
					   (json_int_t) getpid());
	g_autofree char *text = json_text(json, 2);
	api_answer(visit->request, 200, "application/json", text, 0);
}

static void post_sync(const struct visit *visit)
{
	const char *text = http_request_param(visit->request, "key"), *key = NULL;
	if (text) {
		struct report_input input = api_snapshot(visit, API_STATUS, NULL);
		key = api_select(visit, &input, text);
		if (!key)
			return;
	}
	GError *error = NULL;
	if (!visit->api->backend.sync(key, &error, visit->api->backend.data)) {
		api_refuse_error(visit->request, error);
		g_error_free(error);
		return;
	}
	if (api_wants_json(visit->request))
		api_answer(visit->request, 202, "application/json", "{}\n", 0);
	else
		api_answer(visit->request, 202, "text/plain; charset=utf-8", key ? "reconciling it now\n" : "reconciling now\n", 0);
}

static void answer_level(const struct visit *visit)
{
	g_autofree char *text = api_wants_json(visit->request) ?
					g_strdup_printf("{\"level\": \"%s\"}\n", log_level_name(log_get_level())) :
					g_strdup_printf("%s\n", log_level_name(log_get_level()));
	api_answer(visit->request, 200, api_wants_json(visit->request) ? "application/json" : "text/plain; charset=utf-8", text, 0);
}

static void post_level(const struct visit *visit)
{
	const char *text = http_request_param(visit->request, "level");
	enum log_level level;
	if (!log_level_parse(text, &level)) {
		api_refuse(visit->request, 400, pleach_error_name(PLEACH_ERROR_INVALID), "the level is error, warning, info or debug");
		return;
	}
	log_set_level(level);
	log_info("log level %s, until the next start or reload", text);
	answer_level(visit);
}

static const struct route {
	const char *method, *path; /* a path that ends with '/' takes a key behind it */
	void (*handle)(const struct visit *visit);
	const char *verb; /* NULL: observe (GET), operate (POST) */
} routes[] = {
	{ "GET", "/v1/status", get_status },    { "GET", "/v1/plan", get_plan },       { "GET", "/v1/drift", get_drift },
	{ "GET", "/v1/explain/", get_explain }, { "GET", "/v1/objects/", get_object }, { "GET", "/v1/logs/", get_log, "logs" },
	{ "GET", "/v1/sites", get_sites },      { "GET", "/v1/health", get_health },   { "POST", "/v1/sync", post_sync },
	{ "GET", "/v1/events", api_get_events },	    { "GET", "/v1/history", api_get_history },
	{ "POST", "/v1/suspend", api_post_suspend },	    { "POST", "/v1/resume", api_post_resume },
	{ "POST", "/v1/approve", api_post_approve },
	{ "GET", "/v1/nf", api_get_nf },	    { "GET", "/v1/metrics/", api_get_metrics, "metrics" },
	{ "GET", "/v1/top", api_get_top, "metrics" },
	{ "GET", "/v1/world", get_world },      { "GET", "/v1/log-level", answer_level }, { "POST", "/v1/log-level", post_level },
};

/* --- who may ask ----------------------------------------------------------------------------------------------------------- */

/* A Host that is an address, or localhost: a page from elsewhere cannot make a browser send that by naming us. */
static bool host_is_plain(const char *host)
{
	if (!host)
		return false;
	g_autofree char *name = g_strdup(host);
	char *colon = strrchr(name, ':');
	if (colon && !strchr(colon, ']'))
		*colon = 0;
	size_t length = strlen(name);
	if (length > 2 && name[0] == '[' && name[length - 1] == ']') {
		name[length - 1] = 0;
		return g_hostname_is_ip_address(name + 1);
	}
	return g_ascii_strcasecmp(name, "localhost") == 0 || g_hostname_is_ip_address(name);
}

/* Why not, or NULL. */
static const char *who_may_not(const struct http_request *request, bool may)
{
	if (request->peer.known)
		return may || request->peer.uid == 0 || request->peer.uid == geteuid()
			       ? NULL
			       : "only the user that pleachd runs as, and root, may ask";
	if (http_request_header(request, "Origin") || !host_is_plain(http_request_header(request, "Host")))
		return "requests of web pages are not served";
	if (strcmp(request->method, "GET") != 0)
		return "commands are taken over the unix socket only";
	return NULL;
}

static const struct route *find_route(const struct http_request *request, const char **ret_rest, bool *ret_other_method)
{
	*ret_other_method = false;
	for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
		size_t length = strlen(routes[i].path);
		bool takes_key = routes[i].path[length - 1] == '/';
		if (takes_key ? strncmp(request->path, routes[i].path, length) != 0 || !request->path[length]
			      : strcmp(request->path, routes[i].path) != 0)
			continue;
		*ret_rest = request->path + length;
		if (strcmp(request->method, routes[i].method) == 0)
			return &routes[i];
		*ret_other_method = true;
	}
	return NULL;
}

static void on_request(struct http_request *request, void *data)
{
	const struct api *api = data;
	/* Who is let in by a policy is asked about route by route. */
	const char *why_not = who_may_not(request, api->backend.may != NULL);
	if (why_not) {
		log_warning("%s %s refused (uid %d, pid %d): %s", request->method, request->path,
			    request->peer.known ? (int) request->peer.uid : -1,
			    request->peer.known ? (int) request->peer.pid : -1, why_not);
		api_refuse(request, 403, pleach_error_name(PLEACH_ERROR_AUTH), why_not);
		return;
	}
	auto_ptr(arena) arena = arena_new();
	struct visit visit = { .api = data, .request = request, .arena = arena };
	bool other_method;
	const struct route *route = find_route(request, &visit.rest, &other_method);
	if (route && api_permit(&visit, route->verb))
		route->handle(&visit);
	else if (route)
		return;
	else if (other_method)
		api_refuse(request, 405, pleach_error_name(PLEACH_ERROR_INVALID), "not with this method");
	else
		api_refuse(request, 404, pleach_error_name(PLEACH_ERROR_NOT_FOUND), "no such path");
}

/* Who asks over TCP cannot be told apart, so nobody but this machine may. */
static bool is_local(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage storage;
	} address = { 0 };
	socklen_t length = sizeof(address);
	if (getsockname(fd, &address.any, &length) != 0)
		return false;
	if (address.any.sa_family == AF_INET)
		return ntohl(address.in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&address.in6.sin6_addr);
	return address.any.sa_family == AF_UNIX;
}

struct api *api_new(const struct api_backend *backend, const char *listen, GError **error)
{
	int fd = http_listen(listen, 0600, error);
	if (fd < 0)
		return NULL;
	if (!is_local(fd)) {
		close(fd);
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID,
			    "cannot listen on %s: anybody could ask there; take unix:PATH, or an address of this machine alone (127.0.0.1)",
			    listen);
		return NULL;
	}
	struct api *api = g_new0(struct api, 1);
	api->backend = *backend;
	api->socket_path = g_str_has_prefix(listen, "unix:") ? g_strdup(listen + strlen("unix:")) : NULL;
	const struct http_server_options options = { .listen_fd = fd, .handler = on_request, .data = api };
	api->server = http_server_new(&options, error);
	if (!api->server) {
		g_free(api->socket_path);
		g_free(api);
		return NULL;
	}
	api->followers = api_followers_new();
	api->source = serve_source_new(api->server);
	return api;
}

void api_open_to_others(struct api *api, bool open)
{
	if (api->socket_path && chmod(api->socket_path, open ? 0666 : 0600) < 0)
		log_warning("%s: %s", api->socket_path, g_strerror(errno));
}

void api_free(struct api *api)
{
	if (!api)
		return;
	g_source_destroy(api->source);
	g_source_unref(api->source);
	while (api->owed)
		reply_end(api->owed); /* the server answers it */
	if (api->socket_path)
		unlink(api->socket_path);
	api_end_followers(api);
	http_server_free(api->server);
	g_free(api->socket_path);
	g_free(api);
}
