#include "tosca/yaml.h"

#include <glib.h>
#include <string.h>
#include <yaml.h>

/* A collection that is still being read. */
struct frame {
	struct ynode *node;
	GPtrArray *items;   /* SEQUENCE: ynode */
	GArray *entries;    /* MAPPING: yentry */
	GHashTable *keys;   /* MAPPING with many entries: key → index + 1 */
	GArray *merges;     /* MAPPING: yentry of "<<" */
	const char *key;    /* MAPPING: the key that waits for its value */
	struct origin key_origin;
	bool key_is_merge;
	unsigned height;
	guint64 weight;
};

struct reader {
	struct arena *arena;
	const char *file;
	struct diags *diags;
	yaml_parser_t parser;
	GArray *frames; /* struct frame */
	GHashTable *anchors; /* name → ynode */
	const struct ynode *root;
	size_t n_nodes, n_aliases, n_merged;
	bool failed;
};

enum { HASH_FROM = 16, SHOWN_MAX = 64 };

static struct origin origin_of(const struct reader *reader, yaml_mark_t mark)
{
	return (struct origin) { reader->file, (unsigned) mark.line + 1, (unsigned) mark.column + 1 };
}

static struct diag *fail(struct reader *reader, const char *code, struct origin origin, const char *text)
{
	reader->failed = true;
	return diags_error(reader->diags, code, origin, "%s", text);
}

static void frame_clear(struct frame *frame)
{
	g_clear_pointer(&frame->items, g_ptr_array_unref);
	g_clear_pointer(&frame->entries, g_array_unref);
	g_clear_pointer(&frame->keys, g_hash_table_unref);
	g_clear_pointer(&frame->merges, g_array_unref);
}

static struct frame *top(struct reader *reader)
{
	return reader->frames->len ? &g_array_index(reader->frames, struct frame, reader->frames->len - 1) : NULL;
}

static const struct yentry *frame_find(const struct frame *frame, const char *key)
{
	if (frame->keys) {
		size_t i = GPOINTER_TO_SIZE(g_hash_table_lookup(frame->keys, key));
		return i ? &g_array_index(frame->entries, struct yentry, i - 1) : NULL;
	}
	for (guint i = 0; i < frame->entries->len; i++)
		if (!strcmp(g_array_index(frame->entries, struct yentry, i).key, key))
			return &g_array_index(frame->entries, struct yentry, i);
	return NULL;
}

static void frame_append(struct frame *frame, struct yentry entry)
{
	g_array_append_val(frame->entries, entry);
	if (!frame->keys && frame->entries->len > HASH_FROM) {
		frame->keys = g_hash_table_new(g_str_hash, g_str_equal);
		for (guint i = 0; i + 1 < frame->entries->len; i++)
			g_hash_table_insert(frame->keys, (gpointer) (guintptr) g_array_index(frame->entries, struct yentry,
											     i).key,
					    GSIZE_TO_POINTER((size_t) i + 1));
	}
	if (frame->keys)
		g_hash_table_insert(frame->keys, (gpointer) (guintptr) entry.key, GSIZE_TO_POINTER((size_t) frame->entries->len));
}

static void add_pair(struct reader *reader, struct frame *frame, const struct ynode *value)
{
	struct yentry entry = { frame->key, frame->key_origin, value };
	frame->key = NULL;
	if (frame->key_is_merge) {
		if (frame->merges->len) {
			struct diag *diag = diags_error(reader->diags, "duplicate-key", entry.origin,
							"a second merge key \"<<\" in one mapping");
			diag_hint(reader->diags, diag, "merge several with a list: <<: [ *a, *b ]");
			diag_note(reader->diags, diag, g_array_index(frame->merges, struct yentry, 0).origin, "first given here");
			return;
		}
		g_array_append_val(frame->merges, entry);
		return;
	}
	const struct yentry *first = frame_find(frame, entry.key);
	if (first) {
		struct diag *diag = diags_error(reader->diags, "duplicate-key", entry.origin,
						"key \"%s\" is given twice in one mapping", entry.key);
		diag_hint(reader->diags, diag, "keep one of the two");
		diag_note(reader->diags, diag, first->origin, "first given here");
		return;
	}
	frame_append(frame, entry);
}

