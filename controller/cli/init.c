/* pleach init: a small, valid desired-state repository to begin with. */
#include "cli/verbs.h"

#include "source/create.h"

#include <stdio.h>

extern const struct cli_init_texts_row { const char *name, *text; } cli_init_texts[];

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("init takes one folder at most");
	const char *folder = argc > 1 ? argv[1] : ".";
	g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(struct source_new_file));
	for (size_t i = 0; cli_init_texts[i].name; i++) {
		const struct source_new_file file = { .path = cli_init_texts[i].name, .text = cli_init_texts[i].text };
		g_array_append_val(files, file);
	}
	g_autofree char *commit = NULL;
	g_autoptr(GError) error = NULL;
	if (!source_create(folder, (const struct source_new_file *) (gconstpointer) files->data, files->len,
			   "A web server that says hello\n", &commit, &error))
		return cli_fail(error);
	printf("%s: a repository with one service, \"hello\", at commit %.10s\n\n", folder, commit);
	for (guint i = 0; i < files->len; i++)
		printf("  %s\n", g_array_index(files, struct source_new_file, i).path);
	printf("\nNext:\n  pleach validate %s\n  pleach plan %s\n  pleach apply %s\n", folder, folder, folder);
	return EXIT_OK;
}

const struct command command_init = {
	.name = "init",
	.arguments = "[DIR]",
	.summary = "write a small, valid repository and make its first commit",
	.details = "DIR (default: this folder) must be empty or absent.\n\nExit status: 0 done, 1 not.",
	.run = run,
};
