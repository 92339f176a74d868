/* pleach nf, logs, top: network functions as the EMS knows them. */
#include "cli/verbs.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINES_DEFAULT = 100, TOP_INTERVAL_DEFAULT_MS = 2000, TOP_INTERVAL_MIN_MS = 100, TERMINAL_ROWS_DEFAULT = 24 };

static int option_lines = LINES_DEFAULT, option_looks;
static gboolean option_follow;
static char *option_since, *option_interval;

static const GOptionEntry logs_options[] = {
	{ "lines", 'n', 0, G_OPTION_ARG_INT, &option_lines, "the last so many lines (default: 100)", "N" },
	{ "follow", 'f', 0, G_OPTION_ARG_NONE, &option_follow, "and those that come, until Ctrl-C", NULL },
	{ NULL },
};

static const GOptionEntry nf_options[] = {
	{ "lines", 'n', 0, G_OPTION_ARG_INT, &option_lines, "logs: the last so many lines (default: 100)", "N" },
	{ "follow", 'f', 0, G_OPTION_ARG_NONE, &option_follow, "logs: and those that come, until Ctrl-C", NULL },
	{ "since", 0, 0, G_OPTION_ARG_STRING, &option_since, "metrics: no older than this: 2026-11-20T11:52:03Z, or how long ago: 90s, 1h", "TIME" },
	{ NULL },
};

static const GOptionEntry top_options[] = {
	{ "number", 'n', 0, G_OPTION_ARG_INT, &option_looks, "look so often, then end (default: until Ctrl-C)", "N" },
	{ "interval", 'i', 0, G_OPTION_ARG_STRING, &option_interval, "look again after that (default: 2s)", "TIME" },
	{ NULL },
};

/* "ROUTE/KEY", the key as a path needs it. */
static char *route_of(const char *route, const char *key)
{
	g_autofree char *whole = cli_key(key), *encoded = http_encode(whole);
	return g_strconcat(route, encoded, NULL);
}

/* --- logs ------------------------------------------------------------------------------------------------------------------- */

static int show_logs(const struct cli *cli, const char *key)
{
	if (option_lines < 1)
		return cli_usage("logs: --lines takes a number from 1 on");
	g_autofree char *route = route_of("/v1/logs/", key);
	g_autofree char *path = g_strdup_printf("%s?lines=%d%s", route, option_lines, option_follow ? "&follow=1" : "");
	return option_follow ? cli_follow(cli, path) : cli_show(cli, "GET", path);
}

static int run_logs(const struct cli *cli, int argc, char **argv)
{
	if (argc != 2)
		return cli_usage("logs: say of which NF: pleach logs KEY");
	return show_logs(cli, argv[1]);
}

const struct command command_logs = {
	.name = "logs",
	.arguments = "KEY",
	.summary = "the log of an NF",
	.details = "Exit status: 0 shown, or ended by Ctrl-C; 1 error.",
	.options = logs_options,
	.run = run_logs,
};

/* --- nf --------------------------------------------------------------------------------------------------------------------- */

static int show_status(const struct cli *cli, const char *key)
{
	g_autofree char *whole = key ? cli_key(key) : NULL, *encoded = key ? http_encode(whole) : NULL;
	g_autofree char *path = g_strdup_printf("/v1/nf?colour=%d%s%s", cli->colour, key ? "&key=" : "", key ? encoded : "");
	return cli_show(cli, "GET", path);
}

static int show_metrics(const struct cli *cli, const char *key)
{
	g_autofree char *route = route_of("/v1/metrics/", key), *since = option_since ? http_encode(option_since) : NULL;
	g_autofree char *path = g_strconcat(route, since ? "?since=" : "", since ? since : "", NULL);
	return cli_show(cli, "GET", path);
}

static int run_nf(const struct cli *cli, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "status") == 0 && argc <= 3)
		return show_status(cli, argc > 2 ? argv[2] : NULL);
	if (strcmp(what, "logs") == 0 && argc == 3)
		return show_logs(cli, argv[2]);
	if (strcmp(what, "metrics") == 0 && argc == 3)
		return show_metrics(cli, argv[2]);
	return cli_usage("nf: say what of which: pleach nf status [KEY], pleach nf logs KEY, pleach nf metrics KEY");
}

