/* Into a VNFC: commands, connections. */
#include "conformance_vim_kit.h"

#include "base/clock.h"

#include <string.h>
#include <unistd.h>

static int run_in(struct vim_fixture *f, const char *script, char **ret_output)
{
	char *argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, g_strdup(script), NULL };
	int out[2], status = -1;
	g_assert_cmpint(pipe(out), ==, 0);
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	f->ops->exec(f->vim, &call, FW, argv, (int[]) { 0, out[1], out[1] }, &status, &error);
	g_assert_no_error(error);
	close(out[1]);
	char text[4096];
	ssize_t n = read(out[0], text, sizeof(text) - 1);
	close(out[0]);
	*ret_output = g_strndup(text, (gsize) MAX(n, 0));
	g_free(argv[2]);
	return status;
}

void vim_test_exec(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	if (!f.ops->exec) {
		kit_end(&f);
		g_test_skip("this VIM runs no commands");
		return;
	}
	const char *address = kit_make_one(&f)->cps[0].addresses[0];
	g_autofree char *out = NULL, *err = NULL, *host = NULL;
	g_assert_cmpint(run_in(&f, "echo one; echo two >&2; exit 7", &out), ==, 7);
	g_assert_cmpstr(out, ==, "one\ntwo\n");
	g_assert_cmpint(run_in(&f, "kill -TERM $$", &err), ==, 128 + 15);
	g_assert_cmpint(run_in(&f, "hostname; hostname -I", &host), ==, 0);
	g_assert_nonnull(strstr(host, "fw\n"));
	g_assert_nonnull(strstr(host, address));
	char *argv[] = { (char[]) { "/no/such/program" }, NULL };
	int status = 0;
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	g_assert_false(f.ops->exec(f.vim, &call, FW, argv, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	g_assert_false(f.ops->exec(f.vim, &call, "vnfc/no.such.vnfc", argv, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	g_clear_error(&error);
	char *sleeper[] = { (char[]) { "sleep" }, (char[]) { "60" }, NULL };
	struct call brief = { .deadline_us = clock_monotonic_us() + 200000, .cancel_fd = -1 };
	g_assert_false(f.ops->exec(f.vim, &brief, FW, sleeper, (int[]) { 0, 1, 2 }, &status, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	kit_end(&f);
}

void vim_test_connect(const void *data)
{
	struct vim_fixture f;
	if (!kit_begin(&f, data))
		return;
	if (!f.ops->connect) {
		kit_end(&f);
		g_test_skip("this VIM makes no connections");
		return;
	}
	kit_make_one(&f);
	g_autoptr(GError) error = NULL;
	struct call call = kit_in_time();
	int fd = -1;
	g_assert_false(f.ops->connect(f.vim, &call, FW, "127.0.0.1", 9, &fd, &error)); /* nobody listens */
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
	g_clear_error(&error);
	g_assert_false(f.ops->connect(f.vim, &call, FW, "not an address", 9, &fd, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_assert_false(f.ops->connect(f.vim, &call, "vnfc/no.such.vnfc", "127.0.0.1", 9, &fd, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND);
	kit_end(&f);
}
