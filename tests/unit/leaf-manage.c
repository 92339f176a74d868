/* pleach-leaf as a process: packages, operations, health, who waits, and going on as another program, seen through its HTTP interface. */
#include "base/file.h"
#include "leaf/packages.h"
#include "leaf/supervisor.h"
#include "leaf_process.h"
#include "leafproto/leafproto.h"

#include <netinet/in.h>
#include <sys/stat.h>

struct fixture {
	struct leaf_process leaf;
	struct arena *arena;
	bool missing;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->arena = arena_new();
	fixture->missing = leaf_process_missing();
	if (!fixture->missing)
		leaf_process_start(&fixture->leaf);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	if (!fixture->missing)
		g_assert_cmpint(leaf_process_end(&fixture->leaf), ==, 0);
	arena_unref(fixture->arena);
}

/* --- words ----------------------------------------------------------------------------------------------------------------- */

static unsigned send_bytes(struct fixture *fixture, const char *method, const char *path, const char *bytes, size_t length, char **ret_body)
{
	g_autoptr(GString) request = g_string_new(NULL);
	g_string_printf(request, "%s %s HTTP/1.1\r\nHost: leaf\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", method, path, length);
	g_string_append_len(request, bytes, (gssize) length);
	g_autoptr(GString) reply = leaf_process_raw(&fixture->leaf, request->str, request->len);
	const char *end = strstr(reply->str, "\r\n\r\n");
	g_assert_true(g_str_has_prefix(reply->str, "HTTP/1.1 ") && end);
	if (ret_body)
		*ret_body = arena_strdup(fixture->arena, end + 4);
	return (unsigned) g_ascii_strtoull(reply->str + strlen("HTTP/1.1 "), NULL, 10);
}

static const struct leaf_status *status_at(struct fixture *fixture, const char *path)
{
	g_autoptr(GError) error = NULL;
	unsigned http = 503;
	g_autofree char *text = NULL;
	/* 503: it is just becoming another program */
	for (int i = 0; i < 100 && http == 503; i++) {
		g_free(text);
		text = leaf_process_ask(&fixture->leaf, "GET", path, NULL, &http);
	}
	g_assert_cmpuint(http, ==, 200);
	const struct leaf_status *status = leaf_status_decode(fixture->arena, text, strlen(text), &error);
	g_assert_no_error(error);
	return status;
}

static const struct leaf_status *look(struct fixture *fixture)
{
	return status_at(fixture, "/v1/status");
}

/* As the driver does it. */
static const struct leaf_status *follow(struct fixture *fixture, gint64 id)
{
	const struct leaf_status *status = look(fixture);
	for (int i = 0; i < 100 && status->result.id < id; i++)
		status = status_at(fixture, arena_printf(fixture->arena, "/v1/status?wait_ms=2000&after=%" G_GINT64_FORMAT, status->seq));
	g_assert_cmpint(status->result.id, ==, id);
	return status;
}

static unsigned put_raw(struct fixture *fixture, const struct leaf_nf *nf, char **ret_body)
{
	size_t length = 0;
	g_autoptr(GError) error = NULL;
	g_autofree char *body = leaf_nf_encode(nf, LEAF_PROTOCOL_VERSION, &length, &error);
	g_assert_no_error(error);
	return send_bytes(fixture, "PUT", "/v1/nf", body, length, ret_body);
}

static gint64 begin(struct fixture *fixture, const struct leaf_nf *nf)
{
	char *text = NULL;
	unsigned http = put_raw(fixture, nf, &text);
	if (http != 200)
		g_error("%u: %s", http, text);
	const struct leaf_status *status = leaf_status_decode(fixture->arena, text, strlen(text), NULL);
	return MAX(status->change.id, status->result.id);
}

static const struct leaf_status *put(struct fixture *fixture, const struct leaf_nf *nf)
{
	return follow(fixture, begin(fixture, nf));
}

struct script {
	const char *path, *text;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct script *) a)->path, ((const struct script *) b)->path);
}

static const char *digest_of(struct fixture *fixture, struct script *scripts, size_t n)
{
	g_autoptr(GString) manifest = g_string_new(NULL);
	qsort(scripts, n, sizeof(*scripts), by_path);
	for (size_t i = 0; i < n; i++) {
		g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, scripts[i].text, -1);
		g_string_append_printf(manifest, "0755 %s %s\n", digest, scripts[i].path);
	}
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, manifest->str, -1);
	return arena_strdup(fixture->arena, digest);
}

