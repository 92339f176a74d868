/* What the EMS knows: the VIB, the history of cures, the ring of samples; each bounded. */
#include "store/internal.h"

#include "base/json.h"

/* --- the VIB ---------------------------------------------------------------------------------------------------------------- */

bool store_put_vib(struct store *store, const struct vib_entry *entry, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_VIB_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, entry->key);
	bind_text(statement, 2, entry->site);
	bind_text(statement, 3, entry->ems);
	bind_text(statement, 4, entry->driver);
	bind_text(statement, 5, entry->transport);
	bind_text(statement, 6, entry->package);
	sqlite3_bind_int64(statement, 7, entry->incarnation);
	bind_text(statement, 8, entry->state);
	bind_text(statement, 9, entry->health);
	bind_text(statement, 10, entry->reason);
	sqlite3_bind_int64(statement, 11, entry->state_since_us);
	sqlite3_bind_int64(statement, 12, entry->health_since_us);
	sqlite3_bind_int64(statement, 13, entry->restarts);
	sqlite3_bind_int64(statement, 14, entry->failures);
	bind_text(statement, 15, entry->last_failure);
	sqlite3_bind_int64(statement, 16, entry->last_failure_us);
	bind_text(statement, 17, entry->fate);
	bind_text(statement, 18, entry->held);
	bind_text(statement, 19, entry->crossed);
	return statement_run(store, statement, "the VIB", error);
}

static bool drop(struct store *store, enum statement which, const char *key, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, which, error);
	if (!statement)
		return false;
	bind_text(statement, 1, key);
	return statement_run(store, statement, "the VIB", error);
}

bool store_drop_vib(struct store *store, const char *key, GError **error)
{
	return drop(store, STATEMENT_VIB_DROP, key, error) && drop(store, STATEMENT_SAMPLE_DROP, key, error);
}

bool store_vib(struct store *store, struct arena *arena, GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_VIB_ALL, error);
	if (!statement)
		return false;
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		struct vib_entry entry = {
			.key = column_text(arena, statement, 0),
			.site = column_text(arena, statement, 1),
			.ems = column_text(arena, statement, 2),
			.driver = column_text(arena, statement, 3),
			.transport = column_text(arena, statement, 4),
			.package = column_text(arena, statement, 5),
			.incarnation = (unsigned) sqlite3_column_int64(statement, 6),
			.state = column_text(arena, statement, 7),
			.health = column_text(arena, statement, 8),
			.reason = column_text(arena, statement, 9),
			.state_since_us = sqlite3_column_int64(statement, 10),
			.health_since_us = sqlite3_column_int64(statement, 11),
			.restarts = sqlite3_column_int64(statement, 12),
			.failures = sqlite3_column_int64(statement, 13),
			.last_failure = column_text(arena, statement, 14),
			.last_failure_us = sqlite3_column_int64(statement, 15),
			.fate = column_text(arena, statement, 16),
			.held = column_text(arena, statement, 17),
			.crossed = column_text(arena, statement, 18),
		};
		g_array_append_val(ret, entry);
	}
	return statement_done(store, statement, result, "the VIB", error);
}

/* --- cures ------------------------------------------------------------------------------------------------------------------ */

bool store_put_cure(struct store *store, const struct cure *cure, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_CURE_PUT, error);
	if (!statement)
		return false;
	bind_text(statement, 1, cure->id);
	bind_text(statement, 2, cure->path);
	sqlite3_bind_int64(statement, 3, cure->kind);
	bind_text(statement, 4, cure->wanted);
	sqlite3_bind_int64(statement, 5, cure->wall_us);
	if (!statement_run(store, statement, "cures", error))
		return false;
	statement = statement_use(store, STATEMENT_CURE_PRUNE, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, cure->wall_us - (gint64) STORE_CURES_KEPT_S * G_USEC_PER_SEC);
	return statement_run(store, statement, "cures", error);
}

bool store_cures(struct store *store, struct arena *arena, gint64 since_wall_us, GArray *ret, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_CURES, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, since_wall_us);
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		struct cure cure = {
			.id = column_text(arena, statement, 0),
			.path = column_text(arena, statement, 1),
			.kind = (enum cure_kind) CLAMP(sqlite3_column_int64(statement, 2), CURE_ASKED, CURE_ITSELF),
			.wanted = column_text(arena, statement, 3),
			.wall_us = sqlite3_column_int64(statement, 4),
		};
		g_array_append_val(ret, cure);
	}
	return statement_done(store, statement, result, "cures", error);
}

/* --- samples ---------------------------------------------------------------------------------------------------------------- */

static bool put_sample(struct store *store, const struct store_sample *sample, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_SAMPLE_PUT, error);
	if (!statement)
		return false;
	g_autoptr(json_t) json = sample_to_json(sample->sample);
	g_autofree char *text = json_text(json, 0);
	bind_text(statement, 1, sample->key);
	sqlite3_bind_int64(statement, 2, sample->sample->wall_us);
	sqlite3_bind_text(statement, 3, text, -1, SQLITE_STATIC);
	return statement_run(store, statement, "samples", error);
}

/* Of the oldest rows twice as many as were added go, where they are too old or too many: so the ring shrinks, too. */
static bool prune_samples(struct store *store, size_t added, gint64 before_wall_us, GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_SAMPLE_PRUNE, error);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, (sqlite3_int64) added * 2);
	sqlite3_bind_int64(statement, 2, before_wall_us);
	sqlite3_bind_int64(statement, 3, STORE_SAMPLES_KEPT);
	return statement_run(store, statement, "samples", error);
}

bool store_put_samples(struct store *store, const struct store_sample *samples, size_t n, gint64 before_wall_us, GError **error)
{
	/* What a failed put left open, as in store_begin(). */
	if (store->in_transaction)
		store_rollback(store);
	sqlite3_stmt *statement = statement_use(store, STATEMENT_BEGIN, error);
	if (!statement || !statement_run(store, statement, "samples", error))
		return false;
	bool good = true;
	for (size_t i = 0; i < n && good; i++)
		good = put_sample(store, &samples[i], error);
	good = good && prune_samples(store, n, before_wall_us, error);
	statement = good ? statement_use(store, STATEMENT_COMMIT, error) : NULL;
	good = statement && statement_run(store, statement, "samples", error);
	if (!good)
		store_rollback(store);
	return good;
}

bool store_samples(struct store *store, struct arena *arena, const char *key, gint64 since_wall_us, size_t limit, GPtrArray *ret,
		   GError **error)
{
	sqlite3_stmt *statement = statement_use(store, STATEMENT_SAMPLES, error);
	if (!statement)
		return false;
	bind_text(statement, 1, key);
	sqlite3_bind_int64(statement, 2, since_wall_us);
	sqlite3_bind_int64(statement, 3, (sqlite3_int64) MIN(limit, G_MAXINT));
	int result = sqlite3_step(statement);
	for (; result == SQLITE_ROW; result = sqlite3_step(statement)) {
		const char *text = (const char *) sqlite3_column_text(statement, 0);
		size_t length = (size_t) sqlite3_column_bytes(statement, 0);
		g_autoptr(json_t) json = json_parse(text ? text : "", length, STORE_SAMPLE_MAX_BYTES, "sample", NULL);
		const struct sample *sample = json ? sample_from_json(arena, json) : NULL;
		/* One that cannot be read is no sample; the others are. */
		if (sample)
			g_ptr_array_add(ret, (gpointer) (guintptr) sample);
	}
	return statement_done(store, statement, result, "samples", error);
}
