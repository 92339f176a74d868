/* Operations and packages: install, check, configure, start, stop, reload, uninstall, another package, and what is taken back. */
#include "conformance_ems_kit.h"

#include "base/clock.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { LATE_MS = 500, ENDLESS_ERROR_MAX_BYTES = 8192, WAIT_MS = 5000 };

/* An NF without a process: its scripts write what they do to a trace, and "up" is there while it runs. */
struct shop {
	struct fixture *fixture;
	char *trace, *up, *config;
	struct nf_file file;
	struct nf nf;
	const struct package *package;
	const char *scripts[NF_N_VERBS]; /* text; NULL: none */
	const char *extra;               /* makes another package of it */
	unsigned timeout_ms;
};

static void shop_begin(struct shop *shop, struct fixture *fixture)
{
	struct arena *arena = fixture->arena;
	g_autofree char *trace = fixture->bench->path(fixture->bench, "trace"), *up = fixture->bench->path(fixture->bench, "up");
	g_autofree char *config = fixture->bench->path(fixture->bench, "x.conf");
	*shop = (struct shop) { .fixture = fixture, .timeout_ms = 10000, .extra = "1" };
	shop->trace = arena_strdup(arena, trace);
	shop->up = arena_strdup(arena, up);
	shop->config = arena_strdup(arena, config);
	for (unsigned i = 0; i < NF_N_VERBS; i++)
		shop->scripts[i] = arena_printf(arena, "mkdir -p \"$(dirname %s)\"\necho %s >>%s\n", trace, nf_verb_name((enum nf_verb) i), trace);
	shop->scripts[NF_START] = arena_printf(arena, "echo start >>%s\n: >%s\n", trace, up);
	shop->scripts[NF_STOP] = arena_printf(arena, "echo stop >>%s\nrm -f %s\n", trace, up);
	shop->scripts[NF_STATUS] = arena_printf(arena, "[ -e %s ] || exit 3\n", up);
	shop->scripts[NF_VERB_CHECK] = arena_printf(arena, "echo check >>%s\nif grep -q bad \"$PLEACH_NEW%s\"; then\n\techo 'line 1: bad' >&2\n"
						    "\texit 2\nfi\n", trace, config);
	shop->file = (struct nf_file) { .name = "config", .path = shop->config, .content = "good\n", .mode = "0644" };
}

/* Its NF as its fields now say; all of it in the fixture's arena. */
static const struct nf *shop_want(struct shop *shop)
{
	struct arena *arena = shop->fixture->arena;
	struct package_file files[NF_N_VERBS + 1];
	size_t n = 0;
	g_autoptr(GError) error = NULL;
	struct nf former = shop->nf;
	shop->nf = ems_sleeping();
	shop->nf.n_command = former.n_command;
	shop->nf.command = former.command;
	shop->nf.state = former.state;
	shop->nf.health_check = former.health_check;
	shop->nf.secrets = former.secrets;
	shop->nf.n_secrets = former.n_secrets;
	for (unsigned i = 0; i < NF_N_VERBS; i++) {
		if (!shop->scripts[i])
			continue;
		const char *path = arena_printf(arena, "scripts/%s", nf_verb_name((enum nf_verb) i));
		files[n++] = (struct package_file) { .path = path, .executable = false,
						     .bytes = g_bytes_new(shop->scripts[i], strlen(shop->scripts[i])) };
		shop->nf.operations[i] = (struct nf_operation) { .script = path, .timeout_ms = shop->timeout_ms,
								 .inputs = former.operations[i].inputs,
								 .n_inputs = former.operations[i].n_inputs };
	}
	files[n++] = (struct package_file) { .path = "data/extra", .bytes = g_bytes_new(shop->extra, strlen(shop->extra)) };
	shop->package = package_make(arena, files, n, &error);
	g_assert_no_error(error);
	for (size_t i = 0; i < n; i++)
		g_bytes_unref(files[i].bytes);
	shop->nf.package = shop->package->digest;
	shop->nf.files = &shop->file;
	shop->nf.n_files = shop->file.path ? 1 : 0;
	return &shop->nf;
}

