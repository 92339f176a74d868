/* What was last applied, field by field, and the sites that it is on. */
#include "store/encode.h"
#include "store/internal.h"

#include <string.h>

/* The record under @key as it stands, in @decoder's arena: NULL when there is none. False: it cannot be read. */
static bool get_applied(struct store *store, struct decoder *decoder, const char *key, const struct object **ret,
			const char *const **ret_revisions, GError **error)
{
	*ret = NULL;
	sqlite3_stmt *statement = statement_use(store, STATEMENT_APPLIED_GET, error);
	if (!statement)
		return false;
	bind_text(statement, 1, key);
	int result = sqlite3_step(statement);
	bool there = result == SQLITE_ROW;
	if (there) {
		*ret = object_decode(decoder, key, sqlite3_column_blob(statement, 0), (size_t) sqlite3_column_bytes(statement, 0),
				     ret_revisions);
		result = SQLITE_DONE;
	}
	if (!statement_done(store, statement, result, "last applied", error))
		return false;
	return !there || *ret || store_error_corrupt(store, key, error);
}

/* A field that had this value already keeps the commit that first asked for it. */
static const char *const *revisions_of(struct arena *arena, const struct object *object, const struct object *before,
				       const char *const *before_revisions, const char *revision)
{
	const char **revisions = ARENA_ARRAY(arena, const char *, object->n_fields);
	size_t at = 0;
	for (size_t i = 0; i < object->n_fields; i++) {
		const struct field *field = &object->fields[i];
		while (before && at < before->n_fields && strcmp(before->fields[at].path, field->path) < 0)
			at++;
		bool same = before && at < before->n_fields && g_str_equal(before->fields[at].path, field->path) &&
			    value_equal(before->fields[at].value, field->value);
		revisions[i] = same ? before_revisions[at] : revision;
	}
	return revisions;
}

static bool drop_applied(struct store *store, const char *key, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_APPLIED_DROP, error);
	if (!statement)
		return false;
	bind_text(statement, 1, key);
	return statement_run(store, statement, "last applied", error);
}

bool store_put_applied(struct store *store, const char *key, const struct object *object, const char *revision, GError **error)
{
	if (!object)
		return drop_applied(store, key, error);
	auto_ptr(arena) arena = arena_new();
	auto_ptr(decoder) decoder = decoder_new(arena);
	const struct object *before = NULL;
	const char *const *before_revisions = NULL;
	if (!get_applied(store, decoder, key, &before, &before_revisions, error))
		return false;
	g_autoptr(GByteArray) bytes = object_encode(object, revisions_of(arena, object, before, before_revisions, revision));
	sqlite3_stmt *statement = statement_use(store, STATEMENT_APPLIED_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, key);
	sqlite3_bind_blob64(statement, 2, bytes->data, bytes->len, SQLITE_STATIC);
	return statement_run(store, statement, "last applied", error);
}

bool store_last_applied(struct store *store, struct arena *arena, struct objects *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_APPLIED_ALL, error);
	if (!statement)
		return false;
	auto_ptr(decoder) decoder = decoder_new(arena);
	g_autoptr(GPtrArray) objects = g_ptr_array_new();
	g_autofree char *bad = NULL;
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW && !bad; result = sqlite3_step(statement)) {
		const char *key = (const char *) sqlite3_column_text(statement, 0);
		const void *bytes = sqlite3_column_blob(statement, 1);
		size_t length = (size_t) sqlite3_column_bytes(statement, 1);
		const struct object *object = key ? object_decode(decoder, key, bytes, length, NULL) : NULL;
		if (object)
			g_ptr_array_add(objects, (gpointer) (guintptr) object);
		else
			bad = g_strdup(key ? key : "a key");
	}
	if (!statement_done(store, statement, bad ? SQLITE_DONE : result, "last applied", error))
		return false;
	if (bad)
		return store_error_corrupt(store, bad, error);
	*ret = objects_sorted(arena, (const struct object *const *) objects->pdata, objects->len);
	return true;
}

bool store_applied_fields(struct store *store, struct arena *arena, const char *key, GArray *ret, GError **error)
{
	auto_ptr(decoder) decoder = decoder_new(arena);
	const struct object *object = NULL;
	const char *const *revisions = NULL;
	if (!get_applied(store, decoder, key, &object, &revisions, error))
		return false;
	for (size_t i = 0; object && i < object->n_fields; i++) {
		struct store_field field = {
			.path = object->fields[i].path,
			.value = object->fields[i].value,
			.origin = object->fields[i].origin,
			.revision = revisions[i],
		};
		g_array_append_val(ret, field);
	}
	return true;
}

/* --- sites ------------------------------------------------------------------------------------------------------------------ */

bool store_put_site(struct store *store, const struct site *site, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_SITE_PUT, error);
	if (!statement)
		return false;
	g_autoptr(json_t) json = site_to_json(site);
	g_autofree char *text = json_text(json, 0);
	bind_text(statement, 1, site->name);
	/* Never cut: half a document is none. */
	sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC);
	return statement_run(store, statement, "sites", error);
}

enum { SITE_MAX_BYTES = 1024 * 1024 };

static const struct site *get_site(struct arena *arena, sqlite3_stmt *statement, GError **error)
{
	const char *text = (const char *) sqlite3_column_text(statement, 1);
	g_autoptr(json_t) json = json_parse(text ? text : "", (size_t) sqlite3_column_bytes(statement, 1), SITE_MAX_BYTES, "site",
					    error);
	return json ? site_from_json(arena, json, error) : NULL;
}

bool store_sites(struct store *store, struct arena *arena, GPtrArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_SITE_ALL, error);
	if (!statement)
		return false;
	g_autofree char *bad = NULL;
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW && !bad; result = sqlite3_step(statement)) {
		g_autoptr(GError) why = NULL;
		const struct site *site = get_site(arena, statement, &why);
		if (site)
			g_ptr_array_add(ret, (gpointer) (guintptr) site);
		else
			bad = g_strdup_printf("site %s, %s", sqlite3_column_text(statement, 0), why->message);
	}
	if (!statement_done(store, statement, bad ? SQLITE_DONE : result, "sites", error))
		return false;
	return !bad || store_error_corrupt(store, bad, error);
}

bool store_drop_site(struct store *store, const char *name, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_SITE_DROP, error);
	if (!statement)
		return false;
	bind_text(statement, 1, name);
	return statement_run(store, statement, "sites", error);
}
