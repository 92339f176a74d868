/* pleach-leaf as a process, through its HTTP interface: what it does with programs. */
#include "leaf/supervisor.h"
#include "leaf_process.h"

#include <stdint.h>

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

static const struct leaf_status *decode(struct fixture *fixture, const char *text)
{
	g_autoptr(GError) error = NULL;
	const struct leaf_status *status = leaf_status_decode(fixture->arena, text, strlen(text), &error);
	g_assert_no_error(error);
	return status;
}

static const struct leaf_nf *look(struct fixture *fixture)
{
	unsigned http = 0;
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "GET", "/v1/status", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
	return decode(fixture, text)->nf;
}

static struct leaf_nf wanted(const char *const *command)
{
	return (struct leaf_nf) {
		.key = "nf/edge.fw.vdu.0",
		.incarnation = 1,
		.state = LEAF_STARTED,
		.command = command,
		.n_command = g_strv_length((char **) (uintptr_t) command),
	};
}

static const struct leaf_nf *put(struct fixture *fixture, const struct leaf_nf *nf)
{
	g_autoptr(GError) error = NULL;
	unsigned http = 0;
	size_t length = 0;
	g_autofree char *body = leaf_nf_encode(nf, LEAF_PROTOCOL_VERSION, &length, &error);
	g_assert_no_error(error);
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "PUT", "/v1/nf", body, &http);
	/* one change at a time */
	for (int i = 0; i < LEAF_PROCESS_WAIT_MS / 5 && http == 503; i++) {
		g_usleep(5000);
		g_free(text);
		text = leaf_process_ask(&fixture->leaf, "PUT", "/v1/nf", body, &http);
	}
	if (http != 200)
		g_error("%u: %s", http, text);
	return decode(fixture, text)->nf;
}

static const struct leaf_nf *put_script(struct fixture *fixture, const char *script)
{
	const char *const command[] = { "sh", "-c", script, NULL };
	struct leaf_nf nf = wanted(command);
	return put(fixture, &nf);
}

static const struct leaf_nf *wait_for(struct fixture *fixture, enum leaf_state state)
{
	const struct leaf_nf *nf = NULL;
	for (int i = 0; i < LEAF_PROCESS_WAIT_MS / 5; i++) {
		nf = look(fixture);
		if (nf && nf->state == state)
			return nf;
		g_usleep(5000);
	}
	g_error("it is not %s but %s", leaf_state_name(state), nf ? leaf_state_name(nf->state) : "gone");
}

static char *log_of(struct fixture *fixture)
{
	unsigned http = 0;
	char *text = leaf_process_ask(&fixture->leaf, "GET", "/v1/nf/log?lines=1000", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
	return text;
}

static void wait_for_gone(pid_t pid)
{
	for (int i = 0; i < LEAF_PROCESS_WAIT_MS / 5 && leaf_process_lives(pid); i++)
		g_usleep(5000);
	g_assert_false(leaf_process_lives(pid));
}

static void test_start_and_again(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	g_assert_null(look(fixture));
	g_assert_cmpint(put_script(fixture, "echo out; echo err >&2; exec sleep 100")->state, ==, LEAF_STARTING);
	const struct leaf_nf *nf = wait_for(fixture, LEAF_STARTED);
	g_assert_cmpint(nf->pid, >, 0);
	g_assert_true(leaf_process_lives((pid_t) nf->pid));
	g_assert_null(nf->reason);
	/* a session and a group of its own */
	g_assert_cmpint(getpgid((pid_t) nf->pid), ==, nf->pid);
	g_assert_cmpint(getsid((pid_t) nf->pid), ==, nf->pid);
	g_autofree char *log = log_of(fixture);
	g_assert_nonnull(strstr(log, " out\n"));
	g_assert_nonnull(strstr(log, " err\n"));

	const struct leaf_nf *again = put_script(fixture, "echo out; echo err >&2; exec sleep 100");
	g_assert_cmpint(again->state, ==, LEAF_STARTED);
	g_assert_cmpint(again->pid, ==, nf->pid);
	g_assert_cmpint(again->restarts, ==, 0);
}

/* A small clean environment, and none of our descriptors. */
static void test_what_it_is_given(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *const env[] = { "env", NULL }, *const where[] = { "pwd", NULL };
	/* neither ever worked: they stay as they failed */
	struct leaf_nf nf = wanted(env);
	put(fixture, &nf);
	while (!(look(fixture)->reason && strcmp(look(fixture)->command[0], "env") == 0))
		g_usleep(5000);
	const char *reason = look(fixture)->reason;
	g_assert_true(g_str_has_suffix(reason, ": PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin / HOME=/ / "
					       "LANG=C.UTF-8 / PLEACH_KEY=nf/edge.fw.vdu.0"));
	nf = wanted(where);
	put(fixture, &nf);
	g_assert_true(g_str_has_suffix(wait_for(fixture, LEAF_FAILED)->reason, ": /"));
	/* the shell reads the folder through a descriptor of its own, 3 */
	put_script(fixture, "cd /proc/self/fd; echo fds: *; readlink 0; pwd; exec sleep 100");
	wait_for(fixture, LEAF_STARTED);
	g_autofree char *log = log_of(fixture);
	g_assert_nonnull(strstr(log, "fds: 0 1 2 3\n"));
	g_assert_nonnull(strstr(log, " /dev/null\n"));
}

static void test_changed_command_restarts(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "exec sleep 100");
	pid_t before = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	put_script(fixture, "exec sleep 101");
	const struct leaf_nf *nf = wait_for(fixture, LEAF_STARTED);
	for (int i = 0; i < 1000 && nf->pid == before; i++)
		nf = wait_for(fixture, LEAF_STARTED);
	g_assert_cmpint(nf->pid, !=, before);
	g_assert_false(leaf_process_lives(before));
	g_assert_cmpint(nf->restarts, ==, 0);
	g_assert_cmpstr(nf->command[2], ==, "exec sleep 101");
}

