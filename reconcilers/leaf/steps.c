#include "leaf/internal.h"

#include "base/file.h"
#include "leaf/files.h"

#include <string.h>

enum { STOPPED_POLL_MS = 100 };

const char *step_name(enum step step)
{
	static const char *const names[] = {
		[STEP_STOP_PROCESS] = "stop", [STEP_STOP] = "stop",           [STEP_STOPPED] = "stop",
		[STEP_CREATE] = "create",     [STEP_STAGE] = "files",         [STEP_CHECK] = "check",
		[STEP_SWAP] = "files",        [STEP_CONFIGURE] = "configure", [STEP_RELOAD] = "reload",
		[STEP_START] = "start",       [STEP_START_PROCESS] = "start", [STEP_HEALTHY] = "health check",
		[STEP_DELETE] = "delete",     [STEP_FORGET] = "delete",
	};
	return names[step];
}

/* --- which ----------------------------------------------------------------------------------------------------------------- */

static void add(struct change *change, enum step step)
{
	g_assert(change->n < STEPS_MAX);
	change->steps[change->n++] = step;
}

static void add_stop(struct change *change)
{
	add(change, STEP_STOP_PROCESS);
	add(change, STEP_STOP);
	add(change, STEP_STOPPED);
}

static void add_start(struct change *change)
{
	add(change, STEP_START);
	add(change, STEP_START_PROCESS);
	add(change, STEP_HEALTHY);
}

static void add_files(struct change *change)
{
	add(change, STEP_STAGE);
	add(change, STEP_CHECK);
	add(change, STEP_SWAP);
	add(change, STEP_CONFIGURE);
}

/* What a difference asks of running software; the greater one counts. */
enum effect { EFFECT_NONE, EFFECT_CONFIGURE, EFFECT_RELOAD, EFFECT_RESTART };

static enum effect effect_of_file(const struct leaf_file *file)
{
	switch (file->on_change) {
	case LEAF_ON_NONE:
		return EFFECT_CONFIGURE;
	case LEAF_ON_RELOAD:
		return EFFECT_RELOAD;
	case LEAF_ON_RESTART:
		return EFFECT_RESTART;
	}
	return EFFECT_RESTART;
}

static enum effect effect_of_files(const struct leaf_nf *from, const struct leaf_nf *to)
{
	enum effect effect = EFFECT_NONE;
	for (size_t i = 0; i < to->n_files; i++) {
		const struct leaf_file *file = &to->files[i], *former = file_at(from, file->path);
		bool same = former && strcmp(former->mode, file->mode) == 0 && strcmp(former->content, file->content) == 0;
		if (!same || files_differ(file))
			effect = MAX(effect, effect_of_file(file));
	}
	for (size_t i = 0; i < from->n_files; i++)
		if (!file_at(to, from->files[i].path))
			effect = MAX(effect, effect_of_file(&from->files[i]));
	return effect;
}

static enum effect effect_of_operations(const struct leaf_nf *from, const struct leaf_nf *to)
{
	static const enum leaf_verb told[] = { LEAF_CONFIGURE, LEAF_START, LEAF_RELOAD };
	for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
		if (!leaf_same_operation(&from->operations[told[i]], &to->operations[told[i]]))
			return EFFECT_RELOAD;
	return EFFECT_NONE;
}

static bool same_health_check(const struct leaf_health_check *a, const struct leaf_health_check *b)
{
	return a->type == b->type && g_strcmp0(a->address, b->address) == 0 && a->port == b->port && g_strcmp0(a->path, b->path) == 0 &&
	       a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms && a->grace_ms == b->grace_ms && a->failures == b->failures;
}

/* Is it as it should be, so that it can be left running? */
static bool runs_well(const struct supervisor *supervisor, gint64 now_us)
{
	enum leaf_state state = state_now(supervisor, now_us);
	return (state == LEAF_STARTED || (state == LEAF_STARTING && supervisor->software.pid != 0)) &&
	       supervisor->health.now != LEAF_UNHEALTHY && !supervisor->failure;
}

static bool is_stopped(const struct supervisor *supervisor, gint64 now_us)
{
	return supervisor->software.pid == 0 && state_now(supervisor, now_us) == LEAF_STOPPED;
}

