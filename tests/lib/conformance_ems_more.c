/* Secrets, ports, logs, measures, lost connections. */
#include "conformance_ems_kit.h"

#include "base/clock.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { FOLLOW_MS = 10000, SHORT_FOLLOW_MS = 700 };

#define SECRET "hunter2-and-more"

/* --- secrets --------------------------------------------------------------------------------------------------------------------- */

static void assert_nowhere(struct fixture *fixture, const struct nf *seen)
{
	g_autoptr(json_t) json = object_to_json(nf_to_object(fixture->arena, seen));
	g_autofree char *text = json_text(json, 0), *log = ems_log_text(fixture, 1000);
	g_assert_null(strstr(text, SECRET));
	g_assert_null(strstr(log, SECRET));
}

static void test_secrets(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct ems_bench *bench = fixture->bench;
	g_autofree char *path = bench->path(bench, "x.conf");
	g_autofree char *label = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "password MARK\n", -1);
	g_autofree char *plain = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "password " SECRET "\n", -1);
	g_autofree char *edited = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "edited\n", -1);
	struct nf_file file = { .name = "config", .path = path, .content = "password " SECRET "\n", .label = label, .mode = "0600" };
	struct nf_secret secret = { .name = "edge-key", .proof = "00ff:1234" };
	struct nf want = ems_sleeping();
	want.files = &file;
	want.n_files = 1;
	want.secrets = &secret;
	want.n_secrets = 1;
	gint64 pid = ems_ensure(fixture, &want)->pid;
	g_autofree char *there = bench->read_file(bench, path);
	g_assert_cmpstr(there, ==, file.content);
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpstr(seen->files[0].digest, ==, label);
	g_assert_cmpuint(seen->n_secrets, ==, 1);
	g_assert_cmpstr(seen->secrets[0].name, ==, "edge-key");
	g_assert_cmpstr(seen->secrets[0].proof, ==, "00ff:1234");
	assert_nowhere(fixture, seen);
	g_assert_cmpint(ems_ensure(fixture, &want)->pid, ==, pid);
	bench->write_file(bench, path, "edited\n");
	seen = ems_observe(fixture);
	g_assert_cmpstr(seen->files[0].digest, !=, label);
	g_assert_cmpstr(seen->files[0].digest, !=, plain);
	g_assert_cmpstr(seen->files[0].digest, !=, edited);
	g_assert_null(seen->files[0].content);
	g_assert_cmpstr(ems_ensure(fixture, &want)->files[0].digest, ==, label);
	/* Another value of the same secret: the label is the same, the proof is not. */
	file.content = "password other\n";
	secret.proof = "00ff:5678";
	const struct nf *got = ems_ensure(fixture, &want);
	g_assert_cmpstr(got->files[0].digest, ==, label);
	g_assert_cmpstr(got->secrets[0].proof, ==, "00ff:5678");
	g_autofree char *now = bench->read_file(bench, path);
	g_assert_cmpstr(now, ==, "password other\n");
}

/* The script has it, and whoever looks at the processes, at what is observed or at the error has not. */
static void test_secret_inputs(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *got_path = fixture->bench->path(fixture->bench, "got"), *ps_path = fixture->bench->path(fixture->bench, "ps");
	const char *text = arena_printf(fixture->arena, "mkdir -p \"$(dirname %s)\"\nprintf %%s \"$KEY\" >%s\n"
					"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >%s\n[ \"$KEY\" != fail ] || exit 1\n",
					got_path, got_path, ps_path);
	struct package_file script = { .path = "create", .executable = false, .bytes = g_bytes_new(text, strlen(text)) };
	g_autoptr(GError) error = NULL;
	const struct package *package = package_make(fixture->arena, &script, 1, &error);
	g_assert_no_error(error);
	g_bytes_unref(script.bytes);
	const struct nf_input input = { .name = "KEY", .value = SECRET, .secret = "edge-key" };
	struct nf_secret secret = { .name = "edge-key", .proof = "00ff:1234" };
	struct nf want = ems_sleeping();
	want.package = package->digest;
	want.secrets = &secret;
	want.n_secrets = 1;
	want.operations[NF_CREATE] = (struct nf_operation) { .script = "create", .timeout_ms = 10000, .inputs = &input, .n_inputs = 1 };
	ems_ensure_with(fixture, &want, package);
	g_autofree char *got = fixture->bench->read_file(fixture->bench, got_path), *ps = fixture->bench->read_file(fixture->bench, ps_path);
	g_assert_cmpstr(got, ==, SECRET);
	g_assert_nonnull(ps);
	g_assert_null(strstr(ps, SECRET));
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpuint(seen->operations[NF_CREATE].n_inputs, ==, 1);
	g_assert_null(seen->operations[NF_CREATE].inputs[0].value);
	g_assert_cmpstr(seen->operations[NF_CREATE].inputs[0].secret, ==, "edge-key");
	assert_nowhere(fixture, seen);
}

