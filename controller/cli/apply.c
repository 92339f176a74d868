/* pleach apply: one full reconcile in this process. */
#include "cli/verbs.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/apply.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TIMEOUT_DEFAULT_S = 300, PLAN_FILE_MAX_BYTES = 64 * 1024 * 1024 };

static gboolean option_destroy, option_dirty, option_yes;
static char *option_revision, *option_path, *option_owner, *option_timeout, *option_plan;

static const GOptionEntry options[] = {
	{ "destroy", 0, 0, G_OPTION_ARG_NONE, &option_destroy, "take away everything that the repository asks for", NULL },
	{ "yes", 0, 0, G_OPTION_ARG_NONE, &option_yes, "also where that takes away all that is on a site", NULL },
	{ "allow-dirty", 0, 0, G_OPTION_ARG_NONE, &option_dirty, "apply the files as they are, committed or not", NULL },
	{ "revision", 0, 0, G_OPTION_ARG_STRING, &option_revision, "this commit (default: HEAD)", "REV" },
	{ "path", 0, 0, G_OPTION_ARG_STRING, &option_path, "only this sub-folder of the repository", "SUBFOLDER" },
	{ "owner", 0, 0, G_OPTION_ARG_STRING, &option_owner, "the owner tag, as pleachd would have it", "NAME" },
	{ "plan", 0, 0, G_OPTION_ARG_FILENAME, &option_plan, "only if it is still this plan (of `pleach plan -o json`)", "FILE" },
	{ "timeout", 0, 0, G_OPTION_ARG_STRING, &option_timeout, "give up after so long (default: 5m)", "TIME" },
	{ NULL },
};

struct progress {
	const struct cli *cli;
	size_t n_steps, n_done;
	bool terminal, empty, faulty;
};

static void loaded(const struct revision *revision, void *data)
{
	struct progress *progress = data;
	progress->faulty = diags_errors(revision->diags) > 0;
	cli_print_findings(revision);
}

static void planned(const struct plan *plan, void *data)
{
	struct progress *progress = data;
	progress->n_steps = plan->n_steps;
	progress->n_done = 0;
	progress->empty = false;
}

static void operation_changed(const struct operation *operation, void *data)
{
	struct progress *progress = data;
	if (progress->terminal)
		fprintf(stderr, "\r\033[K");
	if (operation->state == OP_COMPLETED) {
		progress->n_done++;
		if (progress->cli->output == OUTPUT_TEXT)
			printf("%s %s\n", action_name(operation->action), operation->key);
		fflush(stdout);
	} else if (operation->error)
		fprintf(stderr, "%s %s: %s: %s\n", action_name(operation->action), operation->key, op_state_name(operation->state),
			operation->error);
	if (progress->terminal)
		fprintf(stderr, "%zu of %zu steps done", progress->n_done, progress->n_steps);
}

static bool read_fingerprint(char **ret, GError **error)
{
	size_t length;
	g_autofree char *text = file_read(option_plan, PLAN_FILE_MAX_BYTES, &length, error);
	g_autoptr(json_t) json = text ? json_parse(text, length, PLAN_FILE_MAX_BYTES, option_plan, error) : NULL;
	const char *fingerprint;
	if (!json || !json_get_string(json, "fingerprint", &fingerprint, option_plan, error))
		return false;
	*ret = g_strdup(fingerprint);
	return true;
}

/* What is applied is a commit, so that it can be found again; a dirty tree is refused, since it is not what would be applied. */
static bool choose_revision(struct revision_source *source, GError **error)
{
	if (option_dirty)
		return true;
	source->revision = option_revision ? option_revision : "HEAD";
	if (option_revision)
		return true;
	bool clean;
	g_autofree char *what = NULL;
	if (!source_is_clean(source->path, source->subfolder, &clean, &what, error))
		return false;
	if (!clean)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s is not committed; commit it, or say --allow-dirty", what);
	return clean;
}