/* From nothing, from something that never worked, or with another package. */
static void towards_package(struct supervisor *supervisor, const struct leaf_nf *to, gint64 now_us)
{
	struct change *change = &supervisor->change;
	change->repackaged = true;
	if (supervisor->now.nf && !is_stopped(supervisor, now_us))
		add_stop(change);
	add(change, STEP_CREATE);
	add_files(change);
	if (to->state == LEAF_STARTED)
		add_start(change);
}

static void towards_state(struct supervisor *supervisor, const struct leaf_nf *to, enum effect effect, gint64 now_us)
{
	struct change *change = &supervisor->change;
	bool well = runs_well(supervisor, now_us), stopped = is_stopped(supervisor, now_us);
	if (to->state == LEAF_STOPPED) {
		if (!stopped)
			add_stop(change);
		return;
	}
	if (well && effect == EFFECT_RELOAD && to->operations[LEAF_RELOAD].script) {
		add(change, STEP_RELOAD);
		add(change, STEP_HEALTHY);
	} else if (!well || effect >= EFFECT_RELOAD) {
		/* What has just come and has no process is as its files are: there is nothing to stop or to start. */
		if (!stopped && change->from.nf->state == LEAF_STARTED)
			add_stop(change);
		add_start(change);
	}
}

void steps_towards(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *from = change->from.nf, *to = change->to.nf;
	if (!from || g_strcmp0(from->package, to->package) != 0) {
		change->renews = from != NULL;
		towards_package(supervisor, to, now_us);
		return;
	}
	enum effect effect = MAX(effect_of_files(from, to), effect_of_operations(from, to));
	bool other_command = !leaf_nf_same_command(from, to);
	change->renews = effect != EFFECT_NONE || other_command;
	if (effect != EFFECT_NONE)
		add_files(change);
	else
		add(change, STEP_SWAP);
	towards_state(supervisor, to, other_command ? EFFECT_RESTART : effect, now_us);
	bool asks_anew = from->state != to->state || !same_health_check(&from->health_check, &to->health_check);
	if (to->state == LEAF_STARTED && asks_anew && change->steps[change->n - 1] != STEP_HEALTHY)
		add(change, STEP_HEALTHY);
}

void steps_back(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *former = change->to.nf;
	bool restarts = change->repackaged || change->told || supervisor->software.pid == 0;
	change->n = 0;
	if (restarts && !is_stopped(supervisor, now_us))
		add_stop(change);
	if (change->repackaged && change->created)
		add(change, STEP_CREATE);
	add(change, STEP_SWAP);
	add(change, STEP_CONFIGURE);
	if (former->state != LEAF_STARTED)
		return;
	if (restarts) {
		add_start(change);
		return;
	}
	add(change, STEP_RELOAD);
	add(change, STEP_HEALTHY);
}

void steps_away(struct supervisor *supervisor)
{
	struct change *change = &supervisor->change;
	add_stop(change);
	add(change, STEP_DELETE);
	add(change, STEP_FORGET);
}

/* --- what each does -------------------------------------------------------------------------------------------------------- */

static enum verdict bad(struct supervisor *supervisor, const char *words, bool may_pass)
{
	change_fault(supervisor, -1, words, may_pass);
	return VERDICT_BAD;
}

static enum verdict begin_operation(struct supervisor *supervisor, const struct leaf_nf *nf, enum leaf_verb verb, gint64 now_us)
{
	if (!nf || !nf->operations[verb].script)
		return VERDICT_GOOD;
	g_autofree char *folder = packages_folder(supervisor->packages, nf->package);
	output_note(supervisor->output, "%s", leaf_verb_name(verb));
	strays_before_operation(supervisor);
	operation_start(supervisor->operation, &(struct operation_want) { nf, verb, folder,
		verb == LEAF_CHECK ? supervisor->new_folder : NULL, supervisor->software.pid }, now_us);
	return VERDICT_WAIT;
}

static enum verdict look_at_operation(struct supervisor *supervisor)
{
	const struct operation_result *result = operation_result(supervisor->operation);
	if (operation_runs(supervisor->operation))
		return VERDICT_WAIT;
	if (result->good)
		return VERDICT_GOOD;
	change_fault(supervisor, result->exit_status, result->words, false);
	return VERDICT_BAD;
}