static unsigned send_script(struct fixture *fixture, const char *digest, const struct script *script)
{
	const char *path = arena_printf(fixture->arena, "/v1/packages/%s/file?path=%s&mode=0755", digest, script->path);
	return send_bytes(fixture, "PUT", path, script->text, strlen(script->text), NULL);
}

static unsigned commit(struct fixture *fixture, const char *digest, char **ret_body)
{
	return send_bytes(fixture, "POST", arena_printf(fixture->arena, "/v1/packages/%s", digest), "", 0, ret_body);
}

static const char *push(struct fixture *fixture, struct script *scripts, size_t n)
{
	const char *digest = digest_of(fixture, scripts, n);
	for (size_t i = 0; i < n; i++)
		g_assert_cmpuint(send_script(fixture, digest, &scripts[i]), ==, 200);
	g_assert_cmpuint(commit(fixture, digest, NULL), ==, 200);
	return digest;
}

static const char *const sleeper[] = { "sleep", "1000", NULL };

static struct leaf_nf wanted(const char *const *command)
{
	return (struct leaf_nf) { .key = "nf/a.fw.vdu.0", .incarnation = 1, .state = LEAF_STARTED, .command = command,
				  .n_command = command ? g_strv_length((char **) (guintptr) command) : 0 };
}

static char *log_of(struct fixture *fixture)
{
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "GET", "/v1/nf/log?lines=1000", NULL, &http);
	return arena_strdup(fixture->arena, text);
}

/* --- packages -------------------------------------------------------------------------------------------------------------- */

static void test_packages(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct script scripts[] = { { "a.sh", "#!/bin/sh\nexit 0\n" }, { "deep/b.sh", "#!/bin/sh\nexit 0\n" } };
	const char *digest = digest_of(fixture, scripts, 2);
	char *text = NULL;
	g_assert_cmpuint(commit(fixture, digest, NULL), ==, 404);
	/* half of it is not it */
	g_assert_cmpuint(send_script(fixture, digest, &scripts[0]), ==, 200);
	g_assert_cmpuint(look(fixture)->n_packages, ==, 0);
	g_assert_cmpuint(commit(fixture, digest, &text), ==, 400);
	g_assert_nonnull(strstr(text, "what came as package"));
	g_assert_cmpuint(look(fixture)->n_packages, ==, 0);
	push(fixture, scripts, 2);
	g_assert_cmpuint(commit(fixture, digest, NULL), ==, 200);
	g_assert_cmpuint(look(fixture)->n_packages, ==, 1);
	g_assert_cmpstr(look(fixture)->packages[0], ==, digest);
	/* what must not be written */
	static const char *const paths[] = { "../x", "a/../../x", "/etc/x", "a//b", ".", "", "a%2f..%2f..%2fx", "a%0ab" };
	for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
		struct script bad = { paths[i], "x" };
		g_assert_cmpuint(send_script(fixture, digest_of(fixture, scripts, 1), &bad), ==, 400);
	}
	g_assert_cmpuint(send_bytes(fixture, "PUT", "/v1/packages/abc/file?path=x&mode=0755", "x", 1, NULL), ==, 400);
	g_assert_cmpuint(send_bytes(fixture, "PUT", "/v1/packages/../../file?path=x&mode=0755", "x", 1, NULL), ==, 404);
	g_assert_cmpuint(send_bytes(fixture, "PUT", arena_printf(fixture->arena, "/v1/packages/%s/file?path=x&mode=4755", digest), "x", 1, NULL),
			 ==, 400);
	/* an NF whose package is not here begins nothing */
	struct leaf_nf nf = wanted(sleeper);
	nf.package = digest_of(fixture, scripts, 1);
	g_assert_cmpuint(put_raw(fixture, &nf, &text), ==, 503);
	g_assert_nonnull(strstr(text, "is not here"));
	g_assert_null(look(fixture)->nf);
}

