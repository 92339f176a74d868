/* The journal of exec, kept in the store and in the memory of what was last applied; and the record of drift.
 *
 * Owner thread.
 */
#pragma once

#include "daemon/last.h"
#include "exec/exec.h"

struct journal_keeper;

struct journal_keeper *journal_keeper_new(struct store *store, struct last *last); /* both must outlive it */
void journal_keeper_free(struct journal_keeper *keeper);

/* @keeper must outlive the journal. */
struct journal journal_of(struct journal_keeper *keeper);

/* What was reported as drifting, so that each drift is written down once, when it is first seen. */
struct drift_record;
struct drift_record *drift_record_new(void);
void drift_record_free(struct drift_record *record);

/* Writes an event "drift" for each field (or whole object) that @plan finds changed behind the operator's back and that @record does
 * not hold yet, and forgets those that are no longer there. */
void drift_record_update(struct drift_record *record, struct store *store, const struct plan *plan, gint64 wall_us);
