#include "fake/private.h"

#include <string.h>

struct ems {
	struct fake_world *world;
	char *site;
};

static struct ems *ems_open(const struct site *site, const struct driver_ref *which, GError **error)
{
	struct fake_world *world = fake_world_find(which->endpoint ? which->endpoint : site->vim.endpoint, error);
	if (!world)
		return NULL;
	struct ems *ems = g_new0(struct ems, 1);
	ems->world = world;
	ems->site = g_strdup(site->name);
	return ems;
}

static void ems_close(struct ems *ems)
{
	fake_world_release(ems->world);
	g_free(ems->site);
	g_free(ems);
}

/* The VNFC behind an access, where it still runs. */
static struct thing *reach(struct ems *ems, const struct access *access, GError **error)
{
	struct thing *thing = world_thing(ems->world, (unsigned) g_ascii_strtoull(access->address, NULL, 10));
	if (thing && thing->vnfc && thing_is_alive(thing))
		return thing;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_RETRY, "%s: nobody answers at %s", access->key, access->address);
	return NULL;
}

static struct fake_event event_of(const struct ems *ems, enum fake_call which, const struct call *call, const char *nf_key)
{
	return (struct fake_event) { .call = which, .site = ems->site, .key = nf_key, .operation = call->operation };
}

static bool has_nf(const struct thing *thing, const char *nf_key)
{
	return thing && thing->nf && !strcmp(thing->nf->nf.key, nf_key);
}

static bool ems_observe(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct nf **ret, GError **error)
{
	struct passage passage;
	if (!passage_enter(&passage, ems->world, call, event_of(ems, FAKE_OBSERVE_NF, call, nf_key), error))
		return false;
	pthread_mutex_lock(&ems->world->mutex);
	const struct thing *thing = reach(ems, access, error);
	*ret = has_nf(thing, nf_key) ? nf_as_seen(arena, &thing->nf->nf) : NULL;
	pthread_mutex_unlock(&ems->world->mutex);
	return passage_leave(&passage, thing != NULL, error);
}

/* --- installing ---------------------------------------------------------------------------------------------------------- */

static const struct nf_file *placed(struct arena *arena, const struct nf *want)
{
	struct nf_file *files = arena_memdup(arena, want->files, sizeof(*files) * want->n_files);
	for (size_t i = 0; i < want->n_files; i++) {
		g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, files[i].content ? files[i].content : "", -1);
		files[i].digest = files[i].label ? files[i].label : arena_strdup(arena, digest);
	}
	return files;
}

static bool same_files(const struct nf *a, const struct nf *b)
{
	if (a->n_files != b->n_files)
		return false;
	for (size_t i = 0; i < a->n_files; i++)
		if (strcmp(a->files[i].name, b->files[i].name) || g_strcmp0(a->files[i].path, b->files[i].path)
		    || g_strcmp0(a->files[i].digest, b->files[i].digest) || g_strcmp0(a->files[i].mode, b->files[i].mode))
			return false;
	return true;
}

static bool same_command(const struct nf *a, const struct nf *b)
{
	if (a->n_command != b->n_command)
		return false;
	for (size_t i = 0; i < a->n_command; i++)
		if (strcmp(a->command[i], b->command[i]))
			return false;
	return true;
}

static bool is_valid(const struct nf *want, GError **error)
{
	for (size_t i = 0; i < want->n_files; i++)
		if (!g_path_is_absolute(want->files[i].path)) {
			g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: file %s: %s is not an absolute path", want->key,
				    want->files[i].name, want->files[i].path);
			return false;
		}
	if (want->state == NF_STARTED || want->state == NF_STOPPED)
		return true;
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_INVALID, "%s: only \"started\" and \"stopped\" can be wanted", want->key);
	return false;
}

static bool same_secrets(const struct nf *a, const struct nf *b)
{
	if (a->n_secrets != b->n_secrets)
		return false;
	for (size_t i = 0; i < a->n_secrets; i++)
		if (strcmp(a->secrets[i].name, b->secrets[i].name) || g_strcmp0(a->secrets[i].proof, b->secrets[i].proof))
			return false;
	return true;
}

static bool fail(struct fake_nf *installed, const char *reason, GError **error)
{
	installed->nf.state = NF_FAILED;
	installed->nf.health = NF_UNCHECKED;
	installed->nf.pid = 0;
	installed->nf.reason = arena_strdup(installed->arena, reason);
	g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_PERMANENT, "%s: did not start: %s", installed->nf.key, reason);
	return false;
}

