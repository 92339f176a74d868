#include "ems/ssh/private.h"

#include <string.h>

enum { DIGEST_LENGTH = 64, LSB_STOPPED = 3, SIGNAL_BASE = 128 };

/* "DIGEST|same|- MODE|-": of the next file of the manifest. */
static void read_file(struct arena *arena, const char *line, struct there *there, size_t *at)
{
	g_auto(GStrv) words = g_strsplit(line, " ", 2);
	if (!there->nf || *at >= there->nf->n_files || !words[0] || !words[1])
		return;
	struct nf_file *file = (struct nf_file *) (guintptr) &there->nf->files[(*at)++];
	if (!strcmp(words[0], "same"))
		file->digest = file->label;
	else if (strlen(words[0]) == DIGEST_LENGTH && strspn(words[0], "0123456789abcdef") == DIGEST_LENGTH)
		file->digest = arena_strdup(arena, words[0]);
	if (strcmp(words[1], "-") != 0)
		file->mode = arena_printf(arena, "%04o", (unsigned) g_ascii_strtoull(words[1], NULL, 8) & 07777U);
}

static char *from_hex(const char *hex)
{
	size_t n = strlen(hex) / 2;
	g_autoptr(GString) out = g_string_sized_new(n);
	for (size_t i = 0; i < n; i++) {
		int high = g_ascii_xdigit_value(hex[2 * i]), low = g_ascii_xdigit_value(hex[2 * i + 1]);
		if (high < 0 || low < 0 || high + low == 0)
			return NULL;
		g_string_append_c(out, (char) (high * 16 + low));
	}
	return g_utf8_validate(out->str, (gssize) out->len, NULL) ? g_strdup(out->str) : NULL;
}

/* "HEX": what is in the last of the files, which is not as it was put. What is no text, too long or not of its digest is left out. */
static void read_content(struct arena *arena, const char *hex, struct there *there, size_t at)
{
	if (!there->nf || at == 0 || at > there->nf->n_files || strlen(hex) > 2 * (size_t) NF_SEEN_MAX_BYTES)
		return;
	struct nf_file *file = (struct nf_file *) (guintptr) &there->nf->files[at - 1];
	g_autofree char *text = file->label ? NULL : from_hex(hex);
	g_autofree char *digest = text ? g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1) : NULL;
	if (digest && g_strcmp0(digest, file->digest) == 0)
		file->content = arena_strdup(arena, text);
}

static const char *describe_exit(struct arena *arena, const char *text)
{
	guint64 status;
	if (!g_ascii_string_to_unsigned(text, 10, 0, 255, &status, NULL))
		return "it was ended";
	if (status > SIGNAL_BASE)
		return arena_printf(arena, "signal %u (%s)", (unsigned) status - SIGNAL_BASE, strsignal((int) status - SIGNAL_BASE));
	return arena_printf(arena, "exit status %u", (unsigned) status);
}

static bool read_line(struct arena *arena, const char *line, struct there *there, size_t *n_files, GString *words, GError **error)
{
	if (!*line || (line[1] && line[1] != ' '))
		return true;
	const char *rest = line[1] ? line + 2 : "";
	switch (*line) {
	case 'D':
		there->dirty = true;
		return true;
	case 'M':
		return manifest_read(arena, rest, there, error);
	case 'F':
		read_file(arena, rest, there, n_files);
		return true;
	case 'C':
		read_content(arena, rest, there, *n_files);
		return true;
	case 'P':
		there->pid = g_ascii_strtoll(rest, NULL, 10);
		return true;
	case 'E':
		there->exit = describe_exit(arena, rest);
		return true;
	case 'L':
		g_string_append_printf(words, "%s%s", words->len ? "; " : ": ", rest);
		return true;
	default:
		return true;
	}
}

static bool read_all(struct arena *arena, const char *text, struct there *there, GError **error)
{
	g_autoptr(GString) words = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	size_t n_files = 0;
	for (size_t i = 0; lines[i]; i++)
		if (!read_line(arena, lines[i], there, &n_files, words, error))
			return false;
	if (there->exit)
		there->exit = arena_printf(arena, "%s%s", there->exit, words->str);
	return true;
}

bool look(struct ems *ems, struct wire *wire, const struct call *call, struct arena *arena, struct there *ret, GError **error)
{
	*ret = (struct there) { 0 };
	g_autofree char *most = g_strdup_printf("%d", NF_SEEN_MAX_BYTES), *all = g_strdup_printf("%d", NF_SEEN_ALL_MAX_BYTES);
	g_autofree char *text = hand_ask(ems, wire, call, NULL, error, "look", most, all, NULL);
	if (!text || !read_all(arena, text, ret, error))
		return false;
	if (ret->nf) {
		ret->nf->site = arena_strdup(arena, ems->site);
		ret->nf->ems = arena_strdup(arena, ems->name);
		ret->nf->pid = ret->pid;
	}
	return true;
}

/* --- what an observer is told ------------------------------------------------------------------------------------------------------- */

static void fail(struct there *there, const char *reason)
{
	there->nf->state = NF_FAILED;
	there->nf->reason = reason;
}

/* By its status operation: 0 started, 3 stopped, else failed. */
static bool by_status(struct ems *ems, struct wire *wire, const struct call *call, struct arena *arena, struct there *there, GError **error)
{
	struct outcome outcome = { 0 };
	if (!operation_run(ems, wire, call, there->nf, NF_STATUS, "kept", &outcome, error))
		return false;
	if (outcome.status == 0)
		there->nf->state = NF_STARTED;
	else if (outcome.status == LSB_STOPPED)
		there->nf->state = NF_STOPPED;
	else if (outcome.late)
		fail(there, "status: it took too long");
	else
		fail(there, arena_printf(arena, "status: exit status %d%s%s", outcome.status, *outcome.words ? ": " : "", outcome.words));
	g_free(outcome.words);
	return true;
}

static void by_process(struct there *there)
{
	struct nf *nf = there->nf;
	if (there->pid)
		nf->state = NF_STARTED;
	else if (nf->state == NF_STARTED)
		fail(there, there->exit ? there->exit : "it is not running");
}

bool look_state(struct ems *ems, struct wire *wire, const struct call *call, struct arena *arena, struct there *there, GError **error)
{
	struct nf *nf = there->nf;
	if (there->dirty) {
		fail(there, "a change of it was cut off");
		return true;
	}
	bool wants = nf->state == NF_STARTED;
	if (nf->n_command)
		by_process(there);
	else if (nf->operations[NF_STATUS].script && there->good && !by_status(ems, wire, call, arena, there, error))
		return false;
	if (!there->good && there->trouble)
		fail(there, there->trouble);
	if (nf->state == NF_STARTED && wants)
		nf->health = health_now(ems, wire, call, nf, there, arena, &nf->reason);
	return true;
}
