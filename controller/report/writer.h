/* Where a report goes while it is walked once: each fact is told to programs (the data calls) and to people (the line calls),
 * side by side, and every format takes what it needs. JSON takes the data, text and Markdown take the lines.
 *
 * Lines may hold a far side's words: writers show control characters, they do not pass them on.
 */
#pragma once

#include "model/network.h"
#include "report/report.h"

struct writer;

struct writer *writer_new(const struct report_style *style);
struct writer *writer_new_plain(const struct report_style *style); /* of a report that has no Markdown: text instead */
char *writer_finish(struct writer *writer); /* frees it; the report */

bool writer_is_data(const struct writer *writer); /* does it take what is for programs? */

/* --- for programs: one JSON object, begun by writer_new() ------------------------------------------------------------------ */

void writer_object(struct writer *writer, const char *name); /* @name NULL: an element of the open array */
void writer_array(struct writer *writer, const char *name);
void writer_end(struct writer *writer); /* of the innermost object or array */

void writer_string(struct writer *writer, const char *name, const char *text); /* NULL: null */
void writer_int(struct writer *writer, const char *name, gint64 number);
void writer_bool(struct writer *writer, const char *name, bool boolean);
void writer_time(struct writer *writer, const char *name, gint64 wall_us); /* 0: null */
void writer_value(struct writer *writer, const char *name, const struct value *value);
void writer_origin(struct writer *writer, const char *name, struct origin origin); /* {"file", "line", "column"} or null */
void writer_json(struct writer *writer, const char *name, json_t *json);           /* steals @json; NULL: null */

/* --- for people ------------------------------------------------------------------------------------------------------------- */

enum mark {
	MARK_NONE,
	MARK_CREATE,  /* + */
	MARK_CHANGE,  /* ~ */
	MARK_RESTART, /* ! */
	MARK_REPLACE, /* ± */
	MARK_REMOVE,  /* - */
	MARK_UNKNOWN, /* ? */
	MARK_GOOD,
	MARK_WAIT,
	MARK_BAD,
};

enum line {
	LINE_HEAD,    /* what the report is about */
	LINE_SECTION, /* what follows */
	LINE_ITEM,    /* one thing, with its mark */
	LINE_DETAIL,  /* of the item */
	LINE_SUMMARY, /* the last word */
};

void writer_line(struct writer *writer, enum line line, enum mark mark, const char *format, ...) G_GNUC_PRINTF(4, 5);

#define writer_head(writer, ...) writer_line((writer), LINE_HEAD, MARK_NONE, __VA_ARGS__)
#define writer_section(writer, ...) writer_line((writer), LINE_SECTION, MARK_NONE, __VA_ARGS__)
#define writer_item(writer, mark, ...) writer_line((writer), LINE_ITEM, (mark), __VA_ARGS__)
#define writer_detail(writer, ...) writer_line((writer), LINE_DETAIL, MARK_NONE, __VA_ARGS__)
#define writer_summary(writer, mark, ...) writer_line((writer), LINE_SUMMARY, (mark), __VA_ARGS__)

/* A line of a table: rows that follow one another are aligned. @depth indents the first cell; @mark colours the second. Ended by
 * NULL. */
void writer_row(struct writer *writer, enum mark mark, unsigned depth, const char *first, ...) G_GNUC_NULL_TERMINATED;