/* --- ports ------------------------------------------------------------------------------------------------------------------------- */

static void test_http(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *python = g_find_program_in_path("python3");
	if (!python) {
		g_test_skip("python3 is not installed");
		return;
	}
	g_autofree char *port = g_strdup_printf("%d", 20000 + getpid() % 10000);
	const char *command[] = { "python3", "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", "/usr/share", NULL };
	struct nf want = ems_sleeping();
	want.command = command;
	want.n_command = G_N_ELEMENTS(command) - 1;
	want.health_check = (struct nf_health_check) { .type = NF_CHECK_HTTP, .address = "127.0.0.1", .port = (unsigned) atoi(port), .path = "/",
						       .interval_ms = 100, .timeout_ms = 2000, .grace_ms = 10000, .failures = 3 };
	g_assert_cmpint(ems_ensure(fixture, &want)->health, ==, NF_HEALTHY);
	want.health_check.type = NF_CHECK_TCP;
	g_assert_cmpint(ems_ensure(fixture, &want)->health, ==, NF_HEALTHY);
	want.health_check.type = NF_CHECK_HTTP;
	want.health_check.path = "/no-such-thing";
	want.health_check.grace_ms = 0;
	want.health_check.failures = 2;
	ems_ensure_fails(fixture, &want, PLEACH_ERROR_PERMANENT, "404");
}

/* --- logs --------------------------------------------------------------------------------------------------------------------------- */

struct follower {
	GString *text;
	unsigned enough; /* lines; 0: never */
	unsigned lines;
};

static bool take(const char *text, size_t length, void *data)
{
	struct follower *follower = data;
	g_string_append_len(follower->text, text, (gssize) length);
	for (size_t i = 0; i < length; i++)
		follower->lines += text[i] == '\n';
	return !follower->enough || follower->lines < follower->enough;
}