static enum verdict from_fault(struct supervisor *supervisor, const GError *fault)
{
	return bad(supervisor, fault->message, pleach_error_code(fault) == PLEACH_ERROR_RETRY);
}

static enum verdict stage(struct supervisor *supervisor)
{
	const struct leaf_nf *to = supervisor->change.to.nf;
	g_autoptr(GError) fault = NULL;
	if (!to->operations[LEAF_CHECK].script || files_mirror(to->files, to->n_files, supervisor->new_folder, &fault))
		return VERDICT_GOOD;
	return from_fault(supervisor, fault);
}

/* Takes away the files of the present NF that @next (NULL: nothing) does not have. */
static void remove_files(struct supervisor *supervisor, const struct leaf_nf *next)
{
	const struct leaf_nf *now = supervisor->now.nf;
	for (size_t i = 0; now && i < now->n_files; i++) {
		g_autoptr(GError) fault = NULL;
		if (!(next && file_at(next, now->files[i].path)) && !files_remove(now->files[i].path, &fault))
			output_note(supervisor->output, "%s", fault->message);
	}
}

static enum verdict swap(struct supervisor *supervisor)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *to = change->to.nf;
	g_autoptr(GError) fault = NULL;
	bool changed = false, good = files_put(to->files, to->n_files, &changed, &fault);
	change->touched |= changed;
	if (!good)
		return from_fault(supervisor, fault);
	change->touched |= change->renews;
	remove_files(supervisor, to);
	want_set(&supervisor->now, &change->to);
	return VERDICT_GOOD;
}

static enum verdict start_process(struct supervisor *supervisor, gint64 now_us)
{
	supervisor->software.held = false;
	if (!supervisor->change.same)
		supervisor->software.restarts = 0;
	software_renew(supervisor, now_us);
	software_run(supervisor, now_us);
	if (supervisor->now.nf->n_command == 0 && !health_is_state(supervisor->now.nf))
		supervisor->health.said = LEAF_STARTED;
	if (supervisor->now.nf->n_command > 0 && supervisor->software.pid == 0)
		return bad(supervisor, supervisor->software.reason, false);
	return VERDICT_GOOD;
}

/* A process has to live through its first moments, whoever is asked besides. */
static enum verdict look_at_health(struct supervisor *supervisor, gint64 now_us)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *nf = supervisor->now.nf;
	if (supervisor->software.pid != change->pid)
		return bad(supervisor, supervisor->software.reason ? supervisor->software.reason : "its process ended", false);
	if (supervisor->health.now == LEAF_UNHEALTHY)
		return bad(supervisor, supervisor->health.words, false);
	if (nf->n_command > 0) {
		gint64 settled_us = MAX(change->since_us, supervisor->software.started_us) + ms(SETTLE_MS);
		change->next_us = settled_us;
		if (now_us < settled_us)
			return VERDICT_WAIT;
		change->next_us = -1;
	}
	switch (health_check_of(nf).type) {
	case LEAF_PROBE_NONE:
	case LEAF_PROBE_PROCESS:
		return VERDICT_GOOD;
	case LEAF_PROBE_STATUS:
	case LEAF_PROBE_TCP:
	case LEAF_PROBE_HTTP:
		return supervisor->health.now == LEAF_HEALTHY ? VERDICT_GOOD : VERDICT_WAIT;
	}
	return VERDICT_BAD;
}

static enum verdict await_health(struct supervisor *supervisor, gint64 now_us)
{
	supervisor->change.pid = supervisor->software.pid;
	if (supervisor->now.nf->n_command > 0 && supervisor->software.pid == 0)
		return bad(supervisor, supervisor->software.reason ? supervisor->software.reason : "it does not run", false);
	health_begin(supervisor, now_us);
	return look_at_health(supervisor, now_us);
}

