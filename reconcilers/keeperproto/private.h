/* Within keeperproto/ only: reading and writing of the pieces that requests and replies share. */
#pragma once

#include "keeperproto/keeperproto.h"

/* Reading: the first fault is kept, and from then on everything reads as nothing. */
struct reader {
	struct arena *arena;
	GError *fault;
};

void reader_fault(struct reader *reader, const char *format, ...) G_GNUC_PRINTF(2, 3);
const char *read_text(struct reader *reader, const json_t *object, const char *name, size_t max, bool needed);
gint64 read_int(struct reader *reader, const json_t *object, const char *name, gint64 min, gint64 max, gint64 fallback);
bool read_bool(struct reader *reader, const json_t *object, const char *name, bool fallback);
struct keeper_strings read_strings(struct reader *reader, const json_t *object, const char *name, size_t max_items,
	size_t max_bytes);
/* An array of objects, or NULL where there is none. */
json_t *read_objects(struct reader *reader, const json_t *object, const char *name, size_t max_items);
bool reader_done(struct reader *reader, GError **error);

void read_link(struct reader *reader, const json_t *object, struct keeper_link *ret);
void read_vnfc(struct reader *reader, const json_t *object, struct keeper_vnfc *ret);

void put_text(json_t *object, const char *name, const char *text);    /* NULL: nothing */
void put_int(json_t *object, const char *name, gint64 number);
void put_strings(json_t *object, const char *name, struct keeper_strings strings); /* none: nothing */
json_t *link_json(const struct keeper_link *link);
json_t *vnfc_json(const struct keeper_vnfc *vnfc);
char *finish_text(json_t *object); /* takes @object */

/* Parses a message's object and checks its version. */
json_t *message_parse(struct reader *reader, const char *text, size_t length, size_t max_bytes);
