#include "fake/private.h"

#include <string.h>

/* The next statement of @text: up to a ";" that is not quoted. @text moves on. */
static char *next_statement(const char **text)
{
	bool quoted = false;
	const char *from = *text, *at = from;
	for (; *at && (quoted || *at != ';'); at++)
		if (*at == '\'')
			quoted = !quoted;
	*text = *at ? at + 1 : at;
	return g_strstrip(g_strndup(from, (gsize) (at - from)));
}

static char *unquoted(const char *text)
{
	g_auto(GStrv) pieces = g_strsplit(text, "'", -1);
	return g_strjoinv("", pieces);
}

static void echo(struct process *process, GString *log, const char *text)
{
	bool to_error = g_str_has_suffix(text, ">&2");
	g_autofree char *words = g_strndup(text, strlen(text) - (to_error ? strlen(">&2") : 0));
	char *line = unquoted(g_strstrip(words));
	g_string_append_printf(log, "%s\n", line);
	if (to_error) {
		g_free(process->last_word);
		process->last_word = line;
	} else {
		g_free(line);
	}
}

static void run_script(struct process *process, GString *log, const char *script)
{
	while (*script && !process->ended) {
		g_autofree char *statement = next_statement(&script);
		if (g_str_has_prefix(statement, "echo ")) {
			echo(process, log, statement + strlen("echo "));
		} else if (g_str_has_prefix(statement, "exit")) {
			process->ended = true;
			process->status = (int) g_ascii_strtoll(statement + strlen("exit"), NULL, 10);
		} else if (g_str_has_prefix(statement, "trap 'sleep ")) {
			process->stop_us = (gint64) (g_ascii_strtod(statement + strlen("trap 'sleep "), NULL) * G_USEC_PER_SEC);
		} else if (!g_str_has_prefix(statement, "trap")) {
			return; /* whatever it is, it goes on for ever */
		}
	}
}

void process_run(struct process *process, const struct nf *nf)
{
	GString *log = g_string_new(NULL);
	*process = (struct process) { 0 };
	if (nf->n_command >= 3 && !strcmp(nf->command[0], "sh") && !strcmp(nf->command[1], "-c"))
		run_script(process, log, nf->command[2]);
	process->log = g_string_free(log, FALSE);
}

void process_clear(struct process *process)
{
	g_clear_pointer(&process->log, g_free);
	g_clear_pointer(&process->last_word, g_free);
}
