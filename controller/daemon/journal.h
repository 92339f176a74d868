/* The journal of exec, kept in the store and in the memory of what was last applied: operations, each with the events of its begin and its
 * outcome, in one transaction.
 *
 * Owner thread.
 */
#pragma once

#include "daemon/last.h"
#include "daemon/monitors.h"
#include "exec/exec.h"

struct journal_keeper;

/* All must outlive it. */
struct journal_keeper *journal_keeper_new(struct store *store, struct last *last, struct monitors *monitors);
void journal_keeper_free(struct journal_keeper *keeper);

/* @keeper must outlive the journal. */
struct journal journal_of(struct journal_keeper *keeper);