static void test_stop_and_start(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *const command[] = { "sleep", "100", NULL };
	struct leaf_nf nf = wanted(command);
	put(fixture, &nf);
	pid_t pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	nf.state = LEAF_STOPPED;
	put(fixture, &nf);
	g_assert_cmpint(wait_for(fixture, LEAF_STOPPED)->pid, ==, 0);
	g_assert_false(leaf_process_lives(pid));
	g_usleep(2 * RESTART_MIN_MS * 1000);
	g_assert_cmpint(look(fixture)->state, ==, LEAF_STOPPED);
	nf.state = LEAF_STARTED;
	put(fixture, &nf);
	wait_for(fixture, LEAF_STARTED);
}

static void test_cannot_run(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *const absent[] = { "no-such-program-at-all", NULL };
	struct leaf_nf nf = wanted(absent);
	const struct leaf_nf *seen = put(fixture, &nf);
	g_assert_cmpint(seen->state, ==, LEAF_FAILED);
	g_assert_nonnull(strstr(seen->reason, "cannot run \"no-such-program-at-all\": no such program"));
	const char *const folder[] = { "/etc", NULL };
	nf = wanted(folder);
	seen = put(fixture, &nf);
	g_assert_cmpint(seen->state, ==, LEAF_FAILED);
	g_assert_nonnull(strstr(seen->reason, "cannot run \"/etc\": Permission denied"));
	/* mended: it runs */
	put_script(fixture, "exec sleep 100");
	g_assert_null(wait_for(fixture, LEAF_STARTED)->reason);
}

static void test_ends_at_once(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "echo reading /etc/x.conf; echo 'line 3: what is this?' >&2; exit 7");
	const struct leaf_nf *nf = wait_for(fixture, LEAF_FAILED);
	g_assert_nonnull(strstr(nf->reason, "exit status 7 after "));
	g_assert_nonnull(strstr(nf->reason, ": reading /etc/x.conf / line 3: what is this?"));
	put_script(fixture, "exit 0");
	nf = wait_for(fixture, LEAF_FAILED);
	g_assert_nonnull(strstr(nf->reason, "exit status 0 after "));
	g_assert_nonnull(strstr(nf->reason, "stay in the foreground"));
	put_script(fixture, "kill -SEGV $$");
	nf = wait_for(fixture, LEAF_FAILED);
	g_assert_nonnull(strstr(nf->reason, "signal 11 (Segmentation fault)"));
}

