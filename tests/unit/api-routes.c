#include "api/api.h"
#include "base/error.h"
#include "http/server/server.h"
#include "report_world.h"
#include "schema_check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct fixture {
	struct report_world *world;
	struct api *api;
	char *folder, *path;
	char *synced;          /* what backend.sync was asked for */
	struct api_reply *log; /* kept when the key is the web server's */
	bool refuse_sync;
	bool no_plan, rules;
};

static void snapshot(enum api_report report, const char *key, struct arena *arena, struct report_input *ret, void *data)
{
	struct fixture *fixture = data;
	*ret = *world_input(fixture->world);
	if (fixture->no_plan)
		ret->plan = NULL;
}

static bool sync_now(const char *key, GError **error, void *data)
{
	struct fixture *fixture = data;
	if (fixture->refuse_sync) {
		g_set_error_literal(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "suspended");
		return false;
	}
	g_free(fixture->synced);
	fixture->synced = g_strdup(key ? key : "everything");
	return true;
}

static void get_log(const char *key, unsigned lines, bool follow, struct api_reply *reply, void *data)
{
	struct fixture *fixture = data;
	if (strcmp(key, "nf/edge.web.vdu.0") == 0) {
		fixture->log = reply;
		return;
	}
	g_autofree char *text = g_strdup_printf("%u lines of %s\n", lines, key);
	api_reply_text(reply, text);
}

static bool get_samples(const char *key, gint64 since_wall_us, struct arena *arena, GPtrArray *ret, GError **error, void *data)
{
	static const struct sample sample = { .wall_us = WORLD_NOW, .mem_bytes = 1000 };
	if (since_wall_us < WORLD_NOW)
		g_ptr_array_add(ret, (gpointer) (guintptr) &sample);
	return true;
}

enum { OTHER_UID = 65534 };

/* Under the rules, whoever asks may operate the web server only, and read no metrics; another user may nothing at any time. */
static bool may(gint64 uid, const char *verb, const char *key, GError **error, void *data)
{
	const struct fixture *fixture = data;
	bool web = key && strstr(key, "/edge.web");
	bool allowed = !fixture->rules || strcmp(verb, "observe") == 0 || strcmp(verb, "logs") == 0 || (strcmp(verb, "operate") == 0 && web);
	if (uid != OTHER_UID && allowed)
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_AUTH, "may not %s %s", verb, key ? key : "everything");
	return false;
}

static void set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->world = report_world_new();
	fixture->folder = g_dir_make_tmp("api-XXXXXX", NULL);
	fixture->path = g_build_filename(fixture->folder, "s", NULL);
	g_autofree char *listen = g_strconcat("unix:", fixture->path, NULL);
	const struct api_backend backend = {
		.snapshot = snapshot, .sync = sync_now, .log = get_log, .samples = get_samples, .may = may, .data = fixture,
	};
	g_autoptr(GError) error = NULL;
	fixture->api = api_new(&backend, listen, &error);
	g_assert_no_error(error);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	api_free(fixture->api);
	g_assert_false(g_file_test(fixture->path, G_FILE_TEST_EXISTS));
	g_assert_true(file_remove_tree(fixture->folder, NULL));
	report_world_free(fixture->world);
	g_free(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->synced);
}

static int dial(const struct fixture *fixture)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, fixture->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	return fd;
}

/* The whole answer to what was sent, the main loop turning meanwhile. */
static char *receive(int fd)
{
	GString *got = g_string_new(NULL);
	for (int i = 0; i < 2000; i++) {
		while (g_main_context_iteration(NULL, FALSE))
			continue;
		char piece[4096];
		ssize_t length = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);
		if (length == 0)
			break;
		if (length > 0)
			g_string_append_len(got, piece, length);
		else
			g_usleep(1000);
	}
	close(fd);
	return g_string_free(got, FALSE);
}

