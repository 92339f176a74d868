/* pleach validate: every fault of a repository in one run. */
#include "cli/verbs.h"

#include "daemon/sites.h"

#include <stdio.h>

static char *option_revision, *option_path;

static const GOptionEntry options[] = {
	{ "revision", 0, 0, G_OPTION_ARG_STRING, &option_revision, "a commit instead of the files as they are", "REV" },
	{ "path", 0, 0, G_OPTION_ARG_STRING, &option_path, "only this sub-folder", "SUBFOLDER" },
	{ NULL },
};

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("validate takes one folder at most");
	const struct revision_source source = {
		.path = argc > 1 ? argv[1] : ".", .revision = option_revision, .subfolder = option_path,
	};
	g_autoptr(GError) error = NULL;
	auto_ptr(revision) revision = revision_load(&source, NULL, &error);
	if (!revision)
		return cli_fail(error);
	sites_check_drivers(cli->registry, revision);
	const struct report_style style = cli_style(cli);
	enum report_verdict verdict = REPORT_NOTHING;
	if (cli->output == OUTPUT_JSON)
		cli_print(report_diags(revision->diags, tosca_source, revision->tosca, &style, &verdict));
	else {
		cli_print_findings(revision);
		printf("%s: %" G_GINT64_FORMAT " descriptors, %zu objects desired, %s\n", source.path, revision->files,
		       revision->network->objects.n, diags_errors(revision->diags) ? "faulty" : "valid");
	}
	return diags_errors(revision->diags) ? EXIT_FAULT : EXIT_OK;
}

const struct command command_validate = {
	.name = "validate",
	.arguments = "[PATH]",
	.summary = "check descriptors: every fault, with file, line and column",
	.details = "PATH is a repository or a folder (default: this one).\n\nExit status: 0 valid, 1 faults.",
	.options = options,
	.outputs = "text|json",
	.run = run,
};
