/* The driver "leaf" against leaves that lie, drip, drop and babble: a clear error in time, and never a success. */
#include "base/clock.h"
#include "base/file.h"
#include "ems/leaf/ems_leaf.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CALL_MS = 5000, SHORT_CALL_MS = 300 };

#define NF_KEY "nf/a.0"
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"

enum manner {
	MANNER_SAY,     /* the text, then close */
	MANNER_ENDLESS, /* the text, then rubbish until the other side has had enough */
	MANNER_DRIP,    /* a byte now and then */
	MANNER_SILENT,  /* takes the request and says nothing */
	MANNER_DROP,    /* closes at once */
};

struct hostile {
	char *folder, *path;
	int listening, stop[2];
	pthread_t thread;
	enum manner manner;
	const char *text;
};

static bool is_stopped(struct hostile *hostile, int wait_ms)
{
	struct pollfd fd = { .fd = hostile->stop[0], .events = POLLIN };
	return poll(&fd, 1, wait_ms) > 0;
}

static bool say(int fd, const char *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL) == (ssize_t) length;
}

static void take_request(int fd)
{
	char buffer[65536];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
	g_assert_cmpint(n, >=, 0);
}

static void answer(struct hostile *hostile, int fd)
{
	static const char rubbish[4096] = { 'x' };
	take_request(fd);
	switch (hostile->manner) {
	case MANNER_SAY:
		say(fd, hostile->text, strlen(hostile->text));
		shutdown(fd, SHUT_WR);
		return;
	case MANNER_ENDLESS:
		say(fd, hostile->text, strlen(hostile->text));
		while (!is_stopped(hostile, 0) && say(fd, rubbish, sizeof(rubbish)))
			;
		return;
	case MANNER_DRIP:
		for (const char *p = hostile->text; !is_stopped(hostile, 20) && say(fd, p, 1); p = p[1] ? p + 1 : p)
			;
		return;
	case MANNER_SILENT:
		is_stopped(hostile, -1);
		return;
	case MANNER_DROP:
		return;
	}
}

static void *serve(void *data)
{
	struct hostile *hostile = data;
	for (;;) {
		struct pollfd fds[] = { { .fd = hostile->listening, .events = POLLIN }, { .fd = hostile->stop[0],
											  .events = POLLIN } };
		if (poll(fds, 2, -1) < 0 || fds[1].revents)
			return NULL;
		int fd = accept(hostile->listening, NULL, NULL);
		answer(hostile, fd);
		close(fd);
	}
}

static void begin(struct hostile *hostile, enum manner manner, const char *text)
{
	hostile->manner = manner;
	hostile->text = text;
	hostile->folder = g_dir_make_tmp("pleach-hostile-XXXXXX", NULL);
	hostile->path = g_build_filename(hostile->folder, "leaf.sock", NULL);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, hostile->path, sizeof(address.sun_path));
	hostile->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert_cmpint(bind(hostile->listening, (struct sockaddr *) &address, sizeof(address)), ==, 0);
	g_assert_cmpint(listen(hostile->listening, 16), ==, 0);
	g_assert_cmpint(pipe(hostile->stop), ==, 0);
	g_assert_cmpint(pthread_create(&hostile->thread, NULL, serve, hostile), ==, 0);
}

static void end(struct hostile *hostile)
{
	g_assert_cmpint(write(hostile->stop[1], "x", 1), ==, 1);
	pthread_join(hostile->thread, NULL);
	close(hostile->listening);
	close(hostile->stop[0]);
	close(hostile->stop[1]);
	file_remove_tree(hostile->folder, NULL);
	g_free(hostile->folder);
	g_free(hostile->path);
}

static const char *const command[] = { "sleep", "1", NULL };

