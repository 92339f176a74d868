#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What @write_lines writes on standard error. */
static char *captured(void (*write_lines)(void))
{
	int ends[2], saved = dup(STDERR_FILENO);
	g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	write_lines();
	dup2(saved, STDERR_FILENO);
	close(saved);
	char *text = g_malloc0(8192);
	ssize_t length = read(ends[0], text, 8191);
	g_assert_cmpint(length, >=, 0);
	close(ends[0]);
	return text;
}

static void some_lines(void)
{
	log_info("password is %s\nsecond line \033[2J", "hunter22");
	log_debug("not shown");
	log_error("bad");
}

static void test_text(void)
{
	redact_add("hunter22");
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	g_autofree char *text = captured(some_lines);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_assert_cmpuint(g_strv_length(lines), ==, 3);
	char *space = strchr(lines[0], ' ');
	g_assert_cmpstr(space, ==, " info password is ***\\nsecond line \\x1b[2J");
	*space = 0;
	g_assert_cmpint(clock_parse_rfc3339(lines[0]), >, 0);
	g_assert_true(g_str_has_suffix(lines[1], " error bad"));
}

static void test_json(void)
{
	log_init(LOG_LEVEL_ERROR, LOG_FORMAT_JSON);
	g_autofree char *text = captured(some_lines);
	g_autoptr(json_t) json = json_parse(text, strlen(text), 8192, "line", NULL);
	g_assert_cmpstr(json_opt_string(json, "text", NULL), ==, "bad");
	g_assert_cmpstr(json_opt_string(json, "level", NULL), ==, "error");
}

static void one_about(void)
{
	log_about(LOG_LEVEL_INFO, "vnfc/a.vdu.0", "create vnfc/a.vdu.0: COMPLETED");
}

static void test_about(void)
{
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	g_autofree char *text = captured(one_about);
	g_autoptr(json_t) json = json_parse(text, strlen(text), 8192, "line", NULL);
	g_assert_cmpstr(json_opt_string(json, "key", NULL), ==, "vnfc/a.vdu.0");
	g_assert_cmpint(clock_parse_rfc3339(json_opt_string(json, "time", "")), >, 0);
	log_set_level(LOG_LEVEL_WARNING);
	g_autofree char *none = captured(one_about);
	g_assert_cmpstr(none, ==, "");
}

static void test_journal(void)
{
	log_init(LOG_LEVEL_INFO, LOG_FORMAT_JOURNAL);
	g_autofree char *text = captured(some_lines);
	g_assert_cmpstr(text, ==, "<6>password is ***\\nsecond line \\x1b[2J\n<3>bad\n");
	enum log_format format;
	g_assert_true(log_format_parse("journal", &format) && format == LOG_FORMAT_JOURNAL);
	g_assert_false(log_format_parse("xml", &format));
	/* Only where standard error still is what the variable names. */
	struct stat st;
	g_assert_cmpint(fstat(STDERR_FILENO, &st), ==, 0);
	g_autofree char *own = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT, (guint64) st.st_dev, (guint64) st.st_ino);
	g_setenv("JOURNAL_STREAM", own, TRUE);
	g_assert_cmpint(log_format_default(), ==, LOG_FORMAT_JOURNAL);
	g_setenv("JOURNAL_STREAM", "1:1", TRUE);
	g_assert_cmpint(log_format_default(), ==, LOG_FORMAT_TEXT);
	g_unsetenv("JOURNAL_STREAM");
	g_assert_cmpint(log_format_default(), ==, LOG_FORMAT_TEXT);
}

static void test_redact(void)
{
	redact_add("abcd");
	redact_add("abcdefgh");
	redact_add("abcd");
	redact_add("xyz"); /* too short to be hidden */
	g_autofree char *one = redact("-abcdefgh-abcdabcd-xyz-abc");
	g_assert_cmpstr(one, ==, "-***-******-xyz-abc");
	g_autofree char *none = redact("");
	g_assert_cmpstr(none, ==, "");
}

static void test_levels(void)
{
	enum log_level level;
	g_assert_true(log_level_parse("debug", &level));
	g_assert_cmpint(level, ==, LOG_LEVEL_DEBUG);
	g_assert_false(log_level_parse("loud", &level));
	g_assert_false(log_level_parse(NULL, &level));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/text", test_text);
	g_test_add_func("/log/json", test_json);
	g_test_add_func("/log/about", test_about);
	g_test_add_func("/log/journal", test_journal);
	g_test_add_func("/log/redact", test_redact);
	g_test_add_func("/log/levels", test_levels);
	return g_test_run();
}