static const struct nf *shop_ensure(struct shop *shop)
{
	const struct nf *want = shop_want(shop);
	return ems_ensure_with(shop->fixture, want, shop->package);
}

static char *shop_fails(struct shop *shop, const char *words)
{
	const struct nf *want = shop_want(shop);
	return ems_ensure_fails_with(shop->fixture, want, shop->package, PLEACH_ERROR_PERMANENT, words);
}

/* What has been done since it was last asked. */
static char *shop_trace(struct shop *shop)
{
	struct ems_bench *bench = shop->fixture->bench;
	g_autofree char *text = bench->read_file(bench, shop->trace);
	if (!text)
		return arena_strdup(shop->fixture->arena, "");
	bench->write_file(bench, shop->trace, NULL);
	return arena_strdup(shop->fixture->arena, g_strdelimit(g_strchomp(text), "\n", ' '));
}

static void assert_content(struct shop *shop, const char *content)
{
	g_autofree char *text = shop->fixture->bench->read_file(shop->fixture->bench, shop->config);
	g_assert_cmpstr(text, ==, content);
}

#define BEGIN(shop) \
	if (fixture->skipped) \
		return; \
	struct shop shop; \
	shop_begin(&shop, fixture)

/* --- every verb ------------------------------------------------------------------------------------------------------------------ */

static void test_lifecycle(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	const struct nf *got = shop_ensure(&shop);
	g_assert_cmpint(got->state, ==, NF_STARTED);
	g_assert_cmpint(got->pid, ==, 0);
	g_assert_cmpstr(got->package, ==, shop.package->digest);
	g_assert_cmpstr(shop_trace(&shop), ==, "create check configure start");
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "");
	shop.file.content = "better\n";
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "check configure reload");
	assert_content(&shop, "better\n");
	shop.nf.state = NF_STOPPED;
	g_assert_cmpint(shop_ensure(&shop)->state, ==, NF_STOPPED);
	g_assert_cmpstr(shop_trace(&shop), ==, "stop");
	shop.nf.state = NF_STARTED;
	g_assert_cmpint(shop_ensure(&shop)->state, ==, NF_STARTED);
	g_assert_cmpstr(shop_trace(&shop), ==, "start");
	ems_remove(fixture);
	g_assert_cmpstr(shop_trace(&shop), ==, "stop delete");
	g_assert_null(ems_observe(fixture));
	g_assert_null(fixture->bench->read_file(fixture->bench, shop.config));
}

static void test_package_observed_as_wanted(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	static const struct nf_input inputs[] = { { "A", "one two\n$HOME 'x' \\", NULL }, { "B", "", NULL } };
	shop.nf.operations[NF_CONFIGURE].inputs = inputs;
	shop.nf.operations[NF_CONFIGURE].n_inputs = G_N_ELEMENTS(inputs);
	shop.scripts[NF_CONFIGURE] = arena_printf(fixture->arena, "printf '%%s|%%s|%%s|%%s|%%s' \"$A\" \"$B\" \"$PLEACH_OPERATION\" \"$PLEACH_KEY\" "
						  "\"$(cat \"$PLEACH_PACKAGE/data/extra\")\" >>%s\n", shop.trace);
	shop_ensure(&shop);
	g_autofree char *trace = fixture->bench->read_file(fixture->bench, shop.trace);
	g_assert_nonnull(strstr(trace, "one two\n$HOME 'x' \\||configure|" NF_KEY "|1start"));
	const struct object *wanted = nf_to_object(fixture->arena, &shop.nf), *seen = nf_to_object(fixture->arena, ems_observe(fixture));
	for (size_t i = 0; i < wanted->n_fields; i++)
		if (!value_equal(wanted->fields[i].value, object_value(seen, wanted->fields[i].path)))
			g_error("field %s differs", wanted->fields[i].path);
}

