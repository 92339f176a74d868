#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "http/client/client.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A far side that answers every request with the bytes of its script, right or wrong, in a thread of its own. */
struct far_side {
	char *folder, *path, *endpoint;
	int listen_fd, stop_fd;
	pthread_t thread;
	const char *script;
	size_t length;
	enum { ANSWER, ANSWER_AND_CLOSE, ENDLESS, DRIP, SILENT } manner;
	gint connections;  /* atomic */
	gint requests;     /* atomic */
	char last[8192];   /* of the last request; read it after the call */
};

static bool stopped(const struct far_side *far, int timeout_ms)
{
	struct pollfd wait = { .fd = far->stop_fd, .events = POLLIN };
	return poll(&wait, 1, timeout_ms) > 0;
}

/* One request's head and body (by Content-Length); false at the end of the connection. */
static bool read_request(struct far_side *far, int fd)
{
	size_t length = 0;
	for (;;) {
		struct pollfd wait[] = { { .fd = fd, .events = POLLIN }, { .fd = far->stop_fd, .events = POLLIN } };
		poll(wait, 2, -1);
		if (wait[1].revents)
			return false;
		ssize_t got = recv(fd, far->last + length, sizeof(far->last) - 1 - length, 0);
		if (got <= 0)
			return false;
		length += (size_t) got;
		far->last[length] = 0;
		const char *end = strstr(far->last, "\r\n\r\n"), *size = strstr(far->last, "Content-Length: ");
		if (end && length >= (size_t) (end + 4 - far->last) + (size ? (size_t) atoi(size + 16) : 0))
			return true;
	}
}

static void answer(struct far_side *far, int fd)
{
	switch (far->manner) {
	case ANSWER:
	case ANSWER_AND_CLOSE:
		send(fd, far->script, far->length, MSG_NOSIGNAL);
		break;
	case ENDLESS:
		while (send(fd, far->script, far->length, MSG_NOSIGNAL) > 0)
			continue;
		break;
	case DRIP:
		for (size_t i = 0; i < far->length && !stopped(far, 20) && send(fd, far->script + i, 1, MSG_NOSIGNAL) > 0; i++)
			continue;
		break;
	case SILENT:
		stopped(far, -1);
		break;
	}
}

static void *serve(void *data)
{
	struct far_side *far = data;
	for (;;) {
		struct pollfd wait[] = { { .fd = far->listen_fd, .events = POLLIN }, { .fd = far->stop_fd, .events = POLLIN } };
		poll(wait, 2, -1);
		if (wait[1].revents)
			return NULL;
		int fd = accept(far->listen_fd, NULL, NULL);
		g_atomic_int_inc(&far->connections);
		while (read_request(far, fd)) {
			g_atomic_int_inc(&far->requests);
			answer(far, fd);
			if (far->manner != ANSWER)
				break;
		}
		close(fd);
	}
}

static struct far_side *far_new(const char *script, int manner)
{
	struct far_side *far = g_new0(struct far_side, 1);
	far->script = script;
	far->length = strlen(script);
	far->manner = manner;
	far->folder = g_dir_make_tmp("http-XXXXXX", NULL);
	far->path = g_build_filename(far->folder, "s", NULL);
	far->endpoint = g_strconcat("unix:", far->path, NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, far->path);
	far->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(far->listen_fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(far->listen_fd, 16), ==, 0);
	far->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_create(&far->thread, NULL, serve, far);
	return far;
}

static void far_free(struct far_side *far)
{
	guint64 one = 1;
	g_assert_cmpint(write(far->stop_fd, &one, sizeof(one)), ==, sizeof(one));
	pthread_join(far->thread, NULL);
	close(far->listen_fd);
	close(far->stop_fd);
	g_assert_true(file_remove_tree(far->folder, NULL));
	g_free(far->folder);
	g_free(far->path);
	g_free(far->endpoint);
	g_free(far);
}

#define GOOD "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nPleach-Exit: 2\r\nContent-Length: 5\r\n\r\nhello"

static gint64 in_ms(int ms)
{
	return clock_monotonic_us() + ms * 1000;
}

