#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "http/server/server.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A server with its loop on this thread; clients are raw sockets, driven in turn. */
struct world {
	char *folder, *path;
	struct http_server *server;
	struct http_request *kept;
	struct http_stream *stream;
	unsigned handled;
	char *last; /* what the handler saw */
};

static void handler(struct http_request *request, void *data)
{
	struct world *world = data;
	world->handled++;
	g_free(world->last);
	const char *q = http_request_param(request, "q");
	world->last = g_strdup_printf("%s %s q=%s body=%zu:%.20s uid=%d", request->method, request->path, q ? q : "-",
				      request->body_length,
				      request->body, request->peer.known ? (int) request->peer.uid : -1);
	if (strcmp(request->path, "/later") == 0) {
		world->kept = request;
	} else if (strcmp(request->path, "/stream") == 0) {
		world->stream = http_respond_stream(request, 200, "text/plain");
	} else {
		http_answer_header(request, "X-Test", "yes");
		http_respond_text(request, 200, "hello\n");
	}
}

static struct world *world_new(struct http_server_options options)
{
	struct world *world = g_new0(struct world, 1);
	world->folder = g_dir_make_tmp("http-XXXXXX", NULL);
	world->path = g_build_filename(world->folder, "s", NULL);
	g_autofree char *where = g_strconcat("unix:", world->path, NULL);
	g_autoptr(GError) error = NULL;
	options.listen_fd = http_listen(where, 0600, &error);
	g_assert_no_error(error);
	struct stat stat;
	g_assert_cmpint(lstat(world->path, &stat), ==, 0);
	g_assert_cmpuint(stat.st_mode & 0777, ==, 0600);
	options.handler = handler;
	options.data = world;
	world->server = http_server_new(&options, &error);
	g_assert_no_error(error);
	return world;
}

static void world_free(struct world *world)
{
	http_server_free(world->server);
	g_assert_true(file_remove_tree(world->folder, NULL));
	g_free(world->folder);
	g_free(world->path);
	g_free(world->last);
	g_free(world);
}

static int dial(const struct world *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, world->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	return fd;
}

/* One turn of the server's loop, as the header says: it runs only when the descriptor is readable or the time is over. */
static void turn(struct world *world, int max_ms)
{
	int timeout_ms = http_server_timeout_ms(world->server);
	struct pollfd wait = { .fd = http_server_fd(world->server), .events = POLLIN };
	int ready = poll(&wait, 1, timeout_ms < 0 ? max_ms : MIN(timeout_ms, max_ms));
	if (ready > 0 || (timeout_ms >= 0 && timeout_ms <= max_ms))
		http_server_run(world->server);
}

/* What the client reads until the connection ends, @until was read, or @max_ms passed; *@ret_closed: it ended. */
static char *receive(struct world *world, int fd, const char *until, int max_ms, bool *ret_closed)
{
	GString *got = g_string_new(NULL);
	gint64 end_us = clock_monotonic_us() + max_ms * 1000;
	*ret_closed = false;
	while (clock_monotonic_us() < end_us && !(until && strstr(got->str, until))) {
		turn(world, 10);
		char piece[4096];
		ssize_t length = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
		if (length > 0) {
			g_string_append_len(got, piece, length);
		} else if (length == 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
			*ret_closed = true;
			break;
		}
	}
	return g_string_free(got, FALSE);
}

static char *ask(struct world *world, int fd, const char *request, const char *until)
{
	bool closed;
	size_t left = strlen(request);
	while (left > 0) {
		ssize_t sent = send(fd, request, left, MSG_NOSIGNAL);
		if (sent < 0 && errno != EAGAIN)
			break;
		if (sent > 0) {
			request += sent;
			left -= (size_t) sent;
		}
		turn(world, 0);
	}
	return receive(world, fd, until, 5000, &closed);
}

/* One request on a connection of its own has to be answered with @status. */
static void expect(struct world *world, const char *request, const char *status)
{
	int fd = dial(world);
	g_autofree char *got = ask(world, fd, request, "\r\n\r\n");
	if (!g_str_has_prefix(got, status))
		g_error("\"%.60s…\" was answered with \"%.60s…\" instead of \"%s\"", request, got, status);
	close(fd);
	turn(world, 0);
}

