#include "leafproto/leafproto.h"

#include <string.h>

static const struct leaf_file two_files[] = {
	{ .name = "config", .path = "/etc/x.conf", .mode = "0644", .content = "a\n\"b\"\t\xc3\xa4\n" },
	{ .name = "other", .path = "/etc/x/y.conf", .mode = "0600", .content = "" },
};
static const char *const command[] = { "haproxy", "-db", "", NULL };

static struct leaf_nf sample(void)
{
	return (struct leaf_nf) {
		.key = "nf/edge.fw.vdu.0", .incarnation = 3, .state = LEAF_STARTED, .stateful = true,
		.command = command, .n_command = 3, .files = two_files, .n_files = 2,
	};
}

static void test_nf_round_trip(void)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(arena) arena = arena_new();
	struct leaf_nf nf = sample();
	size_t length = 0;
	g_autofree char *text = leaf_nf_encode(&nf, LEAF_PROTOCOL_VERSION, &length, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(length, ==, strlen(text));
	const struct leaf_nf *back = leaf_nf_decode(arena, text, length, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(back->key, ==, nf.key);
	g_assert_cmpuint(back->incarnation, ==, 3);
	g_assert_true(back->state == LEAF_STARTED && back->stateful);
	g_assert_cmpuint(back->n_command, ==, 3);
	g_assert_cmpstr(back->command[2], ==, "");
	g_assert_null(back->command[3]);
	g_assert_cmpuint(back->n_files, ==, 2);
	g_assert_cmpstr(back->files[0].content, ==, two_files[0].content);
	g_assert_cmpstr(back->files[1].mode, ==, "0600");
	g_assert_null(back->files[0].digest);
}

static void test_status_round_trip(void)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(arena) arena = arena_new();
	g_autofree char *digest = g_strnfill(LEAF_DIGEST_BYTES, 'a');
	const struct leaf_file files[] = {
		{ .name = "config", .path = "/etc/x.conf", .mode = "4755", .digest = digest },
		{ .name = "gone", .path = "/etc/y.conf" },
	};
	struct leaf_nf nf = sample();
	nf.state = LEAF_FAILED;
	nf.files = files;
	nf.reason = "exit status 1: \xff bad byte";
	nf.pid = 12;
	nf.restarts = 4;
	struct leaf_status status = { .version = "0.1.0", .pid = 1, .uptime_ms = 5, .nf = &nf };
	g_autofree char *text = leaf_status_encode(&status);
	const struct leaf_status *back = leaf_status_decode(arena, text, strlen(text), &error);
	g_assert_no_error(error);
	g_assert_cmpstr(back->version, ==, "0.1.0");
	g_assert_true(back->nf->state == LEAF_FAILED);
	g_assert_cmpint(back->nf->pid, ==, 12);
	g_assert_cmpint(back->nf->restarts, ==, 4);
	g_assert_cmpstr(back->nf->reason, ==, "exit status 1: \xef\xbf\xbd bad byte");
	g_assert_cmpstr(back->nf->files[0].digest, ==, digest);
	g_assert_cmpstr(back->nf->files[0].mode, ==, "4755");
	g_assert_null(back->nf->files[1].digest);
	g_assert_null(back->nf->files[1].mode);

	status.nf = NULL;
	g_autofree char *empty = leaf_status_encode(&status);
	back = leaf_status_decode(arena, empty, strlen(empty), &error);
	g_assert_no_error(error);
	g_assert_null(back->nf);
}

static void test_long_reason_is_cut_between_characters(void)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GString) reason = g_string_new("x");
	while (reason->len < (gsize) LEAF_REASON_MAX_BYTES * 2)
		g_string_append(reason, "\xc3\xa4");
	struct leaf_nf nf = sample();
	nf.n_files = 0;
	nf.reason = reason->str;
	struct leaf_status status = { .version = "0", .nf = &nf };
	g_autofree char *text = leaf_status_encode(&status);
	const struct leaf_status *back = leaf_status_decode(arena, text, strlen(text), &error);
	g_assert_no_error(error);
	g_assert_cmpuint(strlen(back->nf->reason), ==, LEAF_REASON_MAX_BYTES - 1);
	g_assert_true(g_utf8_validate(back->nf->reason, -1, NULL));
}