/* Only its own word tells whether an NF without a process has stopped. */
static enum verdict look_whether_stopped(struct supervisor *supervisor, bool first, gint64 now_us)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *nf = supervisor->now.nf;
	const struct operation_result *result = operation_result(supervisor->operation);
	health_end(supervisor);
	if (!nf || !health_is_state(nf) || !supervisor->installed) {
		supervisor->health.said = LEAF_STOPPED;
		return VERDICT_GOOD;
	}
	if (operation_runs(supervisor->operation))
		return VERDICT_WAIT;
	if (!first && change->next_us < 0) {
		if (result->exit_status == LSB_STOPPED) {
			supervisor->health.said = LEAF_STOPPED;
			return VERDICT_GOOD;
		}
		if (now_us - change->since_us >= ms(STOP_GRACE_MS))
			return bad(supervisor, result->good ? "it was told to stop, and says that it is started" : result->words, true);
		change->next_us = now_us + ms(STOPPED_POLL_MS);
		return VERDICT_WAIT;
	}
	if (now_us < change->next_us)
		return VERDICT_WAIT;
	change->next_us = -1;
	return begin_operation(supervisor, nf, LEAF_STATUS_VERB, now_us);
}

static enum verdict forget(struct supervisor *supervisor)
{
	remove_files(supervisor, NULL);
	strays_end_all(supervisor);
	packages_keep(supervisor->packages, NULL, NULL);
	want_set(&supervisor->now, NULL);
	supervisor->installed = false;
	supervisor->deleting = false;
	g_clear_pointer(&supervisor->failure, g_free);
	software_renew(supervisor, 0);
	supervisor->software.held = false;
	supervisor->software.restarts = 0;
	return VERDICT_GOOD;
}

enum verdict step_enter(struct supervisor *supervisor, enum step step, gint64 now_us)
{
	struct change *change = &supervisor->change;
	const struct leaf_nf *now = supervisor->now.nf, *to = change->to.nf;
	switch (step) {
	case STEP_STOP_PROCESS:
		change->touched = true;
		supervisor->software.held = true;
		health_end(supervisor);
		software_run(supervisor, now_us);
		return supervisor->software.pid ? VERDICT_WAIT : VERDICT_GOOD;
	case STEP_STOP:
		return supervisor->installed ? begin_operation(supervisor, now, LEAF_STOP, now_us) : VERDICT_GOOD;
	case STEP_STOPPED:
		change->next_us = now_us;
		return look_whether_stopped(supervisor, true, now_us);
	case STEP_CREATE:
		change->touched |= to->operations[LEAF_CREATE].script != NULL;
		change->created = true;
		return begin_operation(supervisor, to, LEAF_CREATE, now_us);
	case STEP_STAGE:
		return stage(supervisor);
	case STEP_CHECK:
		return begin_operation(supervisor, to, LEAF_CHECK, now_us);
	case STEP_SWAP:
		file_remove_tree(supervisor->new_folder, NULL);
		return swap(supervisor);
	case STEP_CONFIGURE:
		return begin_operation(supervisor, to, LEAF_CONFIGURE, now_us);
	case STEP_RELOAD:
		change->told = true;
		return begin_operation(supervisor, to, LEAF_RELOAD, now_us);
	case STEP_START:
		change->told = true;
		return begin_operation(supervisor, to, LEAF_START, now_us);
	case STEP_START_PROCESS:
		return start_process(supervisor, now_us);
	case STEP_HEALTHY:
		return await_health(supervisor, now_us);
	case STEP_DELETE:
		return begin_operation(supervisor, now, LEAF_DELETE, now_us);
	case STEP_FORGET:
		return forget(supervisor);
	}
	return VERDICT_BAD;
}

enum verdict step_look(struct supervisor *supervisor, enum step step, gint64 now_us)
{
	switch (step) {
	case STEP_STOP_PROCESS:
		return supervisor->software.pid ? VERDICT_WAIT : VERDICT_GOOD;
	case STEP_STOPPED:
		return look_whether_stopped(supervisor, false, now_us);
	case STEP_HEALTHY:
		return look_at_health(supervisor, now_us);
	case STEP_STOP:
	case STEP_CREATE:
	case STEP_CHECK:
	case STEP_CONFIGURE:
	case STEP_RELOAD:
	case STEP_START:
	case STEP_DELETE:
		return look_at_operation(supervisor);
	case STEP_STAGE:
	case STEP_SWAP:
	case STEP_START_PROCESS:
	case STEP_FORGET:
		return VERDICT_GOOD; /* done when it was entered */
	}
	return VERDICT_BAD;
}