static void test_good(void)
{
	struct far_side *far = far_new(GOOD, ANSWER);
	g_autoptr(GError) error = NULL;
	auto_ptr(http_client) client = http_client_new(far->endpoint, &error);
	g_assert_no_error(error);
	for (int i = 0; i < 3; i++) {
		static const char *const headers[] = { "X-One: 1", "X-Two: 2\r\nEvil: 1", NULL };
		struct http_call call = {
			.method = "PUT", .path = "/v1/nf?x=a%20b", .headers = headers, .body = "{}", .body_length = 2,
			.deadline_us = in_ms(5000), .cancel_fd = -1,
		};
		auto_http_reply reply;
		g_assert_true(http_client_call(client, &call, &reply, &error));
		g_assert_no_error(error);
		g_assert_cmpuint(reply.status, ==, 200);
		g_assert_cmpstr(reply.content_type, ==, "text/x");
		g_assert_cmpstr(reply.bytes, ==, "hello");
		g_assert_cmpuint(reply.length, ==, 5);
		g_autofree char *header = http_reply_header(&reply, "pleach-exit"), *none = http_reply_header(&reply, "X");
		g_assert_cmpstr(header, ==, "2");
		g_assert_null(none);
		g_assert_true(http_reply_is_good(&reply, &call, &error));
	}
	g_assert_true(g_str_has_prefix(far->last, "PUT /v1/nf?x=a%20b HTTP/1.1\r\n"));
	g_assert_nonnull(strstr(far->last, "\r\nX-One: 1\r\n"));
	g_assert_null(strstr(far->last, "\nEvil"));
	g_assert_null(strstr(far->last, "Expect"));
	g_assert_true(g_str_has_suffix(far->last, "\r\n\r\n{}"));
	g_assert_cmpint(g_atomic_int_get(&far->connections), ==, 1); /* one connection for all three */
	far_free(far);
}

/* The far side says @script in @manner: the call has to fail with @code and say @words. */
static void fails(const char *script, int manner, int code, const char *words, size_t max_bytes)
{
	struct far_side *far = far_new(script, manner);
	g_autoptr(GError) error = NULL;
	auto_ptr(http_client) client = http_client_new(far->endpoint, NULL);
	struct http_call call = { .path = "/x", .deadline_us = in_ms(300), .cancel_fd = -1, .reply_max_bytes = max_bytes };
	auto_http_reply reply;
	gint64 begin_us = clock_monotonic_us();
	g_assert_false(http_client_call(client, &call, &reply, &error));
	g_assert_cmpint(clock_monotonic_us() - begin_us, <, 2 * G_USEC_PER_SEC);
	g_assert_error(error, PLEACH_ERROR, code);
	if (!strstr(error->message, words) || !strstr(error->message, "GET /x"))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
	g_assert_null(reply.bytes);
	far_free(far);
}

static void test_bad(void)
{
	fails("SSH-2.0-OpenSSH_9\r\n", ANSWER_AND_CLOSE, PLEACH_ERROR_INVALID, "", 0);
	fails("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", ANSWER_AND_CLOSE, PLEACH_ERROR_RETRY, "", 0);
	fails("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", ANSWER_AND_CLOSE, PLEACH_ERROR_RETRY, "", 0);
	fails("", ANSWER_AND_CLOSE, PLEACH_ERROR_RETRY, "", 0);
	fails(GOOD, ANSWER, PLEACH_ERROR_INVALID, "more than 4 bytes", 4);
	fails("HTTP/1.1 200 OK: 1\r\nX: 1\r\n", ENDLESS, PLEACH_ERROR_INVALID, "head", 0);
	fails("HTTP/1.1 200 OK\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ENDLESS, PLEACH_ERROR_INVALID,
	      "more than 100000", 100000);
	fails(GOOD, DRIP, PLEACH_ERROR_TIMEOUT, "time", 0);
	fails("", SILENT, PLEACH_ERROR_TIMEOUT, "time", 0);
}

