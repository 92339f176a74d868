/* pleach plan: what would change, before it does. */
#include "cli/verbs.h"

#include "base/file.h"
#include "daemon/live.h"
#include "daemon/sites.h"
#include "model/world.h"
#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

static char *option_from, *option_to, *option_observed, *option_path, *option_owner;
static gboolean option_live;

static const GOptionEntry options[] = {
	{ "from", 0, 0, G_OPTION_ARG_STRING, &option_from, "compare with what this commit asks for, not with a network", "REV" },
	{ "to", 0, 0, G_OPTION_ARG_STRING, &option_to, "what this commit asks for (default: the files as they are)", "REV" },
	{ "observed", 0, 0, G_OPTION_ARG_FILENAME, &option_observed, "compare with the network as this file has it", "FILE" },
	{ "live", 0, 0, G_OPTION_ARG_NONE, &option_live, "compare with the live network (the default)", NULL },
	{ "path", 0, 0, G_OPTION_ARG_STRING, &option_path, "only this sub-folder of the repository", "SUBFOLDER" },
	{ "owner", 0, 0, G_OPTION_ARG_STRING, &option_owner, "the owner tag, as pleachd has it", "NAME" },
	{ NULL },
};

/* What the desired network is compared with. */
struct against {
	struct observed *observed;
	struct objects last;
	char *what;
	struct revision *from;
};

static void against_clear(struct against *against)
{
	g_clear_pointer(&against->observed, observed_unref);
	g_clear_pointer(&against->from, revision_unref);
	g_clear_pointer(&against->what, g_free);
}

static bool from_json(const json_t *json, const char *what, struct against *ret, GError **error)
{
	if (world_from_json(json, &ret->observed, &ret->last, error))
		return true;
	g_prefix_error(error, "%s: ", what);
	return false;
}

static bool from_file(const char *path, struct against *ret, GError **error)
{
	size_t length;
	g_autofree char *text = file_read(path, WORLD_MAX_BYTES, &length, error);
	ret->what = g_strdup(path);
	g_autoptr(json_t) json = text ? json_parse(text, length, WORLD_MAX_BYTES, path, error) : NULL;
	return json && from_json(json, path, ret, error);
}

static bool from_revision(const struct revision_source *source, struct against *ret, GError **error)
{
	const struct revision_source former = {
		.path = source->path, .revision = option_from, .subfolder = source->subfolder, .owner = source->owner,
	};
	ret->from = revision_load(&former, NULL, error);
	if (!ret->from)
		return false;
	ret->observed = world_assume(ret->from->network);
	ret->last = ret->from->network->objects;
	ret->what = g_strdup_printf("commit %.10s", snapshot_revision(ret->from->snapshot));
	return true;
}

/* The controller knows best, if it is this repository's, whatever the branch; without one, this process looks. */
static bool from_network(const struct cli *cli, const struct revision *revision, struct against *ret, GError **error)
{
	const struct cli asking = { .registry = cli->registry, .output = OUTPUT_JSON, .controller = cli->controller, .state = cli->state };
	g_autofree char *text = cli_ask(&asking, "GET", "/v1/world", NULL, NULL);
	g_autoptr(json_t) json = text ? json_parse(text, strlen(text), WORLD_MAX_BYTES, cli->controller, error) : NULL;
	if (text && !json)
		return false;
	const char *theirs = json ? json_opt_string(json, "repository", NULL) : NULL;
	if (json && theirs && g_strcmp0(theirs, snapshot_root_commit(revision->snapshot)) == 0)
		return from_json(json, cli->controller, ret, error);
	return live_look(cli->registry, revision->network, cli->state, &ret->observed, &ret->last, error);
}

struct sites_of {
	const struct registry *registry;
	const struct network *network;
};

static const struct caps *caps_of(const char *site_name, const struct kind *kind, void *data)
{
	const struct sites_of *sites = data;
	const struct site *site = network_site(sites->network, site_name);
	const struct vim_ops *ops = site && kind != &kind_nf ? registry_vim(sites->registry, site->vim.driver) : NULL;
	return ops ? ops->caps : NULL;
}

static int compare(const struct cli *cli, const struct revision *revision, const struct against *against)
{
	struct sites_of sites = { cli->registry, revision->network };
	const struct plan_input input = {
		.desired = revision->network, .last = against->last, .observed = against->observed, .caps = caps_of, .data = &sites,
	};
	auto_ptr(plan) plan = plan_make(&input);
	const struct report_input report = {
		.desired = revision->network, .last = against->last, .observed = against->observed, .plan = plan, .against = against->what,
	};
	const struct report_style style = cli_style(cli);
	enum report_verdict verdict;
	cli_print(report_plan(&report, &style, &verdict));
	if (diags_errors(revision->diags))
		return EXIT_FAULT;
	return verdict == REPORT_NOTHING ? EXIT_OK : EXIT_DIFFERS;
}

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("plan takes one folder at most");
	if (!!option_from + !!option_observed + !!option_live > 1)
		return cli_usage("plan compares with one thing: --from, --observed or --live");
	const struct revision_source source = {
		.path = argc > 1 ? argv[1] : ".", .revision = option_to, .subfolder = option_path, .owner = option_owner,
	};
	g_autoptr(GError) error = NULL;
	auto_ptr(revision) revision = revision_load(&source, NULL, &error);
	if (!revision)
		return cli_fail(error);
	sites_check_drivers(cli->registry, revision);
	cli_print_findings(revision);
	struct against against = { 0 };
	bool good = option_from	    ? from_revision(&source, &against, &error) :
		    option_observed ? from_file(option_observed, &against, &error) :
				      from_network(cli, revision, &against, &error);
	int status = good ? compare(cli, revision, &against) : cli_fail(error);
	against_clear(&against);
	return status;
}

const struct command command_plan = {
	.name = "plan",
	.arguments = "[PATH]",
	.summary = "what would change, field by field, and why",
	.details = "PATH is a repository or a folder (default: this one). The first line says what is compared with what.\n\n"
		   "Exit status: 0 nothing would change, 2 something would, 1 error or faulty descriptors.",
	.options = options,
	.outputs = "text|json|markdown",
	.run = run,
};
