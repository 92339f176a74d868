#include "store/encode.h"

#include "model/key.h"

#include <string.h>

enum {
	ENCODING_VERSION = 1,
	NESTING_MAX = 2 * VALUE_DEPTH_MAX,
};

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

struct encoder {
	GByteArray *numbers;
	GPtrArray *strings; /* borrowed */
	GHashTable *places; /* string to its place, from 1 */
};

static void put_number(GByteArray *out, guint64 number)
{
	guint8 bytes[10];
	guint n = 0;
	do {
		bytes[n] = (number & 0x7f) | (number > 0x7f ? 0x80 : 0);
		number >>= 7;
	} while (bytes[n++] & 0x80);
	g_byte_array_append(out, bytes, n);
}

static void put_string(struct encoder *encoder, const char *string)
{
	gpointer place = NULL;
	if (string && !(place = g_hash_table_lookup(encoder->places, string))) {
		g_ptr_array_add(encoder->strings, (gpointer) (guintptr) string);
		place = GUINT_TO_POINTER(encoder->strings->len);
		g_hash_table_insert(encoder->places, (gpointer) (guintptr) string, place);
	}
	put_number(encoder->numbers, GPOINTER_TO_UINT(place));
}

static void put_origin(struct encoder *encoder, struct origin origin)
{
	put_string(encoder, origin.file);
	put_number(encoder->numbers, origin.line);
	put_number(encoder->numbers, origin.column);
}

static void put_value(struct encoder *encoder, const struct value *value, unsigned depth)
{
	if (depth > NESTING_MAX)
		value = &value_unknown; /* deeper than anything that can be read back */
	/* What was pending when it was applied is not known afterwards. */
	put_number(encoder->numbers, value->type == VALUE_PENDING ? VALUE_UNKNOWN : value->type);
	switch (value->type) {
	case VALUE_ABSENT:
	case VALUE_UNKNOWN:
	case VALUE_PENDING:
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		put_number(encoder->numbers, value->boolean);
		break;
	case VALUE_INTEGER:
		/* Zigzag: small negative numbers stay short. */
		put_number(encoder->numbers, ((guint64) value->integer << 1) ^ (guint64) (value->integer >> 63));
		break;
	case VALUE_FLOAT: {
		guint64 bits;
		memcpy(&bits, &value->number, sizeof bits);
		put_number(encoder->numbers, bits);
		break;
	}
	case VALUE_STRING:
	case VALUE_DIGEST:
	case VALUE_SECRET:
		put_string(encoder, value->string);
		break;
	case VALUE_LIST:
		put_number(encoder->numbers, value->list.n);
		for (size_t i = 0; i < value->list.n; i++)
			put_value(encoder, value->list.items[i], depth + 1);
		break;
	case VALUE_MAP:
		put_number(encoder->numbers, value->map.n);
		for (size_t i = 0; i < value->map.n; i++) {
			put_string(encoder, value->map.keys[i]);
			put_value(encoder, value->map.items[i], depth + 1);
		}
		break;
	}
}

GByteArray *object_encode(const struct object *object, const char *const *revisions)
{
	struct encoder encoder = {
		.numbers = g_byte_array_new(),
		.strings = g_ptr_array_new(),
		.places = g_hash_table_new(g_str_hash, g_str_equal),
	};
	put_string(&encoder, object->site);
	put_number(encoder.numbers, object->incarnation);
	put_string(&encoder, object->descriptor);
	put_origin(&encoder, object->origin);
	put_number(encoder.numbers, object->n_depends);
	for (size_t i = 0; i < object->n_depends; i++)
		put_string(&encoder, object->depends[i]);
	put_number(encoder.numbers, object->n_fields);
	for (size_t i = 0; i < object->n_fields; i++) {
		put_string(&encoder, object->fields[i].path);
		put_string(&encoder, revisions[i]);
		put_origin(&encoder, object->fields[i].origin);
		put_value(&encoder, object->fields[i].value, 0);
	}

	GByteArray *out = g_byte_array_new();
	put_number(out, ENCODING_VERSION);
	put_number(out, encoder.strings->len);
	for (size_t i = 0; i < encoder.strings->len; i++) {
		const char *string = g_ptr_array_index(encoder.strings, i);
		size_t length = strlen(string);
		put_number(out, length);
		g_byte_array_append(out, (const guint8 *) string, (guint) length + 1);
	}
	g_byte_array_append(out, encoder.numbers->data, encoder.numbers->len);
	g_byte_array_unref(encoder.numbers);
	g_ptr_array_unref(encoder.strings);
	g_hash_table_unref(encoder.places);
	return out;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

struct decoder {
	struct arena *arena;
	GHashTable *kinds; /* kind to a table: path to its row, for the paths met so far */
	const char *at, *end;
	const char *const *strings;
	size_t n_strings;
	bool bad;
};

struct decoder *decoder_new(struct arena *arena)
{
	struct decoder *decoder = g_new0(struct decoder, 1);
	decoder->arena = arena;
	decoder->kinds = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify) g_hash_table_unref);
	return decoder;
}

