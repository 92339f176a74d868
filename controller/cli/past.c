/* pleach events, history: what happened. */
#include "cli/verbs.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/client/client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { FOLLOW_S = 10 * 365 * 24 * 3600 }; /* as good as for ever */

static int option_number;
static char *option_since, *option_kind;
static gboolean option_follow;

static const GOptionEntry events_options[] = {
	{ "since", 0, 0, G_OPTION_ARG_STRING, &option_since, "no older than this: 2026-11-20T11:52:03Z, or how long ago: 90s, 1h", "TIME" },
	{ "kind", 0, 0, G_OPTION_ARG_STRING, &option_kind, "only these: drift,repaired,operation,…", "KIND" },
	{ "follow", 'f', 0, G_OPTION_ARG_NONE, &option_follow, "and those that come, until Ctrl-C", NULL },
	{ "number", 'n', 0, G_OPTION_ARG_INT, &option_number, "the last so many (default: 100; 10 before what is followed)", "N" },
	{ NULL },
};

static const GOptionEntry history_options[] = {
	{ "number", 'n', 0, G_OPTION_ARG_INT, &option_number, "the last so many (default: 20)", "N" },
	{ NULL },
};

/* "PATH?NAME=VALUE&…" of what is there. */
static GString *make_path(const char *route, const char *key)
{
	GString *path = g_string_new(route);
	g_autofree char *whole = key ? cli_key(key) : NULL, *number = option_number ? g_strdup_printf("%d", option_number) : NULL;
	cli_add_param(path, "key", whole);
	cli_add_param(path, "n", number);
	cli_add_param(path, "since", option_since);
	cli_add_param(path, "kind", option_kind);
	return path;
}

/* --- following ---------------------------------------------------------------------------------------------------------- */

static bool print_piece(const void *bytes, size_t length, void *data)
{
	return fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0;
}

int cli_ending_fd(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool follow(const struct cli *cli, const char *path, int ending, GError **error)
{
	auto_ptr(http_client) client = http_client_new(cli->controller, error);
	if (!client)
		return false;
	const struct http_call call = {
		.path = path,
		.accept = cli->output == OUTPUT_JSON ? "application/json" : "text/plain",
		.deadline_us = clock_monotonic_us() + (gint64) FOLLOW_S * G_USEC_PER_SEC,
		.cancel_fd = ending,
		.take = print_piece,
	};
	auto_http_reply reply = { 0 };
	if (!http_client_call(client, &call, &reply, error)) {
		g_prefix_error(error, "%s: ", cli->controller);
		return false;
	}
	if (!http_reply_is_good(&reply, &call, error))
		return false;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: the controller ended the stream", cli->controller);
	return false;
}

int cli_follow(const struct cli *cli, const char *path)
{
	g_autoptr(GError) error = NULL;
	int ending = cli_ending_fd();
	bool asked = false;
	if (ending < 0)
		pleach_error_errno(&error, errno, "signalfd");
	else
		follow(cli, path, ending, &error);
	struct signalfd_siginfo signal_info;
	if (ending >= 0) {
		asked = read(ending, &signal_info, sizeof(signal_info)) == sizeof(signal_info);
		close(ending);
	}
	return asked ? EXIT_OK : cli_fail(error);
}

static int run_events(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("events takes one key at most");
	if (option_number < 0)
		return cli_usage("events: --number takes a number from 1 on");
	g_autoptr(GString) path = make_path("/v1/events", argc > 1 ? argv[1] : NULL);
	if (!option_follow)
		return cli_show(cli, "GET", path->str);
	cli_add_param(path, "follow", "1");
	return cli_follow(cli, path->str);
}

const struct command command_events = {
	.name = "events",
	.arguments = "[KEY]",
	.summary = "what was seen and done, the newest last",
	.details = "KEY is an object, or the beginning of one: then what is below it, too. With --follow -o json prints one event a line.\n\n"
		   "Exit status: 0 told, or ended by Ctrl-C; 1 error.",
	.options = events_options,
	.outputs = "text|json",
	.run = run_events,
};

/* --- history ------------------------------------------------------------------------------------------------------------ */

static int run_history(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("history takes one key at most");
	if (option_number < 0)
		return cli_usage("history: --number takes a number from 1 on");
	g_autoptr(GString) path = make_path("/v1/history", argc > 1 ? argv[1] : NULL);
	if (cli->colour)
		cli_add_param(path, "colour", "1");
	return cli_show(cli, "GET", path->str);
}

const struct command command_history = {
	.name = "history",
	.arguments = "[KEY]",
	.summary = "what became of each commit, and what it changed",
	.details = "With KEY only the commits that did something to it, or to what is below it, and what they did there.\n\n"
		   "Exit status: 0 told, 1 error.",
	.options = history_options,
	.outputs = "text|json",
	.run = run_history,
};
