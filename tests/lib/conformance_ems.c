#include "conformance_ems_kit.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

static void test_nothing_there(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_assert_null(ems_observe(fixture));
	ems_remove(fixture);
	g_assert_null(ems_observe(fixture));
}

static void test_start(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_sleeping();
	const struct nf *got = ems_ensure(fixture, &want);
	g_assert_cmpint(got->state, ==, NF_STARTED);
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpstr(seen->key, ==, NF_KEY);
	g_assert_cmpstr(seen->site, ==, "berlin");
	g_assert_cmpstr(seen->ems, ==, "agent");
	g_assert_cmpint(seen->state, ==, NF_STARTED);
	g_assert_true(seen->stateful);
	g_assert_cmpuint(seen->n_command, ==, 2);
	g_assert_cmpstr(seen->command[1], ==, "1000");
	g_assert_cmpint(seen->pid, >, 0);
	g_assert_cmpint(seen->pid, ==, got->pid);
}

/* The second reconcile of what has not changed does nothing: same process, same object. */
static void test_idempotent(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *path = fixture->bench->path(fixture->bench, "x.conf");
	struct nf_file file = { .name = "config", .path = path, .content = "a\n", .mode = "0644" };
	struct nf want = ems_sleeping();
	want.files = &file;
	want.n_files = 1;
	const struct object *first = nf_to_object(fixture->arena, ems_ensure(fixture, &want));
	gint64 pid = ems_observe(fixture)->pid;
	const struct object *second = nf_to_object(fixture->arena, ems_ensure(fixture, &want));
	g_assert_cmpint(ems_observe(fixture)->pid, ==, pid);
	g_assert_cmpstr(object_digest(fixture->arena, first), ==, object_digest(fixture->arena, second));
}

/* What is seen afterwards equals what was wanted, field by field, as the plan compares them. */
static void test_observed_equals_wanted(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *first = fixture->bench->path(fixture->bench, "deep/er/a.conf");
	g_autofree char *second = fixture->bench->path(fixture->bench, "b.conf");
	struct nf_file files[] = { { .name = "a.conf", .path = first, .content = "listen 80\n\xc3\xa4\t\"\\\n", .mode = "0640" },
				   { .name = "b", .path = second, .content = "", .mode = "0755" } };
	struct nf want = ems_sleeping();
	want.files = files;
	want.n_files = 2;
	ems_ensure(fixture, &want);
	const struct object *wanted = nf_to_object(fixture->arena, &want);
	const struct object *seen = nf_to_object(fixture->arena, ems_observe(fixture));
	for (size_t i = 0; i < wanted->n_fields; i++)
		if (!value_equal(wanted->fields[i].value, object_value(seen, wanted->fields[i].path)))
			g_error("field %s differs", wanted->fields[i].path);
	for (size_t i = 0; i < seen->n_fields; i++)
		if (!(seen->fields[i].spec->flags & FIELD_OBSERVED) && !object_field(wanted, seen->fields[i].path))
			g_error("field %s was not wanted", seen->fields[i].path);
	g_autofree char *text = fixture->bench->read_file(fixture->bench, first);
	g_assert_cmpstr(text, ==, files[0].content);
}

static void test_changed_file(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *path = fixture->bench->path(fixture->bench, "x.conf");
	struct nf_file file = { .name = "config", .path = path, .content = "a\n", .mode = "0644" };
	struct nf want = ems_sleeping();
	want.files = &file;
	want.n_files = 1;
	gint64 pid = ems_ensure(fixture, &want)->pid;
	file.content = "b\n";
	const struct nf *got = ems_ensure(fixture, &want);
	g_assert_cmpint(got->state, ==, NF_STARTED);
	g_assert_cmpint(got->pid, !=, pid);
	g_autofree char *text = fixture->bench->read_file(fixture->bench, path);
	g_assert_cmpstr(text, ==, "b\n");
	want.n_files = 0;
	ems_ensure(fixture, &want);
	g_assert_null(fixture->bench->read_file(fixture->bench, path));
}

