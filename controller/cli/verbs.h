/* The verbs, for the table in commands.c. */
#pragma once

#include "cli/cli.h"

extern const struct command command_init, command_doctor, command_validate, command_plan, command_apply, command_status, command_drift,
	command_explain, command_events, command_history, command_suspend, command_resume, command_approve, command_sync, command_exec, command_forward, command_logs, command_nf, command_top, command_site, command_schema, command_log_level;
