#include "ems/ssh/private.h"

#include <string.h>

/* hand.sh, compiled in. */
extern const struct { const char *name, *text; } ems_ssh_texts[];

static char *quoted(const char *text)
{
	g_auto(GStrv) parts = g_strsplit(text, "'", -1);
	g_autofree char *inner = g_strjoinv("'\\''", parts);
	return g_strconcat("'", inner, "'", NULL);
}

void hand_escape(GString *to, const char *text)
{
	for (const char *at = text; *at; at++) {
		guchar byte = (guchar) *at;
		if (byte >= 0x20 && byte < 0x7f && byte != '\\' && !(byte == '.' && !at[1] && at == text))
			g_string_append_c(to, *at);
		else
			g_string_append_printf(to, "\\0%03o", byte);
	}
	g_string_append_c(to, '\n');
}

char *hand_line(const struct ems *ems, const struct wire *wire, const char *const *arguments)
{
	GString *line = g_string_new(ems->options.sudo ? "sudo -n sh" : "sh");
	const char *const first[] = { wire->hand, wire->folder };
	for (size_t i = 0; i < G_N_ELEMENTS(first); i++) {
		g_autofree char *text = quoted(first[i]);
		g_string_append_printf(line, " %s", text);
	}
	for (size_t i = 0; arguments[i]; i++) {
		g_autofree char *text = quoted(arguments[i]);
		g_string_append_printf(line, " %s", text);
	}
	return g_string_free(line, FALSE);
}

/* What the far side said, in its own words, on one line. */
static bool blame(const struct command *command, const char *doing, GError **error)
{
	g_autofree char *words = g_utf8_make_valid(command->errors->str, -1);
	g_strdelimit(g_strstrip(words), "\r\n\t", ' ');
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: exit status %d%s%.500s", doing, command->status, *words ? ": " : "", words);
	return false;
}

/* --- where it is -------------------------------------------------------------------------------------------------------------- */

static char *prepare_line(const struct ems *ems, const char *digest)
{
	g_autofree char *folder = quoted(ems->options.folder ? ems->options.folder : "");
	g_autofree char *script = g_strdup_printf(
		"umask 077; f=%s; if [ -z \"$f\" ]; then if [ \"$(id -u)\" = 0 ]; then f=/var/lib/pleach; else f=$HOME/.pleach; fi; fi; "
		"mkdir -p \"$f/nf/stage\" \"$f/nf/packages\" && cd \"$f\" && "
		"for p in setsid sha256sum stat mkfifo; do command -v $p >/dev/null || { echo \"there is no $p\" >&2; exit 3; }; done && "
		"if [ -e hand-%s.sh ]; then cat >/dev/null; else cat >.hand.$$ && mv -f .hand.$$ hand-%s.sh; fi && pwd -P",
		folder, digest, digest);
	g_autofree char *argument = quoted(script);
	return g_strdup_printf("%ssh -c %s", ems->options.sudo ? "sudo -n " : "", argument);
}

bool hand_prepare(struct ems *ems, struct wire *wire, const struct call *call, GError **error)
{
	const char *text = ems_ssh_texts[0].text;
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
	digest[16] = '\0'; /* it tells versions apart, no more */
	g_autofree char *line = prepare_line(ems, digest);
	struct command command = { .line = line, .input = text, .n_input = strlen(text) };
	bool good = command_run(wire, call, &command, error);
	if (good && command.status != 0) {
		good = blame(&command, "cannot prepare the folder of our state", error);
		/* A shell of another kind, or none: tried again it will be the same. */
		if (error && *error && command.status != 1)
			(*error)->code = PLEACH_ERROR_UNSUPPORTED;
	}
	g_strchomp(command.output->str);
	if (good && (command.output->str[0] != '/' || strlen(command.output->str) > SSH_TEXT_MAX_BYTES || strchr(command.output->str, '\n'))) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_UNSUPPORTED, "its shell is no POSIX shell, or says more than it is asked");
		good = false;
	}
	if (good) {
		wire->folder = g_strdup(command.output->str);
		wire->hand = g_strdup_printf("%s/hand-%s.sh", wire->folder, digest);
	}
	command_clear(&command);
	return good;
}

/* --- verbs ------------------------------------------------------------------------------------------------------------------------ */

static char *ask(struct ems *ems, struct wire *wire, const struct call *call, const char *input, const char *const *arguments, GError **error)
{
	g_autofree char *line = hand_line(ems, wire, arguments);
	struct command command = { .line = line, .input = input, .n_input = input ? strlen(input) : 0 };
	/* An operation's group is killed on the far side when its standard input ends: that is how it learns that we have gone. */
	command.holds_input = !strcmp(arguments[0], "run");
	bool good = command_run(wire, call, &command, error) && (command.status == 0 || blame(&command, arguments[0], error));
	char *output = good ? g_utf8_make_valid(command.output->str, (gssize) command.output->len) : NULL;
	command_clear(&command);
	wire->used = wire->used && !good;
	return output;
}

char *hand_ask(struct ems *ems, struct wire *wire, const struct call *call, const char *input, GError **error, const char *verb, ...)
{
	g_autoptr(GPtrArray) arguments = g_ptr_array_new();
	va_list list;
	va_start(list, verb);
	for (const char *argument = verb; argument; argument = va_arg(list, const char *))
		g_ptr_array_add(arguments, (gpointer) (guintptr) argument);
	va_end(list);
	g_ptr_array_add(arguments, NULL);
	return ask(ems, wire, call, input, (const char *const *) arguments->pdata, error);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------- */

static bool put(struct ems *ems, struct wire *wire, const struct call *call, const struct upload *upload, GError **error)
{
	const char *const arguments[] = { "put", upload->name, NULL };
	g_autofree char *line = hand_line(ems, wire, arguments);
	struct command command = { .line = line, .input = upload->bytes, .n_input = upload->length };
	bool good = command_run(wire, call, &command, error) && (command.status == 0 || blame(&command, "put", error));
	command_clear(&command);
	return good;
}

bool hand_upload(struct ems *ems, struct wire *wire, const struct call *call, const struct upload *uploads, size_t n, GError **error)
{
	if (n == 0)
		return true;
	if (!wire->no_sftp) {
		g_autoptr(GError) fault = NULL;
		if (sftp_upload(wire, call, uploads, n, &fault))
			return true;
		wire->no_sftp = pleach_error_code(fault) == PLEACH_ERROR_UNSUPPORTED;
		if (!wire->no_sftp) {
			g_propagate_error(error, g_steal_pointer(&fault));
			return false;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!put(ems, wire, call, &uploads[i], error))
			return false;
	return true;
}