static void test_nobody(void)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(http_client) client = http_client_new("unix:/nonexistent/socket", NULL);
	struct http_call call = { .path = "/", .cancel_fd = -1 };
	auto_http_reply reply;
	g_assert_false(http_client_call(client, &call, &reply, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
	g_assert_nonnull(strstr(error->message, "unix:/nonexistent/socket"));
	static const char *const wrong[] = { "", "unix:", "unix:s", "ftp://x", "http://", "http://x?y", "x",
					    "file:///etc/passwd" };
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_clear_error(&error);
		g_assert_null(http_client_new(wrong[i], &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
}

static void *cancel_soon(void *data)
{
	g_usleep(50 * 1000);
	guint64 one = 1;
	g_assert_cmpint(write(*(int *) data, &one, sizeof(one)), ==, sizeof(one));
	return NULL;
}

static void test_cancel(void)
{
	struct far_side *far = far_new("", SILENT);
	auto_ptr(http_client) client = http_client_new(far->endpoint, NULL);
	int cancel_fd = eventfd(0, EFD_CLOEXEC);
	pthread_t thread;
	pthread_create(&thread, NULL, cancel_soon, &cancel_fd);
	g_autoptr(GError) error = NULL;
	struct http_call call = { .path = "/", .deadline_us = in_ms(20000), .cancel_fd = cancel_fd };
	auto_http_reply reply;
	gint64 begin_us = clock_monotonic_us();
	g_assert_false(http_client_call(client, &call, &reply, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	g_assert_cmpint(clock_monotonic_us() - begin_us, <, 5 * G_USEC_PER_SEC);
	g_clear_error(&error);
	g_assert_false(http_client_call(client, &call, &reply, &error)); /* cancelled before it began */
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	pthread_join(thread, NULL);
	close(cancel_fd);
	far_free(far);
}

static bool take(const void *bytes, size_t length, void *data)
{
	GString *got = data;
	g_string_append_len(got, bytes, (gssize) length);
	return !strstr(got->str, "stop");
}

static void test_take(void)
{
	struct far_side *far = far_new("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				       "3\r\none\r\n4\r\nstop\r\n4\r\nmore\r\n0\r\n\r\n", DRIP);
	auto_ptr(http_client) client = http_client_new(far->endpoint, NULL);
	g_autoptr(GString) got = g_string_new(NULL);
	g_autoptr(GError) error = NULL;
	struct http_call call = { .path = "/", .deadline_us = in_ms(20000), .cancel_fd = -1, .take = take, .data = got };
	auto_http_reply reply;
	g_assert_false(http_client_call(client, &call, &reply, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	g_assert_true(g_str_has_prefix(got->str, "onestop"));
	far_free(far);
}

static void *call_often(void *data)
{
	for (int i = 0; i < 20; i++) {
		struct http_call call = { .path = "/", .deadline_us = in_ms(20000), .cancel_fd = -1 };
		auto_http_reply reply;
		g_autoptr(GError) error = NULL;
		bool good = http_client_call(data, &call, &reply, &error);
		g_assert_no_error(error);
		g_assert_true(good && strcmp(reply.bytes, "hello") == 0);
	}
	return NULL;
}

static void test_threads(void)
{
	/* The far side serves one connection after the other: each answer ends its own. */
	struct far_side *far = far_new(GOOD, ANSWER_AND_CLOSE);
	auto_ptr(http_client) client = http_client_new(far->endpoint, NULL);
	pthread_t threads[4];
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		pthread_create(&threads[i], NULL, call_often, client);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		pthread_join(threads[i], NULL);
	g_assert_cmpint(g_atomic_int_get(&far->requests), ==, 80);
	far_free(far);
}

static void test_status(void)
{
	static const struct {
		unsigned status;
		int code;
	} cases[] = {
		{ 302, PLEACH_ERROR_INVALID }, { 400, PLEACH_ERROR_INVALID }, { 401, PLEACH_ERROR_AUTH },
		{ 403, PLEACH_ERROR_AUTH },    { 404, PLEACH_ERROR_NOT_FOUND }, { 409, PLEACH_ERROR_CONFLICT },
		{ 429, PLEACH_ERROR_RETRY },   { 500, PLEACH_ERROR_RETRY },     { 501, PLEACH_ERROR_UNSUPPORTED },
	};
	struct http_call call = { .path = "/x" };
	char words[] = "no such thing\n";
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct http_reply reply = { .status = cases[i].status, .bytes = words, .length = strlen(words) };
		g_autoptr(GError) error = NULL;
		g_assert_false(http_reply_is_good(&reply, &call, &error));
		g_assert_error(error, PLEACH_ERROR, cases[i].code);
		if (cases[i].status == 404)
			g_assert_cmpstr(error->message, ==, "GET /x: 404 Not Found: no such thing");
	}
	g_autofree char *encoded = http_encode("vnfc/edge.web%2E \xc3\xa9-_~");
	g_assert_cmpstr(encoded, ==, "vnfc%2Fedge.web%252E%20%C3%A9-_~");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/http/client/good", test_good);
	g_test_add_func("/http/client/bad", test_bad);
	g_test_add_func("/http/client/nobody", test_nobody);
	g_test_add_func("/http/client/cancel", test_cancel);
	g_test_add_func("/http/client/take", test_take);
	g_test_add_func("/http/client/threads", test_threads);
	g_test_add_func("/http/client/status", test_status);
	return g_test_run();
}
