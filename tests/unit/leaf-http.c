/* pleach-leaf as a process: what it makes of requests that no client of ours sends. After each it serves on. */
#include "leaf_process.h"
#include "leafproto/leafproto.h"

#include <poll.h>
#include <sys/stat.h>

struct fixture {
	struct leaf_process leaf;
	bool missing;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->missing = leaf_process_missing();
	if (!fixture->missing)
		leaf_process_start(&fixture->leaf);
}

static void still_serves(struct fixture *fixture)
{
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "GET", "/v1/status", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
	auto_ptr(arena) arena = arena_new();
	const struct leaf_status *status = leaf_status_decode(arena, text, strlen(text), NULL);
	g_assert_nonnull(status);
	g_assert_null(status->nf);
	g_assert_cmpint(status->pid, ==, fixture->leaf.pid);
	g_assert_cmpstr(status->version, ==, PLEACH_VERSION);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	still_serves(fixture);
	g_assert_cmpint(leaf_process_end(&fixture->leaf), ==, 0);
}

static void refused(struct fixture *fixture, const char *method, const char *path, const char *body, unsigned expected,
		    const char *words)
{
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&fixture->leaf, method, path, body, &http);
	g_autoptr(GError) error = NULL;
	g_assert_cmpuint(http, ==, expected);
	leaf_refusal_decode(http, text, strlen(text), &error);
	if (!strstr(error->message, words))
		g_error("%s %s: \"%s\" does not say \"%s\"", method, path, error->message, words);
}

static void test_refusals(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	refused(fixture, "GET", "/", NULL, 404, "nothing at this path");
	refused(fixture, "GET", "/v1/status/", NULL, 404, "nothing at this path");
	refused(fixture, "POST", "/v1/nf", "{}", 405, "not for this path");
	refused(fixture, "DELETE", "/v1/status", NULL, 405, "not for this path");
	refused(fixture, "PUT", "/v1/nf", NULL, 400, "not valid JSON");
	refused(fixture, "PUT", "/v1/nf", "{\"version\":1}", 400, "missing");
	refused(fixture, "GET", "/v1/nf/log?lines=0", NULL, 400, "not a number");
	refused(fixture, "GET", "/v1/nf/log?lines=-1", NULL, 400, "not a number");
	refused(fixture, "GET", "/v1/nf/log?lines=99999999", NULL, 400, "not a number");
	refused(fixture, "GET", "/v1/nf/log?lines=ten", NULL, 400, "not a number");
	refused(fixture, "GET", "/v1/status?wait_ms=99999999", NULL, 400, "not a number");
	refused(fixture, "GET", "/v1/status?wait_ms=10&after=-1", NULL, 400, "not a number");
	refused(fixture, "POST", "/v1/nf/cancel", NULL, 400, "which change");
	refused(fixture, "POST", "/v1/nf/cancel?id=x", NULL, 400, "not a number");
	refused(fixture, "POST", "/v1/upgrade", "hello", 400, "no program");
	refused(fixture, "POST", "/v1/packages/abc", NULL, 400, "named by its digest");
	refused(fixture, "PUT", "/v1/packages/abc", "x", 404, "nothing at this path");
}

static void test_garbage(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	g_autoptr(GRand) random = g_rand_new_with_seed(7);
	for (int i = 0; i < 100; i++) {
		char bytes[512];
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char) g_rand_int(random);
		int fd = leaf_process_connect(fixture->leaf.socket);
		g_assert_cmpint(send(fd, bytes, (size_t) g_rand_int_range(random, 0, sizeof(bytes)), MSG_NOSIGNAL), >=, 0);
		close(fd);
	}
	still_serves(fixture);
}

static void test_body_larger_than_allowed(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	g_autofree char *head = g_strdup_printf("PUT /v1/nf HTTP/1.1\r\n"
						"Host: leaf\r\n"
						"Connection: close\r\n"
						"Content-Length: %d\r\n\r\n", LEAF_REQUEST_MAX_BYTES + 1);
	g_autoptr(GString) reply = leaf_process_raw(&fixture->leaf, head, strlen(head));
	g_assert_true(g_str_has_prefix(reply->str, "HTTP/1.1 413"));
	/* without saying how much it will be: read on for a while, so that the answer may be taken, then cut */
	g_autoptr(GString) endless = g_string_new("PUT /v1/nf HTTP/1.1\r\nHost: leaf\r\nTransfer-Encoding: chunked\r\n\r\n");
	g_autofree char *piece = g_strnfill(0x10000, ' ');
	for (int i = 0; i < LEAF_REQUEST_MAX_BYTES / 0x10000 + 64; i++)
		g_string_append_printf(endless, "10000\r\n%s\r\n", piece);
	g_autoptr(GString) other = leaf_process_raw(&fixture->leaf, endless->str, endless->len);
	g_assert_false(g_str_has_prefix(other->str, "HTTP/1.1 2"));
}

