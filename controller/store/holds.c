/* What the operator holds, and the revisions that he let pass. */
#include "store/internal.h"

#include "model/key.h"

#include <string.h>

static bool is_full(struct store *store, const char *target, bool *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_HOLD_NUMBER, error);
	if (!statement)
		return false;
	bind_text(statement, 1, target);
	int result = sqlite3_step(statement);
	*ret = result == SQLITE_ROW && sqlite3_column_int64(statement, 0) >= STORE_HOLDS_MAX;
	return statement_done(store, statement, result == SQLITE_ROW ? SQLITE_DONE : result, "holds", error);
}

bool store_put_hold(struct store *store, const struct store_hold *hold, GError **error)
{
	bool full = false;
	if (!is_full(store, hold->target, &full, error))
		return false;
	if (full)
		return pleach_error_invalid(error, "%d things are suspended already: resume some of them first", STORE_HOLDS_MAX);
	sqlite3_stmt *statement = statement_use(store, STATEMENT_HOLD_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, hold->target);
	bind_text(statement, 2, hold->who);
	bind_text(statement, 3, hold->reason);
	sqlite3_bind_int64(statement, 4, hold->since_us);
	sqlite3_bind_int64(statement, 5, hold->until_us);
	return statement_run(store, statement, "holds", error);
}

bool store_drop_hold(struct store *store, const char *target, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_HOLD_DROP, error);
	if (!statement)
		return false;
	bind_text(statement, 1, target);
	return statement_run(store, statement, "holds", error);
}

bool store_holds(struct store *store, struct arena *arena, GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_HOLDS, error);
	if (!statement)
		return false;
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		struct store_hold hold = {
			.target = column_text(arena, statement, 0),
			.who = column_text(arena, statement, 1),
			.reason = column_text(arena, statement, 2),
			.since_us = sqlite3_column_int64(statement, 3),
			.until_us = sqlite3_column_int64(statement, 4),
		};
		g_array_append_val(ret, hold);
	}
	return statement_done(store, statement, result, "holds", error);
}

bool store_put_approval(struct store *store, const char *revision, const char *who, gint64 wall_us, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_APPROVAL_PRUNE, error);
	if (!statement || !statement_run(store, statement, "approvals", error))
		return false;
	statement = statement_use(store, STATEMENT_APPROVAL_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, revision);
	bind_text(statement, 2, who);
	sqlite3_bind_int64(statement, 3, wall_us);
	return statement_run(store, statement, "approvals", error);
}

bool store_approval(struct store *store, struct arena *arena, const char *revision, const char **ret_who, GError **error)
{
	*ret_who = NULL;
	sqlite3_stmt *statement = statement_use(store, STATEMENT_APPROVAL_GET, error);
	if (!statement)
		return false;
	bind_text(statement, 1, revision);
	int result = sqlite3_step(statement);
	if (result == SQLITE_ROW)
		*ret_who = column_text(arena, statement, 0);
	return statement_done(store, statement, result == SQLITE_ROW ? SQLITE_DONE : result, "approvals", error);
}

/* Is @key @prefix itself, or below it? */
static bool is_below(const char *key, const char *prefix)
{
	size_t length = strlen(prefix);
	return strncmp(key, prefix, length) == 0 && (key[length] == '\0' || key[length] == '.');
}

bool store_hold_is_about(const struct store_hold *hold, const char *key, const char *site)
{
	const char *target = hold->target;
	if (g_str_has_prefix(key, "site/"))
		return g_str_equal(target, "**") || g_str_equal(target, key);
	if (g_str_has_prefix(target, "site/"))
		return g_strcmp0(target + strlen("site/"), site) == 0;
	if (strchr(target, '*'))
		return key_matches(key, target);
	if (!strchr(target, '/'))
		return is_below(key_path(key), target);
	if (is_below(key, target))
		return true;
	/* A VNF is its VNFCs, and what is in a VNFC is part of it. */
	bool holds_nf = key_is_kind(target, "vnfc") || key_is_kind(target, "vnf");
	bool holds_vnfc = key_is_kind(target, "vnf");
	return ((holds_nf && key_is_kind(key, "nf")) || (holds_vnfc && key_is_kind(key, "vnfc"))) &&
	       is_below(key_path(key), key_path(target));
}