static void test_changed_input(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	static const struct nf_input before = { "RATE", "10", NULL }, after = { "RATE", "20", NULL };
	shop.scripts[NF_CONFIGURE] = arena_printf(fixture->arena, "echo rate-$RATE >>%s\n", shop.trace);
	shop.nf.operations[NF_CONFIGURE].inputs = &before;
	shop.nf.operations[NF_CONFIGURE].n_inputs = 1;
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "create check rate-10 start");
	shop.nf.operations[NF_CONFIGURE].inputs = &after;
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "check rate-20 reload");
}

/* A process goes on, is told, or is a new one: as the file asks. */
static void test_on_change(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.nf.command = ems_sleeping().command;
	shop.nf.n_command = ems_sleeping().n_command;
	gint64 pid = shop_ensure(&shop)->pid;
	g_assert_cmpint(pid, >, 0);
	shop_trace(&shop);
	shop.file.content = "2\n";
	g_assert_cmpint(shop_ensure(&shop)->pid, ==, pid);
	g_assert_cmpstr(shop_trace(&shop), ==, "check configure reload");
	shop.file.content = "3\n";
	shop.file.on_change = NF_LEAVE;
	g_assert_cmpint(shop_ensure(&shop)->pid, ==, pid);
	g_assert_cmpstr(shop_trace(&shop), ==, "check configure");
	shop.file.content = "4\n";
	shop.file.on_change = NF_RESTART;
	g_assert_cmpint(shop_ensure(&shop)->pid, !=, pid);
	g_assert_cmpstr(shop_trace(&shop), ==, "check configure stop start");
}

/* --- what never takes effect ------------------------------------------------------------------------------------------------------ */

static void test_bad_configuration(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.nf.command = ems_sleeping().command;
	shop.nf.n_command = ems_sleeping().n_command;
	gint64 pid = shop_ensure(&shop)->pid;
	shop_trace(&shop);
	shop.file.content = "bad\n";
	const char *said = shop_fails(&shop, "line 1: bad");
	g_assert_nonnull(strstr(said, "check"));
	g_assert_nonnull(strstr(said, "exit status 2"));
	g_assert_cmpstr(shop_trace(&shop), ==, "check");
	assert_content(&shop, "good\n");
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpint(seen->pid, ==, pid);
	g_assert_cmpint(seen->state, ==, NF_STARTED);
	shop.file.content = "good\n";
	g_assert_cmpint(shop_ensure(&shop)->pid, ==, pid);
	g_assert_cmpstr(shop_trace(&shop), ==, "");
}

static void test_bad_first_configuration(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.file.content = "bad\n";
	shop_fails(&shop, "line 1: bad");
	g_assert_null(fixture->bench->read_file(fixture->bench, shop.config));
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpint(seen->state, ==, NF_FAILED);
	g_assert_nonnull(strstr(seen->reason, "line 1: bad"));
	shop.file.content = "good\n";
	g_assert_cmpint(shop_ensure(&shop)->state, ==, NF_STARTED);
	assert_content(&shop, "good\n");
}

static void test_failing_configure(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.scripts[NF_CONFIGURE] = arena_printf(fixture->arena, "if grep -q worse %s; then\n\techo 'cannot take it' >&2\n\texit 4\nfi\n",
						  shop.config);
	shop_ensure(&shop);
	shop.file.content = "worse\n";
	const char *said = shop_fails(&shop, "cannot take it");
	g_assert_nonnull(strstr(said, "configure"));
	assert_content(&shop, "good\n");
	g_assert_cmpint(ems_observe(fixture)->state, ==, NF_STARTED);
	shop.file.content = "good\n";
	shop_trace(&shop);
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "");
}

static void test_failing_create(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	const char *good = shop.scripts[NF_CREATE];
	shop.scripts[NF_CREATE] = "echo 'no room here' >&2; exit 7\n";
	const char *said = shop_fails(&shop, "no room here");
	g_assert_nonnull(strstr(said, "create"));
	g_assert_cmpint(ems_observe(fixture)->state, ==, NF_FAILED);
	shop.scripts[NF_CREATE] = good;
	g_assert_cmpint(shop_ensure(&shop)->state, ==, NF_STARTED);
}