static void test_drift_of_files(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *path = fixture->bench->path(fixture->bench, "x.conf");
	struct nf_file file = { .name = "config", .path = path, .content = "a\n", .mode = "0644" };
	struct nf want = ems_sleeping();
	want.files = &file;
	want.n_files = 1;
	g_autofree char *digest = g_strdup(ems_ensure(fixture, &want)->files[0].digest);
	g_assert_null(ems_observe(fixture)->files[0].content);
	fixture->bench->write_file(fixture->bench, path, "edited\n");
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpstr(seen->files[0].digest, !=, digest);
	g_assert_cmpstr(seen->files[0].content, ==, fixture->bench->tells_texts ? "edited\n" : NULL);
	g_assert_cmpstr(ems_ensure(fixture, &want)->files[0].digest, ==, digest);
	fixture->bench->write_file(fixture->bench, path, NULL);
	g_assert_null(ems_observe(fixture)->files[0].digest);
	g_assert_cmpstr(ems_ensure(fixture, &want)->files[0].digest, ==, digest);
	g_autofree char *text = fixture->bench->read_file(fixture->bench, path);
	g_assert_cmpstr(text, ==, "a\n");
}

static void test_stop(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_sleeping();
	ems_ensure(fixture, &want);
	want.state = NF_STOPPED;
	const struct nf *got = ems_ensure(fixture, &want);
	g_assert_cmpint(got->state, ==, NF_STOPPED);
	g_assert_cmpint(got->pid, ==, 0);
	want.state = NF_STARTED;
	g_assert_cmpint(ems_ensure(fixture, &want)->state, ==, NF_STARTED);
}

static void test_remove(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	g_autofree char *path = fixture->bench->path(fixture->bench, "x.conf");
	struct nf_file file = { .name = "config", .path = path, .content = "a\n", .mode = "0644" };
	struct nf want = ems_sleeping();
	want.files = &file;
	want.n_files = 1;
	ems_ensure(fixture, &want);
	ems_remove(fixture);
	g_assert_null(ems_observe(fixture));
	g_assert_null(fixture->bench->read_file(fixture->bench, path));
	ems_remove(fixture);
}

/* A start that fails says why, in the software's own words, and is never called a success. */
static void test_failing_start(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	static const char *const absent[] = { "no-such-program-at-all", NULL };
	struct nf want = ems_sleeping();
	want.command = absent;
	want.n_command = 1;
	ems_ensure_fails(fixture, &want, PLEACH_ERROR_PERMANENT, "no-such-program-at-all");
	g_assert_cmpint(ems_observe(fixture)->state, ==, NF_FAILED);
	want = ems_script(fixture, "echo 'line 3: what is this?' >&2; exit 1");
	ems_ensure_fails(fixture, &want, PLEACH_ERROR_PERMANENT, "line 3: what is this?");
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpint(seen->state, ==, NF_FAILED);
	g_assert_nonnull(strstr(seen->reason, "line 3: what is this?"));
	want = ems_sleeping();
	const struct nf *got = ems_ensure(fixture, &want);
	g_assert_cmpint(got->state, ==, NF_STARTED);
	g_assert_null(got->reason);
}

static void test_invalid_want(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf_file file = { .name = "config", .path = "relative", .content = "", .mode = "0644" };
	struct nf want = ems_sleeping();
	want.files = &file;
	want.n_files = 1;
	ems_ensure_fails(fixture, &want, PLEACH_ERROR_INVALID, "relative");
	want = ems_sleeping();
	want.state = NF_FAILED;
	ems_ensure_fails(fixture, &want, PLEACH_ERROR_INVALID, NF_KEY);
	g_assert_null(ems_observe(fixture));
}

static void test_killed_process(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_sleeping();
	gint64 pid = ems_ensure(fixture, &want)->pid;
	fixture->bench->kill_process(fixture->bench, pid);
	/* whether the EMS starts it again by itself or we do: in the end it runs, and is not the dead one */
	const struct nf *got = NULL;
	for (int i = 0; i < 100 && (!got || got->pid == pid); i++) {
		g_usleep(10000);
		got = ems_ensure(fixture, &want);
	}
	g_assert_cmpint(got->pid, !=, pid);
	g_assert_cmpint(got->state, ==, NF_STARTED);
}

static void test_log(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_script(fixture, "echo one; echo two >&2; echo three; exec sleep 1000");
	ems_ensure(fixture, &want);
	g_autofree char *all = ems_log_text(fixture, 100), *last = ems_log_text(fixture, 1);
	g_assert_nonnull(strstr(all, "one\n"));
	g_assert_nonnull(strstr(all, "two\n"));
	g_assert_nonnull(strstr(last, "three\n"));
	g_assert_null(strstr(last, "one"));
}

