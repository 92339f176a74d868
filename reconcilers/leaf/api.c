#include "leaf/api.h"

#include "base/clock.h"
#include "leaf/metrics.h"
#include "leaf/upgrade.h"

#include <string.h>
#include <unistd.h>

struct waiter {
	struct http_request *request;
	gint64 after, until_us;
};

struct follower {
	struct http_stream *stream;
	guint64 from; /* lines that it has */
};

struct api {
	struct supervisor *supervisor;
	struct waiter waiters[API_WAITERS_MAX];
	size_t n_waiters;
	struct follower followers[API_FOLLOWERS_MAX];
	size_t n_followers;
	gint64 look_us; /* at the followers */
	int program_fd;
	bool closed;
};

struct api *api_new(struct supervisor *supervisor)
{
	struct api *api = g_new0(struct api, 1);
	api->supervisor = supervisor;
	api->program_fd = -1;
	return api;
}

int api_take_program(struct api *api)
{
	int fd = api->program_fd;
	api->program_fd = -1;
	return fd;
}

/* --- answers --------------------------------------------------------------------------------------------------------------- */

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

static void respond_status(struct http_request *request, struct api *api)
{
	auto_ptr(arena) arena = arena_new();
	g_autofree char *text = leaf_status_encode(supervisor_status(api->supervisor, arena, clock_monotonic_us()));
	respond_json(request, 200, text);
}

/* Done: nothing more to say. */
static void respond_good(struct http_request *request, bool good, const GError *fault)
{
	if (good)
		respond_json(request, 200, "{}");
	else
		refuse_error(request, fault);
}

