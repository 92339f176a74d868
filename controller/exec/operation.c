#include "exec/internal.h"

/* The operation's states (names in plan/; ETSI GS NFV-SOL003, 5.6.2.2), and how one follows another:
 *
 *                 ┌──────────────────────────────────────────┐
 *                 │                                          ▼
 *     STARTING ───┼─► PROCESSING ─┬─► COMPLETED             (end)
 *      ▲  │       │               ├─► FAILED_TEMP ─┬─► STARTING      back-off over: the same operation, the next attempt
 *      │  │       │               │                └─► CANCELLED
 *      │  │       │               ├─► FAILED                (end)
 *      │  │       │               └─► CANCELLED             (end)
 *      │  │       └─► FAILED, FAILED_TEMP, CANCELLED: it could not even be begun (a fault in a value, a value not known yet)
 *      └──┘ a journal that cannot be written leaves it STARTING
 *
 * STARTING lives in memory only; every other state is in the journal before anything follows from it.
 */
bool operation_may_become(enum op_state from, enum op_state to)
{
	switch (from) {
	case OP_STARTING:
		return to == OP_PROCESSING || to == OP_FAILED || to == OP_FAILED_TEMP || to == OP_CANCELLED;
	case OP_PROCESSING:
		return to == OP_COMPLETED || to == OP_FAILED || to == OP_FAILED_TEMP || to == OP_CANCELLED;
	case OP_FAILED_TEMP:
		return to == OP_STARTING || to == OP_CANCELLED;
	case OP_COMPLETED:
	case OP_FAILED:
	case OP_CANCELLED:
		return false;
	}
	g_assert_not_reached();
}

void operation_enter(struct operation *operation, enum op_state state, gint64 wall_us, const char *code, const char *text)
{
	g_assert(operation_may_become(operation->state, state));
	operation->state = state;
	operation->wall_us = wall_us;
	operation->error_code = code;
	operation->error = text;
}
