/* pleach exec: a command inside a running VNFC. */
#include "cli/verbs.h"

#include "base/clock.h"

#include <glib-unix.h>
#include <sys/eventfd.h>
#include <unistd.h>

static char *option_owner;

static const GOptionEntry options[] = {
	{ "owner", 0, 0, G_OPTION_ARG_STRING, &option_owner, "of this owner, where several have such a VNFC", "NAME" },
	{ NULL },
};

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc < 3 || (g_str_equal(argv[2], "--") && argc < 4))
		return cli_usage("exec: say which VNFC and which command: pleach exec KEY -- CMD …");
	char **command = argv + (g_str_equal(argv[2], "--") ? 3 : 2);
	g_autoptr(GError) error = NULL;
	struct cli_target target;
	if (!cli_target_open(cli, argv[1], option_owner, &target, &error))
		return cli_fail(error);
	int status = EXIT_FAULT;
	if (target.ops->exec) {
		const int fds[3] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
		const struct call call = { .deadline_us = G_MAXINT64, .cancel_fd = -1 };
		if (!target.ops->exec(target.vim, &call, target.vnfc_key, command, fds, &status, &error))
			status = cli_fail(error);
	} else
		fprintf(stderr, "pleach: the VIM driver %s cannot run commands in a VNFC\n", target.ops->name);
	cli_target_close(&target);
	return status;
}

const struct command command_exec = {
	.name = "exec",
	.arguments = "[--owner NAME] KEY -- CMD …",
	.summary = "run a command inside a VNFC",
	.details = "KEY is a key (vnfc/edge.web.vdu.0) or any beginning of its path that fits one VNFC (edge.web).\n"
		   "Works for the user that the site runs under, and for root.\n\n"
		   "Exit status: that of CMD (128 + signal where one ended it); 1 where it could not be run.",
	.options = options,
	.run = run,
};