const struct command command_nf = {
	.name = "nf",
	.arguments = "status [KEY] | logs KEY | metrics KEY",
	.summary = "network functions: state, health, package, EMS; log; what was measured",
	.details = "KEY is an NF, or what it is part of.\n\n"
		   "Exit status: 0 as desired, or shown; 2 (status) one is not as it should be; 1 error.",
	.options = nf_options,
	.outputs = "text|json",
	.run = run_nf,
};

/* --- top -------------------------------------------------------------------------------------------------------------------- */

/* On a terminal each look replaces the former one: what is longer than the screen is cut, so that nothing scrolls. */
static void draw(const char *text)
{
	static const char HOME[] = "\033[H", CLEAR_LINE[] = "\033[K", CLEAR_BELOW[] = "\033[J";
	struct winsize size;
	unsigned most = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row : TERMINAL_ROWS_DEFAULT;
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	g_autoptr(GString) out = g_string_new(HOME);
	for (unsigned i = 0; lines[i] && i + 1 < most; i++)
		g_string_append_printf(out, "%s%s\n", lines[i], CLEAR_LINE);
	g_string_append(out, CLEAR_BELOW);
	fwrite(out->str, 1, out->len, stdout);
	fflush(stdout);
}

/* True: somebody wants it to end. */
static bool pause_ms(int ending, gint64 ms)
{
	struct pollfd poll_fd = { .fd = ending, .events = POLLIN };
	return poll(&poll_fd, 1, (int) ms) > 0;
}

static int look_again_and_again(const struct cli *cli, gint64 interval_ms, int ending)
{
	static const char OTHER_SCREEN[] = "\033[?1049h\033[?25l", OWN_SCREEN[] = "\033[?25h\033[?1049l";
	bool terminal = cli->output == OUTPUT_TEXT && isatty(STDOUT_FILENO) && option_looks != 1;
	g_autofree char *path = g_strdup_printf("/v1/top?colour=%d", cli->colour);
	g_autoptr(GError) error = NULL;
	if (terminal)
		fputs(OTHER_SCREEN, stdout);
	for (int i = 0; !option_looks || i < option_looks; i++) {
		if (i > 0 && pause_ms(ending, interval_ms))
			break;
		g_autofree char *text = cli_ask(cli, "GET", path, NULL, &error);
		if (!text)
			break;
		if (terminal)
			draw(text);
		else if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
			break;
	}
	if (terminal)
		fputs(OWN_SCREEN, stdout);
	fflush(stdout);
	return error ? cli_fail(error) : EXIT_OK;
}

static int run_top(const struct cli *cli, int argc, char **argv)
{
	gint64 interval_ms = option_interval ? clock_parse_duration_ms(option_interval) : TOP_INTERVAL_DEFAULT_MS;
	if (argc > 1)
		return cli_usage("top takes no arguments");
	if (interval_ms < TOP_INTERVAL_MIN_MS || interval_ms > G_MAXINT)
		return cli_usage("top: --interval takes a time from 100ms on");
	if (option_looks < 0)
		return cli_usage("top: --number takes a number from 1 on");
	int ending = cli_ending_fd();
	if (ending < 0) {
		g_autoptr(GError) error = NULL;
		pleach_error_errno(&error, errno, "signalfd");
		return cli_fail(error);
	}
	int status = look_again_and_again(cli, interval_ms, ending);
	close(ending);
	return status;
}

const struct command command_top = {
	.name = "top",
	.summary = "network functions and what they use now, those that use most first",
	.details = "On a terminal each look replaces the former one; else they follow one another. With -o json an object a line and NF.\n\n"
		   "Exit status: 0 shown, or ended by Ctrl-C; 1 error.",
	.options = top_options,
	.outputs = "text|json",
	.run = run_top,
};