/* Every call of the driver fails with @code, in time, and says @words. */
static void all_fail(struct hostile *hostile, gint64 call_ms, enum pleach_error code, const char *words)
{
	auto_ptr(arena) arena = arena_new();
	const struct site site = { .name = "local" };
	const struct driver_ref which = { .name = "leaf", .driver = "leaf" };
	const struct access access = { .key = "vnfc/a.0", .transport = "unix", .address = hostile->path };
	const struct nf want = { .key = NF_KEY, .site = "local", .incarnation = 1, .state = NF_STARTED, .command = command,
				 .n_command = 2 };
	struct ems *ems = ems_leaf_ops.open(&site, &which, NULL);
	for (int i = 0; i < 3; i++) {
		g_autoptr(GError) error = NULL;
		const struct nf *nf = NULL;
		gint64 begin_us = clock_monotonic_us();
		struct call call = { .deadline_us = begin_us + call_ms * 1000, .cancel_fd = -1 };
		bool ok = i == 0   ? ems_leaf_ops.observe(ems, &call, &access, NF_KEY, arena, &nf, &error)
			  : i == 1 ? ems_leaf_ops.ensure_nf(ems, &call, &access, &want, NULL, arena, &nf, &error)
				   : ems_leaf_ops.remove_nf(ems, &call, &access, NF_KEY, &error);
		g_assert_false(ok);
		g_assert_null(nf);
		g_assert_error(error, PLEACH_ERROR, (int) code);
		g_assert_true(g_str_has_prefix(error->message, "leaf of vnfc/a.0: "));
		if (!strstr(error->message, words))
			g_error("\"%s\" does not say \"%s\"", error->message, words);
		g_assert_cmpint((clock_monotonic_us() - begin_us) / 1000, <, call_ms + 1000);
	}
	ems_leaf_ops.close(ems);
}

static void check(enum manner manner, const char *text, gint64 call_ms, enum pleach_error code, const char *words)
{
	struct hostile hostile;
	begin(&hostile, manner, text);
	all_fail(&hostile, call_ms, code, words);
	end(&hostile);
}

static void test_wrong_json(void)
{
	check(MANNER_SAY, OK_HEAD "\r\nhello", CALL_MS, PLEACH_ERROR_RETRY, "not valid JSON");
	check(MANNER_SAY, OK_HEAD "\r\n[]", CALL_MS, PLEACH_ERROR_RETRY, "not an object");
	check(MANNER_SAY, OK_HEAD "\r\n{\"version\":1}", CALL_MS, PLEACH_ERROR_RETRY, "is missing");
	check(MANNER_SAY, OK_HEAD "\r\n{\"version\":9}", CALL_MS, PLEACH_ERROR_RETRY, "version 9");
	check(MANNER_SAY, OK_HEAD "\r\n", CALL_MS, PLEACH_ERROR_RETRY, "not valid JSON");
}

static void test_not_http(void)
{
	check(MANNER_SAY, "SSH-2.0-OpenSSH_9.2\r\n", CALL_MS, PLEACH_ERROR_RETRY, "");
}

