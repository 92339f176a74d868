#include "leaf/api.h"

#include "base/clock.h"

#include <string.h>

static void respond_json(struct http_request *request, unsigned status, const char *text)
{
	http_respond(request, status, "application/json", text, strlen(text));
}

static void refuse(struct http_request *request, unsigned status, enum pleach_error code, const char *text)
{
	g_autofree char *body = leaf_refusal_encode(code, text);
	respond_json(request, status, body);
}

static void refuse_error(struct http_request *request, const GError *fault)
{
	enum pleach_error code = pleach_error_code(fault);
	refuse(request, http_status_of(code), code, fault->message);
}

static void respond_status(struct http_request *request, struct supervisor *supervisor)
{
	auto_ptr(arena) arena = arena_new();
	g_autofree char *text = leaf_status_encode(supervisor_status(supervisor, arena, clock_monotonic_us()));
	respond_json(request, 200, text);
}

static void get_status(struct http_request *request, struct supervisor *supervisor)
{
	respond_status(request, supervisor);
}

static void put_nf(struct http_request *request, struct supervisor *supervisor)
{
	g_autoptr(GError) fault = NULL;
	auto_ptr(arena) arena = arena_new();
	const struct leaf_nf *nf = leaf_nf_decode(arena, request->body, request->body_length, &fault);
	gint64 now_us = clock_monotonic_us();
	bool taken = nf && supervisor_put(supervisor, arena, nf, now_us, &fault);
	supervisor_run(supervisor, now_us);
	if (taken)
		respond_status(request, supervisor);
	else
		refuse_error(request, fault);
}

static void delete_nf(struct http_request *request, struct supervisor *supervisor)
{
	g_autoptr(GError) fault = NULL;
	if (!supervisor_delete(supervisor, http_request_param(request, "key"), &fault)) {
		refuse_error(request, fault);
		return;
	}
	supervisor_run(supervisor, clock_monotonic_us());
	respond_status(request, supervisor);
}

static void get_log(struct http_request *request, struct supervisor *supervisor)
{
	guint64 lines = API_LOG_LINES;
	const char *asked = http_request_param(request, "lines");
	if (asked && !g_ascii_string_to_unsigned(asked, 10, 1, LEAF_LOG_MAX_LINES, &lines, NULL)) {
		g_autofree char *text = g_strdup_printf("\"lines\" is not a number from 1 to %d", LEAF_LOG_MAX_LINES);
		refuse(request, 400, PLEACH_ERROR_INVALID, text);
		return;
	}
	g_autofree char *text = output_tail(supervisor_output(supervisor), (size_t) lines);
	http_respond(request, 200, "text/plain; charset=utf-8", text, strlen(text));
}

static const struct route {
	const char *method, *path;
	void (*handle)(struct http_request *request, struct supervisor *supervisor);
} routes[] = {
	{ "GET", "/v1/status", get_status },
	{ "PUT", "/v1/nf", put_nf },
	{ "DELETE", "/v1/nf", delete_nf },
	{ "GET", "/v1/nf/log", get_log },
};

void api_handle(struct http_request *request, void *data)
{
	bool path_is_known = false;
	for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
		if (strcmp(request->path, routes[i].path) != 0)
			continue;
		path_is_known = true;
		if (strcmp(request->method, routes[i].method) == 0) {
			routes[i].handle(request, data);
			return;
		}
	}
	if (path_is_known)
		refuse(request, 405, PLEACH_ERROR_INVALID, "this method is not for this path");
	else
		refuse(request, 404, PLEACH_ERROR_NOT_FOUND, "there is nothing at this path");
}