static void test_requests(void)
{
	struct world *world = world_new((struct http_server_options) { 0 });
	int fd = dial(world);
	g_autofree char *got = ask(world, fd, "GET /a%2Fb/%C3%A9?q=x%20y+z&r HTTP/1.1\r\nHost: x\r\n\r\n", "hello\n");
	g_assert_true(g_str_has_prefix(got, "HTTP/1.1 200 "));
	g_assert_nonnull(strstr(got, "X-Test: yes\r\n"));
	g_assert_nonnull(strstr(got, "nosniff"));
	g_autofree char *seen = g_strdup_printf("GET /a/b/\xc3\xa9 q=x y z body=0: uid=%d", (int) geteuid());
	g_assert_cmpstr(world->last, ==, seen);
	/* The same connection again, with a body in pieces. */
	static const char chunked[] = "PUT /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
				      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	g_autofree char *second = ask(world, fd, chunked, "hello\n");
	g_assert_nonnull(strstr(world->last, "body=5:abcde"));
	close(fd);
	for (int i = 0; i < 100 && http_server_connections(world->server); i++)
		turn(world, 10);
	g_assert_cmpuint(http_server_connections(world->server), ==, 0);
	world_free(world);
}

static void test_prefers(void)
{
	static const struct {
		const char *accept;
		bool json;
	} cases[] = {
		{ "", false }, { "*/*", false }, { "application/json", true }, { "text/plain, application/json", false },
		{ "text/plain;q=0.5, application/JSON", true }, { "application/json;q=0.2, text/plain;q=0.9", false },
		{ "application/json;q=nan", false }, { ";;,,", false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct http_request request = { .accept = cases[i].accept };
		g_assert_cmpint(http_request_prefers(&request, "application/json", "text/plain"), ==, cases[i].json);
	}
}

static void test_refused(void)
{
	struct world *world = world_new((struct http_server_options) { .body_max_bytes = 1000, .receive_timeout_ms = 500 });
	g_autofree char *long_path = g_strnfill(HTTP_PATH_MAX_BYTES + 1, 'a');
	g_autofree char *too_long = g_strdup_printf("GET /%s HTTP/1.1\r\nHost: x\r\n\r\n", long_path);
	g_autoptr(GString) many = g_string_new("GET /?a=1");
	for (int i = 0; i < HTTP_PARAMS_MAX; i++)
		g_string_append(many, "&a=1");
	g_string_append(many, " HTTP/1.1\r\nHost: x\r\n\r\n");
	int fd = dial(world);
	g_autofree char *to_nonsense = ask(world, fd, "nonsense\r\n\r\n", NULL); /* until the server closes */
	g_assert_false(g_str_has_prefix(to_nonsense, "HTTP/1.1 200"));
	close(fd);
	expect(world, "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400");
	expect(world, "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400");
	expect(world, "GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400");
	expect(world, "GET /?q=%c3 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 400");
	expect(world, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"); /* no Host */
	expect(world, too_long, "HTTP/1.1 414");
	expect(world, many->str, "HTTP/1.1 414");
	expect(world, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413");
	expect(world, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 400");
	expect(world, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999999\r\n\r\n", "HTTP/1.1 4");
	g_autofree char *headers = g_strnfill(HTTP_HEADER_MAX_BYTES + 10, 'h');
	g_autofree char *too_many = g_strdup_printf("GET / HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", headers);
	expect(world, too_many, "HTTP/1.1 4");
	g_assert_cmpuint(world->handled, ==, 0);
	expect(world, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200");
	g_assert_cmpuint(world->handled, ==, 1);
	world_free(world);
}

static void test_endless_body(void)
{
	struct world *world = world_new((struct http_server_options) { .body_max_bytes = 1000 });
	/* A little too much is read and answered; */
	g_autofree char *little = g_strnfill(2000, 'x');
	g_autofree char *request = g_strdup_printf("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
						   "7d0\r\n%s\r\n0\r\n\r\n", little);
	expect(world, request, "HTTP/1.1 413");
	/* without an end, the connection is cut. */
	int fd = dial(world);
	static const char begin[] = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
	send(fd, begin, strlen(begin), 0);
	g_autofree char *piece = g_strdup_printf("7d0\r\n%s\r\n", little);
	size_t sent = 0;
	bool cut = false;
	for (gint64 end_us = clock_monotonic_us() + 10 * G_USEC_PER_SEC; !cut && clock_monotonic_us() < end_us;) {
		ssize_t got = send(fd, piece, strlen(piece), MSG_NOSIGNAL);
		cut = got < 0 && (errno == EPIPE || errno == ECONNRESET);
		sent += got > 0 ? (size_t) got : 0;
		turn(world, 0);
	}
	g_assert_true(cut);
	g_assert_cmpuint(sent, <, 4 * 1024 * 1024);
	g_assert_cmpuint(world->handled, ==, 0);
	close(fd);
	world_free(world);
}

static void test_slow(void)
{
	struct world *world = world_new((struct http_server_options) { .receive_timeout_ms = 300 });
	int fd = dial(world);
	gint64 begin_us = clock_monotonic_us();
	bool closed = false;
	/* One byte every 20 ms keeps no connection alive. */
	while (!closed && clock_monotonic_us() < begin_us + 5 * G_USEC_PER_SEC) {
		send(fd, "G", 1, MSG_NOSIGNAL);
		g_autofree char *got = receive(world, fd, NULL, 20, &closed);
	}
	g_assert_true(closed);
	g_assert_cmpint(clock_monotonic_us() - begin_us, >=, 290 * 1000);
	close(fd);
	world_free(world);
}

static void test_many(void)
{
	struct world *world = world_new((struct http_server_options) { .connections_max = 8 });
	int idle[30];
	for (size_t i = 0; i < G_N_ELEMENTS(idle); i++) {
		idle[i] = dial(world);
		turn(world, 0);
	}
	/* All places are taken by clients who say nothing: they make room. */
	gint64 begin_us = clock_monotonic_us();
	int fd = dial(world);
	g_autofree char *got = ask(world, fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "hello\n");
	g_assert_true(g_str_has_prefix(got, "HTTP/1.1 200"));
	g_assert_cmpint(clock_monotonic_us() - begin_us, <, 5 * G_USEC_PER_SEC);
	g_assert_cmpuint(http_server_connections(world->server), <=, 8);
	close(fd);
	for (size_t i = 0; i < G_N_ELEMENTS(idle); i++)
		close(idle[i]);
	world_free(world);
}

static void test_later(void)
{
	static const char later[] = "GET /later HTTP/1.1\r\nHost: x\r\n\r\n";
	struct world *world = world_new((struct http_server_options) { .receive_timeout_ms = 100 });
	int fd = dial(world);
	bool closed;
	send(fd, later, strlen(later), 0);
	g_autofree char *nothing = receive(world, fd, NULL, 250, &closed); /* longer than a request may take to come in */
	g_assert_false(closed);
	g_assert_cmpstr(nothing, ==, "");
	g_assert_nonnull(world->kept);
	http_respond(g_steal_pointer(&world->kept), 202, "text/x", "late", 4);
	g_autofree char *got = receive(world, fd, "late", 5000, &closed);
	g_assert_true(g_str_has_prefix(got, "HTTP/1.1 202"));
	/* One that is never answered gets 503 at the end; one whose client left does no harm. */
	send(fd, later, strlen(later), 0);
	int gone = dial(world);
	send(gone, later, strlen(later), 0);
	for (int i = 0; i < 20; i++)
		turn(world, 5);
	close(gone);
	for (int i = 0; i < 5; i++)
		turn(world, 5);
	g_assert_cmpuint(world->handled, ==, 3);
	http_respond_text(g_steal_pointer(&world->kept), 200, "to nobody, or to the other one\n");
	world_free(world);
	close(fd);
}

/* Answered in the same turn of the loop in which the handler was called, on a connection that ends with it. */
static void test_soon(void)
{
	struct world *world = world_new((struct http_server_options) { 0 });
	int fd = dial(world);
	bool closed;
	static const char soon[] = "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
	send(fd, soon, strlen(soon), 0);
	while (!world->kept)
		turn(world, 10);
	http_respond_text(g_steal_pointer(&world->kept), 504, "soon\n");
	g_autofree char *got = receive(world, fd, NULL, 2000, &closed);
	g_assert_true(g_str_has_prefix(got, "HTTP/1.1 504"));
	g_assert_true(closed);
	close(fd);
	world_free(world);
}

static void test_stream(void)
{
	struct world *world = world_new((struct http_server_options) { 0 });
	int fd = dial(world);
	g_autofree char *head = ask(world, fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
	g_assert_nonnull(strstr(head, "chunked"));
	bool closed;
	g_assert_true(http_stream_write(world->stream, "one\n", 4));
	g_autofree char *one = receive(world, fd, "one\n", 5000, &closed);
	g_assert_nonnull(strstr(one, "one\n"));
	g_assert_true(http_stream_write(world->stream, "two\n", 4));
	g_autofree char *two = receive(world, fd, "two\n", 5000, &closed);
	g_assert_nonnull(strstr(two, "two\n"));
	g_assert_true(http_stream_is_open(world->stream));
	http_stream_end(world->stream);
	g_autofree char *end = receive(world, fd, "0\r\n\r\n", 5000, &closed);
	g_assert_true(g_str_has_suffix(end, "0\r\n\r\n"));
	/* A reader that takes nothing is bounded; one that leaves is noticed. */
	g_autofree char *again = ask(world, fd, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
	g_autofree char *piece = g_strnfill(64 * 1024, 'x');
	int written = 0;
	while (written < 1000 && http_stream_write(world->stream, piece, 64 * 1024))
		written++;
	g_assert_cmpint(written, ==, HTTP_STREAM_MAX_BYTES / (64 * 1024));
	close(fd);
	g_assert_false(http_stream_is_open(world->stream));
	for (int i = 0; i < 10; i++)
		turn(world, 5);
	g_assert_false(http_stream_write(world->stream, "x", 1));
	http_stream_end(world->stream);
	/* And one that is open when the server ends. */
	int other = dial(world);
	g_autofree char *third = ask(world, other, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\n");
	g_assert_true(http_stream_write(world->stream, "x", 1));
	world_free(world);
	close(other);
}

static void test_listen(void)
{
	g_autofree char *folder = g_dir_make_tmp("http-XXXXXX", NULL);
	g_autofree char *where = g_strdup_printf("unix:%s/s", folder), *endless = g_strdup_printf("unix:/%0200d", 1);
	g_autoptr(GError) error = NULL;
	int fd = http_listen(where, 0600, &error);
	g_assert_no_error(error);
	g_assert_cmpint(http_listen(where, 0600, &error), ==, -1);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_clear_error(&error);
	close(fd); /* dead now: its place can be taken */
	fd = http_listen(where, 0600, &error);
	g_assert_no_error(error);
	close(fd);
	g_autofree char *file = g_build_filename(folder, "file", NULL), *at_file = g_strconcat("unix:", file, NULL);
	g_assert_true(g_file_set_contents(file, "x", 1, NULL));
	g_assert_cmpint(http_listen(at_file, 0600, &error), ==, -1);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_clear_error(&error);
	const char *const wrong[] = { endless, "unix:", "nonsense", "127.0.0.1:", ":80", "127.0.0.1:http9" };
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_assert_cmpint(http_listen(wrong[i], 0600, &error), ==, -1);
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		g_clear_error(&error);
	}
	fd = http_listen("127.0.0.1:0", 0, &error);
	g_assert_no_error(error);
	close(fd);
	g_assert_true(file_remove_tree(folder, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/http/server/requests", test_requests);
	g_test_add_func("/http/server/prefers", test_prefers);
	g_test_add_func("/http/server/refused", test_refused);
	g_test_add_func("/http/server/endless-body", test_endless_body);
	g_test_add_func("/http/server/slow", test_slow);
	g_test_add_func("/http/server/many", test_many);
	g_test_add_func("/http/server/later", test_later);
	g_test_add_func("/http/server/soon", test_soon);
	g_test_add_func("/http/server/stream", test_stream);
	g_test_add_func("/http/server/listen", test_listen);
	return g_test_run();
}
