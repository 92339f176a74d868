/* The command line: `pleach VERB`. One table of commands (commands.c) makes the help and the completion; one file per verb, or per few that are the
 * same thing.
 *
 * Offline verbs work on a checkout; online ones ask pleachd, which renders its reports itself: nothing here parses a report.
 */
#pragma once

#include "base/diag.h"
#include "contract/reconciler.h"
#include "desired/revision.h"
#include "report/report.h"

#include <glib.h>
#include <stdbool.h>

/* Exit statuses; 0 is as each verb says, wrong usage is always 64 (EX_USAGE). */
enum {
	EXIT_OK = 0,
	EXIT_FAULT = 1,
	EXIT_DIFFERS = 2, /* changes, drift, not converged */
	EXIT_USAGE = 64,
};

enum output { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_MARKDOWN };

struct cli {
	const struct registry *registry;
	enum output output;
	bool colour;
	char *controller; /* "unix:PATH" or "http://HOST:PORT" */
	char *state;      /* state folder */
};

struct command {
	const char *name;
	const char *arguments; /* "[PATH]" */
	const char *summary;   /* one line */
	const char *details;   /* the rest of --help, exit statuses too */
	const GOptionEntry *options; /* of this verb, or NULL */
	int (*run)(const struct cli *cli, int argc, char **argv); /* argv[0] is the verb */
	const char *outputs;   /* what -o takes: "text|json" */
};

extern const struct command *const commands[]; /* ended by NULL */

int cli_main(const struct registry *registry, int argc, char **argv);

/* "pleach: TEXT" on standard error; returns EXIT_FAULT or EXIT_USAGE. */
int cli_fail(const GError *error);
int cli_usage(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* `pleach completion [bash]`: the script; `pleach completion keys`: what the script asks. completion.c */
int cli_completion(int argc, char **argv);

/* Where pleachd listens when nobody says: PLEACH_CONTROLLER, else the socket in the state folder. Owned by the caller. */
char *cli_default_controller(const char *state);

/* --- what several verbs share ----------------------------------------------------------------------------------------------- */

struct report_style cli_style(const struct cli *cli);

/* The findings of a revision, with excerpts, to standard error. */
void cli_print_findings(const struct revision *revision);

/* Prints @text (freed) to standard output. */
void cli_print(char *text);

/* A key, or a beginning of one, as keys are written: what a service's name holds beside [A-Za-z0-9_-] is percent-encoded there, and
 * may be typed as it is. */
char *cli_key(const char *text);

/* A request to pleachd: its body, the caller's; NULL and @error (with what to do, when nothing answers). *@ret_exit, when asked for, is the
 * exit status that goes with the answer. */
char *cli_ask(const struct cli *cli, const char *method, const char *path_and_query, int *ret_exit, GError **error);

/* The same, printed; the exit status, of a fault too. */
int cli_show(const struct cli *cli, const char *method, const char *path_and_query);

/* "?NAME=VALUE" or "&NAME=VALUE" behind @path, encoded; nothing for NULL. */
void cli_add_param(GString *path, const char *name, const char *value);

/* Prints what pleachd streams under @path, until Ctrl-C or SIGTERM: then EXIT_OK. past.c */
int cli_follow(const struct cli *cli, const char *path);
/* Readable from the first Ctrl-C or SIGTERM on, which end nothing by themselves any more. -1: errno. past.c */
int cli_ending_fd(void);

/* The VIM of the site that @key is on, opened in this process, and the whole key that the operator may have abbreviated. */
struct cli_target {
	struct arena *arena;
	const struct site *site;
	const struct vim_ops *ops;
	struct vim *vim;
	const char *vnfc_key;
};
/* @owner NULL: of any owner. */
bool cli_target_open(const struct cli *cli, const char *key, const char *owner, struct cli_target *ret, GError **error);
void cli_target_close(struct cli_target *target);