static void test_refusals(void)
{
	check(MANNER_SAY, "HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n<h1>no</h1>", CALL_MS, PLEACH_ERROR_RETRY,
	      "HTTP status 500: \"<h1>no</h1>\"");
	check(MANNER_SAY, "HTTP/1.1 409 No\r\nConnection: close\r\n\r\n{\"error\":\"conflict\",\"text\":\"nf/b is here\"}",
	      CALL_MS, PLEACH_ERROR_CONFLICT, "nf/b is here");
	/* a success of a kind that was never agreed is none */
	check(MANNER_SAY, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", CALL_MS, PLEACH_ERROR_RETRY, "HTTP status 204");
	check(MANNER_SAY, "HTTP/1.1 301 Moved\r\nLocation: http://example.org/\r\nConnection: close\r\n\r\n", CALL_MS,
	      PLEACH_ERROR_RETRY, "HTTP status 301");
}

static void test_endless(void)
{
	check(MANNER_ENDLESS, OK_HEAD "\r\n{", CALL_MS, PLEACH_ERROR_RETRY, "");
	check(MANNER_ENDLESS, "HTTP/1.1 200 OK\r\nX: ", CALL_MS, PLEACH_ERROR_RETRY, "");
}

static void test_slow(void)
{
	check(MANNER_DRIP, OK_HEAD "Content-Length: 1000\r\n\r\n{", SHORT_CALL_MS, PLEACH_ERROR_TIMEOUT, "");
	check(MANNER_SILENT, "", SHORT_CALL_MS, PLEACH_ERROR_TIMEOUT, "");
}

static void test_dropped(void)
{
	check(MANNER_DROP, "", CALL_MS, PLEACH_ERROR_RETRY, "");
	check(MANNER_SAY, OK_HEAD "Content-Length: 1000\r\n\r\n{\"version\":1,", CALL_MS, PLEACH_ERROR_RETRY, "");
}

/* A leaf of the first version: its state alone is looked at. */
#define STATUS(nf) OK_HEAD "\r\n{\"version\":1,\"leaf\":\"0\",\"pid\":1,\"uptime_ms\":1,\"nf\":" nf "}"
#define SEEN(key, state, command) \
	STATUS("{\"key\":\"" key "\",\"incarnation\":1,\"state\":\"" state "\",\"stateful\":false,\"command\":" command \
	       ",\"files\":[],\"pid\":5,\"restarts\":0,\"reason\":\"it is unwell\"}")

/* What a leaf says must follow from what it was asked: ensure_nf only. */
static void ensure_fails(const char *text, const struct nf *want, gint64 call_ms, enum pleach_error code, const char *words)
{
	struct hostile hostile;
	begin(&hostile, MANNER_SAY, text);
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct site site = { .name = "local" };
	const struct driver_ref which = { .name = "leaf", .driver = "leaf" };
	const struct access access = { .key = "vnfc/a.0", .transport = "unix", .address = hostile.path };
	struct ems *ems = ems_leaf_ops.open(&site, &which, NULL);
	struct call call = { .deadline_us = clock_monotonic_us() + call_ms * 1000, .cancel_fd = -1 };
	const struct nf *got = NULL;
	g_assert_false(ems_leaf_ops.ensure_nf(ems, &call, &access, want, NULL, arena, &got, &error));
	g_assert_error(error, PLEACH_ERROR, (int) code);
	g_assert_null(got);
	if (!strstr(error->message, words))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
	ems_leaf_ops.close(ems);
	end(&hostile);
}

static void test_lies(void)
{
	const struct nf_file file = { .name = "config", .path = "/etc/x", .content = "x", .mode = "0644" };
	struct nf want = { .key = NF_KEY, .site = "local", .incarnation = 1, .state = NF_STARTED, .command = command,
			   .n_command = 2 };
	ensure_fails(STATUS("null"), &want, CALL_MS, PLEACH_ERROR_RETRY, "it took nf/a.0, and has none");
	ensure_fails(SEEN("nf/b.0", "started", "[\"sleep\",\"1\"]"), &want, CALL_MS, PLEACH_ERROR_CONFLICT, "nf/b.0 is there");
	ensure_fails(SEEN(NF_KEY, "started", "[\"sleep\",\"2\"]"), &want, CALL_MS, PLEACH_ERROR_RETRY, "another command");
	ensure_fails(SEEN(NF_KEY, "stopped", "[\"sleep\",\"1\"]"), &want, CALL_MS, PLEACH_ERROR_RETRY,
		     "told to start, and is stopped");
	ensure_fails(SEEN(NF_KEY, "failed", "[\"sleep\",\"1\"]"), &want, CALL_MS, PLEACH_ERROR_PERMANENT, "it is unwell");
	ensure_fails(SEEN(NF_KEY, "starting", "[\"sleep\",\"1\"]"), &want, SHORT_CALL_MS, PLEACH_ERROR_TIMEOUT, "");
	want.files = &file;
	want.n_files = 1;
	ensure_fails(SEEN(NF_KEY, "started", "[\"sleep\",\"1\"]"), &want, CALL_MS, PLEACH_ERROR_RETRY,
		     "1 files were sent, and there are 0");
	want.n_files = 0;
	want.state = NF_STOPPED;
	ensure_fails(SEEN(NF_KEY, "started", "[\"sleep\",\"1\"]"), &want, CALL_MS, PLEACH_ERROR_RETRY,
		     "told to stop, and is started");
}

/* Of the second: changes, with their results. */
#define NOW(nf, change, result) \
	OK_HEAD "\r\n{\"version\":2,\"leaf\":\"" PLEACH_VERSION "\",\"pid\":1,\"uptime_ms\":1,\"seq\":1,\"packages\":[],\"change\":" change \
	",\"result\":" result ",\"nf\":" nf "}"
#define RESULT(id, outcome) \
	"{\"id\":" id ",\"outcome\":\"" outcome "\",\"step\":\"check\",\"exit_status\":3,\"words\":\"line 1 is bad\",\"may_pass\":false}"
#define OTHERS "\"operations\":{},\"secrets\":[],\"health_check\":null,\"package\":null,\"health\":"
#define SEEN_NOW(state, health) \
	"{\"key\":\"" NF_KEY "\",\"incarnation\":1,\"state\":\"" state "\",\"stateful\":false,\"command\":[\"sleep\",\"1\"]," \
	"\"files\":[],\"pid\":5,\"restarts\":0,\"reason\":\"it is unwell\"," OTHERS "\"" health "\"}"

static void test_lies_of_changes(void)
{
	struct nf want = { .key = NF_KEY, .site = "local", .incarnation = 1, .state = NF_STARTED, .command = command, .n_command = 2 };
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "null", "null"), &want, CALL_MS, PLEACH_ERROR_RETRY, "began no change");
	ensure_fails(NOW("null", "null", RESULT("7", "done")), &want, CALL_MS, PLEACH_ERROR_RETRY, "has none");
	/* it says that it is done, and what it shows is something else */
	ensure_fails(NOW(SEEN_NOW("stopped", "healthy"), "null", RESULT("7", "done")), &want, CALL_MS, PLEACH_ERROR_RETRY, "is stopped");
	ensure_fails(NOW(SEEN_NOW("starting", "healthy"), "null", RESULT("7", "done")), &want, CALL_MS, PLEACH_ERROR_RETRY,
		     "it says that it is done, and is starting");
	ensure_fails(NOW(SEEN_NOW("started", "unhealthy"), "null", RESULT("7", "done")), &want, CALL_MS, PLEACH_ERROR_RETRY, "it is unwell");
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "null", RESULT("7", "untouched")), &want, CALL_MS, PLEACH_ERROR_PERMANENT,
		     "check failed: line 1 is bad; the former is in force, untouched");
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "null", RESULT("7", "taken-back")), &want, CALL_MS, PLEACH_ERROR_PERMANENT,
		     "taken back");
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "null", RESULT("7", "broken")), &want, CALL_MS, PLEACH_ERROR_PERMANENT, "line 1 is bad");
	/* for ever under way: asked now and then, until the deadline */
	ensure_fails(NOW(SEEN_NOW("starting", "starting"), "{\"id\":9,\"step\":\"start\",\"since_ms\":1}", RESULT("7", "done")), &want,
		     SHORT_CALL_MS, PLEACH_ERROR_TIMEOUT, "");
	/* faults of form */
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "7", "null"), &want, CALL_MS, PLEACH_ERROR_RETRY, "\"change\" is not an object");
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "{\"id\":0,\"step\":\"x\",\"since_ms\":0}", "null"), &want, CALL_MS,
		     PLEACH_ERROR_RETRY, "out of range");
	ensure_fails(NOW(SEEN_NOW("started", "healthy"), "null", RESULT("7", "splendid")), &want, CALL_MS, PLEACH_ERROR_RETRY, "outcome");
	ensure_fails(NOW(SEEN_NOW("started", "radiant"), "null", "null"), &want, CALL_MS, PLEACH_ERROR_RETRY, "health is not known");
	/* what an old leaf cannot do */
	want.n_command = 0;
	want.package = "0000000000000000000000000000000000000000000000000000000000000000";
	ensure_fails(STATUS("null"), &want, CALL_MS, PLEACH_ERROR_UNSUPPORTED, "it speaks version 1 of the protocol, which knows no packages");
	/* a package that it has not, and that nobody gave us */
	ensure_fails(NOW("null", "null", "null"), &want, CALL_MS, PLEACH_ERROR_INVALID, "was not given");
}

