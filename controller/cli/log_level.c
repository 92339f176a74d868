/* pleach log-level: how much pleachd writes in its log, from now on. */
#include "cli/verbs.h"

#include "base/log.h"

static int run(const struct cli *cli, int argc, char **argv)
{
	enum log_level level;
	if (argc > 2)
		return cli_usage("log-level takes one level");
	if (argc == 2 && !log_level_parse(argv[1], &level))
		return cli_usage("log-level: it is error, warning, info or debug, not \"%s\"", argv[1]);
	g_autofree char *path = argc == 2 ? g_strconcat("/v1/log-level?level=", argv[1], NULL) : g_strdup("/v1/log-level");
	g_autoptr(GError) error = NULL;
	char *text = cli_ask(cli, argc == 2 ? "POST" : "GET", path, NULL, &error);
	if (!text)
		return cli_fail(error);
	cli_print(text);
	return EXIT_OK;
}

const struct command command_log_level = {
	.name = "log-level",
	.arguments = "[error|warning|info|debug]",
	.summary = "how much pleachd writes in its log: show, or set",
	.details = "It is set until pleachd is restarted or reloaded; for longer, use log-level in its configuration.\n\n"
		   "Exit status: 0 shown or set, 1 error.",
	.outputs = "text|json",
	.run = run,
};