static void refused(const struct leaf_nf *nf, const char *words)
{
	g_autoptr(GError) error = NULL;
	g_assert_false(leaf_nf_check(nf, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	if (!strstr(error->message, words))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
}

static void test_rules_of_an_nf(void)
{
	struct leaf_nf nf = sample();
	nf.key = "";
	refused(&nf, "key is empty");
	nf = sample();
	nf.key = "vnfc/x.0";
	refused(&nf, "not the key of an NF");
	nf = sample();
	nf.state = LEAF_FAILED;
	refused(&nf, "cannot be wanted");
	nf = sample();
	nf.n_command = LEAF_COMMAND_MAX_ARGS + 1;
	refused(&nf, "more than 256 arguments");
	g_autofree char *big = g_strnfill(LEAF_COMMAND_MAX_BYTES + 1, 'x');
	const char *const big_command[] = { "x", big, NULL };
	nf = sample();
	nf.command = big_command;
	nf.n_command = 2;
	refused(&nf, "command is longer");
	const char *const no_program[] = { "", NULL };
	nf.command = no_program;
	nf.n_command = 1;
	refused(&nf, "program is empty");
	nf = sample();
	nf.n_files = LEAF_FILES_MAX + 1;
	refused(&nf, "more than 256 files");
}

static void path_refused(const char *path, const char *words)
{
	struct leaf_file file = { .name = "f", .path = path, .mode = "0644", .content = "" };
	struct leaf_nf nf = sample();
	nf.files = &file;
	nf.n_files = 1;
	refused(&nf, words);
}

static void test_rules_of_paths(void)
{
	path_refused("", "is empty");
	path_refused("etc/x", "not absolute");
	path_refused("/", "empty segment");
	path_refused("/etc/", "empty segment");
	path_refused("/etc//x", "empty segment");
	path_refused("/etc/../root/x", "\"..\"");
	path_refused("/etc/./x", "\".\"");
	path_refused("/etc/..", "\"..\"");
	path_refused("/etc/a\nb", "control character");
	path_refused("/proc/sys/kernel/core_pattern", "kernel's");
	path_refused("/dev", "kernel's");
	path_refused("/etc/\xff", "not UTF-8");
	g_autofree char *segment = g_strnfill(LEAF_PATH_SEGMENT_MAX_BYTES + 1, 'x');
	g_autofree char *long_segment = g_strconcat("/etc/", segment, NULL);
	path_refused(long_segment, "segment longer than");
	g_autofree char *slashes = g_strnfill(LEAF_PATH_MAX_BYTES + 1, 'x');
	slashes[0] = '/';
	path_refused(slashes, "longer than");

	struct leaf_file fine = { .name = "f", .path = "/process/..x/a", .mode = "0644", .content = "" };
	struct leaf_nf nf = sample();
	nf.files = &fine;
	nf.n_files = 1;
	g_assert_true(leaf_nf_check(&nf, NULL));
}

static void files_refused(const struct leaf_file *files, size_t n, const char *words)
{
	struct leaf_nf nf = sample();
	nf.files = files;
	nf.n_files = n;
	refused(&nf, words);
}

static void test_rules_of_files(void)
{
	struct leaf_file files[] = { two_files[0], two_files[1] };
	files[1].name = files[0].name;
	files_refused(files, 2, "the name \"config\"");
	files[1] = (struct leaf_file) { .name = "b", .path = "/etc/x.conf", .mode = "0644", .content = "" };
	files_refused(files, 2, "the same path");
	files[1].path = "/etc/x.conf/y";
	files_refused(files, 2, "inside the other's");
	files[1].path = "/etc/x.confy";
	files[1].content = NULL;
	files_refused(files, 2, "has no content");
	files[1].content = "\xff";
	files_refused(files, 2, "not UTF-8");
	files[1].content = "";
	files[1].mode = "644";
	files_refused(files, 2, "mode");
	files[1].mode = "4755";
	files_refused(files, 2, "mode");
	files[1].mode = "0648";
	files_refused(files, 2, "mode");
	files[1].mode = NULL;
	files_refused(files, 2, "mode");
	files[1].mode = "0644";
	g_autofree char *big = g_strnfill(LEAF_FILE_MAX_BYTES + 1, 'x');
	files[1].content = big;
	files_refused(files, 2, "larger than");
	big[LEAF_FILE_MAX_BYTES] = '\0';
	struct leaf_nf nf = sample();
	nf.files = files;
	g_assert_true(leaf_nf_check(&nf, NULL));
}

static void test_all_files_together(void)
{
	enum { N = LEAF_CONTENT_MAX_BYTES / LEAF_FILE_MAX_BYTES + 1 };
	g_autofree char *big = g_strnfill(LEAF_FILE_MAX_BYTES, 'x');
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	struct leaf_file files[N];
	for (int i = 0; i < N; i++) {
		char *path = g_strdup_printf("/etc/%d", i);
		g_ptr_array_add(texts, path);
		files[i] = (struct leaf_file) { .name = path, .path = path, .mode = "0644", .content = big };
	}
	files_refused(files, N, "together are larger");
	/* Within that bound, but not within a request's: every byte of these takes six when encoded. */
	memset(big, 1, LEAF_FILE_MAX_BYTES);
	struct leaf_nf nf = sample();
	nf.files = files;
	nf.n_files = N - 1;
	size_t length = 0;
	g_autoptr(GError) error = NULL;
	g_assert_null(leaf_nf_encode(&nf, LEAF_PROTOCOL_VERSION, &length, &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_assert_nonnull(strstr(error->message, "when encoded"));
}

#define NF(rest) "{\"version\":1,\"key\":\"nf/a.0\",\"incarnation\":1,\"state\":\"started\",\"stateful\":true," rest "}"

static void test_hostile_requests(void)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "", "not valid JSON" },
		{ "{", "not valid JSON" },
		{ "[]", "not an object" },
		{ "null", "not an object" },
		{ "{}", "\"version\" is missing" },
		{ "{\"version\":3}", "version 3 is not one from 1 to 2" },
		{ "{\"version\":0}", "version 0 is not one from 1 to 2" },
		{ "{\"version\":\"1\"}", "not an integer" },
		{ NF("\"command\":[],\"files\":[]") "x", "not valid JSON" },
		{ NF("\"command\":[],\"files\":[],\"files\":[]"), "not valid JSON" },
		{ NF("\"command\":[],\"files\":[],\"run\":\"rm\""), "member \"run\" is not known" },
		{ NF("\"command\":{},\"files\":[]"), "\"command\" is not an array" },
		{ NF("\"command\":[1],\"files\":[]"), "argument 0 of the command is not a string" },
		{ NF("\"command\":[\"a\\u0000b\"],\"files\":[]"), "not valid JSON" },
		{ NF("\"command\":[\"\xff\"],\"files\":[]"), "not valid JSON" },
		{ NF("\"command\":[]"), "\"files\" is missing" },
		{ NF("\"command\":[],\"files\":[3]"), "not an object" },
		{ NF("\"command\":[],\"files\":[{\"name\":\"a\"}]"), "\"path\" is missing" },
		{ NF("\"command\":[],\"files\":[{\"name\":\"a\",\"path\":\"/a\",\"mode\":\"0644\",\"content\":7}]"),
		  "not a string" },
		{ NF("\"command\":[],\"files\":[{\"name\":\"a\",\"path\":\"/a\",\"mode\":\"0644\"}]"), "has no content" },
		{ NF("\"command\":[],\"files\":[{\"name\":\"a\",\"path\":\"/a\",\"mode\":\"0644\",\"content\":\"\","
		     "\"owner\":\"root\"}]"),
		  "member \"owner\" is not known" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		auto_ptr(arena) arena = arena_new();
		g_assert_null(leaf_nf_decode(arena, cases[i].text, strlen(cases[i].text), &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		if (!strstr(error->message, cases[i].words))
			g_error("%s: \"%s\" does not say \"%s\"", cases[i].text, error->message, cases[i].words);
	}
}

static void test_too_deep_and_too_large(void)
{
	g_autoptr(GError) error = NULL;
	auto_ptr(arena) arena = arena_new();
	g_autofree char *deep = g_strnfill(100000, '[');
	g_assert_null(leaf_nf_decode(arena, deep, strlen(deep), &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	g_clear_error(&error);
	g_autofree char *large = g_strnfill(LEAF_REQUEST_MAX_BYTES + 1, ' ');
	g_assert_null(leaf_nf_decode(arena, large, strlen(large), &error));
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
}

#define STATUS(nf) "{\"version\":1,\"leaf\":\"0\",\"pid\":1,\"uptime_ms\":1,\"nf\":" nf "}"
#define SEEN(rest) STATUS("{\"key\":\"nf/a.0\",\"incarnation\":1,\"stateful\":true,\"command\":[]," rest "}")

static void test_hostile_replies(void)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "<html>", "not valid JSON" },
		{ "{\"version\":1,\"leaf\":\"0\",\"pid\":1,\"uptime_ms\":1}", "\"nf\" is missing" },
		{ STATUS("7"), "\"nf\" is not an object" },
		{ SEEN("\"state\":\"splendid\",\"files\":[],\"pid\":1,\"restarts\":0"), "state \"splendid\" is not known" },
		{ SEEN("\"state\":\"started\",\"files\":[],\"pid\":-1,\"restarts\":0"), "is out of range" },
		{ SEEN("\"state\":\"started\",\"files\":[],\"pid\":1"), "\"restarts\" is missing" },
		{ SEEN("\"state\":\"started\",\"files\":[],\"pid\":1,\"restarts\":0,\"reason\":{}"), "not a string" },
		{ SEEN("\"state\":\"started\",\"files\":[{\"name\":\"a\",\"path\":\"/a\",\"digest\":\"zz\"}],"
		       "\"pid\":1,\"restarts\":0"),
		  "not one of sha256" },
		{ SEEN("\"state\":\"started\",\"files\":[{\"name\":\"a\",\"path\":\"/a\",\"mode\":\"rw\"}],"
		       "\"pid\":1,\"restarts\":0"),
		  "four octal digits" },
		{ SEEN("\"state\":\"started\",\"files\":[{\"name\":\"a\",\"path\":\"/a\",\"content\":\"x\"}],\"pid\":1,\"restarts\":0"),
		  "does not have its digest" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		auto_ptr(arena) arena = arena_new();
		g_assert_null(leaf_status_decode(arena, cases[i].text, strlen(cases[i].text), &error));
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
		if (!strstr(error->message, cases[i].words))
			g_error("%s: \"%s\" does not say \"%s\"", cases[i].text, error->message, cases[i].words);
	}
	/* What a newer leaf says besides is its own business. */
	auto_ptr(arena) arena = arena_new();
	const char *newer = SEEN("\"state\":\"started\",\"files\":[],\"pid\":1,\"restarts\":0,\"cpu\":0.5");
	g_assert_nonnull(leaf_status_decode(arena, newer, strlen(newer), NULL));
}

/* What is told of edited files is bounded, of each and of all. */
static void test_told_texts(void)
{
	enum { N = LEAF_SEEN_ALL_MAX_BYTES / LEAF_SEEN_MAX_BYTES + 1 };
	g_autofree char *most = g_strnfill(LEAF_SEEN_MAX_BYTES, 'x'), *more = g_strnfill(LEAF_SEEN_MAX_BYTES + 1, 'x');
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, most, -1);
	g_autofree char *other = g_compute_checksum_for_string(G_CHECKSUM_SHA256, more, -1);
	struct leaf_file files[N];
	for (int i = 0; i < N; i++)
		files[i] = (struct leaf_file) { .name = "a", .path = "/a", .mode = "0644", .content = most, .digest = digest };
	struct leaf_nf nf = sample();
	nf.files = files;
	for (nf.n_files = N - 1; nf.n_files <= N; nf.n_files++) {
		auto_ptr(arena) arena = arena_new();
		g_autoptr(GError) error = NULL;
		g_autofree char *text = leaf_status_encode(&(struct leaf_status) { .version = "0.1.0", .pid = 1, .nf = &nf });
		const struct leaf_status *back = leaf_status_decode(arena, text, strlen(text), &error);
		if (nf.n_files < N)
			g_assert_cmpstr(back->nf->files[0].content, ==, most);
		else
			g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID);
	}
	auto_ptr(arena) arena = arena_new();
	g_autoptr(GError) error = NULL;
	files[0].content = more;
	files[0].digest = other;
	nf.n_files = 1;
	g_autofree char *text = leaf_status_encode(&(struct leaf_status) { .version = "0.1.0", .pid = 1, .nf = &nf });
	g_assert_null(leaf_status_decode(arena, text, strlen(text), &error));
	g_assert_nonnull(strstr(error->message, "is longer than 65536 bytes"));
}

static void test_refusals(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *text = leaf_refusal_encode(PLEACH_ERROR_CONFLICT, "nf/b is here");
	leaf_refusal_decode(409, text, strlen(text), &error);
	g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT);
	g_assert_cmpstr(error->message, ==, "nf/b is here");
	static const char *const others[] = { "", "<h1>\x1b[2Joops</h1>", "[1]", "{\"error\":\"splendid\",\"text\":\"x\"}",
					      "{\"error\":\"conflict\"}" };
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		g_clear_error(&error);
		leaf_refusal_decode(500, others[i], strlen(others[i]), &error);
		g_assert_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY);
		g_assert_nonnull(strstr(error->message, "HTTP status 500"));
		g_assert_null(strchr(error->message, '\x1b'));
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/leafproto/nf-round-trip", test_nf_round_trip);
	g_test_add_func("/leafproto/status-round-trip", test_status_round_trip);
	g_test_add_func("/leafproto/long-reason-is-cut-between-characters", test_long_reason_is_cut_between_characters);
	g_test_add_func("/leafproto/rules-of-an-nf", test_rules_of_an_nf);
	g_test_add_func("/leafproto/rules-of-paths", test_rules_of_paths);
	g_test_add_func("/leafproto/rules-of-files", test_rules_of_files);
	g_test_add_func("/leafproto/all-files-together", test_all_files_together);
	g_test_add_func("/leafproto/hostile-requests", test_hostile_requests);
	g_test_add_func("/leafproto/too-deep-and-too-large", test_too_deep_and_too_large);
	g_test_add_func("/leafproto/hostile-replies", test_hostile_replies);
	g_test_add_func("/leafproto/told-texts", test_told_texts);
	g_test_add_func("/leafproto/refusals", test_refusals);
	return g_test_run();
}