static bool hear(const char *text, size_t length, void *data)
{
	*(size_t *) data += length;
	return *(size_t *) data < 1000000;
}

/* The log and the metrics of a leaf that means ill. */
static void measure_and_log(enum manner manner, const char *text, gint64 call_ms, bool follow, bool log_good)
{
	struct hostile hostile;
	begin(&hostile, manner, text);
	auto_ptr(arena) arena = arena_new();
	const struct site site = { .name = "local" };
	const struct driver_ref which = { .name = "leaf", .driver = "leaf" };
	const struct access access = { .key = "vnfc/a.0", .transport = "unix", .address = hostile.path };
	struct ems *ems = ems_leaf_ops.open(&site, &which, NULL);
	g_autoptr(GError) error = NULL, log_error = NULL;
	const struct sample *sample = NULL;
	size_t heard = 0;
	gint64 begin_us = clock_monotonic_us();
	struct call call = { .deadline_us = begin_us + call_ms * 1000, .cancel_fd = -1 };
	g_assert_cmpint(ems_leaf_ops.log(ems, &call, &access, NF_KEY, 10, follow, hear, &heard, &log_error), ==, log_good);
	call.deadline_us = clock_monotonic_us() + call_ms * 1000;
	g_assert_false(ems_leaf_ops.measure(ems, &call, &access, NF_KEY, arena, &sample, &error));
	g_assert_nonnull(error);
	g_assert_null(sample);
	g_assert_cmpint((clock_monotonic_us() - begin_us) / 1000, <, 2 * call_ms + 2000);
	ems_leaf_ops.close(ems);
	end(&hostile);
}

