/* pleach completion: a script for bash, made from the table of commands. Keys come from pleachd while somebody types: whatever goes
 * wrong there is no word on his terminal, and costs half a second at most. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "http/client/client.h"

#include <stdio.h>

enum { KEYS_WAIT_US = 500 * 1000, KEYS_MAX_BYTES = 64 * 1024 * 1024 };

static void print_keys(const json_t *json)
{
	const char *name;
	json_t *item;
	size_t i;
	if (json_is_array(json)) {
		json_array_foreach(json, i, item)
			print_keys(item);
	} else if (json_is_object(json)) {
		const char *key = json_opt_string(json, "key", NULL);
		if (key)
			printf("%s\n", key);
		json_object_foreach((json_t *) (guintptr) json, name, item)
			print_keys(item);
	}
}

static int keys(void)
{
	const char *from_environment = g_getenv("PLEACH_STATE");
	g_autofree char *state = from_environment ? g_strdup(from_environment) : file_state_folder();
	g_autofree char *controller = cli_default_controller(state);
	auto_ptr(http_client) client = http_client_new(controller, NULL);
	const struct http_call call = {
		.method = "GET", .path = "/v1/status", .accept = "application/json",
		.deadline_us = clock_monotonic_us() + KEYS_WAIT_US, .cancel_fd = -1, .reply_max_bytes = KEYS_MAX_BYTES,
	};
	auto_http_reply reply = { 0 };
	if (!client || !http_client_call(client, &call, &reply, NULL) || reply.status != 200)
		return EXIT_OK;
	g_autoptr(json_t) json = json_parse(reply.bytes, reply.length, KEYS_MAX_BYTES, "status", NULL);
	print_keys(json);
	return EXIT_OK;
}

static void print_verbs(void)
{
	for (size_t i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
}

static void print_options(void)
{
	for (size_t i = 0; commands[i]; i++) {
		if (!commands[i]->options)
			continue;
		printf("\t%s) options+=\"", commands[i]->name);
		for (const GOptionEntry *option = commands[i]->options; option->long_name; option++)
			if (*option->long_name)
				printf(" --%s", option->long_name);
		printf("\" ;;\n");
	}
}

/* Verbs whose arguments name an object. */
static void print_key_verbs(void)
{
	const char *separator = "";
	for (size_t i = 0; commands[i]; i++) {
		if (!commands[i]->arguments || !g_strstr_len(commands[i]->arguments, -1, "KEY"))
			continue;
		printf("%s%s", separator, commands[i]->name);
		separator = "|";
	}
}

/* What an option, or a verb's first word, may be. */
static const char WORDS[] =
	"\tcase $before in\n"
	"\t-o | --output) words=\"text json markdown\" ;;\n"
	"\t--kind) words=\"revision operation drift repaired ended source blind back held suspended resumed expired approved fault healed "
	"cure limit threshold\" ;;\n"
	"\tesac\n"
	"\t[ \"$COMP_CWORD\" -ne 2 ] || case $verb in\n"
	"\tnf) words=\"status logs metrics\" ;;\n"
	"\tsite) words=\"list clean\" ;;\n"
	"\tlog-level) words=\"error warning info debug\" ;;\n"
	"\tschema) words=$(\"${COMP_WORDS[0]}\" schema 2>/dev/null) ;;\n"
	"\tcompletion) words=bash ;;\n";

static void print_script(void)
{
	printf("# bash completion of pleach(1)\n_pleach() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words= keys\n"
	       "\tlocal before=${COMP_WORDS[COMP_CWORD - 1]} options=\"--help --output --controller --state --no-color\"\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"");
	print_verbs();
	printf(" completion\" -- \"$word\"))\n\t\treturn\n\tfi\n%s\thelp) words=\"", WORDS);
	print_verbs();
	printf("\" ;;\n\tesac\n"
	       "\tif [ -n \"$words\" ] && [[ $word != -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n\t\treturn\n\tfi\n"
	       "\tcase $verb in\n");
	print_options();
	printf("\tesac\n\tif [[ $word == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n\t\treturn\n\tfi\n"
	       "\tcase $verb in\n\t");
	print_key_verbs();
	/* A key may be written without its kind; the paths are offered to who has begun one. */
	printf(")\n\t\tkeys=$(\"${COMP_WORDS[0]}\" completion keys 2>/dev/null)\n"
	       "\t\t[ -z \"$word\" ] || keys=\"$keys $(sed 's,^[^/]*/,,' <<<\"$keys\" | sort -u)\"\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$keys\" -- \"$word\"))\n\t\t;;\n"
	       "\t*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n\tesac\n}\ncomplete -F _pleach pleach\n");
}

int cli_completion(int argc, char **argv)
{
	if (argc == 2 && g_str_equal(argv[1], "keys"))
		return keys();
	if (argc == 2 && (g_str_equal(argv[1], "--help") || g_str_equal(argv[1], "-h"))) {
		printf("Usage:\n  pleach completion [bash]\n\na completion script for bash: verbs, options, and keys, which it asks of pleachd\n\n"
		       "Exit status: 0 done.\n");
		return EXIT_OK;
	}
	if (argc > 2 || (argc == 2 && !g_str_equal(argv[1], "bash")))
		return cli_usage("completion: bash is the only shell that it knows");
	print_script();
	return EXIT_OK;
}
