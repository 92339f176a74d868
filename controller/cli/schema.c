/* pleach schema: the built-in types, for editors and for reading. */
#include "cli/verbs.h"

#include <stdio.h>

static int run(const struct cli *cli, int argc, char **argv)
{
	if (argc > 2)
		return cli_usage("schema takes one name at most");
	if (argc == 1) {
		for (size_t i = 0; tosca_profile_name(i); i++)
			printf("%s\n", tosca_profile_name(i));
		return EXIT_OK;
	}
	const char *text = tosca_profile_text(argv[1]);
	if (!text) {
		fprintf(stderr, "pleach: there is no built-in file \"%s\"; `pleach schema` lists them\n", argv[1]);
		return EXIT_FAULT;
	}
	fputs(text, stdout);
	return EXIT_OK;
}

const struct command command_schema = {
	.name = "schema",
	.arguments = "[NAME]",
	.summary = "list the built-in type files, or print one",
	.details = "Exit status: 0 done, 1 there is no such file.",
	.run = run,
};
