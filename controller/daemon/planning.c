#include "daemon/planning.h"

#include "base/clock.h"

struct job {
	struct plan_input input;
	struct drivers *drivers;
	struct holds_check *holds;
	struct arena *last_arena, *cures_arena;
	struct plan *former;
	struct faults_input faults_input;
	struct faults *faults;
	struct plan *plan;
	planning_done_fn done;
	void *data;
};

static const struct caps *caps_of(const char *site, const struct kind *kind, void *data)
{
	const struct job *job = data;
	return drivers_caps(site, kind, job->drivers);
}

static const char *why_held(const char *key, struct arena *arena, void *data)
{
	const struct job *job = data;
	const char *held = holds_check_reason(job->holds, key, arena);
	return held ? held : arena_strdup(arena, faults_held(job->faults, key));
}

static void work(void *data)
{
	struct job *job = data;
	job->faults = faults_find(&job->faults_input);
	job->input.observed = job->faults->observed;
	job->plan = plan_make(&job->input);
}

static void work_done(void *data)
{
	g_autofree struct job *job = data;
	arena_unref(job->last_arena);
	arena_unref(job->cures_arena);
	holds_check_free(job->holds);
	plan_unref(job->former);
	job->done(job->plan, job->faults, job->data);
}

void planning_start(const struct cycle_view *now, planning_done_fn done, void *data)
{
	struct job *job = g_new0(struct job, 1);
	job->done = done;
	job->data = data;
	job->drivers = now->drivers;
	job->input = (struct plan_input) {
		.desired = now->network,
		.last = last_view(now->last, &job->last_arena),
		.observed = now->observed,
		.caps = caps_of,
		.held = why_held,
		.data = job,
	};
	job->input.last_arena = job->last_arena;
	job->former = now->plan ? plan_ref(now->plan) : NULL;
	job->input.former = job->former;
	job->holds = holds_check_new(now->holds, now->network, job->input.last, now->observed);
	job->cures_arena = arena_new();
	job->faults_input = (struct faults_input) {
		.desired = now->network, .last = job->input.last, .observed = now->observed, .wall_us = clock_wall_us(),
	};
	job->faults_input.cures = monitors_cures(now->monitors, job->cures_arena, job->faults_input.wall_us, &job->faults_input.n_cures);
	pool_submit(now->pool, work, work_done, job);
}
