#include "tosca/internal.h"

#include <stdarg.h>
#include <string.h>

static struct diag *say(struct unit *unit, enum severity severity, const char *code, struct origin origin, const char *format,
			va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	return diags_add(unit->diags, severity, code, origin, "%s", text);
}

struct diag *unit_fault(struct unit *unit, const char *code, struct origin origin, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct diag *diag = say(unit, SEVERITY_ERROR, code, origin, format, args);
	va_end(args);
	return diag;
}

struct diag *unit_warn(struct unit *unit, const char *code, struct origin origin, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	struct diag *diag = say(unit, SEVERITY_WARNING, code, origin, format, args);
	va_end(args);
	return diag;
}

void unit_hint(struct unit *unit, struct diag *diag, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	diag_hint(unit->diags, diag, "%s", text);
}

bool can_guess(const struct unit *unit)
{
	return unit->n_guesses < TOSCA_MAX_GUESSES;
}

bool unit_room(struct unit *unit, size_t bytes, struct origin origin)
{
	if (!unit->full && arena_size(unit->arena) + bytes <= TOSCA_MAX_UNIT_BYTES)
		return true;
	if (!unit->full)
		unit_fault(unit, "too-many", origin,
			   "the types of this file, with all that they inherit, are larger than 256 MiB");
	unit->full = true;
	return false;
}

static const char *nearest(struct unit *unit, const char *word, const char *const *names, size_t n)
{
	enum { WORD_MAX = 256, GUESS_NAMES = 500 };
	if (!n || !can_guess(unit) || strlen(word) > WORD_MAX)
		return NULL;
	unit->n_guesses += 1 + (unsigned) (n / GUESS_NAMES);
	return diag_did_you_mean(word, names, n);
}

void hint_near(struct unit *unit, struct diag *diag, const char *word, const char *const *names, size_t n, const char *otherwise)
{
	const char *near = nearest(unit, word, names, n);
	if (near)
		unit_hint(unit, diag, "did you mean \"%s\"?", near);
	else
		unit_hint(unit, diag, "%s", otherwise);
}

void hint_names(struct unit *unit, struct diags *diags, struct diag *diag, const char *word, const char *const *names, size_t n)
{
	enum { LIST_MAX = 12 };
	const char *near = nearest(unit, word, names, n);
	if (near) {
		diag_hint(diags, diag, "did you mean \"%s\"?", near);
		return;
	}
	if (!n || n > LIST_MAX)
		return;
	g_autoptr(GString) list = g_string_new("there are: ");
	for (size_t i = 0; i < n; i++)
		g_string_append_printf(list, "%s%s", i ? ", " : "", names[i]);
	diag_hint(diags, diag, "%s", list->str);
}

const struct ynode *want_mapping(struct unit *unit, const struct ynode *node, const char *what)
{
	if (ynode_is_null(node))
		return NULL;
	if (node->kind == YNODE_MAPPING)
		return node;
	unit_fault(unit, "wrong-shape", node->origin, "%s must be a mapping", what);
	return NULL;
}

bool check_keys(struct unit *unit, const struct ynode *node, const char *what, const char *const *known)
{
	node = want_mapping(unit, node, what);
	if (!node)
		return false;
	size_t n_known = g_strv_length((char **) (guintptr) known);
	for (size_t i = 0; i < node->mapping.n; i++) {
		const struct yentry *entry = &node->mapping.entries[i];
		if (g_strv_contains(known, entry->key))
			continue;
		struct diag *diag = unit_fault(unit, "unknown-key", entry->origin, "%s has no key \"%s\"", what, entry->key);
		hint_names(unit, unit->diags, diag, entry->key, known, n_known);
	}
	return true;
}

static void one_named(struct unit *unit, const struct ynode *item, const char *what, void (*each)(const struct yentry *, void *),
		      void *data)
{
	if (item->kind != YNODE_MAPPING || item->mapping.n != 1) {
		struct diag *diag = unit_fault(unit, "wrong-shape", item->origin,
					       "an item of %s must be one name with its definition",
					  what);
		unit_hint(unit, diag, "write \"- NAME: …\", with what belongs to it indented below");
		return;
	}
	each(&item->mapping.entries[0], data);
}

void each_named(struct unit *unit, const struct ynode *node, const char *what,
		void (*each)(const struct yentry *entry, void *data), void *data)
{
	if (ynode_is_null(node))
		return;
	switch (node->kind) {
	case YNODE_SCALAR:
		unit_fault(unit, "wrong-shape", node->origin, "%s must be a list of names with their definitions", what);
		break;
	case YNODE_SEQUENCE:
		for (size_t i = 0; i < node->sequence.n; i++)
			one_named(unit, node->sequence.items[i], what, each, data);
		break;
	case YNODE_MAPPING:
		for (size_t i = 0; i < node->mapping.n; i++)
			each(&node->mapping.entries[i], data);
		break;
	}
}
