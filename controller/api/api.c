#include "api/api.h"

#include "api/loop.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "http/server/server.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
};

/* One request on its way through a route. */
struct visit {
	struct api *api;
	struct http_request *request;
	struct arena *arena;
	const char *rest; /* of the path, behind the route's: a key */
};

/* --- answers ---------------------------------------------------------------------------------------------------------------- */

static bool wants_json(const struct http_request *request)
{
	return http_request_prefers(request, "application/json", "text/plain");
}

static void answer(struct http_request *request, unsigned status, const char *content_type, const char *text, int exit_status)
{
	char number[16];
	g_snprintf(number, sizeof(number), "%d", exit_status);
	http_answer_header(request, API_EXIT_HEADER, number);
	http_respond(request, status, content_type, text, strlen(text));
}

static void refuse(struct http_request *request, unsigned status, const char *code, const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1), *line = g_strdup_printf("%s\n", valid);
	log_debug("%s %s: %u: %s", request->method, request->path, status, valid);
	if (!wants_json(request)) {
		answer(request, status, "text/plain; charset=utf-8", line, 1);
		return;
	}
	g_autoptr(json_t) json = json_pack("{s:{s:s, s:s}}", "error", "code", code, "text", valid);
	g_autofree char *bytes = json_text(json, 2);
	answer(request, status, "application/json", bytes, 1);
}

static void refuse_error(struct http_request *request, const GError *error)
{
	enum pleach_error code = pleach_error_code(error);
	refuse(request, http_status_of(code), pleach_error_name(code), error->message);
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
	answer(reply_end(reply), 200, "text/plain; charset=utf-8", valid, 0);
}

void api_reply_error(struct api_reply *reply, const GError *error)
{
	refuse_error(reply_end(reply), error);
}

/* --- routes ----------------------------------------------------------------------------------------------------------------- */

/* @markdown: the report has that form too. */
static struct report_style style_of(const struct visit *visit, bool markdown)
{
	struct report_style style = { .format = REPORT_TEXT };
	if (wants_json(visit->request))
		style.format = REPORT_JSON;
	else if (markdown && http_request_prefers(visit->request, "text/markdown", "text/plain"))
		style.format = REPORT_MARKDOWN;
	else
		style.colour = g_strcmp0(http_request_param(visit->request, "colour"), "1") == 0;
	return style;
}

static struct report_input snapshot(const struct visit *visit, enum api_report report, const char *key)
{
	struct report_input input = { 0 };
	visit->api->backend.snapshot(report, key, visit->arena, &input, visit->api->backend.data);
	return input;
}

static void answer_report(const struct visit *visit, const struct report_style *style, char *text, enum report_verdict verdict)
{
	answer(visit->request, 200, report_content_type(style->format), text, verdict == REPORT_DIFFERS ? 2 : 0);
	g_free(text);
}

/* The whole key that @text means; NULL: refused already. */
static const char *resolve(const struct visit *visit, const struct report_input *input, const char *text, const char *kind)
{
	GError *error = NULL;
	const char *key = report_resolve(input, visit->arena, text, kind, &error);
	if (!key) {
		refuse_error(visit->request, error);
		g_error_free(error);
	}
	return key;
}

static void get_status(const struct visit *visit)
{
	struct report_style style = style_of(visit, false);
	struct report_input input = snapshot(visit, API_STATUS, NULL);
	const char *text = http_request_param(visit->request, "key"), *key = text ? resolve(visit, &input, text, NULL) : NULL;
	if (text && !key)
		return;
	enum report_verdict verdict;
	char *report = report_status(&input, key, &style, &verdict);
	answer_report(visit, &style, report, verdict);
}

static void get_plan(const struct visit *visit)
{
	struct report_style style = style_of(visit, true);
	struct report_input input = snapshot(visit, API_PLAN, NULL);
	if (!input.plan) {
		refuse(visit->request, 503, pleach_error_name(PLEACH_ERROR_RETRY), input.trouble
		       ? input.trouble : "there is no plan yet");
		return;
	}
	enum report_verdict verdict;
	char *report = report_plan(&input, &style, &verdict);
	answer_report(visit, &style, report, verdict);
}

static void get_drift(const struct visit *visit)
{
	struct report_style style = style_of(visit, true);
	struct report_input input = snapshot(visit, API_DRIFT, NULL);
	enum report_verdict verdict;
	char *report = report_drift(&input, &style, &verdict);
	answer_report(visit, &style, report, verdict);
}

static void get_explain(const struct visit *visit)
{
	struct report_style style = style_of(visit, false);
	struct report_input input = snapshot(visit, API_EXPLAIN, NULL);
	GError *error = NULL;
	const char *key = report_resolve(&input, visit->arena, visit->rest, NULL, &error);
	/* What is no more can still be explained: by its whole key, from what is remembered of it. */
	if (!key && pleach_error_code(error) == PLEACH_ERROR_NOT_FOUND && strchr(visit->rest, '/'))
		key = visit->rest;
	if (key) {
		struct report_input about = snapshot(visit, API_EXPLAIN, key);
		GError *gone = NULL;
		char *report = report_explain(&about, key, &style, &gone);
		if (report)
			answer_report(visit, &style, report, REPORT_NOTHING);
		else
			refuse_error(visit->request, error ? error : gone); /* the first may say what was meant */
		g_clear_error(&gone);
	} else {
		refuse_error(visit->request, error);
	}
	g_clear_error(&error);
}

