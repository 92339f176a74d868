#include "ems/ssh/private.h"

#include "base/clock.h"

#include <string.h>

enum { MARGIN_MS = 500, TICK_MS = 50 };

/* "X STATUS late|gone|-", then what it said last. */
static bool read_outcome(const char *text, struct outcome *ret, GError **error)
{
	const char *newline = strchr(text, '\n');
	g_autofree char *line = newline ? g_strndup(text, (gsize) (newline - text)) : g_strdup(text);
	g_auto(GStrv) words = g_strsplit(line, " ", 3);
	guint64 status;
	if (g_strv_length(words) != 3 || strcmp(words[0], "X") != 0 || !g_ascii_string_to_unsigned(words[1], 10, 0, 255, &status, NULL)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "the far side did not say how it ended");
		return false;
	}
	ret->status = (int) status;
	ret->late = !strcmp(words[2], "late");
	ret->words = g_strdup(newline ? newline + 1 : "");
	g_strstrip(ret->words);
	g_strdelimit(ret->words, "\r\t", ' ');
	for (char *at = ret->words; *at; at++)
		if (*at == '\n')
			*at = ';';
	return true;
}

bool operation_run(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, enum nf_verb verb, const char *which,
		   struct outcome *ret, GError **error)
{
	const struct nf_operation *operation = &nf->operations[verb];
	unsigned timeout_ms = operation->timeout_ms ? operation->timeout_ms : NF_TIMEOUT_DEFAULT_MS;
	int left_ms = call_left_ms(call);
	/* What would outlast the call is ended before it, so that how it ended is still seen. */
	bool is_ours = left_ms - MARGIN_MS > (int) timeout_ms;
	unsigned may_ms = is_ours ? timeout_ms : (unsigned) MAX(left_ms, TICK_MS);
	g_autofree char *seconds = g_strdup_printf("%u.%03u", may_ms / 1000, may_ms % 1000);
	g_autofree char *text = hand_ask(ems, wire, call, NULL, error, "run", nf_verb_name(verb), which, nf->package ? nf->package : "-",
					 operation->script, seconds, nf->key, NULL);
	if (!text) {
		g_prefix_error(error, "%s: ", nf_verb_name(verb));
		return false;
	}
	return read_outcome(text, ret, error);
}

bool operation_must(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, enum nf_verb verb, const char *which,
		    GError **error)
{
	struct outcome outcome = { 0 };
	if (!nf->operations[verb].script)
		return true;
	if (!operation_run(ems, wire, call, nf, verb, which, &outcome, error))
		return false;
	const char *colon = *outcome.words ? ": " : "";
	unsigned said_ms = nf->operations[verb].timeout_ms, timeout_ms = said_ms ? said_ms : NF_TIMEOUT_DEFAULT_MS;
	if (outcome.late)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: it took longer than %u ms and was ended%s%s", nf_verb_name(verb),
			    timeout_ms, colon, outcome.words);
	else if (outcome.status != 0)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: exit status %d%s%s", nf_verb_name(verb), outcome.status, colon,
			    outcome.words);
	bool good = !outcome.late && outcome.status == 0;
	g_free(outcome.words);
	return good;
}

/* --- its process ----------------------------------------------------------------------------------------------------------------------- */

bool process_start(struct ems *ems, struct wire *wire, const struct call *call, const struct nf *nf, GError **error)
{
	g_autoptr(GString) input = g_string_new(NULL);
	for (size_t i = 0; i < nf->n_command; i++)
		hand_escape(input, nf->command[i]);
	g_string_append(input, ".\n");
	g_autofree char *text = hand_ask(ems, wire, call, input->str, error, "start", nf->key, NULL);
	if (!text)
		return false;
	if (g_str_has_prefix(text, "P "))
		return true;
	const char *words = strchr(text, '\n');
	g_auto(GStrv) lines = g_strsplit(words ? words + 1 : "", "\n", -1);
	g_autoptr(GString) said = g_string_new(NULL);
	for (size_t i = 0; lines[i]; i++)
		if (g_str_has_prefix(lines[i], "L "))
			g_string_append_printf(said, "%s%s", said->len ? "; " : ": ", lines[i] + 2);
	g_autofree char *status = g_strndup(text, strcspn(text, "\n"));
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "\"%s\" did not start: exit status %s%s", nf->command[0],
		    g_str_has_prefix(status, "E ") ? status + 2 : "unknown", said->str);
	return false;
}

bool process_stop(struct ems *ems, struct wire *wire, const struct call *call, GError **error)
{
	g_autofree char *ticks = g_strdup_printf("%d", SSH_STOP_GRACE_MS / TICK_MS);
	g_autofree char *text = hand_ask(ems, wire, call, NULL, error, "stop", ticks, NULL);
	return text != NULL;
}