/* The one in force and the one before it are kept; no others. */
static void test_packages_kept(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *digests[3];
	struct leaf_nf nf = wanted(NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(digests); i++) {
		struct script script = { "start.sh", arena_printf(fixture->arena, "#!/bin/sh\n# %zu\n", i) };
		digests[i] = nf.package = push(fixture, &script, 1);
		nf.operations[LEAF_START] = (struct leaf_operation) { "start.sh", 1000, NULL, 0 };
		g_assert_cmpint(put(fixture, &nf)->result.outcome, ==, LEAF_DONE);
	}
	const struct leaf_status *status = look(fixture);
	g_assert_cmpuint(status->n_packages, ==, 2);
	for (size_t i = 0; i < 2; i++)
		g_assert_cmpstr(status->packages[i], !=, digests[0]);
	g_autofree char *gone = g_build_filename(fixture->leaf.folder, "own", "packages", digests[0], NULL);
	g_assert_false(g_file_test(gone, G_FILE_TEST_EXISTS));
}

/* An upload that is cut off and begun anew is counted once. */
static void test_uploads_begun_anew(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *folder = g_dir_make_tmp("pleach-packages-XXXXXX", NULL), *bytes = g_malloc0(LEAF_PACKAGE_FILE_MAX_BYTES);
	g_autofree char *digest = g_strnfill(LEAF_DIGEST_BYTES, '0');
	g_autoptr(GError) error = NULL;
	auto_ptr(packages) packages = packages_new(folder);
	for (int i = 0; i < 2 * LEAF_PACKAGE_MAX_BYTES / LEAF_PACKAGE_FILE_MAX_BYTES; i++) {
		packages_put(packages, digest, "large", false, bytes, LEAF_PACKAGE_FILE_MAX_BYTES, &error);
		g_assert_no_error(error);
	}
	for (int i = 1; i < LEAF_PACKAGE_MAX_BYTES / LEAF_PACKAGE_FILE_MAX_BYTES; i++) {
		g_autofree char *path = g_strdup_printf("large-%d", i);
		packages_put(packages, digest, path, false, bytes, LEAF_PACKAGE_FILE_MAX_BYTES, &error);
		g_assert_no_error(error);
	}
	g_assert_false(packages_put(packages, digest, "small", false, bytes, 1, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	file_remove_tree(folder, NULL);
}

/* --- operations ------------------------------------------------------------------------------------------------------------ */

static struct leaf_nf with_operation(struct fixture *fixture, enum leaf_verb verb, const char *text, unsigned timeout_ms)
{
	struct script script = { "run.sh", text };
	struct leaf_nf nf = wanted(NULL);
	nf.package = push(fixture, &script, 1);
	nf.operations[verb] = (struct leaf_operation) { "run.sh", timeout_ms, NULL, 0 };
	return nf;
}

/* Its time is over: it goes, and so does what made a session of its own and lost its parent. */
static void test_no_stragglers(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct leaf_nf nf = with_operation(fixture, LEAF_CREATE, "#!/bin/sh\nsetsid sh -c 'setsid sh -c \"echo pid \\$\\$; sleep 1000\" & exit' &\n"
								 "sleep 1000\n", 700);
	const struct leaf_status *status = put(fixture, &nf);
	g_assert_cmpint(status->result.outcome, ==, LEAF_BROKEN);
	g_assert_cmpstr(status->result.step, ==, "create");
	g_assert_nonnull(strstr(status->result.words, "did not end within 700 ms"));
	g_assert_cmpint(status->nf->state, ==, LEAF_FAILED);
	const char *said = strstr(log_of(fixture), "pid ");
	g_assert_nonnull(said);
	pid_t pid = (pid_t) atoi(said + strlen("pid "));
	g_assert_cmpint(pid, >, 1);
	for (int i = 0; i < 400 && leaf_process_lives(pid); i++)
		g_usleep(5000);
	g_assert_false(leaf_process_lives(pid));
}

static void test_prints_too_much(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct leaf_nf nf = with_operation(fixture, LEAF_CREATE, "#!/bin/sh\nyes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa >&2\n", 400);
	const struct leaf_status *status = put(fixture, &nf);
	g_assert_cmpint(status->result.outcome, ==, LEAF_BROKEN);
	g_assert_cmpuint(strlen(status->result.words), <=, LEAF_WORDS_MAX_BYTES);
	g_assert_nonnull(strstr(status->result.words, "did not end within 400 ms: aaaaaa"));
	g_assert_cmpuint(strlen(log_of(fixture)), <=, 3 * OUTPUT_MAX_BYTES);
}

/* One change at a time: the same one is joined, another has to wait, a removal does not. */
static void test_one_at_a_time(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct leaf_nf nf = with_operation(fixture, LEAF_CREATE, "#!/bin/sh\nsleep 1000\n", 60000);
	char *text = NULL;
	gint64 id = begin(fixture, &nf);
	g_assert_cmpint(begin(fixture, &nf), ==, id);
	g_assert_cmpstr(look(fixture)->change.step, ==, "create");
	struct leaf_nf other = nf;
	other.incarnation = 2;
	g_assert_cmpuint(put_raw(fixture, &other, &text), ==, 503);
	g_assert_nonnull(strstr(text, "another change is under way: create since "));
	/* nor is this the time to become another program */
	g_assert_cmpuint(send_bytes(fixture, "POST", "/v1/upgrade", "\177ELF....", 8, &text), ==, 503);
	g_assert_cmpuint(send_bytes(fixture, "DELETE", "/v1/nf", "", 0, NULL), ==, 200);
	for (int i = 0; i < 100 && look(fixture)->nf; i++)
		g_usleep(10000);
	g_assert_null(look(fixture)->nf);
}

/* Half a stop would leave it neither here nor there: nobody waits for it any more, and it comes to its end. */
static void test_cancelled_stop(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct leaf_nf nf = with_operation(fixture, LEAF_STOP, "#!/bin/sh\nsleep 0.3\n", 5000);
	nf.command = sleeper;
	nf.n_command = g_strv_length((char **) (guintptr) sleeper);
	g_assert_cmpint(put(fixture, &nf)->result.outcome, ==, LEAF_DONE);
	nf.state = LEAF_STOPPED;
	gint64 id = begin(fixture, &nf);
	const char *path = arena_printf(fixture->arena, "/v1/nf/cancel?id=%" G_GINT64_FORMAT, id);
	g_assert_cmpuint(send_bytes(fixture, "POST", path, "", 0, NULL), ==, 200);
	const struct leaf_status *status = follow(fixture, id);
	g_assert_cmpint(status->result.outcome, ==, LEAF_DONE);
	g_assert_cmpint(status->nf->state, ==, LEAF_STOPPED);
}

/* What is stopped is not stopped again because its package changes. */
static void test_package_while_stopped(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *mark = arena_printf(fixture->arena, "%s/started", fixture->leaf.folder);
	struct leaf_nf nf = wanted(NULL);
	nf.operations[LEAF_START] = (struct leaf_operation) { "start.sh", 1000, NULL, 0 };
	nf.operations[LEAF_STOP] = (struct leaf_operation) { "stop.sh", 1000, NULL, 0 };
	for (int i = 0; i < 3; i++) {
		const char *create = arena_printf(fixture->arena, "#!/bin/sh\nexit %d\n", i == 2);
		struct script scripts[] = { { "create.sh", create },
					    { "start.sh", arena_printf(fixture->arena, "#!/bin/sh\n# %d\ntouch %s\n", i, mark) },
					    { "stop.sh", arena_printf(fixture->arena, "#!/bin/sh\nrm %s\n", mark) } };
		nf.package = push(fixture, scripts, G_N_ELEMENTS(scripts));
		nf.operations[LEAF_CREATE] = (struct leaf_operation) { "create.sh", 1000, NULL, 0 };
		g_assert_cmpint(put(fixture, &nf)->result.outcome, ==, i < 2 ? LEAF_DONE : LEAF_TAKEN_BACK);
		nf.state = LEAF_STOPPED;
		if (i == 0)
			g_assert_cmpint(put(fixture, &nf)->result.outcome, ==, LEAF_DONE);
		g_assert_cmpint(look(fixture)->nf->state, ==, LEAF_STOPPED);
	}
}

/* Secrets come in, and do not come out. */
static void test_secrets(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	struct leaf_nf nf = with_operation(fixture, LEAF_CONFIGURE, "#!/bin/sh\ntest \"$TOKEN\" = hunter2 && test \"$PLAIN\" = p\n", 5000);
	const struct leaf_input inputs[] = { { "TOKEN", "hunter2", "vault#token" }, { "PLAIN", "p", NULL } };
	const struct leaf_secret secrets[] = { { "vault#token", "salt:hmac" } };
	const char *label = nf.package; /* any digest will do */
	const char *path = arena_printf(fixture->arena, "%s/x.conf", fixture->leaf.folder);
	struct leaf_file file = { .name = "x", .path = path, .mode = "0600", .content = "password hunter2\n", .label = label };
	nf.operations[LEAF_CONFIGURE].inputs = inputs;
	nf.operations[LEAF_CONFIGURE].n_inputs = 2;
	nf.secrets = secrets;
	nf.n_secrets = 1;
	nf.files = &file;
	nf.n_files = 1;
	const struct leaf_status *status = put(fixture, &nf);
	g_assert_cmpint(status->result.outcome, ==, LEAF_DONE);
	g_assert_cmpstr(status->nf->files[0].digest, ==, label);
	g_assert_cmpstr(status->nf->secrets[0].proof, ==, "salt:hmac");
	g_assert_cmpstr(status->nf->operations[LEAF_CONFIGURE].inputs[0].secret, ==, "vault#token");
	g_assert_null(status->nf->operations[LEAF_CONFIGURE].inputs[0].value);
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "GET", "/v1/status", NULL, &http);
	g_assert_null(strstr(text, "hunter2"));
	g_assert_null(strstr(log_of(fixture), "hunter2"));
	/* edited: neither what was put, nor a digest that could be guessed at */
	g_assert_true(g_file_set_contents(path, "password guess\n", -1, NULL));
	g_autofree char *plain = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "password guess\n", -1);
	g_assert_cmpstr(look(fixture)->nf->files[0].digest, !=, label);
	g_assert_cmpstr(look(fixture)->nf->files[0].digest, !=, plain);
}

