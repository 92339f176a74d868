/* pleachd: the controller. Options and wiring. */
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "registry.h"

#include <locale.h>
#include <stdio.h>

enum { EXIT_USAGE = 64, POLL_DEFAULT_S = 30, RESYNC_DEFAULT_S = 60 };

struct arguments {
	char *repo, *branch, *subfolder, *owner, *state, *listen, *poll, *resync, *level;
	gboolean json, version;
};

static void free_arguments(struct arguments *arguments)
{
	char *const all[] = { arguments->repo,	 arguments->branch, arguments->subfolder, arguments->owner, arguments->state,
			      arguments->listen, arguments->poll,   arguments->resync,	  arguments->level };
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		g_free(all[i]);
}

static bool parse(struct arguments *arguments, int *argc, char ***argv, GError **error)
{
	const GOptionEntry entries[] = {
		{ "repo", 0, 0, G_OPTION_ARG_FILENAME, &arguments->repo, "the repository to watch (a path on this machine)", "PATH" },
		{ "branch", 0, 0, G_OPTION_ARG_STRING, &arguments->branch, "its branch (default: main)", "NAME" },
		{ "path", 0, 0, G_OPTION_ARG_STRING, &arguments->subfolder, "only this sub-folder of it", "SUBFOLDER" },
		{ "owner", 0, 0, G_OPTION_ARG_STRING, &arguments->owner, "the tag on everything that is made", "NAME" },
		{ "state", 0, 0, G_OPTION_ARG_FILENAME, &arguments->state, "the state folder (or PLEACH_STATE)", "DIR" },
		{ "listen", 0, 0, G_OPTION_ARG_STRING, &arguments->listen, "where to answer (default: unix:STATE/pleachd.sock)",
		  "unix:PATH|HOST:PORT" },
		{ "poll", 0, 0, G_OPTION_ARG_STRING, &arguments->poll, "resolve the branch so often, beside events (default: 30s)", "TIME" },
		{ "resync", 0, 0, G_OPTION_ARG_STRING, &arguments->resync, "look at everything so often (default: 60s)", "TIME" },
		{ "log-level", 0, 0, G_OPTION_ARG_STRING, &arguments->level, "error, warning, info or debug (default: info)", "LEVEL" },
		{ "log-json", 0, 0, G_OPTION_ARG_NONE, &arguments->json, "log in JSON", NULL },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &arguments->version, "print the version", NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context, "The controller of Pleach: keeps a network as a Git repository says it should be.");
	g_option_context_set_description(context, "SIGTERM and SIGINT end it; the network stays as it is.\n"
						  "Exit status: 0 ended by a signal, 1 could not start, 64 wrong usage.");
	g_option_context_add_main_entries(context, entries, NULL);
	return g_option_context_parse(context, argc, argv, error);
}

static int usage(const char *text)
{
	fprintf(stderr, "pleachd: %s; see `pleachd --help`\n", text);
	return EXIT_USAGE;
}

static bool parse_seconds(const char *text, unsigned fallback, unsigned *ret)
{
	gint64 ms = text ? clock_parse_duration_ms(text) : (gint64) fallback * 1000;
	if (ms < 0 || ms > G_MAXINT32)
		return false;
	*ret = (unsigned) ((ms + 999) / 1000);
	return true;
}

static int start(const struct arguments *arguments)
{
	enum log_level level = LOG_LEVEL_INFO;
	struct daemon_options options = {
		.registry = &registry,
		.repo = arguments->repo,
		.branch = arguments->branch ? arguments->branch : "main",
		.subfolder = arguments->subfolder,
		.owner = arguments->owner,
		.listen = arguments->listen,
	};
	if (!options.repo)
		return usage("say which repository: --repo PATH");
	if (arguments->level && !log_level_parse(arguments->level, &level))
		return usage("--log-level takes error, warning, info or debug");
	if (!parse_seconds(arguments->poll, POLL_DEFAULT_S, &options.poll_s) ||
	    !parse_seconds(arguments->resync, RESYNC_DEFAULT_S, &options.resync_s))
		return usage("--poll and --resync take a time such as 30s");
	log_init(level, arguments->json);
	const char *from_environment = g_getenv("PLEACH_STATE");
	g_autofree char *default_state = from_environment ? g_strdup(from_environment) : file_state_folder();
	options.state_folder = arguments->state ? arguments->state : default_state;
	g_autoptr(GError) error = NULL;
	if (daemon_run(&options, &error))
		return 0;
	fprintf(stderr, "pleachd: %s\n", error->message);
	return 1;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	g_autoptr(GError) error = NULL;
	int status;
	setlocale(LC_CTYPE, "");
	g_set_prgname("pleachd");
	if (!parse(&arguments, &argc, &argv, &error))
		status = usage(error->message);
	else if (argc > 1)
		status = usage("it takes options only");
	else if (arguments.version) {
		printf("pleachd %s\n", PLEACH_VERSION);
		status = 0;
	} else
		status = start(&arguments);
	free_arguments(&arguments);
	return status;
}