static void test_follow(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_script(fixture, "i=0; while :; do i=$((i + 1)); echo tick $i.; sleep 0.1; done");
	ems_ensure(fixture, &want);
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	struct follower follower = { text, 6, 0 };
	struct call call = ems_call(fixture, FOLLOW_MS);
	bool ok = fixture->bench->ops->log(fixture->ems, &call, fixture->access, NF_KEY, 1, true, take, &follower, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
	/* A driver may put the time before what was printed. */
	const char *tick = strstr(lines[0], "tick ");
	g_assert_nonnull(tick);
	unsigned first = (unsigned) g_ascii_strtoull(tick + strlen("tick "), NULL, 10);
	g_autofree char *fifth = g_strdup_printf("tick %u.", first + 4);
	g_assert_cmpuint(first, >, 0);
	g_assert_true(g_str_has_suffix(lines[4], fifth));
	/* The deadline is a good end. */
	follower.enough = 0;
	call = ems_call(fixture, SHORT_FOLLOW_MS);
	gint64 begin_us = clock_monotonic_us();
	ok = fixture->bench->ops->log(fixture->ems, &call, fixture->access, NF_KEY, 1, true, take, &follower, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	gint64 took_ms = (clock_monotonic_us() - begin_us) / 1000;
	g_assert_cmpint(took_ms, >, SHORT_FOLLOW_MS - 200);
	g_assert_cmpint(took_ms, <, SHORT_FOLLOW_MS + 2000);
}

/* --- measures ------------------------------------------------------------------------------------------------------------------------ */

static void test_measure(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_script(fixture, "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; sleep 1000; echo done");
	ems_ensure(fixture, &want);
	g_usleep(300000);
	g_autoptr(GError) error = NULL;
	const struct sample *sample = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	bool ok = fixture->bench->ops->measure(fixture->ems, &call, fixture->access, NF_KEY, fixture->arena, &sample, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	g_assert_cmpint(sample->processes, >=, 1);
	g_assert_cmpint(sample->mem_bytes, >, 0);
	g_assert_cmpint(sample->cpu_us, >, 0);
	for (size_t i = 0; i < sample->n_ports; i++)
		g_assert_cmpstr(sample->ports[i].cp, !=, "lo");
}

/* --- connections ---------------------------------------------------------------------------------------------------------------------- */

/* What connects them breaks: the next call is none the wiser. */
static void test_broken_connection(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_sleeping();
	gint64 pid = ems_ensure(fixture, &want)->pid;
	for (int i = 0; i < 3; i++) {
		fixture->bench->cut(fixture->bench);
		g_assert_cmpint(ems_observe(fixture)->pid, ==, pid);
	}
	fixture->bench->cut(fixture->bench);
	g_assert_cmpint(ems_ensure(fixture, &want)->pid, ==, pid);
}

struct later {
	struct ems_bench *bench;
	const char *once; /* is there when it is time */
	int fd;
};

static void *cut_later(void *data)
{
	struct later *later = data;
	for (int i = 0; i < 1000; i++) {
		g_autofree char *text = later->bench->read_file(later->bench, later->once);
		if (text)
			break;
		g_usleep(10000);
	}
	if (later->fd >= 0)
		g_assert_cmpint(write(later->fd, "x", 1), ==, 1);
	else
		later->bench->cut(later->bench);
	return NULL;
}

static const struct package *slow_once(struct fixture *fixture, const char *once)
{
	const char *text = arena_printf(fixture->arena, "mkdir -p \"$(dirname %s)\"\n[ ! -e %s ] || exit 0\n: >%s\nsleep 60\n", once, once, once);
	struct package_file script = { .path = "create", .executable = true, .bytes = g_bytes_new(text, strlen(text)) };
	const struct package *package = package_make(fixture->arena, &script, 1, NULL);
	g_bytes_unref(script.bytes);
	return package;
}

/* In the middle of an installation: cancelled, or without a connection; the next call converges. */
static void interrupt(struct fixture *fixture, bool cancels)
{
	g_autofree char *once = fixture->bench->path(fixture->bench, "once");
	const struct package *package = slow_once(fixture, once);
	struct nf want = ems_sleeping();
	want.package = package->digest;
	want.operations[NF_CREATE] = (struct nf_operation) { .script = "create", .timeout_ms = 100000 };
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	struct later later = { fixture->bench, once, cancels ? fds[1] : -1 };
	pthread_t thread;
	g_assert_cmpint(pthread_create(&thread, NULL, cut_later, &later), ==, 0);
	g_autoptr(GError) error = NULL;
	const struct nf *got = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	call.cancel_fd = cancels ? fds[0] : -1;
	g_assert_false(fixture->bench->ops->ensure_nf(fixture->ems, &call, fixture->access, &want, package, fixture->arena, &got, &error));
	const enum pleach_error expected = cancels ? PLEACH_ERROR_CANCELLED : PLEACH_ERROR_RETRY;
	g_assert_error(error, PLEACH_ERROR, (int) expected);
	pthread_join(thread, NULL);
	close(fds[0]);
	close(fds[1]);
	g_assert_cmpint(ems_ensure_with(fixture, &want, package)->state, ==, NF_STARTED);
}

static void test_cancelled_operation(struct fixture *fixture, gconstpointer data)
{
	if (!fixture->skipped)
		interrupt(fixture, true);
}

static void test_lost_in_the_middle(struct fixture *fixture, gconstpointer data)
{
	if (!fixture->skipped)
		interrupt(fixture, false);
}

const struct ems_test ems_more_tests[] = {
	{ "secrets", test_secrets, 0 },
	{ "secret-inputs", test_secret_inputs, NEEDS_SCRIPTS },
	{ "http", test_http, NEEDS_SCRIPTS },
	{ "follow", test_follow, NEEDS_SCRIPTS },
	{ "measure", test_measure, NEEDS_MEASURE },
	{ "broken-connection", test_broken_connection, NEEDS_CUT },
	{ "cancelled-operation", test_cancelled_operation, NEEDS_SCRIPTS },
	{ "lost-in-the-middle", test_lost_in_the_middle, NEEDS_SCRIPTS | NEEDS_CUT },
	{ NULL, NULL, 0 },
};