/* --- another package -------------------------------------------------------------------------------------------------------------- */

static void test_changed_package(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.scripts[NF_CREATE] = arena_printf(fixture->arena, "mkdir -p \"$(dirname %s)\"\necho create-$(cat data/extra) >>%s\n", shop.trace,
					       shop.trace);
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "create-1 check configure start");
	shop.extra = "2";
	const struct nf *got = shop_ensure(&shop);
	g_assert_cmpstr(got->package, ==, shop.package->digest);
	g_assert_cmpstr(shop_trace(&shop), ==, "stop create-2 check configure start");
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "");
}

static const struct nf_health_check by_status = {
	.type = NF_CHECK_STATUS, .interval_ms = 100, .timeout_ms = 1000, .failures = 2,
};

/* A package that does not become healthy is taken back, with its files. */
static void test_sick_package(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.nf.health_check = by_status;
	shop.nf.command = ems_sleeping().command;
	shop.nf.n_command = ems_sleeping().n_command;
	const char *status = shop.scripts[NF_STATUS];
	const struct nf *got = shop_ensure(&shop);
	g_assert_cmpint(got->health, ==, NF_HEALTHY);
	g_autofree char *former = g_strdup(shop.package->digest);
	shop.scripts[NF_STATUS] = "echo 'I feel sick' >&2; exit 1\n";
	shop.file.content = "newer\n";
	const char *said = shop_fails(&shop, "I feel sick");
	g_assert_nonnull(strstr(said, "taken back"));
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpstr(seen->package, ==, former);
	g_assert_cmpint(seen->state, ==, NF_STARTED);
	g_assert_cmpint(seen->health, ==, NF_HEALTHY);
	g_assert_cmpint(seen->pid, >, 0);
	assert_content(&shop, "good\n");
	shop.scripts[NF_STATUS] = status;
	shop.file.content = "good\n";
	shop_trace(&shop);
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "");
}

/* A command that does not start is taken back, too. */
static void test_bad_command(struct fixture *fixture, gconstpointer data)
{
	if (fixture->skipped)
		return;
	struct nf want = ems_sleeping();
	ems_ensure(fixture, &want);
	struct nf bad = ems_script(fixture, "echo 'cannot bind' >&2; exit 1");
	const char *said = ems_ensure_fails_with(fixture, &bad, NULL, PLEACH_ERROR_PERMANENT, "cannot bind");
	g_assert_nonnull(strstr(said, "taken back"));
	const struct nf *seen = ems_observe(fixture);
	g_assert_cmpint(seen->state, ==, NF_STARTED);
	g_assert_cmpstr(seen->command[0], ==, "sleep");
}

static void test_unhealthy(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.nf.health_check = by_status;
	shop_ensure(&shop);
	shop_trace(&shop);
	fixture->bench->write_file(fixture->bench, shop.up, NULL); /* its status says that it is stopped */
	const struct nf *seen = NULL;
	gint64 until_us = clock_monotonic_us() + WAIT_MS * 1000;
	do {
		g_usleep(50000);
		seen = ems_observe(fixture);
	} while (seen->state == NF_STARTED && seen->health != NF_UNHEALTHY && clock_monotonic_us() < until_us);
	g_assert_true(seen->state != NF_STARTED || seen->health == NF_UNHEALTHY);
	const struct nf *got = shop_ensure(&shop);
	g_assert_cmpint(got->state, ==, NF_STARTED);
	g_assert_cmpint(got->health, ==, NF_HEALTHY);
	g_assert_nonnull(strstr(shop_trace(&shop), "start"));
}

/* --- bounds ------------------------------------------------------------------------------------------------------------------------- */

static bool lives(struct shop *shop, const char *path)
{
	g_autofree char *text = shop->fixture->bench->read_file(shop->fixture->bench, path);
	g_assert_nonnull(text);
	pid_t pid = (pid_t) g_ascii_strtoll(text, NULL, 10);
	g_autofree char *stat = g_strdup_printf("/proc/%d/stat", pid), *line = NULL;
	if (!g_file_get_contents(stat, &line, NULL, NULL))
		return false;
	const char *after = strrchr(line, ')');
	return after && after[2] != 'Z' && after[2] != 'X';
}

