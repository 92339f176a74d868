/* One digest of all that a plan is made from, in a canonical form: made when it is asked for, because most plans are never shown. It is
 * fed in large pieces: with objects in the ten thousands the calls would cost more than the digest. */
#include "plan/internal.h"

#include <string.h>

enum { PIECE_SIZE = 16 * 1024 };

struct feeder {
	GChecksum *sum;
	GString *piece;
};

static void flush(struct feeder *feeder)
{
	g_checksum_update(feeder->sum, (const guchar *) feeder->piece->str, (gssize) feeder->piece->len);
	g_string_truncate(feeder->piece, 0);
}

/* With the terminator, so that no two rows of texts run into the same bytes. */
static void feed(struct feeder *feeder, const char *text)
{
	g_string_append_len(feeder->piece, text, (gssize) strlen(text) + 1);
	if (feeder->piece->len > PIECE_SIZE)
		flush(feeder);
}

/* Little-endian base 128: most numbers are small, and every byte is paid for in the digest. */
static void feed_number(struct feeder *feeder, char tag, guint64 number)
{
	char bytes[11] = { tag };
	gssize n = 1;
	for (; number >= 0x80; number >>= 7)
		bytes[n++] = (char) (number | 0x80);
	bytes[n++] = (char) number;
	g_string_append_len(feeder->piece, bytes, n);
}

static void feed_value(struct feeder *feeder, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING:
		g_string_append_c(feeder->piece, 's');
		feed(feeder, value->string);
		return;
	case VALUE_INTEGER:
		feed_number(feeder, 'i', (guint64) value->integer);
		return;
	case VALUE_LIST:
		feed_number(feeder, 'l', value->list.n);
		for (size_t i = 0; i < value->list.n; i++)
			feed_value(feeder, value->list.items[i]);
		return;
	case VALUE_ABSENT:
	case VALUE_UNKNOWN:
	case VALUE_PENDING:
	case VALUE_NULL:
	case VALUE_BOOL:
	case VALUE_FLOAT:
	case VALUE_DIGEST:
	case VALUE_SECRET:
	case VALUE_MAP:
		g_string_append_c(feeder->piece, 'v');
		flush(feeder);
		value_hash(value, feeder->sum);
		return;
	}
	g_assert_not_reached();
}

static const struct field *managed(const struct object *object, size_t *at)
{
	for (; object && *at < object->n_fields; ++*at)
		if (!(object->fields[*at].spec->flags & (FIELD_OBSERVED | FIELD_VOLATILE)))
			return &object->fields[*at];
	return NULL;
}

/* The path as its place in the kind's table, and what stands there for the "*". */
static void feed_field(struct feeder *feeder, char side, const struct kind *kind, const struct field *field)
{
	feed_number(feeder, side, (guint64) (field->spec - kind->specs));
	const char *pattern = field->spec->pattern, *star = strchr(pattern, '*');
	if (star) {
		size_t length = strlen(field->path) - (strlen(pattern) - 1);
		g_string_append_len(feeder->piece, field->path + (star - pattern), (gssize) length);
		g_string_append_c(feeder->piece, '\0');
	}
	feed_value(feeder, field->value);
}

/* Both sides in one walk: what is alike, as most is, is fed once. */
static void feed_fields(struct feeder *feeder, const struct kind *kind, const struct object *desired, const struct object *observed)
{
	size_t at_desired = 0, at_observed = 0;
	for (;;) {
		const struct field *d = managed(desired, &at_desired), *o = managed(observed, &at_observed);
		if (!d && !o)
			return;
		int order = !d ? 1 : !o ? -1 : strcmp(d->path, o->path);
		bool alike = order == 0 && d->value->type == o->value->type && value_equal(d->value, o->value);
		if (order <= 0)
			feed_field(feeder, alike ? '=' : 'd', kind, d);
		if (order >= 0 && !alike)
			feed_field(feeder, 'o', kind, o);
		at_desired += order <= 0;
		at_observed += order >= 0;
	}
}

static void feed_row(struct feeder *feeder, const struct known_row *row, const struct leftover *const *leftovers, size_t n_leftovers)
{
	if (!row->desired && !row->observed && !n_leftovers)
		return;
	feed(feeder, row->key);
	feed(feeder, row->desired ? row->desired->site : "");
	feed(feeder, row->observed ? row->observed->site : "");
	feed_number(feeder, '#', row->observed ? row->observed->incarnation : 0);
	feed_fields(feeder, kind_of_key(row->key), row->desired, row->observed);
	feed_number(feeder, '+', n_leftovers);
	for (size_t i = 0; i < n_leftovers; i++) {
		feed(feeder, leftovers[i]->site);
		feed_number(feeder, '#', leftovers[i]->incarnation);
	}
}

static void feed_rows(struct feeder *feeder, const struct known *known)
{
	size_t first = 0;
	for (size_t i = 0; i < known->n_rows; i++) {
		size_t end = first;
		while (end < known->n_leftovers && strcmp(known->leftovers[end]->key, known->rows[i].key) == 0)
			end++;
		feed_row(feeder, &known->rows[i], known->leftovers + first, end - first);
		first = end;
	}
}

static void feed_texts(struct feeder *feeder, char tag, const char *const *texts, size_t n)
{
	feed_number(feeder, tag, n);
	for (size_t i = 0; i < n; i++)
		feed(feeder, texts[i]);
}

void plan_fingerprint(const struct plan *plan, char text[PLAN_FINGERPRINT_SIZE])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(GString) piece = g_string_sized_new(2 * PIECE_SIZE);
	struct feeder feeder = { sum, piece };
	static const struct known nothing = { 0 };
	const struct known *known = plan->known ? plan->known : &nothing;
	feed_rows(&feeder, known);
	feed_texts(&feeder, 'b', known->blind, known->n_blind);
	feed_texts(&feeder, 'f', known->faulty, known->n_faulty);
	flush(&feeder);
	g_strlcpy(text, g_checksum_get_string(sum), PLAN_FINGERPRINT_SIZE);
}