/* A program that always ends is started less and less often, and never called started. */
static void test_back_off(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "echo try; exit 1");
	gint64 begin_us = g_get_monotonic_time();
	while (g_get_monotonic_time() - begin_us < 1000 * 1000) {
		enum leaf_state state = look(fixture)->state;
		g_assert_true(state == LEAF_STARTING || state == LEAF_FAILED);
		g_usleep(10000);
	}
	/* at 0, 100, 300, 700 ms: four in the first second, fewer on a slow machine */
	const struct leaf_nf *nf = look(fixture);
	g_assert_cmpint(nf->restarts, >=, 1);
	g_assert_cmpint(nf->restarts, <=, 3);
	/* asked again, it is tried at once, and its restarts are forgotten only when it changes */
	g_autofree char *before = log_of(fixture);
	put_script(fixture, "echo try; exit 1");
	g_autofree char *after = log_of(fixture);
	g_assert_cmpuint(strlen(after), >, strlen(before));
	g_assert_cmpint(look(fixture)->restarts, >=, nf->restarts);
	put_script(fixture, "exec sleep 100");
	g_assert_cmpint(wait_for(fixture, LEAF_STARTED)->restarts, ==, 0);
}

static void test_killed_comes_back(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "sleep 100 & echo child $!; wait");
	pid_t pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	g_autofree char *log = log_of(fixture);
	pid_t child = (pid_t) g_ascii_strtoll(strstr(log, "child ") + strlen("child "), NULL, 10);
	g_assert_true(leaf_process_lives(child));
	kill(pid, SIGKILL);
	const struct leaf_nf *nf = wait_for(fixture, LEAF_FAILED);
	g_assert_nonnull(strstr(nf->reason, "signal 9 (Killed)"));
	nf = wait_for(fixture, LEAF_STARTED);
	g_assert_cmpint(nf->pid, !=, pid);
	g_assert_cmpint(nf->restarts, ==, 1);
	wait_for_gone(child); /* the whole group went with it */
}

/* What ignores SIGTERM is killed after the grace; orphans are reaped. */
static void test_stubborn(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "trap '' TERM; (setsid sh -c 'echo orphan $$; exec sleep 0.2' &); while :; do sleep 0.05; done");
	pid_t pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	g_autofree char *log = log_of(fixture);
	pid_t orphan = (pid_t) g_ascii_strtoll(strstr(log, "orphan ") + strlen("orphan "), NULL, 10);
	for (int i = 0; i < 1000 && kill(orphan, 0) == 0; i++)
		g_usleep(5000);
	g_assert_cmpint(kill(orphan, 0), ==, -1); /* not even a zombie */
	gint64 begin_us = g_get_monotonic_time();
	g_assert_cmpint(leaf_process_end(&fixture->leaf), ==, 0);
	gint64 took_ms = (g_get_monotonic_time() - begin_us) / 1000;
	g_assert_cmpint(took_ms, >=, END_GRACE_MS - 100);
	g_assert_cmpint(took_ms, <, END_GRACE_MS + 3000);
	g_assert_false(leaf_process_lives(pid));
	leaf_process_start(&fixture->leaf);
}

static void test_files_and_delete(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *path = arena_printf(fixture->arena, "%s/etc/x.conf", fixture->leaf.folder);
	const char *other = arena_printf(fixture->arena, "%s/etc/y.conf", fixture->leaf.folder);
	struct leaf_file files[] = { { .name = "x", .path = path, .mode = "0644", .content = "one" },
				     { .name = "y", .path = other, .mode = "0644", .content = "y" } };
	const char *const command[] = { "sleep", "100", NULL };
	struct leaf_nf nf = wanted(command);
	nf.files = files;
	nf.n_files = 2;
	put(fixture, &nf);
	pid_t pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;

	/* edited by hand: seen, and put right with a restart */
	g_assert_true(g_file_set_contents(path, "edited", -1, NULL));
	g_autofree char *edited = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "edited", -1);
	g_autofree char *one = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "one", -1);
	g_assert_cmpstr(look(fixture)->files[0].digest, ==, edited);
	put(fixture, &nf);
	g_assert_cmpstr(look(fixture)->files[0].digest, ==, one);
	wait_for_gone(pid);
	pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	g_unlink(path);
	g_assert_null(look(fixture)->files[0].digest);

	/* one file less: that one is taken away */
	nf.n_files = 1;
	put(fixture, &nf);
	wait_for_gone(pid);
	pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	g_assert_false(g_file_test(other, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));

	unsigned http = 0;
	g_autofree char *wrong = leaf_process_ask(&fixture->leaf, "DELETE", "/v1/nf?key=nf/another.0", NULL, &http);
	g_assert_cmpuint(http, ==, 409);
	g_autofree char *right = leaf_process_ask(&fixture->leaf, "DELETE", "/v1/nf?key=nf/edge.fw.vdu.0", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
	for (int i = 0; i < 1000 && look(fixture); i++)
		g_usleep(5000);
	g_assert_null(look(fixture));
	g_assert_false(leaf_process_lives(pid));
	g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
	g_autofree char *absent = leaf_process_ask(&fixture->leaf, "DELETE", "/v1/nf", NULL, &http);
	g_assert_cmpuint(http, ==, 200);
}

