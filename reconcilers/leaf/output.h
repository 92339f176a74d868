/* What the network function prints: kept in memory, line by line, within a bound; the oldest goes first.
 *
 * In memory, because it must be there when the VNF's disk is full, and is gone with the VNF as its disk is. Bytes that a terminal
 * would take for commands are replaced when they come in, so that what is shown later is safe to print.
 *
 * One thread.
 */
#pragma once

#include "base/auto.h"

#include <glib.h>
#include <stdbool.h>

enum {
	OUTPUT_MAX_BYTES = 256 * 1024,
	OUTPUT_LINE_MAX_BYTES = 4096, /* a longer line is broken here */
	OUTPUT_WORDS_LINES = 5,       /* of last words */
};

/* Who prints: each has its own line that is not yet ended. */
enum output_channel { OUTPUT_NF, OUTPUT_OPERATION, OUTPUT_OPERATION_ERROR, OUTPUT_N_CHANNELS };

struct output;

struct output *output_new(void);
void output_free(struct output *output);
AUTO_DEFINE(output, output_free)

/* Bytes as the software wrote them; a line that is not yet ended is waited for. */
void output_feed(struct output *output, enum output_channel channel, const char *data, size_t length);

/* A line of the leaf's own ("-- started: haproxy, pid 12"). */
void output_note(struct output *output, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A new process begins: last words are counted from here. */
void output_begin(struct output *output);

/* The last lines that the software itself (not an operation) printed since output_begin(), joined by " / "; NULL where it said nothing.
 * An unended line counts. Owned by the caller. */
char *output_last_words(const struct output *output);

/* The last @lines lines, each "TIME text\n". Owned by the caller. */
char *output_tail(const struct output *output, size_t lines);

/* How many lines there have been, those that are gone included; and the text of what came after the first @from of them. */
guint64 output_count(const struct output *output);
char *output_after(const struct output *output, guint64 from);

/* For who goes on after us: each line kept, oldest first; and one put back. */
typedef void (*output_line_fn)(gint64 wall_us, bool own, const char *text, void *data);
void output_each(const struct output *output, output_line_fn fn, void *data);
void output_put_back(struct output *output, gint64 wall_us, bool own, const char *text);

/* Bytes kept, bookkeeping included: never above OUTPUT_MAX_BYTES. */
size_t output_size(const struct output *output);
