/* pleachd: the controller. Options and wiring. */
#include "base/json.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/notify.h"
#include "registry.h"
#include "source/fetch.h"

#include <locale.h>
#include <stdio.h>

enum { EXIT_USAGE = 64, POLL_DEFAULT_S = 30, RESYNC_DEFAULT_S = 60, SAMPLE_DEFAULT_S = 10 };

struct arguments {
	char *repo, *branch, *subfolder, *owner, *state, *listen, *poll, *resync, *sample, *level, *format, *config;
	char *ssh_key, *known_hosts, *ca_file, *token_file, *fetch_timeout;
	gint fetch_limit_mib, keep_events, keep_operations, keep_revisions;
	gboolean allow_http, version;
};

/* What was said at the start, for a reload: options of the command line go before those of the file. */
struct invocation {
	char **argv;
	struct arguments arguments;
};

static void free_arguments(struct arguments *arguments)
{
	char *const all[] = { arguments->repo,	 arguments->branch, arguments->subfolder, arguments->owner, arguments->state,
			      arguments->listen, arguments->poll,   arguments->resync,	  arguments->level,
			      arguments->format, arguments->config, arguments->ssh_key, arguments->known_hosts,
			      arguments->ca_file, arguments->token_file, arguments->fetch_timeout, arguments->sample };
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		g_free(all[i]);
}

