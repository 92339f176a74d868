#include "cli/cli.h"

#include "base/file.h"
#include "base/visible.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_fail(const GError *error)
{
	g_autofree char *text = visible(error->message); /* it may be a far side's own words */
	fprintf(stderr, "pleach: %s\n", text);
	return EXIT_FAULT;
}

int cli_usage(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	fprintf(stderr, "pleach: %s\n", text);
	return EXIT_USAGE;
}

struct report_style cli_style(const struct cli *cli)
{
	static const enum report_format formats[] = {
		[OUTPUT_TEXT] = REPORT_TEXT, [OUTPUT_JSON] = REPORT_JSON, [OUTPUT_MARKDOWN] = REPORT_MARKDOWN,
	};
	return (struct report_style) { .format = formats[cli->output], .colour = cli->colour };
}

void cli_print_findings(const struct revision *revision)
{
	const struct report_style style = { .format = REPORT_TEXT, .colour = false };
	if (diags_count(revision->diags) == 0)
		return;
	g_autofree char *text = report_diags(revision->diags, tosca_source, revision->tosca, &style, NULL);
	fputs(text, stderr);
}

void cli_print(char *text)
{
	size_t length = strlen(text);
	fwrite(text, 1, length, stdout);
	if (length && text[length - 1] != '\n')
		putchar('\n');
	g_free(text);
}

char *cli_key(const char *text)
{
	g_autoptr(GString) key = g_string_new(NULL);
	for (; *text; text++) {
		if (g_ascii_isalnum(*text) || strchr("_-./%", *text))
			g_string_append_c(key, *text);
		else
			g_string_append_printf(key, "%%%02X", (unsigned char) *text);
	}
	return g_string_free(g_steal_pointer(&key), FALSE);
}

static void print_overview(FILE *out)
{
	fprintf(out, "pleach: GitOps for network functions virtualisation\n\nUsage: pleach VERB [OPTION …] [ARGUMENT …]\n\n");
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(out, "\n`pleach VERB --help` says more. `pleach completion` prints a completion script for bash.\n"
		     "Options of every verb: -o text|json, --controller unix:PATH|http://HOST:PORT (or PLEACH_CONTROLLER),\n"
		     "--state DIR (or PLEACH_STATE), --no-color (or NO_COLOR). `pleach --version` prints the version.\n");
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (g_str_equal(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (size_t i = 0; commands[i]; i++)
		g_ptr_array_add(names, (gpointer) (guintptr) commands[i]->name);
	const char *near = diag_did_you_mean(name, (const char *const *) names->pdata, names->len);
	fprintf(stderr, "pleach: there is no verb \"%s\"%s%s%s; `pleach --help` lists them\n", name, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
	return EXIT_USAGE;
}

static bool set_output(struct cli *cli, const struct command *command, const char *output)
{
	static const char *const names[] = { [OUTPUT_TEXT] = "text", [OUTPUT_JSON] = "json", [OUTPUT_MARKDOWN] = "markdown" };
	const char *allowed = command->outputs ? command->outputs : "text";
	g_auto(GStrv) each = g_strsplit(allowed, "|", -1);
	if (!g_strv_contains((const char *const *) each, output))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_str_equal(names[i], output))
			cli->output = (enum output) i;
	return true;
}

char *cli_default_controller(const char *state)
{
	const char *from_environment = g_getenv("PLEACH_CONTROLLER");
	return from_environment ? g_strdup(from_environment) : g_strdup_printf("unix:%s/pleachd.sock", state);
}

static int run_command(const struct registry *registry, const struct command *command, int argc, char **argv)
{
	g_autofree char *output = NULL, *controller = NULL, *state = NULL;
	gboolean no_colour = FALSE;
	const GOptionEntry common[] = {
		{ "output", 'o', 0, G_OPTION_ARG_STRING, &output, "how to print", command->outputs ? command->outputs : "text" },
		{ "controller", 0, 0, G_OPTION_ARG_STRING, &controller, "where pleachd listens", "unix:PATH|http://HOST:PORT" },
		{ "state", 0, 0, G_OPTION_ARG_FILENAME, &state, "the controller's state folder", "DIR" },
		{ "no-color", 0, 0, G_OPTION_ARG_NONE, &no_colour, "no colours, even on a terminal", NULL },
		{ NULL },
	};
	g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);
	g_option_context_set_summary(context, command->summary);
	g_option_context_set_description(context, command->details);
	g_option_context_set_strict_posix(context, g_str_equal(command->name, "exec"));
	if (command->options)
		g_option_context_add_main_entries(context, command->options, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	g_autoptr(GError) error = NULL;
	g_autofree char *program = g_strconcat("pleach ", command->name, NULL);
	g_set_prgname(program);
	if (!g_option_context_parse(context, &argc, &argv, &error))
		return cli_usage("%s: %s; see `pleach %s --help`", command->name, error->message, command->name);
	const char *state_environment = g_getenv("PLEACH_STATE");
	const char *no_color = g_getenv("NO_COLOR"); /* https://no-color.org: an empty one says nothing */
	struct cli cli = {
		.registry = registry,
		.colour = !no_colour && !(no_color && *no_color) && isatty(STDOUT_FILENO),
	};
	if (output && !set_output(&cli, command, output))
		return cli_usage("%s: -o takes %s, not \"%s\"", command->name, command->outputs ? command->outputs : "text", output);
	g_autofree char *used_state = state ? g_steal_pointer(&state) :
				      state_environment ? g_strdup(state_environment) : file_state_folder();
	g_autofree char *used_controller = controller ? g_steal_pointer(&controller) : cli_default_controller(used_state);
	cli.state = used_state;
	cli.controller = used_controller;
	return command->run(&cli, argc, argv);
}

int cli_main(const struct registry *registry, int argc, char **argv)
{
	setlocale(LC_ALL, "");
	setvbuf(stdout, NULL, _IOFBF, 0);
	int status;
	if (argc < 2) {
		print_overview(stderr);
		return EXIT_USAGE;
	}
	const char *verb = argv[1];
	const struct command *command = find_command(verb);
	if (g_str_equal(verb, "--help") || g_str_equal(verb, "-h") || g_str_equal(verb, "help")) {
		const struct command *about = argc > 2 ? find_command(argv[2]) : NULL;
		if (about) {
			char help[] = "--help";
			char *arguments[] = { argv[2], help, NULL };
			return run_command(registry, about, 2, arguments);
		}
		if (argc > 2 && g_str_equal(argv[2], "completion")) {
			char help[] = "--help";
			char *arguments[] = { argv[2], help, NULL };
			return cli_completion(2, arguments);
		}
		if (argc > 2 && argv[2][0] != '-')
			return unknown_command(argv[2]);
		print_overview(stdout);
		status = EXIT_OK;
	} else if (g_str_equal(verb, "--version")) {
		printf("pleach %s\n", PLEACH_VERSION);
		status = EXIT_OK;
	} else if (g_str_equal(verb, "completion"))
		status = cli_completion(argc - 1, argv + 1);
	else if (command)
		status = run_command(registry, command, argc - 1, argv + 1);
	else if (*verb == '-')
		status = cli_usage("options come behind the verb: pleach VERB %s …", verb);
	else
		status = unknown_command(verb);
	if (fflush(stdout) == 0)
		return status;
	fprintf(stderr, "pleach: cannot write: %s\n", g_strerror(errno));
	return EXIT_FAULT;
}
