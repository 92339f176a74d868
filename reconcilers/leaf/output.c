#include "leaf/output.h"

#include "base/clock.h"

#include <string.h>

struct line {
	gint64 wall_us;
	bool own; /* the leaf's */
	enum output_channel channel;
	size_t length;
	char text[];
};

struct output {
	GQueue lines; /* of struct line *, oldest first */
	size_t bytes;
	size_t since_begin; /* how many of the newest lines belong to the current process */
	guint64 total;      /* lines ever */
	GString *partial[OUTPUT_N_CHANNELS]; /* lines not yet ended */
};

struct output *output_new(void)
{
	struct output *output = g_new0(struct output, 1);
	g_queue_init(&output->lines);
	for (size_t i = 0; i < OUTPUT_N_CHANNELS; i++)
		output->partial[i] = g_string_new(NULL);
	return output;
}

void output_free(struct output *output)
{
	g_queue_clear_full(&output->lines, g_free);
	for (size_t i = 0; i < OUTPUT_N_CHANNELS; i++)
		g_string_free(output->partial[i], TRUE);
	g_free(output);
}

static size_t cost(const struct line *line)
{
	return sizeof(*line) + sizeof(GList) + line->length + 1;
}

static void add(struct output *output, gint64 wall_us, bool own, enum output_channel channel, const char *text, size_t length)
{
	struct line *line = g_malloc(sizeof(*line) + length + 1);
	*line = (struct line) { .wall_us = wall_us, .own = own, .channel = channel, .length = length };
	memcpy(line->text, text, length);
	line->text[length] = '\0';
	g_queue_push_tail(&output->lines, line);
	output->bytes += cost(line);
	output->since_begin++;
	output->total++;
	/* Room is kept for the unended lines, so that the sum stays within the bound. */
	while (output->bytes > OUTPUT_MAX_BYTES - OUTPUT_N_CHANNELS * OUTPUT_LINE_MAX_BYTES) {
		struct line *oldest = g_queue_pop_head(&output->lines);
		output->bytes -= cost(oldest);
		g_free(oldest);
	}
	output->since_begin = MIN(output->since_begin, output->lines.length);
}

static void end_line(struct output *output, enum output_channel channel)
{
	GString *partial = output->partial[channel];
	add(output, clock_wall_us(), false, channel, partial->str, partial->len);
	g_string_truncate(partial, 0);
}

static char safe(char c)
{
	return ((unsigned char) c < 0x20 && c != '\t') || c == 0x7f ? '.' : c;
}

void output_feed(struct output *output, enum output_channel channel, const char *data, size_t length)
{
	GString *partial = output->partial[channel];
	for (size_t i = 0; i < length; i++) {
		if (data[i] == '\n') {
			end_line(output, channel);
			continue;
		}
		if (data[i] == '\r')
			continue;
		g_string_append_c(partial, safe(data[i]));
		if (partial->len == OUTPUT_LINE_MAX_BYTES - 1)
			end_line(output, channel);
	}
}

static void end_lines(struct output *output)
{
	for (enum output_channel channel = OUTPUT_NF; channel < OUTPUT_N_CHANNELS; channel++)
		if (output->partial[channel]->len > 0)
			end_line(output, channel);
}

void output_note(struct output *output, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	end_lines(output);
	g_autofree char *marked = g_strconcat("-- ", text, NULL);
	size_t length = MIN(strlen(marked), (size_t) OUTPUT_LINE_MAX_BYTES - 1);
	for (size_t i = 0; i < length; i++)
		marked[i] = safe(marked[i]);
	add(output, clock_wall_us(), true, OUTPUT_NF, marked, length);
}

void output_begin(struct output *output)
{
	end_lines(output);
	output->since_begin = 0;
}

/* Where the last @n lines among the @newest newest begin; NULL where there are none. */
static const GList *from_end(const struct output *output, size_t n, size_t newest, bool with_own)
{
	const GList *first = NULL;
	for (const GList *at = output->lines.tail; at && n > 0 && newest > 0; at = at->prev, newest--) {
		const struct line *line = at->data;
		if ((line->own || line->channel != OUTPUT_NF) && !with_own)
			continue;
		first = at;
		n--;
	}
	return first;
}

char *output_last_words(const struct output *output)
{
	g_autoptr(GString) words = g_string_new(NULL);
	for (const GList *at = from_end(output, OUTPUT_WORDS_LINES, output->since_begin, false); at; at = at->next) {
		const struct line *line = at->data;
		if (!line->own && line->channel == OUTPUT_NF && line->length > 0)
			g_string_append_printf(words, "%s%s", words->len ? " / " : "", line->text);
	}
	const GString *partial = output->partial[OUTPUT_NF];
	if (partial->len > 0)
		g_string_append_printf(words, "%s%s", words->len ? " / " : "", partial->str);
	return words->len ? g_string_free(g_steal_pointer(&words), FALSE) : NULL;
}

static char *text_from(const GList *first)
{
	g_autoptr(GString) text = g_string_new(NULL);
	char stamp[CLOCK_TEXT_SIZE];
	for (const GList *at = first; at; at = at->next) {
		const struct line *line = at->data;
		g_string_append_printf(text, "%s %s\n", clock_rfc3339(line->wall_us, stamp), line->text);
	}
	return g_utf8_make_valid(text->str, -1);
}

char *output_tail(const struct output *output, size_t lines)
{
	return text_from(from_end(output, lines, output->lines.length, true));
}

guint64 output_count(const struct output *output)
{
	return output->total;
}

char *output_after(const struct output *output, guint64 from)
{
	size_t newer = (size_t) MIN(output->total - MIN(from, output->total), (guint64) output->lines.length);
	return text_from(from_end(output, newer, output->lines.length, true));
}

void output_each(const struct output *output, output_line_fn fn, void *data)
{
	for (const GList *at = output->lines.head; at; at = at->next) {
		const struct line *line = at->data;
		fn(line->wall_us, line->own, line->text, data);
	}
}

void output_put_back(struct output *output, gint64 wall_us, bool own, const char *text)
{
	add(output, wall_us, own, OUTPUT_NF, text, MIN(strlen(text), (size_t) OUTPUT_LINE_MAX_BYTES - 1));
}

size_t output_size(const struct output *output)
{
	size_t partial = 0;
	for (size_t i = 0; i < OUTPUT_N_CHANNELS; i++)
		partial += output->partial[i]->len;
	return output->bytes + partial;
}