static void test_without_a_process(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	const char *const none[] = { NULL };
	const char *path = arena_printf(fixture->arena, "%s/rules.nft", fixture->leaf.folder);
	struct leaf_file file = { .name = "rules", .path = path, .mode = "0600", .content = "flush ruleset\n" };
	struct leaf_nf nf = wanted(none);
	nf.files = &file;
	nf.n_files = 1;
	g_assert_cmpint(put(fixture, &nf)->state, ==, LEAF_STARTED);
	g_assert_cmpint(look(fixture)->pid, ==, 0);
	nf.state = LEAF_STOPPED;
	g_assert_cmpint(put(fixture, &nf)->state, ==, LEAF_STOPPED);
}

static void test_one_nf_only(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "exec sleep 100");
	pid_t pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	const char *const command[] = { "true", NULL };
	struct leaf_nf nf = wanted(command);
	nf.key = "nf/another.0";
	size_t length = 0;
	unsigned http = 0;
	g_autofree char *body = leaf_nf_encode(&nf, LEAF_PROTOCOL_VERSION, &length, NULL);
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "PUT", "/v1/nf", body, &http);
	g_assert_cmpuint(http, ==, 409);
	g_assert_nonnull(strstr(text, "nf/edge.fw.vdu.0 is in this VNF already"));
	g_assert_cmpint(look(fixture)->pid, ==, pid);
}

/* A refused file leaves the former NF in force, untouched. */
static void test_refused_change(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture, "exec sleep 100");
	pid_t pid = (pid_t) wait_for(fixture, LEAF_STARTED)->pid;
	const char *const command[] = { "true", NULL };
	struct leaf_file file = { .name = "x", .path = fixture->leaf.folder, .mode = "0644", .content = "" };
	struct leaf_nf nf = wanted(command);
	nf.files = &file;
	nf.n_files = 1;
	size_t length = 0;
	unsigned http = 0;
	g_autofree char *body = leaf_nf_encode(&nf, LEAF_PROTOCOL_VERSION, &length, NULL);
	g_autofree char *text = leaf_process_ask(&fixture->leaf, "PUT", "/v1/nf", body, &http);
	g_assert_cmpuint(http, ==, 409);
	g_assert_nonnull(strstr(text, "is a folder"));
	const struct leaf_nf *seen = look(fixture);
	g_assert_cmpint(seen->pid, ==, pid);
	g_assert_cmpuint(seen->n_files, ==, 0);
	g_assert_cmpstr(seen->command[0], ==, "sh");
}

static void test_flood_is_bounded(struct fixture *fixture, gconstpointer data)
{
	if (fixture->missing)
		return;
	put_script(fixture,
		   "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done");
	wait_for(fixture, LEAF_STARTED);
	g_usleep(300000);
	g_autofree char *log = log_of(fixture);
	g_assert_cmpuint(strlen(log), <=, 2 * OUTPUT_MAX_BYTES);
	const char *const quiet[] = { "sleep", "100", NULL };
	struct leaf_nf nf = wanted(quiet);
	put(fixture, &nf); /* it still answers, and still obeys */
	for (int i = 0; i < 1000 && strcmp(wait_for(fixture, LEAF_STARTED)->command[0], "sleep") != 0; i++)
		g_usleep(5000);
}

#define ADD(name, function) g_test_add("/leaf/supervise/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("start-and-again", test_start_and_again);
	ADD("what-it-is-given", test_what_it_is_given);
	ADD("changed-command-restarts", test_changed_command_restarts);
	ADD("stop-and-start", test_stop_and_start);
	ADD("cannot-run", test_cannot_run);
	ADD("ends-at-once", test_ends_at_once);
	ADD("back-off", test_back_off);
	ADD("killed-comes-back", test_killed_comes_back);
	ADD("stubborn", test_stubborn);
	ADD("files-and-delete", test_files_and_delete);
	ADD("without-a-process", test_without_a_process);
	ADD("one-nf-only", test_one_nf_only);
	ADD("refused-change", test_refused_change);
	ADD("flood-is-bounded", test_flood_is_bounded);
	return g_test_run();
}
