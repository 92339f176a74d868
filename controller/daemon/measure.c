#include "daemon/measure.h"

#include "base/clock.h"
#include "model/key.h"

enum { TIMEOUT_MS = 2000 };

struct job {
	struct measure measure;
	const struct lookup *lookup;
	struct observed *observed;
	measure_done_fn done;
	void *data;
};

/* An NF that cannot be measured at this moment has a gap in its ring; why is the look's to tell. */
static void measure_one(const struct job *job, struct measure_item *item)
{
	const struct call call = {
		.deadline_us = clock_monotonic_us() + TIMEOUT_MS * 1000, .cancel_fd = -1, .lookup = job->lookup,
	};
	const struct access *access = observed_access(job->observed, key_of_kind(job->measure.arena, item->key, "vnfc"));
	if (!access)
		return;
	const struct ems_ops *ops;
	struct ems *ems = job->lookup->ems(job->lookup, item->site, item->ems, &ops, NULL);
	const struct sample *sample = NULL;
	item->unable = ems && !ops->measure;
	if (!ems || !ops->measure || !ops->measure(ems, &call, access, item->key, job->measure.arena, &sample, NULL) || !sample)
		return;
	struct sample *timed = arena_memdup(job->measure.arena, sample, sizeof(*sample));
	timed->wall_us = clock_wall_us();
	item->sample = timed;
}

static void work(void *data)
{
	struct job *job = data;
	for (guint i = 0; i < job->measure.n; i++)
		measure_one(job, &job->measure.items[i]);
}

static void done(void *data)
{
	struct job *job = data;
	job->done(&job->measure, job->data);
	observed_unref(job->observed);
	arena_unref(job->measure.arena);
	g_free(job);
}

void measure_start(struct pool *pool, const struct lookup *lookup, struct observed *observed, const GPtrArray *nfs, measure_done_fn each,
		   void *data)
{
	struct job *job = g_new0(struct job, 1);
	struct arena *arena = arena_new();
	*job = (struct job) {
		.measure = { .arena = arena, .items = ARENA_ARRAY(arena, struct measure_item, nfs->len), .n = nfs->len },
		.lookup = lookup, .observed = observed_ref(observed), .done = each, .data = data,
	};
	for (guint i = 0; i < nfs->len; i++) {
		const struct object *nf = g_ptr_array_index(nfs, i);
		job->measure.items[i] = (struct measure_item) {
			.key = arena_strdup(arena, nf->key),
			.site = arena_strdup(arena, nf->site),
			.ems = arena_strdup(arena, object_string(nf, "ems", "")),
		};
	}
	pool_submit(pool, work, done, job);
}