static void get_object(const struct visit *visit)
{
	struct report_input input = snapshot(visit, API_OBJECT, NULL);
	const char *key = resolve(visit, &input, visit->rest, http_request_param(visit->request, "kind"));
	if (!key)
		return;
	const struct report_style style = { .format = REPORT_JSON };
	GError *error = NULL;
	char *report = report_object(&input, key, &error);
	if (report)
		answer_report(visit, &style, report, REPORT_NOTHING);
	else
		refuse_error(visit->request, error);
	g_clear_error(&error);
}

static void get_log(const struct visit *visit)
{
	const char *text = http_request_param(visit->request, "lines");
	guint64 lines = API_LOG_LINES_DEFAULT;
	if (text && !g_ascii_string_to_unsigned(text, 10, 1, API_LOG_LINES_MAX, &lines, NULL)) {
		refuse(visit->request, 400, pleach_error_name(PLEACH_ERROR_INVALID), "lines: a number from 1 to 10000 is wanted");
		return;
	}
	struct report_input input = snapshot(visit, API_OBJECT, NULL);
	const char *key = resolve(visit, &input, visit->rest, "nf");
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
	visit->api->backend.log(key, (unsigned) lines, reply, visit->api->backend.data);
}

static void get_sites(const struct visit *visit)
{
	struct report_style style = style_of(visit, false);
	struct report_input input = snapshot(visit, API_SITES, NULL);
	answer_report(visit, &style, report_sites(&input, &style), REPORT_NOTHING);
}

static void get_world(const struct visit *visit)
{
	const struct report_style style = { .format = REPORT_JSON };
	struct report_input input = snapshot(visit, API_WORLD, NULL);
	answer_report(visit, &style, report_world(&input), REPORT_NOTHING);
}

static void get_health(const struct visit *visit)
{
	g_autoptr(json_t) json = json_pack("{s:s, s:s, s:I}", "program", "pleachd", "version", PLEACH_VERSION, "pid",
					   (json_int_t) getpid());
	g_autofree char *text = json_text(json, 2);
	answer(visit->request, 200, "application/json", text, 0);
}

static void post_sync(const struct visit *visit)
{
	const char *text = http_request_param(visit->request, "key"), *key = NULL;
	if (text) {
		struct report_input input = snapshot(visit, API_STATUS, NULL);
		key = resolve(visit, &input, text, NULL);
		if (!key)
			return;
	}
	GError *error = NULL;
	if (!visit->api->backend.sync(key, &error, visit->api->backend.data)) {
		refuse_error(visit->request, error);
		g_error_free(error);
		return;
	}
	if (wants_json(visit->request))
		answer(visit->request, 202, "application/json", "{}\n", 0);
	else
		answer(visit->request, 202, "text/plain; charset=utf-8", key ? "reconciling it now\n" : "reconciling now\n", 0);
}

static const struct route {
	const char *method, *path; /* a path that ends with '/' takes a key behind it */
	void (*handle)(const struct visit *visit);
} routes[] = {
	{ "GET", "/v1/status", get_status },    { "GET", "/v1/plan", get_plan },       { "GET", "/v1/drift", get_drift },
	{ "GET", "/v1/explain/", get_explain }, { "GET", "/v1/objects/", get_object }, { "GET", "/v1/logs/", get_log },
	{ "GET", "/v1/sites", get_sites },      { "GET", "/v1/health", get_health },   { "POST", "/v1/sync", post_sync },
	{ "GET", "/v1/world", get_world },
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
static const char *who_may_not(const struct http_request *request)
{
	if (request->peer.known)
		return request->peer.uid == 0 || request->peer.uid == geteuid()
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
	const char *why_not = who_may_not(request);
	if (why_not) {
		log_warning("%s %s refused (uid %d, pid %d): %s", request->method, request->path,
			    request->peer.known ? (int) request->peer.uid : -1,
			    request->peer.known ? (int) request->peer.pid : -1, why_not);
		refuse(request, 403, pleach_error_name(PLEACH_ERROR_AUTH), why_not);
		return;
	}
	auto_ptr(arena) arena = arena_new();
	struct visit visit = { .api = data, .request = request, .arena = arena };
	bool other_method;
	const struct route *route = find_route(request, &visit.rest, &other_method);
	if (route)
		route->handle(&visit);
	else if (other_method)
		refuse(request, 405, pleach_error_name(PLEACH_ERROR_INVALID), "not with this method");
	else
		refuse(request, 404, pleach_error_name(PLEACH_ERROR_NOT_FOUND), "no such path");
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
	api->source = serve_source_new(api->server);
	return api;
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
	http_server_free(api->server);
	g_free(api->socket_path);
	g_free(api);
}