/* --- health ---------------------------------------------------------------------------------------------------------------- */

static int listen_on(unsigned *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(fd, 16), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *) &address, &size), ==, 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void answer_once(int fd, const char *text)
{
	char buffer[1024];
	int client = accept(fd, NULL, NULL);
	g_assert_cmpint(client, >=, 0);
	g_assert_cmpint(read(client, buffer, sizeof(buffer)), >, 0);
	g_assert_true(g_str_has_prefix(buffer, "GET /health?x=1 HTTP/1.1\r\n"));
	g_assert_cmpint(send(client, text, strlen(text), MSG_NOSIGNAL), >=, 0);
	close(client);
}

static const struct leaf_nf *wait_for_health(struct fixture *fixture, enum leaf_health health)
{
	const struct leaf_status *status = look(fixture);
	for (int i = 0; i < 50 && status->nf->health != health; i++)
		status = status_at(fixture, arena_printf(fixture->arena, "/v1/status?wait_ms=1000&after=%" G_GINT64_FORMAT, status->seq));
	g_assert_cmpint(status->nf->health, ==, health);
	return status->nf;
}

static void test_http_health(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	unsigned port = 0;
	int fd = listen_on(&port);
	struct leaf_nf nf = wanted(sleeper);
	nf.health_check = (struct leaf_health_check) { LEAF_PROBE_HTTP, "127.0.0.1", port, "/health?x=1", 20, 2000, 0, 2 };
	gint64 id = begin(fixture, &nf);
	answer_once(fd, "HTTP/1.1 204 No Content\r\n\r\n");
	const struct leaf_status *status = follow(fixture, id);
	g_assert_cmpint(status->result.outcome, ==, LEAF_DONE);
	g_assert_cmpint(status->nf->health, ==, LEAF_HEALTHY);
	gint64 pid = status->nf->pid;
	/* once is not yet down, twice is */
	answer_once(fd, "HTTP/1.1 500 Oops\r\n\r\n");
	answer_once(fd, "HTTP/1.0 302 Found\r\n\r\n");
	answer_once(fd, "what?\r\n");
	answer_once(fd, "HTTP/1.1 404 Not Found\r\n\r\n");
	const struct leaf_nf *seen = wait_for_health(fixture, LEAF_UNHEALTHY);
	g_assert_nonnull(strstr(seen->reason, "HTTP status 404"));
	g_assert_cmpint(seen->pid, ==, pid); /* it only says so: what is done about it is decided elsewhere */
	answer_once(fd, "HTTP/1.1 200 OK\r\n\r\n");
	wait_for_health(fixture, LEAF_HEALTHY);
	close(fd);
	g_assert_nonnull(strstr(wait_for_health(fixture, LEAF_UNHEALTHY)->reason, "Connection refused"));
}