/* A number of the query; @fallback where it is not there. False, and refused, when it is not one from @min to @max. */
static bool number(struct http_request *request, const char *name, guint64 min, guint64 max, guint64 fallback, guint64 *ret)
{
	const char *asked = http_request_param(request, name);
	*ret = fallback;
	if (!asked || g_ascii_string_to_unsigned(asked, 10, min, max, ret, NULL))
		return true;
	g_autofree char *text = g_strdup_printf("\"%s\" is not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, name, min, max);
	refuse(request, 400, PLEACH_ERROR_INVALID, text);
	return false;
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static void get_status(struct http_request *request, struct api *api, const char *rest)
{
	guint64 wait_ms = 0, after = 0;
	if (!number(request, "wait_ms", 0, LEAF_WAIT_MAX_MS, 0, &wait_ms) || !number(request, "after", 0, G_MAXINT64, 0, &after))
		return;
	if (wait_ms == 0 || supervisor_seq(api->supervisor) > (gint64) after) {
		respond_status(request, api);
		return;
	}
	if (api->n_waiters == API_WAITERS_MAX) {
		/* The one that waits longest may have hung up: nobody tells us. */
		respond_status(api->waiters[0].request, api);
		memmove(api->waiters, api->waiters + 1, --api->n_waiters * sizeof(*api->waiters));
	}
	api->waiters[api->n_waiters++] = (struct waiter) { request, (gint64) after, clock_monotonic_us() + 1000 * (gint64) wait_ms };
}

static void put_nf(struct http_request *request, struct api *api, const char *rest)
{
	g_autoptr(GError) fault = NULL;
	auto_ptr(arena) arena = arena_new();
	const struct leaf_nf *nf = leaf_nf_decode(arena, request->body, request->body_length, &fault);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, request->body, (gssize) request->body_length);
	gint64 now_us = clock_monotonic_us();
	bool taken = nf && supervisor_put(api->supervisor, arena, nf, digest, now_us, &fault);
	supervisor_run(api->supervisor, now_us);
	if (taken)
		respond_status(request, api);
	else
		refuse_error(request, fault);
}

static void post_cancel(struct http_request *request, struct api *api, const char *rest)
{
	guint64 id = 0;
	if (!number(request, "id", 1, G_MAXINT64, 0, &id))
		return;
	if (id == 0) {
		refuse(request, 400, PLEACH_ERROR_INVALID, "which change?");
		return;
	}
	supervisor_cancel(api->supervisor, (gint64) id);
	supervisor_run(api->supervisor, clock_monotonic_us());
	respond_status(request, api);
}

static void delete_nf(struct http_request *request, struct api *api, const char *rest)
{
	g_autoptr(GError) fault = NULL;
	gint64 now_us = clock_monotonic_us();
	if (!supervisor_delete(api->supervisor, http_request_param(request, "key"), now_us, &fault)) {
		refuse_error(request, fault);
		return;
	}
	supervisor_run(api->supervisor, now_us);
	respond_status(request, api);
}

static void get_log(struct http_request *request, struct api *api, const char *rest)
{
	guint64 lines = 0;
	const char *follow = http_request_param(request, "follow");
	if (!number(request, "lines", 1, LEAF_LOG_MAX_LINES, API_LOG_LINES, &lines))
		return;
	const struct output *output = supervisor_output(api->supervisor);
	g_autofree char *text = output_tail(output, (size_t) lines);
	if (g_strcmp0(follow, "true") != 0) {
		http_respond(request, 200, "text/plain; charset=utf-8", text, strlen(text));
		return;
	}
	if (api->n_followers == API_FOLLOWERS_MAX) {
		refuse(request, 503, PLEACH_ERROR_RETRY, "the log is followed by as many as may");
		return;
	}
	struct follower *follower = &api->followers[api->n_followers++];
	*follower = (struct follower) { http_respond_stream(request, 200, "text/plain; charset=utf-8"), output_count(output) };
	http_stream_write(follower->stream, text, strlen(text));
}

static void get_metrics(struct http_request *request, struct api *api, const char *rest)
{
	auto_ptr(arena) arena = arena_new();
	g_autofree char *text = leaf_metrics_encode(metrics_measure(arena, supervisor_folder(api->supervisor)));
	respond_json(request, 200, text);
}

/* "DIGEST/file" */
static void put_package_file(struct http_request *request, struct api *api, const char *rest)
{
	const char *path = http_request_param(request, "path"), *mode = http_request_param(request, "mode");
	g_autoptr(GError) fault = NULL;
	g_auto(GStrv) words = g_strsplit(rest, "/", 3);
	bool executable = g_strcmp0(mode, "0755") == 0;
	if (g_strv_length(words) != 2 || strcmp(words[1], "file") != 0)
		refuse(request, 404, PLEACH_ERROR_NOT_FOUND, "there is nothing at this path");
	else if (!path || (!executable && g_strcmp0(mode, "0644") != 0))
		refuse(request, 400, PLEACH_ERROR_INVALID, "a file of a package has a path, and the mode 0644 or 0755");
	else if (packages_put(supervisor_packages(api->supervisor), words[0], path, executable, request->body, request->body_length, &fault))
		respond_json(request, 200, "{}");
	else
		refuse_error(request, fault);
}

static void post_package(struct http_request *request, struct api *api, const char *rest)
{
	g_autoptr(GError) fault = NULL;
	bool good = packages_commit(supervisor_packages(api->supervisor), rest, &fault);
	respond_good(request, good, fault);
}

static void post_upgrade(struct http_request *request, struct api *api, const char *rest)
{
	g_autoptr(GError) fault = NULL;
	if (api->program_fd >= 0)
		close(api->program_fd);
	api->program_fd = upgrade_try(api->supervisor, request->body, request->body_length, &fault);
	respond_good(request, api->program_fd >= 0, fault);
}

/* @path ends with '/': what comes after it is the handler's. */
static const struct route {
	const char *method, *path;
	void (*handle)(struct http_request *request, struct api *api, const char *rest);
} routes[] = {
	{ "GET", "/v1/status", get_status },
	{ "PUT", "/v1/nf", put_nf },
	{ "DELETE", "/v1/nf", delete_nf },
	{ "POST", "/v1/nf/cancel", post_cancel },
	{ "GET", "/v1/nf/log", get_log },
	{ "GET", "/v1/metrics", get_metrics },
	{ "PUT", "/v1/packages/", put_package_file },
	{ "POST", "/v1/packages/", post_package },
	{ "POST", "/v1/upgrade", post_upgrade },
};

void api_handle(struct http_request *request, void *data)
{
	const struct api *api = data;
	bool path_is_known = false;
	if (api->closed) {
		refuse(request, 503, PLEACH_ERROR_RETRY, "the leaf is about to end, or to go on as another program");
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
		bool open = g_str_has_suffix(routes[i].path, "/");
		if (open ? !g_str_has_prefix(request->path, routes[i].path) : strcmp(request->path, routes[i].path) != 0)
			continue;
		path_is_known = true;
		if (strcmp(request->method, routes[i].method) == 0) {
			routes[i].handle(request, data, request->path + strlen(routes[i].path));
			return;
		}
	}
	if (path_is_known)
		refuse(request, 405, PLEACH_ERROR_INVALID, "this method is not for this path");
	else
		refuse(request, 404, PLEACH_ERROR_NOT_FOUND, "there is nothing at this path");
}

/* --- those who wait --------------------------------------------------------------------------------------------------------- */

static void run_waiters(struct api *api, bool all, gint64 now_us)
{
	for (size_t i = 0; i < api->n_waiters; ) {
		struct waiter waiter = api->waiters[i];
		if (!all && supervisor_seq(api->supervisor) <= waiter.after && now_us < waiter.until_us) {
			i++;
			continue;
		}
		api->waiters[i] = api->waiters[--api->n_waiters];
		respond_status(waiter.request, api);
	}
}

/* False: it has gone, or does not take what it is sent. */
static bool feed(struct api *api, struct follower *follower, bool look)
{
	const struct output *output = supervisor_output(api->supervisor);
	guint64 count = output_count(output);
	if (count == follower->from)
		return !look || http_stream_is_open(follower->stream);
	g_autofree char *text = output_after(output, follower->from);
	follower->from = count;
	return http_stream_write(follower->stream, text, strlen(text));
}

static void run_followers(struct api *api, bool all, gint64 now_us)
{
	bool look = now_us >= api->look_us;
	if (look)
		api->look_us = now_us + 1000 * (gint64) API_FOLLOWER_LOOK_MS;
	for (size_t i = 0; i < api->n_followers; ) {
		if (!all && feed(api, &api->followers[i], look)) {
			i++;
			continue;
		}
		http_stream_end(api->followers[i].stream);
		api->followers[i] = api->followers[--api->n_followers];
	}
}

void api_run(struct api *api, gint64 now_us)
{
	run_waiters(api, false, now_us);
	run_followers(api, false, now_us);
}

gint64 api_next_us(const struct api *api)
{
	gint64 next_us = api->n_followers > 0 ? api->look_us : -1;
	for (size_t i = 0; i < api->n_waiters; i++)
		next_us = next_us < 0 ? api->waiters[i].until_us : MIN(next_us, api->waiters[i].until_us);
	return next_us;
}

void api_close(struct api *api)
{
	api->closed = true;
	run_waiters(api, true, 0);
	run_followers(api, true, 0);
}

void api_free(struct api *api)
{
	if (api->program_fd >= 0)
		close(api->program_fd);
	g_free(api);
}
