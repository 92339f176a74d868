#include "leaf/internal.h"

bool health_is_state(const struct leaf_nf *nf)
{
	return nf->n_command == 0 && nf->operations[LEAF_STATUS_VERB].script;
}

struct leaf_health_check health_check_of(const struct leaf_nf *nf)
{
	if (nf->health_check.type != LEAF_PROBE_NONE || !health_is_state(nf))
		return nf->health_check;
	return (struct leaf_health_check) { .type = LEAF_PROBE_STATUS, .interval_ms = STATE_INTERVAL_MS, .failures = 1 };
}

static void say(struct supervisor *supervisor, enum leaf_health now, const char *words)
{
	struct health *health = &supervisor->health;
	if (now == LEAF_UNHEALTHY && health->now != LEAF_UNHEALTHY)
		output_note(supervisor->output, "unhealthy: %s", words);
	else if (now == LEAF_HEALTHY && health->now == LEAF_UNHEALTHY)
		output_note(supervisor->output, "healthy again");
	health->now = now;
	if (words != health->words) {
		g_free(health->words);
		health->words = g_strdup(words);
	}
}

static void stop_asking(struct supervisor *supervisor)
{
	struct health *health = &supervisor->health;
	probe_give_up(supervisor->probe);
	if (health->asking == ASKING_STATUS || health->asking == ASKING_STATE)
		operation_give_up(supervisor->operation);
	health->asking = ASKING_NOTHING;
}

void health_begin(struct supervisor *supervisor, gint64 now_us)
{
	struct health *health = &supervisor->health;
	struct leaf_health_check check = health_check_of(supervisor->now.nf);
	stop_asking(supervisor);
	health->failures = 0;
	health->grace_until_us = now_us + ms(check.grace_ms);
	health->next_us = now_us;
	health->quick_us = ms(HEALTH_QUICK_MS);
	health->state_next_us = now_us + ms(check.interval_ms ? check.interval_ms : STATE_INTERVAL_MS);
	say(supervisor, check.type == LEAF_PROBE_NONE ? LEAF_UNCHECKED : LEAF_GRACE, NULL);
}

void health_end(struct supervisor *supervisor)
{
	stop_asking(supervisor);
	say(supervisor, LEAF_UNCHECKED, NULL);
}

void health_process_ended(struct supervisor *supervisor)
{
	if (supervisor->health.asking == ASKING_PORT)
		stop_asking(supervisor);
	if (supervisor->now.nf->health_check.type != LEAF_PROBE_NONE)
		say(supervisor, LEAF_UNHEALTHY, supervisor->software.reason);
}

static void answered(struct supervisor *supervisor, bool good, const char *words, gint64 now_us)
{
	struct health *health = &supervisor->health;
	struct leaf_health_check check = health_check_of(supervisor->now.nf);
	gint64 interval_us = ms(check.interval_ms);
	if (good) {
		health->failures = 0;
		health->next_us = now_us + interval_us;
		g_clear_pointer(&supervisor->failure, g_free);
		say(supervisor, LEAF_HEALTHY, NULL);
		return;
	}
	bool settling = health->now == LEAF_GRACE;
	health->next_us = now_us + (settling ? MIN(health->quick_us, interval_us) : interval_us);
	health->quick_us = MIN(2 * health->quick_us, ms(HEALTH_QUICK_MAX_MS));
	if (settling && now_us < health->grace_until_us)
		return;
	if (++health->failures >= check.failures)
		say(supervisor, LEAF_UNHEALTHY, words);
}

/* The operation status as LSB has it. An NF without a process is what it says; only what is neither started nor stopped has to be said
 * as often as the check wants. */
static void status_said(struct supervisor *supervisor, enum asking asked, gint64 now_us)
{
	const struct operation_result *result = operation_result(supervisor->operation);
	struct health *health = &supervisor->health;
	bool is_state = health_is_state(supervisor->now.nf), stopped = result->exit_status == LSB_STOPPED;
	if (asked == ASKING_STATUS)
		answered(supervisor, result->good, result->words, now_us);
	if (!is_state)
		return;
	if (result->good)
		health->said = LEAF_STARTED;
	else if (stopped)
		health->said = LEAF_STOPPED;
	else if (asked == ASKING_STATE || health->now == LEAF_UNHEALTHY)
		health->said = LEAF_FAILED;
	if (asked == ASKING_STATE && !result->good && !stopped && !health->words)
		health->words = g_strdup(result->words);
}