static void send_request(int fd, const char *line, const char *headers)
{
	g_autofree char *request = g_strdup_printf("%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", line,
						   headers);
	g_assert_cmpint(send(fd, request, strlen(request), 0), ==, (gssize) strlen(request));
}

static char *ask(const struct fixture *fixture, const char *line, const char *headers)
{
	int fd = dial(fixture);
	send_request(fd, line, headers);
	return receive(fd);
}

static void expect(const struct fixture *fixture, const char *line, const char *headers, const char *status, const char *words)
{
	g_autofree char *got = ask(fixture, line, headers);
	g_autofree char *start = g_strdup_printf("HTTP/1.1 %s", status);
	if (!g_str_has_prefix(got, start) || !strstr(got, words))
		g_error("%s: not %s with \"%s\" but:\n%s", line, status, words, got);
}

#define JSON "Accept: application/json\r\n"

static void test_nfs(struct fixture *fixture, gconstpointer data)
{
	expect(fixture, "GET /v1/nf", "", "200", "0 network functions: 0 as desired.");
	expect(fixture, "GET /v1/nf?key=edge.web.vdu.0", JSON, "200", "\"report\": \"nf\"");
	expect(fixture, "GET /v1/nf?key=edge.nothing", "", "404", "edge.nothing");
	expect(fixture, "GET /v1/top", "", "200", "0 network functions, 0 ill");
	expect(fixture, "GET /v1/metrics/edge.fw?since=2026-01-01T00:00:00Z", JSON, "200", "\"mem_bytes\": 1000");
	expect(fixture, "GET /v1/metrics/edge.fw?since=2027-01-01T00:00:00Z", "", "200", "Nothing was measured of nf/edge.fw.vdu.0");
	expect(fixture, "GET /v1/metrics/edge.fw?since=yesterday", "", "400", "how long ago");
	expect(fixture, "POST /v1/nf", "", "405", "");
}

static void test_rules(struct fixture *fixture, gconstpointer data)
{
	fixture->rules = true;
	expect(fixture, "GET /v1/status", "", "200", "");
	expect(fixture, "GET /v1/health", "", "200", "");
	expect(fixture, "GET /v1/top", "", "403", "may not metrics everything");
	expect(fixture, "GET /v1/metrics/edge.fw", "", "403", "may not metrics nf/edge.fw.vdu.0");
	expect(fixture, "GET /v1/logs/edge.fw", "", "200", "100 lines of nf/edge.fw.vdu.0");
	expect(fixture, "POST /v1/sync", JSON, "403", "\"code\": \"auth\"");
	g_assert_null(fixture->synced);
	expect(fixture, "POST /v1/sync?key=edge.fw", "", "403", "may not operate vnf/edge.fw");
	expect(fixture, "POST /v1/sync?key=edge.web.vdu.0", "", "202", "");
	g_assert_cmpstr(fixture->synced, ==, "vnfc/edge.web.vdu.0");
	expect(fixture, "POST /v1/log-level?level=info", "", "403", "may not operate everything");
}

