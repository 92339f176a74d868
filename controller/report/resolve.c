/* From what an operator types to the object that is meant; and one object whole, for programs. */
#include "report/view.h"

#include "base/error.h"
#include "model/key.h"

#include <string.h>

enum { NAMED_MAX = 5, CANDIDATES_MAX = 2000 };

typedef bool (*fits_fn)(const char *path, const char *text);

static void add_fitting(const struct view *view, const char *kind, fits_fn fits, const char *text, GPtrArray *found)
{
	if (!kind || strcmp(kind, "vnf") == 0) {
		for (size_t i = 0; i < view->n_aggregates; i++) {
			if (fits(key_path(view->aggregates[i].key), text))
				g_ptr_array_add(found, (gpointer) (guintptr) view->aggregates[i].key);
		}
		/* Without a kind, an aggregate stands for its parts. */
		if (found->len > 0 && !kind)
			return;
	}
	for (size_t i = 0; i < view->n; i++) {
		const struct entry *entry = &view->entries[i];
		if (!entry->gone && (!kind || strcmp(entry->kind->name, kind) == 0) && fits(key_path(entry->key), text))
			g_ptr_array_add(found, (gpointer) (guintptr) entry->key);
	}
}

static bool is_equal(const char *path, const char *text)
{
	return strcmp(path, text) == 0;
}

static bool is_below(const char *path, const char *text)
{
	size_t length = strlen(text);
	return strncmp(path, text, length) == 0 && path[length] == '.';
}

/* A VNFC and its NF have the same path: where no kind is asked for, the VNFC stands for both. */
static void drop_guests(GPtrArray *found)
{
	for (guint i = 0; i < found->len;) {
		const char *key = g_ptr_array_index(found, i);
		bool guest = false;
		for (guint other = 0; other < found->len && key_is_kind(key, "nf"); other++) {
			const char *host = g_ptr_array_index(found, other);
			guest |= key_is_kind(host, "vnfc") && strcmp(key_path(host), key_path(key)) == 0;
		}
		if (guest)
			g_ptr_array_remove_index(found, i);
		else
			i++;
	}
}

static void set_not_found(const struct view *view, struct arena *arena, const char *text, GError **error)
{
	bool whole = strchr(text, '/') != NULL;
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	for (size_t i = 0; i < MIN(view->n, CANDIDATES_MAX); i++) {
		const char *key = view->entries[i].key;
		g_ptr_array_add(words, (gpointer) (guintptr) (whole ? key : key_path(key)));
	}
	for (size_t i = 0; i < MIN(view->n_aggregates, CANDIDATES_MAX); i++) {
		const char *key = view->aggregates[i].key;
		g_ptr_array_add(words, (gpointer) (guintptr) (whole ? key : key_path(key)));
	}
	const char *near = diag_did_you_mean(text, (const char *const *) words->pdata, words->len);
	if (view_find(view, text) || view_aggregate(view, text)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "nothing of that kind belongs to \"%s\"", text);
		return;
	}
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "no object is called \"%s\"%s", text,
		    near ? arena_printf(arena, "; did you mean \"%s\"?", near) : "");
}

static void set_ambiguous(const char *text, GPtrArray *found, GError **error)
{
	g_autoptr(GString) names = g_string_new(NULL);
	for (guint i = 0; i < MIN(found->len, NAMED_MAX); i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "", (const char *) g_ptr_array_index(found, i));
	if (found->len > NAMED_MAX)
		g_string_append_printf(names, " and %u more", found->len - NAMED_MAX);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "\"%s\" fits several objects: %s", text, names->str);
}

const char *report_resolve(const struct report_input *input, struct arena *arena, const char *text, const char *kind,
			   GError **error)
{
	auto_ptr(view) view = view_new(input);
	const char *slash = strchr(text, '/');
	if (slash && (!kind || key_is_kind(text, kind))) {
		const struct entry *entry = view_find(view, text);
		if (entry || view_aggregate(view, text))
			return arena_strdup(arena, text);
		set_not_found(view, arena, text, error);
		return NULL;
	}
	const char *path = slash ? slash + 1 : text;
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	add_fitting(view, kind, is_equal, path, found);
	if (!kind)
		drop_guests(found);
	if (found->len == 0) {
		add_fitting(view, kind, is_below, path, found);
		if (!kind)
			drop_guests(found);
	}
	if (found->len == 1)
		return arena_strdup(arena, g_ptr_array_index(found, 0));
	if (found->len == 0)
		set_not_found(view, arena, text, error);
	else
		set_ambiguous(text, found, error);
	return NULL;
}

static bool is_service(const struct view *view, const char *text)
{
	for (size_t i = 0; i < view->n; i++)
		if (!view->entries[i].gone && is_below(key_path(view->entries[i].key), text))
			return true;
	return false;
}

const char *report_select(const struct report_input *input, struct arena *arena, const char *text, GError **error)
{
	GError *fault = NULL;
	const char *key = report_resolve(input, arena, text, NULL, &fault);
	if (key)
		return key;
	auto_ptr(view) view = view_new(input);
	if (!strpbrk(text, "/.") && is_service(view, text)) {
		g_error_free(fault);
		return arena_printf(arena, "service/%s", text);
	}
	g_propagate_error(error, fault);
	return NULL;
}

static void write_access(struct writer *writer, const struct report_input *input, const char *key)
{
	const struct access *access = input->observed ? observed_access(input->observed, key) : NULL;
	if (!access) {
		writer_json(writer, "access", NULL);
		return;
	}
	writer_object(writer, "access");
	writer_string(writer, "transport", access->transport);
	writer_string(writer, "address", access->address);
	writer_string(writer, "secret", access->secret);
	writer_end(writer);
}

char *report_object(const struct report_input *input, const char *key, GError **error)
{
	auto_ptr(view) view = view_new(input);
	const struct entry *entry = view_find(view, key);
	const struct aggregate *aggregate = entry ? NULL : view_aggregate(view, key);
	if (!entry && !aggregate) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: neither wanted, nor applied, nor observed", key);
		return NULL;
	}
	const char *site_name = entry ? entry->site : aggregate->first->site;
	const struct site *site = input->desired ? network_site(input->desired, site_name) : NULL;
	const struct report_style style = { .format = REPORT_JSON };
	struct writer *writer = writer_new(&style);
	writer_string(writer, "report", "object");
	writer_string(writer, "key", key);
	writer_string(writer, "condition", condition_name(entry ? entry->condition : aggregate->condition));
	writer_string(writer, "site_name", site_name);
	writer_json(writer, "site", site ? site_to_json(site) : NULL);
	writer_json(writer, "desired", entry && entry->desired ? object_to_json(entry->desired) : NULL);
	writer_json(writer, "last", entry && entry->last ? object_to_json(entry->last) : NULL);
	writer_json(writer, "observed", entry && entry->observed ? object_to_json(entry->observed) : NULL);
	write_access(writer, input, key);
	writer_array(writer, "parts");
	for (const struct entry *part = aggregate ? aggregate->first : NULL; part; part = part->next)
		writer_string(writer, NULL, part->key);
	writer_end(writer);
	return writer_finish(writer);
}