/* A complete node goes into the collection that is open, or is the document. */
static void add_node(struct reader *reader, const struct ynode *node)
{
	struct frame *frame = top(reader);
	if (!frame) {
		reader->root = node;
		return;
	}
	frame->weight += node->weight;
	frame->height = MAX(frame->height, node->height + 1);
	if (frame->weight > YAML_MAX_NODES) {
		fail(reader, "yaml-too-large", node->origin, "with every alias written out this has more than 1000000 nodes");
		return;
	}
	if (reader->frames->len + node->height > YAML_MAX_DEPTH) {
		fail(reader, "yaml-too-deep", node->origin, "nested deeper than 128 levels");
		return;
	}
	if (frame->items)
		g_ptr_array_add(frame->items, (gpointer) (guintptr) node);
	else if (frame->key)
		add_pair(reader, frame, node);
	else
		fail(reader, "yaml-key", node->origin, "a key must be a plain or quoted scalar, not a collection");
}

static void set_anchor(struct reader *reader, const yaml_char_t *name, struct ynode *node)
{
	if (name)
		g_hash_table_replace(reader->anchors, g_strdup((const char *) name), node);
}

/* Still being read: an alias to it would be a circle. A collection gets its height when it is complete. */
static bool is_open(const struct ynode *node)
{
	return node->kind != YNODE_SCALAR && !node->height;
}

static struct ynode *new_node(struct reader *reader, enum ynode_kind kind, const yaml_event_t *event)
{
	struct ynode *node = ARENA_NEW(reader->arena, struct ynode);
	node->kind = kind;
	node->weight = 1;
	node->origin = origin_of(reader, event->start_mark);
	if (++reader->n_nodes > YAML_MAX_NODES)
		fail(reader, "yaml-too-large", node->origin, "more than 1000000 nodes in one file");
	return node;
}

/* "!!str" makes a scalar text; the other tags of YAML itself say what the schema decides anyway; foreign tags are refused. */
static bool tag_is_fine(struct reader *reader, const yaml_char_t *tag, struct origin origin)
{
	if (!tag || !strcmp((const char *) tag, "!") || g_str_has_prefix((const char *) tag, "tag:yaml.org,2002:"))
		return true;
	g_autofree char *shown = g_utf8_substring((const char *) tag, 0, MIN(SHOWN_MAX, g_utf8_strlen((const char *) tag, -1)));
	g_autofree char *text = g_strdup_printf("tag \"%s\" has no meaning here", shown);
	fail(reader, "yaml-tag", origin, text);
	return false;
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *text = (const char *) event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct origin origin = origin_of(reader, event->start_mark);
	if (length > YAML_MAX_SCALAR) {
		fail(reader, "yaml-too-large", origin, "a scalar longer than 1 MiB");
		return;
	}
	if (memchr(text, 0, length)) {
		fail(reader, "yaml-control-character", origin, "a NUL character within a scalar");
		return;
	}
	if (!tag_is_fine(reader, event->data.scalar.tag, origin))
		return;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
	struct frame *frame = top(reader);
	if (frame && frame->entries && !frame->key) {
		frame->key = arena_strndup(reader->arena, text, length);
		frame->key_origin = origin;
		frame->key_is_merge = plain && !strcmp(text, "<<");
		if (++reader->n_nodes > YAML_MAX_NODES)
			fail(reader, "yaml-too-large", origin, "more than 1000000 nodes in one file");
		if (event->data.scalar.anchor)
			fail(reader, "yaml-key", origin, "a key cannot carry an anchor");
		return;
	}
	struct ynode *node = new_node(reader, YNODE_SCALAR, event);
	node->plain = plain;
	node->scalar.text = arena_strndup(reader->arena, text, length);
	node->scalar.length = length;
	set_anchor(reader, event->data.scalar.anchor, node);
	add_node(reader, node);
}

