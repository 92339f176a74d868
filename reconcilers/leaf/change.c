#include "leaf/internal.h"

#include "base/file.h"

#include <string.h>

/*     (none) ─ change_begin() ─► steps[0] ─ good ─► steps[1] ─ … ─► steps[n-1] ─ good ─► DONE, or, on the way back, TAKEN_BACK
 *                                   └───────── bad ────┴── touched nothing ─────────────► UNTOUCHED
 *                                                      ├── a former that worked ────────► steps_back(), once
 *                                                      └── else, or on the way back ────► BROKEN
 */

void change_clear(struct change *change)
{
	want_set(&change->from, NULL);
	want_set(&change->to, NULL);
	g_free(change->words);
	*change = (struct change) { .next_us = -1 };
}

bool change_is_on(const struct supervisor *supervisor)
{
	return supervisor->change.id != 0;
}

bool change_lets_ask(const struct supervisor *supervisor)
{
	const struct change *change = &supervisor->change;
	return change->id == 0 || (change->entered && change->steps[change->at] == STEP_HEALTHY);
}

void change_begin(struct supervisor *supervisor, const struct want *to, gint64 now_us)
{
	struct change *change = &supervisor->change;
	change_clear(change);
	change->id = ++supervisor->last_id;
	change->since_us = now_us;
	want_set(&change->to, to);
	change->same = to && g_strcmp0(to->digest, supervisor->now.digest) == 0;
	if (supervisor->installed)
		want_set(&change->from, &supervisor->now);
	if (!to) {
		steps_away(supervisor);
		return;
	}
	steps_towards(supervisor, now_us);
	if (supervisor->now.nf)
		return;
	/* The first one: it shows at once, as what is about to be. */
	want_set(&supervisor->now, to);
	supervisor->software.held = true;
	supervisor->health.said = LEAF_STOPPED;
}

void change_fault(struct supervisor *supervisor, int exit_status, const char *words, bool may_pass)
{
	struct change *change = &supervisor->change;
	enum step step = change->steps[change->at];
	output_note(supervisor->output, "%s failed: %s", step_name(step), words);
	if (change->words) {
		char *both = g_strdup_printf("%s; the former did not come back: %s: %s", change->words, step_name(step), words);
		g_free(change->words);
		change->words = both;
		return;
	}
	change->failed = step;
	change->exit_status = exit_status;
	change->words = g_strdup(words);
	change->may_pass = may_pass;
}

static void set_result(struct supervisor *supervisor, enum leaf_outcome outcome)
{
	struct change *change = &supervisor->change;
	struct leaf_result *result = &supervisor->result;
	g_free((char *) (guintptr) result->words);
	*result = (struct leaf_result) { .id = change->id, .outcome = outcome, .exit_status = -1 };
	if (outcome == LEAF_DONE)
		return;
	result->step = step_name(change->failed);
	result->exit_status = change->exit_status;
	result->words = g_steal_pointer(&change->words);
	result->may_pass = change->may_pass;
}

static void finish(struct supervisor *supervisor, enum leaf_outcome outcome, gint64 now_us)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *now = supervisor->now.nf;
	const char *other = change->from.nf ? change->from.nf->package : NULL; /* the former; or what was tried */
	g_clear_pointer(&supervisor->failure, g_free);
	if (outcome == LEAF_BROKEN) {
		supervisor->failure = g_strdup_printf("%s: %s", step_name(change->failed), change->words);
		/* A process that was started stays supervised: it may come good. One that was not is not started any more. */
		supervisor->installed = supervisor->installed && !change->renews;
		supervisor->deleting = false;
	} else if (now) {
		supervisor->installed = true;
	}
	set_result(supervisor, outcome);
	file_remove_tree(supervisor->new_folder, NULL);
	if (now)
		packages_keep(supervisor->packages, now->package, other);
	change_clear(change);
	supervisor->health.state_next_us = now_us + ms(STATE_INTERVAL_MS);
}

/* The way back: what worked before is wanted now. */
static void take_back(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	struct want tried = change->to;
	change->to = change->from;
	change->from = tried;
	change->taking_back = true;
	change->at = 0;
	change->entered = false;
	change->next_us = -1;
	output_note(supervisor->output, "taken back");
	steps_back(supervisor, now_us);
}

static void fail(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	bool goes = !change->to.nf;
	if (goes || change->taking_back) {
		change->may_pass |= goes;
		finish(supervisor, LEAF_BROKEN, now_us);
	} else if (!change->touched && change->from.nf) {
		finish(supervisor, LEAF_UNTOUCHED, now_us);
	} else if (change->renews && change->from.nf) {
		take_back(supervisor, now_us);
	} else {
		/* Starting, or starting again, what is known to work may do better the next time. */
		change->may_pass |= change->from.nf != NULL;
		finish(supervisor, LEAF_BROKEN, now_us);
	}
}

/* A stop that fails must not keep what is to go: its processes are ended by us. */
static bool is_passed_over(const struct change *change)
{
	enum step step = change->steps[change->at];
	return !change->to.nf && (step == STEP_STOP || step == STEP_STOPPED);
}

static enum verdict look(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	enum step step = change->steps[change->at];
	if (change->cancelled && !change->taking_back && !operation_runs(supervisor->operation)) {
		change_fault(supervisor, -1, "it was cancelled", true);
		return VERDICT_BAD;
	}
	if (change->entered)
		return step_look(supervisor, step, now_us);
	if (operation_runs(supervisor->operation)) {
		operation_give_up(supervisor->operation); /* somebody asked it how it is, or what was under way is not wanted any more */
		return VERDICT_WAIT;
	}
	change->entered = true;
	change->since_us = now_us;
	change->next_us = -1;
	enum verdict verdict = step_enter(supervisor, step, now_us);
	return verdict == VERDICT_WAIT ? step_look(supervisor, step, now_us) : verdict;
}

static void next(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	change->entered = false;
	change->next_us = -1;
	if (++change->at == change->n)
		finish(supervisor, change->taking_back ? LEAF_TAKEN_BACK : LEAF_DONE, now_us);
}

void change_run(struct supervisor *supervisor, gint64 now_us)
{
	while (change_is_on(supervisor)) {
		enum verdict verdict = look(supervisor, now_us);
		if (verdict == VERDICT_BAD && is_passed_over(&supervisor->change)) {
			g_clear_pointer(&supervisor->change.words, g_free);
			verdict = VERDICT_GOOD;
		}
		switch (verdict) {
		case VERDICT_WAIT:
			return;
		case VERDICT_GOOD:
			next(supervisor, now_us);
			break;
		case VERDICT_BAD:
			fail(supervisor, now_us);
			break;
		}
	}
}