/* A server that takes connections and never answers is not healthy over HTTP, and is over TCP. */
static void test_silent_server(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	unsigned port = 0;
	int fd = listen_on(&port);
	struct leaf_nf nf = wanted(sleeper);
	nf.health_check = (struct leaf_health_check) { LEAF_PROBE_HTTP, "127.0.0.1", port, "/", 20, 100, 0, 1 };
	const struct leaf_status *status = put(fixture, &nf);
	g_assert_cmpint(status->result.outcome, ==, LEAF_BROKEN);
	g_assert_cmpstr(status->result.step, ==, "health check");
	g_assert_nonnull(strstr(status->result.words, "no answer within 100 ms"));
	nf.health_check.type = LEAF_PROBE_TCP;
	g_assert_cmpint(put(fixture, &nf)->result.outcome, ==, LEAF_DONE);
	close(fd);
}

/* --- who waits -------------------------------------------------------------------------------------------------------------- */

static void test_long_poll(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	gint64 seq = look(fixture)->seq, begin_us = g_get_monotonic_time();
	status_at(fixture, arena_printf(fixture->arena, "/v1/status?wait_ms=200&after=%" G_GINT64_FORMAT, seq));
	g_assert_cmpint(g_get_monotonic_time() - begin_us, >=, 200 * 1000);
	/* whoever is one too many is answered at once, and whoever hangs up is forgotten */
	int fds[12];
	const char *request = "GET /v1/status?wait_ms=60000&after=100000 HTTP/1.1\r\nHost: leaf\r\n\r\n";
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
		fds[i] = leaf_process_connect(fixture->leaf.socket);
		g_assert_cmpint(send(fds[i], request, strlen(request), MSG_NOSIGNAL), ==, (ssize_t) strlen(request));
	}
	look(fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
		close(fds[i]);
	struct leaf_nf nf = wanted(sleeper);
	g_assert_cmpint(put(fixture, &nf)->result.outcome, ==, LEAF_DONE);
}

