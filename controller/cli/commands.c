#include "cli/verbs.h"

const struct command *const commands[] = {
	&command_init, &command_doctor, &command_validate, &command_plan, &command_apply, &command_status, &command_drift,
	&command_explain, &command_sync, &command_exec, &command_forward, &command_logs, &command_site, &command_schema, NULL,
};