void decoder_free(struct decoder *decoder)
{
	g_hash_table_unref(decoder->kinds);
	g_free(decoder);
}

static guint64 get_number(struct decoder *decoder)
{
	guint64 number = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (decoder->at >= decoder->end)
			break;
		guint8 byte = (guint8) *decoder->at++;
		number |= (guint64) (byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	decoder->bad = true;
	return 0;
}

/* A count of things that take a byte at least: more than there are bytes cannot be. */
static size_t get_count(struct decoder *decoder)
{
	guint64 n = get_number(decoder);
	if (n <= (guint64) (decoder->end - decoder->at))
		return n;
	decoder->bad = true;
	return 0;
}

static const char *get_string(struct decoder *decoder)
{
	guint64 place = get_number(decoder);
	if (place > decoder->n_strings)
		decoder->bad = true;
	return !place || place > decoder->n_strings ? NULL : decoder->strings[place - 1];
}

static const char *need_string(struct decoder *decoder)
{
	const char *string = get_string(decoder);
	if (!string)
		decoder->bad = true;
	return string ? string : "";
}

static struct origin get_origin(struct decoder *decoder)
{
	struct origin origin = { .file = get_string(decoder) };
	origin.line = (unsigned) get_number(decoder);
	origin.column = (unsigned) get_number(decoder);
	return origin;
}

static const struct value *get_value(struct decoder *decoder, unsigned depth);

static void get_list(struct decoder *decoder, struct value *value, unsigned depth)
{
	size_t n = get_count(decoder);
	const struct value **items = ARENA_ARRAY(decoder->arena, const struct value *, n);
	for (size_t i = 0; i < n && !decoder->bad; i++)
		items[i] = get_value(decoder, depth + 1);
	value->list.items = items;
	value->list.n = n;
}

static void get_map(struct decoder *decoder, struct value *value, unsigned depth)
{
	size_t n = get_count(decoder);
	const char **keys = ARENA_ARRAY(decoder->arena, const char *, n);
	const struct value **items = ARENA_ARRAY(decoder->arena, const struct value *, n);
	for (size_t i = 0; i < n && !decoder->bad; i++) {
		keys[i] = need_string(decoder);
		items[i] = get_value(decoder, depth + 1);
		if (i && strcmp(keys[i - 1], keys[i]) >= 0)
			decoder->bad = true;
	}
	value->map.keys = keys;
	value->map.items = items;
	value->map.n = n;
}

static const struct value *get_value(struct decoder *decoder, unsigned depth)
{
	struct value *value = ARENA_NEW(decoder->arena, struct value);
	guint64 type = get_number(decoder);
	if (depth > NESTING_MAX || type > VALUE_MAP) {
		decoder->bad = true;
		return &value_unknown;
	}
	value->type = (enum value_type) type;
	switch (value->type) {
	case VALUE_ABSENT:
	case VALUE_PENDING:
		decoder->bad = true;
		break;
	case VALUE_UNKNOWN:
	case VALUE_NULL:
		break;
	case VALUE_BOOL:
		value->boolean = get_number(decoder) != 0;
		break;
	case VALUE_INTEGER: {
		guint64 number = get_number(decoder);
		value->integer = (gint64) (number >> 1) ^ -(gint64) (number & 1);
		break;
	}
	case VALUE_FLOAT: {
		guint64 bits = get_number(decoder);
		memcpy(&value->number, &bits, sizeof bits);
		break;
	}
	case VALUE_STRING:
	case VALUE_DIGEST:
	case VALUE_SECRET:
		value->string = need_string(decoder);
		break;
	case VALUE_LIST:
		get_list(decoder, value, depth);
		break;
	case VALUE_MAP:
		get_map(decoder, value, depth);
		break;
	}
	return value;
}

static void get_strings(struct decoder *decoder)
{
	decoder->n_strings = get_count(decoder);
	const char **strings = ARENA_ARRAY(decoder->arena, const char *, decoder->n_strings);
	for (size_t i = 0; i < decoder->n_strings && !decoder->bad; i++) {
		size_t length = get_count(decoder);
		strings[i] = decoder->at;
		/* There is a NUL where it should end, and none before. */
		if (decoder->bad || (size_t) (decoder->end - decoder->at) <= length ||
		    memchr(decoder->at, 0, length + 1) != decoder->at + length)
			decoder->bad = true;
		else
			decoder->at += length + 1;
	}
	decoder->strings = strings;
	if (decoder->bad)
		decoder->n_strings = 0;
}

/* The row of a path; looked for in the kind's table only the first time. */
static const struct field_spec *spec_of(struct decoder *decoder, const struct kind *kind, const char *path)
{
	GHashTable *specs = g_hash_table_lookup(decoder->kinds, kind);
	if (!specs) {
		specs = g_hash_table_new(g_str_hash, g_str_equal);
		g_hash_table_insert(decoder->kinds, (gpointer) (guintptr) kind, specs);
	}
	const struct field_spec *spec = g_hash_table_lookup(specs, path);
	if (!spec && (spec = kind_spec(kind, path)))
		g_hash_table_insert(specs, (gpointer) (guintptr) path, (gpointer) (guintptr) spec);
	return spec;
}

/* Fields that the kind no longer has are left away: an older version applied them. */
static void get_fields(struct decoder *decoder, struct object *object, const char *const **ret_revisions)
{
	size_t n = get_count(decoder), kept = 0;
	struct field *fields = ARENA_ARRAY(decoder->arena, struct field, n);
	const char **revisions = ARENA_ARRAY(decoder->arena, const char *, n);
	const char *before = NULL;
	for (size_t i = 0; i < n && !decoder->bad; i++) {
		struct field *field = &fields[kept];
		field->path = need_string(decoder);
		revisions[kept] = get_string(decoder);
		field->origin = get_origin(decoder);
		field->value = get_value(decoder, 0);
		field->spec = decoder->bad ? NULL : spec_of(decoder, object->kind, field->path);
		if (before && strcmp(before, field->path) >= 0)
			decoder->bad = true;
		before = field->path;
		kept += field->spec != NULL;
	}
	object->fields = fields;
	object->n_fields = kept;
	if (ret_revisions)
		*ret_revisions = revisions;
}

const struct object *object_decode(struct decoder *decoder, const char *key, const void *bytes, size_t length,
				   const char *const **ret_revisions)
{
	const struct kind *kind = key_is_valid(key) ? kind_of_key(key) : NULL;
	if (!kind || !bytes)
		return NULL;
	decoder->at = arena_memdup(decoder->arena, bytes, length);
	decoder->end = decoder->at + length;
	decoder->bad = get_number(decoder) != ENCODING_VERSION;
	get_strings(decoder);
	struct object *object = ARENA_NEW(decoder->arena, struct object);
	object->key = arena_strdup(decoder->arena, key);
	object->kind = kind;
	object->site = need_string(decoder);
	object->incarnation = (unsigned) get_number(decoder);
	object->descriptor = get_string(decoder);
	object->origin = get_origin(decoder);
	object->n_depends = get_count(decoder);
	const char **depends = ARENA_ARRAY(decoder->arena, const char *, object->n_depends);
	for (size_t i = 0; i < object->n_depends && !decoder->bad; i++)
		depends[i] = need_string(decoder);
	object->depends = depends;
	get_fields(decoder, object, ret_revisions);
	return decoder->bad || decoder->at != decoder->end ? NULL : object;
}
