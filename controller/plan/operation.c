#include "plan/operation.h"

const char *op_state_name(enum op_state state)
{
	switch (state) {
	case OP_STARTING:
		return "STARTING";
	case OP_PROCESSING:
		return "PROCESSING";
	case OP_COMPLETED:
		return "COMPLETED";
	case OP_FAILED_TEMP:
		return "FAILED_TEMP";
	case OP_FAILED:
		return "FAILED";
	case OP_CANCELLED:
		return "CANCELLED";
	}
	g_assert_not_reached();
}
