/* pleach suspend, resume, approve: what the operator holds, and lets pass. */
#include "cli/verbs.h"

#include "base/clock.h"
#include "http/client/client.h"

#include <string.h>

static char *option_site, *option_reason, *option_for, *option_until;
static gboolean option_all;

#define TARGETS \
	{ "site", 0, 0, G_OPTION_ARG_STRING, &option_site, "all that is on this site", "NAME" }, \
	{ "all", 0, 0, G_OPTION_ARG_NONE, &option_all, "everything", NULL }

static const GOptionEntry suspend_options[] = {
	TARGETS,
	{ "reason", 0, 0, G_OPTION_ARG_STRING, &option_reason, "why, for whoever looks at it later", "TEXT" },
	{ "for", 0, 0, G_OPTION_ARG_STRING, &option_for, "for so long: 90s, 2h, 3d (default: until it is resumed)", "TIME" },
	{ "until", 0, 0, G_OPTION_ARG_STRING, &option_until, "until then: 2026-11-20T22:00:00Z", "TIME" },
	{ NULL },
};

static const GOptionEntry resume_options[] = { TARGETS, { NULL } };

/* What is held, as the store names it; NULL: not exactly one thing was said. */
static char *target_of(int argc, char **argv)
{
	if ((argc > 1) + (option_site != NULL) + option_all != 1 || argc > 2)
		return NULL;
	if (option_all)
		return g_strdup("**");
	if (option_site)
		return g_strconcat("site/", option_site, NULL);
	return strchr(argv[1], '*') ? g_strdup(argv[1]) : cli_key(argv[1]);
}

static int run_suspend(const struct cli *cli, int argc, char **argv)
{
	g_autofree char *target = target_of(argc, argv);
	if (!target)
		return cli_usage("suspend: say what: pleach suspend KEY, --site NAME or --all");
	if (!option_reason || !*option_reason)
		return cli_usage("suspend: say why: --reason TEXT");
	if (option_for && option_until)
		return cli_usage("suspend: either --for or --until");
	if (option_for && clock_parse_duration_ms(option_for) < 0)
		return cli_usage("suspend: --for takes a time such as 2h");
	if (option_until && clock_parse_rfc3339(option_until) < 0)
		return cli_usage("suspend: --until takes a time such as 2026-11-20T22:00:00Z");
	g_autoptr(GString) path = g_string_new("/v1/suspend");
	cli_add_param(path, "target", target);
	cli_add_param(path, "reason", option_reason);
	cli_add_param(path, "for", option_for);
	cli_add_param(path, "until", option_until);
	return cli_show(cli, "POST", path->str);
}

const struct command command_suspend = {
	.name = "suspend",
	.arguments = "[KEY]",
	.summary = "leave something as it is, until it is resumed",
	.details = "KEY is a service (edge), an object (vnfc/edge.fw.vdu.0), the beginning of one (edge.fw), or a pattern (edge.*.vdu.0).\n"
		   "Nothing is done to what is suspended, and nothing that would come after that; drift there goes on being reported.\n\n"
		   "Exit status: 0 done, 1 error.",
	.options = suspend_options,
	.outputs = "text|json",
	.run = run_suspend,
};

static int run_resume(const struct cli *cli, int argc, char **argv)
{
	g_autofree char *target = target_of(argc, argv);
	if (!target)
		return cli_usage("resume: say what, as it was suspended: pleach resume KEY, --site NAME or --all");
	g_autoptr(GString) path = g_string_new("/v1/resume");
	cli_add_param(path, "target", target);
	return cli_show(cli, "POST", path->str);
}

const struct command command_resume = {
	.name = "resume",
	.arguments = "[KEY]",
	.summary = "go on with what was suspended",
	.details = "Says what `pleach suspend` was told; `pleach status` shows what is suspended.\n\nExit status: 0 done, 1 error.",
	.options = resume_options,
	.outputs = "text|json",
	.run = run_resume,
};

static int run_approve(const struct cli *cli, int argc, char **argv)
{
	if (argc != 2)
		return cli_usage("approve: say which commit: pleach approve COMMIT");
	g_autoptr(GString) path = g_string_new("/v1/approve");
	cli_add_param(path, "revision", argv[1]);
	return cli_show(cli, "POST", path->str);
}

const struct command command_approve = {
	.name = "approve",
	.arguments = "COMMIT",
	.summary = "let a commit take away all that is on a site",
	.details = "A commit that would remove every object of a site that has any is held until this is said; it counts for that commit only.\n\n"
		   "Exit status: 0 done, 1 error.",
	.outputs = "text|json",
	.run = run_approve,
};