static void test_reports(struct fixture *fixture, gconstpointer data)
{
	expect(fixture, "GET /v1/status", "", "200", "Converged.\n");
	expect(fixture, "GET /v1/status", "", "200", "Pleach-Exit: 0\r\n");
	expect(fixture, "GET /v1/status?key=edge.fw", "", "200", "2 objects: 2 ready");
	expect(fixture, "GET /v1/status?key=edge.nothing", "", "404", "edge.nothing");
	expect(fixture, "GET /v1/status?key=edge", "", "200", "vnf/edge.web");
	expect(fixture, "GET /v1/explain/edge", "", "400", "fits several");
	expect(fixture, "GET /v1/status?colour=1", "", "200", "\033[32mReady");
	expect(fixture, "GET /v1/plan", "", "200", "Plan: nothing to do.");
	expect(fixture, "GET /v1/plan", "Accept: text/markdown\r\n", "200", "text/markdown");
	expect(fixture, "GET /v1/drift", "", "200", "Drift: none.");
	expect(fixture, "GET /v1/explain/vnfc%2Fedge.fw.vdu.0", "", "200", "vnfc/edge.fw.vdu.0: Ready");
	expect(fixture, "GET /v1/explain/edge.fw.vdu.0", "", "200", "vnfc/edge.fw.vdu.0: Ready");
	expect(fixture, "GET /v1/explain/link/edge.lam", "", "404", "did you mean \"link/edge.lan\"");
	expect(fixture, "GET /v1/objects/edge.fw?kind=nf", "", "200", "\"key\": \"nf/edge.fw.vdu.0\"");
	expect(fixture, "GET /v1/objects/x", JSON, "404", "\"code\": \"not-found\"");
	expect(fixture, "GET /v1/sites", "", "200", "owner owner1");
	expect(fixture, "GET /v1/health", "", "200", PLEACH_VERSION);
	expect(fixture, "GET /v1/nothing", "", "404", "no such path");
	expect(fixture, "GET /v1/explain/", "", "404", "no such path");
	expect(fixture, "POST /v1/status", "", "405", "");
	expect(fixture, "GET /v1/sync", "", "405", "");
	static const char *const reports[] = { "status", "plan", "drift", "sites" };
	for (size_t i = 0; i < G_N_ELEMENTS(reports); i++) {
		g_autofree char *line = g_strdup_printf("GET /v1/%s", reports[i]);
		g_autofree char *got = ask(fixture, line, JSON);
		g_assert_nonnull(strstr(got, "Content-Type: application/json"));
		g_autoptr(json_t) json = schema_check_text(reports[i], strstr(got, "\r\n\r\n") + 4);
	}
	world_step(fixture->world, "link/edge.lan", ACTION_CHANGE, CAUSE_DRIFT);
	expect(fixture, "GET /v1/drift", "", "200", "Pleach-Exit: 2\r\n");
	expect(fixture, "GET /v1/status", "", "200", "Pleach-Exit: 2\r\n");
	fixture->no_plan = true;
	expect(fixture, "GET /v1/plan", "", "503", "no plan yet");
}

static void test_commands(struct fixture *fixture, gconstpointer data)
{
	expect(fixture, "POST /v1/sync", "", "202", "reconciling");
	g_assert_cmpstr(fixture->synced, ==, "everything");
	expect(fixture, "POST /v1/sync?key=edge.fw", JSON, "202", "{}");
	g_assert_cmpstr(fixture->synced, ==, "vnf/edge.fw");
	expect(fixture, "POST /v1/sync?key=nothing", "", "404", "");
	fixture->refuse_sync = true;
	expect(fixture, "POST /v1/sync", "", "409", "suspended");
}