static bool parse_words(struct arguments *arguments, char **words, GError **error)
{
	const GOptionEntry entries[] = {
		{ "repo", 0, 0, G_OPTION_ARG_FILENAME, &arguments->repo, "the repository: a path, or https://…, ssh://…, USER@HOST:PATH",
		  "PATH|ADDRESS" },
		{ "branch", 0, 0, G_OPTION_ARG_STRING, &arguments->branch, "its branch, or a tag or commit of it (default: main)", "NAME" },
		{ "path", 0, 0, G_OPTION_ARG_STRING, &arguments->subfolder, "only this sub-folder of it", "SUBFOLDER" },
		{ "owner", 0, 0, G_OPTION_ARG_STRING, &arguments->owner, "the tag on everything that is made", "NAME" },
		{ "state", 0, 0, G_OPTION_ARG_FILENAME, &arguments->state, "the state folder (or PLEACH_STATE)", "DIR" },
		{ "listen", 0, 0, G_OPTION_ARG_STRING, &arguments->listen, "where to answer (default: unix:STATE/pleachd.sock)",
		  "unix:PATH|HOST:PORT" },
		{ "poll", 0, 0, G_OPTION_ARG_STRING, &arguments->poll, "resolve the branch so often, beside events (default: 30s)", "TIME" },
		{ "resync", 0, 0, G_OPTION_ARG_STRING, &arguments->resync, "look at everything so often (default: 60s)", "TIME" },
		{ "sample", 0, 0, G_OPTION_ARG_STRING, &arguments->sample, "measure each network function so often, 0 for never (default: 10s)",
		  "TIME" },
		{ "log-level", 0, 0, G_OPTION_ARG_STRING, &arguments->level, "error, warning, info or debug (default: info)", "LEVEL" },
		{ "log-format", 0, 0, G_OPTION_ARG_STRING, &arguments->format,
		  "text, json or journal (default: journal where standard error is the journal, else text)", "FORMAT" },
		{ "config", 0, 0, G_OPTION_ARG_FILENAME, &arguments->config, "a file of such options, one on each line without the dashes",
		  "FILE" },
		{ "ssh-key", 0, 0, G_OPTION_ARG_FILENAME, &arguments->ssh_key, "the private key for ssh (default: an agent, then ~/.ssh)", "FILE" },
		{ "known-hosts", 0, 0, G_OPTION_ARG_FILENAME, &arguments->known_hosts, "the pinned host keys (default: ~/.ssh/known_hosts)", "FILE" },
		{ "git-token-file", 0, 0, G_OPTION_ARG_FILENAME, &arguments->token_file, "the password or token for https", "FILE" },
		{ "git-ca-file", 0, 0, G_OPTION_ARG_FILENAME, &arguments->ca_file, "who may certify https servers (default: the system's)", "FILE" },
		{ "fetch-timeout", 0, 0, G_OPTION_ARG_STRING, &arguments->fetch_timeout, "give up a fetch after that (default: 60s)", "TIME" },
		{ "fetch-limit", 0, 0, G_OPTION_ARG_INT, &arguments->fetch_limit_mib, "at most so much in one fetch (default: 512)", "MIB" },
		{ "allow-http", 0, 0, G_OPTION_ARG_NONE, &arguments->allow_http, "allow http:// to other machines", NULL },
		{ "keep-events", 0, 0, G_OPTION_ARG_INT, &arguments->keep_events, "remember so many events (default: 100000)", "N" },
		{ "keep-operations", 0, 0, G_OPTION_ARG_INT, &arguments->keep_operations, "remember so many operations (default: 100000)", "N" },
		{ "keep-revisions", 0, 0, G_OPTION_ARG_INT, &arguments->keep_revisions, "remember so many commits (default: 10000)", "N" },
		{ "version", 0, 0, G_OPTION_ARG_NONE, &arguments->version, "print the version", NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_option_context_set_summary(context, "The controller of Pleach: keeps a network as a Git repository says it should be.");
	g_option_context_set_description(context, "SIGTERM and SIGINT end it; the network stays as it is. SIGHUP reads the configuration\n"
						  "file again: log-level, log-format, poll, resync and sample change at once.\n"
						  "Exit status: 0 ended by a signal, 1 could not start, 64 wrong usage.");
	g_option_context_add_main_entries(context, entries, NULL);
	g_auto(GStrv) rest = g_strdupv(words);
	if (!g_option_context_parse_strv(context, &rest, error))
		return false;
	return g_strv_length(rest) <= 1 || pleach_error_invalid(error, "it takes options only, not \"%s\"", rest[1]);
}

/* The command line, and the file that it names: its options come first, so that those of the command line win. */
static bool parse(struct arguments *arguments, char **argv, GError **error)
{
	struct arguments first = { 0 };
	bool good = parse_words(&first, argv, error);
	g_auto(GStrv) file = good && first.config ? config_read(first.config, error) : NULL;
	good = good && (file || !first.config);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_ptr_array_add(words, argv[0]);
	for (size_t i = 0; file && file[i]; i++)
		g_ptr_array_add(words, file[i]);
	for (size_t i = 1; argv[i]; i++)
		g_ptr_array_add(words, argv[i]);
	g_ptr_array_add(words, NULL);
	if (good && !parse_words(arguments, (char **) words->pdata, error)) {
		g_prefix_error(error, "%s%s", first.config ? first.config : "", first.config ? ": " : "");
		good = false;
	}
	free_arguments(&first);
	return good;
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

/* What may change while it runs. */
static bool read_settings(const struct arguments *arguments, struct daemon_settings *ret, GError **error)
{
	*ret = (struct daemon_settings) { .log_level = LOG_LEVEL_INFO, .log_format = log_format_default() };
	if (arguments->level && !log_level_parse(arguments->level, &ret->log_level))
		return pleach_error_invalid(error, "--log-level takes error, warning, info or debug");
	if (arguments->format && !log_format_parse(arguments->format, &ret->log_format))
		return pleach_error_invalid(error, "--log-format takes text, json or journal");
	if (!parse_seconds(arguments->poll, POLL_DEFAULT_S, &ret->poll_s) ||
	    !parse_seconds(arguments->resync, RESYNC_DEFAULT_S, &ret->resync_s) ||
	    !parse_seconds(arguments->sample, SAMPLE_DEFAULT_S, &ret->sample_s))
		return pleach_error_invalid(error, "--poll, --resync and --sample take a time such as 30s");
	return true;
}

/* What a reload cannot change is said. */
static void tell_fixed(const struct arguments *now, const struct arguments *then)
{
	const struct {
		const char *name, *now, *then;
	} fixed[] = {
		{ "repo", now->repo, then->repo },    { "branch", now->branch, then->branch }, { "path", now->subfolder, then->subfolder },
		{ "owner", now->owner, then->owner }, { "state", now->state, then->state },    { "listen", now->listen, then->listen },
		{ "ssh-key", now->ssh_key, then->ssh_key },
		{ "known-hosts", now->known_hosts, then->known_hosts },
		{ "git-token-file", now->token_file, then->token_file },
		{ "git-ca-file", now->ca_file, then->ca_file },
		{ "fetch-timeout", now->fetch_timeout, then->fetch_timeout },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
		if (g_strcmp0(fixed[i].now, fixed[i].then) != 0)
			log_warning("%s: \"%s\" has changed: that needs a restart of pleachd", then->config, fixed[i].name);
}

static bool reload(struct daemon_settings *ret, GError **error, void *data)
{
	const struct invocation *invocation = data;
	struct arguments now = { 0 };
	bool good = parse(&now, invocation->argv, error) && read_settings(&now, ret, error);
	if (good)
		tell_fixed(&now, &invocation->arguments);
	free_arguments(&now);
	return good;
}

static bool read_remote(const struct arguments *arguments, struct remote_options *ret, GError **error)
{
	*ret = (struct remote_options) {
		.ssh_key = arguments->ssh_key,
		.known_hosts = arguments->known_hosts,
		.ca_file = arguments->ca_file,
		.token_file = arguments->token_file,
	};
	gint limit = arguments->fetch_limit_mib ? arguments->fetch_limit_mib : REMOTE_LIMIT_DEFAULT_MIB;
	if (!parse_seconds(arguments->fetch_timeout, REMOTE_TIMEOUT_DEFAULT_S, &ret->timeout_s) || ret->timeout_s == 0)
		return pleach_error_invalid(error, "--fetch-timeout takes a time such as 60s");
	if (limit < 1 || limit > REMOTE_LIMIT_MAX_MIB)
		return pleach_error_invalid(error, "--fetch-limit takes 1 to %d MiB", REMOTE_LIMIT_MAX_MIB);
	ret->max_bytes = (guint64) limit << 20;
	return true;
}

static bool read_bounds(const struct arguments *arguments, struct store_bounds *ret, GError **error)
{
	const gint all[] = { arguments->keep_events, arguments->keep_operations, arguments->keep_revisions };
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
		if (all[i] < 0 || all[i] > STORE_KEPT_MAX)
			return pleach_error_invalid(error, "--keep-events, --keep-operations and --keep-revisions take 1 to %d", STORE_KEPT_MAX);
	*ret = (struct store_bounds) {
		.events = (unsigned) arguments->keep_events,
		.operations = (unsigned) arguments->keep_operations,
		.revisions = (unsigned) arguments->keep_revisions,
	};
	return true;
}

static int start(struct invocation *invocation)
{
	const struct arguments *arguments = &invocation->arguments;
	g_autoptr(GError) error = NULL;
	struct daemon_options options = {
		.registry = &registry,
		.branch = arguments->branch ? arguments->branch : "main",
		.subfolder = arguments->subfolder,
		.owner = arguments->owner,
		.listen = arguments->listen,
		.reload = reload,
		.data = invocation,
	};
	if (!arguments->repo)
		return usage("say which repository: --repo PATH|ADDRESS");
	auto_ptr(source_address) repo = source_address_parse(arguments->repo, arguments->allow_http, &error);
	if (!repo || !read_remote(arguments, &options.remote, &error))
		return usage(error->message);
	options.repo = repo;
	if (!read_settings(arguments, &options.settings, &error) || !read_bounds(arguments, &options.bounds, &error))
		return usage(error->message);
	log_init(options.settings.log_level, options.settings.log_format);
	const char *from_environment = g_getenv("PLEACH_STATE");
	g_autofree char *default_state = from_environment ? g_strdup(from_environment) : file_state_folder();
	options.state_folder = arguments->state ? arguments->state : default_state;
	if (daemon_run(&options, &error))
		return 0;
	fprintf(stderr, "pleachd: %s\n", error->message);
	return 1;
}

int main(int argc, char **argv)
{
	if (source_fetch_is_child(argc, argv))
		return source_fetch_child();
	struct invocation invocation = { .argv = argv };
	g_autoptr(GError) error = NULL;
	int status;
	setlocale(LC_CTYPE, "");
	g_set_prgname("pleachd");
	json_wipe_freed();
	notify_init();
	if (!parse(&invocation.arguments, argv, &error))
		status = usage(error->message);
	else if (invocation.arguments.version) {
		printf("pleachd %s\n", PLEACH_VERSION);
		status = 0;
	} else
		status = start(&invocation);
	free_arguments(&invocation.arguments);
	return status;
}