static void assert_ends(struct shop *shop, const char *path)
{
	gint64 until_us = clock_monotonic_us() + WAIT_MS * 1000;
	while (lives(shop, path) && clock_monotonic_us() < until_us)
		g_usleep(20000);
	g_assert_false(lives(shop, path));
}

/* The script and what it started are killed; it is said to have taken too long. */
static void test_slow_operation(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	g_autofree char *pid = fixture->bench->path(fixture->bench, "pid");
	shop.timeout_ms = LATE_MS;
	shop.scripts[NF_CREATE] = arena_printf(fixture->arena, "mkdir -p \"$(dirname %s)\"\nsleep 100 &\necho $! >%s\nwait\n", pid, pid);
	gint64 begin_us = clock_monotonic_us();
	const char *said = shop_fails(&shop, "create");
	g_assert_nonnull(strstr(said, "500 ms"));
	g_assert_cmpint(clock_monotonic_us() - begin_us, <, (gint64) WAIT_MS * 1000);
	assert_ends(&shop, pid);
}

static void test_endless_output(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	shop.scripts[NF_CREATE] = "head -c 8000000 /dev/zero | tr '\\0' 'x'; echo; echo 'the last word' >&2; exit 1\n";
	const char *said = shop_fails(&shop, "the last word");
	g_assert_cmpuint(strlen(said), <, ENDLESS_ERROR_MAX_BYTES);
}

/* A call that ends half-way, by its deadline or because it was cancelled: the next one converges. */
static void test_cut_off(struct fixture *fixture, gconstpointer data)
{
	BEGIN(shop);
	g_autofree char *once = fixture->bench->path(fixture->bench, "once");
	shop_ensure(&shop);
	shop.scripts[NF_CONFIGURE] = arena_printf(fixture->arena, "[ ! -e %s ] || exit 0\n: >%s\nsleep 3\n", once, once);
	g_autoptr(GError) error = NULL;
	const struct nf *got = NULL, *want = shop_want(&shop);
	struct call call = ems_call(fixture, 1500);
	g_assert_false(fixture->bench->ops->ensure_nf(fixture->ems, &call, fixture->access, want, shop.package, fixture->arena, &got, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_TIMEOUT);
	g_assert_cmpint(shop_ensure(&shop)->state, ==, NF_STARTED);
	g_assert_cmpstr(ems_observe(fixture)->package, ==, shop.package->digest);
	shop_trace(&shop);
	shop_ensure(&shop);
	g_assert_cmpstr(shop_trace(&shop), ==, "");
}

const struct ems_test ems_package_tests[] = {
	{ "lifecycle", test_lifecycle, NEEDS_SCRIPTS },
	{ "package-observed-as-wanted", test_package_observed_as_wanted, NEEDS_SCRIPTS },
	{ "changed-input", test_changed_input, NEEDS_SCRIPTS },
	{ "on-change", test_on_change, NEEDS_SCRIPTS },
	{ "bad-configuration", test_bad_configuration, NEEDS_SCRIPTS },
	{ "bad-first-configuration", test_bad_first_configuration, NEEDS_SCRIPTS },
	{ "failing-configure", test_failing_configure, NEEDS_SCRIPTS },
	{ "failing-create", test_failing_create, NEEDS_SCRIPTS },
	{ "changed-package", test_changed_package, NEEDS_SCRIPTS },
	{ "sick-package", test_sick_package, NEEDS_SCRIPTS },
	{ "bad-command", test_bad_command, 0 },
	{ "unhealthy", test_unhealthy, NEEDS_SCRIPTS },
	{ "slow-operation", test_slow_operation, NEEDS_SCRIPTS },
	{ "endless-output", test_endless_output, NEEDS_SCRIPTS },
	{ "cut-off", test_cut_off, NEEDS_SCRIPTS },
	{ NULL, NULL, 0 },
};
