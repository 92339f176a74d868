/* pleach doctor: what this machine lacks, and the command that mends it. */
#include "cli/verbs.h"

#include "base/file.h"

#include <stdio.h>
#include <unistd.h>

struct findings {
	const struct cli *cli;
	json_t *list;
	bool faults;
};

static void print_check(const struct vim_check *check, void *data)
{
	struct findings *findings = data;
	const char *state = check->good ? "ok" : check->required ? "missing" : "advised";
	findings->faults |= !check->good && check->required;
	if (findings->cli->output == OUTPUT_JSON) {
		json_array_append_new(findings->list, json_pack("{s:s, s:s, s:s?, s:s?}", "state", state, "what", check->what, "why",
								check->good ? NULL : check->why, "mend", check->good ? NULL : check->mend));
		return;
	}
	printf("%-8s %s\n", state, check->what);
	if (!check->good && check->why)
		printf("         %s\n", check->why);
	if (!check->good && check->mend)
		printf("         mend: %s\n", check->mend);
}

static void check_folders(const struct cli *cli, struct findings *findings)
{
	g_autofree char *runtime = file_runtime_folder();
	const char *const folders[] = { cli->state, runtime };
	const char *const uses[] = { "the controller remembers in it what it applied", "sockets of running sites are in it" };
	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		/* The nearest folder that exists must let us make the rest. */
		g_autofree char *at = g_strdup(folders[i]);
		while (!g_file_test(at, G_FILE_TEST_EXISTS)) {
			char *parent = g_path_get_dirname(at);
			g_free(at);
			at = parent;
		}
		g_autofree char *what = g_strdup_printf("%s can be written", folders[i]);
		g_autofree char *mend = i == 0 ? g_strdup("choose another with --state DIR (or PLEACH_STATE)") :
						 g_strdup("choose another with PLEACH_RUNTIME_DIR");
		const struct vim_check check = { .good = access(at, W_OK) == 0, .required = true, .what = what, .why = uses[i], .mend = mend };
		print_check(&check, findings);
	}
}

static void check_controller(const struct cli *cli, struct findings *findings)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *answer = cli_ask(cli, "GET", "/v1/health", NULL, &error);
	g_autofree char *what = g_strdup_printf("pleachd answers at %s", cli->controller);
	const struct vim_check check = {
		.good = answer != NULL,
		.what = what,
		.why = error ? error->message : NULL,
		.mend = "pleachd --repo DIR --branch main (only online verbs need it)",
	};
	print_check(&check, findings);
}

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc > 1)
		return cli_usage("doctor takes no arguments");
	struct findings findings = { .cli = cli, .list = json_array() };
	check_folders(cli, &findings);
	for (size_t i = 0; i < cli->registry->n_vims; i++)
		if (cli->registry->vims[i]->check)
			cli->registry->vims[i]->check(NULL, print_check, &findings);
	check_controller(cli, &findings);
	g_autoptr(json_t) list = findings.list;
	if (cli->output == OUTPUT_JSON) {
		g_autoptr(json_t) whole = json_pack("{s:O, s:b}", "checks", list, "good", !findings.faults);
		g_autofree char *text = json_text(whole, 2);
		printf("%s\n", text);
	}
	return findings.faults ? EXIT_FAULT : EXIT_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "what this machine lacks, and the command that mends it",
	.details = "\"missing\" stops the local VIM; \"advised\" limits it.\n\nExit status: 0 nothing is missing, 1 something is.",
	.outputs = "text|json",
	.run = run,
};