/* What was asked may have an answer. */
static void take_answer(struct supervisor *supervisor, gint64 now_us)
{
	struct health *health = &supervisor->health;
	enum asking asked = health->asking;
	switch (asked) {
	case ASKING_NOTHING:
		return;
	case ASKING_PORT: {
		enum probe_state state = probe_run(supervisor->probe, now_us);
		if (state != PROBE_GOOD && state != PROBE_BAD)
			return;
		health->asking = ASKING_NOTHING;
		answered(supervisor, state == PROBE_GOOD, probe_words(supervisor->probe), now_us);
		return;
	}
	case ASKING_STATUS:
	case ASKING_STATE:
		if (operation_runs(supervisor->operation))
			return;
		health->asking = ASKING_NOTHING;
		status_said(supervisor, asked, now_us);
		return;
	}
}

static void ask_status(struct supervisor *supervisor, enum asking asking, gint64 now_us)
{
	const struct leaf_nf *nf = supervisor->now.nf;
	g_autofree char *folder = packages_folder(supervisor->packages, nf->package);
	strays_before_operation(supervisor);
	operation_start(supervisor->operation, &(struct operation_want) { nf, LEAF_STATUS_VERB, folder, NULL, supervisor->software.pid }, now_us);
	supervisor->health.asking = asking;
}

static bool checks_now(const struct supervisor *supervisor)
{
	const struct leaf_nf *nf = supervisor->now.nf;
	return nf->state == LEAF_STARTED && (nf->n_command == 0 || supervisor->software.pid != 0) && !supervisor->software.held &&
	       supervisor->health.now != LEAF_UNCHECKED;
}

static bool asks_state(const struct supervisor *supervisor)
{
	const struct leaf_nf *nf = supervisor->now.nf;
	return health_is_state(nf) && (nf->state != LEAF_STARTED || health_check_of(nf).type != LEAF_PROBE_STATUS) && supervisor->installed;
}

static bool may_ask(const struct supervisor *supervisor)
{
	return supervisor->now.nf && !supervisor->deleting && !supervisor->ending_all && change_lets_ask(supervisor);
}

static void ask(struct supervisor *supervisor, gint64 now_us)
{
	struct health *health = &supervisor->health;
	struct leaf_health_check check = health_check_of(supervisor->now.nf);
	bool idle = !operation_runs(supervisor->operation);
	if (checks_now(supervisor) && check.type == LEAF_PROBE_PROCESS && software_has_settled(supervisor, now_us))
		say(supervisor, LEAF_HEALTHY, NULL);
	if (checks_now(supervisor) && now_us >= health->next_us) {
		if (check.type == LEAF_PROBE_TCP || check.type == LEAF_PROBE_HTTP) {
			probe_start(supervisor->probe, &supervisor->now.nf->health_check, now_us);
			health->asking = ASKING_PORT;
			return;
		}
		if (check.type == LEAF_PROBE_STATUS && idle) {
			ask_status(supervisor, ASKING_STATUS, now_us);
			return;
		}
	}
	if (asks_state(supervisor) && now_us >= health->state_next_us && idle) {
		health->state_next_us = now_us + ms(check.interval_ms ? check.interval_ms : STATE_INTERVAL_MS);
		ask_status(supervisor, ASKING_STATE, now_us);
	}
}

void health_run(struct supervisor *supervisor, gint64 now_us)
{
	if (!may_ask(supervisor)) {
		if (supervisor->health.asking != ASKING_NOTHING)
			stop_asking(supervisor);
		return;
	}
	take_answer(supervisor, now_us);
	if (supervisor->health.asking == ASKING_NOTHING)
		ask(supervisor, now_us);
}

gint64 health_next_us(const struct supervisor *supervisor)
{
	const struct health *health = &supervisor->health;
	if (!may_ask(supervisor))
		return -1;
	if (health->asking == ASKING_PORT)
		return probe_next_us(supervisor->probe);
	if (health->asking != ASKING_NOTHING || operation_runs(supervisor->operation))
		return -1;
	enum leaf_probe type = health_check_of(supervisor->now.nf).type;
	bool polls = checks_now(supervisor) && type != LEAF_PROBE_PROCESS && type != LEAF_PROBE_NONE;
	return sooner(polls ? health->next_us : -1, asks_state(supervisor) ? health->state_next_us : -1);
}
