#include "conformance_ems_kit.h"

#include "base/clock.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

void ems_set_up(struct fixture *fixture, gconstpointer data)
{
	fixture->bench = (struct ems_bench *) (guintptr) data;
	fixture->arena = arena_new();
	g_autofree char *why = NULL;
	fixture->access = fixture->bench->vnfc_new(fixture->bench, &why);
	if (!fixture->access) {
		fixture->skipped = true;
		g_test_skip(why);
		return;
	}
	g_autoptr(GError) error = NULL;
	fixture->site = (struct site) { .name = "berlin", .owner = "tests" };
	fixture->which = (struct driver_ref) { .name = "agent", .driver = fixture->bench->ops->name };
	if (fixture->bench->describe)
		fixture->bench->describe(fixture->bench, &fixture->which);
	fixture->ems = fixture->bench->ops->open(&fixture->site, &fixture->which, &error);
	g_assert_no_error(error);
	g_assert_nonnull(fixture->ems);
}

void ems_tear_down(struct fixture *fixture, gconstpointer data)
{
	if (!fixture->skipped) {
		fixture->bench->ops->close(fixture->ems);
		fixture->bench->vnfc_free(fixture->bench);
	}
	arena_unref(fixture->arena);
}

struct call ems_call(struct fixture *fixture, gint64 ms)
{
	return (struct call) { .deadline_us = clock_monotonic_us() + ms * 1000, .cancel_fd = -1, .lookup = fixture->bench->lookup };
}

const struct nf *ems_observe(struct fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	const struct nf *seen = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	bool ok = fixture->bench->ops->observe(fixture->ems, &call, fixture->access, NF_KEY, fixture->arena, &seen, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	return seen;
}

const struct nf *ems_ensure_with(struct fixture *fixture, const struct nf *want, const struct package *package)
{
	g_autoptr(GError) error = NULL;
	const struct nf *got = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	bool ok = fixture->bench->ops->ensure_nf(fixture->ems, &call, fixture->access, want, package, fixture->arena, &got, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	g_assert_nonnull(got);
	return got;
}

const struct nf *ems_ensure(struct fixture *fixture, const struct nf *want)
{
	return ems_ensure_with(fixture, want, NULL);
}

char *ems_ensure_fails_with(struct fixture *fixture, const struct nf *want, const struct package *package, enum pleach_error code,
			    const char *words)
{
	g_autoptr(GError) error = NULL;
	const struct nf *got = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	g_assert_false(fixture->bench->ops->ensure_nf(fixture->ems, &call, fixture->access, want, package, fixture->arena, &got, &error));
	g_assert_error(error, PLEACH_ERROR, (int) code);
	g_assert_null(got);
	if (!strstr(error->message, words))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
	return arena_strdup(fixture->arena, error->message);
}

void ems_ensure_fails(struct fixture *fixture, const struct nf *want, enum pleach_error code, const char *words)
{
	ems_ensure_fails_with(fixture, want, NULL, code, words);
}

void ems_remove(struct fixture *fixture)
{
	g_autoptr(GError) error = NULL;
	struct call call = ems_call(fixture, CALL_MS);
	bool ok = fixture->bench->ops->remove_nf(fixture->ems, &call, fixture->access, NF_KEY, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
}

static const char *const sleeper[] = { "sleep", "1000", NULL };

struct nf ems_sleeping(void)
{
	return (struct nf) {
		.key = NF_KEY, .site = "berlin", .incarnation = 1, .state = NF_STARTED, .ems = "agent", .stateful = true,
		.command = sleeper, .n_command = 2,
	};
}

struct nf ems_script(struct fixture *fixture, const char *text)
{
	const char **command = ARENA_ARRAY(fixture->arena, const char *, 4);
	command[0] = "sh";
	command[1] = "-c";
	command[2] = text;
	struct nf nf = ems_sleeping();
	nf.command = command;
	nf.n_command = 3;
	return nf;
}


static bool take_piece(const char *text, size_t length, void *data)
{
	g_string_append_len(data, text, (gssize) length);
	return true;
}

char *ems_log_text(struct fixture *fixture, unsigned lines)
{
	g_autoptr(GError) error = NULL;
	GString *text = g_string_new(NULL);
	struct call call = ems_call(fixture, CALL_MS);
	bool ok = fixture->bench->ops->log(fixture->ems, &call, fixture->access, NF_KEY, lines, false, take_piece, text, &error);
	g_assert_no_error(error);
	g_assert_true(ok);
	return g_string_free(text, FALSE);
}

/* --- for benches whose VNFC is a folder and processes of this machine ------------------------------------------------------- */

void ems_write_file(struct ems_bench *bench, const char *path, const char *content)
{
	if (content)
		g_assert_true(g_file_set_contents(path, content, -1, NULL));
	else
		g_assert_cmpint(g_unlink(path), ==, 0);
}

char *ems_read_file(struct ems_bench *bench, const char *path)
{
	char *text = NULL;
	g_file_get_contents(path, &text, NULL, NULL);
	return text;
}

void ems_kill_process(struct ems_bench *bench, gint64 pid)
{
	g_assert_cmpint(kill((pid_t) pid, SIGKILL), ==, 0);
}