static void test_logs(struct fixture *fixture, gconstpointer data)
{
	expect(fixture, "GET /v1/logs/edge.fw", "", "200", "100 lines of nf/edge.fw.vdu.0");
	expect(fixture, "GET /v1/logs/nf/edge.fw.vdu.0?lines=7", "", "200", "7 lines");
	expect(fixture, "GET /v1/logs/edge.fw?lines=0", "", "400", "lines");
	expect(fixture, "GET /v1/logs/edge.fw?lines=99999", "", "400", "lines");
	expect(fixture, "GET /v1/logs/link/edge.lan", "", "404", "");
	/* Answered later: */
	int fd = dial(fixture);
	send_request(fd, "GET /v1/logs/nf/edge.web.vdu.0", "");
	for (int i = 0; i < 1000 && !fixture->log; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	g_assert_nonnull(fixture->log);
	g_autoptr(GError) error = g_error_new(PLEACH_ERROR, PLEACH_ERROR_TIMEOUT, "the leaf did not answer");
	api_reply_error(g_steal_pointer(&fixture->log), error);
	g_autofree char *got = receive(fd);
	if (!g_str_has_prefix(got, "HTTP/1.1 504"))
		g_error("%s", got);
	g_assert_nonnull(strstr(got, "the leaf did not answer\n"));
	/* And one that is never answered is no trouble at the end. */
	fd = dial(fixture);
	send_request(fd, "GET /v1/logs/nf/edge.web.vdu.0", "");
	for (int i = 0; i < 1000 && !fixture->log; i++) {
		g_main_context_iteration(NULL, FALSE);
		g_usleep(1000);
	}
	g_assert_nonnull(fixture->log);
	close(fd);
}

static void *ask_as_another(void *data)
{
	const struct fixture *fixture = data;
	/* The kernel tells the user of the thread that connects; of this one alone, so that the test stays who it is. */
	if (syscall(SYS_setresuid, -1, OTHER_UID, -1) < 0)
		return NULL;
	return GINT_TO_POINTER(dial(fixture));
}

static void test_others(struct fixture *fixture, gconstpointer data)
{
	if (geteuid() != 0) {
		g_test_skip("to be another user one must be root");
		return;
	}
	g_assert_cmpint(chmod(fixture->folder, 0755), ==, 0);
	g_assert_cmpint(chmod(fixture->path, 0666), ==, 0);
	pthread_t thread;
	void *fd;
	pthread_create(&thread, NULL, ask_as_another, fixture);
	pthread_join(thread, &fd);
	g_assert_nonnull(fd);
	send_request(GPOINTER_TO_INT(fd), "GET /v1/status", "");
	g_autofree char *got = receive(GPOINTER_TO_INT(fd));
	g_assert_true(g_str_has_prefix(got, "HTTP/1.1 403"));
}

/* Over TCP: reading only, and not for web pages. */
static void test_tcp(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	int probe = http_listen("127.0.0.1:0", 0, &error);
	struct sockaddr_in address;
	socklen_t size = sizeof(address);
	g_assert_cmpint(getsockname(probe, (struct sockaddr *) &address, &size), ==, 0);
	close(probe);
	g_autofree char *listen = g_strdup_printf("127.0.0.1:%u", ntohs(address.sin_port));
	const struct api_backend backend = { .snapshot = snapshot, .sync = sync_now, .log = get_log, .data = fixture };
	struct api *api = api_new(&backend, listen, &error);
	g_assert_no_error(error);
	static const struct {
		const char *request, *status;
	} cases[] = {
		{ "GET /v1/status HTTP/1.1\r\nHost: localhost:99\r\nConnection: close\r\n\r\n", "HTTP/1.1 200" },
		{ "GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 200" },
		{ "GET /v1/status HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n", "HTTP/1.1 200" },
		{ "GET /v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 403" },
		{ "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x\r\nConnection: close\r\n\r\n", "HTTP/1.1 403" },
		{ "POST /v1/sync HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 403" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		g_assert_cmpint(connect(fd, (struct sockaddr *) &address, sizeof(address)), ==, 0);
		g_assert_cmpint(send(fd, cases[i].request, strlen(cases[i].request), 0), >, 0);
		g_autofree char *got = receive(fd);
		if (!g_str_has_prefix(got, cases[i].status))
			g_error("%s: %s", cases[i].request, got);
	}
	g_assert_null(fixture->synced);
	api_free(api);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/api/nfs", struct fixture, NULL, set_up, test_nfs, tear_down);
	g_test_add("/api/rules", struct fixture, NULL, set_up, test_rules, tear_down);
	g_test_add("/api/reports", struct fixture, NULL, set_up, test_reports, tear_down);
	g_test_add("/api/commands", struct fixture, NULL, set_up, test_commands, tear_down);
	g_test_add("/api/logs", struct fixture, NULL, set_up, test_logs, tear_down);
	g_test_add("/api/others", struct fixture, NULL, set_up, test_others, tear_down);
	g_test_add("/api/tcp", struct fixture, NULL, set_up, test_tcp, tear_down);
	return g_test_run();
}