static void on_alias(struct reader *reader, const yaml_event_t *event)
{
	struct origin origin = origin_of(reader, event->start_mark);
	const struct ynode *anchor = g_hash_table_lookup(reader->anchors, event->data.alias.anchor);
	struct frame *frame = top(reader);
	if (!anchor) {
		g_autofree char *text = g_strdup_printf("no anchor \"&%.64s\" before this alias",
							(const char *) event->data.alias.anchor);
		fail(reader, "yaml-unknown-anchor", origin, text);
	} else if (is_open(anchor)) {
		diag_note(reader->diags,
			  fail(reader, "yaml-alias-cycle", origin, "an alias to a collection that it is itself part of"),
			  anchor->origin, "the collection begins here");
	} else if (frame && frame->entries && !frame->key) {
		fail(reader, "yaml-key", origin, "a key cannot be an alias");
	} else if (++reader->n_aliases > YAML_MAX_ALIASES) {
		fail(reader, "yaml-too-large", origin, "more than 10000 aliases in one file");
	} else {
		add_node(reader, anchor);
	}
}

static void on_start(struct reader *reader, const yaml_event_t *event)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *tag = mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	struct origin origin = origin_of(reader, event->start_mark);
	if (!tag_is_fine(reader, tag, origin))
		return;
	if (reader->frames->len >= YAML_MAX_DEPTH) {
		fail(reader, "yaml-too-deep", origin, "nested deeper than 128 levels");
		return;
	}
	struct frame *parent = top(reader);
	if (parent && parent->entries && !parent->key) {
		fail(reader, "yaml-key", origin, "a key must be a plain or quoted scalar, not a collection");
		return;
	}
	struct frame frame = { .node = new_node(reader, mapping ? YNODE_MAPPING : YNODE_SEQUENCE, event), .weight = 1 };
	if (mapping) {
		frame.entries = g_array_new(FALSE, FALSE, sizeof(struct yentry));
		frame.merges = g_array_new(FALSE, FALSE, sizeof(struct yentry));
	} else {
		frame.items = g_ptr_array_new();
	}
	set_anchor(reader, mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, frame.node);
	g_array_append_val(reader->frames, frame);
}

/* Entries of @source that @frame has not of its own; those merged first win. */
static void merge_one(struct reader *reader, struct frame *frame, const struct ynode *source, struct origin origin)
{
	if (source->kind != YNODE_MAPPING) {
		fail(reader, "yaml-merge", source->origin, "\"<<\" takes a mapping or a list of mappings");
		return;
	}
	for (size_t i = 0; i < source->mapping.n; i++) {
		if (++reader->n_merged > YAML_MAX_NODES) {
			fail(reader, "yaml-too-large", origin, "merge keys bring more than 1000000 entries");
			return;
		}
		if (frame_find(frame, source->mapping.entries[i].key))
			continue;
		frame_append(frame, source->mapping.entries[i]);
	}
}

static void merge_all(struct reader *reader, struct frame *frame)
{
	if (!frame->merges->len)
		return;
	const struct yentry *merge = &g_array_index(frame->merges, struct yentry, 0);
	if (merge->value->kind != YNODE_SEQUENCE) {
		merge_one(reader, frame, merge->value, merge->origin);
		return;
	}
	for (size_t i = 0; i < merge->value->sequence.n && !reader->failed; i++)
		merge_one(reader, frame, merge->value->sequence.items[i], merge->origin);
}

static void on_end(struct reader *reader)
{
	struct frame frame = *top(reader);
	if (frame.entries)
		merge_all(reader, &frame);
	struct ynode *node = frame.node;
	node->height = MAX(frame.height, 1);
	node->weight = (unsigned) frame.weight;
	if (frame.items) {
		node->sequence.n = frame.items->len;
		node->sequence.items = arena_memdup(reader->arena, frame.items->pdata, frame.items->len * sizeof(gpointer));
	} else {
		node->mapping.n = frame.entries->len;
		node->mapping.entries = arena_memdup(reader->arena, frame.entries->data,
						     frame.entries->len * sizeof(struct yentry));
	}
	frame_clear(&frame);
	g_array_set_size(reader->frames, reader->frames->len - 1);
	if (!reader->failed)
		add_node(reader, node);
}

static void on_parse_error(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	yaml_mark_t mark = parser->problem_mark;
	struct origin origin = origin_of(reader, mark);
	const char *problem = parser->problem ? parser->problem : "not YAML";
	struct diag *diag = fail(reader, "yaml-syntax", origin, problem);
	if (parser->context)
		diag_note(reader->diags, diag, origin_of(reader, parser->context_mark), "%s", parser->context);
	if (strstr(problem, "cannot start any token"))
		diag_hint(reader->diags, diag, "indent with spaces, not tabs; quote text that begins with a special character");
}