/* Requests begun and never ended take no more than their share; others are served beside them. */
static void test_dropped_and_slow(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *begun = "PUT /v1/nf HTTP/1.1\r\nHost: leaf\r\nContent-Length: 1000\r\n\r\n{\"version\":";
	int fds[8];
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = leaf_process_connect(fixture->leaf.socket);
		g_assert_cmpint(send(fds[i], begun, strlen(begun), MSG_NOSIGNAL), ==, (ssize_t) strlen(begun));
	}
	still_serves(fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	still_serves(fixture);
}

static void test_socket_is_private(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct stat st;
	g_assert_cmpint(stat(fixture->leaf.socket, &st), ==, 0);
	g_assert_true(S_ISSOCK(st.st_mode));
	g_assert_cmpuint(st.st_mode & 0777, ==, 0600);
}

static void test_usage(void)
{
	static const struct {
		const char *arguments;
		int status;
	} cases[] = {
		{ "", 64 },
		{ "--listen", 64 },
		{ "--listen tcp:80", 64 },
		{ "--listen-fd 77", 64 },
		{ "--listen-fd three", 64 },
		{ "--listen-fd 4", 64 },
		{ "--listen unix:/nonexistent/folder/leaf.sock", 1 },
		{ "--help", 0 },
		{ "--version", 0 },
	};
	if (leaf_process_missing())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *line = g_strdup_printf(BINARY_DIR "/bin/pleach-leaf %s", cases[i].arguments);
		g_autofree char *out = NULL, *err = NULL;
		int status = -1;
		g_assert_true(g_spawn_command_line_sync(line, &out, &err, &status, NULL));
		g_assert_true(WIFEXITED(status));
		g_assert_cmpint(WEXITSTATUS(status), ==, cases[i].status);
		g_assert_true((cases[i].status == 0 ? out : err)[0] != '\0');
	}
}

/* As its VIM starts it: a listening socket as descriptor 3, a byte on descriptor 4 once it serves, and another when there is news of its
 * network function. */
static void test_inherited_descriptors(void)
{
	if (leaf_process_missing())
		return;
	g_autofree char *folder = g_dir_make_tmp("pleach-leaf-XXXXXX", NULL);
	struct leaf_process leaf = { .folder = g_strdup(folder), .socket = g_build_filename(folder, "1.sock", NULL) };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, leaf.socket, sizeof(address.sun_path));
	int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ready[2];
	g_assert_cmpint(bind(listening, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(listening, 8), ==, 0);
	g_assert_cmpint(pipe(ready), ==, 0);
	leaf.pid = fork();
	if (leaf.pid == 0) {
		int high = dup2(listening, 100), high_ready = dup2(ready[1], 101);
		dup2(high, 3);
		dup2(high_ready, 4);
		for (int fd = 5; fd < 102; fd++)
			close(fd);
		execl(BINARY_DIR "/bin/pleach-leaf", "pleach-leaf", "--listen-fd", "3", "--folder", folder, NULL);
		_exit(127);
	}
	close(listening);
	close(ready[1]);
	char bytes[8];
	g_assert_cmpint(read(ready[0], bytes, sizeof(bytes)), ==, 1);
	g_assert_cmpint(bytes[0], ==, 'R');
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&leaf, "GET", "/v1/status", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
	struct pollfd bell = { .fd = ready[0], .events = POLLIN };
	g_assert_cmpint(poll(&bell, 1, 0), ==, 0); /* nothing has happened */
	const char *nf = "{\"version\":1,\"key\":\"nf/a.0\",\"incarnation\":1,\"state\":\"started\",\"stateful\":false,"
			 "\"command\":[\"sleep\",\"100\"],\"files\":[]}";
	g_autofree char *taken = leaf_process_ask(&leaf, "PUT", "/v1/nf", nf, &http);
	g_assert_cmpuint(http, ==, 200);
	g_assert_cmpint(read(ready[0], bytes, sizeof(bytes)), >=, 1);
	g_assert_cmpint(bytes[0], ==, '!');
	/* nobody listens any more: that is no reason to end */
	close(ready[0]);
	g_autofree char *gone = leaf_process_ask(&leaf, "DELETE", "/v1/nf", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
	g_assert_cmpint(leaf_process_end(&leaf), ==, 0);
}

#define ADD(name, function) g_test_add("/leaf/http/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("refusals", test_refusals);
	ADD("garbage", test_garbage);
	ADD("body-larger-than-allowed", test_body_larger_than_allowed);
	ADD("dropped-and-slow", test_dropped_and_slow);
	ADD("socket-is-private", test_socket_is_private);
	g_test_add_func("/leaf/http/usage", test_usage);
	g_test_add_func("/leaf/http/inherited-descriptors", test_inherited_descriptors);
	return g_test_run();
}