static void test_follow(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *const talker[] = { "sh", "-c", "echo first; sleep 0.3; echo second; exec sleep 1000", NULL };
	struct leaf_nf nf = wanted(talker);
	begin(fixture, &nf);
	int fd = leaf_process_connect(fixture->leaf.socket);
	const char *request = "GET /v1/nf/log?lines=100&follow=true HTTP/1.1\r\nHost: leaf\r\n\r\n";
	g_assert_cmpint(send(fd, request, strlen(request), MSG_NOSIGNAL), ==, (ssize_t) strlen(request));
	g_autoptr(GString) heard = g_string_new(NULL);
	char buffer[4096];
	for (ssize_t n; !strstr(heard->str, "second\n") && (n = recv(fd, buffer, sizeof(buffer), 0)) > 0;)
		g_string_append_len(heard, buffer, n);
	g_assert_nonnull(strstr(heard->str, " first\n"));
	g_assert_nonnull(strstr(heard->str, " second\n"));
	close(fd);
}

static void test_metrics(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *const busy[] = { "sh", "-c", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 1000 & wait", NULL };
	struct leaf_nf nf = wanted(busy);
	put(fixture, &nf);
	const struct leaf_metrics *metrics = NULL;
	for (int i = 0; i < 200 && (!metrics || metrics->processes < 2); i++) {
		unsigned http = 0;
		g_autofree char *text = leaf_process_ask(&fixture->leaf, "GET", "/v1/metrics", NULL, &http);
		g_assert_cmpuint(http, ==, 200);
		metrics = leaf_metrics_decode(fixture->arena, text, strlen(text), NULL);
		g_assert_nonnull(metrics);
		g_usleep(10000);
	}
	g_assert_cmpint(metrics->processes, ==, 2);
	g_assert_cmpint(metrics->mem_bytes, >, 100 * 1000);
	g_assert_cmpint(metrics->cpu_us, >, 0);
	g_assert_cmpint(metrics->disk_bytes, >, 0);
	for (size_t i = 0; i < metrics->n_ports; i++)
		g_assert_cmpstr(metrics->ports[i].name, !=, "lo");
}

/* --- another program -------------------------------------------------------------------------------------------------------- */

static void test_upgrade(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	g_autofree char *program = NULL;
	gsize length = 0;
	g_assert_true(g_file_get_contents(BINARY_DIR "/bin/pleach-leaf", &program, &length, NULL));
	if (length > LEAF_PROGRAM_MAX_BYTES) {
		g_test_skip("pleach-leaf is larger than may be sent, as it was built here");
		return;
	}
	const char *const talker[] = { "sh", "-c", "echo before; trap 'echo still here' USR1; while :; do sleep 0.05; done", NULL };
	struct leaf_nf nf = wanted(talker);
	struct script script = { "status.sh", "#!/bin/sh\nexit 0\n" };
	nf.package = push(fixture, &script, 1);
	nf.operations[LEAF_STATUS_VERB] = (struct leaf_operation) { "status.sh", 5000, NULL, 0 };
	nf.health_check = (struct leaf_health_check) { .type = LEAF_PROBE_PROCESS, .interval_ms = 1000, .timeout_ms = 1000, .failures = 1 };
	const struct leaf_status *before = put(fixture, &nf);
	g_assert_cmpint(before->result.outcome, ==, LEAF_DONE);
	char *text = NULL;
	/* what is no program, and a program that is no leaf */
	g_assert_cmpuint(send_bytes(fixture, "POST", "/v1/upgrade", "hello", 5, &text), ==, 400);
	g_autofree char *other = NULL;
	gsize other_length = 0;
	g_assert_true(g_file_get_contents("/bin/false", &other, &other_length, NULL));
	g_assert_cmpuint(send_bytes(fixture, "POST", "/v1/upgrade", other, other_length, &text), ==, 400);
	g_assert_nonnull(strstr(text, "cannot go on from here"));
	g_assert_cmpint(look(fixture)->nf->pid, ==, before->nf->pid);
	g_assert_cmpuint(send_bytes(fixture, "POST", "/v1/upgrade", program, length, &text), ==, 200);
	const struct leaf_status *after = look(fixture);
	g_assert_cmpint(after->pid, ==, before->pid);
	g_assert_cmpint(after->nf->pid, ==, before->nf->pid);
	g_assert_true(leaf_process_lives((pid_t) after->nf->pid));
	g_assert_cmpint(after->nf->state, ==, LEAF_STARTED);
	g_assert_cmpint(after->nf->health, ==, LEAF_HEALTHY);
	g_assert_cmpint(after->result.id, ==, before->result.id);
	g_assert_cmpuint(after->n_packages, ==, 1);
	g_autofree char *exe = g_file_read_link(arena_printf(fixture->arena, "/proc/%d/exe", (int) after->pid), NULL);
	g_assert_nonnull(strstr(exe, "memfd"));
	/* it still hears it, and still notices its end */
	kill((pid_t) after->nf->pid, SIGUSR1);
	for (int i = 0; i < 200 && !strstr(log_of(fixture), "still here"); i++)
		g_usleep(10000);
	g_assert_nonnull(strstr(log_of(fixture), "before\n"));
	g_assert_nonnull(strstr(log_of(fixture), "still here\n"));
	kill((pid_t) after->nf->pid, SIGKILL);
	for (int i = 0; i < 500 && (look(fixture)->nf->pid == before->nf->pid || look(fixture)->nf->state != LEAF_STARTED); i++)
		g_usleep(10000);
	g_assert_cmpint(look(fixture)->nf->restarts, ==, 1);
}

#define ADD(name, function) g_test_add("/leaf/manage/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("packages", test_packages);
	ADD("packages-kept", test_packages_kept);
	ADD("uploads-begun-anew", test_uploads_begun_anew);
	ADD("no-stragglers", test_no_stragglers);
	ADD("cancelled-stop", test_cancelled_stop);
	ADD("package-while-stopped", test_package_while_stopped);
	ADD("prints-too-much", test_prints_too_much);
	ADD("one-at-a-time", test_one_at_a_time);
	ADD("secrets", test_secrets);
	ADD("http-health", test_http_health);
	ADD("silent-server", test_silent_server);
	ADD("long-poll", test_long_poll);
	ADD("follow", test_follow);
	ADD("metrics", test_metrics);
	ADD("upgrade", test_upgrade);
	return g_test_run();
}