static void on_event(struct reader *reader, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		on_scalar(reader, event);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(reader, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		on_start(reader, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(reader);
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
}

/* Reads to the end of the first document; what comes after is only looked at for being another one. */
static void read_events(struct reader *reader)
{
	unsigned n_documents = 0;
	for (bool done = false; !done && !reader->failed;) {
		yaml_event_t event;
		if (!yaml_parser_parse(&reader->parser, &event)) {
			on_parse_error(reader);
			return;
		}
		if (event.type == YAML_DOCUMENT_START_EVENT && ++n_documents > 1) {
			struct diag *diag = diags_warning(reader->diags, "yaml-several-documents",
							  origin_of(reader, event.start_mark),
							  "only the first document of a file is read");
			diag_hint(reader->diags, diag, "put the second document into a file of its own");
			done = true;
		} else {
			on_event(reader, &event);
		}
		done = done || event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
}

static bool bytes_are_fine(const char *file, const char *text, size_t length, struct diags *diags)
{
	struct origin whole = { file, 0, 0 };
	if (length > YAML_MAX_BYTES) {
		diags_error(diags, "yaml-too-large", whole, "larger than 4 MiB");
		return false;
	}
	const char *bad;
	if (!g_utf8_validate_len(text, length, &bad)) {
		struct origin origin = { file, 1, 1 };
		for (const char *at = text; at < bad; at++) {
			origin.column++;
			if (*at == '\n')
				origin.line++, origin.column = 1;
		}
		struct diag *diag = diags_error(diags, "yaml-not-utf8", origin, *bad ? "not UTF-8" : "a NUL byte");
		diag_hint(diags, diag, "save the file as UTF-8");
		return false;
	}
	unsigned line, column;
	if (yaml_flow_depth(text, length, YAML_MAX_DEPTH, &line, &column) > YAML_MAX_DEPTH) {
		struct origin origin = { file, line, column };
		diags_error(diags, "yaml-too-deep", origin, "nested deeper than 128 levels");
		return false;
	}
	return true;
}

const struct ynode *yaml_read(struct arena *arena, const char *file, const char *text, size_t length, struct diags *diags)
{
	if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		length -= 3;
	}
	if (!bytes_are_fine(file, text, length, diags))
		return NULL;
	struct reader reader = { .arena = arena, .file = file, .diags = diags };
	if (!yaml_parser_initialize(&reader.parser))
		g_error("libyaml: out of memory");
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *) text, length);
	reader.frames = g_array_new(FALSE, FALSE, sizeof(struct frame));
	reader.anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	read_events(&reader);
	while (reader.frames->len) {
		frame_clear(top(&reader));
		g_array_set_size(reader.frames, reader.frames->len - 1);
	}
	g_array_unref(reader.frames);
	g_hash_table_unref(reader.anchors);
	yaml_parser_delete(&reader.parser);
	if (reader.failed)
		return NULL;
	if (!reader.root) {
		struct ynode *empty = ARENA_NEW(arena, struct ynode);
		*empty = (struct ynode) { .kind = YNODE_SCALAR, .plain = true, .weight = 1, .origin = { file, 1, 1 },
					 .scalar = { "", 0 } };
		return empty;
	}
	return reader.root;
}

const struct yentry *ynode_entry(const struct ynode *node, const char *key)
{
	if (!node || node->kind != YNODE_MAPPING)
		return NULL;
	for (size_t i = 0; i < node->mapping.n; i++)
		if (!strcmp(node->mapping.entries[i].key, key))
			return &node->mapping.entries[i];
	return NULL;
}

const struct ynode *ynode_get(const struct ynode *node, const char *key)
{
	const struct yentry *entry = ynode_entry(node, key);
	return entry ? entry->value : NULL;
}

bool ynode_is_null(const struct ynode *node)
{
	if (!node)
		return true;
	if (node->kind != YNODE_SCALAR || !node->plain)
		return false;
	const char *text = node->scalar.text;
	return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") || !strcmp(text, "NULL");
}

const char *ynode_text(const struct ynode *node)
{
	return ynode_is_null(node) || node->kind != YNODE_SCALAR ? NULL : node->scalar.text;
}