static int tell(const struct cli *cli, const struct progress *progress, enum apply_end end, const char *reason)
{
	static const char *const names[] = {
		[APPLY_CONVERGED] = "converged",
		[APPLY_STUCK] = "not converged",
		[APPLY_HELD] = "not converged: the rest is held",
		[APPLY_TIMEOUT] = "not converged in time",
		[APPLY_INTERRUPTED] = "interrupted; what was begun is written down, run it again to go on",
	};
	if (progress->terminal)
		fprintf(stderr, "\r\033[K");
	if (cli->output == OUTPUT_JSON) {
		g_autoptr(json_t) json = json_pack("{s:b, s:s, s:s?, s:b}", "converged", end == APPLY_CONVERGED, "state", names[end], "reason",
						   reason, "faulty", progress->faulty);
		g_autofree char *text = json_text(json, 2);
		printf("%s\n", text);
	} else if (end == APPLY_CONVERGED)
		printf("%s%s\n", names[end], progress->empty ? ": nothing was to be done" : "");
	else
		fprintf(stderr, "pleach: %s%s%s\n", names[end], reason ? ": " : "", reason ? reason : "");
	if (end == APPLY_CONVERGED && progress->faulty)
		fprintf(stderr, "pleach: but there are faults in the descriptors, and what they are about was left as it is\n");
	return end == APPLY_CONVERGED && !progress->faulty ? EXIT_OK : EXIT_FAULT;
}

/* Who sits at a terminal is asked; a program says --yes. */
static bool may_go_on(const char *reason)
{
	char line[16] = "";
	if (!reason || !strstr(reason, "`pleach approve") || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	fprintf(stderr, "\r\033[K%s\nDo it? [y/N] ", reason);
	return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("apply takes one folder at most");
	gint64 timeout_ms = option_timeout ? clock_parse_duration_ms(option_timeout) : TIMEOUT_DEFAULT_S * 1000;
	if (timeout_ms < 0)
		return cli_usage("apply: --timeout takes a time such as 90s");
	log_init(LOG_LEVEL_ERROR, false);
	g_autoptr(GError) error = NULL;
	g_autofree char *fingerprint = NULL, *reason = NULL;
	struct progress progress = { .cli = cli, .terminal = isatty(STDERR_FILENO), .empty = true };
	struct apply_options apply = {
		.registry = cli->registry,
		.source = { .path = argc > 1 ? argv[1] : ".", .subfolder = option_path, .owner = option_owner },
		.state_folder = cli->state,
		.destroy = option_destroy,
		.approves = option_yes,
		.timeout_s = (unsigned) ((timeout_ms + 999) / 1000),
		.loaded = loaded,
		.planned = planned,
		.operation = operation_changed,
		.data = &progress,
	};
	enum apply_end how;
	if ((option_plan && !read_fingerprint(&fingerprint, &error)) || !choose_revision(&apply.source, &error) ||
	    !file_make_folder(cli->state, 0700, &error))
		return cli_fail(error);
	apply.fingerprint = fingerprint;
	if (!apply_run(&apply, &how, &reason, &error))
		return cli_fail(error);
	if (how == APPLY_HELD && !apply.approves && !apply.destroy && may_go_on(reason)) {
		apply.approves = true;
		apply.fingerprint = NULL; /* what could be done of that plan is done */
		g_clear_pointer(&reason, g_free);
		if (!apply_run(&apply, &how, &reason, &error))
			return cli_fail(error);
	}
	return tell(cli, &progress, how, reason);
}

const struct command command_apply = {
	.name = "apply",
	.arguments = "[PATH]",
	.summary = "one full reconcile without a controller",
	.details = "Makes the network as the newest commit of PATH (default: this folder) asks for, and ends. The VNFs stay.\n"
		   "A commit that would take away all that is on a site is held: on a terminal it asks, else --yes lets it. What is\n"
		   "suspended (pleach suspend) stays as it is, with --destroy too.\n\n"
		   "Exit status: 0 converged, 1 not, or faulty descriptors.",
	.options = options,
	.outputs = "text|json",
	.run = run,
};