static bool nothing_said(const char *text, size_t length, void *nothing)
{
	return true;
}

/* Nobody answers: an error in time, from every call. */
static void test_vnfc_gone(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	const struct ems_ops *ops = fixture->bench->ops;
	fixture->bench->kill_vnfc(fixture->bench);
	struct nf want = ems_sleeping();
	const struct nf *nf = NULL;
	g_autoptr(GError) error = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	g_assert_false(ops->observe(fixture->ems, &call, fixture->access, NF_KEY, fixture->arena, &nf, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_false(ops->ensure_nf(fixture->ems, &call, fixture->access, &want, NULL, fixture->arena, &nf, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_false(ops->remove_nf(fixture->ems, &call, fixture->access, NF_KEY, &error));
	g_assert_nonnull(error);
	g_clear_error(&error);
	g_assert_false(ops->log(fixture->ems, &call, fixture->access, NF_KEY, 10, false, nothing_said, NULL, &error));
	g_assert_nonnull(error);
}

/* A software that takes its time to stop outlasts a short call: TIMEOUT, then the same call again succeeds. */
static void test_deadline(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_script(fixture, "trap 'sleep 1; exit 0' TERM; while :; do sleep 0.05; done");
	ems_ensure(fixture, &want);
	want.state = NF_STOPPED;
	g_autoptr(GError) error = NULL;
	const struct nf *got = NULL;
	struct call call = ems_call(fixture, SHORT_CALL_MS);
	gint64 begin_us = clock_monotonic_us();
	g_assert_false(fixture->bench->ops->ensure_nf(fixture->ems, &call, fixture->access, &want, NULL, fixture->arena, &got, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_assert_cmpint((clock_monotonic_us() - begin_us) / 1000, <, SHORT_CALL_MS + 500);
	g_assert_cmpint(ems_ensure(fixture, &want)->state, ==, NF_STOPPED);
}

static void test_cancel(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	int fds[2];
	g_assert_cmpint(pipe(fds), ==, 0);
	g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
	g_autoptr(GError) error = NULL;
	struct nf want = ems_sleeping();
	const struct nf *got = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	call.cancel_fd = fds[0];
	g_assert_false(fixture->bench->ops->ensure_nf(fixture->ems, &call, fixture->access, &want, NULL, fixture->arena, &got, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CANCELLED);
	close(fds[0]);
	close(fds[1]);
}

static unsigned has(const struct ems_bench *bench)
{
	return (bench->no_scripts ? 0 : NEEDS_SCRIPTS) | (bench->cut ? NEEDS_CUT : 0) | (bench->ops->measure ? NEEDS_MEASURE : 0);
}

static void add(struct ems_bench *bench, const struct ems_test *tests)
{
	for (size_t i = 0; tests[i].name; i++) {
		if (tests[i].needs & ~has(bench))
			continue;
		g_autofree char *path = g_strdup_printf("/conformance/ems/%s%s%s/%s", bench->ops->name, bench->variant ? "-" : "",
							bench->variant ? bench->variant : "", tests[i].name);
		g_test_add(path, struct fixture, bench, ems_set_up, tests[i].test, ems_tear_down);
	}
}

void conformance_ems_add(struct ems_bench *bench)
{
	static const struct ems_test tests[] = {
		{ "nothing-there", test_nothing_there, 0 },
		{ "start", test_start, 0 },
		{ "idempotent", test_idempotent, 0 },
		{ "observed-equals-wanted", test_observed_equals_wanted, 0 },
		{ "changed-file", test_changed_file, 0 },
		{ "drift-of-files", test_drift_of_files, 0 },
		{ "stop", test_stop, 0 },
		{ "remove", test_remove, 0 },
		{ "failing-start", test_failing_start, 0 },
		{ "invalid-want", test_invalid_want, 0 },
		{ "killed-process", test_killed_process, 0 },
		{ "log", test_log, 0 },
		{ "vnfc-gone", test_vnfc_gone, 0 },
		{ "deadline", test_deadline, 0 },
		{ "cancel", test_cancel, 0 },
		{ NULL, NULL, 0 },
	};
	add(bench, tests);
	add(bench, ems_package_tests);
	add(bench, ems_more_tests);
}
