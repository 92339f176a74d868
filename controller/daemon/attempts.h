/* What an operation that failed left behind is ours, not somebody's.
 *
 * After the look that follows a round with failures: fields that are now as the failed step wanted them are recorded as applied, so that
 * the next plan calls a correction of them intent, and not drift. Owner thread.
 */
#pragma once

#include "daemon/last.h"
#include "exec/exec.h"

void attempts_record(struct store *store, struct last *last, const struct plan *plan, const struct exec *exec, struct observed *observed);