static void test_log_and_metrics(void)
{
	measure_and_log(MANNER_ENDLESS, OK_HEAD "\r\n", CALL_MS, true, true); /* it was heard until it was enough */
	measure_and_log(MANNER_ENDLESS, OK_HEAD "\r\n", CALL_MS, false, false);
	measure_and_log(MANNER_SILENT, "", SHORT_CALL_MS, true, true);
	measure_and_log(MANNER_SILENT, "", SHORT_CALL_MS, false, false);
	measure_and_log(MANNER_DROP, "", CALL_MS, true, false);
	measure_and_log(MANNER_SAY, OK_HEAD "\r\n{\"version\":2,\"cpu_us\":-7}", CALL_MS, false, true);
	measure_and_log(MANNER_SAY, OK_HEAD "\r\n{\"version\":2,\"cpu_us\":1,\"mem_bytes\":1,\"disk_bytes\":1,\"processes\":1,\"ports\":[7]}",
			CALL_MS, false, true);
}

static void test_far_sides_that_are_none(void)
{
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	const struct site site = { .name = "local" };
	struct driver_ref which = { .name = "leaf", .driver = "leaf" };
	struct ems *ems = ems_leaf_ops.open(&site, &which, NULL);
	struct call call = { .deadline_us = clock_monotonic_us() + CALL_MS * 1000, .cancel_fd = -1 };
	const struct nf *nf = NULL;
	struct access access = { .key = "vnfc/a.0", .transport = "unix", .address = "/nonexistent/leaf.sock" };
	g_assert_false(ems_leaf_ops.observe(ems, &call, &access, NF_KEY, arena, &nf, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
	g_clear_error(&error);
	access.transport = "ssh";
	g_assert_false(ems_leaf_ops.observe(ems, &call, &access, NF_KEY, arena, &nf, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED);
	g_clear_error(&error);
	ems_leaf_ops.close(ems);
	which.endpoint = "http://127.0.0.1:1";
	g_assert_null(ems_leaf_ops.open(&site, &which, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "was given an endpoint"));
	g_clear_error(&error);
	const char *const names[] = { "colour" };
	const struct value *const values[] = { value_string(arena, "red") };
	which.endpoint = NULL;
	which.options = value_map(arena, names, values, 0);
	ems = ems_leaf_ops.open(&site, &which, &error);
	g_assert_no_error(error);
	ems_leaf_ops.close(ems);
	which.options = value_map(arena, names, values, 1);
	g_assert_null(ems_leaf_ops.open(&site, &which, &error));
	g_assert_nonnull(strstr(error->message, "was given options"));
	g_clear_error(&error);
	const char *const upgrade[] = { "upgrade" };
	const struct value *const no[] = { value_string(arena, "no") }, *const maybe[] = { value_string(arena, "maybe") };
	which.options = value_map(arena, upgrade, no, 1);
	ems = ems_leaf_ops.open(&site, &which, &error);
	g_assert_no_error(error);
	ems_leaf_ops.close(ems);
	which.options = value_map(arena, upgrade, maybe, 1);
	g_assert_null(ems_leaf_ops.open(&site, &which, &error));
	g_assert_nonnull(strstr(error->message, "\"upgrade\", which is yes or no"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/ems_leaf/hostile/wrong-json", test_wrong_json);
	g_test_add_func("/ems_leaf/hostile/not-http", test_not_http);
	g_test_add_func("/ems_leaf/hostile/refusals", test_refusals);
	g_test_add_func("/ems_leaf/hostile/endless", test_endless);
	g_test_add_func("/ems_leaf/hostile/slow", test_slow);
	g_test_add_func("/ems_leaf/hostile/dropped", test_dropped);
	g_test_add_func("/ems_leaf/hostile/lies", test_lies);
	g_test_add_func("/ems_leaf/hostile/lies-of-changes", test_lies_of_changes);
	g_test_add_func("/ems_leaf/hostile/log-and-metrics", test_log_and_metrics);
	g_test_add_func("/ems_leaf/hostile/far-sides-that-are-none", test_far_sides_that_are_none);
	return g_test_run();
}