static bool run(struct fake_world *world, struct fake_nf *installed, GError **error)
{
	struct nf *nf = &installed->nf;
	g_autofree char *reason = NULL;
	struct process process = { 0 };
	if (g_hash_table_contains(world->lacking, nf->command[0])) {
		reason = g_strdup_printf("%s: No such file or directory", nf->command[0]);
	} else {
		process_run(&process, nf);
		installed->log = arena_strdup(installed->arena, process.log);
		installed->stop_us = process.stop_us;
		if (process.ended)
			reason = g_strdup_printf("exit status %d%s%s", process.status, process.last_word ? ": " : "",
						 process.last_word ? process.last_word : "");
	}
	process_clear(&process);
	if (reason)
		return fail(installed, reason, error);
	nf->pid = ++world->next_pid;
	return true;
}

/* Started, and healthy where something asks. */
static bool start(struct fake_world *world, struct fake_nf *installed, GError **error)
{
	struct nf *nf = &installed->nf;
	const char *refused = nf->package ? g_hash_table_lookup(world->refused, nf->package) : NULL;
	if (refused)
		return fail(installed, refused, error);
	if (nf->n_command && !run(world, installed, error))
		return false;
	nf->health = nf->health_check.type == NF_CHECK_NONE ? NF_UNCHECKED : NF_HEALTHY;
	return true;
}

/* Does its process live through the change? */
static bool goes_on(const struct nf *had, const struct nf *want)
{
	bool restarts = !had || !had->pid || want->state != NF_STARTED || had->health == NF_UNHEALTHY || !same_command(had, want) ||
			g_strcmp0(had->package, want->package);
	if (restarts)
		return false;
	if (want->operations[NF_VERB_RELOAD].script)
		return true;
	return same_files(had, want) && same_secrets(had, want);
}

static struct nf wanted(struct arena *arena, const struct thing *thing, const struct nf *want, bool half)
{
	const struct nf *had = thing->nf ? &thing->nf->nf : NULL;
	struct nf nf = *want;
	nf.incarnation = thing->vnfc->incarnation;
	nf.files = placed(arena, want);
	nf.reason = NULL;
	bool as_before = goes_on(had, &nf) && !half;
	nf.pid = as_before ? had->pid : 0;
	nf.health = as_before ? had->health : NF_UNCHECKED;
	nf.restarts = had ? had->restarts + (had->pid && !as_before) : 0;
	nf.state = half ? NF_STOPPED : want->state;
	return nf;
}

/* What was good before comes back, as if it had been asked for again. */
static void take_back(struct fake_world *world, struct thing *thing, const struct nf *former, GError **error)
{
	thing_set_nf(thing, former);
	thing->nf->nf.pid = 0;
	if (start(world, thing->nf, NULL))
		g_prefix_error(error, "taken back: the former is in force; ");
}

static bool install(struct fake_world *world, struct thing *thing, const struct nf *want, bool half, GError **error)
{
	auto_ptr(arena) arena = arena_new();
	const struct nf *had = thing->nf ? &thing->nf->nf : NULL;
	struct nf nf = wanted(arena, thing, want, half);
	bool goes_back = had && had->state == NF_STARTED && had->health != NF_UNHEALTHY;
	const struct nf *former = goes_back ? nf_copy(arena, had) : NULL;
	if (had)
		world->counts.changed++;
	else
		world->counts.created++;
	const char *log = nf.pid ? arena_strdup(arena, thing->nf->log) : NULL;
	gint64 stop_us = nf.pid ? thing->nf->stop_us : 0;
	thing_set_nf(thing, &nf);
	thing->nf->log = arena_strdup(thing->nf->arena, log);
	thing->nf->stop_us = stop_us;
	if (nf.pid || nf.state == NF_STOPPED || start(world, thing->nf, error))
		return true;
	if (former)
		take_back(world, thing, former, error);
	return false;
}

/* What has to stop may take its time. */
static bool wait_for_stop(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want, GError **error)
{
	gint64 stop_us = 0;
	pthread_mutex_lock(&ems->world->mutex);
	const struct thing *thing = reach(ems, access, error);
	if (thing && thing->nf && thing->nf->nf.pid && (!want || want->state == NF_STOPPED))
		stop_us = thing->nf->stop_us;
	bool reached = thing != NULL;
	pthread_mutex_unlock(&ems->world->mutex);
	return reached && passage_spend(call, stop_us, error);
}

