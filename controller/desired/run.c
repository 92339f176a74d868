/* What all parts of a run use: findings, and what is made once and used by many. */
#include "desired/internal.h"
#include "model/key.h"

#include <string.h>

struct origin origin_of(const struct tvalue *value, struct origin fallback)
{
	if (!value || !origin_is_set(value->origin) || g_str_has_prefix(value->origin.file, "pleach:"))
		return fallback;
	return value->origin;
}

void run_suggest(struct run *run, struct diag *diag, const char *word, GPtrArray *names)
{
	enum { LISTED = 12 };
	const char *near = diag_did_you_mean(word, (const char *const *) names->pdata, names->len);

	if (near) {
		diag_hint(run->diags, diag, "did you mean \"%s\"?", near);
		return;
	}
	if (names->len == 0 || names->len > LISTED)
		return;
	g_autoptr(GString) list = g_string_new(NULL);
	for (guint i = 0; i < names->len; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "", (const char *) names->pdata[i]);
	diag_hint(run->diags, diag, "there %s: %s", names->len == 1 ? "is" : "are", list->str);
}

struct diag *run_say(struct run *run, enum severity severity, const char *code, struct origin origin, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	char *id = g_strdup_printf("%s:%u:%u:%s:%s", origin.file ? origin.file : "", origin.line, origin.column, code, text);
	if (!g_hash_table_add(run->said, id)) {
		run->n_repeated += severity == SEVERITY_ERROR ? 1 : 0;
		return NULL;
	}
	return diags_add(run->diags, severity, code, origin, "%s", text);
}

struct collection collection_begin(struct run *run)
{
	const struct collection outer = { run->diags, run->said, run->n_repeated };

	run->diags = diags_new();
	run->said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	run->n_repeated = 0;
	return outer;
}

struct diags *collection_end(struct run *run, struct collection outer)
{
	struct diags *found = run->diags;

	g_hash_table_unref(run->said);
	run->diags = outer.diags;
	run->said = outer.said;
	run->n_repeated = outer.n_repeated;
	return found;
}

void run_add(struct run *run, const struct diags *findings)
{
	for (size_t i = 0; i < diags_count(findings); i++) {
		const struct diag *diag = diags_get(findings, i);
		struct diag *said = run_say(run, diag->severity, diag->code, diag->origin, "%s", diag->text);
		if (!said)
			continue;
		if (diag->hint)
			diag_hint(run->diags, said, "%s", diag->hint);
		for (guint j = 0; diag->notes && j < diag->notes->len; j++) {
			const struct diag_note *note = &g_array_index(diag->notes, struct diag_note, j);
			diag_note(run->diags, said, note->origin, "%s", note->text);
		}
	}
}

size_t run_errors(const struct run *run)
{
	return diags_errors(run->diags) + run->n_repeated;
}

static void print_value(GString *out, const struct tvalue *value)
{
	g_string_append_printf(out, "%d@%s:%u:%u", value->type, value->origin.file ? value->origin.file : "", value->origin.line,
			       value->origin.column);
	switch (value->type) {
	case TV_NULL:
		break;
	case TV_BOOL:
		g_string_append_c(out, value->boolean ? 't' : 'f');
		break;
	case TV_INTEGER:
		g_string_append_printf(out, "%" G_GINT64_FORMAT, value->integer);
		break;
	case TV_FLOAT:
		g_string_append_printf(out, "%.17g", value->number);
		break;
	case TV_STRING:
		g_string_append_printf(out, "%zu:%s", strlen(value->string), value->string);
		break;
	case TV_LIST:
		for (size_t i = 0; i < value->list.n; i++)
			print_value(out, value->list.items[i]);
		break;
	case TV_MAP:
		for (size_t i = 0; i < value->map.n; i++) {
			g_string_append_printf(out, "%zu:%s=", strlen(value->map.keys[i]), value->map.keys[i]);
			print_value(out, value->map.items[i]);
		}
		break;
	case TV_FUNCTION:
		g_string_append_printf(out, "%s(", value->function.name);
		for (size_t i = 0; i < value->function.n; i++)
			print_value(out, value->function.args[i]);
		break;
	}
	g_string_append_c(out, ';');
}

const struct ttopology *run_instantiate(struct run *run, const struct ttemplate *template, struct tnamed_list inputs,
					struct origin from)
{
	/* Equal inputs from other lines are other inputs: values keep their origins. */
	g_autoptr(GString) id = g_string_new(NULL);

	g_string_append_printf(id, "%p", (const void *) template);
	for (size_t i = 0; i < inputs.n; i++) {
		g_string_append_printf(id, "|%s=", inputs.items[i].name);
		print_value(id, inputs.items[i].value);
	}
	const struct ttopology *topology = g_hash_table_lookup(run->topologies, id->str);
	reads_note(READ_TEMPLATE, template->file);
	if (topology)
		return topology;
	size_t before = diags_count(run->diags);
	topology = tosca_instantiate(run->tosca, template, inputs, from, run->arena, run->diags);
	if (!topology->faulty && diags_count(run->diags) == before)
		g_hash_table_insert(run->topologies, g_strdup(id->str), held(topology));
	return topology;
}

GBytes *run_read(struct run *run, const char *file, struct origin from)
{
	GBytes *bytes = g_hash_table_lookup(run->files, file);

	reads_note(READ_FILE, file);
	if (bytes)
		return bytes;
	g_autoptr(GError) error = NULL;
	bytes = snapshot_read(tosca_snapshot(run->tosca), file, &error);
	if (!bytes) {
		run_say(run, SEVERITY_ERROR, "unknown-file", from, "%s", error->message);
		return NULL;
	}
	g_hash_table_insert(run->files, g_strdup(file), bytes);
	return bytes;
}

bool run_take_key(struct run *run, const char *key, struct origin origin)
{
	if (!key_is_valid(key)) {
		diags_error(run->diags, "key-too-long", origin, "the key \"%.80s…\" has %zu bytes; %d are allowed", key,
			    strlen(key), KEY_MAX);
		return false;
	}
	const struct origin *there = g_hash_table_lookup(run->keys, key);
	if (there) {
		struct diag *diag = diags_error(run->diags, "duplicate-key", origin, "two objects have the key \"%s\"", key);
		diag_note(run->diags, diag, *there, "the first is made here");
		return false;
	}
	g_hash_table_insert(run->keys, held(key), arena_memdup(run->arena, &origin, sizeof origin));
	return true;
}