static bool do_ensure(struct ems *ems, const struct access *access, const struct nf *want, bool half, struct arena *arena,
		      const struct nf **ret_got, GError **error)
{
	struct thing *thing = reach(ems, access, error);
	if (!thing)
		return false;
	if (thing->nf && strcmp(thing->nf->nf.key, want->key)) {
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_CONFLICT, "%s: %s is there already", want->key, thing->nf->nf.key);
		return false;
	}
	if (!install(ems->world, thing, want, half, error))
		return false;
	if (ret_got)
		*ret_got = nf_as_seen(arena, &thing->nf->nf);
	return true;
}

static bool ems_ensure_nf(struct ems *ems, const struct call *call, const struct access *access, const struct nf *want,
			  const struct package *package, struct arena *arena, const struct nf **ret_got, GError **error)
{
	struct passage passage;
	if (!is_valid(want, error) || !passage_enter(&passage, ems->world, call, event_of(ems, FAKE_ENSURE_NF, call, want->key), error))
		return false;
	bool good = wait_for_stop(ems, call, access, want, error);
	if (good) {
		pthread_mutex_lock(&ems->world->mutex);
		good = do_ensure(ems, access, want, passage_half(&passage), arena, ret_got, error);
		pthread_mutex_unlock(&ems->world->mutex);
	}
	return passage_leave(&passage, good, error);
}

static bool ems_remove_nf(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, GError **error)
{
	struct passage passage;
	if (!passage_enter(&passage, ems->world, call, event_of(ems, FAKE_REMOVE_NF, call, nf_key), error))
		return false;
	if (!wait_for_stop(ems, call, access, NULL, error))
		return passage_leave(&passage, false, error);
	pthread_mutex_lock(&ems->world->mutex);
	struct thing *thing = reach(ems, access, error);
	if (has_nf(thing, nf_key)) {
		if (passage_half(&passage)) {
			thing->nf->nf.state = NF_STOPPED;
			thing->nf->nf.pid = 0;
		} else {
			thing_set_nf(thing, NULL);
			ems->world->counts.removed++;
		}
	}
	pthread_mutex_unlock(&ems->world->mutex);
	return passage_leave(&passage, thing != NULL, error);
}

static char *last_lines(const char *text, unsigned lines)
{
	const char *from = text + strlen(text);
	for (unsigned met = 0; from > text; from--)
		if (from[-1] == '\n' && met++ == lines)
			break;
	return g_strdup(from);
}

static bool ems_log(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, unsigned lines, bool follow,
		    ems_log_fn each, void *data, GError **error)
{
	if (call_is_over(call, error))
		return false;
	pthread_mutex_lock(&ems->world->mutex);
	struct thing *thing = reach(ems, access, error);
	g_autofree char *text = NULL;
	if (has_nf(thing, nf_key))
		text = last_lines(thing->nf->log ? thing->nf->log : "", lines);
	else if (thing)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: there is no such NF", nf_key);
	pthread_mutex_unlock(&ems->world->mutex);
	if (!text)
		return false;
	/* Nothing more is ever said; who follows waits for the end of the call. */
	if (each(text, strlen(text), data) && follow)
		call_wait(call, -1, 0, NULL);
	return true;
}

static bool ems_measure(struct ems *ems, const struct call *call, const struct access *access, const char *nf_key, struct arena *arena,
			const struct sample **ret, GError **error)
{
	enum { CPU_US = 1000, MEM_BYTES = 1024 * 1024 };
	if (call_is_over(call, error))
		return false;
	pthread_mutex_lock(&ems->world->mutex);
	const struct thing *thing = reach(ems, access, error);
	bool there = has_nf(thing, nf_key), runs = there && thing->nf->nf.pid;
	if (thing && !there)
		g_set_error(error, PLEACH_ERROR, PLEACH_ERROR_NOT_FOUND, "%s: there is no such NF", nf_key);
	pthread_mutex_unlock(&ems->world->mutex);
	struct sample *sample = ARENA_NEW(arena, struct sample);
	*sample = (struct sample) { .wall_us = -1, .cpu_us = runs ? CPU_US : 0, .mem_bytes = runs ? MEM_BYTES : 0, .disk_bytes = -1,
				    .processes = runs };
	*ret = there ? sample : NULL;
	return there;
}

static const struct caps caps = { .driver = "fake", .max_parallel = 8, .replace_beside = true };

const struct ems_ops fake_ems_ops = {
	.name = "fake",
	.caps = &caps,
	.open = ems_open,
	.close = ems_close,
	.observe = ems_observe,
	.ensure_nf = ems_ensure_nf,
	.remove_nf = ems_remove_nf,
	.log = ems_log,
	.measure = ems_measure,
};
